//! Health, metrics, keys: what machines ask.

use axum::Json;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::Value;

use crate::cluster::Seat;
use crate::domain::refusal::{Code, Refusal};
use crate::telemetry::metrics::MEDIA_TYPE;

use super::app::Shared;
use super::caller::{Caller, ThroughOperatorSocket, bearer};
use super::error::Error;
use super::serve::Peer;

pub(super) async fn livez() -> &'static str {
    "[+]node ok\n"
}

pub(super) async fn readyz(State(app): State<Shared>) -> Result<Response, Error> {
    let status = app.replica.status();
    let mut lines = String::new();
    let mut ready = true;
    let mut line = |ok: bool, what: &str| {
        let mark = if ok { "[+]" } else { "[-]" };
        let word = if ok { "ok" } else { "not ready" };
        lines.push_str(&format!("{mark}{what} {word}\n"));
        ready &= ok;
    };
    line(!app.is_stopping(), "node");
    line(app.replica.seat() != Seat::Nowhere, "leader");
    line(status.stopped.is_none() && !app.replica.is_nearly_full(), "store");
    if !app.look_whether_set_up().await? {
        // Setup is for people to do; the node itself is ready for it.
        lines.push_str("[-]setup needed\n");
    }
    let code = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    Ok((code, lines).into_response())
}

/// For a collector on this machine, an admin, or whoever has the token of `metrics.token_file`.
pub(super) async fn metrics(
    State(app): State<Shared>,
    caller: Caller,
    request: Request,
) -> Result<Response, Error> {
    let peer = request.extensions().get::<ConnectInfo<Peer>>();
    let local = peer.is_some_and(|ConnectInfo(peer)| peer.is_loopback())
        || request.extensions().get::<ThroughOperatorSocket>().is_some();
    let admin = matches!(&caller, Caller::Person(person, _)
        if person.role == crate::domain::person::Role::Admin);
    if !local && !admin && !has_token(&app, &request) {
        let detail = "metrics are for this machine, an admin, or the token of metrics.token_file";
        return Err(Refusal::new(Code::AuthMissing, detail).into());
    }
    let status = app.replica.status();
    app.metrics.leader.set(i64::from(status.leader));
    app.metrics.term.set(status.term as i64);
    app.metrics.replication_lag_entries.set(status.lag_entries as i64);
    Ok(([(header::CONTENT_TYPE, MEDIA_TYPE)], app.metrics.encode()).into_response())
}

pub(super) async fn jwks(State(app): State<Shared>) -> Result<Json<Value>, Error> {
    app.renew_keys().await?;
    Ok(Json(app.secrets.jwks(app.replica.now())))
}

fn has_token(app: &Shared, request: &Request) -> bool {
    let Some(expected) = &app.metrics_token else { return false };
    // Hashes, so that the comparison's time tells nothing about the token.
    bearer(request.headers()).is_some_and(|sent| {
        crate::auth::secret::hash_token(sent) == crate::auth::secret::hash_token(expected)
    })
}
