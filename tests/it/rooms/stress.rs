//! Many rooms at once whose people come and go: nothing is lost, doubled or told in another room.

use std::net::SocketAddr;

use futures_util::future::{join, join_all};
use serde_json::{Value, json};

use super::say;
use crate::api::{Api, items, text};
use crate::cluster::Cluster;
use crate::deadline::{PATIENCE, until};
use crate::durability::Chance;
use crate::org::{Org, Person};
use crate::scene;
use crate::socket::Socket;

/// One person's client in one room.
struct Client {
    /// The person at every node; the client goes from one to the next when one fails it.
    apis: Vec<Api>,
    at: usize,
    live: Value,
    name: String,
    /// Words that were sent and not acknowledged, under their ids.
    open: Vec<(String, String)>,
    acknowledged: Vec<String>,
    seen: Vec<Value>,
    /// What it does, drawn.
    steps: Vec<u64>,
}

/// The size of it: `STRESS=rooms,steps`, or a small one.
fn size() -> (usize, usize) {
    let Ok(asked) = std::env::var("STRESS") else { return (12, 25) };
    let (rooms, steps) = asked.split_once(',').expect("STRESS is rooms,steps");
    (rooms.parse().expect("a number of rooms"), steps.parse().expect("a number of steps"))
}

impl Client {
    /// Comes in where it was, at the first node that lets it, and says again what was not
    /// acknowledged.
    async fn join(&mut self) -> Socket {
        let mut socket = until("a way in", async || {
            let api = &self.apis[self.at % self.apis.len()];
            let socket = Socket::try_join(api, &self.live, self.seen.len() as u64).await;
            self.at += usize::from(socket.is_none());
            socket
        })
        .await;
        for (id, words) in &self.open {
            socket.send(say(id, words)).await;
        }
        socket
    }

    /// Goes without a word; what was told until then counts.
    fn leave(&mut self, socket: Socket) {
        self.seen.extend(socket.events.iter().cloned());
    }

    /// Waits until all that was said is acknowledged, on another connection if this one ends.
    async fn acknowledge_all(&mut self, mut socket: Socket) -> Socket {
        while let Some((id, words)) = self.open.first().cloned() {
            if socket.acknowledges(&id).await {
                self.open.remove(0);
                self.acknowledged.push(words);
            } else {
                self.leave(socket);
                socket = self.join().await;
            }
        }
        socket
    }

    async fn run(&mut self) {
        let mut socket = self.join().await;
        for (step, what) in std::mem::take(&mut self.steps).into_iter().enumerate() {
            match what {
                0 | 1 => {
                    self.leave(socket);
                    socket = self.join().await;
                }
                2 => socket.send(json!({"type": "partial", "text": "so far"})).await,
                3 => socket = self.acknowledge_all(socket).await,
                _ => {
                    let id = format!("{} {step}", self.name);
                    let words = format!("{} {id}", scene::id(&self.live));
                    socket.send(say(&id, &words)).await;
                    self.open.push((id, words));
                }
            }
        }
        socket = self.acknowledge_all(socket).await;
        self.leave(socket);
    }
}

async fn room(
    people: &[Person],
    nodes: &[SocketAddr],
    n: usize,
    chance: &mut Chance,
    steps: usize,
) -> Vec<Client> {
    let owner = &people[0];
    let title = format!("Room {n}");
    let live = owner.api.post("/api/v1/interviews", json!({"kind": "live", "title": title}));
    let live = live.await.ok(201);
    for (nth, person) in people.iter().enumerate().skip(1) {
        let part = if nth == 1 { "candidate" } else { "interviewer" };
        let body = json!({"person_id": person.id, "part": part});
        owner.api.post(&scene::path(&live, "/members"), body).await.ok(201);
    }
    owner.api.post(&scene::path(&live, "/start"), json!({})).await.ok(200);
    people
        .iter()
        .enumerate()
        .map(|(nth, person)| Client {
            apis: nodes.iter().map(|address| person.api.at(*address)).collect(),
            at: nth,
            live: live.clone(),
            name: format!("p{nth}"),
            open: Vec::new(),
            acknowledged: Vec::new(),
            seen: Vec::new(),
            steps: (0..steps).map(|_| chance.below(8)).collect(),
        })
        .collect()
}

