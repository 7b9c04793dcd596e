//! What the door costs: `cargo bench --bench door`.
//!
//! One node in this process. Beside its routes a bare axum server answers on the same state: the
//! same read, the same write through the log, without sign-in, permission, limits, headers, log
//! line or metrics. Rates are requests a second over connections that stay open; ratios are to the
//! bare ones of the same run. Figures are printed and never judged here.

#![allow(clippy::unwrap_used, reason = "a bench that cannot go on panics, as a test does")]

use std::hint::black_box;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use axum::extract::State;
use axum::routing::get;
use axum::{Json, Router};
use bytes::Bytes;
use greenroom::auth::password::Passwords;
use greenroom::auth::rate::{Limiter, Who};
use greenroom::cli::serve;
use greenroom::cluster::Replica;
use greenroom::config::settings::{Flags, Settings};
use greenroom::domain::command::{Command, ENVELOPE_VERSION, Envelope};
use greenroom::domain::id::PersonId;
use greenroom::domain::person::CandidateContext;
use greenroom::domain::rate::{Class, Policy, Tier};
use greenroom::store::query;
use http_body_util::{BodyExt, Full};
use hyper::Request;
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};

/// How long each figure is taken, and how often; the middle one is printed.
const TAKEN: Duration = Duration::from_secs(2);
const ROUNDS: usize = 5;

const PASSWORD: &str = "a long sentence that nobody guesses";
const CONTEXT: &str = "/api/v1/me/context";

/// What no bench reaches: requests are counted and none is refused.
const LIMIT: &str = "rate_limit.max_requests = 1000000000\nrate_limit.window_sec = 3600\n";
const NO_LIMIT: &str = "rate_limit.enabled = false\n";

/// A node with its admin, and the bare server on the same state.
struct Place {
    running: serve::Running,
    ours: SocketAddr,
    bare: SocketAddr,
    token: String,
    _folder: tempfile::TempDir,
}

/// What is asked, over and over.
#[derive(Clone)]
struct Ask {
    at: SocketAddr,
    method: &'static str,
    path: &'static str,
    token: String,
    body: Value,
}

#[tokio::main]
async fn main() {
    let (limited, free) = (Place::open(LIMIT).await, Place::open(NO_LIMIT).await);
    println!("{:38} {:>10} {:>10} {:>6}", "requests a second", "ours", "control", "ratio");
    for connections in [1, 16] {
        for (what, method) in [("read", "GET"), ("write", "PUT")] {
            let name = format!("{what}, {connections} connections, to bare");
            row(&name, &limited.ask(method), &limited.bare(method), connections).await;
        }
    }
    row("read, 16, limits on to off", &limited.ask("GET"), &free.ask("GET"), 16).await;
    login(&limited).await;
    limiter();
    limited.running.stop().await;
    free.running.stop().await;
}

impl Place {
    async fn open(settings: &str) -> Place {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("greenroom.toml");
        std::fs::write(&file, settings).unwrap();
        let flags = Flags {
            listen: Some("127.0.0.1:0".to_owned()),
            cluster_listen: Some("127.0.0.1:0".to_owned()),
            data_dir: Some(folder.path().join("data").display().to_string()),
        };
        let settings = Settings::load(flags, std::iter::empty(), Some(file)).unwrap();
        let running = serve::start(settings).await.unwrap_or_else(|_| panic!("a node starts"));
        let ours = running.address;
        let body = json!({"token": running.setup_token, "organisation": "Bench",
            "email": "ada@example.org", "display_name": "Ada", "password": PASSWORD});
        let setup =
            Ask { at: ours, method: "POST", path: "/api/v1/setup", token: String::new(), body };
        let login = setup.connect().await.once(&setup).await;
        let person: PersonId = login["person"]["id"].as_str().unwrap().parse().unwrap();
        let token = login["access_token"].as_str().unwrap().to_owned();
        let bare = bare(running.replica().clone(), person).await;
        Place { running, ours, bare, token, _folder: folder }
    }

    fn ask(&self, method: &'static str) -> Ask {
        let body = if method == "PUT" { json!(context()) } else { Value::Null };
        Ask { at: self.ours, method, path: CONTEXT, token: self.token.clone(), body }
    }

    fn bare(&self, method: &'static str) -> Ask {
        Ask { at: self.bare, ..self.ask(method) }
    }
}

fn context() -> CandidateContext {
    CandidateContext {
        cv_text: "Led a team of five in Lisbon. ".repeat(30),
        job_description: "Bakes bread at night. ".repeat(10),
        target_role: "Baker".to_owned(),
        mode: "general".to_owned(),
        assist_intensity: 2,
    }
}

/// The handlers of `http/me.rs` and nothing around them.
async fn bare(replica: Replica, person: PersonId) -> SocketAddr {
    let read = async |replica: &Replica, person| {
        let read = move |db: &query::Connection| query::person::context(db, person);
        Json(json!(replica.read(read).await.unwrap()))
    };
    let show = async move |State(replica): State<Replica>| read(&replica, person).await;
    let set = async move |State(replica): State<Replica>, Json(context): Json<CandidateContext>| {
        let envelope = Envelope {
            v: ENVELOPE_VERSION,
            at: replica.now(),
            by: Some(person),
            request_id: None,
            from: None,
            once: None,
            command: Command::SetContext { person, context: Box::new(context) },
        };
        replica.propose(envelope).await.unwrap();
        read(&replica, person).await
    };
    let router = Router::new().route(CONTEXT, get(show).put(set)).with_state(replica);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    address
}

