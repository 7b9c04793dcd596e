//! Asking servers that the operator has named: one question, one answer, all of it bounded.
//!
//! **Invariant:** only addresses from the settings, or from the description of a provider that
//! stands there, are asked; without them the product asks nobody. No answer leads to another
//! address, and no proxy that the environment names stands in between.

use std::path::Path;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::{HeaderValue, Method, Request, StatusCode, Uri, header};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper_util::rt::TokioIo;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use crate::config::outside::is_safe_url;
use crate::domain::limit::door as limit;

/// What is asked.
pub(super) struct Question<'a> {
    url: &'a str,
    /// What is sent, and what it is; without it the question is a reading.
    body: Option<(&'static str, String)>,
    authorization: Option<HeaderValue>,
}

impl<'a> Question<'a> {
    /// A reading.
    pub(super) fn read(url: &'a str) -> Question<'a> {
        Question { url, body: None, authorization: None }
    }

    /// A form.
    pub(super) fn form(url: &'a str, form: String) -> Question<'a> {
        let body = Some(("application/x-www-form-urlencoded", form));
        Question { url, body, authorization: None }
    }

    /// A JSON text.
    pub(super) fn json(url: &'a str, json: String) -> Question<'a> {
        Question { url, body: Some(("application/json", json)), authorization: None }
    }

    /// The same with this `Authorization`.
    pub(super) fn authorized(self, authorization: Option<HeaderValue>) -> Question<'a> {
        Question { authorization, ..self }
    }
}

/// What an answer may cost.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    pub(super) patience: Duration,
    pub(super) bytes_max: usize,
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Failure {
    /// Nobody took the request, the connection broke, or whoever took it is not who was meant.
    #[error("it could not be reached: {0}")]
    Unreachable(String),
    /// It took too long.
    #[error("it gave no answer within {} seconds", .0.as_secs())]
    Late(Duration),
    /// It said too much.
    #[error("its answer is larger than {0} bytes")]
    TooLarge(usize),
    /// It refused, or pointed elsewhere.
    #[error("it answered with status {0}")]
    Status(u16),
}

/// Whose certificates are believed.
#[derive(Clone)]
pub(super) struct Trust(Option<Arc<ClientConfig>>);

impl Trust {
    /// What the machine trusts, so that a site's own authority needs no setting of ours.
    pub(super) const MACHINE: Trust = Trust(None);

    /// The authorities in this file and no others.
    pub(super) fn file(path: &Path) -> Result<Trust, String> {
        let mut roots = RootCertStore::empty();
        let length = std::fs::metadata(path).map_err(|error| error.to_string())?.len();
        if length > limit::TLS_FILE_BYTES_MAX {
            return Err(format!("it is larger than {} bytes", limit::TLS_FILE_BYTES_MAX));
        }
        let found = CertificateDer::pem_file_iter(path).map_err(|error| error.to_string())?;
        for certificate in found {
            let certificate = certificate.map_err(|error| error.to_string())?;
            roots.add(certificate).map_err(|error| error.to_string())?;
        }
        match roots.is_empty() {
            true => Err("there is no certificate in it".to_owned()),
            false => Ok(Trust(Some(client(roots)?))),
        }
    }

    fn config(&self) -> Result<Arc<ClientConfig>, String> {
        static MACHINE: OnceLock<Arc<ClientConfig>> = OnceLock::new();
        if let Some(config) = self.0.as_ref().or_else(|| MACHINE.get()) {
            return Ok(config.clone());
        }
        let mut roots = RootCertStore::empty();
        let certificates = rustls_native_certs::load_native_certs().certs;
        let (read, _) = roots.add_parsable_certificates(certificates);
        if read == 0 {
            let what = "this machine trusts no certificate authority; install ca-certificates";
            return Err(what.to_owned());
        }
        let config = client(roots)?;
        Ok(MACHINE.get_or_init(|| config).clone())
    }
}

fn client(roots: RootCertStore) -> Result<Arc<ClientConfig>, String> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Arc::new(config))
}

