//! Applying commands: the one place where the domain's rows change.
//!
//! **Invariant:** the result depends on the rows and the command only (law I2): no clock, no
//! randomness, no order of a hash map. Applying the same journal twice gives equal databases.
//! **Invariant:** a refused command leaves no trace, so its idempotency key stays free.
//! **Invariant:** the record under a key is written in the same transaction as the effect (law I4).

pub mod audit;
mod calibrations;
mod doors;
pub(super) mod erase;
mod factors;
mod files;
mod held;
mod interviews;
mod keys;
mod level;
mod nodes;
mod people;
mod privacy;
mod rooms;
mod shares;

use rusqlite::{Connection, Transaction, params};

use crate::domain::command::{Command, ENVELOPE_VERSION, Envelope, Once, Outcome, Witnessed};
use crate::domain::limit;
use crate::domain::refusal::{Code, Refusal};
use crate::domain::time::Time;

pub(super) use self::held::Rooms;
use super::Fault;
use super::query;
use super::state::Applied;

/// Why a command stopped half way.
enum Stop {
    Refused(Refusal),
    /// A constraint of the schema forbids it: a check before it was forgotten.
    Misfit(rusqlite::Error),
    Fault(Fault),
}

/// Removes some records that have ended. SQLite plans with the value of a bare `LIMIT ?`, so each
/// binding of it would compile the statement anew; behind the `+` it does not look.
const PRUNE: &str = "DELETE FROM once WHERE (scope, key) IN (
    SELECT scope, key FROM once WHERE expires_at <= ?1
    ORDER BY expires_at, scope, key LIMIT +?2)";

type Step<T> = Result<T, Stop>;

/// How to go back when a command stops half way.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Care {
    /// An act in a room is decided before anything is written, so only what no check foresaw stops
    /// it half way; the batch is then applied again with care. A savepoint for each costs a fifth
    /// of applying it.
    Usual,
    /// Each command has a savepoint.
    Savepoints,
}

/// Applies one command within the batch's transaction. None if it stopped half way and has no
/// savepoint.
pub(super) fn apply(
    tx: &Transaction<'_>,
    rooms: &mut Rooms,
    envelope: &Envelope,
    care: Care,
) -> Result<Option<Applied>, Fault> {
    if envelope.v > ENVELOPE_VERSION {
        return Err(Fault::plain(format!(
            "the log holds a command of version {}, this Greenroom knows {ENVELOPE_VERSION}; \
             upgrade this node",
            envelope.v
        )));
    }
    if let Some(once) = &envelope.once
        && let Some(outcome) = recall(tx, once, envelope.at)?
    {
        return Ok(Some(Applied { outcome: Some(outcome), events: None }));
    }
    let savepoint = care == Care::Savepoints || !matches!(envelope.command, Command::Act { .. });
    // A fault leaves the savepoint open: the whole batch is rolled back then.
    if savepoint {
        run(tx, "SAVEPOINT command")?;
    }
    let refusal = match dispatch(tx, rooms, envelope) {
        Ok(applied) => {
            if let (Some(once), Some(outcome)) = (&envelope.once, &applied.outcome) {
                remember(tx, once, outcome, envelope.at)?;
            }
            if savepoint {
                run(tx, "RELEASE command")?;
            }
            return Ok(Some(applied));
        }
        Err(Stop::Fault(fault)) => return Err(fault),
        Err(Stop::Refused(refusal)) => refusal,
        Err(Stop::Misfit(_)) if !savepoint => return Ok(None),
        Err(Stop::Misfit(error)) => {
            // The rows and the command decide this, so every node comes to the same end. Stopping
            // instead would stop them all, again at every start: the entry stays in the log.
            let request_id = envelope.request_id.as_deref();
            tracing::error!(%error, request_id, "a command does not fit what is stored");
            Refusal::conflict("this does not fit what is stored; nothing was changed")
        }
    };
    if savepoint {
        undo(tx)?;
    }
    Ok(Some(Applied { outcome: Some(Outcome::Refused { refusal }), events: None }))
}

fn undo(db: &Connection) -> Result<(), Fault> {
    run(db, "ROLLBACK TO command")?;
    run(db, "RELEASE command")
}

/// Runs a statement that is compiled once.
fn run(db: &Connection, sql: &str) -> Result<(), Fault> {
    db.prepare_cached(sql)?.execute([])?;
    Ok(())
}

