//! Plain HTTP where the node speaks TLS: people are sent on, secrets are not taken.

use axum::Router;
use axum::extract::Request;
use axum::http::{HeaderValue, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};

use crate::cluster::fresh;
use crate::domain::refusal::{Code, Refusal};
use crate::http::error::Problem;
use crate::http::layers;

/// Answers every request with the way to https. Without a `public_url` that is the host that was
/// asked for, at this port.
pub(in crate::http) fn router(public_url: Option<String>, port: u16) -> Router {
    let public_url = public_url.filter(|url| url.starts_with("https://"));
    Router::new().fallback(move |request: Request| {
        let target = target(public_url.as_deref(), port, &request);
        async move { answer(request.method(), target) }
    })
}

fn answer(method: &Method, target: Option<String>) -> Response {
    let reads = matches!(*method, Method::GET | Method::HEAD);
    let location = target.filter(|_| reads).and_then(|to| HeaderValue::from_str(&to).ok());
    let id = fresh().to_string();
    let mut response = match location {
        Some(location) => {
            let mut response = StatusCode::PERMANENT_REDIRECT.into_response();
            response.headers_mut().insert(header::LOCATION, location);
            response
        }
        None => {
            let detail = "this node speaks https only. What you sent came in clear: if there was a \
                password or a token in it, change it, then use https";
            let problem = Problem::of(Refusal::new(Code::InputInvalid, detail));
            let body = problem.body(&id);
            let json = HeaderValue::from_static("application/problem+json");
            (problem.status, [(header::CONTENT_TYPE, json)], body).into_response()
        }
    };
    layers::put_headers(&mut response, &id);
    response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    response
}

/// The same path on https.
fn target(public_url: Option<&str>, port: u16, request: &Request) -> Option<String> {
    let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
    if let Some(base) = public_url {
        return Some(format!("{base}{path}"));
    }
    let host = request.headers().get(header::HOST)?.to_str().ok()?;
    // Whatever is no plain host is not repeated to anybody.
    let host: Uri = format!("http://{host}/").parse().ok()?;
    let host = host.authority().filter(|host| !host.as_str().contains('@'))?.host();
    Some(match port {
        443 => format!("https://{host}{path}"),
        port => format!("https://{host}:{port}{path}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::Body;

    fn asked(host: &str, path: &str) -> Request {
        Request::builder().uri(path).header(header::HOST, host).body(Body::empty()).unwrap()
    }

    #[test]
    fn the_way_on_is_the_same_path_on_https() {
        for (public, port, host, path, wanted) in [
            (None, 443, "rooms.example.org", "/a?b=c", Some("https://rooms.example.org/a?b=c")),
            (None, 8443, "rooms.example.org:80", "/", Some("https://rooms.example.org:8443/")),
            (None, 8443, "[::1]:80", "/", Some("https://[::1]:8443/")),
            (None, 443, "a@evil.example", "/", None),
            (None, 443, "", "/", None),
            (Some("https://r.example"), 1, "evil.example", "/x", Some("https://r.example/x")),
        ] {
            let found = target(public, port, &asked(host, path));
            assert_eq!(found.as_deref(), wanted, "{host}");
        }
    }
}
