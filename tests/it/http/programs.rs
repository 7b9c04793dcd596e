//! Tokens of programs, service accounts, and signing keys that follow each other.

use hyper::Method;
use rusqlite::Connection;
use serde_json::{Value, json};

use crate::api::{Api, items, text};
use crate::deadline::until;
use crate::node::Node;
use crate::org::{Org, PASSWORD, Person, fresh_email, shared};
use crate::scene;
use crate::socket::Socket;

const TOKENS: &str = "/api/v1/me/tokens";

/// A token by this path, and the client that shows it.
pub(super) async fn token(api: &Api, path: &str, more: Value) -> (Api, Value) {
    let mut body = json!({"name": "Nightly"});
    for (field, value) in more.as_object().unwrap() {
        body[field] = value.clone();
    }
    let made = api.post(path, body).await.ok(201);
    assert!(text(&made["token"]).starts_with("grt_"), "{made}");
    (api.clone().bearer(&text(&made["token"])), made)
}

#[tokio::test]
async fn a_program_reads_and_writes_as_its_person_until_the_token_is_taken_back() {
    let org = shared().await;
    let person = org.person("candidate").await;
    let (program, made) = token(&person.api, TOKENS, json!({})).await;
    assert_eq!(program.get("/api/v1/me").await.ok(200)["id"], person.id.as_str());
    let practice = scene::begun(&program).await;
    let mut socket = Socket::join(&program, &practice, Some(0)).await;

    let listed = items(&person.api.get(TOKENS).await.ok(200));
    assert_eq!((listed.len(), &listed[0]["name"]), (1, &json!("Nightly")));
    assert!(!listed[0].to_string().contains("grt_"), "shown once");
    let logins = items(&person.api.get("/api/v1/me/sessions").await.ok(200));
    assert_eq!(logins.len(), 1, "a program is no login of the person");

    let one = format!("{TOKENS}/{}", text(&made["id"]));
    org.person("candidate").await.api.delete(&one).await.refused(404, "not_found");
    person.api.delete(&one).await.ok(204);
    socket.ends(Some("session_ended"), 1008).await;
    program.get("/api/v1/me").await.refused(401, "auth.invalid");
    assert!(items(&person.api.get(TOKENS).await.ok(200)).is_empty());
    person.api.delete(&one).await.refused(404, "not_found");
}

#[tokio::test]
async fn a_stolen_token_does_not_become_its_owner() {
    let org = shared().await;
    let admin = &org.admin.api;
    let person = org.person("admin").await;
    let (program, _) = token(&person.api, TOKENS, json!({})).await;
    program.get("/api/v1/people").await.ok(200);
    let other = format!("/api/v1/people/{}", org.person("candidate").await.id);
    for (method, path, body) in [
        (Method::GET, TOKENS.to_owned(), json!({})),
        (Method::POST, TOKENS.to_owned(), json!({"name": "More"})),
        (Method::DELETE, format!("{TOKENS}/x"), json!({})),
        (Method::GET, "/api/v1/me/sessions".to_owned(), json!({})),
        (Method::DELETE, "/api/v1/me/sessions".to_owned(), json!({})),
        (Method::POST, "/api/v1/me/totp".to_owned(), json!({"password": PASSWORD})),
        (
            Method::POST,
            "/api/v1/me/password".to_owned(),
            json!({"current_password": PASSWORD, "new_password": "another long sentence"}),
        ),
        (Method::GET, "/api/v1/me/export".to_owned(), json!({})),
        (Method::DELETE, "/api/v1/me".to_owned(), json!({})),
        (Method::POST, format!("{other}/invite"), json!({})),
        (Method::POST, format!("{other}/tokens"), json!({"name": "More"})),
        (Method::POST, "/api/v1/admin/keys/rotate".to_owned(), json!({})),
        // With these it could make itself whatever it wants.
        (Method::GET, "/api/v1/admin/backup".to_owned(), json!({})),
        (Method::POST, "/api/v1/admin/cluster/tokens".to_owned(), json!({})),
        (Method::PATCH, other.clone(), json!({"role": "admin"})),
        (
            Method::POST,
            "/api/v1/people".to_owned(),
            json!({"email": fresh_email("eve"), "display_name": "Eve", "role": "admin"}),
        ),
    ] {
        let reply = program.call(method.clone(), &path).json(&body).send().await;
        reply.refused(403, "access.denied");
    }
    let (reader, _) = token(&person.api, TOKENS, json!({"read_only": true})).await;
    reader.get("/api/v1/me").await.ok(200);
    let rename = json!({"display_name": "Eve"});
    reader
        .call(Method::PATCH, "/api/v1/me")
        .json(&rename)
        .send()
        .await
        .refused(403, "access.denied");
    // Nobody gets a token that speaks for somebody else, an admin neither.
    admin
        .post(&format!("{other}/tokens"), json!({"name": "N"}))
        .await
        .refused(403, "access.denied");
}