struct Connection(hyper::client::conn::http1::SendRequest<Full<Bytes>>);

impl Ask {
    async fn connect(&self) -> Connection {
        let stream = TcpStream::connect(self.at).await.unwrap();
        stream.set_nodelay(true).unwrap();
        let (sender, driving) =
            hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.unwrap();
        tokio::spawn(driving);
        Connection(sender)
    }

    fn request(&self) -> Request<Full<Bytes>> {
        let body = if self.body.is_null() { String::new() } else { self.body.to_string() };
        Request::builder()
            .method(self.method)
            .uri(self.path)
            .header("host", self.at.to_string())
            .header("authorization", format!("Bearer {}", self.token))
            .header("content-type", "application/json")
            .body(Full::new(Bytes::from(body)))
            .unwrap()
    }

    /// Requests a second over so many connections.
    async fn rate(&self, connections: usize) -> f64 {
        let began = Instant::now();
        let all = (0..connections).map(|_| {
            let ask = self.clone();
            tokio::spawn(async move {
                let mut connection = ask.connect().await;
                let mut done = 0_u64;
                while began.elapsed() < TAKEN {
                    connection.once(&ask).await;
                    done += 1;
                }
                done
            })
        });
        let mut done = 0;
        for task in all.collect::<Vec<_>>() {
            done += task.await.unwrap();
        }
        done as f64 / began.elapsed().as_secs_f64()
    }
}

impl Connection {
    async fn once(&mut self, ask: &Ask) -> Value {
        self.0.ready().await.unwrap();
        let reply = self.0.send_request(ask.request()).await.unwrap();
        let status = reply.status();
        let body = reply.into_body().collect().await.unwrap().to_bytes();
        assert!(status.is_success(), "{status}: {}", String::from_utf8_lossy(&body));
        serde_json::from_slice(&body).unwrap()
    }
}

/// One after the other in each round, so that what else the machine does meets both.
async fn row(name: &str, ours: &Ask, control: &Ask, connections: usize) {
    let mut rounds = Vec::new();
    for _ in 0..ROUNDS {
        rounds.push((ours.rate(connections).await, control.rate(connections).await));
    }
    let (rate, beside) =
        (middle(rounds.iter().map(|round| round.0)), middle(rounds.iter().map(|round| round.1)));
    let ratio = middle(rounds.iter().map(|(ours, control)| ours / control));
    println!("{name:38} {rate:10.0} {beside:10.0} {ratio:6.2}");
}

/// A sign-in beside the one hash of a password that it cannot do without.
async fn login(place: &Place) {
    let body = json!({"email": "ada@example.org", "password": PASSWORD});
    let path = "/api/v1/auth/login";
    let ask = Ask { at: place.ours, method: "POST", path, token: String::new(), body };
    let (passwords, mut connection) = (Passwords::new(), ask.connect().await);
    let hash = passwords.hash(PASSWORD.to_owned()).await.unwrap();
    let (mut logins, mut hashes) = (Vec::new(), Vec::new());
    for _ in 0..4 * ROUNDS {
        let began = Instant::now();
        connection.once(&ask).await;
        logins.push(began.elapsed().as_secs_f64() * 1e3);
        let began = Instant::now();
        passwords.verify(PASSWORD.to_owned(), Some(hash.clone())).await.unwrap();
        hashes.push(began.elapsed().as_secs_f64() * 1e3);
    }
    let (login, hash) = (middle(logins.into_iter()), middle(hashes.into_iter()));
    println!("a sign-in {login:.1} ms, its hash alone {hash:.1} ms, ratio {:.2}", login / hash);
}

/// One look at the limiter, beside one look at the clock.
fn limiter() {
    const LOOKS: u32 = 200_000;
    let policy = Policy { requests: u32::MAX, window_seconds: 3_600 };
    let limiter = Limiter::new(true, Some(policy));
    let people: Vec<Who> =
        (1..=10_000).map(|n| Who::Person(PersonId(uuid::Uuid::from_u128(n)))).collect();
    let nanoseconds = |look: &dyn Fn(usize)| {
        let began = Instant::now();
        (0..LOOKS as usize).for_each(look);
        began.elapsed().as_nanos() as f64 / f64::from(LOOKS)
    };
    let look = |n: usize| {
        let who = people[n % people.len()];
        black_box(limiter.count(who, Tier::Candidate, Class::Read, Instant::now()));
    };
    let counted = middle((0..ROUNDS).map(|_| nanoseconds(&look)));
    let look_at_the_clock = |_| {
        black_box(Instant::now());
    };
    let clock = middle((0..ROUNDS).map(|_| nanoseconds(&look_at_the_clock)));
    println!("the limiter {counted:.0} ns a request, the clock alone {clock:.0} ns");
}

fn middle(figures: impl Iterator<Item = f64>) -> f64 {
    let mut figures: Vec<f64> = figures.collect();
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}
