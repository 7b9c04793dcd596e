//! Files and backups with three nodes: whoever is asked has everything.

use serde_json::json;

use super::Cluster;
use crate::api::items;
use crate::deadline::until;
use crate::http::cv::upload;
use crate::node::{Node, run};
use crate::org::{ADMIN, PASSWORD, Person};

const CV: &str = "/api/v1/me/cv";

#[tokio::test]
async fn a_file_is_on_every_node_and_a_follower_makes_a_whole_backup() {
    let mut cluster = Cluster::start(3).await;
    let person = cluster.org.person("candidate").await;
    let followers = cluster.followers().await;
    let [one, other] = followers[..] else { panic!("two follow: {followers:?}") };
    let bytes = "Led the night shift.\r\n".repeat(9_000).into_bytes();
    let call = upload(&cluster.at(one, &person.api), "cv.txt", "text/plain", &bytes);
    call.key("one").send().await.ok(200);
    assert_eq!(cluster.at(other, &person.api).get(CV).await.body, bytes);
    // On the disk of each, and not only through the leader.
    for n in 0..3 {
        let local = cluster.at(n, &person.api);
        until("the file on every node", async || {
            let reply = local.get("/api/v1/me/cv?stale=ok").await;
            (reply.status == 200 && reply.body == bytes).then_some(())
        })
        .await;
    }
    // Each node keeps backups of its own.
    let (here, leader) = (cluster.at(one, &cluster.org.admin.api), cluster.leader().await);
    here.post("/api/v1/admin/backups", json!({})).await.ok(201);
    assert_eq!(items(&here.get("/api/v1/admin/backups").await.ok(200)).len(), 1);
    let there = cluster.at(leader, &cluster.org.admin.api);
    assert!(items(&there.get("/api/v1/admin/backups").await.ok(200)).is_empty());

    // With the leader gone, and then everybody else, a follower's backup has it all.
    cluster.kill(leader);
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("all.backup");
    let create = |node: &Node| {
        let mut command = node.command();
        command.args(["backup", "create"]).arg(&file);
        tokio::task::spawn_blocking(move || run(&mut command, b""))
    };
    cluster.kill(other);
    let output = create(cluster.node(one)).await.unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let mut alone = Node::on(|data_dir| {
        let mut command = crate::node::greenroom();
        command.arg("--data-dir").arg(data_dir).args(["backup", "restore"]).arg(&file);
        let output = run(&mut command, b"");
        assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    });
    alone.restart();
    let body = json!({"email": person.email, "password": PASSWORD});
    let login = alone.api().post("/api/v1/auth/login", body).await.ok(200);
    assert_eq!(Person::of(&alone.api(), login).api.get(CV).await.body, bytes);
    // It is a cluster of one, which nobody of the old one is in.
    let body = json!({"email": ADMIN, "password": PASSWORD});
    let login = alone.api().post("/api/v1/auth/login", body).await.ok(200);
    let admin = Person::of(&alone.api(), login).api;
    let nodes = admin.get("/api/v1/admin/cluster").await.ok(200)["nodes"].clone();
    assert_eq!(nodes.as_array().map(Vec::len), Some(1), "{nodes}");
}
