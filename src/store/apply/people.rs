//! Founding, accounts, invite links, logins, contexts.

use rusqlite::{Connection, params};

use crate::domain::command::{Envelope, NewPerson, Outcome};
use crate::domain::id::{ClusterId, PersonId, SessionId};
use crate::domain::person::{CandidateContext, Person, Role, Session};
use crate::domain::refusal::{Code, Refusal};
use crate::domain::time::Time;
use crate::domain::{level, limit};

use super::super::query;
use super::{Step, audit};

pub(super) fn found(
    db: &Connection,
    envelope: &Envelope,
    cluster_id: ClusterId,
    signing_key: &str,
    link_key: &str,
) -> Step<Outcome> {
    if query::cluster::identity(db)?.is_some() {
        return Err(Refusal::conflict("this cluster was founded before").into());
    }
    db.execute(
        "INSERT INTO cluster (one, id, signing_key, link_key, founded_at)
         VALUES (1, ?1, ?2, ?3, ?4)",
        params![cluster_id.to_string(), signing_key, link_key, envelope.at.0],
    )?;
    audit::record(db, envelope, "cluster.found", &cluster_id.to_string())?;
    Ok(Outcome::Done)
}

pub(super) fn set_up(
    db: &Connection,
    envelope: &Envelope,
    organisation: &str,
    admin: &NewPerson,
    session: &Session,
) -> Step<Outcome> {
    if query::cluster::identity(db)?.is_none_or(|identity| identity.organisation.is_some()) {
        return Err(Refusal::new(Code::SetupDone, "setup was done before; sign in instead").into());
    }
    db.execute(
        "UPDATE cluster SET organisation = ?1, set_up_at = ?2",
        params![organisation, envelope.at.0],
    )?;
    let person = insert(db, envelope, admin)?;
    audit::record(db, envelope, "setup", &person.id.to_string())?;
    insert_session(db, session)?;
    Ok(Outcome::SignedIn { person: Box::new(person), session: session.clone() })
}

pub(super) fn add(db: &Connection, envelope: &Envelope, new: &NewPerson) -> Step<Outcome> {
    let person = insert(db, envelope, new)?;
    audit::record(db, envelope, "person.add", &person.id.to_string())?;
    Ok(Outcome::Person { person: Box::new(person) })
}

pub(super) fn change(
    db: &Connection,
    envelope: &Envelope,
    id: PersonId,
    display_name: Option<&str>,
    role: Option<Role>,
    disabled: Option<bool>,
) -> Step<Outcome> {
    let mut person = existing(db, id)?;
    let was_admin = person.role == Role::Admin && !person.disabled;
    if let Some(name) = display_name {
        person.display_name = name.to_owned();
    }
    if role.is_some_and(|role| (role == Role::Service) != (person.role == Role::Service)) {
        let detail = "a person does not become a service account, nor a service account a person; \
            add another account";
        return Err(Refusal::conflict(detail).into());
    }
    person.role = role.unwrap_or(person.role);
    person.disabled = disabled.unwrap_or(person.disabled);
    let is_admin = person.role == Role::Admin && !person.disabled;
    if was_admin && !is_admin && query::person::active_admins(db)? <= 1 {
        let detail = "this is the last admin; make somebody else an admin first";
        return Err(Refusal::conflict(detail).into());
    }
    db.prepare_cached(
        "UPDATE person SET display_name = ?2, role = ?3, disabled = ?4 WHERE id = ?1",
    )?
    .execute(params![
        id.to_string(),
        person.display_name,
        person.role.as_str(),
        person.disabled
    ])?;
    if person.disabled {
        revoke_all(db, id, envelope.at)?;
    }
    audit::record(db, envelope, "person.change", &id.to_string())?;
    Ok(Outcome::Person { person: Box::new(person) })
}

pub(super) fn renew_invite(
    db: &Connection,
    envelope: &Envelope,
    id: PersonId,
    expires_at: Time,
) -> Step<Outcome> {
    let mut person = existing(db, id)?;
    if person.disabled {
        return Err(Refusal::conflict("this account is disabled; enable it first").into());
    }
    if person.role == Role::Service {
        let detail = "nobody signs in as a service account; give its program a token";
        return Err(Refusal::conflict(detail).into());
    }
    person.invite_generation += 1;
    person.invite_expires_at = Some(expires_at);
    db.prepare_cached(
        "UPDATE person SET invite_generation = ?2, invite_expires_at = ?3 WHERE id = ?1",
    )?
    .execute(params![id.to_string(), person.invite_generation, expires_at.0])?;
    audit::record(db, envelope, "person.invite", &id.to_string())?;
    Ok(Outcome::Person { person: Box::new(person) })
}

pub(super) fn accept(
    db: &Connection,
    envelope: &Envelope,
    id: PersonId,
    generation: u32,
    display_name: Option<&str>,
    password_hash: &str,
    session: &Session,
) -> Step<Outcome> {
    let mut person = existing(db, id)?;
    let holds = person.invite_generation == generation
        && !person.disabled
        && person.invite_expires_at.is_some_and(|end| end > envelope.at);
    if !holds {
        return Err(Refusal::not_found("invitation").into());
    }
    if let Some(name) = display_name {
        person.display_name = name.to_owned();
    }
    person.joined = true;
    person.invite_expires_at = None;
    // The generation moves on, so the link that was used holds no longer.
    person.invite_generation += 1;
    db.prepare_cached(
        "UPDATE person SET display_name = ?2, password_hash = ?3, invite_expires_at = NULL,
         invite_generation = ?4 WHERE id = ?1",
    )?
    .execute(params![
        id.to_string(),
        person.display_name,
        password_hash,
        person.invite_generation
    ])?;
    // A reset link is for somebody who lost control of the account: every older login ends.
    revoke_all(db, id, envelope.at)?;
    insert_session(db, session)?;
    audit::record(db, envelope, "person.accept", &id.to_string())?;
    Ok(Outcome::SignedIn { person: Box::new(person), session: session.clone() })
}

