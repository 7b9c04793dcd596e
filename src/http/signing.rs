//! The keys that sign access tokens: how old they are, and another one.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use crate::jobs::keys;
use crate::store::{Fault, query};

use super::app::Shared;
use super::body::Write;
use super::error::Error;

/// How to change the key.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RotateBody {
    /// Whether tokens of the former key end now, because somebody else may have it.
    #[serde(default)]
    at_once: bool,
}

pub(super) async fn show(State(app): State<Shared>) -> Result<Json<Value>, Error> {
    Ok(Json(view(&app).await?))
}

pub(super) async fn rotate(
    State(app): State<Shared>,
    write: Write<RotateBody>,
) -> Result<Response, Error> {
    app.renew_keys().await?;
    let (former, at_once) = (app.secrets.public_key(), write.body.at_once);
    let now = app.replica.now();
    let command = async || {
        let made = keys::command(former, now, at_once);
        Ok(made.map_err(|e| Fault::new("a new key cannot be made", e))?)
    };
    let done = write.run(&app, command).await?;
    app.renew_keys().await?;
    Ok(done.response(StatusCode::OK, Json(view(&app).await?)))
}

async fn view(app: &Shared) -> Result<Value, Error> {
    app.renew_keys().await?;
    let keys = app.replica.read(query::keys::keys).await?;
    let set = app.secrets.jwks(app.replica.now());
    let ids: Vec<&Value> =
        set["keys"].as_array().into_iter().flatten().map(|key| &key["kid"]).collect();
    Ok(json!({
        "kid": ids.first(),
        "made_at": keys.map(|keys| keys.made_at),
        "former": ids.get(1..).unwrap_or_default(),
    }))
}
