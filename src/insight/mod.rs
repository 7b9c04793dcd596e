//! Insight: what the words of an answer show, with the words themselves as evidence.
//!
//! The way of one answer: `text` reads it once (words, sentences, clauses, cues by the `lexicon`),
//! `story` finds each clause's part, `signals` measures, `calibration` turns values into points,
//! `conflicts` compares with what was said before, `hints` says what would help, `engine` puts it
//! together. `score_line` is the engine as a line protocol, `report` sums an interview up,
//! `readiness` a person's practices, `coach` hints while somebody answers and the next question.
//!
//! **Invariant:** pure functions of their input and the calibration: no clock, no randomness, no
//! floating point, no order of a hash map in any result. `DESIGN.md` says what each signal means.

mod anchors;
mod asides;
pub mod calibration;
pub mod coach;
mod conflicts;
pub mod coverage;
mod dates;
mod engine;
mod hints;
pub mod interviewer;
mod lexicon;
pub mod profile;
pub mod progress;
pub mod readiness;
pub mod report;
mod score_line;
mod signals;
mod story;
mod text;

pub use calibration::{Calibration, CalibrationError, FILE_BYTES_MAX, Mode};
pub use conflicts::{Entry, Told};
pub use engine::{AnswerInput, Engine};
pub use score_line::{LINE_BYTES_MAX, score_line};
