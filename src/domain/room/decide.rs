//! What an act would lead to, or why it may not be: first the person's part, then the room's state.

use super::{Act, Room};
use crate::domain::analysis::Analysis;
use crate::domain::event::Happening;
use crate::domain::id::{AnswerId, PersonId, QuestionId};
use crate::domain::interview::{Because, Kind, Part, Question, State, Turn};
use crate::domain::limit;
use crate::domain::may::{Action, InRoom, may};
use crate::domain::refusal::{Code, Refusal};

/// What somebody hears who has said that their words may not be kept, and speaks all the same.
pub fn declined() -> Refusal {
    Refusal::denied(
        "you have declined that your words are kept, so only the interviewers' notes are; agree \
         first if you have changed your mind",
    )
}

/// What the act of this person (`None`: of the product itself) leads to, or why it may not be.
///
/// A note leads to no event.
pub fn decide(room: &Room, by: Option<PersonId>, act: &Act) -> Result<Vec<Happening>, Refusal> {
    allowed(room, by, act)?;
    fits(room, act)?;
    let happenings = match act {
        Act::Start {} => started(room),
        Act::Finish {} => vec![Happening::Finished {}],
        Act::Cancel {} => vec![Happening::Cancelled {}],
        Act::Ask { question_id, text } => {
            let (question_id, text) = (*question_id, text.clone());
            vec![Happening::Asked { question_id, text, auto: false, because: None }]
        }
        Act::Next { question_id, text, because } => {
            let planned = room.question(*question_id).map(|question| &question.text);
            vec![Happening::Asked {
                question_id: *question_id,
                text: planned.unwrap_or(text).clone(),
                auto: false,
                because: Some(because.clone()),
            }]
        }
        Act::Skip { question_id } => {
            let mut happenings = vec![Happening::Skipped { question_id: *question_id }];
            happenings.extend(next_question(room));
            happenings
        }
        Act::Say { question_id, text, words } => {
            let (question_id, text, words) = (*question_id, text.clone(), words.clone());
            vec![Happening::Said { question_id, text, words }]
        }
        Act::Answer { answer_id, question_id, text, analysis, .. } => {
            answered(room, *answer_id, *question_id, text, analysis.as_deref())
        }
        Act::Note { .. } => Vec::new(),
        Act::AddMember { person, part } => {
            vec![Happening::MemberAdded { person_id: *person, part: *part }]
        }
        Act::RemoveMember { person } => vec![Happening::MemberRemoved { person_id: *person }],
        Act::Lapse { .. } => vec![match room.state {
            State::Live => Happening::Finished {},
            _ => Happening::Cancelled {},
        }],
        Act::ReportReady { .. } => vec![Happening::ReportReady {}],
    };
    // What ends a room or lets somebody out of it is taken from a full one too: few such acts can
    // follow, and without them the room would stay open for ever.
    let ends = matches!(
        act,
        Act::Finish {}
            | Act::Cancel {}
            | Act::Lapse { .. }
            | Act::RemoveMember { .. }
            | Act::ReportReady { .. }
    );
    if !ends && room.last_seq + happenings.len() as u64 > limit::EVENTS_PER_INTERVIEW_MAX {
        let detail = format!(
            "this interview has reached its {} events; finish it and start another one",
            limit::EVENTS_PER_INTERVIEW_MAX
        );
        return Err(Refusal::new(Code::RoomFull, detail));
    }
    Ok(happenings)
}

