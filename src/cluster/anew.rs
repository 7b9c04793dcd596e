//! Beginning anew: makes the state in a stopped node's directory that of a new cluster of one,
//! after a quorum was lost for good or a backup was restored.
//!
//! What the journal holds beyond the state is applied first: an entry that a lost majority may have
//! acknowledged must not be given up while it is here. The new cluster gets its id, authority and
//! audit entry when the node starts.

use std::collections::BTreeSet;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicI64;

use openraft::entry::RaftEntry;

use crate::domain::time::Time;
use crate::store::directory::Directory;
use crate::store::journal::{Journal, PURGED};
use crate::store::state::State;
use crate::store::{Fault, mend, query, snapshot};
use crate::telemetry::metrics::Metrics;

use super::identity::{Anew, Identity};
use super::log_adapter::VOTE;
use super::machine_adapter::MachineAdapter;
use super::raft_types::{Entry, LogId, Peer, Types, decode, encode};
use super::runtime::Threads;

type Vote = openraft::alias::VoteOf<Types>;
type Membership = openraft::Membership<u64, Peer>;
type StoredMembership = openraft::alias::StoredMembershipOf<Types>;

/// What is there to begin with.
#[derive(Clone, Debug)]
pub struct Remains {
    /// The id that the node gets; ids are never given twice.
    pub node: u64,
    /// The place in the log that the state will stand for.
    pub index: u64,
    /// Entries of the journal that the state does not have yet.
    pub unapplied: u64,
    /// The time of the newest command in the state.
    pub newest: Time,
    /// The nodes of the old cluster, with where they were; all but this one are given up.
    pub nodes: Vec<(u64, String)>,
    /// Which of them this one is.
    pub was: Option<u64>,
    /// What the disk has done to the journal; then only the state is kept.
    pub damage: Option<String>,
}

/// Entries that are applied at a time.
const BATCH: u64 = 256;

/// Looks what a directory holds, and changes nothing but what a start would.
pub fn remains(directory: &Directory) -> Result<Remains, Fault> {
    let state = open_state(directory)?;
    let applied = applied(&state)?;
    let (last, damage) = match last_entry(directory) {
        Err(fault) if fault.is_damage() => (None, Some(fault.to_string())),
        last => (last?, None),
    };
    let there = applied.max(last).ok_or_else(nothing)?;
    let unapplied = there.index + 1 - applied.map_or(0, |log_id| log_id.index + 1);
    let nodes = state.read(query::node::active).unwrap_or_default();
    let was = Identity::load(directory)?.map(|identity| identity.node);
    let highest = state.read(query::node::highest).unwrap_or(0).max(was.unwrap_or(0));
    Ok(Remains {
        node: highest + 1,
        index: there.index,
        unapplied,
        newest: state.read(query::cluster::newest_time)?,
        nodes: nodes.into_iter().map(|node| (node.id, node.cluster)).collect(),
        was,
        damage,
    })
}

/// Does it. `reason` is `recover` or `restore`; `loss` says in words what is given up.
pub fn begin_anew(directory: &Directory, reason: &str, loss: &str) -> Result<Remains, Fault> {
    let remains = remains(directory)?;
    let state = Arc::new(open_state(directory)?);
    let applied = match remains.damage {
        Some(_) => applied(&state)?,
        None => catch_up(directory, &state)?,
    };
    let applied = applied.ok_or_else(nothing)?;
    let only = Membership::new_with_defaults(vec![BTreeSet::from([remains.node])], []);
    let stored = StoredMembership::new(Some(applied), only);
    state.replace_membership(&encode(&stored).map_err(cannot_write)?)?;
    // From here on nothing else could make it again.
    state.rest()?;
    drop(state);
    let vote = Vote::new(applied.committed_leader_id().term + 1, remains.node);
    replace_journal(directory, &applied, &vote)?;
    for entry in read_dir(&directory.snapshots())? {
        std::fs::remove_file(&entry)
            .map_err(|e| Fault::new(format!("cannot remove {}", entry.display()), e))?;
    }
    let mut identity = Identity::new(remains.node);
    identity.port = Identity::load(directory)?.and_then(|before| before.port);
    identity.anew = Some(Anew { reason: reason.to_owned(), loss: loss.to_owned() });
    identity.save(directory)?;
    Ok(remains)
}

/// The state; one that has to be made again begins with the snapshot.
fn open_state(directory: &Directory) -> Result<State, Fault> {
    let (state, _aside) = mend::open(&directory.state())?;
    if state.applied()?.0.is_none()
        && let Some(kept) = snapshot::current(&directory.snapshots())?
    {
        state.install(&kept.path)?;
    }
    Ok(state)
}

