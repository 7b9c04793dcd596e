//! The one who writes the log: takes all that waits, makes it durable in one go, tells everybody.

use std::sync::mpsc::Receiver;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use super::ledger::Ledger;
use super::mover::Mover;
use super::{COMMITTED, OnWritten, Pending, Write, Written, guard};

/// Writes of one transaction, so that the first of them does not wait for a thousand others.
const WRITES_PER_SYNC_MAX: usize = 1_024;

/// Bytes between two checkpoints. SQLite would make one inside a commit, where somebody waits for
/// it; ours comes after everybody was told.
const CHECKPOINT_BYTES: usize = 2 << 20;

/// The writing side of the log.
pub(crate) struct Committer {
    db: Ledger,
    pub(super) received: Receiver<(Instant, Write)>,
    pending: Arc<Mutex<Pending>>,
    on_written: OnWritten,
    pub(super) broken: Option<String>,
    unsaved_bytes: usize,
    /// None where a test decides what happens when.
    mover: Option<Mover>,
}

impl Committer {
    pub(super) fn new(
        db: Ledger,
        received: Receiver<(Instant, Write)>,
        pending: Arc<Mutex<Pending>>,
        on_written: OnWritten,
    ) -> Committer {
        let (broken, unsaved_bytes, mover) = (None, 0, None);
        Committer { db, received, pending, on_written, broken, unsaved_bytes, mover }
    }

    /// Writes until it is told to stop.
    pub(super) fn run(mut self, mover: Mover) {
        self.mover = Some(mover);
        while self.received.recv().is_ok_and(|first| !self.commit(first)) {}
    }

    /// Makes a write and all that wait behind it durable, then tells everybody. Whether it was the
    /// last.
    pub(super) fn commit(&mut self, (since, first): (Instant, Write)) -> bool {
        let waited = since.elapsed();
        let mut batch = vec![first];
        while batch.len() < WRITES_PER_SYNC_MAX {
            match self.received.try_recv() {
                Ok((_, write)) => batch.push(write),
                Err(_) => break,
            }
        }
        let stop = batch.iter().any(|write| matches!(write, Write::Stop));
        if self.broken.is_none() {
            let committed = guard(&self.pending).committed.clone();
            if let Err(error) =
                write_batch(&mut self.db, &batch, committed.as_deref(), waited, &self.on_written)
            {
                self.broken = Some(format!("the journal cannot be written: {error}"));
            } else {
                settle(&self.pending, &batch, committed.as_deref());
            }
        }
        self.unsaved_bytes += batch.iter().map(Write::bytes).sum::<usize>();
        let scrubbed = self.scrub_if_asked(&batch);
        for write in batch {
            let scrub = matches!(write, Write::Scrub(_));
            write.finish(match (&self.broken, &scrubbed) {
                (Some(why), _) => Err(std::io::Error::other(why.clone())),
                (None, Err(why)) if scrub => Err(std::io::Error::other(why.clone())),
                (None, _) => Ok(()),
            });
        }
        // After a failed fsync nobody knows which pages are on disk, and a second one would say
        // that all is well. The write-ahead log is still whole; the next start moves it again.
        if self.broken.is_none()
            && let Err(error) = self.move_on()
        {
            tracing::error!(%error, "the journal's write-ahead log was not moved");
            self.broken = Some(format!("the journal cannot be written: {error}"));
        }
        stop
    }

    /// Takes what was removed out of the file if that was asked for. Where somebody else reads it,
    /// or the disk is too full for a copy, nothing is lost and it can be asked for again.
    fn scrub_if_asked(&mut self, batch: &[Write]) -> Result<(), String> {
        if self.broken.is_some() || !batch.iter().any(|write| matches!(write, Write::Scrub(_))) {
            return Ok(());
        }
        self.db.scrub().map_err(|error| {
            let why = format!("the journal could not be cleaned: {error}");
            if error.sqlite_error_code() == Some(rusqlite::ErrorCode::SystemIoFailure) {
                self.broken = Some(why.clone());
            }
            why
        })
    }

    /// Moves the write-ahead log into the database when there is much in it.
    fn move_on(&mut self) -> std::io::Result<()> {
        if self.unsaved_bytes < CHECKPOINT_BYTES {
            return Ok(());
        }
        let may_move = match &mut self.mover {
            Some(mover) => mover.ask()?,
            None => true,
        };
        if may_move {
            self.unsaved_bytes = 0;
            self.db.checkpoint().map_err(std::io::Error::other)?;
        }
        Ok(())
    }
}

fn write_batch(
    db: &mut Ledger,
    batch: &[Write],
    committed: Option<&[u8]>,
    waited: Duration,
    on_written: &OnWritten,
) -> Result<(), rusqlite::Error> {
    let mut began = Instant::now();
    db.write(|page| {
        for write in batch {
            match write {
                Write::Append(entries, _) => {
                    for (index, payload) in entries {
                        page.entry(*index, payload)?;
                    }
                }
                Write::Marker(name, payload, _) => page.marker(name, payload)?,
                Write::Truncate(index, _) => page.truncate(*index)?,
                Write::Purge(upto, payload, _) => page.purge(*upto, payload)?,
                Write::Scrub(_) | Write::Stop => {}
            }
        }
        if let Some(payload) = committed {
            page.marker(COMMITTED, payload)?;
        }
        began = Instant::now();
        Ok(())
    })?;
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
