//! What is asked of a disk beside reading and writing: how much room it has, what it really holds.

use std::fs::File;
use std::path::Path;

use super::Fault;

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
