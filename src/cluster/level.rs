//! The schema's level in a cluster: what the state has, what every member can run, and the way up
//! and down.
//!
//! A node that is alone raises the level by itself at its start, after it has kept a copy of the
//! state. Where there are more nodes it waits for a person: the first command of the new level
//! closes the way back to the old release.
//!
//! **Invariant:** a level is proposed only when every member has said that it can run it.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::Duration;

use openraft::async_runtime::watch::WatchReceiver;

use crate::domain::command::{Command, Envelope, Outcome};
use crate::domain::limit;
use crate::store::query;
use crate::store::schema::{self, Loss, NEWEST, Step};
use crate::store::{Fault, snapshot};

use super::capability::Capability;
use super::identity::Identity;
use super::raft_types::LogId;
use super::replica::{Replica, Unavailable};

/// How things stand with the level.
#[derive(Clone, Debug)]
pub struct Standing {
    /// The level of the state.
    pub level: u32,
    /// The level that the newest release among the members can run.
    pub target: u32,
    /// Whether an undo keeps this node at its level until somebody finalizes.
    pub held: bool,
    /// What each member can run.
    pub nodes: Vec<Capability>,
    /// What raising the state to the target would bring, as far as this node knows.
    pub changes: Vec<Step>,
    /// Where undoing leads; `None` at the first level.
    pub undo: Option<Undo>,
}

/// What undoing the last raise would do.
#[derive(Clone, Debug)]
pub struct Undo {
    /// The level to which it leads.
    pub to: u32,
    /// What it would destroy.
    pub losses: Vec<Loss>,
    /// Why it cannot be done, if so.
    pub obstacle: Option<String>,
}

/// Why a member keeps the cluster from being raised.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Obstacle {
    /// Which member.
    pub node: u64,
    /// Why, in words.
    pub why: String,
}

/// Between two looks for the snapshot that takes the log's place.
const FORGET_SECONDS: u64 = 10;

/// Looks for it: ten minutes are enough for a state of many gigabytes.
const FORGET_TRIES: usize = 60;

/// How long a node alone may take to lead itself.
const LEAD_SECONDS: u64 = 60;

impl Standing {
    /// Whether there is something to raise.
    pub fn waits(&self) -> bool {
        self.level < self.target
    }

    /// The members that cannot run the target, or do not say.
    pub fn obstacles(&self) -> Vec<Obstacle> {
        let why = |member: &Capability| match &member.build {
            None => Some("it does not answer; start it, or remove it from the cluster".to_owned()),
            Some(build) if build.level < self.target => Some(format!(
                "it runs {}, which knows level {}; install the release that knows level {}",
                build.version, build.level, self.target
            )),
            Some(_) => None,
        };
        let found = self
            .nodes
            .iter()
            .filter_map(|member| why(member).map(|why| Obstacle { node: member.node, why }));
        found.collect()
    }
}

impl Replica {
    /// How things stand with the level; asks every member.
    pub async fn standing(&self) -> Result<Standing, Fault> {
        let nodes = self.capabilities().await;
        let (level, undo) = self.read(standing_of_rows).await?;
        let builds = nodes.iter().filter_map(|member| member.build.as_ref());
        let target = builds.map(|build| build.level).chain([NEWEST, level]).max().unwrap_or(level);
        let undo = undo.map(|undo| Undo {
            obstacle: undo.obstacle.or_else(|| match nodes.len() {
                0 | 1 => None,
                n => Some(format!("the cluster has {n} nodes; only a node alone can go back")),
            }),
            ..undo
        });
        let held = self.inner.directory.level_hold().exists();
        let changes = schema::steps_above(level);
        Ok(Standing { level, target, held, nodes, changes, undo })
    }

    /// At the start of a node: one that is alone brings its state to the level of this build; in a
    /// larger cluster, or after an undo, a log line says what waits.
    pub async fn settle_level(&self) -> Result<(), Fault> {
        self.remove_old_copies()?;
        let (level, set_up) = self.read(level_and_setup).await?;
        if self.inner.directory.level_hold().exists() {
            tracing::warn!(level, "undone: the data stay at this level until `upgrade finalize`");
            return Ok(());
        }
        if level >= NEWEST {
            return Ok(());
        }
        if self.members() != [self.node()] {
            tracing::warn!(
                level,
                newest = NEWEST,
                "the data wait for a new level: `greenroom upgrade finalize` when every node is new"
            );
            return Ok(());
        }
        if set_up && let Err(fault) = self.keep_copy(NEWEST).await {
            // Serving as before is worth more than the new level; a person can make room.
            tracing::error!(%fault, level, "the data stay at this level: no copy could be kept");
            return Ok(());
        }
        self.lead_alone().await?;
        let raise = Envelope::own(self.now(), Command::RaiseLevel { to: NEWEST });
        match self.propose(raise).await {
            Ok(Outcome::Done) => tracing::info!(from = level, to = NEWEST, "the data were raised"),
            Ok(other) => return Err(Fault::plain(format!("the level was not raised: {other:?}"))),
            Err(error) => return Err(Fault::new("the level was not raised", error)),
        }
        Ok(())
    }

