//! The state: the domain in SQLite, one writer, some readers.
//!
//! A batch of log entries is one transaction, and the applied log id is in it, so the state is
//! always the state at some place of the log. Nobody waits until it is on the disk (WAL,
//! `synchronous=OFF`): what is in the system's memory survives the end of the process, and after
//! the end of the machine the state is made again from the newest snapshot and the journal, which
//! is never purged beyond a durable snapshot (`mend`).

mod install;

use std::borrow::Cow;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rusqlite::{Connection, OpenFlags, OptionalExtension, params};

use crate::domain::command::{Envelope, Outcome};
use crate::domain::event::Event;
use crate::domain::id::InterviewId;
use crate::domain::limit;
use crate::domain::time::Time;

use super::apply::{Care, Rooms};
use super::{Fault, apply, mend, query, schema};

/// One entry of the log, as far as the state is concerned.
pub struct Entry<'a> {
    /// The log id, in the form that consensus wants back.
    pub log_id: Vec<u8>,
    /// What is in it.
    pub what: Payload<'a>,
}

/// What an entry holds.
pub enum Payload<'a> {
    /// Nothing.
    Blank,
    /// A membership of the cluster, in the form that consensus wants back.
    Membership(Vec<u8>),
    /// A command.
    Command(&'a Envelope),
}

/// What an entry led to.
#[derive(Debug, Default)]
pub struct Applied {
    /// The outcome of a command.
    pub outcome: Option<Outcome>,
    /// The room and the events that came about.
    pub events: Option<(InterviewId, Vec<Event>)>,
}

/// The last applied log id and membership, in the form of consensus.
pub type Markers = (Option<Vec<u8>>, Option<Vec<u8>>);

/// The state of one node.
pub struct State {
    path: PathBuf,
    writer: Mutex<Connection>,
    /// What the writer remembers; locked after it.
    rooms: Mutex<Rooms>,
    /// Moves the write-ahead log into the database beside the writer.
    mover: Mutex<Connection>,
    /// Entries since it last did.
    unmoved: AtomicUsize,
    /// At how many of them it does so again.
    due: AtomicUsize,
    /// When it was last made sure that the disk takes what is written.
    synced: Mutex<Instant>,
    readers: Mutex<Vec<Connection>>,
    returned: Condvar,
    /// Held by whoever makes a snapshot: unfinished ones have one name.
    pub(super) building: Mutex<()>,
}

/// Pages of the write-ahead log between two checkpoints (16 MiB): what changes often is moved once.
const CHECKPOINT_PAGES: usize = 4_096;

/// Entries before the first checkpoint: some 60 KiB each at most. Later ones go by what the last
/// entries wrote.
const CHECKPOINT_ENTRIES: usize = 64;

/// An entry writes a few pages at least: beyond this count the estimate is off.
const CHECKPOINT_ENTRIES_MAX: usize = 2_048;

/// Pages after which the writer makes a checkpoint itself after all (32 MiB): the mover did not get
/// to it.
const CHECKPOINT_PAGES_MAX: u32 = 8_192;

/// How long an error of the disk may stay unknown while snapshots are made.
const SYNC_AFTER: Duration = Duration::from_secs(60);

/// The writer's pages in memory, at most. A batch of a thousand commands in as many rooms touches
/// some 2,500 pages; with less than that SQLite writes them out and reads them back before its end.
const CACHE_KIB: i64 = 16 << 10;

const LOG_ID: &str = "log_id";
const MEMBERSHIP: &str = "membership";

impl State {
    /// Opens or makes the state.
    pub fn open(path: &Path) -> Result<State, Fault> {
        let mut writer = open_writer(path)?;
        schema::open_state(&mut writer)?;
        let readers = open_readers(path)?;
        Ok(State {
            path: path.to_owned(),
            writer: Mutex::new(writer),
            rooms: Mutex::default(),
            mover: Mutex::new(open_writer(path)?),
            unmoved: AtomicUsize::new(0),
            due: AtomicUsize::new(CHECKPOINT_ENTRIES),
            synced: Mutex::new(Instant::now()),
            readers: Mutex::new(readers),
            returned: Condvar::new(),
            building: Mutex::default(),
        })
    }

    /// Where it lies.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The last applied log id and membership.
    pub fn applied(&self) -> Result<Markers, Fault> {
        markers(&guard(&self.writer))
    }

