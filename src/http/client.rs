//! A request to another program over HTTP/1.1: bounded in time and size, and never redirected.

use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::client::conn::http1;
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::time::timeout;

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    /// Nobody took the request, or the connection broke.
    #[error("it could not be reached: {0}")]
    Unreachable(String),
    /// It took too long.
    #[error("it gave no answer within {0} seconds")]
    Late(u64),
    /// It said too much.
    #[error("its answer is larger than {0} bytes")]
    TooLarge(usize),
    /// It refused, or pointed elsewhere.
    #[error("it answered with status {0}")]
    Status(u16),
}

/// What an answer may cost.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    pub(super) seconds: u64,
    pub(super) bytes_max: usize,
}

/// Sends one request to `authority` on a connection of its own and reads the whole answer.
pub(super) async fn exchange(
    authority: &str,
    request: Request<Full<Bytes>>,
    bounds: Bounds,
) -> Result<Bytes, Failure> {
    let whole = timeout(Duration::from_secs(bounds.seconds), talk(authority, request, bounds));
    whole.await.unwrap_or(Err(Failure::Late(bounds.seconds)))
}

async fn talk(
    authority: &str,
    request: Request<Full<Bytes>>,
    bounds: Bounds,
) -> Result<Bytes, Failure> {
    let broke = |error: &dyn std::fmt::Display| Failure::Unreachable(error.to_string());
    // A URL without a port means HTTP's own; a colon within brackets belongs to the address.
    let has_port = authority.rsplit(']').next().is_some_and(|end| end.contains(':'));
    let address = if has_port { authority.to_owned() } else { format!("{authority}:80") };
    let stream = TcpStream::connect(address).await.map_err(|error| broke(&error))?;
    let (mut sender, connection) =
        http1::handshake(TokioIo::new(stream)).await.map_err(|error| broke(&error))?;
    let exchange = async {
        let response = sender.send_request(request).await.map_err(|error| broke(&error))?;
        if response.status() != StatusCode::OK {
            return Err(Failure::Status(response.status().as_u16()));
        }
        let body = Limited::new(response.into_body(), bounds.bytes_max).collect().await;
        body.map(|body| body.to_bytes()).map_err(|error| match error.is::<LengthLimitError>() {
            true => Failure::TooLarge(bounds.bytes_max),
            false => broke(&error),
        })
    };
    // In one task, so that giving up also ends the connection.
    tokio::pin!(exchange, connection);
    tokio::select! {
        answer = &mut exchange => answer,
        ended = &mut connection => match ended {
            Ok(()) => exchange.await,
            Err(error) => Err(broke(&error)),
        },
    }
}
