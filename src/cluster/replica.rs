//! The one handle on the replicated state: propose, read, and how things stand.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use openraft::errors::{ClientWriteError, RaftError};
use openraft::{Config, Raft, SnapshotPolicy};
use tokio::sync::Semaphore;
use uuid::Uuid;

use crate::domain::command::{Envelope, Outcome};
use crate::domain::limit;
use crate::domain::time::Time;
use crate::store::Fault;
use crate::store::directory::Directory;
use crate::store::journal::{Journal, Written};
use crate::store::query::Connection;
use crate::store::state::{Applied, State};
use crate::telemetry::metrics::Metrics;

use super::log_adapter::LogAdapter;
use super::machine_adapter::MachineAdapter;
use super::network::NoPeers;
use super::raft_types::{Peer, Proposal, Types};

/// Told of every command right after it was applied, in the order of the log. It must not wait.
pub type OnApplied = Box<dyn Fn(&Envelope, &Applied) + Send + Sync>;

/// The first node of a cluster has this id; later ones are given by the cluster.
const FIRST_NODE: u64 = 1;

/// How long the log may take to be replayed at the start.
const RECOVERY_SECONDS: u64 = 60;

/// What a replica is made from.
pub struct ReplicaOptions {
    /// Where it keeps things; locked.
    pub directory: Arc<Directory>,
    /// Where it counts.
    pub metrics: Arc<Metrics>,
}

/// The replicated state, for all floors above.
#[derive(Clone)]
pub struct Replica {
    inner: Arc<Inner>,
}

/// How things stand on this node.
#[derive(Clone, Debug)]
pub struct Status {
    /// This node.
    pub node: u64,
    /// Whether it leads.
    pub leader: bool,
    /// The Raft term.
    pub term: u64,
    /// Entries in the log that the state does not have yet.
    pub lag_entries: u64,
    /// Why it stopped, if it did.
    pub stopped: Option<String>,
}

/// It cannot be said now; trying again may help.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Unavailable {
    /// Nobody leads, or not this node.
    #[error("no node leads the cluster right now; try again in a moment")]
    NoLeader,
    /// Too many wait already.
    #[error("too many writes are waiting; try again in a moment")]
    Busy,
    /// The outcome is unknown: it may or may not be written. The same key or id tells.
    #[error("the write was not confirmed in time; send it again with the same key")]
    Unknown,
    /// This node has stopped writing.
    #[error("this node has stopped: {0}")]
    Stopped(String),
}

struct Inner {
    raft: Raft<Types, MachineAdapter>,
    state: Arc<State>,
    on_applied: Arc<OnceLock<OnApplied>>,
    metrics: Arc<Metrics>,
    places: Semaphore,
    clock: AtomicI64,
    _directory: Arc<Directory>,
}

/// A new id: UUIDv7, so that ids sort by the time of their making.
pub fn fresh() -> Uuid {
    Uuid::now_v7()
}

impl Replica {
    /// Opens what is in the directory, or founds a cluster of one in an empty one, and waits until
    /// the state is as new as before the last stop.
    pub async fn open(options: ReplicaOptions) -> Result<Replica, Fault> {
        let ReplicaOptions { directory, metrics } = options;
        let state = Arc::new(State::open(&directory.state())?);
        let on_written = {
            let metrics = metrics.clone();
            Box::new(move |written: Written| {
                metrics.proposal_queue.observe(written.waited.as_secs_f64());
                metrics.journal_fsync.observe(written.synced.as_secs_f64());
            })
        };
        let journal = Journal::open(&directory.journal(), on_written)?;
        let on_applied = Arc::new(OnceLock::new());
        let machine = MachineAdapter {
            state: state.clone(),
            snapshots: directory.snapshots(),
            on_applied: on_applied.clone(),
            metrics: metrics.clone(),
        };
        let config = Arc::new(config()?);
        let raft = Raft::new(FIRST_NODE, config, NoPeers, LogAdapter::new(journal), machine)
            .await
            .map_err(|e| Fault::new("cannot start consensus", e))?;
        if !raft.is_initialized().await.map_err(|e| Fault::new("cannot start consensus", e))? {
            raft.initialize(BTreeMap::from([(FIRST_NODE, Peer::default())]))
                .await
                .map_err(|e| Fault::new("cannot found the cluster", e))?;
        }
        raft.wait_for_recovery(Some(Duration::from_secs(RECOVERY_SECONDS)))
            .await
            .map_err(|e| Fault::new("the log could not be replayed", e))?;
        let clock = AtomicI64::new(state.read(crate::store::query::cluster::newest_time)?.0);
        let inner = Inner {
            raft,
            state,
            on_applied,
            metrics,
            places: Semaphore::new(limit::PROPOSALS_MAX),
            clock,
            _directory: directory,
        };
        Ok(Replica { inner: Arc::new(inner) })
    }

