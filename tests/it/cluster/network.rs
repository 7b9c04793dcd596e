//! Cut networks: each node in a network namespace of its own, its packets to others lost in one
//! direction or both, without a word to either side.

use std::process::Command;
use std::sync::atomic::Ordering;

use futures_util::future::join_all;

use crate::api::Api;
use crate::deadline::until;
use crate::durability::Chance;
use crate::node::Node;
use crate::org::Org;

use super::Cluster;
use super::chaos::{Writers, check, wait_for};

/// Namespaces on one bridge, which go with this value.
struct Wires {
    names: Vec<String>,
    bridge: String,
    subnet: String,
}

/// A hardware address that nobody has: what is sent there is lost.
const NOWHERE: &str = "02:00:00:00:00:fe";

fn ip(words: &str) -> Result<(), String> {
    let output = Command::new("ip").args(words.split(' ')).output().map_err(|e| e.to_string())?;
    match output.status.success() {
        true => Ok(()),
        false => Err(format!("ip {words}: {}", String::from_utf8_lossy(&output.stderr))),
    }
}

impl Wires {
    /// So many namespaces, or why there can be none.
    fn lay(count: usize) -> Result<Wires, String> {
        let id = std::process::id();
        let mut wires = Wires {
            names: Vec::new(),
            bridge: format!("g{id}b"),
            subnet: format!("10.{}.{}", 200 + id % 50, id / 50 % 250),
        };
        let bridge = wires.bridge.clone();
        ip(&format!("link add {bridge} type bridge"))?;
        ip(&format!("addr add {}.254/24 dev {bridge}", wires.subnet))?;
        ip(&format!("link set {bridge} up"))?;
        for n in 0..count {
            let (name, wire) = (format!("g{id}n{n}"), format!("g{id}v{n}"));
            ip(&format!("netns add {name}"))?;
            wires.names.push(name.clone());
            ip(&format!("link add {wire} type veth peer name eth0 netns {name}"))?;
            ip(&format!("link set {wire} master {bridge} up"))?;
            ip(&format!("-n {name} addr add {}/24 dev eth0", wires.address(n)))?;
            ip(&format!("-n {name} link set eth0 up"))?;
            ip(&format!("-n {name} link set lo up"))?;
        }
        Ok(wires)
    }

    fn address(&self, n: usize) -> String {
        format!("{}.{}", self.subnet, n + 1)
    }

    fn listen(&self, n: usize) -> String {
        format!("{}:0", self.address(n))
    }

    fn within(&self, n: usize) -> Vec<String> {
        ["ip", "netns", "exec", &self.names[n]].map(str::to_owned).to_vec()
    }

    /// From now on the packets of one to the other are lost.
    fn cut(&self, from: usize, to: usize) {
        let (name, to) = (&self.names[from], self.address(to));
        ip(&format!("-n {name} neigh replace {to} lladdr {NOWHERE} dev eth0 nud permanent"))
            .unwrap();
    }

    fn mend(&self, from: usize, to: usize) {
        let (name, to) = (&self.names[from], self.address(to));
        ip(&format!("-n {name} neigh del {to} dev eth0")).unwrap();
    }
}

impl Drop for Wires {
    fn drop(&mut self) {
        for name in &self.names {
            let _ = ip(&format!("netns del {name}"));
        }
        let _ = ip(&format!("link del {}", self.bridge));
    }
}

#[tokio::test]
async fn cut_networks_lose_and_double_nothing() {
    let wires = match Wires::lay(3) {
        Ok(wires) => wires,
        Err(why) => {
            println!("skipped: no network namespaces here ({why})");
            return;
        }
    };
    let first = Node::start_in(&wires.within(0), &wires.listen(0));
    let mut cluster = Cluster { org: Org::on(first).await, others: Vec::new() };
    for n in 1..3 {
        let node = Node::join_in(&cluster.org.node, &wires.within(n), &wires.listen(n));
        cluster.others.push(node);
    }
    cluster.wait_until_all_vote().await;
    let mut chance = Chance::new();
    let nodes: Vec<Api> = (0..3).map(|n| cluster.at(n, &cluster.org.admin.api)).collect();
    let writers = Writers::new();
    let writing = join_all((0..4).map(|_| writers.run(&nodes)));
    let cutting = async {
        let mut fates = vec!["both ways", "from the leader", "to the leader", "a follower"];
        while !fates.is_empty() {
            let fate = fates.swap_remove(chance.below(fates.len() as u64) as usize);
            wait_for(&writers, 20).await;
            let leader = cluster.leader().await;
            let followers: Vec<usize> = (0..3).filter(|n| *n != leader).collect();
            let lost: Vec<(usize, usize)> = match fate {
                "both ways" => vec![
                    (leader, followers[0]),
                    (leader, followers[1]),
                    (followers[0], leader),
                    (followers[1], leader),
                ],
                "from the leader" => vec![(leader, followers[0]), (leader, followers[1])],
                "to the leader" => vec![(followers[0], leader), (followers[1], leader)],
                _ => {
                    let follower = followers[chance.below(2) as usize];
                    (0..3)
                        .filter(|n| *n != follower)
                        .flat_map(|n| [(n, follower), (follower, n)])
                        .collect()
                }
            };
            eprintln!("node {} leads; cut: {fate} {lost:?}", leader + 1);
            for (from, to) in &lost {
                wires.cut(*from, *to);
            }
            if fate != "a follower" {
                until("the others to choose a leader", async || {
                    let seen = cluster.overview(followers[0]).await?;
                    (seen["leader"].as_u64()? != leader as u64 + 1).then_some(())
                })
                .await;
            }
            wait_for(&writers, 20).await;
            for (from, to) in &lost {
                wires.mend(*from, *to);
            }
            cluster.leader().await;
        }
        writers.stop.store(true, Ordering::Relaxed);
    };
    tokio::join!(writing, cutting);
    eprintln!("{} acknowledged", writers.count());
    check(&cluster, &writers).await;
}
