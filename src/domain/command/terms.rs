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

/// What becomes of the signing key after the present one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyStep {
    /// It is made, and its public half is told; it signs nothing yet.
    Prepare {
        /// The key (PKCS #8, base64).
        signing_key: String,
        /// Its public half (base64), by which it is named.
        public_key: String,
    },
    /// It signs from now on.
    Turn {
        /// Its public half: one that was thrown away meanwhile must not come back.
        public_key: String,
        /// The public half of the key before it (base64).
        former: String,
        /// Until when tokens of that one are taken.
        until: Time,
    },
}

/// What changes nothing and belongs into the audit log all the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Witnessed {
    /// A whole backup: it holds every key.
    BackupDownload,
    /// Everything about a person.
    DataExport,
    /// A sign-in that failed, or as many more as there were before.
    SignInFailed,
}

impl Witnessed {
    /// The action as the audit log names it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Witnessed::BackupDownload => "backup.download",
            Witnessed::DataExport => "data.export",
            Witnessed::SignInFailed => "session.fail",
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
