//! Tokens of programs: shown once, bounded in time, taken back at once.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use crate::auth::secret::Purpose;
use crate::cluster::fresh;
use crate::domain::command::{Command, Outcome};
use crate::domain::id::{PersonId, SessionId};
use crate::domain::limit::door as limit;
use crate::domain::person::{Role, Session};
use crate::domain::refusal::{FieldError, Refusal};
use crate::domain::text;
use crate::store::query;
use crate::store::query::keys::ApiToken;

use super::app::{App, Shared};
use super::body::{Empty, Write};
use super::caller::{API_TOKEN_PREFIX, Caller};
use super::error::Error;
use super::people::person_id;

/// What a token is for.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct TokenBody {
    /// Which program has it, for whoever looks through the list.
    name: String,
    /// Whether it may only read.
    #[serde(default)]
    read_only: bool,
    /// Seconds; a quarter of a year if nobody says.
    #[serde(default)]
    expires_in: Option<i64>,
}

pub(super) async fn own(State(app): State<Shared>, caller: Caller) -> Result<Json<Value>, Error> {
    let person = caller.person()?.id;
    listed(&app, person).await
}

pub(super) async fn list(
    State(app): State<Shared>,
    Path(id): Path<String>,
) -> Result<Json<Value>, Error> {
    let person = person_id(&id)?;
    let known = app.replica.read(move |db| query::person::by_id(db, person)).await?;
    known.ok_or_else(|| Refusal::not_found("person"))?;
    listed(&app, person).await
}

pub(super) async fn create_own(
    State(app): State<Shared>,
    write: Write<TokenBody>,
) -> Result<Response, Error> {
    let person = write.caller.person()?.id;
    made(&app, write, person).await
}

/// An admin gives tokens to programs. Nobody gets one that speaks for somebody else.
pub(super) async fn create(
    State(app): State<Shared>,
    Path(id): Path<String>,
    write: Write<TokenBody>,
) -> Result<Response, Error> {
    let person = person_id(&id)?;
    let known = app.replica.read(move |db| query::person::by_id(db, person)).await?;
    if known.ok_or_else(|| Refusal::not_found("person"))?.role != Role::Service {
        let detail = "only a service account gets its tokens from an admin; people make their own";
        return Err(Refusal::denied(detail).into());
    }
    made(&app, write, person).await
}

pub(super) async fn remove_own(
    State(app): State<Shared>,
    Path(token): Path<String>,
    write: Write<Empty>,
) -> Result<Response, Error> {
    let person = write.caller.person()?.id;
    removed(&app, write, person, &token).await
}

pub(super) async fn remove(
    State(app): State<Shared>,
    Path((id, token)): Path<(String, String)>,
    write: Write<Empty>,
) -> Result<Response, Error> {
    let person = person_id(&id)?;
    removed(&app, write, person, &token).await
}

async fn listed(app: &App, person: PersonId) -> Result<Json<Value>, Error> {
    let now = app.replica.now();
    let tokens = app.replica.read(move |db| query::keys::tokens(db, person, now)).await?;
    let items: Vec<Value> = tokens.iter().map(view).collect();
    Ok(Json(json!({"items": items, "next": null})))
}

fn view(token: &ApiToken) -> Value {
    json!({
        "id": token.session, "name": token.name, "read_only": token.read_only,
        "created_at": token.created_at, "expires_at": token.expires_at,
        "last_used_on": token.last_used_on,
    })
}

async fn made(app: &Shared, write: Write<TokenBody>, person: PersonId) -> Result<Response, Error> {
    let (name, seconds) = checked(&write.body)?;
    let read_only = write.body.read_only;
    let named = name.clone();
    let command = async || {
        let now = app.replica.now();
        let session = Session {
            id: SessionId(fresh()),
            person,
            generation: 0,
            created_at: now,
            expires_at: now.plus_ms(seconds * 1_000),
            revoked_at: None,
        };
        Ok(Command::OpenToken { session, name: named, read_only })
    };
    let done = write.run(app, command).await?;
    let Outcome::SignedIn { session, .. } = &done.outcome else {
        return Err(Refusal::not_found("person").into());
    };
    // Only whoever makes it sees it; it is derived, so that it is stored nowhere.
    let token = app.secrets.link(Purpose::ApiToken, session.id.0, 0);
    let body = json!({
        "id": session.id, "name": name, "read_only": read_only,
        "created_at": session.created_at, "expires_at": session.expires_at,
        "last_used_on": null, "token": format!("{API_TOKEN_PREFIX}{token}"),
    });
    Ok(done.response(StatusCode::CREATED, Json(body)))
}

fn checked(body: &TokenBody) -> Result<(String, i64), Refusal> {
    let name = text::name("name", &body.name).map_err(|wrong| Refusal::fields(vec![wrong]))?;
    let seconds = body.expires_in.unwrap_or(limit::TOKEN_SECONDS);
    if !(60..=limit::TOKEN_SECONDS_MAX).contains(&seconds) {
        let detail = format!("must be 60 to {} seconds", limit::TOKEN_SECONDS_MAX);
        let fields = vec![FieldError { field: "expires_in".to_owned(), detail }];
        return Err(Refusal::fields(fields));
    }
    Ok((name, seconds))
}

async fn removed(
    app: &Shared,
    write: Write<Empty>,
    person: PersonId,
    token: &str,
) -> Result<Response, Error> {
    let missing = || Refusal::not_found("token");
    let session: SessionId = token.parse().map_err(|_| missing())?;
    let now = app.replica.now();
    let held = app.replica.read(move |db| query::keys::tokens(db, person, now)).await?;
    if !held.iter().any(|held| held.session == session) {
        return Err(missing().into());
    }
    let done = write.run(app, async || Ok(Command::CloseSession { session })).await?;
    Ok(done.response(StatusCode::NO_CONTENT, ()))
}
