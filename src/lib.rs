//! Greenroom: interview rooms with live, explainable intelligence, in one binary.
//!
//! The modules in reading order; each imports only from those above it (`tests/house.rs` proves
//! it).

pub mod domain;

pub mod insight;

pub mod config;
pub mod telemetry;

pub mod store;

pub mod cluster;

pub mod auth;

pub mod room;

pub mod jobs;

pub mod http;

pub mod cli;
