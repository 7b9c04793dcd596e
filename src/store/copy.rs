//! Large files written a piece at a time.
//!
//! A gigabyte of unwritten pages in the system's cache holds up the next fsync on the same disk,
//! and that would be the journal's. So every few megabytes are made durable before the next come.

use std::fs::File;
use std::io::{Read, Write};
use std::path::Path;
use std::time::Duration;

use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, OpenFlags};

use super::Fault;

/// Bytes that may wait for the disk: some 20 ms of a slow one.
const UNWRITTEN_BYTES: usize = 2 << 20;

/// Pages that are copied before the pieces are made durable, at SQLite's page size of 4 KiB.
const PAGES: i32 = (UNWRITTEN_BYTES / 4_096) as i32;

/// Copies what one read transaction sees into a new file, which is durable afterwards.
pub(super) fn database(source: &Connection, to: &Path) -> Result<(), Fault> {
    {
        let mut copy = Connection::open(to)?;
        // Nobody reads the file before it is whole, so it needs no journal, and we sync it.
        copy.pragma_update(None, "synchronous", "off")?;
        let backup = Backup::new(source, &mut copy)?;
        let file = open(to)?;
        loop {
            match backup.step(PAGES)? {
                StepResult::Done => break,
                StepResult::More => synced(&file, to)?,
                _ => return Err(Fault::plain("the state could not be copied: it is in use")),
            }
        }
        drop(backup);
        // Without this the copy would be in WAL mode too and grow two files beside it.
        copy.pragma_update(None, "journal_mode", "delete")?;
    }
    synced(&open(to)?, to)
}

/// Copies a file; the copy is durable afterwards.
pub(super) fn file(from: &Path, to: &Path) -> Result<(), Fault> {
    let copy = || -> std::io::Result<()> {
        let mut source = File::open(from)?;
        let mut target = File::create(to)?;
        let mut piece = vec![0; UNWRITTEN_BYTES];
        loop {
            match source.read(&mut piece)? {
                0 => return target.sync_all(),
                n => target.write_all(&piece[..n])?,
            }
            target.sync_data()?;
        }
    };
    copy().map_err(|e| Fault::new(format!("cannot copy {} to {}", from.display(), to.display()), e))
}

/// Whether the structure of a database is sound. Words inside a row are not checked.
pub(super) fn sound(path: &Path) -> Result<bool, Fault> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let check = || -> Result<String, rusqlite::Error> {
        let db = Connection::open_with_flags(path, flags)?;
        db.busy_timeout(Duration::ZERO)?;
        db.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))
    };
    match check().map_err(Fault::from) {
        Ok(words) => Ok(words == "ok"),
        Err(fault) if fault.is_damage() => Ok(false),
        Err(fault) => Err(fault),
    }
}

fn open(path: &Path) -> Result<File, Fault> {
    File::open(path).map_err(|e| Fault::new(format!("cannot open {}", path.display()), e))
}

fn synced(file: &File, path: &Path) -> Result<(), Fault> {
    file.sync_data().map_err(|e| Fault::new(format!("cannot write {}", path.display()), e))
}
