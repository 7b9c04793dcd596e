//! The way to another node: connects, proves who this node is, and asks for one service.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::domain::id::ClusterId;

use super::book::Book;
use super::tls::Tls;
use super::wire::{self, About, GREETING_TIME, Hello, RefusedCode, Reply, Service, WIRE_VERSION};

/// An encrypted connection to another node, past the greetings.
pub type Way = TlsStream<TcpStream>;

/// Opens ways to other nodes; clones share everything.
#[derive(Clone)]
pub(super) struct Dialer {
    pub(super) node: u64,
    pub(super) cluster: ClusterId,
    pub(super) tls: Tls,
    pub(super) book: Book,
    /// What this node says of itself.
    pub(super) about: Arc<Mutex<About>>,
}

/// Why there is no way.
#[derive(Debug, thiserror::Error)]
pub(super) enum NoWay {
    /// Nobody has said where it is.
    #[error("nobody knows the address of node {0} yet")]
    Unknown(u64),
    /// It does not answer, or not as a node of this cluster would.
    #[error("node {node} at {address} cannot be reached: {why}")]
    Unreachable { node: u64, address: String, why: String },
    /// It answered and said no.
    #[error("node {node} at {address} refused this one: {detail}")]
    Refused { node: u64, address: String, code: RefusedCode, detail: String },
}

/// Who leads, as the greeted node knows.
pub(super) struct Greeted {
    pub(super) way: Way,
    pub(super) leader: Option<u64>,
}

impl Dialer {
    /// Opens a way to a node, wherever it is now.
    pub(super) async fn dial(&self, node: u64, service: Service) -> Result<Greeted, NoWay> {
        let book = self.book.clone();
        let found = tokio::task::spawn_blocking(move || book.address(node)).await;
        let Ok(Some(address)) = found else { return Err(NoWay::Unknown(node)) };
        let dialled = self.dial_at(node, &address, service).await;
        let why_not = dialled.as_ref().err().map(ToString::to_string);
        self.book.reach(node, why_not.as_deref());
        dialled
    }

    async fn dial_at(&self, node: u64, address: &str, service: Service) -> Result<Greeted, NoWay> {
        let unreachable =
            |why: String| NoWay::Unreachable { node, address: address.to_owned(), why };
        let greeting = tokio::time::timeout(GREETING_TIME, self.greet(node, address, service));
        let late = || unreachable(format!("no answer within {} s", GREETING_TIME.as_secs()));
        let (way, reply) =
            greeting.await.map_err(|_| late())?.map_err(|e| unreachable(in_words(&e)))?;
        match reply {
            Reply::Welcome { about, leader } => {
                self.book.tell(node, about);
                Ok(Greeted { way, leader })
            }
            Reply::Refused { code, detail } => {
                if code == RefusedCode::Removed {
                    self.book.cast_out();
                }
                Err(NoWay::Refused { node, address: address.to_owned(), code, detail })
            }
        }
    }

    async fn greet(&self, node: u64, address: &str, service: Service) -> io::Result<(Way, Reply)> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let name = self.tls.name(node).map_err(|fault| fault.into_io())?;
        let connector = TlsConnector::from(self.tls.client.clone());
        let mut way = connector.connect(name, stream).await?;
        let hello = Hello {
            wire: WIRE_VERSION,
            cluster: self.cluster,
            from: self.node,
            to: node,
            service,
            about: self.about.lock().unwrap_or_else(PoisonError::into_inner).clone(),
        };
        wire::send(&mut way, &hello).await?;
        let reply = wire::receive(&mut way).await?;
        Ok((way, reply))
    }
}

/// What went wrong between two nodes, so that an operator knows where to look.
pub(super) fn in_words(error: &io::Error) -> String {
    let text = error.to_string();
    if text.contains("CertificateUnknown")
        || text.contains("UnknownCA")
        || text.contains("UnknownIssuer")
    {
        return "its certificate, or ours, is not of this cluster's authority".to_owned();
    }
    if text.contains("NotValidForName") {
        return "another node answers at this address".to_owned();
    }
    text
}

/// Between two tries to reach somebody.
pub(super) const RETRY: Duration = Duration::from_millis(300);
