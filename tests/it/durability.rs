//! Crashes: whatever was acknowledged is there, once, in its place, however often the node dies.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use crate::api::text;
use crate::node::run;
use crate::org::Org;
use crate::scene;
use crate::socket::Socket;

/// Deaths in one test.
const ROUNDS: usize = 20;

/// Frames that are sent in one go before the node dies somewhere among them.
const FRAMES: usize = 40;

/// A small generator of numbers that look like chance; the same seed gives the same ones.
pub(crate) struct Chance(u64);

impl Chance {
    /// From `SEED`, or from the clock; printed, so that a failure can be had again.
    pub(crate) fn new() -> Chance {
        let clock = || SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos() as u64;
        let seed = std::env::var("SEED").ok().and_then(|seed| seed.parse().ok());
        let seed = seed.unwrap_or_else(clock);
        println!("SEED={seed}");
        Chance(seed | 1)
    }

    /// A number below this one.
    pub(crate) fn below(&mut self, n: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % n
    }
}

/// What a client knows across the crashes.
#[derive(Default)]
struct Memory {
    /// Acknowledged ids with their acknowledgements.
    acked: BTreeMap<String, Value>,
    /// Everything that was ever sent.
    sent: BTreeSet<String>,
    /// The last event that was seen.
    seen: Vec<Value>,
}

/// One life of the node: sends what was not acknowledged before and something new, reads until so
/// many acknowledgements have come, and leaves the rest under way.
async fn live(org: &Org, practice: &Value, memory: &mut Memory, round: usize, acks: u64) {
    let after = memory.seen.len() as u64;
    let mut socket = Socket::join(&org.admin.api, practice, Some(after)).await;
    let open: Vec<String> =
        memory.sent.iter().filter(|id| !memory.acked.contains_key(*id)).cloned().collect();
    let answer = format!("answer {round}");
    let fresh = (0..FRAMES).map(|n| format!("say {round} {n}")).chain([answer]);
    let ids: Vec<String> = open.into_iter().chain(fresh).take(95).collect();
    memory.sent.extend(ids.iter().cloned());
    let frame = |id: &String| match id.strip_prefix("answer ") {
        Some(n) => json!({"type": "answer", "id": id, "text": format!("{id} is mine."),
            "question_id": scene::question(practice, n.parse().unwrap())}),
        None => json!({"type": "say", "id": id, "text": id}),
    };
    socket.send_all(ids.iter().map(frame)).await;
    for _ in 0..acks {
        let ack = socket
            .find("an ack".to_owned(), |f| f["type"] == "ack" || f["type"] == "refused")
            .await;
        // An answer to a question that a crash kept from being asked is refused; it comes again.
        if ack["type"] == "ack" {
            memory.acked.insert(text(&ack["id"]), ack);
        }
    }
    let events = &socket.events;
    if let Some(first) = events.first() {
        assert_eq!(first["seq"], after + 1, "the resume begins where the last one ended");
    }
    memory.seen.extend(events.iter().cloned());
}

#[tokio::test]
async fn nothing_acknowledged_is_lost_or_doubled_by_twenty_crashes() {
    let mut chance = Chance::new();
    let mut org = Org::found().await;
    let questions: Vec<String> = (0..ROUNDS).map(|n| format!("Question {n}?")).collect();
    let questions: Vec<&str> = questions.iter().map(String::as_str).collect();
    let practice = scene::practice(&org.admin.api, &questions).await;
    org.admin.api.post(&scene::path(&practice, "/start"), json!({})).await.ok(200);
    let mut memory = Memory::default();
    for round in 0..ROUNDS {
        let acks = chance.below(FRAMES as u64);
        live(&org, &practice, &mut memory, round, acks).await;
        org.crash();
    }
    assert!(memory.acked.len() > ROUNDS, "{} acknowledgements", memory.acked.len());
    let events = scene::events(&org.admin.api, &practice).await;
    for (seen, kept) in memory.seen.iter().zip(&events) {
        assert_eq!((&seen["seq"], &seen["data"]), (&kept["seq"], &kept["data"]));
    }
    let mut said = BTreeMap::new();
    for event in &events {
        let words = event["data"]["text"].as_str().unwrap_or_default();
        let id = words.trim_end_matches(" is mine.").to_owned();
        if event["kind"] != "question.asked" && said.insert(id, &event["seq"]).is_some() {
            assert!(words.is_empty(), "twice: {event}");
        }
    }
    for (id, ack) in &memory.acked {
        assert_eq!(said.get(id), Some(&&ack["seq"]), "{id} was acknowledged");
    }
    // Sent again, each gives what it gave before.
    let mut socket = Socket::join(&org.admin.api, &practice, None).await;
    for (id, ack) in memory.acked.iter().filter(|(id, _)| id.starts_with("say")).take(50) {
        assert_eq!(&socket.act(json!({"type": "say", "id": id, "text": id})).await, ack);
    }
    assert_eq!(scene::events(&org.admin.api, &practice).await.len(), events.len());
}