    /// Applies a batch in one transaction: all of it or nothing.
    pub fn apply(&self, entries: &[Entry<'_>]) -> Result<Vec<Applied>, Fault> {
        self.watched(self.apply_all(entries))
    }

    /// Remembers for the next start what the disk has damaged.
    fn watched<T>(&self, result: Result<T, Fault>) -> Result<T, Fault> {
        if result.as_ref().is_err_and(Fault::is_damage) {
            mend::note_suspicion(&self.path);
        }
        result
    }

    /// Says, and remembers for the next start, that the disk has damaged the state.
    pub(super) fn is_damaged(&self) -> Fault {
        mend::note_suspicion(&self.path);
        Fault::damaged("the disk has damaged the state; the next start makes it again")
    }

    /// Leaves the file on the disk, so that the next start need not check it. The last thing to be
    /// done.
    pub fn rest(&self) -> Result<(), Fault> {
        let writer = guard(&self.writer);
        // Nobody waits at the end: if somebody reads, the next start checks.
        writer.busy_timeout(Duration::ZERO)?;
        let busy: i64 =
            writer.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))?;
        if busy != 0 {
            return Ok(());
        }
        self.sync()?;
        mend::note_rest(&self.path)
    }

    /// Makes sure now and then that the disk takes what is written. Not each time, because the
    /// journal's fsync waits behind it.
    pub(super) fn sync_sometimes(&self) -> Result<(), Fault> {
        let mut synced = guard(&self.synced);
        if synced.elapsed() >= SYNC_AFTER {
            self.sync()?;
            *synced = Instant::now();
        }
        Ok(())
    }

    /// Waits until what was written is on the disk. An error of the disk that came while nobody
    /// waited is told here.
    pub(super) fn sync(&self) -> Result<(), Fault> {
        let sync = || -> std::io::Result<()> {
            match std::fs::File::open(mend::with_suffix(&self.path, "-wal")) {
                Ok(wal) => wal.sync_all()?,
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
            std::fs::File::open(&self.path)?.sync_all()
        };
        sync().map_err(|e| Fault::new(format!("cannot write {}", self.path.display()), e))
    }

    fn apply_all(&self, entries: &[Entry<'_>]) -> Result<Vec<Applied>, Fault> {
        let mut db = guard(&self.writer);
        let mut rooms = guard(&self.rooms);
        for care in [Care::Usual, Care::Savepoints] {
            match self.apply_to(&mut db, &mut rooms, entries, care) {
                Ok(Some(results)) => return Ok(results),
                Ok(None) => rooms.forget(),
                Err(fault) => {
                    rooms.forget();
                    return Err(fault);
                }
            }
        }
        Err(Fault::plain("a command stopped half way and left no way back"))
    }

    /// None if a command stopped half way without a savepoint; then nothing was applied.
    fn apply_to(
        &self,
        db: &mut Connection,
        rooms: &mut Rooms,
        entries: &[Entry<'_>],
        care: Care,
    ) -> Result<Option<Vec<Applied>>, Fault> {
        let tx = db.transaction()?;
        let mut results = Vec::with_capacity(entries.len());
        let began_at = query::cluster::newest_time(&tx)?;
        let mut newest_at = began_at;
        for entry in entries {
            results.push(match &entry.what {
                Payload::Blank => Applied::default(),
                Payload::Membership(membership) => {
                    mark(&tx, MEMBERSHIP, membership)?;
                    Applied::default()
                }
                Payload::Command(envelope) => {
                    newest_at = newest_at.max(envelope.at);
                    let envelope = not_before(newest_at, envelope);
                    match apply::apply(&tx, rooms, &envelope, care)? {
                        Some(applied) => applied,
                        None => return Ok(None),
                    }
                }
            });
        }
        if let Some(last) = entries.last() {
            mark(&tx, LOG_ID, &last.log_id)?;
        }
        if newest_at > began_at {
            tx.prepare_cached(
                "INSERT INTO clock (one, newest_at) VALUES (1, ?1)
                 ON CONFLICT (one) DO UPDATE SET newest_at = max(newest_at, excluded.newest_at)",
            )?
            .execute([newest_at.0])?;
        }
        tx.commit()?;
        self.unmoved.fetch_add(entries.len(), Ordering::Relaxed);
        Ok(Some(results))
    }

    /// Puts another membership in place of the stored one, for a node that begins anew.
    pub fn replace_membership(&self, membership: &[u8]) -> Result<(), Fault> {
        mark(&guard(&self.writer), MEMBERSHIP, membership)?;
        Ok(())
    }

    /// Whether [`State::checkpoint`] has something to do.
    pub fn is_checkpoint_due(&self) -> bool {
        self.unmoved.load(Ordering::Relaxed) >= self.due.load(Ordering::Relaxed)
    }

    /// Moves the write-ahead log into the database, beside the writer, so that nobody who applies
    /// waits for it. One at a time; a second call finds nothing to do.
    pub fn checkpoint(&self) -> Result<(), Fault> {
        let Ok(mover) = self.mover.try_lock() else { return Ok(()) };
        let entries = self.unmoved.swap(0, Ordering::Relaxed);
        let pages: i64 =
            mover.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |row| row.get("log"))?;
        // What a reader held back counts again, so the next one comes sooner.
        let pages = usize::try_from(pages).unwrap_or(0).max(1);
        let due = entries.saturating_mul(CHECKPOINT_PAGES) / pages;
        self.due.store(due.clamp(1, CHECKPOINT_ENTRIES_MAX), Ordering::Relaxed);
        Ok(())
    }

    /// Runs a reader; it sees one state, whatever is applied meanwhile. Waits for a free
    /// connection.
    pub fn read<T>(&self, read: impl FnOnce(&Connection) -> Result<T, Fault>) -> Result<T, Fault> {
        let mut db = self.take();
        let result = match db.transaction() {
            Ok(tx) => read(&tx),
            Err(error) => Err(error.into()),
        };
        guard(&self.readers).push(db);
        self.returned.notify_one();
        self.watched(result)
    }

    fn take(&self) -> Connection {
        let mut readers = guard(&self.readers);
        loop {
            if let Some(db) = readers.pop() {
                return db;
            }
            readers = self.returned.wait(readers).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

/// The markers inside any database with our schema.
pub(super) fn markers(db: &Connection) -> Result<Markers, Fault> {
    let get = |name: &str| {
        db.query_row("SELECT payload FROM raft WHERE name = ?1", [name], |row| row.get(0))
            .optional()
    };
    Ok((get(LOG_ID)?, get(MEMBERSHIP)?))
}

fn open_readers(path: &Path) -> Result<Vec<Connection>, Fault> {
    (0..limit::READERS).map(|_| open_reader(path)).collect()
}

pub(super) fn open_reader(path: &Path) -> Result<Connection, Fault> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let db = Connection::open_with_flags(path, flags)
        .map_err(|e| Fault::new(format!("cannot read {}", path.display()), e))?;
    db.set_prepared_statement_cache_capacity(64);
    Ok(db)
}

fn open_writer(path: &Path) -> Result<Connection, Fault> {
    let db = Connection::open(path)
        .map_err(|e| Fault::new(format!("cannot open {}", path.display()), e))?;
    db.pragma_update(None, "journal_mode", "wal")?;
    // Where a start of the machine has no name, nobody could tell afterwards that it went down.
    let synchronous = if mend::boot().is_some() { "off" } else { "normal" };
    db.pragma_update(None, "synchronous", synchronous)?;
    db.pragma_update(None, "wal_autocheckpoint", CHECKPOINT_PAGES_MAX)?;
    db.pragma_update(None, "cache_size", -CACHE_KIB)?;
    db.pragma_update(None, "foreign_keys", true)?;
    db.set_prepared_statement_cache_capacity(128);
    Ok(db)
}

/// A command as it is applied: its time is never before that of a command before it. The clock of a
/// new leader may be behind, and it may not have applied yet what it stands on.
fn not_before(newest_at: Time, envelope: &Envelope) -> Cow<'_, Envelope> {
    match envelope.at < newest_at {
        true => Cow::Owned(Envelope { at: newest_at, ..envelope.clone() }),
        false => Cow::Borrowed(envelope),
    }
}

fn mark(db: &Connection, name: &str, payload: &[u8]) -> Result<(), rusqlite::Error> {
    db.prepare_cached("INSERT OR REPLACE INTO raft (name, payload) VALUES (?1, ?2)")?
        .execute(params![name, payload])?;
    Ok(())
}

fn guard<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::command::{Command, NewPerson};
    use crate::domain::id::PersonId;
    use crate::domain::person::Role;
    use crate::domain::text::Email;

    #[test]
    fn time_does_not_go_back_when_a_clock_does() {
        let dir = tempfile::tempdir().unwrap();
        let state = State::open(&dir.path().join("state.db")).unwrap();
        let add = |n: u128, at: i64| {
            let person = Box::new(NewPerson {
                id: PersonId(uuid::Uuid::from_u128(n)),
                email: Email::parse("email", &format!("p{n}@example.org")).unwrap(),
                display_name: "P".to_owned(),
                role: Role::Candidate,
                password_hash: None,
                invite_expires_at: None,
            });
            Envelope::own(Time(at), Command::AddPerson { person })
        };
        let envelopes = [add(1, 5_000), add(2, 3_000), add(3, 6_000), add(4, 2_000)];
        let entry = |envelope| Entry { log_id: vec![1], what: Payload::Command(envelope) };
        // Within one batch, and from one to the next.
        state.apply(&[entry(&envelopes[0]), entry(&envelopes[1])]).unwrap();
        state.apply(&[entry(&envelopes[2])]).unwrap();
        state.apply(&[entry(&envelopes[3])]).unwrap();
        let times: Vec<i64> = state
            .read(|db| {
                let mut rows = db.prepare("SELECT created_at FROM person ORDER BY id")?;
                let rows = rows.query_map([], |row| row.get(0))?;
                Ok(rows.collect::<Result<_, _>>()?)
            })
            .unwrap();
        assert_eq!(times, [5_000, 5_000, 6_000, 6_000]);
        assert_eq!(state.read(query::cluster::newest_time).unwrap(), Time(6_000));
    }
}
