//! Headers that every response carries, whatever it is about.

use hyper::Method;
use serde_json::json;

use super::routes::routes;
use crate::api::Reply;
use crate::org::shared;
use crate::scene;

#[track_caller]
fn check(reply: &Reply, what: &str) {
    let csp = reply.header("content-security-policy");
    assert!(csp.contains("frame-ancestors 'none'"), "{what}: {csp}");
    assert!(csp.contains("default-src 'none'"), "{what}: {csp}");
    assert!(!csp.contains("unsafe"), "{what}: {csp}");
    assert_eq!(reply.header("x-content-type-options"), "nosniff", "{what}");
    for name in ["referrer-policy", "permissions-policy", "x-request-id", "cache-control"] {
        assert!(!reply.header(name).is_empty(), "{what} lacks {name}");
    }
}

#[tokio::test]
async fn every_response_of_every_route_is_guarded() {
    let org = shared().await;
    let person = org.person("candidate").await;
    let practice = scene::begun(&person.api).await;
    let id = scene::id(&practice);
    let document = org.node.api().get("/api/openapi.json").await.ok(200);
    for route in routes(&document) {
        // A body that no route takes, so that nothing changes; reading routes ignore it.
        let path = route.filled(&id);
        for api in [&org.node.api(), &person.api] {
            let mut call = api.call(route.method.clone(), &path);
            if route.method != Method::GET && route.method != Method::DELETE {
                call = call.json(&json!({"no such field": 1}));
            }
            let reply = call.send().await;
            check(&reply, &format!("{} {path} {}", route.method, reply.status));
            assert!(reply.status < 500, "{path}: {}", reply.text());
        }
    }
    for path in ["/", "/reports/x", "/nothing.js", "/api/v1/nothing"] {
        check(&org.node.api().get(path).await, path);
    }
    let reply = org.node.api().call(Method::TRACE, "/api/v1/me").send().await;
    check(&reply, "TRACE");
}

#[tokio::test]
async fn a_request_keeps_its_id_or_gets_one() {
    let api = shared().await.node.api();
    let asked = |id: &str| api.call(Method::GET, "/api/v1/me").header("x-request-id", id).send();
    let long = "x".repeat(128);
    for good in ["a", "A.b_c-9", &long] {
        let reply = asked(good).await;
        assert_eq!(reply.header("x-request-id"), good);
        assert_eq!(reply.refused(401, "auth.missing")["request_id"], good);
    }
    let too_long = "x".repeat(129);
    for bad in ["", "a b", "a/b", "caf\u{e9}", "a;b", &too_long] {
        let reply = asked(bad).await;
        let made = reply.header("x-request-id");
        assert_ne!(made, bad);
        assert_eq!(made.len(), 36, "{made}");
    }
    let (one, two) = (api.get("/livez").await, api.get("/livez").await);
    assert_ne!(one.header("x-request-id"), two.header("x-request-id"));
}
