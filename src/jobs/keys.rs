//! Signing keys that follow each other: the leader makes the next one when the present one is old.
//!
//! Tokens of the former one hold until the last of them has expired, so nobody notices.

use std::time::Duration;

use crate::auth::ring::new_signing_key;
use crate::auth::secret::{Fault, Secrets};
use crate::cluster::{Replica, Seat};
use crate::domain::command::{Command, Envelope, Outcome};
use crate::domain::level::KEYS;
use crate::domain::limit::{self, door};
use crate::domain::time::Time;
use crate::store::query;

const DAY_MS: i64 = 24 * 60 * 60 * 1_000;

/// Clocks of the nodes may differ by this much.
const LEEWAY_MS: i64 = 60 * 1_000;

/// The command that puts a fresh key in the place of the one with this public half.
pub fn command(former: String, now: Time, at_once: bool) -> Result<Command, Fault> {
    let life = limit::ACCESS_TOKEN_SECONDS * 1_000 + LEEWAY_MS;
    let until = if at_once { now } else { now.plus_ms(life) };
    Ok(Command::RotateKey { signing_key: new_signing_key()?, former, until })
}

/// Looks now and then, for as long as the node runs.
pub async fn run(replica: Replica) {
    let mut looks = tokio::time::interval(Duration::from_secs(door::SIGNING_KEY_LOOK_SECONDS));
    loop {
        looks.tick().await;
        if *replica.watch_seat().borrow() != Seat::Here {
            continue;
        }
        if let Err(why) = look(&replica).await {
            tracing::warn!(why, "the age of the signing key could not be looked at");
        }
    }
}

async fn look(replica: &Replica) -> Result<(), String> {
    let read = |db: &query::Connection| {
        let keys = query::keys::keys(db)?;
        Ok((keys, query::cluster::identity(db)?, query::level::current(db)?))
    };
    let read: Result<_, crate::store::Fault> = replica.read(read).await;
    let (Some(keys), Some(identity), level) = read.map_err(|error| error.to_string())? else {
        return Ok(());
    };
    let now = replica.now();
    if level < KEYS || !is_old(keys.made_at, now) {
        return Ok(());
    }
    let secrets = Secrets::open(&keys.signing_key, &identity.link_key);
    let former = secrets.map_err(|error| error.to_string())?.public_key();
    let command = command(former, now, false).map_err(|error| error.to_string())?;
    match replica.propose(Envelope::own(now, command)).await {
        Ok(Outcome::Refused { refusal }) => Err(refusal.to_string()),
        Ok(_) => {
            tracing::info!("access tokens are signed with another key from now on");
            Ok(())
        }
        Err(unavailable) => Err(unavailable.to_string()),
    }
}

fn is_old(made_at: Time, now: Time) -> bool {
    now.0 - made_at.0 >= door::SIGNING_KEY_DAYS * DAY_MS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_old_after_a_quarter() {
        let made = Time(1_000);
        assert!(!is_old(made, Time(1_000 + 90 * DAY_MS - 1)));
        assert!(is_old(made, Time(1_000 + 90 * DAY_MS)));
    }
}
