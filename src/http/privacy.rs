//! What people can ask for about their own data, and what an admin decides about everybody's.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::{Extensions, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::auth::secret::hash_token;
use crate::cluster::fresh;
use crate::domain::command::{Command, Outcome, Witnessed};
use crate::domain::id::PersonId;
use crate::domain::limit;
use crate::domain::may::{Action, InRoom, may};
use crate::domain::privacy::{Rule, Subject};
use crate::domain::refusal::Refusal;
use crate::domain::room::Act;
use crate::domain::text;
use crate::jobs::takeout::NotMade;
use crate::store::query::{self, privacy::Consent};

use super::account;
use super::app::Shared;
use super::audit;
use super::backups::stream_of;
use super::body::{Done, Empty, Write};
use super::caller::Caller;
use super::error::Error;
use super::interviews::{interview_id, room_for, room_of};
use super::paging::{Paging, page};

/// Whether somebody's words may be kept.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ConsentBody {
    given: bool,
    /// SHA-256 of the sentence that was read, as `GET` gave it.
    sha256: String,
}

/// For how long things are kept; a kind that is left out stays for ever.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RetentionBody {
    /// `{kind: practice, live or cv, days}`
    #[schema(value_type = Vec<Object>)]
    rules: Vec<Rule>,
}

/// What must stay; one of the two ids.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct HoldBody {
    #[serde(default)]
    person_id: Option<String>,
    #[serde(default)]
    interview_id: Option<String>,
    reason: String,
}

/// Everything about the caller as a ZIP file.
pub(super) async fn export(
    State(app): State<Shared>,
    caller: Caller,
    extensions: Extensions,
) -> Result<Response, Error> {
    let person = caller.person()?.id;
    let what = Witnessed::DataExport;
    audit::witness(&app, &caller, &extensions, what, person.to_string()).await?;
    let archive = app.takeout.of(person).await.map_err(|why| match why {
        NotMade::Busy | NotMade::TooLarge => Error::from(Refusal::conflict(why.to_string())),
        NotMade::Fault(fault) => Error::Fault(fault),
    })?;
    let name = format!("attachment; filename=\"greenroom-{person}.zip\"");
    let headers = [
        (header::CONTENT_TYPE, "application/zip".to_owned()),
        (header::CONTENT_LENGTH, archive.bytes.to_string()),
        (header::CONTENT_DISPOSITION, name),
        (header::CACHE_CONTROL, "private, no-store".to_owned()),
    ];
    Ok((headers, stream_of(archive.into_reader())).into_response())
}

/// Erases the caller.
pub(super) async fn erase_me(
    State(app): State<Shared>,
    write: Write<Empty>,
) -> Result<Response, Error> {
    let person = write.caller.person()?.id;
    let done = erase(&app, &write, person).await?;
    let mut response = erased(done)?;
    account::forget_cookies(&app, response.headers_mut());
    Ok(response)
}

/// Erases somebody.
pub(super) async fn erase_person(
    State(app): State<Shared>,
    Path(id): Path<String>,
    write: Write<Empty>,
) -> Result<Response, Error> {
    let person: PersonId = id.parse().map_err(|_| Refusal::not_found("person"))?;
    erased(erase(&app, &write, person).await?)
}

async fn erase(app: &Shared, write: &Write<Empty>, person: PersonId) -> Result<Done, Error> {
    let command = async || {
        // Nobody else could end them afterwards. What cannot be ended is over by now.
        let read = move |db: &query::Connection| query::privacy::left_alone(db, person);
        for interview in app.replica.read(read).await? {
            for act in [Act::Cancel {}, Act::Finish {}] {
                let act = Command::Act { interview, act: Box::new(act) };
                if write.prepare_as(app, person, act).await.is_ok() {
                    break;
                }
            }
        }
        Ok(Command::Erase { person, receipt: fresh() })
    };
    write.run(app, command).await
}

fn erased(done: Done) -> Result<Response, Error> {
    let Outcome::Erased { receipt, at, counts } = &done.outcome else {
        return Err(Refusal::not_found("person").into());
    };
    let body = json!({"receipt_id": receipt, "erased_at": at, "counts": counts});
    Ok(done.response(StatusCode::OK, Json(body)))
}

