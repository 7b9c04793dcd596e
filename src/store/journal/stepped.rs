//! The journal without its thread: a test says when what waits reaches the disk.

use std::path::Path;

use super::{Committer, Fault, Journal};

impl Journal {
    /// Opens or makes the log; the committer writes when it is told to.
    pub(crate) fn open_stepped(path: &Path) -> Result<(Journal, Committer), Fault> {
        Journal::prepare(path, Box::new(|_| {}))
    }
}

impl Committer {
    /// Makes what waits now durable.
    pub(crate) fn step(&mut self) {
        if let Ok(first) = self.received.try_recv() {
            self.commit(first);
        }
    }

    /// From now on every write fails, as after an fsync that did.
    pub(crate) fn fail(&mut self) {
        self.broken = Some("the journal cannot be written: the simulated disk failed".to_owned());
    }
}
