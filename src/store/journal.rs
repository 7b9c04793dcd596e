//! The journal: the Raft log on disk, with one writer thread and group commit.
//!
//! All that waits is written in one transaction and made durable by one fsync (WAL,
//! `synchronous=FULL`); only then is anybody told. Entries can be read as soon as `append` returns,
//! from memory until they are on disk.
//!
//! **Invariant:** a callback with `Ok` means: on disk. After a failed write every further one fails
//! too, because what is on disk is then unknown; the node stops and starts again from what it
//! finds.

use std::collections::BTreeMap;
use std::ops::{Bound, RangeBounds};
use std::path::Path;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rusqlite::{Connection, OptionalExtension, params};

use super::Fault;
use super::schema;

/// Told when a write is on disk or cannot be.
pub type Done = Box<dyn FnOnce(std::io::Result<()>) + Send>;

/// Told of each transaction that is on disk.
pub type OnWritten = Box<dyn Fn(Written) + Send>;

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
    _writer: Arc<Writer>,
}

/// Writes that wait before a sender is held back: openraft has its own, tighter bounds.
const WRITES_WAITING_MAX: usize = 8_192;

/// Writes of one transaction, so that the first of them does not wait for a thousand others.
const WRITES_PER_SYNC_MAX: usize = 1_024;

/// Bytes between two checkpoints. SQLite would make one inside a commit, where somebody waits for
/// it; ours comes after everybody was told.
const CHECKPOINT_BYTES: usize = 4 << 20;

/// What was handed in and is not on disk yet.
#[derive(Default)]
struct Pending {
    entries: BTreeMap<u64, Arc<[u8]>>,
    /// The newest committed marker; it rides along with the next write, without an fsync of its
    /// own.
    committed: Option<Vec<u8>>,
}

enum Write {
    Append(Vec<(u64, Arc<[u8]>)>, Done),
    Marker(&'static str, Vec<u8>, Done),
    /// Entries above this index go.
    Truncate(i64, Done),
    /// Entries up to this index go; the marker says where the log begins now.
    Purge(u64, Vec<u8>, Done),
    Stop,
}

struct Writer {
    writes: SyncSender<(Instant, Write)>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Journal {
    /// Opens or makes the log.
    pub fn open(path: &Path, on_written: OnWritten) -> Result<Journal, Fault> {
        let mut db = connect(path)?;
        schema::migrate(&mut db, schema::JOURNAL)?;
        let reader = connect(path)?;
        let pending = Arc::new(Mutex::new(Pending::default()));
        let (writes, received) = sync_channel(WRITES_WAITING_MAX);
        let thread = {
            let pending = pending.clone();
            std::thread::Builder::new()
                .name("journal".to_owned())
                .spawn(move || write_loop(db, &received, &pending, &on_written))
                .map_err(|e| Fault::new("cannot start the journal's thread", e))?
        };
        let writer = Writer { writes: writes.clone(), thread: Mutex::new(Some(thread)) };
        Ok(Journal {
            writes,
            pending,
            reader: Arc::new(Mutex::new(reader)),
            _writer: Arc::new(writer),
        })
    }

    /// Hands in entries; they can be read from now on, and `done` is told when they are on disk.
    pub fn append(&self, entries: Vec<(u64, Vec<u8>)>, done: Done) {
        let entries: Vec<(u64, Arc<[u8]>)> =
            entries.into_iter().map(|(index, payload)| (index, payload.into())).collect();
        guard(&self.pending).entries.extend(entries.iter().cloned());
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
        let found = guard(&self.reader)
            .prepare_cached("SELECT payload FROM marker WHERE name = ?1")?
            .query_row([name], |row| row.get(0))
            .optional()?;
        Ok(found)
    }

    /// Removes all entries above an index.
    pub fn truncate_after(&self, index: u64, done: Done) {
        guard(&self.pending).entries.split_off(&(index + 1));
        self.send(Write::Truncate(signed(index), done));
    }

    /// Removes all entries.
    pub fn truncate_all(&self, done: Done) {
        guard(&self.pending).entries.clear();
        self.send(Write::Truncate(-1, done));
    }

    /// Removes all entries up to an index and keeps the marker of where the log begins.
    pub fn purge(&self, upto: u64, marker: Vec<u8>, done: Done) {
        self.send(Write::Purge(upto, marker, done));
    }

    /// The entries of a range that are there, in order.
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
        if from >= to {
            return Ok(Vec::new());
        }
        // Memory first: an entry may move to the disk while we look, but never the other way.
        let waiting: Vec<(u64, Arc<[u8]>)> = guard(&self.pending)
            .entries
            .range(from..to)
            .map(|(index, payload)| (*index, payload.clone()))
            .collect();
        let first_waiting = waiting.first().map_or(to, |(index, _)| *index);
        let mut found = Vec::new();
        if from < first_waiting {
            let reader = guard(&self.reader);
            let mut statement = reader.prepare_cached(
                "SELECT payload FROM entry WHERE idx >= ?1 AND idx < ?2 ORDER BY idx",
            )?;
            let rows = statement
                .query_map(params![signed(from), signed(first_waiting)], |row| {
                    row.get::<_, Vec<u8>>(0)
                })?;
            for row in rows {
                found.push(row?.into());
            }
        }
        found.extend(waiting.into_iter().map(|(_, payload)| payload));
        Ok(found)
    }

