//! Consents, retention, legal holds, and the receipts of what went.

use rusqlite::{Connection, params};
use uuid::Uuid;

use crate::domain::command::{Command, Envelope, Outcome};
use crate::domain::id::{InterviewId, PersonId};
use crate::domain::interview::Part;
use crate::domain::limit;
use crate::domain::person::Role;
use crate::domain::privacy::{self, Counts, Subject};
use crate::domain::refusal::Refusal;
use crate::domain::time::Time;

use super::super::query;
use super::held::Rooms;
use super::{Step, audit, erase, no_place, people};

/// What this page is about.
pub(super) fn apply(db: &Connection, rooms: &mut Rooms, envelope: &Envelope) -> Step<Outcome> {
    match &envelope.command {
        Command::Consent { interview, person, given, text, sha256 } => {
            consent(db, envelope, *interview, *person, *given, (text, sha256))
        }
        Command::SetRetention { rules } => set_retention(db, envelope, rules),
        Command::Hold { hold, subject, reason } => {
            self::hold(db, envelope, *hold, *subject, reason)
        }
        Command::Release { hold } => release(db, envelope, *hold),
        Command::Erase { person, receipt } => {
            rooms.forget();
            erase_person(db, envelope, *person, *receipt)
        }
        Command::Expire { receipt, interviews, contexts } => {
            rooms.forget();
            expire(db, envelope, *receipt, interviews, contexts)
        }
        _ => Err(no_place()),
    }
}

fn consent(
    db: &Connection,
    envelope: &Envelope,
    interview: InterviewId,
    person: PersonId,
    given: bool,
    (text, sha256): (&str, &str),
) -> Step<Outcome> {
    let room = query::room::load(db, interview)?;
    if room.and_then(|room| room.part(person)) != Some(Part::Candidate) {
        return Err(Refusal::not_found("interview").into());
    }
    let before = query::privacy::consents(db, interview, Some(person))?;
    if before.len() >= limit::CONSENTS_MAX {
        let detail = "this was answered too often here; what was said last counts";
        return Err(Refusal::conflict(detail).into());
    }
    db.prepare_cached(
        "INSERT INTO consent (interview, person, number, given, text, sha256, at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )?
    .execute(params![
        interview.to_string(),
        person.to_string(),
        before.len() as i64 + 1,
        given,
        text,
        sha256,
        envelope.at.0
    ])?;
    let action = if given { "consent.give" } else { "consent.decline" };
    audit::record(db, envelope, action, &interview.to_string())?;
    Ok(Outcome::Done)
}

fn set_retention(db: &Connection, envelope: &Envelope, rules: &[privacy::Rule]) -> Step<Outcome> {
    privacy::check(rules)?;
    db.execute("DELETE FROM retention", [])?;
    let mut said = Vec::new();
    for rule in rules {
        db.execute(
            "INSERT INTO retention (kind, days) VALUES (?1, ?2)",
            params![rule.kind.as_str(), rule.days],
        )?;
        said.push(format!("{} {}", rule.kind.as_str(), rule.days));
    }
    audit::record(db, envelope, "retention.set", &said.join(", "))?;
    Ok(Outcome::Done)
}

fn hold(
    db: &Connection,
    envelope: &Envelope,
    hold: Uuid,
    subject: Subject,
    reason: &str,
) -> Step<Outcome> {
    if query::privacy::holds(db)?.iter().filter(|hold| hold.ended_at.is_none()).count()
        >= limit::HOLDS_MAX
    {
        let detail = format!("there are {} legal holds; release one first", limit::HOLDS_MAX);
        return Err(Refusal::conflict(detail).into());
    }
    let (person, interview) = match subject {
        Subject::Person(id) => (Some(people::existing(db, id)?.id.to_string()), None),
        Subject::Interview(id) => match query::room::load(db, id)? {
            Some(_) => (None, Some(id.to_string())),
            None => return Err(Refusal::not_found("interview").into()),
        },
    };
    db.execute(
        "INSERT INTO hold (id, person, interview, reason, by, at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        params![
            hold.to_string(),
            person,
            interview,
            reason,
            envelope.by.map(|by| by.to_string()),
            envelope.at.0
        ],
    )?;
    audit::record(db, envelope, "hold.add", &hold.to_string())?;
    Ok(Outcome::Held { hold })
}

fn release(db: &Connection, envelope: &Envelope, hold: Uuid) -> Step<Outcome> {
    let ended = db.execute(
        "UPDATE hold SET ended_at = ?2 WHERE id = ?1 AND ended_at IS NULL",
        params![hold.to_string(), envelope.at.0],
    )?;
    if ended == 0 {
        return Err(Refusal::not_found("legal hold").into());
    }
    audit::record(db, envelope, "hold.release", &hold.to_string())?;
    Ok(Outcome::Done)
}

fn erase_person(
    db: &Connection,
    envelope: &Envelope,
    id: PersonId,
    receipt: Uuid,
) -> Step<Outcome> {
    let person = people::existing(db, id)?;
    let is_admin = person.role == Role::Admin && !person.disabled;
    if is_admin && query::person::active_admins(db)? <= 1 {
        let detail = "this is the last admin; make somebody else an admin first";
        return Err(Refusal::conflict(detail).into());
    }
    if query::privacy::is_held(db, id)? {
        let detail = "a legal hold keeps this person's data: they cannot be erased until an admin \
                      releases it; nothing was changed";
        return Err(Refusal::conflict(detail).into());
    }
    let counts = erase::person(db, id)?;
    audit::record(db, envelope, "person.erase", &id.to_string())?;
    receipt_of(db, envelope.at, receipt, Some(id), counts)
}

/// Whoever asks for it has looked a moment ago; whether it is still due is decided here.
fn expire(
    db: &Connection,
    envelope: &Envelope,
    receipt: Uuid,
    interviews: &[InterviewId],
    contexts: &[PersonId],
) -> Step<Outcome> {
    let mut counts = Counts::new();
    let due = query::privacy::due(db, envelope.at, usize::MAX)?;
    for interview in interviews.iter().filter(|id| due.interviews.contains(id)) {
        erase::interview_rows(db, &interview.to_string(), &mut counts)?;
    }
    for person in contexts.iter().filter(|id| due.contexts.contains(id)) {
        erase::context(db, *person, &mut counts)?;
    }
    if counts.is_empty() {
        return Err(Refusal::conflict("nothing of this is to go any more").into());
    }
    audit::record(db, envelope, "retention.expire", &receipt.to_string())?;
    receipt_of(db, envelope.at, receipt, None, counts)
}

fn receipt_of(
    db: &Connection,
    at: Time,
    receipt: Uuid,
    person: Option<PersonId>,
    counts: Counts,
) -> Step<Outcome> {
    db.execute(
        "INSERT INTO erasure (receipt, person, at, counts) VALUES (?1, ?2, ?3, ?4)",
        params![
            receipt.to_string(),
            person.map(|id| id.to_string()),
            at.0,
            serde_json::to_string(&counts)?
        ],
    )?;
    Ok(Outcome::Erased { receipt, at, counts })
}
