//! Idempotency keys: the first result of a request is the only one.

use std::collections::BTreeSet;

use futures_util::future::join_all;
use hyper::Method;
use serde_json::{Value, json};

use crate::api::{Api, Reply, items, text};
use crate::deadline::until;
use crate::org::{Org, PASSWORD, fresh_email, shared};
use crate::scene;
use crate::socket::{PLAIN, Socket};

const INTERVIEWS: &str = "/api/v1/interviews";

async fn keyed(api: &Api, path: &str, key: &str, body: &Value) -> Reply {
    api.call(Method::POST, path).json(body).key(key).send().await
}

async fn count(api: &Api) -> usize {
    items(&api.get("/api/v1/interviews?limit=200").await.ok(200)).len()
}

#[tokio::test]
async fn the_same_key_gives_the_first_result_and_another_request_under_it_is_refused() {
    let person = shared().await.person("candidate").await;
    let body = json!({"kind": "practice", "title": "One"});
    let first = keyed(&person.api, INTERVIEWS, "k1", &body).await;
    assert!(!first.is_replayed());
    let again = keyed(&person.api, INTERVIEWS, "k1", &body).await;
    assert!(again.is_replayed());
    assert_eq!(again.ok(201)["id"], first.ok(201)["id"]);

    let other = json!({"kind": "practice", "title": "Two"});
    let reply = keyed(&person.api, INTERVIEWS, "k1", &other).await;
    reply.refused(422, "idempotency.mismatch");
    let start = scene::path(&first.json(), "/start");
    let reply = keyed(&person.api, &start, "k1", &json!({})).await;
    reply.refused(422, "idempotency.mismatch");
    assert_eq!(count(&person.api).await, 1);

    let started = keyed(&person.api, &start, "k2", &json!({})).await.ok(200);
    assert_eq!(started["state"], "live");
    assert!(keyed(&person.api, &start, "k2", &json!({})).await.is_replayed());
    keyed(&person.api, &start, "k3", &json!({})).await.refused(409, "conflict.state");
}

#[tokio::test]
async fn a_key_has_1_to_128_characters() {
    let person = shared().await.person("candidate").await;
    let body = json!({"kind": "practice"});
    for bad in ["", &"k".repeat(129)] {
        let reply = keyed(&person.api, INTERVIEWS, bad, &body).await;
        assert_eq!(reply.wrong_fields("input.invalid"), ["Idempotency-Key"]);
    }
    keyed(&person.api, INTERVIEWS, &"k".repeat(128), &body).await.ok(201);
    assert_eq!(count(&person.api).await, 1);
}

#[tokio::test]
async fn a_refused_request_leaves_its_key_free() {
    let person = shared().await.person("candidate").await;
    let live = json!({"kind": "live"});
    let bad = json!({"kind": "practice", "mode": "none"});
    keyed(&person.api, INTERVIEWS, "free", &bad).await.refused(400, "input.invalid");
    keyed(&person.api, INTERVIEWS, "free", &live).await.refused(403, "access.denied");
    let good = json!({"kind": "practice"});
    let made = keyed(&person.api, INTERVIEWS, "free", &good).await;
    assert!(!made.is_replayed());
    let path = scene::path(&made.ok(201), "/finish");
    // Too early now, in time later: the refusal must not stick to the key.
    keyed(&person.api, &path, "finish", &json!({})).await.refused(409, "conflict.state");
    person.api.post(&scene::path(&made.json(), "/start"), json!({})).await.ok(200);
    assert_eq!(keyed(&person.api, &path, "finish", &json!({})).await.ok(200)["state"], "finished");
}

#[tokio::test]
async fn keys_of_two_people_never_meet() {
    let org = shared().await;
    let (one, two) = (org.person("candidate").await, org.person("candidate").await);
    let body = json!({"kind": "practice"});
    let mine = keyed(&one.api, INTERVIEWS, "same", &body).await.ok(201);
    let yours = keyed(&two.api, INTERVIEWS, "same", &body).await;
    assert!(!yours.is_replayed());
    assert_ne!(yours.ok(201)["id"], mine["id"]);
}

