//! Talks to a running node: HTTP/1.1 over TCP, over TLS, or over the operator's socket in the data
//! directory.
//!
//! Whoever may open that socket is the operator and needs no token. Nothing is sent twice: an
//! operator should see a failure, and every POST has a key of its own.
//!
//! **Invariant:** what comes back is a document of a node that granted the request; all else is an
//! error with its exit code.

mod download;
mod tls;

use std::io::{self, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::client::conn::http1;
use hyper::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HOST, USER_AGENT};
use hyper::{Method, Request, Uri};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};
use tokio::time::timeout;
use tokio_rustls::client::TlsStream;
use uuid::Uuid;

use super::exit::{Error, Exit};
use tls::Tls;

/// A node, and who we are to it.
#[derive(Clone)]
pub(super) struct Client {
    target: Target,
    token: Option<String>,
}

/// Where a node is.
#[derive(Clone)]
enum Target {
    /// Host and port.
    Tcp(String),
    /// The same, with TLS.
    Tls(String, Tls),
    /// The operator's socket.
    Socket(PathBuf),
}

/// A node on the same continent answers within a fraction of it.
const CONNECT_SECONDS: u64 = 5;

/// A little more than a node gives a request, so that its own answer comes first.
const REPLY_SECONDS: u64 = 35;

/// The largest document of ours is an eight-hour interview's report, some 20 MB.
const REPLY_BYTES_MAX: usize = 64 << 20;

/// What of an answer that is not ours is shown.
const SHOWN_CHARS_MAX: usize = 200;

impl Client {
    /// A node by its URL, `https://HOST:PORT` or `http://HOST:PORT`; `trusted` is a file with the
    /// authority of the node's certificate, where this machine does not trust it anyhow.
    pub(super) fn to_url(
        url: &str,
        token: Option<String>,
        trusted: Option<&Path>,
    ) -> Result<Client, Error> {
        let place = place(url)?;
        let target = match place.secure {
            true => Target::Tls(place.authority, Tls::to(&place.host, trusted)?),
            false => Target::Tcp(place.authority),
        };
        Ok(Client { target, token })
    }

    /// A node by its address.
    pub(super) fn to_address(address: SocketAddr) -> Client {
        Client { target: Target::Tcp(address.to_string()), token: None }
    }

    /// The node that runs on a data directory.
    pub(super) fn to_data_dir(data_dir: &Path) -> Client {
        let target = Target::Socket(crate::store::directory::socket_path(data_dir));
        Client { target, token: None }
    }

    /// The same node, as somebody else.
    pub(super) fn signed_in(&self, token: impl Into<String>) -> Client {
        Client { target: self.target.clone(), token: Some(token.into()) }
    }

    /// Reads.
    pub(super) async fn get(&self, path: &str) -> Result<Value, Error> {
        self.send(Method::GET, path, None).await
    }

    /// Makes or does something, at most once.
    pub(super) async fn post(&self, path: &str, body: &Value) -> Result<Value, Error> {
        self.send(Method::POST, path, Some(body)).await
    }

    /// Replaces something.
    pub(super) async fn put(&self, path: &str, body: &Value) -> Result<Value, Error> {
        self.send(Method::PUT, path, Some(body)).await
    }

    /// Removes something.
    pub(super) async fn delete(&self, path: &str) -> Result<Value, Error> {
        self.send(Method::DELETE, path, None).await
    }

    /// Changes something.
    pub(super) async fn patch(&self, path: &str, body: &Value) -> Result<Value, Error> {
        self.send(Method::PATCH, path, Some(body)).await
    }

    /// Reads what is no document but a file, piece by piece, into `to`.
    pub(super) async fn download(&self, path: &str, to: &mut impl Write) -> Result<(), Error> {
        let request = self.request(Method::GET, path, None)?;
        match self.connect().await? {
            Stream::Tcp(stream) => download::receive(stream, request, to).await,
            Stream::Tls(stream) => download::receive(*stream, request, to).await,
            Stream::Socket(stream) => download::receive(stream, request, to).await,
        }
    }

