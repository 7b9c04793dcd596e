//! The practice coach: which question comes next, over HTTP.

use serde_json::{Value, json};

use crate::api::{Reply, text};
use crate::org::{Person, shared};
use crate::scene;

async fn empty_practice(person: &Person) -> Value {
    let body = json!({"kind": "practice", "title": "Open"});
    let practice = person.api.post("/api/v1/interviews", body).await.ok(201);
    person.api.post(&scene::path(&practice, "/start"), json!({})).await.ok(200)
}

async fn next(person: &Person, practice: &Value) -> Reply {
    person.api.post(&scene::path(practice, "/questions/next"), json!({})).await
}

async fn answer(person: &Person, practice: &Value, question: &Value, words: &str) {
    let body = json!({"question_id": question, "text": words});
    person.api.post(&scene::path(practice, "/answers"), body).await.ok(201);
}

#[tokio::test]
async fn a_practice_without_questions_is_led_from_the_bank_and_follows_up_once() {
    let person = shared().await.person("candidate").await;
    let practice = empty_practice(&person).await;
    assert_eq!(practice["questions"], json!([]));
    let first = next(&person, &practice).await.ok(201);
    assert_eq!(first["because"]["rule"], "next.bank", "{first}");
    assert!(!text(&first["because"]["text"]).is_empty() && first["seq"] == 2);
    next(&person, &practice).await.refused(409, "conflict.state");
    let declined = "I would rather not talk about that, sorry.";
    answer(&person, &practice, &first["question_id"], declined).await;
    let probe = next(&person, &practice).await.ok(201);
    assert_eq!(probe["because"]["rule"], "probe.declined", "{probe}");
    assert_eq!(probe["because"]["about"], first["question_id"]);
    answer(&person, &practice, &probe["question_id"], declined).await;
    let second = next(&person, &practice).await.ok(201);
    assert_eq!(second["because"]["rule"], "next.bank", "one probe for each question");
    assert_ne!(second["text"], first["text"]);
    let events = scene::events(&person.api, &practice).await;
    let asked: Vec<&Value> = events.iter().filter(|e| e["kind"] == "question.asked").collect();
    assert_eq!(asked.len(), 3);
    for (event, told) in asked.iter().zip([&first, &probe, &second]) {
        assert_eq!(event["seq"], told["seq"]);
        let data = json!({"question_id": told["question_id"], "text": told["text"],
            "auto": false, "because": told["because"]});
        assert_eq!(event["data"], data);
    }
}

#[tokio::test]
async fn planned_questions_keep_their_ids_and_a_repeated_request_its_answer() {
    let person = shared().await.person("candidate").await;
    let body = json!({"kind": "practice", "questions": scene::QUESTIONS, "auto_ask": false});
    let practice = person.api.post("/api/v1/interviews", body).await.ok(201);
    next(&person, &practice).await.refused(409, "conflict.state");
    person.api.post(&scene::path(&practice, "/start"), json!({})).await.ok(200);
    let path = scene::path(&practice, "/questions/next");
    let call = || person.api.call(hyper::Method::POST, &path).json(&json!({}));
    let first = call().header("idempotency-key", "first").send().await;
    let told = first.ok(201);
    assert_eq!(told["question_id"], scene::question(&practice, 0));
    assert_eq!(
        (&told["text"], &told["because"]["rule"]),
        (&json!(scene::QUESTIONS[0]), &json!("next.planned"))
    );
    answer(&person, &practice, &told["question_id"], scene::ANSWER).await;
    let again = call().header("idempotency-key", "first").send().await;
    assert_eq!(again.ok(201), told);
}

#[tokio::test]
async fn nobody_is_coached_in_a_live_interview() {
    let org = shared().await;
    let owner = org.person("interviewer").await;
    let body = json!({"kind": "live", "questions": ["Why here?"]});
    let live = owner.api.post("/api/v1/interviews", body).await.ok(201);
    owner.api.post(&scene::path(&live, "/start"), json!({})).await.ok(200);
    next(&owner, &live).await.refused(403, "access.denied");
}

#[tokio::test]
async fn two_requests_at_once_make_one_follow_up() {
    let person = shared().await.person("candidate").await;
    let practice = empty_practice(&person).await;
    let declined = "I would rather not talk about that, sorry.";
    for _ in 0..4 {
        let first = next(&person, &practice).await.ok(201);
        answer(&person, &practice, &first["question_id"], declined).await;
        let (one, two) = tokio::join!(next(&person, &practice), next(&person, &practice));
        let (probe, other) = if one.status == 201 { (one, two) } else { (two, one) };
        other.refused(409, "conflict.state");
        let probe = probe.ok(201);
        assert_eq!(probe["because"]["about"], first["question_id"]);
        answer(&person, &practice, &probe["question_id"], declined).await;
    }
}
