//! The socket of a client whose room is on another node: a tunnel to the leader, frame by frame.
//!
//! When the leader changes, the tunnel goes on at the next one and the client keeps its socket. If
//! that cannot be done in time, the client hears `bye leader_changed` and comes back by itself.
//!
//! **Invariant:** a frame is read only when the one before it was taken on the other side: a slow
//! client costs this node one buffer, and the leader sees a slow reader, which it knows to handle.
//! **Invariant:** an event is noted after it was passed on, a client's act before it is sent. So
//! nothing is lost at a change, and what is sent twice has the same id.

mod trail;

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::ws::{Message, WebSocket};
use axum::http::{HeaderMap, HeaderValue, Request, header};
use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt, StreamExt};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::watch;
use tokio::time::{Instant, interval_at, timeout};
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{self, Utf8Bytes};
use tokio_tungstenite::{WebSocketStream, client_async_with_config};

use crate::cluster::{Seat, Unavailable};
use crate::domain::id::InterviewId;
use crate::domain::limit;
use crate::room::member::{closing, come_back_ms};
use crate::room::outbox::Outgoing;
use crate::room::protocol::peer::passing;
use crate::room::protocol::{Bye, Hello, SUBPROTOCOL};
use crate::telemetry::metrics::Direction;

use super::app::Shared;
use super::forward::next_leader;
use super::socket::{Sink, close_code, in_time, of_this_node, send};
use trail::{Fate, Trail};

/// Where a tunnel leads, and for whom.
pub(super) struct Visit {
    /// The room.
    pub(super) interview: InterviewId,
    /// What the leader is told of the caller.
    pub(super) introduction: HeaderMap,
    /// The client's first frame.
    pub(super) first: String,
    /// The same, read.
    pub(super) hello: Hello,
}

/// Both directions of a stream.
trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

type Line = WebSocketStream<Box<dyn Stream>>;
type LineOut = SplitSink<Line, tungstenite::Message>;
type LineIn = SplitStream<Line>;

/// How the time at one leader ended.
enum End {
    /// The client is gone.
    Gone,
    /// The client is sent away with these words and this code.
    Close(Outgoing),
    /// The leader is gone, or leads no more.
    Moved,
}

/// Frames that are taken off a stream before one flush of the other one.
const FRAMES_AT_ONCE: usize = 64;

/// What a tunnel to this node itself may hold in between.
const LOOP_BYTES: usize = 16 * 1_024;

/// Buffers of the way to the leader; a batch of small frames becomes one packet.
const BUFFER_BYTES: usize = 4_096;

/// Between two tries at a leader that takes nobody and has no successor yet.
const RETRY: Duration = Duration::from_millis(5 * limit::LEADER_RETRY_MS);

/// Carries a client's socket until it ends.
pub(super) async fn carry(
    app: &Shared,
    visit: Visit,
    sink: &mut Sink,
    stream: &mut SplitStream<WebSocket>,
) {
    let trail = Mutex::new(Trail::new(visit.first.clone(), visit.hello.after));
    let mut seats = app.replica.watch_seat();
    let mut until = Instant::now() + Duration::from_millis(limit::REDIAL_MS);
    for _ in 0..=limit::REDIALS_MAX {
        let reached = tokio::select! {
            reached = reach(app, &visit, &mut seats, until) => reached,
            () = app.stopping() => {
                say(sink, stream, draining()).await;
                return;
            }
        };
        let Some((line, seat)) = reached else { break };
        let (out, into) = line.split();
        let moved = moved(app.replica.watch_seat(), seat);
        let end = tokio::select! {
            end = up(stream, out, &trail) => end,
            end = down(app, into, sink, &trail) => end,
            () = moved => End::Moved,
            () = app.stopping() => End::Close(draining()),
        };
        match end {
            End::Gone => return,
            End::Close(last) => {
                say(sink, stream, last).await;
                return;
            }
            End::Moved if !open(&trail).can_go_on() => break,
            End::Moved => {}
        }
        tracing::debug!(interview = %visit.interview, ?seat, "a tunnel looks for the leader");
        if open(&trail).is_greeted() {
            until = Instant::now() + Duration::from_millis(limit::REDIAL_MS);
        }
        if !next_leader(&mut seats, seat, RETRY, until).await {
            break;
        }
    }
    say(sink, stream, closing(Bye::LeaderChanged, Some(come_back_ms()))).await;
}