    async fn send(&self, method: Method, path: &str, body: Option<&Value>) -> Result<Value, Error> {
        let request = self.request(method, path, body)?;
        let stream = self.connect().await?;
        let reply = timeout(Duration::from_secs(REPLY_SECONDS), async {
            match stream {
                Stream::Tcp(stream) => exchange(stream, request).await,
                Stream::Tls(stream) => exchange(*stream, request).await,
                Stream::Socket(stream) => exchange(stream, request).await,
            }
        });
        let late = || {
            let what = format!("the node gave no answer within {REPLY_SECONDS} seconds");
            Error::unavailable(what).next("look whether the change was made before you try again")
        };
        let (status, bytes) = reply.await.map_err(|_| late())?.map_err(broke)?;
        read(status, &bytes)
    }

    async fn connect(&self) -> Result<Stream, Error> {
        let connected = timeout(Duration::from_secs(CONNECT_SECONDS), async {
            match &self.target {
                Target::Tcp(authority) => {
                    let stream = TcpStream::connect(authority.as_str()).await?;
                    stream.set_nodelay(true)?;
                    Ok(Stream::Tcp(stream))
                }
                Target::Tls(authority, tls) => {
                    let stream = TcpStream::connect(authority.as_str()).await?;
                    stream.set_nodelay(true)?;
                    Ok(Stream::Tls(Box::new(tls.shake(stream).await?)))
                }
                Target::Socket(path) => Ok(Stream::Socket(UnixStream::connect(path).await?)),
            }
        });
        let stream = connected.await.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()));
        stream.map_err(|error| self.unreachable(&error))
    }

    fn request(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Request<Full<Bytes>>, Error> {
        let host = match &self.target {
            Target::Tcp(authority) | Target::Tls(authority, _) => authority.as_str(),
            Target::Socket(_) => "localhost",
        };
        let mut request = Request::builder()
            .uri(path)
            .header(HOST, host)
            .header(ACCEPT, "application/json")
            .header(USER_AGENT, concat!("greenroom/", env!("CARGO_PKG_VERSION")));
        if let Some(token) = &self.token {
            request = request.header(AUTHORIZATION, format!("Bearer {token}"));
        }
        if method == Method::POST {
            request = request.header("idempotency-key", Uuid::now_v7().to_string());
        }
        if body.is_some() {
            request = request.header(CONTENT_TYPE, "application/json");
        }
        let bytes = body.map_or_else(Bytes::new, |body| Bytes::from(body.to_string()));
        let request = request.method(method).body(Full::new(bytes));
        // Paths are ours and hosts are checked, so only a token can hold what no header can.
        request.map_err(|error| {
            let what = "the request cannot be put together; is --token a whole token?";
            Error::usage(what).why(error.to_string())
        })
    }

    fn unreachable(&self, error: &io::Error) -> Error {
        match &self.target {
            Target::Socket(path) if error.kind() == io::ErrorKind::PermissionDenied => {
                let what = format!("you may not open the operator's socket {}", path.display());
                Error::refused(what).next("run this as the user that the node runs as")
            }
            Target::Socket(path) => Error::unavailable(format!(
                "no node answers on {}",
                path.display()
            ))
            .why(error.to_string())
            .next(
                "is `greenroom serve` running on this data directory? Name another one with \
                     --data-dir, or a node elsewhere with --url and --token",
            ),
            // A certificate that is not trusted is no reason to try again.
            Target::Tls(authority, _) if error.kind() == io::ErrorKind::InvalidData => {
                Error::refused(format!("no node that can be trusted answers on {authority}"))
                    .why(error.to_string())
                    .next(
                        "with tls.local_authority, give the file local-authority.pem of the node's \
                         data directory with --ca; else look whether https and the port are right",
                    )
            }
            Target::Tcp(authority) | Target::Tls(authority, _) => {
                Error::unavailable(format!("no node answers on {authority}"))
                    .why(error.to_string())
                    .next("is `greenroom serve` running there, and is this its address?")
            }
        }
    }
}

/// A value for the query of a path.
pub(super) fn query_value(text: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_' | b'~');
    let coded = text.bytes().map(|b| match plain(b) {
        true => char::from(b).to_string(),
        false => format!("%{b:02X}"),
    });
    coded.collect()
}

