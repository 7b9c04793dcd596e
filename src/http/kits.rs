//! Question kits and modes.

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::domain::command::{Command, Outcome};
use crate::domain::kit::Kit;
use crate::domain::refusal::Refusal;
use crate::store::query;

use super::app::Shared;
use super::body::Write;
use super::error::Error;

/// A mode or a mix of them to describe.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ModesQuery {
    mode: Option<String>,
    #[serde(rename = "stale")]
    _stale: Option<String>,
}

pub(super) async fn modes(
    State(app): State<Shared>,
    Query(query): Query<ModesQuery>,
) -> Result<Json<Value>, Error> {
    let engine = app.engine_in_force().await?;
    let calibration = engine.calibration();
    let mut modes = json!({
        "items": calibration.modes(), "next": null, "calibration": calibration.id(),
        "weights": calibration.weights_by_name(None),
    });
    if let Some(mode) = query.mode {
        calibration.check_mode(&mode).map_err(|why| Refusal::field("mode", why))?;
        modes["mix"] = json!({
            "mode": mode,
            "weights": calibration.weights_by_name(Some(&mode)),
            "changes": calibration.changes(&mode),
        });
    }
    Ok(Json(modes))
}

pub(super) async fn list(State(app): State<Shared>) -> Result<Json<Value>, Error> {
    let own = app.replica.read(query::kit::list).await?;
    let items: Vec<Value> = app
        .kits
        .iter()
        .map(|kit| view(kit, true))
        .chain(own.iter().map(|kit| view(kit, false)))
        .collect();
    Ok(Json(json!({"items": items, "next": null})))
}

pub(super) async fn show(
    State(app): State<Shared>,
    Path(id): Path<String>,
) -> Result<Json<Value>, Error> {
    let (kit, built_in) = find(&app, &id).await?.ok_or_else(|| Refusal::not_found("kit"))?;
    Ok(Json(view(&kit, built_in)))
}

pub(super) async fn create(
    State(app): State<Shared>,
    write: Write<Kit>,
) -> Result<Response, Error> {
    // A kit names who wrote it.
    write.caller.person()?;
    let id = write.body.id.clone();
    let command = async || {
        if find(&app, &id).await?.is_some() {
            return Err(Refusal::conflict("there is a kit with this id; PUT changes it").into());
        }
        put(&write.body)
    };
    let done = write.run(&app, command).await?;
    let body = stored(&app, &done.outcome).await?;
    Ok(done.response(StatusCode::CREATED, Json(body)))
}

pub(super) async fn replace(
    State(app): State<Shared>,
    Path(id): Path<String>,
    write: Write<Kit>,
) -> Result<Response, Error> {
    write.caller.person()?;
    let command = async || match find(&app, &id).await? {
        None => Err(Refusal::not_found("kit").into()),
        Some((_, true)) => {
            let detail = "a built-in kit cannot be changed; POST it under an id of your own";
            Err(Refusal::conflict(detail).into())
        }
        Some((_, false)) if write.body.id != id => {
            Err(Refusal::field("id", "must be the id in the path").into())
        }
        Some((_, false)) => put(&write.body),
    };
    let done = write.run(&app, command).await?;
    let body = stored(&app, &done.outcome).await?;
    Ok(done.response(StatusCode::OK, Json(body)))
}

/// The kit with this id, and whether it is a built-in one.
pub(super) async fn find(app: &Shared, id: &str) -> Result<Option<(Kit, bool)>, Error> {
    if let Some(kit) = app.kits.iter().find(|kit| kit.id == id) {
        return Ok(Some((kit.clone(), true)));
    }
    let id = id.to_owned();
    let own = app.replica.read(move |db| query::kit::newest(db, &id)).await?;
    Ok(own.map(|kit| (kit, false)))
}

fn put(kit: &Kit) -> Result<Command, Error> {
    kit.check().map_err(Refusal::fields)?;
    Ok(Command::PutKit { kit: Box::new(kit.clone()) })
}

async fn stored(app: &Shared, outcome: &Outcome) -> Result<Value, Error> {
    let gone = || Refusal::not_found("kit");
    let Outcome::Kit { id, version } = outcome else { return Err(gone().into()) };
    let (id, version) = (id.clone(), *version);
    // This version and not the newest: a repeated request is told what it made.
    let kit = app.replica.read(move |db| query::kit::version(db, &id, version)).await?;
    Ok(view(&kit.ok_or_else(gone)?, false))
}

fn view(kit: &Kit, built_in: bool) -> Value {
    let mut view = json!(kit);
    view["built_in"] = built_in.into();
    view
}
