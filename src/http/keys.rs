//! Idempotency keys on this node: which requests run now, results that are no part of the state,
//! and how many results people have in it.
//!
//! The state keeps what commands led to (law I4). Here is what may be forgotten with the process:
//! if this node stops, nothing runs on it any more, and its tickets are void.
//!
//! **Invariant:** a result that is kept is never pushed out by another one: where there is no more
//! room, new keys are refused.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::domain::limit;
use crate::domain::refusal::{Code, Refusal};

/// Whose key, and the key.
pub(super) type Name = (String, String);

/// What an idempotency key does on a route.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Keyed {
    /// The state keeps the first result.
    Stored,
    /// The node keeps it, as is said here.
    Passing(&'static str),
    /// Nothing, for this reason. The key is checked, and the request is carried out anew.
    Never(&'static str),
}

/// What this node knows of keys.
#[derive(Default)]
pub(super) struct Keys {
    running: Mutex<HashSet<Name>>,
    passing: Mutex<Passing>,
    counts: Mutex<Counts>,
}

/// A place among the requests under a key that run now; it ends with the request.
pub(super) struct Flight {
    keys: Arc<Keys>,
    name: Name,
}

/// A result that is kept in memory.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Kept {
    /// Of the request that led to it.
    pub(super) fingerprint: String,
    /// The body of its answer.
    pub(super) body: Value,
    ends_at: Instant,
}

#[derive(Default)]
struct Passing {
    results: HashMap<Name, Kept>,
    /// The same by their end, so that sweeping never looks at one that still holds.
    ends: BTreeSet<(Instant, Name)>,
}

#[derive(Default)]
struct Counts {
    of: HashMap<String, Count>,
    all: Option<Count>,
}

/// How many results there were, and how many more keys came since.
#[derive(Clone, Copy)]
struct Count {
    kept: usize,
    counted_at: Instant,
}

/// Ended results that one more removes: more than itself, so that they always shrink.
const SWEEP_MAX: usize = 16;

impl Keys {
    /// Takes the place of a key, if no other request with it runs.
    pub(super) fn enter(self: &Arc<Keys>, name: &Name) -> Result<Flight, Refusal> {
        if !open(&self.running).insert(name.clone()) {
            return Err(in_flight());
        }
        Ok(Flight { keys: self.clone(), name: name.clone() })
    }

    /// The result that this node keeps under a key.
    pub(super) fn find(&self, name: &Name, now: Instant) -> Option<Kept> {
        open(&self.passing).results.get(name).filter(|kept| now < kept.ends_at).cloned()
    }

    /// Whether one more result has room.
    pub(super) fn has_room(&self, now: Instant) -> bool {
        let mut passing = open(&self.passing);
        passing.sweep(now);
        passing.results.len() < limit::IDEMPOTENCY_PASSING_MAX
    }

    /// Keeps a result for so long. Whoever asks has looked whether there is room, and runs alone
    /// under this key.
    pub(super) fn keep(
        &self,
        name: Name,
        fingerprint: String,
        body: Value,
        (now, lasts): (Instant, Duration),
    ) {
        let ends_at = now + lasts;
        let mut passing = open(&self.passing);
        passing.sweep(now);
        let before = passing.results.insert(name.clone(), Kept { fingerprint, body, ends_at });
        if let Some(before) = before {
            passing.ends.remove(&(before.ends_at, name.clone()));
        }
        passing.ends.insert((ends_at, name));
    }

    /// Counts one more key of somebody; `None` if it is not known how many they have.
    pub(super) fn count(&self, scope: &str, now: Instant) -> Option<Result<(), Refusal>> {
        let mut counts = open(&self.counts);
        let all = current(counts.all, now)?;
        let own = current(counts.of.get(scope).copied(), now)?;
        let crowded = all.kept >= limit::IDEMPOTENCY_RESULTS_MAX
            && own.kept >= limit::IDEMPOTENCY_RESULTS_OF_PERSON_SURE;
        if own.kept >= limit::IDEMPOTENCY_RESULTS_OF_PERSON_MAX || crowded {
            return Some(Err(too_many(own.kept)));
        }
        counts.all = Some(all.plus_one());
        counts.of.insert(scope.to_owned(), own.plus_one());
        Some(Ok(()))
    }

    /// Whether it is known how many results there are in all.
    pub(super) fn knows_all(&self, now: Instant) -> bool {
        current(open(&self.counts).all, now).is_some()
    }

    /// Notes how many results somebody has and, where it was counted, how many there are in all.
    pub(super) fn counted(&self, scope: &str, own: usize, all: Option<usize>, now: Instant) {
        let count = |kept| Count { kept, counted_at: now };
        let mut counts = open(&self.counts);
        if counts.of.len() >= limit::IDEMPOTENCY_COUNTS_MAX {
            counts.of.clear();
        }
        counts.of.insert(scope.to_owned(), count(own));
        counts.all = all.map(count).or(counts.all);
    }
}

impl Passing {
    fn sweep(&mut self, now: Instant) {
        for _ in 0..SWEEP_MAX {
            match self.ends.first() {
                Some((ends_at, _)) if *ends_at <= now => {
                    if let Some((_, name)) = self.ends.pop_first() {
                        self.results.remove(&name);
                    }
                }
                _ => return,
            }
        }
    }
}

