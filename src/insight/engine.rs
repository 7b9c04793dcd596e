//! The engine: one answer in, everything that is said about it out.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Deserialize;

use super::calibration::{Calibration, built_in};
use super::conflicts::{Entry, Kept, Told};
use super::lexicon::{Bits, Lexicon};
use super::profile::skills::Skills;
use super::signals::{self, Focus, Reading};
use super::{anchors, conflicts, hints};
use crate::domain::analysis::{
    Analysis, Conflict, ConflictState, Driver, Signal, Status, TimedWord,
};
use crate::domain::number::Milli;

/// An answer with what is known about it.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AnswerInput {
    /// What was asked.
    pub question: Option<String>,
    /// What was said or typed.
    pub answer: String,
    /// The role that is interviewed for; kept with the answer, no rule reads it.
    pub role: Option<String>,
    /// Id of the mode whose weights apply, or several joined by `+`; unknown ones change nothing.
    pub mode: Option<String>,
    /// How long the answer took.
    pub duration_s: Option<Milli>,
    /// Spoken words with their times.
    pub words: Option<Vec<TimedWord>>,
    /// The speaker's CV.
    pub cv: Option<String>,
    /// The speaker's earlier answers, oldest first.
    pub earlier: Option<Vec<String>>,
    /// The job description: its terms are quoted as evidence of relevance and move no value.
    pub job_description: Option<String>,
}

/// Word lists and weights, ready for use; cheap to share, never changed.
#[derive(Clone, Debug)]
pub struct Engine {
    lexicon: Arc<Lexicon>,
    skills: Arc<Skills>,
    kept: Kept,
    calibration: Arc<Calibration>,
}

/// Fewer words than this carry no answer that could be compared.
const WORDS_MIN: usize = 25;

/// Fewer different words than this are a chant, not an answer.
const DISTINCT_MIN: usize = 15;

/// At least this many of a hundred words must be known: in plain English about two of three are
/// in the word lists, in technical speech about half, in keyboard noise next to none.
const KNOWN_PERCENT_MIN: usize = 40;

impl Engine {
    /// The engine with the calibration that is in force where nobody activated another.
    pub fn built_in() -> Engine {
        let calibration = Calibration::parse(built_in::DEFAULT);
        Engine::new(calibration.expect("invariant: the built-in calibration is valid"))
    }

    /// An engine with these weights.
    pub fn new(calibration: Calibration) -> Engine {
        Engine {
            lexicon: Arc::new(Lexicon::new()),
            skills: Arc::new(Skills::new()),
            kept: Kept::default(),
            calibration: Arc::new(calibration),
        }
    }

    /// The same word lists with other weights.
    pub fn under(&self, calibration: Calibration) -> Engine {
        Engine { calibration: Arc::new(calibration), ..self.clone() }
    }

