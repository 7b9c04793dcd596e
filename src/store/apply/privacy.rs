//! Consents, retention, legal holds, and the receipts of what went.

use rusqlite::{Connection, params};
use uuid::Uuid;

use crate::domain::command::{Command, Envelope, Outcome};
use crate::domain::id::{InterviewId, PersonId};
use crate::domain::limit;
use crate::domain::may::{Action, InRoom, may};
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
    let asked = |room| may(person, Action::Room(InRoom::Consent, &room)).is_ok();
    if !room.is_some_and(asked) {
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

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::domain::privacy::{Kept, Rule};
    use crate::store::schema::NEWEST;
    use crate::store::state::{Entry, Payload, State};

    const DAY_MS: i64 = 24 * 60 * 60 * 1_000;

    const PERSON: &str = "019a0b1c-2d3e-7f40-8a5b-6c7d8e9f0a01";

    fn interview(n: u8) -> InterviewId {
        format!("019a0b1c-2d3e-7f40-8a5b-6c7d8e9f0b{n:02x}").parse().unwrap()
    }

    fn apply_at(state: &State, at: i64, command: Command) -> Outcome {
        let envelope = Envelope::own(Time(at), command);
        let entry = Entry { log_id: vec![1], what: Payload::Command(&envelope) };
        state.apply(&[entry]).unwrap().remove(0).outcome.unwrap()
    }

    /// A state with a practice that ended at once, one that ended a day later, and one that runs.
    fn filled(path: &Path) -> State {
        let state = State::open(path).unwrap();
        apply_at(&state, 0, Command::RaiseLevel { to: NEWEST });
        let db = Connection::open(path).unwrap();
        db.execute(
            "INSERT INTO person (id, email, display_name, role, created_at)
             VALUES (?1, 'p@example.org', 'P', 'candidate', 0)",
            [PERSON],
        )
        .unwrap();
        for (n, end) in [(1, Some(0)), (2, Some(DAY_MS)), (3, None)] {
            db.execute(
                "INSERT INTO interview (id, owner, kind, state, title, auto_ask, created_at,
                 finished_at, last_seq) VALUES (?1, ?2, 'practice', ?3, 'T', 0, 0, ?4, 0)",
                params![
                    interview(n).to_string(),
                    PERSON,
                    if end.is_some() { "finished" } else { "live" },
                    end
                ],
            )
            .unwrap();
        }
        state
    }

    fn left(state: &State) -> Vec<u8> {
        let there = |n: &u8| state.read(|db| query::room::load(db, interview(*n))).unwrap();
        (1..=3).filter(|n| there(n).is_some()).collect()
    }

    #[test]
    fn what_has_been_over_for_long_enough_goes_and_what_is_held_stays() {
        let dir = tempfile::tempdir().unwrap();
        let state = filled(&dir.path().join("state.db"));
        let everything = || Command::Expire {
            receipt: Uuid::now_v7(),
            interviews: (1..=3).map(interview).collect(),
            contexts: Vec::new(),
        };
        let refused = |outcome| matches!(outcome, Outcome::Refused { .. });
        assert!(refused(apply_at(&state, 9 * DAY_MS, everything())), "no rule, nothing goes");
        let rules = vec![Rule { kind: Kept::Practice, days: 30 }];
        apply_at(&state, 9 * DAY_MS, Command::SetRetention { rules });
        assert!(refused(apply_at(&state, 30 * DAY_MS - 1, everything())), "a moment too early");
        assert_eq!(left(&state), [1, 2, 3]);

        let Outcome::Erased { counts, .. } = apply_at(&state, 30 * DAY_MS, everything()) else {
            panic!("the first is due")
        };
        assert_eq!((counts["interview"], left(&state)), (1, vec![2, 3]));
        let hold = Uuid::now_v7();
        let subject = Subject::Interview(interview(2));
        let reason = "case 7".to_owned();
        apply_at(&state, 30 * DAY_MS, Command::Hold { hold, subject, reason });
        assert!(refused(apply_at(&state, 99 * DAY_MS, everything())), "it is held");
        apply_at(&state, 99 * DAY_MS, Command::Release { hold });
        apply_at(&state, 99 * DAY_MS, everything());
        assert_eq!(left(&state), [3], "what runs is never due");
    }
}
