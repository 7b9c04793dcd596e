//! Tokens of outside issuers: checked against their keys, read into who somebody is and may be.
//!
//! **Invariant:** a key says which algorithms it is for, and the settings say which of them are
//! taken; the token chooses among what is left, so a public key is never a shared secret and `none`
//! is nothing.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::crypto::aws_lc;
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use crate::domain::limit::{self, door};
use crate::domain::person::Role;
use crate::domain::refusal::{Code, Refusal};
use crate::domain::text::{self, Email};
use crate::domain::time::Time;

/// What a token says.
pub type Claims = Map<String, Value>;

/// The keys of one issuer.
#[derive(Default)]
pub struct Keys(Vec<Key>);

struct Key {
    id: Option<String>,
    algorithms: Vec<Algorithm>,
    key: DecodingKey,
}

/// What a token must say to be for us.
pub struct Expected<'a> {
    /// `iss`.
    pub issuer: &'a str,
    /// One of `aud`.
    pub audience: &'a str,
}

/// Why a token is not taken.
#[derive(Debug, PartialEq, Eq)]
pub enum Failure {
    /// It is not one that holds.
    Refused(Refusal),
    /// No key here is the one that it names; the issuer may have a new one.
    UnknownKey,
}

/// Somebody as a token has them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stranger {
    /// The issuer's name for them.
    pub subject: String,
    /// Their mail address, if the issuer does not doubt it.
    pub email: Option<Email>,
    /// An address that is theirs alone.
    pub own_address: Email,
    /// A name to show.
    pub display_name: String,
    /// When the issuer said so.
    pub said_at: Time,
}

/// Clocks of others may differ from ours by this much; as for our own tokens.
const LEEWAY_SECONDS: i64 = 5;

/// A shared secret shorter than this can be found by trying.
const SECRET_BYTES_MIN: usize = 16;

impl Keys {
    /// Reads a JWK set. Keys that are for something else, or that the settings do not take, are
    /// left out.
    pub fn parse(text: &str, algorithms: &[String]) -> Result<Keys, String> {
        // As for our own keys: one back end, chosen before the first token.
        let _ = aws_lc::DEFAULT_PROVIDER.install_default();
        let set: Value = serde_json::from_str(text).map_err(|e| format!("no JSON: {e}"))?;
        let keys = set["keys"].as_array().ok_or("no JWK set: it has no list `keys`")?;
        if keys.len() > door::ISSUER_KEYS_MAX {
            return Err(format!("{} keys where {} fit", keys.len(), door::ISSUER_KEYS_MAX));
        }
        let taken = |alg: &Algorithm| algorithms.iter().any(|name| parse(name) == Some(*alg));
        let mut found = Vec::new();
        for jwk in keys {
            let family: Vec<Algorithm> = family(jwk).into_iter().filter(taken).collect();
            if family.is_empty() || jwk.get("use").is_some_and(|use_| use_ != "sig") {
                continue;
            }
            if jwk["kty"] == "oct" && secret_bytes(jwk) < SECRET_BYTES_MIN {
                return Err(format!("a secret has fewer than {SECRET_BYTES_MIN} bytes"));
            }
            let key = serde_json::from_value(jwk.clone()).map_err(|e| format!("a key: {e}"))?;
            let key = DecodingKey::from_jwk(&key).map_err(|e| format!("a key: {e}"))?;
            let id = jwk["kid"].as_str().map(str::to_owned);
            found.push(Key { id, algorithms: family, key });
        }
        if found.is_empty() {
            return Err(format!("no key in it is for {}", algorithms.join(", ")));
        }
        Ok(Keys(found))
    }

