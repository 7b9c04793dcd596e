//! What a speaker sees while speaking: meters and hints, in a practice only.
//!
//! **Invariant:** in a live interview this is never asked: nobody is coached there.

use std::collections::BTreeMap;
use std::time::Instant;

use serde_json::json;

use crate::domain::id::QuestionId;
use crate::domain::interview::Kind;
use crate::domain::limit;
use crate::domain::person::CandidateContext;
use crate::domain::room::Room;
use crate::insight::coach::{Partial, Shown, next_hint};
use crate::insight::{AnswerInput, Engine};
use crate::store::{Fault, query};

use super::protocol;

/// What one practice's person was told and has said.
pub(super) struct Coach {
    /// Hints count their time from here.
    began: Instant,
    /// How much help the person wants where a connection has not said otherwise.
    pub(super) intensity: u8,
    /// The newest answers, oldest first.
    earlier: Vec<String>,
    /// What was hinted at on each question of the room: bounded by its questions and the engine's
    /// rules.
    shown: BTreeMap<Option<QuestionId>, Vec<Shown>>,
}

/// The meters of a text as a frame.
pub(super) fn meters(engine: &Engine, room: &Room, on: Option<QuestionId>, text: &str) -> String {
    let signals = engine.meters(&input(room, on, text));
    let mut frame = json!({"type": "meters", "signals": signals});
    if let Some(question) = on {
        frame["question_id"] = json!(question);
    }
    frame.to_string()
}

impl Coach {
    /// What the store knows of the practice's person; of a live interview nothing is asked.
    pub(super) fn read(db: &query::Connection, room: &Room) -> Result<Coach, Fault> {
        let mut coach = Coach {
            began: Instant::now(),
            intensity: CandidateContext::blank().assist_intensity,
            earlier: Vec::new(),
            shown: BTreeMap::new(),
        };
        if room.plan.kind == Kind::Practice {
            if let Some(context) = query::person::context(db, room.plan.owner)? {
                coach.intensity = context.assist_intensity;
            }
            for answer in query::interview::answers(db, room.plan.id)? {
                coach.heard(&answer.text);
            }
        }
        Ok(coach)
    }

    /// Takes an answer that later ones may not fit.
    pub(super) fn heard(&mut self, answer: &str) {
        if self.earlier.len() == limit::HINT_EARLIER_MAX {
            self.earlier.remove(0);
        }
        self.earlier.push(answer.to_owned());
    }

    /// The next hint as a frame, if one is due.
    pub(super) fn hint(
        &mut self,
        engine: &Engine,
        room: &Room,
        on: Option<QuestionId>,
        text: &str,
        intensity: u8,
    ) -> Option<String> {
        let question = on.and_then(|id| room.question(id));
        let on = question.map(|question| question.id);
        let now_ms = self.began.elapsed().as_millis() as u64;
        let question = question.map(|question| question.text.as_str());
        let partial = Partial { question, text, earlier: &self.earlier };
        let shown = self.shown.entry(on).or_default();
        let prompt = next_hint(engine, &partial, shown, intensity, now_ms)?;
        shown.push(Shown { rule: prompt.rule, at_ms: now_ms });
        Some(protocol::hint(on, &prompt))
    }
}

fn input(room: &Room, on: Option<QuestionId>, text: &str) -> AnswerInput {
    AnswerInput {
        question: on.and_then(|id| room.question(id)).map(|question| question.text.clone()),
        answer: text.to_owned(),
        role: room.plan.role.clone(),
        mode: room.plan.mode.clone(),
        ..AnswerInput::default()
    }
}
