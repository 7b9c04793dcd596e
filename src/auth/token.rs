//! Access tokens: signed statements of who somebody is, short-lived, readable by any node.
//!
//! **Invariant:** the algorithm is fixed to EdDSA by the key, never chosen by the token. The moment
//! to check against comes in as an argument.

use jsonwebtoken::{Algorithm, Header, Validation};
use serde::{Deserialize, Serialize};

use super::ring::KeyNames;
use super::secret::{Secrets, hash_token};
use crate::domain::id::{PersonId, SessionId};
use crate::domain::limit;
use crate::domain::person::Role;
use crate::domain::refusal::{Code, Refusal};
use crate::domain::time::Time;

/// Whom our access tokens are for.
pub const AUDIENCE: &str = "greenroom";

/// What an access token says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    /// The cluster that signed it.
    pub iss: String,
    /// [`AUDIENCE`].
    pub aud: String,
    /// The person.
    pub sub: PersonId,
    /// The login; ending it ends the token.
    pub sid: SessionId,
    /// The role when it was signed; the state has the present one.
    pub role: Role,
    /// Since when, in Unix seconds.
    pub iat: i64,
    /// Until when, in Unix seconds.
    pub exp: i64,
    /// Names this one token.
    pub jti: String,
}

/// Clocks of the nodes may differ by this much without a fresh token being refused.
const LEEWAY_SECONDS: i64 = 5;

/// Ours have about 500 bytes. Longer ones are refused before any of their bytes are decoded.
const TOKEN_BYTES_MAX: usize = 4_096;

impl Secrets {
    /// Signs an access token that holds for [`limit::ACCESS_TOKEN_SECONDS`].
    pub fn sign_access(
        &self,
        person: PersonId,
        session: SessionId,
        role: Role,
        now: Time,
        issuer: &str,
    ) -> String {
        let issued = now.0.div_euclid(1_000);
        let claims = Claims {
            iss: issuer.to_owned(),
            aud: AUDIENCE.to_owned(),
            sub: person,
            sid: session,
            role,
            iat: issued,
            exp: issued.saturating_add(limit::ACCESS_TOKEN_SECONDS),
            // Derived: a repeated sign-in shows the token that was shown first.
            jti: hash_token(&format!("{session} {}", now.0)),
        };
        let ring = self.ring();
        let mut header = Header::new(Algorithm::EdDSA);
        header.kid = Some(ring.present.id.clone());
        jsonwebtoken::encode(&header, &claims, &ring.signing)
            .expect("invariant: a key that was opened signs any claims")
    }

    /// Reads an access token of this cluster. Whether person and login still exist is for the state
    /// to say.
    pub fn read_access(&self, token: &str, now: Time, issuer: &str) -> Result<Claims, Refusal> {
        if token.len() > TOKEN_BYTES_MAX {
            return Err(invalid());
        }
        let mut validation = Validation::new(Algorithm::EdDSA);
        validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
        validation.set_audience(&[AUDIENCE]);
        validation.set_issuer(&[issuer]);
        // The library would ask the clock; the moment that counts is the caller's.
        validation.validate_exp = false;
        let ring = self.ring();
        let named = key_id(token).ok_or_else(invalid)?;
        let key = ring.find(&named, now).ok_or_else(invalid)?;
        let claims = jsonwebtoken::decode::<Claims>(token, &key.verifying, &validation)
            .map_err(|_| invalid())?
            .claims;
        let ended = now.0.div_euclid(1_000).saturating_sub(LEEWAY_SECONDS);
        if claims.exp <= ended {
            return Err(expired());
        }
        Ok(claims)
    }

    /// Whether a token names a key that is not known here: the state may know it by now.
    pub fn names_another_key(&self, token: &str, now: Time) -> bool {
        let named = (token.len() <= TOKEN_BYTES_MAX).then(|| key_id(token)).flatten();
        named.is_some_and(|named| self.ring().find(&named, now).is_none())
    }