/// The sentence, and what was said to it: by everybody for interviewers, else by the caller.
pub(super) async fn consent(
    State(app): State<Shared>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<Value>, Error> {
    let (interview, person) = (interview_id(&id)?, caller.person()?.id);
    let room = room_of(&app, interview, person).await?;
    let may = |action| may(person, Action::Room(action, &room)).is_ok();
    let (everybody, asked) = (may(InRoom::SeeConsents), may(InRoom::Consent));
    let only = if everybody { None } else { Some(person) };
    let read = move |db: &query::Connection| query::privacy::consents(db, interview, only);
    let answers = app.replica.read(read).await?;
    Ok(Json(sentence(&app, asked, &answers)))
}

/// Says yes or no to it.
pub(super) async fn answer_consent(
    State(app): State<Shared>,
    Path(id): Path<String>,
    write: Write<ConsentBody>,
) -> Result<Response, Error> {
    let (interview, person) = (interview_id(&id)?, write.caller.person()?.id);
    room_for(&app, interview, person, InRoom::Consent).await?;
    let text = app.consent_text.clone();
    let (given, sha256) = (write.body.given, hash_token(&text));
    if write.body.sha256 != sha256 {
        let detail = "this is not the SHA-256 of the sentence; read it again and answer that one";
        return Err(Refusal::conflict(detail).into());
    }
    let command = async || Ok(Command::Consent { interview, person, given, text, sha256 });
    let done = write.run(&app, command).await?;
    let read = move |db: &query::Connection| query::privacy::consents(db, interview, Some(person));
    let answers = app.replica.read(read).await?;
    Ok(done.response(StatusCode::OK, Json(sentence(&app, true, &answers))))
}

fn sentence(app: &Shared, asked: bool, answers: &[Consent]) -> Value {
    let said: BTreeMap<PersonId, bool> =
        answers.iter().map(|answer| (answer.person, answer.given)).collect();
    let now: Vec<Value> =
        said.iter().map(|(person, given)| json!({"person_id": person, "given": given})).collect();
    let all: Vec<Value> = answers
        .iter()
        .map(|answer| {
            json!({
                "person_id": answer.person, "given": answer.given, "at": answer.at,
                "text": answer.text, "sha256": answer.sha256,
            })
        })
        .collect();
    json!({
        "asked": asked,
        "text": app.consent_text,
        "sha256": hash_token(&app.consent_text),
        "now": now,
        "answers": all,
    })
}

/// The rules, and what would go now.
pub(super) async fn retention(State(app): State<Shared>) -> Result<Json<Value>, Error> {
    let now = app.replica.now();
    let read = move |db: &query::Connection| {
        let due = query::privacy::due(db, now, limit::PAGE_ITEMS_MAX)?;
        Ok((query::privacy::retention(db)?, due))
    };
    let (rules, due) = app.replica.read(read).await?;
    let due = json!({"interviews": due.interviews.len(), "contexts": due.contexts.len()});
    Ok(Json(json!({"rules": rules, "due": due})))
}

/// Sets the rules. They are obeyed at once on the node that leads, and then every hour.
pub(super) async fn set_retention(
    State(app): State<Shared>,
    write: Write<RetentionBody>,
) -> Result<Response, Error> {
    let rules = write.body.rules.clone();
    let done = write.run(&app, async || Ok(Command::SetRetention { rules })).await?;
    crate::jobs::retention::expire(&app.replica).await?;
    Ok(done.response(StatusCode::OK, retention(State(app.clone())).await?))
}

/// Legal holds, the newest first.
pub(super) async fn holds(State(app): State<Shared>) -> Result<Json<Value>, Error> {
    let holds = app.replica.read(query::privacy::holds).await?;
    let items: Vec<Value> = holds
        .iter()
        .map(|hold| {
            json!({
                "id": hold.id, "person_id": hold.person, "interview_id": hold.interview,
                "reason": hold.reason, "created_at": hold.at, "released_at": hold.ended_at,
            })
        })
        .collect();
    Ok(Json(json!({"items": items, "next": null})))
}

/// Something must stay.
pub(super) async fn hold(
    State(app): State<Shared>,
    write: Write<HoldBody>,
) -> Result<Response, Error> {
    let body = &write.body;
    let reason = text::prose("reason", &body.reason, limit::HOLD_REASON_BYTES_MAX)?;
    let subject = match (&body.person_id, &body.interview_id) {
        (Some(id), None) => Subject::Person(id.parse().map_err(|_| Refusal::not_found("person"))?),
        (None, Some(id)) => Subject::Interview(interview_id(id)?),
        _ => {
            let detail = "name either a person_id or an interview_id";
            return Err(Refusal::field("person_id", detail).into());
        }
    };
    let done =
        write.run(&app, async || Ok(Command::Hold { hold: fresh(), subject, reason })).await?;
    let Outcome::Held { hold } = &done.outcome else {
        return Err(Refusal::not_found("legal hold").into());
    };
    Ok(done.response(StatusCode::CREATED, Json(json!({"id": hold}))))
}

/// It need not stay any longer.
pub(super) async fn release(
    State(app): State<Shared>,
    Path(id): Path<String>,
    write: Write<Empty>,
) -> Result<Response, Error> {
    let hold = Uuid::try_parse(&id).map_err(|_| Refusal::not_found("legal hold"))?;
    let done = write.run(&app, async || Ok(Command::Release { hold })).await?;
    Ok(done.response(StatusCode::NO_CONTENT, ()))
}

/// Receipts of what was erased, the newest first.
pub(super) async fn erasures(
    State(app): State<Shared>,
    Query(paging): Query<Paging>,
) -> Result<Json<Value>, Error> {
    let (limit, before) = (paging.limit()?, paging.cursor::<u64>()?);
    let read = move |db: &query::Connection| query::privacy::receipts(db, before, limit);
    let items: Vec<Value> = app
        .replica
        .read(read)
        .await?
        .iter()
        .map(|receipt| {
            json!({
                "seq": receipt.seq, "receipt_id": receipt.receipt, "person_id": receipt.person,
                "erased_at": receipt.at, "counts": receipt.counts,
            })
        })
        .collect();
    Ok(page(items, limit, |item| item["seq"].to_string()))
}
