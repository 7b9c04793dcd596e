//! The cluster port: lets other nodes in and serves them.

use std::io;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::{Arc, OnceLock, PoisonError};

use openraft::Raft;
use openraft::raft::{AppendEntriesRequest, AppendEntriesResponse};
use sha2::{Digest, Sha256};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use crate::domain::limit;

use super::dial::{Dialer, in_words};
use super::machine_adapter::MachineAdapter;
use super::network::{AppendHead, CHUNK_BYTES, CHUNK_TIME, SnapshotHead, in_time};
use super::raft_types::{Types, decode, encode};
use super::seat::Heard;
use super::wire::{
    self, Call, DONE, FAILED, FRAME_BYTES_MAX, GREETING_TIME, Hello, RefusedCode, Reply, Service,
    WIRE_VERSION,
};

/// A connection from another node, past the greetings.
pub type Guest = TlsStream<TcpStream>;

/// Serves HTTP to another node, until the connection ends.
pub type OnGuest =
    Box<dyn Fn(Guest, u64) -> Pin<Box<dyn Future<Output = ()> + Send>> + Send + Sync>;

/// What serving other nodes needs; clones share everything.
#[derive(Clone)]
pub(super) struct Port {
    pub(super) raft: Raft<Types, MachineAdapter>,
    pub(super) dialer: Dialer,
    pub(super) snapshots: PathBuf,
    pub(super) heard: Heard,
    pub(super) on_guest: Arc<OnceLock<OnGuest>>,
}

/// Accepts connections until the node stops.
pub(super) async fn run(port: Port, listener: TcpListener) {
    let places = Arc::new(Semaphore::new(limit::PEER_CONNECTIONS_MAX));
    let mut guests = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            Some(_) = guests.join_next() => continue,
        };
        let stream = match accepted {
            Ok((stream, _)) => stream,
            Err(error) => {
                // Out of file descriptors, mostly: those in use must end first.
                tracing::warn!(%error, "a node's connection could not be accepted");
                tokio::time::sleep(super::dial::RETRY).await;
                continue;
            }
        };
        let Ok(place) = places.clone().try_acquire_owned() else { continue };
        let port = port.clone();
        guests.spawn(async move {
            let from = stream.peer_addr();
            if let Err(error) = port.receive(stream, place).await {
                let from = from.map(|address| address.to_string()).unwrap_or_default();
                tracing::debug!(from, error = in_words(&error), "a node's connection ended");
            }
        });
    }
}

impl Port {
    async fn receive(&self, stream: TcpStream, place: OwnedSemaphorePermit) -> io::Result<()> {
        stream.set_nodelay(true)?;
        let from = stream.peer_addr()?;
        let greeting = tokio::time::timeout(GREETING_TIME, self.greet(stream)).await;
        let (mut guest, hello) = match greeting {
            Ok(Ok(greeted)) => greeted,
            Ok(Err(error)) => {
                // Somebody without our certificate, or a port scan: an operator may want to know.
                let why = in_words(&error);
                tracing::warn!(%from, why, "a connection to the cluster port was refused");
                return Err(error);
            }
            Err(_) => return Err(io::ErrorKind::TimedOut.into()),
        };
        if let Some((code, detail)) = self.objection(&guest, &hello).await {
            tracing::warn!(%from, node = hello.from, detail, "a node was refused");
            return wire::send(&mut guest, &Reply::Refused { code, detail }).await;
        }
        self.dialer.book.tell(hello.from, hello.about.clone());
        let about = self.dialer.about.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let leader = self.raft.current_leader().await;
        wire::send(&mut guest, &Reply::Welcome { about, leader }).await?;
        match hello.service {
            Service::Raft => self.serve_raft(guest, hello.from).await,
            Service::Http => {
                // The node behind it is known, and it bounds its requests and sockets itself: as
                // many as people may open there.
                drop(place);
                if let Some(serve) = self.on_guest.get() {
                    serve(guest, hello.from).await;
                }
                Ok(())
            }
            Service::Presence => guest.shutdown().await,
        }
    }

    async fn greet(&self, stream: TcpStream) -> io::Result<(Guest, Hello)> {
        let acceptor = TlsAcceptor::from(self.dialer.tls.server.clone());
        let mut guest = acceptor.accept(stream).await?;
        let hello = wire::receive(&mut guest).await?;
        Ok((guest, hello))
    }

