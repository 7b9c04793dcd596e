//! Signing in with an OpenID provider, against one that lies on demand. The journey with a real one
//! is in `tests/browser/oidc.test.mjs`.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hyper::Method;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::issuers::{Key, now, with, within};
use crate::api::{Cookies, Reply, text};
use crate::node::{Node, run};
use crate::org::Org;

/// A provider that answers what it is told to.
#[derive(Clone, Default)]
struct Provider {
    issuer: String,
    answers: Arc<Mutex<BTreeMap<String, Value>>>,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Provider {
    async fn start(key: &Key) -> Provider {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let issuer = format!("http://{}", listener.local_addr().unwrap());
        let provider = Provider { issuer: issuer.clone(), ..Provider::default() };
        let address = |path: &str| format!("{issuer}{path}");
        provider.answers(
            "/.well-known/openid-configuration",
            json!({"issuer": issuer, "authorization_endpoint": address("/auth?tenant=1"),
                "token_endpoint": address("/token"), "userinfo_endpoint": address("/me"),
                "jwks_uri": address("/keys")}),
        );
        provider.answers("/keys", json!({"keys": [key.public]}));
        let serving = provider.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                serving.serve(stream).await;
            }
        });
        provider
    }

    fn answers(&self, path: &str, answer: Value) {
        self.answers.lock().unwrap().insert(path.to_owned(), answer);
    }

    async fn serve(&self, mut stream: TcpStream) {
        let (mut asked, mut chunk) = (String::new(), [0; 4_096]);
        loop {
            let n = stream.read(&mut chunk).await.unwrap_or(0);
            asked.push_str(&String::from_utf8_lossy(&chunk[..n]));
            let Some((head, body)) = asked.split_once("\r\n\r\n") else {
                assert!(n > 0, "half a request");
                continue;
            };
            let length = head.lines().find_map(|line| {
                line.to_lowercase().strip_prefix("content-length: ")?.parse::<usize>().ok()
            });
            if body.len() >= length.unwrap_or(0) {
                break;
            }
        }
        let path = asked.split(' ').nth(1).unwrap_or_default().to_owned();
        let answer = self.answers.lock().unwrap().get(&path).cloned();
        let (status, body) = match answer {
            Some(answer) => ("200 OK", answer.to_string()),
            None => ("400 Bad Request", String::new()),
        };
        self.asked.lock().unwrap().push(asked);
        let length = body.len();
        let head = format!("HTTP/1.1 {status}\r\ncontent-length: {length}\r\nconnection: close");
        let _ = stream.write_all(format!("{head}\r\n\r\n{body}").as_bytes()).await;
    }

    /// The last request to a path.
    fn asked(&self, path: &str) -> String {
        let asked = self.asked.lock().unwrap();
        let found = asked.iter().rev().find(|asked| asked.contains(&format!(" {path} ")));
        found.cloned().unwrap_or_else(|| panic!("nobody asked {path}: {asked:?}"))
    }
}

struct Stage {
    org: Org,
    key: Key,
    provider: Provider,
    _folder: tempfile::TempDir,
}

/// A browser that is at the provider now.
struct Away {
    cookies: Cookies,
    query: BTreeMap<String, String>,
}

