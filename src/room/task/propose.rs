//! Durable acts on their way: waiting, being prepared, proposed, confirmed.

use serde_json::json;

use super::Task;
use crate::cluster::Unavailable;
use crate::domain::command::{Command, ENVELOPE_VERSION, Envelope, Once, Outcome};
use crate::domain::id::{ConnectionId, PersonId, QuestionId};
use crate::domain::may::{Action, InRoom, may};
use crate::domain::refusal::{Code, Refusal};
use crate::domain::room::{self, Act};
use crate::domain::time::Time;
use crate::room::answer::{Draft, Unfit, simple};
use crate::room::protocol::{self, Wish};
use crate::store::query;

/// A durable frame that waits for its turn.
pub(super) struct Waiting {
    pub(super) from: ConnectionId,
    pub(super) by: PersonId,
    pub(super) id: String,
    pub(super) wish: Option<Wish>,
}

/// What became of an answer while it was prepared.
pub(super) enum Prepared {
    Act(Act),
    Before(Outcome),
    Unfit(Unfit),
}

/// A proposal on its way.
pub(super) struct Proposed {
    pub(super) from: ConnectionId,
    pub(super) by: PersonId,
    pub(super) id: String,
    at: Time,
    /// A note's words, for the other interviewers.
    note: Option<(String, Option<QuestionId>)>,
}

impl Task {
    /// Takes the next waiting acts in order. An answer is prepared only when all before it is
    /// applied, so that the question it answers is known.
    pub(super) fn pump(&mut self) {
        while self.preparing.is_none() {
            let Some(next) = self.waiting.front() else { return };
            let is_answer = matches!(next.wish, Some(Wish::Answer { .. }));
            if is_answer && !self.proposing.is_empty() {
                return;
            }
            let Some(mut waiting) = self.waiting.pop_front() else { return };
            let Some(wish) = waiting.wish.take() else { continue };
            match simple(wish) {
                Ok(act) => self.consider(waiting, act),
                Err(draft) => self.prepare(waiting, draft),
            }
        }
    }

    /// Proposes an act, unless it would be refused as things stand and nothing is on its way that
    /// could change them: such a refusal costs no log entry. An act that was done before is not
    /// refused.
    fn consider(&mut self, waiting: Waiting, act: Act) {
        let refused = match self.proposing.is_empty() {
            true => room::decide(&self.room, Some(waiting.by), &act).err(),
            false => None,
        };
        match refused {
            None => self.propose(waiting, act),
            Some(refusal) => {
                self.unless_done(waiting, async move { Prepared::Unfit(Unfit::Refused(refusal)) })
            }
        }
    }

    fn prepare(&mut self, waiting: Waiting, draft: Draft) {
        let (analyst, room, by) = (self.hub.analyst().clone(), self.room.clone(), waiting.by);
        self.unless_done(waiting, async move {
            match analyst.answer(&room, by, draft).await {
                Ok(act) => Prepared::Act(act),
                Err(unfit) => Prepared::Unfit(unfit),
            }
        });
    }

    /// Looks whether the same frame was done before; only if not, `otherwise` says what becomes of
    /// it.
    fn unless_done(
        &mut self,
        waiting: Waiting,
        otherwise: impl Future<Output = Prepared> + Send + 'static,
    ) {
        let (replica, once) = (self.hub.replica().clone(), self.once(&waiting));
        let at = replica.now();
        self.preparing = Some(Box::pin(async move {
            let read =
                move |db: &query::Connection| query::once::find(db, &once.scope, &once.key, at);
            let prepared = match replica.read(read).await {
                Ok(Some((_, first))) => Prepared::Before(first),
                Ok(None) => otherwise.await,
                Err(fault) => Prepared::Unfit(Unfit::Fault(fault)),
            };
            (waiting, prepared)
        }));
    }

