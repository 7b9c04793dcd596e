//! Refusals: what a caller did that cannot be granted, with a stable code and words that help.
//!
//! Three kinds of errors exist in Greenroom. A **refusal** is the caller's turn: a closed set of
//! codes, the same in HTTP, sockets and the command line. **Unavailable** (`cluster`) means: try
//! again. A **fault** is ours: it is logged once at the boundary with its chain, and the caller
//! sees only a request id.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The stable codes of refusals.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Code {
    /// No credentials.
    #[serde(rename = "auth.missing")]
    AuthMissing,
    /// Credentials that do not hold.
    #[serde(rename = "auth.invalid")]
    AuthInvalid,
    /// Credentials that held once.
    #[serde(rename = "auth.expired")]
    AuthExpired,
    /// The password was right, and a code is needed too.
    AuthSecondFactor,
    /// Known, but not allowed.
    #[serde(rename = "access.denied")]
    AccessDenied,
    /// A value is out of its range or form.
    #[serde(rename = "input.invalid")]
    InputInvalid,
    /// A field that nobody knows.
    #[serde(rename = "input.unknown_field")]
    InputUnknownField,
    /// A body over the limit.
    #[serde(rename = "input.too_large")]
    InputTooLarge,
    /// A media type that is not read here.
    #[serde(rename = "input.unsupported_type")]
    InputUnsupportedType,
    /// A file of a type that is read here, with something in it that cannot be.
    #[serde(rename = "input.unreadable")]
    InputUnreadable,
    /// There is no such thing, or it is not yours.
    #[serde(rename = "not_found")]
    NotFound,
    /// The thing's state does not allow it.
    #[serde(rename = "conflict.state")]
    ConflictState,
    /// An idempotency key used for something else before.
    #[serde(rename = "idempotency.mismatch")]
    IdempotencyMismatch,
    /// The first request with this key still runs.
    #[serde(rename = "idempotency.in_flight")]
    IdempotencyInFlight,
    /// Too many in too short a time.
    #[serde(rename = "rate.limited")]
    RateLimited,
    /// The room has no place left.
    #[serde(rename = "room.full")]
    RoomFull,
    /// The interview is over.
    #[serde(rename = "room.closed")]
    RoomClosed,
    /// A frame that does not follow the protocol.
    #[serde(rename = "frame.bad")]
    FrameBad,
    /// Nobody has set this node up yet.
    #[serde(rename = "setup.needed")]
    SetupNeeded,
    /// Setup was done before.
    #[serde(rename = "setup.done")]
    SetupDone,
}

impl Code {
    /// The code as it stands on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Code::AuthMissing => "auth.missing",
            Code::AuthInvalid => "auth.invalid",
            Code::AuthExpired => "auth.expired",
            Code::AuthSecondFactor => "auth.second_factor",
            Code::AccessDenied => "access.denied",
            Code::InputInvalid => "input.invalid",
            Code::InputUnknownField => "input.unknown_field",
            Code::InputTooLarge => "input.too_large",
            Code::InputUnsupportedType => "input.unsupported_type",
            Code::InputUnreadable => "input.unreadable",
            Code::NotFound => "not_found",
            Code::ConflictState => "conflict.state",
            Code::IdempotencyMismatch => "idempotency.mismatch",
            Code::IdempotencyInFlight => "idempotency.in_flight",
            Code::RateLimited => "rate.limited",
            Code::RoomFull => "room.full",
            Code::RoomClosed => "room.closed",
            Code::FrameBad => "frame.bad",
            Code::SetupNeeded => "setup.needed",
            Code::SetupDone => "setup.done",
        }
    }
}

/// What is wrong with one field.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldError {
    /// The field as the caller wrote it.
    pub field: String,
    /// What is wrong and what would be right.
    pub detail: String,
}

/// Why a request cannot be granted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// The stable code.
    pub code: Code,
    /// What happened, why, and what to do next.
    pub detail: String,
    /// For [`Code::InputInvalid`]: the fields.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<FieldError>,
}

impl Refusal {
    /// A refusal without fields.
    pub fn new(code: Code, detail: impl Into<String>) -> Refusal {
        Refusal { code, detail: detail.into(), fields: Vec::new() }
    }

    /// One field is wrong.
    pub fn field(field: &str, detail: impl Into<String>) -> Refusal {
        Refusal::fields(vec![FieldError { field: field.to_owned(), detail: detail.into() }])
    }

    /// Some fields are wrong.
    pub fn fields(fields: Vec<FieldError>) -> Refusal {
        let names: Vec<&str> = fields.iter().map(|f| f.field.as_str()).collect();
        let detail = match fields.as_slice() {
            [one] => format!("{}: {}", one.field, one.detail),
            _ => format!("these fields are not valid: {}", names.join(", ")),
        };
        Refusal { code: Code::InputInvalid, detail, fields }
    }

    /// There is no such thing, or none that the caller may know of.
    pub fn not_found(noun: &str) -> Refusal {
        Refusal::new(Code::NotFound, format!("there is no such {noun}, or it is not yours to see"))
    }

    /// The state forbids it.
    pub fn conflict(detail: impl Into<String>) -> Refusal {
        Refusal::new(Code::ConflictState, detail)
    }

    /// The caller's role or part forbids it.
    pub fn denied(detail: impl Into<String>) -> Refusal {
        Refusal::new(Code::AccessDenied, detail)
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code.as_str(), self.detail)
    }
}

impl std::error::Error for Refusal {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_code_on_the_wire_is_the_code_in_the_store() {
        for code in [Code::AuthMissing, Code::InputUnknownField, Code::NotFound, Code::RoomClosed] {
            assert_eq!(serde_json::to_string(&code).unwrap(), format!("\"{}\"", code.as_str()));
        }
    }
}