/// Opens the way to whoever leads.
async fn reach(
    app: &Shared,
    visit: &Visit,
    seats: &mut watch::Receiver<Seat>,
    until: Instant,
) -> Option<(Line, Seat)> {
    loop {
        let seat = *seats.borrow_and_update();
        if seat != Seat::Nowhere {
            match dial(app, visit, seat).await {
                Ok(line) => return Some((line, seat)),
                Err(error) => tracing::debug!(%error, ?seat, "a tunnel did not open"),
            }
        }
        if !next_leader(seats, seat, RETRY, until).await {
            return None;
        }
    }
}

async fn dial(app: &Shared, visit: &Visit, seat: Seat) -> Result<Line, Unavailable> {
    let Ok(_place) = app.tunnel_dials.acquire().await else { return Err(Unavailable::Busy) };
    let patience = Duration::from_secs(limit::PEER_DIAL_SECONDS);
    let opened = timeout(patience, async {
        let stream: Box<dyn Stream> = match seat {
            Seat::There(node) => Box::new(app.replica.dial(node).await?),
            // The client came while another node led; its frames take the same way as before.
            Seat::Here => {
                let (near, far) = tokio::io::duplex(LOOP_BYTES);
                let own = app.replica.status().node;
                tokio::spawn(super::serve::peer(far, of_this_node(app), own));
                Box::new(near)
            }
            Seat::Nowhere => return Err(Unavailable::NoLeader),
        };
        let config = WebSocketConfig::default()
            .read_buffer_size(BUFFER_BYTES)
            .write_buffer_size(BUFFER_BYTES)
            .max_message_size(Some(limit::TUNNEL_FRAME_BYTES_MAX))
            .max_frame_size(Some(limit::TUNNEL_FRAME_BYTES_MAX));
        let opened = client_async_with_config(request(visit)?, stream, Some(config)).await;
        let (line, _) = opened.map_err(|error| {
            tracing::debug!(%error, "the leader did not open a socket");
            Unavailable::NoLeader
        })?;
        Ok(line)
    });
    opened.await.unwrap_or(Err(Unavailable::NoLeader))
}

fn request(visit: &Visit) -> Result<Request<()>, Unavailable> {
    let url = format!("ws://leader/api/v1/rooms/{}/socket", visit.interview);
    let mut request = url.into_client_request().map_err(|_| Unavailable::NoLeader)?;
    let headers = request.headers_mut();
    headers.extend(visit.introduction.clone());
    let subprotocol = HeaderValue::from_static(SUBPROTOCOL);
    headers.insert(header::SEC_WEBSOCKET_PROTOCOL, subprotocol);
    Ok(request)
}

/// From the client to the leader.
async fn up(stream: &mut SplitStream<WebSocket>, mut line: LineOut, trail: &Mutex<Trail>) -> End {
    let opening = open(trail).opening();
    for text in opening {
        if !in_time(line.feed(tungstenite::Message::text(text))).await {
            return End::Moved;
        }
    }
    if !in_time(line.flush()).await {
        return End::Moved;
    }
    let silence = Duration::from_secs(limit::SILENCE_SECONDS);
    let mut batches = stream.ready_chunks(FRAMES_AT_ONCE);
    while let Ok(Some(batch)) = timeout(silence, batches.next()).await {
        for message in batch {
            let frame = match message {
                Ok(Message::Text(text)) => {
                    open(trail).note_sent(&text);
                    match Utf8Bytes::try_from(Bytes::from(text)) {
                        Ok(text) => tungstenite::Message::Text(text),
                        Err(_) => continue,
                    }
                }
                Ok(Message::Binary(bytes)) => tungstenite::Message::Binary(bytes),
                Ok(Message::Ping(_) | Message::Pong(_)) => continue,
                Ok(Message::Close(_)) => return gone(line).await,
                Err(error) => return End::Close(Outgoing::Close(None, close_code(&error))),
            };
            if !in_time(line.feed(frame)).await {
                return End::Moved;
            }
        }
        if !in_time(line.flush()).await {
            return End::Moved;
        }
    }
    gone(line).await
}

