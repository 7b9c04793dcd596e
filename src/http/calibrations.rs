//! Calibrations: taken in once, never changed, activated, compared.

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use crate::domain::command::Command;
use crate::domain::refusal::Refusal;
use crate::domain::text;
use crate::insight::calibration::drift::{self, Drift, Stored};
use crate::insight::calibration::{built_in, golden};
use crate::insight::{AnswerInput, Calibration, Engine};
use crate::room::calibrations::effective_mode;
use crate::store::{Fault, query};

use super::app::Shared;
use super::body::{Empty, Write};
use super::error::Error;

/// A calibration to take in.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CalibrationBody {
    /// The version's name; the file says the same.
    version: String,
    /// The file.
    toml: String,
}

/// What to compare against.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct DriftQuery {
    against: Option<String>,
    #[serde(rename = "stale")]
    _stale: Option<String>,
}

/// Activations that the list shows: enough to see the way back.
const ACTIVATIONS_SHOWN: usize = 20;

pub(super) async fn list(State(app): State<Shared>) -> Result<Json<Value>, Error> {
    let active = version_in_force(&app).await?;
    let stored = app.replica.read(query::calibration::list).await?;
    let activations =
        app.replica.read(|db| query::calibration::activations(db, ACTIVATIONS_SHOWN)).await?;
    let built_in = built_in::all();
    let items = built_in
        .iter()
        .map(of_binary)
        .chain(stored.iter().map(of_state))
        .map(|view| marked(view, &active))
        .collect::<Vec<_>>();
    let activations = activations
        .iter()
        .map(|one| json!({"version": one.version, "at": one.at, "by": one.by}))
        .collect::<Vec<_>>();
    Ok(Json(json!({
        "items": items, "next": null, "active": active, "activations": activations,
    })))
}

pub(super) async fn show(
    State(app): State<Shared>,
    Path(version): Path<String>,
) -> Result<Json<Value>, Error> {
    Ok(Json(view(&app, &version).await?))
}

pub(super) async fn create(
    State(app): State<Shared>,
    write: Write<CalibrationBody>,
) -> Result<Response, Error> {
    let CalibrationBody { version, toml } = &write.body;
    let command = async || {
        let calibration =
            Calibration::parse(toml).map_err(|error| Refusal::field("toml", error.to_string()))?;
        let id = calibration.id().clone();
        if id.version != *version {
            let detail = format!("the file says {}; both must be the same", id.version);
            return Err(text::wrong("version", detail).into());
        }
        if built_in::find(version).is_some() {
            let detail = format!("{version} is built in, and no calibration ever changes");
            return Err(Refusal::conflict(detail).into());
        }
        let golden = golden::snapshot(&app.engine.under(calibration));
        let golden = serde_json::to_string(&golden)
            .map_err(|e| Fault::new("a snapshot cannot be written", e))?;
        let (version, toml) = (version.clone(), toml.clone());
        Ok(Command::PutCalibration { version, sha256: id.sha256, toml, golden })
    };
    let done = write.run(&app, command).await?;
    // As it was then: a repeated request is told the same, whatever was activated since.
    let mut view = view(&app, version).await?;
    view["active"] = false.into();
    Ok(done.response(StatusCode::CREATED, Json(view)))
}

pub(super) async fn activate(
    State(app): State<Shared>,
    Path(version): Path<String>,
    write: Write<Empty>,
) -> Result<Response, Error> {
    let command = async || {
        engine(&app, &version).await?;
        Ok(Command::ActivateCalibration { version: version.clone() })
    };
    let done = write.run(&app, command).await?;
    let mut view = view(&app, &version).await?;
    view["active"] = true.into();
    Ok(done.response(StatusCode::OK, Json(view)))
}

