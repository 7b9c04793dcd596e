//! A live interview: people with people. The engine keeps silent, and each part sees what it may.

use serde_json::{Value, json};

use super::{answer, bare, say};
use crate::api::{items, text};
use crate::org::{Org, Person, fresh_email, shared, token_of};
use crate::scene;
use crate::socket::Socket;

/// An interviewer who owns the interview, and a candidate in it.
async fn cast(org: &Org) -> (Person, Person, Value) {
    let interviewer = org.person("interviewer").await;
    let candidate = org.person("candidate").await;
    let body = json!({"kind": "live", "title": "Porter, first round",
        "questions": ["Why nights?", "What woke you last?"]});
    let live = interviewer.api.post("/api/v1/interviews", body).await.ok(201);
    let body = json!({"email": candidate.email, "part": "candidate"});
    let member = interviewer.api.post(&scene::path(&live, "/members"), body).await.ok(201);
    assert_eq!(member["person_id"], candidate.id);
    assert_eq!(member.get("invite_url"), None, "somebody with an account needs no link");
    (interviewer, candidate, live)
}

#[tokio::test]
async fn somebody_who_was_added_to_an_open_room_has_a_name() {
    let org = shared().await;
    let (owner, guest) = (org.person("interviewer").await, org.person("candidate").await);
    let live = owner.api.post("/api/v1/interviews", json!({"kind": "live"})).await.ok(201);
    // The room is in memory from here on.
    let mut first = Socket::join(&owner.api, &live, Some(0)).await;
    let body = json!({"person_id": guest.id, "part": "candidate"});
    owner.api.post(&scene::path(&live, "/members"), body).await.ok(201);
    first.wait_event("member.added").await;
    let later = Socket::join(&guest.api, &live, Some(0)).await;
    let members = later.welcome["members"].as_array().unwrap();
    assert_eq!(members.len(), 2);
    assert!(members.iter().all(|member| member["display_name"] == "Sam"), "{members:#?}");
}

#[tokio::test]
async fn the_engine_is_silent_and_the_answer_is_kept() {
    let org = shared().await;
    let (interviewer, candidate, live) = cast(org).await;
    let mut asks = Socket::join(&interviewer.api, &live, Some(0)).await;
    let mut answers = Socket::join(&candidate.api, &live, Some(0)).await;
    assert_eq!(answers.welcome["you"]["part"], "candidate");
    asks.act(bare("start", "s")).await;
    assert_eq!(asks.wait("presence").await["people"].as_array().unwrap().len(), 1);
    let asked = asks.act(json!({"type": "ask", "id": "q", "text": "Why us?"})).await;
    let question = text(&asked["question_id"]);
    answers.wait_event("question.asked").await;
    answers.send(json!({"type": "partial", "text": scene::ANSWER, "question_id": question})).await;
    let partial = asks.wait("partial").await;
    assert_eq!((&partial["by"], &partial["text"]), (&json!(candidate.id), &json!(scene::ANSWER)));
    answers.act(answer("a", &question, scene::ANSWER)).await;
    for socket in [&mut asks, &mut answers] {
        let told = socket.wait_event("answer.analysed").await;
        assert_eq!(told["data"]["analysis"], Value::Null);
        assert_eq!(told["data"]["text"], scene::ANSWER);
        for frame in socket.settle().await {
            let kind = text(&frame["type"]);
            assert!(kind != "meters" && kind != "hint", "nobody is coached: {frame}");
        }
    }
    let body = json!({"question_id": question, "text": "Once more."});
    let path = scene::path(&live, "/answers");
    candidate.api.post(&path, body.clone()).await.refused(409, "conflict.state");
    interviewer.api.post(&path, body).await.refused(403, "access.denied");
    let again = interviewer
        .api
        .post(&scene::path(&live, "/questions"), json!({"text": "And now?"}))
        .await
        .ok(201);
    let body = json!({"question_id": again["question_id"], "text": scene::ANSWER});
    assert_eq!(candidate.api.post(&path, body).await.ok(201)["analysis"], Value::Null);
    asks.act(bare("finish", "f")).await;
    asks.ends(Some("room_finished"), 1000).await;
    answers.ends(Some("room_finished"), 1000).await;
    assert_eq!(asks.events, answers.events, "the same events for all");
    for person in [&interviewer, &candidate] {
        let reply = person.api.get(&scene::path(&live, "/report")).await;
        reply.refused(403, "access.denied");
        let events = scene::events(&person.api, &live).await;
        assert!(!json!(events).to_string().contains("baseline"));
    }
}

#[tokio::test]
async fn a_candidate_sees_only_what_was_asked() {
    let org = shared().await;
    let (interviewer, candidate, live) = cast(org).await;
    let seen = candidate.api.get(&scene::path(&live, "")).await.ok(200);
    assert_eq!(seen["questions"], json!([]));
    assert!(!seen.to_string().contains("nights"), "{seen}");
    let mut socket = Socket::join(&candidate.api, &live, Some(0)).await;
    assert!(!socket.welcome.to_string().contains("nights"));
    let whole = interviewer.api.get(&scene::path(&live, "")).await.ok(200);
    assert_eq!(whole["questions"].as_array().unwrap().len(), 2);
    for (frame, id) in [
        (json!({"type": "ask", "id": "1", "text": "x"}), "1"),
        (bare("start", "2"), "2"),
        (bare("finish", "3"), "3"),
        (json!({"type": "note", "id": "4", "text": "x"}), "4"),
    ] {
        socket.send(frame).await;
        assert_eq!(socket.wait_id("refused", id).await["code"], "access.denied", "{id}");
    }
    let path = scene::path(&live, "/questions");
    candidate.api.post(&path, json!({"text": "x"})).await.refused(403, "access.denied");
    interviewer.api.post(&scene::path(&live, "/start"), json!({})).await.ok(200);
    let asked = interviewer.api.post(&path, json!({"text": "First?"})).await.ok(201);
    let seen = candidate.api.get(&scene::path(&live, "")).await.ok(200);
    assert_eq!(seen["questions"].as_array().unwrap().len(), 1);
    assert_eq!(seen["questions"][0]["question_id"], asked["question_id"]);
}

