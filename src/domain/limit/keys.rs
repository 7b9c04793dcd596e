//! Bounds of idempotency keys and of the results that are kept under them.

/// An idempotency key, in characters.
pub const IDEMPOTENCY_KEY_CHARS_MAX: usize = 128;

/// How long the first result of a key is kept: 24 h.
pub const IDEMPOTENCY_MS: i64 = 24 * 60 * 60 * 1_000;

/// Expired idempotency records removed with each write: more than one, so that they always shrink.
pub const IDEMPOTENCY_PRUNE_MAX: usize = 16;

/// One kept result as JSON. What is kept is what cannot be derived again: ids, times, an account
/// with its names at their limits. The largest is the receipt of an erasure, a number per table.
pub const IDEMPOTENCY_RESULT_BYTES_MAX: usize = 4_096;

/// Results kept for one person within 24 h: more than one write each second of the day. Whoever
/// has more is refused new keys (429) instead of losing old results, which were promised for 24 h;
/// nobody's results ever make way for somebody else's.
pub const IDEMPOTENCY_RESULTS_OF_PERSON_MAX: usize = 100_000;

/// Results kept in all: some 600 MB of state at most, a tenth of that as they usually are. It takes
/// ten people at their own bound to get there.
pub const IDEMPOTENCY_RESULTS_MAX: usize = 1_000_000;

/// What each person may keep even when [`IDEMPOTENCY_RESULTS_MAX`] is reached, so that those who
/// fill it take nothing away from the others: more clicks than a day has room for.
pub const IDEMPOTENCY_RESULTS_OF_PERSON_SURE: usize = 1_000;

/// Between two counts of somebody's kept results. Counting all of them takes some 30 ms at the
/// bound; within a minute a person adds at most what the write policy lets through.
pub const IDEMPOTENCY_COUNT_SECONDS: u64 = 60;

/// People whose count is remembered; beyond that all are forgotten and counted again, which costs
/// each of them one small read.
pub const IDEMPOTENCY_COUNTS_MAX: usize = 4_096;

/// Results that only this node keeps, in memory: one for each ticket of the last half minute, and
/// the backups of the last day, which are far fewer.
pub const IDEMPOTENCY_PASSING_MAX: usize = super::TICKETS_MAX;
