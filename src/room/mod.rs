//! The live interview: protocol, hub, one loop per room, members, resume.
//!
//! Nothing here knows a transport: `http::socket` carries text in and out. `DESIGN.md` beside this
//! file says why things are as they are.

pub mod protocol;

pub mod view;

pub mod answer;
pub mod calibrations;

mod catch_up;
mod live;
mod ring;
mod roster;
mod task;

pub mod gate;
pub mod hub;
pub mod member;
pub mod outbox;
