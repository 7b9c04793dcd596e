//! What all parts of a run share: the nodes, the weather, the trace, and what was seen to be wrong.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use openraft::AsyncRuntime;
use openraft::type_config::TypeConfigExt;

use super::chance::Chance;
use super::history::History;
use super::node::{Crash, Node, Running};
use super::runtime::Tasks;
use super::{SimTypes, Slip};

/// The first moment of every run in Unix milliseconds.
const EPOCH_MS: i64 = 1_795_000_000_000;

/// What stays the same through a run.
#[derive(Clone, Copy, Debug)]
pub(super) struct Weather {
    /// Messages lost, in a thousand.
    pub(super) loss: u64,
    /// Messages delivered twice, in a thousand.
    pub(super) doubling: u64,
    /// The longest way of an ordinary message.
    pub(super) delay_ms: u64,
    /// How many times slower than a good one every disk is.
    pub(super) disk_slowness: u64,
    pub(super) snapshot_entries: u64,
    pub(super) log_tail_entries: u64,
}

pub(super) struct World {
    pub(super) chance: Chance,
    pub(super) folder: PathBuf,
    pub(super) weather: Weather,
    pub(super) slip: Slip,
    pub(super) history: Mutex<History>,
    nodes: Mutex<BTreeMap<u64, Node>>,
    /// Ways that lead nowhere, each in one direction.
    cuts: Mutex<BTreeSet<(u64, u64)>>,
    trace: Mutex<Trace>,
    counts: Mutex<BTreeMap<&'static str, u64>>,
    /// The rows at each place of the log where somebody looked, as the first node had them.
    states: Mutex<BTreeMap<u64, (u64, String)>>,
    wrong: Mutex<Option<String>>,
    is_calm: Mutex<bool>,
    /// Whether a change of the membership is going on.
    pub(super) is_changing: AtomicBool,
}

/// Everything that happened, as one number; two runs with the same number went the same way.
struct Trace {
    sum: u64,
    is_shown: bool,
}

impl World {
    pub(super) fn new(seed: u64, slip: Slip, folder: PathBuf) -> Arc<World> {
        let chance = Chance::new(seed);
        let rough = chance.permille(600);
        let weather = Weather {
            loss: if rough { chance.between(1, 80) } else { 0 },
            doubling: if rough { chance.between(1, 80) } else { 0 },
            delay_ms: if rough { chance.between(2, 60) } else { 2 },
            disk_slowness: if chance.permille(250) { chance.between(3, 30) } else { 1 },
            snapshot_entries: chance.between(12, 80),
            log_tail_entries: chance.between(0, 20),
        };
        let is_shown = std::env::var_os("SIM_TRACE").is_some();
        Arc::new(World {
            chance,
            folder,
            weather,
            slip,
            history: Mutex::default(),
            nodes: Mutex::default(),
            cuts: Mutex::default(),
            trace: Mutex::new(Trace { sum: 0xcbf2_9ce4_8422_2325, is_shown }),
            counts: Mutex::default(),
            states: Mutex::default(),
            wrong: Mutex::default(),
            is_calm: Mutex::new(true),
            is_changing: AtomicBool::new(false),
        })
    }

