//! The state's level: raised and lowered at one place of the log, on every node.

use rusqlite::Connection;

use crate::domain::command::{Command, Envelope, Outcome};
use crate::domain::level;
use crate::domain::refusal::Refusal;

use super::super::schema::{self, FIRST, NEWEST};
use super::super::{Fault, query};
use super::{Step, audit};

/// Refuses a command that needs a higher level than the state has.
pub(super) fn suffices(db: &Connection, command: &Command) -> Step<()> {
    let needed = level::needed_by(command);
    if needed <= FIRST {
        return Ok(());
    }
    let level = query::level::current(db)?;
    if level < needed {
        return Err(Refusal::conflict(level::too_low(needed, level)).into());
    }
    Ok(())
}

pub(super) fn raise(db: &Connection, envelope: &Envelope, to: u32) -> Step<Outcome> {
    let level = query::level::current(db)?;
    if to > NEWEST {
        // The others go on with the new schema. A node that went on without it would not be a copy.
        return Err(Fault::plain(format!(
            "the cluster's data go to level {to} here, and this Greenroom knows {NEWEST}; \
             upgrade this node"
        ))
        .into());
    }
    if to < level {
        let detail = format!("the data are of level {level}; `greenroom upgrade undo` lowers it");
        return Err(Refusal::conflict(detail).into());
    }
    // Two nodes that lead one after the other may both ask for the same.
    if to > level {
        schema::raise_state(db, level, to)?;
        audit::record(db, envelope, query::level::RAISED, &format!("{level} to {to}"))?;
    }
    Ok(Outcome::Done)
}

