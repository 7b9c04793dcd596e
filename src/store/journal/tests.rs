//! The journal over real files: whole, torn, cut and with flipped bits.

use std::fs;
use std::time::{SystemTime, UNIX_EPOCH};

use tempfile::TempDir;

use super::*;

fn open(dir: &TempDir) -> Journal {
    try_open(dir).unwrap()
}

fn try_open(dir: &TempDir) -> Result<Journal, Fault> {
    Journal::open(&dir.path().join("journal.db"), Box::new(|_| {}))
}

fn wait(write: impl FnOnce(Done)) {
    let (tx, rx) = std::sync::mpsc::channel();
    write(Box::new(move |result| tx.send(result).unwrap()));
    rx.recv().unwrap().unwrap();
}

fn payloads(journal: &Journal) -> Vec<Vec<u8>> {
    journal.read(..).unwrap().iter().map(|p| p.to_vec()).collect()
}

#[test]
fn entries_can_be_read_at_once_and_after_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let journal = open(&dir);
    journal.append(vec![(1, b"a".to_vec()), (2, b"b".to_vec())], Box::new(|r| r.unwrap()));
    assert_eq!(payloads(&journal), [b"a", b"b"]);
    wait(|done| journal.append(vec![(3, b"c".to_vec())], done));
    drop(journal);
    assert_eq!(payloads(&open(&dir)), [b"a", b"b", b"c"]);
}

#[test]
fn a_truncated_tail_is_replaced_and_a_purged_head_is_gone() {
    let dir = tempfile::tempdir().unwrap();
    let journal = open(&dir);
    let entries = (1..=5).map(|n| (n, vec![n as u8])).collect();
    journal.append(entries, Box::new(|r| r.unwrap()));
    wait(|done| journal.truncate_after(3, done));
    wait(|done| journal.append(vec![(4, vec![40])], done));
    wait(|done| journal.purge(2, b"mark".to_vec(), done));
    assert_eq!(payloads(&journal), [vec![3], vec![40]]);
    assert_eq!(journal.marker(PURGED).unwrap().as_deref(), Some(&b"mark"[..]));
    assert_eq!(journal.last().unwrap().as_deref(), Some(&[40u8][..]));
}

#[test]
fn the_committed_marker_rides_with_the_next_write() {
    let dir = tempfile::tempdir().unwrap();
    let journal = open(&dir);
    journal.mark_committed(b"7".to_vec());
    assert_eq!(journal.committed().unwrap().as_deref(), Some(&b"7"[..]));
    wait(|done| journal.append(vec![(1, b"a".to_vec())], done));
    drop(journal);
    assert_eq!(open(&dir).committed().unwrap().as_deref(), Some(&b"7"[..]));
}

#[test]
fn what_was_purged_goes_by_and_by_and_is_never_seen_again() {
    let dir = tempfile::tempdir().unwrap();
    let journal = open(&dir);
    wait(|done| journal.append((0..1_000).map(|n| (n, vec![1])).collect(), done));
    wait(|done| journal.purge(899, b"mark".to_vec(), done));
    assert_eq!(payloads(&journal).len(), 100);
    drop(journal);
    let rows = || -> i64 {
        let db = Connection::open(dir.path().join("journal.db")).unwrap();
        db.query_row("SELECT count(*) FROM entry", [], |row| row.get(0)).unwrap()
    };
    assert!((101..1_000).contains(&rows()), "{} rows", rows());
    let journal = open(&dir);
    assert_eq!(payloads(&journal).len(), 100);
    for n in 0..4 {
        wait(|done| journal.append(vec![(1_000 + n, vec![1])], done));
    }
    drop(journal);
    assert_eq!(rows(), 104);
    // Beyond the end, as a snapshot from another node does it.
    let journal = open(&dir);
    wait(|done| journal.purge(5_000, b"mark".to_vec(), done));
    assert!(payloads(&journal).is_empty() && journal.last().unwrap().is_none());
    wait(|done| journal.append(vec![(5_001, vec![2])], done));
    drop(journal);
    assert_eq!(payloads(&open(&dir)), [[2]]);
}

