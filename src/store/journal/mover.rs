//! Moves the write-ahead log into the journal's database beside the writer.
//!
//! Some megabytes and their fsync hold up a writer for ten milliseconds and more. Here they are
//! moved while it goes on. What it has written meanwhile it moves itself, in a fraction of the
//! time: SQLite begins a write-ahead log anew only when all of it was moved.

use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use rusqlite::Connection;

use super::{Fault, guard, ledger};

/// A thread with a connection of its own.
pub(super) struct Mover {
    /// Gone when the thread has to end.
    ask: Option<SyncSender<()>>,
    /// What came of the last time, until somebody looks.
    came: Arc<Mutex<Option<io::Result<()>>>>,
    /// It was asked, and nobody has looked at what came of it.
    busy: bool,
    thread: Option<JoinHandle<()>>,
}

impl Mover {
    pub(super) fn start(journal: &Path) -> Result<Mover, Fault> {
        let db = ledger::connect(journal)?;
        let file = File::open(journal)
            .map_err(|e| Fault::new(format!("cannot open {}", journal.display()), e))?;
        let came = Arc::default();
        // One place: it is asked again only after it has answered.
        let (ask, asked) = sync_channel(1);
        let tell = Arc::clone(&came);
        let thread = std::thread::Builder::new()
            .name("journal-mover".to_owned())
            .spawn(move || {
                while asked.recv().is_ok() {
                    *guard(&tell) = Some(work(&db, &file));
                }
            })
            .map_err(|e| Fault::new("cannot start the journal's second thread", e))?;
        Ok(Mover { ask: Some(ask), came, busy: false, thread: Some(thread) })
    }

    /// Asks it to move what is there, unless it does so already. Whether it has moved what it was
    /// asked for before, and the writer can move the rest.
    pub(super) fn ask(&mut self) -> io::Result<bool> {
        if self.busy
            && let Some(came) = guard(&self.came).take()
        {
            self.busy = false;
            return came.map(|()| true);
        }
        if !self.busy
            && let Some(ask) = &self.ask
        {
            self.busy = ask.try_send(()).is_ok();
        }
        // A thread that has ended moves nothing more: then the writer does.
        Ok(!self.busy)
    }
}

fn work(db: &Connection, file: &File) -> io::Result<()> {
    ledger::checkpoint(db).map_err(io::Error::other)?;
    // SQLite does this only if nothing was written meanwhile; then the writer would wait for it.
    file.sync_data()
}

impl Drop for Mover {
    fn drop(&mut self) {
        self.ask = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
