//! What goes wrong in a run, and who puts nodes back on their feet.

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use openraft::async_runtime::watch::WatchReceiver;
use openraft::type_config::TypeConfigExt;
use openraft::{AsyncRuntime, ChangeMembers};
use openraft_rt_sim::SimRuntime;

use super::node::Crash;
use super::world::World;
use super::{SimRaft, SimTypes};
use crate::cluster::raft_types::Peer;

/// A cluster never gets smaller or larger than this.
const VOTERS: std::ops::RangeInclusive<usize> = 3..=5;

/// Runs beside everything else.
pub(super) fn beside(future: impl Future<Output = ()> + Send + 'static) {
    let _detached = SimRuntime::spawn(future);
}

/// Does harm again and again for a while; more than one thing may be wrong at once.
pub(super) async fn rage(world: &Arc<World>, time: Duration, living: &Arc<AtomicUsize>) {
    let end = SimTypes::now() + time;
    while SimTypes::now() < end {
        world.sleep(world.chance.millis(100, 2_500)).await;
        let Some(id) = world.chance.pick(&world.ids()) else { return };
        match world.chance.between(0, 99) {
            0..=9 => crash_one(world, id, Crash::Process, 4_000),
            10..=18 => crash_one(world, id, Crash::Power, 4_000),
            19..=25 => crash_leader(world),
            26..=28 => crash_all(world),
            29..=38 => part(world),
            39..=46 => part_one_way(world, id),
            47..=52 => isolate_leader(world),
            53..=55 => slow_down(world, id),
            56..=60 => crash_behind(world, id),
            61..=65 => fail_disk(world, id),
            66..=73 => turn_clock(world, id),
            74..=80 => pause(world, id),
            81..=84 => snapshot(world, id).await,
            85..=90 => transfer(world).await,
            _ => beside_one(world, living, change),
        }
    }
}

/// Does something beside the rest, unless the last such thing is still going on: one change of the
/// membership at a time, as an operator would.
fn beside_one<F: Future<Output = ()> + Send + 'static>(
    world: &Arc<World>,
    living: &Arc<AtomicUsize>,
    work: impl Fn(Arc<World>) -> F,
) {
    if world.is_changing.swap(true, Ordering::Relaxed) {
        return;
    }
    let (world, living, work) = (world.clone(), living.clone(), work(world.clone()));
    living.fetch_add(1, Ordering::Relaxed);
    beside(async move {
        work.await;
        world.is_changing.store(false, Ordering::Relaxed);
        living.fetch_sub(1, Ordering::Relaxed);
    });
}

fn crash_one(world: &Arc<World>, id: u64, how: Crash, back_ms: u64) {
    world.count(if how == Crash::Power { "power cuts" } else { "crashes" });
    world.crash(id, how);
    start_later(world, id, back_ms);
}

/// It is back before the others have missed it.
fn crash_leader(world: &Arc<World>) {
    let Some((leader, _)) = world.leader() else { return };
    world.count("leaders crashed");
    let how = if world.chance.permille(500) { Crash::Power } else { Crash::Process };
    crash_one(world, leader, how, 300);
}

fn crash_all(world: &Arc<World>) {
    let how = if world.chance.permille(500) { Crash::Power } else { Crash::Process };
    for id in world.ids() {
        crash_one(world, id, how, 4_000);
    }
    world.count("crashes of all");
}

fn start_later(world: &Arc<World>, id: u64, within_ms: u64) {
    let (world, time) = (world.clone(), world.chance.millis(1, within_ms));
    beside(async move {
        world.sleep(time).await;
        world.start(id).await;
    });
}

/// Cuts ways for a while.
fn cut(world: &Arc<World>, ways: Vec<(u64, u64)>) {
    for (from, to) in &ways {
        world.trace(&format!("cut {from}>{to}"));
        world.cut(*from, *to);
    }
    let (world, time) = (world.clone(), world.chance.millis(300, 6_000));
    beside(async move {
        world.sleep(time).await;
        for (from, to) in ways {
            world.join(from, to);
        }
    });
}

