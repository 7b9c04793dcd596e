//! Acts in a room over HTTP: the same commands as over a socket.

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use std::time::{Duration, Instant};
use utoipa::ToSchema;

use crate::auth::secret::Purpose;
use crate::auth::ticket::Holder;
use crate::cluster::fresh;
use crate::domain::analysis::TimedWord;
use crate::domain::command::{Command, NewPerson, Outcome};
use crate::domain::id::{AnswerId, InterviewId, PersonId, QuestionId};
use crate::domain::interview::{Kind, Part};
use crate::domain::limit;
use crate::domain::may::{Action, InRoom, may};
use crate::domain::number::Milli;
use crate::domain::person::{Person, Role};
use crate::domain::refusal::{Code, Refusal};
use crate::domain::room::Act;
use crate::domain::text::{self, Email};
use crate::room::answer::Draft;
use crate::room::protocol;
use crate::store::{Fault, query};

use super::app::Shared;
use super::body::{self, Done, Empty, Write};
use super::caller::Caller;
use super::error::Error;
use super::interviews::{interview_id, room_for, room_of, seen_after};

/// A question.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct QuestionBody {
    pub(super) text: String,
}

/// A question that is left without an answer.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SkipBody {
    question_id: String,
}

/// An answer.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct AnswerBody {
    question_id: String,
    text: String,
    /// Each word with its start and end in seconds.
    #[serde(default)]
    #[schema(value_type = Option<Vec<Vec<Object>>>)]
    words: Option<Vec<TimedWord>>,
    #[serde(default)]
    #[schema(value_type = Option<f64>)]
    duration_s: Option<Milli>,
}

/// A member to be: somebody with an account, or a mail address.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct MemberBody {
    #[serde(default)]
    email: Option<String>,
    #[serde(default)]
    person_id: Option<String>,
    /// candidate, interviewer or observer
    part: String,
}

/// Which events.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct EventsQuery {
    #[serde(default)]
    after: u64,
    limit: Option<usize>,
    #[serde(rename = "stale")]
    _stale: Option<String>,
}

pub(super) async fn start(
    State(app): State<Shared>,
    Path(id): Path<String>,
    write: Write<Empty>,
) -> Result<Response, Error> {
    lifecycle(&app, &id, &write, Act::Start {}).await
}

pub(super) async fn finish(
    State(app): State<Shared>,
    Path(id): Path<String>,
    write: Write<Empty>,
) -> Result<Response, Error> {
    lifecycle(&app, &id, &write, Act::Finish {}).await
}

pub(super) async fn cancel(
    State(app): State<Shared>,
    Path(id): Path<String>,
    write: Write<Empty>,
) -> Result<Response, Error> {
    lifecycle(&app, &id, &write, Act::Cancel {}).await
}

pub(super) async fn ask(
    State(app): State<Shared>,
    Path(id): Path<String>,
    write: Write<QuestionBody>,
) -> Result<Response, Error> {
    let interview = interview_id(&id)?;
    let text = text::prose("text", &write.body.text, limit::QUESTION_BYTES_MAX)?;
    let act = Act::Ask { question_id: QuestionId(fresh()), text };
    let done = write.run(&app, async || Ok(command(interview, act))).await?;
    let Outcome::Acted { seq, question_id, .. } = &done.outcome else { return Err(strange()) };
    let body = json!({"question_id": question_id, "seq": seq});
    Ok(done.response(StatusCode::CREATED, Json(body)))
}

pub(super) async fn skip(
    State(app): State<Shared>,
    Path(id): Path<String>,
    write: Write<SkipBody>,
) -> Result<Response, Error> {
    let interview = interview_id(&id)?;
    let question_id = write.body.question_id.parse().map_err(|_| Refusal::not_found("question"))?;
    let done = write.run(&app, async || Ok(command(interview, Act::Skip { question_id }))).await?;
    let Outcome::Acted { seq, .. } = &done.outcome else { return Err(strange()) };
    Ok(done.response(StatusCode::OK, Json(json!({"question_id": question_id, "seq": seq}))))
}

