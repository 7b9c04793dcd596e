//! A typed client for the sockets of rooms. It checks on the way that events have no gap.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::{TcpSocket, TcpStream};
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{WebSocketStream, client_async};

use crate::api::{Api, text};
use crate::deadline::soon;
use crate::scene;

/// A connection to a room.
pub(crate) struct Socket {
    stream: WebSocketStream<TcpStream>,
    /// Frames that came and that nobody has asked for yet.
    inbox: Vec<Value>,
    /// Every event in the order in which it came.
    pub(crate) events: Vec<Value>,
    /// The close code, if it is closed.
    closed: Option<u16>,
    /// What the room said first.
    pub(crate) welcome: Value,
}

/// How a socket is asked for.
pub(crate) struct Door<'a> {
    /// The `Origin` header.
    pub(crate) origin: Option<&'a str>,
    /// The subprotocol.
    pub(crate) subprotocol: Option<&'a str>,
}

/// As a program asks.
pub(crate) const PLAIN: Door<'static> = Door { origin: None, subprotocol: Some("greenroom.v1") };

/// Buffers of a reader that is soon full.
const NARROW_BYTES: u32 = 4_096;

impl Socket {
    /// A connection that has not said anything; the status if it is refused.
    pub(crate) async fn open(api: &Api, interview: &str, door: &Door<'_>) -> Result<Socket, u16> {
        let stream = soon("a connection", TcpStream::connect(api.address())).await.unwrap();
        Socket::upgrade(stream, api, interview, door).await
    }

    async fn upgrade(
        stream: TcpStream,
        api: &Api,
        interview: &str,
        door: &Door<'_>,
    ) -> Result<Socket, u16> {
        match Socket::try_upgrade(stream, api, interview, door).await {
            Ok(opened) => opened,
            Err(error) => panic!("the socket of {interview} did not open: {error}"),
        }
    }

    /// The same; an error if nobody answers.
    async fn try_upgrade(
        stream: TcpStream,
        api: &Api,
        interview: &str,
        door: &Door<'_>,
    ) -> Result<Result<Socket, u16>, Error> {
        let url = format!("ws://{}/api/v1/rooms/{interview}/socket", api.address());
        let mut request = url.into_client_request().unwrap();
        let headers = [("origin", door.origin), ("sec-websocket-protocol", door.subprotocol)];
        for (name, value) in headers {
            if let Some(value) = value {
                request.headers_mut().insert(name, value.parse().unwrap());
            }
        }
        match soon("the upgrade", client_async(request, stream)).await {
            Ok((stream, _)) => Ok(Ok(Socket {
                stream,
                inbox: Vec::new(),
                events: Vec::new(),
                closed: None,
                welcome: Value::Null,
            })),
            Err(Error::Http(response)) => Ok(Err(response.status().as_u16())),
            Err(error) => Err(error),
        }
    }

    /// A connection that is in the room, with everything after this event.
    pub(crate) async fn join(api: &Api, interview: &Value, after: Option<u64>) -> Socket {
        let room = scene::id(interview);
        let mut socket = Socket::open(api, &room, &PLAIN).await.unwrap();
        socket.hello(api, interview, after).await;
        socket
    }

    /// The same with a reader that holds next to nothing.
    pub(crate) async fn join_narrow(api: &Api, interview: &Value, after: Option<u64>) -> Socket {
        let tcp = TcpSocket::new_v4().unwrap();
        tcp.set_recv_buffer_size(NARROW_BYTES).unwrap();
        let stream = soon("a connection", tcp.connect(api.address())).await.unwrap();
        let room = scene::id(interview);
        let mut socket = Socket::upgrade(stream, api, &room, &PLAIN).await.unwrap();
        socket.hello(api, interview, after).await;
        socket
    }

    /// Gets a ticket, says hello and waits for the welcome.
    pub(crate) async fn hello(&mut self, api: &Api, interview: &Value, after: Option<u64>) {
        self.say_hello(&ticket(api, interview).await, after).await;
        self.welcome = self.wait("welcome").await;
    }

    /// Says hello with a ticket.
    pub(crate) async fn say_hello(&mut self, ticket: &str, after: Option<u64>) {
        let mut hello = json!({"type": "hello", "ticket": ticket});
        if let Some(after) = after {
            hello["after"] = after.into();
        }
        self.send(hello).await;
    }