    /// What became of a conflict, from everything that was said afterwards, oldest first.
    pub fn settle(&self, conflict: &Conflict, later: &[Told<'_>]) -> ConflictState {
        conflicts::settle(&self.lexicon, conflict, later)
    }

    /// Every conflict over a CV and answers, oldest first, with what became of it.
    pub fn ledger(&self, cv: Option<&str>, answers: &[&str]) -> Vec<Entry> {
        conflicts::ledger(&self.lexicon, &self.kept, cv, answers)
    }

    pub(super) fn lexicon(&self) -> &Lexicon {
        &self.lexicon
    }

    pub(super) fn skills(&self) -> &Skills {
        &self.skills
    }

    /// The weights that this engine uses.
    pub fn calibration(&self) -> &Calibration {
        &self.calibration
    }

    /// Everything there is to say about one answer.
    pub fn analyse(&self, input: &AnswerInput) -> Analysis {
        let words = input.words.as_deref().unwrap_or_default();
        let focus = Focus::new(&self.lexicon, input.question.as_deref());
        let reading = Reading::spoken(&self.lexicon, &input.answer, words).set_aside(&focus);
        let mut signals = signals::measure(&reading, &focus, input);
        if let (Some(job), Some(signal)) = (&input.job_description, signals.get_mut("relevance")) {
            signals::quote_job_terms(&self.lexicon, &reading, job, signal);
        }
        for (name, signal) in &mut signals {
            anchors::describe(name, signal);
        }
        let because = insufficient_because(&reading, &input.answer);
        let (score, baseline, drivers) = self.weigh(&signals, input.mode.as_deref());
        let scored = because.is_none();
        let answered = signals::judge(&reading, &focus);
        let sentences = signals::label_sentences(&reading);
        let conflicts = conflicts::find(&self.lexicon, &self.kept, &reading, input);
        let hints = hints::give(&reading, &signals, &sentences, &answered, scored);
        Analysis {
            status: if scored { Status::Scored } else { Status::Insufficient },
            score: scored.then_some(score),
            baseline,
            calibration: self.calibration.id().clone(),
            signals,
            sentences,
            drivers: if scored { drivers } else { Vec::new() },
            answered,
            conflicts,
            hints,
            insufficient_because: because,
        }
    }

    /// What measured signals are worth: score, baseline and drivers.
    pub fn weigh(
        &self,
        signals: &BTreeMap<String, Signal>,
        mode: Option<&str>,
    ) -> (Milli, Milli, Vec<Driver>) {
        let weights = self.calibration.weights(mode);
        let value = |name: &str| signals.get(name).and_then(|signal| signal.value);
        let (baseline, drivers) = self.calibration.drivers(&weights, value);
        (baseline + drivers.iter().map(|driver| driver.points).sum(), baseline, drivers)
    }

    /// What of a text does not fit what was said before; nothing else is measured.
    pub(super) fn conflicts(&self, input: &AnswerInput) -> Vec<Conflict> {
        let reading = Reading::new(&self.lexicon, &input.answer);
        conflicts::find(&self.lexicon, &self.kept, &reading, input)
    }

    /// The signals' values alone, for a text that is still being typed.
    pub fn meters(&self, input: &AnswerInput) -> BTreeMap<String, Option<Milli>> {
        let words = input.words.as_deref().unwrap_or_default();
        let focus = Focus::new(&self.lexicon, input.question.as_deref());
        let reading = Reading::spoken(&self.lexicon, &input.answer, words).set_aside(&focus);
        let signals: BTreeMap<String, Signal> = signals::measure(&reading, &focus, input);
        signals.into_iter().map(|(name, signal)| (name, signal.value)).collect()
    }
}

/// Why no score can be given, or nothing.
fn insufficient_because(reading: &Reading, text: &str) -> Option<String> {
    let tokens = &reading.document.tokens;
    let fresh: Vec<_> = tokens.iter().filter(|token| !token.repeated).collect();
    if fresh.len() < WORDS_MIN {
        let counted = match tokens.len() > fresh.len() {
            true => "Words of the answer, repetition left out",
            false => "Words of the answer",
        };
        return Some(format!("{counted}: {}; at least {WORDS_MIN} are needed.", fresh.len()));
    }
    let broken = text.chars().filter(|c| *c == '\u{fffd}').count();
    if broken * 20 > tokens.len() {
        return Some("The text is damaged: many characters could not be read.".to_owned());
    }
    let spoken = fresh.iter().filter(|token| !token.bits.any(Bits::FILLER));
    let mut stems: Vec<u32> = spoken.map(|token| token.stem).collect();
    stems.sort_unstable();
    stems.dedup();
    if stems.len() < DISTINCT_MIN {
        return Some(format!(
            "Different words of the answer: {}; at least {DISTINCT_MIN} are needed.",
            stems.len()
        ));
    }
    let known = fresh.iter().filter(|token| token.bits != Bits::default() || token.number).count();
    if known * 100 < fresh.len() * KNOWN_PERCENT_MIN {
        return Some("The text cannot be read as English sentences.".to_owned());
    }
    None
}

#[cfg(test)]
mod policy;
#[cfg(test)]
mod tests;