    /// Keeps a copy of the state as it is before a level; one of an earlier level goes.
    pub async fn keep_copy(&self, before: u32) -> Result<PathBuf, Fault> {
        let (state, directory) = (self.inner.state.clone(), self.inner.directory.clone());
        blocking(move || {
            for old in (1..before).map(|level| directory.before_level(level)) {
                snapshot::remove(&old)?;
            }
            let path = directory.before_level(before);
            snapshot::copy(&state, &path)?;
            Ok(path)
        })
        .await
    }

    /// Keeps this node at its level over restarts: without it a start would undo an undo.
    pub async fn hold_level(&self) -> Result<(), Fault> {
        let directory = self.inner.directory.clone();
        blocking(move || {
            let path = directory.level_hold();
            directory.write_secret(&path, "`greenroom upgrade finalize` removes this.\n")?;
            sync_folder(directory.root())
        })
        .await
    }

    /// Lets this node raise its level again.
    pub async fn release_level(&self) -> Result<(), Fault> {
        let directory = self.inner.directory.clone();
        blocking(move || snapshot::remove(&directory.level_hold())).await
    }

    /// Takes everything out of the log that an older release could not read: a snapshot takes its
    /// place.
    pub async fn forget_log(&self) -> Result<(), Fault> {
        let fault = |error: String| Fault::new("the log could not be emptied", error);
        let raft = &self.inner.raft;
        let last = raft.metrics().borrow_watched().last_applied.map_or(0, |log_id| log_id.index);
        let reaches = move |at: Option<LogId>| at.is_some_and(|log_id| log_id.index >= last);
        if reaches(raft.metrics().borrow_watched().purged) {
            return Ok(());
        }
        for _ in 0..FORGET_TRIES {
            // Asking does nothing while a snapshot is made that may lack the last entries.
            raft.trigger().snapshot().await.map_err(|e| fault(e.to_string()))?;
            let wait = raft.wait(Some(Duration::from_secs(FORGET_SECONDS)));
            if wait.metrics(move |now| reaches(now.snapshot), "a new snapshot").await.is_ok() {
                break;
            }
        }
        raft.trigger().purge_log(last).await.map_err(|e| fault(e.to_string()))?;
        let wait = raft.wait(Some(Duration::from_secs(FORGET_SECONDS)));
        let purged = wait.metrics(move |now| reaches(now.purged), "an empty log").await;
        purged.map(|_| ()).map_err(|e| fault(e.to_string()))
    }

    /// After an undo: without nodes in the state, this node's papers are of an authority that is
    /// gone. The next ones come when the level does.
    pub async fn drop_papers(&self) -> Result<(), Fault> {
        if self.read(query::level::keeps_nodes).await? {
            return Ok(());
        }
        let directory = self.inner.directory.clone();
        blocking(move || match Identity::load(&directory)? {
            Some(mut identity) => {
                identity.papers = None;
                identity.save(&directory)
            }
            None => Ok(()),
        })
        .await
    }

    /// Whether this node still shows papers to others that an undo has made void: they go with a
    /// restart.
    pub async fn shows_void_papers(&self) -> Result<bool, Fault> {
        Ok(self.inner.dialer.get().is_some() && !self.read(query::level::keeps_nodes).await?)
    }

    /// Whether the state has the level that a command needs. A command that an older release cannot
    /// read must not even be in the log.
    pub(super) async fn too_low_for(
        &self,
        command: &Command,
    ) -> Result<Option<String>, Unavailable> {
        let needed = crate::domain::level::needed_by(command);
        if needed <= schema::FIRST {
            return Ok(None);
        }
        let level = self.read(query::level::current).await;
        let level = level.map_err(|fault| Unavailable::Stopped(fault.to_string()))?;
        Ok((level < needed).then(|| crate::domain::level::too_low(needed, level)))
    }

    /// Before the end of a node that an undo holds: what was written since leaves the log too.
    pub(super) async fn settle_before_stop(&self) {
        if self.inner.directory.level_hold().exists()
            && let Err(fault) = self.forget_log().await
        {
            tracing::warn!(%fault, "an older release may not be able to read the log");
        }
    }

    /// After the end of consensus: the journal goes back to what the release of the level knew.
    pub(super) async fn settle_after_stop(&self) {
        let directory = self.inner.directory.clone();
        if !directory.level_hold().exists() {
            return;
        }
        let lowered = match self.read(query::level::current).await {
            Ok(level) => blocking(move || schema::lower_journal(&directory.journal(), level)).await,
            Err(fault) => Err(fault),
        };
        if let Err(fault) = lowered {
            tracing::warn!(%fault, "an older release may not be able to open the journal");
        }
    }