pub(super) fn lower(db: &Connection, envelope: &Envelope, to: u32) -> Step<Outcome> {
    let level = query::level::current(db)?;
    if to < FIRST || to >= level {
        let detail = format!("the data are of level {level}; they cannot be lowered to {to}");
        return Err(Refusal::conflict(detail).into());
    }
    let steps = schema::steps_above(to).into_iter();
    if let Some(stuck) = steps.filter(|step| step.level <= level).find(|step| !step.can_undo) {
        let detail = format!("level {} ({}) cannot be undone", stuck.level, stuck.about);
        return Err(Refusal::conflict(detail).into());
    }
    if let Some(why) = query::level::kept_by_nodes(db, to)? {
        return Err(Refusal::conflict(why).into());
    }
    schema::lower_state(db, level, to)?;
    audit::record(db, envelope, query::level::LOWERED, &format!("{level} to {to}"))?;
    Ok(Outcome::Done)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::time::Time;
    use crate::store::state::{Entry, Payload, State};

    fn state() -> (tempfile::TempDir, State) {
        let dir = tempfile::tempdir().unwrap();
        let state = State::open(&dir.path().join("state.db")).unwrap();
        (dir, state)
    }

    fn apply(state: &State, commands: Vec<Command>) -> Result<Vec<Outcome>, Fault> {
        let envelopes: Vec<_> = commands.into_iter().map(|c| Envelope::own(Time(1), c)).collect();
        let entries = envelopes
            .iter()
            .map(|envelope| Entry { log_id: vec![1], what: Payload::Command(envelope) });
        let applied = state.apply(&entries.collect::<Vec<_>>())?;
        Ok(applied.into_iter().map(|applied| applied.outcome.unwrap()).collect())
    }

    fn authority() -> Command {
        let text = || "text".to_owned();
        Command::KeepAuthority { certificate: text(), key: text(), node: 1, public_key: text() }
    }

    fn refused(outcome: &Outcome) -> &str {
        match outcome {
            Outcome::Refused { refusal } => &refusal.detail,
            other => panic!("not refused: {other:?}"),
        }
    }

    #[test]
    fn a_command_waits_for_its_level() {
        let (_dir, state) = state();
        let raise = Command::RaiseLevel { to: 2 };
        let outcomes = apply(&state, vec![authority(), raise.clone(), raise, authority()]).unwrap();
        assert!(refused(&outcomes[0]).contains("needs data of level 2"), "{outcomes:?}");
        assert_eq!(outcomes[1..], [Outcome::Done, Outcome::Done, Outcome::Done]);
        assert_eq!(state.read(query::level::current).unwrap(), 2);
        assert_eq!(state.read(query::level::before).unwrap(), Some(1));
        let outcome = apply(&state, vec![Command::RaiseLevel { to: 1 }]).unwrap();
        assert!(refused(&outcome[0]).contains("undo"), "{outcome:?}");
    }

    #[test]
    fn a_level_that_is_not_known_stops_the_node_and_leaves_nothing() {
        let (_dir, state) = state();
        let far = Command::RaiseLevel { to: NEWEST + 1 };
        let fault = apply(&state, vec![Command::RaiseLevel { to: 2 }, far]).unwrap_err();
        assert!(fault.to_string().contains("upgrade this node"), "{fault}");
        assert_eq!(state.read(query::level::current).unwrap(), FIRST, "the batch is one");
    }

    #[test]
    fn undoing_leaves_the_rows_of_before() {
        let (_dir, state) = state();
        let lower = Command::LowerLevel { to: 1 };
        let outcomes = apply(&state, vec![lower.clone()]).unwrap();
        assert!(refused(&outcomes[0]).contains("cannot be lowered"), "{outcomes:?}");
        apply(&state, vec![Command::RaiseLevel { to: 2 }, authority()]).unwrap();
        let losses = state.read(|db| query::level::losses(db, 1)).unwrap();
        let lost: Vec<_> = losses.iter().map(|loss| (loss.what.as_str(), loss.rows)).collect();
        assert_eq!(lost, [("authority", 1), ("join_token", 0), ("node", 1)]);
        assert_eq!(apply(&state, vec![lower]).unwrap(), [Outcome::Done]);
        assert_eq!(state.read(query::level::current).unwrap(), 1);
        assert_eq!(state.read(query::level::before).unwrap(), None);
        // And up again, as if nothing had been.
        let again = vec![Command::RaiseLevel { to: 2 }, authority()];
        assert_eq!(apply(&state, again).unwrap(), [Outcome::Done, Outcome::Done]);
    }

    #[test]
    fn a_cluster_that_ever_had_a_second_node_goes_no_more_below_its_level() {
        let (_dir, state) = state();
        let token = uuid::Uuid::from_u128(7);
        let text = |text: &str| text.to_owned();
        let (cluster, http, public_key) = (text("c"), text("h"), text("second"));
        let commands = vec![
            Command::RaiseLevel { to: 2 },
            authority(),
            Command::InviteNode { token, expires_at: Time(9) },
            Command::AdmitNode { token, public_key, cluster, http },
            Command::RetireNode { node: 2 },
            Command::LowerLevel { to: 1 },
        ];
        let outcomes = apply(&state, commands).unwrap();
        assert!(refused(&outcomes[5]).contains("node 2"), "{outcomes:?}");
        assert_eq!(state.read(query::level::current).unwrap(), 2);
    }

    #[test]
    fn a_snapshot_carries_its_level_and_one_too_new_is_refused() {
        let (dir, state) = state();
        apply(&state, vec![Command::RaiseLevel { to: NEWEST }]).unwrap();
        let taken = crate::store::snapshot::build(&state, dir.path()).unwrap();
        let (_other_dir, other) = self::state();
        other.install(&taken.path).unwrap();
        assert_eq!(other.read(query::level::current).unwrap(), NEWEST);
        let newer = rusqlite::Connection::open(&taken.path).unwrap();
        newer.execute("INSERT INTO migration VALUES (99, '0099_later', 'x')", []).unwrap();
        drop(newer);
        let fault = other.install(&taken.path).unwrap_err();
        assert!(fault.to_string().contains("newer Greenroom"), "{fault}");
        assert_eq!(other.read(query::level::current).unwrap(), NEWEST);
    }

    #[test]
    fn a_command_of_a_newer_version_stops_the_node() {
        let (_dir, state) = state();
        let mut envelope = Envelope::own(Time(1), Command::RaiseLevel { to: 1 });
        envelope.v += 1;
        let entry = Entry { log_id: vec![1], what: Payload::Command(&envelope) };
        let fault = state.apply(&[entry]).err().unwrap();
        assert!(fault.to_string().contains("upgrade this node"), "{fault}");
    }
}