fn part(world: &Arc<World>) {
    world.count("partitions");
    let ids = world.ids();
    let side: BTreeSet<u64> = ids.iter().copied().filter(|_| world.chance.permille(500)).collect();
    let apart = |a: &u64, b: &u64| side.contains(a) != side.contains(b);
    let pairs = ids.iter().flat_map(|a| ids.iter().map(move |b| (*a, *b)));
    cut(world, pairs.filter(|(a, b)| apart(a, b)).collect());
}

fn part_one_way(world: &Arc<World>, id: u64) {
    world.count("one-way partitions");
    let others = world.ids().into_iter().filter(|other| *other != id);
    let ways = match world.chance.between(0, 2) {
        0 => others.map(|other| (id, other)).collect(),
        1 => others.map(|other| (other, id)).collect(),
        _ => others.map(|other| (id, other)).take(1).collect(),
    };
    cut(world, ways);
}

fn isolate_leader(world: &Arc<World>) {
    let Some((leader, _)) = world.leader() else { return };
    world.count("leaders isolated");
    let others = world.ids().into_iter().filter(|other| *other != leader);
    cut(world, others.flat_map(|other| [(leader, other), (other, leader)]).collect());
}

fn slow_down(world: &Arc<World>, id: u64) {
    world.count("slow disks");
    let disk = world.node(id, |node| node.disk.clone());
    disk.slow_down(world.chance.between(5, 400));
    let (world, time) = (world.clone(), world.chance.millis(500, 5_000));
    beside(async move {
        world.sleep(time).await;
        disk.slow_down(1);
    });
}

/// A disk falls behind what the cluster has decided, and its node crashes just then.
fn crash_behind(world: &Arc<World>, id: u64) {
    world.count("crashes behind");
    let disk = world.node(id, |node| node.disk.clone());
    disk.slow_down(world.chance.between(100, 400));
    let (world, time) = (world.clone(), world.chance.millis(300, 1_500));
    beside(async move {
        world.sleep(time).await;
        disk.slow_down(1);
        crash_one(&world, id, Crash::Process, 200);
    });
}

fn fail_disk(world: &Arc<World>, id: u64) {
    world.trace(&format!("disk of {id} fails"));
    world.count("failing disks");
    world.node(id, |node| node.disk.fail());
}

/// Up to three hours in all, in both directions; keys are kept for a day.
fn turn_clock(world: &Arc<World>, id: u64) {
    world.count("clock jumps");
    let hours = 3 * 60 * 60 * 1_000;
    let reach = world.chance.pick(&[50, 5_000, hours]).unwrap_or(0);
    let skew = world.chance.between(0, 2 * reach) as i64 - reach as i64;
    world.trace(&format!("clock of {id} by {skew} ms"));
    world.node(id, |node| node.skew_ms = skew);
}

fn pause(world: &Arc<World>, id: u64) {
    let Some(running) = world.running(id) else { return };
    world.count("pauses");
    world.trace(&format!("pause {id}"));
    running.power.pause();
    let (world, time) = (world.clone(), world.chance.millis(100, 4_000));
    beside(async move {
        world.sleep(time).await;
        running.power.resume();
    });
}

async fn snapshot(world: &Arc<World>, id: u64) {
    let Some(running) = world.running(id) else { return };
    let asking = |raft: SimRaft| async move { raft.trigger().snapshot().await };
    let _ = running.ask(Duration::from_secs(1), asking).await;
}

async fn transfer(world: &Arc<World>) {
    let Some((_, leader)) = world.leader() else { return };
    let Some(to) = world.chance.pick(&world.ids()) else { return };
    world.count("leaders transferred");
    world.trace(&format!("transfer to {to}"));
    let asking = move |raft: SimRaft| async move { raft.trigger().transfer_leader(to).await };
    let _ = leader.ask(Duration::from_secs(1), asking).await;
}

/// A node more or a node less.
async fn change(world: Arc<World>) {
    let world = &world;
    let Some((_, leader)) = world.leader() else { return };
    let voters: Vec<u64> = leader.raft.voter_ids().collect();
    let grows = voters.len() == *VOTERS.start()
        || (voters.len() < *VOTERS.end() && world.chance.permille(500));
    if grows {
        admit(world).await;
    } else if let Some(id) = world.chance.pick(&voters)
        && voters.len() > *VOTERS.start()
    {
        remove(world, id).await;
    }
}

