//! Tokens, ours and those of outside issuers, and issuers' key sets:
//! `cargo +nightly fuzz run --fuzz-dir tests/fuzz token`.
//!
//! An input is a key set and a token, with a line end between them. What has to hold of each is
//! asked in `tests/it/corpora.rs` too, which reads the same corpus.

#![no_main]

use std::collections::BTreeMap;
use std::sync::LazyLock;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use greenroom::auth::outside::{self, Expected, Keys};
use greenroom::auth::secret::Secrets;
use greenroom::domain::person::Role;
use greenroom::domain::time::Time;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use libfuzzer_sys::fuzz_target;
use serde_json::Value;

const NOW: Time = Time(1_795_000_000_120);
const ISSUER: &str = "https://id.example.org";
const EXPECTED: Expected<'_> = Expected { issuer: ISSUER, audience: "greenroom" };
/// Not the one that signed what is in the corpus: what stands there must be refused.
const SECRET: &[u8] = b"a secret that stands in no file of the corpus";

static OURS: LazyLock<Secrets> = LazyLock::new(|| {
    let (signing, linking) = Secrets::mint().expect("keys can be made");
    Secrets::open(&signing, &linking).expect("and opened")
});

static SHARED: LazyLock<Keys> = LazyLock::new(|| {
    let secret = URL_SAFE_NO_PAD.encode(SECRET);
    let set = format!(r#"{{"keys":[{{"kty":"oct","k":"{secret}"}}]}}"#);
    Keys::parse(&set, &["HS256".to_owned()]).expect("a set of our own")
});

static ALL: LazyLock<Vec<String>> = LazyLock::new(|| {
    let names = "RS256 RS384 RS512 PS256 PS384 PS512 ES256 ES384 EdDSA HS256 HS384 HS512";
    names.split(' ').map(str::to_owned).collect()
});

fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let (set, token) = text.split_once('\n').unwrap_or((text, text));
    assert!(OURS.read_access(token, NOW, ISSUER).is_err(), "nobody signed this for us");
    let _ = OURS.names_another_key(token, NOW);
    if let Ok(claims) = SHARED.verify(token, &EXPECTED, NOW) {
        panic!("taken without our secret: {claims:?}");
    }
    if let Ok(keys) = Keys::parse(set, &ALL) {
        let _ = keys.verify(token, &EXPECTED, NOW).map(check);
    }
    if let Ok(claims) = outside::read_unverified(token, NOW) {
        let _ = outside::stranger(ISSUER, &claims, NOW);
    }
    // Behind a right signature: whatever an issuer may say.
    let Ok(claims @ Value::Object(_)) = serde_json::from_str(set) else { return };
    let header = Header::new(Algorithm::HS256);
    let signed = jsonwebtoken::encode(&header, &claims, &EncodingKey::from_secret(SECRET));
    let signed = signed.expect("any claims can be signed");
    let _ = SHARED.verify(&signed, &EXPECTED, NOW).map(check);
});

fn check(claims: outside::Claims) {
    assert_eq!(claims["iss"], ISSUER, "only of the issuer that was named");
    let roles = BTreeMap::from([("boss".to_owned(), Role::Admin)]);
    let _ = outside::role(&claims, Some("realm_access.roles"), &roles);
    if let Ok(stranger) = outside::stranger(ISSUER, &claims, NOW) {
        assert!(!stranger.display_name.is_empty() && stranger.said_at <= NOW);
        assert!(!stranger.subject.chars().any(char::is_control));
    }
}