enum Stream {
    Tcp(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
    Socket(UnixStream),
}

/// Where a URL of ours points to.
#[derive(Debug)]
struct Place {
    secure: bool,
    host: String,
    /// Host and port.
    authority: String,
}

/// Reads a URL of ours.
fn place(url: &str) -> Result<Place, Error> {
    let wrong = |why: &str| {
        let example = "write it like https://rooms.example.org or http://127.0.0.1:8080";
        Error::usage(format!("--url {url} is not the URL of a node")).why(why).next(example)
    };
    let uri: Uri = url.parse().map_err(|_| wrong("it is not a URL"))?;
    let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
        return Err(wrong("it lacks `https://` or the host"));
    };
    let (secure, usual) = match scheme {
        "https" => (true, 443),
        "http" => (false, 80),
        _ => return Err(wrong("it is neither https nor http")),
    };
    if authority.as_str().contains('@') {
        return Err(wrong("it holds a name or a password; give --token instead"));
    }
    if !matches!(uri.path(), "" | "/") || uri.query().is_some() {
        return Err(wrong("it goes on after the port"));
    }
    let host = authority.host().to_owned();
    let authority = match authority.port_u16() {
        Some(_) => authority.as_str().to_owned(),
        None if authority.as_str() == authority.host() => format!("{authority}:{usual}"),
        None => return Err(wrong("its port is not one")),
    };
    Ok(Place { secure, host, authority })
}

async fn exchange(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    request: Request<Full<Bytes>>,
) -> Result<(u16, Bytes), String> {
    let shaken = http1::handshake(TokioIo::new(stream)).await;
    let (mut sender, connection) = shaken.map_err(|error| error.to_string())?;
    // It ends with the answer; what goes wrong on it is told by the answer that does not come.
    tokio::spawn(connection);
    let response = sender.send_request(request).await.map_err(|error| error.to_string())?;
    let status = response.status().as_u16();
    let body = Limited::new(response.into_body(), REPLY_BYTES_MAX).collect().await;
    Ok((status, body.map_err(|error| error.to_string())?.to_bytes()))
}

fn broke(why: String) -> Error {
    let next = "try again; if it goes on, look into the node's log";
    Error::unavailable("the connection to the node broke").why(why).next(next)
}

fn read(status: u16, bytes: &[u8]) -> Result<Value, Error> {
    let body = match bytes {
        [] => Some(Value::Null),
        bytes => serde_json::from_slice(bytes).ok(),
    };
    match (status, body) {
        (200..=299, Some(body)) => Ok(body),
        (400.., Some(problem)) if problem["code"].is_string() => Err(refusal(status, &problem)),
        _ => {
            let text = String::from_utf8_lossy(bytes);
            let shown: String = text.chars().take(SHOWN_CHARS_MAX).collect();
            Err(Error::new(exit(status), format!("the answer (status {status}) is not a node's"))
                .why(shown.replace(char::is_control, " "))
                .next("is this the address of a Greenroom node, and not of something else?"))
        }
    }
}

/// A problem document as an error.
fn refusal(status: u16, problem: &Value) -> Error {
    let code = problem["code"].as_str().unwrap_or_default();
    let detail = problem["detail"].as_str().unwrap_or("the node gave no reason");
    let mut error = Error::new(exit(status), format!("{detail} ({code})"));
    let fields: Vec<String> = problem["errors"].as_array().map_or_else(Vec::new, |errors| {
        let line = |e: &Value| Some(format!("{}: {}", e["field"].as_str()?, e["detail"].as_str()?));
        errors.iter().filter_map(line).collect()
    });
    // With a single field the detail says it already.
    if fields.len() > 1 {
        error = error.why(fields.join("\n"));
    }
    match (code, problem["request_id"].as_str()) {
        ("auth.missing" | "auth.expired", _) => {
            error.next("give the access token of an admin with --token, or use --data-dir")
        }
        ("fault", Some(id)) => error.next(format!("look for {id} in the node's log")),
        _ => error,
    }
}

