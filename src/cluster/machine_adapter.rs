//! The state as openraft's state machine.

use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Instant;

use futures_util::{Stream, StreamExt};
use openraft::entry::RaftEntry;
use openraft::storage::{EntryResponder, RaftStateMachine};
use openraft::{AsyncRuntime, EntryPayload, OptionalSend, RaftSnapshotBuilder};

use crate::domain::limit;
use crate::store::Fault;
use crate::store::snapshot::{self, Snapshot as File};
use crate::store::space;
use crate::store::state::{Applied, Entry as StoreEntry, Payload, State};
use crate::telemetry::metrics::Metrics;

use super::raft_types::{Entry, LogId, Response, Types, TypesOn, decode, encode};
use super::replica::OnApplied;
use super::runtime::{Runtime, Threads};

type Meta = openraft::alias::SnapshotMetaOf<Types>;
type Snapshot = openraft::alias::SnapshotOf<Types, PathBuf>;
type Membership = openraft::alias::StoredMembershipOf<Types>;

/// The state machine for openraft; clones share everything.
#[derive(Clone)]
pub(super) struct MachineAdapter<R = Threads> {
    pub(super) runtime: R,
    pub(super) state: Arc<State>,
    pub(super) snapshots: PathBuf,
    pub(super) on_applied: Arc<OnceLock<OnApplied>>,
    pub(super) metrics: Arc<Metrics>,
    /// The newest time in any command, so that a new leader's clock begins no earlier.
    pub(super) clock: Arc<AtomicI64>,
}

impl<R: Runtime> RaftStateMachine<TypesOn<R>> for MachineAdapter<R> {
    type SnapshotData = PathBuf;
    type SnapshotBuilder = MachineAdapter<R>;

    async fn applied_state(&mut self) -> Result<(Option<LogId>, Membership), io::Error> {
        let (log_id, membership) = self.state.applied().map_err(Fault::into_io)?;
        read_markers(log_id.as_deref(), membership.as_deref())
    }

    async fn apply<Strm>(&mut self, mut entries: Strm) -> Result<(), io::Error>
    where
        Strm: Stream<Item = Result<EntryResponder<TypesOn<R>>, io::Error>> + Unpin + OptionalSend,
    {
        // What openraft hands over in one call is what was committed together: one transaction.
        let (mut batch, mut responders) = (Vec::new(), Vec::new());
        while let Some(item) = entries.next().await {
            let (entry, responder) = item?;
            batch.push(entry);
            responders.push(responder);
        }
        let machine = self.clone();
        let results = in_place(self.runtime, move || machine.apply_batch(&batch)).await?;
        for (responder, outcome) in responders.into_iter().zip(results) {
            if let Some(responder) = responder {
                responder.send(Response(outcome));
            }
        }
        if self.state.is_checkpoint_due() {
            let state = self.state.clone();
            // Nobody waits for it: the next batch may be applied meanwhile.
            let runtime = self.runtime;
            let _detached = R::Tasks::spawn(async move {
                if let Err(fault) = blocking(runtime, move || state.checkpoint()).await {
                    tracing::warn!(%fault, "the state's write-ahead log was not moved");
                }
            });
        }
        Ok(())
    }

    async fn try_create_snapshot_builder(&mut self, force: bool) -> Option<MachineAdapter<R>> {
        (force || self.has_room_for_snapshot()).then(|| self.clone())
    }

    async fn get_snapshot_builder(&mut self) -> MachineAdapter<R> {
        self.clone()
    }

    async fn install_snapshot(&mut self, _meta: &Meta, snapshot: PathBuf) -> Result<(), io::Error> {
        let machine = self.clone();
        blocking(self.runtime, move || {
            let kept = snapshot::receive(&snapshot, &machine.snapshots)?;
            machine.state.install(&kept.path)
        })
        .await
    }

    async fn get_current_snapshot(&mut self) -> Result<Option<Snapshot>, io::Error> {
        let machine = self.clone();
        // Pinned, because it may be sent a while after it was described.
        let pinned = move || {
            let found = machine.current_snapshot()?;
            found.map(|found| crate::store::pin(&found, &machine.snapshots)).transpose()
        };
        match blocking(self.runtime, pinned).await? {
            Some(file) => described(file).map(Some),
            None => Ok(None),
        }
    }
}

