//! The life of interviews and questions: skipped turns, what is seen of them, what is forgotten.

use std::io::Write;

use serde_json::{Value, json};

use super::{answer, bare, say};
use crate::api::text;
use crate::deadline::until;
use crate::node::Node;
use crate::org::{Org, PASSWORD, Person, shared};
use crate::scene;
use crate::socket::Socket;

fn turns(interview: &Value) -> Vec<String> {
    let questions = interview["questions"].as_array().unwrap();
    questions.iter().map(|question| text(&question["turn"])).collect()
}

/// An organisation on a node with these settings.
async fn org_with(settings: &str) -> (Org, tempfile::NamedTempFile) {
    let mut file = tempfile::Builder::new().suffix(".toml").tempfile().unwrap();
    file.write_all(settings.as_bytes()).unwrap();
    let path = file.path().to_str().unwrap().to_owned();
    let node = Node::start_with(&["--listen", "127.0.0.1:0", "--config", &path]);
    (Org::on(node).await, file)
}

#[tokio::test]
async fn a_skipped_question_takes_no_answer_and_the_next_one_comes() {
    let person = shared().await.person("candidate").await;
    let practice = scene::begun(&person.api).await;
    let [first, second, third] = [0, 1, 2].map(|n| scene::question(&practice, n));
    assert_eq!(turns(&practice_now(&person, &practice).await), ["asked", "planned", "planned"]);
    let mut socket = Socket::join(&person.api, &practice, Some(0)).await;
    let skip = json!({"type": "skip", "id": "skip", "question_id": first});
    let ack = socket.act(skip.clone()).await;
    assert_eq!(ack, socket.act(skip).await, "the same id skips once");
    let skipped = socket.wait_event("question.skipped").await;
    assert_eq!(skipped["data"], json!({"question_id": first}));
    assert_eq!(skipped["by"], person.id);
    socket
        .find("the next question".to_owned(), |frame| {
            frame["kind"] == "question.asked" && frame["data"]["question_id"] == second.as_str()
        })
        .await;
    let late = socket.refused(answer("late", &first, scene::ANSWER), "conflict.state").await;
    assert!(text(&late["detail"]).contains("skipped"), "{late}");
    let again = json!({"type": "skip", "id": "again", "question_id": first});
    socket.refused(again, "conflict.state").await;
    let early = json!({"type": "skip", "id": "early", "question_id": third});
    socket.refused(early, "conflict.state").await;
    let nowhere = json!({"type": "skip", "id": "no", "question_id": scene::id(&practice)});
    socket.refused(nowhere, "not_found").await;
    // Over HTTP the same, under a key only once.
    let path = scene::path(&practice, "/skip");
    let body = json!({"question_id": second});
    let done = person.api.post(&path, body.clone()).await.ok(200);
    assert_eq!(done["question_id"], second.as_str());
    person.api.post(&path, body).await.refused(409, "conflict.state");
    person.api.post(&path, json!({"question_id": "x"})).await.refused(404, "not_found");
    socket.act(answer("a", &third, scene::ANSWER)).await;
    assert_eq!(turns(&practice_now(&person, &practice).await), ["skipped", "skipped", "analysed"]);
    socket.act(bare("finish", "f")).await;
    socket.ends(Some("room_finished"), 1000).await;
    person.api.post(&path, json!({"question_id": third})).await.refused(409, "room.closed");
    let report = until("the report", async || {
        let reply = person.api.get(&scene::path(&practice, "/report")).await;
        (reply.status == 200).then(|| reply.json())
    })
    .await;
    assert_eq!(report["answers"].as_array().unwrap().len(), 1);
}

async fn practice_now(person: &Person, practice: &Value) -> Value {
    person.api.get(&scene::path(practice, "")).await.ok(200)
}

