//! A node: our journal, state and snapshots under openraft, in a directory of its own, through
//! crashes and starts.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use openraft::async_runtime::watch::WatchReceiver;
use openraft::errors::Fatal;
use openraft::{AsyncRuntime, Raft, ReadPolicy, SnapshotPolicy};

use super::disk::{Disk, LogOnDisk};
use super::network::Network;
use super::runtime::{Power, Simulated, Tasks};
use super::world::World;
use super::{SimRaft, SimTypes, Slip};
use crate::cluster::log_adapter::LogAdapter;
use crate::cluster::machine_adapter::MachineAdapter;
use crate::cluster::pace;
use crate::cluster::raft_types::{LogId, decode};
use crate::cluster::recovery;
use crate::cluster::replica::OnApplied;
use crate::domain::limit;
use crate::store::journal::Journal;
use crate::store::query;
use crate::store::state::State;
use crate::telemetry::metrics::Metrics;

/// A node, running or not.
pub(super) struct Node {
    pub(super) id: u64,
    pub(super) disk: Arc<Disk>,
    pub(super) running: Option<Running>,
    /// Removed from the cluster: it never comes back.
    pub(super) is_removed: bool,
    pub(super) is_starting: bool,
    /// How far its clock is off, in milliseconds.
    pub(super) skew_ms: i64,
    home: PathBuf,
    copies: u64,
    /// What may be left of the state after a power cut.
    images: Vec<PathBuf>,
}

/// What runs of a node between two crashes.
#[derive(Clone)]
pub(super) struct Running {
    pub(super) raft: SimRaft,
    pub(super) state: Arc<State>,
    pub(super) power: Arc<Power>,
    /// As in `Replica`: the newest time that was given to a command here.
    clock: Arc<AtomicI64>,
}

/// How a node goes down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Crash {
    /// Its process ends; what was handed to the system stays.
    Process,
    /// Its machine ends; what was not made durable may be lost.
    Power,
}

/// State images kept at once.
const IMAGES_MAX: usize = 3;

impl Node {
    pub(super) fn new(world: &World, id: u64) -> Node {
        Node {
            id,
            disk: Disk::new(world.chance.clone(), world.weather.disk_slowness),
            running: None,
            is_removed: false,
            is_starting: false,
            skew_ms: 0,
            home: world.folder.join(format!("{id}-0")),
            copies: 0,
            images: Vec::new(),
        }
    }

    /// Ends the node where it stands and leaves behind what a disk would hold.
    pub(super) fn crash(&mut self, how: Crash, world: &World) {
        let Some(running) = self.running.take() else { return };
        self.copies += 1;
        let (old, new) =
            (self.home.clone(), world.folder.join(format!("{}-{}", self.id, self.copies)));
        // The copy is taken before the connections close, which would tidy up what a crash leaves.
        copy(&old, &new);
        if how == Crash::Power
            && let Some(image) = self.left_behind(world)
        {
            for name in ["state.db", "state.db-wal"] {
                let _ = std::fs::remove_file(new.join(name));
                let _ = std::fs::copy(image.join(name), new.join(name));
            }
        }
        running.power.cut();
        drop(running);
        self.home = new;
        std::fs::remove_dir_all(old).unwrap();
        self.disk.mend();
    }

    /// The state's own fsyncs are relaxed: after a power cut any earlier state may be there, as
    /// long as it can be brought back from the snapshot and the journal.
    fn left_behind(&self, world: &World) -> Option<PathBuf> {
        let back = world.chance.between(0, self.images.len() as u64) as usize;
        self.images.get(back).cloned()
    }

