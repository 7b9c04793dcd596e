//! What a speaker sees while speaking: meters and hints, in a practice only.
//!
//! **Invariant:** in a live interview this is never asked: nobody is coached there.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use serde_json::json;

use crate::domain::id::{PersonId, QuestionId};
use crate::domain::limit;
use crate::domain::room::Room;
use crate::insight::{AnswerInput, Engine};

/// What was hinted at to whom.
#[derive(Default)]
pub(super) struct Coach {
    last_hint: BTreeMap<PersonId, Instant>,
    given: BTreeSet<(PersonId, Option<QuestionId>, String)>,
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
    /// The next hint, if it is time for one: at most as many on a question as the speaker's
    /// intensity.
    pub(super) fn hint(
        &mut self,
        engine: &Engine,
        room: &Room,
        by: PersonId,
        on: Option<QuestionId>,
        text: &str,
        intensity: u8,
    ) -> Option<String> {
        let now = Instant::now();
        let pause = Duration::from_secs(limit::HINT_SECONDS);
        let too_soon = self.last_hint.get(&by).is_some_and(|at| now.duration_since(*at) < pause);
        let given = self.given.iter().filter(|(p, q, _)| (*p, *q) == (by, on)).count();
        let short = text.split_whitespace().take(limit::HINT_WORDS_MIN).count();
        if too_soon || given >= usize::from(intensity) || short < limit::HINT_WORDS_MIN {
            return None;
        }
        self.last_hint.insert(by, now);
        let hints = engine.analyse(&input(room, on, text)).hints;
        let hint =
            hints.into_iter().find(|hint| !self.given.contains(&(by, on, hint.code.clone())))?;
        self.given.insert((by, on, hint.code.clone()));
        let mut frame = json!({"type": "hint", "code": hint.code, "text": hint.text});
        if let Some(question) = on {
            frame["question_id"] = json!(question);
        }
        Some(frame.to_string())
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
