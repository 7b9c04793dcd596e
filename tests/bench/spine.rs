//! The spine's figures, with a control in the same run: `cargo bench --bench spine`.
//!
//! Cold start, idle memory, size of the binary, the time from an `answer` frame to its event beside
//! one fsync of as many bytes on the same disk, and answers scored in a second by one process.
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
#[path = "../it/scene.rs"]
#[allow(dead_code)]
mod scene;
#[path = "../it/socket.rs"]
#[allow(dead_code)]
mod socket;

use std::fs::File;
use std::io::Write;
use std::time::{Duration, Instant};

use serde_json::json;

use node::Node;
use org::Org;
use socket::Socket;

/// Runs of each figure; the median is printed.
const RUNS: usize = 5;

/// Interviews of one run; each has as many questions as are allowed at its start.
const INTERVIEWS: usize = 4;
const QUESTIONS: usize = 50;

/// Lines that are scored in one run.
const LINES: usize = 20_000;

/// About 150 words, with everything that the engine looks for.
const ANSWER: &str = "\
    Last spring our checkout was slow and orders timed out at noon, when most people pay. My \
    task was to make it fast again before the sale in June. First I profiled the service and \
    found a query without an index, because the table had grown tenfold in a year. I added \
    the index and rewrote the loop that called the database for every row. I chose a small \
    cache instead of a bigger machine, since the machine would have cost 900 euros a month \
    and hidden the cause. I told the support team what to expect, and I watched the release \
    myself on a quiet morning. As a result the median time fell from 900 ms to 240 ms within \
    two weeks, and calls about payment dropped by 30 percent. Looking back, I would load \
    test such a release first; I have done that ever since, and two later mistakes were \
    found that way.";

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let binary = std::fs::metadata(env!("CARGO_BIN_EXE_greenroom")).unwrap().len();
    println!("binary                    {:.1} MiB", binary as f64 / 1_048_576.0);
    starts();
    runtime.block_on(answers());
    scores();
}

fn starts() {
    let (mut cold, mut warm, mut memory) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..RUNS {
        let began = Instant::now();
        let mut node = Node::start();
        cold.push(began.elapsed());
        memory.push(node.resident_kib());
        node.kill();
        let began = Instant::now();
        node.restart();
        warm.push(began.elapsed());
    }
    memory.sort_unstable();
    println!("cold start to ready       {:.0} ms", ms(median(&mut cold)));
    println!("restart after a kill      {:.0} ms", ms(median(&mut warm)));
    println!("idle resident memory      {:.1} MiB", memory[RUNS / 2] as f64 / 1_024.0);
}

async fn answers() {
    let (mut p50s, mut p99s, mut sync50s, mut sync99s) = (vec![], vec![], vec![], vec![]);
    for _ in 0..RUNS {
        let org = Org::found().await;
        let mut times = Vec::new();
        for _ in 0..INTERVIEWS {
            times.extend(one_interview(&org).await);
        }
        p50s.push(percentile(&mut times, 50));
        p99s.push(percentile(&mut times, 99));
        let mut syncs = control(&org.node.data_dir().join("control"));
        sync50s.push(percentile(&mut syncs, 50));
        sync99s.push(percentile(&mut syncs, 99));
    }
    let (p50, p99) = (median(&mut p50s), median(&mut p99s));
    let (sync50, sync99) = (median(&mut sync50s), median(&mut sync99s));
    println!("answer to its event, p50  {:.2} ms", ms(p50));
    println!("answer to its event, p99  {:.2} ms", ms(p99));
    println!("one fsync of 20 KB, p50   {:.2} ms (ratio {:.1})", ms(sync50), ratio(p50, sync50));
    println!("one fsync of 20 KB, p99   {:.2} ms (ratio {:.1})", ms(sync99), ratio(p99, sync99));
}

/// Answers question after question, one at a time, and measures each.
async fn one_interview(org: &Org) -> Vec<Duration> {
    let questions: Vec<String> =
        (0..QUESTIONS).map(|n| format!("Tell me about slow service number {n}.")).collect();
    let body = json!({"kind": "practice", "questions": questions});
    let interview = org.admin.api.post("/api/v1/interviews", body).await.ok(201);
    let mut socket = Socket::join(&org.admin.api, &interview, Some(0)).await;
    socket.act(json!({"type": "start", "id": "start"})).await;
    let mut times = Vec::new();
    for n in 0..QUESTIONS {
        let question = &interview["questions"][n]["question_id"];
        let id = format!("answer-{n}");
        let frame = json!({"type": "answer", "id": id, "question_id": question, "text": ANSWER});
        let began = Instant::now();
        socket.send(frame).await;
        socket.wait_event("answer.analysed").await;
        times.push(began.elapsed());
        // The next one is asked by itself; the acknowledgement tells that it was.
        socket.wait_id("ack", &id).await;
    }
    times
}

/// What the disk needs for one durable write of about the size of an answer's log entry.
fn control(path: &std::path::Path) -> Vec<Duration> {
    let mut file = File::create(path).unwrap();
    let bytes = vec![7_u8; 20_000];
    (0..200)
        .map(|_| {
            let began = Instant::now();
            file.write_all(&bytes).unwrap();
            file.sync_data().unwrap();
            began.elapsed()
        })
        .collect()
}

fn scores() {
    let line = json!({"id": "a", "question": "Tell me about a slow service.", "answer": ANSWER});
    let input = format!("{line}\n").repeat(LINES);
    let mut rates = Vec::new();
    for _ in 0..RUNS {
        let began = Instant::now();
        let output = node::run(node::greenroom().arg("score"), input.as_bytes());
        assert!(output.status.success());
        rates.push((LINES as f64 / began.elapsed().as_secs_f64()) as u64);
    }
    rates.sort_unstable();
    println!("answers scored a second   {}", rates[RUNS / 2]);
}

fn median(times: &mut [Duration]) -> Duration {
    percentile(times, 50)
}

fn percentile(times: &mut [Duration], percent: usize) -> Duration {
    times.sort_unstable();
    times[(times.len() * percent / 100).min(times.len() - 1)]
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1_000.0
}

fn ratio(a: Duration, b: Duration) -> f64 {
    a.as_secs_f64() / b.as_secs_f64()
}