    pub(super) fn submit(&mut self, waiting: Waiting, prepared: Prepared) {
        let (from, id) = (waiting.from, waiting.id.clone());
        match prepared {
            Prepared::Act(act) => self.propose(waiting, act),
            Prepared::Before(outcome) => self.roster.answer(from, reply(&id, outcome)),
            Prepared::Unfit(Unfit::Refused(refusal)) => {
                self.hub.metrics().refusal(refusal.code);
                self.roster.answer(from, protocol::refused(Some(&id), &refusal));
            }
            Prepared::Unfit(Unfit::Fault(fault)) => {
                let interview = self.room.plan.id;
                tracing::error!(%fault, %interview, "an answer was not analysed");
                self.part_from(from);
            }
        }
    }

    fn once(&self, waiting: &Waiting) -> Once {
        Once {
            scope: format!("room:{}:{}", self.room.plan.id, waiting.by),
            key: waiting.id.clone(),
            fingerprint: String::new(),
        }
    }

    fn propose(&mut self, waiting: Waiting, act: Act) {
        let replica = self.hub.replica().clone();
        let at = replica.now();
        let note = match &act {
            Act::Note { text, question_id, .. } => Some((text.clone(), *question_id)),
            _ => None,
        };
        let envelope = Envelope {
            v: ENVELOPE_VERSION,
            at,
            by: Some(waiting.by),
            request_id: Some(waiting.from.to_string()),
            from: None,
            once: Some(self.once(&waiting)),
            command: Command::Act { interview: self.room.plan.id, act: Box::new(act) },
        };
        let Waiting { from, by, id, .. } = waiting;
        let proposed = Proposed { from, by, id, at, note };
        self.proposing.push(Box::pin(async move { (proposed, replica.propose(envelope).await) }));
    }

    pub(super) fn confirm(&mut self, proposed: Proposed, result: Result<Outcome, Unavailable>) {
        match result {
            Ok(outcome) => {
                if let (Outcome::Acted { note_id: Some(note), .. }, Some((text, on))) =
                    (&outcome, &proposed.note)
                {
                    let mut frame = json!({
                        "type": "note", "note_id": note, "at": proposed.at, "by": proposed.by,
                        "text": text,
                    });
                    if let Some(question) = on {
                        frame["question_id"] = json!(question);
                    }
                    let notes = Action::Room(InRoom::Note, &self.room);
                    self.roster.tell(&frame.to_string().into(), |id, c| {
                        id != proposed.from && may(c.person, notes).is_ok()
                    });
                }
                if let Outcome::Refused { refusal } = &outcome {
                    self.hub.metrics().refusal(refusal.code);
                }
                self.roster.answer(proposed.from, reply(&proposed.id, outcome));
            }
            // Nothing was proposed, so the act may come again as it is.
            Err(later @ (Unavailable::Busy | Unavailable::Full)) => {
                let refusal = Refusal::new(Code::RateLimited, later.to_string());
                self.roster.answer(proposed.from, protocol::refused(Some(&proposed.id), &refusal));
            }
            // It may be written or not; saying either would be a guess. The client comes back and
            // sends the same id again.
            Err(unknown) => {
                let interview = self.room.plan.id;
                tracing::warn!(%unknown, %interview, "an act was not confirmed");
                self.part_from(proposed.from);
            }
        }
    }
}

fn reply(id: &str, outcome: Outcome) -> String {
    match outcome {
        Outcome::Replayed { first } => reply(id, *first),
        Outcome::Refused { refusal } => protocol::refused(Some(id), &refusal),
        Outcome::Acted { seq, question_id, answer_id, note_id } => {
            let made = question_id
                .map(|made| ("question_id", made.to_string()))
                .or(answer_id.map(|made| ("answer_id", made.to_string())))
                .or(note_id.map(|made| ("note_id", made.to_string())));
            protocol::ack(id, seq, made)
        }
        // No other outcome comes of an act.
        _ => protocol::ack(id, None, None),
    }
}