    /// Checks a token and gives what it says.
    pub fn verify(
        &self,
        token: &str,
        expected: &Expected<'_>,
        now: Time,
    ) -> Result<Claims, Failure> {
        let (head, _) = peek(token).ok_or_else(invalid)?;
        // An extension that must be understood, and that we do not understand (RFC 7515, 4.1.11).
        if head.contains_key("crit") {
            return Err(invalid());
        }
        let algorithm = head.get("alg").and_then(Value::as_str).and_then(parse);
        let algorithm = algorithm.ok_or_else(invalid)?;
        let id = head.get("kid").and_then(Value::as_str);
        let fits = |key: &&Key| {
            let named = id.is_none() || key.id.is_none() || key.id.as_deref() == id;
            named && key.algorithms.contains(&algorithm)
        };
        let mut tried = self.0.iter().filter(fits).peekable();
        if tried.peek().is_none() {
            return Err(Failure::UnknownKey);
        }
        let mut validation = Validation::new(algorithm);
        validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
        validation.set_audience(&[expected.audience]);
        validation.set_issuer(&[expected.issuer]);
        // The library would ask the clock; the moment that counts is the caller's.
        validation.validate_exp = false;
        let claims = tried.find_map(|key| {
            jsonwebtoken::decode::<Claims>(token, &key.key, &validation)
                .ok()
                .map(|read| read.claims)
        });
        let claims = match claims {
            Some(claims) => claims,
            // Without a name a new key looks like a wrong signature.
            None if id.is_none() => return Err(Failure::UnknownKey),
            None => return Err(invalid()),
        };
        if claims.get("iss").and_then(Value::as_str) != Some(expected.issuer) {
            return Err(invalid());
        }
        check_times(&claims, true, now)?;
        Ok(claims)
    }
}

/// What a token says of itself before anything was checked.
pub fn peek(token: &str) -> Option<(Claims, Claims)> {
    if token.len() > door::OUTSIDE_TOKEN_BYTES_MAX {
        return None;
    }
    let mut parts = token.split('.');
    let mut object = || -> Option<Claims> {
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(parts.next()?).ok()?).ok()
    };
    let found = (object()?, object()?);
    (parts.next().is_some() && parts.next().is_none()).then_some(found)
}

/// What a token says that nobody needs to have signed. Only a node that was told so asks for it.
pub fn read_unverified(token: &str, now: Time) -> Result<Claims, Failure> {
    let (_, claims) = peek(token).ok_or_else(invalid)?;
    check_times(&claims, false, now)?;
    Ok(claims)
}

/// What a token says of the person.
pub fn stranger(issuer: &str, claims: &Claims, now: Time) -> Result<Stranger, Failure> {
    let said = |name: &str| claims.get(name).and_then(Value::as_str);
    let subject = said("sub").ok_or_else(invalid)?;
    let fits = (1..=door::SUBJECT_BYTES_MAX).contains(&subject.len());
    if !fits || subject.chars().any(char::is_control) {
        return Err(invalid());
    }
    let doubted = claims.get("email_verified").is_some_and(|yes| yes != true && yes != "true");
    let email = said("email").filter(|_| !doubted);
    let email = email.and_then(|email| Email::parse("email", email).ok());
    let names = [said("name"), said("preferred_username"), said("email"), Some(subject)];
    let name = names.into_iter().flatten().find_map(|name| {
        let end = name.floor_char_boundary(limit::NAME_BYTES_MAX);
        text::name("name", &name[..end]).ok()
    });
    let said_at = claims.get("iat").and_then(seconds).unwrap_or(0).saturating_mul(1_000);
    Ok(Stranger {
        subject: subject.to_owned(),
        email,
        own_address: own_address(issuer, subject).ok_or_else(invalid)?,
        display_name: name.unwrap_or_else(|| "Somebody".to_owned()),
        // A time to come would keep the role for ever.
        said_at: Time(said_at.min(now.0)),
    })
}

/// The highest role that the claim gives; candidate, if it gives none.
pub fn role(claims: &Claims, claim: Option<&str>, roles: &BTreeMap<String, Role>) -> Role {
    let Some(claim) = claim else { return Role::Candidate };
    // Some issuers have claims with addresses for names, dots and all.
    let whole = claims.get(claim);
    let value = whole.or_else(|| {
        let (first, rest) = claim.split_once('.')?;
        rest.split('.').try_fold(claims.get(first)?, |value, name| value.get(name))
    });
    let values = match value {
        Some(Value::Array(values)) => values.as_slice(),
        Some(value) => std::slice::from_ref(value),
        None => &[],
    };
    let given = values.iter().filter_map(|value| roles.get(value.as_str()?).copied());
    given.max_by_key(|role| height(*role)).unwrap_or(Role::Candidate)
}