fn applied(state: &State) -> Result<Option<LogId>, Fault> {
    let read = |bytes: Vec<u8>| decode(&bytes);
    let log_id = state.applied()?.0.map(read).transpose();
    log_id.map_err(|e| Fault::new("the state does not say which place it stands for", e))
}

fn nothing() -> Fault {
    Fault::plain("there is nothing here to begin with")
}

fn journal(path: &Path) -> Result<Journal, Fault> {
    Journal::open(path, Box::new(|_| {}))
}

fn last_entry(directory: &Directory) -> Result<Option<LogId>, Fault> {
    if !directory.journal().exists() {
        return Ok(None);
    }
    let last = journal(&directory.journal())?.last()?;
    let read = |payload: &[u8]| -> io::Result<LogId> { Ok(decode::<Entry>(payload)?.log_id()) };
    last.map(|payload| read(&payload))
        .transpose()
        .map_err(|e| Fault::new("the journal's last entry cannot be read", e))
}

/// Applies what the journal has beyond the state; the place where that ends.
fn catch_up(directory: &Directory, state: &Arc<State>) -> Result<Option<LogId>, Fault> {
    let mut at = applied(state)?;
    if !directory.journal().exists() {
        return Ok(at);
    }
    let journal = journal(&directory.journal())?;
    let machine = MachineAdapter {
        runtime: Threads,
        state: state.clone(),
        snapshots: directory.snapshots(),
        on_applied: Arc::default(),
        metrics: Metrics::new(),
        clock: Arc::new(AtomicI64::new(0)),
    };
    loop {
        let next = at.map_or(0, |log_id| log_id.index + 1);
        let payloads = journal.read(next..next + BATCH)?;
        if payloads.is_empty() {
            return Ok(at);
        }
        let batch: io::Result<Vec<Entry>> = payloads.iter().map(|bytes| decode(bytes)).collect();
        let batch = batch.map_err(|e| Fault::new("an entry of the journal cannot be read", e))?;
        let first = batch.first().map(|entry| entry.log_id().index);
        if first != Some(next) {
            return Err(Fault::plain(format!(
                "the journal has no entry {next}, and its next one is {first:?}"
            )));
        }
        machine.apply_batch(&batch)?;
        at = applied(state)?;
    }
}

/// A journal that begins after `applied`, in place of the one that is there.
fn replace_journal(directory: &Directory, applied: &LogId, vote: &Vote) -> Result<(), Fault> {
    let path = directory.journal();
    let fresh = path.with_extension("new");
    remove_database(&fresh)?;
    {
        let journal = journal(&fresh)?;
        let marker = encode(applied).map_err(cannot_write)?;
        let vote = encode(vote).map_err(cannot_write)?;
        for write in [
            Box::new(|done| journal.mark(VOTE, vote, done)) as Box<dyn FnOnce(_)>,
            Box::new(|done| journal.purge(applied.index, marker, done)),
        ] {
            let (tell, told) = std::sync::mpsc::channel();
            write(Box::new(move |result| {
                let _ = tell.send(result);
            }));
            told.recv()
                .map_err(|e| Fault::new("the journal has stopped", e))?
                .map_err(cannot_write)?;
        }
        debug_assert!(journal.marker(PURGED).is_ok());
    }
    remove_database(&path)?;
    std::fs::rename(&fresh, &path)
        .map_err(|e| Fault::new(format!("cannot replace {}", path.display()), e))?;
    // What lay beside the new one; the next start makes it again.
    remove_database(&fresh)
}

/// A database with the files beside it.
fn remove_database(path: &Path) -> Result<(), Fault> {
    for suffix in ["", "-wal", "-shm", "-count"] {
        let file = path.with_file_name(format!(
            "{}{suffix}",
            path.file_name().unwrap_or_default().to_string_lossy()
        ));
        match std::fs::remove_file(&file) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(Fault::new(format!("cannot remove {}", file.display()), error));
            }
            _ => {}
        }
    }
    Ok(())
}

fn read_dir(path: &Path) -> Result<Vec<std::path::PathBuf>, Fault> {
    let list = || -> io::Result<Vec<_>> {
        std::fs::read_dir(path)?.map(|entry| Ok(entry?.path())).collect()
    };
    list().map_err(|e| Fault::new(format!("cannot list {}", path.display()), e))
}

fn cannot_write(error: io::Error) -> Fault {
    Fault::new("the new cluster's first place cannot be written", error)
}
