//! How often: counted per person and per address, told in headers, changed while the node runs.

use serde_json::{Value, json};

use crate::api::{Api, Reply};
use crate::deadline::until;
use crate::node::Node;
use crate::org::{Org, PASSWORD, shared};

fn node(variables: &[&str]) -> Node {
    let mut within = vec!["env".to_owned()];
    within.extend(variables.iter().map(|text| (*text).to_owned()));
    Node::start_in(&within, "127.0.0.1:0")
}

/// What of a `RateLimit` header is left.
fn remaining(reply: &Reply) -> u64 {
    let line = reply.header("ratelimit");
    let left = line.split(';').find_map(|part| part.strip_prefix("r="));
    left.and_then(|left| left.parse().ok()).unwrap_or_else(|| panic!("no RateLimit: {line:?}"))
}

#[track_caller]
fn limited(reply: &Reply, class: &str) {
    let problem = reply.refused(429, "rate.limited");
    let seconds: u64 = reply.header("retry-after").parse().unwrap();
    assert!((1..=60).contains(&seconds), "{seconds}");
    let ms = problem["retry_after_ms"].as_u64().unwrap();
    assert!(ms <= seconds * 1_000 && ms > (seconds - 1) * 1_000, "{ms} and {seconds}");
    assert_eq!(reply.header("ratelimit-policy"), format!("\"{class}\";q=5;w=60"));
    assert_eq!(remaining(reply), 0);
}

#[tokio::test]
async fn the_sixth_request_in_a_window_of_five_is_refused_for_each_caller_alone() {
    let org = Org::on(node(&["RATE_LIMIT_MAX_REQUESTS=5"])).await;
    let (ada, sam) = (org.person("candidate").await, org.person("candidate").await);
    for n in 0..5 {
        let reply = ada.api.get("/api/v1/me").await;
        reply.ok(200);
        assert_eq!(reply.header("ratelimit-policy"), "\"read\";q=5;w=60");
        assert_eq!(remaining(&reply), 4 - n);
    }
    limited(&ada.api.get("/api/v1/me").await, "read");
    // A header that anybody can write changes nothing, nor does another spelling of the request.
    for name in ["x-forwarded-for", "x-real-ip", "forwarded", "greenroom-caller"] {
        let spoofed = ada.api.clone().with(name, "198.51.100.7");
        limited(&spoofed.get("/api/v1/me").await, "read");
    }
    limited(&ada.api.get("/api/v1/me?stale=ok").await, "read");
    limited(&ada.api.get("/api/v1/people").await, "read");
    // Writing is counted for itself, and so is everybody else.
    let context = json!({"cv_text": "", "job_description": "", "target_role": "",
        "mode": "general", "assist_intensity": 2});
    for _ in 0..5 {
        ada.api.put("/api/v1/me/context", context.clone()).await.ok(200);
    }
    limited(&ada.api.put("/api/v1/me/context", context).await, "write");
    sam.api.get("/api/v1/me").await.ok(200);

    let nobody = org.node.api();
    for n in 0..5 {
        // A made-up token is nobody's, so trying them out is counted by address.
        let reply = nobody.clone().bearer(&format!("made.up.{n}")).get("/api/v1/me").await;
        reply.refused(401, "auth.invalid");
    }
    for n in 0..5 {
        let spoofed = nobody.clone().with("x-forwarded-for", &format!("198.51.100.{n}"));
        limited(&spoofed.get("/api/v1/setup").await, "read");
    }
    sam.api.get("/api/v1/me").await.ok(200);
    for path in ["/livez", "/readyz", "/metrics", "/api/openapi.json", "/.well-known/jwks.json"] {
        for _ in 0..7 {
            let reply = nobody.get(path).await;
            assert_eq!((reply.status, reply.header("ratelimit")), (200, ""), "{path}");
        }
    }
}

