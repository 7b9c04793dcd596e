//! Cleaning the files of this node after something was erased.
//!
//! Removing rows is not enough: their bytes stay on free pages, in the write-ahead logs, in the
//! commands that wrote them, in the snapshot, and in copies that were set aside. Each node cleans
//! its own files once it has applied the erasure, and notes up to which receipt it has done so: one
//! that was killed half way, or that got the erasure with a snapshot, begins again.
//!
//! **Invariant:** the note is written last.

use std::path::PathBuf;
use std::time::Duration;

use tokio::sync::oneshot;

use crate::store::{Fault, mend, query, schema, snapshot};

use super::replica::Replica;

/// Between two tries to write the state anew, while a snapshot or a backup reads it.
const PAUSE: Duration = Duration::from_millis(100);

/// Tries of it, before the whole work begins again later.
const TRIES: usize = 200;

impl Replica {
    /// The newest receipt whose traces may still be in files of this node.
    pub async fn scrub_due(&self) -> Result<Option<u64>, Fault> {
        let newest = self.read(query::privacy::newest_receipt).await?;
        Ok((newest > self.scrubbed()).then_some(newest))
    }

    /// Takes what was erased out of every file that consensus and the state have here.
    pub async fn scrub(&self) -> Result<(), Fault> {
        self.scrub_state().await?;
        let (state, directory) = (self.inner.state.clone(), self.inner.directory.clone());
        blocking(move || {
            // One that was made between the erasure and now holds traces, and consensus would not
            // make another for the same place of the log.
            snapshot::build(&state, &directory.snapshots())?;
            snapshot::remove_damaged(&directory.snapshots())?;
            mend::remove_damaged(&directory.state())?;
            (1..=schema::NEWEST).try_for_each(|n| snapshot::remove(&directory.before_level(n)))
        })
        .await?;
        self.forget_log().await?;
        self.scrub_journal().await
    }

    /// Notes that nothing is left of what was erased up to a receipt.
    pub async fn note_scrubbed(&self, receipt: u64) -> Result<(), Fault> {
        let directory = self.inner.directory.clone();
        blocking(move || directory.write_secret(&note(directory.root()), &format!("{receipt}\n")))
            .await
    }

    fn scrubbed(&self) -> u64 {
        let noted = std::fs::read_to_string(note(self.inner.directory.root()));
        noted.ok().and_then(|text| text.trim().parse().ok()).unwrap_or(0)
    }

    async fn scrub_state(&self) -> Result<(), Fault> {
        for _ in 0..TRIES {
            let state = self.inner.state.clone();
            if blocking(move || state.scrub()).await? {
                return Ok(());
            }
            tokio::time::sleep(PAUSE).await;
        }
        Err(Fault::plain("somebody reads the state all the time, so it could not be cleaned"))
    }

    async fn scrub_journal(&self) -> Result<(), Fault> {
        let Some(journal) = self.journal() else { return Ok(()) };
        let (tell, told) = oneshot::channel();
        journal.scrub(Box::new(move |result| {
            let _ = tell.send(result);
        }));
        drop(journal);
        let result = told.await.map_err(|e| Fault::new("the journal has stopped", e))?;
        result.map_err(|e| Fault::new("the journal keeps what was erased for now", e))
    }
}

/// Where it is noted; a node without the note cleans its files once.
fn note(root: &std::path::Path) -> PathBuf {
    root.join("scrubbed")
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Fault> + Send + 'static,
) -> Result<T, Fault> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|e| Fault::new("cleaning files did not finish", e))?
}
