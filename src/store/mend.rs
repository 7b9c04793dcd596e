//! Opening a state that may have been damaged, or that a power cut has caught.
//!
//! The state is the one thing that can be made again, from a snapshot and the journal. So while a
//! node runs, nothing waits until the state is on the disk: if the machine goes down, what is found
//! is not trusted and removed. A process that ends alone leaves it whole in the system's memory. A
//! damaged one is set aside. Either way the node begins with an empty one, which consensus fills.
//! Whether what is left suffices for that is decided above, where places in the log can be
//! compared.

use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::state::State;
use super::{Fault, copy};

/// The state, and where a damaged one was put.
pub fn open(path: &Path) -> Result<(State, Option<PathBuf>), Fault> {
    if !path.exists() {
        return State::open(path).map(|state| (state, None));
    }
    let suspect = beside(path, "suspect");
    let rested = beside(path, "rested");
    if rested.exists() {
        // In this order: the two together say that it is durable.
        take(&beside(path, UNSYNCED))?;
    }
    let rested = take(&rested)?;
    if is_lost(path)? {
        tracing::warn!(
            "the machine went down, or the data came from another place, before the state was on \
             the disk; it is made again from snapshot and journal"
        );
        remove_all(path).map_err(|e| Fault::new(format!("cannot remove {}", path.display()), e))?;
        take(&suspect)?;
        return State::open(path).map(|state| (state, None));
    }
    // After a stop in order nothing was half written, and the whole file need not be read.
    let sound = !suspect.exists() && (rested || copy::sound(path)?);
    match if sound { State::open(path) } else { Err(Fault::damaged("it is not sound")) } {
        Err(fault) if fault.is_damage() => {
            let aside = set_aside(path)?;
            take(&suspect)?;
            tracing::error!(
                %fault, aside = %aside.display(),
                "the disk has damaged the state; it was set aside and is made again from snapshot \
                 and journal; delete it when you no longer need it"
            );
            State::open(path).map(|state| (state, Some(aside)))
        }
        opened => opened.map(|state| (state, None)),
    }
}

/// The note that nobody waits until the state is on the disk. It says where that holds: in this
/// machine's memory since its start, for this very file.
const UNSYNCED: &str = "unsynced";

/// Notes that from now on the state may be behind on the disk; a snapshot and the journal must
/// suffice to make it again.
pub fn note_unsynced(path: &Path) -> Result<(), Fault> {
    match place(path)? {
        Some(place) => put(&beside(path, UNSYNCED), &place),
        None => take(&beside(path, UNSYNCED)).map(drop),
    }
}

/// Notes the same of a file that is about to take the name of the state, if it holds of the state.
pub(super) fn note_unsynced_next(path: &Path, next: &Path) -> Result<(), Fault> {
    match place(next)? {
        Some(place) if beside(path, UNSYNCED).exists() => put(&beside(path, UNSYNCED), &place),
        _ => Ok(()),
    }
}

/// Whether the state was not on the disk when the system's memory of it went.
fn is_lost(path: &Path) -> Result<bool, Fault> {
    match fs::read_to_string(beside(path, UNSYNCED)) {
        Ok(noted) => Ok(place(path)?.as_deref() != Some(noted.as_str())),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        Err(error) => Err(Fault::new("cannot read the note beside the state", error)),
    }
}

/// This start of the machine, and the file. None where the system does not name its starts.
fn place(path: &Path) -> Result<Option<String>, Fault> {
    let Some(boot) = boot() else { return Ok(None) };
    let file = fs::metadata(path)
        .map_err(|e| Fault::new(format!("cannot look at {}", path.display()), e))?;
    Ok(Some(format!("{boot} {} {}", file.dev(), file.ino())))
}

/// The id of this start of the machine.
pub(super) fn boot() -> Option<String> {
    let id = fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    Some(id.trim().to_owned()).filter(|id| !id.is_empty())
}

/// Notes that the state was left in order, and is on the disk.
pub(super) fn note_rest(path: &Path) -> Result<(), Fault> {
    put(&beside(path, "rested"), "")?;
    take(&beside(path, UNSYNCED)).map(drop)
}