impl Count {
    fn plus_one(self) -> Count {
        Count { kept: self.kept + 1, ..self }
    }
}

impl Drop for Flight {
    fn drop(&mut self) {
        open(&self.keys.running).remove(&self.name);
    }
}

/// A count that is not too old.
fn current(count: Option<Count>, now: Instant) -> Option<Count> {
    let holds = Duration::from_secs(limit::IDEMPOTENCY_COUNT_SECONDS);
    count.filter(|count| now.saturating_duration_since(count.counted_at) < holds)
}

fn open<T>(pages: &Mutex<T>) -> MutexGuard<'_, T> {
    // Nothing that runs under the lock panics half-way through a change.
    pages.lock().unwrap_or_else(PoisonError::into_inner)
}

fn in_flight() -> Refusal {
    Refusal::new(
        Code::IdempotencyInFlight,
        "the first request with this Idempotency-Key is still running; wait and try again",
    )
}

fn too_many(kept: usize) -> Refusal {
    let detail = format!(
        "{kept} results of yours are kept for 24 hours under an Idempotency-Key, and there is no \
         room for more; use fewer keys, or send what need not be repeated without one"
    );
    Refusal::new(Code::RateLimited, detail)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HALF_MINUTE: Duration = Duration::from_secs(30);

    fn name(key: &str) -> Name {
        ("person:1".to_owned(), key.to_owned())
    }

    #[test]
    fn a_key_runs_once_at_a_time() {
        let keys = Arc::new(Keys::default());
        let first = keys.enter(&name("a")).unwrap();
        assert_eq!(keys.enter(&name("a")).err().unwrap().code, Code::IdempotencyInFlight);
        keys.enter(&name("b")).unwrap();
        drop(first);
        keys.enter(&name("a")).unwrap();
        assert!(open(&keys.running).is_empty(), "nothing is left behind");
    }

    #[test]
    fn a_result_in_memory_ends_after_its_time_and_leaves_nothing() {
        let (keys, now) = (Keys::default(), Instant::now());
        let keep = |key: &str, now| {
            keys.keep(name(key), "f".to_owned(), key.into(), (now, HALF_MINUTE));
        };
        keep("a", now);
        assert_eq!(keys.find(&name("a"), now).unwrap().body, "a");
        assert_eq!(keys.find(&name("b"), now), None);
        let end = now + HALF_MINUTE;
        assert!(keys.find(&name("a"), end - Duration::from_millis(1)).is_some());
        assert_eq!(keys.find(&name("a"), end), None);
        for n in 0..20 {
            keep(&n.to_string(), end);
        }
        // The same key again takes the place of its first one.
        keep("0", end);
        let passing = open(&keys.passing);
        assert_eq!((passing.results.len(), passing.ends.len()), (20, 20));
    }

    #[test]
    fn results_in_memory_have_a_bound_and_none_is_pushed_out() {
        let (keys, now) = (Keys::default(), Instant::now());
        for n in 0..limit::IDEMPOTENCY_PASSING_MAX {
            assert!(keys.has_room(now));
            keys.keep(name(&n.to_string()), String::new(), n.into(), (now, HALF_MINUTE));
        }
        assert!(!keys.has_room(now));
        assert!(keys.find(&name("0"), now).is_some());
        assert!(keys.has_room(now + HALF_MINUTE));
    }

    #[test]
    fn somebody_with_too_many_results_is_refused_and_nobody_else_is() {
        let (keys, now) = (Keys::default(), Instant::now());
        assert!(keys.count("a", now).is_none(), "nobody has counted yet");
        keys.counted("a", limit::IDEMPOTENCY_RESULTS_OF_PERSON_MAX - 1, Some(5), now);
        keys.counted("b", 0, None, now);
        assert_eq!(keys.count("a", now), Some(Ok(())));
        assert_eq!(keys.count("a", now).unwrap().unwrap_err().code, Code::RateLimited);
        assert_eq!(keys.count("b", now), Some(Ok(())));
        let later = now + Duration::from_secs(limit::IDEMPOTENCY_COUNT_SECONDS);
        assert!(keys.count("a", later).is_none(), "it is counted anew");
    }

    #[test]
    fn when_all_are_too_many_everybody_has_a_share_that_is_sure() {
        let (keys, now) = (Keys::default(), Instant::now());
        let sure = limit::IDEMPOTENCY_RESULTS_OF_PERSON_SURE;
        keys.counted("much", sure, Some(limit::IDEMPOTENCY_RESULTS_MAX), now);
        keys.counted("little", sure - 1, None, now);
        assert!(keys.count("much", now).unwrap().is_err());
        assert_eq!(keys.count("little", now), Some(Ok(())));
        assert!(keys.count("little", now).unwrap().is_err());
    }

    #[test]
    fn counts_have_a_bound() {
        let (keys, now) = (Keys::default(), Instant::now());
        for n in 0..=limit::IDEMPOTENCY_COUNTS_MAX {
            keys.counted(&n.to_string(), 0, None, now);
        }
        assert_eq!(open(&keys.counts).of.len(), 1);
    }
}