pub(super) async fn answer(
    State(app): State<Shared>,
    Path(id): Path<String>,
    write: Write<AnswerBody>,
) -> Result<Response, Error> {
    let interview = interview_id(&id)?;
    let person = write.caller.person()?.id;
    let body = &write.body;
    let question_id: QuestionId =
        body.question_id.parse().map_err(|_| Refusal::not_found("question"))?;
    let text = text::prose("text", &body.text, limit::ANSWER_BYTES_MAX)?;
    let draft = Draft {
        question_id,
        text: Some(text),
        words: protocol::check_words(body.words.clone())?,
        duration_s: protocol::check_duration(body.duration_s)?,
    };
    let done = write
        .run(&app, async || {
            let room = room_of(&app, interview, person).await?;
            Ok(command(interview, app.analyst.answer(&room, person, draft).await?))
        })
        .await?;
    let Outcome::Acted { seq, answer_id: Some(answer), .. } = done.outcome else {
        return Err(strange());
    };
    let analysis = shown_analysis(&app, interview, answer, person).await?;
    let body = json!({"answer_id": answer, "seq": seq, "analysis": analysis});
    Ok(done.response(StatusCode::CREATED, Json(body)))
}

pub(super) async fn events(
    State(app): State<Shared>,
    caller: Caller,
    Path(id): Path<String>,
    Query(wanted): Query<EventsQuery>,
) -> Result<Json<Value>, Error> {
    let interview = interview_id(&id)?;
    room_of(&app, interview, caller.person()?.id).await?;
    let limit = match wanted.limit {
        Some(0) => return Err(Refusal::field("limit", "must be at least 1").into()),
        wanted => wanted.unwrap_or(limit::EVENTS_PAGE).min(limit::EVENTS_PAGE_MAX),
    };
    let after = wanted.after;
    let page = app.replica.read(move |db| query::event::after(db, interview, after, limit)).await?;
    let next = if page.len() == limit { page.last().map(|event| event.seq) } else { None };
    let items = page.iter().map(|event| RawValue::from_string(event.json("")));
    let items: Vec<Box<RawValue>> = items.collect::<Result<_, _>>().map_err(Fault::from)?;
    Ok(Json(json!({"items": items, "next": next})))
}