impl<R: Runtime> RaftSnapshotBuilder<TypesOn<R>> for MachineAdapter<R> {
    type SnapshotData = PathBuf;

    async fn build_snapshot(&mut self) -> Result<Snapshot, io::Error> {
        let machine = self.clone();
        described(
            blocking(self.runtime, move || snapshot::build(&machine.state, &machine.snapshots))
                .await?,
        )
    }
}

impl<R: Runtime> MachineAdapter<R> {
    /// Whether a copy of the state fits on the disk, and something more.
    fn has_room_for_snapshot(&self) -> bool {
        let needed = space::file_bytes(self.state.path()).unwrap_or(0) + limit::DISK_FREE_BYTES_MIN;
        let free = space::free_bytes(&self.snapshots).unwrap_or(u64::MAX);
        if free < needed {
            tracing::error!(
                free,
                needed,
                "there is no room for a snapshot, so the journal goes on growing; free some space"
            );
        }
        free >= needed
    }

    /// The snapshot that is there; a damaged one is made again at once, because somebody may wait
    /// for it whom the journal does not reach.
    fn current_snapshot(&self) -> Result<Option<File>, Fault> {
        let there = snapshot::exists(&self.snapshots);
        match snapshot::current(&self.snapshots)? {
            None if there && self.state.applied()?.0.is_some() => {
                snapshot::build(&self.state, &self.snapshots).map(Some)
            }
            found => Ok(found),
        }
    }

    /// Applies what was committed together.
    pub(super) fn apply_batch(
        &self,
        batch: &[Entry],
    ) -> Result<Vec<Option<crate::domain::command::Outcome>>, Fault> {
        let began = Instant::now();
        let mut entries = Vec::with_capacity(batch.len());
        for entry in batch {
            let log_id = encode_fault(&entry.log_id())?;
            let what = match &entry.payload {
                EntryPayload::Blank => Payload::Blank,
                EntryPayload::Normal(proposal) => {
                    self.clock.fetch_max(proposal.0.at.0, Ordering::Relaxed);
                    Payload::Command(&proposal.0)
                }
                EntryPayload::Membership(membership) => {
                    let stored = Membership::new(Some(entry.log_id()), membership.clone());
                    Payload::Membership(encode_fault(&stored)?)
                }
            };
            entries.push(StoreEntry { log_id, what });
        }
        let results = self.state.apply(&entries)?;
        self.metrics.apply.observe(began.elapsed().as_secs_f64());
        if let Some(on_applied) = self.on_applied.get() {
            for (entry, applied) in batch.iter().zip(&results) {
                if let EntryPayload::Normal(proposal) = &entry.payload {
                    on_applied(&proposal.0, applied);
                }
            }
        }
        Ok(results.into_iter().map(|applied: Applied| applied.outcome).collect())
    }
}

fn encode_fault<T: serde::Serialize>(value: &T) -> Result<Vec<u8>, Fault> {
    encode(value).map_err(|e| Fault::new("cannot write a log id down", e))
}

fn read_markers(
    log_id: Option<&[u8]>,
    membership: Option<&[u8]>,
) -> io::Result<(Option<LogId>, Membership)> {
    let log_id = log_id.map(decode).transpose()?;
    let membership = membership.map(decode).transpose()?.unwrap_or_default();
    Ok((log_id, membership))
}

fn described(file: File) -> io::Result<Snapshot> {
    let (last_log_id, last_membership) =
        read_markers(file.log_id.as_deref(), file.membership.as_deref())?;
    Ok(Snapshot { meta: Meta { last_log_id, last_membership }, snapshot: file.path })
}

/// Applies where somebody waits for it.
async fn in_place<R: Runtime, T: Send + 'static>(
    runtime: R,
    work: impl FnOnce() -> Result<T, Fault> + Send + 'static,
) -> io::Result<T> {
    runtime.in_place(work).await?.map_err(Fault::into_io)
}

/// Runs work on the disk where it may wait.
async fn blocking<R: Runtime, T: Send + 'static>(
    runtime: R,
    work: impl FnOnce() -> Result<T, Fault> + Send + 'static,
) -> io::Result<T> {
    runtime.blocking(work).await?.map_err(Fault::into_io)
}
