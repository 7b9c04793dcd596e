//! The interviewers' side of a live interview, for its interviewers alone: talk share, kinds of
//! questions, the kit, and questions that should not be asked.

use std::collections::{BTreeMap, BTreeSet};

use axum::Json;
use axum::extract::{Path, State};
use serde_json::{Value, json};

use crate::domain::analysis::Evidence;
use crate::domain::event::Happening;
use crate::domain::id::{PersonId, QuestionId};
use crate::domain::interview::Part;
use crate::domain::limit;
use crate::domain::may::InRoom;
use crate::domain::room::Room;
use crate::domain::text;
use crate::insight::interviewer::{Turn, concerns, figures};
use crate::store::query::event::StoredEvent;
use crate::store::{Fault, query};

use super::acts::QuestionBody;
use super::app::Shared;
use super::body::Write;
use super::caller::Caller;
use super::error::Error;
use super::interviews::{interview_id, room_for};

const ABOUT: &str = "Counted from what was said and asked in this interview. Figures and quotes, \
    no judgement of a person: a noted question may have a reason, such as an offered adjustment or \
    a check that the law requires. The candidate does not see this.";

const ABOUT_CONCERNS: &str = "A hint on the wording, for you alone: nothing is held back, and this \
    look at your words is kept nowhere. What you do ask is part of the interview, and its \
    interviewers find it noted there. A question may have a reason, such as an offered adjustment \
    or a check that the law requires.";

/// One contribution, with its place in the room.
#[derive(Debug)]
struct Said {
    seq: u64,
    by: Option<PersonId>,
    interviewer: bool,
    text: String,
}

