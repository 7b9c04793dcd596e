//! Moves the write-ahead log into the journal's database beside the writer.
//!
//! Some megabytes and their fsync hold up a writer for ten milliseconds and more. Here they are
//! moved while it goes on. What it has written meanwhile it moves itself, in a fraction of the
//! time: SQLite begins a write-ahead log anew only when all of it was moved.

use std::fs::File;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

use rusqlite::Connection;

use super::{Fault, ledger};

/// A thread with a connection of its own.
pub(super) struct Mover {
    /// Gone when the thread has to end.
    ask: Option<SyncSender<()>>,
    moved: Arc<AtomicBool>,
    /// It was asked, and nobody has looked at what came of it.
    busy: bool,
    thread: Option<JoinHandle<()>>,
}

impl Mover {
    pub(super) fn start(journal: &Path) -> Result<Mover, Fault> {
        let db = ledger::connect(journal)?;
        let file = File::open(journal)
            .map_err(|e| Fault::new(format!("cannot open {}", journal.display()), e))?;
        let moved = Arc::new(AtomicBool::new(false));
        // One place: it is asked again only after it has answered.
        let (ask, asked) = sync_channel(1);
        let tell = moved.clone();
        let thread = std::thread::Builder::new()
            .name("journal-mover".to_owned())
            .spawn(move || work(&db, &file, &asked, &tell))
            .map_err(|e| Fault::new("cannot start the journal's second thread", e))?;
        Ok(Mover { ask: Some(ask), moved, busy: false, thread: Some(thread) })
    }

    /// Asks it to move what is there, unless it does so already. Whether it has moved what it was
    /// asked for before, and the writer can move the rest.
    pub(super) fn ask(&mut self) -> bool {
        if self.busy && self.moved.swap(false, Ordering::Acquire) {
            self.busy = false;
            return true;
        }
        if !self.busy
            && let Some(ask) = &self.ask
        {
            self.busy = ask.try_send(()).is_ok();
        }
        // A thread that has ended moves nothing more: then the writer does.
        !self.busy
    }
}

fn work(db: &Connection, file: &File, asked: &Receiver<()>, moved: &AtomicBool) {
    while asked.recv().is_ok() {
        ledger::checkpoint(db);
        // SQLite does this only if nothing was written meanwhile; then the writer would wait for
        // it. It does so again for the rest, and that tells an error of the disk.
        let _ = file.sync_data();
        moved.store(true, Ordering::Release);
    }
}

impl Drop for Mover {
    fn drop(&mut self) {
        self.ask = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
