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
    let (now, at_once) = (app.replica.now(), write.body.at_once);
    let command = async || {
        let keys = app.replica.read(query::keys::keys).await?.ok_or_else(unfounded)?;
        let made = keys::command(&keys, now, at_once);
        Ok(made.map_err(|e| Fault::new("a new key cannot be made", e))?)
    };
    let done = write.run(&app, command).await?;
    Ok(done.response(StatusCode::OK, Json(view(&app).await?)))
}

async fn view(app: &Shared) -> Result<Value, Error> {
    let keys = app.replica.read(query::keys::keys).await?.ok_or_else(unfounded)?;
    app.take_over(&keys)?;
    let names = app.secrets.key_names(app.replica.now());
    let next = keys.next.map(|next| json!({"kid": names.next, "made_at": next.made_at}));
    Ok(json!({
        "kid": names.present,
        "made_at": keys.made_at,
        "next": next,
        "former": names.former,
    }))
}

/// Every node has keys before it answers.
fn unfounded() -> Fault {
    Fault::plain("the cluster was not founded")
}
