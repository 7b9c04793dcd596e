//! How much there is of everything, for whoever runs the organisation's node.

use axum::Json;
use axum::extract::State;
use serde_json::{Value, json};

use crate::store::query;

use super::app::Shared;
use super::error::Error;

pub(super) async fn show(State(app): State<Shared>) -> Result<Json<Value>, Error> {
    let stats = app.replica.read(query::stats::stats).await?;
    let mut view = json!(stats);
    view["version"] = env!("CARGO_PKG_VERSION").into();
    Ok(Json(view))
}
