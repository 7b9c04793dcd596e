//! The journal: the Raft log on disk, with one writer thread and group commit.
//!
//! All that waits is written in one transaction and made durable by one fsync (WAL,
//! `synchronous=FULL`); only then is anybody told. Entries can be read as soon as `append` returns,
//! from memory until they are on disk.
//!
//! **Invariant:** a callback with `Ok` means: on disk. After a failed write every further one fails
//! too, because what is on disk is then unknown; the node stops and starts again from what it
//! finds.

mod committer;
mod ledger;
mod mover;
mod rows;
#[cfg(test)]
mod stepped;
mod wal;
mod witness;

use std::collections::BTreeMap;
use std::ops::{Bound, RangeBounds};
use std::path::Path;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rusqlite::Connection;

pub(crate) use self::committer::Committer;
pub(super) use self::ledger::prepare_lowering;
use self::ledger::{Bounds, Ledger};
use self::mover::Mover;
use super::Fault;

/// Told when a write is on disk or cannot be.
pub type Done = Box<dyn FnOnce(std::io::Result<()>) + Send>;

/// Told of each transaction that is on disk.
pub type OnWritten = Box<dyn Fn(Written) + Send>;

/// Entries that are not on disk yet.
type Waiting = Vec<(u64, Arc<[u8]>)>;

/// How long a transaction took on its way to the disk.
pub struct Written {
    /// The first write in it waited so long for its turn.
    pub waited: Duration,
    /// The fsync.
    pub synced: Duration,
}

/// The log, for all who append and read.
#[derive(Clone)]
pub struct Journal {
    writes: SyncSender<(Instant, Write)>,
    pending: Arc<Mutex<Pending>>,
    reader: Arc<Mutex<Connection>>,
    bytes_at_opening: u64,
    writer: Arc<Writer>,
}

/// Writes that wait before a sender is held back: openraft has its own, tighter bounds.
const WRITES_WAITING_MAX: usize = 8_192;

/// What was handed in and is not on disk yet.
#[derive(Default)]
struct Pending {
    entries: BTreeMap<u64, Arc<[u8]>>,
    /// The entries that there are, here or on disk.
    bounds: Bounds,
    /// The newest committed marker; it rides along with the next write, without an fsync of its
    /// own.
    committed: Option<Vec<u8>>,
}

