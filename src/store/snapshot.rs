//! Snapshots: the whole state in one checksummed file, made beside the writer.
//!
//! A reader copies the state through SQLite's backup interface, which in WAL mode blocks no write,
//! and a piece at a time, so that the journal's fsync does not wait behind a gigabyte. The file's
//! own markers, not a variable, say which place of the log it is. It is there whole or not at all:
//! written under another name, made durable, then renamed.

use std::fs::File;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::sync::PoisonError;

use sha2::{Digest, Sha256};

use super::directory::restrict;
use super::schema::hexadecimal;
use super::state::{State, markers, open_reader};
use super::{Fault, copy};

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
const DAMAGED: &str = "state-snapshot.db.damaged";
const UNFINISHED: &str = "unfinished.db";

/// Makes a snapshot and replaces the one before. Nobody who applies or reads waits for it.
pub fn build(state: &State, folder: &Path) -> Result<Snapshot, Fault> {
    let _turn = state.building.lock().unwrap_or_else(PoisonError::into_inner);
    let unfinished = folder.join(UNFINISHED);
    remove(&unfinished)?;
    if let Err(fault) = state.sync_sometimes() {
        tracing::error!(%fault, "the disk has not taken what was written to the state");
        return Err(state.is_damaged());
    }
    copy_pages(state.path(), &unfinished)?;
    // The one before must not be given up for a copy of damaged pages.
    if !copy::sound(&unfinished)? {
        remove(&unfinished)?;
        return Err(state.is_damaged());
    }
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
    if file != folder.join(NAME) {
        copy::file(file, &folder.join(UNFINISHED))?;
        return keep(folder);
    }
    current(folder)?.ok_or_else(|| Fault::plain("the snapshot to install is not there"))
}

/// Removes what was set aside because it was damaged, for whoever wants to look: it may hold what
/// people have erased since.
pub fn remove_damaged(folder: &Path) -> Result<(), Fault> {
    remove(&folder.join(DAMAGED))
}

/// Whether there is a snapshot, sound or not.
pub fn exists(folder: &Path) -> bool {
    folder.join(NAME).exists()
}

/// Copies the state as it is now into a durable file of its own, which no write waits for.
pub(super) fn copy_pages(state: &Path, to: &Path) -> Result<(), Fault> {
    let mut source = open_reader(state)?;
    // One read transaction from the first page to the last: one place of the log.
    let seen = source.transaction()?;
    markers(&seen)?;
    copy::database(&seen, to)
}

/// The snapshot that is there. One that does not have the checksum that it was written with is set
/// aside, and then there is none.
pub fn current(folder: &Path) -> Result<Option<Snapshot>, Fault> {
    let path = folder.join(NAME);
    if !path.exists() {
        return Ok(None);
    }
    let sums = match std::fs::read(folder.join(SUM)) {
        Ok(sums) => String::from_utf8_lossy(&sums).into_owned(),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
        Err(error) => return Err(Fault::new("cannot read the snapshot's checksum", error)),
    };
    let found = checksum(&path)?;
    if sums.split_whitespace().any(|sum| sum == found) {
        return describe(path).map(Some);
    }
    let aside = folder.join(DAMAGED);
    std::fs::rename(&path, &aside)
        .map_err(|e| Fault::new(format!("cannot set {} aside", path.display()), e))?;
    tracing::error!(
        aside = %aside.display(),
        "the snapshot does not have the checksum that it was written with: the disk has changed \
         it; it was set aside and is not used"
    );
    Ok(None)
}

/// Puts the unfinished file in the place of the snapshot. Its sum is written beside the old one
/// first, so whatever happens in between, the file that has the name has one of the two sums.
fn keep(folder: &Path) -> Result<Snapshot, Fault> {
    let unfinished = folder.join(UNFINISHED);
    let path = folder.join(NAME);
    let sum = checksum(&unfinished)?;
    let steps = || -> std::io::Result<()> {
        let folder_file = File::open(folder)?;
        let before = std::fs::read(folder.join(SUM)).unwrap_or_default();
        let before = String::from_utf8_lossy(&before);
        // Attempts that ended half way have left more than one.
        let before: Vec<&str> = before.split_whitespace().take(8).collect();
        put_sums(folder, &format!("{sum}\n{}", before.join("\n")))?;
        folder_file.sync_all()?;
        std::fs::rename(&unfinished, &path)?;
        folder_file.sync_all()?;
        put_sums(folder, &sum)?;
        super::pin::unpin(folder)?;
        folder_file.sync_all()
    };
    steps().map_err(|e| Fault::new("cannot keep the snapshot", e))?;
    describe(path)
}

