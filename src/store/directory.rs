//! The data directory: who may use it, and where things lie in it.
//!
//! **Invariant:** one process at a time. The lock is held as long as [`Directory`] lives and ends
//! with the process, however that ends.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::Write;
use std::path::{Path, PathBuf};

use super::Fault;

/// A locked data directory.
#[derive(Debug)]
pub struct Directory {
    root: PathBuf,
    _lock: File,
}

/// Why a data directory cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum DirectoryError {
    /// Another process holds it.
    #[error(
        "another greenroom runs on {0}; stop it first, or give this one its own directory with \
         --data-dir"
    )]
    InUse(PathBuf),
    /// The disk says no.
    #[error("{0}")]
    Fault(#[from] Fault),
}

impl Directory {
    /// Makes the directory if there is none, and locks it.
    pub fn open(root: &Path) -> Result<Directory, DirectoryError> {
        let fault = |what: &str, error: std::io::Error| {
            Fault::new(format!("cannot {what} the data directory {}", root.display()), error)
        };
        std::fs::create_dir_all(root).map_err(|e| fault("make", e))?;
        restrict(root, 0o700).map_err(|e| fault("protect", e))?;
        std::fs::create_dir_all(root.join("snapshots")).map_err(|e| fault("make", e))?;
        let lock = OpenOptions::new()
            .create(true)
            .write(true)
            .truncate(false)
            .open(root.join("lock"))
            .map_err(|e| fault("lock", e))?;
        match lock.try_lock() {
            Ok(()) => Ok(Directory { root: root.to_owned(), _lock: lock }),
            Err(TryLockError::WouldBlock) => Err(DirectoryError::InUse(root.to_owned())),
            Err(TryLockError::Error(error)) => Err(fault("lock", error).into()),
        }
    }

    /// The directory itself.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The Raft log.
    pub fn journal(&self) -> PathBuf {
        self.root.join("journal.db")
    }

    /// The domain.
    pub fn state(&self) -> PathBuf {
        self.root.join("state.db")
    }

    /// Who this node is.
    pub fn node(&self) -> PathBuf {
        self.root.join("node.json")
    }

    /// The key of a machine that is about to join.
    pub fn joining(&self) -> PathBuf {
        self.root.join("joining.json")
    }

    /// Where snapshots lie.
    pub fn snapshots(&self) -> PathBuf {
        self.root.join("snapshots")
    }

    /// The copy of the state that was kept before it was raised to a level.
    pub fn before_level(&self, level: u32) -> PathBuf {
        self.root.join(format!("before-level-{level}.db"))
    }

    /// There after an undo: the level stays where it is until a person raises it.
    pub fn level_hold(&self) -> PathBuf {
        self.root.join("level-hold")
    }

    /// The one-time setup token, until setup.
    pub fn setup_token(&self) -> PathBuf {
        self.root.join("setup-token")
    }

    /// The certificate that browsers are to trust, where the node makes its own.
    pub fn local_authority(&self) -> PathBuf {
        self.root.join("local-authority.pem")
    }

    /// The operator's socket.
    pub fn socket(&self) -> PathBuf {
        socket_path(&self.root)
    }

    /// Writes a file that only the operator may read, so that it is there whole or not at all.
    pub fn write_secret(&self, path: &Path, text: &str) -> Result<(), Fault> {
        let write = || -> std::io::Result<()> {
            let fresh = path.with_extension("new");
            let mut file = File::create(&fresh)?;
            restrict(&fresh, 0o600)?;
            file.write_all(text.as_bytes())?;
            file.sync_all()?;
            std::fs::rename(&fresh, path)
        };
        write().map_err(|e| Fault::new(format!("cannot write {}", path.display()), e))
    }
}

/// Where the operator's socket of a node on this directory is.
pub fn socket_path(root: &Path) -> PathBuf {
    root.join("greenroom.sock")
}

/// Takes every right from everybody but the owner.
pub fn restrict(path: &Path, mode: u32) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_has_one_user_at_a_time() {
        let dir = tempfile::tempdir().unwrap();
        let first = Directory::open(dir.path()).unwrap();
        assert!(matches!(Directory::open(dir.path()), Err(DirectoryError::InUse(_))));
        drop(first);
        Directory::open(dir.path()).unwrap();
    }
}