#[tokio::test]
async fn who_comes_late_sees_the_room_as_it_is() {
    let mut org = Org::found().await;
    let person = org.person("candidate").await;
    let practice = scene::begun(&person.api).await;
    let [first, second] = [0, 1].map(|n| scene::question(&practice, n));
    let mut socket = Socket::join(&person.api, &practice, Some(0)).await;
    let seen = async |api: &crate::api::Api| {
        let late = Socket::join(api, &practice, None).await;
        turns(&late.welcome["interview"])
    };
    assert_eq!(seen(&person.api).await, ["asked", "planned", "planned"]);
    socket.send(json!({"type": "partial", "text": "So", "question_id": first})).await;
    socket.settle().await;
    assert_eq!(seen(&person.api).await, ["answering", "planned", "planned"]);
    socket.act(answer("a", &first, scene::ANSWER)).await;
    assert_eq!(seen(&person.api).await, ["analysed", "asked", "planned"]);
    let mut spoken = say("s", "It began in spring.");
    spoken["question_id"] = second.as_str().into();
    socket.act(spoken).await;
    assert_eq!(seen(&person.api).await, ["analysed", "answering", "planned"]);
    // What was said is known after a crash too, on the socket and over HTTP.
    org.crash();
    let api = person.api.at(org.node.address());
    assert_eq!(seen(&api).await, ["analysed", "answering", "planned"]);
    let over_http = api.get(&scene::path(&practice, "")).await.ok(200);
    assert_eq!(turns(&over_http), ["analysed", "answering", "planned"]);
}

#[tokio::test]
async fn what_everybody_has_forgotten_ends_by_itself() {
    let settings = "[rooms]\nquiet_seconds = 2\nwait_seconds = 1\n";
    let (org, _file) = org_with(settings).await;
    let person = org.person("candidate").await;
    let lobby = scene::practice(&person.api, &["Why?"]).await;
    let body = json!({"kind": "practice", "scheduled_at": "2020-01-01T00:00:00Z"});
    let overdue = person.api.post("/api/v1/interviews", body).await.ok(201);
    let body = json!({"kind": "practice", "scheduled_at": "2099-01-01T00:00:00Z"});
    let planned = person.api.post("/api/v1/interviews", body).await.ok(201);
    let live = scene::begun(&person.api).await;
    scene::answer(&person.api, &live, 0, scene::ANSWER).await;
    let mut socket = Socket::join(&person.api, &live, Some(0)).await;
    for (interview, end) in [(&lobby, "cancelled"), (&overdue, "cancelled"), (&live, "finished")] {
        until(end, async || (practice_now(&person, interview).await["state"] == end).then_some(()))
            .await;
        let events = scene::events(&person.api, interview).await;
        let kind = format!("interview.{end}");
        let last = events.iter().find(|event| event["kind"] == kind.as_str()).unwrap();
        assert_eq!(last["by"], Value::Null, "nobody did it");
    }
    // Who still had it open is told, and what was said has its report.
    socket.ends(Some("room_finished"), 1000).await;
    let report = person.api.get(&scene::path(&live, "/report")).await.ok(200);
    assert_eq!(report["answers"].as_array().unwrap().len(), 1);
    assert_eq!(practice_now(&person, &planned).await["state"], "scheduled");
    let path = scene::path(&live, "/finish");
    person.api.post(&path, json!({})).await.refused(409, "room.closed");
}

#[tokio::test]
async fn a_login_that_runs_out_closes_its_sockets() {
    let (org, _file) = org_with("[login]\nseconds = 3\n").await;
    let api = org.node.api();
    let (account, link) = org.invited("candidate").await;
    let body = json!({"token": link, "password": PASSWORD});
    let kept = Person::of(&api, api.post("/api/v1/auth/accept", body).await.ok(200));
    let practice = scene::begun(&kept.api).await;
    let body = json!({"email": account["email"], "password": PASSWORD});
    let left = Person::of(&api, api.post("/api/v1/auth/login", body).await.ok(200));
    let mut dies = Socket::join(&left.api, &practice, None).await;
    let mut lives = Socket::join(&kept.api, &practice, None).await;
    // One login is used meanwhile and so goes on; the other one is left alone.
    let mut token = text(&kept.login["refresh_token"]);
    let mut refresh = async || {
        let body = json!({"refresh_token": token});
        let again = api.post("/api/v1/auth/refresh", body).await.ok(200);
        token = text(&again["refresh_token"]);
    };
    until("the one that is left alone to end", async || {
        refresh().await;
        dies.has_ended("session_ended").await.then_some(())
    })
    .await;
    lives.act(say("on", "Still here.")).await;
}

