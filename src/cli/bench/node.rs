//! A cluster of its own in this process, and those who write to it.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt};
use http_body_util::{BodyExt, Full};
use hyper::Request;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpStream;

use crate::cli::client::Client;
use crate::cli::cluster;
use crate::cli::exit::Error;
use crate::cli::serve::{self, Running};
use crate::cluster::{Replica, fresh};
use crate::config::settings::{Flags, Settings};
use crate::domain::command::{Command, ENVELOPE_VERSION, Envelope, NewPerson, Once, Outcome};
use crate::domain::id::{InterviewId, PersonId, QuestionId};
use crate::domain::interview::{Kind, Member, Part, Plan, Question};
use crate::domain::limit;
use crate::domain::person::Role;
use crate::domain::room::Act;
use crate::domain::text::Email;

use super::drive::Work;

/// The nodes, set up, and their admin.
pub(super) struct Cluster {
    /// The leader; everybody writes to it.
    leader: Running,
    others: Vec<Running>,
    /// The admin, who owns every room here.
    person: PersonId,
    token: String,
}

/// Says things in a room, through the log and the state, without the way through HTTP.
pub(super) struct Speaker {
    replica: Replica,
    person: PersonId,
    room: InterviewId,
    /// In front of the ids of its frames, so that nobody else's are taken for a repetition.
    name: String,
    said: u64,
    /// What is said.
    pub(super) text: String,
}

/// Replaces one person's context over HTTP, on one connection that stays open.
pub(super) struct Putter {
    sender: SendRequest<Full<Bytes>>,
    address: SocketAddr,
    token: String,
    body: Bytes,
}

/// About four sentences.
const SAID_BYTES: usize = 300;

/// Questions of a room: a short structured interview.
const QUESTIONS: usize = 5;

/// A node has let go of its connections by then.
const STOP_SECONDS: u64 = 15;

/// People who are on their way into the log at once.
const ADDED_AT_ONCE: usize = 128;

/// An empty node is a voter within a fraction of it.
const JOIN_SECONDS: u64 = 30;

/// Between two looks whether it is.
const LOOK: Duration = Duration::from_millis(20);

impl Cluster {
    /// Starts nodes in empty directories, sets the first one up and lets the others join it, all as
    /// people do.
    pub(super) async fn start(folder: &Path, nodes: usize) -> Result<Cluster, Error> {
        let first = settings(folder, 1)?;
        let leader = serve::start(first.clone()).await?;
        let client = Client::to_address(leader.address);
        let body = json!({
            "token": leader.setup_token,
            "organisation": "Bench",
            "email": "admin@example.org",
            "display_name": "Admin",
            "password": fresh().to_string(),
        });
        let reply = client.post("/api/v1/setup", &body).await?;
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let token = text(&reply["access_token"]);
        let person = text(&reply["person"]["id"])
            .parse()
            .map_err(|_| Error::fault("the setup gave no person"))?;
        let mut cluster = Cluster { leader, others: Vec::new(), person, token };
        for n in 2..=nodes {
            cluster.grow(&client.signed_in(cluster.token.as_str()), settings(folder, n)?).await?;
        }
        Ok(cluster)
    }

