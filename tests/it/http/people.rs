//! People: who may see and change them, and what a closed account loses.

use serde_json::{Value, json};

use crate::api::{items, text};
use crate::org::{Org, PASSWORD, Person, fresh_email, shared};
use crate::scene;

#[tokio::test]
async fn roles_allow_what_the_table_says() {
    let org = shared().await;
    let kit = |id: &str| {
        json!({
            "id": id, "version": 0, "title": "Baking", "role": "Baker", "description": "Bread.",
            "competencies": [{"id": "dough", "name": "Dough", "about": "Knows dough.",
                "anchors": ["1", "2", "3", "4", "5"]}],
            "questions": [{"id": "q1", "text": "How do you knead?", "competency": "dough"}],
        })
    };
    for (role, manages_people, makes_live) in [
        ("candidate", false, false),
        ("observer", false, false),
        ("interviewer", false, true),
        ("manager", false, true),
        ("admin", true, true),
    ] {
        let person = org.person(role).await;
        let allowed = |yes: bool, reply: &crate::api::Reply, status: u16| {
            if yes {
                reply.ok(status)
            } else {
                reply.refused(403, "access.denied")
            };
        };
        let list = person.api.get("/api/v1/people?limit=1").await;
        allowed(manages_people, &list, 200);
        let new = json!({"email": fresh_email("x"), "display_name": "X", "role": "candidate"});
        allowed(manages_people, &person.api.post("/api/v1/people", new).await, 201);
        let live = person.api.post("/api/v1/interviews", json!({"kind": "live"})).await;
        allowed(makes_live, &live, 201);
        let kit = kit(&format!("baking-{role}"));
        allowed(makes_live, &person.api.post("/api/v1/kits", kit).await, 201);
        let practice = json!({"kind": "practice"});
        person.api.post("/api/v1/interviews", practice).await.ok(201);
    }
}

#[tokio::test]
async fn a_disabled_person_is_out_at_once_and_can_come_back() {
    let org = shared().await;
    let person = org.person("candidate").await;
    let path = format!("/api/v1/people/{}", person.id);
    let off = org.admin.api.patch(&path, json!({"disabled": true})).await.ok(200);
    assert_eq!((&off["state"], &off["disabled"]), (&json!("disabled"), &json!(true)));
    person.api.get("/api/v1/me").await.refused(401, "auth.expired");
    let refresh = json!({"refresh_token": person.login["refresh_token"]});
    org.node.api().post("/api/v1/auth/refresh", refresh).await.refused(401, "auth.expired");
    let login = json!({"email": person.email, "password": PASSWORD});
    let api = org.node.api();
    api.post("/api/v1/auth/login", login.clone()).await.refused(401, "auth.invalid");

    org.admin.api.patch(&path, json!({"disabled": false})).await.ok(200);
    person.api.get("/api/v1/me").await.refused(401, "auth.expired");
    api.post("/api/v1/auth/login", login).await.ok(200);
}

#[tokio::test]
async fn the_last_admin_stays() {
    let org = Org::found().await;
    let admin = &org.admin;
    let path = format!("/api/v1/people/{}", admin.id);
    let changes = [json!({"disabled": true}), json!({"role": "candidate"})];
    for change in &changes {
        admin.api.patch(&path, change.clone()).await.refused(409, "conflict.state");
    }
    // With another admin the first one may go, and then the second one is the last.
    let second = org.person("admin").await;
    admin.api.patch(&path, changes[1].clone()).await.ok(200);
    admin.api.get("/api/v1/people").await.refused(403, "access.denied");
    let path = format!("/api/v1/people/{}", second.id);
    second.api.patch(&path, changes[0].clone()).await.refused(409, "conflict.state");
    let name = json!({"display_name": "Grace"});
    assert_eq!(second.api.patch(&path, name).await.ok(200)["display_name"], "Grace");
}

