//! A typed HTTP client: a request is made of what the contract names, a reply is taken apart by it.

use std::error::Error;
use std::net::SocketAddr;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use hyper::{Method, Request};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpStream;

use crate::deadline::soon;

/// Somebody who talks to a node.
#[derive(Clone, Debug)]
pub(crate) struct Api {
    address: SocketAddr,
    headers: HeaderMap,
}

/// A request that is not sent yet.
pub(crate) struct Call {
    address: SocketAddr,
    method: Method,
    path: String,
    headers: HeaderMap,
    body: Bytes,
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Reply {
    /// The status.
    pub(crate) status: u16,
    /// The headers.
    pub(crate) headers: HeaderMap,
    /// The body.
    pub(crate) body: Bytes,
    what: String,
}

/// The cookies of a browser's login.
#[derive(Clone, Debug)]
pub(crate) struct Cookies {
    /// The whole `Set-Cookie` lines.
    pub(crate) lines: Vec<String>,
    /// As a browser sends them back.
    pub(crate) pair: String,
    /// The one that pages repeat.
    pub(crate) csrf: String,
}

impl Api {
    /// Nobody.
    pub(crate) fn new(address: SocketAddr) -> Api {
        Api { address, headers: HeaderMap::new() }
    }

    /// The same, at a node that has another address after a restart.
    pub(crate) fn at(&self, address: SocketAddr) -> Api {
        Api { address, ..self.clone() }
    }

    /// Where it talks to.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// With this header on every request.
    pub(crate) fn with(mut self, name: &'static str, value: &str) -> Api {
        self.headers.insert(name, HeaderValue::from_str(value).unwrap());
        self
    }

    /// With this access token.
    pub(crate) fn bearer(self, token: &str) -> Api {
        self.with("authorization", &format!("Bearer {token}"))
    }

    /// A request.
    pub(crate) fn call(&self, method: Method, path: &str) -> Call {
        let (address, headers) = (self.address, self.headers.clone());
        Call { address, method, path: path.to_owned(), headers, body: Bytes::new() }
    }

    /// Reads.
    pub(crate) async fn get(&self, path: &str) -> Reply {
        self.call(Method::GET, path).send().await
    }

    /// Posts JSON.
    pub(crate) async fn post(&self, path: &str, body: Value) -> Reply {
        self.call(Method::POST, path).json(&body).send().await
    }

    /// Puts JSON.
    pub(crate) async fn put(&self, path: &str, body: Value) -> Reply {
        self.call(Method::PUT, path).json(&body).send().await
    }

    /// Patches with JSON.
    pub(crate) async fn patch(&self, path: &str, body: Value) -> Reply {
        self.call(Method::PATCH, path).json(&body).send().await
    }

    /// Deletes.
    pub(crate) async fn delete(&self, path: &str) -> Reply {
        self.call(Method::DELETE, path).send().await
    }
}

impl Call {
    /// With this header, once more if it is there.
    pub(crate) fn header(mut self, name: &str, value: &str) -> Call {
        let name = HeaderName::try_from(name).unwrap();
        self.headers.append(name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
        self
    }

    /// Under this idempotency key.
    pub(crate) fn key(self, key: &str) -> Call {
        self.header("idempotency-key", key)
    }

    /// With a JSON body.
    pub(crate) fn json(self, body: &Value) -> Call {
        self.text("application/json", body.to_string())
    }

    /// With any body.
    pub(crate) fn text(mut self, content_type: &str, body: impl Into<Bytes>) -> Call {
        self.headers.insert(CONTENT_TYPE, HeaderValue::from_str(content_type).unwrap());
        self.body = body.into();
        self
    }

    /// Sends it on a connection of its own.
    pub(crate) async fn send(self) -> Reply {
        let what = format!("{} {}", self.method, self.path);
        soon(&what.clone(), self.exchange(what)).await
    }

    /// The same, if the node is there and stays there until it has answered.
    pub(crate) async fn try_send(self) -> Option<Reply> {
        let what = format!("{} {}", self.method, self.path);
        soon(&what.clone(), self.try_exchange(what)).await.ok()
    }

    async fn exchange(self, what: String) -> Reply {
        let result = self.try_exchange(what.clone()).await;
        result.unwrap_or_else(|error| panic!("{what}: {error}"))
    }

    async fn try_exchange(self, what: String) -> Result<Reply, Box<dyn Error + Send + Sync>> {
        let stream = TcpStream::connect(self.address).await?;
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
        let driving = tokio::spawn(connection);
        let mut request = Request::builder()
            .method(self.method)
            .uri(&self.path)
            .header("host", self.address.to_string())
            .body(Full::new(self.body))
            .unwrap();
        request.headers_mut().extend(self.headers);
        let (parts, body) = sender.send_request(request).await?.into_parts();
        let body = body.collect().await?.to_bytes();
        driving.abort();
        Ok(Reply { status: parts.status.as_u16(), headers: parts.headers, body, what })
    }
}

impl Reply {
    /// The body of a reply that must have this status.
    #[track_caller]
    pub(crate) fn ok(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}: {}", self.what, self.text());
        if self.body.is_empty() { Value::Null } else { self.json() }
    }

    /// The problem of a reply that must be refused so, whole as the contract says it.
    #[track_caller]
    pub(crate) fn refused(&self, status: u16, code: &str) -> Value {
        assert_eq!(self.status, status, "{}: {}", self.what, self.text());
        assert_eq!(self.header("content-type"), "application/problem+json", "{}", self.what);
        let problem = self.json();
        assert_eq!(problem["code"], code, "{}: {problem}", self.what);
        assert_eq!(problem["status"], status, "{}: {problem}", self.what);
        assert_eq!(problem["request_id"], self.header("x-request-id"), "{}", self.what);
        for field in ["type", "title", "detail"] {
            let words = problem[field].as_str().unwrap_or_default();
            assert!(!words.is_empty(), "{}: {field} is missing in {problem}", self.what);
        }
        problem
    }

    /// The fields that a refusal names.
    #[track_caller]
    pub(crate) fn wrong_fields(&self, code: &str) -> Vec<String> {
        let problem = self.refused(400, code);
        let errors = problem["errors"].as_array().cloned().unwrap_or_default();
        errors.iter().map(|error| text(&error["field"])).collect()
    }

    /// A header, or nothing.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// Whether it says that it was given before.
    pub(crate) fn is_replayed(&self) -> bool {
        self.header("idempotency-replayed") == "true"
    }

    /// The body as text.
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{}: {error}: {}", self.what, self.text()))
    }

    /// The cookies of a login.
    pub(crate) fn cookies(&self) -> Cookies {
        let lines: Vec<String> = self
            .headers
            .get_all("set-cookie")
            .iter()
            .map(|line| line.to_str().unwrap().to_owned())
            .collect();
        let pairs: Vec<&str> = lines.iter().filter_map(|line| line.split(';').next()).collect();
        let csrf = pairs.iter().find_map(|pair| pair.strip_prefix("csrf="));
        Cookies {
            csrf: csrf.unwrap_or_default().to_owned(),
            pair: pairs.join("; "),
            lines: lines.clone(),
        }
    }
}

/// A JSON string as text.
#[track_caller]
pub(crate) fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("not a text: {value}")).to_owned()
}

/// The items of a list.
#[track_caller]
pub(crate) fn items(list: &Value) -> Vec<Value> {
    list["items"].as_array().unwrap_or_else(|| panic!("not a list: {list}")).clone()
}
