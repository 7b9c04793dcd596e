//! Kits and new interviews.

use rusqlite::{Connection, params};

use crate::domain::command::{Envelope, Outcome};
use crate::domain::interview::{Member, Plan, Question, State};
use crate::domain::kit::Kit;
use crate::domain::limit;
use crate::domain::refusal::Refusal;

use super::super::query;
use super::Step;

pub(super) fn put_kit(db: &Connection, envelope: &Envelope, kit: &Kit) -> Step<Outcome> {
    // The row has a place for an author only; a fault here would stop every node of the cluster.
    let Some(by) = envelope.by else {
        return Err(Refusal::denied("only a person writes a kit").into());
    };
    let newest = query::kit::newest_version(db, &kit.id)?;
    if newest.is_none() && query::kit::count(db)? >= limit::KITS_MAX {
        let detail = format!("an organisation has at most {} kits", limit::KITS_MAX);
        return Err(Refusal::conflict(detail).into());
    }
    let mut kit = kit.clone();
    kit.version = newest.unwrap_or(0) + 1;
    db.prepare_cached("INSERT INTO kit (id, version, body, by, at) VALUES (?1, ?2, ?3, ?4, ?5)")?
        .execute(params![
        kit.id,
        kit.version,
        serde_json::to_string(&kit)?,
        by.to_string(),
        envelope.at.0
    ])?;
    Ok(Outcome::Kit { id: kit.id, version: kit.version })
}

pub(super) fn create(
    db: &Connection,
    plan: &Plan,
    members: &[Member],
    questions: &[Question],
) -> Step<Outcome> {
    let state = if plan.scheduled_at.is_some() { State::Scheduled } else { State::Lobby };
    let id = plan.id.to_string();
    db.prepare_cached(
        "INSERT INTO interview (id, owner, kind, state, title, role, mode, kit_id, auto_ask,
         created_at, scheduled_at, last_seq)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, 0)",
    )?
    .execute(params![
        id,
        plan.owner.to_string(),
        plan.kind.as_str(),
        state.as_str(),
        plan.title,
        plan.role,
        plan.mode,
        plan.kit_id,
        plan.auto_ask,
        plan.created_at.0,
        plan.scheduled_at.map(|at| at.0)
    ])?;
    for member in members {
        db.prepare_cached("INSERT INTO member (interview, person, part) VALUES (?1, ?2, ?3)")?
            .execute(params![id, member.person.to_string(), member.part.as_str()])?;
    }
    for (position, question) in questions.iter().enumerate() {
        insert_question(db, &id, position, question)?;
    }
    Ok(Outcome::Interview { interview: plan.id })
}

pub(super) fn insert_question(
    db: &Connection,
    interview: &str,
    position: usize,
    question: &Question,
) -> Step<()> {
    db.prepare_cached(
        "INSERT INTO question (id, interview, position, text, competency, focus, asked_seq)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )?
    .execute(params![
        question.id.to_string(),
        interview,
        position as i64,
        question.text,
        question.competency,
        serde_json::to_string(&question.focus)?,
        question.asked_seq.map(|seq| seq as i64)
    ])?;
    Ok(())
}
