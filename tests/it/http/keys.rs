//! Idempotency keys: the first result of a request is the only one.

use std::collections::BTreeSet;

use futures_util::future::join_all;
use hyper::Method;
use serde_json::{Value, json};

use crate::api::{Api, Reply, items, text};
use crate::org::{Org, shared};
use crate::scene;

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

    let body = json!({"email": crate::org::fresh_email("key"), "display_name": "K",
        "role": "candidate"});
    let one = keyed(&org.admin.api, "/api/v1/people", "person-key", &body).await.ok(201);
    let two = keyed(&org.admin.api, "/api/v1/people", "person-key", &body).await;
    assert!(two.is_replayed());
    assert_eq!(two.ok(201), one);
}
