//! What the operator may set: one table of settings, from which help, template, reference, checks
//! and the list of what is in force come.
//!
//! **Invariant:** a setting exists in `table.rs` or not at all. A name that is not there is refused
//! with the name that was probably meant, and all mistakes are told at once.

pub mod settings;

pub mod network;
pub mod outside;
pub mod tls;

pub mod table;
mod value;

mod file;
mod suggest;

pub mod load;
pub mod show;

pub mod kits;
pub mod questions;