fn put_sums(folder: &Path, sums: &str) -> std::io::Result<()> {
    let fresh = folder.join("unfinished.sha256");
    let mut file = File::create(&fresh)?;
    file.write_all(sums.as_bytes())?;
    file.sync_all()?;
    std::fs::rename(&fresh, folder.join(SUM))
}

pub(super) fn describe(path: PathBuf) -> Result<Snapshot, Fault> {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::state::{Entry, Payload};
    use std::fs;
    use tempfile::TempDir;

    /// A state at this place of the log.
    fn at(place: u8) -> (TempDir, State) {
        let dir = tempfile::tempdir().unwrap();
        let state = State::open(&dir.path().join("state.db")).unwrap();
        state.apply(&[Entry { log_id: vec![place], what: Payload::Blank }]).unwrap();
        (dir, state)
    }

    fn place(folder: &Path) -> Option<Vec<u8>> {
        current(folder).unwrap().and_then(|found| found.log_id)
    }

    #[test]
    fn whenever_keeping_ends_one_of_the_two_is_there() {
        let (dir, state) = at(1);
        let folder = dir.path();
        let [name, sum, unfinished] = [NAME, SUM, UNFINISHED].map(|name| folder.join(name));
        build(&state, folder).unwrap();
        let old = (fs::read(&name).unwrap(), fs::read_to_string(&sum).unwrap());
        state.apply(&[Entry { log_id: vec![2], what: Payload::Blank }]).unwrap();
        build(&state, folder).unwrap();
        let new = (fs::read(&name).unwrap(), fs::read_to_string(&sum).unwrap());
        assert_ne!(old.1, new.1);
        let both = format!("{}\n{}", new.1, old.1);
        let steps = [
            // The file, its sum, what is unfinished, and which place counts.
            (&old.0, &old.1, Some(&new.0[..9_000]), 1),
            (&old.0, &old.1, Some(&new.0[..]), 1),
            (&old.0, &both, Some(&new.0[..]), 1),
            (&new.0, &both, None, 2),
            (&new.0, &new.1, None, 2),
        ];
        for (file, sums, rest, expected) in steps {
            let _ = fs::remove_file(&unfinished);
            fs::write(&name, file).unwrap();
            fs::write(&sum, sums).unwrap();
            if let Some(rest) = rest {
                fs::write(&unfinished, rest).unwrap();
            }
            assert_eq!(place(folder), Some(vec![expected]));
            // And the next one is made all the same.
            state.apply(&[Entry { log_id: vec![3], what: Payload::Blank }]).unwrap();
            build(&state, folder).unwrap();
            assert_eq!(place(folder), Some(vec![3]));
        }
    }

    #[test]
    fn what_was_changed_is_not_used() {
        let (dir, state) = at(1);
        let folder = dir.path();
        assert_eq!(place(folder), None);
        let whole = fs::read(build(&state, folder).unwrap().path).unwrap();
        let sum = fs::read(folder.join(SUM)).unwrap();
        let mut flipped = whole.clone();
        flipped[whole.len() / 3] ^= 4;
        let mut other_sum = sum.clone();
        other_sum[7] ^= 1;
        let damaged = [
            (&flipped[..], Some(&sum)),
            (&whole[..whole.len() - 1], Some(&sum)),
            (&[], Some(&sum)),
            (&whole, Some(&other_sum)),
            (&whole, None),
        ];
        for (file, sum) in damaged {
            fs::write(folder.join(NAME), file).unwrap();
            let _ = fs::remove_file(folder.join(SUM));
            if let Some(sum) = sum {
                fs::write(folder.join(SUM), sum).unwrap();
            }
            assert_eq!(place(folder), None);
            assert_eq!(fs::read(folder.join(DAMAGED)).unwrap(), file);
        }
    }

    #[test]
    fn a_damaged_state_does_not_replace_a_sound_snapshot() {
        let (dir, state) = at(1);
        build(&state, dir.path()).unwrap();
        drop(state);
        let path = dir.path().join("state.db");
        let db = rusqlite::Connection::open(&path).unwrap();
        let sql = "SELECT rootpage FROM sqlite_schema WHERE name = 'answer'";
        let root: u32 = db.query_row(sql, [], |row| row.get(0)).unwrap();
        drop(db);
        let mut bytes = fs::read(&path).unwrap();
        bytes[(root as usize - 1) * 4_096..][..8].fill(0xff);
        fs::write(&path, bytes).unwrap();
        let state = State::open(&path).unwrap();
        assert!(build(&state, dir.path()).unwrap_err().is_damage());
        assert_eq!(place(dir.path()), Some(vec![1]));
        assert!(crate::store::mend::open(&path).unwrap().1.is_some(), "the next start knows");
    }
}
