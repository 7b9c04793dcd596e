//! A server under load, and the way into its rooms.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::{WebSocketStream, client_async_with_config};

use crate::api::{Api, text};
use crate::control;
use crate::deadline::until;
use crate::node::Node;
use crate::org::{Org, Person};

/// A connection.
pub type Socket = WebSocketStream<TcpStream>;

/// So many rooms with so many sockets in each.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    /// Rooms.
    pub rooms: usize,
    /// Sockets in each.
    pub sockets: usize,
}

/// A server.
pub enum Place {
    /// The program.
    Ours(Box<Ours>),
    /// The bare one.
    Control(Child, SocketAddr),
}

/// The program, with people in it.
pub struct Ours {
    org: Org,
    /// Kept running.
    _others: Vec<Node>,
    people: Vec<Person>,
}

/// A room of a server.
#[derive(Clone, Debug)]
pub struct Room {
    name: String,
    apis: Vec<Api>,
}

/// Enough for 500 sockets in a room with 32 of each person.
const PEOPLE: usize = 16;

impl Place {
    /// The program on so many nodes; its limits on frames and requests are out of the way.
    pub async fn ours(nodes: usize) -> Place {
        let config =
            std::env::temp_dir().join(format!("greenroom-bench-{}.toml", std::process::id()));
        let text = "[log]\nfilter = \"warn\"\n[rooms]\nframes_per_second = 50000\n\
            [rate_limit]\nenabled = false\n";
        std::fs::write(&config, text).unwrap();
        let args = ["--listen", "127.0.0.1:0", "--config", config.to_str().unwrap()];
        let org = Org::on(Node::start_with(&args)).await;
        let others: Vec<Node> = (1..nodes).map(|_| Node::join(&org.node)).collect();
        until("every node to vote", async || {
            let seen = org.admin.api.get("/api/v1/admin/cluster?stale=ok").await.json();
            let voters = seen["nodes"].as_array()?.iter().filter(|n| n["role"] != "learner");
            (voters.count() == nodes).then_some(())
        })
        .await;
        let mut people = Vec::new();
        for _ in 0..PEOPLE {
            people.push(org.person("interviewer").await);
        }
        Place::Ours(Box::new(Ours { org, _others: others, people }))
    }

    /// The control, as a process of its own.
    pub async fn control() -> Place {
        let program = std::env::current_exe().unwrap();
        let mut command = Command::new(program);
        let mut child = command.arg(control::ARGUMENT).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        Place::Control(child, line.trim().parse().unwrap())
    }

    fn pid(&self) -> u32 {
        match self {
            Place::Ours(ours) => ours.org.node.pid(),
            Place::Control(child, _) => child.id(),
        }
    }

    /// Resident memory in KiB.
    pub fn resident_kib(&self) -> f64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid())).unwrap();
        let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
    }

    /// Processor time that was used until now, in hundredths of a second.
    pub fn ticks(&self) -> f64 {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.pid())).unwrap();
        let rest = stat.rsplit_once(')').unwrap().1;
        let fields: Vec<f64> = rest.split_whitespace().flat_map(str::parse).collect();
        // User and system time: the 14th and 15th field of all, three of which are no numbers or
        // stand before the name's end.
        fields[10] + fields[11]
    }

    /// New rooms in which everybody may speak.
    pub async fn rooms(&self, shape: Shape) -> Vec<Room> {
        let mut rooms = Vec::new();
        for n in 0..shape.rooms {
            rooms.push(match self {
                Place::Ours(ours) => ours.room().await,
                Place::Control(..) => Room { name: format!("{n} {:p}", &rooms), apis: Vec::new() },
            });
        }
        rooms
    }

    /// A connection of the n-th socket of a room, with everything after a place.
    pub async fn join(&self, room: &Room, n: usize, after: Option<u64>) -> Socket {
        let (address, path, hello) = match self {
            Place::Ours(_) => {
                let api = &room.apis[n % room.apis.len()];
                let path = format!("/api/v1/interviews/{}/ticket", room.name);
                let drawn = api.post(&path, json!({})).await.ok(201);
                let mut hello = json!({"type": "hello", "ticket": drawn["ticket"]});
                if let Some(after) = after {
                    hello["after"] = after.into();
                }
                (api.address(), text(&drawn["socket"]), hello)
            }
            Place::Control(_, address) => {
                Api::new(*address).post("/ticket", json!({})).await;
                let name = room.name.replace(' ', "-");
                (*address, format!("/room/{name}"), json!({"type": "hello"}))
            }
        };
        let mut request = format!("ws://{address}{path}").into_client_request().unwrap();
        if let Place::Ours(_) = self {
            let protocol = "greenroom.v1".parse().unwrap();
            request.headers_mut().insert("sec-websocket-protocol", protocol);
        }
        let stream = TcpStream::connect(address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        let config = WebSocketConfig::default().read_buffer_size(8 << 10).write_buffer_size(0);
        let opened = client_async_with_config(request, stream, Some(config)).await;
        let (mut socket, _) = opened.unwrap();
        socket.send(Message::text(hello.to_string())).await.unwrap();
        loop {
            let message = socket.next().await.unwrap().unwrap();
            if message.to_text().unwrap().contains(r#""type":"welcome""#) {
                return socket;
            }
        }
    }
}

impl Ours {
    async fn room(&self) -> Room {
        let owner = &self.people[0];
        let body = json!({"kind": "live", "title": "Bench"});
        let live: Value = owner.api.post("/api/v1/interviews", body).await.ok(201);
        let name = text(&live["id"]);
        for person in &self.people[1..] {
            let body = json!({"person_id": person.id, "part": "interviewer"});
            owner.api.post(&format!("/api/v1/interviews/{name}/members"), body).await.ok(201);
        }
        owner.api.post(&format!("/api/v1/interviews/{name}/start"), json!({})).await.ok(200);
        Room { name, apis: self.people.iter().map(|person| person.api.clone()).collect() }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Place::Control(child, _) = self {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}
