//! What keeps the disk of a node from filling: the log is made short when its bytes say so, and
//! nothing more is accepted while there is hardly any room.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError};

use openraft::Raft;
use tokio::sync::Notify;

use crate::domain::limit;
use crate::store::{Fault, space};

use super::machine_adapter::MachineAdapter;
use super::raft_types::Types;
use super::replica::Replica;

/// Bytes of the log since it was last made short.
pub(super) struct Growth {
    bytes: AtomicU64,
    told: Notify,
}

/// Bytes after which somebody looks whether it is time.
const LOOK_EVERY_BYTES: u64 = 1 << 20;

impl Growth {
    pub(super) fn new(bytes: u64) -> Growth {
        let growth = Growth { bytes: AtomicU64::new(0), told: Notify::new() };
        growth.add(bytes);
        growth
    }

    /// So much was added to the log.
    pub(super) fn add(&self, bytes: u64) {
        let before = self.bytes.fetch_add(bytes, Ordering::Relaxed);
        if before / LOOK_EVERY_BYTES != (before + bytes) / LOOK_EVERY_BYTES {
            self.told.notify_one();
        }
    }

    /// The log is short again.
    pub(super) fn reset(&self) {
        self.bytes.store(0, Ordering::Relaxed);
    }

    /// Whether it is time for a snapshot of a state of this size. A large state is copied rarely:
    /// each copy is paid by at least half as many bytes of log.
    fn is_due(&self, state_bytes: u64) -> bool {
        self.bytes.load(Ordering::Relaxed) >= limit::SNAPSHOT_BYTES.max(state_bytes / 2)
    }
}

/// Asks for a snapshot whenever the log has grown enough; the log is made short behind it.
async fn compact(raft: Raft<Types, MachineAdapter>, growth: Arc<Growth>, state: PathBuf) {
    loop {
        growth.told.notified().await;
        if growth.is_due(space::file_bytes(&state).unwrap_or(0)) {
            growth.reset();
            if raft.trigger().snapshot().await.is_err() {
                return;
            }
        }
    }
}

impl Replica {
    /// Starts to make the log short whenever it has grown enough.
    pub(super) fn keep_log_short(&self, growth: Arc<Growth>) {
        let compact = compact(self.inner.raft.clone(), growth, self.inner.directory.state());
        self.inner.beside.lock().unwrap_or_else(PoisonError::into_inner).spawn(compact);
    }

    /// A node that finds its own data damaged stops; the next start makes the state again.
    pub(super) fn stop_if_damaged<T>(&self, result: &Result<T, Fault>) {
        if result.as_ref().is_err_and(Fault::is_damage) {
            tracing::error!("the disk has damaged the state; the next start makes it again");
            let raft = self.inner.raft.clone();
            tokio::spawn(async move { raft.shutdown().await });
        }
    }

    /// Leaves the state in order, after all else.
    pub(super) async fn rest(&self) {
        let state = self.inner.state.clone();
        if let Ok(Err(fault)) = tokio::task::spawn_blocking(move || state.rest()).await {
            tracing::warn!(%fault, "the state was not left in order");
        }
    }

    /// Whether this node accepts no more because its disk has hardly any room left.
    pub fn is_nearly_full(&self) -> bool {
        self.inner.room.is_nearly_full()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_snapshot_is_due_by_the_bytes_of_the_log_and_of_the_state() {
        let growth = Growth::new(limit::SNAPSHOT_BYTES - 1);
        assert!(!growth.is_due(0));
        growth.add(1);
        assert!(growth.is_due(0) && growth.is_due(2 * limit::SNAPSHOT_BYTES));
        assert!(!growth.is_due(2 * limit::SNAPSHOT_BYTES + 2));
        growth.reset();
        assert!(!growth.is_due(0));
    }
}
