//! All that can happen to a room, from outside of it.

use tokio::sync::oneshot;

use super::presence::Parting;
use crate::auth::ticket::Holder;
use crate::domain::id::{ConnectionId, PersonId, SessionId};
use crate::domain::room::Room;
use crate::room::gate::SharedRate;
use crate::room::outbox::Outbox;
use crate::room::protocol::ClientFrame;

/// All that can happen to a room.
pub(in crate::room) enum Input {
    /// Somebody wants in.
    Join(Join),
    /// A connection is gone; whether it broke, or we sent it away.
    Leave(ConnectionId, Parting),
    /// A connection sent a frame.
    Frame(ConnectionId, ClientFrame),
    /// A connection that was fed from the store has everything up to here.
    CaughtUp(ConnectionId, u64),
    /// A login ended.
    SessionEnded(SessionId),
    /// An account was closed, or only this login of it is left.
    PersonGone(PersonId, Option<SessionId>),
    /// Somebody wants so much help from now on, on every device.
    Assist(PersonId, u8),
    /// Somebody says whether their words may be kept.
    Consent(PersonId, bool),
    /// Something was erased: this is the room as it is now, if there still is one.
    Erased(Option<Box<Room>>),
    /// The node stops.
    Drain,
}

/// Somebody who wants in.
pub(in crate::room) struct Join {
    pub(in crate::room) holder: Holder,
    pub(in crate::room) after: Option<u64>,
    pub(in crate::room) outbox: Outbox,
    pub(in crate::room) joined: oneshot::Sender<Option<(ConnectionId, SharedRate)>>,
}