fn dispatch(db: &Connection, rooms: &mut Rooms, envelope: &Envelope) -> Step<Applied> {
    level::suffices(db, &envelope.command)?;
    let outcome = match &envelope.command {
        Command::Act { interview, act } => {
            return rooms::act(db, rooms, envelope, *interview, act);
        }
        Command::PutKit { kit } => interviews::put_kit(db, envelope, kit)?,
        Command::PutCalibration { version, sha256, toml, golden } => {
            calibrations::put(db, envelope, version, sha256, toml, golden)?
        }
        Command::ActivateCalibration { version } => calibrations::activate(db, envelope, version)?,
        Command::CreateInterview { plan, members, questions } => {
            interviews::create(db, plan, members, questions)?
        }
        Command::Share { share, interview, token_hash, expires_at } => {
            shares::share(db, envelope, *share, *interview, token_hash, *expires_at)?
        }
        Command::Unshare { share, interview } => shares::unshare(db, envelope, *share, *interview)?,
        Command::GiveFeedback { feedback, interview, accurate, note } => {
            shares::feedback(db, envelope, *feedback, *interview, *accurate, note.as_deref())?
        }
        Command::KeepFilePart { person, file, number, content } => {
            files::keep_part(db, envelope, *person, *file, *number, content)?
        }
        Command::KeepCv { person, file, text } => {
            files::keep_cv(db, envelope, *person, file, text)?
        }
        Command::SetRateLimits { rules } => doors::set_rate_limits(db, envelope, rules)?,
        Command::Welcome { outsider, person } => doors::welcome(db, envelope, outsider, person)?,
        Command::Consent { .. }
        | Command::SetRetention { .. }
        | Command::Hold { .. }
        | Command::Release { .. }
        | Command::Erase { .. }
        | Command::Expire { .. } => privacy::apply(db, rooms, envelope)?,
        Command::ChangePassword { .. }
        | Command::BeginTotp { .. }
        | Command::ConfirmTotp { .. }
        | Command::DropTotp { .. }
        | Command::OpenSessionWith { .. } => factors::apply(db, envelope)?,
        Command::OpenToken { .. }
        | Command::RotateKey { .. }
        | Command::NextKey { .. }
        | Command::NoteUses { .. } => keys::apply(db, envelope)?,
        Command::Witness { what, subject } => witness(db, envelope, *what, subject)?,
        Command::KeepAuthority { .. }
        | Command::InviteNode { .. }
        | Command::AdmitNode { .. }
        | Command::PlaceNode { .. }
        | Command::RetireNode { .. }
        | Command::Refound { .. } => membership(db, envelope)?,
        Command::RaiseLevel { .. } | Command::LowerLevel { .. } => {
            // Another schema may have other rows for a room.
            rooms.forget();
            change_level(db, envelope)?
        }
        Command::Found { .. }
        | Command::SetUp { .. }
        | Command::AddPerson { .. }
        | Command::ChangePerson { .. }
        | Command::RenewInvite { .. }
        | Command::AcceptInvite { .. }
        | Command::OpenSession { .. }
        | Command::RefreshSession { .. }
        | Command::CloseSession { .. }
        | Command::SetContext { .. } => accounts(db, envelope)?,
    };
    Ok(Applied { outcome: Some(outcome), events: None })
}

/// What leaves a row in the audit log and nothing else.
fn witness(db: &Connection, envelope: &Envelope, what: Witnessed, subject: &str) -> Step<Outcome> {
    audit::record(db, envelope, what.as_str(), subject)?;
    Ok(Outcome::Done)
}

/// What changes the level of the data.
fn change_level(db: &Connection, envelope: &Envelope) -> Step<Outcome> {
    match &envelope.command {
        Command::RaiseLevel { to } => level::raise(db, envelope, *to),
        Command::LowerLevel { to } => level::lower(db, envelope, *to),
        _ => Err(no_place()),
    }
}

/// What changes who is in the cluster.
fn membership(db: &Connection, envelope: &Envelope) -> Step<Outcome> {
    match &envelope.command {
        Command::KeepAuthority { certificate, key, node, public_key } => {
            nodes::keep_authority(db, envelope, certificate, key, *node, public_key)
        }
        Command::InviteNode { token, expires_at } => {
            nodes::invite(db, envelope, *token, *expires_at)
        }
        Command::AdmitNode { token, public_key, cluster, http } => {
            nodes::admit(db, envelope, *token, public_key, cluster, http)
        }
        Command::PlaceNode { node, cluster, http } => {
            nodes::place(db, envelope, *node, cluster, http)
        }
        Command::RetireNode { node } => nodes::retire(db, envelope, *node),
        Command::Refound { cluster_id, reason, loss } => {
            nodes::refound(db, envelope, *cluster_id, reason, loss)
        }
        _ => Err(no_place()),
    }
}