    /// Keeps a copy of the state as it is now on the disk.
    pub(super) fn keep_image(&mut self, world: &World) {
        if self.running.is_none() {
            return;
        }
        self.copies += 1;
        let image = world.folder.join(format!("{}-{}-image", self.id, self.copies));
        std::fs::create_dir(&image).unwrap();
        for name in ["state.db", "state.db-wal"] {
            let _ = std::fs::copy(self.home.join(name), image.join(name));
        }
        self.images.push(image);
        if self.images.len() > IMAGES_MAX {
            std::fs::remove_dir_all(self.images.remove(0)).unwrap();
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.home.join(name)
    }
}

impl Running {
    /// Opens what is on the node's disk and starts consensus on it.
    pub(super) async fn start(world: &Arc<World>, id: u64) -> Result<Running, String> {
        let (disk, state, journal, snapshots) = world.node(id, |node| {
            std::fs::create_dir_all(node.path("snapshots")).unwrap();
            let paths = [node.path("state.db"), node.path("journal.db"), node.path("snapshots")];
            let [state, journal, snapshots] = paths;
            (node.disk.clone(), state, journal, snapshots)
        });
        let power = Power::on(disk.clone());
        let (world, on, running) = (world.clone(), power.clone(), power.clone());
        let starting = power.spawn(async move {
            let state = Arc::new(State::open(&state).map_err(|e| e.to_string())?);
            let (journal, committer) =
                Journal::open_stepped(&journal).map_err(|e| e.to_string())?;
            let _disk = on.spawn(disk.clone().run(committer));
            let newest = state.read(query::cluster::newest_time).map_err(|e| e.to_string())?;
            let clock = Arc::new(AtomicI64::new(newest.0));
            let mut log = LogAdapter::new(journal);
            let told = world.clone();
            let on_applied: OnApplied = Box::new(move |envelope, applied| {
                let what = envelope.once.as_ref().map_or("-", |once| once.key.as_str());
                told.trace(&format!("apply {id} {what}: {:?}", applied.outcome));
            });
            let mut machine = MachineAdapter {
                runtime: Simulated,
                state: state.clone(),
                snapshots,
                on_applied: Arc::new(OnceLock::from(on_applied)),
                metrics: Metrics::new(),
                clock: clock.clone(),
            };
            if world.slip != Slip::LeavesStateAhead {
                recovery::cover(&mut log, &mut machine).await.map_err(|e| e.to_string())?;
            }
            let log = LogOnDisk { log, disk, slip: world.slip };
            let election = Duration::from_millis(limit::ELECTION_MS);
            let mut config = pace::config(election).map_err(|e| e.to_string())?;
            if world.slip == Slip::LeadsOnAfterStart {
                config.enable_leader_restore = Some(true);
            }
            config.snapshot_policy = SnapshotPolicy::LogsSinceLast(world.weather.snapshot_entries);
            config.max_in_snapshot_log_to_keep = world.weather.log_tail_entries;
            let network = Network { world, from: id };
            let raft: SimRaft = Raft::new(id, Arc::new(config), network, log, machine)
                .await
                .map_err(|e| e.to_string())?;
            Ok(Running { raft, state, power: on, clock })
        });
        let started = starting.await.map_err(|e| e.to_string()).flatten();
        if started.is_err() {
            running.cut();
        }
        started
    }

    /// As `Replica::now`: the node's clock, but never before an earlier command of this node.
    pub(super) fn now(&self, wall: i64) -> i64 {
        wall.max(self.clock.fetch_max(wall, Ordering::Relaxed))
    }

    /// Asks consensus something, as a request at this node would: it dies with the node. `None` if
    /// there is no answer in time.
    pub(super) async fn ask<T, F>(
        &self,
        time: Duration,
        ask: impl FnOnce(SimRaft) -> F,
    ) -> Option<T>
    where
        T: Send + 'static,
        F: Future<Output = T> + Send + 'static,
    {
        let asking = self.power.spawn(ask(self.raft.clone()));
        match Tasks::timeout(time, asking).await {
            Ok(answer) => answer.ok(),
            Err(_) => None,
        }
    }

    /// Whether this node leads and has all that was written before this moment.
    pub(super) async fn is_confirmed(&self) -> bool {
        let asking = |raft: SimRaft| async move {
            raft.ensure_linearizable(ReadPolicy::ReadIndex).await.is_ok()
        };
        self.ask(Duration::from_secs(1), asking).await == Some(true)
    }

    pub(super) fn leader(&self) -> Option<u64> {
        self.raft.metrics().borrow_watched().current_leader
    }

    /// Why it stopped by itself, if it did. It is asked, because one that panicked tells nobody.
    pub(super) async fn stopped(&self) -> Option<Fatal<SimTypes>> {
        let asking = |raft: SimRaft| async move { raft.is_initialized().await };
        self.ask(Duration::from_millis(100), asking).await?.err()
    }

    /// The place in the log that the state stands for.
    pub(super) fn applied(&self) -> u64 {
        let (log_id, _) = self.state.applied().unwrap();
        let log_id: Option<LogId> = log_id.map(|bytes| decode(&bytes).unwrap());
        log_id.map_or(0, |log_id| log_id.index)
    }
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let into = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy(&path, &into);
        } else if path.extension().is_none_or(|ext| ext != "db-shm") {
            std::fs::copy(path, into).unwrap();
        }
    }
}