fn query(url: &str) -> BTreeMap<String, String> {
    let pairs = url.split_once('?').unwrap().1.split('&').filter_map(|pair| pair.split_once('='));
    pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

impl Stage {
    async fn new() -> Stage {
        let key = Key::rs256("one");
        let provider = Provider::start(&key).await;
        let folder = tempfile::tempdir().unwrap();
        let secret = folder.path().join("secret");
        std::fs::write(&secret, "s3cret &more\n").unwrap();
        let settings = json!([{"name": "Acme ID", "issuer": provider.issuer, "client_id": "rooms",
            "client_secret_file": secret, "role_claim": "groups",
            "roles": {"hiring": "interviewer"}}]);
        let variable = format!("GREENROOM_AUTH_OIDC={settings}");
        let org = Org::on(Node::start_in(&within(&[variable]), "127.0.0.1:0")).await;
        Stage { org, key, provider, _folder: folder }
    }

    async fn leave(&self) -> Away {
        let reply = self.org.node.api().get("/api/v1/auth/oidc/acme-id/start").await;
        assert_eq!(reply.status, 303, "{}", reply.text());
        let place = reply.header("location");
        assert!(place.starts_with(&format!("{}/auth?tenant=1&", self.provider.issuer)), "{place}");
        Away { cookies: reply.cookies(), query: query(place) }
    }

    /// What the provider says of Ada to this journey.
    fn claims(&self, away: &Away) -> Value {
        json!({"iss": self.provider.issuer, "aud": "rooms", "sub": "ada", "exp": now() + 60,
            "iat": now(), "nonce": away.query["nonce"], "email": "ada.l@example.org",
            "email_verified": true, "name": "Ada L.", "groups": ["hiring"]})
    }

    fn gives(&self, id_token: &str) {
        let tokens = json!({"token_type": "Bearer", "access_token": "a", "id_token": id_token});
        self.provider.answers("/token", tokens);
    }

    async fn come_back(&self, cookies: &str, query: &str) -> Reply {
        let path = format!("/api/v1/auth/oidc/acme-id/callback?{query}");
        let call = self.org.node.api().call(Method::GET, &path);
        call.header("cookie", cookies).send().await
    }
}

#[track_caller]
fn sent_away(reply: &Reply, trouble: &str) {
    assert_eq!(reply.status, 303, "{}", reply.text());
    assert_eq!(reply.header("location"), format!("/signin?trouble={trouble}"));
    assert!(!reply.cookies().pair.contains("greenroom_session"), "{:?}", reply.cookies().lines);
}

#[tokio::test]
async fn a_journey_there_and_back_signs_somebody_in() {
    let stage = Stage::new().await;
    let list = stage.org.node.api().get("/api/v1/auth/oidc").await.ok(200);
    let start = "/api/v1/auth/oidc/acme-id/start";
    assert_eq!(list["items"], json!([{"name": "Acme ID", "start": start}]));
    let away = stage.leave().await;
    let line = &away.cookies.lines[0];
    for attribute in ["HttpOnly", "SameSite=Lax", "Path=/api/v1/auth/oidc", "Max-Age=900"] {
        assert!(line.contains(attribute), "{line}");
    }
    assert_eq!(
        (away.query["response_type"].as_str(), away.query["scope"].as_str()),
        ("code", "openid%20email%20profile")
    );
    assert_eq!(away.query["code_challenge_method"], "S256");
    let address = stage.org.node.address().to_string().replace(':', "%3A");
    let redirect = format!("http%3A%2F%2F{address}%2Fapi%2Fv1%2Fauth%2Foidc%2Facme-id%2Fcallback");
    assert_eq!(away.query["redirect_uri"], redirect);

    stage.gives(&stage.key.sign(&stage.claims(&away)));
    let back = format!("code=c%2F1&state={}&session_state=x", away.query["state"]);
    let reply = stage.come_back(&away.cookies.pair, &back).await;
    assert_eq!((reply.status, reply.header("location")), (303, "/"), "{}", stage.org.node.stderr());
    let asked = stage.provider.asked("/token");
    let basic = base64::engine::general_purpose::STANDARD.encode("rooms:s3cret%20%26more");
    assert!(asked.contains(&format!("Basic {basic}")), "{asked}");
    let sent = query(&format!("?{}", asked.split_once("\r\n\r\n").unwrap().1));
    assert_eq!((sent["code"].as_str(), &sent["redirect_uri"]), ("c%2F1", &redirect));
    let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(sent["code_verifier"].as_bytes()));
    assert_eq!(challenge, away.query["code_challenge"], "the verifier is the challenge's");

    let cookies = reply.cookies();
    assert!(cookies.lines.iter().any(|line| line.contains("greenroom_oidc=;")), "it is over");
    let browser = stage.org.node.api().with("cookie", &cookies.pair);
    let me = browser.get("/api/v1/me").await.ok(200);
    assert_eq!((&me["email"], &me["role"]), (&json!("ada.l@example.org"), &json!("interviewer")));
    let put = browser.clone().with("x-csrf-token", &cookies.csrf);
    put.patch("/api/v1/me", json!({"display_name": "Ada"})).await.ok(200);
    // The same person the next time, with the role that the provider says then, at its other door.
    let away = stage.leave().await;
    let bare = ["groups", "email", "name"]
        .into_iter()
        .fold(stage.claims(&away), |claims, name| with(claims, name, Value::Null));
    stage.gives(&stage.key.sign(&bare));
    stage.provider.answers("/me", json!({"sub": "ada", "groups": []}));
    let back = format!("code=c&state={}", away.query["state"]);
    let cookies = stage.come_back(&away.cookies.pair, &back).await.cookies();
    let browser = stage.org.node.api().with("cookie", &cookies.pair);
    let again = browser.get("/api/v1/me").await.ok(200);
    assert_eq!((&again["id"], &again["role"]), (&me["id"], &json!("candidate")));
    assert!(stage.provider.asked("/me").contains("Bearer a"));
    // Disabled, she stays outside.
    let path = format!("/api/v1/people/{}", text(&me["id"]));
    stage.org.admin.api.patch(&path, json!({"disabled": true})).await.ok(200);
    let away = stage.leave().await;
    stage.gives(&stage.key.sign(&stage.claims(&away)));
    let back = format!("code=c&state={}", away.query["state"]);
    sent_away(&stage.come_back(&away.cookies.pair, &back).await, "refused");
    browser.get("/api/v1/me").await.refused(401, "auth.expired");
}

