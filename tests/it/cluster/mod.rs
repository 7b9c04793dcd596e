//! Three nodes as people see them: any of them takes any request, and one may die at any moment.

mod chaos;
mod files;
mod forwarding;
mod keys;
mod membership;
mod network;
mod sockets;

use serde_json::Value;

use crate::api::Api;
use crate::deadline::until;
use crate::node::Node;
use crate::org::Org;

/// An organisation on more than one node.
pub(crate) struct Cluster {
    /// The organisation, on the node that founded it: the first.
    pub(crate) org: Org,
    others: Vec<Node>,
}

impl Cluster {
    /// A cluster of so many voters.
    pub(crate) async fn start(nodes: usize) -> Cluster {
        let org = Org::found().await;
        let others = (1..nodes).map(|_| Node::join(&org.node)).collect();
        let cluster = Cluster { org, others };
        cluster.wait_until_all_vote().await;
        cluster
    }

    async fn wait_until_all_vote(&self) {
        until("every node to vote", async || {
            let seen = self.overview(0).await?;
            let seen = seen["nodes"].as_array()?;
            let voters = seen.iter().filter(|node| node["role"] == "voter").count();
            (voters + 1 == self.len()).then_some(())
        })
        .await;
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.others.len() + 1
    }

    /// The n-th node, in the order in which they joined.
    pub(crate) fn node(&self, n: usize) -> &Node {
        if n == 0 { &self.org.node } else { &self.others[n - 1] }
    }

    fn node_mut(&mut self, n: usize) -> &mut Node {
        if n == 0 { &mut self.org.node } else { &mut self.others[n - 1] }
    }

    /// Somebody, at the n-th node.
    pub(crate) fn at(&self, n: usize, somebody: &Api) -> Api {
        somebody.at(self.node(n).address())
    }

    /// The nodes that run.
    pub(crate) fn running(&self) -> Vec<usize> {
        (0..self.len()).filter(|n| self.node(*n).is_running()).collect()
    }

    /// Which node leads; waits until all that run agree.
    pub(crate) async fn leader(&self) -> usize {
        until("one leader", async || {
            let mut said = Vec::new();
            for n in self.running() {
                said.push(self.overview(n).await?["leader"].as_u64()?);
            }
            said.dedup();
            let [id] = said[..] else { return None };
            let leader = usize::try_from(id).ok()?.checked_sub(1)?;
            self.node(leader).is_running().then_some(leader)
        })
        .await
    }

    /// The nodes that run and do not lead.
    pub(crate) async fn followers(&self) -> Vec<usize> {
        let leader = self.leader().await;
        self.running().into_iter().filter(|n| *n != leader).collect()
    }

    /// Ends a node as a power cut would.
    pub(crate) fn kill(&mut self, n: usize) {
        self.node_mut(n).kill();
    }

    /// Starts it again.
    pub(crate) fn restart(&mut self, n: usize) {
        self.node_mut(n).restart();
    }

    /// Starts all again, at once, because they need each other.
    pub(crate) async fn restart_all(&mut self) {
        for n in 0..self.len() {
            self.node_mut(n).restart_without_waiting();
        }
        for n in 0..self.len() {
            self.node_mut(n).wait_until_up();
        }
        self.leader().await;
    }

    /// What the n-th node itself knows of the cluster.
    async fn overview(&self, n: usize) -> Option<Value> {
        let admin = self.at(n, &self.org.admin.api);
        let reply = admin.get("/api/v1/admin/cluster?stale=ok").await;
        (reply.status == 200).then(|| reply.json())
    }
}
