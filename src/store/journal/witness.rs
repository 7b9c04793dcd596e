//! The witness: how many transactions the journal had, in a file of its own.
//!
//! A damaged frame makes SQLite drop the rest of a write-ahead log without a word, as if it had
//! never been written: entries that were acknowledged would be gone, and a vote could be given
//! twice. The journal counts its transactions, and the count is written here after each of them. A
//! journal that counts fewer has lost some.
//!
//! **Invariant:** the count here is never higher than what is durable in the journal, so a sound
//! journal is never refused. It costs no fsync: it may fall behind in a power cut, when `wal`
//! has to find the damage.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::Path;

use crate::store::Fault;

/// The file beside an open journal.
pub(super) struct Witness {
    file: File,
}

const MAGIC: &[u8; 8] = b"GRCOUNT1";
const LENGTH: usize = 20;

impl Witness {
    /// Opens or makes the file, and says what it counted.
    pub(super) fn open(path: &Path) -> Result<(Witness, Option<u64>), Fault> {
        let open = || -> std::io::Result<(File, Vec<u8>)> {
            let mut options = OpenOptions::new();
            let file = options.create(true).truncate(false).read(true).write(true).open(path)?;
            let mut bytes = vec![0; LENGTH + 1];
            let length = file.read_at(&mut bytes, 0)?;
            bytes.truncate(length);
            Ok((file, bytes))
        };
        let (file, bytes) =
            open().map_err(|e| Fault::new(format!("cannot open {}", path.display()), e))?;
        let counted = read(&bytes);
        if counted.is_none() && !bytes.is_empty() {
            let path = path.display();
            tracing::warn!(%path, "the count beside the journal cannot be read; it begins anew");
        }
        Ok((Witness { file }, counted))
    }

    /// Notes a count that is durable in the journal.
    pub(super) fn note(&self, written: u64) {
        // The journal itself is sound without it, so nobody's write is held up.
        if let Err(error) = self.file.write_all_at(&form(written), 0) {
            tracing::warn!(%error, "the count beside the journal cannot be written");
        }
    }

    /// Makes what was noted durable.
    pub(super) fn sync(&self) {
        if let Err(error) = self.file.sync_data() {
            tracing::warn!(%error, "the count beside the journal cannot be made durable");
        }
    }
}

fn form(written: u64) -> [u8; LENGTH] {
    let mut bytes = [0; LENGTH];
    bytes[..8].copy_from_slice(MAGIC);
    bytes[8..16].copy_from_slice(&written.to_le_bytes());
    let sum = crc32c::crc32c(&bytes[..16]);
    bytes[16..].copy_from_slice(&sum.to_le_bytes());
    bytes
}

fn read(bytes: &[u8]) -> Option<u64> {
    let written = u64::from_le_bytes(bytes.get(8..16)?.try_into().ok()?);
    (bytes == form(written)).then_some(written)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_count_is_found_again_unless_it_was_changed() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("journal.count");
        let (witness, before) = Witness::open(&path).unwrap();
        assert_eq!(before, None);
        witness.note(u64::MAX);
        witness.note(7);
        assert_eq!(Witness::open(&path).unwrap().1, Some(7));
        let bytes = std::fs::read(&path).unwrap();
        for (at, bit) in (0..bytes.len()).flat_map(|at| (0..8).map(move |bit| (at, bit))) {
            let mut changed = bytes.clone();
            changed[at] ^= 1 << bit;
            assert_eq!(read(&changed), None);
        }
        assert_eq!(read(&bytes[..19]), None);
    }
}
