//! What each member of the cluster can run: its release and the highest level of the schema.

use futures_util::future::join_all;
use openraft::async_runtime::watch::WatchReceiver;

use crate::store::schema::NEWEST;

use super::replica::Replica;
use super::wire::Service;

/// A build of Greenroom, as it says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Build {
    /// The release.
    pub version: String,
    /// The highest level of the schema that it can run.
    pub level: u32,
}

/// What a member can run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Capability {
    /// Which member.
    pub node: u64,
    /// What runs there; `None` if it does not answer now.
    pub build: Option<Build>,
}

/// This build.
pub(super) fn own_build() -> Build {
    Build { version: env!("CARGO_PKG_VERSION").to_owned(), level: NEWEST }
}

impl Replica {
    /// Asks every member, voter or learner, what it can run. What one said before does not count:
    /// it may have gone back since.
    pub async fn capabilities(&self) -> Vec<Capability> {
        let ask = async |node| Capability { node, build: self.build_of(node).await };
        join_all(self.members().into_iter().map(ask)).await
    }

    /// Whether the voters that stay when this one goes could decide: they are asked now, because a
    /// change that they cannot decide would leave the cluster between two memberships. If not, why.
    pub async fn check_removal(&self, gone: u64) -> Result<(), String> {
        let rest: Vec<u64> = self.voters().into_iter().filter(|voter| *voter != gone).collect();
        let ask = async |node| (node, self.build_of(node).await.is_some());
        let asked: Vec<(u64, bool)> = join_all(rest.into_iter().map(ask)).await;
        let silent: Vec<String> = asked
            .iter()
            .filter(|(_, answers)| !answers)
            .map(|(node, _)| node.to_string())
            .collect();
        if asked.len() - silent.len() > asked.len() / 2 {
            return Ok(());
        }
        Err(format!(
            "without node {gone} the others have no majority that answers (silent: {}); start \
             those, or remove a silent one first",
            silent.join(", ")
        ))
    }

    async fn build_of(&self, node: u64) -> Option<Build> {
        if node == self.node() {
            return Some(own_build());
        }
        let dialer = self.inner.dialer.get()?;
        if let Err(no_way) = dialer.dial(node, Service::Presence).await {
            tracing::info!(%no_way, "a member did not say what it can run");
            return None;
        }
        // The greeting has told the book.
        let about = self.inner.book.told(node)?;
        Some(Build { version: about.version, level: about.level })
    }

    /// The members of the cluster, by id.
    pub(super) fn members(&self) -> Vec<u64> {
        let metrics = self.inner.raft.metrics();
        let now = metrics.borrow_watched();
        now.membership_config.nodes().map(|(id, _)| *id).collect()
    }
}