#[tokio::test]
async fn twenty_at_once_make_one() {
    let person = shared().await.person("candidate").await;
    let body = json!({"kind": "practice", "questions": scene::QUESTIONS});
    let all = (0..20).map(|_| keyed(&person.api, INTERVIEWS, "race", &body));
    let (mut ids, mut first) = (BTreeSet::new(), 0);
    for reply in join_all(all).await {
        if reply.status == 409 {
            let problem = reply.refused(409, "idempotency.in_flight");
            assert!(problem["retry_after_ms"].as_u64() > Some(0), "{problem}");
            assert!(!reply.header("retry-after").is_empty());
        } else {
            ids.insert(text(&reply.ok(201)["id"]));
            first += usize::from(!reply.is_replayed());
        }
    }
    assert_eq!((ids.len(), first, count(&person.api).await), (1, 1, 1));
}

/// Rounds in which some ask for the same at once.
const ROUNDS: usize = 24;

/// Of those who asked at once, how many were told that they were first, and how many to wait. All
/// others hear the same as the first.
fn of_one_round(replies: &[Reply], status: u16) -> (usize, usize) {
    let (mut first, mut waiting, mut told) = (0, 0, BTreeSet::new());
    for reply in replies {
        if reply.status == 409 {
            reply.refused(409, "idempotency.in_flight");
            waiting += 1;
        } else {
            told.insert(reply.ok(status).to_string());
            first += usize::from(!reply.is_replayed());
        }
    }
    assert_eq!(told.len(), 1, "all hear the same");
    (first, waiting)
}

#[tokio::test]
async fn of_some_at_once_one_writes_in_every_round() {
    let org = shared().await;
    let person = org.person("candidate").await;
    let practice = scene::begun(&person.api).await;
    let questions = scene::path(&practice, "/questions");
    let mut waited = 0;
    for round in 0..ROUNDS {
        // One that is done at once, and one that takes as long as hashing a password.
        let words = format!("Question {round}?");
        let question = json!({"text": words});
        let asking = (0..4).map(|_| keyed(&person.api, &questions, &words, &question));
        let (first, waiting) = of_one_round(&join_all(asking).await, 201);
        assert_eq!(first, 1, "{words}");
        waited += waiting;
        let email = fresh_email("round");
        let body = json!({"email": email, "display_name": "R", "role": "observer",
            "password": PASSWORD});
        let adding = (0..4).map(|_| keyed(&org.admin.api, "/api/v1/people", &email, &body));
        let (first, waiting) = of_one_round(&join_all(adding).await, 201);
        assert_eq!(first, 1, "{email}");
        waited += waiting;
    }
    assert!(waited > 0, "they never met, so this tells nothing");
    let events = scene::events(&person.api, &practice).await;
    for round in 0..ROUNDS {
        let words = format!("Question {round}?");
        let asked = events.iter().filter(|event| event["data"]["text"] == words).count();
        assert_eq!(asked, 1, "{words}");
    }
}

#[tokio::test]
async fn of_two_requests_at_once_under_one_key_one_is_done() {
    let person = shared().await.person("candidate").await;
    let practice = scene::begun(&person.api).await;
    let path = scene::path(&practice, "/questions");
    for round in 0..ROUNDS {
        let [one, two] = ["One", "Two"].map(|word| json!({"text": format!("{word} {round}?")}));
        let key = round.to_string();
        let asked = [keyed(&person.api, &path, &key, &one), keyed(&person.api, &path, &key, &two)];
        let statuses: Vec<u16> = join_all(asked).await.iter().map(|reply| reply.status).collect();
        let done = statuses.iter().filter(|status| **status == 201).count();
        assert_eq!(done, 1, "{statuses:?}");
        assert!(statuses.iter().all(|status| [201, 409, 422].contains(status)), "{statuses:?}");
    }
    let events = scene::events(&person.api, &practice).await;
    assert_eq!(events.len(), 2 + ROUNDS);
}

