//! Who this node is: kept in one file of the data directory, beside the journal and the state.
//!
//! It is not replicated, because it is what differs between nodes: the id, the private key, the
//! port, and whom to ask first after a start.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::domain::id::ClusterId;
use crate::store::Fault;
use crate::store::directory::Directory;

/// The format of the file that this build writes.
const FORMAT: u8 = 1;

/// Who this node is. Without `Debug`: it holds the private key.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Identity {
    format: u8,
    /// Its id in the cluster.
    pub node: u64,
    /// Its port for other nodes, so that port 0 means the same one at every start.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
    /// What proves who it is; missing until the cluster has an authority.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub papers: Option<Papers>,
    /// Whom to ask first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub peers: Vec<Neighbour>,
    /// Whether its state is to go on as a new cluster at the next start.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub anew: Option<Anew>,
}

/// What proves to other nodes who this one is.
#[derive(Clone, Serialize, Deserialize)]
pub struct Papers {
    /// The cluster.
    pub cluster: ClusterId,
    /// The private key (PEM).
    pub key: String,
    /// The certificate (PEM).
    pub certificate: String,
    /// The authority's certificate (PEM).
    pub authority: String,
}

/// Another node, as it was known when this one was admitted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Neighbour {
    /// Its id.
    pub node: u64,
    /// Its address for nodes.
    pub cluster: String,
    /// Its address for people.
    pub http: String,
}

/// Why a state goes on as a new cluster.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Anew {
    /// `recover` or `restore`.
    pub reason: String,
    /// What was given up, in words.
    pub loss: String,
}

impl Identity {
    /// A node that nobody has certified yet.
    pub fn new(node: u64) -> Identity {
        let (port, papers, peers, anew) = (None, None, Vec::new(), None);
        Identity { format: FORMAT, node, port, papers, peers, anew }
    }

    /// The identity in a data directory, if there is one.
    pub fn load(directory: &Directory) -> Result<Option<Identity>, Fault> {
        let path = directory.node();
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(Fault::new(format!("cannot read {}", path.display()), error)),
        };
        parse(&path, &text).map(Some)
    }

    /// Keeps it.
    pub fn save(&self, directory: &Directory) -> Result<(), Fault> {
        let text = serde_json::to_string_pretty(self)?;
        directory.write_secret(&directory.node(), &format!("{text}\n"))
    }
}

fn parse(path: &Path, text: &str) -> Result<Identity, Fault> {
    let identity: Identity = serde_json::from_str(text).map_err(|error| {
        let what = format!("{} does not say who this node is", path.display());
        Fault::new(format!("{what}; restore it, or remove this node and join again"), error)
    })?;
    if identity.format != FORMAT {
        return Err(Fault::plain(format!(
            "{} has format {}, this Greenroom knows {FORMAT}; install the newer one again",
            path.display(),
            identity.format
        )));
    }
    Ok(identity)
}
