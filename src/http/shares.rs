//! Share links: a report for somebody without an account, until it expires or is revoked.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{Extensions, StatusCode};
use axum::response::Response;
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use crate::auth::rate::{Attempt, Network};
use crate::auth::secret::{Purpose, hash_token};
use crate::cluster::fresh;
use crate::domain::command::{Command, Outcome};
use crate::domain::id::ShareId;
use crate::domain::limit;
use crate::domain::may::{Action, InRoom, may};
use crate::domain::refusal::Refusal;
use crate::store::query::{self, share::StoredShare};

use super::address;
use super::app::Shared;
use super::body::{Empty, Write};
use super::caller::Caller;
use super::error::Error;
use super::interviews::{interview_id, room_for};
use super::limits;
use super::reports;

/// A new share link.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ShareBody {
    /// Seconds from now; a day if left out.
    #[serde(default)]
    expires_in: Option<i64>,
}

pub(super) async fn list(
    State(app): State<Shared>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<Value>, Error> {
    let interview = interview_id(&id)?;
    room_for(&app, interview, caller.person()?.id, InRoom::Share).await?;
    let read =
        move |db: &query::Connection| query::share::list(db, interview, limit::PAGE_ITEMS_MAX);
    let items: Vec<Value> = app.replica.read(read).await?.iter().map(line).collect();
    Ok(Json(json!({"items": items, "next": null})))
}

pub(super) async fn create(
    State(app): State<Shared>,
    Path(id): Path<String>,
    write: Write<ShareBody>,
) -> Result<Response, Error> {
    let interview = interview_id(&id)?;
    let person = write.caller.person()?.id;
    let room = room_for(&app, interview, person, InRoom::Share).await?;
    let seconds = write.body.expires_in.unwrap_or(limit::SHARE_SECONDS);
    if !(limit::SHARE_SECONDS_MIN..=limit::SHARE_SECONDS_MAX).contains(&seconds) {
        let (min, max) = (limit::SHARE_SECONDS_MIN, limit::SHARE_SECONDS_MAX);
        let detail = format!("must be between {min} and {max} seconds");
        return Err(Refusal::field("expires_in", detail).into());
    }
    may(person, Action::Room(InRoom::ReadReport, &room))?;
    if !room.report_ready {
        return Err(Refusal::conflict("there is no report to share yet").into());
    }
    let share = ShareId(fresh());
    let token_hash = hash_token(&app.secrets.link(Purpose::Share, share.0, 0));
    let expires_at = app.replica.now().plus_ms(seconds * 1_000);
    let command = async || Ok(Command::Share { share, interview, token_hash, expires_at });
    let done = write.run(&app, command).await?;
    let Outcome::Shared { share, expires_at } = &done.outcome else {
        return Err(Refusal::not_found("interview").into());
    };
    // Derived from the id, so that a repeated request shows the same link and none is stored.
    let token = app.secrets.link(Purpose::Share, share.0, 0);
    let url = format!("{}/shared#{token}", app.public_url);
    let body = json!({"id": share, "token": token, "url": url, "expires_at": expires_at});
    Ok(done.response(StatusCode::CREATED, Json(body)))
}

pub(super) async fn revoke(
    State(app): State<Shared>,
    Path((id, share)): Path<(String, String)>,
    write: Write<Empty>,
) -> Result<Response, Error> {
    let interview = interview_id(&id)?;
    room_for(&app, interview, write.caller.person()?.id, InRoom::Share).await?;
    let share: ShareId = share.parse().map_err(|_| Refusal::not_found("share link"))?;
    let done = write.run(&app, async || Ok(Command::Unshare { share, interview })).await?;
    Ok(done.response(StatusCode::NO_CONTENT, ()))
}

pub(super) async fn shared(
    State(app): State<Shared>,
    extensions: Extensions,
    Path(token): Path<String>,
) -> Result<Json<Value>, Error> {
    let attempt = Attempt::Share(Network::of(address::of(&extensions)));
    limits::attempt(&app, attempt)?;
    let gone = || {
        Refusal::new(
            crate::domain::refusal::Code::NotFound,
            "this link does not hold: it has expired, was revoked, or never was",
        )
    };
    app.secrets.open_link(Purpose::Share, &token).ok_or_else(gone)?;
    let hash = hash_token(&token);
    let read = move |db: &query::Connection| {
        let Some(share) = query::share::by_token_hash(db, &hash)? else { return Ok(None) };
        let body = query::report::body(db, share.interview)?;
        Ok(body.map(|body| (share, body)))
    };
    let now = app.replica.now();
    match app.replica.read(read).await? {
        Some((share, body)) if share.revoked_at.is_none() && share.expires_at > now => {
            app.limiter.succeeded(attempt);
            Ok(Json(json!(reports::parse(&body)?)))
        }
        _ => Err(gone().into()),
    }
}

fn line(share: &StoredShare) -> Value {
    json!({
        "id": share.id,
        "created_at": share.created_at,
        "expires_at": share.expires_at,
        "revoked_at": share.revoked_at,
    })
}