#[tokio::test]
async fn a_trusted_proxy_says_for_whom_it_speaks() {
    let node = node(&["RATE_LIMIT_MAX_REQUESTS=5", "GREENROOM_TRUSTED_PROXIES=127.0.0.0/8"]);
    let org = Org::on(node).await;
    let from = |line: &str| org.node.api().with("x-forwarded-for", line);
    for n in 0..5 {
        // What stands left of the client's address was written by the client.
        let line = format!("203.0.113.{n}, 198.51.100.1, 127.0.0.9");
        from(&line).get("/api/v1/setup").await.ok(200);
    }
    limited(&from("198.51.100.1").get("/api/v1/setup").await, "read");
    from("198.51.100.2").get("/api/v1/setup").await.ok(200);
    // All of one IPv6 network is one client.
    for n in 0..5 {
        from(&format!("2001:db8::{n:x}")).get("/api/v1/setup").await.ok(200);
    }
    limited(&from("2001:db8::ffff").get("/api/v1/setup").await, "read");
    from("2001:db8:0:1::1").get("/api/v1/setup").await.ok(200);
    // What is for this machine is not for whoever comes through a proxy on it.
    assert_eq!(org.node.api().get("/metrics").await.status, 200);
    from("198.51.100.3").get("/metrics").await.refused(401, "auth.missing");
}

#[tokio::test]
async fn wrong_passwords_are_counted_without_locking_the_owner_out() {
    let org = Org::on(node(&["GREENROOM_TRUSTED_PROXIES=127.0.0.1"])).await;
    let limits = org.admin.api.get("/api/v1/admin/limits").await.ok(200);
    let allowed = limits["attempts"][0]["requests"].as_u64().unwrap();
    assert_eq!(limits["attempts"][0]["per"], "account and address");
    let person = org.person("candidate").await;
    let from = |address: &str| org.node.api().with("x-forwarded-for", address);
    let login = async |api: &Api, password: &str| {
        let body = json!({"email": person.email, "password": password});
        api.post("/api/v1/auth/login", body).await
    };
    let attacker = from("198.51.100.1");
    for _ in 0..3 {
        login(&attacker, PASSWORD).await.ok(200);
    }
    for _ in 0..allowed {
        login(&attacker, "wrong").await.refused(401, "auth.invalid");
    }
    let reply = login(&attacker, "wrong").await;
    reply.refused(429, "rate.limited");
    assert!(!reply.header("retry-after").is_empty());
    login(&attacker, PASSWORD).await.refused(429, "rate.limited");
    login(&from("198.51.100.2"), PASSWORD).await.ok(200);
    // The address is not shut for others: many people are behind one.
    let body = json!({"email": org.admin.email, "password": PASSWORD});
    attacker.post("/api/v1/auth/login", body).await.ok(200);
}

#[tokio::test]
async fn share_links_that_open_nothing_are_counted() {
    let org = Org::on(node(&["GREENROOM_TRUSTED_PROXIES=127.0.0.1"])).await;
    let limits = org.admin.api.get("/api/v1/admin/limits").await.ok(200);
    assert_eq!(limits["attempts"][2]["name"], "share_link");
    let allowed = limits["attempts"][2]["requests"].as_u64().unwrap();
    let from = |address: &str| org.node.api().with("x-forwarded-for", address);
    for n in 0..allowed {
        let path = format!("/api/v1/shared/made-up-{n}");
        from("198.51.100.1").get(&path).await.refused(404, "not_found");
    }
    from("198.51.100.1").get("/api/v1/shared/x").await.refused(429, "rate.limited");
    from("198.51.100.2").get("/api/v1/shared/x").await.refused(404, "not_found");
}

fn rule(class: &str, tier: &str, requests: u64) -> Value {
    json!({"class": class, "tier": tier, "requests": requests, "window_seconds": 60})
}

/// What a list of policies says of one pair.
fn policy(limits: &Value, class: &str, tier: &str) -> (u64, String) {
    let policies = limits["policies"].as_array().unwrap();
    assert_eq!(policies.len(), 25, "one for each class and tier");
    let found = policies.iter().find(|one| one["class"] == class && one["tier"] == tier).unwrap();
    (found["requests"].as_u64().unwrap(), crate::api::text(&found["origin"]))
}