#[test]
fn a_journal_without_sums_is_taken_over_once() {
    let dir = tempfile::tempdir().unwrap();
    let db = Connection::open(dir.path().join("journal.db")).unwrap();
    db.execute_batch(include_str!("../../../migrations/journal/0001_log.sql")).unwrap();
    let sum = |text: &str| {
        use sha2::{Digest, Sha256};
        crate::store::schema::hexadecimal(&Sha256::digest(text.as_bytes()))
    };
    db.execute_batch(&format!(
        "CREATE TABLE migration (
            version INTEGER PRIMARY KEY, name TEXT NOT NULL, sha256 TEXT NOT NULL) STRICT;
         INSERT INTO migration VALUES (1, '0001_log', '{}');
         INSERT INTO entry VALUES (7, x'61'), (8, x'62');
         INSERT INTO marker VALUES ('vote', x'63');",
        sum(include_str!("../../../migrations/journal/0001_log.sql"))
    ))
    .unwrap();
    drop(db);
    let journal = open(&dir);
    assert_eq!(payloads(&journal), [b"a", b"b"]);
    assert_eq!(journal.marker("vote").unwrap().as_deref(), Some(&b"c"[..]));
    drop(journal);
    let db = Connection::open(dir.path().join("journal.db")).unwrap();
    db.execute("UPDATE entry SET sum = NULL WHERE idx = 8", []).unwrap();
    drop(db);
    let error = try_open(&dir).err().unwrap().to_string();
    assert!(error.contains("entry 8") && error.contains("restore the newest backup"), "{error}");
}

/// A folder in memory where there is one: the journal is opened thousands of times.
fn quick() -> TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap()
}

