//! How copies agree: openraft's adapters, and one handle, [`Replica`], for the floors above.
//!
//! **Invariant:** no openraft name leaves this folder; its API still changes from release to
//! release.
//! **Invariant:** nothing is acknowledged before the journal's fsync on a majority (law I3).

mod runtime;

mod raft_types;

mod log_adapter;
mod machine_adapter;
mod recovery;

pub mod authority;
pub mod identity;

mod book;
mod dial;
mod line;
mod network;
mod pace;
mod port;
mod tls;
mod wire;

pub mod anew;
mod members;
mod replica;
mod scrub;
mod seat;
mod steward;
mod upkeep;

mod capability;
mod level;

pub use capability::{Build, Capability};
pub use dial::Way;
pub use level::{Obstacle, Standing, Undo};
pub use members::{Admission, NodeView, Overview, Role};
pub use port::{Guest, OnGuest};
pub use replica::{Ended, OnApplied, Replica, ReplicaOptions, Status, Unavailable, fresh};
pub use seat::Seat;

#[cfg(test)]
mod simulation;

#[cfg(test)]
mod tests;
