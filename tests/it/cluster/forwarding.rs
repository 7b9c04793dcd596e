//! Any node takes any request, and gives the answer that the leader would give.

use hyper::Method;
use serde_json::json;

use super::Cluster;
use crate::api::{items, text};
use crate::deadline::until;
use crate::org::{ADMIN, PASSWORD, fresh_email};
use crate::scene;

#[tokio::test]
async fn what_one_node_wrote_every_node_reads_at_once() {
    let cluster = Cluster::start(3).await;
    for writer in 0..cluster.len() {
        let admin = cluster.at(writer, &cluster.org.admin.api);
        for round in 0..5 {
            let title = format!("{writer}-{round}");
            let body = json!({"kind": "practice", "title": title, "questions": ["Why?"]});
            let made = admin.post("/api/v1/interviews", body).await.ok(201);
            for reader in 0..cluster.len() {
                let reader = cluster.at(reader, &cluster.org.admin.api);
                let seen = reader.get(&scene::path(&made, "")).await.ok(200);
                assert_eq!(seen["title"], title);
            }
        }
    }
}

#[tokio::test]
async fn a_stale_read_is_of_this_node_and_says_how_new_it_is() {
    let cluster = Cluster::start(3).await;
    let made = scene::begun(&cluster.org.admin.api).await;
    let path = scene::path(&made, "");
    let plain = cluster.org.admin.api.get(&path).await;
    plain.ok(200);
    assert_eq!(plain.header("greenroom-applied"), "", "only a stale read is of some moment");
    for n in 0..cluster.len() {
        let admin = cluster.at(n, &cluster.org.admin.api);
        let seen = until("the state to arrive", async || {
            let reply = admin.get(&format!("{path}?stale=ok")).await;
            (reply.status == 200 && reply.json()["state"] == "live").then_some(reply)
        })
        .await;
        let applied: u64 = seen.header("greenroom-applied").parse().unwrap();
        assert!(applied > 0);
        let events = admin.get(&scene::path(&made, "/events?after=0&stale=ok")).await.ok(200);
        assert_eq!(items(&events).len(), 2);
        let stranger = cluster.node(n).api();
        stranger.get(&format!("{path}?stale=ok")).await.refused(401, "auth.missing");
    }
}

#[tokio::test]
async fn a_stale_read_needs_no_leader_and_a_plain_one_says_when_to_come_back() {
    let mut cluster = Cluster::start(3).await;
    let made = scene::begun(&cluster.org.admin.api).await;
    let last = cluster.followers().await[0];
    let admin = cluster.at(last, &cluster.org.admin.api);
    let path = scene::path(&made, "?stale=ok");
    until("the state to arrive", async || (admin.get(&path).await.status == 200).then_some(()))
        .await;
    for n in cluster.running() {
        if n != last {
            cluster.kill(n);
        }
    }
    admin.get(&path).await.ok(200);
    let refused = admin.get(&scene::path(&made, "")).await;
    let problem = refused.refused(503, "cluster.no_leader");
    assert!(problem["retry_after_ms"].as_u64().unwrap() > 0, "{problem}");
    assert!(!refused.header("retry-after").is_empty());
    // What every node answers for itself it still answers.
    assert_eq!(cluster.node(last).api().get("/livez").await.status, 200);
}

#[tokio::test]
async fn a_key_holds_on_every_node() {
    let cluster = Cluster::start(3).await;
    let body = json!({"kind": "practice", "title": "Once", "questions": ["Why?"]});
    let mut first = None;
    for n in 0..cluster.len() {
        let admin = cluster.at(n, &cluster.org.admin.api);
        let call = admin.call(Method::POST, "/api/v1/interviews").key("once").json(&body);
        let reply = call.send().await;
        let made = reply.ok(201);
        assert_eq!(reply.is_replayed(), n > 0);
        assert_eq!(first.get_or_insert_with(|| text(&made["id"])), &text(&made["id"]));
    }
    let other = json!({"kind": "practice", "title": "Another", "questions": ["Why?"]});
    let admin = cluster.at(cluster.followers().await[0], &cluster.org.admin.api);
    let call = admin.call(Method::POST, "/api/v1/interviews").key("once").json(&other);
    call.send().await.refused(422, "idempotency.mismatch");
}

