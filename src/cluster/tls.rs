//! TLS between nodes: both sides show a certificate of the cluster's own authority, and each checks
//! that the other one is the node that it says.

use std::sync::Arc;

use rustls::client::{WebPkiServerVerifier, verify_server_name};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::server::{ParsedCertificate, WebPkiClientVerifier};
use rustls::{ClientConfig, RootCertStore, ServerConfig};

use crate::domain::id::ClusterId;
use crate::store::Fault;

use super::authority;
use super::identity::Papers;

/// Both sides' settings.
#[derive(Clone)]
pub(super) struct Tls {
    pub(super) client: Arc<ClientConfig>,
    pub(super) server: Arc<ServerConfig>,
    cluster: ClusterId,
}

impl Tls {
    /// Settings from a node's papers.
    pub(super) fn new(papers: &Papers) -> Result<Tls, Fault> {
        let unreadable = |what: &'static str| {
            move |error: rustls::pki_types::pem::Error| {
                Fault::new(format!("this node's {what} cannot be read"), error)
            }
        };
        let refused = |error: rustls::Error| Fault::new("this node's papers do not fit", error);
        let authority = CertificateDer::from_pem_slice(papers.authority.as_bytes())
            .map_err(unreadable("copy of the authority's certificate"))?;
        let certificate = CertificateDer::from_pem_slice(papers.certificate.as_bytes())
            .map_err(unreadable("certificate"))?;
        let key = || {
            PrivateKeyDer::from_pem_slice(papers.key.as_bytes()).map_err(unreadable("private key"))
        };
        let mut roots = RootCertStore::empty();
        roots.add(authority).map_err(refused)?;
        let roots = Arc::new(roots);
        let provider: Arc<CryptoProvider> = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let servers = WebPkiServerVerifier::builder_with_provider(roots.clone(), provider.clone())
            .build()
            .map_err(|e| Fault::new("the authority's certificate is of no use", e))?;
        let clients = WebPkiClientVerifier::builder_with_provider(roots, provider.clone())
            .build()
            .map_err(|e| Fault::new("the authority's certificate is of no use", e))?;
        let client = ClientConfig::builder_with_provider(provider.clone())
            .with_protocol_versions(&[&rustls::version::TLS13])
            .map_err(refused)?
            .with_webpki_verifier(servers)
            .with_client_auth_cert(vec![certificate.clone()], key()?)
            .map_err(refused)?;
        let server = ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&rustls::version::TLS13])
            .map_err(refused)?
            .with_client_cert_verifier(clients)
            .with_single_cert(vec![certificate], key()?)
            .map_err(refused)?;
        let cluster = papers.cluster;
        Ok(Tls { client: Arc::new(client), server: Arc::new(server), cluster })
    }

    /// The name that a node's certificate must hold.
    pub(super) fn name(&self, node: u64) -> Result<ServerName<'static>, Fault> {
        ServerName::try_from(authority::name(self.cluster, node))
            .map_err(|e| Fault::new("a node has no valid name", e))
    }

    /// Whether a certificate, whose chain was checked already, is this node's.
    pub(super) fn is_of(&self, certificate: &CertificateDer<'_>, node: u64) -> bool {
        let Ok(name) = self.name(node) else { return false };
        ParsedCertificate::try_from(certificate)
            .is_ok_and(|parsed| verify_server_name(&parsed, &name).is_ok())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    fn papers(cluster: u128, node: u64, authority: &(String, String)) -> Papers {
        let cluster = ClusterId(Uuid::from_u128(cluster));
        let key = authority::machine_key().unwrap();
        let certificate = authority::certify(cluster, &authority.1, node, &key.public).unwrap();
        Papers { cluster, key: key.private, certificate, authority: authority.0.clone() }
    }

    #[test]
    fn a_certificate_is_its_own_nodes_only() {
        let authority = authority::found(ClusterId(Uuid::from_u128(7))).unwrap();
        let second = papers(7, 2, &authority);
        let tls = Tls::new(&papers(7, 1, &authority)).unwrap();
        let certificate = CertificateDer::from_pem_slice(second.certificate.as_bytes()).unwrap();
        assert!(tls.is_of(&certificate, 2));
        for other in [1, 3, 22] {
            assert!(!tls.is_of(&certificate, other), "{other}");
        }
        let elsewhere = Tls::new(&papers(8, 1, &authority)).unwrap();
        assert!(!elsewhere.is_of(&certificate, 2), "the name holds the cluster");
    }

    #[test]
    fn a_fingerprint_wants_a_whole_key() {
        let key = authority::machine_key().unwrap();
        assert_eq!(authority::fingerprint(&key.public).unwrap().len(), 64);
        for wrong in ["", "AAAA", &key.private, &key.public[1..]] {
            assert_eq!(authority::fingerprint(wrong), None, "{wrong}");
        }
    }
}