    async fn grow(&mut self, admin: &Client, settings: Settings) -> Result<(), Error> {
        let reply = admin.post("/api/v1/admin/cluster/tokens", &json!({})).await?;
        let client = Client::to_address(self.leader.address);
        cluster::enter(&settings, &client, reply["token"].as_str().unwrap_or_default()).await?;
        self.others.push(serve::start(settings).await?);
        let voting = async {
            loop {
                let overview = admin.get("/api/v1/admin/cluster").await?;
                let nodes = overview["nodes"].as_array().map(Vec::as_slice).unwrap_or_default();
                let votes = nodes.iter().filter(|node| node["role"] != "learner").count();
                if votes == self.others.len() + 1 {
                    return Ok(());
                }
                tokio::time::sleep(LOOK).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(JOIN_SECONDS), voting).await.unwrap_or_else(|_| {
            Err(Error::unavailable(format!("a node does not vote after {JOIN_SECONDS} seconds")))
        })
    }

    /// Where the leader listens.
    pub(super) fn address(&self) -> SocketAddr {
        self.leader.address
    }

    /// The way in of the admin.
    pub(super) fn admin(&self) -> Client {
        Client::to_address(self.leader.address).signed_in(self.token.as_str())
    }

    /// Stops it.
    pub(super) async fn stop(self) -> Result<(), Error> {
        let late =
            |_| Error::unavailable(format!("a node took more than {STOP_SECONDS} seconds to stop"));
        for running in self.others.into_iter().chain([self.leader]) {
            let limit = Duration::from_secs(STOP_SECONDS);
            tokio::time::timeout(limit, running.stop()).await.map_err(late)?;
        }
        Ok(())
    }

    /// Adds people who do nothing: the rows of an organisation that has them.
    pub(super) async fn populate(&self, people: usize) -> Result<(), Error> {
        let adding = futures_util::stream::iter(0..people).map(|n| self.add_person(n));
        adding.buffer_unordered(ADDED_AT_ONCE).try_collect::<()>().await
    }

    async fn add_person(&self, n: usize) -> Result<(), Error> {
        let address = format!("person-{n}@example.org");
        let email = Email::parse("email", &address)
            .map_err(|_| Error::fault(format!("{address} is no address")))?;
        let person = NewPerson {
            id: PersonId(fresh()),
            email,
            display_name: format!("Person {n}"),
            role: Role::Candidate,
            password_hash: None,
            invite_expires_at: None,
        };
        let replica = self.leader.replica();
        let command = Command::AddPerson { person: Box::new(person) };
        propose(replica, Envelope::own(replica.now(), command)).await
    }

    /// People who speak, each in a room of their own.
    pub(super) async fn speakers(&self, count: usize) -> Result<Vec<Speaker>, Error> {
        let opening = (0..count).map(|_| self.speaker());
        futures_util::future::try_join_all(opening).await
    }

    async fn speaker(&self) -> Result<Speaker, Error> {
        let mut speaker = Speaker {
            replica: self.leader.replica().clone(),
            person: self.person,
            room: InterviewId(fresh()),
            name: fresh().simple().to_string(),
            said: 0,
            text: "w".repeat(SAID_BYTES),
        };
        speaker.open_room().await?;
        Ok(speaker)
    }

    /// Connections that write over HTTP.
    pub(super) async fn putters(&self, count: usize) -> Result<Vec<Putter>, Error> {
        let body = json!({
            "cv_text": "w".repeat(SAID_BYTES),
            "job_description": "",
            "target_role": "",
            "mode": "general",
            "assist_intensity": 1,
        });
        let body = Bytes::from(body.to_string());
        let mut putters = Vec::with_capacity(count);
        for _ in 0..count {
            let address = self.address();
            let stream = TcpStream::connect(address).await.map_err(|e| broken(&e))?;
            stream.set_nodelay(true).map_err(|e| broken(&e))?;
            let (sender, connection) =
                handshake(TokioIo::new(stream)).await.map_err(|e| broken(&e))?;
            // What goes wrong on it is told by the answer that does not come.
            tokio::spawn(connection);
            let token = self.token.clone();
            putters.push(Putter { sender, address, token, body: body.clone() });
        }
        Ok(putters)
    }
}

impl Speaker {
    /// Somebody else in the same room.
    pub(super) fn beside(&self) -> Speaker {
        let (replica, text) = (self.replica.clone(), self.text.clone());
        Speaker { replica, text, name: fresh().simple().to_string(), ..*self }
    }

    /// The room in which is spoken.
    pub(super) fn room(&self) -> InterviewId {
        self.room
    }

    /// The next command.
    pub(super) fn envelope(&mut self) -> Envelope {
        self.said += 1;
        let act = Act::Say { question_id: None, text: self.text.clone(), words: None };
        let command = Command::Act { interview: self.room, act: Box::new(act) };
        let once = Once {
            scope: format!("room:{}:{}", self.room, self.person),
            key: format!("{}-{}", self.name, self.said),
            fingerprint: String::new(),
        };
        Envelope { once: Some(once), ..self.by(command) }
    }

