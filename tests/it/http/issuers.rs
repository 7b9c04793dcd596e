//! Bearer tokens of outside issuers: who gets in with them, and what forgers get.

use std::sync::{Arc, Mutex};
use std::time::{SystemTime, UNIX_EPOCH};

use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::api::text;
use crate::deadline::until;
use crate::node::{Node, run};
use crate::org::Org;
use crate::scene;
use crate::socket::Socket;

const ISSUER: &str = "https://id.example.org";
const SECRET: &[u8] = b"a secret that the hosted login and we share";

/// A key of an issuer: what it signs with, and what it publishes.
pub(super) struct Key {
    algorithm: Algorithm,
    signing: EncodingKey,
    pub(super) public: Value,
}

impl Key {
    fn new(algorithm: Algorithm, signing: EncodingKey, id: &str) -> Key {
        let _ = jsonwebtoken::crypto::aws_lc::DEFAULT_PROVIDER.install_default();
        let mut public =
            serde_json::to_value(Jwk::from_encoding_key(&signing, algorithm).unwrap()).unwrap();
        public["kid"] = json!(id);
        Key { algorithm, signing, public }
    }

    fn es256(id: &str) -> Key {
        let random = SystemRandom::new();
        let pair = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random);
        Key::new(Algorithm::ES256, EncodingKey::from_ec_der(pair.unwrap().as_ref()), id)
    }

    pub(super) fn rs256(id: &str) -> Key {
        let pair = KeyPair::generate(KeySize::Rsa2048).unwrap();
        let whole = AsDer::<aws_lc_rs::encoding::Pkcs8V1Der<'_>>::as_der(&pair).unwrap();
        // What PKCS #8 puts around an RSA key of this size has 26 bytes.
        Key::new(Algorithm::RS256, EncodingKey::from_rsa_der(&whole.as_ref()[26..]), id)
    }

    pub(super) fn sign(&self, claims: &Value) -> String {
        let header = Header { kid: Some(text(&self.public["kid"])), ..Header::new(self.algorithm) };
        jsonwebtoken::encode(&header, claims, &self.signing).unwrap()
    }
}

pub(super) fn now() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() as i64
}

fn claims(sub: &str) -> Value {
    json!({"iss": ISSUER, "aud": "greenroom", "sub": sub, "exp": now() + 300, "iat": now()})
}

pub(super) fn with(mut claims: Value, name: &str, value: Value) -> Value {
    let fields = claims.as_object_mut().unwrap();
    fields.remove(name);
    if !value.is_null() {
        fields.insert(name.to_owned(), value);
    }
    claims
}

/// A file with keys, in a folder that lives as long as the test.
fn file(keys: &[&Value]) -> (tempfile::TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("keys.json");
    std::fs::write(&path, json!({"keys": keys}).to_string()).unwrap();
    let path = path.display().to_string();
    (folder, path)
}

pub(super) fn within(variables: &[String]) -> Vec<String> {
    [&["env".to_owned()], variables].concat()
}

async fn org(issuers: &Value) -> Org {
    let variable = format!("GREENROOM_AUTH_ISSUERS={issuers}");
    Org::on(Node::start_in(&within(&[variable]), "127.0.0.1:0")).await
}

fn issuer(path: &str, algorithm: &str) -> Value {
    json!({"issuer": ISSUER, "audience": "greenroom", "jwks_file": path,
        "algorithms": [algorithm], "role_claim": "groups",
        "roles": {"hiring": "interviewer", "bosses": "manager"}})
}

