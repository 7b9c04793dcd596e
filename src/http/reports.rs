//! Reports: reading, downloading, saying whether they felt right, and how practice goes over time.

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;

use crate::cluster::fresh;
use crate::domain::command::{Command, Outcome};
use crate::domain::id::{FeedbackId, InterviewId};
use crate::domain::interview::State as InterviewState;
use crate::domain::limit;
use crate::domain::may::InRoom;
use crate::domain::refusal::Refusal;
use crate::domain::room::Room;
use crate::domain::text;
use crate::insight::report::Report;
use crate::jobs::export::{self, Format};
use crate::store::{Fault, query};

use super::app::Shared;
use super::body::Write;
use super::caller::Caller;
use super::error::Error;
use super::interviews::{interview_id, room_for, room_of};

/// Which form.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ExportQuery {
    format: Option<String>,
    #[serde(rename = "stale")]
    _stale: Option<String>,
}

/// Whether a report felt right.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct FeedbackBody {
    accurate: bool,
    #[serde(default)]
    note: Option<String>,
}

pub(super) async fn show(
    State(app): State<Shared>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Response, Error> {
    let interview = interview_id(&id)?;
    let person = caller.person()?.id;
    let room = room_for(&app, interview, person, InRoom::ReadReport).await?;
    let body = stored(&app, interview, &room).await?;
    let json = HeaderValue::from_static("application/json");
    Ok(([(header::CONTENT_TYPE, json)], body).into_response())
}

pub(super) async fn download(
    State(app): State<Shared>,
    caller: Caller,
    Path(id): Path<String>,
    Query(wanted): Query<ExportQuery>,
) -> Result<Response, Error> {
    let interview = interview_id(&id)?;
    let format = wanted.format.as_deref().unwrap_or("json");
    let format = Format::parse(format)?;
    let person = caller.person()?.id;
    let room = room_for(&app, interview, person, InRoom::ReadReport).await?;
    let report = parse(&stored(&app, interview, &room).await?)?;
    let name = format!("attachment; filename=\"greenroom-{interview}.{}\"", format.extension());
    let headers = [
        (header::CONTENT_TYPE, format.content_type().to_owned()),
        (header::CONTENT_DISPOSITION, name),
    ];
    Ok((headers, export::render(&report, format)).into_response())
}

pub(super) async fn feedback(
    State(app): State<Shared>,
    Path(id): Path<String>,
    write: Write<FeedbackBody>,
) -> Result<Response, Error> {
    let interview = interview_id(&id)?;
    let person = write.caller.person()?.id;
    let room = room_of(&app, interview, person).await?;
    if !room.report_ready {
        return Err(Refusal::conflict("there is no report yet to judge").into());
    }
    let note = match write.body.note.as_deref().map(str::trim) {
        None | Some("") => None,
        Some(note) => Some(text::prose("note", note, limit::FEEDBACK_BYTES_MAX)?),
    };
    let (feedback, accurate) = (FeedbackId(fresh()), write.body.accurate);
    let command = async || Ok(Command::GiveFeedback { feedback, interview, accurate, note });
    let done = write.run(&app, command).await?;
    let id = match &done.outcome {
        Outcome::Thanked { feedback } => Some(*feedback),
        _ => None,
    };
    Ok(done.response(StatusCode::CREATED, Json(json!({"id": id, "accurate": accurate}))))
}

/// The stored report as JSON text; a refusal until it is there.
pub(super) async fn stored(
    app: &Shared,
    interview: InterviewId,
    room: &Room,
) -> Result<String, Error> {
    let body = app.replica.read(move |db| query::report::body(db, interview)).await?;
    body.ok_or_else(|| {
        Refusal::conflict(match room.state {
            InterviewState::Finished => "the report is being made; it is ready within seconds",
            InterviewState::Cancelled => "a cancelled interview has no report",
            _ => "the report is made when the interview is finished",
        })
        .into()
    })
}

/// Reads a stored report.
pub(super) fn parse(body: &str) -> Result<Report, Error> {
    serde_json::from_str(body)
        .map_err(|e| Error::Fault(Fault::new("a stored report cannot be read", e)))
}