#[tokio::test]
async fn a_failover_is_a_slow_answer() {
    let mut cluster = Cluster::start(3).await;
    let made = scene::begun(&cluster.org.admin.api).await;
    let leader = cluster.leader().await;
    let others: Vec<usize> = cluster.followers().await;
    cluster.kill(leader);
    // At once, while nobody leads: with a key a write may wait and is written once.
    for (turn, n) in others.iter().enumerate() {
        let admin = cluster.at(*n, &cluster.org.admin.api);
        let path = scene::path(&made, "/questions");
        let call = admin.call(Method::POST, &path).key(&format!("after-{turn}"));
        call.json(&json!({"text": "And then?"})).send().await.ok(201);
        let seen = admin.get(&scene::path(&made, "")).await.ok(200);
        assert_eq!(seen["questions"].as_array().unwrap().len(), 4 + turn);
    }
}

#[tokio::test]
async fn a_login_at_one_node_holds_at_all_and_ends_at_all() {
    let cluster = Cluster::start(3).await;
    let followers = cluster.followers().await;
    let body = json!({"email": ADMIN, "password": PASSWORD});
    let login = cluster.node(followers[0]).api().post("/api/v1/auth/login", body).await;
    login.ok(200);
    let cookies = login.cookies();
    assert_eq!(cookies.lines.len(), 2);
    for line in &cookies.lines {
        assert!(!line.contains("Secure"), "the browser talks to a loopback listener: {line}");
    }
    for n in 0..cluster.len() {
        let page = cluster.node(n).api().with("cookie", &cookies.pair);
        page.get("/api/v1/me").await.ok(200);
    }
    let page = cluster.node(followers[1]).api().with("cookie", &cookies.pair);
    let page = page.with("x-csrf-token", &cookies.csrf);
    page.post("/api/v1/auth/logout", json!({})).await.ok(200);
    for n in 0..cluster.len() {
        let page = cluster.node(n).api().with("cookie", &cookies.pair);
        page.get("/api/v1/me").await.refused(401, "auth.expired");
    }
}

#[tokio::test]
async fn nobody_becomes_the_operator_by_saying_so() {
    let cluster = Cluster::start(3).await;
    for n in 0..cluster.len() {
        let stranger = cluster.node(n).api();
        for header in ["greenroom-operator", "greenroom-caller", "greenroom-lost"] {
            let call = stranger.call(Method::GET, "/api/v1/people").header(header, "yes");
            call.send().await.refused(401, "auth.missing");
        }
        // Whoever may open the socket in the data directory is, on every node.
        let email = fresh_email("clerk");
        let add = ["person", "add", "--email", &email, "--name", "Cleo", "--role", "candidate"];
        let added = crate::node::run(cluster.node(n).command().args(add), b"");
        assert!(added.status.success(), "{}", String::from_utf8_lossy(&added.stderr));
        let people = cluster.org.admin.api.get("/api/v1/people?limit=200").await.ok(200);
        assert!(items(&people).iter().any(|person| person["email"] == email));
    }
}

#[tokio::test]
async fn both_nodes_log_the_same_request_id() {
    let cluster = Cluster::start(3).await;
    let (leader, follower) = (cluster.leader().await, cluster.followers().await[0]);
    let admin = cluster.at(follower, &cluster.org.admin.api);
    let call = admin.call(Method::GET, "/api/v1/me").header("x-request-id", "a.shared_id-1");
    let reply = call.send().await;
    reply.ok(200);
    assert_eq!(reply.header("x-request-id"), "a.shared_id-1");
    assert!(reply.headers.get("greenroom-lost").is_none());
    for n in [leader, follower] {
        until("the log line", async || {
            cluster.node(n).stderr().contains("a.shared_id-1").then_some(())
        })
        .await;
    }
}

#[tokio::test]
async fn bodies_and_answers_pass_whole() {
    let cluster = Cluster::start(3).await;
    let follower = cluster.followers().await[0];
    let admin = cluster.at(follower, &cluster.org.admin.api);
    let long = "x".repeat(150_000);
    let context = json!({
        "cv_text": long, "job_description": "", "target_role": "",
        "assist_intensity": 2,
    });
    let put = admin.put("/api/v1/me/context", context).await;
    assert_eq!(put.status, 200, "{}", put.text());
    assert_eq!(text(&admin.get("/api/v1/me/context").await.ok(200)["cv_text"]), long);
    let huge = json!({"title": "y".repeat(2_000_000)});
    let refused = admin.post("/api/v1/interviews", huge).await;
    refused.refused(413, "input.too_large");
    let wrong = admin.post("/api/v1/interviews", json!({"kind": "practice", "colour": 1})).await;
    wrong.refused(400, "input.unknown_field");
}
