//! On which day the token of a program was last used.
//!
//! Requests leave a note in memory and go on. At most once a minute the notes are written together,
//! and each token at most once a day: it tells tokens that nobody uses any more from those that
//! somebody does, and what a program does when is nobody's business.
//!
//! **Invariant:** no request waits for a note, and losing one costs nothing: the next use makes
//! another.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;

use crate::cluster::{Replica, Seat};
use crate::domain::command::{Command, Envelope, Outcome};
use crate::domain::id::SessionId;
use crate::domain::limit::door as limit;
use crate::domain::time::{Day, Time};
use crate::store::query::keys::ApiToken;

/// The notes of one node.
#[derive(Debug, Default)]
pub struct Uses {
    noted: Mutex<BTreeMap<SessionId, Day>>,
    some: Notify,
}

impl Uses {
    /// Notes that a token was used, unless that is known of this day.
    pub fn note(&self, token: &ApiToken, now: Time) {
        let today = now.day();
        if token.last_used_on.is_some_and(|day| day >= today) {
            return;
        }
        let mut noted = self.noted.lock().unwrap_or_else(PoisonError::into_inner);
        let known = noted.contains_key(&token.session);
        if known || noted.len() < limit::TOKEN_USES_MAX {
            noted.insert(token.session, today);
        }
        if !known {
            self.some.notify_one();
        }
    }

    /// All that was noted, as commands: one for each day.
    fn take(&self) -> Vec<Command> {
        let noted = std::mem::take(&mut *self.noted.lock().unwrap_or_else(PoisonError::into_inner));
        let mut days: BTreeMap<Day, Vec<SessionId>> = BTreeMap::new();
        for (session, day) in noted {
            days.entry(day).or_default().push(session);
        }
        days.into_iter().map(|(day, tokens)| Command::NoteUses { day, tokens }).collect()
    }
}

/// Writes what was noted, for as long as the node runs.
pub async fn run(replica: Replica, uses: Arc<Uses>) {
    loop {
        // The first one after a quiet time is written at once, those that follow it wait.
        uses.some.notified().await;
        for command in uses.take() {
            if *replica.watch_seat().borrow() == Seat::Here {
                write(&replica, command).await;
            }
        }
        tokio::time::sleep(Duration::from_secs(limit::TOKEN_USES_SECONDS)).await;
    }
}

async fn write(replica: &Replica, command: Command) {
    match replica.propose(Envelope::own(replica.now(), command)).await {
        // Data of the level before have no place for it.
        Ok(Outcome::Refused { .. }) | Ok(_) => {}
        Err(unavailable) => tracing::debug!(%unavailable, "which tokens were used is not noted"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(n: u128, last_used_on: Option<Day>) -> ApiToken {
        ApiToken {
            session: SessionId(uuid::Uuid::from_u128(n)),
            name: "Nightly".to_owned(),
            read_only: true,
            created_at: Time(0),
            expires_at: Time(i64::MAX),
            last_used_on,
        }
    }

    const NOON: Time = Time(12 * 60 * 60 * 1_000);

    #[test]
    fn a_day_is_noted_once() {
        let uses = Uses::default();
        uses.note(&token(1, Some(Day(0))), NOON);
        assert_eq!(uses.take(), []);
        for _ in 0..3 {
            uses.note(&token(1, None), NOON);
            uses.note(&token(2, Some(Day(-1))), NOON);
        }
        uses.note(&token(3, Some(Day(0))), NOON.plus_ms(24 * 60 * 60 * 1_000));
        let ids = |ns: &[u128]| ns.iter().map(|n| token(*n, None).session).collect();
        let commands = [
            Command::NoteUses { day: Day(0), tokens: ids(&[1, 2]) },
            Command::NoteUses { day: Day(1), tokens: ids(&[3]) },
        ];
        assert_eq!(uses.take(), commands);
        assert_eq!(uses.take(), []);
    }

    #[test]
    fn however_many_there_are_the_notes_are_bounded() {
        let uses = Uses::default();
        for n in 0..2 * limit::TOKEN_USES_MAX as u128 {
            uses.note(&token(n, None), NOON);
        }
        let Some(Command::NoteUses { tokens, .. }) = uses.take().pop() else { panic!() };
        assert_eq!(tokens.len(), limit::TOKEN_USES_MAX);
    }
}
