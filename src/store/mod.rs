//! Where things are kept: the journal (the Raft log), the state (the domain in SQLite), snapshots.
//!
//! `DESIGN.md` beside this file says why. Consensus is unknown here: what it stores is opaque
//! bytes.

mod fault;

pub mod directory;
pub mod schema;

pub mod journal;
pub mod plain;

mod apply;
pub mod backup;
mod copy;
pub mod digest;
pub mod query;

mod pin;
pub mod snapshot;
pub mod space;
pub mod state;

pub mod mend;

pub use fault::Fault;
pub use pin::pin;
