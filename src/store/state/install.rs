//! Putting a snapshot in the place of the state.

use std::path::Path;
use std::sync::PoisonError;

use rusqlite::Connection;

use super::{State, guard, open_reader, open_readers, open_writer};
use crate::domain::limit;
use crate::store::{Fault, copy, mend, schema};

impl State {
    /// Replaces everything by the contents of a snapshot's file. Readers wait only while the copy
    /// takes the name of the state.
    pub fn install(&self, snapshot: &Path) -> Result<(), Fault> {
        schema::check_state(&open_reader(snapshot)?)?;
        let fresh = mend::with_suffix(&self.path, ".new");
        copy::file(snapshot, &fresh)?;
        let mut writer = guard(&self.writer);
        guard(&self.rooms).forget();
        let mut mover = guard(&self.mover);
        let mut readers = guard(&self.readers);
        while readers.len() < limit::READERS {
            readers = self.returned.wait(readers).unwrap_or_else(PoisonError::into_inner);
        }
        readers.clear();
        let installed = self.swap(&fresh, &mut writer, &mut mover);
        // Whoever waits for a reader gets one, if only to be told that it reads nothing.
        *readers = match open_readers(&self.path) {
            Ok(opened) => opened,
            Err(_) => (0..limit::READERS)
                .map(|_| Connection::open_in_memory())
                .collect::<Result<_, _>>()?,
        };
        drop(readers);
        self.returned.notify_all();
        installed
    }

    fn swap(
        &self,
        fresh: &Path,
        writer: &mut Connection,
        mover: &mut Connection,
    ) -> Result<(), Fault> {
        let busy: i64 =
            writer.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))?;
        if busy != 0 {
            // Somebody else reads the file, a snapshot or a tool: then it keeps its name and all of
            // its pages are replaced in one transaction.
            let copied = install_through(writer, fresh);
            let _ = std::fs::remove_file(fresh);
            return copied;
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
        Ok(())
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
