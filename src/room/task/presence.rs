//! Who is here, told to everybody who is.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::json;
use tokio::time::Instant;

use super::Task;
use crate::domain::id::PersonId;
use crate::domain::limit;
use crate::room::outbox::Subject;

/// How a connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Parting {
    /// It broke, or its other side closed it: somebody may be on the way back.
    Broke,
    /// We closed it.
    SentAway,
}

/// When it was told, and when it will be.
#[derive(Default)]
pub(super) struct Presence {
    told: Option<Instant>,
    /// Something has changed since.
    changed: Option<Instant>,
    /// People whose last connection broke, and until when they may be on their way back. A page
    /// that reconnects takes about a second; the others need not see somebody go and come.
    away: BTreeMap<PersonId, Instant>,
}

impl Presence {
    /// When it has to be told next.
    pub(super) fn due(&self) -> Option<Instant> {
        self.changed.into_iter().chain(self.away.values().copied()).min()
    }
}

impl Task {
    /// Tells it at once, or after a pause if it was told a moment ago: when five hundred people
    /// come in one second, each list of five hundred would go to all of them five hundred times.
    pub(super) fn presence_changed(&mut self) {
        let pause = Duration::from_millis(limit::PRESENCE_MS);
        match self.presence.told.map(|told| told + pause) {
            Some(next) if next > Instant::now() => {
                self.presence.changed.get_or_insert(next);
            }
            _ => self.tell_presence(),
        }
    }

    /// A connection of somebody is gone.
    pub(super) fn left(&mut self, person: PersonId, parting: Parting) {
        if parting == Parting::Broke && !self.roster.has(person) {
            let until = Instant::now() + Duration::from_secs(limit::AWAY_SECONDS);
            self.presence.away.insert(person, until);
        }
        self.presence_changed();
    }

    pub(super) fn tell_presence(&mut self) {
        let now = Instant::now();
        let (roster, members) = (&self.roster, &self.room.members);
        self.presence.away.retain(|person, until| {
            *until > now && !roster.has(*person) && members.contains_key(person)
        });
        self.presence.told = Some(now);
        self.presence.changed = None;
        let people: Vec<_> = roster
            .present(members)
            .into_iter()
            .map(|(person, (part, sockets))| {
                json!({"person_id": person, "part": part, "sockets": sockets})
            })
            .collect();
        let away: Vec<_> = (self.presence.away.keys())
            .filter_map(|person| {
                let part = members.get(person)?;
                Some(json!({"person_id": person, "part": part}))
            })
            .collect();
        let frame = json!({"type": "presence", "people": people, "away": away}).to_string();
        self.roster.whisper(Subject::Presence, &frame.into(), |_, _| true);
    }
}
