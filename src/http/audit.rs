//! The audit log, for admins and the operator, and what is written into it from here.

use std::time::Instant;

use axum::Json;
use axum::extract::{Query, State};
use axum::http::Extensions;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::auth::rate::Network;
use crate::domain::command::{Command, ENVELOPE_VERSION, Envelope, Outcome, Witnessed};
use crate::domain::limit;
use crate::domain::refusal::Refusal;
use crate::store::query::{self, audit};

use super::address;
use super::app::Shared;
use super::caller::Caller;
use super::error::Error;
use super::layers::RequestId;

/// Which rows.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AuditQuery {
    limit: Option<usize>,
    /// Before this one, the newest first.
    cursor: Option<i64>,
    /// Behind this one, in order: for whoever follows the log.
    after: Option<i64>,
    /// Only of this kind.
    action: Option<String>,
    #[serde(rename = "stale")]
    _stale: Option<String>,
}

/// Rows: the newest first, or with `after` in their order.
pub(super) async fn show(
    State(app): State<Shared>,
    Query(wanted): Query<AuditQuery>,
) -> Result<Json<Value>, Error> {
    let most = match wanted.limit {
        Some(0) => return Err(Refusal::field("limit", "must be at least 1").into()),
        Some(most) => most.min(limit::AUDIT_PAGE_ITEMS_MAX),
        None => limit::PAGE_ITEMS,
    };
    let read = move |db: &query::Connection| match wanted.after {
        Some(after) => audit::entries(db, after, most),
        None => {
            let before = wanted.cursor.unwrap_or(i64::MAX);
            audit::newest(db, before, wanted.action.as_deref(), most)
        }
    };
    let items = app.replica.read(read).await?;
    let full = items.len() == most;
    let next = items.last().filter(|_| full).map(|entry| entry.seq.to_string());
    Ok(Json(json!({"items": items, "next": next})))
}

/// Writes down that somebody has taken something away.
pub(super) async fn witness(
    app: &Shared,
    caller: &Caller,
    extensions: &Extensions,
    what: Witnessed,
    subject: String,
) -> Result<(), Error> {
    let envelope = Envelope {
        v: ENVELOPE_VERSION,
        at: app.replica.now(),
        by: caller.person_id(),
        request_id: extensions.get::<RequestId>().map(|id| id.0.clone()),
        from: address::network(extensions),
        once: None,
        command: Command::Witness { what, subject },
    };
    match app.replica.propose(envelope).await? {
        // Data of an earlier level have no such row; what was asked for is given all the same.
        Outcome::Refused { refusal } => {
            tracing::warn!(%refusal, action = what.as_str(), "this is not in the audit log");
            Ok(())
        }
        _ => Ok(()),
    }
}

/// Writes down that a sign-in failed, unless there were many: beside the request, whose time must
/// not tell whether the account exists.
pub(super) fn failed(app: &Shared, extensions: &Extensions, from: Network, email: String) {
    let (app, extensions) = (app.clone(), extensions.clone());
    tokio::spawn(async move {
        let found = app.replica.read(move |db| query::person::by_email(db, &email)).await;
        let account = match found {
            Ok(found) => found.map(|(person, _)| person.id),
            Err(fault) => {
                tracing::warn!(%fault, "a sign-in that failed is not in the audit log");
                return;
            }
        };
        if !app.failures.count(account, from, Instant::now()) {
            return;
        }
        let subject = account.map_or_else(|| "unknown".to_owned(), |id| id.to_string());
        let what = Witnessed::SignInFailed;
        if let Err(error) = witness(&app, &Caller::Anonymous, &extensions, what, subject).await {
            tracing::warn!(?error, "a sign-in that failed is not in the audit log");
        }
    });
}
