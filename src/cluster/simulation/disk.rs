//! The disk of a node: real files, but when a write is on them, and whether, is drawn.

use std::io;
use std::ops::RangeBounds;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;
use std::{fmt::Debug, sync::Arc};

use openraft::storage::{IOFlushed, LogState, RaftLogStorage};
use openraft::{AsyncRuntime, OptionalSend, RaftLogReader};
use tokio::sync::Notify;

use super::chance::Chance;
use super::runtime::{Simulated, Tasks};
use super::{SimTypes, Slip};
use crate::cluster::log_adapter::LogAdapter;
use crate::cluster::raft_types::{Entry, LogId};
use crate::store::journal::Committer;

/// A write takes 1.6 s at most: longer than any election.
const SLOWNESS_MAX: u64 = 400;

/// One disk; it outlives the crashes of its node.
pub(super) struct Disk {
    chance: Chance,
    /// How many times slower than a good one, on an ordinary day.
    base: u64,
    /// How many times slower than on an ordinary day.
    slowness: AtomicU64,
    is_failing: AtomicBool,
    written: Notify,
}

impl Disk {
    pub(super) fn new(chance: Chance, base: u64) -> Arc<Disk> {
        Arc::new(Disk {
            chance,
            base,
            slowness: AtomicU64::new(1),
            is_failing: AtomicBool::new(false),
            written: Notify::new(),
        })
    }

    pub(super) fn slow_down(&self, times: u64) {
        self.slowness.store(times, Ordering::Relaxed);
    }

    /// The next write to the journal fails.
    pub(super) fn fail(&self) {
        self.is_failing.store(true, Ordering::Relaxed);
    }

    /// As good as new, after a crash or at the end.
    pub(super) fn mend(&self) {
        self.is_failing.store(false, Ordering::Relaxed);
        self.slow_down(1);
    }

    pub(super) fn is_failing(&self) -> bool {
        self.is_failing.load(Ordering::Relaxed)
    }

    /// How long applying a batch, or copying a snapshot, takes.
    pub(super) fn work_time(&self) -> Duration {
        self.chance.micros(20, 600) * self.slowness.load(Ordering::Relaxed) as u32
    }

    fn sync_time(&self) -> Duration {
        let slowness = self.base * self.slowness.load(Ordering::Relaxed);
        self.chance.micros(200, 4_000) * slowness.min(SLOWNESS_MAX) as u32
    }

    /// Makes durable what was handed in, each time after a while. A crash ends this in between, and
    /// what waits is lost.
    pub(super) async fn run(self: Arc<Disk>, mut journal: Committer) {
        loop {
            self.written.notified().await;
            Tasks::sleep(self.sync_time()).await;
            if self.is_failing() {
                // Whether a write whose fsync failed is on disk, nobody knows.
                if self.chance.permille(500) {
                    journal.step();
                }
                journal.fail();
            }
            journal.step();
        }
    }
}

/// Our log on such a disk.
#[derive(Clone)]
pub(super) struct LogOnDisk {
    pub(super) log: LogAdapter<Simulated>,
    pub(super) disk: Arc<Disk>,
    pub(super) slip: Slip,
}

impl RaftLogReader<SimTypes> for LogOnDisk {
    async fn try_get_log_entries<RB: RangeBounds<u64> + Clone + Debug + OptionalSend>(
        &mut self,
        range: RB,
    ) -> Result<Vec<Entry>, io::Error> {
        self.log.try_get_log_entries(range).await
    }

    async fn read_vote(&mut self) -> Result<Option<openraft::alias::VoteOf<SimTypes>>, io::Error> {
        self.log.read_vote().await
    }
}

impl RaftLogStorage<SimTypes> for LogOnDisk {
    type LogReader = LogAdapter<Simulated>;

    async fn get_log_state(&mut self) -> Result<LogState<SimTypes>, io::Error> {
        self.log.get_log_state().await
    }

    async fn get_log_reader(&mut self) -> LogAdapter<Simulated> {
        self.log.clone()
    }

    async fn save_vote(
        &mut self,
        vote: &openraft::alias::VoteOf<SimTypes>,
    ) -> Result<(), io::Error> {
        // The disk waits a while after it was told, so the write is there by then.
        self.disk.written.notify_one();
        self.log.save_vote(vote).await
    }

    async fn save_committed(&mut self, committed: Option<LogId>) -> Result<(), io::Error> {
        self.log.save_committed(committed).await
    }

    async fn read_committed(&mut self) -> Result<Option<LogId>, io::Error> {
        self.log.read_committed().await
    }

    async fn append<I>(
        &mut self,
        entries: I,
        callback: IOFlushed<SimTypes>,
    ) -> Result<(), io::Error>
    where
        I: IntoIterator<Item = Entry> + OptionalSend,
        I::IntoIter: OptionalSend,
    {
        self.disk.written.notify_one();
        if self.slip == Slip::TellsBeforeTheDisk {
            callback.io_completed(Ok(()));
            return self.log.append(entries, IOFlushed::noop()).await;
        }
        self.log.append(entries, callback).await
    }

    async fn truncate_after(&mut self, last: Option<LogId>) -> Result<(), io::Error> {
        self.disk.written.notify_one();
        self.log.truncate_after(last).await
    }

    async fn purge(&mut self, log_id: LogId) -> Result<(), io::Error> {
        self.disk.written.notify_one();
        self.log.purge(log_id).await
    }
}
