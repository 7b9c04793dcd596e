//! Many rooms at once whose people come and go: nothing is lost, doubled or told in another room.

use futures_util::future::join_all;
use serde_json::{Value, json};

use super::say;
use crate::api::{Api, text};
use crate::deadline::PATIENCE;
use crate::durability::Chance;
use crate::org::{Org, Person};
use crate::scene;
use crate::socket::Socket;

/// One person's client in one room.
struct Client {
    api: Api,
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
    /// Comes in where it was, and says again what was not acknowledged.
    async fn join(&mut self) -> Socket {
        let mut socket = Socket::join(&self.api, &self.live, Some(self.seen.len() as u64)).await;
        for (id, words) in &self.open {
            socket.send(say(id, words)).await;
        }
        socket
    }

    /// Goes without a word; what was told until then counts.
    fn leave(&mut self, socket: Socket) {
        self.seen.extend(socket.events.iter().cloned());
    }

    async fn acknowledge_all(&mut self, socket: &mut Socket) {
        for (id, words) in std::mem::take(&mut self.open) {
            socket.wait_id("ack", &id).await;
            self.acknowledged.push(words);
        }
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
                3 => self.acknowledge_all(&mut socket).await,
                _ => {
                    let id = format!("{} {step}", self.name);
                    let words = format!("{} {id}", scene::id(&self.live));
                    socket.send(say(&id, &words)).await;
                    self.open.push((id, words));
                }
            }
        }
        self.acknowledge_all(&mut socket).await;
        self.leave(socket);
    }
}

async fn room(people: &[Person], n: usize, chance: &mut Chance, steps: usize) -> Vec<Client> {
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
            api: person.api.clone(),
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
    let mut people = vec![org.person("interviewer").await, org.person("candidate").await];
    for _ in 0..3 {
        people.push(org.person("interviewer").await);
    }
    let mut chance = Chance::new();
    let mut clients: Vec<Vec<Client>> = Vec::new();
    for n in 0..rooms {
        clients.push(room(&people, n, &mut chance, steps).await);
    }
    let running = join_all(clients.iter_mut().flatten().map(|client| client.run()));
    tokio::time::timeout(10 * PATIENCE, running).await.expect("everything to be acknowledged");
    for room in &mut clients {
        let id = scene::id(&room[0].live);
        let stored = scene::events(&room[0].api, &room[0].live).await;
        let head = stored.last().and_then(|event| event["seq"].as_u64()).unwrap();
        let said: Vec<String> = stored
            .iter()
            .filter(|event| event["kind"] == "transcript.final")
            .map(|event| text(&event["data"]["text"]))
            .collect();
        assert!(said.iter().all(|words| words.starts_with(&id)), "{id} heard of another room");
        let mut acknowledged: Vec<String> =
            room.iter().flat_map(|client| client.acknowledged.clone()).collect();
        acknowledged.sort();
        let mut once = said.clone();
        once.sort();
        assert_eq!(once, acknowledged, "each is there, and once");
        for client in room {
            let mut socket = client.join().await;
            if (client.seen.len() as u64) < head {
                socket.wait_seq(head).await;
            }
            client.leave(socket);
            let told: Vec<String> = client
                .seen
                .iter()
                .filter(|event| event["kind"] == "transcript.final")
                .map(|event| text(&event["data"]["text"]))
                .collect();
            assert_eq!(told, said, "{} in {id}", client.name);
        }
    }
}
