//! One connection to another node for calls of consensus, with a task of its own.
//!
//! A call has its own, short patience; the connection outlives it. Otherwise a node that is slow to
//! shake hands could never be reached at all: each call would give up and begin anew.

use std::io;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};

use super::dial::{Dialer, Way};
use super::network::{Failure, in_time};
use super::wire::{self, Call, DONE, FRAME_BYTES_MAX, Service};

/// A call on its way, and where its answer goes.
type Sent = (Call, Vec<u8>, oneshot::Sender<Result<Vec<u8>, Failure>>);

/// The near end of a line.
#[derive(Clone)]
pub(super) struct Line {
    calls: mpsc::Sender<Sent>,
}

/// Calls that wait for one line: consensus has one of each kind in the air.
const CALLS_WAITING_MAX: usize = 8;

/// Without an answer for so long a line is dead, whatever its node is; the next call opens a new
/// one.
const DEAD_TIME: Duration = Duration::from_secs(2);

impl Line {
    /// Opens a line; calls wait until it stands.
    pub(super) fn open(dialer: Arc<OnceLock<Dialer>>, node: u64) -> Line {
        let (calls, waiting) = mpsc::channel(CALLS_WAITING_MAX);
        tokio::spawn(run(dialer, node, waiting));
        Line { calls }
    }

    /// Whether it has ended.
    pub(super) fn is_dead(&self) -> bool {
        self.calls.is_closed()
    }

    /// Sends a call and waits for its answer, up to a time.
    pub(super) async fn call(
        &self,
        call: Call,
        body: Vec<u8>,
        time: Duration,
    ) -> Result<Vec<u8>, Failure> {
        let (tell, told) = oneshot::channel();
        if self.calls.try_send((call, body, tell)).is_err() {
            return Err(Failure::NoWay("calls wait for an answer already".to_owned()));
        }
        match tokio::time::timeout(time, told).await {
            Ok(Ok(answered)) => answered,
            Ok(Err(_)) => Err(Failure::Broken(io::ErrorKind::ConnectionAborted.into())),
            Err(_) => Err(Failure::NoWay("no answer in time".to_owned())),
        }
    }
}

async fn run(dialer: Arc<OnceLock<Dialer>>, node: u64, mut calls: mpsc::Receiver<Sent>) {
    let mut way = match open(&dialer, node).await {
        Ok(way) => way,
        Err(why) => {
            calls.close();
            while let Some((_, _, tell)) = calls.recv().await {
                let _ = tell.send(Err(Failure::NoWay(why.clone())));
            }
            return;
        }
    };
    while let Some((call, body, tell)) = calls.recv().await {
        if tell.is_closed() {
            // Nobody waits any more; consensus has sent the same again.
            continue;
        }
        let answered = in_time(DEAD_TIME, exchange(&mut way, call, &body)).await;
        let broken = answered.is_err();
        let _ = tell.send(answered.map_err(Failure::Broken));
        if broken {
            return;
        }
    }
}

async fn open(dialer: &OnceLock<Dialer>, node: u64) -> Result<Way, String> {
    let Some(dialer) = dialer.get() else {
        return Err("this node has no certificate yet".to_owned());
    };
    match dialer.dial(node, Service::Raft).await {
        Ok(greeted) => Ok(greeted.way),
        Err(no_way) => Err(no_way.to_string()),
    }
}

async fn exchange(way: &mut Way, call: Call, body: &[u8]) -> io::Result<Vec<u8>> {
    wire::send_frame(way, &[&[call as u8], body]).await?;
    answer(way).await
}

/// Reads the answer to a call.
pub(super) async fn answer(way: &mut Way) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    if !wire::receive_frame(way, &mut bytes, FRAME_BYTES_MAX).await? {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    match bytes.split_first() {
        Some((&DONE, body)) => Ok(body.to_vec()),
        Some((_, why)) => Err(io::Error::other(String::from_utf8_lossy(why).into_owned())),
        None => Err(io::Error::other("the answer is empty")),
    }
}
