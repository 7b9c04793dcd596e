//! Interviews: lists, making one, reading one. Acts in them are in `acts`.

use std::collections::BTreeSet;

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use crate::cluster::fresh;
use crate::domain::command::{Command, Outcome};
use crate::domain::id::{InterviewId, PersonId, QuestionId};
use crate::domain::interview::{Kind, Member, Part, Plan, Question};
use crate::domain::kit::Kit;
use crate::domain::limit;
use crate::domain::may::{Action, InRoom, Permission, may};
use crate::domain::person::Person;
use crate::domain::refusal::{FieldError, Refusal};
use crate::domain::room::Room;
use crate::domain::text;
use crate::domain::time::Time;
use crate::room::view;
use crate::store::Fault;
use crate::store::query::{self, interview::Summary};

use super::app::Shared;
use super::body::Write;
use super::caller::Caller;
use super::error::Error;
use super::paging::{Paging, page};
use super::{kits, me};

/// A new interview.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct InterviewBody {
    /// practice or live
    kind: String,
    #[serde(default)]
    title: Option<String>,
    #[serde(default)]
    role: Option<String>,
    #[serde(default)]
    mode: Option<String>,
    #[serde(default)]
    kit_id: Option<String>,
    /// Questions of your own, after those of the kit.
    #[serde(default)]
    questions: Option<Vec<String>>,
    /// Whether the next question is asked by itself; true by default in a practice.
    #[serde(default)]
    auto_ask: Option<bool>,
    /// RFC 3339
    #[serde(default)]
    scheduled_at: Option<String>,
}

pub(super) async fn list(
    State(app): State<Shared>,
    caller: Caller,
    Query(paging): Query<Paging>,
) -> Result<Json<Value>, Error> {
    let person = caller.person()?.id;
    let (limit, before) = (paging.limit()?, paging.cursor::<InterviewId>()?);
    let read = move |db: &query::Connection| query::interview::of_member(db, person, before, limit);
    let summaries = app.replica.read(read).await?;
    let items: Vec<Value> = summaries.iter().map(line).collect();
    Ok(page(items, limit, |item| item["id"].as_str().unwrap_or_default().to_owned()))
}

pub(super) async fn create(
    State(app): State<Shared>,
    write: Write<InterviewBody>,
) -> Result<Response, Error> {
    let person = write.caller.person()?;
    let done = write.run(&app, async || plan(&app, person, &write.body).await).await?;
    let Outcome::Interview { interview } = done.outcome else {
        return Err(Refusal::not_found("interview").into());
    };
    let seen = seen_after(&app, interview, person.id, 0).await?;
    Ok(done.response(StatusCode::CREATED, Json(seen)))
}