/// Whether the person's part allows the act, whatever the state.
fn allowed(room: &Room, by: Option<PersonId>, act: &Act) -> Result<(), Refusal> {
    let action = match act {
        Act::Start {} | Act::Finish {} | Act::Cancel {} => InRoom::Lead,
        Act::AddMember { .. } | Act::RemoveMember { .. } => InRoom::Staff,
        Act::Next { .. } => InRoom::Next,
        Act::Ask { .. } | Act::Skip { .. } => InRoom::Ask,
        Act::Say { .. } => InRoom::Say,
        Act::Answer { .. } => InRoom::Answer,
        Act::Note { .. } => InRoom::Note,
        Act::Lapse { .. } | Act::ReportReady { .. } => {
            return match by {
                None => Ok(()),
                Some(_) => Err(Refusal::denied("only the product itself does this")),
            };
        }
    };
    if by.is_none() {
        return Err(Refusal::denied("only a person can do this"));
    }
    may(by, Action::Room(action, room))?;
    if room.plan.kind == Kind::Practice && matches!(act, Act::AddMember { .. }) {
        return Err(Refusal::conflict(
            "a practice belongs to one person; share its report by a link instead",
        ));
    }
    Ok(())
}

/// Whether the room's state allows the act, whoever asks.
fn fits(room: &Room, act: &Act) -> Result<(), Refusal> {
    match act {
        Act::Start {} => match room.state {
            State::Scheduled | State::Lobby => Ok(()),
            state => Err(illegal("start", state)),
        },
        Act::Finish {} => match room.state {
            State::Live => Ok(()),
            state => Err(illegal("finish", state)),
        },
        Act::Cancel {} if room.state.is_over() => Err(illegal("cancel", room.state)),
        Act::Cancel {} => Ok(()),
        Act::Ask { question_id, .. } => may_be_asked(room, *question_id),
        Act::Next { question_id, because, .. } => may_come_next(room, *question_id, because),
        Act::Say { question_id, .. } => {
            live(room, "say anything")?;
            question_id.map_or(Ok(()), |id| asked(room, id).map(|_| ()))
        }
        Act::Answer { question_id, .. } => {
            live(room, "answer")?;
            open(asked(room, *question_id)?)
        }
        Act::Skip { question_id } => {
            live(room, "skip a question")?;
            open(asked(room, *question_id)?)
        }
        Act::Lapse { .. } if room.state.is_over() => Err(illegal("lapse", room.state)),
        Act::Lapse { seen } if *seen != room.last_seq => {
            Err(Refusal::conflict("something has happened in this interview since"))
        }
        Act::Lapse { .. } => Ok(()),
        Act::Note { question_id, .. } => match question_id {
            Some(id) if room.question(*id).is_none() => Err(Refusal::not_found("question")),
            _ => Ok(()),
        },
        Act::AddMember { person, part } => may_be_added(room, *person, *part),
        Act::RemoveMember { person } => may_be_removed(room, *person),
        Act::ReportReady { .. } => match (room.state, room.report_ready) {
            (State::Finished, false) => Ok(()),
            (State::Finished, true) => Err(Refusal::conflict("the report was made before")),
            (state, _) => Err(Refusal::conflict(format!(
                "cannot report on an interview that is {}",
                state.as_str()
            ))),
        },
    }
}

fn may_be_asked(room: &Room, question: QuestionId) -> Result<(), Refusal> {
    live(room, "ask a question")?;
    if room.questions.len() >= limit::QUESTIONS_PER_INTERVIEW_MAX {
        let max = limit::QUESTIONS_PER_INTERVIEW_MAX;
        return Err(Refusal::new(
            Code::RoomFull,
            format!("an interview has at most {max} questions"),
        ));
    }
    match room.question(question) {
        Some(_) => Err(Refusal::conflict("a question with this id was asked already")),
        None => Ok(()),
    }
}

/// A follow-up may overtake the question that is open; any other one waits until none is.
fn may_come_next(room: &Room, question: QuestionId, because: &Because) -> Result<(), Refusal> {
    match room.question(question) {
        Some(planned) if planned.asked_seq.is_none() => live(room, "ask a question")?,
        _ => may_be_asked(room, question)?,
    }
    let Some(about) = because.about else {
        let waits = |question: &&Question| matches!(question.turn(false), Turn::Asked);
        return match room.questions.iter().find(waits) {
            Some(_) => Err(Refusal::conflict("a question is open; answer or skip it first")),
            None => Ok(()),
        };
    };
    match room.question(about) {
        Some(question) if question.answer_id.is_some() => Ok(()),
        Some(_) => Err(Refusal::conflict("only an answer can be followed up")),
        None => Err(Refusal::not_found("question")),
    }
}

