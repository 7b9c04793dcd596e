//! The one handle on the replicated state: propose, read, and how things stand.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use openraft::errors::{ClientWriteError, RaftError};
use openraft::{Raft, ReadPolicy};
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use uuid::Uuid;

use crate::domain::command::{Envelope, Outcome};
use crate::domain::limit;
use crate::domain::refusal::Refusal;
use crate::domain::time::Time;
use crate::store::directory::Directory;
use crate::store::journal::Journal;
use crate::store::query::Connection;
use crate::store::space::Room;
use crate::store::state::{Applied, State};
use crate::store::{Fault, mend};
use crate::telemetry::metrics::Metrics;

use super::book::Book;
use super::dial::{Dialer, Way};
use super::identity::Identity;
use super::log_adapter::LogAdapter;
use super::machine_adapter::MachineAdapter;
use super::network::Peers;
use super::port::OnGuest;
use super::raft_types::{Peer, Proposal, Types};
use super::runtime::Threads;
use super::seat::{self, Heard, Seat};
use super::wire::{About, Service};
use super::{pace, recovery};

/// Told of every command right after it was applied, in the order of the log. It must not wait.
pub type OnApplied = Box<dyn Fn(&Envelope, &Applied) + Send + Sync>;

/// The first node of a cluster has this id; later ones are given by the cluster.
const FIRST_NODE: u64 = 1;

/// What a replica is made from.
pub struct ReplicaOptions {
    /// Where it keeps things; locked.
    pub directory: Arc<Directory>,
    /// Where it counts.
    pub metrics: Arc<Metrics>,
    /// Where other nodes connect.
    pub listener: TcpListener,
    /// What other nodes use to reach the listener.
    pub address: String,
    /// What people use to reach this node.
    pub http: String,
    /// The shortest time without a leader before this node stands for election.
    pub election: Duration,
}

/// The replicated state, for all floors above.
#[derive(Clone)]
pub struct Replica {
    pub(super) inner: Arc<Inner>,
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
    /// Who leads, as far as this node knows.
    pub leader_id: Option<u64>,
    /// Entries in the log that the state does not have yet.
    pub lag_entries: u64,
    /// Why it stopped, if it did.
    pub stopped: Option<String>,
}

/// Why a node cannot go on.
#[derive(Clone, Debug)]
pub enum Ended {
    /// Its disk, or consensus itself.
    Fault(String),
    /// It was removed from the cluster.
    Removed,
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
    /// This node has no room for more.
    #[error(
        "the disk of this node is nearly full, so nothing more is written; free some space on \
             it, or tell your admin; reading goes on"
    )]
    Full,
    /// This node has stopped writing.
    #[error("this node has stopped: {0}")]
    Stopped(String),
}

pub(super) struct Inner {
    pub(super) raft: Raft<Types, MachineAdapter>,
    pub(super) state: Arc<State>,
    pub(super) directory: Arc<Directory>,
    pub(super) node: u64,
    pub(super) book: Book,
    pub(super) about: Arc<Mutex<About>>,
    pub(super) dialer: Arc<OnceLock<Dialer>>,
    pub(super) on_guest: Arc<OnceLock<OnGuest>>,
    /// The cluster port, until it is open.
    pub(super) listener: Mutex<Option<TcpListener>>,
    /// What runs beside requests; it ends with the replica.
    pub(super) beside: Mutex<JoinSet<()>>,
    pub(super) heard: Heard,
    seat: watch::Receiver<Seat>,
    on_applied: Arc<OnceLock<OnApplied>>,
    metrics: Arc<Metrics>,
    places: Semaphore,
    pub(super) room: Room,
    clock: Arc<AtomicI64>,
    /// Until consensus stops: the journal ends with its last handle.
    journal: Mutex<Option<Journal>>,
}

/// A new id: UUIDv7, so that ids sort by the time of their making.
pub fn fresh() -> Uuid {
    Uuid::now_v7()
}

impl Replica {
    /// Opens what is in the directory, or founds a cluster of one in an empty one, and waits until
    /// the state is as new as before the last stop.
    pub async fn open(options: ReplicaOptions) -> Result<Replica, Fault> {
        let ReplicaOptions { directory, metrics, listener, address, http, election } = options;
        let (state, journal) = recovery::open(&directory, &metrics)?;
        let state = Arc::new(state);
        let loaded = Identity::load(&directory)?;
        // One that was admitted elsewhere waits to be let in; anybody else founds its own cluster.
        let founds = loaded.as_ref().is_none_or(|identity| identity.peers.is_empty());
        let identity = loaded.unwrap_or_else(|| Identity::new(FIRST_NODE));
        let node = identity.node;
        let on_applied = Arc::new(OnceLock::new());
        let clock = state.read(crate::store::query::cluster::newest_time)?.0;
        let clock = Arc::new(AtomicI64::new(clock));
        let mut machine = MachineAdapter {
            runtime: Threads,
            state: state.clone(),
            snapshots: directory.snapshots(),
            on_applied: on_applied.clone(),
            metrics: metrics.clone(),
            clock: clock.clone(),
        };
        let mut log = LogAdapter::new(journal.clone());
        let growth = log.growth();
        let room = Room::new(directory.root());
        recovery::cover(&mut log, &mut machine).await?;
        mend::note_unsynced(&directory.state())?;
        let config = Arc::new(pace::config(election)?);
        let dialer = Arc::new(OnceLock::new());
        let peers = Peers { dialer: dialer.clone() };
        let raft = Raft::new(node, config, peers, log, machine)
            .await
            .map_err(|e| Fault::new("cannot start consensus", e))?;
        let level = crate::store::schema::NEWEST;
        let version = env!("CARGO_PKG_VERSION").to_owned();
        let about = About { address, http, version, level };
        let heard = Heard::default();
        let inner = Inner {
            book: Book::new(state.clone(), &identity.peers),
            about: Arc::new(Mutex::new(about)),
            dialer,
            on_guest: Arc::default(),
            listener: Mutex::new(Some(listener)),
            beside: Mutex::default(),
            seat: seat::watch(&raft, heard.clone()),
            heard,
            raft,
            state,
            directory,
            node,
            on_applied,
            metrics,
            places: Semaphore::new(limit::PROPOSALS_MAX),
            room,
            clock,
            journal: Mutex::new(Some(journal)),
        };
        let replica = Replica { inner: Arc::new(inner) };
        replica.keep_log_short(growth);
        if let Some(papers) = &identity.papers {
            replica.open_port(papers)?;
        }
        replica.recover(founds).await?;
        Ok(replica)
    }

