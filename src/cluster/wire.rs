//! What goes over a connection between two nodes: a greeting, then one service.
//!
//! **Invariant:** the greeting's form is for good. A node of any release can read who calls, which
//! wire version it speaks, and say no in words.

use std::io;
use std::time::Duration;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use crate::domain::id::ClusterId;
use crate::domain::limit;

/// The version of everything after the greeting. A node refuses any other one.
pub(super) const WIRE_VERSION: u16 = 1;

/// What the caller wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Service {
    /// Calls of consensus, one after the other.
    Raft,
    /// HTTP/1.1, as at the node's own door.
    Http,
    /// Nothing more: the greeting says where the caller is and how it stands.
    Presence,
}

/// The caller's first words.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Hello {
    pub(super) wire: u16,
    pub(super) cluster: ClusterId,
    pub(super) from: u64,
    pub(super) to: u64,
    pub(super) service: Service,
    #[serde(flatten)]
    pub(super) about: About,
}

/// What nodes tell each other about themselves.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct About {
    /// Its address for nodes.
    pub address: String,
    /// Its address for people.
    pub http: String,
    /// The release.
    pub version: String,
    /// The highest level of the schema that it can run.
    pub level: u32,
}

/// The answer to a greeting.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Reply {
    Welcome {
        #[serde(flatten)]
        about: About,
        /// Who leads, as far as this node knows.
        leader: Option<u64>,
    },
    Refused {
        code: RefusedCode,
        detail: String,
    },
}

/// Why a node was not let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum RefusedCode {
    /// It speaks another version.
    Wire,
    /// It belongs to another cluster.
    Cluster,
    /// It wanted somebody else.
    Target,
    /// Its certificate is not that of the node that it says it is.
    Identity,
    /// It was removed from the cluster.
    Removed,
    /// There are too many connections.
    Busy,
    /// A later release may know more of them.
    #[serde(other)]
    Other,
}

/// A greeting is some hundred bytes.
const GREETING_BYTES_MAX: usize = 8 << 10;

/// Both sides must have greeted within this time.
pub(super) const GREETING_TIME: Duration = Duration::from_secs(5);

/// Sends a greeting or the answer to one.
pub(super) async fn send<T: Serialize>(
    stream: &mut (impl AsyncWrite + Unpin),
    value: &T,
) -> io::Result<()> {
    let bytes = serde_json::to_vec(value).map_err(io::Error::other)?;
    send_frame(stream, &[&bytes]).await
}

