//! Sockets at any node: one room for all, and a leader that dies is a pause, not an end.

use futures_util::future::join_all;
use serde_json::{Value, json};

use super::Cluster;
use crate::api::{Api, text};
use crate::deadline::until;
use crate::scene;
use crate::socket::{PLAIN, Socket, ticket};

fn say(id: &str, words: &str) -> Value {
    json!({"type": "say", "id": id, "text": words})
}

fn texts(events: &[Value]) -> Vec<String> {
    let said = events.iter().filter(|event| event["kind"] == "transcript.final");
    said.map(|event| text(&event["data"]["text"])).collect()
}

fn admin(cluster: &Cluster, n: usize) -> Api {
    cluster.at(n, &cluster.org.admin.api)
}

#[tokio::test]
async fn one_room_has_sockets_at_every_node() {
    let cluster = Cluster::start(3).await;
    let practice = scene::begun(&cluster.org.admin.api).await;
    let mut sockets = Vec::new();
    for n in 0..cluster.len() {
        sockets.push(Socket::join(&admin(&cluster, n), &practice, Some(0)).await);
    }
    let connections: Vec<String> =
        sockets.iter().map(|socket| text(&socket.welcome["connection_id"])).collect();
    assert!(connections.iter().all(|id| connections.iter().filter(|own| *own == id).count() == 1));
    for n in 0..sockets.len() {
        let ack = sockets[n].act(say(&format!("from-{n}"), "Word.")).await;
        assert_eq!(ack["seq"], 3 + n);
        sockets[n].send(json!({"type": "partial", "text": format!("typing {n}")})).await;
        for (other, socket) in sockets.iter_mut().enumerate().filter(|(other, _)| *other != n) {
            let partial = socket.wait("partial").await;
            assert_eq!(partial["text"], format!("typing {n}"), "at {other}");
        }
    }
    for socket in &mut sockets {
        socket.wait_seq(5).await;
        assert_eq!(socket.events.len(), 5);
        // What two nodes say to each other is not for clients.
        let rest = socket.settle().await;
        assert!(rest.iter().all(|frame| frame["type"] != "seated"), "{rest:?}");
    }
    let (first, rest) = sockets.split_first().unwrap();
    for socket in rest {
        assert_eq!(first.events, socket.events);
    }
}

#[tokio::test]
async fn a_ticket_of_one_node_opens_a_socket_at_another_and_only_once() {
    let cluster = Cluster::start(3).await;
    let practice = scene::begun(&cluster.org.admin.api).await;
    for from in 0..cluster.len() {
        let to = (from + 1) % cluster.len();
        let ticket = ticket(&admin(&cluster, from), &practice).await;
        let api = admin(&cluster, to);
        let room = scene::id(&practice);
        let mut socket = Socket::open(&api, &room, &PLAIN).await.unwrap();
        socket.say_hello(&ticket, None).await;
        socket.wait("welcome").await;
        let mut again = Socket::open(&api, &room, &PLAIN).await.unwrap();
        again.say_hello(&ticket, None).await;
        again.ends(Some("ticket_invalid"), 1008).await;
    }
}

#[tokio::test]
async fn what_nodes_say_to_each_other_is_refused_from_a_client() {
    let cluster = Cluster::start(3).await;
    let practice = scene::begun(&cluster.org.admin.api).await;
    let room = scene::id(&practice);
    for n in 0..cluster.len() {
        let api = admin(&cluster, n);
        let mut socket = Socket::open(&api, &room, &PLAIN).await.unwrap();
        let person = &cluster.org.admin.id;
        let rehello =
            json!({"type": "rehello", "person_id": person, "session_id": null, "after": 0});
        socket.send(rehello.clone()).await;
        let refused = socket.wait("refused").await;
        assert_eq!(refused["code"], "frame.bad");
        socket.ends(None, 1008).await;
        let mut socket = Socket::join(&api, &practice, None).await;
        socket.send(rehello).await;
        assert_eq!(socket.wait("refused").await["code"], "frame.bad");
    }
}

