//! The sockets of rooms: carries text between a WebSocket and the room.

mod codes;
mod origin;
mod writer;

use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use axum::Router;
use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade};
use axum::extract::{Path, State};
use axum::http::{Extensions, HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt, StreamExt};

use crate::auth::ticket::Holder;
use crate::domain::id::InterviewId;
use crate::domain::limit;
use crate::domain::person::Session;
use crate::domain::refusal::Refusal;
use crate::domain::time::Time;
use crate::room::gate::Received;
use crate::room::hub::{Parting, Seat};
use crate::room::member::{closing, come_back_ms};
use crate::room::outbox::{Outgoing, WayOut, outbox};
use crate::room::protocol::peer::{self, Opening, Rehello, Seated};
use crate::room::protocol::{self, Bye, SUBPROTOCOL, close};
use crate::telemetry::metrics::Direction;

use super::app::Shared;
use super::caller::login;
use super::crowd::Held;
use super::ends::login_ends;
use super::error::{Error, Problem};
use super::forward::{ThroughPeer, introduce, up_to_date};
use super::interviews::interview_id;
use super::tunnel::{self, Visit};
pub(super) use codes::close_code;
use origin::check_origin;

/// Frames up to this size are read, so that one just over the limit gets its reason and not a
/// reset.
const READ_BYTES_MAX: usize = 2 * limit::FRAME_BYTES_MAX;

/// Frames that are put on a socket before one flush.
const FRAMES_AT_ONCE: usize = 64;

/// tungstenite's own default of 128 KiB a socket would be most of an idle connection's memory.
const READ_BUFFER_BYTES: usize = 4_096;

/// Frames are collected up to this size before they are written, so that a batch of small ones is
/// one call of the system.
const WRITE_BUFFER_BYTES: usize = 8_192;

pub(super) async fn open(
    State(app): State<Shared>,
    Path(id): Path<String>,
    headers: HeaderMap,
    extensions: Extensions,
    upgrade: Result<WebSocketUpgrade, axum::extract::ws::rejection::WebSocketUpgradeRejection>,
) -> Result<Response, Error> {
    let interview = interview_id(&id)?;
    let by_tunnel = extensions.get::<ThroughPeer>().is_some();
    if !by_tunnel {
        // The node that the client talks to has seen what it calls itself.
        check_origin(&app, &headers)?;
    }
    let Ok(upgrade) = upgrade else {
        let detail = "this path is a WebSocket; open it with one";
        return Ok(
            Problem::bare(StatusCode::UPGRADE_REQUIRED, "input.invalid", detail).into_response()
        );
    };
    let upgrade = upgrade.protocols([SUBPROTOCOL]);
    if upgrade.selected_protocol().is_none() {
        let detail = format!("ask for the subprotocol {SUBPROTOCOL}");
        return Err(Refusal::field("Sec-WebSocket-Protocol", detail).into());
    }
    let Ok(place) = app.sockets.clone().try_acquire_owned() else {
        let detail = "this node has all the sockets that it can hold; try again later";
        return Ok(
            Problem::bare(StatusCode::SERVICE_UNAVAILABLE, "room.full", detail).into_response()
        );
    };
    let mut introduction = HeaderMap::new();
    introduce(&mut introduction, &extensions);
    let entry = Entry { interview, by_tunnel, introduction };
    let held = extensions.get::<Held>().cloned();
    Ok(upgrade
        .max_message_size(READ_BYTES_MAX)
        .max_frame_size(READ_BYTES_MAX)
        .read_buffer_size(READ_BUFFER_BYTES)
        .write_buffer_size(WRITE_BUFFER_BYTES)
        .on_upgrade(move |socket| async move {
            app.metrics.sockets.inc();
            carry(&app, entry, socket).await;
            app.metrics.sockets.dec();
            drop((place, held));
        }))
}

/// The way from a tunnel to the rooms of the same node.
pub(super) fn of_this_node(app: &Shared) -> Router {
    Router::new().route("/api/v1/rooms/{id}/socket", get(open)).with_state(app.clone())
}

/// A socket that was just opened.
struct Entry {
    interview: InterviewId,
    /// Whether another node holds the client's end.
    by_tunnel: bool,
    introduction: HeaderMap,
}

/// Somebody with a seat in a room.
struct Guest {
    seat: Seat,
    out: WayOut,
    login: Option<Session>,
    /// When what was shown in its place ends.
    until: Option<Time>,
}

