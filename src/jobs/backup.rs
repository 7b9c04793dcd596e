//! Backups that the node makes: by its schedule on the leader, now because an admin asks, or for
//! somebody who takes one away.
//!
//! What was done when is read from the folder each time: a restart or a new leader forgets nothing.
//!
//! **Invariant:** one backup at a time, so that the room on the disk is counted once.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::{Mutex, OwnedMutexGuard};

use crate::cluster::Replica;
use crate::config::settings::Settings;
use crate::domain::id::PersonId;
use crate::domain::limit;
use crate::domain::time::Time;
use crate::store::backup::shelf::{Kept, Policy, Shelf};
use crate::store::backup::{self, Draft, Unfit};
use crate::store::directory::Directory;
use crate::store::{Fault, query, space};
use crate::telemetry::metrics::{BackupResult, Metrics};

/// The backups of a node.
pub struct Backups {
    replica: Replica,
    metrics: Arc<Metrics>,
    state: PathBuf,
    /// For copies on their way and for restoring what is checked; emptied at each start.
    work: PathBuf,
    shelf: Shelf,
    /// Hours between two scheduled ones; 0: none.
    every_hours: u64,
    /// Which of them stay.
    policy: Policy,
    turn: Arc<Mutex<()>>,
}

/// Why there is no backup, or none that counts.
#[derive(Debug, thiserror::Error)]
pub enum NotMade {
    /// Files hold traces of what was erased a moment ago.
    #[error("something was erased, and files are being cleaned of it; try again in a minute")]
    Scrubbing,
    /// Another one is being made.
    #[error("a backup is being made already; try again when it is done")]
    Busy,
    /// The disk is too full.
    #[error(
        "{folder} has {free} bytes left, and a backup needs {needed}; make room, or choose \
         another folder with backup.dir"
    )]
    NoRoom {
        /// Where.
        folder: String,
        /// What there is.
        free: u64,
        /// What is needed.
        needed: u64,
    },
    /// It was written and failed its check.
    #[error("the backup {file} failed its check and does not count: {why}")]
    Unverified {
        /// The file, which is kept.
        file: String,
        /// The checks that failed.
        why: String,
    },
    /// Ours.
    #[error("{0}")]
    Fault(#[from] Fault),
}

/// Between two looks at the clock and the folder.
const LOOK: Duration = Duration::from_secs(60);

/// Between two looks whether files are clean.
const SCRUB_LOOK: Duration = Duration::from_millis(100);

const HOUR_MS: i64 = 60 * 60 * 1_000;

impl Backups {
    /// The backups of the node on this directory.
    pub fn open(
        replica: Replica,
        directory: &Directory,
        settings: &Settings,
        metrics: Arc<Metrics>,
    ) -> Result<Arc<Backups>, Fault> {
        let work = directory.root().join("backup-work");
        backup::empty_work(&work)?;
        let folder = settings.backup_dir.clone();
        let folder = folder.unwrap_or_else(|| directory.root().join("backups"));
        let shelf = Shelf::new(folder, work.clone());
        let policy = Policy {
            last: settings.backup_keep_last as usize,
            weekly: settings.backup_keep_weekly as usize,
        };
        let every_hours = settings.backup_every_hours;
        let (state, turn) = (directory.state(), Arc::default());
        Ok(Arc::new(Backups { replica, metrics, state, work, shelf, every_hours, policy, turn }))
    }

    /// Where scheduled backups lie.
    pub fn folder(&self) -> &Path {
        self.shelf.folder()
    }

    /// What lies there, the newest first.
    pub async fn list(&self) -> Result<Vec<Kept>, Fault> {
        let shelf = self.shelf.clone();
        let all = blocking(move || shelf.list()).await??;
        let newest = all.iter().find(|kept| kept.verified);
        self.metrics.backup_newest.set(newest.map_or(0, |kept| kept.created_at.0 / 1_000));
        Ok(all)
    }

    /// A backup for somebody who takes it away.
    pub async fn draft(self: &Arc<Self>) -> Result<Draft, NotMade> {
        self.after_scrub().await?;
        let turn = self.turn()?;
        let (own, at) = (self.clone(), self.replica.now());
        blocking(move || {
            let _turn = turn;
            own.check_room(&[&own.work])?;
            Ok(backup::make(&own.state, &own.work, at)?)
        })
        .await?
    }

    /// A backup in the folder, verified, and then those removed that the policy does not keep.
    /// `asked` is the digest of the key under which it was asked for.
    pub async fn make(self: &Arc<Self>, asked: Option<String>) -> Result<Kept, NotMade> {
        self.after_scrub().await?;
        let turn = self.turn()?;
        let (own, at, node) = (self.clone(), self.replica.now(), self.replica.status().node);
        // In a task of its own, so that a client that goes away does not end it half way.
        let made = blocking(move || {
            let _turn = turn;
            own.make_and_prune(at, node, asked.as_deref())
        })
        .await?;
        self.metrics.backup(match &made {
            Ok(_) => BackupResult::Verified,
            Err(NotMade::Unverified { .. }) => BackupResult::Unverified,
            Err(_) => BackupResult::Failed,
        });
        self.list().await?;
        made
    }