#[tokio::test]
async fn a_service_account_has_tokens_and_nothing_else() {
    let org = shared().await;
    let admin = &org.admin.api;
    let account = org.service().await;
    assert_eq!((&account["state"], &account["invite_url"]), (&json!("active"), &Value::Null));
    let path = format!("/api/v1/people/{}", text(&account["id"]));
    let tokens = format!("{path}/tokens");
    let (program, made) = token(admin, &tokens, json!({"expires_in": 3_600})).await;
    let me = program.get("/api/v1/me").await.ok(200);
    assert_eq!((&me["role"], &me["tier"]), (&json!("service"), &json!("service")));
    let live = json!({"kind": "live", "title": "Porter"});
    let live = program.post("/api/v1/interviews", live).await.ok(201);
    program.get("/api/v1/people").await.refused(403, "access.denied");
    program.get("/api/v1/admin/stats").await.refused(403, "access.denied");
    // Its interviews are its own.
    let other = org.person("interviewer").await;
    let its = format!("/api/v1/interviews/{}", text(&live["id"]));
    other.api.get(&its).await.refused(404, "not_found");

    // There is no other way in.
    admin.post(&format!("{path}/invite"), json!({})).await.refused(409, "conflict.state");
    let patch = |body: Value| admin.call(Method::PATCH, &path).json(&body).send();
    patch(json!({"role": "admin"})).await.refused(409, "conflict.state");
    let person = format!("/api/v1/people/{}", other.id);
    let role = json!({"role": "service"});
    admin.call(Method::PATCH, &person).json(&role).send().await.refused(409, "conflict.state");
    let with_password = json!({"email": fresh_email("r"), "display_name": "R", "role": "service",
        "password": PASSWORD});
    admin.post("/api/v1/people", with_password).await.refused(400, "input.invalid");
    let login = json!({"email": account["email"], "password": PASSWORD});
    org.node.api().post("/api/v1/auth/login", login).await.refused(401, "auth.invalid");

    // An account that is closed ends its tokens; one that is erased leaves none.
    patch(json!({"disabled": true})).await.ok(200);
    program.get("/api/v1/me").await.refused(401, "auth.invalid");
    admin.post(&tokens, json!({"name": "N"})).await.refused(409, "conflict.state");
    patch(json!({"disabled": false})).await.ok(200);
    program.get("/api/v1/me").await.refused(401, "auth.invalid");
    let (program, _) = token(admin, &tokens, json!({})).await;
    admin.delete(&path).await.ok(200);
    program.get("/api/v1/me").await.refused(401, "auth.invalid");
    admin.delete(&format!("{tokens}/{}", text(&made["id"]))).await.refused(404, "not_found");
}

#[tokio::test]
async fn tokens_are_bounded_and_a_retry_makes_no_second_one() {
    let org = shared().await;
    let person = org.person("candidate").await;
    for (body, field) in [
        (json!({"name": ""}), "name"),
        (json!({"name": "a\u{0}b"}), "name"),
        (json!({"name": "N", "expires_in": 59}), "expires_in"),
        (json!({"name": "N", "expires_in": 366 * 86_400 + 1}), "expires_in"),
    ] {
        let refused = person.api.post(TOKENS, body).await.refused(400, "input.invalid");
        assert_eq!(refused["errors"][0]["field"], field);
    }
    let again = || {
        let call = person.api.call(Method::POST, TOKENS).header("idempotency-key", "one");
        call.json(&json!({"name": "N"})).send()
    };
    let (first, second) = (again().await, again().await);
    assert_eq!(second.header("idempotency-replayed"), "true");
    assert_eq!(first.ok(201)["token"], second.ok(201)["token"], "the lost answer comes again");
    for _ in 1..20 {
        person.api.post(TOKENS, json!({"name": "N"})).await.ok(201);
    }
    person.api.post(TOKENS, json!({"name": "N"})).await.refused(409, "conflict.state");
    assert_eq!(items(&person.api.get(TOKENS).await.ok(200)).len(), 20);
    // What is changed in any way opens nothing.
    for wrong in ["grt_", "grt_x", "grt_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"] {
        let stranger = org.node.api().bearer(wrong);
        stranger.get("/api/v1/me").await.refused(401, "auth.invalid");
        stranger.get("/api/v1/setup").await.ok(200);
    }
}

