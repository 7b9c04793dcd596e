//! Connections to other nodes that are kept between requests.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::body::Body;
use hyper::body::Incoming;
use hyper::client::conn::http1::{self, SendRequest};
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::{Semaphore, SemaphorePermit, TryAcquireError};
use tokio::time::timeout;

use crate::cluster::{Replica, Unavailable};
use crate::domain::limit;

use super::Lost;

/// The connections of this node to others.
pub(in crate::http) struct Lines {
    kept: Mutex<HashMap<u64, Vec<Line>>>,
    places: Semaphore,
}

/// One connection.
pub(super) struct Line {
    sender: SendRequest<Body>,
    used: Instant,
}

impl Lines {
    /// None yet.
    pub(in crate::http) fn new() -> Lines {
        Lines { kept: Mutex::default(), places: Semaphore::new(limit::FORWARDS_MAX) }
    }

    /// A place among the requests that are passed on now.
    pub(super) fn place(&self) -> Result<SemaphorePermit<'_>, TryAcquireError> {
        self.places.try_acquire()
    }

    /// A connection to a node: a kept one that is free, or a new one.
    pub(super) async fn to(&self, replica: &Replica, node: u64) -> Result<Line, Unavailable> {
        if let Some(line) = self.kept(node) {
            return Ok(line);
        }
        let patience = Duration::from_secs(limit::PEER_DIAL_SECONDS);
        let dialled = timeout(patience, async { open(replica.dial(node).await?).await });
        dialled.await.unwrap_or(Err(Unavailable::NoLeader))
    }

    /// Keeps a connection for the next request. It may still be carrying an answer's body.
    pub(super) fn keep(&self, node: u64, line: Line) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let lines = kept.entry(node).or_default();
        if lines.len() < limit::PEER_LINES_MAX {
            lines.push(line);
        }
    }

    fn kept(&self, node: u64) -> Option<Line> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let lines = kept.get_mut(&node)?;
        let idle = Duration::from_secs(limit::PEER_LINE_IDLE_SECONDS);
        lines.retain(|line| !line.sender.is_closed() && line.used.elapsed() < idle);
        // The one used last is the least likely to be closed by the other side.
        let free = lines.iter().rposition(|line| line.sender.is_ready())?;
        Some(lines.swap_remove(free))
    }
}

impl Line {
    /// Sends a request and waits for the head of its answer.
    pub(super) async fn send(
        &mut self,
        request: Request<Body>,
    ) -> Result<Response<Incoming>, Lost> {
        self.used = Instant::now();
        self.sender.try_send_request(request).await.map_err(|mut error| {
            // It comes back unless a part of it was written.
            let untouched = error.take_message().is_some();
            let error = error.into_error();
            tracing::debug!(%error, untouched, "another node did not answer");
            if untouched { Lost::Untouched } else { Lost::Unknown }
        })
    }
}

async fn open<S>(stream: S) -> Result<Line, Unavailable>
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let (sender, connection) =
        http1::handshake(TokioIo::new(stream)).await.map_err(|_| Unavailable::NoLeader)?;
    // It ends when the line is dropped and its last answer is read.
    tokio::spawn(async move {
        if let Err(error) = connection.await {
            tracing::debug!(%error, "a connection to another node ended");
        }
    });
    Ok(Line { sender, used: Instant::now() })
}