#[tokio::test]
async fn many_rooms_whose_people_come_and_go_lose_and_mix_nothing() {
    let (rooms, steps) = size();
    let org = Org::found().await;
    let nodes = [org.node.address()];
    let mut clients = fill(&org, &nodes, rooms, steps).await;
    run(&mut clients).await;
    check(&mut clients).await;
}

#[tokio::test]
async fn many_rooms_lose_and_mix_nothing_while_their_leader_is_killed() {
    let (rooms, steps) = size();
    let mut cluster = Cluster::start(3).await;
    let leader = cluster.leader().await;
    let nodes: Vec<SocketAddr> = (0..3).map(|n| cluster.node(n).address()).collect();
    let mut clients = fill(&cluster.org, &nodes, rooms.div_ceil(2), steps).await;
    let watched = scene::path(&clients[0][0].live, "/events?after=8&limit=1");
    let owner = clients[0][0].apis[(leader + 1) % 3].clone();
    let killing = async {
        // In the middle: when the first room has a part of what will be said in it.
        until("some events", async || {
            let reply = owner.get(&watched).await;
            (reply.status == 200 && !items(&reply.json()).is_empty()).then_some(())
        })
        .await;
        cluster.kill(leader);
    };
    join(run(&mut clients), killing).await;
    check(&mut clients).await;
}

async fn fill(org: &Org, nodes: &[SocketAddr], rooms: usize, steps: usize) -> Vec<Vec<Client>> {
    let mut people = vec![org.person("interviewer").await, org.person("candidate").await];
    for _ in 0..3 {
        people.push(org.person("interviewer").await);
    }
    let mut chance = Chance::new();
    let mut clients = Vec::new();
    for n in 0..rooms {
        clients.push(room(&people, nodes, n, &mut chance, steps).await);
    }
    clients
}

async fn run(clients: &mut [Vec<Client>]) {
    let running = join_all(clients.iter_mut().flatten().map(|client| client.run()));
    tokio::time::timeout(10 * PATIENCE, running).await.expect("everything to be acknowledged");
}

/// What was acknowledged is stored, once, and everybody was told the same, each thing once.
async fn check(clients: &mut [Vec<Client>]) {
    for room in clients {
        let id = scene::id(&room[0].live);
        let mut reader = room[0].join().await;
        let head = reader.welcome["seq"].as_u64().unwrap();
        if (room[0].seen.len() as u64) < head {
            reader.wait_seq(head).await;
        }
        room[0].leave(reader);
        let stored = said(&room[0].seen);
        assert!(stored.iter().all(|words| words.starts_with(&id)), "{id} heard of another room");
        let mut acknowledged: Vec<String> =
            room.iter().flat_map(|client| client.acknowledged.clone()).collect();
        acknowledged.sort();
        let mut once = stored.clone();
        once.sort();
        assert_eq!(once, acknowledged, "each is there, and once");
        let api = room[0].apis[room[0].at % room[0].apis.len()].clone();
        assert_eq!(scene::events(&api, &room[0].live).await, told(&room[0].seen));
        for client in room {
            let mut socket = client.join().await;
            if (client.seen.len() as u64) < head {
                socket.wait_seq(head).await;
            }
            client.leave(socket);
            assert_eq!(said(&client.seen), stored, "{} in {id}", client.name);
        }
    }
}

fn said(events: &[Value]) -> Vec<String> {
    let said = events.iter().filter(|event| event["kind"] == "transcript.final");
    said.map(|event| text(&event["data"]["text"])).collect()
}

/// The events as HTTP has them: without what makes them frames.
fn told(events: &[Value]) -> Vec<Value> {
    let mut events = events.to_vec();
    events.iter_mut().for_each(|event| drop(event.as_object_mut().unwrap().remove("type")));
    events
}
