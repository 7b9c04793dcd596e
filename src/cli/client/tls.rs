//! TLS to a node elsewhere: whom this machine trusts, or the authority that the operator named.

use std::io;
use std::path::Path;
use std::sync::Arc;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::Error;

/// How to speak TLS to one host.
#[derive(Clone)]
pub(super) struct Tls {
    name: ServerName<'static>,
    config: Arc<ClientConfig>,
}

impl Tls {
    /// To this host, trusting the authorities in a file, or those of the machine.
    pub(super) fn to(host: &str, authority: Option<&Path>) -> Result<Tls, Error> {
        let unusable = |error: &dyn std::fmt::Display| {
            Error::usage("TLS cannot be spoken from here").why(error.to_string())
        };
        let bare = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        let name = ServerName::try_from(bare).map_err(|error| unusable(&error))?;
        let mut roots = RootCertStore::empty();
        match authority {
            Some(path) => add_file(&mut roots, path)?,
            None => {
                let trusted = rustls_native_certs::load_native_certs().certs;
                let _ = roots.add_parsable_certificates(trusted);
            }
        }
        if roots.is_empty() {
            return Err(Error::usage("this machine trusts no certificate authority")
                .next("install ca-certificates, or name the node's authority with --ca"));
        }
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| unusable(&error))?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Tls { name, config: Arc::new(config) })
    }

    /// Encrypts a connection.
    pub(super) async fn shake(&self, stream: TcpStream) -> io::Result<TlsStream<TcpStream>> {
        TlsConnector::from(self.config.clone()).connect(self.name.clone(), stream).await
    }
}

fn add_file(roots: &mut RootCertStore, path: &Path) -> Result<(), Error> {
    let unread = |why: String| {
        Error::usage(format!("--ca {} is no file of certificates", path.display())).why(why)
    };
    let found = CertificateDer::pem_file_iter(path).map_err(|error| unread(error.to_string()))?;
    for certificate in found {
        let certificate = certificate.map_err(|error| unread(error.to_string()))?;
        roots.add(certificate).map_err(|error| unread(error.to_string()))?;
    }
    match roots.is_empty() {
        true => Err(unread("there is no certificate in it".to_owned())),
        false => Ok(()),
    }
}
