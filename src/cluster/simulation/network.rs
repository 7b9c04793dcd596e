//! The network: a message takes a drawn while, and may be lost, come twice, or come after a later
//! one; a way may be cut in one direction only.

use std::future::Future;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use openraft::errors::{RPCError, ReplicationClosed, StreamingError, Unreachable};
use openraft::network::RPCOption;
use openraft::raft::{
    AppendEntriesRequest, AppendEntriesResponse, SnapshotResponse, TransferLeaderRequest,
    TransferLeaderResponse, VoteRequest, VoteResponse,
};
use openraft::{AsyncRuntime, OptionalSend, RaftNetworkFactory, RaftNetworkV2};
use tokio::sync::oneshot;

use super::SimTypes;
use super::node::Running;
use super::runtime::Tasks;
use super::world::{World, lock};
use crate::cluster::raft_types::Peer;

type Vote = openraft::alias::VoteOf<SimTypes>;
type Snapshot = openraft::alias::SnapshotOf<SimTypes, PathBuf>;
type Answer<T> = Pin<Box<dyn Future<Output = Option<T>> + Send>>;

/// The network as one node sees it.
pub(super) struct Network {
    pub(super) world: Arc<World>,
    pub(super) from: u64,
}

/// The way to one other node.
pub(super) struct Way {
    world: Arc<World>,
    from: u64,
    to: u64,
}

impl RaftNetworkFactory<SimTypes> for Network {
    type Network = Way;

    async fn new_client(&mut self, target: u64, _node: &Peer) -> Way {
        Way { world: self.world.clone(), from: self.from, to: target }
    }
}

/// Who waits for an answer; the first one that comes is taken.
type Waiting<T> = Arc<Mutex<Option<oneshot::Sender<Option<T>>>>>;

impl Way {
    /// Sends a message and waits for its answer, but no longer than the caller does.
    async fn call<T: Send + 'static>(
        &self,
        what: &'static str,
        time: Duration,
        handle: impl Fn(Running) -> Answer<T> + Clone + Send + 'static,
    ) -> Result<T, RPCError<SimTypes>> {
        let (world, from, to) = (&self.world, self.from, self.to);
        let (tell, told) = oneshot::channel();
        let waiting: Waiting<T> = Arc::new(Mutex::new(Some(tell)));
        let copies = if self.happens(world.weather.doubling) { 2 } else { 1 };
        for _ in 0..copies {
            let (world, waiting, handle) = (world.clone(), waiting.clone(), handle.clone());
            let lost = self.happens(world.weather.loss);
            let (there, back) = (self.delay(), self.delay());
            let comes_back = !self.happens(world.weather.loss);
            // A message on its way belongs to nobody: it arrives even if its sender is gone.
            let _message = openraft_rt_sim::SimRuntime::spawn(async move {
                Tasks::sleep(there).await;
                if lost || world.is_cut(from, to) {
                    return;
                }
                world.trace(&format!("{what} {from}>{to}"));
                let answer = match world.running(to) {
                    Some(running) => match running.power.spawn(handle(running.clone())).await {
                        Ok(Some(answer)) => Some(answer),
                        _ => return,
                    },
                    // Nobody listens there; the sender learns it as from a refused connection.
                    None => None,
                };
                Tasks::sleep(back).await;
                if comes_back
                    && !world.is_cut(to, from)
                    && let Some(tell) = lock(&waiting).take()
                {
                    let _ = tell.send(answer);
                }
            });
        }
        match Tasks::timeout(time, told).await {
            Ok(Ok(Some(answer))) => Ok(answer),
            Ok(_) => Err(self.unreachable("it is down")),
            Err(_) => Err(self.unreachable("no answer in time")),
        }
    }

    fn happens(&self, share: u64) -> bool {
        !self.world.is_calm() && self.world.chance.permille(share)
    }

    /// Most messages are quick; a few take so long that later ones overtake them.
    fn delay(&self) -> Duration {
        let chance = &self.world.chance;
        match self.happens(50) {
            true => chance.micros(50, 10_000 * self.world.weather.delay_ms),
            false => chance.micros(50, 1_000 * self.world.weather.delay_ms),
        }
    }

    fn unreachable(&self, why: &str) -> RPCError<SimTypes> {
        RPCError::Unreachable(Unreachable::from_string(format!("node {}: {why}", self.to)))
    }

    /// Carries the file to the other node's disk, as it is when it is read.
    async fn carry(
        &self,
        vote: Vote,
        snapshot: Snapshot,
    ) -> Result<SnapshotResponse<SimTypes>, RPCError<SimTypes>> {
        let world = &self.world;
        // Reaching the other node may take a while, and the file may change meanwhile.
        let dialling = if self.happens(300) { world.chance.millis(0, 3_000) } else { self.delay() };
        world.sleep(dialling).await;
        let carried = world.folder.join(format!("carried-{:016x}.db", world.chance.next()));
        std::fs::copy(&snapshot.snapshot, &carried)
            .map_err(|_| self.unreachable("the file is gone"))?;
        world.sleep(world.chance.millis(1, 200)).await;
        let sent = Snapshot { meta: snapshot.meta, snapshot: carried };
        let handle = move |running: Running| -> Answer<SnapshotResponse<SimTypes>> {
            let sent = Snapshot { meta: sent.meta.clone(), snapshot: sent.snapshot.clone() };
            Box::pin(async move { running.raft.install_full_snapshot(vote, sent).await.ok() })
        };
        let answer = self.call("snapshot", Duration::from_secs(10), handle).await;
        if answer.is_ok() {
            world.count("snapshots installed");
        }
        answer
    }
}