/// Apart from the rest only because one page of matching is enough.
fn accounts(db: &Connection, envelope: &Envelope) -> Step<Outcome> {
    let at = envelope.at;
    match &envelope.command {
        Command::Found { cluster_id, signing_key, link_key } => {
            people::found(db, envelope, *cluster_id, signing_key, link_key)
        }
        Command::SetUp { organisation, admin, session } => {
            people::set_up(db, envelope, organisation, admin, session)
        }
        Command::AddPerson { person } => people::add(db, envelope, person),
        Command::ChangePerson { person, display_name, role, disabled } => {
            people::change(db, envelope, *person, display_name.as_deref(), *role, *disabled)
        }
        Command::RenewInvite { person, expires_at } => {
            people::renew_invite(db, envelope, *person, *expires_at)
        }
        Command::AcceptInvite { person, generation, display_name, password_hash, session } => {
            let name = display_name.as_deref();
            people::accept(db, envelope, *person, *generation, name, password_hash, session)
        }
        Command::OpenSession { session } => people::open_session(db, envelope, session),
        Command::RefreshSession { session, generation, expires_at } => {
            people::refresh_session(db, at, *session, *generation, *expires_at)
        }
        Command::CloseSession { session } => people::close_session(db, envelope, *session),
        Command::SetContext { person, context } => people::set_context(db, at, *person, context),
        _ => Err(no_place()),
    }
}

/// `dispatch` names every command, so this is a slip there. A node that would skip a command stops.
fn no_place() -> Stop {
    Fault::plain("a command has no place where it is applied").into()
}

/// What came of the request with this key before, if there was one.
fn recall(db: &Connection, once: &Once, at: Time) -> Result<Option<Outcome>, Fault> {
    let Some((fingerprint, first)) = query::once::find(db, &once.scope, &once.key, at)? else {
        return Ok(None);
    };
    if fingerprint != once.fingerprint {
        let refusal = Refusal::new(
            Code::IdempotencyMismatch,
            "this Idempotency-Key was used for another request; use a new key for a new request",
        );
        return Ok(Some(Outcome::Refused { refusal }));
    }
    Ok(Some(Outcome::Replayed { first: Box::new(first) }))
}

fn remember(db: &Connection, once: &Once, outcome: &Outcome, at: Time) -> Result<(), Fault> {
    // A frame's id holds as long as its room; it has no fingerprint. A request's key ends.
    let expires_at = (!once.fingerprint.is_empty()).then(|| at.plus_ms(limit::IDEMPOTENCY_MS).0);
    if expires_at.is_some() {
        // Only these come to an end, and each of them makes room for itself.
        db.prepare_cached(PRUNE)?.execute(params![at.0, limit::IDEMPOTENCY_PRUNE_MAX as i64])?;
    }
    db.prepare_cached(
        "INSERT OR REPLACE INTO once (scope, key, fingerprint, outcome, expires_at)
         VALUES (?1, ?2, ?3, ?4, ?5)",
    )?
    .execute(params![
        once.scope,
        once.key,
        once.fingerprint,
        serde_json::to_string(outcome)?,
        expires_at
    ])?;
    Ok(())
}

impl From<Refusal> for Stop {
    fn from(refusal: Refusal) -> Stop {
        Stop::Refused(refusal)
    }
}

impl From<Fault> for Stop {
    fn from(fault: Fault) -> Stop {
        Stop::Fault(fault)
    }
}

impl From<rusqlite::Error> for Stop {
    fn from(error: rusqlite::Error) -> Stop {
        match error.sqlite_error_code() {
            Some(rusqlite::ErrorCode::ConstraintViolation) => Stop::Misfit(error),
            _ => Stop::Fault(error.into()),
        }
    }
}

