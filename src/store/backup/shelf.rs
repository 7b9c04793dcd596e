//! The folder of the backups that a node makes by itself: what is on it, what goes from it.
//!
//! A file's name says when it was made, whether it was verified, and by a digest which request
//! asked for it under a key, so that nothing about it has to be remembered and an operator sees as
//! much as the node.
//!
//! **Invariant:** the newest verified backup is never removed.

use std::path::{Path, PathBuf};

use crate::domain::id::PersonId;
use crate::domain::limit;
use crate::domain::time::Time;

use super::super::{Fault, space};
use super::{Draft, Unfit, Verdict, create, keep, make_folder, verify, without};

/// The folder.
#[derive(Clone, Debug)]
pub struct Shelf {
    folder: PathBuf,
    /// Where a backup is restored to be checked.
    work: PathBuf,
}

/// A backup on the shelf.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// The file's name.
    pub file: String,
    /// Where it lies.
    pub path: PathBuf,
    /// When it was made.
    pub created_at: Time,
    /// Its size.
    pub bytes: u64,
    /// Whether it passed every check after it was written.
    pub verified: bool,
    /// Which request asked for it, if it came with a key.
    pub asked: Option<String>,
}

/// Which verified backups stay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// So many of the newest; one at least.
    pub last: usize,
    /// And the newest one of each of so many weeks, counted back from the newest week with one.
    pub weekly: usize,
}

const PREFIX: &str = "greenroom-";
const VERIFIED: &str = ".backup";
const UNVERIFIED: &str = ".unverified";
const UNFINISHED: &str = "greenroom-unfinished";

/// Hexadecimal digits of a digest: 128 bits.
const MARK_CHARS: usize = 32;

const DAY_MS: i64 = 24 * 60 * 60 * 1_000;

