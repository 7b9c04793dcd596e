//! An interview as its members see it, in `welcome` and over HTTP alike.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::domain::id::{AnswerId, InterviewId, PersonId, QuestionId};
use crate::domain::interview::{Kind, Part, State, Turn};
use crate::domain::may::{Action, InRoom, may};
use crate::domain::room::Room;
use crate::domain::time::Time;
use crate::store::Fault;
use crate::store::query::{self, Connection};

/// An interview.
#[derive(Clone, Debug, Serialize)]
pub struct InterviewView {
    /// Which.
    pub id: InterviewId,
    /// Practice or live.
    pub kind: Kind,
    /// Where it stands.
    pub state: State,
    /// What people call it.
    pub title: String,
    /// The role that it is about.
    pub role: Option<String>,
    /// The calibration mode.
    pub mode: Option<String>,
    /// Where the questions came from.
    pub kit_id: Option<String>,
    /// Whether the next question is asked by itself.
    pub auto_ask: bool,
    /// Whose it is.
    pub owner: PersonId,
    /// When it was made.
    pub created_at: Time,
    /// When it is planned for.
    pub scheduled_at: Option<Time>,
    /// When it began.
    pub started_at: Option<Time>,
    /// When it ended.
    pub finished_at: Option<Time>,
    /// The last event's place.
    pub last_seq: u64,
    /// Whether the report can be read.
    pub report_ready: bool,
    /// What is asked, in order.
    pub questions: Vec<QuestionView>,
    /// Who is in it.
    pub members: Vec<MemberView>,
}

/// A question.
#[derive(Clone, Debug, Serialize)]
pub struct QuestionView {
    /// Which.
    pub question_id: QuestionId,
    /// Its words.
    pub text: String,
    /// The kit's competency behind it.
    pub competency: Option<String>,
    /// The event that asked it.
    pub asked_seq: Option<u64>,
    /// The answer that closed it.
    pub answer_id: Option<AnswerId>,
    /// Where it stands.
    pub turn: Turn,
}

/// A member.
#[derive(Clone, Debug, Serialize)]
pub struct MemberView {
    /// Who.
    pub person_id: PersonId,
    /// The name.
    pub display_name: String,
    /// As what.
    pub part: Part,
    /// Whether the interview is theirs.
    pub owner: bool,
}

/// The names of a room's members.
pub fn names(db: &Connection, room: &Room) -> Result<BTreeMap<PersonId, String>, Fault> {
    let mut names = BTreeMap::new();
    for person in room.members.keys() {
        if let Some(person) = query::person::by_id(db, *person)? {
            names.insert(person.id, person.display_name);
        }
    }
    Ok(names)
}

/// The room as one of its members sees it: a candidate of a live interview does not see what will
/// be asked. `begun` are the questions to which somebody has said something.
pub fn interview(
    room: &Room,
    names: &BTreeMap<PersonId, String>,
    begun: &BTreeSet<QuestionId>,
    viewer: PersonId,
) -> InterviewView {
    let plan = &room.plan;
    let only_asked = may(viewer, Action::Room(InRoom::SeePlanned, room)).is_err();
    InterviewView {
        id: plan.id,
        kind: plan.kind,
        state: room.state,
        title: plan.title.clone(),
        role: plan.role.clone(),
        mode: plan.mode.clone(),
        kit_id: plan.kit_id.clone(),
        auto_ask: plan.auto_ask,
        owner: plan.owner,
        created_at: plan.created_at,
        scheduled_at: plan.scheduled_at,
        started_at: room.started_at,
        finished_at: room.finished_at,
        last_seq: room.last_seq,
        report_ready: room.report_ready,
        questions: room
            .questions
            .iter()
            .filter(|question| !only_asked || question.asked_seq.is_some())
            .map(|question| QuestionView {
                question_id: question.id,
                text: question.text.clone(),
                competency: question.competency.clone(),
                asked_seq: question.asked_seq,
                answer_id: question.answer_id,
                turn: question.turn(begun.contains(&question.id)),
            })
            .collect(),
        members: room
            .members
            .iter()
            .map(|(person, part)| MemberView {
                person_id: *person,
                display_name: names.get(person).cloned().unwrap_or_default(),
                part: *part,
                owner: room.is_owner(*person),
            })
            .collect(),
    }
}
