//! Consensus' calls to other nodes, over connections of their own: one for the log, one for
//! heartbeats, one for snapshots, so that none waits behind another.

use std::future::Future;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use openraft::errors::{NetworkError, RPCError, ReplicationClosed, StreamingError, Unreachable};
use openraft::network::RPCOption;
use openraft::raft::{
    AppendEntriesRequest, AppendEntriesResponse, SnapshotResponse, TransferLeaderRequest,
    TransferLeaderResponse, VoteRequest, VoteResponse,
};
use openraft::{OptionalSend, RaftNetworkFactory, RaftNetworkV2};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::domain::limit;

use super::dial::{Dialer, Way};
use super::line::{Line, answer};
use super::raft_types::{LogId, Peer, Types, decode, encode};
use super::wire::{self, Call, Service};

type Vote = openraft::alias::VoteOf<Types>;
type Snapshot = openraft::alias::SnapshotOf<Types, PathBuf>;
type SnapshotMeta = openraft::alias::SnapshotMetaOf<Types>;

/// Makes ways to other nodes. Until the node has its papers there is none.
#[derive(Clone)]
pub(super) struct Peers {
    pub(super) dialer: Arc<OnceLock<Dialer>>,
}

/// The way to one node; it is opened when it is first used, and again after a failure.
pub(super) struct PeerClient {
    target: u64,
    dialer: Arc<OnceLock<Dialer>>,
    line: Option<Line>,
}

/// What goes before the entries of a call.
#[derive(Serialize, Deserialize)]
pub(super) struct AppendHead {
    pub(super) vote: Vote,
    pub(super) prev_log_id: Option<LogId>,
    pub(super) leader_commit: Option<LogId>,
}

/// What goes before the bytes of a snapshot; its SHA-256 comes after them.
#[derive(Serialize, Deserialize)]
pub(super) struct SnapshotHead {
    pub(super) vote: Vote,
    pub(super) meta: SnapshotMeta,
    pub(super) bytes: u64,
}

/// How long entries may take to a follower's disk: its fsync may have to wait for other work there.
const APPEND_TIME: Duration = Duration::from_secs(2);

/// A snapshot is sent in pieces of this size.
pub(super) const CHUNK_BYTES: usize = 1 << 20;

/// How long one piece of a snapshot may take before the line counts as dead.
pub(super) const CHUNK_TIME: Duration = Duration::from_secs(20);

/// How long installing a snapshot may take: a gigabyte on a slow disk.
const INSTALL_TIME: Duration = Duration::from_secs(300);

/// Why a call came to nothing.
pub(super) enum Failure {
    /// There is no way at all; consensus waits a little before it tries again.
    NoWay(String),
    /// The way broke.
    Broken(io::Error),
}

impl RaftNetworkFactory<Types> for Peers {
    type Network = PeerClient;

    async fn new_client(&mut self, target: u64, _node: &Peer) -> PeerClient {
        PeerClient { target, dialer: self.dialer.clone(), line: None }
    }
}

impl PeerClient {
    /// Sends a call and waits for its answer.
    async fn call(
        &mut self,
        call: Call,
        body: Vec<u8>,
        time: Duration,
    ) -> Result<Vec<u8>, Failure> {
        let line = match self.line.take().filter(|line| !line.is_dead()) {
            Some(line) => line,
            None => Line::open(self.dialer.clone(), self.target),
        };
        self.line.insert(line).call(call, body, time).await
    }

    async fn open(&self) -> Result<Way, Failure> {
        let Some(dialer) = self.dialer.get() else {
            return Err(Failure::NoWay("this node has no certificate yet".to_owned()));
        };
        match dialer.dial(self.target, Service::Raft).await {
            Ok(greeted) => Ok(greeted.way),
            Err(no_way) => Err(Failure::NoWay(no_way.to_string())),
        }
    }

    async fn send_snapshot(
        &mut self,
        vote: Vote,
        snapshot: Snapshot,
    ) -> Result<SnapshotResponse<Types>, Failure> {
        let mut way = self.open().await?;
        let sending = async {
            let mut file = tokio::fs::File::open(&snapshot.snapshot).await?;
            let bytes = file.metadata().await?.len();
            let head = encode(&SnapshotHead { vote, meta: snapshot.meta, bytes })?;
            wire::send_frame(&mut way, &[&[Call::Snapshot as u8], &head]).await?;
            let mut hash = Sha256::new();
            let mut chunk = vec![0; CHUNK_BYTES];
            let mut left = bytes;
            while left > 0 {
                let n = file.read(&mut chunk[..CHUNK_BYTES.min(left as usize)]).await?;
                if n == 0 {
                    return Err(io::ErrorKind::UnexpectedEof.into());
                }
                hash.update(&chunk[..n]);
                in_time(CHUNK_TIME, way.write_all(&chunk[..n])).await?;
                left -= n as u64;
            }
            way.write_all(&hash.finalize()).await?;
            way.flush().await?;
            let answer = in_time(INSTALL_TIME, answer(&mut way)).await?;
            decode(&answer)
        };
        sending.await.map_err(Failure::Broken)
    }
}

