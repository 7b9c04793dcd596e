//! Putting a snapshot in the place of the state.

use std::path::Path;
use std::sync::PoisonError;
use std::time::Duration;

use rusqlite::Connection;

use super::{State, guard, open_reader, open_readers, open_writer};
use crate::domain::limit;
use crate::store::directory::restrict;
use crate::store::{Fault, copy, mend, schema, snapshot};

/// How long a statement waits for another process that reads or writes the file; what rusqlite
/// begins with.
const BUSY: Duration = Duration::from_secs(5);

impl State {
    /// Replaces everything by the contents of a snapshot's file. Readers wait only while the copy
    /// takes the name of the state.
    pub fn install(&self, snapshot: &Path) -> Result<(), Fault> {
        schema::check_state(&open_reader(snapshot)?)?;
        let fresh = mend::with_suffix(&self.path, ".new");
        copy::file(snapshot, &fresh)?;
        let mut writer = guard(&self.writer);
        self.exchange(&mut writer, |own, writer, mover| own.swap(&fresh, writer, mover))
    }

    /// Writes the whole state anew, so that nothing of what was removed is left on its pages or in
    /// the write-ahead log. Nothing is applied meanwhile; readers wait only while the file takes
    /// its name. False if somebody else reads the file: then it has to be tried again.
    pub fn scrub(&self) -> Result<bool, Fault> {
        let fresh = mend::with_suffix(&self.path, ".new");
        snapshot::remove(&fresh)?;
        let mut writer = guard(&self.writer);
        // Readers wait behind this, so it is not waited for anybody else.
        writer.busy_timeout(Duration::ZERO)?;
        let scrubbed = self.scrub_with(&mut writer, &fresh);
        writer.busy_timeout(BUSY)?;
        scrubbed
    }

    fn scrub_with(&self, writer: &mut Connection, fresh: &Path) -> Result<bool, Fault> {
        let name = fresh.to_string_lossy();
        let written = writer.execute("VACUUM INTO ?1", [&*name]).map_err(Fault::from);
        if let Err(fault) = written {
            snapshot::remove(fresh)?;
            return Err(fault);
        }
        let kept = restrict(fresh, 0o600).and_then(|()| match mend::boot() {
            Some(_) => Ok(()),
            None => std::fs::File::open(fresh)?.sync_all(),
        });
        kept.map_err(|e| Fault::new(format!("cannot keep {}", fresh.display()), e))?;
        self.exchange(writer, |own, writer, mover| {
            let taken = own.take_name(fresh, writer, mover)?;
            if !taken {
                snapshot::remove(fresh)?;
            }
            Ok(taken)
        })
    }

    /// Lets something be done while nobody reads.
    fn exchange<T>(
        &self,
        writer: &mut Connection,
        work: impl FnOnce(&State, &mut Connection, &mut Connection) -> Result<T, Fault>,
    ) -> Result<T, Fault> {
        guard(&self.rooms).forget();
        let mut mover = guard(&self.mover);
        let mut readers = guard(&self.readers);
        while readers.len() < limit::READERS {
            readers = self.returned.wait(readers).unwrap_or_else(PoisonError::into_inner);
        }
        readers.clear();
        let done = work(self, writer, &mut mover);
        // Whoever waits for a reader gets one, if only to be told that it reads nothing.
        *readers = match open_readers(&self.path) {
            Ok(opened) => opened,
            Err(_) => (0..limit::READERS)
                .map(|_| Connection::open_in_memory())
                .collect::<Result<_, _>>()?,
        };
        drop(readers);
        self.returned.notify_all();
        done
    }

    fn swap(
        &self,
        fresh: &Path,
        writer: &mut Connection,
        mover: &mut Connection,
    ) -> Result<(), Fault> {
        if !self.take_name(fresh, writer, mover)? {
            // Somebody else reads the file, a snapshot or a tool: then it keeps its name and all of
            // its pages are replaced in one transaction.
            let copied = install_through(writer, fresh);
            let _ = std::fs::remove_file(fresh);
            return copied;
        }
        Ok(())
    }

    /// Puts another file in the place of the state; false if somebody else reads that.
    fn take_name(
        &self,
        fresh: &Path,
        writer: &mut Connection,
        mover: &mut Connection,
    ) -> Result<bool, Fault> {
        let busy: i64 =
            writer.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))?;
        if busy != 0 {
            return Ok(false);
        }
        // All that was in the write-ahead log is in the database now, and closing the last
        // connection removes it: neither can be taken for a part of what comes.
        *mover = Connection::open_in_memory()?;
        *writer = Connection::open_in_memory()?;
        mend::note_unsynced_next(&self.path, fresh)?;
        replace(fresh, &self.path)
            .map_err(|e| Fault::new(format!("cannot replace {}", self.path.display()), e))?;
        *writer = open_writer(&self.path)?;
        *mover = open_writer(&self.path)?;
        Ok(true)
    }
}

fn install_through(writer: &mut Connection, snapshot: &Path) -> Result<(), Fault> {
    let source = open_reader(snapshot)?;
    let copy = rusqlite::backup::Backup::new(&source, writer)?;
    match copy.step(-1)? {
        rusqlite::backup::StepResult::Done => Ok(()),
        other => Err(Fault::plain(format!("the snapshot could not be installed: {other:?}"))),
    }
}

/// Puts one database, which has no write-ahead log, in the place of another that is closed.
fn replace(fresh: &Path, path: &Path) -> std::io::Result<()> {
    for suffix in ["-wal", "-shm"] {
        match std::fs::remove_file(mend::with_suffix(path, suffix)) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    std::fs::rename(fresh, path)?;
    mend::sync_folder(path)
}
