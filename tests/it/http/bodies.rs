//! Bodies that cannot be taken: each gets a reason, and nobody else notices.

use hyper::Method;
use serde_json::json;

use crate::org::shared;
use crate::scene;

#[tokio::test]
async fn a_wrong_body_is_told_which_field_and_why() {
    let org = shared().await;
    let person = org.person("candidate").await;
    let practice = scene::begun(&person.api).await;
    let answers = scene::path(&practice, "/answers");
    let question = scene::question(&practice, 0);
    let unknown = [
        ("/api/v1/interviews", json!({"kind": "practice", "colour": "red"}), "colour"),
        (
            "/api/v1/auth/login",
            json!({"email": "x", "password": "y", "remember": true}),
            "remember",
        ),
        ("/api/v1/auth/invite", json!({"token": "x", "extra": 1}), "extra"),
        (&answers, json!({"question_id": question, "text": "x", "mood": "good"}), "mood"),
    ];
    for (path, body, field) in unknown {
        let reply = person.api.post(path, body).await;
        assert_eq!(reply.wrong_fields("input.unknown_field"), [field], "{path}");
    }
    let wrong = [
        ("/api/v1/interviews", json!({"kind": "chat"}), "kind"),
        ("/api/v1/interviews", json!({"kind": 7}), "kind"),
        ("/api/v1/interviews", json!({}), "body"),
        ("/api/v1/interviews", json!([]), "body"),
        ("/api/v1/interviews", json!({"kind": "practice", "kit_id": "none"}), "kit_id"),
        ("/api/v1/interviews", json!({"kind": "practice", "mode": "none"}), "mode"),
        ("/api/v1/interviews", json!({"kind": "practice", "scheduled_at": "soon"}), "scheduled_at"),
        (
            "/api/v1/interviews",
            json!({"kind": "practice", "questions": ["a", " "]}),
            "questions[1]",
        ),
        ("/api/v1/interviews", json!({"kind": "practice", "questions": ["a", 1]}), "questions[1]"),
        ("/api/v1/interviews", json!({"kind": "practice", "title": "a\nb"}), "title"),
        ("/api/v1/interviews", json!({"kind": "practice", "title": "a\u{0}"}), "title"),
        (&answers, json!({"question_id": question, "text": ""}), "text"),
        (&answers, json!({"question_id": question, "text": "a\u{0}b"}), "text"),
        (&answers, json!({"question_id": question, "text": "x", "duration_s": -1}), "duration_s"),
        (
            &answers,
            json!({"question_id": question, "text": "x", "words": [["x", 2, 1]]}),
            "words[0]",
        ),
        (&answers, json!({"question_id": question, "text": "x".repeat(32_769)}), "text"),
    ];
    for (path, body, field) in wrong {
        let reply = person.api.post(path, body.clone()).await;
        assert_eq!(reply.wrong_fields("input.invalid"), [field], "{path} {body}");
    }
    let none = json!({"question_id": "019a0b1c-2d3e-7f40-8a5b-6c7d8e9f0a1b", "text": "x"});
    person.api.post(&answers, none).await.refused(404, "not_found");
    let later = json!({"question_id": scene::question(&practice, 1), "text": "x"});
    person.api.post(&answers, later).await.refused(409, "conflict.state");
}

#[tokio::test]
async fn what_is_not_json_is_refused_by_its_kind() {
    let org = shared().await;
    let person = org.person("candidate").await;
    let post = |content_type: &'static str, body: Vec<u8>| {
        let call = person.api.call(Method::POST, "/api/v1/interviews");
        call.text(content_type, body).send()
    };
    let twice = r#"{"kind":"practice","kind":"live"}"#;
    for broken in [twice, "{", "{} {}", "{\"kind\":\"practice\",}", "nul", "{\"kind\":\"a\u{7}\"}"]
    {
        let reply = post("application/json", broken.into()).await;
        reply.refused(400, "input.invalid");
    }
    let latin = b"{\"kind\":\"practice\",\"title\":\"caf\xe9\"}".to_vec();
    post("application/json", latin).await.refused(400, "input.invalid");
    let good = br#"{"kind":"practice"}"#.to_vec();
    for other in ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"] {
        post(other, good.clone()).await.refused(415, "input.unsupported_type");
    }
    post("application/json; charset=utf-8", good).await.ok(201);
    let large = format!("{{\"kind\":\"{}\"}}", "x".repeat(1 << 20));
    post("application/json", large.into()).await.refused(413, "input.too_large");
    let deep = "[".repeat(100_000);
    post("application/json", deep.into()).await.refused(400, "input.invalid");
}

#[tokio::test]
async fn half_a_character_harms_nobody() {
    let org = shared().await;
    let (one, other) = (org.person("candidate").await, org.person("candidate").await);
    let practice = scene::begun(&one.api).await;
    let question = scene::question(&practice, 0);
    let halves = [
        ("/api/v1/interviews".to_owned(), r#"{"kind":"practice","title":"\ud800"}"#.to_owned()),
        ("/api/v1/interviews".to_owned(), r#"{"kind":"practice","\udc00":"x"}"#.to_owned()),
        (
            scene::path(&practice, "/answers"),
            format!(r#"{{"question_id":"{question}","text":"so \ud83d"}}"#),
        ),
    ];
    for (path, body) in halves {
        let call = one.api.call(Method::POST, &path).text("application/json", body);
        call.key("half").send().await.refused(400, "input.invalid");
    }
    let body = r#"{"cv_text":"\ud800"}"#;
    let call = one.api.call(Method::PUT, "/api/v1/me/context").text("application/json", body);
    call.send().await.refused(400, "input.invalid");
    // Everybody writes on, those who sent it and those who did not.
    scene::answer(&one.api, &practice, 0, "I wrote \u{1f600} and it was kept.").await;
    scene::reported(&other.api).await;
    let events = scene::events(&one.api, &practice).await;
    let kept = events.iter().find(|event| event["kind"] == "answer.analysed").unwrap();
    assert_eq!(kept["data"]["text"], "I wrote \u{1f600} and it was kept.");
}

#[tokio::test]
async fn what_is_not_there_says_so_as_a_problem() {
    let api = shared().await.node.api();
    for path in ["/api/v1/nothing", "/api", "/api/v2/me", "/.well-known/nothing"] {
        api.get(path).await.refused(404, "not_found");
    }
    let member = shared().await.person("candidate").await;
    for path in ["/api/v1/interviews/%ff", "/api/v1/interviews/%00", "/api/v1/interviews/.."] {
        let reply = member.api.get(path).await;
        assert!((400..500).contains(&reply.status), "{path}: {}", reply.status);
        assert_eq!(reply.header("content-type"), "application/problem+json", "{path}");
    }
    for (method, path) in [
        (Method::POST, "/api/v1/me"),
        (Method::GET, "/api/v1/auth/login"),
        (Method::PUT, "/livez"),
        (Method::PATCH, "/api/v1/interviews"),
    ] {
        let reply = api.call(method, path).send().await;
        assert_eq!(reply.status, 405, "{path}");
        assert_eq!(reply.header("content-type"), "application/problem+json");
        assert!(!reply.header("allow").is_empty(), "{path} says what it takes");
        assert_eq!(reply.json()["status"], 405);
    }
}