pub(super) async fn notes(
    State(app): State<Shared>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<Value>, Error> {
    let interview = interview_id(&id)?;
    let person = caller.person()?.id;
    room_for(&app, interview, person, InRoom::Note).await?;
    let notes = app.replica.read(move |db| query::interview::notes(db, interview)).await?;
    let items: Vec<Value> = notes
        .iter()
        .map(|note| {
            json!({
                "note_id": note.id, "at": note.at, "by": note.by, "text": note.text,
                "question_id": note.question_id,
            })
        })
        .collect();
    Ok(Json(json!({"items": items, "next": null})))
}

pub(super) async fn ticket(
    State(app): State<Shared>,
    Path(id): Path<String>,
    write: Write<Empty>,
) -> Result<Response, Error> {
    let interview = interview_id(&id)?;
    let person = write.caller.person()?.id;
    room_of(&app, interview, person).await?;
    let issue = async || {
        let (session, until) = (write.caller.session(), write.caller.ends_at());
        let holder = Holder { person, session, until, interview };
        let ticket = app.tickets.issue(holder, Instant::now()).ok_or_else(|| {
            Refusal::new(Code::RateLimited, "too many tickets are out; try again in a few seconds")
        })?;
        Ok(json!({
            "ticket": ticket,
            "expires_in": limit::TICKET_SECONDS,
            "socket": format!("/api/v1/rooms/{interview}/socket"),
        }))
    };
    // Shown again as long as it holds, used or not: a repeated request never revives a ticket. It
    // is no part of the state, so its key is as short-lived as itself.
    let lasts = Duration::from_secs(limit::TICKET_SECONDS);
    let (body, replayed) = write.pass(&app, lasts, issue).await?;
    Ok(body::answer(StatusCode::CREATED, Json(body), replayed))
}

pub(super) async fn add_member(
    State(app): State<Shared>,
    Path(id): Path<String>,
    write: Write<MemberBody>,
) -> Result<Response, Error> {
    let interview = interview_id(&id)?;
    let caller = write.caller.person()?.id;
    let part = part(&write.body.part)?;
    let room = room_for(&app, interview, caller, InRoom::Staff).await?;
    if room.plan.kind == Kind::Practice {
        let detail = "a practice belongs to one person; share its report by a link instead";
        return Err(Refusal::conflict(detail).into());
    }
    let act = async || {
        let person = find_or_invite(&app, &write, part).await?;
        Ok(command(interview, Act::AddMember { person, part }))
    };
    let done = write.run(&app, act).await?;
    let wanted = wanted(&write.body)?;
    let member = app.replica.read(move |db| found(db, &wanted)).await?;
    let member = member.ok_or_else(|| Refusal::not_found("person"))?;
    let person = member.id;
    let mut body = json!({
        "person_id": person, "display_name": member.display_name, "part": part,
    });
    if !member.joined && member.invite_expires_at.is_some() {
        let token = app.secrets.link(Purpose::Invite, person.0, member.invite_generation);
        body["invite_url"] = json!(format!("{}/invite#{token}", app.public_url));
        body["invite_expires_at"] = json!(member.invite_expires_at);
    }
    Ok(done.response(StatusCode::CREATED, Json(body)))
}

pub(super) async fn remove_member(
    State(app): State<Shared>,
    Path((id, person)): Path<(String, String)>,
    write: Write<Empty>,
) -> Result<Response, Error> {
    let interview = interview_id(&id)?;
    let person: PersonId = person.parse().map_err(|_| Refusal::not_found("member"))?;
    let act = Act::RemoveMember { person };
    let done = write.run(&app, async || Ok(command(interview, act))).await?;
    Ok(done.response(StatusCode::NO_CONTENT, ()))
}

async fn lifecycle(
    app: &Shared,
    id: &str,
    write: &Write<Empty>,
    act: Act,
) -> Result<Response, Error> {
    let interview = interview_id(id)?;
    let person = write.caller.person()?.id;
    let done: Done = write.run(app, async || Ok(command(interview, act))).await?;
    let Outcome::Acted { seq: Some(seq), .. } = done.outcome else { return Err(strange()) };
    Ok(done.response(StatusCode::OK, Json(seen_after(app, interview, person, seq).await?)))
}

fn command(interview: InterviewId, act: Act) -> Command {
    Command::Act { interview, act: Box::new(act) }
}

/// What the engine said, where the viewer may see it: the owner of a practice.
async fn shown_analysis(
    app: &Shared,
    interview: InterviewId,
    answer: AnswerId,
    viewer: PersonId,
) -> Result<Value, Error> {
    let room = room_of(app, interview, viewer).await?;
    if may(viewer, Action::Room(InRoom::SeeAnalysis, &room)).is_err() {
        return Ok(Value::Null);
    }
    let analysis = app.replica.read(move |db| query::interview::analysis(db, answer)).await?;
    Ok(json!(analysis))
}

/// Who is meant.
enum Wanted {
    Person(PersonId),
    Address(Email),
}

fn wanted(body: &MemberBody) -> Result<Wanted, Error> {
    match (&body.person_id, &body.email) {
        (Some(id), None) => {
            Ok(Wanted::Person(id.parse().map_err(|_| Refusal::not_found("person"))?))
        }
        (None, Some(email)) => Ok(Wanted::Address(Email::parse("email", email)?)),
        _ => Err(text::wrong("email", "send either email or person_id").into()),
    }
}

fn found(db: &query::Connection, wanted: &Wanted) -> Result<Option<Person>, Fault> {
    match wanted {
        Wanted::Person(id) => query::person::by_id(db, *id),
        Wanted::Address(email) => {
            Ok(query::person::by_email(db, email.as_str())?.map(|(person, _)| person))
        }
    }
}

async fn find_or_invite(
    app: &Shared,
    write: &Write<MemberBody>,
    part: Part,
) -> Result<PersonId, Error> {
    let email = match wanted(&write.body)? {
        Wanted::Person(id) => return Ok(id),
        Wanted::Address(email) => email,
    };
    let known = Wanted::Address(email.clone());
    if let Some(person) = app.replica.read(move |db| found(db, &known)).await? {
        return Ok(person.id);
    }
    let role = match part {
        Part::Candidate => Role::Candidate,
        Part::Observer => Role::Observer,
        // An owner must not be able to make accounts that see other people's interviews.
        Part::Interviewer => {
            let detail = "no account has this address; an admin adds interviewers";
            return Err(Refusal::field("email", detail).into());
        }
    };
    let display_name = email.as_str().split('@').next().unwrap_or_default().to_owned();
    let id = PersonId(fresh());
    let now = app.replica.now();
    let invite_expires_at = Some(now.plus_ms(limit::INVITE_SECONDS * 1_000));
    let person =
        NewPerson { id, email, display_name, role, password_hash: None, invite_expires_at };
    let envelope = write.envelope(app, None, Command::AddPerson { person: Box::new(person) });
    match app.replica.propose(envelope).await? {
        Outcome::Person { person } => Ok(person.id),
        Outcome::Refused { refusal } => Err(refusal.into()),
        _ => Err(strange()),
    }
}

fn part(text: &str) -> Result<Part, Refusal> {
    match text {
        "candidate" => Ok(Part::Candidate),
        "interviewer" => Ok(Part::Interviewer),
        "observer" => Ok(Part::Observer),
        _ => Err(Refusal::field("part", "must be candidate, interviewer or observer")),
    }
}

/// An outcome of another kind of command under the same key cannot be: its fingerprint differs.
fn strange() -> Error {
    Refusal::new(Code::IdempotencyMismatch, "this key was used for another request").into()
}
