//! Opening journal and state, and whether together they are what this node has promised.
//!
//! Consensus fills a state that is behind, from the snapshot and the journal. What it would not
//! notice is refused here: a state that cannot reach the journal's beginning has a hole, and if
//! this node alone decides, a journal that ends before the state does has lost entries. Among
//! several nodes it may end there, and a snapshot closes the gap.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use openraft::entry::RaftEntry;
use openraft::metrics::WaitError;
use openraft::storage::{RaftLogStorage, RaftStateMachine};
use openraft::{Raft, RaftSnapshotBuilder};

use crate::store::directory::Directory;
use crate::store::journal::{Journal, OnWritten, PURGED, Written};
use crate::store::state::State;
use crate::store::{Fault, mend, snapshot};
use crate::telemetry::metrics::Metrics;

use super::log_adapter::LogAdapter;
use super::machine_adapter::MachineAdapter;
use super::raft_types::{Entry, LogId, Types, decode};
use super::runtime::Runtime;

type StoredMembership = openraft::alias::StoredMembershipOf<Types>;

/// How long a node that is alone may take to apply its log again.
const RECOVERY_SECONDS: u64 = 60;

/// How long one of several waits for the others: some elections.
const OTHERS_SECONDS: u64 = 5;

/// What an operator can do when this node alone cannot go on.
const NEXT: &str = "on a node of a larger cluster: remove it with `greenroom cluster remove` on \
    another node, empty this data directory and let it join again; on a node that is alone: \
    restore the newest backup";

/// Opens both. A damaged state is set aside and begins empty.
pub(super) fn open(
    directory: &Directory,
    metrics: &Arc<Metrics>,
) -> Result<(State, Journal), Fault> {
    let journal = Journal::open(&directory.journal(), on_written(metrics))?;
    let (state, _aside) = mend::open(&directory.state())?;
    check(&state, &journal, &directory.snapshots())?;
    Ok((state, journal))
}

fn on_written(metrics: &Arc<Metrics>) -> OnWritten {
    let metrics = metrics.clone();
    Box::new(move |written: Written| {
        metrics.proposal_queue.observe(written.waited.as_secs_f64());
        metrics.journal_fsync.observe(written.synced.as_secs_f64());
    })
}

fn check(state: &State, journal: &Journal, snapshots: &Path) -> Result<(), Fault> {
    let (applied, membership) = state.applied()?;
    let applied = place(applied.as_deref())?;
    let purged = place(journal.marker(PURGED)?.as_deref())?;
    let last = match journal.last()? {
        Some(entry) => next(Some(id_of(&entry).map_err(unreadable)?)),
        None => purged,
    };
    if purged <= applied && applied <= last {
        return Ok(());
    }
    // A snapshot of another node that was installed a moment before the end is both: ahead of the
    // journal, and where this state begins.
    let kept = match snapshot::current(snapshots)? {
        Some(kept) => place(kept.log_id.as_deref())?,
        None => 0,
    };
    if applied < purged && kept < purged {
        return Err(Fault::damaged(format!(
            "the state has the first {applied} entries of the log, the journal begins after \
             {purged}, and there is no sound snapshot that would fill the hole; {NEXT}"
        )));
    }
    if last.max(kept) < applied && decides_alone(membership.as_deref())? {
        return Err(Fault::damaged(format!(
            "the state has the first {applied} entries of the log, the journal only {last}: it has \
             lost what was acknowledged; {NEXT}, or keep what the state holds with `greenroom \
             cluster recover`"
        )));
    }
    Ok(())
}

/// Whether this node needs nobody else to decide: then nothing is applied before its own journal
/// has it.
fn decides_alone(membership: Option<&[u8]>) -> Result<bool, Fault> {
    let membership: Option<StoredMembership> =
        membership.map(decode).transpose().map_err(unreadable)?;
    Ok(membership.is_some_and(|stored| stored.voter_ids().count() == 1))
}

/// How many entries lie before the place behind this id.
fn place(log_id: Option<&[u8]>) -> Result<u64, Fault> {
    log_id.map(decode).transpose().map(next).map_err(unreadable)
}

fn next(log_id: Option<LogId>) -> u64 {
    log_id.map_or(0, |log_id| log_id.index + 1)
}

fn id_of(entry: &[u8]) -> io::Result<LogId> {
    Ok(decode::<Entry>(entry)?.log_id())
}

fn unreadable(error: io::Error) -> Fault {
    Fault::new("a place in the log cannot be read", error)
}

/// Makes sure that snapshot and journal suffice to make the state again, and makes a snapshot if
/// they do not.
///
/// The state may be ahead of the journal: an entry is applied when a majority has it, which may be
/// before this node's own journal has it on disk; after a crash in between, the journal lacks what
/// the state holds. openraft then begins the log behind the state, and without a snapshot of that
/// place nothing on this disk could bring the state back again. A node that began anew has no
/// snapshot at all.
pub(super) async fn cover<R: Runtime>(
    log: &mut LogAdapter<R>,
    machine: &mut MachineAdapter<R>,
) -> Result<(), Fault> {
    let covering = async {
        let there = log.get_log_state().await?;
        let (applied, _) = machine.applied_state().await?;
        let needed = match applied > there.last_log_id {
            true => applied,
            false => there.last_purged_log_id,
        };
        if needed.is_none() {
            return Ok(());
        }
        let snapshot = machine.get_current_snapshot().await?;
        if snapshot.and_then(|snapshot| snapshot.meta.last_log_id) < needed && applied >= needed {
            machine.build_snapshot().await?;
        }
        io::Result::Ok(())
    };
    covering.await.map_err(|e| Fault::new("the state could not be secured by a snapshot", e))
}

/// Makes a node that is alone stand for election at once: there is nobody to wait for.
pub(super) async fn stand_alone(
    raft: &Raft<Types, MachineAdapter>,
    node: u64,
) -> Result<(), Fault> {
    if !is_alone(raft, node) {
        return Ok(());
    }
    let standing = raft.trigger().elect(false).await;
    standing.map_err(|e| Fault::new("cannot start consensus", e))
}

/// Waits until the state is as new as before the last stop. One of several nodes cannot tell
/// without the others, and must not wait for them for ever: it comes up with what it has, so that
/// people can see what is wrong.
pub(super) async fn wait(raft: &Raft<Types, MachineAdapter>, node: u64) -> Result<(), Fault> {
    let alone = is_alone(raft, node);
    let seconds = if alone { RECOVERY_SECONDS } else { OTHERS_SECONDS };
    match raft.wait_for_recovery(Some(Duration::from_secs(seconds))).await {
        Ok(_) => Ok(()),
        Err(WaitError::Timeout(..)) if !alone => {
            tracing::warn!(
                node,
                "no majority of the nodes answers; this one comes up and reads only what it has"
            );
            Ok(())
        }
        Err(error) => Err(Fault::new("the log could not be replayed", error)),
    }
}

fn is_alone(raft: &Raft<Types, MachineAdapter>, node: u64) -> bool {
    raft.voter_ids().eq([node])
}