/// Tells the leader that the client has left.
async fn gone(mut line: LineOut) -> End {
    let patience = Duration::from_secs(limit::CLOSE_SECONDS);
    let _ = timeout(patience, line.close()).await;
    End::Gone
}

/// From the leader to the client.
async fn down(app: &Shared, line: LineIn, sink: &mut Sink, trail: &Mutex<Trail>) -> End {
    let pause = Duration::from_secs(limit::PING_SECONDS);
    let mut ping = interval_at(Instant::now() + pause, pause);
    let mut batches = line.ready_chunks(FRAMES_AT_ONCE);
    loop {
        let batch = tokio::select! {
            batch = batches.next() => batch,
            _ = ping.tick() => {
                if !in_time(sink.send(Message::Ping(Default::default()))).await {
                    return End::Gone;
                }
                continue;
            }
        };
        let Some(batch) = batch else { return End::Moved };
        for message in batch {
            if let Some(end) = pass(app, message, sink, trail).await {
                // What came before the end is the client's.
                return if in_time(sink.flush()).await { end } else { End::Gone };
            }
        }
        if !in_time(sink.flush()).await {
            return End::Gone;
        }
    }
}

async fn pass(
    app: &Shared,
    message: Result<tungstenite::Message, tungstenite::Error>,
    sink: &mut Sink,
    trail: &Mutex<Trail>,
) -> Option<End> {
    let text = match message {
        Ok(tungstenite::Message::Text(text)) => text,
        Ok(tungstenite::Message::Close(Some(frame))) => {
            return Some(match u16::from(frame.code) {
                1012 => End::Moved,
                code => End::Close(Outgoing::Close(None, code)),
            });
        }
        Ok(tungstenite::Message::Close(None)) | Err(_) => return Some(End::Moved),
        Ok(_) => return None,
    };
    let passing = passing(&text);
    match open(trail).judge(&passing) {
        Fate::Pass => {}
        Fate::Swallow => return None,
        Fate::Move => return Some(End::Moved),
        Fate::Reset => {
            let wait = Some(come_back_ms());
            return Some(End::Close(closing(Bye::LeaderChanged, wait)));
        }
    }
    let Ok(text) = Bytes::from(text).try_into() else { return None };
    if !in_time(sink.feed(Message::Text(text))).await {
        return Some(End::Gone);
    }
    app.metrics.frame(Direction::Out, "frame");
    open(trail).note_passed(&passing);
    None
}

/// Waits until another node leads.
async fn moved(mut seats: watch::Receiver<Seat>, from: Seat) {
    let elsewhere = |seat: &Seat| *seat != Seat::Nowhere && *seat != from;
    if seats.wait_for(elsewhere).await.is_err() {
        std::future::pending().await
    }
}

/// Says the last words and waits a little for the client's own close.
async fn say(sink: &mut Sink, stream: &mut SplitStream<WebSocket>, last: Outgoing) {
    send(sink, last).await;
    let answer = async { while let Some(Ok(_)) = stream.next().await {} };
    let _ = timeout(Duration::from_secs(limit::CLOSE_SECONDS), answer).await;
}

fn draining() -> Outgoing {
    closing(Bye::Draining, Some(come_back_ms()))
}

fn open(trail: &Mutex<Trail>) -> MutexGuard<'_, Trail> {
    trail.lock().unwrap_or_else(PoisonError::into_inner)
}
