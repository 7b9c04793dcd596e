//! Rate policies, and people who come with a token of somebody else.

use rusqlite::{Connection, params};

use crate::domain::command::{Envelope, NewPerson, Outcome, Outsider};
use crate::domain::person::{Person, Role};
use crate::domain::rate::{self, Rule};

use super::super::query;
use super::{Step, audit, people};

pub(super) fn set_rate_limits(
    db: &Connection,
    envelope: &Envelope,
    rules: &[Rule],
) -> Step<Outcome> {
    rate::check(rules)?;
    db.execute("DELETE FROM rate_limit", [])?;
    for rule in rules {
        db.prepare_cached(
            "INSERT INTO rate_limit (class, tier, requests, window_seconds)
             VALUES (?1, ?2, ?3, ?4)",
        )?
        .execute(params![
            rule.class.as_str(),
            rule.tier.as_str(),
            rule.requests,
            rule.window_seconds
        ])?;
    }
    audit::record(db, envelope, "limits.set", &format!("{} policies", rules.len()))?;
    Ok(Outcome::Done)
}

/// The person behind an outside identity, made if there is none; the role follows what the issuer
/// said last, so that whoever lost a group there loses what it gave here.
pub(super) fn welcome(
    db: &Connection,
    envelope: &Envelope,
    outsider: &Outsider,
    new: &NewPerson,
) -> Step<Outcome> {
    let (issuer, subject) = (outsider.issuer.as_str(), outsider.subject.as_str());
    let known = query::doors::identity(db, issuer, subject)?;
    let person = match known {
        None => first_time(db, envelope, outsider, new)?,
        Some(known) if known.role == new.role || known.said_at > outsider.said_at => {
            people::existing(db, known.person)?
        }
        Some(known) => {
            let person = people::existing(db, known.person)?;
            reassign(db, envelope, person, new.role)?
        }
    };
    db.prepare_cached(
        "INSERT INTO outside_identity (issuer, subject, person, role, said_at)
         VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT (issuer, subject)
         DO UPDATE SET role = excluded.role, said_at = excluded.said_at
         WHERE excluded.said_at >= said_at",
    )?
    .execute(params![
        issuer,
        subject,
        person.id.to_string(),
        new.role.as_str(),
        outsider.said_at.0
    ])?;
    Ok(Outcome::Person { person: Box::new(person) })
}

fn first_time(
    db: &Connection,
    envelope: &Envelope,
    outsider: &Outsider,
    new: &NewPerson,
) -> Step<Person> {
    let mut new = new.clone();
    // An address proves nothing here: whoever has an account under it keeps it.
    if query::person::by_email(db, new.email.as_str())?.is_some() {
        new.email = outsider.own_address.clone();
    }
    let person = people::insert(db, envelope, &new)?;
    audit::record(db, envelope, "person.welcome", &person.id.to_string())?;
    Ok(person)
}

