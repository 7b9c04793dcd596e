//! Opening journal and state, and whether together they are what this node has promised.
//!
//! Consensus fills a state that is behind, from the snapshot and the journal. What it would not
//! notice is refused here: a journal that ends before the state does has lost entries, and a state
//! that cannot reach the journal's beginning has a hole.

use std::io;
use std::path::Path;
use std::sync::Arc;

use openraft::entry::RaftEntry;

use crate::store::directory::Directory;
use crate::store::journal::{Journal, OnWritten, PURGED, Written};
use crate::store::state::State;
use crate::store::{Fault, mend, snapshot};
use crate::telemetry::metrics::Metrics;

use super::raft_types::{Entry, LogId, decode};

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
    let applied = place(state.applied()?.0.as_deref())?;
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
    if last.max(kept) < applied {
        return Err(Fault::damaged(format!(
            "the state has the first {applied} entries of the log, the journal only {last}: it has \
             lost what was acknowledged; {NEXT}, or keep what the state holds with `greenroom \
             cluster recover`"
        )));
    }
    Ok(())
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
