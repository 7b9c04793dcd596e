//! Own logins, own password, own second factor.

use std::time::{SystemTime, UNIX_EPOCH};

use aws_lc_rs::hmac;
use hyper::Method;
use serde_json::{Value, json};

use crate::api::{Api, items, text};
use crate::org::{Org, PASSWORD, Person, shared};
use crate::scene;
use crate::socket::Socket;

const TOTP: &str = "/api/v1/me/totp";
const LOGIN: &str = "/api/v1/auth/login";

/// The code that an app would show so many steps from now (RFC 6238, written from the standard).
fn code(secret: &str, steps: i64) -> String {
    let letters = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let (mut bits, mut held, mut key) = (0u32, 0, Vec::new());
    for letter in secret.bytes() {
        let five = letters.iter().position(|known| *known == letter).unwrap() as u32;
        (bits, held) = (bits << 5 | five, held + 5);
        if held >= 8 {
            held -= 8;
            key.push((bits >> held) as u8);
            bits &= (1 << held) - 1;
        }
    }
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() as i64;
    let step = now / 30 + steps;
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &key);
    let tag = hmac::sign(&key, &step.to_be_bytes());
    let at = usize::from(tag.as_ref()[19] & 15);
    let word = u32::from_be_bytes(tag.as_ref()[at..at + 4].try_into().unwrap());
    format!("{:06}", (word & 0x7fff_ffff) % 1_000_000)
}

async fn sign_in(api: &Api, person: &Person, code: Option<&str>) -> crate::api::Reply {
    let mut body = json!({"email": person.email, "password": PASSWORD});
    if let Some(code) = code {
        body["code"] = json!(code);
    }
    api.post(LOGIN, body).await
}

#[tokio::test]
async fn logins_are_listed_and_ended_one_or_all_and_their_sockets_with_them() {
    let org = shared().await;
    let person = org.person("candidate").await;
    let api = org.node.api();
    let second = Person::of(&api, sign_in(&api, &person, None).await.ok(200));
    let third = Person::of(&api, sign_in(&api, &person, None).await.ok(200));
    let list = items(&person.api.get("/api/v1/me/sessions").await.ok(200));
    let current: Vec<bool> = list.iter().map(|login| login["current"] == true).collect();
    assert_eq!(current, [false, false, true], "the newest first");
    let practice = scene::begun(&second.api).await;
    let mut socket = Socket::join(&second.api, &practice, Some(0)).await;
    let one = format!("/api/v1/me/sessions/{}", text(&list[1]["id"]));
    org.person("candidate").await.api.delete(&one).await.refused(404, "not_found");
    person.api.delete(&one).await.ok(204);
    socket.ends(Some("session_ended"), 1008).await;
    second.api.get("/api/v1/me").await.refused(401, "auth.expired");
    third.api.get("/api/v1/me").await.ok(200);
    person.api.delete(&one).await.refused(404, "not_found");
    person.api.delete("/api/v1/me/sessions").await.ok(204);
    third.api.get("/api/v1/me").await.refused(401, "auth.expired");
    assert_eq!(items(&person.api.get("/api/v1/me/sessions").await.ok(200)).len(), 1);
}

#[tokio::test]
async fn a_new_password_needs_the_old_one_and_ends_the_other_logins() {
    let org = shared().await;
    let (person, api) = (org.person("candidate").await, org.node.api());
    let other = Person::of(&api, sign_in(&api, &person, None).await.ok(200));
    let path = "/api/v1/me/password";
    let body = |current: &str, new: &str| json!({"current_password": current, "new_password": new});
    let wrong = person.api.post(path, body("not this one", "another long sentence")).await;
    assert_eq!(wrong.wrong_fields("input.invalid"), ["current_password"]);
    let short = person.api.post(path, body(PASSWORD, "short")).await;
    assert_eq!(short.wrong_fields("input.invalid"), ["new_password"]);
    person.api.post(path, body(PASSWORD, "another long sentence")).await.ok(204);
    person.api.get("/api/v1/me").await.ok(200);
    other.api.get("/api/v1/me").await.refused(401, "auth.expired");
    sign_in(&api, &person, None).await.refused(401, "auth.invalid");
    let login = json!({"email": person.email, "password": "another long sentence"});
    api.post(LOGIN, login).await.ok(200);
}

