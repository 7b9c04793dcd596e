//! Consent: asked with a sentence, kept with its hash, and a no is obeyed.

use serde_json::json;
use sha2::{Digest, Sha256};

use crate::api::{items, text};
use crate::org::shared;
use crate::scene;
use crate::socket::Socket;

#[tokio::test]
async fn of_somebody_who_declines_nothing_said_is_kept() {
    let org = shared().await;
    let (interviewer, candidate) = (org.person("interviewer").await, org.person("candidate").await);
    let body = json!({"kind": "live", "title": "Round", "questions": ["Why nights?"]});
    let live = interviewer.api.post("/api/v1/interviews", body).await.ok(201);
    let body = json!({"person_id": candidate.id, "part": "candidate"});
    interviewer.api.post(&scene::path(&live, "/members"), body).await.ok(201);
    interviewer.api.post(&scene::path(&live, "/start"), json!({})).await.ok(200);
    let path = scene::path(&live, "/consent");
    let asked = candidate.api.get(&path).await.ok(200);
    let sha256 = format!("{:x}", HexOf(Sha256::digest(text(&asked["text"]).as_bytes()).to_vec()));
    assert_eq!((&asked["asked"], &asked["sha256"]), (&json!(true), &json!(sha256)));
    assert_eq!(items(&json!({"items": asked["answers"]})).len(), 0);

    let mut socket = Socket::join(&candidate.api, &live, Some(0)).await;
    socket.act(json!({"type": "say", "id": "1", "text": "Before."})).await;
    let other = json!({"given": false, "sha256": "0".repeat(64)});
    candidate.api.post(&path, other).await.refused(409, "conflict.state");
    let no = json!({"given": false, "sha256": sha256});
    let said = candidate.api.post(&path, no.clone()).await.ok(200);
    assert_eq!(said["now"], json!([{"person_id": candidate.id, "given": false}]));
    interviewer.api.post(&path, no).await.refused(409, "conflict.state");

    socket.send(json!({"type": "say", "id": "2", "text": "After."})).await;
    assert_eq!(socket.wait("refused").await["code"], "access.denied");
    socket.send(json!({"type": "partial", "text": "Aft"})).await;
    assert_eq!(socket.wait("refused").await["code"], "access.denied");
    let body = json!({"text": "Why nights?"});
    let asked_now = interviewer.api.post(&scene::path(&live, "/questions"), body).await.ok(201);
    let body = json!({"question_id": asked_now["question_id"], "text": scene::ANSWER});
    let answer = candidate.api.post(&scene::path(&live, "/answers"), body).await;
    answer.refused(403, "access.denied");
    let events = scene::events(&interviewer.api, &live).await;
    assert!(!json!(events).to_string().contains("After."), "{events:?}");

    let yes = json!({"given": true, "sha256": sha256});
    candidate.api.post(&path, yes).await.ok(200);
    socket.act(json!({"type": "say", "id": "3", "text": "Again."})).await;
    let seen = interviewer.api.get(&path).await.ok(200);
    let given: Vec<bool> =
        seen["answers"].as_array().unwrap().iter().map(|a| a["given"] == true).collect();
    assert_eq!(given, [false, true], "every answer is kept");
    assert_eq!(seen["answers"][0]["text"], asked["text"]);
    org.person("candidate").await.api.get(&path).await.refused(404, "not_found");
}

/// Bytes as hexadecimal digits.
struct HexOf(Vec<u8>);

impl std::fmt::LowerHex for HexOf {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}