async fn carry(app: &Shared, entry: Entry, socket: WebSocket) {
    let (mut sink, mut stream) = socket.split();
    let Some((first, opening)) = listen(&entry, &mut sink, &mut stream).await else { return };
    let leads = up_to_date(app).await.is_ok();
    let hello = match opening {
        Opening::Hello(hello) if !leads && !entry.by_tunnel => hello,
        opening => {
            let seated = match leads {
                true => greet(app, &entry, opening, &mut sink).await,
                false => {
                    send(&mut sink, closing(Bye::LeaderChanged, Some(come_back_ms()))).await;
                    None
                }
            };
            if let Some(seated) = seated {
                sit(app, seated, sink, stream).await;
            }
            return;
        }
    };
    let Entry { interview, introduction, .. } = entry;
    let visit = Visit { interview, introduction, first, hello };
    tunnel::carry(app, visit, &mut sink, &mut stream).await;
}

/// Carries frames between the socket and the room.
async fn sit(app: &Shared, seated: Guest, sink: Sink, mut stream: SplitStream<WebSocket>) {
    let Guest { seat, out, login, until } = seated;
    let mut writer = tokio::spawn(writer::write(app.clone(), sink, out));
    tokio::select! {
        parting = async {
            tokio::select! {
                parting = read(app, &mut stream, &seat) => parting,
                () = login_ends(app, login, until) => {
                    seat.dismiss(Bye::SessionEnded);
                    Parting::SentAway
                }
            }
        } => {
            seat.leave(parting).await;
            // The writer ends by itself: the room has dropped its end, or the socket is gone.
            let _ = writer.await;
        }
        _ = &mut writer => {
            // We said goodbye; the other side answers with its own close, or is gone.
            let answer = async { while let Some(Ok(_)) = stream.next().await {} };
            let patience = Duration::from_secs(limit::CLOSE_SECONDS);
            let _ = tokio::time::timeout(patience, answer).await;
            // The room has forgotten whom it dismissed; who is left took nothing.
            seat.leave(Parting::Broke).await;
        }
    }
}

pub(super) type Sink = SplitSink<WebSocket, Message>;

/// Waits for the first frame.
async fn listen(
    entry: &Entry,
    sink: &mut Sink,
    stream: &mut SplitStream<WebSocket>,
) -> Option<(String, Opening)> {
    let patience = Duration::from_secs(limit::HELLO_SECONDS);
    let Ok(first) = tokio::time::timeout(patience, next_data(stream)).await else {
        end(sink, None, close::NO_HELLO).await;
        return None;
    };
    let text = match first? {
        Ok(Message::Text(text)) => text.to_string(),
        Ok(_) => {
            end(sink, None, close::POLICY).await;
            return None;
        }
        Err(error) => {
            end(sink, None, close_code(&error)).await;
            return None;
        }
    };
    let opening = match entry.by_tunnel {
        true => peer::opening(&text),
        false => protocol::hello(&text).map(Opening::Hello),
    };
    match opening {
        Ok(opening) => Some((text, opening)),
        Err(bad) => {
            let refused = protocol::refused(bad.id.as_deref(), &bad.refusal);
            end(sink, Some(refused), close::POLICY).await;
            None
        }
    }
}

/// Finds a seat in the room.
async fn greet(app: &Shared, entry: &Entry, opening: Opening, sink: &mut Sink) -> Option<Guest> {
    let interview = entry.interview;
    let (holder, after) = match opening {
        Opening::Hello(hello) => {
            let now = std::time::Instant::now();
            (app.tickets.redeem(&hello.ticket, interview, now), hello.after)
        }
        // Its ticket was redeemed when the socket was opened; whether its login still holds and it
        // still is a member is asked below, as of everybody.
        Opening::Rehello(Rehello { person_id, session_id, until, after }) => {
            let holder = Holder { person: person_id, session: session_id, until, interview };
            (Some(holder), Some(after))
        }
    };
    let Some(holder) = holder else {
        send(sink, closing(Bye::TicketInvalid, None)).await;
        return None;
    };
    if app.is_stopping() {
        send(sink, closing(Bye::Draining, Some(1_000))).await;
        return None;
    }
    let (way_in, mut way_out) = outbox();
    if entry.by_tunnel {
        let (person_id, session_id) = (holder.person, holder.session);
        let seated = Seated { person_id, session_id, until: holder.until };
        way_in.greet(peer::frame(&seated).into());
    }
    match app.hub.join(holder, after, way_in.clone()).await {
        // Asked after the join: from then on the room itself hears of a login that ends.
        Some(seat) => match signed_in(app, &holder).await {
            Some(login) => Some(Guest { seat, out: way_out, login, until: holder.until }),
            None => {
                seat.leave(Parting::SentAway).await;
                send(sink, closing(Bye::SessionEnded, None)).await;
                None
            }
        },
        None => {
            drop(way_in);
            let (mut last, mut said) = (closing(Bye::Removed, None), Vec::new());
            while way_out.take(&mut said, FRAMES_AT_ONCE).await {
                last = said.pop().unwrap_or(last);
            }
            send(sink, last).await;
            None
        }
    }
}

