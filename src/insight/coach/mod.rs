//! The practice coach: one hint at a time while somebody answers, and which question comes next.
//!
//! **Invariant:** pure functions of what they are given, the time included: the same text after the
//! same hints gets the same hint, and the same practice the same next question.

mod hint;
mod next;
mod probe;
mod rules;
pub mod wording;

pub use hint::{Partial, Prompt, Severity, Shown, next_hint, pause_ms};
pub use next::{BankQuestion, Chosen, Past, Practice, Turn, choose};
