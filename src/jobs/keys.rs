//! Signing keys that follow each other: the leader makes the next one when the present one is
//! getting old, tells it for a while, and then lets it sign.
//!
//! Tokens of the former one hold until the last of them has expired, so nobody notices.

use std::time::Duration;

use crate::auth::ring::{new_signing_key, public_half};
use crate::auth::secret::Fault;
use crate::cluster::{Replica, Seat};
use crate::domain::command::{Command, Envelope, KeyStep, Outcome};
use crate::domain::level::{KEYS, SUCCESSORS};
use crate::domain::limit::{self, door};
use crate::domain::time::Time;
use crate::store::query;
use crate::store::query::keys::Keys;

const DAY_MS: i64 = 24 * 60 * 60 * 1_000;

/// Clocks of the nodes may differ by this much.
const LEEWAY_MS: i64 = 60 * 1_000;

/// What the age of the keys asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Due {
    Nothing,
    /// The next key is to be made and told.
    Next,
    /// Another key is to sign.
    Turn,
}

/// The command by which another key signs from now on: the one that waits, if there is one.
///
/// `at_once` is for a key that somebody else may have. They may have the one that waits too, for
/// the two lie in the same place, so a fresh one signs then.
pub fn command(keys: &Keys, now: Time, at_once: bool) -> Result<Command, Fault> {
    let former = public_half(&keys.signing_key)?;
    let life = limit::ACCESS_TOKEN_SECONDS * 1_000 + LEEWAY_MS;
    let until = if at_once { now } else { now.plus_ms(life) };
    match &keys.next {
        Some(next) if !at_once => {
            let public_key = next.public_key.clone();
            Ok(Command::NextKey { step: KeyStep::Turn { public_key, former, until } })
        }
        _ => Ok(Command::RotateKey { signing_key: new_signing_key()?, former, until }),
    }
}

/// The command that makes the next key.
fn prepared() -> Result<Command, Fault> {
    let signing_key = new_signing_key()?;
    let public_key = public_half(&signing_key)?;
    Ok(Command::NextKey { step: KeyStep::Prepare { signing_key, public_key } })
}

/// Looks when the node begins to lead and then now and then, for as long as it runs.
pub async fn run(replica: Replica) {
    let mut looks = tokio::time::interval(Duration::from_secs(door::SIGNING_KEY_LOOK_SECONDS));
    looks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut seat = replica.watch_seat();
    loop {
        tokio::select! {
            _ = looks.tick() => {}
            changed = seat.changed() => match changed {
                Ok(()) => looks.reset_immediately(),
                Err(_) => return,
            },
        }
        if *seat.borrow_and_update() == Seat::Here
            && let Err(why) = look(&replica).await
        {
            tracing::warn!(why, "the age of the signing key could not be looked at");
        }
    }
}

async fn look(replica: &Replica) -> Result<(), String> {
    let read = |db: &query::Connection| Ok((query::keys::keys(db)?, query::level::current(db)?));
    let read: Result<_, crate::store::Fault> = replica.read(read).await;
    let (Some(keys), level) = read.map_err(|error| error.to_string())? else {
        return Ok(());
    };
    let now = replica.now();
    let (made, done) = match due(&keys, level, now) {
        Due::Nothing => return Ok(()),
        Due::Next => (prepared(), "the next key for access tokens is made and told"),
        Due::Turn => {
            (command(&keys, now, false), "access tokens are signed with another key from now on")
        }
    };
    let command = made.map_err(|error| error.to_string())?;
    match replica.propose(Envelope::own(now, command)).await {
        Ok(Outcome::Refused { refusal }) => Err(refusal.to_string()),
        Ok(_) => {
            tracing::info!("{done}");
            Ok(())
        }
        Err(unavailable) => Err(unavailable.to_string()),
    }
}

fn due(keys: &Keys, level: u32, now: Time) -> Due {
    let is_past = |since: Time, days: i64| now.0 - since.0 >= days * DAY_MS;
    let is_old = is_past(keys.made_at, door::SIGNING_KEY_DAYS);
    match &keys.next {
        _ if level < KEYS => Due::Nothing,
        // Below its level there is no place for the next key, and an old one is worse than one
        // that nobody was told of.
        _ if level < SUCCESSORS && is_old => Due::Turn,
        _ if level < SUCCESSORS => Due::Nothing,
        None => {
            let days = door::SIGNING_KEY_DAYS - door::SIGNING_KEY_NOTICE_DAYS;
            if is_past(keys.made_at, days) { Due::Next } else { Due::Nothing }
        }
        Some(next) if is_old && is_past(next.made_at, door::SIGNING_KEY_NOTICE_DAYS) => Due::Turn,
        Some(_) => Due::Nothing,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::query::keys::NextKey;

    /// What is due so many days after the key was made, with the next one told since a day.
    fn after(days: i64, next: Option<i64>, level: u32) -> Due {
        let day = |n: i64| Time(1_000 + n * DAY_MS);
        let next = next.map(|n| NextKey { public_key: String::new(), made_at: day(n) });
        let (signing_key, former) = (String::new(), Vec::new());
        due(&Keys { signing_key, made_at: day(0), former, next }, level, day(days))
    }

    #[test]
    fn the_next_key_is_told_for_a_week_before_it_signs() {
        assert_eq!(after(82, None, SUCCESSORS), Due::Nothing);
        assert_eq!(after(83, None, SUCCESSORS), Due::Next);
        assert_eq!(after(84, Some(83), SUCCESSORS), Due::Nothing);
        assert_eq!(after(89, Some(83), SUCCESSORS), Due::Nothing);
        assert_eq!(after(90, Some(83), SUCCESSORS), Due::Turn);
        // A node that slept, or whose data were raised late, makes up for the week.
        assert_eq!(after(200, None, SUCCESSORS), Due::Next);
        assert_eq!(after(206, Some(200), SUCCESSORS), Due::Nothing);
        assert_eq!(after(207, Some(200), SUCCESSORS), Due::Turn);
    }

    #[test]
    fn data_of_the_level_before_go_on_without_a_next_key() {
        assert_eq!(after(89, None, KEYS), Due::Nothing);
        assert_eq!(after(90, None, KEYS), Due::Turn);
        assert_eq!(after(900, None, KEYS - 1), Due::Nothing);
    }
}
