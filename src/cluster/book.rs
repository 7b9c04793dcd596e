//! Where the other nodes are. The state says it; a node that has moved says it sooner.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;
use tokio::sync::futures::Notified;

use crate::store::query;
use crate::store::state::State;

use super::identity::Neighbour;
use super::wire::About;

/// The addresses of the other nodes.
#[derive(Clone)]
pub(super) struct Book {
    pages: Arc<Mutex<Pages>>,
    changed: Arc<Notify>,
    cast_out: Arc<AtomicBool>,
    unreachable: Arc<Mutex<BTreeSet<u64>>>,
    state: Arc<State>,
}

#[derive(Default)]
struct Pages {
    /// What nodes have said of themselves since this one started.
    told: BTreeMap<u64, About>,
    /// What was known when this node was admitted.
    first: BTreeMap<u64, Neighbour>,
}

impl Book {
    pub(super) fn new(state: Arc<State>, first: &[Neighbour]) -> Book {
        let first = first.iter().map(|peer| (peer.node, peer.clone())).collect();
        let pages = Pages { told: BTreeMap::new(), first };
        Book {
            pages: Arc::new(Mutex::new(pages)),
            changed: Arc::default(),
            cast_out: Arc::default(),
            unreachable: Arc::default(),
            state,
        }
    }

    /// A node has said where it is and how it stands.
    pub(super) fn tell(&self, node: u64, about: About) {
        let before = self.open().told.insert(node, about.clone());
        if before.as_ref() != Some(&about) {
            self.changed.notify_waiters();
        }
    }

    /// What a node has said of itself.
    pub(super) fn told(&self, node: u64) -> Option<About> {
        self.open().told.get(&node).cloned()
    }

    /// Waits until somebody says something new.
    pub(super) fn changed(&self) -> Notified<'_> {
        self.changed.notified()
    }

    /// Logs whether a node can be reached, when that changes: consensus tries many times a second.
    pub(super) fn reach(&self, node: u64, why_not: Option<&str>) {
        let mut unreachable = self.unreachable.lock().unwrap_or_else(PoisonError::into_inner);
        match why_not {
            Some(why) if unreachable.insert(node) => {
                tracing::warn!(node, why, "another node cannot be reached");
            }
            None if unreachable.remove(&node) => {
                tracing::info!(node, "another node can be reached again");
            }
            _ => {}
        }
    }

    /// Another node says that this one was removed from the cluster.
    pub(super) fn cast_out(&self) {
        if !self.cast_out.swap(true, Ordering::AcqRel) {
            tracing::error!("this node does not belong to the cluster any more");
            self.changed.notify_waiters();
        }
    }

    /// Whether this node was removed.
    pub(super) fn is_cast_out(&self) -> bool {
        self.cast_out.load(Ordering::Acquire)
    }

    /// Where to reach a node. May read the disk.
    pub(super) fn address(&self, node: u64) -> Option<String> {
        if let Some(about) = self.told(node) {
            return Some(about.address);
        }
        if let Ok(Some(known)) = self.state.read(|db| query::node::by_id(db, node))
            && !known.cluster.is_empty()
        {
            return Some(known.cluster);
        }
        self.open().first.get(&node).map(|peer| peer.cluster.clone())
    }

    /// Every node that anybody has named, but for those that were removed. May read the disk.
    pub(super) fn everybody(&self) -> Vec<u64> {
        let known = self.state.read(query::node::active).unwrap_or_default();
        if known.is_empty() {
            return self.open().first.keys().copied().collect();
        }
        known.into_iter().map(|node| node.id).collect()
    }

    /// Whether a node was removed. May read the disk.
    pub(super) fn is_removed(&self, node: u64) -> bool {
        let known = self.state.read(|db| query::node::by_id(db, node));
        matches!(known, Ok(Some(node)) if node.retired_at.is_some())
    }

    fn open(&self) -> MutexGuard<'_, Pages> {
        self.pages.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
