//! Rooms beside a bare server: `cargo bench --bench rooms [nodes]`.
//!
//! One generator of load drives two servers in turn, each a process of its own: the program, and a
//! bare axum server that hands every frame to the other sockets of its room and knows nothing
//! else. Each figure is the middle of some rounds and stands beside the control's. With `nodes`
//! more than 1 the sockets are at the leader of so many nodes on this machine. Nothing here passes
//! or fails: it prints, and people compare. `ONLY=words` runs the lines that have these words.

#![allow(clippy::unwrap_used, reason = "a bench that cannot go on panics, as a test does")]
#![allow(unreachable_pub, reason = "the client belongs to the tests, where it is shared")]

#[path = "../../it/api.rs"]
#[allow(dead_code)]
mod api;
mod control;
#[path = "../../it/deadline.rs"]
#[allow(dead_code)]
mod deadline;
mod load;
#[path = "../../it/node.rs"]
#[allow(dead_code)]
mod node;
#[path = "../../it/org.rs"]
#[allow(dead_code)]
mod org;
mod place;

use std::time::Duration;

use load::Figure;
use place::{Place, Shape};

/// How long each figure is taken.
const SECONDS: u64 = 3;

/// Rounds; the middle one is printed.
const ROUNDS: usize = 3;

/// Delivered events a second of the lines about latency.
const MODERATE: usize = 5_000;

/// Small rooms, and one large one.
const SMALL: Shape = Shape { rooms: 50, sockets: 10 };
const LARGE: Shape = Shape { rooms: 1, sockets: 500 };

/// Those who come back at once, and what each has missed.
const STORM: Shape = Shape { rooms: 40, sockets: 50 };
const MISSED: usize = 100;

/// Connections that say nothing.
const IDLE: [Shape; 2] = [Shape { rooms: 20, sockets: 200 }, Shape { rooms: 20, sockets: 490 }];

#[tokio::main]
async fn main() {
    if std::env::args().any(|arg| arg == control::ARGUMENT) {
        control::serve().await;
        return;
    }
    let nodes = std::env::args().find_map(|arg| arg.parse().ok()).unwrap_or(1);
    let ours = Place::ours(nodes).await;
    let bare = Place::control().await;
    let time = Duration::from_secs(SECONDS);
    for (name, shape) in [("50 x 10", SMALL), ("1 x 500", LARGE)] {
        for durable in [false, true] {
            let kind = if durable { "durable" } else { "ephemeral" };
            let what = format!("{kind} {name}, delivered a second");
            let flat_out =
                async |place: &Place| load::deliver(place, shape, durable, None, time).await;
            compare(&what, &ours, &bare, flat_out).await;
            let what = format!("{kind} {name}, at {MODERATE} a second");
            let gently = async |place: &Place| {
                load::deliver(place, shape, durable, Some(MODERATE), time).await
            };
            compare(&what, &ours, &bare, gently).await;
        }
    }
    let connects = async |place: &Place| load::connect(place, STORM).await;
    compare("connections a second, with ticket and welcome", &ours, &bare, connects).await;
    if wanted("resume") {
        let mut times: Vec<Duration> = Vec::new();
        for _ in 0..ROUNDS {
            times.push(load::resume(&ours, STORM, MISSED).await);
        }
        times.sort();
        let clients = STORM.rooms * STORM.sockets;
        println!("resume: {clients} clients with {MISSED} missed events each: {:?}", times[1]);
    }
    for shape in IDLE {
        for (name, place) in [("greenroom", &ours), ("control", &bare)] {
            if wanted("idle") {
                let idle = load::idle(place, shape, time).await;
                println!(
                    "idle, {} connections, {name}: {:.1} KiB each, {:.1} % of a core",
                    shape.rooms * shape.sockets,
                    idle.kib_each,
                    idle.core_percent
                );
            }
        }
    }
}

fn wanted(what: &str) -> bool {
    std::env::var("ONLY").map_or(true, |only| what.contains(&only))
}

async fn compare(what: &str, ours: &Place, bare: &Place, measure: impl AsyncFn(&Place) -> Figure) {
    if !wanted(what) {
        return;
    }
    let (mut greenroom, mut control) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        control.push(measure(bare).await);
        greenroom.push(measure(ours).await);
    }
    let [ours, bare] = [greenroom, control].map(|mut runs: Vec<Figure>| {
        runs.sort_by(|a, b| a.per_second.total_cmp(&b.per_second));
        runs[runs.len() / 2]
    });
    println!(
        "{what:<48} {:>9.0}/s p50 {:>6.2} p99 {:>6.2} ms | control {:>9.0}/s {:>6.2} {:>6.2} ms | \
         ratio {:.2}, p99 {:.1}",
        ours.per_second,
        ours.p50_ms,
        ours.p99_ms,
        bare.per_second,
        bare.p50_ms,
        bare.p99_ms,
        ours.per_second / bare.per_second,
        ours.p99_ms / bare.p99_ms
    );
}
