//! The journal as openraft's log.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::io;
use std::marker::PhantomData;
use std::ops::RangeBounds;
use std::sync::{Arc, Mutex, PoisonError};

use openraft::entry::RaftEntry;
use openraft::storage::{IOFlushed, RaftLogStorage};
use openraft::{LogState, OptionalSend, RaftLogReader};
use tokio::sync::oneshot;

use crate::store::Fault;
use crate::store::journal::{Done, Journal, PURGED};

use super::raft_types::{Entry, LogId, Types, TypesOn, decode, encode};
use super::runtime::{Runtime, Threads};
use super::upkeep::Growth;

type Vote = openraft::alias::VoteOf<Types>;

/// The vote's name in the journal.
pub(super) const VOTE: &str = "vote";

/// Entries kept decoded. Every entry is read back at once to be applied, so without them each would
/// be read from the disk and parsed again; 256 entries of a large answer are some 10 MB.
const DECODED_MAX: usize = 256;

/// The log for openraft; clones share everything.
#[derive(Clone)]
pub(super) struct LogAdapter<R = Threads> {
    journal: Journal,
    decoded: Arc<Mutex<BTreeMap<u64, Entry>>>,
    growth: Arc<Growth>,
    runtime: PhantomData<R>,
}

impl<R: Runtime> LogAdapter<R> {
    pub(super) fn new(journal: Journal) -> LogAdapter<R> {
        let growth = Arc::new(Growth::new(journal.bytes_at_opening()));
        LogAdapter { journal, decoded: Arc::default(), growth, runtime: PhantomData }
    }

    /// How much the log has grown since it was last made short.
    pub(super) fn growth(&self) -> Arc<Growth> {
        self.growth.clone()
    }

    fn purged(&self) -> io::Result<Option<LogId>> {
        self.journal.marker(PURGED).map_err(Fault::into_io)?.map(|bytes| decode(&bytes)).transpose()
    }

    fn decoded<T>(&self, use_it: impl FnOnce(&mut BTreeMap<u64, Entry>) -> T) -> T {
        use_it(&mut self.decoded.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl<R: Runtime> RaftLogReader<TypesOn<R>> for LogAdapter<R> {
    async fn try_get_log_entries<RB: RangeBounds<u64> + Clone + Debug + OptionalSend>(
        &mut self,
        range: RB,
    ) -> Result<Vec<Entry>, io::Error> {
        let recent: Vec<Entry> =
            self.decoded(|map| map.range(range.clone()).map(|(_, entry)| entry.clone()).collect());
        let wanted = bounded_len(&range);
        if wanted == Some(recent.len() as u64) {
            return Ok(recent);
        }
        let payloads = self.journal.read(range).map_err(Fault::into_io)?;
        payloads.iter().map(|payload| decode(payload)).collect()
    }

    async fn read_vote(&mut self) -> Result<Option<Vote>, io::Error> {
        self.journal.marker(VOTE).map_err(Fault::into_io)?.map(|bytes| decode(&bytes)).transpose()
    }
}

impl<R: Runtime> RaftLogStorage<TypesOn<R>> for LogAdapter<R> {
    type LogReader = LogAdapter<R>;

    async fn get_log_state(&mut self) -> Result<LogState<TypesOn<R>>, io::Error> {
        let last_purged_log_id = self.purged()?;
        let last = self.journal.last().map_err(Fault::into_io)?;
        let last: Option<Entry> = last.map(|payload| decode(&payload)).transpose()?;
        let last_log_id = last.map(|entry| entry.log_id()).or(last_purged_log_id);
        Ok(LogState { last_purged_log_id, last_log_id })
    }

    async fn get_log_reader(&mut self) -> LogAdapter<R> {
        self.clone()
    }

    async fn save_vote(&mut self, vote: &Vote) -> Result<(), io::Error> {
        let bytes = encode(vote)?;
        written(|done| self.journal.mark(VOTE, bytes, done)).await
    }

    async fn save_committed(&mut self, committed: Option<LogId>) -> Result<(), io::Error> {
        if let Some(committed) = committed {
            self.journal.mark_committed(encode(&committed)?);
        }
        Ok(())
    }

    async fn read_committed(&mut self) -> Result<Option<LogId>, io::Error> {
        self.journal.committed().map_err(Fault::into_io)?.map(|bytes| decode(&bytes)).transpose()
    }

    async fn append<I>(
        &mut self,
        entries: I,
        callback: IOFlushed<TypesOn<R>>,
    ) -> Result<(), io::Error>
    where
        I: IntoIterator<Item = Entry> + OptionalSend,
        I::IntoIter: OptionalSend,
    {
        let mut encoded = Vec::new();
        self.decoded(|map| -> io::Result<()> {
            for entry in entries {
                let index = entry.log_id().index;
                encoded.push((index, encode(&entry)?));
                map.insert(index, entry);
            }
            while map.len() > DECODED_MAX {
                map.pop_first();
            }
            Ok(())
        })?;
        self.growth.add(encoded.iter().map(|(_, bytes)| bytes.len() as u64).sum());
        self.journal.append(encoded, Box::new(move |result| callback.io_completed(result)));
        Ok(())
    }

    async fn truncate_after(&mut self, last: Option<LogId>) -> Result<(), io::Error> {
        let index = last.map_or(0, |log_id| log_id.index);
        self.decoded(|map| {
            map.split_off(&(index + u64::from(last.is_some())));
        });
        written(|done| match last {
            Some(log_id) => self.journal.truncate_after(log_id.index, done),
            None => self.journal.truncate_all(done),
        })
        .await
    }

    async fn purge(&mut self, log_id: LogId) -> Result<(), io::Error> {
        let marker = encode(&log_id)?;
        self.decoded(|map| *map = map.split_off(&(log_id.index + 1)));
        self.growth.reset();
        written(|done| self.journal.purge(log_id.index, marker, done)).await
    }
}

/// How many indices a range names, if it has both ends.
fn bounded_len(range: &impl RangeBounds<u64>) -> Option<u64> {
    use std::ops::Bound::{Excluded, Included, Unbounded};
    let from = match range.start_bound() {
        Included(n) => *n,
        Excluded(n) => n + 1,
        Unbounded => return None,
    };
    let to = match range.end_bound() {
        Included(n) => n + 1,
        Excluded(n) => *n,
        Unbounded => return None,
    };
    Some(to.saturating_sub(from))
}

/// Waits until a write is on disk.
async fn written(write: impl FnOnce(Done)) -> io::Result<()> {
    let (tell, told) = oneshot::channel();
    write(Box::new(move |result| {
        // Nobody listens any more only when the node is going down.
        let _ = tell.send(result);
    }));
    told.await.map_err(|_| io::Error::other("the journal has stopped"))?
}
