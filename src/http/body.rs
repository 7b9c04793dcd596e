//! Bodies of requests: JSON, strict, bounded; and writes, each at most once under a key (law I4).

mod key;
mod upload;

use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::time::{Duration, Instant};

use crate::domain::command::{Command, ENVELOPE_VERSION, Envelope, Once, Outcome};
use crate::domain::id::PersonId;
use crate::domain::limit;
use crate::domain::refusal::{Code, FieldError, Refusal};
use crate::store::{Fault, query};

use super::address;
use super::app::Shared;
use super::caller::{Caller, scope_of};
use super::error::Error;
use super::keys::Flight;
use super::layers::RequestId;
use key::{Key, Material, mismatch, read_key};

/// A request that writes: its body, who asks, and under which key.
pub(super) struct Write<T> {
    pub(super) body: T,
    pub(super) caller: Caller,
    request_id: String,
    /// The network that it came from.
    from: Option<String>,
    /// The key of the header, until it is known whose it is.
    given: Option<Given>,
    key: Option<Key>,
    flight: Option<Flight>,
}

/// A key, and what makes two requests under it the same.
struct Given {
    key: String,
    material: Material,
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
        let key = read_key(&parts.headers)?;
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
        let given = key.map(|key| Given { key, material: Material::of(&target, &bytes) });
        let (key, flight) = enter(app, &caller, given.as_ref())?;
        let body = parse(&bytes)?;
        let request_id = request_id.unwrap_or_default();
        Ok(Write { body, caller, request_id, from, given, key, flight })
    }
}

/// Whoever is signed in has keys of their own from here on; of whom else, the handler finds out.
fn enter(
    app: &Shared,
    caller: &Caller,
    given: Option<&Given>,
) -> Result<(Option<Key>, Option<Flight>), Refusal> {
    let (Some(scope), Some(given)) = (caller.scope(), given) else { return Ok((None, None)) };
    let key = Key::new(scope, &given.key, given.material.clone());
    let flight = app.keys.enter(key.name())?;
    Ok((Some(key), Some(flight)))
}

impl<T> Write<T> {
    /// Takes the key away, for a request whose repetition must prove itself again.
    pub(super) fn without_key(self) -> Write<T> {
        Write { given: None, key: None, flight: None, ..self }
    }

    /// Says whose the key is, where a token in the body tells and not the login.
    pub(super) fn of(self, app: &Shared, person: PersonId) -> Result<Write<T>, Refusal> {
        self.under(app, scope_of(person))
    }

    /// The same for a scope that is nobody's.
    pub(super) fn under(mut self, app: &Shared, scope: String) -> Result<Write<T>, Refusal> {
        let Some(given) = &self.given else { return Ok(self) };
        // The place goes first: it may be the same one.
        (self.key, self.flight) = (None, None);
        let key = Key::new(scope, &given.key, given.material.clone());
        self.flight = Some(app.keys.enter(key.name())?);
        self.key = Some(key);
        Ok(self)
    }

    /// Whether it came with a key.
    pub(super) fn has_key(&self) -> bool {
        self.given.is_some()
    }

    /// The place among the running requests, for work that outlives this one.
    pub(super) fn take_flight(&mut self) -> Option<Flight> {
        self.flight.take()
    }

    /// Proposes the command, unless the same request was done before: then its first outcome comes
    /// back and the command is not even put together.
    pub(super) async fn run(
        &self,
        app: &Shared,
        command: impl AsyncFnOnce() -> Result<Command, Error>,
    ) -> Result<Done, Error> {
        if let Some(key) = &self.key {
            if let Some((fingerprint, outcome)) = kept(app, key).await? {
                return match key.fingerprint(app).await? == fingerprint {
                    true => Ok(Done { outcome, replayed: true }),
                    false => Err(mismatch().into()),
                };
            }
            // Only what is no command is kept there.
            if app.keys.find(key.name(), Instant::now()).is_some() {
                return Err(mismatch().into());
            }
            self.count(app, key).await?;
        }
        let command = command().await?;
        self.propose(app, command).await
    }

