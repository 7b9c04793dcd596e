//! A directory that goes when its guard goes.

use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use uuid::Uuid;

use super::exit::Error;
use super::output::note;

pub(super) struct Temporary(PathBuf);

impl Temporary {
    /// A fresh directory that nobody else may read; `next` says what to do if it cannot be made.
    pub(super) fn new(parent: &Path, prefix: &str, next: &str) -> Result<Temporary, Error> {
        let path = parent.join(format!("{prefix}-{}", Uuid::now_v7().simple()));
        let made = DirBuilder::new().mode(0o700).create(&path);
        made.map_err(|error| {
            Error::refused(format!("{} cannot be made", path.display()))
                .why(error.to_string())
                .next(next)
        })?;
        Ok(Temporary(path))
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_dir_all(&self.0) {
            note(&format!("{} could not be removed: {error}", self.0.display()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn the_directory_is_private_and_goes_with_its_guard() {
        let parent = tempfile::tempdir().unwrap();
        let directory = Temporary::new(parent.path(), "a", "b").unwrap();
        let path = directory.path().to_owned();
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o700);
        std::fs::write(path.join("file"), "x").unwrap();
        drop(directory);
        assert!(!path.exists());
        assert!(Temporary::new(&parent.path().join("missing"), "a", "b").is_err());
    }
}
