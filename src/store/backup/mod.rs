//! Backups: the whole state in one file that says what it is, made while the node works.
//!
//! `header` is the beginning of the file, `check` finds out whether one can be relied on, `shelf`
//! is the folder of those that the node makes by itself. `docs/backup.md` is for operators.
//!
//! **Invariant:** a backup is there whole or not at all under its name: it is written under another
//! one, made durable, then renamed.

mod check;
mod header;
pub mod shelf;

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{BufReader, Cursor, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use rusqlite::Connection;
use sha2::{Digest, Sha256};

use crate::domain::id::PersonId;
use crate::domain::time::Time;

use super::apply::{audit, erase};
use super::schema::hexadecimal;
use super::state::{markers, open_reader};
use super::{Fault, query, snapshot};

pub use check::{Check, Verdict};
pub use header::{AuditHead, Manifest, Payload, SchemaStep, header};

/// A backup that is not kept anywhere yet. What it holds of the disk is given back when it goes.
pub struct Draft {
    manifest: Manifest,
    header: Vec<u8>,
    payload: File,
}

/// Why a file cannot be used as a backup.
#[derive(Debug, thiserror::Error)]
pub enum Unfit {
    /// It is not what it should be.
    #[error("{0}")]
    Refused(String),
    /// The disk says no.
    #[error("{0}")]
    Fault(#[from] Fault),
}

impl Unfit {
    fn refused(why: impl Into<String>) -> Unfit {
        Unfit::Refused(why.into())
    }
}

/// Bytes that are copied in one go.
const CHUNK: usize = 1 << 20;

/// Copies the state into a draft. The copy lies in `work` without a name, so that nothing is left
/// of it however this process ends.
pub fn make(state: &Path, work: &Path, at: Time) -> Result<Draft, Fault> {
    let place = unfinished(work)?;
    let copy = Removed(place.clone());
    snapshot::copy_pages(state, &place)?;
    let mut payload =
        File::open(&place).map_err(|e| Fault::new("cannot read the copy of the state", e))?;
    let described = describe(&open_reader(&place)?, at)?;
    drop(copy);
    let (bytes, sha256) = sum(&mut payload)?;
    let manifest = Manifest { payload: Payload { bytes, sha256 }, ..described };
    Ok(Draft { header: header(&manifest)?, manifest, payload })
}

/// What is in a backup, by its header alone.
pub fn manifest(file: &Path) -> Result<Manifest, Unfit> {
    header::read(&mut open(file)?)
}

/// Whether a file has the size and the sum that its header promises: it arrived as it was sent.
pub fn check_sum(file: &Path) -> Result<Manifest, Unfit> {
    let mut input = open(file)?;
    let manifest = header::read(&mut input)?;
    pour(&mut input, &manifest.payload, &mut std::io::sink())?;
    Ok(manifest)
}

/// Restores a backup into a folder of its own and checks everything that can be checked.
pub fn verify(file: &Path, work: &Path) -> Result<Verdict, Unfit> {
    let place = unfinished(work)?;
    let _copy = Removed(place.clone());
    unpack(file, &place)
}

/// Writes the state out of a backup to a place where nothing is, and checks it there.
pub fn unpack(file: &Path, to: &Path) -> Result<Verdict, Unfit> {
    let mut input = open(file)?;
    let manifest = header::read(&mut input)?;
    let mut output = create(to)?;
    match pour(&mut input, &manifest.payload, &mut output) {
        Ok(()) => {}
        Err(Unfit::Refused(why)) => {
            let checks = vec![Check { name: "payload", ok: false, detail: why }];
            return Ok(Verdict { manifest, checks });
        }
        Err(fault) => return Err(fault),
    }
    output.sync_all().map_err(|e| Fault::new(format!("cannot keep {}", to.display()), e))?;
    let checks = check::database(to, &manifest);
    Ok(Verdict { manifest, checks })
}

/// Takes people out of a backup: a draft of the same backup without them. `None` if none of them is
/// in it.
pub fn without(file: &Path, people: &[PersonId], work: &Path) -> Result<Option<Draft>, Unfit> {
    let mut input = open(file)?;
    let manifest = header::read(&mut input)?;
    let place = unfinished(work)?;
    let _copy = Removed(place.clone());
    pour(&mut input, &manifest.payload, &mut create(&place)?)?;
    let Some(cleaned) = cleaned(&place, people, work)? else { return Ok(None) };
    let _cleaned = Removed(cleaned.clone());
    Ok(Some(make(&cleaned, work, manifest.created_at)?))
}

/// Takes people out of a state that nobody uses; how many of them were in it.
pub fn clean(state: &Path, people: &[PersonId]) -> Result<usize, Fault> {
    let folder = folder_of(state).to_owned();
    let mut gone = 0;
    for person in people {
        if let Some(cleaned) = cleaned(state, &[*person], &folder)? {
            std::fs::rename(&cleaned, state)
                .map_err(|e| Fault::new(format!("cannot replace {}", state.display()), e))?;
            gone += 1;
        }
    }
    Ok(gone)
}

/// A copy of a state without some people, written anew so that nothing of them is on free pages.
fn cleaned(state: &Path, people: &[PersonId], work: &Path) -> Result<Option<PathBuf>, Fault> {
    let mut db = Connection::open(state)
        .map_err(|e| Fault::new(format!("cannot open {}", state.display()), e))?;
    // Nobody but us has the file, and it is thrown away.
    db.pragma_update(None, "synchronous", "off")?;
    db.pragma_update(None, "foreign_keys", true)?;
    let tx = db.transaction()?;
    let mut gone = 0;
    for person in people {
        gone += usize::from(!erase::person(&tx, *person)?.is_empty());
    }
    tx.commit()?;
    if gone == 0 {
        return Ok(None);
    }
    let place = unfinished(work)?;
    db.execute("VACUUM INTO ?1", [&*place.to_string_lossy()])?;
    Ok(Some(place))
}

/// A new file that only its owner may read.
pub fn create(path: &Path) -> Result<File, Fault> {
    OpenOptions::new()
        .create_new(true)
        .write(true)
        .mode(0o600)
        .open(path)
        .map_err(|e| Fault::new(format!("cannot make {}", path.display()), e))
}

/// Makes a written file durable and gives it its name.
pub fn keep(file: &File, written: &Path, name: &Path) -> Result<(), Fault> {
    let steps = || -> std::io::Result<()> {
        file.sync_all()?;
        std::fs::rename(written, name)?;
        File::open(folder_of(name))?.sync_all()
    };
    steps().map_err(|e| Fault::new(format!("cannot keep {}", name.display()), e))
}

/// Makes every file in a folder durable: no journal could bring back what a power cut takes from a
/// state that was restored.
pub fn sync_folder(folder: &Path) -> Result<(), Fault> {
    let steps = || -> std::io::Result<()> {
        for entry in std::fs::read_dir(folder)? {
            let entry = entry?;
            if entry.file_type()?.is_file() {
                File::open(entry.path())?.sync_all()?;
            }
        }
        File::open(folder)?.sync_all()
    };
    steps().map_err(|e| Fault::new(format!("cannot make {} durable", folder.display()), e))
}

/// A folder for work that is not finished, for its owner only, with what an earlier process left
/// in it taken out.
pub fn empty_work(work: &Path) -> Result<(), Fault> {
    match std::fs::remove_dir_all(work) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            return Err(Fault::new(format!("cannot empty {}", work.display()), error));
        }
        _ => {}
    }
    make_folder(work)
}

