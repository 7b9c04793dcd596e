//! The own logins, the own password, the own second factor.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{Extensions, StatusCode};
use axum::response::Response;
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use crate::auth::password::check_strength;
use crate::auth::rate::{Attempt, Network};
use crate::auth::secret::hash_token;
use crate::auth::totp;
use crate::domain::command::{Command, Factor};
use crate::domain::id::SessionId;
use crate::domain::limit;
use crate::domain::person::{Person, Session};
use crate::domain::refusal::{Code, Refusal};
use crate::store::{Fault, query};

use super::address;
use super::app::Shared;
use super::body::{Empty, Write};
use super::caller::Caller;
use super::error::Error;
use super::limits;

/// A new password.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct PasswordBody {
    current_password: String,
    new_password: String,
}

/// That it is really the person who sits there.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ProofBody {
    password: String,
}

/// What the app shows.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CodeBody {
    code: String,
}

/// The logins that hold.
pub(super) async fn sessions(
    State(app): State<Shared>,
    caller: Caller,
) -> Result<Json<Value>, Error> {
    let (person, current, now) = (caller.person()?.id, caller.session(), app.replica.now());
    let read = move |db: &query::Connection| {
        query::person::sessions(db, person, now, limit::PAGE_ITEMS_MAX)
    };
    let tokens = app.replica.read(move |db| query::keys::tokens(db, person, now)).await?;
    let items: Vec<Value> = app
        .replica
        .read(read)
        .await?
        .iter()
        .filter(|session| !tokens.iter().any(|token| token.session == session.id))
        .map(|session| {
            json!({
                "id": session.id, "created_at": session.created_at,
                "expires_at": session.expires_at, "current": Some(session.id) == current,
            })
        })
        .collect();
    Ok(Json(json!({"items": items, "next": null})))
}

/// Ends one of them.
pub(super) async fn end_session(
    State(app): State<Shared>,
    Path(id): Path<String>,
    write: Write<Empty>,
) -> Result<Response, Error> {
    let person = write.caller.person()?.id;
    let session: SessionId = id.parse().map_err(|_| Refusal::not_found("login"))?;
    let found = app.replica.read(move |db| query::person::session(db, session)).await?;
    let own = found.is_some_and(|found| found.person == person && found.revoked_at.is_none());
    if !own {
        return Err(Refusal::not_found("login").into());
    }
    let done = write.run(&app, async || Ok(Command::CloseSession { session })).await?;
    Ok(done.response(StatusCode::NO_CONTENT, ()))
}

/// Ends all but this one.
pub(super) async fn end_others(
    State(app): State<Shared>,
    write: Write<Empty>,
) -> Result<StatusCode, Error> {
    let (person, current) = (write.caller.person()?.id, write.caller.session());
    loop {
        let now = app.replica.now();
        let read = move |db: &query::Connection| {
            query::person::sessions(db, person, now, limit::PAGE_ITEMS_MAX)
        };
        let all: Vec<Session> = app.replica.read(read).await?;
        let others: Vec<_> = all.iter().filter(|other| Some(other.id) != current).collect();
        if others.is_empty() {
            return Ok(StatusCode::NO_CONTENT);
        }
        for other in others {
            write.prepare(&app, Command::CloseSession { session: other.id }).await?;
        }
    }
}

/// A new password; every other login ends.
pub(super) async fn change_password(
    State(app): State<Shared>,
    extensions: Extensions,
    write: Write<PasswordBody>,
) -> Result<Response, Error> {
    let person = write.caller.person()?.clone();
    let new = &write.body.new_password;
    // Counted here too: whether a repeated request has the same passwords tells what they were.
    let attempt = tried(&app, &extensions, &person)?;
    let command = async || {
        let current = &write.body.current_password;
        compare(&app, &person, current, "current_password").await?;
        let strong = check_strength(new, person.email.as_str(), &[&person.display_name]);
        strong.map_err(|wrong| Refusal::field("new_password", wrong.detail))?;
        let password_hash = app.passwords.hash(new.clone()).await?;
        let keep = write.caller.session();
        Ok(Command::ChangePassword { person: person.id, password_hash, keep })
    };
    let done = write.run(&app, command).await?;
    app.limiter.succeeded(attempt);
    Ok(done.response(StatusCode::NO_CONTENT, ()))
}