impl RaftNetworkV2<Types> for PeerClient {
    type SnapshotData = PathBuf;

    async fn append_entries(
        &mut self,
        rpc: AppendEntriesRequest<Types>,
        option: RPCOption,
    ) -> Result<AppendEntriesResponse<Types>, RPCError<Types>> {
        let (body, partly) = write_append(&rpc).map_err(|e| Failure::Broken(e).rpc())?;
        // A heartbeat must be answered before the next one; entries have to reach a disk first.
        let time = if rpc.entries.is_empty() { option.soft_ttl() } else { APPEND_TIME };
        let answer = self.call(Call::Append, body, time).await.map_err(Failure::rpc)?;
        let response = decode(&answer).map_err(|e| Failure::Broken(e).rpc())?;
        Ok(match (response, partly) {
            (AppendEntriesResponse::Success, Some(last)) => {
                AppendEntriesResponse::PartialSuccess(Some(last))
            }
            (response, _) => response,
        })
    }

    async fn vote(
        &mut self,
        rpc: VoteRequest<Types>,
        option: RPCOption,
    ) -> Result<VoteResponse<Types>, RPCError<Types>> {
        self.ask(Call::Vote, &rpc, &option).await
    }

    async fn pre_vote(
        &mut self,
        rpc: VoteRequest<Types>,
        option: RPCOption,
    ) -> Result<VoteResponse<Types>, RPCError<Types>> {
        self.ask(Call::PreVote, &rpc, &option).await
    }

    async fn transfer_leader(
        &mut self,
        rpc: TransferLeaderRequest<Types>,
        option: RPCOption,
    ) -> Result<TransferLeaderResponse<Types>, RPCError<Types>> {
        self.ask(Call::TransferLeader, &rpc, &option).await
    }

    async fn full_snapshot(
        &mut self,
        vote: Vote,
        snapshot: Snapshot,
        cancel: impl Future<Output = ReplicationClosed> + OptionalSend + 'static,
        _option: RPCOption,
    ) -> Result<SnapshotResponse<Types>, StreamingError<Types>> {
        tokio::select! {
            closed = cancel => Err(StreamingError::Closed(closed)),
            sent = self.send_snapshot(vote, snapshot) => sent.map_err(|failure| match failure {
                Failure::NoWay(why) => StreamingError::Unreachable(Unreachable::from_string(why)),
                Failure::Broken(error) => StreamingError::Network(NetworkError::new(&error)),
            }),
        }
    }
}

impl PeerClient {
    async fn ask<Q: Serialize, A: serde::de::DeserializeOwned>(
        &mut self,
        call: Call,
        question: &Q,
        option: &RPCOption,
    ) -> Result<A, RPCError<Types>> {
        let body = encode(question).map_err(|e| Failure::Broken(e).rpc())?;
        let answer = self.call(call, body, option.soft_ttl()).await.map_err(Failure::rpc)?;
        decode(&answer).map_err(|e| Failure::Broken(e).rpc())
    }
}

impl Failure {
    fn rpc(self) -> RPCError<Types> {
        match self {
            Failure::NoWay(why) => RPCError::Unreachable(Unreachable::from_string(why)),
            Failure::Broken(error) => RPCError::Network(NetworkError::new(&error)),
        }
    }
}

/// Writes a call with as many of its entries as fit; the second part is the last one, if some are
/// left for the next call.
fn write_append(rpc: &AppendEntriesRequest<Types>) -> io::Result<(Vec<u8>, Option<LogId>)> {
    use openraft::entry::RaftEntry;
    let head = AppendHead {
        vote: rpc.vote,
        prev_log_id: rpc.prev_log_id,
        leader_commit: rpc.leader_commit,
    };
    let mut pieces = vec![encode(&head)?];
    let mut bytes = 0;
    let mut partly = None;
    for (n, entry) in rpc.entries.iter().enumerate() {
        let piece = encode(entry)?;
        if n > 0 && bytes + piece.len() > limit::APPEND_BYTES {
            partly = Some(rpc.entries[n - 1].log_id());
            break;
        }
        bytes += piece.len();
        pieces.push(piece);
    }
    Ok((wire::join(pieces.iter().map(Vec::as_slice))?, partly))
}

/// Gives up after a while.
pub(super) async fn in_time<T>(
    time: Duration,
    work: impl Future<Output = io::Result<T>>,
) -> io::Result<T> {
    tokio::time::timeout(time, work).await.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
}