    /// Brings the state to where it was before the last stop.
    async fn recover(&self, founds: bool) -> Result<(), Fault> {
        let raft = &self.inner.raft;
        let known =
            raft.is_initialized().await.map_err(|e| Fault::new("cannot start consensus", e))?;
        if !known && founds {
            raft.initialize(BTreeMap::from([(self.inner.node, Peer::default())]))
                .await
                .map_err(|e| Fault::new("cannot found the cluster", e))?;
        }
        recovery::stand_alone(raft, self.inner.node).await?;
        if known || founds {
            recovery::wait(raft, self.inner.node).await?;
        }
        Ok(())
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
        if let Some(why) = self.too_low_for(&envelope.command).await? {
            return Ok(Outcome::Refused { refusal: Refusal::conflict(why) });
        }
        if self.is_nearly_full() {
            return Err(Unavailable::Full);
        }
        let began = Instant::now();
        let write = self.inner.raft.client_write(Proposal::new(envelope));
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
        let result = tokio::task::spawn_blocking(move || state.read(read))
            .await
            .map_err(|e| Fault::new("a reader did not finish", e))?;
        self.stop_if_damaged(&result);
        result
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
            leader_id: now.current_leader,
            term: now.current_term,
            lag_entries: now.last_log_index.unwrap_or(0).saturating_sub(applied),
            stopped: now.running_state.as_ref().err().map(ToString::to_string),
        }
    }

    /// Waits until this node can go on no longer: after a fault of the disk, or because it was
    /// removed from the cluster.
    pub async fn stopped(&self) -> Ended {
        use openraft::async_runtime::watch::WatchReceiver;
        let mut metrics = self.inner.raft.metrics();
        loop {
            // Listens before it looks, so that nothing is told in between.
            let mut told = std::pin::pin!(self.inner.book.changed());
            told.as_mut().enable();
            if let Some(why) = self.status().stopped {
                return Ended::Fault(why);
            }
            if self.inner.book.is_cast_out() {
                return Ended::Removed;
            }
            tokio::select! {
                changed = metrics.changed() => if changed.is_err() {
                    return Ended::Fault("consensus has ended".to_owned());
                },
                () = &mut told => {}
            }
        }
    }

    /// Where requests are answered now.
    pub fn seat(&self) -> Seat {
        *self.inner.seat.borrow()
    }

    /// Tells each change of [`Replica::seat`] at once.
    pub fn watch_seat(&self) -> watch::Receiver<Seat> {
        self.inner.seat.clone()
    }

    /// The place in the log that this node's state stands for.
    pub fn applied_index(&self) -> u64 {
        use openraft::async_runtime::watch::WatchReceiver;
        self.inner.raft.metrics().borrow_watched().last_applied.map_or(0, |log_id| log_id.index)
    }

    /// Makes sure that what is read here next is not older than this moment: asks a majority
    /// whether this node still leads, and waits until all that was written is applied.
    pub async fn linearize(&self) -> Result<(), Unavailable> {
        let limit = Duration::from_secs(limit::LINEARIZE_SECONDS);
        let asking = self.inner.raft.ensure_linearizable(ReadPolicy::ReadIndex);
        match tokio::time::timeout(limit, asking).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(RaftError::Fatal(fatal))) => Err(Unavailable::Stopped(fatal.to_string())),
            Ok(Err(_)) | Err(_) => Err(Unavailable::NoLeader),
        }
    }

    /// An encrypted connection to the HTTP service of another node.
    pub async fn dial(&self, node: u64) -> Result<Way, Unavailable> {
        let Some(dialer) = self.inner.dialer.get() else { return Err(Unavailable::NoLeader) };
        match dialer.dial(node, Service::Http).await {
            Ok(greeted) => Ok(greeted.way),
            Err(no_way) => {
                tracing::debug!(%no_way, "a request could not be forwarded");
                Err(Unavailable::NoLeader)
            }
        }
    }

    /// Names who serves the HTTP requests of other nodes; only the first one does.
    pub fn on_guest(&self, serve: OnGuest) {
        let _ = self.inner.on_guest.set(serve);
    }

    /// The journal, while this node runs.
    pub(super) fn journal(&self) -> Option<Journal> {
        self.inner.journal.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Stops consensus; what was acknowledged is on disk already.
    pub async fn shutdown(&self) {
        self.settle_before_stop().await;
        let mut beside = {
            let mut held = self.inner.beside.lock().unwrap_or_else(PoisonError::into_inner);
            std::mem::take(&mut *held)
        };
        beside.shutdown().await;
        drop(self.inner.journal.lock().unwrap_or_else(PoisonError::into_inner).take());
        if let Err(error) = self.inner.raft.shutdown().await {
            tracing::warn!(%error, "consensus did not stop in order");
        }
        self.settle_after_stop().await;
        self.rest().await;
    }
}
