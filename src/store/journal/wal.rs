//! Looks for damage in the journal's write-ahead log before SQLite opens it.
//!
//! SQLite takes the log up to the first frame that does not fit its checksum and forgets the rest.
//! After a torn write that is right: the rest was never acknowledged. After a flipped bit it is a
//! loss. The difference can be seen: every transaction is durable before the next one begins, so a
//! torn write leaves traces of one transaction only. Where two more were completed behind a broken
//! frame, or that frame ended one and another followed, the disk has changed what was durable.

use std::fs::File;
use std::io::{BufReader, ErrorKind, Read};
use std::path::{Path, PathBuf};

use super::rows::damage;
use crate::store::Fault;

/// Running checksum, and the two numbers that all frames of one log share.
type Pair = (u32, u32);

const HEADER: usize = 32;
const FRAME_HEADER: usize = 24;
const MAGIC: u32 = 0x377f_0682;

/// The largest page that SQLite knows.
const PAGE_BYTES_MAX: usize = 65_536;

/// Refuses a log that was durable and is not whole any more.
pub(super) fn check(database: &Path) -> Result<(), Fault> {
    let mut name = database.as_os_str().to_owned();
    name.push("-wal");
    let path = PathBuf::from(name);
    let file = match File::open(&path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(Fault::new(format!("cannot read {}", path.display()), error)),
    };
    match lost_at(BufReader::with_capacity(1 << 20, file)) {
        Ok(None) => Ok(()),
        Ok(Some(frame)) => Err(damage(&format!(
            "frame {frame} of {} was changed by the disk, and acknowledged transactions behind it \
             cannot be read any more",
            path.display()
        ))),
        Err(error) => Err(Fault::new(format!("cannot read {}", path.display()), error)),
    }
}

/// The broken frame behind which whole transactions lie.
fn lost_at(mut log: impl Read) -> std::io::Result<Option<usize>> {
    let mut header = [0; HEADER];
    if !filled(&mut log, &mut header)? {
        return Ok(None);
    }
    let big_endian = match word(&header, 0) {
        MAGIC => false,
        magic if magic == MAGIC + 1 => true,
        _ => return Ok(None),
    };
    let page = word(&header, 8) as usize;
    let salts = (word(&header, 16), word(&header, 20));
    let mut before: Pair = sum((0, 0), &header[..24], big_endian);
    if before != (word(&header, 24), word(&header, 28))
        || !(512..=PAGE_BYTES_MAX).contains(&page)
        || !page.is_power_of_two()
    {
        // A power cut while the log began anew; all of the one before was moved by then.
        return Ok(None);
    }
    let mut frame = vec![0; FRAME_HEADER + page];
    let (mut broken, mut ends) = (None, 0);
    for number in 1.. {
        if !filled(&mut log, &mut frame)? {
            break;
        }
        let ours = (word(&frame, 8), word(&frame, 12)) == salts;
        let stored = (word(&frame, 16), word(&frame, 20));
        let expected =
            sum(sum(before, &frame[..8], big_endian), &frame[FRAME_HEADER..], big_endian);
        let whole = ours && stored == expected;
        if !whole && broken.is_none() {
            broken = Some(number);
        }
        // The first broken frame may still say that it ended a transaction.
        let counts = whole || (ours && broken == Some(number));
        if broken.is_some() && counts && word(&frame, 4) != 0 {
            ends += 1;
        }
        // Each frame carries the sum up to itself, so the one behind a broken one can be checked.
        before = stored;
    }
    Ok(broken.filter(|_| ends >= 2))
}

/// SQLite's checksum of a write-ahead log.
fn sum((mut a, mut b): Pair, bytes: &[u8], big_endian: bool) -> Pair {
    let number = |at: usize| {
        let four = [bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]];
        if big_endian { u32::from_be_bytes(four) } else { u32::from_le_bytes(four) }
    };
    for at in (0..bytes.len()).step_by(8) {
        a = a.wrapping_add(number(at)).wrapping_add(b);
        b = b.wrapping_add(number(at + 4)).wrapping_add(a);
    }
    (a, b)
}

fn word(bytes: &[u8], at: usize) -> u32 {
    u32::from_be_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}

/// Reads until the buffer is full; `false` at the end of the file.
fn filled(from: &mut impl Read, buffer: &mut [u8]) -> std::io::Result<bool> {
    match from.read_exact(buffer) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => Ok(false),
        Err(error) => Err(error),
    }
}
