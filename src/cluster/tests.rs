//! openraft's own storage suite against our log and state machine, and what it does not ask.

use std::sync::Arc;

use openraft::StorageError;
use openraft::entry::RaftEntry;
use openraft::storage::{IOFlushed, RaftLogStorage, RaftStateMachine};
use openraft::testing::log::{StoreBuilder, Suite};
use openraft::type_config::TypeConfigExt;
use openraft::{RaftLogReader, RaftSnapshotBuilder};
use tempfile::TempDir;

use super::log_adapter::LogAdapter;
use super::machine_adapter::MachineAdapter;
use super::raft_types::{Entry, LogId, Types, decode, encode};
use super::recovery;
use super::runtime::Threads;
use crate::store::journal::Journal;
use crate::store::state::State;
use crate::telemetry::metrics::Metrics;

struct Builder;

impl StoreBuilder<Types, LogAdapter, MachineAdapter, TempDir> for Builder {
    async fn build(&self) -> Result<(TempDir, LogAdapter, MachineAdapter), StorageError<Types>> {
        let dir = tempfile::tempdir().unwrap();
        let (log, machine) = open(&dir);
        Ok((dir, log, machine))
    }
}

fn open(dir: &TempDir) -> (LogAdapter, MachineAdapter) {
    let snapshots = dir.path().join("snapshots");
    std::fs::create_dir_all(&snapshots).unwrap();
    let journal = Journal::open(&dir.path().join("journal.db"), Box::new(|_| {})).unwrap();
    let machine = MachineAdapter {
        clock: Arc::default(),
        runtime: Threads,
        state: Arc::new(State::open(&dir.path().join("state.db")).unwrap()),
        snapshots,
        on_applied: Arc::default(),
        metrics: Metrics::new(),
    };
    (LogAdapter::new(journal), machine)
}

fn blank(index: u64) -> Entry {
    let leader = openraft::alias::LeaderIdOf::<Types> { term: 1, node_id: 1 };
    Entry::new_blank(LogId { leader_id: leader, index })
}

async fn append(log: &mut LogAdapter, entries: Vec<Entry>) {
    let (tell, told) = Types::oneshot();
    log.append(entries, IOFlushed::signal(tell)).await.unwrap();
    told.await.unwrap().unwrap();
}

#[test]
fn the_suite_of_openraft_passes() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(Suite::test_all(Builder)).unwrap();
}

#[tokio::test]
async fn entries_are_the_same_from_memory_from_disk_and_after_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let (mut log, machine) = open(&dir);
    // More than are kept decoded, so that the first come from the disk.
    append(&mut log, (0..400).map(blank).collect()).await;
    let indices = |entries: Vec<Entry>| -> Vec<u64> {
        entries.iter().map(|entry| entry.log_id().index).collect()
    };
    let all: Vec<u64> = (0..400).collect();
    assert_eq!(indices(log.try_get_log_entries(..).await.unwrap()), all);
    assert_eq!(indices(log.try_get_log_entries(390..400).await.unwrap()), all[390..]);
    assert_eq!(indices(log.try_get_log_entries(100..350).await.unwrap()), all[100..350]);
    drop((log, machine));
    let (mut log, _machine) = open(&dir);
    assert_eq!(indices(log.try_get_log_entries(..).await.unwrap()), all);
    assert_eq!(log.get_log_state().await.unwrap().last_log_id.map(|id| id.index), Some(399));
}

#[tokio::test]
async fn a_replaced_tail_is_read_as_it_is_now() {
    let dir = tempfile::tempdir().unwrap();
    let (mut log, _machine) = open(&dir);
    append(&mut log, (0..10).map(blank).collect()).await;
    log.truncate_after(Some(blank(4).log_id())).await.unwrap();
    assert_eq!(log.try_get_log_entries(..).await.unwrap().len(), 5);
    append(&mut log, vec![blank(5)]).await;
    assert_eq!(log.try_get_log_entries(3..9).await.unwrap().len(), 3);
    log.truncate_after(None).await.unwrap();
    assert!(log.try_get_log_entries(..).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_snapshot_with_a_flipped_bit_is_set_aside_and_made_again() {
    let dir = tempfile::tempdir().unwrap();
    let (_log, mut machine) = open(&dir);
    machine.build_snapshot().await.unwrap();
    let kept = machine.get_current_snapshot().await.unwrap().unwrap();
    let mut bytes = std::fs::read(&kept.snapshot).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&kept.snapshot, bytes).unwrap();
    // Nothing was applied that another one could be made from.
    assert!(machine.get_current_snapshot().await.unwrap().is_none());
    let mut applied = machine.clone();
    applied.apply_batch(&[blank(0)]).unwrap();
    let good = applied.build_snapshot().await.unwrap();
    let mut bytes = std::fs::read(&good.snapshot).unwrap();
    bytes[middle] ^= 1;
    std::fs::write(&good.snapshot, bytes).unwrap();
    let again = applied.get_current_snapshot().await.unwrap().unwrap();
    assert_eq!(again.meta, good.meta);
    assert!(applied.get_current_snapshot().await.unwrap().is_some());
}

#[test]
fn a_value_of_another_format_is_refused() {
    let bytes = encode(&blank(7)).unwrap();
    let again: Entry = decode(&bytes).unwrap();
    assert_eq!(again.log_id().index, 7);
    let mut newer = bytes.clone();
    newer[0] = 9;
    assert!(decode::<Entry>(&newer).unwrap_err().to_string().contains("format 9"));
    assert!(decode::<Entry>(&[]).is_err());
}

#[tokio::test]
async fn a_state_ahead_of_the_journal_is_in_a_snapshot_before_consensus_starts() {
    let dir = tempfile::tempdir().unwrap();
    let (mut log, mut machine) = open(&dir);
    let index = |machine: &MachineAdapter| {
        let mut machine = machine.clone();
        async move {
            let kept = machine.get_current_snapshot().await.unwrap();
            kept.and_then(|kept| kept.meta.last_log_id).map(|log_id| log_id.index)
        }
    };
    let apply = |range: std::ops::Range<u64>| {
        let entries = range.map(|n| Ok::<_, std::io::Error>((blank(n), None)));
        futures_util::stream::iter(entries.collect::<Vec<_>>())
    };
    append(&mut log, (0..10).map(blank).collect()).await;
    machine.apply(apply(0..10)).await.unwrap();
    recovery::cover(&mut log, &mut machine).await.unwrap();
    assert_eq!(index(&machine).await, None);
    // A crash took from the journal what was applied already.
    machine.apply(apply(10..12)).await.unwrap();
    recovery::cover(&mut log, &mut machine).await.unwrap();
    assert_eq!(index(&machine).await, Some(11));
}