/// The files of a journal, as they lie on disk at one moment.
#[derive(Clone)]
struct Files(Vec<(&'static str, Vec<u8>)>);

const NAMES: [&str; 3] = ["journal.db", "journal.db-wal", "journal.db-count"];

impl Files {
    fn of(dir: &TempDir) -> Files {
        let read = |name| (name, fs::read(dir.path().join(name)).unwrap_or_default());
        Files(NAMES.into_iter().map(read).collect())
    }

    fn get(&mut self, name: &str) -> &mut Vec<u8> {
        &mut self.0.iter_mut().find(|(known, _)| *known == name).unwrap().1
    }

    fn put(&self, dir: &TempDir) {
        let _ = fs::remove_file(dir.path().join("journal.db-shm"));
        for (name, bytes) in &self.0 {
            fs::write(dir.path().join(name), bytes).unwrap();
        }
    }
}

fn payload(n: u64) -> Vec<u8> {
    (0..200 + n * 37 % 900).map(|at| (at * 7 + n) as u8).collect()
}

/// A journal with a vote and entries from 3 on, of which the first are not in the write-ahead log
/// any more; and the files before and after its last write.
fn worn(dir: &TempDir) -> (Files, Files) {
    // Small pages, because each byte of the last write is cut off once.
    let db = Connection::open(dir.path().join("journal.db")).unwrap();
    db.execute_batch("PRAGMA page_size = 512; VACUUM").unwrap();
    drop(db);
    let journal = open(dir);
    for n in 0..40 {
        wait(|done| journal.append(vec![(n, payload(n))], done));
    }
    wait(|done| journal.purge(2, b"purged".to_vec(), done));
    drop(journal);
    let journal = open(dir);
    wait(|done| journal.mark("vote", b"for 2 in term 5".to_vec(), done));
    for n in 40..60 {
        wait(|done| journal.append(vec![(n, payload(n))], done));
    }
    let before = Files::of(dir);
    wait(|done| journal.append(vec![(60, payload(60))], done));
    (before, Files::of(dir))
}

/// What the journal holds, from entry 3 on, if all of it is as it was written.
fn held(journal: &Journal) -> Result<usize, Fault> {
    let entries = journal.read(..)?;
    for (n, entry) in (3..).zip(&entries) {
        assert_eq!(entry[..], payload(n), "entry {n} is another one");
    }
    assert_eq!(journal.marker("vote")?.as_deref(), Some(&b"for 2 in term 5"[..]));
    assert_eq!(journal.marker(PURGED)?.as_deref(), Some(&b"purged"[..]));
    Ok(entries.len())
}

#[test]
fn fifty_thousand_writes_leave_small_files() {
    let dir = quick();
    let journal = open(&dir);
    let size = |name: &str| fs::metadata(dir.path().join(name)).map_or(0, |file| file.len());
    let (mut database, mut log) = (0, 0);
    for n in 0..500 {
        let entries = (n * 100..(n + 1) * 100).map(|n| (n, vec![7; 1_000])).collect();
        wait(|done| journal.append(entries, done));
        // As behind each snapshot: all but the newest go.
        if n % 50 == 49 {
            wait(|done| journal.purge(n * 100 - 400, b"mark".to_vec(), done));
        }
        database = database.max(size("journal.db"));
        log = log.max(size("journal.db-wal"));
    }
    println!("at most {database} bytes, and {log} in the write-ahead log");
    // 5,000 entries of 1,000 bytes stand between two purges; 50,000 went through.
    assert!(database < 12_000_000, "{database} bytes");
    assert!(log < 16_000_000, "{log} bytes in the write-ahead log");
}

#[test]
fn a_torn_last_write_is_gone_as_a_whole_at_every_byte() {
    let source = quick();
    let (mut before, after) = worn(&source);
    let from = before.get("journal.db-wal").len();
    let whole = after.clone().get("journal.db-wal").clone();
    let dir = quick();
    for end in from..=whole.len() {
        let mut torn = before.clone();
        *torn.get("journal.db-wal") = whole[..end].to_vec();
        torn.put(&dir);
        let held = held(&open(&dir)).unwrap();
        assert_eq!(held, if end == whole.len() { 58 } else { 57 }, "cut at {end}");
    }
}

#[test]
fn a_lost_write_that_was_acknowledged_is_noticed() {
    let source = quick();
    let (mut before, after) = worn(&source);
    let dir = quick();
    let refused = |files: &Files| {
        files.put(&dir);
        let error = try_open(&dir).err().expect("it was noticed").to_string();
        assert!(error.contains("damaged") && error.contains("restore"), "{error}");
    };
    // The tail, all of the log, and the database as it was before.
    let mut cut = after.clone();
    *cut.get("journal.db-wal") = before.get("journal.db-wal").clone();
    refused(&cut);
    cut.get("journal.db-wal").clear();
    refused(&cut);
    cut.get("journal.db").clear();
    refused(&cut);
    // In a power cut the count may fall behind; then the log itself tells.
    let mut log = after.clone();
    log.get("journal.db-count").clear();
    let middle = log.get("journal.db-wal").len() / 2;
    log.get("journal.db-wal")[middle] ^= 1;
    refused(&log);
}

#[test]
fn a_flipped_bit_changes_nothing_or_is_refused() {
    let clock = || SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos() as u64;
    let seed = std::env::var("SEED").ok().and_then(|seed| seed.parse().ok());
    let mut chance = seed.unwrap_or_else(clock) | 1;
    println!("SEED={chance}");
    let mut below = |n: usize| {
        chance ^= chance << 13;
        chance ^= chance >> 7;
        chance ^= chance << 17;
        (chance % n as u64) as usize
    };
    let source = quick();
    let (_, after) = worn(&source);
    let dir = quick();
    let (mut sound, mut refused) = (0, 0);
    for round in 0..600 {
        let mut files = after.clone();
        let name = NAMES[round % 3];
        let bytes = files.get(name);
        let (at, bit) = (below(bytes.len()), below(8));
        bytes[at] ^= 1 << bit;
        files.put(&dir);
        match try_open(&dir).and_then(|journal| held(&journal)) {
            Ok(entries) => {
                assert_eq!(entries, 58, "bit {bit} of byte {at} in {name}: entries are gone");
                sound += 1;
            }
            Err(fault) => {
                let words = fault.to_string();
                // A changed sum of a migration looks like another build's.
                let clear = words.contains("restore") || words.contains("another build");
                assert!(clear, "bit {bit} of byte {at} in {name}: {words}");
                refused += 1;
            }
        }
    }
    assert!(sound > 100 && refused > 100, "{sound} sound, {refused} refused");
}
