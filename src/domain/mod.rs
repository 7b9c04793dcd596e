//! The nouns and the rules: ids, people, interviews, the room as a value, commands, events, limits.
//!
//! **Invariant:** nothing here touches a disk, a socket, a clock or a random source. Time and ids
//! come in from outside, so the same journal gives the same state on every node.

pub mod limit;

pub mod id;
pub mod number;
pub mod time;

pub mod refusal;
pub mod text;

pub mod analysis;
pub mod file;
pub mod kit;
pub mod person;
pub mod privacy;
pub mod rate;

pub mod event;
pub mod interview;
pub mod room;

pub mod may;

pub mod command;
pub mod level;
