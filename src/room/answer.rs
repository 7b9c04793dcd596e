//! From a wish to an act: ids are minted, and an answer passes through the engine, on the leader,
//! before it is proposed (law I2).

use std::sync::Arc;
use std::time::Instant;

use crate::cluster::{Replica, fresh};
use crate::domain::analysis::{Analysis, TimedWord};
use crate::domain::id::{AnswerId, NoteId, PersonId, QuestionId};
use crate::domain::interview::Kind;
use crate::domain::limit;
use crate::domain::number::Milli;
use crate::domain::refusal::Refusal;
use crate::domain::room::{self, Act, Room};
use crate::insight::{AnswerInput, Engine};
use crate::store::{Fault, query};
use crate::telemetry::metrics::Metrics;

use super::calibrations::{Calibrations, effective_mode};
use super::protocol::Wish;

/// What it takes to analyse an answer.
#[derive(Clone)]
pub struct Analyst {
    /// The state.
    pub replica: Replica,
    /// The engine for what is shown while somebody speaks; no weight enters that.
    pub engine: Arc<Engine>,
    /// The engine that weighs answers.
    pub calibrations: Calibrations,
    /// Where analyses are timed.
    pub metrics: Arc<Metrics>,
}

/// Why a wish did not become an act.
#[derive(Debug)]
pub enum Unfit {
    /// It may not be.
    Refused(Refusal),
    /// Something of ours broke.
    Fault(Fault),
}

/// An answer before it is analysed.
#[derive(Debug)]
pub struct Draft {
    /// To which question.
    pub question_id: QuestionId,
    /// The answer; `None`: what was said since the question.
    pub text: Option<String>,
    /// When each word was said.
    pub words: Option<Vec<TimedWord>>,
    /// How long it took.
    pub duration_s: Option<Milli>,
}

/// Turns every wish but an answer into an act.
pub fn simple(wish: Wish) -> Result<Act, Draft> {
    Ok(match wish {
        Wish::Start => Act::Start {},
        Wish::Finish => Act::Finish {},
        Wish::Ask { text } => Act::Ask { question_id: QuestionId(fresh()), text },
        Wish::Skip { question_id } => Act::Skip { question_id },
        Wish::Say { question_id, text, words } => Act::Say { question_id, text, words },
        Wish::Note { text, question_id } => {
            Act::Note { note_id: NoteId(fresh()), text, question_id }
        }
        Wish::Answer { question_id, text, words, duration_s } => {
            return Err(Draft { question_id, text, words, duration_s });
        }
    })
}

impl Analyst {
    /// Turns an answer into an act with its analysis.
    pub async fn answer(&self, room: &Room, by: PersonId, draft: Draft) -> Result<Act, Unfit> {
        let Draft { question_id, text, words, duration_s } = draft;
        let mut act = Act::Answer {
            answer_id: AnswerId(fresh()),
            question_id,
            text: text.clone().unwrap_or_default(),
            words: words.clone(),
            duration_s,
            analysis: None,
        };
        // An answer that will be refused is not worth an analysis.
        room::decide(room, Some(by), &act).map_err(Unfit::Refused)?;
        let work = self.clone();
        let brief = Brief::of(room, by, question_id);
        let (text, analysis) = self
            .replica
            .read(move |db| work.read_and_analyse(db, brief, text, words, duration_s))
            .await
            .map_err(Unfit::Fault)?
            .map_err(Unfit::Refused)?;
        if let Act::Answer { text: whole, analysis: filled, .. } = &mut act {
            *whole = text;
            *filled = Some(Box::new(analysis));
        }
        Ok(act)
    }

    fn read_and_analyse(
        &self,
        db: &query::Connection,
        brief: Brief,
        text: Option<String>,
        words: Option<Vec<TimedWord>>,
        duration_s: Option<Milli>,
    ) -> Result<Result<(String, Analysis), Refusal>, Fault> {
        let text = match text {
            Some(text) => text,
            None => {
                let since = brief.asked_seq;
                query::event::said(db, brief.interview, brief.by, since, limit::EVENTS_PAGE)?
            }
        };
        if text.trim().is_empty() {
            let detail = "nothing was said since the question; send the answer's text";
            return Ok(Err(Refusal::field("text", detail)));
        }
        if text.len() > limit::ANSWER_BYTES_MAX {
            let detail = format!(
                "what was said since the question is longer than the {} bytes of one answer",
                limit::ANSWER_BYTES_MAX
            );
            return Ok(Err(Refusal::field("text", detail)));
        }
        // What a candidate brought along for practice stays in practice.
        let context = match brief.kind {
            Kind::Practice => query::person::context(db, brief.by)?.unwrap_or_default(),
            Kind::Live => Default::default(),
        };
        let earlier =
            query::interview::own_answers(db, brief.by, brief.kind, limit::EARLIER_ANSWERS_MAX)?;
        // Read newest first, so that the bound keeps the newest; told oldest first.
        let earlier = earlier.into_iter().rev().map(|answer| answer.text).collect();
        let input = AnswerInput {
            question: Some(brief.question),
            answer: text.clone(),
            role: brief.role,
            mode: effective_mode(brief.kind, brief.mode.as_deref()),
            duration_s,
            words,
            cv: filled(context.cv_text),
            job_description: filled(context.job_description),
            earlier: Some(earlier),
        };
        let engine = self.calibrations.in_force(db)?;
        let began = Instant::now();
        let analysis = engine.analyse(&input);
        self.metrics.analysis.observe(began.elapsed().as_secs_f64());
        Ok(Ok((text, analysis)))
    }
}

/// What the analysis needs to know of the room.
struct Brief {
    interview: crate::domain::id::InterviewId,
    kind: Kind,
    by: PersonId,
    role: Option<String>,
    mode: Option<String>,
    question: String,
    asked_seq: u64,
}

impl Brief {
    fn of(room: &Room, by: PersonId, question_id: QuestionId) -> Brief {
        let question = room.question(question_id);
        Brief {
            interview: room.plan.id,
            kind: room.plan.kind,
            by,
            role: room.plan.role.clone(),
            mode: room.plan.mode.clone(),
            question: question.map(|q| q.text.clone()).unwrap_or_default(),
            asked_seq: question.and_then(|q| q.asked_seq).unwrap_or(0),
        }
    }
}

fn filled(text: String) -> Option<String> {
    (!text.trim().is_empty()).then_some(text)
}
