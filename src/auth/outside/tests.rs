//! Tokens that outside issuers made, and what forgers make of them.

use super::*;
use jsonwebtoken::{EncodingKey, Header};
use serde_json::json;

use crate::domain::time::Time as Moment;

const NOW: Time = Time(1_795_000_000_120);
const EXPECTED: Expected<'_> = Expected { issuer: "https://id.example.org", audience: "greenroom" };
const SECRET: &[u8] = b"a secret that two programs share";

fn start() -> &'static str {
    let _ = aws_lc::DEFAULT_PROVIDER.install_default();
    "https://id.example.org"
}

fn oct(id: Option<&str>) -> Value {
    let mut jwk = json!({"kty": "oct", "k": URL_SAFE_NO_PAD.encode(SECRET)});
    if let Some(id) = id {
        jwk["kid"] = json!(id);
    }
    jwk
}

fn keys(keys: Value, algorithms: &[&str]) -> Result<Keys, String> {
    start();
    let names: Vec<String> = algorithms.iter().map(|name| (*name).to_owned()).collect();
    Keys::parse(&json!({"keys": keys}).to_string(), &names)
}

fn claims() -> Value {
    let now = NOW.0 / 1_000;
    json!({"iss": start(), "aud": "greenroom", "sub": "ada", "exp": now + 60, "iat": now})
}

fn signed(claims: &Value, header: &Header) -> String {
    jsonwebtoken::encode(header, claims, &EncodingKey::from_secret(SECRET)).unwrap()
}

fn code(result: Result<Claims, Failure>) -> Code {
    Refusal::from(result.unwrap_err()).code
}

fn header(id: Option<&str>) -> Header {
    Header { kid: id.map(str::to_owned), ..Header::new(Algorithm::HS256) }
}

#[test]
fn claims_must_be_there_and_for_us() {
    let keys = keys(json!([oct(None)]), &["HS256"]).unwrap();
    let verify = |claims: &Value| keys.verify(&signed(claims, &header(None)), &EXPECTED, NOW);
    assert_eq!(verify(&claims()).unwrap()["sub"], "ada");
    let now = NOW.0 / 1_000;
    for (name, value) in [
        ("aud", json!(["other", "greenroom"])),
        ("nbf", json!(now + LEEWAY_SECONDS)),
        ("exp", json!(now - LEEWAY_SECONDS + 1)),
        ("exp", json!(now as f64 + 0.5)),
    ] {
        let mut good = claims();
        good[name] = value;
        assert!(verify(&good).is_ok(), "{name} = {}", good[name]);
    }
    for (name, value) in [
        ("iss", json!("https://elsewhere.example.org")),
        ("iss", json!(["https://id.example.org"])),
        ("iss", Value::Null),
        ("aud", json!("other")),
        ("aud", json!([])),
        ("aud", json!("greenroom ")),
        ("aud", Value::Null),
        ("exp", Value::Null),
        ("exp", json!("1795000060")),
        ("nbf", json!(now + LEEWAY_SECONDS + 1)),
        ("nbf", json!("soon")),
        ("sub", Value::Null),
    ] {
        let mut bad = claims();
        let fields = bad.as_object_mut().unwrap();
        fields.remove(name);
        if !value.is_null() {
            fields.insert(name.to_owned(), value.clone());
        }
        assert_eq!(code(verify(&bad)), Code::AuthInvalid, "{name} = {value}");
    }
    let mut over = claims();
    over["exp"] = json!(now - LEEWAY_SECONDS);
    assert_eq!(code(verify(&over)), Code::AuthExpired);
}

#[test]
fn a_key_is_for_its_own_algorithms() {
    let secrets = || {
        let (signing, linking) = crate::auth::secret::Secrets::mint().unwrap();
        crate::auth::secret::Secrets::open(&signing, &linking).unwrap()
    };
    let jwk = secrets().jwks(Moment(0))["keys"][0].clone();
    let public = URL_SAFE_NO_PAD.decode(jwk["x"].as_str().unwrap()).unwrap();
    let kid = jwk["kid"].as_str().unwrap().to_owned();
    let both = keys(json!([jwk, oct(Some("shared"))]), &["EdDSA", "HS256"]).unwrap();
    let swapped =
        jsonwebtoken::encode(&header(Some(&kid)), &claims(), &EncodingKey::from_secret(&public));
    assert_eq!(code(both.verify(&swapped.unwrap(), &EXPECTED, NOW)), Code::AuthInvalid);
    // Named wrongly, a key is not looked for among the others.
    let named = signed(&claims(), &header(Some(&kid)));
    assert_eq!(both.verify(&named, &EXPECTED, NOW), Err(Failure::UnknownKey));
    assert!(both.verify(&signed(&claims(), &header(Some("shared"))), &EXPECTED, NOW).is_ok());
    // What the settings do not take is not there.
    assert!(keys(json!([oct(None)]), &["RS256"]).is_err());
    let mut of_512 = oct(None);
    of_512["alg"] = json!("HS512");
    assert!(keys(json!([of_512]), &["HS256"]).is_err());
    let mut for_secrecy = oct(None);
    for_secrecy["use"] = json!("enc");
    assert!(keys(json!([for_secrecy]), &["HS256"]).is_err());
    let short = json!({"kty": "oct", "k": "c2hvcnQ"});
    assert!(keys(json!([short]), &["HS256"]).err().unwrap().contains("fewer than"));
    assert!(keys(json!(vec![oct(None); 33]), &["HS256"]).is_err());
}

