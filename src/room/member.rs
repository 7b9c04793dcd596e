//! Sending a connection away: with what words, and when it may come back.

use crate::cluster::fresh;

use super::outbox::Outgoing;
use super::protocol::{self, Bye};

/// The closing that goes with a `bye`.
pub fn closing(why: Bye, retry_after_ms: Option<u64>) -> Outgoing {
    Outgoing::Close(Some(protocol::bye(why, retry_after_ms).into()), why.close_code())
}

/// When to come back after a change of leader: an election takes about a second, and not everybody
/// is to come at once.
pub fn come_back_ms() -> u64 {
    500 + jitter_ms(1_000)
}

/// A time that differs from caller to caller.
pub(super) fn jitter_ms(up_to: u64) -> u64 {
    // The random part of a new id; nothing secret hangs on it.
    let id = fresh();
    let [.., high, low] = *id.as_bytes();
    u64::from(u16::from_be_bytes([high, low])) * up_to / u64::from(u16::MAX)
}
