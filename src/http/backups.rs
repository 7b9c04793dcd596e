//! Backups, for admins and the operator: one to take away, and those that the node keeps.

use std::io::Read;
use std::time::Duration;

use axum::Json;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{Extensions, StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use serde_json::{Value, json};
use tokio::sync::mpsc;

use crate::cluster::Seat;
use crate::domain::command::Witnessed;
use crate::domain::limit;
use crate::domain::refusal::Refusal;
use crate::jobs::backup::NotMade;
use crate::store::backup::shelf::Kept;

use super::app::Shared;
use super::audit;
use super::body::{self, Empty, Write};
use super::caller::Caller;
use super::error::Error;

/// What the paths of these routes begin with: they may take as long as the state is large.
pub(super) const SLOW: &str = "/api/v1/admin/backup";

/// Bytes that are sent in one go, and pieces that wait for the reader.
const PIECE: usize = 256 << 10;
const PIECES_WAITING_MAX: usize = 4;

/// The state of this node as it is now, as a file.
pub(super) async fn download(
    State(app): State<Shared>,
    caller: Caller,
    extensions: Extensions,
) -> Result<Response, Error> {
    // Only who leads can write it down; any node gives its backup, even one that is cut off.
    if app.replica.seat() == Seat::Here {
        let (what, node) = (Witnessed::BackupDownload, app.replica.status().node);
        audit::witness(&app, &caller, &extensions, what, format!("node {node}")).await?;
    }
    let draft = app.backups.draft().await?;
    let (bytes, at) = (draft.bytes(), draft.manifest().created_at);
    // It holds every key: that it was taken has to be seen somewhere.
    tracing::warn!(by = caller.scope().unwrap_or_default(), bytes, "a backup is being downloaded");
    let name = format!("greenroom-{}.backup", at.to_string().replace(':', "-"));
    let headers = [
        (header::CONTENT_TYPE, "application/octet-stream".to_owned()),
        (header::CONTENT_LENGTH, bytes.to_string()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\"")),
        (header::CACHE_CONTROL, "no-store".to_owned()),
    ];
    Ok((headers, stream_of(draft.into_reader())).into_response())
}

/// The scheduled backups of this node.
pub(super) async fn list(State(app): State<Shared>) -> Result<Json<Value>, Error> {
    let items: Vec<Value> = app.backups.list().await?.iter().map(view).collect();
    Ok(Json(json!({"items": items, "next": null, "dir": app.backups.folder()})))
}

/// One more of them, now.
pub(super) async fn create(
    State(app): State<Shared>,
    mut write: Write<Empty>,
) -> Result<Response, Error> {
    let (asked, flight) = (write.key_name(), write.take_flight());
    // It goes on when the caller has gone, and holds the key until it is done.
    let work = tokio::spawn(async move {
        let _flight = flight;
        let again = match &asked {
            Some(asked) => app.backups.asked_before(asked).await?,
            None => None,
        };
        let replayed = again.is_some();
        let make = async || {
            let kept = match again {
                Some(kept) => kept,
                None => app.backups.make(asked).await?,
            };
            Ok(view(&kept))
        };
        let lasts = Duration::from_millis(limit::IDEMPOTENCY_MS.unsigned_abs());
        let (body, known) = write.pass(&app, lasts, make).await?;
        Ok(body::answer(StatusCode::CREATED, Json(body), replayed || known))
    });
    work.await.map_err(|e| crate::store::Fault::new("a backup did not come to its end", e))?
}

fn view(kept: &Kept) -> Value {
    json!({
        "file": kept.file,
        "path": kept.path,
        "created_at": kept.created_at,
        "bytes": kept.bytes,
        "verified": kept.verified,
    })
}

/// The file piece by piece. A reader that takes nothing for a while loses the connection, and sees
/// that the length is not the promised one.
pub(super) fn stream_of(mut reader: impl Read + Send + 'static) -> Body {
    let (sender, receiver) = mpsc::channel::<std::io::Result<Bytes>>(PIECES_WAITING_MAX);
    let handle = tokio::runtime::Handle::current();
    tokio::task::spawn_blocking(move || {
        loop {
            let mut piece = Vec::with_capacity(PIECE);
            let read = reader.by_ref().take(PIECE as u64).read_to_end(&mut piece);
            let (last, piece) = match read {
                Ok(0) => return,
                Ok(_) => (false, Ok(Bytes::from(piece))),
                Err(error) => {
                    tracing::error!(%error, "a file could not be read while it was sent");
                    (true, Err(error))
                }
            };
            let patience = Duration::from_secs(limit::BACKUP_STALL_SECONDS);
            let sent = handle.block_on(sender.send_timeout(piece, patience));
            if sent.is_err() || last {
                return;
            }
        }
    });
    let pieces = stream::unfold(receiver, |mut receiver| async move {
        receiver.recv().await.map(|piece| (piece, receiver))
    });
    Body::from_stream(pieces)
}

impl From<NotMade> for Error {
    fn from(why: NotMade) -> Error {
        match why {
            NotMade::Busy | NotMade::Scrubbing | NotMade::NoRoom { .. } => {
                Refusal::conflict(why.to_string()).into()
            }
            NotMade::Unverified { .. } => Error::Fault(crate::store::Fault::plain(why.to_string())),
            NotMade::Fault(fault) => Error::Fault(fault),
        }
    }
}
