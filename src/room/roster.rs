//! Who is connected to a room, and how far each connection has come.
//!
//! A connection is a cursor, not a queue: while it is `live` events are handed to it as they come;
//! once its way out is full it is fed from the store instead, at its own pace, until it has caught
//! up. It loses nothing, it costs a bounded amount of memory, and nobody waits for it.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::domain::id::{ConnectionId, PersonId, SessionId};
use crate::domain::interview::Part;

use super::gate::SharedRate;
use super::member::closing;
use super::outbox::{NotTaken, Outbox, Subject};
use super::protocol::Bye;

/// One connection.
pub(super) struct Connection {
    pub(super) person: PersonId,
    pub(super) session: Option<SessionId>,
    /// The last event that was handed to it.
    pub(super) cursor: u64,
    /// Whether it takes events as they come.
    pub(super) live: bool,
    /// How much help it wants.
    pub(super) assist_intensity: u8,
    pub(super) outbox: Outbox,
    /// How fast this person may send, over all sockets.
    pub(super) rate: SharedRate,
}

/// All connections of a room.
#[derive(Default)]
pub(super) struct Roster {
    connections: BTreeMap<ConnectionId, Connection>,
}

impl Roster {
    pub(super) fn insert(&mut self, id: ConnectionId, connection: Connection) {
        self.connections.insert(id, connection);
    }

    pub(super) fn remove(&mut self, id: ConnectionId) -> Option<Connection> {
        self.connections.remove(&id)
    }

    pub(super) fn get(&self, id: ConnectionId) -> Option<&Connection> {
        self.connections.get(&id)
    }

    pub(super) fn get_mut(&mut self, id: ConnectionId) -> Option<&mut Connection> {
        self.connections.get_mut(&id)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.connections.is_empty()
    }

    pub(super) fn of_person(&self, person: PersonId) -> usize {
        self.connections.values().filter(|c| c.person == person).count()
    }

    /// Whether somebody is here.
    pub(super) fn has(&self, person: PersonId) -> bool {
        self.connections.values().any(|c| c.person == person)
    }

    /// How fast somebody may send who is here already.
    pub(super) fn rate_of(&self, person: PersonId) -> Option<SharedRate> {
        let mut connections = self.connections.values();
        connections.find(|c| c.person == person).map(|c| c.rate.clone())
    }

    /// Takes how much help somebody wants, for all connections of that person.
    pub(super) fn assist(&mut self, person: PersonId, intensity: u8) {
        for connection in self.connections.values_mut().filter(|c| c.person == person) {
            connection.assist_intensity = intensity;
        }
    }

    /// Hands an event to every live connection; gives back those that are full now.
    pub(super) fn hand_out(&mut self, seq: u64, frame: &Arc<str>) -> Vec<ConnectionId> {
        let mut full = Vec::new();
        for (id, connection) in &mut self.connections {
            if !connection.live {
                continue;
            }
            match connection.outbox.event(frame.clone()) {
                Ok(()) => connection.cursor = seq,
                Err(NotTaken::Full) => {
                    connection.live = false;
                    full.push(*id);
                }
                // Its reader is gone; its `Leave` is on the way.
                Err(NotTaken::Closed) => {}
            }
        }
        full
    }

    /// Sends an ephemeral frame to those that the filter picks; a slow one may not get it.
    pub(super) fn whisper(
        &self,
        subject: Subject,
        frame: &Arc<str>,
        pick: impl Fn(ConnectionId, &Connection) -> bool,
    ) {
        for (id, connection) in &self.connections {
            if pick(*id, connection) {
                connection.outbox.ephemeral(subject, frame.clone());
            }
        }
    }

    /// Sends a frame that has no `seq` and may not get lost to those that the filter picks. Whoever
    /// has no room for it is closed, and reads what it missed when it is back.
    pub(super) fn tell(&self, frame: &Arc<str>, pick: impl Fn(ConnectionId, &Connection) -> bool) {
        for (id, _) in self.connections.iter().filter(|(id, c)| pick(**id, c)) {
            self.answer(*id, frame.clone());
        }
    }

    /// Answers one connection. If there is no room for an answer it is closed: it must not believe
    /// that its frame was lost while it was not.
    pub(super) fn answer(&self, id: ConnectionId, frame: impl Into<Arc<str>>) {
        if let Some(connection) = self.connections.get(&id)
            && connection.outbox.answer(frame.into()) == Err(NotTaken::Full)
        {
            connection.outbox.close(closing(Bye::SlowReader, Some(1_000)));
        }
    }

    /// Says goodbye to those that the filter picks and forgets them; whether there were any.
    pub(super) fn dismiss(
        &mut self,
        why: Bye,
        retry_after_ms: impl Fn() -> Option<u64>,
        pick: impl Fn(&Connection) -> bool,
    ) -> bool {
        let before = self.connections.len();
        self.connections.retain(|_, connection| {
            if !pick(connection) {
                return true;
            }
            connection.outbox.close(closing(why, retry_after_ms()));
            false
        });
        self.connections.len() < before
    }

    /// Says goodbye to all of somebody's connections but those of one login.
    pub(super) fn dismiss_person(&mut self, person: PersonId, but: Option<SessionId>) -> bool {
        let goes = |c: &Connection| c.person == person && (but.is_none() || c.session != but);
        self.dismiss(Bye::SessionEnded, || None, goes)
    }

    /// Who is here, with the number of sockets of each.
    pub(super) fn present(
        &self,
        members: &BTreeMap<PersonId, Part>,
    ) -> BTreeMap<PersonId, (Part, usize)> {
        let mut present = BTreeMap::new();
        for connection in self.connections.values() {
            if let Some(part) = members.get(&connection.person) {
                present.entry(connection.person).or_insert((*part, 0)).1 += 1;
            }
        }
        present
    }
}