/// The state's files in a folder of their own.
fn copy_state(from: &Path, to: &Path) {
    for name in ["state.db", "state.db-wal", "state.db-shm"] {
        let _ = std::fs::remove_file(to.join(name));
        if from.join(name).exists() {
            std::fs::copy(from.join(name), to.join(name)).unwrap();
        }
    }
}

#[tokio::test]
async fn a_state_that_fell_behind_catches_up_from_the_journal() {
    let mut org = Org::found().await;
    let practice = scene::begun(&org.admin.api).await;
    org.node.kill();
    let aside = tempfile::tempdir().unwrap();
    copy_state(&org.node.data_dir(), aside.path());
    org.node.restart();
    let api = org.admin.api.at(org.node.address());
    scene::answer(&api, &practice, 0, scene::ANSWER).await;
    let finished = api.post(&scene::path(&practice, "/finish"), json!({})).await.ok(200);
    let before = scene::events(&api, &finished).await;
    org.node.kill();
    // What a power cut does to a file that was not synced.
    copy_state(aside.path(), &org.node.data_dir());
    org.crash();
    let after = scene::events(&org.admin.api, &practice).await;
    assert!(after.len() >= before.len());
    assert_eq!(after[..before.len()], before);
}

#[tokio::test]
async fn one_directory_has_one_node() {
    let mut org = Org::found().await;
    let output = run(org.node.command().args(["serve", "--listen", "127.0.0.1:0"]), b"");
    assert_eq!(output.status.code(), Some(1));
    let words = String::from_utf8(output.stderr).unwrap();
    assert!(words.contains("another greenroom runs on"), "{words}");
    assert!(words.contains("--data-dir"), "it says what to do: {words}");
    assert!(output.stdout.is_empty());
    // The first one did not notice, and after its death the next may have the directory.
    scene::practice(&org.admin.api, &[]).await;
    org.crash();
    scene::practice(&org.admin.api, &[]).await;
    let address = org.node.address().to_string();
    let dir = tempfile::tempdir().unwrap();
    let mut second: Command = crate::node::greenroom();
    second.arg("--data-dir").arg(dir.path()).args(["serve", "--listen", &address]);
    let output = run(&mut second, b"");
    assert_eq!(output.status.code(), Some(1), "the address is taken");
    assert!(String::from_utf8_lossy(&output.stderr).contains("cannot listen on"));
}

#[tokio::test]
async fn data_that_is_not_ours_is_refused_in_words() {
    let mut org = Org::found().await;
    assert_eq!(org.node.terminate(), 0);
    let journal = rusqlite::Connection::open(org.node.data_dir().join("journal.db")).unwrap();
    journal.execute("INSERT INTO migration VALUES (99, '0099_later', 'x')", []).unwrap();
    drop(journal);
    let output = run(org.node.command().args(["serve", "--listen", "127.0.0.1:0"]), b"");
    assert_eq!(output.status.code(), Some(4));
    let words = String::from_utf8(output.stderr).unwrap();
    assert!(words.contains("newer Greenroom"), "{words}");
}