impl RaftNetworkV2<SimTypes> for Way {
    type SnapshotData = PathBuf;

    async fn append_entries(
        &mut self,
        rpc: AppendEntriesRequest<SimTypes>,
        option: RPCOption,
    ) -> Result<AppendEntriesResponse<SimTypes>, RPCError<SimTypes>> {
        let handle = move |running: Running| -> Answer<_> {
            let rpc = rpc.clone();
            Box::pin(async move { running.raft.append_entries(rpc).await.ok() })
        };
        self.call("append", option.soft_ttl(), handle).await
    }

    async fn vote(
        &mut self,
        rpc: VoteRequest<SimTypes>,
        option: RPCOption,
    ) -> Result<VoteResponse<SimTypes>, RPCError<SimTypes>> {
        let handle = move |running: Running| -> Answer<_> {
            let rpc = rpc.clone();
            Box::pin(async move { running.raft.vote(rpc).await.ok() })
        };
        self.call("vote", option.soft_ttl(), handle).await
    }

    async fn pre_vote(
        &mut self,
        rpc: VoteRequest<SimTypes>,
        option: RPCOption,
    ) -> Result<VoteResponse<SimTypes>, RPCError<SimTypes>> {
        let handle = move |running: Running| -> Answer<_> {
            let rpc = rpc.clone();
            Box::pin(async move { running.raft.pre_vote(rpc).await.ok() })
        };
        self.call("pre-vote", option.soft_ttl(), handle).await
    }

    async fn transfer_leader(
        &mut self,
        rpc: TransferLeaderRequest<SimTypes>,
        option: RPCOption,
    ) -> Result<TransferLeaderResponse<SimTypes>, RPCError<SimTypes>> {
        let handle = move |running: Running| -> Answer<_> {
            let rpc = rpc.clone();
            Box::pin(async move { running.raft.handle_transfer_leader(rpc).await.ok() })
        };
        self.call("transfer", option.soft_ttl(), handle).await
    }

    async fn full_snapshot(
        &mut self,
        vote: Vote,
        snapshot: Snapshot,
        cancel: impl Future<Output = ReplicationClosed> + OptionalSend + 'static,
        _option: RPCOption,
    ) -> Result<SnapshotResponse<SimTypes>, StreamingError<SimTypes>> {
        tokio::select! {
            biased;
            closed = cancel => Err(StreamingError::Closed(closed)),
            sent = self.carry(vote, snapshot) => sent.map_err(StreamingError::from),
        }
    }
}