#[tokio::test]
async fn goodbyes_and_close_codes_pass_through_a_tunnel() {
    let cluster = Cluster::start(3).await;
    let follower = cluster.followers().await[0];
    let api = admin(&cluster, follower);
    let practice = scene::begun(&api).await;
    let mut bad = Socket::join(&api, &practice, None).await;
    for _ in 0..3 {
        bad.send(json!([])).await;
    }
    bad.ends(None, 4400).await;
    let mut big = Socket::join(&api, &practice, None).await;
    big.send(say("big", &"x".repeat(70_000))).await;
    big.ends(None, 1009).await;
    let mut socket = Socket::join(&api, &practice, Some(0)).await;
    socket.act(say("1", "Word.")).await;
    socket.act(json!({"type": "finish", "id": "end"})).await;
    socket.ends(Some("room_finished"), 1000).await;
    let mut late = Socket::join(&api, &practice, Some(0)).await;
    late.ends(Some("room_finished"), 1000).await;
    assert_eq!(late.events, socket.events);
}

#[tokio::test]
async fn a_tunnel_keeps_its_socket_when_the_leader_hands_over() {
    let cluster = Cluster::start(3).await;
    let practice = scene::begun(&cluster.org.admin.api).await;
    let leader = cluster.leader().await;
    let mut sockets = Vec::new();
    for n in cluster.followers().await {
        sockets.push(Socket::join(&admin(&cluster, n), &practice, Some(0)).await);
    }
    let mut own = Socket::join(&admin(&cluster, leader), &practice, Some(0)).await;
    for (n, socket) in sockets.iter_mut().enumerate() {
        socket.act(say(&format!("before-{n}"), "Before.")).await;
    }
    let stepdown = cluster.node(leader).command().args(["cluster", "stepdown"]).output().unwrap();
    assert!(stepdown.status.success(), "{}", String::from_utf8_lossy(&stepdown.stderr));
    let bye = own.ends(Some("leader_changed"), 1012).await;
    assert!(bye["retry_after_ms"].as_u64().unwrap() > 0, "{bye}");
    for (n, socket) in sockets.iter_mut().enumerate() {
        socket.act(say(&format!("after-{n}"), "After.")).await;
    }
    for socket in &mut sockets {
        socket.wait_seq(6).await;
        assert_eq!(texts(&socket.events), ["Before.", "Before.", "After.", "After."]);
    }
    let mut back = Socket::join(&admin(&cluster, leader), &practice, Some(0)).await;
    back.wait_seq(6).await;
    assert_eq!(back.events, sockets[0].events);
}

/// Somebody who says numbered words at one node, with a queue as the web app has it: what is not
/// acknowledged is sent again under the same id, on the next socket.
struct Speaker {
    api: Api,
    name: String,
    socket: Option<Socket>,
    said: usize,
    events: Vec<Value>,
    came_back: usize,
}

impl Speaker {
    async fn join(api: Api, name: &str, practice: &Value) -> Speaker {
        let socket = Some(Socket::join(&api, practice, Some(0)).await);
        let name = name.to_owned();
        Speaker { api, name, socket, said: 0, events: Vec::new(), came_back: 0 }
    }

    fn seq(&self) -> u64 {
        let told = self.socket.iter().flat_map(|socket| &socket.events);
        told.chain(&self.events).filter_map(|event| event["seq"].as_u64()).max().unwrap_or(0)
    }

    /// Takes what the last socket was told.
    fn collect(&mut self) {
        self.events.extend(self.socket.take().into_iter().flat_map(|socket| socket.events));
    }

    /// Says the next word until it is acknowledged.
    async fn say(&mut self, practice: &Value) {
        let id = format!("{}-{}", self.name, self.said);
        self.said += 1;
        loop {
            if self.socket.is_none() {
                self.socket = Some(self.come_back(practice).await);
            }
            let socket = self.socket.as_mut().expect("it was opened");
            socket.send(say(&id, &id)).await;
            match socket.acknowledged(&id).await {
                Ok(()) => return,
                Err(bye) => {
                    assert!(
                        bye.is_null() || bye["code"] == "leader_changed",
                        "{}: {bye}",
                        self.name
                    );
                    self.collect();
                    self.came_back += 1;
                }
            }
        }
    }

