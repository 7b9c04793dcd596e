//! Errors at the door: problem details (RFC 9457).
//!
//! Three kinds, as everywhere: a **refusal** tells the caller what to change, **unavailable** says
//! try again, a **fault** is logged here, once, and shows only the request id. The body is written
//! by
//! `layers`, which knows the request id.

use std::time::Duration;

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::json;

use crate::auth::password::PasswordError;
use crate::cluster::Unavailable;
use crate::domain::refusal::{Code, FieldError, Refusal};
use crate::room::answer::Unfit;
use crate::store::Fault;

/// Why a request has no result.
#[derive(Debug)]
pub(super) enum Error {
    Refused(Refusal),
    Unavailable(Unavailable),
    Fault(Fault),
    /// Too many in too short a time.
    Limited {
        detail: String,
        retry_after: Duration,
    },
    /// Something that this node leans on and can do without.
    Down(String),
}

/// What `layers` turns into the body.
#[derive(Clone, Debug)]
pub(super) struct Problem {
    pub(super) status: StatusCode,
    code: &'static str,
    refused: Option<Code>,
    detail: String,
    fields: Vec<FieldError>,
    retry_after_ms: Option<u64>,
    lost: Option<Lost>,
}

/// What is known of a request that was not answered because the leader changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lost {
    /// Nothing was done: the next leader may be asked.
    Untouched,
    /// It may have been done or not.
    Unknown,
}

impl Problem {
    pub(super) fn of(refusal: Refusal) -> Problem {
        Problem {
            status: status(refusal.code),
            code: refusal.code.as_str(),
            refused: Some(refusal.code),
            detail: refusal.detail,
            fields: refusal.fields,
            retry_after_ms: match refusal.code {
                Code::IdempotencyInFlight | Code::RateLimited => Some(1_000),
                _ => None,
            },
            lost: None,
        }
    }

    /// A status that axum or we gave without a reason.
    pub(super) fn bare(status: StatusCode, code: &'static str, detail: &str) -> Problem {
        Problem {
            status,
            code,
            refused: None,
            detail: detail.to_owned(),
            fields: Vec::new(),
            retry_after_ms: None,
            lost: None,
        }
    }

    pub(super) fn body(&self, request_id: &str) -> String {
        let mut body = json!({
            "type": format!("urn:greenroom:problem:{}", self.code),
            "title": self.status.canonical_reason().unwrap_or("Error"),
            "status": self.status.as_u16(),
            "detail": self.detail,
            "code": self.code,
            "request_id": request_id,
        });
        if !self.fields.is_empty() {
            body["errors"] = json!(self.fields);
        }
        if let Some(ms) = self.retry_after_ms {
            body["retry_after_ms"] = ms.into();
        }
        body.to_string()
    }

    pub(super) fn retry_after_ms(&self) -> Option<u64> {
        self.retry_after_ms
    }

    pub(super) fn refused(&self) -> Option<Code> {
        self.refused
    }

    /// Whether another node may be asked the same.
    pub(super) fn lost(&self) -> Option<Lost> {
        self.lost
    }

    fn of_unavailable(unavailable: &Unavailable) -> Problem {
        Problem {
            status: StatusCode::SERVICE_UNAVAILABLE,
            code: "cluster.no_leader",
            refused: None,
            detail: unavailable.to_string(),
            fields: Vec::new(),
            retry_after_ms: Some(500),
            lost: match unavailable {
                Unavailable::NoLeader => Some(Lost::Untouched),
                Unavailable::Busy | Unavailable::Full => None,
                Unavailable::Unknown | Unavailable::Stopped(_) => Some(Lost::Unknown),
            },
        }
    }

    fn of_fault() -> Problem {
        Problem::bare(
            StatusCode::INTERNAL_SERVER_ERROR,
            "fault",
            "something broke on our side; nothing was changed. Tell your admin the request id",
        )
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = self.status.into_response();
        response.extensions_mut().insert(self);
        response
    }
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        match self {
            Error::Refused(refusal) => Problem::of(refusal),
            Error::Unavailable(unavailable) => Problem::of_unavailable(&unavailable),
            Error::Limited { detail, retry_after } => Problem {
                retry_after_ms: Some(retry_after.as_millis() as u64),
                ..Problem::of(Refusal::new(Code::RateLimited, detail))
            },
            Error::Fault(fault) => {
                tracing::error!(%fault, "a request failed");
                Problem::of_fault()
            }
            Error::Down(detail) => {
                Problem::bare(StatusCode::SERVICE_UNAVAILABLE, "chat.unavailable", &detail)
            }
        }
        .into_response()
    }
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Error {
        Error::Refused(refusal)
    }
}

impl From<FieldError> for Error {
    fn from(error: FieldError) -> Error {
        Error::Refused(Refusal::fields(vec![error]))
    }
}

impl From<Unavailable> for Error {
    fn from(unavailable: Unavailable) -> Error {
        Error::Unavailable(unavailable)
    }
}

impl From<Fault> for Error {
    fn from(fault: Fault) -> Error {
        Error::Fault(fault)
    }
}

impl From<Unfit> for Error {
    fn from(unfit: Unfit) -> Error {
        match unfit {
            Unfit::Refused(refusal) => Error::Refused(refusal),
            Unfit::Fault(fault) => Error::Fault(fault),
        }
    }
}

impl From<PasswordError> for Error {
    fn from(error: PasswordError) -> Error {
        match error {
            PasswordError::Busy => {
                Error::Refused(Refusal::new(Code::RateLimited, error.to_string()))
            }
            other => Error::Fault(Fault::new("a password could not be hashed", other)),
        }
    }
}

fn status(code: Code) -> StatusCode {
    match code {
        Code::AuthMissing | Code::AuthInvalid | Code::AuthExpired | Code::AuthSecondFactor => {
            StatusCode::UNAUTHORIZED
        }
        Code::AccessDenied => StatusCode::FORBIDDEN,
        Code::InputInvalid | Code::InputUnknownField | Code::FrameBad => StatusCode::BAD_REQUEST,
        Code::InputTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        Code::InputUnsupportedType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        Code::NotFound => StatusCode::NOT_FOUND,
        Code::IdempotencyMismatch | Code::InputUnreadable => StatusCode::UNPROCESSABLE_ENTITY,
        Code::ConflictState
        | Code::IdempotencyInFlight
        | Code::RoomFull
        | Code::RoomClosed
        | Code::SetupDone => StatusCode::CONFLICT,
        Code::RateLimited => StatusCode::TOO_MANY_REQUESTS,
        Code::SetupNeeded => StatusCode::SERVICE_UNAVAILABLE,
    }
}