/// Sets a second factor up; the secret and the recovery codes.
async fn with_factor(person: &Person) -> (String, Vec<String>) {
    let begun = person.api.post(TOTP, json!({"password": PASSWORD})).await.ok(201);
    let secret = text(&begun["secret"]);
    assert!(text(&begun["uri"]).starts_with("otpauth://totp/Lighthouse:"), "{begun}");
    let confirm = format!("{TOTP}/confirm");
    let wrong = person.api.post(&confirm, json!({"code": "000000x"})).await;
    assert_eq!(wrong.wrong_fields("input.invalid"), ["code"]);
    let body = json!({"code": code(&secret, -1)});
    let confirmed = person.api.post(&confirm, body).await.ok(200);
    let codes: Vec<String> =
        confirmed["recovery_codes"].as_array().unwrap().iter().map(text).collect();
    (secret, codes)
}

#[tokio::test]
async fn with_a_second_factor_the_password_alone_opens_nothing() {
    let mut org = Org::found().await;
    let person = org.person("candidate").await;
    let wrong = person.api.post(TOTP, json!({"password": "not this one"})).await;
    assert_eq!(wrong.wrong_fields("input.invalid"), ["password"]);
    let (secret, codes) = with_factor(&person).await;
    assert_eq!(codes.len(), 10);
    assert_eq!(person.api.get("/api/v1/me").await.ok(200)["second_factor"], true);
    person.api.post(TOTP, json!({"password": PASSWORD})).await.refused(409, "conflict.state");

    // It holds on another start of the node, too.
    org.crash();
    let api = org.node.api();
    sign_in(&api, &person, None).await.refused(401, "auth.second_factor");
    sign_in(&api, &person, Some("")).await.refused(401, "auth.second_factor");
    let wrong = json!({"email": person.email, "password": "not this one"});
    api.post(LOGIN, wrong).await.refused(401, "auth.invalid");
    for wrong in ["000000x", "12345", "aaaa-bbbb-cccc-dddd", &code(&secret, 9)] {
        sign_in(&api, &person, Some(wrong)).await.refused(401, "auth.invalid");
    }
    let now = code(&secret, 0);
    sign_in(&api, &person, Some(&now)).await.ok(200);
    sign_in(&api, &person, Some(&now)).await.refused(401, "auth.invalid");
    // An older code that was not used does not count after a newer one.
    sign_in(&api, &person, Some(&code(&secret, -1))).await.refused(401, "auth.invalid");
    let typed = codes[3].to_uppercase().replace('-', " ");
    sign_in(&api, &person, Some(&typed)).await.ok(200);
    sign_in(&api, &person, Some(&codes[3])).await.refused(401, "auth.invalid");

    // Whoever lost everything asks an admin.
    let reset = format!("/api/v1/people/{}/totp", person.id);
    let person_api = person.api.at(org.node.address());
    person_api.delete(&reset).await.refused(403, "access.denied");
    org.admin.api.delete(&reset).await.ok(204);
    org.admin.api.delete(&reset).await.refused(404, "not_found");
    sign_in(&api, &person, None).await.ok(200);
    let log = items(&org.admin.api.get("/api/v1/admin/audit").await.ok(200));
    let actions: Vec<&Value> = log.iter().map(|row| &row["action"]).collect();
    for action in ["totp.add", "totp.remove", "session.open"] {
        assert!(actions.contains(&&json!(action)), "{action} in {actions:?}");
    }
}

#[tokio::test]
async fn a_second_factor_goes_with_the_password_and_never_half() {
    let org = shared().await;
    let (person, api) = (org.person("candidate").await, org.node.api());
    // Begun and not confirmed: nobody is locked out.
    person.api.post(TOTP, json!({"password": PASSWORD})).await.ok(201);
    sign_in(&api, &person, None).await.ok(200);
    with_factor(&person).await;
    let remove =
        |password: &str| person.api.call(Method::DELETE, TOTP).json(&json!({"password": password}));
    let wrong = remove("not this one").send().await;
    assert_eq!(wrong.wrong_fields("input.invalid"), ["password"]);
    remove(PASSWORD).send().await.ok(204);
    sign_in(&api, &person, None).await.ok(200);
    org.node.api().get("/api/v1/me/sessions").await.refused(401, "auth.missing");
}
