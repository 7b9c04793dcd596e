//! An idempotency key: whose it is, and what makes two requests under it the same.

use axum::http::HeaderMap;
use sha2::{Digest, Sha256};

use crate::auth::password::DIGEST_SALT_BYTES;
use crate::domain::command::Once;
use crate::domain::limit;
use crate::domain::refusal::{Code, Refusal};
use crate::domain::text;

use super::super::app::Shared;
use super::super::error::Error;
use super::super::keys::Name;

/// A key of somebody.
pub(super) struct Key {
    name: Name,
    material: Material,
}

/// What two requests have to have in common to be the same.
#[derive(Clone)]
pub(super) struct Material {
    /// SHA-256 over method, path and body.
    plain: String,
    /// Passwords stand apart: a fingerprint is stored, and a fast hash of something that a person
    /// thought of can be tried out.
    secret: Option<String>,
}

impl Material {
    /// Of a body as it came.
    pub(super) fn of(target: &str, body: &[u8]) -> Material {
        let (body, secret) = apart(body);
        Material { plain: sha256([target.as_bytes(), b"\0", &body]), secret }
    }

    /// Of a form with a file: of its parts, because a client draws a new boundary for each try.
    pub(super) fn of_parts(parts: [&[u8]; 4]) -> Material {
        let [target, name, media_type, bytes] = parts;
        let plain = sha256([target, b"\0", name, b"\0", media_type, b"\0", bytes]);
        Material { plain, secret: None }
    }
}

impl Key {
    pub(super) fn new(scope: String, key: &str, material: Material) -> Key {
        Key { name: (scope, key.to_owned()), material }
    }

    pub(super) fn name(&self) -> &Name {
        &self.name
    }

    /// The name as one word without its parts.
    pub(super) fn digest(&self) -> String {
        sha256([self.name.0.as_bytes(), b"\0", self.name.1.as_bytes()])
    }

    /// What the command carries.
    pub(super) async fn once(&self, app: &Shared) -> Result<Once, Error> {
        let (scope, key) = self.name.clone();
        Ok(Once { scope, key, fingerprint: self.fingerprint(app).await? })
    }

    /// What makes the request the same. Passwords go in by the slow hash that they are stored with,
    /// so that who does not know them does not get what came of them.
    pub(super) async fn fingerprint(&self, app: &Shared) -> Result<String, Error> {
        let Some(secret) = &self.material.secret else { return Ok(self.material.plain.clone()) };
        let whole = Sha256::digest(self.digest());
        let mut salt = [0; DIGEST_SALT_BYTES];
        salt.copy_from_slice(&whole[..DIGEST_SALT_BYTES]);
        let secret = app.passwords.digest(secret.clone(), salt).await?;
        Ok(sha256([self.material.plain.as_bytes(), &secret]))
    }
}

/// The key of a request.
pub(super) fn read_key(headers: &HeaderMap) -> Result<Option<String>, Error> {
    let mut values = headers.get_all("idempotency-key").iter();
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        let detail = "is there twice; one request has one key";
        return Err(Refusal::field("Idempotency-Key", detail).into());
    }
    let value = value.to_str().unwrap_or_default();
    let key = text::key("Idempotency-Key", value, limit::IDEMPOTENCY_KEY_CHARS_MAX)?;
    Ok(Some(key))
}

pub(super) fn mismatch() -> Refusal {
    Refusal::new(
        Code::IdempotencyMismatch,
        "this Idempotency-Key was used for another request; use a new key for a new request",
    )
}

/// The body without its passwords, and these.
fn apart(body: &[u8]) -> (Vec<u8>, Option<String>) {
    let is_secret = |name: &str| name.ends_with("password");
    match serde_json::from_slice::<serde_json::Value>(body) {
        Ok(serde_json::Value::Object(mut fields)) if fields.keys().any(|name| is_secret(name)) => {
            let mut secret = fields.clone();
            secret.retain(|name, _| is_secret(name));
            fields.retain(|name, _| !is_secret(name));
            let [rest, secret] = [fields, secret].map(serde_json::Value::Object);
            (rest.to_string().into_bytes(), Some(secret.to_string()))
        }
        _ => (body.to_vec(), None),
    }
}

fn sha256<const N: usize>(parts: [&[u8]; N]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part);
    }
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}