    /// Sends a frame.
    pub(crate) async fn send(&mut self, frame: Value) {
        self.send_message(Message::text(frame.to_string())).await;
    }

    /// Sends anything. That the other side has closed meanwhile shows when the next frame is read.
    pub(crate) async fn send_message(&mut self, message: Message) {
        let _ = soon("room for a frame", self.stream.send(message)).await;
    }

    /// Sends some frames without waiting for the way in between.
    pub(crate) async fn send_all(&mut self, frames: impl IntoIterator<Item = Value>) {
        for frame in frames {
            let message = Message::text(frame.to_string());
            let _ = soon("room for a frame", self.stream.feed(message)).await;
        }
        let _ = soon("room for the frames", self.stream.flush()).await;
    }

    /// The next frame of this type; what comes before it stays for later.
    pub(crate) async fn wait(&mut self, kind: &str) -> Value {
        self.find(kind.to_owned(), |frame| frame["type"] == kind).await
    }

    /// The next frame of this type with this id.
    pub(crate) async fn wait_id(&mut self, kind: &str, id: &str) -> Value {
        let what = format!("{kind} {id}");
        self.find(what, |frame| frame["type"] == kind && frame["id"] == id).await
    }

    /// The next event of this kind.
    pub(crate) async fn wait_event(&mut self, kind: &str) -> Value {
        self.find(kind.to_owned(), |frame| frame["type"] == "event" && frame["kind"] == kind).await
    }

    /// Reads until the event with this place has come.
    pub(crate) async fn wait_seq(&mut self, seq: u64) {
        while self.events.last().and_then(|event| event["seq"].as_u64()).unwrap_or(0) < seq {
            assert!(self.read().await, "closed with {:?} before event {seq}", self.closed);
        }
    }

    /// The next frame that fits; what comes before it stays for later.
    pub(crate) async fn find(&mut self, what: String, fits: impl Fn(&Value) -> bool) -> Value {
        loop {
            if let Some(at) = self.inbox.iter().position(&fits) {
                return self.inbox.remove(at);
            }
            if !soon(&what, self.read()).await {
                panic!("closed with {:?} before {what}; came: {:?}", self.closed, self.inbox);
            }
        }
    }

    /// Everything that comes before the answer to a ping: what the room had for us until then.
    pub(crate) async fn settle(&mut self) -> Vec<Value> {
        self.send(json!({"type": "ping", "at": "settle"})).await;
        self.find("pong".to_owned(), |f| f["type"] == "pong" && f["at"] == "settle").await;
        std::mem::take(&mut self.inbox)
    }

    /// Acts under an id and waits for the acknowledgement.
    pub(crate) async fn act(&mut self, frame: Value) -> Value {
        let id = text(&frame["id"]);
        self.send(frame).await;
        self.wait_id("ack", &id).await
    }

    /// Waits for the acknowledgement of this id; if the socket ends before, says with which last
    /// frame, or null.
    pub(crate) async fn acknowledged(&mut self, id: &str) -> Result<(), Value> {
        let is_ack = |frame: &Value| frame["type"] == "ack" && frame["id"] == id;
        while soon("an acknowledgement", self.read()).await {
            if self.inbox.last().is_some_and(is_ack) {
                return Ok(());
            }
        }
        let last = self.inbox.pop().filter(|frame| frame["type"] == "bye");
        Err(last.unwrap_or_default())
    }

    /// Whether this id is acknowledged on this connection.
    pub(crate) async fn acknowledges(&mut self, id: &str) -> bool {
        loop {
            let is_ack = |frame: &Value| frame["type"] == "ack" && frame["id"] == id;
            if let Some(at) = self.inbox.iter().position(is_ack) {
                self.inbox.remove(at);
                return true;
            }
            let refused = |frame: &Value| frame["type"] == "refused" && frame["id"] == id;
            let refusal = self.inbox.iter().find(|frame| refused(frame));
            assert_eq!(refusal, None, "nothing here may be refused");
            if !soon("an acknowledgement", self.read()).await {
                return false;
            }
        }
    }

    /// A connection that is in the room, if this node lets it in now.
    pub(crate) async fn try_join(api: &Api, interview: &Value, after: u64) -> Option<Socket> {
        let path = scene::path(interview, "/ticket");
        let drawn = api.call(axum::http::Method::POST, &path).json(&json!({}));
        let ticket = drawn.try_send().await.filter(|reply| reply.status == 201)?;
        let stream = TcpStream::connect(api.address()).await.ok()?;
        let room = scene::id(interview);
        let mut socket = Socket::try_upgrade(stream, api, &room, &PLAIN).await.ok()?.ok()?;
        socket.say_hello(&text(&ticket.json()["ticket"]), Some(after)).await;
        if !socket.welcomed().await {
            return None;
        }
        socket.welcome = socket.inbox.pop()?;
        Some(socket)
    }

