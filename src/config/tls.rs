//! What is set for TLS towards browsers and programs.

use std::net::SocketAddr;
use std::path::PathBuf;

/// Certificates for the listener, and what goes with them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tls {
    /// The operator's own certificate.
    pub certificate_file: Option<PathBuf>,
    /// Its key.
    pub key_file: Option<PathBuf>,
    /// Whether the node makes certificates itself.
    pub local_authority: bool,
    /// Further names and addresses in those.
    pub names: Vec<String>,
    /// Where plain http is sent on to https.
    pub redirect_listen: Option<SocketAddr>,
    /// How long browsers remember https.
    pub hsts_seconds: u64,
}

impl Tls {
    /// Whether the listener speaks TLS.
    pub fn is_on(&self) -> bool {
        self.certificate_file.is_some() || self.local_authority
    }
}
