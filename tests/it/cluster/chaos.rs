//! Nodes die and freeze under load: what was acknowledged is there, once, on every node.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use axum::http::Method;
use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::api::{Api, items};
use crate::deadline::until;
use crate::node::Node;

use super::Cluster;

/// Makes interviews, each under a key of its own and again until it is acknowledged, at one node
/// after the other. How often a title was acknowledged as a new one.
pub(super) struct Writers {
    next: AtomicUsize,
    pub(super) stop: AtomicBool,
    acknowledged: Mutex<BTreeMap<String, String>>,
}

impl Writers {
    pub(super) fn new() -> Writers {
        let (next, stop) = (AtomicUsize::new(0), AtomicBool::new(false));
        Writers { next, stop, acknowledged: Mutex::default() }
    }

    pub(super) fn count(&self) -> usize {
        self.acknowledged.lock().unwrap().len()
    }

    pub(super) async fn run(&self, nodes: &[Api]) {
        while !self.stop.load(Ordering::Relaxed) {
            let n = self.next.fetch_add(1, Ordering::Relaxed);
            let title = format!("interview {n}");
            let body = json!({"kind": "practice", "title": title});
            for turn in n.. {
                let api = &nodes[turn % nodes.len()];
                let call = api.call(Method::POST, "/api/v1/interviews").key(&title).json(&body);
                match call.try_send().await {
                    Some(reply) if reply.status == 201 => {
                        let id = reply.json()["id"].as_str().unwrap().to_owned();
                        self.acknowledged.lock().unwrap().insert(title, id);
                        break;
                    }
                    Some(reply) => assert!([409, 503].contains(&reply.status), "{}", reply.text()),
                    None => tokio::task::yield_now().await,
                }
            }
        }
    }
}

/// Every interview that a node itself has: title to id. Fails on a title that is there twice.
async fn stored(api: &Api) -> Option<BTreeMap<String, String>> {
    let mut found = BTreeMap::new();
    let mut path = "/api/v1/interviews?stale=ok&limit=100".to_owned();
    loop {
        let reply = api.get(&path).await;
        if reply.status != 200 {
            return None;
        }
        let page = reply.json();
        for interview in items(&page) {
            let text = |field: &str| interview[field].as_str().unwrap().to_owned();
            let twice = found.insert(text("title"), text("id"));
            assert_eq!(twice, None, "{} is there twice", text("title"));
        }
        match &page["next"] {
            Value::String(next) => {
                path = format!("/api/v1/interviews?stale=ok&limit=100&cursor={next}");
            }
            _ => return Some(found),
        }
    }
}

/// Every node ends up with all that was acknowledged, and with the same.
pub(super) async fn check(cluster: &Cluster, writers: &Writers) {
    let acknowledged = writers.acknowledged.lock().unwrap().clone();
    let mut all = Vec::new();
    for n in cluster.running() {
        let api = cluster.at(n, &cluster.org.admin.api);
        let found = until("a node to catch up", async || {
            let found = stored(&api).await?;
            acknowledged.keys().all(|title| found.contains_key(title)).then_some(found)
        })
        .await;
        for (title, id) in &acknowledged {
            assert_eq!(&found[title], id, "{title} at node {}", n + 1);
        }
        all.push(found);
    }
    all.dedup();
    assert_eq!(all.len(), 1, "the nodes have the same");
}

pub(super) async fn wait_for(writers: &Writers, more: usize) {
    let goal = writers.count() + more;
    until("writes to go on", async || (writers.count() >= goal).then_some(())).await;
}

#[tokio::test]
async fn the_leader_is_killed_again_and_again_under_load() {
    let mut cluster = Cluster::start(3).await;
    let writers = Writers::new();
    let mut kills = Vec::new();
    for _ in 0..4 {
        writers.stop.store(false, Ordering::Relaxed);
        // A node that comes back has another port.
        let nodes: Vec<Api> = (0..3).map(|n| cluster.at(n, &cluster.org.admin.api)).collect();
        let writing = join_all((0..4).map(|_| writers.run(&nodes)));
        let killing = async {
            wait_for(&writers, 20).await;
            let leader = cluster.leader().await;
            kills.push(leader + 1);
            cluster.kill(leader);
            wait_for(&writers, 20).await;
            writers.stop.store(true, Ordering::Relaxed);
            leader
        };
        let (_, leader) = tokio::join!(writing, killing);
        cluster.restart(leader);
    }
    eprintln!("killed the leader of each round: {kills:?}, {} acknowledged", writers.count());
    check(&cluster, &writers).await;
}