    /// Whether the room lets it in: a `welcome` comes and not the end.
    pub(crate) async fn welcomed(&mut self) -> bool {
        soon("a welcome", self.read()).await
            && self.inbox.last().is_some_and(|frame| frame["type"] == "welcome")
    }

    /// Whether it has ended, with this `bye`, as far as what has come until now tells.
    pub(crate) async fn has_ended(&mut self, bye: &str) -> bool {
        while self.closed.is_none() {
            match tokio::time::timeout(Duration::from_millis(1), self.read()).await {
                Ok(true) => {}
                Ok(false) => break,
                Err(_) => return false,
            }
        }
        let last = self.inbox.last();
        assert!(last.is_some_and(|last| last["code"] == bye), "{:?}: {last:?}", self.closed);
        true
    }

    /// Reads until the event with this place has come; `false` if the connection ends before.
    pub(crate) async fn reads_on(&mut self, seq: u64) -> bool {
        while self.events.last().and_then(|event| event["seq"].as_u64()).unwrap_or(0) < seq {
            if !soon("an event or the end", self.read()).await {
                return false;
            }
        }
        true
    }

    /// The next frame of this type, however long it takes within a time.
    pub(crate) async fn wait_long(&mut self, kind: &str, patience: Duration) -> Value {
        loop {
            if let Some(at) = self.inbox.iter().position(|frame| frame["type"] == kind) {
                return self.inbox.remove(at);
            }
            let read = tokio::time::timeout(patience, self.read()).await;
            assert_eq!(read, Ok(true), "closed with {:?} before {kind}", self.closed);
        }
    }

    /// Takes what comes, and so answers pings, until something else is done.
    pub(crate) async fn listen_until(&mut self, done: impl Future<Output = ()>) {
        tokio::select! {
            () = done => {}
            () = async { while self.read().await {} } => panic!("closed with {:?}", self.closed),
        }
    }

    /// Acts under an id and waits for the refusal, which must have this code.
    pub(crate) async fn refused(&mut self, frame: Value, code: &str) -> Value {
        let id = text(&frame["id"]);
        self.send(frame).await;
        let refused = self.wait_id("refused", &id).await;
        assert_eq!(refused["code"], code, "{refused}");
        refused
    }

    /// Waits for the end; it must come with this code, after this last frame if one is named.
    pub(crate) async fn ends(&mut self, bye: Option<&str>, code: u16) -> Value {
        while soon("the end of the socket", self.read()).await {}
        assert_eq!(self.closed, Some(code), "came: {:?}", self.inbox);
        let Some(wanted) = bye else { return Value::Null };
        let last = self.inbox.pop().expect("a last frame");
        assert_eq!((&last["type"], &last["code"]), (&json!("bye"), &json!(wanted)), "{last}");
        last
    }

    /// Takes one frame; `false` at the end.
    async fn read(&mut self) -> bool {
        loop {
            match self.stream.next().await {
                Some(Ok(Message::Text(text))) => {
                    let frame: Value = serde_json::from_str(&text).unwrap();
                    if frame["type"] == "event" {
                        self.note(&frame);
                    }
                    self.inbox.push(frame);
                    return true;
                }
                Some(Ok(Message::Close(frame))) => {
                    self.closed = Some(frame.map_or(1005, |frame| frame.code.into()));
                }
                Some(Ok(_)) => {}
                Some(Err(_)) | None => {
                    self.closed = self.closed.or(Some(1006));
                    return false;
                }
            }
        }
    }

    fn note(&mut self, event: &Value) {
        let seq = event["seq"].as_u64().expect("a seq");
        if let Some(last) = self.events.last() {
            assert_eq!(Some(seq - 1), last["seq"].as_u64(), "a gap or a repetition");
        }
        self.events.push(event.clone());
    }
}

/// A ticket for a room.
pub(crate) async fn ticket(api: &Api, interview: &Value) -> String {
    let path = scene::path(interview, "/ticket");
    text(&api.post(&path, json!({})).await.ok(201)["ticket"])
}
