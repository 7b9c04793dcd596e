//! Who is in the cluster: joining, leaving, moving, handing over, beginning anew.

use std::path::Path;
use std::process::Output;
use std::sync::Arc;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::deadline::until;
use crate::node::{Node, run};
use crate::org::Org;
use crate::scene;

use super::Cluster;

fn cli(node: &Node, args: &[&str]) -> Output {
    run(node.command().args(args), b"")
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn status(node: &Node) -> Value {
    let output = cli(node, &["cluster", "status", "--json"]);
    assert!(output.status.success(), "{}", said(&output));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn token(node: &Node) -> String {
    let output = cli(node, &["cluster", "token"]);
    assert!(output.status.success(), "{}", said(&output));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// Somebody's write is taken, at the latest when the new leader is known everywhere.
async fn writes_go_on(cluster: &Cluster, n: usize) {
    let admin = cluster.at(n, &cluster.org.admin.api);
    let body = json!({"kind": "practice", "title": "After it"});
    until("a write", async || {
        let reply = admin.post("/api/v1/interviews", body.clone()).await;
        (reply.status == 201).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_token_lets_one_machine_in_once() {
    let org = Org::found().await;
    let url = format!("http://{}", org.node.address());
    let token = token(&org.node);
    let first = Node::on(|_| {});
    let joined = cli(&first, &["cluster", "join", &url, "--token", &token, "--json"]);
    assert_eq!(joined.status.code(), Some(0), "{}", said(&joined));
    let identity: Value = serde_json::from_slice(&joined.stdout).unwrap();
    assert_eq!(identity["node"], 2);

    let again = cli(&first, &["cluster", "join", &url, "--token", &token]);
    assert_eq!(again.status.code(), Some(1), "it has joined already");
    assert!(said(&again).contains("not an empty data directory"), "{}", said(&again));

    let second = Node::on(|_| {});
    for (token, why) in [
        (token.as_str(), "was used by another machine"),
        ("AAAA", "not a join token"),
        (&token[1..], "join token"),
        (&token.replace(&token[30..40], "AAAAAAAAAA"), "not a join token of this cluster"),
    ] {
        let refused = cli(&second, &["cluster", "join", &url, "--token", token]);
        assert_eq!(refused.status.code(), Some(1), "{token}");
        assert!(said(&refused).contains(why), "{why}: {}", said(&refused));
    }
    assert!(!second.data_dir().join("node.json").exists(), "nobody was let in");
    let usage = cli(&second, &["cluster", "join", &url]);
    assert_eq!(usage.status.code(), Some(2), "{}", said(&usage));
}

#[tokio::test]
async fn a_lost_answer_is_no_lost_token() {
    let org = Org::found().await;
    let url = format!("http://{}", org.node.address());
    let token = token(&org.node);
    let node = Node::on(|_| {});
    cli(&node, &["cluster", "join", &url, "--token", &token]);
    // As if the answer had not come: what was granted is gone, the machine's key is still there.
    let granted = std::fs::read_to_string(node.data_dir().join("node.json")).unwrap();
    let granted: Value = serde_json::from_str(&granted).unwrap();
    let key = granted["papers"]["key"].as_str().unwrap();
    std::fs::remove_file(node.data_dir().join("node.json")).unwrap();
    let public = public_key(key);
    let kept = json!({"private": key, "public": public}).to_string();
    std::fs::write(node.data_dir().join("joining.json"), kept).unwrap();
    let again = cli(&node, &["cluster", "join", &url, "--token", &token, "--json"]);
    assert_eq!(again.status.code(), Some(0), "{}", said(&again));
    let identity: Value = serde_json::from_slice(&again.stdout).unwrap();
    assert_eq!(identity["node"], 2, "the same machine is the same node");
}

/// The last 32 bytes of an Ed25519 key pair in PKCS #8 version 2 are the public key.
fn public_key(pem: &str) -> String {
    use base64::Engine;
    let der = PrivateKeyDer::from_pem_slice(pem.as_bytes()).unwrap();
    let der = der.secret_der();
    base64::engine::general_purpose::STANDARD.encode(&der[der.len() - 32..])
}

#[tokio::test]
async fn a_removed_node_ends_and_its_id_is_never_given_again() {
    let mut cluster = Cluster::start(3).await;
    let removed = cli(cluster.node(0), &["cluster", "remove", "3"]);
    assert_eq!(removed.status.code(), Some(0), "{}", said(&removed));
    let ids = |status: &Value| -> Vec<u64> {
        status["nodes"]
            .as_array()
            .unwrap()
            .iter()
            .map(|node| node["id"].as_u64().unwrap())
            .collect()
    };
    assert_eq!(ids(&status(cluster.node(0))), [1, 2]);
    let gone = cluster.node_mut(2);
    assert_eq!(gone.wait(), 1, "it ends by itself");

    let unknown = cli(cluster.node(0), &["cluster", "remove", "3"]);
    assert_eq!(unknown.status.code(), Some(1), "{}", said(&unknown));
    let next = Node::join(cluster.node(0));
    let now = status(cluster.node(0));
    assert_eq!(ids(&now), [1, 2, 4]);
    drop(next);
    let admin = cluster.at(1, &cluster.org.admin.api);
    scene::begun(&admin).await;
}

#[tokio::test]
async fn a_removal_that_would_stop_the_cluster_is_refused() {
    let mut cluster = Cluster::start(3).await;
    let alone = Org::found().await;
    let last = cli(&alone.node, &["cluster", "remove", "1"]);
    assert_eq!(last.status.code(), Some(1), "{}", said(&last));
    assert!(said(&last).contains("last node"), "{}", said(&last));
    let leader = cluster.leader().await;
    let followers = cluster.followers().await;
    cluster.kill(followers[0]);
    let live = (followers[1] + 1).to_string();
    let refused = cli(cluster.node(leader), &["cluster", "remove", &live]);
    assert_eq!(refused.status.code(), Some(1), "{}", said(&refused));
    assert!(said(&refused).contains("no majority"), "{}", said(&refused));
    // The dead one may go: the two that are left are a majority of themselves.
    let dead = (followers[0] + 1).to_string();
    let removed = cli(cluster.node(leader), &["cluster", "remove", &dead]);
    assert_eq!(removed.status.code(), Some(0), "{}", said(&removed));
    writes_go_on(&cluster, followers[1]).await;
}

#[tokio::test]
async fn leadership_is_handed_over() {
    let cluster = Cluster::start(3).await;
    let leader = cluster.leader().await;
    let to = cluster.followers().await[1];
    let id = (to + 1).to_string();
    let done = cli(cluster.node(leader), &["cluster", "stepdown", "--to", &id, "--json"]);
    assert_eq!(done.status.code(), Some(0), "{}", said(&done));
    let done: Value = serde_json::from_slice(&done.stdout).unwrap();
    assert_eq!(done["leader"], to + 1);
    assert_eq!(cluster.leader().await, to);
    let nobody = cli(cluster.node(leader), &["cluster", "stepdown", "--to", "9"]);
    assert_eq!(nobody.status.code(), Some(1), "{}", said(&nobody));

    let alone = Org::found().await;
    let refused = cli(&alone.node, &["cluster", "stepdown"]);
    assert_eq!(refused.status.code(), Some(1), "{}", said(&refused));
    assert!(said(&refused).contains("only voter"), "{}", said(&refused));
}

#[tokio::test]
async fn a_leader_that_stops_hands_over_first() {
    let mut cluster = Cluster::start(3).await;
    let leader = cluster.leader().await;
    assert_eq!(cluster.node_mut(leader).terminate(), 0);
    let next = cluster.leader().await;
    assert_ne!(next, leader);
    writes_go_on(&cluster, next).await;
}

#[tokio::test]
async fn addresses_may_change() {
    let mut cluster = Cluster::start(3).await;
    for n in 0..3 {
        cluster.kill(n);
    }
    // All at once, and each on another HTTP port than before.
    for n in 0..3 {
        cluster.node_mut(n).restart_without_waiting();
    }
    for n in 0..3 {
        cluster.node_mut(n).wait_until_up();
    }
    until("the new addresses", async || {
        let leader = cluster.leader().await;
        let status = status(cluster.node(leader));
        let nodes = status["nodes"].as_array().unwrap();
        let known = (0..3).all(|n| {
            let url = format!("http://{}", cluster.node(n).address());
            nodes.iter().any(|node| node["id"] == n + 1 && node["http"] == url.as_str())
        });
        known.then_some(())
    })
    .await;
}

#[tokio::test]
async fn what_is_left_begins_anew_after_a_lost_quorum() {
    let mut cluster = Cluster::start(3).await;
    let made = scene::reported(&cluster.org.admin.api).await;
    let running = cli(cluster.node(1), &["cluster", "recover", "--accept-data-loss"]);
    assert_eq!(running.status.code(), Some(1), "{}", said(&running));
    until("node 2 to have the report", async || {
        let path = format!("{}?stale=ok", scene::path(&made, "/report"));
        let reply = cluster.at(1, &cluster.org.admin.api).get(&path).await;
        (reply.status == 200).then_some(())
    })
    .await;
    for n in 0..3 {
        cluster.kill(n);
    }
    let asked = cli(cluster.node(1), &["cluster", "recover"]);
    assert_eq!(asked.status.code(), Some(1));
    assert!(said(&asked).contains("LOST") && said(&asked).contains("node 3"), "{}", said(&asked));
    let done = cli(cluster.node(1), &["cluster", "recover", "--accept-data-loss", "--json"]);
    assert_eq!(done.status.code(), Some(0), "{}", said(&done));
    let done: Value = serde_json::from_slice(&done.stdout).unwrap();
    assert_eq!(done["given_up"], json!([1, 3]));
    assert_eq!(done["node"], 4, "a new node of a new cluster");

    cluster.restart(1);
    let admin = cluster.at(1, &cluster.org.admin.api);
    let login = json!({"email": crate::org::ADMIN, "password": crate::org::PASSWORD});
    let login = admin.post("/api/v1/auth/login", login).await.ok(200);
    let admin = cluster.node(1).api().bearer(login["access_token"].as_str().unwrap());
    admin.get(&scene::path(&made, "/report")).await.ok(200);
    scene::begun(&admin).await;
    // An old node is a stranger now.
    cluster.node_mut(0).restart_without_waiting();
    let next = Node::join(cluster.node(1));
    assert_eq!(status(cluster.node(1))["nodes"].as_array().unwrap().len(), 2);
    drop(next);
    cluster.kill(1);
    let loss = audited(&cluster.node(1).data_dir(), "cluster.recover");
    assert!(loss.contains("only nodes 1, 3 had is lost"), "{loss}");
}

/// What the audit log says of an action.
fn audited(data_dir: &Path, action: &str) -> String {
    let db = rusqlite::Connection::open(data_dir.join("state.db")).unwrap();
    let read = "SELECT subject FROM audit WHERE action = ?1";
    db.query_row(read, [action], |row| row.get(0)).unwrap()
}

/// The papers of a node that does not run.
fn papers(node: &Node) -> Value {
    let text = std::fs::read_to_string(node.data_dir().join("node.json")).unwrap();
    serde_json::from_str::<Value>(&text).unwrap()["papers"].take()
}

/// Greets a node with these papers and this greeting; its answer, or why there is none.
async fn greet(to: &str, name: String, papers: &Value, hello: Value) -> Result<Value, String> {
    let pem = |field: &str| papers[field].as_str().unwrap().as_bytes().to_vec();
    let mut roots = rustls::RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(&pem("trusted")).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])
        .unwrap()
        .with_root_certificates(roots)
        .with_client_auth_cert(
            vec![CertificateDer::from_pem_slice(&pem("certificate")).unwrap()],
            PrivateKeyDer::from_pem_slice(&pem("key")).unwrap(),
        )
        .unwrap();
    let connector = tokio_rustls::TlsConnector::from(Arc::new(config));
    let stream = TcpStream::connect(to).await.map_err(|e| e.to_string())?;
    let name = ServerName::try_from(name).unwrap();
    let mut way = connector.connect(name, stream).await.map_err(|e| e.to_string())?;
    let text = hello.to_string();
    let talk = async {
        way.write_all(&(text.len() as u32).to_be_bytes()).await?;
        way.write_all(text.as_bytes()).await?;
        way.flush().await?;
        let len = way.read_u32().await?;
        let mut answer = vec![0; len as usize];
        way.read_exact(&mut answer).await?;
        Ok::<_, std::io::Error>(answer)
    };
    let answer = talk.await.map_err(|e| e.to_string())?;
    Ok(serde_json::from_slice(&answer).unwrap())
}

#[tokio::test]
async fn strangers_at_the_cluster_port_are_refused_in_words() {
    let cluster = Cluster::start(2).await;
    let elsewhere = Org::found().await;
    let status = status(cluster.node(0));
    let address = status["nodes"][0]["address"].as_str().unwrap().to_owned();
    let mut ours = papers(cluster.node(1));
    ours["trusted"] = ours["authority"].clone();
    let cluster_id = ours["cluster"].as_str().unwrap().to_owned();
    let name = format!("node-1.{cluster_id}.greenroom");
    let hello = json!({
        "wire": 1, "cluster": cluster_id, "from": 2, "to": 1, "service": "presence",
        "address": "127.0.0.1:1", "http": "http://127.0.0.1:1", "version": "0.0.0", "level": 1,
    });
    let with = |field: &str, value: Value| {
        let mut hello = hello.clone();
        hello[field] = value;
        hello
    };
    for (hello, code, words) in [
        (with("wire", json!(99)), "wire", "speaks version 1 of the wire, you speak 99"),
        (with("cluster", json!("019a0b1c-2d3e-7f40-8a5b-6c7d8e9f0a1b")), "cluster", "not yours"),
        (with("to", json!(2)), "target", "this is node 1"),
        (with("from", json!(1)), "identity", "not that of node 1"),
    ] {
        let answer = greet(&address, name.clone(), &ours, hello).await.unwrap();
        assert_eq!(answer["refused"]["code"], code);
        let detail = answer["refused"]["detail"].as_str().unwrap();
        assert!(detail.contains(words), "{detail}");
    }
    // A certificate of another cluster does not come through the handshake.
    let mut foreign = papers(&elsewhere.node);
    foreign["trusted"] = ours["trusted"].clone();
    greet(&address, name, &foreign, hello).await.unwrap_err();
    until("the log line about it", async || {
        let log = cluster.node(0).stderr();
        log.contains("not of this cluster's authority").then_some(())
    })
    .await;
    scene::begun(&cluster.org.admin.api).await;
}
