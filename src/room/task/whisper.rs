//! What is told at once and kept nowhere: text that is being typed, signalling.

use std::sync::Arc;

use serde_json::value::RawValue;

use super::Task;
use crate::domain::id::{ConnectionId, PersonId, QuestionId};
use crate::domain::interview::{Kind, State};
use crate::domain::may::{Action, InRoom, may};
use crate::domain::refusal::{Code, Refusal};
use crate::domain::room;
use crate::room::live;
use crate::room::outbox::Subject;
use crate::room::protocol;

impl Task {
    pub(super) fn partial(
        &mut self,
        from: ConnectionId,
        by: PersonId,
        on: Option<QuestionId>,
        text: &str,
    ) {
        let refusal = match (may(by, Action::Room(InRoom::Say, &self.room)), self.room.state) {
            (Err(refusal), _) => Some(refusal),
            (_, State::Live) if self.declined.contains(&by) => Some(room::declined()),
            (_, State::Live) => None,
            (_, state) if state.is_over() => {
                Some(Refusal::new(Code::RoomClosed, "the interview is over"))
            }
            _ => Some(Refusal::conflict("the interview has not begun; its owner starts it")),
        };
        if let Some(refusal) = refusal {
            self.roster.answer(from, protocol::refused(None, &refusal));
            return;
        }
        // Only a question of this room: what a frame names may be anything.
        self.begun.extend(on.filter(|question| self.room.question(*question).is_some()));
        let frame: Arc<str> = protocol::partial(by, on, text).into();
        self.roster.whisper(Subject::Partial(by), &frame, |id, _| id != from);
        if self.room.plan.kind == Kind::Practice {
            let engine = self.hub.engine().clone();
            let meters: Arc<str> = live::meters(&engine, &self.room, on, text).into();
            self.roster.whisper(Subject::Meters(on), &meters, |_, c| c.person == by);
            let intensity = self.roster.get(from).map_or(0, |c| c.assist_intensity);
            if let Some(hint) = self.coach.hint(&engine, &self.room, on, text, intensity) {
                self.roster.whisper(Subject::Single, &hint.into(), |_, c| c.person == by);
            }
        }
    }

    /// Takes how much help somebody wants; what a connection had set for itself is older.
    pub(super) fn assist(&mut self, person: PersonId, intensity: u8) {
        if self.room.plan.owner == person {
            self.coach.intensity = intensity;
        }
        self.roster.assist(person, intensity);
    }

    pub(super) fn signal(&self, from: ConnectionId, by: PersonId, to: PersonId, data: &RawValue) {
        if self.room.part(to).is_none() {
            let refusal = Refusal::not_found("member");
            self.roster.answer(from, protocol::refused(None, &refusal));
            return;
        }
        let frame = protocol::signal(by, data).into();
        self.roster.whisper(Subject::Single, &frame, |_, c| c.person == to);
    }
}