/// The login that got a ticket, if it still holds; a ticket lives longer than a sign-out takes.
/// `None` inside: the ticket was not drawn with a login.
async fn signed_in(app: &Shared, holder: &Holder) -> Option<Option<Session>> {
    let Some(session) = holder.session else { return Some(None) };
    match login(app, session).await {
        Ok(login) => login.map(|(_, session)| Some(session)),
        Err(fault) => {
            tracing::error!(%fault, "a login could not be looked up");
            None
        }
    }
}

/// Takes frames off the socket until it ends or is silent for too long.
async fn read(app: &Shared, stream: &mut SplitStream<WebSocket>, seat: &Seat) -> Parting {
    let mut gate = seat.gate(std::time::Instant::now());
    let silence = Duration::from_secs(limit::SILENCE_SECONDS);
    while let Ok(Some(message)) = tokio::time::timeout(silence, stream.next()).await {
        let now = std::time::Instant::now();
        let received = match message {
            Ok(Message::Text(text)) if text.len() > limit::FRAME_BYTES_MAX => {
                seat.close(None, close::TOO_BIG);
                return Parting::SentAway;
            }
            Ok(Message::Text(text)) => gate.receive(&text, now),
            Ok(Message::Binary(_)) => gate.receive_binary(now),
            Ok(Message::Ping(_) | Message::Pong(_)) => continue,
            Ok(Message::Close(_)) => return Parting::Broke,
            Err(error) => {
                seat.close(None, close_code(&error));
                return Parting::Broke;
            }
        };
        match received {
            Received::Pass(frame, kind) => {
                app.metrics.frame(Direction::In, kind);
                seat.send(frame).await;
            }
            Received::Refuse(frame, code) => {
                app.metrics.refusal(code);
                seat.reply(frame).await;
            }
            Received::RefuseAndClose(frame, code, close) => {
                app.metrics.refusal(code);
                seat.close(Some(frame), close);
                return Parting::SentAway;
            }
        }
    }
    Parting::Broke
}

pub(super) async fn send(sink: &mut Sink, outgoing: Outgoing) {
    match outgoing {
        Outgoing::Frame(text) => {
            in_time(sink.send(Message::Text((&*text).into()))).await;
        }
        Outgoing::Close(last, code) => end(sink, last.map(|text| (*text).to_owned()), code).await,
    }
}

/// Says the last words and closes.
async fn end(sink: &mut Sink, last: Option<String>, code: u16) {
    if let Some(text) = last
        && !in_time(sink.send(Message::Text(text.into()))).await
    {
        return;
    }
    let frame = CloseFrame { code, reason: Default::default() };
    in_time(sink.send(Message::Close(Some(frame)))).await;
}

/// A reader that takes nothing for so long is gone.
pub(super) async fn in_time<E>(sending: impl Future<Output = Result<(), E>>) -> bool {
    let mut sending = pin!(sending);
    // Almost always there is room at once, and a timer for each frame costs more than the frame.
    if let Poll::Ready(sent) = futures_util::poll!(sending.as_mut()) {
        return sent.is_ok();
    }
    let limit = Duration::from_secs(limit::WRITE_STALL_SECONDS);
    matches!(tokio::time::timeout(limit, sending).await, Ok(Ok(())))
}

/// The next message that is not a ping or pong.
async fn next_data(stream: &mut SplitStream<WebSocket>) -> Option<Result<Message, axum::Error>> {
    loop {
        match stream.next().await? {
            Ok(Message::Ping(_) | Message::Pong(_)) => {}
            Ok(Message::Close(_)) => return None,
            other => return Some(other),
        }
    }
}
