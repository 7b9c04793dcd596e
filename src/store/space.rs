//! What is asked of a disk beside reading and writing: how much room it has, what it really holds.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::domain::limit;

use super::Fault;

/// Looks now and then whether there is room to go on.
pub struct Room {
    folder: PathBuf,
    looked: Mutex<Option<(Instant, bool)>>,
}

/// Between two looks: asking costs a microsecond on a local disk and a round trip on a remote one.
const LOOK_EVERY: Duration = Duration::from_millis(100);

impl Room {
    /// Where this folder lies.
    pub fn new(folder: &Path) -> Room {
        Room { folder: folder.to_owned(), looked: Mutex::new(None) }
    }

    /// Whether less than [`limit::DISK_FREE_BYTES_MIN`] is left. Where the disk does not say, there
    /// is room until a write fails.
    pub fn is_nearly_full(&self) -> bool {
        let mut looked = self.looked.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((at, full)) = *looked
            && at.elapsed() < LOOK_EVERY
        {
            return full;
        }
        let free = free_bytes(&self.folder).unwrap_or(u64::MAX);
        let full = free < limit::DISK_FREE_BYTES_MIN;
        let before = looked.replace((Instant::now(), full)).is_some_and(|(_, full)| full);
        if full && !before {
            tracing::error!(
                free,
                "the disk is nearly full: nothing more is accepted until it is not"
            );
        } else if before && !full {
            tracing::info!(free, "the disk has room again");
        }
        full
    }
}

/// Bytes that this process may still write where this folder lies.
pub fn free_bytes(folder: &Path) -> Result<u64, Fault> {
    let disk = rustix::fs::statvfs(folder).map_err(|e| {
        Fault::new(format!("cannot ask the disk of {} for its room", folder.display()), e)
    })?;
    Ok(disk.f_bavail.saturating_mul(disk.f_frsize))
}

/// Bytes that a file takes; none if it is not there.
pub fn file_bytes(path: &Path) -> Result<u64, Fault> {
    match std::fs::metadata(path) {
        Ok(metadata) => Ok(metadata.len()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(0),
        Err(error) => Err(Fault::new(format!("cannot look at {}", path.display()), error)),
    }
}

/// Forgets what memory holds of a file that was synced, so that the next reader reads the disk.
pub fn read_from_disk(file: &File) {
    // Only advice: a file system that does not take it leaves the reader with what is in memory.
    let _ = rustix::fs::fadvise(file, 0, None, rustix::fs::Advice::DontNeed);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disk_has_room_and_a_place_that_is_not_there_has_a_reason() {
        let dir = tempfile::tempdir().unwrap();
        assert!(free_bytes(dir.path()).unwrap() > 0);
        let nowhere = dir.path().join("nowhere");
        assert!(free_bytes(&nowhere).unwrap_err().to_string().contains("nowhere"));
        assert_eq!(file_bytes(&nowhere).unwrap(), 0);
        std::fs::write(&nowhere, "four").unwrap();
        assert_eq!(file_bytes(&nowhere).unwrap(), 4);
    }
}
