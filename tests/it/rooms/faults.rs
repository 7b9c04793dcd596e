//! The faults of the system that this one replaces, each by its name.

use std::time::Duration;

use futures_util::future::join;
use serde_json::{Value, json};

use super::{bare, say};
use crate::deadline::until;
use crate::org::{Org, Person, shared};
use crate::scene;
use crate::socket::Socket;

/// Longer than a connection may be silent; only a failing test waits so long.
const SILENCE: Duration = Duration::from_secs(100);

/// A live interview that has begun, of an owner, a candidate and an observer.
async fn panel(org: &Org) -> (Person, Person, Person, Value) {
    let owner = org.person("interviewer").await;
    let live = owner.api.post("/api/v1/interviews", json!({"kind": "live"})).await.ok(201);
    let mut others = Vec::new();
    for part in ["candidate", "observer"] {
        let person = org.person("candidate").await;
        let body = json!({"person_id": person.id, "part": part});
        owner.api.post(&scene::path(&live, "/members"), body).await.ok(201);
        others.push(person);
    }
    owner.api.post(&scene::path(&live, "/start"), json!({})).await.ok(200);
    let [candidate, observer] = others.try_into().ok().unwrap();
    (owner, candidate, observer, live)
}

/// "One member who stops reading freezes the whole room for 77 s."
#[tokio::test]
async fn a_member_who_stops_reading_freezes_nobody_and_loses_nothing() {
    let org = Org::found().await;
    let (owner, candidate, observer, live) = panel(&org).await;
    let mut stalled = Socket::join_narrow(&observer.api, &live, Some(0)).await;
    let mut speaks = Socket::join(&owner.api, &live, None).await;
    let mut hears = Socket::join(&candidate.api, &live, None).await;
    let text = "word ".repeat(6_000);
    // Some 7 MB go past the one who does not read; what may wait for it is a tenth of that
    // (`room/outbox/tests.rs` holds the bound).
    for n in 0..120 {
        speaks.send(json!({"type": "partial", "text": text})).await;
        speaks.act(say(&format!("s{n}"), &text)).await;
        hears.wait_event("transcript.final").await;
    }
    let head = hears.events.last().unwrap()["seq"].as_u64().unwrap();
    // It reads again: every event is there, in order, on the same connection or the next one.
    let mut seen = 0;
    while seen < head {
        if stalled.reads_on(head).await {
            seen = head;
        } else {
            let last = stalled.events.last().map_or(0, |event| event["seq"].as_u64().unwrap());
            let mut back = Socket::join(&observer.api, &live, Some(last)).await;
            back.events = std::mem::take(&mut stalled.events);
            stalled = back;
        }
    }
    assert_eq!(stalled.events.len() as u64, head);
}

/// "A silent candidate is dropped after 48 s with the socket left open."
#[tokio::test]
async fn a_silent_candidate_keeps_the_seat_and_a_dead_one_is_gone() {
    let org = shared().await;
    let (owner, candidate, observer, live) = panel(org).await;
    let mut watches = Socket::join(&owner.api, &live, None).await;
    let mut silent = Socket::join(&candidate.api, &live, None).await;
    let mut dead = Socket::join(&observer.api, &live, None).await;
    let here = |frame: &Value, person: &Person| {
        let people = frame["people"].as_array().unwrap();
        people.iter().any(|p| p["person_id"] == person.id.as_str())
    };
    let all = |frame: &Value| {
        frame["type"] == "presence" && frame["people"].as_array().unwrap().len() == 3
    };
    watches.find("all three".to_owned(), all).await;
    // Those before are of no interest.
    watches.settle().await;
    // The candidate says nothing; its machine answers pings, as every browser does. The observer's
    // machine does not even do that.
    let watching = async {
        loop {
            let presence = watches.wait_long("presence", SILENCE).await;
            assert!(here(&presence, &candidate), "the silent one stays: {presence}");
            if !here(&presence, &observer) {
                break;
            }
        }
    };
    let listening = silent.listen_until(watching);
    tokio::time::timeout(SILENCE, listening).await.expect("the dead one to be noticed");
    silent.act(say("still", "I was thinking.")).await;
    dead.ends(None, 1006).await;
}

/// "`stop` and an oversized frame leave zombie sockets."
#[tokio::test]
async fn neither_a_finish_nor_an_oversized_frame_leaves_a_zombie_socket() {
    let org = Org::found().await;
    let (owner, candidate, observer, live) = panel(&org).await;
    let sockets = async || {
        let metrics = org.node.api().get("/metrics").await;
        let line =
            metrics.text().lines().find(|l| l.starts_with("greenroom_sockets ")).map(str::to_owned);
        line.and_then(|line| line.rsplit(' ').next()?.parse::<f64>().ok())
    };
    let mut owns = Socket::join(&owner.api, &live, None).await;
    let mut sends = Socket::join(&candidate.api, &live, None).await;
    let mut reads = Socket::join(&observer.api, &live, None).await;
    assert_eq!(sockets().await, Some(3.0));
    sends.send(say("big", &"x".repeat(70_000))).await;
    sends.ends(None, 1009).await;
    until("the oversized one to be gone", async || (sockets().await? == 2.0).then_some(())).await;
    owns.act(bare("finish", "f")).await;
    join(owns.ends(Some("room_finished"), 1000), reads.ends(Some("room_finished"), 1000)).await;
    until("all to be gone", async || (sockets().await? == 0.0).then_some(())).await;
}

/// "A role of one lone surrogate makes every later write of everybody a 500 until restart."
#[tokio::test]
async fn a_lone_surrogate_is_refused_and_spoils_nothing() {
    let mut org = Org::found().await;
    let person = org.person("candidate").await;
    let other = org.person("candidate").await;
    for (path, body) in [
        ("/api/v1/interviews", r#"{"kind": "practice", "role": "\ud800"}"#),
        ("/api/v1/interviews", r#"{"kind": "practice", "questions": ["\udfff?"]}"#),
    ] {
        let call = person.api.call(axum::http::Method::POST, path);
        let reply = call.text("application/json", body).send().await;
        assert_eq!(reply.status, 400, "{}", reply.text());
    }
    let call = person.api.call(axum::http::Method::PUT, "/api/v1/me/context");
    let reply = call.text("application/json", r#"{"target_role": "\ud800"}"#).send().await;
    assert_eq!(reply.status, 400, "{}", reply.text());
    let practice = scene::begun(&person.api).await;
    let mut socket = Socket::join(&person.api, &practice, None).await;
    let bad = r#"{"type":"say","id":"s","text":"\ud800"}"#;
    socket.send_message(tokio_tungstenite::tungstenite::Message::text(bad)).await;
    assert_eq!(socket.wait("refused").await["code"], "frame.bad");
    socket.act(say("on", "We go on.")).await;
    scene::reported(&other.api).await;
    org.crash();
    scene::reported(&other.api.at(org.node.address())).await;
}