pub(super) async fn show(
    State(app): State<Shared>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<Value>, Error> {
    Ok(Json(seen(&app, interview_id(&id)?, caller.person()?.id).await?))
}

/// The interview as a member sees it; for everybody else there is none.
pub(super) async fn seen(
    app: &Shared,
    interview: InterviewId,
    viewer: PersonId,
) -> Result<Value, Error> {
    seen_as(app, viewer, move |db| query::room::load(db, interview)).await
}

/// The same as it was after an act whose first event this is, or when it was made (0): a repeated
/// request is told what the first one was, whatever has happened since.
pub(super) async fn seen_after(
    app: &Shared,
    interview: InterviewId,
    viewer: PersonId,
    seq: u64,
) -> Result<Value, Error> {
    seen_as(app, viewer, move |db| query::room::after_act(db, interview, seq)).await
}

async fn seen_as(
    app: &Shared,
    viewer: PersonId,
    load: impl FnOnce(&query::Connection) -> Result<Option<Room>, Fault> + Send + 'static,
) -> Result<Value, Error> {
    let read = move |db: &query::Connection| {
        let Some(room) = load(db)? else { return Ok(None) };
        let names = view::names(db, &room)?;
        let begun = query::event::begun(db, &room)?;
        Ok(Some((room, names, begun)))
    };
    match app.replica.read(read).await? {
        Some((room, names, begun)) => {
            may(viewer, Action::Room(InRoom::See, &room))?;
            Ok(json!(view::interview(&room, &names, &begun, viewer)))
        }
        None => Err(Refusal::not_found("interview").into()),
    }
}

/// The room of an interview that this person is a member of.
pub(super) async fn room_of(
    app: &Shared,
    interview: InterviewId,
    person: PersonId,
) -> Result<Room, Error> {
    let room = app.replica.read(move |db| query::room::load(db, interview)).await?;
    let room = room.ok_or_else(|| Refusal::not_found("interview"))?;
    may(person, Action::Room(InRoom::See, &room))?;
    Ok(room)
}

/// The room of an interview in which this person may do this.
pub(super) async fn room_for(
    app: &Shared,
    interview: InterviewId,
    person: PersonId,
    action: InRoom,
) -> Result<Room, Error> {
    let room = room_of(app, interview, person).await?;
    may(person, Action::Room(action, &room))?;
    Ok(room)
}

/// The id in a path; what is not an id names nothing.
pub(super) fn interview_id(text: &str) -> Result<InterviewId, Refusal> {
    text.parse().map_err(|_| Refusal::not_found("interview"))
}

async fn plan(app: &Shared, person: &Person, body: &InterviewBody) -> Result<Command, Error> {
    let kind = match body.kind.as_str() {
        "practice" => Kind::Practice,
        "live" => Kind::Live,
        _ => return Err(text::wrong("kind", "must be practice or live").into()),
    };
    if kind == Kind::Live && may(person.role, Action::In(Permission::CreateLive)).is_err() {
        let detail = "your role can practise, but not create live interviews; ask an interviewer";
        return Err(Refusal::denied(detail).into());
    }
    let kit = match body.kit_id.as_deref() {
        None => None,
        Some(id) => match kits::find(app, id).await? {
            Some((kit, _)) => Some(kit),
            None => return Err(text::wrong("kit_id", "no such kit; GET /api/v1/kits").into()),
        },
    };
    let questions = questions(kit.as_ref(), body.questions.as_deref())?;
    let mut wrong: Vec<FieldError> = Vec::new();
    let title = text::optional_name("title", body.title.as_deref());
    let role = text::optional_name("role", body.role.as_deref());
    let engine = app.engine_in_force().await?;
    let mode = me::check_mode(engine.calibration(), body.mode.as_deref());
    let scheduled_at = moment("scheduled_at", body.scheduled_at.as_deref());
    wrong.extend(title.as_ref().err().cloned());
    wrong.extend(role.as_ref().err().cloned());
    wrong.extend(mode.as_ref().err().cloned());
    wrong.extend(scheduled_at.as_ref().err().cloned());
    let (Ok(title), Ok(role), Ok(mode), Ok(scheduled_at)) = (title, role, mode, scheduled_at)
    else {
        return Err(Refusal::fields(wrong).into());
    };
    let role = role.or_else(|| kit.as_ref().map(|kit| kit.role.clone()));
    let title = title
        .or_else(|| kit.as_ref().map(|kit| kit.title.clone()))
        .or_else(|| role.clone())
        .unwrap_or_else(|| "Interview".to_owned());
    // In a practice the owner answers, in a live interview the owner asks.
    let part = if kind == Kind::Practice { Part::Candidate } else { Part::Interviewer };
    let has_questions = !questions.is_empty();
    let plan = Plan {
        id: InterviewId(fresh()),
        owner: person.id,
        kind,
        title,
        role,
        mode,
        kit_id: kit.map(|kit| kit.id),
        auto_ask: body.auto_ask.unwrap_or(kind == Kind::Practice && has_questions),
        created_at: app.replica.now(),
        scheduled_at,
    };
    let members = vec![Member { person: person.id, part }];
    Ok(Command::CreateInterview { plan: Box::new(plan), members, questions })
}

fn questions(kit: Option<&Kit>, own: Option<&[String]>) -> Result<Vec<Question>, Refusal> {
    let mut questions = Vec::new();
    for question in kit.iter().flat_map(|kit| &kit.questions) {
        questions.push(Question {
            id: QuestionId(fresh()),
            text: question.text.clone(),
            competency: Some(question.competency.clone()),
            focus: question.focus.clone(),
            asked_seq: None,
            answer_id: None,
            skipped_seq: None,
        });
    }
    let (mut wrong, mut texts) = (Vec::new(), BTreeSet::new());
    for (n, own) in own.unwrap_or_default().iter().enumerate() {
        let field = format!("questions[{n}]");
        match text::prose(&field, own, limit::QUESTION_BYTES_MAX) {
            Ok(text) if !texts.insert(text.clone()) => {
                wrong.push(text::wrong(&field, "is there twice"));
            }
            Ok(text) => questions.push(Question {
                id: QuestionId(fresh()),
                text,
                competency: None,
                focus: Vec::new(),
                asked_seq: None,
                answer_id: None,
                skipped_seq: None,
            }),
            Err(error) => wrong.push(error),
        }
    }
    if questions.len() > limit::QUESTIONS_AT_START_MAX {
        let detail = format!("at most {} questions", limit::QUESTIONS_AT_START_MAX);
        wrong.push(text::wrong("questions", detail));
    }
    if wrong.is_empty() { Ok(questions) } else { Err(Refusal::fields(wrong)) }
}

fn moment(field: &str, value: Option<&str>) -> Result<Option<Time>, FieldError> {
    let parse = |value: &str| {
        let detail = "not a time: expected RFC 3339, such as 2026-11-22T09:30:00Z";
        Time::parse(value).ok_or_else(|| text::wrong(field, detail))
    };
    value.map(parse).transpose()
}

fn line(summary: &Summary) -> Value {
    json!({
        "id": summary.id,
        "kind": summary.kind,
        "state": summary.state,
        "title": summary.title,
        "role": summary.role,
        "mode": summary.mode,
        "created_at": summary.created_at,
        "started_at": summary.started_at,
        "finished_at": summary.finished_at,
        "last_seq": summary.last_seq,
        "report_ready": summary.report_ready,
        "score": summary.score,
    })
}