impl Draft {
    /// What is in it.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// The size of the whole file.
    pub fn bytes(&self) -> u64 {
        self.header.len() as u64 + self.manifest.payload.bytes
    }

    /// The whole file from its beginning.
    pub fn into_reader(self) -> impl Read + Send + 'static {
        Cursor::new(self.header).chain(self.payload)
    }
}

/// A file that goes when this does.
struct Removed(PathBuf);

impl Drop for Removed {
    fn drop(&mut self) {
        // Whoever sees it again is `empty_work`, at the next start.
        let _ = std::fs::remove_file(&self.0);
    }
}

/// Makes a folder that only its owner may look into.
pub fn make_folder(folder: &Path) -> Result<(), Fault> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)
        .map_err(|e| Fault::new(format!("cannot make the folder {}", folder.display()), e))
}

/// A place for work that nobody else in this process has.
fn unfinished(work: &Path) -> Result<PathBuf, Fault> {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    make_folder(work)?;
    Ok(work.join(format!("unfinished-{}.db", NEXT.fetch_add(1, Ordering::Relaxed))))
}

fn open(file: &Path) -> Result<BufReader<File>, Unfit> {
    match File::open(file) {
        Ok(input) => Ok(BufReader::with_capacity(CHUNK, input)),
        Err(error) => Err(Unfit::refused(format!("it cannot be opened: {error}"))),
    }
}

