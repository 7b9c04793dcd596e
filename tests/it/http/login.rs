//! Signing in and out: passwords, cookies, CSRF, refresh.

use hyper::Method;
use serde_json::{Value, json};

use crate::api::{Api, Cookies, text};
use crate::node::Node;
use crate::org::{ADMIN, Org, PASSWORD, fresh_email, shared};

async fn sign_in(api: &Api, email: &str, password: &str) -> crate::api::Reply {
    api.post("/api/v1/auth/login", json!({"email": email, "password": password})).await
}

async fn refresh(api: &Api, login: &Value) -> crate::api::Reply {
    let body = json!({"refresh_token": login["refresh_token"]});
    api.post("/api/v1/auth/refresh", body).await
}

#[tokio::test]
async fn the_right_password_signs_in_and_every_other_answer_is_the_same() {
    let org = shared().await;
    let api = org.node.api();
    let login = sign_in(&api, " ADA@example.org", PASSWORD).await.ok(200);
    assert_eq!((&login["token_type"], &login["expires_in"]), (&json!("Bearer"), &json!(900)));
    assert_eq!(login["person"]["tier"], "admin");

    let (invited, _) = org.invited("candidate").await;
    let long = "x".repeat(5_000);
    let wrong = [
        (ADMIN, "a wrong sentence of words"),
        (ADMIN, ""),
        (ADMIN, long.as_str()),
        ("nobody@example.org", PASSWORD),
        ("not an address", PASSWORD),
        (invited["email"].as_str().unwrap(), PASSWORD),
    ];
    let mut answers = Vec::new();
    for (email, password) in wrong {
        let mut problem = sign_in(&api, email, password).await.refused(401, "auth.invalid");
        problem["request_id"] = Value::Null;
        answers.push(problem);
    }
    assert!(answers.windows(2).all(|two| two[0] == two[1]), "{answers:#?}");
}

#[tokio::test]
async fn a_browser_gets_cookies_that_scripts_cannot_read_and_other_pages_cannot_use() {
    let org = shared().await;
    let reply = sign_in(&org.node.api(), ADMIN, PASSWORD).await;
    let Cookies { lines, pair, csrf } = reply.cookies();
    let [session, other] = lines.as_slice() else { panic!("two cookies: {lines:?}") };
    for part in ["Path=/", "SameSite=Strict", "Max-Age="] {
        assert!(session.contains(part) && other.contains(part), "{lines:?}");
    }
    assert!(session.contains("; HttpOnly"), "{session}");
    assert!(other.starts_with("csrf=") && !other.contains("HttpOnly"), "{other}");
    // On a loopback listener there is no TLS that a Secure cookie would come back over.
    assert!(!session.contains("Secure"), "{session}");

    let browser = org.node.api().with("cookie", &pair);
    assert_eq!(browser.get("/api/v1/me").await.ok(200)["email"], ADMIN);
    let change = json!({"display_name": "Ada"});
    browser.patch("/api/v1/me", change.clone()).await.refused(403, "access.denied");
    let patch = |token: &str| {
        let call = browser.call(Method::PATCH, "/api/v1/me").json(&change);
        call.header("x-csrf-token", token).send()
    };
    patch("invented").await.refused(403, "access.denied");
    patch(&csrf).await.ok(200);

    // The token of another login is somebody else's, even if both cookies are sent.
    let other = sign_in(&org.node.api(), ADMIN, PASSWORD).await.cookies();
    let session = pair.split("; ").next().unwrap();
    let mixed = org.node.api().with("cookie", &format!("{session}; csrf={}", other.csrf));
    let call = mixed.call(Method::PATCH, "/api/v1/me").json(&change);
    call.header("x-csrf-token", &other.csrf).send().await.refused(403, "access.denied");

    let forged = org.node.api().with("cookie", "greenroom_session=invented");
    forged.get("/api/v1/me").await.refused(401, "auth.missing");
}

#[tokio::test]
async fn where_others_can_listen_in_cookies_ask_for_tls() {
    let org = Org::on(Node::start_with(&["--listen", "0.0.0.0:0"])).await;
    let lines = sign_in(&org.node.api(), ADMIN, PASSWORD).await.cookies().lines;
    assert_eq!(lines.len(), 2);
    assert!(lines.iter().all(|line| line.contains("; Secure")), "{lines:?}");
}