pub(super) async fn show(
    State(app): State<Shared>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<Value>, Error> {
    let room = asked_by(&app, &id, caller.person()?.id).await?;
    let read = move |db: &query::Connection| {
        let (said, complete) = contributions(db, &room)?;
        Ok(view(&room, &said, complete))
    };
    Ok(Json(app.replica.read(read).await?))
}

/// Whether a question should be asked in these words, before it is. Nobody else hears of it.
pub(super) async fn check(
    State(app): State<Shared>,
    Path(id): Path<String>,
    write: Write<QuestionBody>,
) -> Result<Json<Value>, Error> {
    asked_by(&app, &id, write.caller.person()?.id).await?;
    let question = &write.body.text;
    text::prose("text", question, limit::QUESTION_BYTES_MAX)?;
    // Over the words as they were sent, so that the places fit them.
    let items: Vec<Value> = concerns(question)
        .iter()
        .map(|one| {
            let mut item = place(question, &one.evidence);
            (item["why"], item["instead"]) = (json!(one.why), json!(one.instead));
            item
        })
        .collect();
    Ok(Json(json!({"concerns": items, "about": ABOUT_CONCERNS})))
}

/// The live interview, for one of its interviewers.
async fn asked_by(app: &Shared, id: &str, person: PersonId) -> Result<Room, Error> {
    room_for(app, interview_id(id)?, person, InRoom::Interviewer).await
}

/// What was said, oldest first, and whether that is all of it.
fn contributions(db: &query::Connection, room: &Room) -> Result<(Vec<Said>, bool), Fault> {
    let mut reading = Reading::of(room);
    let mut after = 0;
    loop {
        let page = query::event::after(db, room.plan.id, after, limit::EVENTS_PAGE_MAX)?;
        for event in &page {
            after = event.seq;
            if !reading.take(event)? {
                return Ok((reading.said, false));
            }
        }
        if page.len() < limit::EVENTS_PAGE_MAX {
            return Ok((reading.said, true));
        }
    }
}

/// The contributions as far as they were read.
struct Reading {
    /// Parts at the time of the event; who was let out later has still spoken with a part.
    parts: BTreeMap<PersonId, Part>,
    answered: BTreeSet<QuestionId>,
    bytes: usize,
    said: Vec<Said>,
}

impl Reading {
    fn of(room: &Room) -> Reading {
        let answered = room.questions.iter().filter(|question| question.answer_id.is_some());
        Reading {
            // Everybody else came by an event.
            parts: BTreeMap::from([(room.plan.owner, Part::Interviewer)]),
            answered: answered.map(|question| question.id).collect(),
            bytes: 0,
            said: Vec::new(),
        }
    }

    /// Takes the next event; `false`: there is no more room.
    fn take(&mut self, event: &StoredEvent) -> Result<bool, Fault> {
        let told = ["question.asked", "transcript.final", "answer.analysed", "member.added"];
        if !told.contains(&&*event.kind) {
            return Ok(true);
        }
        let data: Value = serde_json::from_str(&event.data)?;
        let what: Happening = serde_json::from_value(json!({"kind": &*event.kind, "data": data}))?;
        let interviewer = event.by.and_then(|by| self.parts.get(&by)) == Some(&Part::Interviewer);
        let (interviewer, text) = match what {
            Happening::MemberAdded { person_id, part } => {
                self.parts.insert(person_id, part);
                return Ok(true);
            }
            // Whoever chose it, a question is put in the interviewers' name.
            Happening::Asked { text, .. } => (true, text),
            Happening::Answered { text, .. } => (false, text),
            // The whole answer comes as such; what was said on the way would count twice.
            Happening::Said { question_id: Some(id), .. }
                if !interviewer && self.answered.contains(&id) =>
            {
                return Ok(true);
            }
            Happening::Said { text, .. } => (interviewer, text),
            _ => return Ok(true),
        };
        self.bytes += text.len();
        if self.bytes > limit::INTERVIEWER_BYTES_MAX {
            return Ok(false);
        }
        self.said.push(Said { seq: event.seq, by: event.by, interviewer, text });
        Ok(true)
    }
}

fn view(room: &Room, said: &[Said], complete: bool) -> Value {
    let turns: Vec<Turn<'_>> =
        said.iter().map(|one| Turn { interviewer: one.interviewer, text: &one.text }).collect();
    // Only a kit's questions name a competency.
    let kit: Vec<_> = room.questions.iter().filter(|one| one.competency.is_some()).collect();
    let texts: Vec<&str> = kit.iter().map(|question| question.text.as_str()).collect();
    let told = figures(&turns, &texts);
    let asked: Vec<Value> = told
        .asked
        .iter()
        .map(|one| {
            let mut view = quoted(&said[one.turn], &one.evidence);
            view["form"] = json!(one.form);
            view
        })
        .collect();
    let unlawful: Vec<Value> = told
        .unlawful
        .iter()
        .map(|one| {
            let mut view = quoted(&said[one.turn], &one.evidence);
            (view["why"], view["instead"]) = (json!(one.why), json!(one.instead));
            view
        })
        .collect();
    let adherence = told.adherence.map(|adherence| {
        let of = |places: &[usize]| -> Vec<Value> {
            let line = |at: &usize| json!({"question_id": kit[*at].id, "text": kit[*at].text});
            places.iter().map(line).collect()
        };
        json!({
            "share": adherence.share,
            "asked": of(&adherence.asked),
            "missed": of(&adherence.missed),
        })
    });
    json!({
        "interview_id": room.plan.id,
        "talk_share": told.talk_share,
        "open": told.open,
        "closed": told.closed,
        "leading": told.leading,
        "asked": asked,
        "kit": adherence,
        "unlawful": unlawful,
        "complete": complete,
        "about": ABOUT,
    })
}

/// The words of a finding, with their place in an event of the room.
fn quoted(said: &Said, evidence: &Evidence) -> Value {
    let mut view = place(&said.text, evidence);
    (view["seq"], view["by"]) = (json!(said.seq), json!(said.by));
    view
}

/// The words of a finding, with their place in a text.
fn place(text: &str, evidence: &Evidence) -> Value {
    let (from, to) = (evidence.from as usize, evidence.to as usize);
    let words: String = text.chars().skip(from).take(to.saturating_sub(from)).collect();
    json!({"text": words, "from": evidence.from, "to": evidence.to, "rule": evidence.rule})
}
