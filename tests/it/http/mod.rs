//! Over HTTP: what each kind of caller gets, and what each mistake leads to.

mod bodies;
mod calibrations;
mod chat;
mod coach;
pub(crate) mod cv;
mod documents;
mod first_run;
mod headers;
mod interviewer;
mod issuers;
mod keys;
mod ledger;
mod limits;
mod login;
mod machines;
mod oidc;
mod outsiders;
mod people;
mod progress;
mod readiness;
mod reading;
mod reports;
mod routes;
mod shares;
mod tokens;