#[test]
fn forged_tokens_are_nothing() {
    let keys = keys(json!([oct(Some("k"))]), &["HS256"]).unwrap();
    let good = signed(&claims(), &header(Some("k")));
    let (message, signature) = good.rsplit_once('.').unwrap();
    let payload = message.split_once('.').unwrap().1;
    let part = |value: Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let critical = part(json!({"alg": "HS256", "kid": "k", "crit": ["b64"], "b64": false}));
    for forged in [
        format!("{}.{payload}.", part(json!({"alg": "none", "kid": "k"}))),
        format!("{}.{payload}.{signature}", part(json!({"alg": "none", "kid": "k"}))),
        format!("{}.{payload}.{signature}", part(json!({"alg": "NONE", "kid": "k"}))),
        format!("{}.{payload}.{signature}", part(json!({"kid": "k"}))),
        format!("{}.{payload}.{signature}", part(json!({"alg": "HS384", "kid": "k"}))),
        format!("{}.{payload}.{signature}", part(json!({"alg": "RS256", "kid": "k"}))),
        format!("{critical}.{payload}.{signature}"),
        format!("{message}."),
        message.to_owned(),
        format!("{good}.x"),
        String::new(),
        "...".to_owned(),
        "x".repeat(20_000),
    ] {
        assert_eq!(code(keys.verify(&forged, &EXPECTED, NOW)), Code::AuthInvalid, "{forged}");
    }
    assert!(keys.verify(&good, &EXPECTED, NOW).is_ok());
    let long = json!({"iss": "https://id.example.org", "aud": "greenroom", "sub": "ada",
        "exp": 1_795_000_060, "groups": "g".repeat(20_000)});
    let long = signed(&long, &header(Some("k")));
    assert_eq!(code(keys.verify(&long, &EXPECTED, NOW)), Code::AuthInvalid);
}

#[test]
fn people_are_named_with_what_the_issuer_does_not_doubt() {
    let read = |claims: Value| stranger("i", claims.as_object().unwrap(), NOW);
    let ada = read(json!({"sub": "ada", "email": "Ada@Example.org", "name": "Ada L.", "iat": 5}));
    let ada = ada.unwrap();
    assert_eq!(ada.email.unwrap().as_str(), "ada@example.org");
    assert_eq!((ada.display_name.as_str(), ada.said_at), ("Ada L.", Time(5_000)));
    let doubted =
        json!({"sub": "ada", "email": "a@b.org", "email_verified": false, "iat": i64::MAX});
    let doubted = read(doubted).unwrap();
    assert_eq!((doubted.email, doubted.said_at), (None, NOW), "no time to come");
    assert_eq!(doubted.own_address, ada.own_address, "the same on every node");
    assert_ne!(read(json!({"sub": "eve"})).unwrap().own_address, ada.own_address);
    let long = read(json!({"sub": "ada", "name": "\u{e9}".repeat(500)})).unwrap();
    assert!(long.display_name.len() <= limit::NAME_BYTES_MAX);
    for sub in [json!(""), json!("a\nb"), json!("x".repeat(256)), json!(7), Value::Null] {
        assert!(read(json!({"sub": sub})).is_err());
    }
}

#[test]
fn the_highest_mapped_role_counts() {
    let roles = [("staff", Role::Interviewer), ("boss", Role::Admin), ("guest", Role::Observer)];
    let roles: BTreeMap<String, Role> =
        roles.into_iter().map(|(name, role)| (name.to_owned(), role)).collect();
    for (claim, claims, wanted) in [
        ("groups", json!({"groups": ["staff", "boss", "other"]}), Role::Admin),
        ("groups", json!({"groups": "staff"}), Role::Interviewer),
        ("groups", json!({"groups": "guest"}), Role::Observer),
        ("groups", json!({"groups": "admin"}), Role::Candidate),
        ("groups", json!({"groups": {"boss": true}}), Role::Candidate),
        ("groups", json!({}), Role::Candidate),
        ("realm.roles", json!({"realm": {"roles": ["boss"]}}), Role::Admin),
        ("https://a.example/r", json!({"https://a.example/r": ["boss"]}), Role::Admin),
    ] {
        assert_eq!(role(claims.as_object().unwrap(), Some(claim), &roles), wanted, "{claims}");
    }
    assert_eq!(role(json!({"role": "boss"}).as_object().unwrap(), None, &roles), Role::Candidate);
}
