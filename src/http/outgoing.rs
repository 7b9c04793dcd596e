//! Asking servers that the operator has named: one question, one answer, all of it bounded.
//!
//! **Invariant:** only addresses from the settings, or from the description of a provider that
//! stands there, are asked; without them the product asks nobody.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::{HeaderValue, Method, Request, StatusCode, Uri, header};
use http_body_util::{BodyExt, Limited};
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use crate::config::outside::is_safe_url;
use crate::domain::limit::door as limit;

/// What is asked.
pub(super) struct Question<'a> {
    /// Where.
    pub(super) url: &'a str,
    /// A form; without one it is a reading.
    pub(super) form: Option<String>,
    /// The `Authorization` header.
    pub(super) authorization: Option<HeaderValue>,
}

impl<'a> Question<'a> {
    /// A reading.
    pub(super) fn read(url: &'a str) -> Question<'a> {
        Question { url, form: None, authorization: None }
    }
}

/// Asks, and gives the answer if it is a good one. The error is for the log.
pub(super) async fn ask(question: Question<'_>) -> Result<Bytes, String> {
    let url = question.url.to_owned();
    let patience = Duration::from_secs(limit::OUTSIDE_ANSWER_SECONDS);
    let answer = tokio::time::timeout(patience, exchange(question)).await;
    let answer = answer.unwrap_or_else(|_| Err(format!("no answer in {patience:?}")));
    answer.map_err(|error| format!("{url}: {error}"))
}

async fn exchange(question: Question<'_>) -> Result<Bytes, String> {
    if !is_safe_url(question.url) {
        return Err("not an https address".to_owned());
    }
    let uri: Uri = question.url.parse().map_err(|e| format!("no address: {e}"))?;
    let host = uri.host().ok_or("no host")?.trim_start_matches('[').trim_end_matches(']');
    let secure = uri.scheme_str() == Some("https");
    let port = uri.port_u16().unwrap_or(if secure { 443 } else { 80 });
    let stream = TcpStream::connect((host, port)).await.map_err(|e| e.to_string())?;
    let request = request(&uri, question)?;
    if !secure {
        return send(stream, request).await;
    }
    let name = ServerName::try_from(host.to_owned()).map_err(|e| e.to_string())?;
    let stream = TlsConnector::from(tls()?).connect(name, stream).await;
    send(stream.map_err(|e| e.to_string())?, request).await
}

fn request(uri: &Uri, question: Question<'_>) -> Result<Request<Body>, String> {
    let authority = uri.authority().ok_or("no host")?.as_str();
    let target = uri.path_and_query().map_or("/", |target| target.as_str());
    let method = if question.form.is_some() { Method::POST } else { Method::GET };
    let mut request = Request::builder()
        .method(method)
        .uri(target)
        .header(header::HOST, authority)
        .header(header::ACCEPT, "application/json")
        .header(header::USER_AGENT, "greenroom");
    if question.form.is_some() {
        request = request.header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
    }
    if let Some(authorization) = question.authorization {
        request = request.header(header::AUTHORIZATION, authorization);
    }
    request.body(Body::from(question.form.unwrap_or_default())).map_err(|e| e.to_string())
}

async fn send<S>(stream: S, request: Request<Body>) -> Result<Bytes, String>
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let handshake = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await;
    let (mut sender, connection) = handshake.map_err(|e| e.to_string())?;
    let driving = tokio::spawn(connection);
    let answer = async {
        let answer = sender.send_request(request).await.map_err(|e| e.to_string())?;
        // A redirect would lead to an address that nobody has named.
        if answer.status() != StatusCode::OK {
            return Err(format!("status {}", answer.status().as_u16()));
        }
        let body = Limited::new(answer.into_body(), limit::OUTSIDE_ANSWER_BYTES_MAX);
        body.collect().await.map(|whole| whole.to_bytes()).map_err(|e| e.to_string())
    };
    let answer = answer.await;
    driving.abort();
    answer
}

/// Trusts what the machine trusts, so that a site's own authority needs no setting of ours.
fn tls() -> Result<Arc<ClientConfig>, String> {
    static TLS: OnceLock<Arc<ClientConfig>> = OnceLock::new();
    if let Some(tls) = TLS.get() {
        return Ok(tls.clone());
    }
    let mut roots = RootCertStore::empty();
    let (read, _) = roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if read == 0 {
        return Err("this machine trusts no certificate authority; install ca-certificates".into());
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|e| e.to_string())?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(TLS.get_or_init(|| Arc::new(config)).clone())
}
