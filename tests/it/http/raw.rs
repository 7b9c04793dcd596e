//! Requests byte by byte, as no well-made client sends them.

use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::deadline::soon;
use crate::org::shared;

/// Sends bytes and reads until the node closes the connection.
async fn exchange(bytes: &[u8]) -> String {
    let address = shared().await.node.address();
    let mut stream = TcpStream::connect(address).await.unwrap();
    // The node may close before it has read all of it.
    let _ = stream.write_all(bytes).await;
    let mut answer = Vec::new();
    let _ = soon("the node to close", stream.read_to_end(&mut answer)).await;
    String::from_utf8_lossy(&answer).into_owned()
}

fn status(answer: &str) -> u16 {
    answer.split(' ').nth(1).and_then(|code| code.parse().ok()).unwrap_or(0)
}

fn answers(text: &str) -> usize {
    text.matches("HTTP/1.1 ").count()
}

#[tokio::test]
async fn what_two_servers_could_read_in_two_ways_is_refused() {
    // Behind each of them a second request is hidden, which must not be answered.
    let hidden = "GET /livez HTTP/1.1\r\nHost: x\r\nX-Hidden: 1\r\n\r\n";
    let login = "POST /api/v1/auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n";
    let heads = [
        format!("{login}Content-Length: 2\r\nContent-Length: 40\r\n\r\n{{}}"),
        format!("{login}Content-Length: 2, 40\r\n\r\n{{}}"),
        format!("{login}Content-Length: +2\r\n\r\n{{}}"),
        format!("{login}Content-Length: 0x2\r\n\r\n{{}}"),
        format!("{login}Transfer-Encoding: xchunked\r\n\r\n2\r\n{{}}\r\n0\r\n\r\n"),
        format!("{login}Transfer-Encoding: chunked, identity\r\n\r\n2\r\n{{}}\r\n0\r\n\r\n"),
        format!("{login}Transfer-Encoding : chunked\r\n\r\n2\r\n{{}}\r\n0\r\n\r\n"),
        format!("{login}X-Folded: a\r\n b\r\nContent-Length: 2\r\n\r\n{{}}"),
        format!("{login}Bad Name: x\r\nContent-Length: 2\r\n\r\n{{}}"),
        "GET /livez HTTP/1.1\nHost: x\r\nContent-Length: a\r\n\r\n".to_owned(),
    ];
    for head in heads {
        let answer = exchange(format!("{head}{hidden}").as_bytes()).await;
        assert_eq!(status(&answer), 400, "{head}\n{answer}");
        assert_eq!(answers(&answer), 1, "a hidden request was answered: {head}\n{answer}");
    }
}

#[tokio::test]
async fn a_length_beside_chunks_does_not_hide_a_request() {
    let body = "2\r\n{}\r\n0\r\n\r\n";
    let request = format!(
        "POST /api/v1/auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n\
         Content-Length: 4\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n{body}"
    );
    let answer = exchange(request.as_bytes()).await;
    // Read by its chunks (RFC 9112, 6.1): an empty object, which lacks its fields.
    assert!(answer.contains("missing field"), "{answer}");
    assert_eq!(answers(&answer), 1, "{answer}");
}

#[tokio::test]
async fn bad_chunks_end_the_request_and_nothing_else() {
    for chunk in ["zz\r\n{}\r\n0\r\n\r\n", "ffffffffffffffffff\r\n{}", "2\r\n{}xx0\r\n\r\n"] {
        let request = format!(
            "POST /api/v1/auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n\
             Transfer-Encoding: chunked\r\n\r\n{chunk}"
        );
        let answer = exchange(request.as_bytes()).await;
        assert!((400..500).contains(&status(&answer)), "{chunk:?}: {answer}");
    }
    assert_eq!(shared().await.node.api().get("/livez").await.status, 200);
}

#[tokio::test]
async fn heads_have_a_bound() {
    let many = "X-A: 1\r\n".repeat(65);
    let answer = exchange(format!("GET /livez HTTP/1.1\r\nHost: x\r\n{many}\r\n").as_bytes()).await;
    assert_eq!(status(&answer), 431, "{answer}");
    let long = format!("GET /livez HTTP/1.1\r\nHost: x\r\nX-A: {}\r\n\r\n", "a".repeat(300_000));
    assert_eq!(status(&exchange(long.as_bytes()).await), 431);
    let path = "a".repeat(300_000);
    let answer = exchange(format!("GET /{path} HTTP/1.1\r\nHost: x\r\n\r\n").as_bytes()).await;
    assert!([414, 431].contains(&status(&answer)), "{answer}");
}

/// Slowly sent heads and bodies: a connection is held for a time that has an end.
#[tokio::test]
async fn whoever_sends_slowly_is_not_waited_for() {
    let head = exchange(b"GET /livez HTTP/1.1\r\nHost:").await;
    assert!(head.is_empty() || status(&head) == 408, "{head}");
    let body = "POST /api/v1/auth/login HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\
        Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{\"email\":";
    let answer = exchange(body.as_bytes()).await;
    assert_eq!(status(&answer), 400, "{answer}");
    assert!(answer.contains("did not arrive whole, or paused"), "{answer}");
}

#[tokio::test]
async fn packed_bodies_are_refused_before_anybody_unpacks_them() {
    let api = shared().await.node.api();
    for encoding in ["gzip", "br", "deflate, gzip", "zstd"] {
        let call = api.call(hyper::Method::POST, "/api/v1/auth/login");
        let call = call.header("content-encoding", encoding).json(&json!({}));
        call.send().await.refused(415, "input.unsupported_type");
    }
    let call = api.call(hyper::Method::POST, "/api/v1/auth/login");
    let call = call.header("content-encoding", "identity").json(&json!({}));
    call.send().await.refused(400, "input.invalid");
}
