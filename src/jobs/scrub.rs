//! Cleaning files after something was erased, on every node for itself.
//!
//! The state says which receipt is the newest, a note in the data directory up to which one the
//! files are clean. Comparing the two each second finds every way in which they can differ: an
//! erasure that was applied, one that came with a snapshot, a node that was killed half way.

use std::sync::Arc;
use std::time::Duration;

use crate::cluster::Replica;
use crate::store::{Fault, query};

use super::backup::Backups;

/// Between two looks. Whoever erased was promised that it takes less than a minute.
const LOOK: Duration = Duration::from_secs(1);

/// After a try that failed.
const RETRY: Duration = Duration::from_secs(5);

/// Cleans files until the node stops.
pub async fn run(replica: Replica, backups: Arc<Backups>) {
    let seat = replica.watch_seat();
    while seat.has_changed().is_ok() {
        tokio::time::sleep(LOOK).await;
        match once(&replica, &backups).await {
            Ok(None) => {}
            Ok(Some(receipt)) => tracing::info!(receipt, "what was erased is in no file any more"),
            Err(fault) => {
                tracing::warn!(%fault, "files still hold what was erased; they are cleaned soon");
                tokio::time::sleep(RETRY).await;
            }
        }
    }
}

async fn once(replica: &Replica, backups: &Arc<Backups>) -> Result<Option<u64>, Fault> {
    let Some(receipt) = replica.scrub_due().await? else { return Ok(None) };
    replica.scrub().await?;
    let people = replica.read(query::privacy::erased).await?;
    let rewritten = backups.erase(people).await?;
    if rewritten > 0 {
        tracing::info!(rewritten, "backups were written anew without whoever was erased");
    }
    replica.note_scrubbed(receipt).await?;
    Ok(Some(receipt))
}
