//! All chance of a run comes from one seed.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// A stream of numbers (SplitMix64); clones draw from the same stream.
#[derive(Clone)]
pub(super) struct Chance(Arc<Mutex<u64>>);

impl Chance {
    pub(super) fn new(seed: u64) -> Chance {
        Chance(Arc::new(Mutex::new(seed)))
    }

    pub(super) fn next(&self) -> u64 {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (*state ^ (*state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number from `from` to `to`, both included.
    pub(super) fn between(&self, from: u64, to: u64) -> u64 {
        from + self.next() % (to - from + 1)
    }

    /// True so many times in a thousand.
    pub(super) fn permille(&self, share: u64) -> bool {
        self.next() % 1_000 < share
    }

    pub(super) fn micros(&self, from: u64, to: u64) -> Duration {
        Duration::from_micros(self.between(from, to))
    }

    pub(super) fn millis(&self, from: u64, to: u64) -> Duration {
        self.micros(from * 1_000, to * 1_000)
    }

    /// One of several; `None` of nothing.
    pub(super) fn pick<T: Copy>(&self, from: &[T]) -> Option<T> {
        match from.len() {
            0 => None,
            n => Some(from[self.between(0, n as u64 - 1) as usize]),
        }
    }
}
