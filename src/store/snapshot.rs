//! Snapshots: the whole state in one checksummed file, made beside the writer.
//!
//! A reader copies the state through SQLite's backup interface, which in WAL mode blocks no write.
//! The file's own markers, not a variable, say which place of the log it is. It is there whole or
//! not at all: written under another name, made durable, then renamed.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use rusqlite::Connection;
use sha2::{Digest, Sha256};

use super::Fault;
use super::directory::restrict;
use super::schema::hexadecimal;
use super::state::{State, markers, open_reader};

/// A snapshot on disk.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// The file.
    pub path: PathBuf,
    /// The log id in it, in the form of consensus.
    pub log_id: Option<Vec<u8>>,
    /// The membership in it, likewise.
    pub membership: Option<Vec<u8>>,
}

const NAME: &str = "state-snapshot.db";
const SUM: &str = "state-snapshot.sha256";
const UNFINISHED: &str = "unfinished.db";

/// Makes a snapshot and replaces the one before.
pub fn build(state: &State, folder: &Path) -> Result<Snapshot, Fault> {
    let unfinished = folder.join(UNFINISHED);
    remove(&unfinished)?;
    copy_pages(state.path(), &unfinished)?;
    keep(folder)
}

/// Copies the whole state into a file that only the operator may read; it is there whole or not at
/// all.
pub fn copy(state: &State, path: &Path) -> Result<(), Fault> {
    let unfinished = path.with_extension("unfinished");
    remove(&unfinished)?;
    copy_pages(state.path(), &unfinished)?;
    let steps = || -> std::io::Result<()> {
        restrict(&unfinished, 0o600)?;
        File::open(&unfinished)?.sync_all()?;
        std::fs::rename(&unfinished, path)?;
        path.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_all())
    };
    steps().map_err(|e| Fault::new(format!("cannot keep {}", path.display()), e))
}

/// Takes over a snapshot that came from elsewhere.
pub fn receive(file: &Path, folder: &Path) -> Result<Snapshot, Fault> {
    let unfinished = folder.join(UNFINISHED);
    if file != folder.join(NAME) {
        std::fs::copy(file, &unfinished)
            .map_err(|e| Fault::new(format!("cannot copy {}", file.display()), e))?;
        return keep(folder);
    }
    current(folder)?.ok_or_else(|| Fault::plain("the snapshot to install is not there"))
}

/// The snapshot that is there, checked against its sum.
pub fn current(folder: &Path) -> Result<Option<Snapshot>, Fault> {
    let path = folder.join(NAME);
    let sum = match std::fs::read_to_string(folder.join(SUM)) {
        Ok(sum) => sum,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(Fault::new("cannot read the snapshot's checksum", error)),
    };
    if checksum(&path)? != sum {
        return Err(Fault::plain(format!(
            "the snapshot {} does not have the checksum that it was written with; \
             the disk has changed it",
            path.display()
        )));
    }
    describe(path).map(Some)
}

/// Copies the state as it is now into a file of its own, which no write waits for.
pub(super) fn copy_pages(state: &Path, to: &Path) -> Result<(), Fault> {
    let source = open_reader(state)?;
    let mut copy = Connection::open(to)?;
    let backup = rusqlite::backup::Backup::new(&source, &mut copy)?;
    if backup.step(-1)? != rusqlite::backup::StepResult::Done {
        return Err(Fault::plain("the state could not be copied: another process holds it"));
    }
    drop(backup);
    // Without this the copy would be in WAL mode too and grow two files beside it.
    copy.pragma_update(None, "journal_mode", "delete")?;
    Ok(())
}

fn keep(folder: &Path) -> Result<Snapshot, Fault> {
    let unfinished = folder.join(UNFINISHED);
    let path = folder.join(NAME);
    let sum = checksum(&unfinished)?;
    let steps = || -> std::io::Result<()> {
        File::open(&unfinished)?.sync_all()?;
        // Between the two renames there is no sum for the file: without one a snapshot does not
        // count, and the journal still reaches back to the one before, because purging comes after.
        match std::fs::remove_file(folder.join(SUM)) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        std::fs::rename(&unfinished, &path)?;
        let fresh = folder.join("unfinished.sha256");
        std::fs::write(&fresh, &sum)?;
        File::open(&fresh)?.sync_all()?;
        std::fs::rename(&fresh, folder.join(SUM))?;
        File::open(folder)?.sync_all()
    };
    steps().map_err(|e| Fault::new("cannot keep the snapshot", e))?;
    describe(path)
}

fn describe(path: PathBuf) -> Result<Snapshot, Fault> {
    let (log_id, membership) = markers(&open_reader(&path)?)?;
    Ok(Snapshot { path, log_id, membership })
}

fn checksum(path: &Path) -> Result<String, Fault> {
    let read = || -> std::io::Result<String> {
        let mut file = File::open(path)?;
        let mut hash = Sha256::new();
        let mut chunk = vec![0; 1 << 20];
        loop {
            match file.read(&mut chunk)? {
                0 => return Ok(hexadecimal(&hash.finalize())),
                n => hash.update(&chunk[..n]),
            }
        }
    };
    read().map_err(|e| Fault::new(format!("cannot read {}", path.display()), e))
}

/// Removes a file if it is there.
pub fn remove(path: &Path) -> Result<(), Fault> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(Fault::new(format!("cannot remove {}", path.display()), error))
        }
        _ => Ok(()),
    }
}
