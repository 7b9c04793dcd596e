//! The measured properties of one answer. Each signal has its file; this one holds what they share.
//!
//! **Invariant:** evidence is made of whole tokens of the answer.
//! **Invariant:** words said before in the same run of words count once for every signal but
//! length.

mod amounts;
mod causal;
mod delivery;
mod fluency;
mod ownership;
mod quantified;
mod relevance;
mod specificity;
mod structure;
mod substance;
mod trade_off;

use std::collections::BTreeMap;
use std::ops::Range;

pub(super) use amounts::{Amount, Unit, amounts};
pub(super) use relevance::{Focus, judge, quote_job_terms};
pub(super) use structure::label_sentences;

use super::lexicon::Lexicon;
use super::story::{self, Clause};
use super::text::Document;
use super::{AnswerInput, asides};
use crate::domain::analysis::{Evidence, Signal, TimedWord};
use crate::domain::number::Milli;

/// An answer that has been read, with everything that more than one signal asks for.
#[derive(Debug)]
pub(super) struct Reading {
    /// Words, sentences and cues.
    pub(super) document: Document,
    /// Clauses and their parts in the story.
    pub(super) story: Vec<Clause>,
    /// Numbers with their units.
    pub(super) amounts: Vec<Amount>,
}

/// A stretch of evidence is quoted at most this often per signal: a page shows no more, and a
/// hostile answer must not make its result many times its own length.
pub(super) const EVIDENCE_MAX: usize = 200;

impl Reading {
    /// Reads an answer without times.
    pub(super) fn new(lexicon: &Lexicon, text: &str) -> Reading {
        Reading::of(Document::read(lexicon, text))
    }

    /// Reads an answer whose words were heard at these times.
    pub(super) fn spoken(lexicon: &Lexicon, text: &str, words: &[TimedWord]) -> Reading {
        Reading::of(Document::spoken(lexicon, text, words))
    }

    /// Marks what is said beside the answer to a question, so that it counts for nothing.
    pub(super) fn set_aside(mut self, focus: &Option<Focus>) -> Reading {
        asides::mark(&mut self, focus);
        self
    }

    fn of(document: Document) -> Reading {
        let story = story::read(&document);
        let amounts = amounts::amounts(&document);
        Reading { document, story, amounts }
    }

    /// Evidence for a rule from the first to the last token of a range.
    pub(super) fn evidence(&self, range: Range<usize>, rule: &str) -> Evidence {
        let (from, to) = self.document.span(range);
        Evidence { from, to, rule: rule.to_owned() }
    }
}

/// Measures all signals.
pub(super) fn measure(
    reading: &Reading,
    focus: &Option<Focus>,
    input: &AnswerInput,
) -> BTreeMap<String, Signal> {
    let matter = substance::sentences(reading, focus);
    let mut signals = BTreeMap::from([
        ("structure".to_owned(), structure::measure(reading)),
        ("ownership".to_owned(), ownership::measure(reading)),
        ("quantified_evidence".to_owned(), quantified::measure(reading)),
        ("specificity".to_owned(), specificity::measure(reading, &matter)),
        ("trade_off".to_owned(), trade_off::measure(reading)),
        ("causal".to_owned(), causal::measure(reading)),
        ("relevance".to_owned(), relevance::measure(reading, focus, &matter)),
    ]);
    delivery::measure(reading, input, &mut signals);
    for signal in signals.values_mut() {
        signal.evidence.sort_by(|a, b| (a.from, a.to, &a.rule).cmp(&(b.from, b.to, &b.rule)));
        signal.evidence.dedup();
        signal.evidence.truncate(EVIDENCE_MAX);
    }
    signals
}

/// A signal with a value.
fn signal(value: Milli, evidence: Vec<Evidence>) -> Signal {
    Signal { value: Some(value), evidence, anchor: None, next: None }
}

/// `part / whole` in thousandths of `scale`; 0 for an empty whole.
fn share(part: i64, whole: i64, scale: i64) -> Milli {
    if whole == 0 { Milli::ZERO } else { Milli(part * scale * 1000 / whole) }
}