#[tokio::test]
async fn a_repeated_request_is_told_what_the_first_one_was() {
    let org = shared().await;
    let person = org.person("candidate").await;
    let body = json!({"kind": "practice", "questions": scene::QUESTIONS});
    let none = json!({});
    let made = keyed(&person.api, INTERVIEWS, "make", &body).await.ok(201);
    let (start, finish) = (scene::path(&made, "/start"), scene::path(&made, "/finish"));
    let started = keyed(&person.api, &start, "start", &none).await.ok(200);
    assert_eq!(started["questions"][0]["turn"], "asked");
    let ask = json!({"text": "And what else?"});
    person.api.post(&scene::path(&made, "/questions"), ask).await.ok(201);
    scene::answer(&person.api, &made, 0, scene::ANSWER).await;
    let finished = keyed(&person.api, &finish, "finish", &none).await.ok(200);
    until("the report", async || {
        let seen = person.api.get(&scene::path(&made, "")).await.ok(200);
        (seen["report_ready"] == true).then_some(())
    })
    .await;
    for (path, key, body, status, first) in [
        (INTERVIEWS, "make", &body, 201, &made),
        (&start, "start", &none, 200, &started),
        (&finish, "finish", &none, 200, &finished),
    ] {
        let again = keyed(&person.api, path, key, body).await;
        assert!(again.is_replayed(), "{path}");
        assert_eq!(&again.ok(status), first, "{path}");
    }
}

#[tokio::test]
async fn members_who_came_later_are_not_in_what_was_told_before() {
    let org = shared().await;
    let (owner, other) = (org.person("interviewer").await, org.person("interviewer").await);
    let body = json!({"kind": "live", "questions": ["Why here?"]});
    let made = keyed(&owner.api, INTERVIEWS, "make", &body).await.ok(201);
    let start = scene::path(&made, "/start");
    let started = keyed(&owner.api, &start, "start", &json!({})).await.ok(200);
    let member = json!({"person_id": other.id, "part": "interviewer"});
    owner.api.post(&scene::path(&made, "/members"), member).await.ok(201);
    assert_eq!(keyed(&owner.api, INTERVIEWS, "make", &body).await.ok(201), made);
    assert_eq!(keyed(&owner.api, &start, "start", &json!({})).await.ok(200), started);
}

#[tokio::test]
async fn a_repeated_ticket_is_the_same_one_and_still_opens_one_socket() {
    let person = shared().await.person("candidate").await;
    let practice = scene::begun(&person.api).await;
    let path = scene::path(&practice, "/ticket");
    let first = keyed(&person.api, &path, "t", &json!({})).await;
    let again = keyed(&person.api, &path, "t", &json!({})).await;
    assert_eq!((first.is_replayed(), again.is_replayed()), (false, true));
    assert_eq!(again.ok(201), first.ok(201));
    let ticket = text(&first.json()["ticket"]);
    let room = scene::id(&practice);
    let mut socket = Socket::open(&person.api, &room, &PLAIN).await.unwrap();
    socket.say_hello(&ticket, Some(0)).await;
    assert!(socket.welcomed().await);
    // Asking once more does not make a used ticket a good one.
    assert_eq!(keyed(&person.api, &path, "t", &json!({})).await.ok(201)["ticket"], ticket);
    let mut second = Socket::open(&person.api, &room, &PLAIN).await.unwrap();
    second.say_hello(&ticket, None).await;
    second.ends(Some("ticket_invalid"), 1008).await;
    let other = keyed(&person.api, &path, "other", &json!({})).await.ok(201);
    assert_ne!(other["ticket"], ticket);
}

#[tokio::test]
async fn a_backup_under_a_key_is_made_once_also_over_a_crash() {
    let mut org = Org::found().await;
    let path = "/api/v1/admin/backups";
    let none = json!({});
    let at_once = (0..3).map(|_| keyed(&org.admin.api, path, "b", &none));
    let (first, _) = of_one_round(&join_all(at_once).await, 201);
    assert_eq!(first, 1);
    let made = keyed(&org.admin.api, path, "b", &json!({})).await.ok(201);
    org.crash();
    let again = keyed(&org.admin.api, path, "b", &json!({})).await;
    assert!(again.is_replayed());
    assert_eq!(again.ok(201), made);
    let list = async || items(&org.admin.api.get(path).await.ok(200));
    assert_eq!(list().await.len(), 1);
    assert!(!keyed(&org.admin.api, path, "c", &json!({})).await.is_replayed());
    assert_eq!(list().await.len(), 2);
    let other = keyed(&org.admin.api, INTERVIEWS, "c", &json!({"kind": "practice"})).await;
    other.refused(422, "idempotency.mismatch");
}

