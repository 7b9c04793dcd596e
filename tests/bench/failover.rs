//! Three nodes whose leader goes: `cargo bench --bench failover`.
//!
//! Real processes on one machine. The leader is killed again and again (SIGKILL), and a client
//! asks a follower for the same write, under the same key, until it is acknowledged. Then a client
//! writes without a pause while leadership is handed over, and the longest time between two
//! acknowledgements counts; beside it, as a control, the same without a change of the leader.
//! Nothing here passes or fails: it prints, and people compare.

#![allow(clippy::unwrap_used, reason = "a bench that cannot go on panics, as a test does")]
#![allow(unreachable_pub, reason = "the client belongs to the tests, where it is shared")]

#[path = "../it/api.rs"]
#[allow(dead_code)]
mod api;
#[path = "../it/deadline.rs"]
#[allow(dead_code)]
mod deadline;
#[path = "../it/node.rs"]
#[allow(dead_code)]
mod node;
#[path = "../it/org.rs"]
#[allow(dead_code)]
mod org;

use std::time::{Duration, Instant};

use axum::http::Method;
use serde_json::json;

use api::Api;
use deadline::until;
use node::{Node, run};
use org::Org;

/// How often the leader is killed.
const KILLS: usize = 20;

/// How often it hands over.
const HANDOVERS: usize = 10;

/// Writes before and after a hand-over whose pauses are looked at.
const WRITES_BESIDE: usize = 100;

struct Cluster {
    org: Org,
    others: Vec<Node>,
    written: usize,
}

impl Cluster {
    fn node(&mut self, n: usize) -> &mut Node {
        if n == 0 { &mut self.org.node } else { &mut self.others[n - 1] }
    }

    fn at(&mut self, n: usize) -> Api {
        let address = self.node(n).address();
        self.org.admin.api.at(address)
    }

    /// The node that all of them say leads, when all of them vote and have what it has.
    async fn leader(&mut self) -> usize {
        let nodes: Vec<Api> = (0..3).map(|n| self.at(n)).collect();
        until("three voters and a leader", async || {
            let mut leaders = Vec::new();
            for api in &nodes {
                let reply = api.get("/api/v1/admin/cluster?stale=ok").await;
                let seen = (reply.status == 200).then(|| reply.json())?;
                let ready = seen["nodes"].as_array()?.iter().filter(|node| {
                    // Only the leader knows how far the others are.
                    let caught_up = node["lag"] == 0 || node["lag"].is_null();
                    node["role"] == "leader" || (node["role"] == "voter" && caught_up)
                });
                leaders.push((ready.count() == 3).then(|| seen["leader"].as_u64())??);
            }
            leaders.dedup();
            (leaders.len() == 1).then(|| leaders[0] as usize - 1)
        })
        .await
    }

    /// One write at this node, asked for until it is acknowledged.
    async fn write(&mut self, n: usize) {
        self.written += 1;
        let title = format!("interview {}", self.written);
        let body = json!({"kind": "practice", "title": title});
        let api = self.at(n);
        loop {
            let call = api.call(Method::POST, "/api/v1/interviews").key(&title).json(&body);
            match call.try_send().await {
                Some(reply) if reply.status == 201 => return,
                Some(reply) => assert!([409, 503].contains(&reply.status), "{}", reply.text()),
                None => tokio::task::yield_now().await,
            }
        }
    }

    async fn kill(&mut self, round: usize) -> Duration {
        let leader = self.leader().await;
        let follower = (leader + 1 + round % 2) % 3;
        self.node(leader).kill();
        let began = Instant::now();
        self.write(follower).await;
        let took = began.elapsed();
        self.node(leader).restart();
        took
    }

    /// The longest pause between acknowledgements at a follower, while this command runs.
    async fn pause(&mut self, hand_over: bool) -> Duration {
        let leader = self.leader().await;
        let follower = (leader + 1) % 3;
        let mut longest = Duration::ZERO;
        let mut last = Instant::now();
        let mut ending = None;
        let mut left = 2 * WRITES_BESIDE;
        while left > 0 {
            if left == WRITES_BESIDE && hand_over && ending.is_none() {
                let mut command = self.node(leader).command();
                ending = Some(std::thread::spawn(move || {
                    let done = run(command.args(["cluster", "stepdown"]), b"");
                    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
                }));
            }
            self.write(follower).await;
            longest = longest.max(last.elapsed());
            last = Instant::now();
            // The command takes a while to start; what follows it counts.
            if ending.as_ref().is_none_or(std::thread::JoinHandle::is_finished) {
                left -= 1;
            }
        }
        longest
    }
}

fn show(what: &str, mut times: Vec<Duration>) {
    times.sort();
    let ms = |time: &Duration| time.as_secs_f64() * 1_000.0;
    println!(
        "{what:<48} median {:>6.1} ms, worst of {} {:>6.1} ms",
        ms(&times[times.len() / 2]),
        times.len(),
        ms(&times[times.len() - 1])
    );
}

#[tokio::main]
async fn main() {
    let org = Org::found().await;
    let others = (1..3).map(|_| Node::join(&org.node)).collect();
    let mut cluster = Cluster { org, others, written: 0 };
    let mut kills = Vec::new();
    for round in 0..KILLS {
        kills.push(cluster.kill(round).await);
    }
    show("SIGKILL of the leader to the next write", kills);
    let (mut alone, mut handed) = (Vec::new(), Vec::new());
    for _ in 0..HANDOVERS {
        alone.push(cluster.pause(false).await);
        handed.push(cluster.pause(true).await);
    }
    show("longest pause of 200 writes", alone);
    show("longest pause of 200 writes and a hand-over", handed);
}