#[tokio::test]
async fn an_unknown_subject_becomes_a_person_and_stays_the_same_on_every_node() {
    let key = Key::es256("one");
    let (_folder, path) = file(&[&key.public]);
    let org = org(&json!([issuer(&path, "ES256")])).await;
    let as_said = |claims: &Value| org.node.api().bearer(&key.sign(claims));
    let ada = claims("ada");
    // A door that is open to all makes nobody.
    as_said(&ada).get("/api/v1/setup").await.ok(200);
    let people = org.admin.api.get("/api/v1/people").await.ok(200);
    assert_eq!(people["items"].as_array().unwrap().len(), 1);
    let me = as_said(&ada).get("/api/v1/me").await.ok(200);
    assert_eq!((&me["role"], &me["display_name"]), (&json!("candidate"), &json!("ada")));
    assert_eq!(as_said(&ada).get("/api/v1/me").await.ok(200)["id"], me["id"]);
    let other = as_said(&claims("eve")).get("/api/v1/me").await.ok(200);
    assert_ne!(other["id"], me["id"]);
    // The role is what the map makes of the claim, and follows what the issuer says last.
    let hiring = with(ada.clone(), "groups", json!(["staff", "hiring"]));
    assert_eq!(as_said(&hiring).get("/api/v1/me").await.ok(200)["role"], "interviewer");
    let old = with(with(ada.clone(), "groups", json!("bosses")), "iat", json!(now() - 200));
    assert_eq!(as_said(&old).get("/api/v1/me").await.ok(200)["role"], "interviewer");
    let unmapped = with(claims("mallory"), "groups", json!(["admin"]));
    assert_eq!(as_said(&unmapped).get("/api/v1/me").await.ok(200)["role"], "candidate");
    // Somebody who has an account under an address keeps it.
    let taking = with(claims("taker"), "email", json!(org.admin.email));
    let taker = as_said(&taking).get("/api/v1/me").await.ok(200);
    assert_ne!(taker["id"], org.admin.id);
    assert_ne!(taker["email"], org.admin.email);
    assert_eq!(taker["role"], "candidate");

    let variable = format!("GREENROOM_AUTH_ISSUERS={}", json!([issuer(&path, "ES256")]));
    let second = Node::join_in(&org.node, &within(&[variable]), "127.0.0.1:0");
    let there = as_said(&hiring).at(second.address()).get("/api/v1/me").await.ok(200);
    assert_eq!(there["id"], me["id"]);
}

#[tokio::test]
async fn somebody_from_outside_practises_like_everybody_and_is_refused_when_disabled() {
    let key = Key::rs256("one");
    let (_folder, path) = file(&[&key.public]);
    let org = org(&json!([issuer(&path, "RS256")])).await;
    let api = org.node.api().bearer(&key.sign(&claims("ada")));
    let me = api.get("/api/v1/me").await.ok(200);
    let practice = scene::begun(&api).await;
    let ticket = api.post(&scene::path(&practice, "/ticket"), json!({})).await.ok(201);
    assert!(ticket["ticket"].is_string());
    let listed = org.admin.api.get(&format!("/api/v1/people/{}", text(&me["id"]))).await.ok(200);
    assert_eq!(listed["state"], "active", "nobody waits for a password");
    let path = format!("/api/v1/people/{}", text(&me["id"]));
    org.admin.api.patch(&path, json!({"disabled": true})).await.ok(200);
    api.get("/api/v1/me").await.refused(401, "auth.invalid");
    let newer = with(with(claims("ada"), "groups", json!("bosses")), "iat", json!(now() + 5));
    let again = org.node.api().bearer(&key.sign(&newer));
    again.get("/api/v1/me").await.refused(401, "auth.invalid");
    org.admin.api.patch(&path, json!({"disabled": false})).await.ok(200);
    api.get("/api/v1/me").await.ok(200);
}

