//! How many connections one address may have, over a network: this machine's own loopback
//! addresses are not counted, so that the node is asked at another one of its addresses.

use std::net::{IpAddr, SocketAddr, UdpSocket};

use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::deadline::{soon, until};
use crate::node::Node;
use crate::org::Org;
use crate::scene;
use crate::socket::{PLAIN, Socket, ticket};

const MOST: usize = 3;

/// An address of this machine that others on a network know it by. Nothing is sent: the system only
/// says from where it would send.
fn own_address() -> Option<IpAddr> {
    let ways = [("0.0.0.0:0", "203.0.113.1:9"), ("[::]:0", "[2001:db8::1]:9")];
    let own = ways.into_iter().find_map(|(from, to)| {
        let socket = UdpSocket::bind(from).ok()?;
        socket.connect(to).ok()?;
        let ip = socket.local_addr().ok()?.ip();
        (!ip.is_loopback() && !ip.is_unspecified()).then_some(ip)
    });
    if own.is_none() {
        eprintln!("NOT TESTED: this machine has no address but its loopback ones");
    }
    own
}

/// A node on every address of this machine, and where it is over the network.
fn everywhere(own: IpAddr) -> (Node, SocketAddr) {
    let all = if own.is_ipv4() { "0.0.0.0:0" } else { "[::]:0" };
    let settings = ["env".to_owned(), format!("GREENROOM_CONNECTIONS_PER_ADDRESS={MOST}")];
    let node = Node::start_in(&settings, all);
    let port = node.address().port();
    (node, SocketAddr::new(own, port))
}

/// A connection that got an answer and stays open; `None` if it was closed without one.
async fn let_in(address: SocketAddr) -> Option<TcpStream> {
    let mut stream = soon("a connection", TcpStream::connect(address)).await.ok()?;
    is_answered(&mut stream).await.then_some(stream)
}

/// Asks for a head without a body, so that nothing of the answer is left to read.
async fn is_answered(stream: &mut TcpStream) -> bool {
    if stream.write_all(b"HEAD /livez HTTP/1.1\r\nHost: a\r\n\r\n").await.is_err() {
        return false;
    }
    let mut answer = Vec::new();
    let mut part = [0; 1024];
    while !answer.ends_with(b"\r\n\r\n") {
        match soon("an answer or an end", stream.read(&mut part)).await {
            Ok(0) | Err(_) => {
                assert!(answer.is_empty(), "turned away without a word: {answer:?}");
                return false;
            }
            Ok(read) => answer.extend_from_slice(&part[..read]),
        }
    }
    assert!(answer.starts_with(b"HTTP/1.1 200 "), "{}", String::from_utf8_lossy(&answer));
    true
}

#[tokio::test]
async fn one_connection_too_many_is_closed_until_another_one_ends() {
    let Some(own) = own_address() else { return };
    let (node, address) = everywhere(own);
    let mut held = Vec::new();
    for _ in 0..MOST {
        held.push(let_in(address).await.expect("so many it may have"));
    }
    for _ in 0..3 {
        assert!(let_in(address).await.is_none(), "one too many");
    }
    for stream in &mut held {
        assert!(is_answered(stream).await, "who is here goes on");
    }
    if own.is_ipv4() {
        let near = SocketAddr::from(([127, 0, 0, 1], address.port()));
        let mut uncounted = Vec::new();
        for _ in 0..=MOST {
            uncounted.push(let_in(near).await.expect("this machine is not counted"));
        }
    }

    drop(held.pop());
    let again = until("its place again", async || let_in(address).await).await;
    assert!(let_in(address).await.is_none(), "one place came back, not two");
    drop((again, held, node));
}

#[tokio::test]
async fn a_socket_has_its_place_for_as_long_as_it_is_open() {
    let Some(own) = own_address().filter(IpAddr::is_ipv4) else { return };
    let (node, address) = everywhere(own);
    let port = node.address().port();
    let org = Org::on(node).await;
    let near = org.admin.api.at(SocketAddr::from(([127, 0, 0, 1], port)));
    let (practice, far) = (scene::practice(&near, &["Why?"]).await, near.at(address));
    let mut sockets = Vec::new();
    for _ in 0..MOST {
        // The ticket is fetched where nothing is counted.
        let ticket = ticket(&near, &practice).await;
        let mut socket = Socket::open(&far, &scene::id(&practice), &PLAIN).await.unwrap();
        socket.say_hello(&ticket, None).await;
        socket.wait("welcome").await;
        sockets.push(socket);
    }
    assert!(let_in(address).await.is_none(), "the upgrade did not set a place free");
    for socket in &mut sockets {
        socket.send(json!({"type": "ping", "at": 7})).await;
        assert_eq!(socket.wait("pong").await["at"], 7);
    }
    drop(sockets.pop());
    until("the place of a socket", async || let_in(address).await).await;
}