#[tokio::test]
async fn whose_connection_breaks_is_away_first_and_only_then_gone() {
    let person = shared().await.person("interviewer").await;
    let other = shared().await.person("candidate").await;
    let live = person.api.post("/api/v1/interviews", json!({"kind": "live"})).await.ok(201);
    let body = json!({"person_id": other.id, "part": "candidate"});
    person.api.post(&scene::path(&live, "/members"), body).await.ok(201);
    let mut here = Socket::join(&person.api, &live, None).await;
    let there = Socket::join(&other.api, &live, None).await;
    let told = |here: usize, away: Value| {
        move |frame: &Value| {
            let people = frame["people"].as_array().map(Vec::len);
            frame["type"] == "presence" && people == Some(here) && frame["away"] == away
        }
    };
    here.find("both".to_owned(), told(2, json!([]))).await;
    let away = json!([{"person_id": other.id, "part": "candidate"}]);
    drop(there);
    here.find("one, and one away".to_owned(), told(1, away.clone())).await;
    let back = Socket::join(&other.api, &live, None).await;
    here.find("both again".to_owned(), told(2, json!([]))).await;
    here.settle().await;
    drop(back);
    here.find("away again".to_owned(), told(1, away)).await;
    here.find("nobody away".to_owned(), told(1, json!([]))).await;
    // Whom we send away is not expected back.
    let mut sent = Socket::join(&other.api, &live, None).await;
    here.find("both once more".to_owned(), told(2, json!([]))).await;
    here.settle().await;
    for _ in 0..3 {
        sent.send(json!([])).await;
    }
    sent.ends(None, 4400).await;
    let frame = here.find("one".to_owned(), |frame| {
        frame["type"] == "presence" && frame["people"].as_array().map(Vec::len) == Some(1)
    });
    assert_eq!(frame.await["away"], json!([]));
}

#[tokio::test]
async fn the_sockets_of_one_person_share_a_rate() {
    let (org, _file) = org_with("[rooms]\nframes_per_second = 2\n").await;
    let person = org.person("interviewer").await;
    let other = org.person("candidate").await;
    let live = person.api.post("/api/v1/interviews", json!({"kind": "live"})).await.ok(201);
    let body = json!({"person_id": other.id, "part": "candidate"});
    person.api.post(&scene::path(&live, "/members"), body).await.ok(201);
    let mut sockets = Vec::new();
    for _ in 0..30 {
        let mut socket = Socket::join(&person.api, &live, None).await;
        assert_eq!(socket.welcome["limits"]["messages_per_s"], 2);
        // A burst that each socket may send by itself.
        socket.send_all((0..4).map(|n| json!({"type": "ping", "at": n}))).await;
        sockets.push(socket);
    }
    let (mut passed, mut refused) = (0, 0);
    for socket in &mut sockets {
        for _ in 0..4 {
            let answer = |f: &Value| f["type"] == "pong" || f["code"] == "rate.limited";
            let frame = socket.find("an answer".to_owned(), answer).await;
            match frame["type"] == "pong" {
                true => passed += 1,
                false => refused += 1,
            }
        }
    }
    assert!(passed >= 32 && refused > 0, "{passed} passed, {refused} refused");
    // Nobody else is slowed.
    let mut beside = Socket::join(&other.api, &live, None).await;
    beside.settle().await;
}