#[tokio::test]
async fn an_admin_changes_the_policies_of_every_node_while_they_run() {
    let mut org = Org::found().await;
    let follower = Node::join(&org.node);
    let (path, candidate) = ("/api/v1/admin/limits", org.person("candidate").await);
    let before = org.admin.api.get(path).await.ok(200);
    let (usual, origin) = policy(&before, "read", "candidate");
    assert!(usual >= 300 && origin == "default", "{usual} {origin}");
    let body = json!({"policies": [rule("read", "candidate", 5)]});
    let after = org.admin.api.put(path, body).await.ok(200);
    assert_eq!(policy(&after, "read", "candidate"), (5, "admin".to_owned()));
    assert_eq!(policy(&after, "write", "candidate"), policy(&before, "write", "candidate"));
    for _ in 0..5 {
        candidate.api.get("/api/v1/me").await.ok(200);
    }
    limited(&candidate.api.get("/api/v1/me").await, "read");
    org.admin.api.get("/api/v1/me").await.ok(200);
    // The other node passes on, and the count is the cluster's; what it reads itself it counts too.
    let there = candidate.api.at(follower.address());
    limited(&there.get("/api/v1/me").await, "read");
    until("the follower counts its own reads by it", async || {
        let reply = there.get("/api/v1/me?stale=ok").await;
        let told = reply.header("ratelimit-policy") == "\"read\";q=5;w=60";
        (told && reply.status == 429).then_some(())
    })
    .await;
    drop(follower);
    // It outlasts a crash.
    let mut alone = Org::found().await;
    let body = json!({"policies": [rule("upload", "admin", 7)]});
    alone.admin.api.put(path, body).await.ok(200);
    alone.crash();
    let after = alone.admin.api.get(path).await.ok(200);
    assert_eq!(policy(&after, "upload", "admin"), (7, "admin".to_owned()));
    let none = alone.admin.api.put(path, json!({"policies": []})).await.ok(200);
    assert_eq!(policy(&none, "upload", "admin").1, "default");
    org.node.kill();
}

#[tokio::test]
async fn policies_are_for_admins_and_must_make_sense() {
    let (org, path) = (shared().await, "/api/v1/admin/limits");
    let manager = org.person("manager").await.api;
    manager.get(path).await.refused(403, "access.denied");
    manager.put(path, json!({"policies": []})).await.refused(403, "access.denied");
    let put = async |policies: Value| org.admin.api.put(path, json!({"policies": policies})).await;
    let wrong = put(json!([rule("read", "admin", 0)])).await.wrong_fields("input.invalid");
    assert_eq!(wrong, ["policies[0].requests"]);
    let twice = json!([rule("read", "admin", 5_000), rule("read", "admin", 6_000)]);
    put(twice).await.refused(400, "input.invalid");
    for (class, tier) in [("reading", "admin"), ("read", "king")] {
        put(json!([rule(class, tier, 5)])).await.refused(400, "input.invalid");
    }
    let mut more = rule("read", "admin", 5_000);
    more["colour"] = json!("red");
    put(json!([more])).await.refused(400, "input.unknown_field");
    org.admin.api.put(path, json!({})).await.refused(400, "input.invalid");
    org.admin.api.get("/api/v1/me").await.ok(200);
}

#[tokio::test]
async fn switched_off_nothing_is_counted_and_each_start_says_so() {
    let variables = ["RATE_LIMIT_ENABLED=false", "RATE_LIMIT_MAX_REQUESTS=1"];
    let org = Org::on(node(&variables)).await;
    for _ in 0..10 {
        let reply = org.admin.api.get("/api/v1/me").await;
        assert_eq!((reply.status, reply.header("ratelimit")), (200, ""));
    }
    assert!(org.node.stderr().contains("rate_limit.enabled is false"), "{}", org.node.stderr());
    let limits = org.admin.api.get("/api/v1/admin/limits").await.ok(200);
    assert_eq!(limits["enabled"], false);
}
