//! Over HTTP: what each kind of caller gets, and what each mistake leads to.

mod bodies;
mod chat;
mod coach;
pub(crate) mod cv;
mod documents;
mod first_run;
mod headers;
mod keys;
mod login;
mod machines;
mod outsiders;
mod people;
mod readiness;
mod reading;
mod reports;
mod routes;
mod shares;
mod tokens;