    /// The backup that was made under the key with this digest, as long as a key holds.
    pub async fn asked_before(&self, asked: &str) -> Result<Option<Kept>, Fault> {
        let (shelf, asked) = (self.shelf.clone(), asked.to_owned());
        let found = blocking(move || shelf.asked_for(&asked)).await??;
        let now = self.replica.now();
        Ok(found.filter(|kept| kept.created_at.plus_ms(limit::IDEMPOTENCY_MS) > now))
    }

    /// Takes people out of the backups in the folder; how many were written anew.
    pub async fn erase(self: &Arc<Self>, people: Vec<PersonId>) -> Result<usize, Fault> {
        let turn = self.turn.clone().lock_owned().await;
        let (own, node) = (self.clone(), self.replica.status().node);
        let rewritten = blocking(move || {
            let _turn = turn;
            own.shelf.erase(&people, node)
        })
        .await??;
        Ok(rewritten)
    }

    /// Waits until nothing that was erased is on a page that would be copied.
    async fn after_scrub(&self) -> Result<(), NotMade> {
        let deadline = Instant::now() + Duration::from_secs(limit::SCRUB_WAIT_SECONDS);
        while self.replica.scrub_due().await?.is_some() {
            if Instant::now() >= deadline {
                return Err(NotMade::Scrubbing);
            }
            tokio::time::sleep(SCRUB_LOOK).await;
        }
        Ok(())
    }

    fn turn(&self) -> Result<OwnedMutexGuard<()>, NotMade> {
        self.turn.clone().try_lock_owned().map_err(|_| NotMade::Busy)
    }

    fn make_and_prune(&self, at: Time, node: u64, asked: Option<&str>) -> Result<Kept, NotMade> {
        // The folder may be on another disk and need not be there yet.
        let there = self.shelf.folder().ancestors().find(|folder| folder.exists());
        self.check_room(&[&self.work, there.unwrap_or(Path::new("."))])?;
        let draft = backup::make(&self.state, &self.work, at)?;
        let (kept, verdict) = self.shelf.add(draft, node, asked).map_err(|unfit| match unfit {
            Unfit::Refused(why) => Fault::plain(format!("what was written cannot be read: {why}")),
            Unfit::Fault(fault) => fault,
        })?;
        for gone in self.shelf.prune(self.policy)? {
            tracing::info!(file = %gone.path.display(), "a backup was removed by the policy");
        }
        if !verdict.ok() {
            let file = kept.path.display().to_string();
            return Err(NotMade::Unverified { file, why: verdict.failures() });
        }
        tracing::info!(file = %kept.path.display(), bytes = kept.bytes, "a backup was made");
        Ok(kept)
    }

    fn check_room(&self, folders: &[&Path]) -> Result<(), NotMade> {
        let log = self.state.with_extension("db-wal");
        let state = space::file_bytes(&self.state)? + space::file_bytes(&log)?;
        let needed = limit::BACKUP_SPACE_FACTOR * state;
        for folder in folders {
            let free = space::free_bytes(folder)?;
            if free < needed {
                let folder = folder.display().to_string();
                return Err(NotMade::NoRoom { folder, free, needed });
            }
        }
        Ok(())
    }

    /// Whether the schedule wants one now.
    async fn is_due(&self, now: Time) -> Result<bool, Fault> {
        let newest = self.list().await?.into_iter().find(|kept| kept.verified);
        let last = match newest {
            Some(kept) => Some(kept.created_at),
            None => self.replica.read(query::cluster::founded_at).await?,
        };
        let hours = i64::try_from(self.every_hours).unwrap_or(i64::MAX);
        Ok(hours > 0 && last.is_some_and(|last| last.plus_ms(hours * HOUR_MS) <= now))
    }
}

/// Makes scheduled backups while this node leads, until it stops.
pub async fn run(backups: Arc<Backups>) {
    let mut looks = tokio::time::interval(LOOK);
    let mut not_before = Time(0);
    loop {
        looks.tick().await;
        let now = backups.replica.now();
        let due = match backups.is_due(now).await {
            Ok(due) => due && backups.replica.status().leader && now >= not_before,
            Err(fault) => {
                tracing::error!(%fault, "the backups could not be looked through");
                continue;
            }
        };
        if !due {
            continue;
        }
        match backups.make(None).await {
            // Somebody else has the turn; the next look sees what came of it.
            Ok(_) | Err(NotMade::Busy | NotMade::Scrubbing) => {}
            Err(why) => {
                tracing::error!(%why, "there is no scheduled backup; the next try is in an hour");
                not_before = now.plus_ms(limit::BACKUP_RETRY_MS);
            }
        }
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Fault> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|e| Fault::new("work on a backup did not end", e))
}