#[tokio::test]
async fn what_is_not_signed_for_us_opens_nothing() {
    let (key, stranger) = (Key::rs256("one"), Key::rs256("one"));
    let (_folder, path) = file(&[&key.public]);
    let org = org(&json!([issuer(&path, "RS256")])).await;
    let good = claims("ada");
    let token = key.sign(&good);
    let (message, signature) = token.rsplit_once('.').unwrap();
    let payload = message.split_once('.').unwrap().1;
    let part = |value: Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let modulus = URL_SAFE_NO_PAD.decode(text(&key.public["n"])).unwrap();
    let swap = |secret: &[u8]| {
        let header = Header { kid: Some("one".to_owned()), ..Header::new(Algorithm::HS256) };
        jsonwebtoken::encode(&header, &good, &EncodingKey::from_secret(secret)).unwrap()
    };
    let mut renamed = Key::rs256("two");
    renamed.public["kid"] = json!("unknown");
    let nowhere = with(good.clone(), "iss", json!("https://elsewhere.example.org"));
    for (what, token) in [
        ("another key", stranger.sign(&good)),
        ("an unknown key", renamed.sign(&good)),
        ("the public key as a secret", swap(&modulus)),
        ("the published text as a secret", swap(key.public.to_string().as_bytes())),
        ("none", format!("{}.{payload}.", part(json!({"alg": "none", "kid": "one"})))),
        ("none, signed", format!("{}.{payload}.{signature}", part(json!({"alg": "none"})))),
        ("no signature", format!("{message}.")),
        (
            "other words",
            format!(
                "{}.{}.{signature}",
                message.split('.').next().unwrap(),
                part(with(good.clone(), "sub", json!("root")))
            ),
        ),
        ("another issuer", key.sign(&nowhere)),
        ("no issuer", key.sign(&with(good.clone(), "iss", Value::Null))),
        ("another audience", key.sign(&with(good.clone(), "aud", json!("other")))),
        ("no audience", key.sign(&with(good.clone(), "aud", Value::Null))),
        ("no end", key.sign(&with(good.clone(), "exp", Value::Null))),
        ("not yet", key.sign(&with(good.clone(), "nbf", json!(now() + 120)))),
        ("no subject", key.sign(&with(good.clone(), "sub", Value::Null))),
        ("an empty subject", key.sign(&with(good.clone(), "sub", json!("")))),
    ] {
        println!("{what}");
        let reply = org.node.api().bearer(&token).get("/api/v1/me").await;
        reply.refused(401, "auth.invalid");
    }
    let over = key.sign(&with(good.clone(), "exp", json!(now() - 60)));
    org.node.api().bearer(&over).get("/api/v1/me").await.refused(401, "auth.expired");
    let people = org.admin.api.get("/api/v1/people").await.ok(200);
    assert_eq!(people["items"].as_array().unwrap().len(), 1, "nobody came of it");
    org.node.api().bearer(&token).get("/api/v1/me").await.ok(200);
    // Our own tokens go on working beside.
    org.admin.api.get("/api/v1/me").await.ok(200);
}

#[tokio::test]
async fn a_socket_ends_with_the_token_that_opened_it() {
    let key = Key::es256("one");
    let (_folder, path) = file(&[&key.public]);
    let org = org(&json!([issuer(&path, "ES256")])).await;
    let soon = with(claims("short"), "exp", json!(now() + 3));
    let api = org.node.api().bearer(&key.sign(&soon));
    let practice = scene::begun(&api).await;
    let mut socket = Socket::join(&api, &practice, Some(0)).await;
    socket.ends(Some("session_ended"), 1008).await;
}