#[tokio::test]
async fn all_nodes_are_killed_at_once_and_come_back() {
    let mut cluster = Cluster::start(3).await;
    let writers = Writers::new();
    let nodes: Vec<Api> = (0..3).map(|n| cluster.at(n, &cluster.org.admin.api)).collect();
    let writing = join_all((0..4).map(|_| writers.run(&nodes)));
    let killing = async {
        wait_for(&writers, 30).await;
        writers.stop.store(true, Ordering::Relaxed);
    };
    tokio::join!(writing, killing);
    for n in 0..3 {
        cluster.kill(n);
    }
    cluster.restart_all().await;
    check(&cluster, &writers).await;
}

#[tokio::test]
async fn one_of_three_comes_up_alone_and_says_so() {
    let mut cluster = Cluster::start(3).await;
    let leader = cluster.leader().await;
    let admin = cluster.org.admin.api.clone();
    let body = json!({"kind": "practice", "title": "Before"});
    cluster.at(leader, &admin).post("/api/v1/interviews", body).await.ok(201);
    // A majority has it, which need not be this one: what is asked below is what it has.
    let other = (leader + 1) % 3;
    let follower = cluster.at(other, &admin);
    until("the follower to have it too", async || {
        stored(&follower).await?.contains_key("Before").then_some(())
    })
    .await;
    for n in 0..3 {
        cluster.kill(n);
    }
    // Once the one that led, once one that did not.
    for n in [leader, other] {
        cluster.restart(n);
        let api = cluster.at(n, &admin);
        assert_eq!(api.get("/readyz").await.status, 503);
        let seen = api.get("/api/v1/interviews?stale=ok").await.ok(200);
        assert_eq!(items(&seen)[0]["title"], "Before");
        assert_eq!(cluster.overview(n).await.unwrap()["leader"], Value::Null);
        let body = json!({"kind": "practice", "title": "Alone"});
        api.post("/api/v1/interviews", body).await.refused(503, "cluster.no_leader");
        cluster.kill(n);
    }
    cluster.restart_all().await;
    let api = cluster.at(leader, &admin);
    let seen = api.get("/api/v1/interviews").await.ok(200);
    assert_eq!(items(&seen).len(), 1, "what was refused is not there");
}

#[tokio::test]
async fn a_frozen_leader_shows_nothing_old_when_it_wakes() {
    let cluster = Cluster::start(3).await;
    let leader = cluster.leader().await;
    let other = cluster.followers().await[0];
    let admin = cluster.at(other, &cluster.org.admin.api);
    let context = |words: &str| {
        json!({"cv_text": words, "job_description": "",
        "target_role": "", "mode": "general", "assist_intensity": 1})
    };
    for round in 0..3 {
        let frozen = cluster.node(leader);
        frozen.freeze();
        let words = format!("written while node {} was frozen, {round}", leader + 1);
        until("a write without it", async || {
            let reply = admin.put("/api/v1/me/context", context(&words)).await;
            (reply.status == 200).then_some(())
        })
        .await;
        // The question is asked before it wakes: it may not answer from what it had.
        let sleeper = cluster.at(leader, &cluster.org.admin.api);
        let asking = tokio::spawn(async move {
            sleeper.call(Method::GET, "/api/v1/me/context").try_send().await
        });
        tokio::task::yield_now().await;
        frozen.thaw();
        if let Some(reply) = asking.await.unwrap() {
            assert!([200, 503].contains(&reply.status), "{}", reply.text());
            if reply.status == 200 {
                assert_eq!(reply.json()["cv_text"], words.as_str());
            }
        }
        let again = cluster.at(leader, &cluster.org.admin.api);
        until("the one that woke to answer", async || {
            let reply = again.get("/api/v1/me/context").await;
            if reply.status == 200 {
                assert_eq!(reply.json()["cv_text"], words.as_str());
            }
            (reply.status == 200).then_some(())
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_node_catches_up_while_writes_go_on() {
    let cluster = Cluster::start(1).await;
    let writers = Writers::new();
    let nodes = [cluster.at(0, &cluster.org.admin.api)];
    let writing = join_all((0..8).map(|_| writers.run(&nodes)));
    let joining = async {
        wait_for(&writers, 200).await;
        let node = tokio::task::block_in_place(|| Node::join(cluster.node(0)));
        wait_for(&writers, 20).await;
        writers.stop.store(true, Ordering::Relaxed);
        node
    };
    let (_, node) = tokio::join!(writing, joining);
    let api = cluster.org.admin.api.at(node.address());
    until("the new node to have it all", async || {
        (stored(&api).await?.len() >= writers.count()).then_some(())
    })
    .await;
    check(&cluster, &writers).await;
}
