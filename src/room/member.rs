//! One connection's side of a room: what it may send how fast, and what is on its way to it.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::mpsc;

use crate::cluster::fresh;
use crate::domain::limit;
use crate::domain::refusal::{Code, Refusal};

use super::protocol::{self, BadFrame, Bye, ClientFrame, close};

/// What goes to a connection.
#[derive(Clone, Debug)]
pub enum Outgoing {
    /// A text frame.
    Frame(Arc<str>),
    /// The last frame, if any, and the close code.
    Close(Option<Arc<str>>, u16),
}

/// The sending end of a connection's way out; bounded by [`limit::OUTBOX_FRAMES_MAX`].
pub type Outbox = mpsc::Sender<Outgoing>;

/// A way out.
pub fn outbox() -> (Outbox, mpsc::Receiver<Outgoing>) {
    mpsc::channel(limit::OUTBOX_FRAMES_MAX)
}

/// The closing that goes with a `bye`.
pub fn closing(why: Bye, retry_after_ms: Option<u64>) -> Outgoing {
    Outgoing::Close(Some(protocol::bye(why, retry_after_ms).into()), why.close_code())
}

/// When to come back after a change of leader: an election takes about a second, and not everybody
/// is to come at once.
pub fn come_back_ms() -> u64 {
    500 + jitter_ms(1_000)
}

/// A time that differs from caller to caller.
pub(super) fn jitter_ms(up_to: u64) -> u64 {
    // The random part of a new id; nothing secret hangs on it.
    let id = fresh();
    let [.., high, low] = *id.as_bytes();
    u64::from(u16::from_be_bytes([high, low])) * up_to / u64::from(u16::MAX)
}

/// What a text frame of a client leads to.
#[derive(Debug)]
pub enum Received {
    /// It goes to the room; the second part is its type.
    Pass(ClientFrame, &'static str),
    /// It is answered with a refusal.
    Refuse(String, Code),
    /// It is answered with a refusal, and the connection is closed.
    RefuseAndClose(String, Code, u16),
}

/// Guards the way in: the frame rate and the count of bad frames.
#[derive(Debug)]
pub struct Gate {
    tokens: f64,
    refilled: Instant,
    flood: Flood,
    bad: VecDeque<Instant>,
}

/// Counts frames second by second, to tell a burst from a flood.
#[derive(Debug)]
struct Flood {
    second: Instant,
    frames: u32,
    seconds_over: u64,
}

impl Gate {
    /// A gate that opens now.
    pub fn new(now: Instant) -> Gate {
        Gate {
            tokens: f64::from(limit::FRAMES_BURST),
            refilled: now,
            flood: Flood { second: now, frames: 0, seconds_over: 0 },
            bad: VecDeque::new(),
        }
    }

    /// Takes a text frame.
    pub fn receive(&mut self, text: &str, now: Instant) -> Received {
        if self.flood.counts_to_too_much(now) {
            let refusal = too_fast();
            return Received::RefuseAndClose(
                protocol::refused(None, &refusal),
                refusal.code,
                close::TOO_FAST,
            );
        }
        if !self.take_token(now) {
            let id = protocol::read(text).ok().and_then(|(frame, _)| match frame {
                ClientFrame::Act { id, .. } => Some(id),
                _ => None,
            });
            let refusal = too_fast();
            return Received::Refuse(protocol::refused(id.as_deref(), &refusal), refusal.code);
        }
        match protocol::read(text) {
            Ok((frame, kind)) => Received::Pass(frame, kind),
            Err(bad) => self.refuse(bad, now),
        }
    }

    /// Takes a frame that is not text.
    pub fn receive_binary(&mut self, now: Instant) -> Received {
        let refusal = Refusal::new(Code::FrameBad, "frames are text; binary ones are not read");
        self.refuse(BadFrame { id: None, refusal }, now)
    }

    fn refuse(&mut self, bad: BadFrame, now: Instant) -> Received {
        let code = bad.refusal.code;
        let frame = protocol::refused(bad.id.as_deref(), &bad.refusal);
        if code != Code::FrameBad {
            return Received::Refuse(frame, code);
        }
        let window = Duration::from_secs(limit::BAD_FRAMES_SECONDS);
        while self.bad.front().is_some_and(|at| now.duration_since(*at) >= window) {
            self.bad.pop_front();
        }
        self.bad.push_back(now);
        if self.bad.len() >= limit::BAD_FRAMES_MAX {
            return Received::RefuseAndClose(frame, code, close::BAD_FRAMES);
        }
        Received::Refuse(frame, code)
    }

    fn take_token(&mut self, now: Instant) -> bool {
        let passed = now.duration_since(self.refilled).as_secs_f64();
        self.refilled = now;
        let refill = passed * f64::from(limit::FRAMES_PER_SECOND);
        self.tokens = (self.tokens + refill).min(f64::from(limit::FRAMES_BURST));
        if self.tokens < 1.0 {
            return false;
        }
        self.tokens -= 1.0;
        true
    }
}

impl Flood {
    fn counts_to_too_much(&mut self, now: Instant) -> bool {
        let passed = now.duration_since(self.second).as_secs();
        if passed > 0 {
            let over = self.frames >= 2 * limit::FRAMES_PER_SECOND;
            self.seconds_over = if over && passed == 1 { self.seconds_over + 1 } else { 0 };
            self.second += Duration::from_secs(passed);
            self.frames = 0;
        }
        self.frames += 1;
        self.seconds_over >= limit::FLOOD_SECONDS
    }
}

fn too_fast() -> Refusal {
    let detail = format!("more than {} frames a second; slow down", limit::FRAMES_PER_SECOND);
    Refusal::new(Code::RateLimited, detail)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(received: Received) -> (Option<Code>, Option<u16>) {
        match received {
            Received::Pass(..) => (None, None),
            Received::Refuse(_, code) => (Some(code), None),
            Received::RefuseAndClose(_, code, close) => (Some(code), Some(close)),
        }
    }

    #[test]
    fn the_third_bad_frame_within_a_minute_closes() {
        let start = Instant::now();
        let mut gate = Gate::new(start);
        assert_eq!(code(gate.receive("[]", start)), (Some(Code::FrameBad), None));
        assert_eq!(code(gate.receive("{}", start)), (Some(Code::FrameBad), None));
        let later = start + Duration::from_secs(61);
        assert_eq!(code(gate.receive("x", later)), (Some(Code::FrameBad), None));
        assert_eq!(code(gate.receive_binary(later)), (Some(Code::FrameBad), None));
        assert_eq!(code(gate.receive("1", later)), (Some(Code::FrameBad), Some(4400)));
    }

    #[test]
    fn a_burst_passes_a_flood_is_refused_and_then_closed() {
        let start = Instant::now();
        let mut gate = Gate::new(start);
        let ping = r#"{"type":"ping","at":1}"#;
        for _ in 0..limit::FRAMES_BURST {
            assert_eq!(code(gate.receive(ping, start)), (None, None));
        }
        assert_eq!(code(gate.receive(ping, start)), (Some(Code::RateLimited), None));
        let mut closed = None;
        for ms in (0..7_000).step_by(5) {
            let (_, close) = code(gate.receive(ping, start + Duration::from_millis(ms)));
            closed = closed.or(close.map(|close| (ms, close)));
        }
        let (ms, close) = closed.unwrap();
        assert_eq!(close, 4429);
        assert!((5_000..6_100).contains(&ms), "{ms}");
    }
}
