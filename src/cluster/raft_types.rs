//! What the log holds, in openraft's terms, and how it is written down.
//!
//! **Invariant:** every stored form starts with [`FORMAT`]. The rest is JSON, because openraft's
//! own types are not promised to keep their fields, and a positional form breaks on any change.

use std::fmt;
use std::io;
use std::sync::Arc;

use openraft::impls::leader_id_adv::LeaderId;
use openraft::impls::{BoxedErrorSource, InlineBatch, ProgressResponder};
use openraft::vote::RaftLeaderId;
use openraft::{EntryPayload, OptionalSend, RaftTypeConfig};
use serde::de::{DeserializeOwned, Error};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;

use crate::domain::command::{Envelope, Outcome};

use super::runtime::{Runtime, Threads};

/// The format byte in front of every stored value.
const FORMAT: u8 = 1;

/// Greenroom's choice of openraft's types.
pub(super) type Types = TypesOn<Threads>;

/// The same choice on any runtime. Written out, because openraft's macro makes no generic types.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct TypesOn<R>(R);

impl<R: Runtime> RaftTypeConfig for TypesOn<R> {
    type D = Proposal;
    type R = Response;
    type NodeId = u64;
    type Node = Peer;
    type Term = u64;
    type LeaderId = LeaderId<u64, u64>;
    type Vote = openraft::Vote<Self::LeaderId>;
    type Payload = EntryPayload<Proposal, u64, Peer>;
    type Entry = openraft::Entry<<Self::LeaderId as RaftLeaderId>::Committed, Self::Payload>;
    type AsyncRuntime = R::Tasks;
    type Responder<T: OptionalSend + 'static> = ProgressResponder<Self, T>;
    type Batch<T: OptionalSend + 'static> = InlineBatch<T>;
    type ErrorSource = BoxedErrorSource;
}

/// An entry of the log.
pub(super) type Entry = openraft::alias::EntryOf<Types>;

/// A place in the log.
pub(super) type LogId = openraft::alias::LogIdOf<Types>;

/// A command in the log; shared, because entries are cloned on their way.
///
/// It is written down once, by whoever proposes it. The journal of every node and the lines between
/// them take the same text.
#[derive(Clone, Debug)]
pub(crate) struct Proposal(pub(super) Arc<Envelope>, Arc<RawValue>);

impl Proposal {
    pub(super) fn new(envelope: Envelope) -> Proposal {
        let text = serde_json::value::to_raw_value(&envelope)
            .expect("invariant: a command is plain data with names as keys");
        Proposal(Arc::new(envelope), text.into())
    }
}

impl Serialize for Proposal {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.1.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Proposal {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Proposal, D::Error> {
        let text = Box::<RawValue>::deserialize(deserializer)?;
        let envelope = serde_json::from_str(text.get()).map_err(D::Error::custom)?;
        Ok(Proposal(Arc::new(envelope), text.into()))
    }
}

/// What applying an entry led to; `None` for entries without a command.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Response(pub(super) Option<Outcome>);

/// Where a node can be reached.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Peer {
    /// The cluster port; empty while a node is alone.
    pub(super) cluster: String,
    /// The address that people use.
    pub(super) http: String,
}

impl fmt::Display for Proposal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Personal text must not reach a log line, and openraft prints this.
        write!(f, "command at {}", self.0.at)
    }
}

/// Writes a value down.
pub(super) fn encode<T: Serialize>(value: &T) -> io::Result<Vec<u8>> {
    let mut bytes = vec![FORMAT];
    serde_json::to_writer(&mut bytes, value).map_err(io::Error::other)?;
    Ok(bytes)
}

/// Reads a value that was written down.
pub(super) fn decode<T: DeserializeOwned>(bytes: &[u8]) -> io::Result<T> {
    match bytes.split_first() {
        Some((&FORMAT, json)) => serde_json::from_slice(json).map_err(io::Error::other),
        Some((other, _)) => Err(io::Error::other(format!(
            "a stored value has format {other}, this Greenroom knows {FORMAT}; \
             install the newer one again"
        ))),
        None => Err(io::Error::other("a stored value is empty")),
    }
}