/// Copies exactly what was promised, checks its sum, and that nothing follows.
fn pour(input: &mut impl Read, promised: &Payload, to: &mut impl Write) -> Result<(), Unfit> {
    let fault = |e| Unfit::Fault(Fault::new("cannot copy the backup", e));
    let mut hash = Sha256::new();
    let mut chunk = vec![0; CHUNK];
    let mut bytes = 0_u64;
    loop {
        let n = input.read(&mut chunk).map_err(fault)?;
        bytes += n as u64;
        if bytes > promised.bytes {
            let promised = promised.bytes;
            return Err(Unfit::refused(format!("something follows its {promised} bytes")));
        }
        if n == 0 {
            break;
        }
        hash.update(&chunk[..n]);
        to.write_all(&chunk[..n]).map_err(fault)?;
    }
    if bytes < promised.bytes {
        let promised = promised.bytes;
        return Err(Unfit::refused(format!(
            "it is cut off: {bytes} of {promised} bytes are there"
        )));
    }
    if hexadecimal(&hash.finalize()) != promised.sha256 {
        return Err(Unfit::refused("its bytes do not have the SHA-256 that it was written with"));
    }
    Ok(())
}

/// Everything but the sum.
fn describe(db: &Connection, at: Time) -> Result<Manifest, Fault> {
    let identity = query::cluster::identity(db)?;
    let chain = audit::follow(db)?;
    let (log_id, _) = markers(db)?;
    Ok(Manifest {
        greenroom: env!("CARGO_PKG_VERSION").to_owned(),
        created_at: at,
        newest_at: query::cluster::newest_time(db)?,
        cluster_id: identity.as_ref().map(|identity| identity.cluster_id),
        organisation: identity.and_then(|identity| identity.organisation),
        log_id: log_id.map(|log_id| hexadecimal(&log_id)),
        schema: check::schema(db)?,
        rows: check::rows(db)?,
        audit: AuditHead { rows: chain.rows, hash: chain.head },
        payload: Payload { bytes: 0, sha256: String::new() },
    })
}

fn sum(file: &mut File) -> Result<(u64, String), Fault> {
    use std::io::{Seek, SeekFrom};
    let mut read = || -> std::io::Result<(u64, String)> {
        let mut hash = Sha256::new();
        let mut chunk = vec![0; CHUNK];
        let mut bytes = 0;
        loop {
            match file.read(&mut chunk)? {
                0 => break,
                n => {
                    bytes += n as u64;
                    hash.update(&chunk[..n]);
                }
            }
        }
        file.seek(SeekFrom::Start(0))?;
        Ok((bytes, hexadecimal(&hash.finalize())))
    };
    read().map_err(|e| Fault::new("cannot read the copy of the state", e))
}

fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}
