//! Who somebody is: secrets, passwords, tokens and socket tickets.
//!
//! **Invariant:** nothing here reads a clock or writes a store. Moments come in as arguments, and
//! what has to last goes through a command.

pub mod secret;

pub mod join;
pub mod outside;
pub mod password;
pub mod ring;
pub mod token;
pub mod totp;

pub mod ticket;

pub mod rate;

pub mod failures;
