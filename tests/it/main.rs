//! What people and programs see of Greenroom, checked against the real binary through its doors.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod deadline;

mod api;
mod node;
mod org;
mod scene;
mod socket;

mod backup;
mod cli;
mod cluster;
mod corpora;
mod durability;
mod faults;
mod golden;
mod http;
mod privacy;
mod replaced;
mod rooms;
mod store;
mod supply;
mod upgrade;
