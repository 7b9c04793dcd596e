//! Connections: accepts them, times slow heads out, lets running requests end on a stop.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, UnixListener};
use tokio::sync::{Semaphore, watch};
use tower::ServiceExt;

use crate::domain::limit;
use crate::store::Fault;
use crate::store::directory::restrict;

use super::caller::ThroughOperatorSocket;
use super::forward;

/// Where a connection comes from.
#[derive(Clone, Copy, Debug)]
pub struct Peer(Option<SocketAddr>);

impl Peer {
    /// Whoever another node speaks for: somebody at this address, or not told.
    pub(super) fn elsewhere(address: Option<SocketAddr>) -> Peer {
        let unknown = SocketAddr::from(([0, 0, 0, 0], 0));
        Peer(Some(address.unwrap_or(unknown)))
    }

    /// The address, if it came over the network.
    pub(super) fn address(self) -> Option<SocketAddr> {
        self.0
    }

    /// Whether it comes from this machine.
    pub fn is_loopback(self) -> bool {
        self.0.is_none_or(|address| address.ip().is_loopback())
    }
}

/// Connections of one listener: sockets, and as many plain requests again.
const CONNECTIONS_MAX: usize = 2 * limit::SOCKETS_MAX;

/// Commands of operators at once.
const OPERATORS_MAX: usize = 64;

/// Serves people and programs until told to stop.
pub async fn tcp(listener: TcpListener, router: Router, mut stop: watch::Receiver<bool>) {
    let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = told(&mut stop) => break,
        };
        match accepted {
            Ok((stream, address)) => {
                // Small frames must not wait for a full packet.
                let _ = stream.set_nodelay(true);
                connect(stream, Peer(Some(address)), false, &router, &places, &stop);
            }
            Err(error) => breathe(&error).await,
        }
    }
    finish(&places, CONNECTIONS_MAX).await;
}

/// Serves the operator through the socket in the data directory.
pub async fn unix(listener: UnixListener, router: Router, mut stop: watch::Receiver<bool>) {
    let places = Arc::new(Semaphore::new(OPERATORS_MAX));
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = told(&mut stop) => break,
        };
        match accepted {
            Ok((stream, _)) => connect(stream, Peer(None), true, &router, &places, &stop),
            Err(error) => breathe(&error).await,
        }
    }
    finish(&places, OPERATORS_MAX).await;
}

/// Serves one connection of another node until it ends. Its certificate was checked before: what it
/// says of its callers is believed.
pub async fn peer<S>(stream: S, router: Router, node: u64)
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let service = service_fn(move |request: hyper::Request<Incoming>| {
        let mut request = request.map(Body::new);
        forward::arrive(&mut request, node);
        let answer = router.clone().oneshot(request);
        async move { answer.await.map(forward::depart) }
    });
    let connection = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(Duration::from_secs(limit::PEER_SILENCE_SECONDS))
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    if let Err(error) = connection.await {
        tracing::debug!(%error, node, "a connection of another node ended");
    }
}

/// Opens the operator's socket; one that was left behind by a killed process is replaced, which the
/// lock on the directory makes safe.
pub fn bind_unix(path: &Path) -> Result<UnixListener, Fault> {
    let bind = || -> std::io::Result<UnixListener> {
        match std::fs::remove_file(path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let listener = UnixListener::bind(path)?;
        restrict(path, 0o600)?;
        Ok(listener)
    };
    bind().map_err(|e| Fault::new(format!("cannot open {}", path.display()), e))
}

fn connect<S>(
    stream: S,
    peer: Peer,
    operator: bool,
    router: &Router,
    places: &Arc<Semaphore>,
    stop: &watch::Receiver<bool>,
) where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    // Over the bound a connection is dropped at once, which a client sees and can try again.
    let Ok(place) = places.clone().try_acquire_owned() else { return };
    let router = router.clone();
    let service = service_fn(move |request: hyper::Request<Incoming>| {
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(ConnectInfo(peer));
        if operator {
            request.extensions_mut().insert(ThroughOperatorSocket);
        }
        router.clone().oneshot(request)
    });
    let connection = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(Duration::from_secs(limit::REQUEST_HEAD_SECONDS))
        .max_headers(limit::REQUEST_HEADERS_MAX)
        .max_buf_size(limit::REQUEST_HEAD_BYTES_MAX)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    let mut stop = stop.clone();
    tokio::spawn(async move {
        let mut connection = std::pin::pin!(connection);
        let ended = tokio::select! {
            ended = connection.as_mut() => ended,
            () = told(&mut stop) => {
                // The request that runs is answered, then the connection ends.
                connection.as_mut().graceful_shutdown();
                connection.await
            }
        };
        if let Err(error) = ended {
            tracing::debug!(%error, "a connection ended");
        }
        drop(place);
    });
}

/// Out of file descriptors, most likely: accepting at full speed would only burn the core.
async fn breathe(error: &std::io::Error) {
    tracing::warn!(%error, "a connection could not be accepted");
    tokio::time::sleep(Duration::from_millis(100)).await;
}

/// Waits until the node stops, or nobody is left to say so.
async fn told(stop: &mut watch::Receiver<bool>) {
    let _ = stop.wait_for(|stop| *stop).await;
}

/// Waits until every connection has given its place back.
async fn finish(places: &Semaphore, all: usize) {
    let limit = Duration::from_secs(limit::DRAIN_SECONDS);
    let all = u32::try_from(all).unwrap_or(u32::MAX);
    if tokio::time::timeout(limit, places.acquire_many(all)).await.is_err() {
        tracing::warn!("some requests did not end in time and are cut off");
    }
}