/// Asks somebody who says who people are, and gives the answer if it is a good one. The error is
/// for the log.
pub(super) async fn ask(question: Question<'_>) -> Result<Bytes, String> {
    let url = question.url.to_owned();
    if !is_safe_url(&url) {
        return Err(format!("{url}: not an https address"));
    }
    let bounds = Bounds {
        patience: Duration::from_secs(limit::OUTSIDE_ANSWER_SECONDS),
        bytes_max: limit::OUTSIDE_ANSWER_BYTES_MAX,
    };
    let answer = exchange(question, &Trust::MACHINE, bounds).await;
    answer.map_err(|failure| format!("{url}: {failure}"))
}

/// Asks on a connection of its own and reads the whole answer.
pub(super) async fn exchange(
    question: Question<'_>,
    trust: &Trust,
    bounds: Bounds,
) -> Result<Bytes, Failure> {
    let answer = tokio::time::timeout(bounds.patience, connect(question, trust, bounds));
    answer.await.unwrap_or(Err(Failure::Late(bounds.patience)))
}

async fn connect(question: Question<'_>, trust: &Trust, bounds: Bounds) -> Result<Bytes, Failure> {
    let uri: Uri = question.url.parse().map_err(broke)?;
    let host = uri.host().unwrap_or_default().trim_start_matches('[').trim_end_matches(']');
    let secure = uri.scheme_str() == Some("https");
    let port = uri.port_u16().unwrap_or(if secure { 443 } else { 80 });
    let request = request(&uri, question).map_err(broke)?;
    let stream = TcpStream::connect((host, port)).await.map_err(broke)?;
    if !secure {
        return talk(stream, request, bounds).await;
    }
    let name = ServerName::try_from(host.to_owned()).map_err(broke)?;
    let config = trust.config().map_err(broke)?;
    let stream = TlsConnector::from(config).connect(name, stream).await.map_err(broke)?;
    talk(stream, request, bounds).await
}

fn broke(error: impl std::fmt::Display) -> Failure {
    Failure::Unreachable(error.to_string())
}

fn request(uri: &Uri, question: Question<'_>) -> Result<Request<Body>, axum::http::Error> {
    let authority = uri.authority().map_or("", |authority| authority.as_str());
    let target = uri.path_and_query().map_or("/", |target| target.as_str());
    let method = if question.body.is_some() { Method::POST } else { Method::GET };
    let mut request = Request::builder()
        .method(method)
        .uri(target)
        .header(header::HOST, authority)
        .header(header::ACCEPT, "application/json")
        .header(header::USER_AGENT, "greenroom");
    if let Some((kind, _)) = &question.body {
        request = request.header(header::CONTENT_TYPE, *kind);
    }
    if let Some(mut authorization) = question.authorization {
        authorization.set_sensitive(true);
        request = request.header(header::AUTHORIZATION, authorization);
    }
    request.body(Body::from(question.body.map(|(_, text)| text).unwrap_or_default()))
}

async fn talk<S>(stream: S, request: Request<Body>, bounds: Bounds) -> Result<Bytes, Failure>
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let handshake = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await;
    let (mut sender, connection) = handshake.map_err(broke)?;
    let exchange = async {
        let response = sender.send_request(request).await.map_err(broke)?;
        // A redirect would lead to an address that nobody has named.
        if response.status() != StatusCode::OK {
            return Err(Failure::Status(response.status().as_u16()));
        }
        let body = Limited::new(response.into_body(), bounds.bytes_max).collect().await;
        body.map(|body| body.to_bytes()).map_err(|error| match error.is::<LengthLimitError>() {
            true => Failure::TooLarge(bounds.bytes_max),
            false => broke(error),
        })
    };
    // In one task, so that giving up also ends the connection.
    tokio::pin!(exchange, connection);
    tokio::select! {
        answer = &mut exchange => answer,
        // Many servers hang up as soon as they have said everything, and rudely.
        ended = &mut connection => match (exchange.await, ended) {
            (Err(Failure::Unreachable(_)), Err(error)) => Err(broke(error)),
            (answer, _) => answer,
        },
    }
}