/// Notes that the state was found damaged while it was used, so that the next start does not use it
/// again.
pub(super) fn note_suspicion(path: &Path) {
    if let Err(fault) = put(&beside(path, "suspect"), "") {
        tracing::error!(%fault, "that the state is damaged cannot be noted");
    }
}

/// Removes a damaged state that was set aside: it may hold what people have erased since.
pub fn remove_damaged(path: &Path) -> Result<(), Fault> {
    let aside = beside(path, "damaged");
    let files = [with_suffix(&aside, "-wal"), with_suffix(&aside, "-shm"), aside];
    files.iter().try_for_each(|file| super::snapshot::remove(file))
}

fn set_aside(path: &Path) -> Result<PathBuf, Fault> {
    let aside = beside(path, "damaged");
    let steps = || -> std::io::Result<()> {
        for suffix in ["-wal", "-shm"] {
            remove(&with_suffix(&aside, suffix))?;
        }
        // Its write-ahead log goes first: without the database nobody takes it for the new one's.
        match fs::rename(with_suffix(path, "-wal"), with_suffix(&aside, "-wal")) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        remove(&with_suffix(path, "-shm"))?;
        fs::rename(path, &aside)?;
        sync_folder(path)
    };
    steps().map_err(|e| Fault::new(format!("cannot set {} aside", path.display()), e))?;
    Ok(aside)
}

/// Removes a note and says whether it was there.
fn take(note: &Path) -> Result<bool, Fault> {
    if !note.exists() {
        return Ok(false);
    }
    fs::remove_file(note)
        .and_then(|()| sync_folder(note))
        .map_err(|e| Fault::new(format!("cannot remove {}", note.display()), e))?;
    Ok(true)
}

fn put(note: &Path, words: &str) -> Result<(), Fault> {
    let fresh = with_suffix(note, ".new");
    let put = || -> std::io::Result<()> {
        let mut file = File::create(&fresh)?;
        file.write_all(words.as_bytes())?;
        file.sync_all()?;
        fs::rename(&fresh, note)?;
        sync_folder(note)
    };
    put().map_err(|e| Fault::new(format!("cannot write {}", note.display()), e))
}

/// Removes a database and what SQLite keeps beside it.
fn remove_all(path: &Path) -> std::io::Result<()> {
    for suffix in ["-wal", "-shm", ""] {
        remove(&with_suffix(path, suffix))?;
    }
    sync_folder(path)
}

fn remove(path: &Path) -> std::io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Makes what happened to a file's name durable.
pub(super) fn sync_folder(path: &Path) -> std::io::Result<()> {
    File::open(path.parent().unwrap_or(Path::new(".")))?.sync_all()
}

fn beside(path: &Path, what: &str) -> PathBuf {
    with_suffix(path, &format!(".{what}"))
}

/// The name of a file that SQLite or we keep beside a database.
pub(super) fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_sound_database_is_set_aside() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("state.db");
        drop(State::open(&path).unwrap());
        let whole = fs::read(&path).unwrap();
        assert!(whole.len() > 20_000);
        let mut garbled = whole.clone();
        // The root of the first table.
        garbled[4_096..4_196].fill(0xa5);
        let garbage = b"no database at all".repeat(1_000);
        for damaged in [&garbled[..], &garbage, &whole[..5_000], &whole[..whole.len() - 4_096]] {
            fs::write(&path, damaged).unwrap();
            let (state, aside) = open(&path).unwrap();
            assert_eq!(fs::read(aside.unwrap()).unwrap(), damaged);
            assert_eq!(state.applied().unwrap(), (None, None));
            drop(state);
            assert!(open(&path).unwrap().1.is_none(), "the new one is sound");
        }
        // An empty file is an empty database.
        fs::write(&path, b"").unwrap();
        let (state, aside) = open(&path).unwrap();
        assert!(aside.is_none());
        assert_eq!(state.applied().unwrap(), (None, None));
    }

    #[test]
    fn a_suspicion_outlives_a_restart_and_a_rest_ends_at_the_next_start() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("state.db");
        drop(State::open(&path).unwrap());
        note_rest(&path).unwrap();
        assert!(open(&path).unwrap().1.is_none());
        assert!(!beside(&path, "rested").exists());
        note_rest(&path).unwrap();
        note_suspicion(&path);
        assert!(open(&path).unwrap().1.is_some());
        assert!(open(&path).unwrap().1.is_none());
    }
}