#[tokio::test]
async fn a_way_back_that_does_not_fit_signs_nobody_in() {
    let stage = Stage::new().await;
    let (away, other) = (stage.leave().await, stage.leave().await);
    stage.gives(&stage.key.sign(&stage.claims(&away)));
    let (state, cookie) = (away.query["state"].as_str(), away.cookies.pair.as_str());
    let good = format!("code=c&state={state}");
    for (what, cookies, query) in [
        ("no cookie", "", good.clone()),
        ("another browser's cookie", &other.cookies.pair, good.clone()),
        ("no state", cookie, "code=c".to_owned()),
        ("another state", cookie, format!("code=c&state={}", other.query["state"])),
        ("a made-up state", cookie, "code=c&state=x".to_owned()),
        (
            "the cookie as state",
            cookie,
            format!("code=c&{}", cookie.replace("greenroom_oidc", "state")),
        ),
    ] {
        println!("{what}");
        sent_away(&stage.come_back(cookies, &query).await, "stale");
    }
    sent_away(
        &stage.come_back(cookie, &format!("error=access_denied&state={state}")).await,
        "denied",
    );
    sent_away(&stage.come_back(cookie, &format!("state={state}")).await, "failed");
    let elsewhere = format!("{good}&iss=https%3A%2F%2Felsewhere.example.org");
    sent_away(&stage.come_back(cookie, &elsewhere).await, "failed");
    let unknown = stage.org.node.api().get("/api/v1/auth/oidc/nobody/start").await;
    unknown.refused(404, "not_found");
    let people = stage.org.admin.api.get("/api/v1/people").await.ok(200);
    assert_eq!(people["items"].as_array().unwrap().len(), 1, "nobody came of it");
}

