//! Where requests are answered: here, at another node, or nowhere for the moment.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use openraft::async_runtime::watch::WatchReceiver;
use openraft::{Instant as _, Raft, RaftMetrics};
use tokio::sync::watch;

use super::machine_adapter::MachineAdapter;
use super::raft_types::Types;

/// Where requests are answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seat {
    /// This node leads.
    Here,
    /// Another node leads.
    There(u64),
    /// Nobody leads, as far as this node knows.
    Nowhere,
}

/// When this node last heard from a leader. Clones share it.
#[derive(Clone, Default)]
pub(super) struct Heard(Arc<Mutex<Option<Instant>>>);

/// Without a word from the leader, or from a majority to the leader, for so long nobody leads as
/// far as this node can say: some elections have failed by then.
const SILENCE: Duration = Duration::from_secs(2);

/// Between two looks whether it has become silent.
const LOOK: Duration = Duration::from_millis(200);

impl Heard {
    /// A leader has spoken.
    pub(super) fn now(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
    }

    fn is_recent(&self) -> bool {
        let at = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        at.is_some_and(|at| at.elapsed() < SILENCE)
    }
}

/// Follows consensus; told of changes only.
pub(super) fn watch(raft: &Raft<Types, MachineAdapter>, heard: Heard) -> watch::Receiver<Seat> {
    let mut metrics = raft.metrics();
    let node = *raft.node_id();
    let (tell, told) = watch::channel(Seat::Nowhere);
    tokio::spawn(async move {
        let mut since = Instant::now();
        let mut leader = None;
        loop {
            let now = metrics.borrow_watched().clone();
            if now.current_leader != leader {
                // A new one gets its time to be heard.
                (leader, since) = (now.current_leader, Instant::now());
            }
            let fresh = since.elapsed() < SILENCE;
            let seat = match leader {
                Some(leader) if leader == node => {
                    match fresh || is_alone(&now) || has_majority(&now) {
                        true => Seat::Here,
                        false => Seat::Nowhere,
                    }
                }
                Some(leader) if fresh || heard.is_recent() => Seat::There(leader),
                _ => Seat::Nowhere,
            };
            tell.send_if_modified(|before| std::mem::replace(before, seat) != seat);
            tokio::select! {
                changed = metrics.changed() => if changed.is_err() { return },
                () = tokio::time::sleep(LOOK) => {}
            }
        }
    });
    told
}

fn is_alone(now: &RaftMetrics<Types>) -> bool {
    now.membership_config.voter_ids().all(|voter| voter == now.id)
}

/// Whether a majority has answered this leader lately.
fn has_majority(now: &RaftMetrics<Types>) -> bool {
    now.last_quorum_acked.is_some_and(|at| at.elapsed() < SILENCE)
}
