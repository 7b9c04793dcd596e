//! Feeding a connection from the store: a resume that the ring cannot serve, or a reader that fell
//! behind.

use tokio::sync::mpsc;

use crate::cluster::Replica;
use crate::domain::id::{ConnectionId, InterviewId};
use crate::domain::limit;
use crate::store::query;

use super::member::closing;
use super::outbox::Outbox;
use super::protocol::Bye;
use super::task::Input;

/// Sends the events after `cursor` up to `upto`, at the reader's pace, and then tells the room.
pub(super) async fn run(
    replica: Replica,
    interview: InterviewId,
    connection: ConnectionId,
    mut cursor: u64,
    upto: u64,
    outbox: Outbox,
    room: mpsc::Sender<Input>,
) {
    while cursor < upto {
        let read = move |db: &query::Connection| {
            query::event::after(db, interview, cursor, limit::EVENTS_PAGE)
        };
        let page = match replica.read(read).await {
            Ok(page) => page,
            Err(fault) => {
                tracing::error!(%fault, %interview, "a member could not be fed from the store");
                outbox.close(closing(Bye::LeaderChanged, Some(1_000)));
                return;
            }
        };
        if page.is_empty() {
            break;
        }
        for event in page.iter().take_while(|event| event.seq <= upto) {
            let frame = event.json("\"type\":\"event\",").into();
            if outbox.event_when_room(frame).await.is_err() {
                return;
            }
            cursor = event.seq;
        }
    }
    let _ = room.send(Input::CaughtUp(connection, cursor)).await;
}