#[tokio::test]
async fn a_provider_that_lies_signs_nobody_in() {
    let stage = Stage::new().await;
    let away = stage.leave().await;
    let (good, stranger) = (stage.claims(&away), Key::rs256("one"));
    let back = format!("code=c&state={}", away.query["state"]);
    let sign = |name: &str, value: Value| stage.key.sign(&with(good.clone(), name, value));
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    for (what, id_token) in [
        ("another key", stranger.sign(&good)),
        ("none", format!("{}.{}.", part(&json!({"alg": "none"})), part(&good))),
        ("another journey", sign("nonce", json!("n"))),
        ("no journey", sign("nonce", Value::Null)),
        ("another client", sign("aud", json!("other"))),
        ("several clients", sign("aud", json!(["rooms", "other"]))),
        ("another party", sign("azp", json!("other"))),
        ("another issuer", sign("iss", json!("https://elsewhere.example.org"))),
        ("no end", sign("exp", Value::Null)),
        ("over", sign("exp", json!(now() - 120))),
        ("nobody", sign("sub", Value::Null)),
        ("no token", String::new()),
    ] {
        println!("{what}");
        stage.gives(&id_token);
        sent_away(&stage.come_back(&away.cookies.pair, &back).await, "failed");
    }
    stage.gives(&sign("groups", Value::Null));
    stage.provider.answers("/me", json!({"sub": "eve", "groups": ["hiring"]}));
    sent_away(&stage.come_back(&away.cookies.pair, &back).await, "failed");
    stage.provider.answers("/token", json!({"access_token": "a"}));
    sent_away(&stage.come_back(&away.cookies.pair, &back).await, "failed");
    let people = stage.org.admin.api.get("/api/v1/people").await.ok(200);
    assert_eq!(people["items"].as_array().unwrap().len(), 1, "nobody came of it");
    // And with the truth it would have worked.
    stage.gives(&stage.key.sign(&good));
    let reply = stage.come_back(&away.cookies.pair, &back).await;
    assert_eq!(reply.header("location"), "/", "{}", stage.org.node.stderr());
}

#[tokio::test]
async fn a_provider_that_cannot_be_believed_is_not_gone_to() {
    let key = Key::rs256("one");
    let provider = Provider::start(&key).await;
    let settings = json!([{"name": "Acme", "issuer": provider.issuer, "client_id": "rooms"}]);
    let variable = format!("GREENROOM_AUTH_OIDC={settings}");
    let org = Org::on(Node::start_in(&within(&[variable]), "127.0.0.1:0")).await;
    let path = "/.well-known/openid-configuration";
    let good = provider.answers.lock().unwrap()[path].clone();
    for (name, value) in [
        ("issuer", json!("https://elsewhere.example.org")),
        ("jwks_uri", json!("http://keys.example.org/keys")),
        ("token_endpoint", Value::Null),
        ("authorization_endpoint", json!("javascript:alert(1)")),
    ] {
        provider.answers(path, with(good.clone(), name, value));
        let reply = org.node.api().get("/api/v1/auth/oidc/acme/start").await;
        sent_away(&reply, "unreachable");
    }
    provider.answers(path, good);
    let reply = org.node.api().get("/api/v1/auth/oidc/acme/start").await;
    assert!(reply.header("location").contains("client_id=rooms"), "{}", reply.header("location"));
    // Without one, there is nothing to choose.
    let bare = Org::found().await;
    let list = bare.node.api().get("/api/v1/auth/oidc").await.ok(200);
    assert_eq!(list["items"], json!([]));
    let node = Node::on(|_| {});
    let mut serve = node.command();
    let lost = json!([{"name": "A", "issuer": "https://id.example.org", "client_id": "c",
        "client_secret_file": "/nowhere/secret"}]);
    serve.env("GREENROOM_AUTH_OIDC", lost.to_string());
    let output = run(serve.args(["serve", "--listen", "127.0.0.1:0"]), b"");
    assert_eq!(output.status.code(), Some(2), "{}", String::from_utf8_lossy(&output.stderr));
}