#[tokio::test]
async fn tokens_of_a_hosted_login_with_a_shared_secret_and_an_audience_are_taken() {
    let oct = json!({"kty": "oct", "k": URL_SAFE_NO_PAD.encode(SECRET)});
    let (_folder, path) = file(&[&oct]);
    let mut hosted = issuer(&path, "HS256");
    hosted["audience"] = json!("authenticated");
    hosted["role_claim"] = json!("app_metadata.role");
    let org = org(&json!([hosted])).await;
    let sign = |claims: &Value, secret: &[u8], algorithm| {
        let key = EncodingKey::from_secret(secret);
        let token = jsonwebtoken::encode(&Header::new(algorithm), claims, &key).unwrap();
        org.node.api().bearer(&token)
    };
    let mut said = with(claims("5f0c"), "aud", json!("authenticated"));
    said["email"] = json!("Ngozi@example.org");
    said["app_metadata"] = json!({"role": "hiring"});
    let me = sign(&said, SECRET, Algorithm::HS256).get("/api/v1/me").await.ok(200);
    assert_eq!((&me["email"], &me["role"]), (&json!("ngozi@example.org"), &json!("interviewer")));
    for (claims, secret, algorithm) in [
        (&said, &b"another secret of the same kind"[..], Algorithm::HS256),
        (&said, SECRET, Algorithm::HS512),
        (&claims("5f0c"), SECRET, Algorithm::HS256),
    ] {
        let reply = sign(claims, secret, algorithm).get("/api/v1/me").await;
        reply.refused(401, "auth.invalid");
    }
}

/// An issuer's server: gives this answer to everybody and counts.
#[derive(Clone, Default)]
struct Web {
    answer: Arc<Mutex<String>>,
    asked: Arc<Mutex<u32>>,
}

impl Web {
    async fn start(&self) -> String {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/keys", listener.local_addr().unwrap());
        let web = self.clone();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let answer = web.answer.lock().unwrap().clone();
                *web.asked.lock().unwrap() += 1;
                let _ = stream.read(&mut [0; 4_096]).await;
                let _ = stream.write_all(answer.as_bytes()).await;
            }
        });
        url
    }

    fn answers(&self, status: &str, body: &str) {
        let length = body.len();
        *self.answer.lock().unwrap() = format!(
            "HTTP/1.1 {status}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}"
        );
    }

    fn publishes(&self, keys: &[&Key]) {
        let keys: Vec<&Value> = keys.iter().map(|key| &key.public).collect();
        self.answers("200 OK", &json!({"keys": keys}).to_string());
    }

    fn asked(&self) -> u32 {
        *self.asked.lock().unwrap()
    }
}

#[tokio::test]
async fn keys_are_fetched_once_and_again_for_a_new_one_but_not_for_every_made_up_one() {
    let (web, one, two) = (Web::default(), Key::es256("one"), Key::es256("two"));
    web.publishes(&[&one]);
    let url = web.start().await;
    let issuers = json!([{"issuer": ISSUER, "audience": "greenroom", "jwks_url": url,
        "algorithms": ["ES256"]}]);
    let org = org(&issuers).await;
    assert_eq!(web.asked(), 0, "nobody needed them yet");
    let me =
        async |key: &Key| org.node.api().bearer(&key.sign(&claims("ada"))).get("/api/v1/me").await;
    for _ in 0..5 {
        me(&one).await.ok(200);
    }
    assert_eq!(web.asked(), 1);
    me(&two).await.refused(401, "auth.invalid");
    web.publishes(&[&one, &two]);
    me(&two).await.ok(200);
    me(&one).await.ok(200);
    assert_eq!(web.asked(), 3);
    for n in 0..30 {
        me(&Key::es256(&format!("made-up-{n}"))).await.refused(401, "auth.invalid");
    }
    assert!(web.asked() <= 12, "{} questions", web.asked());
    // An issuer that is down locks nobody out whose key is known.
    web.answers("503 Service Unavailable", "");
    me(&one).await.ok(200);
}

