//! Faults: what went wrong on our side, with the chain of causes.
//!
//! A fault is returned, never logged on its way; the boundary (`http`, `cli`, `main`) logs it once.

use std::fmt;

/// Something that is not the caller's doing.
#[derive(Debug)]
pub struct Fault {
    what: String,
    damage: bool,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl Fault {
    /// What could not be done, and the cause.
    pub fn new(
        what: impl Into<String>,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Fault {
        Fault { what: what.into(), damage: false, source: Some(source.into()) }
    }

    /// What is wrong, where there is no further cause.
    pub fn plain(what: impl Into<String>) -> Fault {
        Fault { what: what.into(), damage: false, source: None }
    }

    /// What the disk has done to something that was stored.
    pub fn damaged(what: impl Into<String>) -> Fault {
        Fault { damage: true, ..Fault::plain(what) }
    }

    /// Whether something that was stored is not as it was written.
    pub fn is_damage(&self) -> bool {
        use rusqlite::ErrorCode::{DatabaseCorrupt, NotADatabase};
        let cause = self.source.as_ref().and_then(|source| source.downcast_ref());
        let code = cause.and_then(rusqlite::Error::sqlite_error_code);
        self.damage || matches!(code, Some(DatabaseCorrupt | NotADatabase))
    }

    /// For adapters that speak `std::io`.
    pub fn into_io(self) -> std::io::Error {
        std::io::Error::other(self)
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)?;
        let mut cause = self.source.as_deref().map(|e| e as &dyn std::error::Error);
        while let Some(error) = cause {
            write!(f, ": {error}")?;
            cause = error.source();
        }
        Ok(())
    }
}

impl std::error::Error for Fault {}

impl From<rusqlite::Error> for Fault {
    fn from(error: rusqlite::Error) -> Fault {
        Fault::new("the database refused a statement", error)
    }
}

impl From<serde_json::Error> for Fault {
    fn from(error: serde_json::Error) -> Fault {
        Fault::new("a stored document cannot be read", error)
    }
}