fn exit(status: u16) -> Exit {
    match status {
        // Both say: not now.
        429 | 502..=504 => Exit::Unavailable,
        500.. => Exit::Fault,
        400.. => Exit::Refused,
        // Success or a redirection, but not from one of ours.
        _ => Exit::Unavailable,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    /// A node that answers one request with these bytes; what it was asked comes back.
    async fn once(answer: String) -> (Client, tokio::task::JoinHandle<String>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let asked = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut asked = Vec::new();
            let mut piece = [0; 4_096];
            // Every request of these tests ends with a brace or with an empty line.
            while !asked.ends_with(b"}") && !asked.ends_with(b"\r\n\r\n") {
                let read = stream.read(&mut piece).await.unwrap();
                asked.extend_from_slice(&piece[..read]);
            }
            stream.write_all(answer.as_bytes()).await.unwrap();
            String::from_utf8(asked).unwrap()
        });
        (Client::to_address(address), asked)
    }

    fn answer(status: &str, body: &str) -> String {
        format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\n\r\n{body}", body.len())
    }

    #[tokio::test]
    async fn a_write_carries_token_key_and_body() {
        let (client, asked) = once(answer("201 Created", r#"{"id":"7"}"#)).await;
        let body = json!({"a": 1});
        let reply = client.signed_in("secret").post("/api/v1/people", &body).await.unwrap();
        assert_eq!(reply, json!({"id": "7"}));
        let asked = asked.await.unwrap();
        assert!(asked.starts_with("POST /api/v1/people HTTP/1.1\r\n"), "{asked}");
        assert!(asked.contains("authorization: Bearer secret\r\n"), "{asked}");
        assert!(asked.contains("idempotency-key: "), "{asked}");
        assert!(asked.ends_with("\r\n\r\n{\"a\":1}"), "{asked}");
    }

    #[tokio::test]
    async fn every_status_has_its_exit_code_and_keeps_the_nodes_words() {
        let body = r#"{"code":"x.y","detail":"it said no","request_id":"r-1"}"#;
        for (status, wanted) in [
            ("400 Bad Request", Exit::Refused),
            ("404 Not Found", Exit::Refused),
            ("409 Conflict", Exit::Refused),
            ("429 Too Many Requests", Exit::Unavailable),
            ("500 Internal Server Error", Exit::Fault),
            ("503 Service Unavailable", Exit::Unavailable),
        ] {
            let (client, _asked) = once(answer(status, body)).await;
            let error = client.get("/x").await.unwrap_err();
            assert_eq!(error.exit(), wanted, "{status}");
            assert_eq!(error.to_string(), "it said no (x.y)");
        }
    }

    #[tokio::test]
    async fn what_is_no_node_is_unavailable() {
        for bytes in [answer("200 OK", "<html>"), answer("302 Found", "{}"), "nonsense".into()] {
            let (client, _asked) = once(bytes).await;
            assert_eq!(client.get("/x").await.unwrap_err().exit(), Exit::Unavailable);
        }
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let free = Client::to_address(listener.local_addr().unwrap());
        drop(listener);
        assert_eq!(free.get("/x").await.unwrap_err().exit(), Exit::Unavailable);
    }

    #[tokio::test]
    async fn a_token_that_no_header_can_hold_is_a_usage_error() {
        let client = Client::to_url("http://127.0.0.1:1", Some("a\nb".into()), None).unwrap();
        assert_eq!(client.get("/x").await.unwrap_err().exit(), Exit::Usage);
    }

    #[test]
    fn urls_are_taken_or_refused_with_a_reason() {
        for (url, wanted) in [
            ("http://127.0.0.1:8080", "127.0.0.1:8080"),
            ("http://127.0.0.1:8080/", "127.0.0.1:8080"),
            ("http://[::1]:8080", "[::1]:8080"),
            ("http://rooms.example.org", "rooms.example.org:80"),
            ("https://rooms.example.org", "rooms.example.org:443"),
            ("https://[::1]:8443/", "[::1]:8443"),
        ] {
            let place = place(url).unwrap();
            assert_eq!(place.authority, wanted);
            assert_eq!(place.secure, url.starts_with("https"));
        }
        for url in [
            "",
            "127.0.0.1:8080",
            "ftp://rooms.example.org",
            "http://a:b@rooms.example.org",
            "http://rooms.example.org/app",
            "http://rooms.example.org?x=1",
            "http://rooms.example.org:99999",
            "http://rooms.example.org:",
            "http:///x",
        ] {
            let error = place(url).unwrap_err();
            assert_eq!(error.exit(), Exit::Usage, "{url}");
            assert!(error.to_string().contains("why:"), "{error}");
        }
    }

    #[test]
    fn fields_of_a_refusal_are_listed() {
        let field = |field: &str| json!({"field": field, "detail": "is too short"});
        let problem = json!({"code": "input.invalid", "detail": "two", "errors": [
            field("email"), field("password")]});
        let error = refusal(400, &problem).to_string();
        assert!(error.contains("email: is too short\n"), "{error}");
        assert!(error.contains("password: is too short"), "{error}");
    }

    #[test]
    fn cursors_are_written_so_that_a_path_can_hold_them() {
        assert_eq!(query_value("aZ-9_.~"), "aZ-9_.~");
        assert_eq!(query_value("a&b=ü"), "a%26b%3D%C3%BC");
    }
}