    async fn come_back(&self, practice: &Value) -> Socket {
        let after = self.seq();
        until("a way back in", async || {
            let path = scene::path(practice, "/ticket");
            let reply = self.api.post(&path, json!({})).await;
            if reply.status != 201 {
                return None;
            }
            let room = scene::id(practice);
            let mut socket = Socket::open(&self.api, &room, &PLAIN).await.ok()?;
            socket.say_hello(&text(&reply.json()["ticket"]), Some(after)).await;
            socket.welcomed().await.then_some(socket)
        })
        .await
    }
}

#[tokio::test]
async fn a_killed_leader_loses_nothing_and_doubles_nothing() {
    let mut cluster = Cluster::start(3).await;
    let practice = scene::begun(&cluster.org.admin.api).await;
    for round in 0..3 {
        let leader = cluster.leader().await;
        let mut speakers = Vec::new();
        for n in cluster.followers().await {
            let name = format!("r{round}n{n}");
            speakers.push(Speaker::join(admin(&cluster, n), &name, &practice).await);
        }
        let words = 30;
        let speaking = join_all(speakers.into_iter().map(async |mut speaker| {
            for _ in 0..words {
                speaker.say(&practice).await;
            }
            speaker
        }));
        // In the middle of it: once some of it is known to be written.
        let watcher = admin(&cluster, leader);
        let killing = async {
            until("some words", async || {
                let seen = watcher.get(&scene::path(&practice, "")).await.ok(200);
                (seen["last_seq"].as_u64()? >= 2 + (2 * round * words + 10) as u64).then_some(())
            })
            .await;
            cluster.kill(leader);
        };
        let (speakers, ()) = tokio::join!(speaking, killing);
        let mut kept = 0;
        for mut speaker in speakers {
            kept += usize::from(speaker.came_back == 0);
            let head = 2 + (2 * (round + 1) * words) as u64;
            speaker.socket.as_mut().expect("it is in the room").wait_seq(head).await;
            speaker.collect();
            let all = scene::events(&speaker.api, &practice).await;
            assert_eq!(all.len() as u64, head, "each word once");
            for event in &mut speaker.events {
                event.as_object_mut().unwrap().remove("type");
            }
            assert_eq!(speaker.events, all, "{} saw it all, once, in order", speaker.name);
            for n in 0..words {
                let word = format!("{}-{n}", speaker.name);
                let times = texts(&all).iter().filter(|text| **text == word).count();
                assert_eq!(times, 1, "{word}");
            }
        }
        eprintln!("round {round}: {kept} of 2 sockets outlived node {leader}");
        cluster.restart(leader);
    }
}

#[tokio::test]
async fn a_leader_that_hangs_is_left_and_sends_its_own_clients_away_when_it_is_back() {
    let cluster = Cluster::start(3).await;
    let practice = scene::begun(&cluster.org.admin.api).await;
    let leader = cluster.leader().await;
    let followers = cluster.followers().await;
    let mut sockets = Vec::new();
    for n in &followers {
        sockets.push(Socket::join(&admin(&cluster, *n), &practice, Some(0)).await);
    }
    let mut own = Socket::join(&admin(&cluster, leader), &practice, Some(0)).await;
    cluster.node(leader).freeze();
    for (n, socket) in sockets.iter_mut().enumerate() {
        socket.act(say(&format!("{n}"), "Meanwhile.")).await;
        let seen = admin(&cluster, followers[n]).get(&scene::path(&practice, "")).await.ok(200);
        assert_eq!(seen["last_seq"], 3 + n);
    }
    cluster.node(leader).thaw();
    own.ends(Some("leader_changed"), 1012).await;
    assert!(own.events.len() <= 4, "nothing that the log does not have");
    let mut back = Socket::join(&admin(&cluster, leader), &practice, Some(0)).await;
    back.wait_seq(4).await;
    for socket in &mut sockets {
        socket.wait_seq(4).await;
        assert_eq!(socket.events, back.events);
    }
}
