//! The web app, out of the binary: precompressed by the build, hashed names cached for ever.

use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use rust_embed::{EmbeddedFile, RustEmbed};

use super::error::Problem;

#[derive(RustEmbed)]
#[folder = "assets/web/dist"]
struct Dist;

/// Anything that is not a route: a file of the app, or its first page for the app's own paths.
pub(super) async fn serve(uri: Uri, headers: HeaderMap) -> Response {
    let path = uri.path().trim_start_matches('/');
    if path == "api" || path.starts_with("api/") || path.starts_with(".well-known/") {
        return not_found("there is no such route; /api/docs lists them");
    }
    let is_page = !path.rsplit('/').next().unwrap_or_default().contains('.');
    let name = if is_page { "index.html" } else { path };
    match pick(name, &headers) {
        Some((file, encoding)) => respond(name, &file, encoding),
        // A missing file is missing: answering with the page would hide a broken build.
        None => not_found("there is no such file"),
    }
}

fn pick(name: &str, headers: &HeaderMap) -> Option<(EmbeddedFile, Option<&'static str>)> {
    let accepted = headers
        .get(header::ACCEPT_ENCODING)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    for (token, suffix) in [("br", ".br"), ("gzip", ".gz")] {
        let wanted = accepted.split(',').any(|part| {
            let mut part = part.trim().split(';');
            part.next() == Some(token) && part.next().is_none_or(|q| q.trim() != "q=0")
        });
        if wanted && let Some(file) = Dist::get(&format!("{name}{suffix}")) {
            return Some((file, Some(token)));
        }
    }
    Dist::get(name).map(|file| (file, None))
}

fn respond(name: &str, file: &EmbeddedFile, encoding: Option<&'static str>) -> Response {
    let mut response = Response::new(Body::from(file.data.clone().into_owned()));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type(name)));
    headers.insert(header::VARY, HeaderValue::from_static("Accept-Encoding"));
    if let Some(encoding) = encoding {
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static(encoding));
    }
    // Names under assets/ carry a hash of their content.
    let cache = if name.starts_with("assets/") {
        "public, max-age=31536000, immutable"
    } else {
        "no-cache"
    };
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(cache));
    response
}

fn content_type(name: &str) -> &'static str {
    match name.rsplit('.').next().unwrap_or_default() {
        "html" => "text/html; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "svg" => "image/svg+xml",
        "json" | "map" => "application/json",
        "webmanifest" => "application/manifest+json",
        "png" => "image/png",
        "ico" => "image/x-icon",
        "woff2" => "font/woff2",
        "txt" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

fn not_found(detail: &'static str) -> Response {
    Problem::bare(StatusCode::NOT_FOUND, "not_found", detail).into_response()
}
