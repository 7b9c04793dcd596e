//! What envelopes and commands about accounts are made of.

use serde::{Deserialize, Serialize};

use crate::domain::id::PersonId;
use crate::domain::person::Role;
use crate::domain::text::Email;
use crate::domain::time::Time;

/// The name under which the first result of a request is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Once {
    /// Whose key it is: keys of two people never meet.
    pub scope: String,
    /// The `Idempotency-Key`, or a frame's `id` with its room.
    pub key: String,
    /// SHA-256 over method, route and body; empty where the same key is the same request by
    /// contract (frames).
    pub fingerprint: String,
}

/// A second factor as it was shown: each counts once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Factor {
    /// The step of a right code.
    Step(u64),
    /// SHA-256 of a recovery code.
    Recovery(String),
}

/// Reading that belongs into the audit log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Witnessed {
    /// A whole backup: it holds every key.
    BackupDownload,
    /// Everything about a person.
    DataExport,
}

impl Witnessed {
    /// The action as the audit log names it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Witnessed::BackupDownload => "backup.download",
            Witnessed::DataExport => "data.export",
        }
    }
}

/// Somebody as an outside issuer names them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outsider {
    /// The issuer.
    pub issuer: String,
    /// Its name for them.
    pub subject: String,
    /// When it said so.
    pub said_at: Time,
    /// An address that is theirs alone, if somebody else has the one that the issuer named.
    pub own_address: Email,
}

/// An account that does not exist yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewPerson {
    /// Who.
    pub id: PersonId,
    /// The address.
    pub email: Email,
    /// The name.
    pub display_name: String,
    /// The role.
    pub role: Role,
    /// The password's hash; without it the person gets an invite link.
    pub password_hash: Option<String>,
    /// Until when the invite link holds.
    pub invite_expires_at: Option<Time>,
}
