//! How copies agree: openraft's adapters, and one handle, [`Replica`], for the floors above.
//!
//! **Invariant:** no openraft name leaves this folder; its API still changes from release to
//! release.
//! **Invariant:** nothing is acknowledged before the journal's fsync on a majority (law I3).

mod raft_types;

mod log_adapter;
mod machine_adapter;
mod network;

mod replica;

pub use replica::{OnApplied, Replica, ReplicaOptions, Status, Unavailable, fresh};

#[cfg(test)]
mod tests;
