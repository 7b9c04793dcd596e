//! What every command travels in: who asked, when, from where, under which key.

use serde::{Deserialize, Serialize};

use super::{Command, Once};
use crate::domain::id::PersonId;
use crate::domain::time::Time;

/// The version that this build writes; a node that meets a higher one stops.
pub const ENVELOPE_VERSION: u8 = 1;

/// A command on its way into the log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Envelope {
    /// [`ENVELOPE_VERSION`] of the proposer.
    pub v: u8,
    /// The proposer's clock; it never goes back within one journal.
    pub at: Time,
    /// Who asks; `None` for the product itself and for somebody who is not known yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<PersonId>,
    /// The request's id, from the door to the audit log.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// The network that it came from, for the audit log; a whole address could not be erased there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// How a retry of the same request is recognised (law I4).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub once: Option<Once>,
    /// What to do.
    pub command: Command,
}

impl Envelope {
    /// A command that nobody asked for: the product's own.
    pub fn own(at: Time, command: Command) -> Envelope {
        let v = ENVELOPE_VERSION;
        Envelope { v, at, by: None, request_id: None, from: None, once: None, command }
    }
}