    /// Does what is no command, unless this node did it for the same request: its first result is
    /// kept in memory for so long.
    pub(super) async fn pass(
        &self,
        app: &Shared,
        lasts: Duration,
        work: impl AsyncFnOnce() -> Result<Value, Error>,
    ) -> Result<(Value, bool), Error> {
        let Some(key) = &self.key else { return Ok((work().await?, false)) };
        let fingerprint = key.fingerprint(app).await?;
        if let Some(kept) = app.keys.find(key.name(), Instant::now()) {
            return match kept.fingerprint == fingerprint {
                true => Ok((kept.body, true)),
                false => Err(mismatch().into()),
            };
        }
        // What the state keeps under it came of a command, so of another request.
        if kept(app, key).await?.is_some() {
            return Err(mismatch().into());
        }
        if !app.keys.has_room(Instant::now()) {
            let detail = "too many results are kept at this moment; try again in a few seconds";
            return Err(Refusal::new(Code::RateLimited, detail).into());
        }
        let body = work().await?;
        let name = key.name().clone();
        app.keys.keep(name, fingerprint, body.clone(), (Instant::now(), lasts));
        Ok((body, false))
    }

    /// A name for the request, if it has a key: the same for the same key of the same person.
    pub(super) fn key_name(&self) -> Option<String> {
        self.key.as_ref().map(Key::digest)
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

    async fn propose(&self, app: &Shared, command: Command) -> Result<Done, Error> {
        let once = match &self.key {
            Some(key) => Some(key.once(app).await?),
            None => None,
        };
        match app.replica.propose(self.envelope(app, once, command)).await? {
            Outcome::Refused { refusal } => Err(refusal.into()),
            Outcome::Replayed { first } => Ok(Done { outcome: *first, replayed: true }),
            outcome => Ok(Done { outcome, replayed: false }),
        }
    }

    /// Refuses a new key of somebody of whom too many results are kept.
    async fn count(&self, app: &Shared, key: &Key) -> Result<(), Error> {
        let (scope, now) = (&key.name().0, Instant::now());
        if let Some(verdict) = app.keys.count(scope, now) {
            return Ok(verdict?);
        }
        let (owner, at, all) = (scope.clone(), app.replica.now(), !app.keys.knows_all(now));
        let read = move |db: &query::Connection| {
            let own = query::once::count_of(db, &owner, at)?;
            Ok((own, all.then(|| query::once::count(db, at)).transpose()?))
        };
        let (own, all) = app.replica.read(read).await?;
        app.keys.counted(scope, own, all, now);
        Ok(app.keys.count(scope, now).unwrap_or(Ok(()))?)
    }
}

/// What the state keeps under a key.
async fn kept(app: &Shared, key: &Key) -> Result<Option<(String, Outcome)>, Fault> {
    let (name, at) = (key.name().clone(), app.replica.now());
    let read = move |db: &query::Connection| query::once::find(db, &name.0, &name.1, at);
    app.replica.read(read).await
}

impl Done {
    /// The response, marked if it is a repeated one.
    pub(super) fn response(&self, status: StatusCode, body: impl IntoResponse) -> Response {
        answer(status, body, self.replayed)
    }

    /// Whether it happened before.
    pub(super) fn is_replayed(&self) -> bool {
        self.replayed
    }
}

/// A response, marked if it is a repeated one.
pub(super) fn answer(status: StatusCode, body: impl IntoResponse, replayed: bool) -> Response {
    let mut response = (status, body).into_response();
    if replayed {
        let name = header::HeaderName::from_static("idempotency-replayed");
        response.headers_mut().insert(name, header::HeaderValue::from_static("true"));
    }
    response
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

fn is_json(headers: &HeaderMap) -> bool {
    let Some(value) = headers.get(header::CONTENT_TYPE) else { return true };
    let media = value.to_str().unwrap_or_default().split(';').next().unwrap_or_default();
    let media = media.trim().to_ascii_lowercase();
    media == "application/json" || media.ends_with("+json")
}
