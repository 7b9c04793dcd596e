//! Access tokens that somebody made up, changed, kept too long or got elsewhere.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use greenroom::auth::secret::Secrets;
use greenroom::domain::person::Role;
use greenroom::domain::time::Time;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};

use crate::api::text;
use crate::org::{Person, shared};

/// What a token says, read without its key.
fn claims(token: &str) -> Value {
    let payload = token.split('.').nth(1).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap()
}

fn part(value: &Value) -> String {
    URL_SAFE_NO_PAD.encode(value.to_string())
}

fn time(claims: &Value, name: &str) -> Time {
    Time(claims[name].as_i64().unwrap() * 1_000)
}

#[tokio::test]
async fn a_token_that_is_not_ours_opens_nothing() {
    let org = shared().await;
    let person = org.person("candidate").await;
    let token = text(&person.login["access_token"]);
    let (message, signature) = token.rsplit_once('.').unwrap();
    let payload = message.split_once('.').unwrap().1;
    let keys = org.node.api().get("/.well-known/jwks.json").await.ok(200);
    assert_eq!(keys["keys"][0]["alg"], "EdDSA");
    let public = URL_SAFE_NO_PAD.decode(text(&keys["keys"][0]["x"])).unwrap();

    let (signing, linking) = Secrets::mint().unwrap();
    let elsewhere = Secrets::open(&signing, &linking).unwrap();
    let said = claims(&token);
    let foreign = elsewhere.sign_access(
        text(&said["sub"]).parse().unwrap(),
        text(&said["sid"]).parse().unwrap(),
        Role::Admin,
        time(&said, "iat"),
        &text(&said["iss"]),
    );
    let swapped = jsonwebtoken::encode(
        &Header::new(Algorithm::HS256),
        &said,
        &EncodingKey::from_secret(&public),
    )
    .unwrap();
    let mut admin = said.clone();
    admin["role"] = json!("admin");
    let header = message.split_once('.').unwrap().0;
    let forged = [
        "garbage".to_owned(),
        "a.b.c".to_owned(),
        "x".repeat(10_000),
        format!("{}.{payload}.", part(&json!({"alg": "none", "typ": "JWT"}))),
        format!("{}.{payload}.{signature}", part(&json!({"alg": "none"}))),
        format!("{header}.{}.{signature}", part(&admin)),
        format!("{message}."),
        swapped,
        foreign,
    ];
    let person = |token: &str| org.node.api().bearer(token);
    for token in &forged {
        person(token).get("/api/v1/me").await.refused(401, "auth.invalid");
    }
    person("").get("/api/v1/me").await.refused(401, "auth.missing");
    org.node.api().get("/api/v1/me").await.refused(401, "auth.missing");
    person(&token).get("/api/v1/me").await.ok(200);
    // A bad token keeps nobody out of what is open to all.
    person("garbage").get("/api/v1/setup").await.ok(200);
}

#[tokio::test]
async fn a_token_of_ours_that_is_over_says_so() {
    let org = shared().await;
    let Person { login, .. } = org.person("candidate").await;
    let said = claims(&text(&login["access_token"]));
    // The node's own keys, as only somebody who reads its disk could have them.
    let state = rusqlite::Connection::open(org.node.data_dir().join("state.db")).unwrap();
    let keys = state.query_row("SELECT signing_key, link_key FROM cluster", [], |row| {
        Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?))
    });
    let (signing, linking) = keys.unwrap();
    let secrets = Secrets::open(&signing, &linking).unwrap();
    let sign = |ago_ms: i64, session: &Value, issuer: &str| {
        let at = time(&said, "iat").plus_ms(-ago_ms);
        let (person, session) = (text(&said["sub"]), text(session));
        let (person, session) = (person.parse().unwrap(), session.parse().unwrap());
        org.node.api().bearer(&secrets.sign_access(person, session, Role::Candidate, at, issuer))
    };
    let (session, issuer) = (&said["sid"], text(&said["iss"]));
    sign(0, session, &issuer).get("/api/v1/me").await.ok(200);
    let hour = 3_600_000;
    sign(hour, session, &issuer).get("/api/v1/me").await.refused(401, "auth.expired");
    sign(0, session, "greenroom:other").get("/api/v1/me").await.refused(401, "auth.invalid");
    // A login that never was.
    sign(0, &said["sub"], &issuer).get("/api/v1/me").await.refused(401, "auth.expired");
}