#[tokio::test]
async fn leaving_twice_is_leaving_once() {
    let person = shared().await.person("candidate").await;
    let path = "/api/v1/auth/logout";
    let first = keyed(&person.api, path, "bye", &json!({})).await;
    let again = keyed(&person.api, path, "bye", &json!({})).await;
    assert_eq!((first.is_replayed(), again.is_replayed()), (false, true));
    assert_eq!(again.ok(200), first.ok(200));
    // Without the key there is nobody who could leave.
    person.api.post(path, json!({})).await.refused(401, "auth.missing");
}

#[tokio::test]
async fn one_request_has_one_key() {
    let person = shared().await.person("candidate").await;
    let call = person.api.call(Method::POST, INTERVIEWS).json(&json!({"kind": "practice"}));
    let reply = call.key("one").key("two").send().await;
    assert_eq!(reply.wrong_fields("input.invalid"), ["Idempotency-Key"]);
    assert_eq!(count(&person.api).await, 0);
}

#[tokio::test]
async fn a_key_outlives_a_crash_of_the_node() {
    let mut org = Org::found().await;
    let body = json!({"kind": "practice", "questions": scene::QUESTIONS});
    let made = keyed(&org.admin.api, INTERVIEWS, "k", &body).await.ok(201);
    let start = scene::path(&made, "/start");
    keyed(&org.admin.api, &start, "s", &json!({})).await.ok(200);
    let answers = scene::path(&made, "/answers");
    let answer = json!({"question_id": scene::question(&made, 0), "text": scene::ANSWER});
    let first = keyed(&org.admin.api, &answers, "a", &answer).await.ok(201);
    org.crash();
    for (path, key, body, status) in [
        (INTERVIEWS, "k", &body, 201),
        (&start, "s", &json!({}), 200),
        (&answers, "a", &answer, 201),
    ] {
        let reply = keyed(&org.admin.api, path, key, body).await;
        assert!(reply.is_replayed(), "{path}");
        reply.ok(status);
    }
    let again = keyed(&org.admin.api, &answers, "a", &answer).await.json();
    assert_eq!(again, first, "the same answer with the same analysis");
    assert_eq!(count(&org.admin.api).await, 1);
    let events = scene::events(&org.admin.api, &made).await;
    assert_eq!(events.len(), 4, "started, asked, analysed, asked");
}

#[tokio::test]
async fn every_write_takes_a_key() {
    let org = shared().await;
    let person = org.person("candidate").await;
    let practice = scene::reported(&person.api).await;
    let share = scene::path(&practice, "/shares");
    let one = keyed(&person.api, &share, "sh", &json!({"expires_in": 600})).await.ok(201);
    let two = keyed(&person.api, &share, "sh", &json!({"expires_in": 600})).await;
    assert!(two.is_replayed());
    assert_eq!(two.ok(201), one, "the same link, though none is stored");
    let feedback = scene::path(&practice, "/feedback");
    let body = json!({"accurate": false, "note": "The numbers were mine."});
    let one = keyed(&person.api, &feedback, "fb", &body).await.ok(201);
    assert_eq!(keyed(&person.api, &feedback, "fb", &body).await.ok(201), one);

    let body = json!({"email": fresh_email("key"), "display_name": "K",
        "role": "candidate"});
    let one = keyed(&org.admin.api, "/api/v1/people", "person-key", &body).await.ok(201);
    let two = keyed(&org.admin.api, "/api/v1/people", "person-key", &body).await;
    assert!(two.is_replayed());
    assert_eq!(two.ok(201), one);
}