/// A secret for an app; it counts from the first right code on.
pub(super) async fn begin_totp(
    State(app): State<Shared>,
    extensions: Extensions,
    write: Write<ProofBody>,
) -> Result<Response, Error> {
    let person = write.caller.person()?.clone();
    prove(&app, &extensions, &person, &write.body.password, "password").await?;
    // A repeated request makes a new secret: one that was shown is not stored in an answer.
    let write = write.without_key();
    let secret = totp::secret().map_err(|e| Fault::new("no secret could be drawn", e))?;
    let organisation = app.replica.read(query::cluster::identity).await?;
    let organisation = organisation.and_then(|identity| identity.organisation);
    let organisation = organisation.unwrap_or_else(|| "Greenroom".to_owned());
    let uri = totp::uri(&secret, &organisation, person.email.as_str());
    let begin = Command::BeginTotp { person: person.id, secret: secret.clone() };
    let done = write.run(&app, async || Ok(begin)).await?;
    Ok(done.response(StatusCode::CREATED, Json(json!({"secret": secret, "uri": uri}))))
}

/// The app knows the secret; recovery codes for when it is lost.
pub(super) async fn confirm_totp(
    State(app): State<Shared>,
    extensions: Extensions,
    write: Write<CodeBody>,
) -> Result<Response, Error> {
    let person = write.caller.person()?.clone();
    let attempt = tried(&app, &extensions, &person)?;
    let write = write.without_key();
    let id = person.id;
    let begun = app.replica.read(move |db| query::totp::of(db, id)).await?;
    let begun = begun.filter(|begun| !begun.confirmed);
    let begun = begun.ok_or_else(|| Refusal::conflict("set a second factor up first"))?;
    let step = totp::step_of(&begun.secret, &write.body.code, app.replica.now());
    let detail = "this is not the code of now; look whether the clock of the device is right";
    let step = step.ok_or_else(|| Refusal::field("code", detail))?;
    let codes = totp::recovery_codes().map_err(|e| Fault::new("no codes could be drawn", e))?;
    let recovery = codes.iter().map(|code| hash_token(&totp::plain(code))).collect();
    let confirm = Command::ConfirmTotp { person: id, step, recovery };
    let done = write.run(&app, async || Ok(confirm)).await?;
    app.limiter.succeeded(attempt);
    Ok(done.response(StatusCode::OK, Json(json!({"recovery_codes": codes}))))
}

/// No second factor any more.
pub(super) async fn remove_totp(
    State(app): State<Shared>,
    extensions: Extensions,
    write: Write<ProofBody>,
) -> Result<Response, Error> {
    let person = write.caller.person()?.clone();
    prove(&app, &extensions, &person, &write.body.password, "password").await?;
    let done = write.run(&app, async || Ok(Command::DropTotp { person: person.id })).await?;
    Ok(done.response(StatusCode::NO_CONTENT, ()))
}

/// An admin helps somebody who has lost device and recovery codes.
pub(super) async fn reset_totp(
    State(app): State<Shared>,
    Path(id): Path<String>,
    write: Write<Empty>,
) -> Result<Response, Error> {
    let person = id.parse().map_err(|_| Refusal::not_found("person"))?;
    let done = write.run(&app, async || Ok(Command::DropTotp { person })).await?;
    Ok(done.response(StatusCode::NO_CONTENT, ()))
}

/// The command that lets somebody in whose password was right.
pub(super) async fn let_in(
    app: &Shared,
    session: Session,
    code: Option<&str>,
) -> Result<Command, Error> {
    let person = session.person;
    let found = app.replica.read(move |db| query::totp::of(db, person)).await?;
    let Some(known) = found.filter(|found| found.confirmed) else {
        return Ok(Command::OpenSession { session });
    };
    let Some(code) = code.map(str::trim).filter(|code| !code.is_empty()) else {
        let detail = "this account has a second factor; send its code too";
        return Err(Refusal::new(Code::AuthSecondFactor, detail).into());
    };
    let factor = match totp::step_of(&known.secret, code, app.replica.now()) {
        Some(step) => Factor::Step(step),
        None => Factor::Recovery(hash_token(&totp::plain(code))),
    };
    Ok(Command::OpenSessionWith { session, factor })
}

/// Whether the password is that of this person; wrong ones count like those at the door.
async fn prove(
    app: &Shared,
    extensions: &Extensions,
    person: &Person,
    password: &str,
    field: &str,
) -> Result<(), Error> {
    let attempt = tried(app, extensions, person)?;
    compare(app, person, password, field).await?;
    app.limiter.succeeded(attempt);
    Ok(())
}

async fn compare(app: &Shared, person: &Person, password: &str, field: &str) -> Result<(), Error> {
    let email = person.email.as_str().to_owned();
    let found = app.replica.read(move |db| query::person::by_email(db, &email)).await?;
    let hash = found.and_then(|(_, hash)| hash);
    if !app.passwords.verify(super::account::bounded(password), hash).await? {
        return Err(Refusal::field(field, "this is not the password of this account").into());
    }
    Ok(())
}

fn tried(app: &Shared, extensions: &Extensions, person: &Person) -> Result<Attempt, Error> {
    let from = Network::of(address::of(extensions));
    let attempt = Attempt::password(from, person.email.as_str());
    limits::attempt(app, attempt)?;
    Ok(attempt)
}