    async fn lead_alone(&self) -> Result<(), Fault> {
        let waiting = self.inner.raft.wait(Some(Duration::from_secs(LEAD_SECONDS)));
        let leads = waiting.metrics(|now| now.current_leader == Some(now.id), "a leader");
        leads.await.map_err(|e| Fault::new("this node does not lead itself", e.to_string()))?;
        Ok(())
    }

    /// A copy has done its work when nobody went back for so long; it holds people's data, and they
    /// must be able to go.
    fn remove_old_copies(&self) -> Result<(), Fault> {
        let life = Duration::from_secs(limit::LEVEL_COPY_DAYS * 24 * 60 * 60);
        for level in 1..=NEWEST {
            let path = self.inner.directory.before_level(level);
            let changed = path.metadata().and_then(|file| file.modified());
            if changed.is_ok_and(|at| at.elapsed().is_ok_and(|age| age > life)) {
                snapshot::remove(&path)?;
                tracing::info!(path = %path.display(), "an old copy of the state was removed");
            }
        }
        Ok(())
    }
}

fn standing_of_rows(db: &query::Connection) -> Result<(u32, Option<Undo>), Fault> {
    let level = query::level::current(db)?;
    let Some(to) = query::level::before(db)? else { return Ok((level, None)) };
    let stuck = schema::steps_above(to).into_iter().find(|step| !step.can_undo);
    let stuck = stuck.map(|step| format!("level {} cannot be undone", step.level));
    let obstacle = match stuck {
        Some(why) => Some(why),
        None => query::level::kept_by_nodes(db, to)?,
    };
    Ok((level, Some(Undo { to, losses: query::level::losses(db, to)?, obstacle })))
}

fn level_and_setup(db: &query::Connection) -> Result<(u32, bool), Fault> {
    let identity = query::cluster::identity(db)?;
    let set_up = identity.is_some_and(|identity| identity.organisation.is_some());
    Ok((query::level::current(db)?, set_up))
}

fn sync_folder(folder: &Path) -> Result<(), Fault> {
    let synced = File::open(folder).and_then(|folder| folder.sync_all());
    synced.map_err(|e| Fault::new(format!("cannot keep what is in {}", folder.display()), e))
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Fault> + Send + 'static,
) -> Result<T, Fault> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|e| Fault::new("work on the disk did not finish", e))?
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::cluster::ReplicaOptions;
    use crate::domain::time::Time;
    use crate::store::directory::Directory;
    use crate::telemetry::metrics::Metrics;

    async fn open(dir: &Path) -> Replica {
        let directory = Arc::new(Directory::open(dir).unwrap());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (address, http) = ("127.0.0.1:1".to_owned(), "http://127.0.0.1:2".to_owned());
        let election = Duration::from_millis(limit::ELECTION_MS);
        let metrics = Metrics::new();
        let options = ReplicaOptions { directory, metrics, listener, address, http, election };
        Replica::open(options).await.unwrap()
    }

    fn last_index(replica: &Replica) -> Option<u64> {
        replica.inner.raft.metrics().borrow_watched().last_log_index
    }

    #[tokio::test]
    async fn a_command_above_the_level_does_not_even_get_into_the_log() {
        let dir = tempfile::tempdir().unwrap();
        let replica = open(dir.path()).await;
        replica.lead_alone().await.unwrap();
        let (token, expires_at) = (uuid::Uuid::from_u128(7), Time(9));
        let invite = || Envelope::own(replica.now(), Command::InviteNode { token, expires_at });
        let before = last_index(&replica);
        let Ok(Outcome::Refused { refusal }) = replica.propose(invite()).await else {
            panic!("it was taken");
        };
        assert!(refusal.detail.contains("upgrade finalize"), "{refusal}");
        assert_eq!(last_index(&replica), before);
        replica.settle_level().await.unwrap();
        let invited = replica.propose(invite()).await.unwrap();
        assert!(matches!(invited, Outcome::Invited { .. }), "{invited:?}");
        replica.shutdown().await;
    }

    #[tokio::test]
    async fn a_forgotten_log_is_empty_and_the_state_is_whole() {
        let dir = tempfile::tempdir().unwrap();
        let replica = open(dir.path()).await;
        replica.settle_level().await.unwrap();
        let applied = replica.read(query::level::current).await.unwrap();
        replica.forget_log().await.unwrap();
        replica.forget_log().await.unwrap();
        let purged = replica.inner.raft.metrics().borrow_watched().purged;
        assert_eq!(purged.map(|log_id| log_id.index), last_index(&replica));
        replica.shutdown().await;
        drop(replica);
        let replica = open(dir.path()).await;
        assert_eq!(replica.read(query::level::current).await.unwrap(), applied);
        replica.shutdown().await;
    }
}
