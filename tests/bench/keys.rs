//! What an idempotency key costs: the same write with and without one, in turn, over connections
//! that stay open: `cargo bench --bench keys`.
//!
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

use bytes::Bytes;
use futures_util::future::join_all;
use http_body_util::{BodyExt, Full};
use hyper::Request;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use serde_json::json;
use tokio::net::TcpStream;

use node::Node;
use org::Org;

/// Rounds in which everything is measured once; the median of the ratios is printed.
const ROUNDS: usize = 9;

/// Requests of one connection in one round.
const REQUESTS: usize = 100;

/// Connections at once.
const WRITERS: [usize; 2] = [1, 16];

/// How a request is sent.
#[derive(Clone, Copy)]
enum Way {
    Plain,
    /// Each under a key of its own.
    Keyed,
    /// All under keys that were used before.
    Repeated,
}

/// A connection of the admin.
struct Line {
    sender: SendRequest<Full<Bytes>>,
    head: String,
    name: String,
}

#[tokio::main]
async fn main() {
    // The policies would end the run after some seconds.
    let within = ["env", "RATE_LIMIT_ENABLED=false"].map(str::to_owned);
    let org = Org::on(Node::start_in(&within, "127.0.0.1:0")).await;
    for writers in WRITERS {
        let mut lines = Vec::new();
        for n in 0..writers {
            lines.push(Line::open(&org, format!("{writers}-{n}")).await);
        }
        let (mut keyed, mut repeated, mut times) = (vec![], vec![], [vec![], vec![], vec![]]);
        for round in 0..ROUNDS {
            let mut took = [Duration::ZERO; 3];
            for (n, way) in [Way::Plain, Way::Keyed, Way::Repeated].into_iter().enumerate() {
                let began = Instant::now();
                join_all(lines.iter_mut().map(|line| line.run(round, way))).await;
                took[n] = began.elapsed();
                times[n].push(took[n]);
            }
            let [plain, with_key, again] = took.map(|took| took.as_secs_f64());
            keyed.push(with_key / plain);
            repeated.push(again / plain);
        }
        let each = |times: &mut Vec<Duration>| {
            times.sort_unstable();
            times[ROUNDS / 2].as_secs_f64() * 1_000.0 / REQUESTS as f64
        };
        let [plain, with_key, again] = &mut times;
        println!("{writers} at once, a write without a key    {:.3} ms", each(plain));
        println!(
            "{writers} at once, the same with a key       {:.3} ms (ratio {:.2}, {:.2} to {:.2})",
            each(with_key),
            middle(&mut keyed),
            keyed[0],
            keyed[ROUNDS - 1]
        );
        println!(
            "{writers} at once, a repeated one            {:.3} ms (ratio {:.2}, {:.2} to {:.2})",
            each(again),
            middle(&mut repeated),
            repeated[0],
            repeated[ROUNDS - 1]
        );
    }
}

fn middle(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

impl Line {
    async fn open(org: &Org, name: String) -> Line {
        let stream = TcpStream::connect(org.node.address()).await.unwrap();
        stream.set_nodelay(true).unwrap();
        let (sender, connection) = handshake(TokioIo::new(stream)).await.unwrap();
        tokio::spawn(connection);
        let token = org.admin.login["access_token"].as_str().unwrap();
        Line { sender, head: format!("Bearer {token}"), name }
    }

    async fn run(&mut self, round: usize, way: Way) {
        let body = json!({"kind": "practice", "title": "Bench", "questions": ["Why?"]});
        let body = Bytes::from(body.to_string());
        for n in 0..REQUESTS {
            let mut request = Request::post("/api/v1/interviews")
                .header("host", "localhost")
                .header("authorization", &self.head)
                .header("content-type", "application/json");
            if !matches!(way, Way::Plain) {
                request = request.header("idempotency-key", format!("{}-{round}-{n}", self.name));
            }
            let request = request.body(Full::new(body.clone())).unwrap();
            self.sender.ready().await.unwrap();
            let reply = self.sender.send_request(request).await.unwrap();
            assert_eq!(reply.status(), 201);
            let replayed = reply.headers().contains_key("idempotency-replayed");
            assert_eq!(replayed, matches!(way, Way::Repeated));
            reply.into_body().collect().await.unwrap();
        }
    }
}
