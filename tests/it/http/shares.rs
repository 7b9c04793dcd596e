//! Share links: a report for somebody without an account, until the link ends.

use serde_json::json;

use crate::api::{items, text};
use crate::org::{Org, shared, token_of};
use crate::scene;

#[tokio::test]
async fn a_link_works_for_everybody_until_it_is_revoked() {
    let org = shared().await;
    let person = org.person("candidate").await;
    let practice = scene::reported(&person.api).await;
    let report = person.api.get(&scene::path(&practice, "/report")).await.ok(200);
    let path = scene::path(&practice, "/shares");
    let share = person.api.post(&path, json!({})).await.ok(201);
    assert_eq!(token_of(&share["url"]), text(&share["token"]));
    let shared = format!("/api/v1/shared/{}", text(&share["token"]));
    let nobody = org.node.api();
    assert_eq!(nobody.get(&shared).await.ok(200), report);

    let line = &items(&person.api.get(&path).await.ok(200))[0];
    assert_eq!((&line["id"], &line["expires_at"]), (&share["id"], &share["expires_at"]));
    assert_eq!(line.get("token"), None, "a token is shown once");
    let other = person.api.post(&path, json!({})).await.ok(201);
    let one = format!("{path}/{}", text(&share["id"]));
    person.api.delete(&one).await.ok(204);
    nobody.get(&shared).await.refused(404, "not_found");
    let other = format!("/api/v1/shared/{}", text(&other["token"]));
    nobody.get(&other).await.ok(200);
    let unknown = format!("{path}/019a0b1c-2d3e-7f40-8a5b-6c7d8e9f0a1b");
    person.api.delete(&unknown).await.refused(404, "not_found");
}

#[tokio::test]
async fn an_unknown_or_changed_link_opens_nothing() {
    let org = shared().await;
    let person = org.person("candidate").await;
    let practice = scene::reported(&person.api).await;
    let share = person.api.post(&scene::path(&practice, "/shares"), json!({})).await.ok(201);
    let token = text(&share["token"]);
    let (head, last) = token.split_at(token.len() - 1);
    let changed = format!("{head}{}", if last == "A" { "E" } else { "A" });
    let refresh = text(&person.login["refresh_token"]);
    for none in ["x", changed.as_str(), &token[1..], refresh.as_str()] {
        let path = format!("/api/v1/shared/{none}");
        org.node.api().get(&path).await.refused(404, "not_found");
    }
}

#[tokio::test]
async fn a_link_holds_as_long_as_it_was_made_for() {
    let org = shared().await;
    let person = org.person("candidate").await;
    let running = scene::begun(&person.api).await;
    let reply = person.api.post(&scene::path(&running, "/shares"), json!({})).await;
    reply.refused(409, "conflict.state");

    let practice = scene::reported(&person.api).await;
    let path = scene::path(&practice, "/shares");
    for bad in [json!(59), json!(90 * 86_400 + 1), json!(-1), json!("60"), json!(1.5)] {
        let reply = person.api.post(&path, json!({"expires_in": bad})).await;
        assert_eq!(reply.wrong_fields("input.invalid"), ["expires_in"]);
    }
    for good in [60, 90 * 86_400] {
        person.api.post(&path, json!({"expires_in": good})).await.ok(201);
    }
    assert_eq!(items(&person.api.get(&path).await.ok(200)).len(), 2);
}

#[tokio::test]
async fn a_link_outlives_a_crash_of_the_node_and_an_expired_one_does_not_come_back() {
    let mut org = Org::found().await;
    let practice = scene::reported(&org.admin.api).await;
    let path = scene::path(&practice, "/shares");
    let share = org.admin.api.post(&path, json!({})).await.ok(201);
    let short = org.admin.api.post(&path, json!({"expires_in": 60})).await.ok(201);
    let shared = |share: &serde_json::Value| format!("/api/v1/shared/{}", text(&share["token"]));
    org.crash();
    org.node.api().get(&shared(&share)).await.ok(200);
    org.node.api().get(&shared(&short)).await.ok(200);
    org.node.kill();
    // Nobody waits a minute here: the stored end is moved into the past instead.
    let state = rusqlite::Connection::open(org.node.data_dir().join("state.db")).unwrap();
    let id = text(&short["id"]);
    let moved = state.execute("UPDATE share SET expires_at = created_at WHERE id = ?1", [id]);
    assert_eq!(moved.unwrap(), 1);
    drop(state);
    org.node.restart();
    org.node.api().get(&shared(&short)).await.refused(404, "not_found");
    org.node.api().get(&shared(&share)).await.ok(200);
}
