//! Leaves a server alone that does not answer.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::domain::limit;

const REST: Duration = Duration::from_secs(limit::CHAT_REST_SECONDS);

/// How it went of late.
#[derive(Default)]
pub(super) struct Breaker {
    state: Mutex<State>,
}

#[derive(Clone, Copy, Default)]
struct State {
    /// Failures since the last success.
    failures: u32,
    /// Nobody asks before.
    rests_until: Option<Instant>,
}

impl Breaker {
    /// Whether somebody may ask; else for how long nobody does. After a rest one may, and the
    /// others wait for how that goes.
    pub(super) fn admit(&self, now: Instant) -> Result<(), Duration> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(until) = state.rests_until else { return Ok(()) };
        if now < until {
            return Err(until - now);
        }
        // Set before it is known how it goes: whoever asks may go away without a word.
        state.rests_until = Some(now + REST);
        Ok(())
    }

    /// It answered.
    pub(super) fn succeeded(&self) {
        *self.state.lock().unwrap_or_else(PoisonError::into_inner) = State::default();
    }

    /// It did not; whether the rest begins with this.
    pub(super) fn failed(&self, now: Instant) -> bool {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.failures = state.failures.saturating_add(1);
        if state.failures < limit::CHAT_FAILURES_MAX {
            return false;
        }
        let begins = state.rests_until.is_none();
        state.rests_until = Some(now + REST);
        begins
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn after_some_failures_it_rests_and_then_one_tries() {
        let (breaker, start) = (Breaker::default(), Instant::now());
        let at = |seconds: u64| start + Duration::from_secs(seconds);
        for n in 1..limit::CHAT_FAILURES_MAX {
            assert_eq!(breaker.admit(start), Ok(()), "{n}");
            assert!(!breaker.failed(start), "{n}");
        }
        assert!(breaker.failed(start), "the last one begins the rest");
        assert!(!breaker.failed(start), "one that was under way does not begin another");
        assert_eq!(breaker.admit(at(1)), Err(REST - Duration::from_secs(1)));
        let over = limit::CHAT_REST_SECONDS;
        assert_eq!(breaker.admit(at(over)), Ok(()));
        assert_eq!(breaker.admit(at(over)), Err(REST), "the others wait for how that goes");
        breaker.failed(at(over + 1));
        assert_eq!(breaker.admit(at(over + 2)), Err(REST - Duration::from_secs(1)));
        assert_eq!(breaker.admit(at(2 * over + 1)), Ok(()));
        breaker.succeeded();
        assert_eq!(breaker.admit(at(2 * over + 1)), Ok(()));
        assert!(!breaker.failed(at(2 * over + 1)), "it counts from the beginning");
    }
}
