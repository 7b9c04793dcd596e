//! Files that people bring along.

use serde::{Deserialize, Serialize};

use super::id::FileId;

/// A file whose parts are kept already.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewFile {
    /// Which.
    pub id: FileId,
    /// Its name on the person's machine.
    pub name: String,
    /// What it is.
    pub media_type: String,
    /// Its size.
    pub bytes: u64,
    /// SHA-256 of its bytes, as hexadecimal digits.
    pub sha256: String,
}
