//! A person's own practices over time: points and trends, the readiness index, own judgements.

use axum::Json;
use axum::extract::{Query, State};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::domain::interview::Kind;
use crate::domain::limit;
use crate::domain::number::Milli;
use crate::domain::refusal::Refusal;
use crate::insight::progress::{self, Numbers};
use crate::insight::readiness::{self, Practice, seed};
use crate::insight::report::Report;
use crate::store::query;

use super::app::Shared;
use super::caller::Caller;
use super::error::Error;

/// Which index.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ReadinessQuery {
    calibration: Option<String>,
    #[serde(rename = "stale")]
    _stale: Option<String>,
}

/// What of a report a point on the way shows.
#[derive(Deserialize)]
struct Shown {
    score: Option<Milli>,
    #[serde(default)]
    summary: Numbers,
    calibration: Option<Value>,
}

pub(super) async fn progress(
    State(app): State<Shared>,
    caller: Caller,
) -> Result<Json<Value>, Error> {
    let person = caller.person()?.id;
    let read = move |db: &query::Connection| {
        let (mut points, mut numbers) = (Vec::new(), Vec::new());
        for summary in query::interview::of_member(db, person, None, limit::PAGE_ITEMS_MAX)? {
            if summary.kind != Kind::Practice || !summary.report_ready {
                continue;
            }
            let Some(body) = query::report::body(db, summary.id)? else { continue };
            let shown: Shown = serde_json::from_str(&body)?;
            points.push(point(&summary, &shown));
            let mut all = shown.summary;
            all.insert("score".to_owned(), shown.score);
            numbers.push(all);
        }
        points.reverse();
        numbers.reverse();
        Ok((points, progress::trends(&numbers)))
    };
    let (points, trends) = app.replica.read(read).await?;
    let newest = &points[points.len().saturating_sub(progress::PRACTICES_MAX)..];
    let mut versions: Vec<&Value> = newest.iter().map(|point| &point["calibration"]).collect();
    versions.retain(|version| !version.is_null());
    versions.dedup();
    Ok(Json(json!({
        "points": points,
        "trends": trends,
        // Scores under different weights are not one line.
        "mixed_calibrations": versions.len() > 1,
        "about": ABOUT,
    })))
}

const ABOUT: &str = "Your finished practices, oldest first, and where each number is heading over \
    the newest sixteen. A direction is told from three practices on, where two of three pairs of \
    them agree on it. You are compared with your own past and with nobody else.";

fn point(summary: &query::interview::Summary, shown: &Shown) -> Value {
    json!({
        "interview_id": summary.id,
        "title": summary.title,
        "role": summary.role,
        "mode": summary.mode,
        "finished_at": summary.finished_at,
        "score": shown.score,
        "summary": shown.summary,
        "calibration": shown.calibration,
    })
}

/// The practice readiness index, from the reports of the newest practices.
pub(super) async fn readiness(
    State(app): State<Shared>,
    caller: Caller,
    Query(query): Query<ReadinessQuery>,
) -> Result<Json<Value>, Error> {
    let person = caller.person()?.id;
    match query.calibration.as_deref() {
        None | Some("core") => {
            let read = move |db: &query::Connection| {
                let bodies = query::report::of_practices(db, person, readiness::READ_MAX)?;
                let practices = bodies.iter().map(|body| serde_json::from_str::<Practice>(body));
                Ok(readiness::readiness(&practices.collect::<Result<Vec<_>, _>>()?))
            };
            Ok(Json(json!(app.replica.read(read).await?)))
        }
        Some(seed::NAME) => {
            let read = move |db: &query::Connection| {
                let context = query::person::context(db, person)?.unwrap_or_default();
                let bodies = query::report::of_practices(db, person, limit::PAGE_ITEMS_MAX)?;
                let reports = bodies.iter().map(|body| serde_json::from_str::<Report>(body));
                let reports = reports.collect::<Result<Vec<_>, _>>()?;
                Ok(seed::told(&reports, &context.mode))
            };
            Ok(Json(json!(app.replica.read(read).await?)))
        }
        Some(_) => {
            let detail = format!("there are core, which is the default, and {}", seed::NAME);
            Err(Refusal::field("calibration", detail).into())
        }
    }
}

/// The own CV and job description in parts, each with the place of its words.
pub(super) async fn profile(
    State(app): State<Shared>,
    caller: Caller,
) -> Result<Json<Value>, Error> {
    let person = caller.person()?.id;
    let engine = app.engine.clone();
    let read = move |db: &query::Connection| {
        let context = query::person::context(db, person)?.unwrap_or_default();
        let (cv, job) = (engine.profile(&context.cv_text), engine.job(&context.job_description));
        Ok(json!({"cv": cv, "job": job}))
    };
    Ok(Json(app.replica.read(read).await?))
}

/// What of the own CV and the answers of all own practices does not fit together.
pub(super) async fn ledger(
    State(app): State<Shared>,
    caller: Caller,
) -> Result<Json<Value>, Error> {
    let person = caller.person()?.id;
    let engine = app.engine.clone();
    let read = move |db: &query::Connection| {
        let context = query::person::context(db, person)?.unwrap_or_default();
        let mut answers =
            query::interview::own_answers(db, person, Kind::Practice, limit::EARLIER_ANSWERS_MAX)?;
        // Read newest first, so that the bound keeps the newest; told oldest first.
        answers.reverse();
        let texts: Vec<&str> = answers.iter().map(|answer| answer.text.as_str()).collect();
        let cv = Some(context.cv_text.as_str()).filter(|text| !text.trim().is_empty());
        let entries = engine.ledger(cv, &texts).into_iter().map(|entry| {
            let mut view = json!(entry.conflict);
            let place = |at: usize| {
                let answer = answers.get(at)?;
                Some(json!({"answer_id": answer.id, "interview_id": answer.interview}))
            };
            view["answer"] = json!(place(entry.answer));
            let earlier = entry.conflict.a.index.and_then(|at| place(at as usize));
            view["earlier_answer"] = json!(earlier);
            view
        });
        Ok(json!({"items": entries.collect::<Vec<_>>(), "next": null, "answers": answers.len()}))
    };
    Ok(Json(app.replica.read(read).await?))
}

/// What a person thought of the reports.
pub(super) async fn feedback(
    State(app): State<Shared>,
    caller: Caller,
) -> Result<Json<Value>, Error> {
    let person = caller.person()?.id;
    let given = app
        .replica
        .read(move |db| query::feedback::of_person(db, person, limit::PAGE_ITEMS_MAX))
        .await?;
    let accurate = given.iter().filter(|one| one.accurate).count();
    let share = (!given.is_empty()).then(|| Milli((accurate * 1000 / given.len()) as i64));
    let items = given.iter().map(|one| {
        json!({
            "id": one.id, "interview_id": one.interview, "at": one.at,
            "accurate": one.accurate, "note": one.note,
        })
    });
    Ok(Json(json!({
        "items": items.collect::<Vec<_>>(),
        "next": null,
        "total": given.len(),
        "accurate": accurate,
        "inaccurate": given.len() - accurate,
        "accurate_share": share,
    })))
}
