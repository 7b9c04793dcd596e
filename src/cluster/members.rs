//! Who is in the cluster: papers for nodes, how each stands, handing over, leaving.

use std::sync::PoisonError;
use std::time::Duration;

use openraft::Instant as _;
use openraft::async_runtime::watch::WatchReceiver;

use crate::domain::command::{Command, Envelope, Outcome};
use crate::domain::id::ClusterId;
use crate::store::Fault;
use crate::store::query;

use super::authority;
use super::dial::Dialer;
use super::identity::{Identity, Neighbour, Papers};
use super::port::{self, Port};
use super::replica::{Replica, Unavailable};
use super::seat::Seat;
use super::steward;
use super::tls::Tls;
use super::wire::About;

/// How the cluster stands, as one node sees it.
#[derive(Clone, Debug)]
pub struct Overview {
    /// Who leads.
    pub leader: Option<u64>,
    /// The Raft term.
    pub term: u64,
    /// Every node, by id.
    pub nodes: Vec<NodeView>,
}

/// How a node stands.
#[derive(Clone, Debug)]
pub struct NodeView {
    /// Its id.
    pub id: u64,
    /// Where other nodes reach it.
    pub address: String,
    /// Where people reach it.
    pub http: String,
    /// What it is.
    pub role: Role,
    /// The last entry of the log that it is known to have; the leader knows of everybody.
    pub matched: Option<u64>,
    /// Entries that it lacks.
    pub lag: Option<u64>,
    /// Since when the leader has not heard from it.
    pub last_contact_ms: Option<u64>,
    /// Its release, once it has said so.
    pub version: Option<String>,
    /// The highest level of the schema that it can run, once it has said so.
    pub level: Option<u32>,
}

/// What a node is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// It leads.
    Leader,
    /// It votes.
    Voter,
    /// It receives the log and does not vote yet.
    Learner,
    /// It was admitted and has not come yet, or is on its way out.
    Outside,
}

/// What a machine gets that was admitted.
pub struct Admission {
    /// Its id.
    pub node: u64,
    /// The cluster.
    pub cluster: ClusterId,
    /// Its certificate (PEM).
    pub certificate: String,
    /// The authority's certificate (PEM).
    pub authority: String,
    /// The nodes that it can turn to.
    pub peers: Vec<Neighbour>,
}

/// How long handing over may take: a healthy follower needs tens of milliseconds.
const HAND_OVER_TIME: Duration = Duration::from_secs(2);

impl Role {
    /// Its name in documents.
    pub fn as_str(self) -> &'static str {
        match self {
            Role::Leader => "leader",
            Role::Voter => "voter",
            Role::Learner => "learner",
            Role::Outside => "outside",
        }
    }
}

impl Replica {
    /// This node's id.
    pub fn node(&self) -> u64 {
        self.inner.node
    }

    /// Gives the cluster its authority and this node its papers, if they are missing. Only the node
    /// that founds a cluster, alone in it, has to.
    pub async fn certify_founder(&self) -> Result<(), Fault> {
        if self.inner.dialer.get().is_some() || !self.read(query::level::keeps_nodes).await? {
            return Ok(());
        }
        let Some(cluster) = self.read(query::cluster::identity).await?.map(|i| i.cluster_id) else {
            return Err(Fault::plain("the cluster was not founded"));
        };
        let key = authority::machine_key()?;
        let authority = match self.read(query::node::authority).await? {
            Some(authority) => authority,
            None => self.keep_authority(cluster, &key.public).await?,
        };
        let certificate = authority::certify(cluster, &authority.key, self.node(), &key.public)?;
        let papers =
            Papers { cluster, key: key.private, certificate, authority: authority.certificate };
        let loaded = Identity::load(&self.inner.directory)?;
        let mut identity = loaded.unwrap_or_else(|| Identity::new(self.node()));
        identity.papers = Some(papers.clone());
        identity.anew = None;
        identity.save(&self.inner.directory)?;
        self.open_port(&papers)
    }

    async fn keep_authority(
        &self,
        cluster: ClusterId,
        public: &str,
    ) -> Result<query::node::Authority, Fault> {
        let (certificate, key) = authority::found(cluster)?;
        let public_key = authority::fingerprint(public)
            .ok_or_else(|| Fault::plain("this node's own key is of no use"))?;
        let (kept, node) = (certificate.clone(), self.node());
        let command =
            Command::KeepAuthority { certificate: kept, key: key.clone(), node, public_key };
        match self.propose(Envelope::own(self.now(), command)).await {
            Ok(Outcome::Done) => Ok(query::node::Authority { certificate, key }),
            Ok(other) => Err(Fault::plain(format!("the authority was not kept: {other:?}"))),
            Err(unavailable) => Err(Fault::new("the authority was not kept", unavailable)),
        }
    }

    /// Opens the cluster port and begins to look after the membership.
    pub(super) fn open_port(&self, papers: &Papers) -> Result<(), Fault> {
        let inner = &self.inner;
        let dialer = Dialer {
            node: inner.node,
            cluster: papers.cluster,
            tls: Tls::new(papers)?,
            book: inner.book.clone(),
            about: inner.about.clone(),
        };
        let listener = inner.listener.lock().unwrap_or_else(PoisonError::into_inner).take();
        let (Some(listener), Ok(())) = (listener, inner.dialer.set(dialer.clone())) else {
            return Ok(());
        };
        let port = Port {
            raft: inner.raft.clone(),
            dialer,
            snapshots: inner.directory.snapshots(),
            heard: inner.heard.clone(),
            on_guest: inner.on_guest.clone(),
        };
        let mut beside = inner.beside.lock().unwrap_or_else(PoisonError::into_inner);
        beside.spawn(port::run(port, listener));
        beside.spawn(steward::announce(self.clone()));
        beside.spawn(steward::run(self.clone()));
        Ok(())
    }