    /// The last entry that is there.
    pub fn last(&self) -> Result<Option<Arc<[u8]>>, Fault> {
        if let Some((_, payload)) = guard(&self.pending).entries.last_key_value() {
            return Ok(Some(payload.clone()));
        }
        let found: Option<Vec<u8>> = guard(&self.reader)
            .prepare_cached("SELECT payload FROM entry ORDER BY idx DESC LIMIT 1")?
            .query_row([], |row| row.get(0))
            .optional()?;
        Ok(found.map(Into::into))
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

impl Write {
    /// About what it adds to the write-ahead log.
    fn bytes(&self) -> usize {
        match self {
            Write::Append(entries, _) => entries.iter().map(|(_, payload)| payload.len()).sum(),
            Write::Marker(_, payload, _) | Write::Purge(_, payload, _) => payload.len(),
            Write::Truncate(..) | Write::Stop => 0,
        }
    }

    fn finish(self, result: std::io::Result<()>) {
        match self {
            Write::Append(_, done)
            | Write::Marker(_, _, done)
            | Write::Truncate(_, done)
            | Write::Purge(_, _, done) => done(result),
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

fn write_loop(
    mut db: Connection,
    received: &Receiver<(Instant, Write)>,
    pending: &Mutex<Pending>,
    on_written: &OnWritten,
) {
    let mut broken: Option<String> = None;
    let mut unsaved_bytes = 0;
    while let Ok((since, first)) = received.recv() {
        let waited = since.elapsed();
        let mut batch = vec![first];
        while batch.len() < WRITES_PER_SYNC_MAX {
            match received.try_recv() {
                Ok((_, write)) => batch.push(write),
                Err(_) => break,
            }
        }
        let stop = batch.iter().any(|write| matches!(write, Write::Stop));
        if broken.is_none() {
            let committed = guard(pending).committed.clone();
            if let Err(error) =
                write_batch(&mut db, &batch, committed.as_deref(), waited, on_written)
            {
                broken = Some(format!("the journal cannot be written: {error}"));
            } else {
                settle(pending, &batch, committed.as_deref());
            }
        }
        unsaved_bytes += batch.iter().map(Write::bytes).sum::<usize>();
        for write in batch {
            write.finish(match &broken {
                None => Ok(()),
                Some(why) => Err(std::io::Error::other(why.clone())),
            });
        }
        if unsaved_bytes >= CHECKPOINT_BYTES {
            unsaved_bytes = 0;
            checkpoint(&db);
        }
        if stop {
            return;
        }
    }
}

/// Moves what is in the write-ahead log into the database; a reader in the way only puts it off.
fn checkpoint(db: &Connection) {
    if let Err(error) = db.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(())) {
        tracing::warn!(%error, "the journal's write-ahead log was not moved and goes on growing");
    }
}

fn write_batch(
    db: &mut Connection,
    batch: &[Write],
    committed: Option<&[u8]>,
    waited: Duration,
    on_written: &OnWritten,
) -> Result<(), rusqlite::Error> {
    let tx = db.transaction()?;
    {
        let mut insert =
            tx.prepare_cached("INSERT OR REPLACE INTO entry (idx, payload) VALUES (?1, ?2)")?;
        let mut mark =
            tx.prepare_cached("INSERT OR REPLACE INTO marker (name, payload) VALUES (?1, ?2)")?;
        for write in batch {
            match write {
                Write::Append(entries, _) => {
                    for (index, payload) in entries {
                        insert.execute(params![signed(*index), &payload[..]])?;
                    }
                }
                Write::Marker(name, payload, _) => {
                    mark.execute(params![name, payload])?;
                }
                Write::Truncate(index, _) => {
                    tx.execute("DELETE FROM entry WHERE idx > ?1", [index])?;
                }
                Write::Purge(upto, payload, _) => {
                    mark.execute(params![PURGED, payload])?;
                    tx.execute("DELETE FROM entry WHERE idx <= ?1", [signed(*upto)])?;
                }
                Write::Stop => {}
            }
        }
        if let Some(payload) = committed {
            mark.execute(params![COMMITTED, payload])?;
        }
    }
    let began = Instant::now();
    tx.commit()?;
    on_written(Written { waited, synced: began.elapsed() });
    Ok(())
}

/// Forgets what is on disk now, unless something newer has come under the same index since.
fn settle(pending: &Mutex<Pending>, batch: &[Write], committed: Option<&[u8]>) {
    let mut pending = guard(pending);
    for write in batch {
        if let Write::Append(entries, _) = write {
            for (index, payload) in entries {
                if pending.entries.get(index).is_some_and(|waiting| Arc::ptr_eq(waiting, payload)) {
                    pending.entries.remove(index);
                }
            }
        }
    }
    if committed.is_some() && pending.committed.as_deref() == committed {
        pending.committed = None;
    }
}

fn connect(path: &Path) -> Result<Connection, Fault> {
    let db = Connection::open(path)
        .map_err(|e| Fault::new(format!("cannot open {}", path.display()), e))?;
    db.pragma_update(None, "journal_mode", "wal")?;
    db.pragma_update(None, "synchronous", "full")?;
    db.pragma_update(None, "wal_autocheckpoint", 0)?;
    Ok(db)
}

/// SQLite's integers are signed; no log reaches the half that is lost.
fn signed(index: u64) -> i64 {
    i64::try_from(index).unwrap_or(i64::MAX)
}

fn guard<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(dir: &tempfile::TempDir) -> Journal {
        Journal::open(&dir.path().join("journal.db"), Box::new(|_| {})).unwrap()
    }

    fn wait(write: impl FnOnce(Done)) {
        let (tx, rx) = std::sync::mpsc::channel();
        write(Box::new(move |result| tx.send(result).unwrap()));
        rx.recv().unwrap().unwrap();
    }

    fn payloads(journal: &Journal) -> Vec<Vec<u8>> {
        journal.read(..).unwrap().iter().map(|p| p.to_vec()).collect()
    }

    #[test]
    fn entries_can_be_read_at_once_and_after_a_restart() {
        let dir = tempfile::tempdir().unwrap();
        let journal = open(&dir);
        journal.append(vec![(1, b"a".to_vec()), (2, b"b".to_vec())], Box::new(|r| r.unwrap()));
        assert_eq!(payloads(&journal), [b"a", b"b"]);
        wait(|done| journal.append(vec![(3, b"c".to_vec())], done));
        drop(journal);
        assert_eq!(payloads(&open(&dir)), [b"a", b"b", b"c"]);
    }

    #[test]
    fn a_truncated_tail_is_replaced_and_a_purged_head_is_gone() {
        let dir = tempfile::tempdir().unwrap();
        let journal = open(&dir);
        let entries = (1..=5).map(|n| (n, vec![n as u8])).collect();
        journal.append(entries, Box::new(|r| r.unwrap()));
        wait(|done| journal.truncate_after(3, done));
        wait(|done| journal.append(vec![(4, vec![40])], done));
        wait(|done| journal.purge(2, b"mark".to_vec(), done));
        assert_eq!(payloads(&journal), [vec![3], vec![40]]);
        assert_eq!(journal.marker(PURGED).unwrap().as_deref(), Some(&b"mark"[..]));
        assert_eq!(journal.last().unwrap().as_deref(), Some(&[40u8][..]));
    }

    #[test]
    fn the_committed_marker_rides_with_the_next_write() {
        let dir = tempfile::tempdir().unwrap();
        let journal = open(&dir);
        journal.mark_committed(b"7".to_vec());
        assert_eq!(journal.committed().unwrap().as_deref(), Some(&b"7"[..]));
        wait(|done| journal.append(vec![(1, b"a".to_vec())], done));
        drop(journal);
        assert_eq!(open(&dir).committed().unwrap().as_deref(), Some(&b"7"[..]));
    }
}