pub(super) fn open_session(
    db: &Connection,
    envelope: &Envelope,
    session: &Session,
) -> Step<Outcome> {
    let person = existing(db, session.person)?;
    if person.disabled {
        return Err(Refusal::new(Code::AuthInvalid, "wrong e-mail address or password").into());
    }
    insert_session(db, session)?;
    // Nodes of an earlier level do not write it, and every node writes the same.
    if query::level::current(db)? >= level::TRUST {
        audit::record(db, envelope, "session.open", &session.person.to_string())?;
    }
    Ok(Outcome::SignedIn { person: Box::new(person), session: session.clone() })
}

pub(super) fn refresh_session(
    db: &Connection,
    at: Time,
    id: SessionId,
    generation: u32,
    expires_at: Time,
) -> Step<Outcome> {
    let ended = || Refusal::new(Code::AuthExpired, "this login has ended; sign in again");
    let mut session = query::person::session(db, id)?.ok_or_else(ended)?;
    let person = existing(db, session.person)?;
    if session.revoked_at.is_some() || session.expires_at <= at || person.disabled {
        return Err(ended().into());
    }
    if session.generation != generation {
        // Somebody shows a token that was used before: either it or its successor was stolen. This
        // is an effect, so it is an outcome and not a refusal, which would leave no trace.
        revoke(db, id, at)?;
        return Ok(Outcome::Done);
    }
    session.generation += 1;
    session.expires_at = expires_at;
    db.prepare_cached("UPDATE session SET generation = ?2, expires_at = ?3 WHERE id = ?1")?
        .execute(params![id.to_string(), session.generation, expires_at.0])?;
    Ok(Outcome::SignedIn { person: Box::new(person), session })
}

pub(super) fn close_session(db: &Connection, envelope: &Envelope, id: SessionId) -> Step<Outcome> {
    revoke(db, id, envelope.at)?;
    if query::keys::token(db, id)?.is_some() {
        audit::record(db, envelope, "token.remove", &id.to_string())?;
    }
    Ok(Outcome::Done)
}

pub(super) fn set_context(
    db: &Connection,
    at: Time,
    person: PersonId,
    context: &CandidateContext,
) -> Step<Outcome> {
    db.prepare_cached(
        "INSERT OR REPLACE INTO context
         (person, cv_text, job_description, target_role, mode, assist_intensity, updated_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )?
    .execute(params![
        person.to_string(),
        context.cv_text,
        context.job_description,
        context.target_role,
        context.mode,
        context.assist_intensity,
        at.0
    ])?;
    Ok(Outcome::Done)
}

pub(super) fn insert(db: &Connection, envelope: &Envelope, new: &NewPerson) -> Step<Person> {
    if query::person::by_email(db, new.email.as_str())?.is_some() {
        let detail = "somebody has an account with this e-mail address already";
        return Err(Refusal::conflict(detail).into());
    }
    if query::person::count(db)? >= limit::PEOPLE_MAX {
        let detail = format!("an organisation has at most {} people", limit::PEOPLE_MAX);
        return Err(Refusal::conflict(detail).into());
    }
    db.prepare_cached(
        "INSERT INTO person
         (id, email, display_name, role, password_hash, created_at, invite_expires_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )?
    .execute(params![
        new.id.to_string(),
        new.email.as_str(),
        new.display_name,
        new.role.as_str(),
        new.password_hash,
        envelope.at.0,
        new.invite_expires_at.map(|end| end.0)
    ])?;
    existing(db, new.id)
}

pub(super) fn existing(db: &Connection, id: PersonId) -> Step<Person> {
    Ok(query::person::by_id(db, id)?.ok_or_else(|| Refusal::not_found("person"))?)
}

pub(super) fn insert_session(db: &Connection, session: &Session) -> Step<()> {
    // Ended logins of this person go when a new one comes: the table stays as large as what is in
    // use.
    db.prepare_cached("DELETE FROM session WHERE person = ?1 AND expires_at <= ?2")?
        .execute(params![session.person.to_string(), session.created_at.0])?;
    db.prepare_cached(
        "INSERT INTO session (id, person, generation, created_at, expires_at)
         VALUES (?1, ?2, ?3, ?4, ?5)",
    )?
    .execute(params![
        session.id.to_string(),
        session.person.to_string(),
        session.generation,
        session.created_at.0,
        session.expires_at.0
    ])?;
    Ok(())
}

fn revoke(db: &Connection, id: SessionId, at: Time) -> Step<()> {
    db.prepare_cached("UPDATE session SET revoked_at = ?2 WHERE id = ?1 AND revoked_at IS NULL")?
        .execute(params![id.to_string(), at.0])?;
    Ok(())
}

fn revoke_all(db: &Connection, person: PersonId, at: Time) -> Step<()> {
    db.prepare_cached(
        "UPDATE session SET revoked_at = ?2 WHERE person = ?1 AND revoked_at IS NULL",
    )?
    .execute(params![person.to_string(), at.0])?;
    Ok(())
}
