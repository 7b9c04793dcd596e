//! Bodies of requests: JSON, strict, bounded; and writes, each at most once under a key (law I4).

mod upload;

use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};

use crate::domain::command::{Command, ENVELOPE_VERSION, Envelope, Once, Outcome};
use crate::domain::id::PersonId;
use crate::domain::limit;
use crate::domain::refusal::{Code, FieldError, Refusal};
use crate::domain::text;
use crate::store::query;

use super::address;
use super::app::{Flight, Shared};
use super::caller::Caller;
use super::error::Error;
use super::layers::RequestId;

/// A request that writes: its body, who asks, and under which key.
pub(super) struct Write<T> {
    pub(super) body: T,
    pub(super) caller: Caller,
    request_id: String,
    /// The network that it came from.
    from: Option<String>,
    once: Option<Once>,
    _flight: Option<Flight>,
}

/// What a write led to, now or when it was first sent.
pub(super) struct Done {
    pub(super) outcome: Outcome,
    replayed: bool,
}

/// A body without fields.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Empty {}

pub(super) use upload::{Upload, form_of, place_for};

impl<T: DeserializeOwned> FromRequest<Shared> for Write<T> {
    type Rejection = Error;

    async fn from_request(request: Request, app: &Shared) -> Result<Write<T>, Error> {
        let (mut parts, body) = request.into_parts();
        let caller = Caller::from_request_parts(&mut parts, app).await?;
        let request_id = parts.extensions.get::<RequestId>().map(|id| id.0.clone());
        let from = address::network(&parts.extensions);
        let target = format!("{} {}", parts.method, parts.uri.path());
        let key = idempotency_key(&parts.headers)?;
        let json = is_json(&parts.headers);
        let bytes = Bytes::from_request(Request::from_parts(parts, body), app).await.map_err(
            |rejection| {
                let large = rejection.status() == StatusCode::PAYLOAD_TOO_LARGE;
                unread(large, limit::BODY_BYTES_MAX)
            },
        )?;
        if !json && !bytes.is_empty() {
            return Err(Refusal::new(
                Code::InputUnsupportedType,
                "the body must be JSON; send Content-Type: application/json",
            )
            .into());
        }
        let once = key.map(|key| Once {
            scope: caller.scope(),
            key,
            fingerprint: fingerprint(&target, &bytes),
        });
        let flight = once.as_ref().map(|once| app.enter(once)).transpose()?;
        let body = parse(&bytes)?;
        let request_id = request_id.unwrap_or_default();
        Ok(Write { body, caller, request_id, from, once, _flight: flight })
    }
}

impl<T> Write<T> {
    /// Takes the key away, for a request whose repetition must prove itself again.
    pub(super) fn without_key(self) -> Write<T> {
        Write { once: None, ..self }
    }

    /// Proposes the command, unless the same request was done before: then its first outcome comes
    /// back and the command is not even put together.
    pub(super) async fn run(
        &self,
        app: &Shared,
        command: impl AsyncFnOnce() -> Result<Command, Error>,
    ) -> Result<Done, Error> {
        let at = app.replica.now();
        if let Some(once) = self.once.clone() {
            let read = move |db: &query::Connection| query::once::find(db, &once, at);
            match app.replica.read(read).await? {
                Some((fingerprint, outcome)) if self.is_same(&fingerprint) => {
                    return Ok(Done { outcome, replayed: true });
                }
                Some(_) => return Err(mismatch().into()),
                None => {}
            }
        }
        let command = command().await?;
        self.propose(app, command).await
    }

    /// Proposes what goes before the command that counts: no key of its own, nothing to tell.
    pub(super) async fn prepare(&self, app: &Shared, command: Command) -> Result<(), Error> {
        let envelope = self.envelope(app, None, command);
        match app.replica.propose(envelope).await? {
            Outcome::Refused { refusal } => Err(refusal.into()),
            _ => Ok(()),
        }
    }

    /// The same in the name of somebody else, for what only they may do and cannot do any more.
    pub(super) async fn prepare_as(
        &self,
        app: &Shared,
        by: PersonId,
        command: Command,
    ) -> Result<(), Error> {
        let envelope = Envelope { by: Some(by), ..self.envelope(app, None, command) };
        match app.replica.propose(envelope).await? {
            Outcome::Refused { refusal } => Err(refusal.into()),
            _ => Ok(()),
        }
    }

