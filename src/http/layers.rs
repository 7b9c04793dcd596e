//! Around every request: its id, its time-out, the security headers, its log line, the body of
//! errors.

use std::time::{Duration, Instant};

use axum::body::Body;
use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::cluster::fresh;
use crate::domain::limit;
use crate::domain::refusal::{Code, Refusal};

use super::address;
use super::app::Shared;
use super::backups;
use super::error::Problem;
use super::forward::{PassedTo, ThroughPeer};
use super::limits;

/// The id of a request, from the door to the log entry.
#[derive(Clone, Debug)]
pub(super) struct RequestId(pub(super) String);

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// No inline script or style, nothing from elsewhere, nobody may frame us.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
    img-src 'self' data:; connect-src 'self'; font-src 'self'; manifest-src 'self'; \
    base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

/// The outermost layer.
pub(super) async fn around(
    State(app): State<Shared>,
    mut request: Request,
    next: Next,
) -> Response {
    let began = Instant::now();
    let id = request_id(&request);
    let method = request.method().clone();
    let route = request.extensions().get::<MatchedPath>().map(|path| path.as_str().to_owned());
    let trace = traceparent(&request);
    let passed_by = request.extensions().get::<ThroughPeer>().map(|peer| peer.node);
    if passed_by.is_none() {
        // The node that the client talks to has seen its address; the next one is told.
        address::settle(&mut request, &app.trusted_proxies);
    }
    request.extensions_mut().insert(RequestId(id.clone()));
    let hsts = app.hsts.clone().filter(|_| !is_for_localhost(&request));
    let slow = route.as_deref().is_some_and(|route| route.starts_with(backups::SLOW));
    let limit = if slow { limit::BACKUP_SECONDS } else { limit::REQUEST_SECONDS };
    let limit = Duration::from_secs(limit);
    let answer = async {
        match is_packed(&request) {
            true => Problem::of(packed()).into_response(),
            false => next.run(request).await,
        }
    };
    let mut response = match tokio::time::timeout(limit, answer).await {
        Ok(response) => response,
        Err(_) => Problem::bare(
            StatusCode::SERVICE_UNAVAILABLE,
            "cluster.no_leader",
            "the request took too long and was given up; send it again with the same key",
        )
        .into_response(),
    };
    write_problem(&app, &mut response, &id);
    put_headers(&mut response, &id);
    if let Some(hsts) = hsts {
        response.headers_mut().insert(header::STRICT_TRANSPORT_SECURITY, hsts);
    }
    let took = began.elapsed();
    let status = response.status().as_u16();
    app.metrics.request(method.as_str(), route.as_deref(), status, took.as_secs_f64());
    tracing::info!(
        request_id = id,
        trace,
        passed_to = response.extensions().get::<PassedTo>().map(|node| node.0),
        passed_by,
        method = method.as_str(),
        route = route.as_deref().unwrap_or("-"),
        status,
        took_us = took.as_micros() as u64,
        "request"
    );
    response
}

/// Whether a body comes packed. Nobody here unpacks one, so none can grow to a thousand times its
/// size; told clearly, because its bytes would be called bad JSON otherwise.
fn is_packed(request: &Request) -> bool {
    let encodings = request.headers().get_all(header::CONTENT_ENCODING);
    encodings.iter().any(|value| !value.as_bytes().eq_ignore_ascii_case(b"identity"))
}

fn packed() -> Refusal {
    let detail = "bodies are taken as they are; send this one without a Content-Encoding";
    Refusal::new(Code::InputUnsupportedType, detail)
}

/// Keeps a sensible id of the caller's, so that logs on both sides meet.
fn request_id(request: &Request) -> String {
    let sent = request.headers().get(REQUEST_ID).and_then(|value| value.to_str().ok());
    match sent {
        Some(id) if is_request_id(id) => id.to_owned(),
        _ => fresh().to_string(),
    }
}

fn is_request_id(id: &str) -> bool {
    (1..=128).contains(&id.len())
        && id.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-'))
}

/// The trace id of a W3C `traceparent`, so that our log line joins the caller's trace.
fn traceparent(request: &Request) -> Option<String> {
    let value = request.headers().get("traceparent")?.to_str().ok()?;
    let mut parts = value.split('-');
    let (version, trace) = (parts.next()?, parts.next()?);
    let is_hex = |text: &str| text.bytes().all(|b| b.is_ascii_hexdigit());
    let good = version.len() == 2 && trace.len() == 32 && is_hex(trace);
    (good && trace.bytes().any(|b| b != b'0')).then(|| trace.to_owned())
}

/// Gives every error of an API route its body; axum's own bare ones too.
fn write_problem(app: &Shared, response: &mut Response, id: &str) {
    let problem = match response.extensions().get::<Problem>() {
        Some(problem) => problem.clone(),
        None => match response.status() {
            StatusCode::METHOD_NOT_ALLOWED => Problem::bare(
                StatusCode::METHOD_NOT_ALLOWED,
                "not_found",
                "this path does not take this method; see /api/docs",
            ),
            StatusCode::BAD_REQUEST if is_plain(response) => {
                Problem::of(Refusal::new(Code::InputInvalid, "the path or query is not valid"))
            }
            _ => return,
        },
    };
    if let Some(code) = problem.refused() {
        app.metrics.refusal(code);
    }
    let allow = response.headers().get(header::ALLOW).cloned();
    let cookies: Vec<_> = response.headers().get_all(header::SET_COOKIE).iter().cloned().collect();
    let rates = limits::HEADERS.map(|name| response.headers_mut().remove(&name).map(|v| (name, v)));
    let mut written = Response::new(Body::from(problem.body(id)));
    *written.status_mut() = problem.status;
    let headers = written.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if problem.status == StatusCode::UNAUTHORIZED {
        headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    if let Some(allow) = allow {
        headers.insert(header::ALLOW, allow);
    }
    headers.extend(rates.into_iter().flatten());
    for cookie in cookies {
        headers.append(header::SET_COOKIE, cookie);
    }
    if let Some(ms) = problem.retry_after_ms() {
        headers.insert(header::RETRY_AFTER, HeaderValue::from(ms.div_ceil(1_000)));
    }
    // Whoever passes it on to another node wants to know what is behind the bytes.
    written.extensions_mut().insert(problem);
    *response = written;
}

/// What browsers are told to remember (RFC 6797). Other names below this host may belong to others.
pub(super) fn hsts(seconds: u64) -> Option<HeaderValue> {
    HeaderValue::from_str(&format!("max-age={seconds}")).ok()
}

/// A browser would remember it for every program on that machine, at whichever port.
fn is_for_localhost(request: &Request) -> bool {
    let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok());
    let host = host.unwrap_or_default();
    let name = host.split(':').next().unwrap_or_default().to_ascii_lowercase();
    name == "localhost" || name.ends_with(".localhost")
}

fn is_plain(response: &Response) -> bool {
    let content_type = response.headers().get(header::CONTENT_TYPE);
    content_type.is_none_or(|value| value.as_bytes().starts_with(b"text/plain"))
}

pub(super) fn put_headers(response: &mut Response, id: &str) {
    let headers = response.headers_mut();
    if let Ok(id) = HeaderValue::from_str(id) {
        headers.insert(REQUEST_ID, id);
    }
    let fixed = [
        (header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::REFERRER_POLICY, "no-referrer"),
        (
            HeaderName::from_static("permissions-policy"),
            "camera=(self), microphone=(self), geolocation=(), payment=(), usb=()",
        ),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    ];
    for (name, value) in fixed {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
}
