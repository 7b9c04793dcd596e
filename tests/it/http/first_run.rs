//! The first run: nothing answers before setup but what setup needs, and setup happens once.

use futures_util::future::join_all;
use serde_json::json;

use super::routes::routes;
use crate::deadline::until;
use crate::node::Node;
use crate::org::{ADMIN, Org, PASSWORD};

#[tokio::test]
async fn before_setup_only_the_open_routes_answer() {
    let node = Node::start();
    let api = node.api();
    let document = api.get("/api/openapi.json").await.ok(200);
    let early = [
        "/livez",
        "/readyz",
        "/metrics",
        "/.well-known/jwks.json",
        "/api/openapi.json",
        "/api/docs",
        "/api/docs/viewer.js",
        "/api/docs/viewer.css",
        "/api/v1/setup",
    ];
    for route in routes(&document) {
        let path = route.filled("019a0b1c-2d3e-7f40-8a5b-6c7d8e9f0a1b");
        let call = api.call(route.method.clone(), &path);
        if !early.contains(&route.path.as_str()) {
            call.json(&json!({})).send().await.refused(503, "setup.needed");
        } else if route.method == "GET" {
            assert_eq!(call.send().await.status, 200, "{path}");
        }
    }
    assert_eq!(api.get("/api/v1/setup").await.ok(200), json!({"needed": true}));
    let ready = api.get("/readyz").await;
    assert_eq!(ready.status, 200);
    for line in ["[+]node ok", "[+]leader ok", "[+]store ok", "[-]setup needed"] {
        assert!(ready.text().contains(line), "{}", ready.text());
    }
}

#[tokio::test]
async fn setup_takes_the_token_once_and_then_never_again() {
    let mut node = Node::start();
    let token = node.setup_token();
    let link = format!("/setup#{token}");
    until("the link on stderr", async || node.stderr().contains(&link).then_some(())).await;
    let body = |token: &str, password: &str| {
        json!({"token": token, "organisation": "Lighthouse", "email": " Ada@Example.ORG ",
            "display_name": "Ada", "password": password})
    };
    let wrong = body("wrong", PASSWORD);
    node.api().post("/api/v1/setup", wrong).await.refused(401, "auth.invalid");
    let weak = node.api().post("/api/v1/setup", body(&token, "short")).await;
    assert_eq!(weak.wrong_fields("input.invalid"), ["password"]);
    // The link that was printed still works after a restart.
    node.kill();
    node.restart();
    assert_eq!(node.setup_token(), token);

    let reply = node.api().post("/api/v1/setup", body(&token, PASSWORD)).await;
    let login = reply.ok(201);
    assert_eq!(login["person"]["email"], ADMIN);
    assert_eq!(
        (&login["person"]["role"], &login["token_type"]),
        (&json!("admin"), &json!("Bearer"))
    );
    assert_eq!(reply.cookies().lines.len(), 2, "a browser is signed in at once");
    let me = node.api().bearer(login["access_token"].as_str().unwrap()).get("/api/v1/me").await;
    assert_eq!(me.ok(200)["organisation"], "Lighthouse");

    assert!(!node.data_dir().join("setup-token").exists(), "a used token leaves the disk");
    for token in [token.as_str(), "wrong"] {
        let again = node.api().post("/api/v1/setup", body(token, PASSWORD)).await;
        again.refused(409, "setup.done");
    }
    assert_eq!(node.api().get("/api/v1/setup").await.ok(200), json!({"needed": false}));
    assert!(!node.api().get("/readyz").await.text().contains("[-]"));
    node.kill();
    node.restart();
    assert!(!node.data_dir().join("setup-token").exists(), "nor does a restart make a new one");
    node.api().post("/api/v1/setup", body(&token, PASSWORD)).await.refused(409, "setup.done");
}

#[tokio::test]
async fn of_many_setups_at_once_one_wins() {
    let node = Node::start();
    let setup = |n: usize| {
        let body = json!({"token": node.setup_token(), "organisation": "Lighthouse",
            "email": format!("ada{n}@example.org"), "display_name": "Ada", "password": PASSWORD});
        let api = node.api();
        async move { api.post("/api/v1/setup", body).await }
    };
    let replies = join_all((0..4).map(setup)).await;
    let (won, lost): (Vec<_>, Vec<_>) = replies.iter().partition(|reply| reply.status == 201);
    assert_eq!(won.len(), 1);
    for reply in lost {
        reply.refused(409, "setup.done");
    }
    let admin = crate::org::Person::of(&node.api(), won[0].json());
    let people = admin.api.get("/api/v1/people").await.ok(200);
    assert_eq!(crate::api::items(&people).len(), 1);
}

#[cfg(unix)]
#[tokio::test]
async fn the_data_directory_is_the_operators_alone() {
    use std::os::unix::fs::PermissionsExt;
    let node = Node::start();
    let mode =
        |path: std::path::PathBuf| std::fs::metadata(&path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(node.data_dir()), 0o700);
    assert_eq!(mode(node.data_dir().join("setup-token")), 0o600);
    assert_eq!(mode(node.data_dir().join("greenroom.sock")), 0o600);
    let org = Org::on(node).await;
    assert!(!org.node.data_dir().join("setup-token").exists());
}