fn reassign(db: &Connection, envelope: &Envelope, person: Person, role: Role) -> Step<Person> {
    let last_admin =
        person.role == Role::Admin && !person.disabled && query::person::active_admins(db)? <= 1;
    // Without an admin nobody could give the role back.
    if person.role == role || last_admin {
        return Ok(person);
    }
    db.prepare_cached("UPDATE person SET role = ?2 WHERE id = ?1")?
        .execute(params![person.id.to_string(), role.as_str()])?;
    audit::record(db, envelope, "person.change", &person.id.to_string())?;
    Ok(Person { role, ..person })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::command::Command;
    use crate::domain::id::PersonId;
    use crate::domain::rate::{Class, Tier};
    use crate::domain::text::Email;
    use crate::domain::time::Time;
    use crate::store::schema::NEWEST;
    use crate::store::state::{Entry, Payload, State};
    use uuid::Uuid;

    struct Stage {
        _dir: tempfile::TempDir,
        state: State,
    }

    impl Stage {
        fn new() -> Stage {
            let dir = tempfile::tempdir().unwrap();
            let state = State::open(&dir.path().join("state.db")).unwrap();
            let stage = Stage { _dir: dir, state };
            assert_eq!(stage.apply(Command::RaiseLevel { to: NEWEST }), Outcome::Done);
            stage
        }

        fn apply(&self, command: Command) -> Outcome {
            let envelope = Envelope::own(Time(1), command);
            let entry = Entry { log_id: vec![1], what: Payload::Command(&envelope) };
            self.state.apply(&[entry]).unwrap().remove(0).outcome.unwrap()
        }

        fn comes(&self, subject: &str, id: u128, role: Role, said_at: i64) -> Person {
            let email = |text: &str| Email::parse("email", text).unwrap();
            let outsider = Outsider {
                issuer: "https://id.example.org".to_owned(),
                subject: subject.to_owned(),
                said_at: Time(said_at),
                own_address: email(&format!("{subject}@outside.invalid")),
            };
            let person = Box::new(NewPerson {
                id: PersonId(Uuid::from_u128(id)),
                email: email("ada@example.org"),
                display_name: "Ada".to_owned(),
                role,
                password_hash: None,
                invite_expires_at: None,
            });
            match self.apply(Command::Welcome { outsider: Box::new(outsider), person }) {
                Outcome::Person { person } => *person,
                other => panic!("not welcome: {other:?}"),
            }
        }
    }

    #[test]
    fn one_subject_is_one_person_and_takes_no_address_from_another() {
        let stage = Stage::new();
        let ada = stage.comes("ada", 1, Role::Candidate, 1);
        assert_eq!((ada.email.as_str(), ada.joined), ("ada@example.org", true));
        let again = stage.comes("ada", 2, Role::Candidate, 2);
        assert_eq!(again, ada);
        let other = stage.comes("eve", 3, Role::Candidate, 3);
        assert_ne!(other.id, ada.id);
        assert_eq!(other.email.as_str(), "eve@outside.invalid");
    }

    #[test]
    fn the_role_is_what_the_issuer_said_last_and_the_last_admin_stays() {
        let stage = Stage::new();
        assert_eq!(stage.comes("ada", 1, Role::Admin, 5).role, Role::Admin);
        assert_eq!(stage.comes("ada", 1, Role::Candidate, 6).role, Role::Admin, "the last one");
        stage.comes("sam", 2, Role::Candidate, 5);
        assert_eq!(stage.comes("sam", 2, Role::Manager, 7).role, Role::Manager);
        assert_eq!(stage.comes("sam", 2, Role::Candidate, 6).role, Role::Manager, "an old token");
        assert_eq!(stage.comes("sam", 2, Role::Observer, 8).role, Role::Observer);
        // What an admin gave stays until the issuer says something new.
        let change = Command::ChangePerson {
            person: PersonId(Uuid::from_u128(2)),
            display_name: None,
            role: Some(Role::Interviewer),
            disabled: None,
        };
        stage.apply(change);
        assert_eq!(stage.comes("sam", 2, Role::Observer, 9).role, Role::Interviewer);
    }

    #[test]
    fn the_rules_that_are_set_take_the_place_of_all_others() {
        let stage = Stage::new();
        let rule = |requests| Rule {
            class: Class::Read,
            tier: Tier::Candidate,
            requests,
            window_seconds: 60,
        };
        for rules in [vec![rule(5)], vec![rule(7)], Vec::new()] {
            let set = Command::SetRateLimits { rules: rules.clone() };
            assert_eq!(stage.apply(set), Outcome::Done);
            assert_eq!(stage.state.read(query::doors::rules).unwrap(), rules);
        }
        let twice = Command::SetRateLimits { rules: vec![rule(1), rule(2)] };
        assert!(matches!(stage.apply(twice), Outcome::Refused { .. }));
    }
}
