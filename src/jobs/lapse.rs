//! Ending interviews that everybody has forgotten: one that is live and has heard nothing for a
//! day is finished, so that its report is made; one that was never started is called off.
//!
//! Whoever leads looks now and then. Whether it still is forgotten is decided where every act is
//! decided: anything that happened between the look and the act stops it.

use std::time::Duration;

use crate::cluster::{Replica, Seat};
use crate::config::settings::Settings;
use crate::domain::command::{Command, Envelope, Outcome};
use crate::domain::refusal::Code;
use crate::domain::room::Act;
use crate::domain::{level, limit};
use crate::store::Fault;
use crate::store::query::{self, interview::Forgotten};

/// After how long an interview counts as forgotten.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// A live one without an event.
    pub quiet: Duration,
    /// One that was never started.
    pub wait: Duration,
}

impl Patience {
    /// As it was set.
    pub fn of(settings: &Settings) -> Patience {
        Patience {
            quiet: Duration::from_secs(settings.rooms_quiet_seconds),
            wait: Duration::from_secs(settings.rooms_wait_seconds),
        }
    }
}

/// Between two looks at most; a shorter patience looks as often as it is long.
const LOOK: Duration = Duration::from_secs(60);

/// Ends forgotten interviews until the node stops.
pub async fn run(replica: Replica, patience: Patience) {
    let mut look = tokio::time::interval(LOOK.min(patience.quiet).min(patience.wait));
    look.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let seat = replica.watch_seat();
    loop {
        look.tick().await;
        if seat.has_changed().is_err() {
            return;
        }
        if *seat.borrow() == Seat::Here
            && let Err(fault) = end_all(&replica, patience).await
        {
            tracing::error!(%fault, "forgotten interviews were not ended");
        }
    }
}

async fn end_all(replica: &Replica, patience: Patience) -> Result<(), Fault> {
    let now = replica.now();
    let quiet_since = now.plus_ms(-(patience.quiet.as_millis() as i64));
    let made_before = now.plus_ms(-(patience.wait.as_millis() as i64));
    let read = move |db: &query::Connection| {
        if query::level::current(db)? < level::TURNS {
            return Ok(Vec::new());
        }
        query::interview::forgotten(db, quiet_since, made_before, limit::PAGE_ITEMS_MAX)
    };
    for forgotten in replica.read(read).await? {
        let interview = forgotten.interview;
        let envelope = Envelope::own(replica.now(), lapse(forgotten));
        match replica.propose(envelope).await {
            Ok(Outcome::Refused { refusal })
                if !matches!(refusal.code, Code::ConflictState | Code::RoomClosed) =>
            {
                tracing::error!(%interview, %refusal, "a forgotten interview was not ended");
            }
            Ok(_) => {}
            // The next look finds it again.
            Err(unavailable) => {
                tracing::warn!(%unavailable, "forgotten interviews are ended later");
                return Ok(());
            }
        }
    }
    Ok(())
}

fn lapse(forgotten: Forgotten) -> Command {
    let Forgotten { interview, seen } = forgotten;
    Command::Act { interview, act: Box::new(Act::Lapse { seen }) }
}
