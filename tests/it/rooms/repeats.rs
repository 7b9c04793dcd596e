//! The same id again: the same acknowledgement, and nothing happens twice.

use serde_json::{Value, json};

use super::{answer, bare, say};
use crate::org::{Org, shared};
use crate::scene;
use crate::socket::Socket;

/// Events of this kind.
fn count(events: &[Value], kind: &str) -> usize {
    events.iter().filter(|event| event["kind"] == kind).count()
}

#[tokio::test]
async fn a_repeated_id_gives_the_same_acknowledgement_on_any_connection() {
    let person = shared().await.person("candidate").await;
    let practice = scene::practice(&person.api, &scene::QUESTIONS).await;
    let question = scene::question(&practice, 0);
    let mut socket = Socket::join(&person.api, &practice, Some(0)).await;
    let frames = [
        bare("start", "s"),
        say("w", "I measured it."),
        answer("a", &question, scene::ANSWER),
        json!({"type": "ask", "id": "q", "text": "What else?"}),
    ];
    let mut first = Vec::new();
    for frame in &frames {
        first.push(socket.act(frame.clone()).await);
    }
    for (frame, ack) in frames.iter().zip(&first) {
        assert_eq!(&socket.act(frame.clone()).await, ack);
    }
    let mut other = Socket::join(&person.api, &practice, Some(0)).await;
    for (frame, ack) in frames.iter().zip(&first) {
        assert_eq!(&other.act(frame.clone()).await, ack);
    }
    // The id counts, not what comes with it.
    assert_eq!(other.act(say("w", "Something else.")).await, first[1]);
    let events = scene::events(&person.api, &practice).await;
    assert_eq!(events.len(), 6, "started, asked, said, analysed, asked, asked: {events:#?}");
    assert_eq!(count(&events, "transcript.final"), 1);
}

#[tokio::test]
async fn the_same_id_many_times_at_once_writes_once() {
    let person = shared().await.person("candidate").await;
    let practice = scene::begun(&person.api).await;
    let question = scene::question(&practice, 0);
    let mut sockets = Vec::new();
    for _ in 0..4 {
        sockets.push(Socket::join(&person.api, &practice, None).await);
    }
    for socket in &mut sockets {
        let frame = answer("race", &question, scene::ANSWER);
        socket.send_all([frame.clone(), say("said", "Once."), frame]).await;
    }
    let mut acks = Vec::new();
    for socket in &mut sockets {
        acks.push(socket.wait_id("ack", "race").await);
        acks.push(socket.wait_id("ack", "race").await);
        socket.wait_id("ack", "said").await;
    }
    assert!(acks.windows(2).all(|two| two[0] == two[1]), "{acks:?}");
    let events = scene::events(&person.api, &practice).await;
    assert_eq!(count(&events, "answer.analysed"), 1);
    assert_eq!(count(&events, "transcript.final"), 1);
}

#[tokio::test]
async fn of_many_answers_to_one_question_one_counts() {
    let person = shared().await.person("candidate").await;
    let practice = scene::begun(&person.api).await;
    let question = scene::question(&practice, 0);
    let mut socket = Socket::join(&person.api, &practice, None).await;
    let frames = (0..4).map(|n| answer(&format!("a{n}"), &question, &format!("Try {n}.")));
    let path = scene::path(&practice, "/answers");
    let body = json!({"question_id": question, "text": "Over HTTP."});
    let over_http = (0..4).map(|_| person.api.post(&path, body.clone()));
    let (replies, ()) =
        tokio::join!(futures_util::future::join_all(over_http), socket.send_all(frames));
    let mut taken = 0;
    for reply in replies {
        if reply.status == 201 {
            taken += 1;
        } else {
            reply.refused(409, "conflict.state");
        }
    }
    for n in 0..4 {
        let id = format!("a{n}");
        let frame = socket.find(id.clone(), |frame| frame["id"] == id.as_str()).await;
        if frame["type"] == "ack" {
            taken += 1;
        } else {
            assert_eq!(frame["code"], "conflict.state", "{frame}");
        }
    }
    assert_eq!(taken, 1);
    let events = scene::events(&person.api, &practice).await;
    assert_eq!(count(&events, "answer.analysed"), 1);
    assert_eq!(count(&events, "question.asked"), 2);
}

#[tokio::test]
async fn ids_of_two_people_or_two_rooms_never_meet() {
    let org = shared().await;
    let owner = org.person("interviewer").await;
    let other = org.person("interviewer").await;
    let live = owner.api.post("/api/v1/interviews", json!({"kind": "live"})).await.ok(201);
    let body = json!({"person_id": other.id, "part": "interviewer"});
    owner.api.post(&scene::path(&live, "/members"), body).await.ok(201);
    owner.api.post(&scene::path(&live, "/start"), json!({})).await.ok(200);
    let mut one = Socket::join(&owner.api, &live, None).await;
    let mut two = Socket::join(&other.api, &live, None).await;
    let (first, second) = (one.act(say("x", "Mine.")).await, two.act(say("x", "Yours.")).await);
    assert_ne!(first["seq"], second["seq"]);

    let elsewhere = scene::begun(&owner.api).await;
    let mut there = Socket::join(&owner.api, &elsewhere, None).await;
    assert_eq!(there.act(say("x", "There.")).await["seq"], 3);
}

#[tokio::test]
async fn ids_outlive_a_crash_of_the_node() {
    let mut org = Org::found().await;
    let practice = scene::begun(&org.admin.api).await;
    let question = scene::question(&practice, 0);
    let mut socket = Socket::join(&org.admin.api, &practice, Some(0)).await;
    let frames = [say("w", "I measured it."), answer("a", &question, scene::ANSWER)];
    let mut first = Vec::new();
    for frame in &frames {
        first.push(socket.act(frame.clone()).await);
    }
    let before = scene::events(&org.admin.api, &practice).await;
    org.crash();
    let seen = socket.events.len() as u64;
    let mut socket = Socket::join(&org.admin.api, &practice, Some(seen)).await;
    for (frame, ack) in frames.iter().zip(&first) {
        assert_eq!(&socket.act(frame.clone()).await, ack);
    }
    assert_eq!(scene::events(&org.admin.api, &practice).await, before);
}

/// Entries that went through the log, as the node itself counts them.
async fn proposals(org: &Org) -> u64 {
    let page = org.node.api().get("/metrics").await.text();
    let line = page.lines().find_map(|line| line.strip_prefix("greenroom_quorum_seconds_count "));
    line.map_or(0, |count| count.parse().unwrap())
}

#[tokio::test]
async fn an_act_that_cannot_be_is_refused_without_an_entry_in_the_log() {
    let org = Org::found().await;
    let practice = scene::begun(&org.admin.api).await;
    let mut socket = Socket::join(&org.admin.api, &practice, Some(0)).await;
    let before = proposals(&org).await;
    for n in 0..10 {
        socket.refused(bare("start", &format!("again-{n}")), "conflict.state").await;
    }
    assert_eq!(proposals(&org).await, before);
    // One that can be still goes through it, so the count is a count.
    socket.act(say("w", "I measured it.")).await;
    assert_eq!(proposals(&org).await, before + 1);
}
