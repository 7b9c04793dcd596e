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
use tokio::net::{TcpListener, TcpStream, UnixListener};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tower::ServiceExt;

use crate::domain::limit;
use crate::store::Fault;
use crate::store::directory::restrict;

use super::caller::ThroughOperatorSocket;
use super::crowd::{Crowd, Held};
use super::forward;
use super::patience::Patience;
use super::tls::{Tls, plain};

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

/// The first byte of whoever speaks TLS: a record of the handshake (RFC 8446, section 5.1). No
/// method of HTTP begins with it.
const TLS_HANDSHAKE: u8 = 22;

/// A place among the connections of its listener, and among those of its address.
type Places = (OwnedSemaphorePermit, Held);

/// Commands of operators at once.
const OPERATORS_MAX: usize = 64;

/// How people and programs come in.
#[derive(Clone)]
pub struct Door {
    /// What answers them.
    pub router: Router,
    /// What encrypts; without it the door speaks plain HTTP.
    pub tls: Option<Tls>,
    /// What sends those on who speak plain HTTP where `tls` is.
    pub plain: Router,
    /// How many each address has here.
    pub crowd: Arc<Crowd>,
}

impl Door {
    /// What answers on a door that only sends people on to https.
    pub fn sends_on(&self) -> Door {
        Door { router: self.plain.clone(), tls: None, ..self.clone() }
    }

    /// Answers those who speak plain HTTP where TLS is spoken. Without a `public_url` they are sent
    /// to the host that they asked for, at this port.
    pub fn to_https(public_url: Option<String>, port: u16) -> Router {
        plain::router(public_url, port)
    }
}

/// Serves people and programs until told to stop.
pub async fn tcp(listener: TcpListener, door: Door, mut stop: watch::Receiver<bool>) {
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
                // Over a bound a connection is dropped at once, which a client sees and can try
                // again.
                let Ok(place) = places.clone().try_acquire_owned() else { continue };
                let Ok(counted) = door.crowd.enter(address.ip()) else { continue };
                tokio::spawn(welcome(
                    stream,
                    address,
                    door.clone(),
                    stop.clone(),
                    (place, counted.into()),
                ));
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
            Ok((stream, _)) => {
                let Ok(place) = places.clone().try_acquire_owned() else { continue };
                let (router, stop) = (router.clone(), stop.clone());
                let places = (place, None.into());
                tokio::spawn(connect(stream, Peer(None), true, router, stop, places));
            }
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

/// Finds out what a new connection speaks, and serves it until it ends.
async fn welcome(
    stream: TcpStream,
    address: SocketAddr,
    door: Door,
    mut stop: watch::Receiver<bool>,
    places: Places,
) {
    let peer = Peer(Some(address));
    let Some(tls) = &door.tls else {
        return connect(stream, peer, false, door.router, stop, places).await;
    };
    let patience = Duration::from_secs(limit::REQUEST_HEAD_SECONDS);
    let shaken = async {
        let mut first = [0];
        if stream.peek(&mut first).await? > 0 && first != [TLS_HANDSHAKE] {
            return Ok(Err(stream));
        }
        tls.acceptor().accept(stream).await.map(Ok)
    };
    let shaken = tokio::select! {
        shaken = tokio::time::timeout(patience, shaken) => shaken,
        () = told(&mut stop) => return,
    };
    match shaken {
        Ok(Ok(Ok(stream))) => connect(stream, peer, false, door.router, stop, places).await,
        Ok(Ok(Err(stream))) => connect(stream, peer, false, door.plain, stop, places).await,
        Ok(Err(error)) => tracing::debug!(%error, "a TLS handshake failed"),
        Err(_) => tracing::debug!("a TLS handshake took too long"),
    }
}

/// Serves one connection until it ends; its places are given back then.
async fn connect<S>(
    stream: S,
    peer: Peer,
    operator: bool,
    router: Router,
    mut stop: watch::Receiver<bool>,
    places: Places,
) where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let (place, held) = places;
    let service = service_fn(move |request: hyper::Request<Incoming>| {
        let mut request = request.map(|body| Body::new(Patience::with(body)));
        request.extensions_mut().insert(ConnectInfo(peer));
        request.extensions_mut().insert(held.clone());
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
