//! Statements that do not fit together: in the answer and in what the speaker said or wrote before.
//!
//! Typed facts (numbers, stages of a career, denials) are compared by rules with tolerances, and
//! plain sentences by their words. A report asks to reconcile two quotes; it never says that
//! somebody lied. Whoever corrects a statement has made the corrected one.
//!
//! **Invariant:** the work is bounded by [`SENTENCES_MAX`] on each side.
//! **Invariant:** what is kept of a text between two answers changes no result.

mod careers;
mod denials;
mod facts;
mod kept;
mod probes;
mod settled;
mod twins;

use std::sync::Arc;

use super::AnswerInput;
use super::lexicon::Lexicon;
use super::signals::{Reading, amounts};
use super::text::Document;
use crate::domain::analysis::{Conflict, ConflictState, Quote, Severity};

pub(super) use kept::Kept;
pub use settled::Told;
pub(super) use settled::settle;

/// An older text that the answer is compared with.
struct Source<'a> {
    name: &'static str,
    index: Option<u32>,
    text: &'a str,
}

/// Two places that do not fit together, as code points.
#[derive(Debug)]
struct Clash {
    before: (u32, u32),
    now: (u32, u32),
    rule: &'static str,
    severity: Severity,
}

/// Earlier answers and the CV are compared up to this many: more than an interview day holds.
const SOURCES_MAX: usize = 100;

/// Sentences of one text that are compared; a CV of ten pages has fewer.
const SENTENCES_MAX: usize = 400;

/// A list of more conflicts than this is a fault of one side, not news.
const CONFLICTS_MAX: usize = 20;

/// What one text says, in the forms that are compared.
#[derive(Debug)]
pub(super) struct Statements {
    plain: Vec<twins::Plain>,
    facts: Vec<facts::Fact>,
    careers: Vec<careers::Career>,
    denials: denials::Denials,
}

impl Statements {
    fn read(lexicon: &Lexicon, text: &str, cv: bool) -> Statements {
        let document = Document::read(lexicon, text);
        Statements::of(&document, &amounts(&document), cv)
    }

    fn of(document: &Document, amounts: &[super::signals::Amount], cv: bool) -> Statements {
        Statements {
            plain: twins::read(document),
            facts: facts::read(document, amounts),
            careers: careers::read(document, amounts, cv),
            denials: denials::read(document, cv),
        }
    }

    /// What of an older text does not fit to this one.
    fn clashes(&self, now: &Statements) -> Vec<Clash> {
        let mut clashes = twins::compare(&self.plain, &now.plain);
        clashes.extend(facts::compare(&self.facts, &now.facts));
        clashes.extend(careers::compare(&self.careers, &now.careers));
        clashes.extend(denials::compare(&self.denials, &now.denials));
        // One pair of places is told once, by the first rule that sees it.
        let mut seen: Vec<((u32, u32), (u32, u32))> = Vec::new();
        clashes.retain(|clash| {
            let place = (clash.before, clash.now);
            let inside = |a: (u32, u32), b: (u32, u32)| a.0 < b.1 && b.0 < a.1;
            let known = seen.iter().any(|(a, b)| inside(*a, place.0) && inside(*b, place.1));
            seen.push(place);
            !known
        });
        clashes
    }
}

/// A ledger with more entries is not read by anybody.
const ENTRIES_MAX: usize = 100;

/// Finds what does not fit together, in the order of the older texts: CV first.
pub(super) fn find(
    lexicon: &Lexicon,
    kept: &Kept,
    reading: &Reading,
    input: &AnswerInput,
) -> Vec<Conflict> {
    let cv = input.cv.iter().map(|text| Source { name: "cv", index: None, text });
    let earlier = input.earlier.iter().flatten().zip(0u32..).map(|(text, index)| Source {
        name: "earlier",
        index: Some(index),
        text,
    });
    let sources: Vec<Source<'_>> = cv.chain(earlier).take(SOURCES_MAX).collect();
    if sources.is_empty() || reading.document.tokens.is_empty() {
        return Vec::new();
    }
    let now = Statements::of(&reading.document, &reading.amounts, false);
    let mut conflicts = Vec::new();
    for source in &sources {
        let is_cv = source.index.is_none();
        let before: Arc<Statements> = kept.read(lexicon, source.text, is_cv);
        for clash in before.clashes(&now) {
            let a = quote(source.name, source.index, source.text, clash.before);
            let b = quote("answer", None, &input.answer, clash.now);
            conflicts.push(Conflict {
                probe: Some(probes::probe(clash.rule, &a, &b)),
                a,
                b,
                rule: clash.rule.to_owned(),
                severity: clash.severity,
                state: ConflictState::Open,
            });
        }
        conflicts.truncate(CONFLICTS_MAX);
    }
    conflicts
}

/// An entry of a person's ledger: a conflict between the CV or one answer and a later answer.
#[derive(Clone, Debug)]
pub struct Entry {
    /// The index of the later answer.
    pub answer: usize,
    /// Both quotes; `earlier` with an index into the answers.
    pub conflict: Conflict,
}

/// Every conflict over a CV and answers, oldest first, with what became of it.
pub(super) fn ledger(
    lexicon: &Lexicon,
    kept: &Kept,
    cv: Option<&str>,
    answers: &[&str],
) -> Vec<Entry> {
    let mut entries = Vec::new();
    for (at, answer) in answers.iter().enumerate() {
        let input = AnswerInput {
            answer: (*answer).to_owned(),
            cv: cv.map(str::to_owned),
            earlier: Some(answers[..at].iter().map(|text| (*text).to_owned()).collect()),
            ..AnswerInput::default()
        };
        let later: Vec<Told<'_>> = answers[at + 1..].iter().map(|text| Told { text }).collect();
        for mut conflict in find(lexicon, kept, &Reading::new(lexicon, answer), &input) {
            conflict.state = settle(lexicon, &conflict, &later);
            entries.push(Entry { answer: at, conflict });
        }
        entries.truncate(ENTRIES_MAX);
    }
    entries
}

fn quote(source: &str, index: Option<u32>, text: &str, span: (u32, u32)) -> Quote {
    let length = (span.1 - span.0) as usize;
    let words: String = text.chars().skip(span.0 as usize).take(length).collect();
    Quote { source: source.to_owned(), index, text: words, from: span.0, to: span.1 }
}

#[cfg(test)]
mod tests;
