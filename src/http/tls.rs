//! TLS towards browsers and programs: the certificate that is shown, and when it is read again.
//!
//! **Invariant:** a certificate that cannot be used never takes the place of one that can.

mod local;
pub(super) mod plain;

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use rustls::ServerConfig;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use tokio_rustls::TlsAcceptor;
use x509_parser::prelude::{FromDer, X509Certificate};

use crate::auth::secret::Secrets;
use crate::config::tls as settings;
use crate::domain::id::ClusterId;
use crate::domain::limit::door as limit;
use crate::store::directory::Directory;
use crate::telemetry::metrics::Metrics;

use local::Authority;
pub use local::Place;

/// Days before its end from which a certificate of the operator's is complained about.
const COMPLAINT_DAYS: i64 = 14;

const DAY_SECONDS: i64 = 24 * 60 * 60;

/// What the listener shows, and keeps fresh.
#[derive(Clone)]
pub struct Tls {
    acceptor: TlsAcceptor,
    keeper: Arc<Keeper>,
}

/// Where certificates come from.
enum Source {
    Files { certificate: PathBuf, key: PathBuf },
    Local(Box<Authority>),
}

/// Bytes of both files, as they were read.
type Seen = Vec<u8>;

/// A certificate with its key and its end in Unix seconds.
struct Papers {
    shown: Arc<CertifiedKey>,
    not_after: i64,
    seen: Seen,
}

struct Keeper {
    source: Source,
    provider: Arc<CryptoProvider>,
    papers: RwLock<Papers>,
    metrics: Arc<Metrics>,
}

/// What the node is, for the certificates that it makes itself.
pub struct Site<'a> {
    /// Keys of the cluster.
    pub secrets: &'a Secrets,
    /// The cluster.
    pub cluster: ClusterId,
    /// Where the authority's certificate is put.
    pub directory: &'a Directory,
    /// How the node is reached.
    pub place: Place,
}

impl Tls {
    /// Reads or makes the first certificate; `None` if the listener speaks plain HTTP.
    pub fn open(
        settings: &settings::Tls,
        site: &Site<'_>,
        metrics: Arc<Metrics>,
    ) -> Result<Option<Tls>, String> {
        let files = (settings.certificate_file.clone(), settings.key_file.clone());
        let source = match (files, settings.local_authority) {
            ((Some(certificate), Some(key)), false) => Source::Files { certificate, key },
            ((None, None), true) => {
                Source::Local(Box::new(Authority::open(site, &settings.names)?))
            }
            ((None, None), false) if settings.redirect_listen.is_some() => {
                return Err("tls.redirect_listen sends people to https, and `listen` has no \
                    certificate; set tls.certificate_file and tls.key_file"
                    .to_owned());
            }
            ((None, None), false) => return Ok(None),
            ((Some(_), Some(_)), true) => {
                return Err("tls.local_authority and tls.certificate_file are two answers to one \
                    question; set one of them"
                    .to_owned());
            }
            _ => {
                return Err(
                    "tls.certificate_file and tls.key_file belong together; set both".to_owned()
                );
            }
        };
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let papers = source.read(&provider)?;
        metrics.tls_certificate_end.set(papers.not_after);
        complain(&papers);
        let papers = RwLock::new(papers);
        let keeper = Arc::new(Keeper { source, provider: provider.clone(), papers, metrics });
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])
            .map_err(|error| error.to_string())?
            .with_no_client_auth()
            .with_cert_resolver(keeper.clone());
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Some(Tls { acceptor: TlsAcceptor::from(Arc::new(config)), keeper }))
    }

    pub(super) fn acceptor(&self) -> TlsAcceptor {
        self.acceptor.clone()
    }

    /// Keeps the certificate fresh for as long as the node runs: on each word through `asked`, and
    /// by a look from time to time, for whoever renews certificates forgets to say so.
    pub async fn keep(self, mut asked: impl AsyncFnMut()) {
        loop {
            let pause = tokio::time::sleep(Duration::from_secs(limit::TLS_LOOK_SECONDS));
            let by_hand = tokio::select! {
                () = pause => false,
                () = asked() => true,
            };
            let keeper = self.keeper.clone();
            // Reading files is no work for a thread that serves people.
            let looked = tokio::task::spawn_blocking(move || keeper.look(by_hand)).await;
            if let Err(error) = looked {
                tracing::error!(%error, "the certificate could not be looked at");
            }
        }
    }
}

