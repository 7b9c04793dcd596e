//! A file from a node, as large as it may be: nothing of it stays in memory.

use std::io::Write;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::Request;
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::timeout;

use super::{Error, REPLY_BYTES_MAX, broke, read};
use crate::domain::limit;

/// Writes the answer to a request into `to`; an answer that is a refusal comes back as one.
pub(super) async fn receive(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    request: Request<Full<Bytes>>,
    to: &mut impl Write,
) -> Result<(), Error> {
    let (mut sender, connection) =
        http1::handshake(TokioIo::new(stream)).await.map_err(|error| broke(error.to_string()))?;
    tokio::spawn(connection);
    // The node copies its state before it says anything.
    let answered = timeout(seconds(limit::BACKUP_SECONDS), sender.send_request(request));
    let response = answered.await.map_err(|_| broke("the node gave no answer".to_owned()))?;
    let response = response.map_err(|error| broke(error.to_string()))?;
    let status = response.status().as_u16();
    if status == 200 {
        return pieces(response.into_body(), to).await;
    }
    let body = Limited::new(response.into_body(), REPLY_BYTES_MAX).collect().await;
    let body = body.map_err(|error| broke(error.to_string()))?.to_bytes();
    read(status, &body).map(|_| ())?;
    Err(Error::fault(format!("the node answered with status {status} where a file was asked for")))
}

async fn pieces(mut body: Incoming, to: &mut impl Write) -> Result<(), Error> {
    loop {
        let next = timeout(seconds(limit::BACKUP_STALL_SECONDS), body.frame());
        let next = next.await.map_err(|_| broke("nothing came any more".to_owned()))?;
        let Some(frame) = next else { return Ok(()) };
        let frame = frame.map_err(|error| broke(error.to_string()))?;
        if let Ok(piece) = frame.into_data() {
            to.write_all(&piece).map_err(|error| {
                Error::refused("the file cannot be written").why(error.to_string())
            })?;
        }
    }
}

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}