    /// Names who is told of applied commands; only the first one is.
    pub fn on_applied(&self, tell: OnApplied) {
        if self.inner.on_applied.set(tell).is_err() {
            tracing::error!("a second listener for applied commands was ignored");
        }
    }

    /// The time for a command: this node's clock, but never before an earlier command.
    pub fn now(&self) -> Time {
        let wall = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_millis() as i64);
        let before = self.inner.clock.fetch_max(wall, Ordering::Relaxed);
        Time(wall.max(before))
    }

    /// Puts a command into the log and waits until it is on disk on a majority and applied here.
    pub async fn propose(&self, envelope: Envelope) -> Result<Outcome, Unavailable> {
        let Ok(_place) = self.inner.places.try_acquire() else {
            return Err(Unavailable::Busy);
        };
        let began = Instant::now();
        let write = self.inner.raft.client_write(Proposal(Arc::new(envelope)));
        let limit = Duration::from_secs(limit::PROPOSAL_SECONDS);
        let result = tokio::time::timeout(limit, write).await.map_err(|_| Unavailable::Unknown)?;
        self.inner.metrics.quorum.observe(began.elapsed().as_secs_f64());
        match result {
            Ok(written) => written.data.0.ok_or(Unavailable::Unknown),
            Err(RaftError::APIError(ClientWriteError::ForwardToLeader(_))) => {
                Err(Unavailable::NoLeader)
            }
            Err(RaftError::APIError(_)) => Err(Unavailable::Unknown),
            Err(RaftError::Fatal(fatal)) => Err(Unavailable::Stopped(fatal.to_string())),
        }
    }

    /// Reads the state of this node where waiting for a disk is allowed.
    pub async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Connection) -> Result<T, Fault> + Send + 'static,
    ) -> Result<T, Fault> {
        let state = self.inner.state.clone();
        tokio::task::spawn_blocking(move || state.read(read))
            .await
            .map_err(|e| Fault::new("a reader did not finish", e))?
    }

    /// How things stand.
    pub fn status(&self) -> Status {
        use openraft::async_runtime::watch::WatchReceiver;
        let metrics = self.inner.raft.metrics();
        let now = metrics.borrow_watched();
        let applied = now.last_applied.map_or(0, |log_id| log_id.index);
        Status {
            node: now.id,
            leader: now.current_leader == Some(now.id),
            term: now.current_term,
            lag_entries: now.last_log_index.unwrap_or(0).saturating_sub(applied),
            stopped: now.running_state.as_ref().err().map(ToString::to_string),
        }
    }

    /// Waits until consensus stops by itself, which it does only after a fault of the disk.
    pub async fn stopped(&self) -> String {
        use openraft::async_runtime::watch::WatchReceiver;
        let mut metrics = self.inner.raft.metrics();
        loop {
            if let Some(why) = self.status().stopped {
                return why;
            }
            if metrics.changed().await.is_err() {
                return "consensus has ended".to_owned();
            }
        }
    }

    /// Stops consensus; what was acknowledged is on disk already.
    pub async fn shutdown(&self) {
        if let Err(error) = self.inner.raft.shutdown().await {
            tracing::warn!(%error, "consensus did not stop in order");
        }
    }
}

fn config() -> Result<Config, Fault> {
    let config = Config {
        cluster_name: "greenroom".to_owned(),
        // The journal's fsync has its p99 at up to 50 ms on a busy disk; an election time-out must
        // be ten times that, or a slow disk looks like a dead leader.
        heartbeat_interval: 100,
        election_timeout_min: 500,
        election_timeout_max: 1_000,
        enable_pre_vote: Some(true),
        snapshot_policy: SnapshotPolicy::LogsSinceLast(limit::SNAPSHOT_ENTRIES),
        max_in_snapshot_log_to_keep: limit::LOG_TAIL_ENTRIES,
        ..Config::default()
    };
    config.validate().map_err(|e| Fault::new("consensus refuses its settings", e))
}
