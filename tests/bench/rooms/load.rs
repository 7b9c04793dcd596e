//! Load on rooms, and what came of it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt, StreamExt, stream};
use serde_json::{Value, json};
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio_tungstenite::tungstenite::Message;

use crate::place::{Place, Room, Shape, Socket};

/// What was delivered how fast, and how long each took.
#[derive(Clone, Copy, Debug)]
pub struct Figure {
    pub per_second: f64,
    pub p50_ms: f64,
    pub p99_ms: f64,
}

/// Memory and time of connections that say nothing.
#[derive(Clone, Copy, Debug)]
pub struct Idle {
    pub kib_each: f64,
    pub core_percent: f64,
}

/// Those who speak in a room.
const SPEAKERS: usize = 4;

/// Frames of one speaker that are under way at once, when nothing else slows it.
const UNDER_WAY: u64 = 4;

/// Letters of what is said, so that a frame has about 200 bytes.
const FILLING: usize = 90;

/// Connections that are opened at once.
const OPENING: usize = 64;

/// How far a speaker's words have come: to the last socket of its room.
#[derive(Default)]
struct Echo {
    heard: AtomicU64,
    more: Notify,
}

struct Heard {
    frames: u64,
    took_us: Vec<u32>,
}

/// The sockets of rooms, room by room.
async fn fill(place: &Place, shape: Shape) -> Vec<Vec<Socket>> {
    let mut filled = Vec::new();
    for room in place.rooms(shape).await {
        let joins = (0..shape.sockets).map(|n| place.join(&room, n, None));
        filled.push(stream::iter(joins).buffered(OPENING).collect().await);
    }
    filled
}

/// When a measurement begins, when its frames count, and when it ends.
#[derive(Clone, Copy)]
struct Window {
    began: Instant,
    counts: Instant,
    ends: Instant,
}

/// Frames from speakers in every room to all its other sockets: as many as go through, or at a rate
/// of deliveries.
pub async fn deliver(
    place: &Place,
    shape: Shape,
    durable: bool,
    rate: Option<usize>,
    time: Duration,
) -> Figure {
    let filled = fill(place, shape).await;
    let began = Instant::now();
    let window = Window { began, counts: began + time / 4, ends: began + time / 4 + time };
    let echoed = durable && matches!(place, Place::Ours(_));
    let pause = rate.map(|rate| {
        let receivers = shape.sockets - usize::from(!echoed);
        let frames = rate as f64 / (receivers * SPEAKERS * shape.rooms) as f64;
        Duration::from_secs_f64(1.0 / frames)
    });
    let (mut listening, mut speaking) = (JoinSet::new(), JoinSet::new());
    for sockets in filled {
        let echoes: Arc<Vec<Echo>> = Arc::new((0..SPEAKERS).map(|_| Echo::default()).collect());
        let last = sockets.len() - 1;
        for (n, socket) in sockets.into_iter().enumerate() {
            let (sink, stream) = socket.split();
            let echo = (n == last).then(|| echoes.clone());
            listening.spawn(listen(stream, window, echo));
            let speaker = Speaker { n, sink, durable, window, echoes: echoes.clone() };
            match n < SPEAKERS {
                true => speaking.spawn(speaker.speak(pause)),
                false => speaking.spawn(speaker.stay()),
            };
        }
    }
    let (mut frames, mut took) = (0, Vec::new());
    while let Some(heard) = listening.join_next().await {
        let heard = heard.unwrap();
        frames += heard.frames;
        took.extend(heard.took_us);
    }
    while speaking.join_next().await.is_some() {}
    took.sort_unstable();
    let at = |share: f64| match took.is_empty() {
        true => f64::NAN,
        false => f64::from(took[((took.len() - 1) as f64 * share) as usize]) / 1_000.0,
    };
    Figure { per_second: frames as f64 / time.as_secs_f64(), p50_ms: at(0.5), p99_ms: at(0.99) }
}

/// The way in of one socket.
struct Speaker {
    n: usize,
    sink: SplitSink<Socket, Message>,
    durable: bool,
    window: Window,
    echoes: Arc<Vec<Echo>>,
}

impl Speaker {
    /// Speaks at a pace, or as soon as its words have come to the last socket.
    async fn speak(mut self, pause: Option<Duration>) {
        let Window { began, ends, .. } = self.window;
        let mut beat = pause.map(|pause| {
            let first = began + pause.mul_f64((self.n + 1) as f64 / SPEAKERS as f64);
            tokio::time::interval_at(first.into(), pause)
        });
        let mut number = 0;
        loop {
            let turn = async {
                match &mut beat {
                    Some(beat) => drop(beat.tick().await),
                    None => self.echoes[self.n].until_heard(number).await,
                }
            };
            if tokio::time::timeout_at(ends.into(), turn).await.is_err() {
                return;
            }
            number += 1;
            let frame = self.frame(number);
            if self.sink.send(Message::text(frame.to_string())).await.is_err() {
                return;
            }
        }
    }

    /// Only keeps the socket open.
    async fn stay(self) {
        tokio::time::sleep_until(self.window.ends.into()).await;
    }