#[tokio::test]
async fn an_answer_that_leads_elsewhere_or_is_too_long_is_none() {
    let (web, key) = (Web::default(), Key::es256("one"));
    let elsewhere = Web::default();
    elsewhere.publishes(&[&key]);
    let moved = format!("302 Found\r\nlocation: {}", elsewhere.start().await);
    web.answers(&moved, "");
    let url = web.start().await;
    let issuers = json!([{"issuer": ISSUER, "audience": "greenroom", "jwks_url": url,
        "algorithms": ["ES256"]}]);
    let org = org(&issuers).await;
    let api = org.node.api().bearer(&key.sign(&claims("ada")));
    api.get("/api/v1/me").await.refused(401, "auth.invalid");
    assert_eq!((web.asked(), elsewhere.asked()), (1, 0));
    let log = async || org.node.stderr().contains("status 302").then_some(());
    until("the log says why", log).await;
    let padding = "x".repeat(300_000);
    let long = json!({"keys": [&key.public], "padding": padding}).to_string();
    web.answers("200 OK", &long);
    until("the next look is over too", async || {
        api.get("/api/v1/me").await.refused(401, "auth.invalid");
        (web.asked() >= 2).then_some(())
    })
    .await;
    web.publishes(&[&key]);
    until("the keys come", async || (api.get("/api/v1/me").await.status == 200).then_some(()))
        .await;
}

#[test]
fn a_node_whose_issuers_cannot_be_read_does_not_start() {
    let (_folder, garbage) = file(&[&json!({"kty": "RSA"})]);
    let missing = "/nowhere/keys.json";
    for (path, words) in [(missing, "No such file"), (garbage.as_str(), "keys")] {
        let node = Node::on(|_| {});
        let mut serve = node.command();
        serve.env("GREENROOM_AUTH_ISSUERS", json!([issuer(path, "RS256")]).to_string());
        let output = run(serve.args(["serve", "--listen", "127.0.0.1:0"]), b"");
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.contains(path) && said.contains(words), "{said}");
    }
}

#[tokio::test]
async fn unsigned_tokens_are_believed_on_a_developers_machine_only() {
    let serve = |variables: &[(&str, &str)], listen: &str| {
        let node = Node::on(|_| {});
        let mut serve = node.command();
        serve.envs(variables.iter().copied());
        let output = run(serve.args(["serve", "--listen", listen]), b"");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.contains("GREENROOM_ENV=development"), "{said}");
    };
    let on = ("ALLOW_UNVERIFIED_JWT_DEV", "true");
    let development = ("GREENROOM_ENV", "development");
    serve(&[on], "127.0.0.1:0");
    serve(&[on, development], "0.0.0.0:0");
    serve(&[on, ("GREENROOM_ENV", "production")], "127.0.0.1:0");

    let part = |value: Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let unsigned = |claims: Value| format!("{}.{}.", part(json!({"alg": "none"})), part(claims));
    let variables = ["ALLOW_UNVERIFIED_JWT_DEV=true", "GREENROOM_ENV=development"];
    let variables = within(&variables.map(str::to_owned));
    let mut org = Org::on(Node::start_in(&variables, "127.0.0.1:0")).await;
    let api = |claims: Value| org.node.api().bearer(&unsigned(claims));
    let me = api(json!({"sub": "dev", "role": "manager"})).get("/api/v1/me").await.ok(200);
    assert_eq!(me["role"], "manager");
    // It is a person of its own: not somebody with an account here, by whatever name.
    let as_admin = json!({"sub": org.admin.id, "email": org.admin.email});
    let other = api(as_admin).get("/api/v1/me").await.ok(200);
    assert_ne!(other["id"], org.admin.id);
    let over = json!({"sub": "dev", "exp": now() - 60});
    api(over).get("/api/v1/me").await.refused(401, "auth.expired");
    // What claims to be ours must be ours.
    let payload = text(&org.admin.login["access_token"]);
    let payload = payload.split('.').nth(1).unwrap();
    let forged = format!("{}.{payload}.", part(json!({"alg": "none"})));
    org.node.api().bearer(&forged).get("/api/v1/me").await.refused(401, "auth.invalid");
    for start in 0..2 {
        let said = org.node.stderr();
        assert!(said.contains("allow_unverified_jwt_dev is on"), "start {start}: {said}");
        if start == 0 {
            org.crash();
        }
    }
    let usual = Org::found().await;
    let reply = usual.node.api().bearer(&unsigned(json!({"sub": "dev"}))).get("/api/v1/me").await;
    reply.refused(401, "auth.invalid");
}