fn height(role: Role) -> u8 {
    match role {
        // No setting leads to it: `config::outside` refuses the word.
        Role::Service | Role::Observer => 0,
        Role::Candidate => 1,
        Role::Interviewer => 2,
        Role::Manager => 3,
        Role::Admin => 4,
    }
}

/// The same for every node and for good: a name in a domain that nobody can have (RFC 2606).
fn own_address(issuer: &str, subject: &str) -> Option<Email> {
    let mut hash = Sha256::new();
    hash.update(issuer.as_bytes());
    hash.update([0]);
    hash.update(subject.as_bytes());
    let name: String = hash.finalize()[..10].iter().map(|byte| format!("{byte:02x}")).collect();
    Email::parse("email", &format!("{name}@outside.invalid")).ok()
}

fn check_times(claims: &Claims, needs_end: bool, now: Time) -> Result<(), Failure> {
    let now = now.0.div_euclid(1_000);
    let time = |name: &str| match claims.get(name) {
        None => Ok(None),
        Some(value) => seconds(value).map(Some).ok_or_else(invalid),
    };
    match time("exp")? {
        None if needs_end => return Err(invalid()),
        Some(end) if end <= now.saturating_sub(LEEWAY_SECONDS) => {
            let detail = "the token has expired; get a new one from its issuer";
            return Err(Failure::Refused(Refusal::new(Code::AuthExpired, detail)));
        }
        _ => {}
    }
    match time("nbf")? {
        Some(begin) if begin > now.saturating_add(LEEWAY_SECONDS) => Err(invalid()),
        _ => Ok(()),
    }
}

/// A NumericDate; parts of a second do not count.
fn seconds(value: &Value) -> Option<i64> {
    value.as_i64().or_else(|| value.as_f64().map(|seconds| seconds as i64))
}

/// The algorithms that a key can be for; none, if it is no key that we know.
fn family(jwk: &Value) -> Vec<Algorithm> {
    use Algorithm::{ES256, ES384, EdDSA, HS256, HS384, HS512, PS256, PS384, PS512};
    use Algorithm::{RS256, RS384, RS512};
    let all: &[Algorithm] = match (jwk["kty"].as_str(), jwk["crv"].as_str()) {
        (Some("RSA"), _) => &[RS256, RS384, RS512, PS256, PS384, PS512],
        (Some("EC"), Some("P-256")) => &[ES256],
        (Some("EC"), Some("P-384")) => &[ES384],
        (Some("OKP"), Some("Ed25519")) => &[EdDSA],
        (Some("oct"), _) => &[HS256, HS384, HS512],
        _ => &[],
    };
    match jwk.get("alg") {
        None => all.to_vec(),
        // A key that says what it is for is for nothing else.
        Some(name) => {
            let own = name.as_str().and_then(parse);
            all.iter().copied().filter(|alg| Some(*alg) == own).collect()
        }
    }
}

fn secret_bytes(jwk: &Value) -> usize {
    jwk["k"].as_str().and_then(|text| URL_SAFE_NO_PAD.decode(text).ok()).map_or(0, |k| k.len())
}

fn parse(name: &str) -> Option<Algorithm> {
    name.parse().ok()
}

/// One answer for every way of being wrong: which check failed would help only a forger.
fn invalid() -> Failure {
    let detail = "the token is not one that is taken here; sign in again";
    Failure::Refused(Refusal::new(Code::AuthInvalid, detail))
}

impl From<Failure> for Refusal {
    fn from(failure: Failure) -> Refusal {
        match failure {
            Failure::Refused(refusal) => refusal,
            Failure::UnknownKey => invalid().into(),
        }
    }
}

#[cfg(test)]
mod tests;
