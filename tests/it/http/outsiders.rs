//! What belongs to somebody else is not there: on every route, for every role.

use hyper::Method;
use serde_json::json;

use super::routes::routes;
use crate::org::shared;
use crate::scene;

/// A body that the route would take, so that only the right to it is missing.
fn body(path: &str, question: &str) -> serde_json::Value {
    match path.rsplit('/').next().unwrap_or_default() {
        "questions" | "check" => json!({"text": "Why?"}),
        "answers" => json!({"question_id": question, "text": "Because."}),
        "skip" => json!({"question_id": question}),
        "members" => json!({"email": "ada@example.org", "part": "observer"}),
        "feedback" => json!({"accurate": true}),
        "consent" => json!({"given": true, "sha256": "0f".repeat(32)}),
        _ => json!({}),
    }
}

#[tokio::test]
async fn a_practice_of_somebody_else_is_not_there_on_any_route() {
    let org = shared().await;
    let owner = org.person("candidate").await;
    let practice = scene::reported(&owner.api).await;
    let question = scene::question(&practice, 0);
    let document = org.node.api().get("/api/openapi.json").await.ok(200);
    let all = routes(&document);
    let below: Vec<_> =
        all.iter().filter(|route| route.path.starts_with("/api/v1/interviews/{id}")).collect();
    assert!(below.len() >= 17, "{}", below.len());
    let strangers =
        [&org.admin.api, &org.person("interviewer").await.api, &org.person("candidate").await.api];
    let nowhere = "019a0b1c-2d3e-7f40-8a5b-6c7d8e9f0a1b";
    for route in &below {
        for stranger in strangers {
            let mut answers = Vec::new();
            for id in [scene::id(&practice).as_str(), nowhere, "no-id"] {
                let mut call = stranger.call(route.method.clone(), &route.filled(id));
                if route.method != Method::GET && route.method != Method::DELETE {
                    call = call.json(&body(&route.path, &question));
                }
                let problem = call.send().await.refused(404, "not_found");
                answers.push(problem["detail"].clone());
            }
            assert_eq!(answers[0], answers[1], "{route:?} tells that it exists");
        }
    }
    let list = org.admin.api.get("/api/v1/interviews?limit=200").await.ok(200);
    assert!(!list.to_string().contains(&scene::id(&practice)));
}

#[tokio::test]
async fn without_a_login_every_other_route_asks_for_one() {
    let org = shared().await;
    let api = org.node.api();
    let document = api.get("/api/openapi.json").await.ok(200);
    for route in routes(&document).iter().filter(|route| !route.public) {
        let path = route.filled("019a0b1c-2d3e-7f40-8a5b-6c7d8e9f0a1b");
        let reply = api.call(route.method.clone(), &path).send().await;
        reply.refused(401, "auth.missing");
        assert_eq!(reply.header("www-authenticate"), "Bearer", "{path}");
    }
}

#[tokio::test]
async fn only_the_owner_of_a_live_interview_leads_it() {
    let org = shared().await;
    let (owner, other) = (org.person("interviewer").await, org.person("interviewer").await);
    let body = json!({"kind": "live", "questions": ["Why here?"]});
    let live = owner.api.post("/api/v1/interviews", body).await.ok(201);
    let body = json!({"person_id": other.id, "part": "interviewer"});
    owner.api.post(&scene::path(&live, "/members"), body).await.ok(201);
    other.api.get(&scene::path(&live, "")).await.ok(200);
    for verb in ["/start", "/finish", "/cancel"] {
        let reply = other.api.post(&scene::path(&live, verb), json!({})).await;
        reply.refused(403, "access.denied");
    }
    let path = scene::path(&live, &format!("/members/{}", owner.id));
    other.api.delete(&path).await.refused(403, "access.denied");
    owner.api.delete(&path).await.refused(409, "conflict.state");
    let reply = other.api.get(&scene::path(&live, "/shares")).await;
    reply.refused(403, "access.denied");
}
