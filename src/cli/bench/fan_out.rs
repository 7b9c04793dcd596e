//! How many events reach sockets: durable ones, in rooms whose members all listen.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::{WebSocketStream, client_async};

use crate::cli::client::Client;
use crate::cli::exit::Error;
use crate::room::protocol::SUBPROTOCOL;

use super::drive::{Figure, Window, Work, drive};
use super::node::{Cluster, Speaker, broken};

/// Rooms, the sockets that listen in each, and those who speak in it.
const ROOMS: usize = 4;
const SOCKETS: usize = 25;
const SPEAKERS: usize = 4;

/// Speakers of all rooms.
pub(super) const SPEAKING: usize = ROOMS * SPEAKERS;

/// A room holds 20,000 events; four speakers on a fast disk need some ten seconds for them.
const TIME_MAX: Duration = Duration::from_secs(5);

/// A frame of the control: about an event of ours as it goes over a socket.
const FRAME_BYTES: usize = 512;

/// Digits of the microseconds in front of what is said.
const DIGITS: usize = 12;

/// Somebody who says when it was said.
struct Dated {
    speaker: Speaker,
    since: Instant,
}

impl Work for Dated {
    async fn write(&mut self) -> Result<(), Error> {
        let date = format!("{:0DIGITS$}", self.since.elapsed().as_micros());
        self.speaker.text.replace_range(..DIGITS, &date);
        self.speaker.write().await
    }
}

/// Events as they arrive at sockets, each dated from before its proposal.
pub(super) async fn events(cluster: &Cluster, time: Duration) -> Result<Figure, Error> {
    let (time, since) = (time.min(TIME_MAX), Instant::now());
    let (mut sockets, mut speakers) = (Vec::new(), Vec::new());
    for first in cluster.speakers(ROOMS).await? {
        for _ in 0..SOCKETS {
            sockets.push(join(cluster.address(), &cluster.admin(), &first).await?);
        }
        let others = (1..SPEAKERS).map(|_| first.beside()).collect::<Vec<_>>();
        let all = others.into_iter().chain([first]);
        speakers.extend(all.map(|speaker| Dated { speaker, since }));
    }
    let window = Window::open(time);
    let mut listeners = JoinSet::new();
    for socket in sockets {
        listeners.spawn(listen(socket, since, window));
    }
    let spoken = drive(speakers, time).await?;
    let mut taken = Vec::new();
    while let Some(heard) = listeners.join_next().await {
        taken.extend(heard.map_err(|e| Error::fault("a listener fell").why(e.to_string()))??);
    }
    let spent =
        Duration::from_secs_f64(spoken.cpu_us * spoken.per_second * time.as_secs_f64() / 1e6);
    Ok(window.figure(taken, spent))
}

/// The same count of connections over loopback, each with a frame at a time written to it.
pub(super) async fn frames(time: Duration) -> Result<Figure, Error> {
    let time = time.min(TIME_MAX);
    let listener = TcpListener::bind("127.0.0.1:0").await.map_err(|e| broken(&e))?;
    let address = listener.local_addr().map_err(|e| broken(&e))?;
    let mut pairs = Vec::new();
    for _ in 0..ROOMS * SOCKETS {
        let (near, far) = tokio::join!(TcpStream::connect(address), listener.accept());
        pairs.push((near.map_err(|e| broken(&e))?, far.map_err(|e| broken(&e))?.0));
    }
    let window = Window::open(time);
    let mut tasks = JoinSet::new();
    for (mut near, mut far) in pairs {
        tasks.spawn(async move {
            let frame = [0; FRAME_BYTES];
            while !window.is_over() && near.write_all(&frame).await.is_ok() {}
            0
        });
        tasks.spawn(async move {
            let (mut buffer, mut bytes) = ([0; 1 << 14], 0);
            loop {
                match far.read(&mut buffer).await {
                    Ok(0) | Err(_) => return bytes,
                    Ok(read) if window.counts() => bytes += read,
                    Ok(_) => {}
                }
            }
        });
    }
    let mut bytes = 0;
    while let Some(read) = tasks.join_next().await {
        bytes += read.map_err(|e| Error::fault("a reader fell").why(e.to_string()))?;
    }
    let per_second = (bytes / FRAME_BYTES) as f64 / time.as_secs_f64();
    Ok(Figure { per_second, p50_ms: f64::NAN, p99_ms: f64::NAN, cpu_us: f64::NAN })
}

type Socket = WebSocketStream<TcpStream>;

async fn join(address: SocketAddr, admin: &Client, speaker: &Speaker) -> Result<Socket, Error> {
    let path = format!("/api/v1/interviews/{}/ticket", speaker.room());
    let ticket = admin.post(&path, &json!({})).await?;
    let path = ticket["socket"].as_str().unwrap_or_default();
    let mut request =
        format!("ws://{address}{path}").into_client_request().map_err(|e| broken(&e))?;
    let protocol = HeaderValue::from_static(SUBPROTOCOL);
    request.headers_mut().insert("sec-websocket-protocol", protocol);
    let stream = TcpStream::connect(address).await.map_err(|e| broken(&e))?;
    stream.set_nodelay(true).map_err(|e| broken(&e))?;
    let (mut socket, _) = client_async(request, stream).await.map_err(|e| broken(&e))?;
    let hello: Value = json!({"type": "hello", "ticket": ticket["ticket"]});
    socket.send(Message::text(hello.to_string())).await.map_err(|e| broken(&e))?;
    while let Some(message) = socket.next().await {
        if let Message::Text(text) = message.map_err(|e| broken(&e))?
            && text.contains(r#""type":"welcome""#)
        {
            return Ok(socket);
        }
    }
    Err(Error::unavailable("a room did not welcome a member"))
}

/// How long each event took that arrived within the window.
async fn listen(
    mut socket: Socket,
    since: Instant,
    window: Window,
) -> Result<Vec<Duration>, Error> {
    let mut taken = Vec::new();
    while let Ok(Some(message)) = tokio::time::timeout_at(window.ends(), socket.next()).await {
        if let Message::Text(text) = message.map_err(|e| broken(&e))?
            && let Some(date) = date(&text)
            && window.counts()
        {
            taken.push(since.elapsed().saturating_sub(date));
        }
    }
    match window.is_over() {
        true => Ok(taken),
        false => Err(Error::unavailable("a room closed a socket that listened")),
    }
}

/// The date in front of what was said, if this is such an event.
fn date(frame: &str) -> Option<Duration> {
    const TEXT: &str = r#""text":""#;
    let start = frame.find(TEXT)? + TEXT.len();
    frame.get(start..start + DIGITS)?.parse().ok().map(Duration::from_micros)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_said_tells_when() {
        let frame = r#"{"type":"event","data":{"text":"000000001500wwww"}}"#;
        assert_eq!(date(frame), Some(Duration::from_micros(1_500)));
        assert_eq!(date(r#"{"type":"ack"}"#), None);
        assert_eq!(date(r#"{"text":"too short"}"#), None);
    }

    #[tokio::test]
    async fn the_control_carries_frames() {
        assert!(frames(Duration::from_millis(50)).await.unwrap().per_second > 0.0);
    }
}