impl Shelf {
    /// A shelf in a folder that need not be there yet.
    pub fn new(folder: PathBuf, work: PathBuf) -> Shelf {
        Shelf { folder, work }
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// What is on it, the newest first. Files with other names are not ours.
    pub fn list(&self) -> Result<Vec<Kept>, Fault> {
        let fault =
            |e| Fault::new(format!("cannot list the backups in {}", self.folder.display()), e);
        let entries = match std::fs::read_dir(&self.folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(fault(error)),
        };
        let mut all = Vec::new();
        for entry in entries {
            let entry = entry.map_err(fault)?;
            let Some(file) = entry.file_name().to_str().map(str::to_owned) else { continue };
            let Some((created_at, asked, verified)) = read_name(&file) else { continue };
            let bytes = space::file_bytes(&entry.path())?;
            all.push(Kept { file, path: entry.path(), created_at, bytes, verified, asked });
        }
        all.sort_by(|a, b| b.file.cmp(&a.file));
        all.truncate(limit::BACKUPS_LISTED_MAX);
        Ok(all)
    }

    /// Takes people out of every backup here; how many were written anew. A backup that cannot be
    /// read cannot be cleaned either: it goes, and the log says so.
    pub fn erase(&self, people: &[PersonId], node: u64) -> Result<usize, Fault> {
        let mut rewritten = 0;
        for kept in self.list()? {
            let draft = match without(&kept.path, people, &self.work) {
                Ok(None) => continue,
                Ok(Some(draft)) => draft,
                Err(Unfit::Fault(fault)) => return Err(fault),
                Err(Unfit::Refused(why)) => {
                    tracing::error!(
                        file = %kept.path.display(),
                        why,
                        "somebody was erased, and this backup cannot be cleaned: it is removed"
                    );
                    crate::store::snapshot::remove(&kept.path)?;
                    continue;
                }
            };
            match self.write(draft, node, |_, _| kept.path.clone()) {
                Ok(_) => rewritten += 1,
                Err(Unfit::Fault(fault)) => return Err(fault),
                Err(Unfit::Refused(why)) => {
                    return Err(Fault::plain(format!("what was written cannot be read: {why}")));
                }
            }
        }
        Ok(rewritten)
    }

    /// Writes a backup, checks it by restoring it, and keeps it under the name that it has earned.
    /// `node` keeps the unfinished files of nodes that share a folder apart; `asked` is the digest
    /// of the key under which it was asked for.
    pub fn add(
        &self,
        draft: Draft,
        node: u64,
        asked: Option<&str>,
    ) -> Result<(Kept, Verdict), Unfit> {
        let asked = asked.map(mark);
        let created_at = self.free_time(draft.manifest().created_at, asked.as_deref());
        let bytes = draft.bytes();
        let name = |verified| name(created_at, asked.as_deref(), verified);
        let (path, verdict) =
            self.write(draft, node, |folder, verified| folder.join(name(verified)))?;
        let verified = verdict.ok();
        let file = name(verified);
        Ok((Kept { file, path, created_at, bytes, verified, asked }, verdict))
    }

    /// The newest verified one that was asked for under the key with this digest.
    pub fn asked_for(&self, asked: &str) -> Result<Option<Kept>, Fault> {
        let asked = mark(asked);
        let is_it = |kept: &Kept| kept.verified && kept.asked.as_ref() == Some(&asked);
        Ok(self.list()?.into_iter().find(is_it))
    }

    fn write(
        &self,
        draft: Draft,
        node: u64,
        named: impl FnOnce(&Path, bool) -> PathBuf,
    ) -> Result<(PathBuf, Verdict), Unfit> {
        make_folder(&self.folder)?;
        let unfinished = self.folder.join(format!("{UNFINISHED}-{node}"));
        match std::fs::remove_file(&unfinished) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                let what = format!("cannot remove {}", unfinished.display());
                return Err(Fault::new(what, error).into());
            }
            _ => {}
        }
        let mut file = create(&unfinished)?;
        std::io::copy(&mut draft.into_reader(), &mut file)
            .map_err(|e| Fault::new(format!("cannot write {}", unfinished.display()), e))?;
        file.sync_all()
            .map_err(|e| Fault::new(format!("cannot keep {}", unfinished.display()), e))?;
        // Checked is what the disk has, and not what memory still holds of it.
        space::read_from_disk(&file);
        let verdict = verify(&unfinished, &self.work)?;
        let path = named(&self.folder, verdict.ok());
        keep(&file, &unfinished, &path)?;
        Ok((path, verdict))
    }

    /// Removes what the policy does not keep, and tells what that was.
    pub fn prune(&self, policy: Policy) -> Result<Vec<Kept>, Fault> {
        let gone = superfluous(&self.list()?, policy);
        for kept in &gone {
            std::fs::remove_file(&kept.path)
                .map_err(|e| Fault::new(format!("cannot remove {}", kept.path.display()), e))?;
        }
        Ok(gone)
    }

    /// The time, or the next one that no file has: a clock that was set back gives one twice.
    fn free_time(&self, mut at: Time, asked: Option<&str>) -> Time {
        let taken = |at| [true, false].map(|v| self.folder.join(name(at, asked, v)).exists());
        while taken(at).contains(&true) {
            at = at.plus_ms(1);
        }
        at
    }
}

/// What goes, given everything from the newest to the oldest.
fn superfluous(all: &[Kept], policy: Policy) -> Vec<Kept> {
    let (verified, unverified): (Vec<&Kept>, Vec<&Kept>) = all.iter().partition(|k| k.verified);
    let mut weeks = Vec::new();
    let mut gone = Vec::new();
    for (n, kept) in verified.into_iter().enumerate() {
        let week = week(kept.created_at);
        let first_of_week = weeks.last() != Some(&week);
        if first_of_week {
            weeks.push(week);
        }
        let weekly = first_of_week && weeks.len() <= policy.weekly;
        if n >= policy.last.max(1) && !weekly {
            gone.push(kept.clone());
        }
    }
    // Those that failed are kept to be looked at, but not until the disk is full of them.
    gone.extend(unverified.into_iter().skip(limit::BACKUPS_UNVERIFIED_MAX).cloned());
    gone
}

/// Weeks begin on Monday; the first day of 1970 was a Thursday.
fn week(at: Time) -> i64 {
    (at.0.div_euclid(DAY_MS) + 3).div_euclid(7)
}

/// `greenroom-2026-11-23T03-15-45.123Z.backup`: no colons, which some disks do not take, and in the
/// order of time if sorted by name. `asked` stands behind the time, as in
/// `greenroom-2026-11-23T03-15-45.123Z-0f0e….backup`.
fn name(at: Time, asked: Option<&str>, verified: bool) -> String {
    let at = at.to_string().replace(':', "-");
    let asked = asked.map(|asked| format!("-{asked}")).unwrap_or_default();
    format!("{PREFIX}{at}{asked}{}", if verified { VERIFIED } else { UNVERIFIED })
}