    pub(super) fn envelope(&self, app: &Shared, once: Option<Once>, command: Command) -> Envelope {
        Envelope {
            v: ENVELOPE_VERSION,
            at: app.replica.now(),
            by: self.caller.person_id(),
            request_id: Some(self.request_id.clone()),
            from: self.from.clone(),
            once,
            command,
        }
    }

    fn is_same(&self, fingerprint: &str) -> bool {
        self.once.as_ref().is_some_and(|once| once.fingerprint == fingerprint)
    }

    async fn propose(&self, app: &Shared, command: Command) -> Result<Done, Error> {
        let envelope = self.envelope(app, self.once.clone(), command);
        match app.replica.propose(envelope).await? {
            Outcome::Refused { refusal } => Err(refusal.into()),
            Outcome::Replayed { first } => Ok(Done { outcome: *first, replayed: true }),
            outcome => Ok(Done { outcome, replayed: false }),
        }
    }
}

impl Done {
    /// The response, marked if it is a repeated one.
    pub(super) fn response(&self, status: StatusCode, body: impl IntoResponse) -> Response {
        let mut response = (status, body).into_response();
        if self.replayed {
            let name = header::HeaderName::from_static("idempotency-replayed");
            response.headers_mut().insert(name, header::HeaderValue::from_static("true"));
        }
        response
    }
}

/// Parses a strict JSON body; nothing at all stands for an empty object.
fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Error> {
    let bytes = if bytes.is_empty() { b"{}" } else { bytes };
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let value = serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
        let field = error.path().to_string();
        unreadable(&field, &error.into_inner())
    })?;
    deserializer.end().map_err(|error| unreadable(".", &error))?;
    Ok(value)
}

fn unreadable(field: &str, error: &serde_json::Error) -> Refusal {
    let detail = error.to_string();
    let field = if field == "." { "body".to_owned() } else { field.to_owned() };
    let code = if detail.starts_with("unknown field") {
        Code::InputUnknownField
    } else {
        Code::InputInvalid
    };
    let fields = vec![FieldError { field, detail: detail.clone() }];
    Refusal { code, detail, fields }
}

fn mismatch() -> Refusal {
    Refusal::new(
        Code::IdempotencyMismatch,
        "this Idempotency-Key was used for another request; use a new key for a new request",
    )
}

/// Why a body was not read to its end.
pub(super) fn unread(too_large: bool, bytes_max: usize) -> Error {
    if too_large {
        let detail = format!("the body is larger than {bytes_max} bytes");
        return Refusal::new(Code::InputTooLarge, detail).into();
    }
    let pause = limit::REQUEST_BODY_PAUSE_SECONDS;
    let detail =
        format!("the body did not arrive whole, or paused for {pause} seconds; send it again");
    Refusal::field("body", detail).into()
}

fn idempotency_key(headers: &HeaderMap) -> Result<Option<String>, Error> {
    let Some(value) = headers.get("idempotency-key") else { return Ok(None) };
    let value = value.to_str().unwrap_or_default();
    let key = text::key("Idempotency-Key", value, limit::IDEMPOTENCY_KEY_CHARS_MAX)?;
    Ok(Some(key))
}

fn is_json(headers: &HeaderMap) -> bool {
    let Some(value) = headers.get(header::CONTENT_TYPE) else { return true };
    let media = value.to_str().unwrap_or_default().split(';').next().unwrap_or_default();
    let media = media.trim().to_ascii_lowercase();
    media == "application/json" || media.ends_with("+json")
}

/// What makes two requests the same. A password is left out: the fingerprint is stored, and a fast
/// hash of something that a person thought of can be tried out.
fn fingerprint(target: &str, body: &[u8]) -> String {
    let mut hash = Sha256::new();
    hash.update(target.as_bytes());
    hash.update([0]);
    match serde_json::from_slice::<serde_json::Value>(body) {
        Ok(serde_json::Value::Object(mut fields))
            if fields.keys().any(|name| name.ends_with("password")) =>
        {
            fields.retain(|name, _| !name.ends_with("password"));
            hash.update(serde_json::Value::Object(fields).to_string().as_bytes());
        }
        _ => hash.update(body),
    }
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}