    /// Notes something that happened.
    pub(super) fn trace(&self, what: &str) {
        let at = SimTypes::now().elapsed_since_start().as_nanos();
        let line = format!("{at} {what}\n");
        let mut trace = lock(&self.trace);
        // FNV-1a.
        for byte in line.bytes() {
            trace.sum = (trace.sum ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
        if trace.is_shown {
            eprint!("{line}");
        }
    }

    pub(super) fn trace_sum(&self) -> u64 {
        lock(&self.trace).sum
    }

    pub(super) fn count(&self, what: &'static str) {
        *lock(&self.counts).entry(what).or_default() += 1;
    }

    pub(super) fn counts(&self) -> BTreeMap<&'static str, u64> {
        lock(&self.counts).clone()
    }

    /// Notes what must not be; the first one is what the run ends with.
    pub(super) fn violated(&self, what: String) {
        // Not its text, which may name wall-clock times.
        self.trace("something is wrong");
        lock(&self.wrong).get_or_insert(what);
    }

    pub(super) fn verdict(&self) -> Result<(), String> {
        lock(&self.wrong).clone().map_or(Ok(()), Err)
    }

    /// While it is calm, messages arrive and arrive once.
    pub(super) fn set_calm(&self, is_calm: bool) {
        *lock(&self.is_calm) = is_calm;
    }

    pub(super) fn is_calm(&self) -> bool {
        *lock(&self.is_calm)
    }

    pub(super) fn cut(&self, from: u64, to: u64) {
        lock(&self.cuts).insert((from, to));
    }

    pub(super) fn join_all(&self) {
        lock(&self.cuts).clear();
    }

    pub(super) fn join(&self, from: u64, to: u64) {
        lock(&self.cuts).remove(&(from, to));
    }

    pub(super) fn is_cut(&self, from: u64, to: u64) -> bool {
        lock(&self.cuts).contains(&(from, to))
    }

    /// A new node that runs on an empty disk.
    pub(super) async fn add_node(self: &Arc<World>, id: u64) {
        let node = Node::new(self, id);
        lock(&self.nodes).insert(id, node);
        self.start(id).await;
    }

    pub(super) async fn start(self: &Arc<World>, id: u64) {
        let is_busy = self.node(id, |node| {
            let is_busy = node.running.is_some() || node.is_removed || node.is_starting;
            node.is_starting |= !is_busy;
            is_busy
        });
        if is_busy {
            return;
        }
        self.trace(&format!("start {id}"));
        let started = Running::start(self, id).await;
        self.node(id, |node| node.is_starting = false);
        match started {
            Ok(running) => self.node(id, |node| node.running = Some(running)),
            // It failed while the node started; a service manager tries again.
            Err(_) if self.node(id, |node| node.disk.is_failing()) => {
                self.node(id, |node| node.disk.mend());
            }
            Err(why) => self.violated(format!("node {id} does not start: {why}")),
        }
    }

    pub(super) fn crash(&self, id: u64, how: Crash) {
        self.trace(&format!("crash {id} {how:?}"));
        self.node(id, |node| node.crash(how, self));
    }

    pub(super) fn node<T>(&self, id: u64, with: impl FnOnce(&mut Node) -> T) -> T {
        let mut nodes = lock(&self.nodes);
        with(nodes.get_mut(&id).expect("invariant: nodes are never taken out"))
    }

    pub(super) fn running(&self, id: u64) -> Option<Running> {
        lock(&self.nodes).get(&id).and_then(|node| node.running.clone())
    }

    /// Nodes that were not removed.
    pub(super) fn ids(&self) -> Vec<u64> {
        lock(&self.nodes).values().filter(|node| !node.is_removed).map(|node| node.id).collect()
    }

    pub(super) fn newest_id(&self) -> u64 {
        lock(&self.nodes).keys().max().copied().unwrap_or(0)
    }

    pub(super) fn running_ids(&self) -> Vec<u64> {
        let mut ids = self.ids();
        ids.retain(|id| self.running(*id).is_some());
        ids
    }

    /// Who most nodes think leads.
    pub(super) fn leader(&self) -> Option<(u64, Running)> {
        let of = |id: &u64| self.running(*id).and_then(|running| running.leader());
        let told: Vec<u64> = self.running_ids().iter().filter_map(of).collect();
        let most = told.iter().max_by_key(|id| (told.iter().filter(|n| n == id).count(), **id))?;
        self.running(*most).map(|running| (*most, running))
    }

    /// What a node's clock shows.
    pub(super) fn wall_ms(&self, id: u64) -> i64 {
        let passed = SimTypes::now().elapsed_since_start().as_millis() as i64;
        EPOCH_MS + passed + self.node(id, |node| node.skew_ms)
    }

    /// Compares a node's state with what others had at the same place of the log.
    pub(super) fn compare(&self, id: u64) {
        let Some(running) = self.running(id) else { return };
        let place = running.applied();
        let rows = match running.state.read(crate::store::digest::dump) {
            Ok(rows) => rows,
            Err(fault) => return self.violated(format!("node {id} cannot be read: {fault}")),
        };
        let mut states = lock(&self.states);
        let (first, had) = states.entry(place).or_insert_with(|| (id, rows.clone()));
        if *had != rows {
            let mut page =
                format!("nodes {first} and {id} differ at the place {place} of the log:");
            let lines = |rows: &str| rows.lines().map(str::to_owned).collect::<BTreeSet<_>>();
            let (had, has) = (lines(had), lines(&rows));
            had.difference(&has).for_each(|line| page.push_str(&format!("\n  {first}:{line}")));
            has.difference(&had).for_each(|line| page.push_str(&format!("\n  {id}:{line}")));
            drop(states);
            self.violated(page);
        }
    }

    pub(super) async fn sleep(&self, time: Duration) {
        Tasks::sleep(time).await;
    }
}

pub(super) fn lock<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