impl From<serde_json::Error> for Stop {
    fn from(error: serde_json::Error) -> Stop {
        Stop::Fault(error.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::command::NewPerson;
    use crate::domain::id::{InterviewId, PersonId};
    use crate::domain::interview::{Kind, Plan};
    use crate::domain::person::Role;
    use crate::domain::text::Email;
    use crate::store::state::{Entry, Payload, State};

    fn apply_one(state: &State, command: Command) -> Outcome {
        let envelope = Envelope::own(Time(1), command);
        let entry = Entry { log_id: vec![1], what: Payload::Command(&envelope) };
        state.apply(&[entry]).unwrap().remove(0).outcome.unwrap()
    }

    #[test]
    fn the_record_of_a_request_compiles_its_statements_once() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("state.db");
        State::open(&path).unwrap();
        let db = Connection::open(&path).unwrap();
        for n in 0..3 {
            let fingerprint = "f".to_owned();
            let once = Once { scope: "s".to_owned(), key: n.to_string(), fingerprint };
            remember(&db, &once, &Outcome::Done, Time(n)).unwrap();
        }
        let prune = db.prepare_cached(PRUNE).unwrap();
        assert_eq!(prune.get_status(rusqlite::StatementStatus::Run), 3);
        assert_eq!(prune.get_status(rusqlite::StatementStatus::RePrepare), 0);
    }

    /// Adds somebody at a moment, under a key.
    fn add(state: &State, n: u128, at: i64, key: &str, fingerprint: &str) -> Outcome {
        let person = NewPerson {
            id: PersonId(uuid::Uuid::from_u128(n)),
            email: Email::parse("email", &format!("p{n}@example.org")).unwrap(),
            display_name: "P".to_owned(),
            role: Role::Candidate,
            password_hash: None,
            invite_expires_at: None,
        };
        let (scope, key) = ("person:1".to_owned(), key.to_owned());
        let once = Some(Once { scope, key, fingerprint: fingerprint.to_owned() });
        let command = Command::AddPerson { person: Box::new(person) };
        let envelope = Envelope { once, ..Envelope::own(Time(at), command) };
        let entry = Entry { log_id: vec![1], what: Payload::Command(&envelope) };
        state.apply(&[entry]).unwrap().remove(0).outcome.unwrap()
    }

    fn made(outcome: &Outcome) -> u128 {
        let Outcome::Person { person } = outcome else { panic!("{outcome:?}") };
        person.id.0.as_u128()
    }

    #[test]
    fn a_key_holds_for_a_day_of_the_clock_in_the_log() {
        let dir = tempfile::tempdir().unwrap();
        let state = State::open(&dir.path().join("state.db")).unwrap();
        assert_eq!(made(&add(&state, 1, 1_000, "k", "f")), 1);
        let last = 1_000 + limit::IDEMPOTENCY_MS - 1;
        let Outcome::Replayed { first } = add(&state, 2, last, "k", "f") else { panic!("again") };
        assert_eq!(made(&first), 1);
        let Outcome::Refused { refusal } = add(&state, 2, last, "k", "other") else {
            panic!("another request")
        };
        assert_eq!(refusal.code, Code::IdempotencyMismatch);
        // From here on the key is free, for the same request and for any other.
        assert_eq!(made(&add(&state, 2, last + 1, "k", "other")), 2);
        let Outcome::Replayed { first } = add(&state, 3, last + 2, "k", "other") else {
            panic!("its own day has begun")
        };
        assert_eq!(made(&first), 2);
    }

    #[test]
    fn ended_records_go_and_those_that_hold_stay() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("state.db");
        let state = State::open(&path).unwrap();
        let kept = |at: i64| {
            let db = Connection::open(&path).unwrap();
            (query::once::count_of(&db, "person:1", Time(at)).unwrap(), {
                let all = "SELECT count(*) FROM once";
                db.query_row(all, [], |row| row.get::<_, i64>(0)).unwrap()
            })
        };
        let many = 3 * limit::IDEMPOTENCY_PRUNE_MAX as u128;
        for n in 1..=many {
            add(&state, n, n as i64, &n.to_string(), "f");
        }
        assert_eq!(kept(many as i64), (many as usize, many as i64));
        // A day later all but the newest have ended; each write takes more away than it adds.
        let later = limit::IDEMPOTENCY_MS + many as i64 - 1;
        assert_eq!(kept(later).0, 1);
        for n in 1..=4 {
            add(&state, many + n, later, &format!("new {n}"), "f");
        }
        assert_eq!(kept(later), (5, 5));
        let Outcome::Replayed { .. } = add(&state, 999, later, &many.to_string(), "f") else {
            panic!("the newest of the first ones still holds")
        };
    }

    /// Somebody's interview who does not exist: no check names it, only the schema does.
    #[test]
    fn a_command_that_breaks_a_constraint_is_refused_and_the_state_goes_on() {
        let dir = tempfile::tempdir().unwrap();
        let state = State::open(&dir.path().join("state.db")).unwrap();
        let nobody = PersonId("019a0b1c-2d3e-7f40-8a5b-6c7d8e9f0a1b".parse().unwrap());
        let plan = Plan {
            id: InterviewId(nobody.0),
            owner: nobody,
            kind: Kind::Practice,
            title: "Orphan".to_owned(),
            role: None,
            mode: None,
            kit_id: None,
            auto_ask: false,
            created_at: Time(1),
            scheduled_at: None,
        };
        let (members, questions) = (Vec::new(), Vec::new());
        let orphan = Command::CreateInterview { plan: Box::new(plan), members, questions };
        let Outcome::Refused { refusal } = apply_one(&state, orphan) else { panic!("it fits") };
        assert_eq!(refusal.code, Code::ConflictState);
        let (signing_key, link_key) = (String::new(), String::new());
        let cluster_id = crate::domain::id::ClusterId(nobody.0);
        let found = Command::Found { cluster_id, signing_key, link_key };
        assert_eq!(apply_one(&state, found), Outcome::Done);
    }
}