    /// Why this caller may not come in, if so.
    async fn objection(&self, guest: &Guest, hello: &Hello) -> Option<(RefusedCode, String)> {
        let me = self.dialer.node;
        if hello.wire != WIRE_VERSION {
            let detail = format!(
                "node {me} speaks version {WIRE_VERSION} of the wire, you speak {}; run the same \
                 release of Greenroom on both",
                hello.wire
            );
            return Some((RefusedCode::Wire, detail));
        }
        if hello.cluster != self.dialer.cluster {
            let detail = format!("this is cluster {}, not yours", self.dialer.cluster);
            return Some((RefusedCode::Cluster, detail));
        }
        if hello.to != me {
            let detail = format!("this is node {me}, not node {}", hello.to);
            return Some((RefusedCode::Target, detail));
        }
        let certificates = guest.get_ref().1.peer_certificates();
        let own = certificates.and_then(|chain| chain.first());
        if !own.is_some_and(|certificate| self.dialer.tls.is_of(certificate, hello.from)) {
            let detail = format!("your certificate is not that of node {}", hello.from);
            return Some((RefusedCode::Identity, detail));
        }
        let (book, from) = (self.dialer.book.clone(), hello.from);
        let removed = tokio::task::spawn_blocking(move || book.is_removed(from)).await;
        if removed.unwrap_or(false) {
            let detail = format!(
                "node {from} was removed from this cluster; empty its data directory and join \
                 again with a new token"
            );
            return Some((RefusedCode::Removed, detail));
        }
        None
    }

    /// Answers calls one after the other, as they come.
    async fn serve_raft(&self, mut guest: Guest, from: u64) -> io::Result<()> {
        let mut frame = Vec::new();
        while wire::receive_frame(&mut guest, &mut frame, FRAME_BYTES_MAX).await? {
            let (call, body) = match frame.split_first() {
                Some((byte, body)) => (Call::read(*byte), body),
                None => (None, &[][..]),
            };
            let answered = match call {
                Some(Call::Snapshot) => self.take_snapshot(&mut guest, body, from).await,
                Some(call) => self.answer(call, body).await,
                None => Err(io::Error::other("this call is not known here")),
            };
            match answered {
                Ok(answer) => wire::send_frame(&mut guest, &[&[DONE], &answer]).await?,
                Err(error) => {
                    let why = error.to_string();
                    wire::send_frame(&mut guest, &[&[FAILED], why.as_bytes()]).await?;
                }
            }
        }
        Ok(())
    }

    async fn answer(&self, call: Call, body: &[u8]) -> io::Result<Vec<u8>> {
        match call {
            Call::Append => {
                let rpc = read_append(body)?;
                let answer = self.raft.append_entries(rpc).await.map_err(io::Error::other)?;
                if !matches!(answer, AppendEntriesResponse::HigherVote(_)) {
                    self.heard.now();
                }
                encode(&answer)
            }
            Call::Vote => encode(&self.raft.vote(decode(body)?).await.map_err(io::Error::other)?),
            Call::PreVote => {
                encode(&self.raft.pre_vote(decode(body)?).await.map_err(io::Error::other)?)
            }
            Call::TransferLeader => {
                let transfer = self.raft.handle_transfer_leader(decode(body)?).await;
                encode(&transfer.map_err(io::Error::other)?)
            }
            Call::Snapshot => Err(io::Error::other("a snapshot comes on a way of its own")),
        }
    }

    /// Takes a snapshot in, piece by piece, and installs it if it came whole.
    async fn take_snapshot(
        &self,
        guest: &mut Guest,
        head: &[u8],
        from: u64,
    ) -> io::Result<Vec<u8>> {
        let head: SnapshotHead = decode(head)?;
        let path = self.snapshots.join(format!("incoming-{from}.db"));
        let received = receive_file(guest, &path, head.bytes).await;
        let installed = match received {
            Ok(()) => {
                let snapshot = openraft::alias::SnapshotOf::<Types, PathBuf> {
                    meta: head.meta,
                    snapshot: path.clone(),
                };
                let installing = self.raft.install_full_snapshot(head.vote, snapshot);
                installing.await.map_err(io::Error::other)
            }
            Err(error) => Err(error),
        };
        // It was taken over, or is of no use.
        let _ = tokio::fs::remove_file(&path).await;
        encode(&installed?)
    }
}

fn read_append(body: &[u8]) -> io::Result<AppendEntriesRequest<Types>> {
    let pieces = wire::split(body)?;
    let (head, entries) =
        pieces.split_first().ok_or_else(|| io::Error::other("a call without its head"))?;
    let AppendHead { vote, prev_log_id, leader_commit } = decode(head)?;
    let entries = entries.iter().map(|entry| decode(entry)).collect::<io::Result<_>>()?;
    Ok(AppendEntriesRequest { vote, prev_log_id, entries, leader_commit })
}

async fn receive_file(guest: &mut Guest, path: &PathBuf, bytes: u64) -> io::Result<()> {
    let mut file = tokio::fs::File::create(path).await?;
    let mut hash = Sha256::new();
    let mut chunk = vec![0; CHUNK_BYTES];
    let mut left = bytes;
    while left > 0 {
        let want = CHUNK_BYTES.min(usize::try_from(left).unwrap_or(CHUNK_BYTES));
        let n = in_time(CHUNK_TIME, guest.read(&mut chunk[..want])).await?;
        if n == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        hash.update(&chunk[..n]);
        file.write_all(&chunk[..n]).await?;
        left -= n as u64;
    }
    let mut sum = [0; 32];
    in_time(CHUNK_TIME, guest.read_exact(&mut sum)).await?;
    if hash.finalize()[..] != sum {
        return Err(io::Error::other("the snapshot did not arrive as it was sent"));
    }
    file.sync_all().await
}
