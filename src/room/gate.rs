//! The way in of a connection: how fast its frames may come, and how many bad ones.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::domain::limit;
use crate::domain::refusal::{Code, Refusal};

use super::protocol::{self, BadFrame, ClientFrame, close};

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

/// Guards the way in: the frame rates of the socket and of its person, and the count of bad frames.
#[derive(Debug)]
pub struct Gate {
    own: Rate,
    person: SharedRate,
    bad: VecDeque<Instant>,
}

/// The frame rate of one person in one room, shared by that person's sockets.
#[derive(Clone, Debug)]
pub struct SharedRate(Arc<Mutex<Rate>>);

/// Frames against a rate: a bucket of tokens, and seconds of far too many.
#[derive(Debug)]
struct Rate {
    per_second: u32,
    tokens: f64,
    refilled: Instant,
    second: Instant,
    frames: u32,
    seconds_over: u64,
}

/// What a rate says of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    Pass,
    TooFast,
    /// Twice the rate for many seconds: this is no burst.
    Flood,
}

impl Gate {
    /// A gate that opens now.
    pub fn new(per_second: u32, person: SharedRate, now: Instant) -> Gate {
        Gate { own: Rate::new(per_second, now), person, bad: VecDeque::new() }
    }

    /// Takes a text frame.
    pub fn receive(&mut self, text: &str, now: Instant) -> Received {
        let (verdict, rate) = match self.own.take(now) {
            Verdict::Pass => self.person.take(now),
            verdict => (verdict, self.own.per_second),
        };
        let too_fast = || {
            let detail = format!("more than {rate} frames a second; slow down");
            Refusal::new(Code::RateLimited, detail)
        };
        match verdict {
            Verdict::Flood => {
                let refused = protocol::refused(None, &too_fast());
                Received::RefuseAndClose(refused, Code::RateLimited, close::TOO_FAST)
            }
            Verdict::TooFast => {
                let id = protocol::read(text).ok().and_then(|(frame, _)| match frame {
                    ClientFrame::Act { id, .. } => Some(id),
                    _ => None,
                });
                let refused = protocol::refused(id.as_deref(), &too_fast());
                Received::Refuse(refused, Code::RateLimited)
            }
            Verdict::Pass => match protocol::read(text) {
                Ok((frame, kind)) => Received::Pass(frame, kind),
                Err(bad) => self.refuse(bad, now),
            },
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
}

impl SharedRate {
    /// The rate of somebody whose sockets may each send so many frames a second.
    pub fn new(per_socket: u32, now: Instant) -> SharedRate {
        let per_second = per_socket.saturating_mul(limit::PERSON_RATE_FACTOR);
        SharedRate(Arc::new(Mutex::new(Rate::new(per_second, now))))
    }

    fn take(&self, now: Instant) -> (Verdict, u32) {
        let mut rate = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        (rate.take(now), rate.per_second)
    }
}

impl Rate {
    fn new(per_second: u32, now: Instant) -> Rate {
        let tokens = f64::from(per_second) * f64::from(limit::BURST_SECONDS);
        Rate { per_second, tokens, refilled: now, second: now, frames: 0, seconds_over: 0 }
    }

    fn take(&mut self, now: Instant) -> Verdict {
        let whole = now.saturating_duration_since(self.second).as_secs();
        if whole > 0 {
            let over = self.frames >= self.per_second.saturating_mul(2);
            self.seconds_over = if over && whole == 1 { self.seconds_over + 1 } else { 0 };
            self.second += Duration::from_secs(whole);
            self.frames = 0;
        }
        self.frames += 1;
        if self.seconds_over >= limit::FLOOD_SECONDS {
            return Verdict::Flood;
        }
        // The sockets of one person may see the time a little out of order.
        let passed = now.saturating_duration_since(self.refilled).as_secs_f64();
        self.refilled = self.refilled.max(now);
        let rate = f64::from(self.per_second);
        self.tokens = (self.tokens + passed * rate).min(rate * f64::from(limit::BURST_SECONDS));
        if self.tokens < 1.0 {
            return Verdict::TooFast;
        }
        self.tokens -= 1.0;
        Verdict::Pass
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PING: &str = r#"{"type":"ping","at":1}"#;

    fn gate(person: &SharedRate, now: Instant) -> Gate {
        Gate::new(limit::FRAMES_PER_SECOND, person.clone(), now)
    }

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
        let mut gate = gate(&SharedRate::new(limit::FRAMES_PER_SECOND, start), start);
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
        let mut gate = gate(&SharedRate::new(limit::FRAMES_PER_SECOND, start), start);
        for _ in 0..limit::BURST_SECONDS * limit::FRAMES_PER_SECOND {
            assert_eq!(code(gate.receive(PING, start)), (None, None));
        }
        assert_eq!(code(gate.receive(PING, start)), (Some(Code::RateLimited), None));
        let mut closed = None;
        for ms in (0..7_000).step_by(5) {
            let (_, close) = code(gate.receive(PING, start + Duration::from_millis(ms)));
            closed = closed.or(close.map(|close| (ms, close)));
        }
        let (ms, close) = closed.unwrap();
        assert_eq!(close, 4429);
        assert!((5_000..6_100).contains(&ms), "{ms}");
    }

    #[test]
    fn one_persons_sockets_share_a_rate_and_another_person_has_their_own() {
        let start = Instant::now();
        let person = SharedRate::new(limit::FRAMES_PER_SECOND, start);
        let mut gates: Vec<Gate> = (0..32).map(|_| gate(&person, start)).collect();
        let other = SharedRate::new(limit::FRAMES_PER_SECOND, start);
        let mut beside = gate(&other, start);
        let (mut passed, mut closed) = (0, 0);
        // Each socket keeps its own rate for ten seconds; together they are four times too fast.
        for ms in (0..10_000).step_by(20) {
            let now = start + Duration::from_millis(ms);
            for gate in &mut gates {
                match code(gate.receive(PING, now)) {
                    (None, None) => passed += 1,
                    (Some(Code::RateLimited), None) => {}
                    (Some(Code::RateLimited), Some(4429)) => closed += 1,
                    other => panic!("{other:?}"),
                }
            }
            assert_eq!(code(beside.receive(PING, now)), (None, None));
        }
        let rate = limit::PERSON_RATE_FACTOR * limit::FRAMES_PER_SECOND;
        assert!((rate * 2..=rate * 13).contains(&passed), "{passed}");
        assert!(closed > 0, "who keeps on is closed");
    }
}
