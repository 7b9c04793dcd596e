//! How fast consensus moves: heartbeats, elections, snapshots.

use std::time::Duration;

use openraft::{Config, SnapshotPolicy};

use crate::domain::limit;
use crate::store::Fault;

/// How consensus behaves.
pub(super) fn config(election: Duration) -> Result<Config, Fault> {
    let election = election.as_millis() as u64;
    let config = Config {
        cluster_name: "greenroom".to_owned(),
        // A follower waits the longest time-out and then a drawn one before it stands: failing over
        // takes about 2.5 of the shortest, and heartbeats get three tries within it.
        heartbeat_interval: (election / 3).max(10),
        election_timeout_min: election,
        election_timeout_max: 2 * election,
        enable_pre_vote: Some(true),
        // Entries go to the others while the journal still writes them. A leader that lost its tail
        // in a crash and led on in the same term would give the same place to another command, and
        // the copies would differ for ever.
        enable_leader_restore: Some(false),
        snapshot_policy: SnapshotPolicy::LogsSinceLast(limit::SNAPSHOT_ENTRIES),
        max_in_snapshot_log_to_keep: limit::LOG_TAIL_ENTRIES,
        ..Config::default()
    };
    config.validate().map_err(|e| Fault::new("consensus refuses its settings", e))
}