    /// How the keys are called.
    pub fn key_names(&self, now: Time) -> KeyNames {
        self.ring().names(now)
    }

    /// The public keys as a JWK set, for programs that check our tokens themselves.
    pub fn jwks(&self, now: Time) -> serde_json::Value {
        self.ring().jwks(now)
    }
}

/// The key that a token says it was signed with.
fn key_id(token: &str) -> Option<String> {
    jsonwebtoken::decode_header(token).ok()?.kid
}

/// One answer for every way of being wrong: which check failed would help only a forger.
fn invalid() -> Refusal {
    Refusal::new(Code::AuthInvalid, "the access token is not one of this cluster's; sign in again")
}

fn expired() -> Refusal {
    Refusal::new(Code::AuthExpired, "the access token has expired; refresh it or sign in again")
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use jsonwebtoken::EncodingKey;
    use serde_json::{Value, json};
    use uuid::Uuid;

    const NOW: Time = Time(1_795_000_000_120);
    const ISSUER: &str = "https://greenroom.example.org";
    const PERSON: PersonId = PersonId(Uuid::from_u128(1));
    const SESSION: SessionId = SessionId(Uuid::from_u128(2));

    fn secrets() -> Secrets {
        let (signing_key, link_key) = Secrets::mint().unwrap();
        Secrets::open(&signing_key, &link_key).unwrap()
    }

    fn good(secrets: &Secrets) -> String {
        secrets.sign_access(PERSON, SESSION, Role::Candidate, NOW, ISSUER)
    }

    fn code(result: Result<Claims, Refusal>) -> Code {
        result.unwrap_err().code
    }

    fn part(value: &Value) -> String {
        URL_SAFE_NO_PAD.encode(value.to_string())
    }

    fn claims() -> Value {
        let iat = NOW.0 / 1_000;
        json!({"iss": ISSUER, "aud": AUDIENCE, "sub": PERSON, "sid": SESSION, "role": "candidate",
            "iat": iat, "exp": iat + 60, "jti": "x"})
    }

    /// Signs any claims with our own key, as only a mistake of ours could.
    fn signed(secrets: &Secrets, claims: &Value) -> String {
        let ring = secrets.ring();
        let header = Header { kid: Some(ring.present.id.clone()), ..Header::new(Algorithm::EdDSA) };
        jsonwebtoken::encode(&header, claims, &ring.signing).unwrap()
    }

    #[test]
    fn a_token_says_who_and_until_when() {
        let secrets = secrets();
        let claims = secrets.read_access(&good(&secrets), NOW, ISSUER).unwrap();
        assert_eq!((claims.sub, claims.sid, claims.role), (PERSON, SESSION, Role::Candidate));
        assert_eq!(claims.iat, 1_795_000_000);
        assert_eq!(claims.exp, 1_795_000_000 + limit::ACCESS_TOKEN_SECONDS);
        assert_eq!(good(&secrets), good(&secrets), "the same moment of the same login");
        let later = secrets.sign_access(PERSON, SESSION, Role::Candidate, NOW.plus_ms(1), ISSUER);
        let later = secrets.read_access(&later, NOW, ISSUER).unwrap();
        assert_ne!(later.jti, claims.jti, "each other token has its own jti");
    }

    #[test]
    fn time_is_the_callers() {
        let secrets = secrets();
        let token = good(&secrets);
        let end = Time(NOW.0 - NOW.0 % 1_000 + limit::ACCESS_TOKEN_SECONDS * 1_000);
        let last = end.plus_ms(LEEWAY_SECONDS * 1_000 - 1);
        assert!(secrets.read_access(&token, Time(0), ISSUER).is_ok());
        assert!(secrets.read_access(&token, last, ISSUER).is_ok());
        let after = secrets.read_access(&token, last.plus_ms(1), ISSUER);
        assert_eq!(code(after), Code::AuthExpired);
    }

    #[test]
    fn the_key_fixes_the_algorithm() {
        let secrets = secrets();
        let token = good(&secrets);
        let (message, signature) = token.rsplit_once('.').unwrap();
        let (_, payload) = message.split_once('.').unwrap();
        let public = EncodingKey::from_secret(secrets.public_key().as_bytes());
        let swapped = jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims(), &public);
        let forged = [
            swapped.unwrap(),
            format!("{}.{payload}.", part(&json!({"alg": "none", "typ": "JWT"}))),
            format!("{}.{payload}.{signature}", part(&json!({"alg": "none"}))),
            format!("{}.{payload}.{signature}", part(&json!({"alg": "HS256"}))),
            format!("{}.{payload}.{signature}", part(&json!({"alg": "ES256"}))),
            format!("{message}."),
            message.to_owned(),
        ];
        for token in forged {
            assert_eq!(
                code(secrets.read_access(&token, NOW, ISSUER)),
                Code::AuthInvalid,
                "{token}"
            );
        }
    }

    #[test]
    fn the_signature_covers_every_byte() {
        let secrets = secrets();
        let token = good(&secrets);
        for at in 0..token.len() {
            let put = if token.as_bytes()[at] == b'A' { "B" } else { "A" };
            let mut changed = token.clone();
            changed.replace_range(at..=at, put);
            assert_eq!(code(secrets.read_access(&changed, NOW, ISSUER)), Code::AuthInvalid);
        }
        let elsewhere = good(&self::secrets());
        for wrong in ["", ".", "..", "a.b.c", &elsewhere, &"a".repeat(5_000)] {
            assert_eq!(code(secrets.read_access(wrong, NOW, ISSUER)), Code::AuthInvalid);
        }
    }

    #[test]
    fn claims_must_be_there_and_ours() {
        let secrets = secrets();
        assert!(secrets.read_access(&signed(&secrets, &claims()), NOW, ISSUER).is_ok());
        let changes = [
            ("iss", json!("https://elsewhere.example.org")),
            ("iss", Value::Null),
            ("aud", json!("another")),
            ("aud", json!(["another", AUDIENCE])),
            ("aud", Value::Null),
            ("exp", json!("1795000060")),
            ("exp", Value::Null),
            ("sub", json!("ada")),
            ("sub", Value::Null),
            ("sid", Value::Null),
            ("role", json!("root")),
        ];
        for (name, value) in changes {
            let mut claims = claims();
            let fields = claims.as_object_mut().unwrap();
            fields.remove(name);
            if !value.is_null() {
                fields.insert(name.to_owned(), value.clone());
            }
            let read = secrets.read_access(&signed(&secrets, &claims), NOW, ISSUER);
            assert_eq!(code(read), Code::AuthInvalid, "{name} = {value}");
        }
    }

    #[test]
    fn an_overlong_token_is_refused_even_if_we_signed_it() {
        let secrets = secrets();
        let mut claims = claims();
        claims["jti"] = json!("x".repeat(TOKEN_BYTES_MAX));
        let read = secrets.read_access(&signed(&secrets, &claims), NOW, ISSUER);
        assert_eq!(code(read), Code::AuthInvalid);
    }

    #[test]
    fn a_stranger_can_check_our_tokens_by_the_published_key() {
        let secrets = secrets();
        let set: jsonwebtoken::jwk::JwkSet = serde_json::from_value(secrets.jwks(NOW)).unwrap();
        let token = good(&secrets);
        let kid = jsonwebtoken::decode_header(&token).unwrap().kid.unwrap();
        assert_eq!(kid.len(), 16);
        let key = jsonwebtoken::DecodingKey::from_jwk(set.find(&kid).unwrap()).unwrap();
        let mut validation = Validation::new(Algorithm::EdDSA);
        validation.set_audience(&[AUDIENCE]);
        validation.validate_exp = false;
        assert!(jsonwebtoken::decode::<Claims>(&token, &key, &validation).is_ok());
        assert_eq!(secrets.jwks(NOW)["keys"][0]["d"], Value::Null, "no private part");
    }
}