#[tokio::test]
async fn two_admins_cannot_close_each_other_at_once() {
    let org = Org::found().await;
    let second = org.person("admin").await;
    let off = |by: &Person, whom: &Person| {
        let (api, path) = (by.api.clone(), format!("/api/v1/people/{}", whom.id));
        async move { api.patch(&path, json!({"disabled": true})).await.status }
    };
    let (one, two) = tokio::join!(off(&org.admin, &second), off(&second, &org.admin));
    // The second one is the last admin by then, or is signed out already.
    assert_eq!([one, two].iter().filter(|status| **status == 200).count(), 1, "{one} {two}");
}

#[tokio::test]
async fn an_address_names_one_account() {
    let org = shared().await;
    let email = fresh_email("twin");
    let body = |email: &str| json!({"email": email, "display_name": "T", "role": "candidate"});
    org.admin.api.post("/api/v1/people", body(&email)).await.ok(201);
    let again = body(&email.to_uppercase());
    org.admin.api.post("/api/v1/people", again).await.refused(409, "conflict.state");

    let wrong = json!({"email": "x", "display_name": "", "role": "boss", "password": "1"});
    let reply = org.admin.api.post("/api/v1/people", wrong).await;
    let fields = reply.wrong_fields("input.invalid");
    assert_eq!(fields, ["email", "display_name", "role", "password"], "all at once");
    let missing = org.admin.api.get(&format!("/api/v1/people/{}", org.admin.id)).await.ok(200);
    assert_eq!(missing["role"], "admin");
    for none in ["x", "019a0b1c-2d3e-7f40-8a5b-6c7d8e9f0a1b"] {
        org.admin.api.get(&format!("/api/v1/people/{none}")).await.refused(404, "not_found");
    }
}

#[tokio::test]
async fn a_password_that_an_admin_sets_works_and_a_reset_ends_older_logins() {
    let org = shared().await;
    let email = fresh_email("set");
    let body = json!({"email": email, "display_name": "S", "role": "observer",
        "password": PASSWORD});
    let account = org.admin.api.post("/api/v1/people", body).await.ok(201);
    assert_eq!(account["invite_url"], Value::Null, "nobody needs a link");
    let login = json!({"email": email, "password": PASSWORD});
    let first = org.node.api().post("/api/v1/auth/login", login.clone()).await.ok(200);

    let path = format!("/api/v1/people/{}/invite", text(&account["id"]));
    let link = org.admin.api.post(&path, json!({})).await.ok(200);
    let changed = "another long sentence for the same door";
    let body = json!({"token": crate::org::token_of(&link["invite_url"]), "password": changed});
    org.node.api().post("/api/v1/auth/accept", body).await.ok(200);
    let old = org.node.api().bearer(&text(&first["access_token"]));
    old.get("/api/v1/me").await.refused(401, "auth.expired");
    org.node.api().post("/api/v1/auth/login", login).await.refused(401, "auth.invalid");
}

#[tokio::test]
async fn the_list_of_people_has_pages() {
    let org = Org::found().await;
    let mut wanted = vec![org.admin.id.clone()];
    for _ in 0..4 {
        let (account, _) = org.invited("candidate").await;
        wanted.push(text(&account["id"]));
    }
    let (mut found, mut path) = (Vec::new(), "/api/v1/people?limit=2".to_owned());
    for _ in 0..4 {
        let page = org.admin.api.get(&path).await.ok(200);
        found.extend(items(&page).iter().map(|person| text(&person["id"])));
        let Some(next) = page["next"].as_str() else { break };
        path = format!("/api/v1/people?limit=2&cursor={next}");
    }
    assert_eq!(found, wanted, "each once, oldest first");
    for bad in ["limit=0", "limit=x", "cursor=x", "colour=red"] {
        let reply = org.admin.api.get(&format!("/api/v1/people?{bad}")).await;
        reply.refused(400, "input.invalid");
    }
    assert_eq!(scene::practice(&org.admin.api, &[]).await["state"], "lobby");
}
