//! Retention: whoever leads removes what has been kept for long enough, and a receipt says how
//! much.
//!
//! What is due is decided twice: here by looking, and again where the command is applied, so that a
//! legal hold that comes in between is obeyed.

use std::time::Duration;

use crate::cluster::{Replica, Seat, fresh};
use crate::domain::command::{Command, Envelope, Outcome};
use crate::domain::limit;
use crate::store::{Fault, query};

/// Removes what is due until the node stops: at once when it begins to lead, then now and then.
pub async fn run(replica: Replica) {
    let mut look = tokio::time::interval(Duration::from_secs(limit::RETENTION_LOOK_SECONDS));
    look.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut seat = replica.watch_seat();
    loop {
        tokio::select! {
            _ = look.tick() => {}
            changed = seat.changed() => match changed {
                Ok(()) => look.reset_immediately(),
                Err(_) => return,
            },
        }
        if *seat.borrow_and_update() == Seat::Here
            && let Err(fault) = expire(&replica).await
        {
            tracing::error!(%fault, "what has been kept for long enough was not removed");
        }
    }
}

/// Removes everything that is due, a bounded piece at a time; how many pieces it took.
pub async fn expire(replica: &Replica) -> Result<usize, Fault> {
    let mut pieces = 0;
    loop {
        let now = replica.now();
        let read = move |db: &query::Connection| {
            query::privacy::due(db, now, limit::EXPIRED_PER_COMMAND_MAX)
        };
        let due = replica.read(read).await?;
        if due.interviews.is_empty() && due.contexts.is_empty() {
            return Ok(pieces);
        }
        let (interviews, contexts) = (due.interviews, due.contexts);
        let command = Command::Expire { receipt: fresh(), interviews, contexts };
        match replica.propose(Envelope::own(now, command)).await {
            Ok(Outcome::Erased { receipt, counts, .. }) => {
                tracing::info!(%receipt, ?counts, "what was kept for long enough is gone");
                pieces += 1;
            }
            // A hold came in between; the next look leaves it out.
            Ok(_) => return Ok(pieces),
            Err(unavailable) => {
                tracing::warn!(%unavailable, "what was kept for long enough goes later");
                return Ok(pieces);
            }
        }
    }
}
