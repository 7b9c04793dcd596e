//! The frames of `greenroom.v1`: text to frame, frame to text.
//!
//! **Invariant:** a frame is read whole or refused with a reason; nothing in it is guessed.
//! **Invariant:** `tests/golden/frames.json` holds every frame in both directions.

mod read;
mod write;

pub mod peer;

use serde_json::value::RawValue;

use crate::domain::analysis::TimedWord;
use crate::domain::id::{PersonId, QuestionId};
use crate::domain::number::Milli;
use crate::domain::refusal::Refusal;

pub use read::{check_duration, check_words, hello, read};
pub use write::{Welcome, ack, bye, hint, partial, pong, refused, signal, welcome};

/// The subprotocol's name.
pub const SUBPROTOCOL: &str = "greenroom.v1";

/// What a client sends after its `hello`.
#[derive(Debug)]
pub enum ClientFrame {
    /// A durable act under a client-chosen id.
    Act {
        /// The id; the same one again writes nothing twice.
        id: String,
        /// What.
        wish: Wish,
    },
    /// Text that is still being typed or spoken.
    Partial {
        /// On which question.
        question_id: Option<QuestionId>,
        /// All of it so far.
        text: String,
    },
    /// WebRTC signalling to one member.
    Signal {
        /// To whom.
        to: PersonId,
        /// Whatever the two browsers agree on.
        data: Box<RawValue>,
    },
    /// How much help this connection wants: 1 to 3.
    Set {
        /// How much.
        assist_intensity: u8,
    },
    /// Asks for a `pong` with the same content.
    Ping {
        /// The content.
        at: Box<RawValue>,
    },
}

/// What a durable frame asks for, before ids and an analysis are added to it.
#[derive(Debug)]
pub enum Wish {
    /// Begin.
    Start,
    /// End.
    Finish,
    /// Put a question.
    Ask {
        /// Its words.
        text: String,
    },
    /// Go on without an answer.
    Skip {
        /// Which question.
        question_id: QuestionId,
    },
    /// Say something.
    Say {
        /// On which question.
        question_id: Option<QuestionId>,
        /// The words.
        text: String,
        /// When each was said.
        words: Option<Vec<TimedWord>>,
    },
    /// Close an answer.
    Answer {
        /// To which question.
        question_id: QuestionId,
        /// The answer; `None`: what was said since the question.
        text: Option<String>,
        /// When each word was said.
        words: Option<Vec<TimedWord>>,
        /// How long it took.
        duration_s: Option<Milli>,
    },
    /// Keep a note.
    Note {
        /// The note.
        text: String,
        /// On which question.
        question_id: Option<QuestionId>,
    },
}

/// The first frame of a connection.
#[derive(Debug)]
pub struct Hello {
    /// The single-use ticket.
    pub ticket: String,
    /// The last event that the client has; `None`: only new ones are wanted.
    pub after: Option<u64>,
}

/// A frame that was refused, with its id where it had a usable one.
#[derive(Debug)]
pub struct BadFrame {
    /// The frame's id.
    pub id: Option<String>,
    /// Why.
    pub refusal: Refusal,
}

/// How a connection ends: `bye` and a close code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bye {
    /// The node stops.
    Draining,
    /// Another node leads, or nobody.
    LeaderChanged,
    /// The reader takes too little.
    SlowReader,
    /// Too many sockets of one person in one room.
    TooManySockets,
    /// The ticket is used, expired or invented.
    TicketInvalid,
    /// No longer a member.
    Removed,
    /// The login ended.
    SessionEnded,
    /// The interview is over.
    RoomFinished,
}

impl Bye {
    /// The code in the `bye` frame.
    pub const fn code(self) -> &'static str {
        match self {
            Bye::Draining => "draining",
            Bye::LeaderChanged => "leader_changed",
            Bye::SlowReader => "slow_reader",
            Bye::TooManySockets => "too_many_sockets",
            Bye::TicketInvalid => "ticket_invalid",
            Bye::Removed => "removed",
            Bye::SessionEnded => "session_ended",
            Bye::RoomFinished => "room_finished",
        }
    }

    /// The WebSocket close code.
    pub const fn close_code(self) -> u16 {
        match self {
            Bye::Draining | Bye::LeaderChanged => 1012,
            Bye::SlowReader | Bye::TooManySockets => 1013,
            Bye::TicketInvalid | Bye::Removed | Bye::SessionEnded => 1008,
            Bye::RoomFinished => 1000,
        }
    }

    const fn detail(self) -> &'static str {
        match self {
            Bye::Draining => "this node is stopping; come back with your last seq",
            Bye::LeaderChanged => "another node leads now; come back with your last seq",
            Bye::SlowReader => "this connection took too little; come back with your last seq",
            Bye::TooManySockets => "you have this room open too often; close another tab",
            Bye::TicketInvalid => "the ticket was used, has expired or never was; get a new one",
            Bye::Removed => "you are no longer a member of this interview",
            Bye::SessionEnded => "your login has ended; sign in again",
            Bye::RoomFinished => "the interview is over",
        }
    }
}

/// Close codes of our own, beside those of RFC 6455.
pub mod close {
    /// Three bad frames.
    pub const BAD_FRAMES: u16 = 4400;
    /// No `hello` in time.
    pub const NO_HELLO: u16 = 4408;
    /// Too fast for too long.
    pub const TOO_FAST: u16 = 4429;
    /// The first frame was not a `hello`.
    pub const POLICY: u16 = 1008;
    /// Not UTF-8.
    pub const NOT_UTF8: u16 = 1007;
    /// Over the frame limit.
    pub const TOO_BIG: u16 = 1009;
}
