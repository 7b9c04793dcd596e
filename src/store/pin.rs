//! A snapshot under a name of its own, so that what is sent stays what was described.
//!
//! The newest snapshot always has the same name. Whoever sends it opens the file a while after its
//! place in the log was read, and a newer one may have taken the name in between. The receiver
//! would count from the older place and apply a second time what the newer file holds already.
//!
//! **Invariant:** a pinned file never changes; it goes when the next snapshot is kept.

use std::path::Path;

use sha2::{Digest, Sha256};

use super::Fault;
use super::schema::hexadecimal;
use super::snapshot::{Snapshot, describe, remove};

/// What the names of pinned files begin with.
const PINNED: &str = "pinned-";

/// Gives the file of a snapshot another name, and says what is in the file under that name.
pub fn pin(snapshot: &Snapshot, folder: &Path) -> Result<Snapshot, Fault> {
    let unnamed = folder.join("unfinished-pin.db");
    remove(&unnamed)?;
    // A file system without hard links has the file twice for a while.
    std::fs::hard_link(&snapshot.path, &unnamed)
        .or_else(|_| std::fs::copy(&snapshot.path, &unnamed).map(|_| ()))
        .map_err(|e| Fault::new("cannot pin the snapshot", e))?;
    let found = describe(unnamed.clone())?;
    let place = Sha256::digest(found.log_id.as_deref().unwrap_or_default());
    let path = folder.join(format!("{PINNED}{}.db", hexadecimal(&place)));
    std::fs::rename(&unnamed, &path).map_err(|e| Fault::new("cannot pin the snapshot", e))?;
    // Renaming one name of a file to another one of the same file leaves both.
    remove(&unnamed)?;
    Ok(Snapshot { path, ..found })
}

/// Removes what was pinned: it may hold what people have erased since. Who has begun to send it
/// goes on.
pub(super) fn unpin(folder: &Path) -> std::io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_name().to_string_lossy().starts_with(PINNED) {
            std::fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::snapshot;
    use crate::store::state::{Entry, Payload, State};

    #[test]
    fn a_pinned_snapshot_is_not_replaced_by_the_next() {
        let dir = tempfile::tempdir().unwrap();
        let state = State::open(&dir.path().join("state.db")).unwrap();
        let folder = dir.path().join("snapshots");
        std::fs::create_dir(&folder).unwrap();
        let build = |place: u8| {
            state.apply(&[Entry { log_id: vec![place], what: Payload::Blank }]).unwrap();
            snapshot::build(&state, &folder).unwrap();
            snapshot::current(&folder).unwrap().unwrap()
        };
        let pinned = pin(&build(1), &folder).unwrap();
        let again = pin(&snapshot::current(&folder).unwrap().unwrap(), &folder).unwrap();
        assert_eq!(again.path, pinned.path);
        let bytes = std::fs::read(&pinned.path).unwrap();
        // One that is being sent is read to its end; one that is not begun is gone.
        let mut begun = std::fs::File::open(&pinned.path).unwrap();
        let next = pin(&build(2), &folder).unwrap();
        assert_eq!(next.log_id, Some(vec![2]));
        let mut sent = Vec::new();
        std::io::Read::read_to_end(&mut begun, &mut sent).unwrap();
        assert!(sent == bytes, "what was being sent has changed");
        assert!(!pinned.path.exists());
        assert_eq!(describe(next.path).unwrap().log_id, Some(vec![2]));
    }
}
