//! Who is here, told to everybody who is.

use std::time::Duration;

use serde_json::json;
use tokio::time::Instant;

use super::Task;
use crate::domain::limit;

/// When it was told, and when it will be.
#[derive(Default)]
pub(super) struct Presence {
    told: Option<Instant>,
    /// Something has changed since.
    pub(super) due: Option<Instant>,
}

impl Task {
    /// Tells it at once, or after a pause if it was told a moment ago: when five hundred people
    /// come in one second, each list of five hundred would go to all of them five hundred times.
    pub(super) fn presence_changed(&mut self) {
        let pause = Duration::from_millis(limit::PRESENCE_MS);
        match self.presence.told.map(|told| told + pause) {
            Some(next) if next > Instant::now() => {
                self.presence.due.get_or_insert(next);
            }
            _ => self.tell_presence(),
        }
    }

    pub(super) fn tell_presence(&mut self) {
        self.presence = Presence { told: Some(Instant::now()), due: None };
        let people: Vec<_> = self
            .roster
            .present(&self.room.members)
            .into_iter()
            .map(|(person, (part, sockets))| {
                json!({"person_id": person, "part": part, "sockets": sockets})
            })
            .collect();
        let frame = json!({"type": "presence", "people": people}).to_string();
        self.roster.whisper(&frame.into(), |_, _| true);
    }
}
