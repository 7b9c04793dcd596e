//! Sign-ins that failed, for the audit log: told without letting anybody fill it.
//!
//! Of one account from one network the first of an hour is a row, then the second, the fourth, the
//! eighth: who tries a thousand passwords leaves ten rows. Accounts that do not exist count as one.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::rate::Network;
use crate::domain::id::PersonId;
use crate::domain::limit::door as limit;

const HOUR: Duration = Duration::from_secs(60 * 60);

/// What failed in this hour, at this node.
#[derive(Debug, Default)]
pub struct Failures(Mutex<Hour>);

#[derive(Debug, Default)]
struct Hour {
    since: Option<Instant>,
    counts: HashMap<(Option<PersonId>, Network), u32>,
    rows: usize,
}

impl Failures {
    /// Counts one; whether it is to be written.
    pub fn count(&self, account: Option<PersonId>, from: Network, now: Instant) -> bool {
        let mut hour = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if hour.since.is_none_or(|since| now.duration_since(since) >= HOUR) {
            *hour = Hour { since: Some(now), ..Hour::default() };
        }
        // Each place that is counted has its first row, so this bounds both.
        if hour.rows >= limit::FAILURE_ROWS_MAX {
            return false;
        }
        let count = hour.counts.entry((account, from)).or_default();
        *count = count.saturating_add(1);
        let written = count.is_power_of_two();
        hour.rows += usize::from(written);
        written
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    fn network(n: u32) -> Network {
        Network::of(Ipv4Addr::from(n).into())
    }

    fn person(n: u128) -> Option<PersonId> {
        Some(PersonId(uuid::Uuid::from_u128(n)))
    }

    #[test]
    fn of_many_few_are_written_and_each_place_counts_for_itself() {
        let (failures, now) = (Failures::default(), Instant::now());
        let written = (0..1_000).filter(|_| failures.count(person(1), network(1), now)).count();
        assert_eq!(written, 10);
        assert!(failures.count(person(2), network(1), now));
        assert!(failures.count(person(1), network(2), now));
        assert!(failures.count(None, network(1), now));
        let later = now + HOUR;
        assert!(failures.count(person(1), network(1), later), "another hour");
    }

    #[test]
    fn from_however_many_networks_the_rows_are_bounded() {
        let (failures, now) = (Failures::default(), Instant::now());
        let tries = 0..3 * limit::FAILURE_ROWS_MAX as u32;
        let written = tries.filter(|n| failures.count(None, network(*n), now)).count();
        assert_eq!(written, limit::FAILURE_ROWS_MAX);
    }
}