/// As much of a digest as a name has place for, and as two keys never share.
fn mark(asked: &str) -> String {
    asked.chars().take(MARK_CHARS).collect()
}

fn read_name(file: &str) -> Option<(Time, Option<String>, bool)> {
    let rest = file.strip_prefix(PREFIX)?;
    let (at, verified) = match rest.strip_suffix(VERIFIED) {
        Some(at) => (at, true),
        None => (rest.strip_suffix(UNVERIFIED)?, false),
    };
    let (at, asked) = match at.split_once("Z-") {
        Some((at, asked)) => (format!("{at}Z"), Some(asked)),
        None => (at.to_owned(), None),
    };
    let is_mark = |asked: &str| {
        asked.len() == MARK_CHARS && asked.bytes().all(|byte| byte.is_ascii_hexdigit())
    };
    if !asked.is_none_or(is_mark) {
        return None;
    }
    let (day, hour) = at.split_once('T')?;
    let at = Time::parse(&format!("{day}T{}", hour.replace('-', ":")))?;
    // Only the one spelling that we write: a copy that somebody named by hand is theirs.
    (name(at, asked, verified) == file).then(|| (at, asked.map(str::to_owned), verified))
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY_0: i64 = 1_795_000_000_123; // a Wednesday

    fn kept(days_ago: i64, verified: bool) -> Kept {
        let created_at = Time(DAY_0 - days_ago * DAY_MS);
        let file = name(created_at, None, verified);
        Kept { path: PathBuf::from(&file), file, created_at, bytes: 1, verified, asked: None }
    }

    fn days_left(all: &[Kept], last: usize, weekly: usize) -> Vec<i64> {
        let gone = superfluous(all, Policy { last, weekly });
        let left = all.iter().filter(|kept| !gone.contains(kept));
        left.map(|kept| (DAY_0 - kept.created_at.0) / DAY_MS).collect()
    }

    #[test]
    fn names_say_when_and_whether_and_nothing_else_is_ours() {
        let at = Time(DAY_0);
        assert_eq!(name(at, None, true), "greenroom-2026-11-18T11-06-40.123Z.backup");
        let asked = mark(&"0f".repeat(32));
        for verified in [true, false] {
            for asked in [None, Some(asked.as_str())] {
                let read = Some((at, asked.map(str::to_owned), verified));
                assert_eq!(read_name(&name(at, asked, verified)), read);
            }
        }
        for other in [
            "greenroom-unfinished-1",
            "greenroom-2026-11-18T11:06:40.123Z.backup",
            "greenroom-2026-11-18T11-06-40Z.backup",
            "greenroom-2026-11-18T11-06-40.123Z.backup.gpg",
            "greenroom-2026-11-18T11-06-40.123Z-0f0f.backup",
            "greenroom-2026-11-18T11-06-40.123Z-my-copy-before-the-upgrade-to-2.backup",
            "greenroom-.backup",
            "notes.txt",
        ] {
            assert_eq!(read_name(other), None, "{other}");
        }
    }

    #[test]
    fn the_newest_ones_and_one_a_week_stay() {
        let daily: Vec<Kept> = (0..60).map(|days| kept(days, true)).collect();
        // The weeks end on Sundays: 3, 10, 17 days ago.
        assert_eq!(days_left(&daily, 7, 4), [0, 1, 2, 3, 4, 5, 6, 10, 17]);
        assert_eq!(days_left(&daily, 2, 0), [0, 1]);
        assert_eq!(days_left(&daily, 1, 3), [0, 3, 10]);
        // A node that was off for a month does not lose its weeks.
        let gap: Vec<Kept> = [0, 40, 41, 80].map(|days| kept(days, true)).into();
        assert_eq!(days_left(&gap, 1, 3), [0, 40, 80]);
    }

    #[test]
    fn the_newest_verified_one_stays_whatever_failed_after_it() {
        let mut all: Vec<Kept> = (0..20).map(|days| kept(days, false)).collect();
        all.extend([kept(20, true), kept(21, true)]);
        assert_eq!(days_left(&all, 1, 0), [0, 1, 2, 20]);
        // Even a policy that says nothing at all.
        assert_eq!(days_left(&all, 0, 0), [0, 1, 2, 20]);
    }
}