    /// A practice room with its questions, begun.
    async fn open_room(&mut self) -> Result<(), Error> {
        self.room = InterviewId(fresh());
        self.said = 0;
        let plan = Plan {
            id: self.room,
            owner: self.person,
            kind: Kind::Practice,
            title: "Bench".to_owned(),
            role: None,
            mode: None,
            kit_id: None,
            auto_ask: false,
            created_at: self.replica.now(),
            scheduled_at: None,
        };
        let question = |n| Question {
            id: QuestionId(fresh()),
            text: format!("What did you do about slow service number {n}?"),
            competency: None,
            focus: Vec::new(),
            asked_seq: None,
            answer_id: None,
            skipped_seq: None,
        };
        let members = vec![Member { person: self.person, part: Part::Candidate }];
        let questions = (0..QUESTIONS).map(question).collect();
        let make = Command::CreateInterview { plan: Box::new(plan), members, questions };
        let start = Command::Act { interview: self.room, act: Box::new(Act::Start {}) };
        propose(&self.replica, self.by(make)).await?;
        propose(&self.replica, self.by(start)).await
    }

    fn by(&self, command: Command) -> Envelope {
        Envelope {
            v: ENVELOPE_VERSION,
            at: self.replica.now(),
            by: Some(self.person),
            request_id: None,
            from: None,
            once: None,
            command,
        }
    }
}

async fn propose(replica: &Replica, envelope: Envelope) -> Result<(), Error> {
    match replica.propose(envelope).await {
        Ok(Outcome::Refused { refusal }) => {
            Err(Error::fault("the node refused a write").why(refusal.to_string()))
        }
        Ok(_) => Ok(()),
        Err(unavailable) => Err(Error::unavailable("a write failed").why(unavailable.to_string())),
    }
}

impl Work for Speaker {
    async fn write(&mut self) -> Result<(), Error> {
        // A room that is full gives way to the next one, which costs two writes more.
        if self.said + u64::from(limit::BURST_SECONDS * limit::FRAMES_PER_SECOND)
            >= limit::EVENTS_PER_INTERVIEW_MAX
        {
            self.open_room().await?;
        }
        let envelope = self.envelope();
        propose(&self.replica, envelope).await
    }
}

impl Work for Putter {
    async fn write(&mut self) -> Result<(), Error> {
        let request = Request::put("/api/v1/me/context")
            .header("host", self.address.to_string())
            .header("authorization", format!("Bearer {}", self.token))
            .header("content-type", "application/json")
            .body(Full::new(self.body.clone()))
            .map_err(|e| broken(&e))?;
        let response = self.sender.send_request(request).await.map_err(|e| broken(&e))?;
        let status = response.status();
        response.into_body().collect().await.map_err(|e| broken(&e))?;
        match status.is_success() {
            true => Ok(()),
            false => Err(Error::fault(format!("the node answered a write with {status}"))),
        }
    }
}

/// Only flags and this file count: it stands in for the one that may lie in the working directory.
/// What is measured is the node, not its patience.
fn settings(folder: &Path, node: usize) -> Result<Settings, Error> {
    let file = folder.join("greenroom.toml");
    std::fs::write(&file, "rate_limit.enabled = false\n")
        .map_err(|e| Error::refused("the bench cannot write").why(e.to_string()))?;
    let flags = Flags {
        listen: Some("127.0.0.1:0".to_owned()),
        cluster_listen: Some("127.0.0.1:0".to_owned()),
        data_dir: Some(folder.join(format!("node-{node}")).display().to_string()),
    };
    Ok(Settings::load(flags, std::iter::empty(), Some(file))?)
}

pub(super) fn broken(error: &dyn std::fmt::Display) -> Error {
    Error::unavailable("a connection to the node broke").why(error.to_string())
}
