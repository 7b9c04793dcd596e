//! Faults of the replaced system that no other test has by name. `docs/security.md` lists them all,
//! each with its test.

use bytes::Bytes;
use futures_util::future::join_all;
use hyper::Method;
use serde_json::json;

use crate::org::{Org, shared};
use crate::scene;
use crate::socket::Socket;

const CONTEXT: &str = "/api/v1/me/context";

/// A body as large as the one that was measured, and how many come at once.
const LARGE_BYTES: usize = 20 << 20;
const AT_ONCE: usize = 16;

/// "A 20 MB job description slows everyone's writes."
#[tokio::test]
async fn a_job_description_of_twenty_megabytes_is_refused_and_nobody_else_feels_it() {
    let org = Org::found().await;
    let (sender, other) = (org.person("candidate").await, org.person("candidate").await);
    let context = |job: &str| {
        json!({"cv_text": "", "job_description": job, "target_role": "Baker", "mode": "general",
            "assist_intensity": 2})
    };
    let body = Bytes::from(context(&"x".repeat(LARGE_BYTES)).to_string());
    let before = org.node.peak_kib();
    let send = || sender.api.call(Method::PUT, CONTEXT).text("application/json", body.clone());
    // A connection may be closed before the client has sent what nobody reads.
    let refused = join_all((0..AT_ONCE).map(|_| send().try_send())).await;
    for reply in refused.iter().flatten() {
        reply.refused(413, "input.too_large");
    }
    let grown = org.node.peak_kib() - before;
    let sent = (AT_ONCE * LARGE_BYTES / 1_024) as u64;
    assert!(grown < sent / 4, "{grown} KiB kept of {sent}");
    let long = sender.api.put(CONTEXT, context(&"x".repeat(200_000))).await;
    assert_eq!(long.wrong_fields("input.invalid"), ["job_description"]);
    other.api.put(CONTEXT, context("Bake bread.")).await.ok(200);
    let stored = sender.api.get(CONTEXT).await.ok(200);
    assert_eq!(stored["job_description"], "", "nothing of it was kept");
}

/// "Any user with the id joins any room in any role"; "either role may send questions".
#[tokio::test]
async fn nobody_says_themselves_which_part_they_have() {
    let org = shared().await;
    let (owner, sam) = (org.person("interviewer").await, org.person("candidate").await);
    let stranger = org.person("candidate").await;
    let body = json!({"kind": "live", "questions": ["Why nights?"]});
    let live = owner.api.post("/api/v1/interviews", body).await.ok(201);
    let body = json!({"person_id": sam.id, "part": "candidate"});
    owner.api.post(&scene::path(&live, "/members"), body).await.ok(201);
    owner.api.post(&scene::path(&live, "/start"), json!({})).await.ok(200);

    let ticket = scene::path(&live, "/ticket");
    stranger.api.post(&ticket, json!({})).await.refused(404, "not_found");
    for claim in [json!({"part": "interviewer"}), json!({"participant": "interviewer"})] {
        sam.api.post(&ticket, claim).await.refused(400, "input.unknown_field");
    }
    let question = json!({"text": "Who will pay?"});
    let reply = sam.api.post(&scene::path(&live, "/questions"), question).await;
    reply.refused(403, "access.denied");
    let mut socket = Socket::join(&sam.api, &live, Some(0)).await;
    assert_eq!(socket.welcome["you"]["part"], "candidate");
    for frame in [
        json!({"type": "ask", "id": "a", "text": "Who will pay?"}),
        json!({"type": "note", "id": "n", "text": "Hire."}),
        json!({"type": "finish", "id": "f"}),
    ] {
        socket.refused(frame, "access.denied").await;
    }
    let events = scene::events(&owner.api, &live).await;
    assert!(events.iter().all(|event| event["by"] != json!(sam.id)), "{events:#?}");
}

/// "Token, job description and CV in the address", where every log on the way keeps them.
#[tokio::test]
async fn a_token_in_an_address_is_no_token() {
    let org = shared().await;
    let person = org.person("candidate").await;
    let token = crate::api::text(&person.login["access_token"]);
    person.api.get("/api/v1/me").await.ok(200);
    for name in ["token", "access_token", "bearer", "jwt"] {
        let reply = org.node.api().get(&format!("/api/v1/me?{name}={token}")).await;
        reply.refused(401, "auth.missing");
    }
}

/// "Answers are still accepted after completion": the flag was never looked at.
#[tokio::test]
async fn an_interview_that_is_over_takes_no_answer() {
    let owner = shared().await.person("candidate").await;
    let practice = scene::reported(&owner.api).await;
    let before = scene::events(&owner.api, &practice).await;
    let late = json!({"question_id": scene::question(&practice, 1), "text": scene::ANSWER});
    let reply = owner.api.post(&scene::path(&practice, "/answers"), late).await;
    reply.refused(409, "room.closed");
    assert_eq!(scene::events(&owner.api, &practice).await, before);
}