#[tokio::test]
async fn notes_are_for_interviewers_and_are_no_events() {
    let org = shared().await;
    let (owner, candidate, live) = cast(org).await;
    let (second, watcher) = (org.person("interviewer").await, org.person("observer").await);
    for (person, part) in [(&second, "interviewer"), (&watcher, "observer")] {
        let body = json!({"person_id": person.id, "part": part});
        owner.api.post(&scene::path(&live, "/members"), body).await.ok(201);
    }
    let mut writes = Socket::join(&owner.api, &live, None).await;
    let mut reads = Socket::join(&second.api, &live, None).await;
    let mut others = [
        Socket::join(&candidate.api, &live, None).await,
        Socket::join(&watcher.api, &live, None).await,
    ];
    let note = json!({"type": "note", "id": "n", "text": "Calm under pressure."});
    let ack = writes.act(note.clone()).await;
    assert_eq!(ack["seq"], Value::Null);
    let told = reads.wait("note").await;
    assert_eq!((&told["note_id"], &told["by"]), (&ack["note_id"], &json!(owner.id)));
    assert_eq!(told["text"], "Calm under pressure.");
    assert_eq!(writes.act(note).await, ack, "the same id is the same note");
    for socket in &mut others {
        assert!(socket.settle().await.iter().all(|frame| frame["type"] != "note"));
    }
    let path = scene::path(&live, "/notes");
    for person in [&owner, &second] {
        let notes = items(&person.api.get(&path).await.ok(200));
        assert_eq!(notes.len(), 1);
        assert_eq!(notes[0]["note_id"], ack["note_id"]);
    }
    for person in [&candidate, &watcher] {
        person.api.get(&path).await.refused(403, "access.denied");
    }
    // An observer reads and does nothing else.
    writes.act(bare("start", "s")).await;
    let [_, watching] = &mut others;
    watching.refused(say("1", "x"), "access.denied").await;
    watching.send(json!({"type": "partial", "text": "x"})).await;
    assert_eq!(watching.wait("refused").await["code"], "access.denied");
    let seqs: Vec<Value> =
        scene::events(&owner.api, &live).await.iter().map(|e| e["kind"].clone()).collect();
    assert_eq!(seqs, ["member.added", "member.added", "member.added", "interview.started"]);
}

#[tokio::test]
async fn a_removed_member_is_out_at_once() {
    let org = shared().await;
    let (owner, candidate, live) = cast(org).await;
    let mut socket = Socket::join(&candidate.api, &live, None).await;
    let mut stays = Socket::join(&owner.api, &live, None).await;
    let path = scene::path(&live, &format!("/members/{}", candidate.id));
    candidate.api.delete(&path).await.refused(403, "access.denied");
    owner.api.delete(&path).await.ok(204);
    socket.ends(Some("removed"), 1008).await;
    let gone = stays.wait_event("member.removed").await;
    assert_eq!(gone["data"], json!({"person_id": candidate.id}));
    for rest in ["", "/events", "/report", "/notes"] {
        candidate.api.get(&scene::path(&live, rest)).await.refused(404, "not_found");
    }
    let ticket = candidate.api.post(&scene::path(&live, "/ticket"), json!({})).await;
    ticket.refused(404, "not_found");
    owner.api.delete(&path).await.refused(404, "not_found");
    // Whoever was removed can be added again.
    let body = json!({"person_id": candidate.id, "part": "candidate"});
    owner.api.post(&scene::path(&live, "/members"), body).await.ok(201);
    candidate.api.get(&scene::path(&live, "")).await.ok(200);
}

#[tokio::test]
async fn a_candidate_without_an_account_gets_a_link() {
    let org = shared().await;
    let (owner, _, live) = cast(org).await;
    let path = scene::path(&live, "/members");
    let email = fresh_email("guest");
    let body = json!({"email": email, "part": "candidate"});
    let member = owner.api.post(&path, body.clone()).await.ok(201);
    let accept = json!({"token": token_of(&member["invite_url"]), "display_name": "Guest",
        "password": crate::org::PASSWORD});
    let login = org.node.api().post("/api/v1/auth/accept", accept).await.ok(200);
    let guest = Person::of(&org.node.api(), login);
    assert_eq!(guest.login["person"]["role"], "candidate");
    let list = items(&guest.api.get("/api/v1/interviews").await.ok(200));
    assert_eq!(list[0]["id"], live["id"]);
    owner.api.post(&path, body).await.refused(409, "conflict.state");
    for (body, field) in [
        (json!({"email": fresh_email("x"), "part": "interviewer"}), "email"),
        (json!({"email": "x", "part": "candidate"}), "email"),
        (json!({"part": "candidate"}), "email"),
        (json!({"email": email, "part": "chair"}), "part"),
    ] {
        let reply = owner.api.post(&path, body).await;
        assert_eq!(reply.wrong_fields("input.invalid"), [field]);
    }
    let nobody = json!({"person_id": "019a0b1c-2d3e-7f40-8a5b-6c7d8e9f0a1b", "part": "candidate"});
    owner.api.post(&path, nobody).await.refused(404, "not_found");
    let practice = scene::practice(&owner.api, &[]).await;
    let body = json!({"email": email, "part": "observer"});
    let reply = owner.api.post(&scene::path(&practice, "/members"), body).await;
    reply.refused(409, "conflict.state");
}