enum Write {
    Append(Waiting, Done),
    Marker(&'static str, Vec<u8>, Done),
    /// Entries above this index go.
    Truncate(i64, Done),
    /// Entries up to this index go; the marker says where the log begins now.
    Purge(u64, Vec<u8>, Done),
    /// Nothing that was removed is to be found in the file afterwards.
    Scrub(Done),
    Stop,
}

struct Writer {
    writes: SyncSender<(Instant, Write)>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Journal {
    /// Opens or makes the log.
    pub fn open(path: &Path, on_written: OnWritten) -> Result<Journal, Fault> {
        let (journal, committer) = Journal::prepare(path, on_written)?;
        let mover = Mover::start(path)?;
        let thread = std::thread::Builder::new()
            .name("journal".to_owned())
            .spawn(move || committer.run(mover))
            .map_err(|e| Fault::new("cannot start the journal's thread", e))?;
        *guard(&journal.writer.thread) = Some(thread);
        Ok(journal)
    }

    fn prepare(path: &Path, on_written: OnWritten) -> Result<(Journal, Committer), Fault> {
        let (db, bounds, bytes_at_opening) = Ledger::open(path)?;
        let reader = ledger::connect(path)?;
        let pending = Arc::new(Mutex::new(Pending { bounds, ..Pending::default() }));
        let (writes, received) = sync_channel(WRITES_WAITING_MAX);
        let committer = Committer::new(db, received, pending.clone(), on_written);
        let writer = Arc::new(Writer { writes: writes.clone(), thread: Mutex::new(None) });
        let reader = Arc::new(Mutex::new(reader));
        Ok((Journal { writes, pending, reader, bytes_at_opening, writer }, committer))
    }

    /// Bytes of the entries that were there when it was opened.
    pub fn bytes_at_opening(&self) -> u64 {
        self.bytes_at_opening
    }

    /// Hands in entries; they can be read from now on, and `done` is told when they are on disk.
    pub fn append(&self, entries: Vec<(u64, Vec<u8>)>, done: Done) {
        let entries: Waiting =
            entries.into_iter().map(|(index, payload)| (index, payload.into())).collect();
        guard(&self.pending).append(&entries);
        self.send(Write::Append(entries, done));
    }

    /// Keeps a marker; `done` is told when it is on disk.
    pub fn mark(&self, name: &'static str, payload: Vec<u8>, done: Done) {
        self.send(Write::Marker(name, payload, done));
    }

    /// Keeps the committed marker with the next write: losing it costs a replay, not data.
    pub fn mark_committed(&self, payload: Vec<u8>) {
        guard(&self.pending).committed = Some(payload);
    }

    /// The committed marker as it would be found after the next write.
    pub fn committed(&self) -> Result<Option<Vec<u8>>, Fault> {
        if let Some(payload) = guard(&self.pending).committed.clone() {
            return Ok(Some(payload));
        }
        self.marker(COMMITTED)
    }

    /// A marker, as it is on disk.
    pub fn marker(&self, name: &str) -> Result<Option<Vec<u8>>, Fault> {
        rows::marker(&guard(&self.reader), name)
    }

    /// Removes all entries above an index.
    pub fn truncate_after(&self, index: u64, done: Done) {
        guard(&self.pending).truncate_after(index);
        self.send(Write::Truncate(signed(index), done));
    }

    /// Removes all entries.
    pub fn truncate_all(&self, done: Done) {
        let mut pending = guard(&self.pending);
        (pending.entries, pending.bounds) = (BTreeMap::new(), None);
        drop(pending);
        self.send(Write::Truncate(-1, done));
    }

    /// Removes all entries up to an index and keeps the marker of where the log begins.
    pub fn purge(&self, upto: u64, marker: Vec<u8>, done: Done) {
        guard(&self.pending).purge(upto);
        self.send(Write::Purge(upto, marker, done));
    }

    /// Takes everything that was removed out of the file for good. Whoever appends meanwhile waits.
    pub fn scrub(&self, done: Done) {
        self.send(Write::Scrub(done));
    }

    /// The entries of a range that are there, in order, each as it was written.
    pub fn read(&self, range: impl RangeBounds<u64>) -> Result<Vec<Arc<[u8]>>, Fault> {
        let from = match range.start_bound() {
            Bound::Included(index) => *index,
            Bound::Excluded(index) => index.saturating_add(1),
            Bound::Unbounded => 0,
        };
        let to = match range.end_bound() {
            Bound::Included(index) => index.saturating_add(1),
            Bound::Excluded(index) => *index,
            Bound::Unbounded => u64::MAX,
        };
        loop {
            // Memory first: an entry may move to the disk while we look, but never the other way.
            let (bounds, waiting) = guard(&self.pending).look(from, to);
            let Some((first, last)) = bounds else { return Ok(Vec::new()) };
            let (from, to) = (from.max(first), to.min(last + 1));
            let on_disk = waiting.first().map_or(to, |(index, _)| *index);
            let mut found: Vec<Arc<[u8]>> = Vec::new();
            if from < on_disk {
                let reader = guard(&self.reader);
                rows::scan(&reader, signed(from), signed(on_disk), |_, payload| {
                    found.push(payload.into());
                })?;
            }
            if found.len() as u64 == on_disk.saturating_sub(from) {
                found.extend(waiting.into_iter().map(|(_, payload)| payload));
                return Ok(found);
            }
            // Either some were removed while we looked, or the disk has lost them.
            if guard(&self.pending).bounds == bounds {
                let what = format!("some of its entries {from} to {} are gone", on_disk - 1);
                return Err(rows::damage(&what));
            }
        }
    }

    /// The last entry that is there.
    pub fn last(&self) -> Result<Option<Arc<[u8]>>, Fault> {
        let Some((_, last)) = guard(&self.pending).bounds else { return Ok(None) };
        Ok(self.read(last..=last)?.pop())
    }

    fn send(&self, write: Write) {
        // The thread ends only with the last handle, or after a fault that every `done` was told
        // of.
        if let Err(unsent) = self.writes.send((Instant::now(), write)) {
            unsent.0.1.finish(Err(std::io::Error::other("the journal has stopped")));
        }
    }
}

/// The committed marker's name.
const COMMITTED: &str = "committed";

/// The purged marker's name.
pub const PURGED: &str = "purged";

impl Pending {
    fn append(&mut self, entries: &[(u64, Arc<[u8]>)]) {
        for (index, payload) in entries {
            let (first, last) = self.bounds.unwrap_or((*index, *index));
            self.bounds = Some((first.min(*index), last.max(*index)));
            self.entries.insert(*index, payload.clone());
        }
    }

    fn truncate_after(&mut self, index: u64) {
        self.entries.split_off(&(index + 1));
        let cut = |(first, last): (u64, u64)| (first <= index).then_some((first, last.min(index)));
        self.bounds = self.bounds.and_then(cut);
    }

    fn purge(&mut self, upto: u64) {
        let cut = |(first, last): (u64, u64)| (last > upto).then_some((first.max(upto + 1), last));
        self.bounds = self.bounds.and_then(cut);
    }

    /// The bounds, and the entries of a range that are not on disk yet.
    fn look(&self, from: u64, to: u64) -> (Bounds, Waiting) {
        let Some((first, last)) = self.bounds else { return (None, Vec::new()) };
        let (from, to) = (from.max(first), to.min(last + 1));
        if from >= to {
            return (self.bounds, Vec::new());
        }
        let waiting = self.entries.range(from..to);
        (self.bounds, waiting.map(|(index, payload)| (*index, payload.clone())).collect())
    }
}

impl Write {
    /// About what it adds to the write-ahead log.
    fn bytes(&self) -> usize {
        match self {
            Write::Append(entries, _) => entries.iter().map(|(_, payload)| payload.len()).sum(),
            Write::Marker(_, payload, _) | Write::Purge(_, payload, _) => payload.len(),
            Write::Truncate(..) | Write::Scrub(_) | Write::Stop => 0,
        }
    }

    fn finish(self, result: std::io::Result<()>) {
        match self {
            Write::Append(_, done)
            | Write::Marker(_, _, done)
            | Write::Truncate(_, done)
            | Write::Purge(_, _, done)
            | Write::Scrub(done) => done(result),
            Write::Stop => {}
        }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        let _ = self.writes.send((Instant::now(), Write::Stop));
        if let Some(thread) = guard(&self.thread).take() {
            let _ = thread.join();
        }
    }
}

/// SQLite's integers are signed; no log reaches the half that is lost.
fn signed(index: u64) -> i64 {
    i64::try_from(index).unwrap_or(i64::MAX)
}

fn guard<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
