//! The own account and what a candidate brings along.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use crate::domain::command::{Command, Outcome};
use crate::domain::id::PersonId;
use crate::domain::limit;
use crate::domain::person::CandidateContext;
use crate::domain::refusal::{FieldError, Refusal};
use crate::domain::text;
use crate::insight::Calibration;
use crate::store::query;

use super::account;
use super::app::Shared;
use super::body::Write;
use super::caller::Caller;
use super::error::Error;

/// What of the own account can be changed.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct MeBody {
    display_name: String,
}

/// What a candidate brings along; what is left out becomes empty.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct ContextBody {
    cv_text: String,
    job_description: String,
    target_role: String,
    mode: String,
    /// How much help is shown while answering: 1 to 3.
    assist_intensity: u8,
}

impl Default for ContextBody {
    fn default() -> ContextBody {
        let empty = String::new;
        ContextBody {
            cv_text: empty(),
            job_description: empty(),
            target_role: empty(),
            mode: "general".to_owned(),
            assist_intensity: 2,
        }
    }
}

pub(super) async fn show(State(app): State<Shared>, caller: Caller) -> Result<Json<Value>, Error> {
    let person = caller.person()?;
    let (mut me, id) = (account::view(person), person.id);
    let read =
        move |db: &query::Connection| Ok((query::cluster::identity(db)?, query::totp::of(db, id)?));
    let (identity, totp) = app.replica.read(read).await?;
    me["second_factor"] = json!(totp.is_some_and(|totp| totp.confirmed));
    me["model_answers"] = json!(app.chat.is_some());
    me["organisation"] = json!(identity.and_then(|identity| identity.organisation));
    Ok(Json(me))
}

pub(super) async fn change(
    State(app): State<Shared>,
    write: Write<MeBody>,
) -> Result<Response, Error> {
    let person = write.caller.person()?.id;
    let display_name = Some(text::name("display_name", &write.body.display_name)?);
    let command =
        async || Ok(Command::ChangePerson { person, display_name, role: None, disabled: None });
    let done = write.run(&app, command).await?;
    match &done.outcome {
        Outcome::Person { person } => {
            Ok(done.response(StatusCode::OK, Json(account::view(person))))
        }
        _ => Err(Refusal::not_found("person").into()),
    }
}

pub(super) async fn context(
    State(app): State<Shared>,
    caller: Caller,
) -> Result<Json<Value>, Error> {
    Ok(Json(stored_context(&app, caller.person()?.id).await?))
}

pub(super) async fn set_context(
    State(app): State<Shared>,
    write: Write<ContextBody>,
) -> Result<Response, Error> {
    let person = write.caller.person()?.id;
    let engine = app.engine_in_force().await?;
    let context = Box::new(checked(engine.calibration(), &write.body)?);
    let done = write.run(&app, async || Ok(Command::SetContext { person, context })).await?;
    let context = stored_context(&app, person).await?;
    Ok(done.response(StatusCode::OK, Json(context)))
}

async fn stored_context(app: &Shared, person: PersonId) -> Result<Value, Error> {
    let stored = app.replica.read(move |db| query::person::context(db, person)).await?;
    Ok(json!(stored.unwrap_or_else(CandidateContext::blank)))
}

fn checked(calibration: &Calibration, body: &ContextBody) -> Result<CandidateContext, Refusal> {
    let mut wrong: Vec<FieldError> = Vec::new();
    let cv = text::optional_prose("cv_text", &body.cv_text, limit::CV_BYTES_MAX);
    let job = text::optional_prose(
        "job_description",
        &body.job_description,
        limit::JOB_DESCRIPTION_BYTES_MAX,
    );
    let role = text::optional_name("target_role", Some(&body.target_role));
    wrong.extend(cv.as_ref().err().cloned());
    wrong.extend(job.as_ref().err().cloned());
    wrong.extend(role.as_ref().err().cloned());
    wrong.extend(check_mode(calibration, Some(&body.mode)).err());
    if !(1..=3).contains(&body.assist_intensity) {
        wrong.push(text::wrong("assist_intensity", "must be 1, 2 or 3"));
    }
    match (cv, job, role, wrong.is_empty()) {
        (Ok(cv_text), Ok(job_description), Ok(target_role), true) => Ok(CandidateContext {
            cv_text,
            job_description,
            target_role: target_role.unwrap_or_default(),
            mode: if body.mode.is_empty() { "general".to_owned() } else { body.mode.clone() },
            assist_intensity: body.assist_intensity,
        }),
        _ => Err(Refusal::fields(wrong)),
    }
}

/// A mode that the calibration knows, or a mix of them; none at all means the default weights.
pub(super) fn check_mode(
    calibration: &Calibration,
    mode: Option<&str>,
) -> Result<Option<String>, FieldError> {
    match mode.map(str::trim) {
        None | Some("") => Ok(None),
        Some(mode) => match calibration.check_mode(mode) {
            Ok(()) => Ok(Some(mode.to_owned())),
            Err(why) => Err(text::wrong("mode", &why)),
        },
    }
}
