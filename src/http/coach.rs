//! The practice coach over HTTP: the next question.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::{Value, json};

use crate::cluster::fresh;
use crate::domain::command::{Command, Outcome};
use crate::domain::id::{PersonId, QuestionId};
use crate::domain::limit;
use crate::domain::may::InRoom;
use crate::domain::number::Milli;
use crate::domain::refusal::Refusal;
use crate::domain::room::{Act, Room, follow_up_id};
use crate::insight::coach::{Chosen, Past, Practice, Turn, choose};
use crate::store::{Fault, query};

use super::app::Shared;
use super::body::{Empty, Write};
use super::error::Error;
use super::interviews::{interview_id, room_for, room_of};

pub(super) async fn next(
    State(app): State<Shared>,
    Path(id): Path<String>,
    write: Write<Empty>,
) -> Result<Response, Error> {
    let interview = interview_id(&id)?;
    let person = write.caller.person()?.id;
    let command = async || {
        let room = room_for(&app, interview, person, InRoom::Next).await?;
        let chosen = chosen(&app, room, person).await?;
        // The id of a follow-up comes from the question, so that of two requests at once the room
        // takes one: an id is asked once.
        let followed = chosen.because.about.map(follow_up_id);
        let question_id = chosen.planned.or(followed).unwrap_or_else(|| QuestionId(fresh()));
        let act = Act::Next { question_id, text: chosen.text, because: chosen.because };
        Ok(Command::Act { interview, act: Box::new(act) })
    };
    let done = write.run(&app, command).await?;
    let Outcome::Acted { seq, question_id: Some(question), .. } = done.outcome else {
        return Err(Refusal::not_found("question").into());
    };
    // Read back rather than kept: a repeated request gets the same words. They are always ours:
    // what is measured must not hang on a model's wording (`chat/rephrase`).
    let room = room_of(&app, interview, person).await?;
    let mut reasons = app.replica.read(move |db| query::event::chosen(db, interview)).await?;
    let text = room.question(question).map(|question| question.text.as_str());
    let because = reasons.remove(&question);
    let body = json!({
        "question_id": question, "seq": seq, "text": text, "because": because, "source": "local",
    });
    Ok(done.response(StatusCode::CREATED, Json(body)))
}

async fn chosen(app: &Shared, room: Room, person: PersonId) -> Result<Chosen, Error> {
    let bank = app.bank.clone();
    let chosen = app
        .replica
        .read(move |db| {
            let (scores, heard) = last_practices(db, person)?;
            let turns = turns(db, &room)?;
            let planned: Vec<_> = room
                .questions
                .iter()
                .filter(|question| question.asked_seq.is_none())
                .map(|question| (question.id, question.text.clone(), question.competency.clone()))
                .collect();
            Ok(choose(&Practice {
                turns: &turns,
                planned: &planned,
                scores: &scores,
                heard: &heard,
                bank: &bank,
            }))
        })
        .await?;
    chosen.ok_or_else(|| {
        let detail = "nothing comes next: a question is open and the last answer wants no \
            follow-up, or every question was asked; answer or skip the open one, or finish";
        Refusal::conflict(detail).into()
    })
}

/// The questions that were asked, in order, with their answers.
fn turns(db: &query::Connection, room: &Room) -> Result<Vec<Turn>, Fault> {
    let reasons = query::event::chosen(db, room.plan.id)?;
    let answers = query::interview::answers(db, room.plan.id)?;
    let mut asked: Vec<_> = room.questions.iter().filter(|q| q.asked_seq.is_some()).collect();
    asked.sort_by_key(|question| question.asked_seq);
    let turn = |question: &&crate::domain::interview::Question| Turn {
        question_id: question.id,
        text: question.text.clone(),
        competency: question.competency.clone(),
        open: question.answer_id.is_none() && question.skipped_seq.is_none(),
        about: reasons.get(&question.id).and_then(|because| because.about),
        answer: answers
            .iter()
            .find(|answer| answer.question_id == question.id)
            .map(|answer| Past { text: answer.text.clone(), analysis: answer.analysis.clone() }),
    };
    Ok(asked.iter().map(turn).collect())
}

/// Scores and questions of the person's last practices, oldest first.
fn last_practices(
    db: &query::Connection,
    person: PersonId,
) -> Result<(Vec<Milli>, Vec<String>), Fault> {
    let (mut scores, mut heard) = (Vec::new(), Vec::new());
    for body in query::report::of_practices(db, person, limit::PRACTICES_REMEMBERED_MAX)? {
        let report: Value = serde_json::from_str(&body)?;
        scores.extend(serde_json::from_value::<Milli>(report["score"].clone()).ok());
        let answers = report["answers"].as_array().into_iter().flatten();
        heard.extend(
            answers.filter_map(|answer| Some(answer["question"]["text"].as_str()?.to_owned())),
        );
    }
    Ok((scores, heard))
}
