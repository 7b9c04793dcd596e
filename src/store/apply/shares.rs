//! Share links and feedback on reports.

use rusqlite::{Connection, params};

use crate::domain::command::{Envelope, Outcome};
use crate::domain::id::{FeedbackId, InterviewId, ShareId};
use crate::domain::limit;
use crate::domain::may::{Action, InRoom, may};
use crate::domain::refusal::Refusal;
use crate::domain::time::Time;

use super::super::query;
use super::{Step, audit};

pub(super) fn share(
    db: &Connection,
    envelope: &Envelope,
    share: ShareId,
    interview: InterviewId,
    token_hash: &str,
    expires_at: Time,
) -> Step<Outcome> {
    let room = query::room::load(db, interview)?;
    let share_it = |room| may(envelope.by, Action::Room(InRoom::Share, &room)).is_ok();
    if !room.is_some_and(share_it) {
        return Err(Refusal::not_found("interview").into());
    }
    if query::share::alive(db, interview, envelope.at)? >= limit::SHARES_PER_INTERVIEW_MAX {
        let detail = format!(
            "a report has at most {} links at once; revoke one first",
            limit::SHARES_PER_INTERVIEW_MAX
        );
        return Err(Refusal::conflict(detail).into());
    }
    db.prepare_cached(
        "INSERT INTO share (id, interview, by, token_hash, created_at, expires_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )?
    .execute(params![
        share.to_string(),
        interview.to_string(),
        envelope.by.map(|person| person.to_string()),
        token_hash,
        envelope.at.0,
        expires_at.0
    ])?;
    audit::record(db, envelope, "share.add", &share.to_string())?;
    Ok(Outcome::Shared { share, expires_at })
}

pub(super) fn unshare(
    db: &Connection,
    envelope: &Envelope,
    share: ShareId,
    interview: InterviewId,
) -> Step<Outcome> {
    let ended = db
        .prepare_cached(
            "UPDATE share SET revoked_at = ?3
             WHERE id = ?1 AND interview = ?2 AND revoked_at IS NULL",
        )?
        .execute(params![share.to_string(), interview.to_string(), envelope.at.0])?;
    if ended == 0 {
        return Err(Refusal::not_found("share link").into());
    }
    audit::record(db, envelope, "share.revoke", &share.to_string())?;
    Ok(Outcome::Done)
}

pub(super) fn feedback(
    db: &Connection,
    envelope: &Envelope,
    feedback: FeedbackId,
    interview: InterviewId,
    accurate: bool,
    note: Option<&str>,
) -> Step<Outcome> {
    let room = query::room::load(db, interview)?;
    let is_member = room.is_some_and(|room| envelope.by.is_some_and(|by| room.part(by).is_some()));
    if !is_member {
        return Err(Refusal::not_found("interview").into());
    }
    // One judgement a person and report; a second one replaces the first.
    db.prepare_cached("DELETE FROM feedback WHERE interview = ?1 AND person = ?2")?
        .execute(params![interview.to_string(), envelope.by.map(|p| p.to_string())])?;
    db.prepare_cached(
        "INSERT INTO feedback (id, interview, person, at, accurate, note)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )?
    .execute(params![
        feedback.to_string(),
        interview.to_string(),
        envelope.by.map(|person| person.to_string()),
        envelope.at.0,
        accurate,
        note
    ])?;
    Ok(Outcome::Thanked { feedback })
}