/// Receives a greeting or the answer to one.
pub(super) async fn receive<T: DeserializeOwned>(
    stream: &mut (impl AsyncRead + Unpin),
) -> io::Result<T> {
    let mut bytes = Vec::new();
    if !receive_frame(stream, &mut bytes, GREETING_BYTES_MAX).await? {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    serde_json::from_slice(&bytes).map_err(io::Error::other)
}

/// Sends a frame: its length, then its parts.
pub(super) async fn send_frame(
    stream: &mut (impl AsyncWrite + Unpin),
    parts: &[&[u8]],
) -> io::Result<()> {
    let len = parts.iter().map(|part| part.len()).sum::<usize>();
    let head = u32::try_from(len).map_err(io::Error::other)?.to_be_bytes();
    // In one piece: TLS makes a record, and so a packet, of each write.
    let mut whole = Vec::with_capacity(4 + len);
    whole.extend_from_slice(&head);
    for part in parts {
        whole.extend_from_slice(part);
    }
    stream.write_all(&whole).await?;
    stream.flush().await
}

/// Receives a frame into `bytes`; `false` if the other side has closed between two frames.
pub(super) async fn receive_frame(
    stream: &mut (impl AsyncRead + Unpin),
    bytes: &mut Vec<u8>,
    max: usize,
) -> io::Result<bool> {
    let mut head = [0; 4];
    match stream.read_exact(&mut head).await {
        Ok(_) => {}
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(false),
        Err(error) => return Err(error),
    }
    let len = u32::from_be_bytes(head) as usize;
    if len > max {
        return Err(io::Error::other(format!("a frame of {len} bytes is over the limit of {max}")));
    }
    bytes.clear();
    // Not reserved at once: whoever announces much must also send it.
    let got = stream.take(len as u64).read_to_end(bytes).await?;
    if got < len {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(true)
}

/// A call of consensus.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Call {
    Append = 1,
    Vote = 2,
    PreVote = 3,
    TransferLeader = 4,
    Snapshot = 5,
}

impl Call {
    /// The call of a frame's first byte.
    pub(super) fn read(byte: u8) -> Option<Call> {
        [Call::Append, Call::Vote, Call::PreVote, Call::TransferLeader, Call::Snapshot]
            .into_iter()
            .find(|call| *call as u8 == byte)
    }
}

/// The first byte of an answer.
pub(super) const DONE: u8 = 0;

/// The first byte of an answer that is a reason in words.
pub(super) const FAILED: u8 = 1;

/// The largest frame: one entry at its largest, or many within [`limit::APPEND_BYTES`].
pub(super) const FRAME_BYTES_MAX: usize = limit::APPEND_BYTES + limit::ENTRY_BYTES_MAX;

/// Puts pieces behind each other, each with its length.
pub(super) fn join<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> io::Result<Vec<u8>> {
    let mut joined = Vec::new();
    for piece in pieces {
        joined.extend_from_slice(
            &u32::try_from(piece.len()).map_err(io::Error::other)?.to_be_bytes(),
        );
        joined.extend_from_slice(piece);
    }
    Ok(joined)
}

/// Takes them apart again.
pub(super) fn split(mut joined: &[u8]) -> io::Result<Vec<&[u8]>> {
    let mut pieces = Vec::new();
    while !joined.is_empty() {
        let short = || io::Error::other("a frame ends in the middle of a piece");
        let (head, rest) = joined.split_first_chunk::<4>().ok_or_else(short)?;
        let len = u32::from_be_bytes(*head) as usize;
        if len > rest.len() {
            return Err(short());
        }
        let (piece, rest) = rest.split_at(len);
        pieces.push(piece);
        joined = rest;
    }
    Ok(pieces)
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    #[test]
    fn pieces_come_apart_as_they_were_joined() {
        let pieces: [&[u8]; 3] = [b"one", b"", b"three"];
        let joined = join(pieces).unwrap();
        assert_eq!(split(&joined).unwrap(), pieces);
        for end in 1..joined.len() {
            let whole = [7, 11].contains(&end);
            assert_eq!(split(&joined[..end]).is_ok(), whole, "{end}");
        }
    }

    #[tokio::test]
    async fn a_frame_over_the_limit_is_refused_before_it_is_read() {
        let (mut here, mut there) = tokio::io::duplex(64);
        there.write_all(&u32::MAX.to_be_bytes()).await.unwrap();
        let mut bytes = Vec::new();
        let error = receive_frame(&mut here, &mut bytes, 100).await.unwrap_err();
        assert!(error.to_string().contains("over the limit of 100"), "{error}");
    }

    #[test]
    fn the_greeting_keeps_its_form() {
        let about = About {
            address: "10.0.0.2:8081".to_owned(),
            http: "http://10.0.0.2:8080".to_owned(),
            version: "0.1.0".to_owned(),
            level: 2,
        };
        let hello = Hello {
            wire: 1,
            cluster: ClusterId(Uuid::from_u128(9)),
            from: 2,
            to: 1,
            service: Service::Raft,
            about: about.clone(),
        };
        let about_text = concat!(
            r#""address":"10.0.0.2:8081","http":"http://10.0.0.2:8080","#,
            r#""version":"0.1.0","level":2"#
        );
        let cluster = "00000000-0000-0000-0000-000000000009";
        let head = format!(r#"{{"wire":1,"cluster":"{cluster}","from":2,"to":1,"service":"raft","#);
        let expected = format!("{head}{about_text}}}");
        assert_eq!(serde_json::to_string(&hello).unwrap(), expected);
        let reply = Reply::Welcome { about, leader: Some(1) };
        let expected = format!(r#"{{"welcome":{{{about_text},"leader":1}}}}"#);
        assert_eq!(serde_json::to_string(&reply).unwrap(), expected);
        let later = r#"{"refused":{"code":"unheard_of","detail":"no"}}"#;
        let read: Reply = serde_json::from_str(later).unwrap();
        assert!(matches!(read, Reply::Refused { code: RefusedCode::Other, .. }));
    }
}
