//! What machines read: health, metrics, keys, the OpenAPI document, the operator's socket.

use http_body_util::{BodyExt, Full};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};

use crate::api::{items, text};
use crate::golden::same_as_golden;
use crate::org::{Org, shared};
use crate::scene;
use crate::socket::Socket;

#[tokio::test]
async fn a_node_that_serves_is_live_and_ready() {
    let api = shared().await.node.api();
    assert_eq!(api.get("/livez").await.status, 200);
    let ready = api.get("/readyz").await;
    assert_eq!(ready.status, 200);
    assert_eq!(ready.text(), "[+]node ok\n[+]leader ok\n[+]store ok\n");
}

#[tokio::test]
async fn metrics_have_the_promised_names() {
    let org = Org::found().await;
    scene::reported(&org.admin.api).await;
    let reply = org.node.api().get("/metrics").await;
    assert_eq!(reply.status, 200, "a collector on this machine needs no token");
    let page = reply.text();
    let stages = ["http_request", "proposal_queue", "journal_fsync", "quorum", "apply", "analysis"];
    for name in stages {
        let count = format!("greenroom_{name}_seconds_count");
        let line = page.lines().find(|line| line.starts_with(&count));
        let value = line.and_then(|line| line.rsplit(' ').next()).map(str::parse::<f64>);
        assert!(matches!(value, Some(Ok(n)) if n > 0.0), "{count}: {line:?}");
    }
    for name in ["sockets", "rooms", "term", "replication_lag_entries"] {
        assert!(page.contains(&format!("\ngreenroom_{name} ")), "{name}");
    }
    assert!(page.contains("\ngreenroom_leader 1"), "{page}");
    for secret in ["@example.org", "returns desk"] {
        assert!(!page.contains(secret), "nobody's words are in the metrics");
    }
}

#[tokio::test]
async fn a_stranger_can_check_our_tokens_by_the_published_key() {
    let org = shared().await;
    let person = org.person("candidate").await;
    let keys = org.node.api().get("/.well-known/jwks.json").await.ok(200);
    let set: jsonwebtoken::jwk::JwkSet = serde_json::from_value(keys).unwrap();
    let token = text(&person.login["access_token"]);
    let kid = jsonwebtoken::decode_header(&token).unwrap().kid.unwrap();
    // Any signer of ours chooses the crypto back end for the whole process.
    let (signing, linking) = greenroom::auth::secret::Secrets::mint().unwrap();
    greenroom::auth::secret::Secrets::open(&signing, &linking).unwrap();
    let key = jsonwebtoken::DecodingKey::from_jwk(set.find(&kid).unwrap()).unwrap();
    let mut rules = jsonwebtoken::Validation::new(jsonwebtoken::Algorithm::EdDSA);
    rules.set_audience(&["greenroom"]);
    let claims = jsonwebtoken::decode::<Value>(&token, &key, &rules).unwrap().claims;
    assert_eq!(claims["sub"], person.id);
}

#[tokio::test]
async fn the_document_is_the_same_from_the_node_the_command_and_the_golden_file() {
    let served = shared().await.node.api().get("/api/openapi.json").await.ok(200);
    let output = crate::node::run(crate::node::greenroom().arg("openapi"), b"");
    assert!(output.status.success());
    let printed: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(printed, served);
    let pretty = serde_json::to_string_pretty(&served).unwrap() + "\n";
    same_as_golden("openapi.json", &pretty);
}

#[tokio::test]
async fn events_over_http_are_the_events_of_the_socket() {
    let person = shared().await.person("candidate").await;
    let practice = scene::reported(&person.api).await;
    let mut socket = Socket::join(&person.api, &practice, Some(0)).await;
    socket.ends(Some("room_finished"), 1000).await;
    let mut told = socket.events.clone();
    for event in &mut told {
        event.as_object_mut().unwrap().remove("type");
    }
    assert_eq!(scene::events(&person.api, &practice).await, told);

    let read = async |query: &str| {
        person.api.get(&scene::path(&practice, &format!("/events?{query}"))).await
    };
    let page = read("after=1&limit=2").await.ok(200);
    assert_eq!((items(&page), &page["next"]), (told[1..3].to_vec(), &json!(3)));
    assert_eq!(items(&read("after=18446744073709551615").await.ok(200)), Vec::<Value>::new());
    // More than a page holds is a full page.
    read("limit=100000").await.ok(200);
    for bad in ["limit=0", "limit=-1", "after=-1", "after=x", "before=1"] {
        read(bad).await.refused(400, "input.invalid");
    }
}

/// Asks through the socket in the data directory.
async fn operator(org: &Org, method: &str, path: &str, body: Value) -> (u16, Value) {
    let stream =
        tokio::net::UnixStream::connect(org.node.data_dir().join("greenroom.sock")).await.unwrap();
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.unwrap();
    let driving = tokio::spawn(connection);
    let request = hyper::Request::builder()
        .method(method)
        .uri(path)
        .header("host", "operator")
        .header("content-type", "application/json")
        .body(Full::new(bytes::Bytes::from(body.to_string())))
        .unwrap();
    let response = sender.send_request(request).await.unwrap();
    let status = response.status().as_u16();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    driving.abort();
    (status, serde_json::from_slice(&body).unwrap_or_default())
}

#[tokio::test]
async fn the_operator_manages_people_and_is_nobody_in_a_room() {
    let mut org = Org::found().await;
    let (status, people) = operator(&org, "GET", "/api/v1/people", json!({})).await;
    assert_eq!((status, items(&people).len()), (200, 1));
    let practice = json!({"kind": "practice"});
    let (status, problem) = operator(&org, "POST", "/api/v1/interviews", practice).await;
    assert_eq!((status, &problem["code"]), (403, &json!("access.denied")));
    // Whatever an operator sends, the node goes on and comes back.
    let kit = json!({"id": "own", "version": 0, "title": "Own", "role": "Any", "description": "d",
        "competencies": [{"id": "c", "name": "C", "about": "c", "anchors": ["1","2","3","4","5"]}],
        "questions": [{"id": "q", "text": "Why?", "competency": "c"}]});
    let (status, _) = operator(&org, "POST", "/api/v1/kits", kit).await;
    assert!(status < 500, "{status}");
    scene::practice(&org.admin.api, &[]).await;
    org.crash();
    scene::practice(&org.admin.api, &[]).await;
}
