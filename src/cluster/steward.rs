//! What looks after the membership: every node says where it is, and the leader brings the log's
//! membership to what the state says: admitted nodes become learners, then voters; removed ones go.
//!
//! It compares and acts again and again, so that a leader that takes over in the middle goes on
//! where the last one was.

use std::collections::BTreeSet;
use std::sync::PoisonError;
use std::time::Duration;

use openraft::ChangeMembers;
use openraft::async_runtime::watch::WatchReceiver;

use crate::domain::command::{Command, Envelope};
use crate::domain::limit;
use crate::store::query;

use super::dial::RETRY;
use super::raft_types::Peer;
use super::replica::Replica;
use super::seat::Seat;
use super::wire::Service;

/// Between two looks, if nothing changes.
const PAUSE: Duration = Duration::from_millis(500);

/// One change of the membership; it needs a majority, twice.
const CHANGE_TIME: Duration = Duration::from_secs(10);

/// Says to the leader where this node is, at the start and to each new leader.
pub(super) async fn announce(replica: Replica) {
    let mut seat = replica.watch_seat();
    let mut told = None;
    loop {
        let leader = match *seat.borrow_and_update() {
            Seat::Here => Some(replica.node()),
            Seat::There(leader) => Some(leader),
            Seat::Nowhere => None,
        };
        if leader.is_some() && leader == told {
            if seat.changed().await.is_err() {
                return;
            }
            continue;
        }
        told = match leader {
            Some(leader) if leader == replica.node() => {
                let about = &replica.inner.about;
                let own = about.lock().unwrap_or_else(PoisonError::into_inner).clone();
                replica.inner.book.tell(leader, own);
                Some(leader)
            }
            Some(leader) => tell(&replica, leader).await,
            None => ask_around(&replica).await,
        };
        if told.is_none() || leader.is_none() {
            // A change of leader ends the pause.
            let _ = tokio::time::timeout(RETRY, seat.changed()).await;
        }
    }
}

/// Greets whoever is known until somebody can say who leads, and then the leader.
async fn ask_around(replica: &Replica) -> Option<u64> {
    let book = replica.inner.book.clone();
    let everybody = tokio::task::spawn_blocking(move || book.everybody()).await.ok()?;
    for node in everybody.into_iter().filter(|node| *node != replica.node()) {
        if let Some(leader) = greet(replica, node).await {
            return if leader == node { Some(leader) } else { tell(replica, leader).await };
        }
    }
    None
}

async fn tell(replica: &Replica, leader: u64) -> Option<u64> {
    (greet(replica, leader).await == Some(leader)).then_some(leader)
}

/// Greets a node; who leads, if it knows.
async fn greet(replica: &Replica, node: u64) -> Option<u64> {
    let dialer = replica.inner.dialer.get()?;
    match dialer.dial(node, Service::Presence).await {
        Ok(greeted) => greeted.leader,
        Err(no_way) => {
            tracing::info!(%no_way, "another node was not told where this one is");
            None
        }
    }
}

/// Looks after the membership while this node leads.
pub(super) async fn run(replica: Replica) {
    let mut seat = replica.watch_seat();
    loop {
        if *seat.borrow_and_update() != Seat::Here {
            if seat.changed().await.is_err() {
                return;
            }
            continue;
        }
        let acted = match replica.linearize().await {
            Ok(()) => look(&replica).await,
            Err(_) => false,
        };
        if !acted {
            tokio::select! {
                () = tokio::time::sleep(PAUSE) => {}
                () = replica.inner.book.changed() => {}
                changed = seat.changed() => if changed.is_err() { return },
            }
        }
    }
}

/// Makes the first change that is due; whether there was one.
async fn look(replica: &Replica) -> bool {
    let Ok(nodes) = replica.read(query::node::active).await else { return false };
    if let Some(command) = nodes.iter().find_map(|node| moved(replica, node)) {
        let proposed = replica.propose(Envelope::own(replica.now(), command)).await;
        return proposed.is_ok();
    }
    let metrics = replica.inner.raft.metrics().borrow_watched().clone();
    let membership = metrics.membership_config.membership();
    let members: BTreeSet<u64> = membership.nodes().map(|(id, _)| *id).collect();
    let voters: BTreeSet<u64> = membership.voter_ids().collect();
    let active: BTreeSet<u64> = nodes.iter().map(|node| node.id).collect();
    // A state without nodes is of the release before there were any.
    if active.is_empty() {
        return false;
    }
    if let Some(gone) = members.iter().find(|id| !active.contains(id)) {
        return remove(replica, *gone, &voters).await;
    }
    let newcomer =
        nodes.iter().find(|node| !members.contains(&node.id) && !node.cluster.is_empty());
    if let Some(node) = newcomer {
        let peer = Peer { cluster: node.cluster.clone(), http: node.http.clone() };
        tracing::info!(node = node.id, address = node.cluster, "a node becomes a learner");
        let adding = replica.inner.raft.add_learner(node.id, peer, false);
        return done("a learner was not added", tokio::time::timeout(CHANGE_TIME, adding).await);
    }
    let last = metrics.last_log_index.unwrap_or(0);
    let matched = |id: &u64| {
        let log_id = metrics.replication.as_ref()?.get(id)?.as_ref()?;
        Some(log_id.index)
    };
    let ready = members.iter().find(|id| {
        !voters.contains(id)
            && matched(id).is_some_and(|index| index + limit::LEARNER_LAG_ENTRIES >= last)
    });
    let Some(ready) = ready else { return false };
    tracing::info!(node = ready, "a learner has caught up and becomes a voter");
    change(replica, ChangeMembers::AddVoterIds(BTreeSet::from([*ready])), true).await
}

/// The command that is due if a node is elsewhere than the state says.
fn moved(replica: &Replica, node: &query::node::Node) -> Option<Command> {
    let about = replica.inner.book.told(node.id)?;
    let same = about.address == node.cluster && about.http == node.http;
    (!same).then_some(Command::PlaceNode {
        node: node.id,
        cluster: about.address,
        http: about.http,
    })
}

async fn remove(replica: &Replica, node: u64, voters: &BTreeSet<u64>) -> bool {
    if node == replica.node() {
        // The next leader removes this one, as any other node.
        let handed = replica.hand_over(None).await;
        return matches!(handed, Ok(Some(_)));
    }
    if voters.contains(&node)
        && let Err(why) = replica.check_removal(node).await
    {
        tracing::warn!(node, why, "a node that was removed still votes");
        return false;
    }
    tracing::info!(node, "a node leaves the cluster");
    let gone = BTreeSet::from([node]);
    if voters.contains(&node) {
        return change(replica, ChangeMembers::RemoveVoters(gone), false).await;
    }
    change(replica, ChangeMembers::RemoveNodes(gone), false).await
}

async fn change(replica: &Replica, change: ChangeMembers<u64, Peer>, retain: bool) -> bool {
    let changing = replica.inner.raft.change_membership(change, retain);
    done("the membership was not changed", tokio::time::timeout(CHANGE_TIME, changing).await)
}

fn done<T, E: std::fmt::Display>(
    what: &str,
    result: Result<Result<T, E>, tokio::time::error::Elapsed>,
) -> bool {
    match result {
        Ok(Ok(_)) => true,
        Ok(Err(error)) => {
            tracing::warn!(%error, "{what}");
            false
        }
        Err(_) => {
            tracing::warn!("{what} in time; it is tried again");
            false
        }
    }
}