#[tokio::test]
async fn a_token_tells_on_which_day_it_was_last_used_and_no_more() {
    let mut org = Org::found().await;
    let person = org.person("candidate").await;
    let (program, made) = token(&person.api, TOKENS, json!({})).await;
    assert_eq!(made["last_used_on"], Value::Null);
    let account = org.service().await;
    let others = format!("/api/v1/people/{}/tokens", text(&account["id"]));
    token(&org.admin.api, &others, json!({})).await;
    for _ in 0..20 {
        program.get("/api/v1/me").await.ok(200);
    }
    let used = until("the use is noted", async || {
        let listed = items(&person.api.get(TOKENS).await.ok(200));
        listed[0]["last_used_on"].as_str().map(str::to_owned)
    })
    .await;
    // It may be past midnight by now.
    let (_, later) = token(&person.api, TOKENS, json!({})).await;
    let days = [&made, &later].map(|made| text(&made["created_at"])[..10].to_owned());
    assert!(days.contains(&used), "{used} {days:?}");
    program.get("/api/v1/me").await.ok(200);
    let unused = items(&org.admin.api.get(&others).await.ok(200));
    assert_eq!(unused[0]["last_used_on"], Value::Null, "nobody has used that one");

    org.node.kill();
    let journal = Connection::open(org.node.data_dir().join("journal.db")).unwrap();
    let notes: Vec<String> = journal
        .prepare("SELECT CAST(payload AS TEXT) FROM entry")
        .unwrap()
        .query_map([], |row| row.get(0))
        .unwrap()
        .map(Result::unwrap)
        .filter(|entry: &String| entry.contains("note_uses"))
        .collect();
    assert!((1..=2).contains(&notes.len()), "not one a request: {notes:?}");
    drop(journal);
    org.node.restart();
    let person = person.api.at(org.node.address());
    let kept = items(&person.get(TOKENS).await.ok(200));
    let of = |id: &Value| kept.iter().find(|token| token["id"] == *id).unwrap();
    assert_eq!(of(&made["id"])["last_used_on"], json!(used));
    assert_eq!(of(&later["id"])["last_used_on"], Value::Null);
}

/// The names of the published keys.
pub(super) async fn kids(api: &Api) -> Vec<String> {
    let set = api.get("/.well-known/jwks.json").await.ok(200);
    set["keys"].as_array().unwrap().iter().map(|key| text(&key["kid"])).collect()
}

#[tokio::test]
async fn another_key_signs_and_nobody_is_signed_out() {
    let mut org = Org::found().await;
    let mut second = Node::join(&org.node);
    let admin = org.admin.api.clone();
    let there = org.admin.api.at(second.address());
    let before = kids(&admin).await;
    assert_eq!(before.len(), 1);
    let rotated = admin.post("/api/v1/admin/keys/rotate", json!({})).await.ok(200);
    let after = kids(&admin).await;
    assert_eq!((after.len(), &after[1]), (2, &before[0]), "both are published");
    assert_eq!(rotated["kid"], after[0].as_str());
    admin.get("/api/v1/me").await.ok(200);
    there.get("/api/v1/me").await.ok(200);
    // What a program does at one node is known at each, after a while also in its own state.
    let (program, _) = token(&admin, TOKENS, json!({})).await;
    program.at(second.address()).get("/api/v1/me").await.ok(200);
    until("the use is noted everywhere", async || {
        let path = format!("{TOKENS}?stale=ok");
        let listed = items(&there.get(&path).await.ok(200));
        (listed.first()?["last_used_on"] != Value::Null).then_some(())
    })
    .await;
    let login = json!({"email": org.admin.email, "password": PASSWORD});
    let fresh = org.node.api().post("/api/v1/auth/login", login.clone()).await.ok(200);
    let fresh = Person::of(&org.node.api(), fresh);
    // The other node has never signed or read with it.
    fresh.api.at(second.address()).get("/api/v1/me").await.ok(200);
    assert_eq!(kids(&there).await, after);
    let refresh = json!({"refresh_token": org.admin.login["refresh_token"]});
    there.post("/api/v1/auth/refresh", refresh).await.ok(200);

    // Somebody else may have the key: what it signed ends now, logins go on.
    let at_once = json!({"at_once": true});
    fresh.api.post("/api/v1/admin/keys/rotate", at_once).await.ok(200);
    fresh.api.get("/api/v1/me").await.refused(401, "auth.invalid");
    // Nobody said so of the key before it, which still has its time.
    admin.get("/api/v1/me").await.ok(200);
    let refresh = json!({"refresh_token": fresh.login["refresh_token"]});
    let again = org.node.api().post("/api/v1/auth/refresh", refresh).await.ok(200);
    let again = Person::of(&org.node.api(), again);
    again.api.get("/api/v1/me").await.ok(200);

    // After a start the keys are those of the state.
    second.kill();
    org.node.kill();
    second.restart_without_waiting();
    org.node.restart();
    second.wait_until_up();
    let here = again.api.at(org.node.address());
    here.get("/api/v1/me").await.ok(200);
    let actions = org.node.command().args(["audit", "export"]).output().unwrap();
    let log = String::from_utf8(actions.stdout).unwrap();
    assert_eq!(log.matches("key.rotate").count(), 2, "{log}");
}