    fn frame(&self, number: u64) -> Value {
        let (n, filling) = (self.n, "w".repeat(FILLING));
        let words = format!("@{n}.{number}.{}.{filling}", self.window.began.elapsed().as_micros());
        match self.durable {
            true => json!({"type": "say", "id": format!("{n}.{number}"), "text": words}),
            false => json!({"type": "partial", "text": words}),
        }
    }
}

impl Echo {
    async fn until_heard(&self, number: u64) {
        while number >= self.heard.load(Ordering::Relaxed) + UNDER_WAY {
            self.more.notified().await;
        }
    }
}

async fn listen(
    mut stream: SplitStream<Socket>,
    window: Window,
    echoes: Option<Arc<Vec<Echo>>>,
) -> Heard {
    let Window { began, counts, ends } = window;
    let mut heard = Heard { frames: 0, took_us: Vec::new() };
    while let Ok(Some(Ok(message))) = tokio::time::timeout_at(ends.into(), stream.next()).await {
        let Some((speaker, number, at)) = message.to_text().ok().and_then(read) else { continue };
        if let Some(echo) = echoes.as_ref().and_then(|echoes| echoes.get(speaker)) {
            echo.heard.store(number, Ordering::Relaxed);
            echo.more.notify_one();
        }
        if Instant::now() >= counts {
            heard.frames += 1;
            if heard.frames.is_multiple_of(8) {
                let took = began.elapsed().as_micros() as u64 - at;
                heard.took_us.push(took as u32);
            }
        }
    }
    heard
}

/// Who said it, as which of its words, and when.
fn read(frame: &str) -> Option<(usize, u64, u64)> {
    let mut parts = frame.split_once('@')?.1.splitn(4, '.');
    let mut number = || parts.next()?.parse::<u64>().ok();
    Some((number()? as usize, number()?, number()?))
}

/// Connections, each with a ticket, until the welcome.
pub async fn connect(place: &Place, shape: Shape) -> Figure {
    let rooms = place.rooms(shape).await;
    let began = Instant::now();
    let sockets = join_all(place, &rooms, shape, |_| None).await;
    let per_second = sockets.len() as f64 / began.elapsed().as_secs_f64();
    Figure { per_second, p50_ms: f64::NAN, p99_ms: f64::NAN }
}

async fn join_all(
    place: &Place,
    rooms: &[Room],
    shape: Shape,
    after: impl Fn(&Room) -> Option<u64>,
) -> Vec<Socket> {
    let all = rooms.iter().flat_map(|room| (0..shape.sockets).map(move |n| (room, n)));
    let joins = all.map(|(room, n)| place.join(room, n, after(room)));
    stream::iter(joins).buffer_unordered(OPENING).collect().await
}

/// The time in which everybody is back and has what it missed.
pub async fn resume(place: &Place, shape: Shape, missed: usize) -> Duration {
    let rooms = place.rooms(shape).await;
    let mut head = 0;
    for room in &rooms {
        let mut speaker = place.join(room, 0, Some(0)).await;
        for n in 0..missed {
            let say = json!({"type": "say", "id": format!("{n}"), "text": "w".repeat(FILLING)});
            speaker.send(Message::text(say.to_string())).await.unwrap();
        }
        let last = format!(r#""id":"{}""#, missed - 1);
        loop {
            let message = speaker.next().await.unwrap().unwrap();
            let text = message.to_text().unwrap();
            if text.contains(r#""type":"ack""#) && text.contains(&last) {
                let seq = text.split(r#""seq":"#).nth(1).unwrap();
                head = seq.split(|c: char| !c.is_ascii_digit()).next().unwrap().parse().unwrap();
                break;
            }
        }
    }
    let after = head - missed as u64;
    let began = Instant::now();
    let all = rooms.iter().flat_map(|room| (0..shape.sockets).map(move |n| (room, n)));
    let joins = all.map(|(room, n)| async move {
        let mut socket = place.join(room, n, Some(after)).await;
        let last = format!(r#""seq":{head},"#);
        loop {
            let message = socket.next().await.unwrap().unwrap();
            let text = message.to_text().unwrap();
            if text.contains(r#""type":"event""#) && text.contains(&last) {
                return socket;
            }
        }
    });
    let back: Vec<Socket> = stream::iter(joins).buffer_unordered(OPENING).collect().await;
    let took = began.elapsed();
    assert_eq!(back.len(), shape.rooms * shape.sockets);
    took
}

/// Memory and time of connections that only answer pings.
pub async fn idle(place: &Place, shape: Shape, time: Duration) -> Idle {
    let rooms = place.rooms(shape).await;
    let before = place.resident_kib();
    let sockets = join_all(place, &rooms, shape, |_| None).await;
    let count = sockets.len() as f64;
    let mut reading = JoinSet::new();
    for mut socket in sockets {
        reading.spawn(async move { while let Some(Ok(_)) = socket.next().await {} });
    }
    // What coming in costs is over after a while.
    tokio::time::sleep(time).await;
    let ticks = place.ticks();
    tokio::time::sleep(time).await;
    let used = place.ticks() - ticks;
    let kib_each = (place.resident_kib() - before) / count;
    Idle { kib_each, core_percent: used / time.as_secs_f64() }
}