impl Keeper {
    /// Reads again what has changed.
    fn look(&self, by_hand: bool) {
        let fresh = {
            let papers = self.papers.read().unwrap_or_else(PoisonError::into_inner);
            !self.source.has_changed(&papers)
        };
        if fresh && !by_hand {
            return;
        }
        match self.source.read(&self.provider) {
            Ok(papers) => {
                complain(&papers);
                self.metrics.tls_certificate_end.set(papers.not_after);
                *self.papers.write().unwrap_or_else(PoisonError::into_inner) = papers;
                tracing::info!("the certificate for browsers was read again");
            }
            Err(why) => {
                tracing::error!(why, "the new certificate cannot be used; the former one stays");
            }
        }
    }
}

impl ResolvesServerCert for Keeper {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let papers = self.papers.read().unwrap_or_else(PoisonError::into_inner);
        Some(papers.shown.clone())
    }
}

impl fmt::Debug for Keeper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Keeper(..)")
    }
}

impl Source {
    fn read(&self, provider: &CryptoProvider) -> Result<Papers, String> {
        let (chain, key, seen) = match self {
            Source::Files { certificate, key } => {
                let (chain, key) = (read(certificate)?, read(key)?);
                let seen = [chain.as_slice(), key.as_slice()].concat();
                (certificates(&chain, certificate)?, private_key(&key)?, seen)
            }
            Source::Local(authority) => {
                let (chain, key) = authority.certify()?;
                (chain, key, Seen::new())
            }
        };
        let first = chain.first().ok_or("there is no certificate in tls.certificate_file")?;
        let not_after = not_after(first)?;
        let shown = CertifiedKey::from_der(chain, key, provider).map_err(|error| match error {
            rustls::Error::InconsistentKeys(_) => {
                "tls.key_file is not the key of the first certificate in tls.certificate_file"
                    .to_owned()
            }
            error => format!("the certificate and its key cannot be used: {error}"),
        })?;
        Ok(Papers { shown: Arc::new(shown), not_after, seen })
    }

    /// Whether there is something newer. What cannot be read now is told when it is read.
    fn has_changed(&self, papers: &Papers) -> bool {
        match self {
            Source::Files { certificate, key } => match (read(certificate), read(key)) {
                (Ok(chain), Ok(key)) => [chain, key].concat() != papers.seen,
                // An operator who is just moving files is not told each minute.
                _ => false,
            },
            Source::Local(_) => papers.not_after - now() < local::RENEWAL_DAYS * DAY_SECONDS,
        }
    }
}

/// The file, if it is of a size that one can have.
fn read(path: &Path) -> Result<Vec<u8>, String> {
    let bytes =
        std::fs::metadata(path).and_then(|facts| match facts.len() > limit::TLS_FILE_BYTES_MAX {
            true => Err(std::io::Error::other("it is far too large for what it should be")),
            false => std::fs::read(path),
        });
    bytes.map_err(|error| format!("cannot read {}: {error}", path.display()))
}

fn certificates(pem: &[u8], path: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    chain.map_err(|error| format!("{} is not PEM: {error}", path.display()))
}

/// The error never quotes the file.
fn private_key(pem: &[u8]) -> Result<PrivateKeyDer<'static>, String> {
    PrivateKeyDer::from_pem_slice(pem).map_err(|_| {
        "there is no private key in tls.key_file; it has to be PEM without a passphrase".to_owned()
    })
}

fn not_after(certificate: &CertificateDer<'_>) -> Result<i64, String> {
    let parsed = X509Certificate::from_der(certificate);
    let (_, parsed) = parsed.map_err(|error| format!("the certificate cannot be read: {error}"))?;
    Ok(parsed.validity().not_after.timestamp())
}

fn now() -> i64 {
    jiff::Timestamp::now().as_second()
}

fn complain(papers: &Papers) {
    let days = (papers.not_after - now()).div_euclid(DAY_SECONDS);
    if days < 0 {
        tracing::error!("the certificate for browsers has expired, and they will refuse it");
    } else if days < COMPLAINT_DAYS {
        tracing::warn!(days, "the certificate for browsers expires soon");
    }
}
