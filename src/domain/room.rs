//! The room as a value: `decide` says what an act would lead to, `fold` takes what happened.
//!
//! The same two functions run twice. On the leader, before an act is proposed: a refusal costs no
//! log entry, and an answer that would be refused is never analysed. In `store::apply`, after the
//! log has ordered the acts: only that decision counts, because another act may have come between.
//!
//! **Invariant:** `fold` accepts every event that `decide` gave for the same room.

mod decide;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use uuid::Builder;

use super::analysis::{Analysis, TimedWord};
use super::event::{Event, Happening};
use super::id::{AnswerId, NoteId, PersonId, QuestionId};
use super::interview::{Because, Part, Plan, Question, State};
use super::number::Milli;
use super::time::Time;

pub use decide::{decide, declined};

/// What somebody wants to happen in a room.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "act", rename_all = "snake_case")]
pub enum Act {
    /// Begin.
    Start {},
    /// End.
    Finish {},
    /// Call off.
    Cancel {},
    /// Put a question.
    Ask {
        /// The id that it will have.
        question_id: QuestionId,
        /// Its words.
        text: String,
    },
    /// Put the question of a practice that the coach chose: a planned one, or a new one.
    Next {
        /// The planned question, or the id that it will have.
        question_id: QuestionId,
        /// Its words.
        text: String,
        /// Why it was chosen.
        because: Because,
    },
    /// Go on without an answer.
    Skip {
        /// The question.
        question_id: QuestionId,
    },
    /// Say something.
    Say {
        /// On which question.
        question_id: Option<QuestionId>,
        /// The words.
        text: String,
        /// When each was said.
        words: Option<Vec<TimedWord>>,
    },
    /// Close the answer to a question.
    Answer {
        /// The id that it will have.
        answer_id: AnswerId,
        /// The question.
        question_id: QuestionId,
        /// The whole answer.
        text: String,
        /// When each word was said.
        words: Option<Vec<TimedWord>>,
        /// How long it took.
        duration_s: Option<Milli>,
        /// What the engine says; `None` only while it is being decided whether to ask the engine.
        analysis: Option<Box<Analysis>>,
    },
    /// Keep a note; not an event, so that `seq` is the same for all.
    Note {
        /// The id that it will have.
        note_id: NoteId,
        /// The note.
        text: String,
        /// On which question.
        question_id: Option<QuestionId>,
    },
    /// Let somebody in.
    AddMember {
        /// Who.
        person: PersonId,
        /// As what.
        part: Part,
    },
    /// Let somebody out.
    RemoveMember {
        /// Who.
        person: PersonId,
    },
    /// End what everybody has forgotten; done by the product, not by a person.
    Lapse {
        /// The last event when it was found forgotten: if there is another one by now, it is not.
        seen: u64,
    },
    /// The report was made; done by the product, not by a person.
    ReportReady {
        /// The report as JSON.
        report: String,
        /// Its score, for lists.
        score: Option<Milli>,
    },
}

/// The id of the follow-up on a question's answer: there is one, so it can be asked once, and the
/// room's order decides who asks it.
///
/// Ids are version 7 and this one is version 8 with the same random bits; the follow-up of a
/// follow-up would be itself, and none is asked. The rule lies in the id and not in `decide`, so
/// that nodes of two versions decide alike during an upgrade.
pub fn follow_up_id(question: QuestionId) -> QuestionId {
    QuestionId(Builder::from_custom_bytes(question.0.into_bytes()).into_uuid())
}

/// A room between two events.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Room {
    /// What never changes.
    pub plan: Plan,
    /// Where it stands.
    pub state: State,
    /// Who is in it, with their parts.
    pub members: BTreeMap<PersonId, Part>,
    /// In the order in which they are asked.
    pub questions: Vec<Question>,
    /// The last event's place.
    pub last_seq: u64,
    /// When it began.
    pub started_at: Option<Time>,
    /// When it ended.
    pub finished_at: Option<Time>,
    /// Whether the report can be read.
    pub report_ready: bool,
}

impl Room {
    /// A room that was just made.
    pub fn new(plan: Plan, members: BTreeMap<PersonId, Part>, questions: Vec<Question>) -> Room {
        let state = if plan.scheduled_at.is_some() { State::Scheduled } else { State::Lobby };
        Room {
            plan,
            state,
            members,
            questions,
            last_seq: 0,
            started_at: None,
            finished_at: None,
            report_ready: false,
        }
    }

    /// The question with this id.
    pub fn question(&self, id: QuestionId) -> Option<&Question> {
        self.questions.iter().find(|q| q.id == id)
    }

    /// Whether this person owns the room.
    pub fn is_owner(&self, person: PersonId) -> bool {
        self.plan.owner == person
    }

    /// The part of this person, if it is a member.
    pub fn part(&self, person: PersonId) -> Option<Part> {
        self.members.get(&person).copied()
    }
}

/// Takes one event that happened.
pub fn fold(room: &mut Room, event: &Event) {
    room.last_seq = event.seq;
    match &event.what {
        Happening::Started {} => {
            room.state = State::Live;
            room.started_at = Some(event.at);
        }
        Happening::Asked { question_id, text, .. } => {
            match room.questions.iter_mut().find(|q| q.id == *question_id) {
                Some(question) => question.asked_seq = Some(event.seq),
                None => room.questions.push(Question {
                    id: *question_id,
                    text: text.clone(),
                    competency: None,
                    focus: Vec::new(),
                    asked_seq: Some(event.seq),
                    answer_id: None,
                    skipped_seq: None,
                }),
            }
        }
        Happening::Skipped { question_id } => {
            if let Some(question) = room.questions.iter_mut().find(|q| q.id == *question_id) {
                question.skipped_seq = Some(event.seq);
            }
        }
        Happening::Said { .. } => {}
        Happening::Answered { answer_id, question_id, .. } => {
            if let Some(question) = room.questions.iter_mut().find(|q| q.id == *question_id) {
                question.answer_id = Some(*answer_id);
            }
        }
        Happening::MemberAdded { person_id, part } => {
            room.members.insert(*person_id, *part);
        }
        Happening::MemberRemoved { person_id } => {
            room.members.remove(person_id);
        }
        Happening::Finished {} => {
            room.state = State::Finished;
            room.finished_at = Some(event.at);
        }
        Happening::Cancelled {} => {
            room.state = State::Cancelled;
            room.finished_at = Some(event.at);
        }
        Happening::ReportReady {} => room.report_ready = true,
    }
}