#[tokio::test]
async fn a_refresh_token_holds_once_and_a_stolen_one_ends_the_login() {
    let person = shared().await.person("candidate").await;
    let api = shared().await.node.api();
    let second = refresh(&api, &person.login).await.ok(200);
    assert_ne!(second["refresh_token"], person.login["refresh_token"]);
    let third = refresh(&api, &second).await.ok(200);
    let newest = api.clone().bearer(&text(&third["access_token"]));
    newest.get("/api/v1/me").await.ok(200);

    // The first token comes up again: somebody copied it.
    refresh(&api, &person.login).await.refused(401, "auth.invalid");
    refresh(&api, &third).await.refused(401, "auth.expired");
    newest.get("/api/v1/me").await.refused(401, "auth.expired");
    person.api.get("/api/v1/me").await.refused(401, "auth.expired");
    for invented in ["", "x", &text(&third["access_token"])] {
        let body = json!({"refresh_token": invented});
        api.post("/api/v1/auth/refresh", body).await.refused(401, "auth.invalid");
    }
    // Only that login has ended.
    sign_in(&api, &person.email, PASSWORD).await.ok(200);
}

#[tokio::test]
async fn signing_out_ends_the_token_and_the_cookie() {
    let org = shared().await;
    let person = org.person("candidate").await;
    let reply = sign_in(&org.node.api(), &person.email, PASSWORD).await;
    let (login, cookies) = (reply.ok(200), reply.cookies());
    let browser = org.node.api().with("cookie", &cookies.pair);
    let call = browser.call(Method::POST, "/api/v1/auth/logout");
    let out = call.header("x-csrf-token", &cookies.csrf).send().await;
    assert_eq!(out.status, 200);
    let cleared = out.cookies().lines;
    assert_eq!(cleared.len(), 2);
    assert!(cleared.iter().all(|line| line.contains("Max-Age=0")), "{cleared:?}");

    browser.get("/api/v1/me").await.refused(401, "auth.expired");
    let token = org.node.api().bearer(&text(&login["access_token"]));
    token.get("/api/v1/me").await.refused(401, "auth.expired");
    refresh(&org.node.api(), &login).await.refused(401, "auth.expired");
    // The other login of the same person goes on.
    person.api.get("/api/v1/me").await.ok(200);
    org.node.api().post("/api/v1/auth/logout", json!({})).await.refused(401, "auth.missing");
}

#[tokio::test]
async fn a_refresh_token_ends_its_own_login() {
    let org = shared().await;
    let (api, person) = (org.node.api(), org.person("candidate").await);
    let login = sign_in(&api, &person.email, PASSWORD).await.ok(200);
    let body = json!({"refresh_token": login["refresh_token"]});
    api.post("/api/v1/auth/logout", body).await.ok(200);
    refresh(&api, &login).await.refused(401, "auth.expired");
    person.api.get("/api/v1/me").await.ok(200);
    let invented = json!({"refresh_token": "x"});
    api.post("/api/v1/auth/logout", invented).await.refused(401, "auth.invalid");
}

#[tokio::test]
async fn an_invitation_is_for_one_person_once() {
    let org = shared().await;
    let api = org.node.api();
    let email = fresh_email("new");
    let body = json!({"email": email, "display_name": "Noa", "role": "candidate"});
    let account = org.admin.api.post("/api/v1/people", body).await.ok(201);
    assert_eq!(account["state"], "invited");
    let first = crate::org::token_of(&account["invite_url"]);
    let shown = api.post("/api/v1/auth/invite", json!({"token": first})).await.ok(200);
    assert_eq!((&shown["email"], &shown["display_name"]), (&json!(email), &json!("Noa")));
    assert_eq!(shown["organisation"], "Lighthouse");

    // A newer link replaces the older one.
    let path = format!("/api/v1/people/{}/invite", text(&account["id"]));
    let renewed = org.admin.api.post(&path, json!({})).await.ok(200);
    let second = crate::org::token_of(&renewed["invite_url"]);
    let accept = |token: &str, password: &str| {
        let body = json!({"token": token, "password": password, "display_name": "Noa P."});
        let api = api.clone();
        async move { api.post("/api/v1/auth/accept", body).await }
    };
    accept(&first, PASSWORD).await.refused(404, "not_found");
    let weak = accept(&second, "12345678").await;
    assert_eq!(weak.wrong_fields("input.invalid"), ["password"]);
    let login = accept(&second, PASSWORD).await.ok(200);
    assert_eq!(login["person"]["display_name"], "Noa P.");
    sign_in(&api, &email, PASSWORD).await.ok(200);

    for used in [&first, &second, &"x".repeat(75)] {
        accept(used, PASSWORD).await.refused(404, "not_found");
        let body = json!({"token": used});
        api.post("/api/v1/auth/invite", body).await.refused(404, "not_found");
    }
    let path = format!("/api/v1/people/{}", text(&account["id"]));
    assert_eq!(org.admin.api.get(&path).await.ok(200)["state"], "active");
}