/// What would change with this calibration, against another one or the one in force.
pub(super) async fn drift(
    State(app): State<Shared>,
    Path(version): Path<String>,
    Query(query): Query<DriftQuery>,
) -> Result<Json<Drift>, Error> {
    let to = engine(&app, &version).await?;
    let from = match &query.against {
        Some(against) => engine(&app, against).await?,
        None => app.engine_in_force().await?,
    };
    let read =
        |db: &query::Connection| query::interview::newest_answers(db, drift::ANSWERS_MAX + 1);
    let mut answers = app.replica.read(read).await?;
    let truncated = answers.len() > drift::ANSWERS_MAX;
    answers.truncate(drift::ANSWERS_MAX);
    // Seconds of work in all: not on a thread that others wait for.
    let compare = move || {
        let stored: Vec<Stored> = answers.into_iter().map(of_answer).collect();
        drift::compare(&from, &to, &stored, truncated)
    };
    let drift = tokio::task::spawn_blocking(compare)
        .await
        .map_err(|e| Fault::new("the comparison broke", e))?;
    Ok(Json(drift))
}

fn of_answer(answer: query::interview::WholeAnswer) -> Stored {
    let input = AnswerInput {
        question: Some(answer.question),
        answer: answer.text,
        mode: effective_mode(answer.kind, answer.mode.as_deref()),
        duration_s: answer.duration,
        words: answer.words,
        ..AnswerInput::default()
    };
    Stored { input, then: answer.analysis }
}

async fn version_in_force(app: &Shared) -> Result<String, Error> {
    let version = app.replica.read(query::calibration::in_force).await?;
    Ok(version.unwrap_or_else(|| app.engine.calibration().id().version.clone()))
}

async fn engine(app: &Shared, version: &str) -> Result<Engine, Error> {
    let calibrations = app.analyst.calibrations.clone();
    let wanted = version.to_owned();
    let found = app.replica.read(move |db| calibrations.find(db, &wanted)).await?;
    let unknown = || Refusal::not_found(&format!("calibration {}", shortened(version)));
    found.ok_or_else(|| unknown().into())
}

fn shortened(version: &str) -> String {
    version.chars().take(40).collect()
}

async fn view(app: &Shared, version: &str) -> Result<Value, Error> {
    let active = version_in_force(app).await?;
    let wanted = version.to_owned();
    let stored = app.replica.read(move |db| query::calibration::find(db, &wanted)).await?;
    let (mut view, toml, golden) = match stored {
        Some(stored) => {
            let golden: Value = serde_json::from_str(&stored.golden)
                .map_err(|e| Fault::new("a stored snapshot cannot be read", e))?;
            (of_state(&stored), stored.toml, golden)
        }
        None => {
            let found = built_in::find(version);
            let calibration = found.ok_or_else(|| {
                Refusal::not_found(&format!("calibration {}", shortened(version)))
            })?;
            let (view, toml) = (of_binary(&calibration), calibration.source().to_owned());
            (view, toml, json!(golden::snapshot(&app.engine.under(calibration))))
        }
    };
    if let Ok(calibration) = Calibration::parse(&toml) {
        view["weights"] = json!(calibration.weights_by_name(None));
        view["modes"] = json!(calibration.modes());
    }
    view["toml"] = toml.into();
    view["golden"] = golden;
    Ok(marked(view, &active))
}

fn of_binary(calibration: &Calibration) -> Value {
    let id = calibration.id();
    json!({
        "version": id.version, "sha256": id.sha256, "built_in": true, "by": null, "at": null,
        "usable": true,
    })
}

fn of_state(stored: &query::calibration::Stored) -> Value {
    json!({
        "version": stored.version, "sha256": stored.sha256, "built_in": false, "by": stored.by,
        "at": stored.at,
        // One that was written for another engine stays as a record and weighs nothing any more.
        "usable": Calibration::parse(&stored.toml).is_ok(),
    })
}

fn marked(mut view: Value, active: &str) -> Value {
    view["active"] = (view["version"] == active).into();
    view
}