    /// What an admitted machine needs: its certificate, and whom to turn to.
    pub async fn admission(&self, node: u64, public: &str) -> Result<Admission, Fault> {
        let read = |db: &query::Connection| {
            let identity = query::cluster::identity(db)?;
            Ok((identity, query::node::authority(db)?, query::node::active(db)?))
        };
        let (Some(identity), Some(authority), nodes) = self.read(read).await? else {
            return Err(Fault::plain("this cluster has no authority yet"));
        };
        let cluster = identity.cluster_id;
        let certificate = authority::certify(cluster, &authority.key, node, public)?;
        let peers = nodes
            .into_iter()
            .filter(|peer| peer.id != node && !peer.cluster.is_empty())
            .map(|peer| Neighbour { node: peer.id, cluster: peer.cluster, http: peer.http })
            .collect();
        Ok(Admission { node, cluster, certificate, authority: authority.certificate, peers })
    }

    /// How the cluster stands, as this node sees it; only the leader knows how far the others are.
    pub async fn overview(&self) -> Result<Overview, Fault> {
        let known = self.read(query::node::active).await?;
        let metrics = self.inner.raft.metrics().borrow_watched().clone();
        // Who led before the last stop is no news: one that is not heard of leads nobody.
        let leader = metrics.current_leader.filter(|_| self.seat() != Seat::Nowhere);
        let membership = metrics.membership_config.membership();
        let own = self.inner.about.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let last = metrics.last_log_index.unwrap_or(0);
        let view = |node: query::node::Node| {
            let told: Option<About> = match node.id == self.node() {
                true => Some(own.clone()),
                false => self.inner.book.told(node.id),
            };
            let role = if leader == Some(node.id) {
                Role::Leader
            } else if membership.voter_ids().any(|voter| voter == node.id) {
                Role::Voter
            } else if membership.get_node(&node.id).is_some() {
                Role::Learner
            } else {
                Role::Outside
            };
            let replication = metrics.replication.as_ref().and_then(|all| all.get(&node.id));
            let matched = replication.map(|log_id| log_id.as_ref().map_or(0, |id| id.index));
            let heartbeat = metrics.heartbeat.as_ref().and_then(|all| all.get(&node.id));
            let contact = heartbeat.and_then(|at| at.as_ref());
            let last_contact_ms = match node.id == self.node() && role == Role::Leader {
                true => Some(0),
                false => contact.map(|at| at.elapsed().as_millis() as u64),
            };
            let about = told.clone();
            NodeView {
                id: node.id,
                address: about.as_ref().map_or(node.cluster, |about| about.address.clone()),
                http: about.as_ref().map_or(node.http, |about| about.http.clone()),
                role,
                matched,
                lag: matched.map(|matched| last.saturating_sub(matched)),
                last_contact_ms,
                version: told.as_ref().map(|about| about.version.clone()),
                level: told.map(|about| about.level),
            }
        };
        let nodes = known.into_iter().map(view).collect();
        Ok(Overview { leader, term: metrics.current_term, nodes })
    }

    /// Hands leadership to another voter: to this one, or to the one with most of the log that was
    /// heard of lately. `None` if there is nobody to hand it to.
    pub async fn hand_over(&self, to: Option<u64>) -> Result<Option<u64>, Unavailable> {
        let raft = &self.inner.raft;
        let metrics = raft.metrics().borrow_watched().clone();
        if metrics.current_leader != Some(self.node()) {
            return Err(Unavailable::NoLeader);
        }
        let Some(target) = to.or_else(|| heir(&metrics)) else { return Ok(None) };
        raft.trigger()
            .transfer_leader(target)
            .await
            .map_err(|fatal| Unavailable::Stopped(fatal.to_string()))?;
        let mut watched = raft.server_metrics();
        let waiting = async {
            loop {
                match watched.borrow_watched().current_leader {
                    Some(leader) if leader != self.node() => return Some(leader),
                    _ => {}
                }
                if watched.changed().await.is_err() {
                    return None;
                }
            }
        };
        match tokio::time::timeout(HAND_OVER_TIME, waiting).await {
            Ok(Some(leader)) => Ok(Some(leader)),
            _ => Err(Unavailable::Unknown),
        }
    }

    /// Whether the log's membership still names a node.
    pub fn is_member(&self, node: u64) -> bool {
        let metrics = self.inner.raft.metrics().borrow_watched().clone();
        metrics.membership_config.membership().get_node(&node).is_some()
    }

    /// The nodes that vote.
    pub fn voters(&self) -> Vec<u64> {
        let metrics = self.inner.raft.metrics().borrow_watched().clone();
        metrics.membership_config.membership().voter_ids().collect()
    }
}

/// The voter that would make the best next leader.
fn heir(metrics: &openraft::RaftMetrics<super::raft_types::Types>) -> Option<u64> {
    let replication = metrics.replication.as_ref()?;
    metrics
        .membership_config
        .membership()
        .voter_ids()
        .filter(|voter| *voter != metrics.id)
        .max_by_key(|voter| {
            let heard = metrics.heartbeat.as_ref().and_then(|all| all.get(voter));
            let heard = heard.and_then(|at| at.as_ref()).map(|at| **at);
            let matched = replication.get(voter).and_then(|log_id| log_id.as_ref());
            // Somebody who was just heard of; among those, the one with most of the log.
            let fresh = heard.is_some_and(|at| at.elapsed() < Duration::from_secs(1));
            (fresh, matched.map(|log_id| log_id.index), std::cmp::Reverse(*voter))
        })
}