fn may_be_added(room: &Room, person: PersonId, part: Part) -> Result<(), Refusal> {
    if room.state.is_over() {
        return Err(closed("add a member to", room.state));
    }
    if room.part(person) == Some(part) {
        return Err(Refusal::conflict("this person has this part already"));
    }
    if room.members.len() >= limit::MEMBERS_MAX && room.part(person).is_none() {
        let detail = format!("a room has at most {} members", limit::MEMBERS_MAX);
        return Err(Refusal::new(Code::RoomFull, detail));
    }
    Ok(())
}

fn may_be_removed(room: &Room, person: PersonId) -> Result<(), Refusal> {
    if room.part(person).is_none() {
        return Err(Refusal::not_found("member"));
    }
    if room.is_owner(person) {
        return Err(Refusal::conflict("the owner cannot be removed; cancel the interview instead"));
    }
    Ok(())
}

fn started(room: &Room) -> Vec<Happening> {
    let mut happenings = vec![Happening::Started {}];
    happenings.extend(next_question(room));
    happenings
}

fn answered(
    room: &Room,
    answer_id: AnswerId,
    question_id: QuestionId,
    text: &str,
    analysis: Option<&Analysis>,
) -> Vec<Happening> {
    // Nobody sees the engine's words in a live interview: not the candidate, who must not be
    // coached, and not an interviewer, whose own judgement comes first.
    let shown = match room.plan.kind {
        Kind::Practice => analysis.map(|a| Box::new(a.clone())),
        Kind::Live => None,
    };
    let text = text.to_owned();
    let mut happenings =
        vec![Happening::Answered { answer_id, question_id, text, analysis: shown }];
    happenings.extend(next_question(room));
    happenings
}

fn next_question(room: &Room) -> Option<Happening> {
    if !room.plan.auto_ask {
        return None;
    }
    let question = room.questions.iter().find(|q| q.asked_seq.is_none())?;
    let (question_id, text) = (question.id, question.text.clone());
    Some(Happening::Asked { question_id, text, auto: true, because: None })
}

fn asked(room: &Room, id: QuestionId) -> Result<&Question, Refusal> {
    match room.question(id) {
        Some(question) if question.asked_seq.is_some() => Ok(question),
        Some(_) => Err(Refusal::conflict("this question has not been asked yet")),
        None => Err(Refusal::not_found("question")),
    }
}

/// Whether a question still waits for its answer.
fn open(question: &Question) -> Result<(), Refusal> {
    match (question.answer_id, question.skipped_seq) {
        (Some(_), _) => Err(Refusal::conflict("this question is answered; wait for the next one")),
        (_, Some(_)) => Err(Refusal::conflict("this question was skipped; wait for the next one")),
        _ => Ok(()),
    }
}

fn live(room: &Room, verb: &str) -> Result<(), Refusal> {
    match room.state {
        State::Live => Ok(()),
        state @ (State::Scheduled | State::Lobby) => Err(Refusal::conflict(format!(
            "cannot {verb} in an interview that has not begun ({}); its owner starts it",
            state.as_str()
        ))),
        state => Err(closed(&format!("{verb} in"), state)),
    }
}

fn illegal(verb: &str, state: State) -> Refusal {
    if state.is_over() {
        return closed(verb, state);
    }
    Refusal::conflict(format!("cannot {verb} an interview that is {}", state.as_str()))
}

fn closed(verb: &str, state: State) -> Refusal {
    Refusal::new(
        Code::RoomClosed,
        format!("cannot {verb} an interview that is {}; it is over", state.as_str()),
    )
}