/// A new machine under a new id: first a learner, then a voter.
pub(super) async fn admit(world: &Arc<World>) {
    let id = world.newest_id() + 1;
    world.trace(&format!("admit {id}"));
    world.add_node(id).await;
    let learner = ChangeMembers::AddNodes(BTreeMap::from([(id, Peer::default())]));
    if !persist(world, learner, |voters, learners| voters.contains(&id) || learners.contains(&id))
        .await
    {
        return;
    }
    world.sleep(world.chance.millis(10, 2_000)).await;
    let voter = ChangeMembers::AddVoterIds(BTreeSet::from([id]));
    if persist(world, voter, |voters, _| voters.contains(&id)).await {
        world.count("voters added");
    }
}

/// Removes a voter, alive or not; it never comes back.
async fn remove(world: &Arc<World>, id: u64) {
    world.trace(&format!("remove {id}"));
    let less = ChangeMembers::RemoveVoters(BTreeSet::from([id]));
    if !persist(world, less, |voters, learners| !voters.contains(&id) && !learners.contains(&id))
        .await
    {
        return;
    }
    world.count("voters removed");
    world.sleep(world.chance.millis(1, 2_000)).await;
    world.crash(id, Crash::Process);
    world.node(id, |node| node.is_removed = true);
}

/// Asks whoever leads until the change is seen, committed, or patience ends.
async fn persist(
    world: &Arc<World>,
    change: ChangeMembers<u64, Peer>,
    is_seen: impl Fn(&[u64], &[u64]) -> bool,
) -> bool {
    for _ in 0..20 {
        if let Some((id, leader)) = world.leader() {
            if takes_out(&change, id) {
                // As the product does: a leader hands over before it is removed.
                transfer(world).await;
                world.sleep(world.chance.millis(100, 1_000)).await;
                continue;
            }
            let change = change.clone();
            let asking = |raft: SimRaft| async move { raft.change_membership(change, false).await };
            if let Some(Ok(_)) = leader.ask(Duration::from_secs(2), asking).await {
                return true;
            }
            // It may have been done by an earlier try; only what a majority confirms counts.
            if leader.is_confirmed().await {
                let metrics = leader.raft.metrics().borrow_watched().clone();
                let config = metrics.membership_config;
                let is_committed = *config.log_id() <= metrics.last_applied;
                let is_joint = config.membership().get_joint_config().len() > 1;
                let voters: Vec<u64> = config.voter_ids().collect();
                let learners: Vec<u64> = config.membership().learner_ids().collect();
                if is_committed && !is_joint && is_seen(&voters, &learners) {
                    return true;
                }
            }
        }
        world.sleep(world.chance.millis(100, 1_000)).await;
    }
    false
}

fn takes_out(change: &ChangeMembers<u64, Peer>, id: u64) -> bool {
    matches!(change, ChangeMembers::RemoveVoters(gone) if gone.contains(&id))
}

/// Looks after the nodes: one that stopped because of its disk is started again, as a service
/// manager would; one that stopped for another reason is a finding. Compares states on the way.
pub(super) async fn supervise(world: Arc<World>, go_on: impl Fn() -> bool + Send) {
    while go_on() {
        world.sleep(world.chance.millis(50, 250)).await;
        for id in world.running_ids() {
            look_after(&world, id).await;
        }
        if let Some(id) = world.chance.pick(&world.running_ids()) {
            if world.chance.permille(120) {
                world.compare(id);
            }
            if world.chance.permille(300) {
                world.node(id, |node| node.keep_image(&world));
            }
        }
    }
}

pub(super) async fn look_after(world: &Arc<World>, id: u64) {
    let Some(running) = world.running(id) else { return };
    let Some(why) = running.stopped().await else { return };
    let is_told = world.node(id, |node| node.disk.is_failing());
    if !is_told || matches!(why, openraft::errors::Fatal::Panicked) {
        world.violated(format!("node {id} stopped by itself: {why}"));
    }
    world.crash(id, Crash::Process);
    start_later(world, id, 4_000);
}
