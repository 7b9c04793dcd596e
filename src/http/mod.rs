//! The doors: the routes on one page, handlers, sockets, errors, assets, health, metrics, OpenAPI.
//!
//! **Invariant:** every route stands in `router::table` with the permission that it needs; what is
//! not there does not exist (law I5).

pub mod router;

pub mod app;
pub mod crowd;
pub mod serve;
pub mod tls;

mod address;
mod body;
mod calibrations;
mod caller;
pub mod chat;
mod cluster;
mod ends;
mod error;
mod factors;
mod forward;
mod keys;
mod layers;
mod limits;
mod outgoing;
pub mod outside;
mod paging;
mod patience;

mod account;
mod acts;
mod assets;
mod audit;
mod backups;
mod coach;
pub mod cv;
mod health;
mod interviewer;
mod interviews;
mod kits;
mod me;
pub mod oidc;
pub mod openapi;
mod people;
mod privacy;
mod progress;
mod reports;
mod setup;
mod shares;
mod signing;
mod socket;
mod stats;
mod tokens;
mod tunnel;
mod upgrade;
