//! Statements that do not fit together: in the answer and in what the speaker said or wrote before.
//!
//! Two kinds of rules: nearly the same plain sentence with one side denied or turned into its
//! opposite, and the same fact with another number. A report asks to reconcile two quotes; it never
//! says that somebody lied. An answer that corrects itself is left alone.
//!
//! **Invariant:** the work is bounded by [`SENTENCES_MAX`] on each side.

mod facts;
mod twins;

use super::AnswerInput;
use super::lexicon::Lexicon;
use super::signals::{Reading, amounts};
use super::text::Document;
use crate::domain::analysis::{Conflict, Quote, Severity};

/// An older text that the answer is compared with.
struct Source<'a> {
    name: &'static str,
    index: Option<u32>,
    text: &'a str,
}

/// Two places that do not fit together, as code points.
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

/// Finds what does not fit together, in the order of the older texts: CV first.
pub(super) fn find(lexicon: &Lexicon, reading: &Reading, input: &AnswerInput) -> Vec<Conflict> {
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
    let now_twins = twins::read(&reading.document);
    let now_facts = facts::read(&reading.document, &reading.amounts);
    let mut conflicts = Vec::new();
    for source in &sources {
        let document = Document::read(lexicon, source.text);
        let before_facts = facts::read(&document, &amounts(&document));
        let mut clashes = twins::compare(&twins::read(&document), &now_twins);
        clashes.extend(facts::compare(&before_facts, &now_facts));
        for clash in clashes {
            conflicts.push(Conflict {
                a: quote(source.name, source.index, source.text, clash.before),
                b: quote("answer", None, &input.answer, clash.now),
                rule: clash.rule.to_owned(),
                severity: clash.severity,
            });
        }
        conflicts.truncate(CONFLICTS_MAX);
    }
    conflicts
}

fn quote(source: &str, index: Option<u32>, text: &str, span: (u32, u32)) -> Quote {
    let length = (span.1 - span.0) as usize;
    let words: String = text.chars().skip(span.0 as usize).take(length).collect();
    Quote { source: source.to_owned(), index, text: words, from: span.0, to: span.1 }
}

#[cfg(test)]
mod tests {
    use super::super::Engine;
    use super::*;

    fn rules(before: &str, now: &str) -> Vec<String> {
        let input = AnswerInput {
            answer: now.to_owned(),
            cv: Some(before.to_owned()),
            ..AnswerInput::default()
        };
        Engine::built_in().analyse(&input).conflicts.into_iter().map(|c| c.rule).collect()
    }

    #[test]
    fn what_does_not_fit_is_found() {
        for (before, now, rule) in [
            ("I managed the Leeds warehouse.", "I never managed the Leeds warehouse.", "negation"),
            ("The pilot was finished on time.", "The pilot was not finished on time.", "negation"),
            ("Led a team of five.", "I led a team of twelve engineers there.", "number.team_size"),
            ("6 years of Rust.", "I have three years of Rust.", "number.experience"),
            (
                "Cut claim handling cost by 40 %.",
                "We cut claim handling cost by 15 %.",
                "number.metric",
            ),
            ("The office was open.", "The office was closed.", "opposite"),
        ] {
            assert_eq!(rules(before, now), [rule], "{before} / {now}");
        }
    }

    #[test]
    fn what_fits_is_left_alone() {
        for (before, now) in [
            ("I managed the Leeds warehouse.", "I managed the Leeds warehouse for a year."),
            ("Led a team of five.", "The team of five grew later."),
            ("6 years of Rust.", "I have two years of Go."),
            ("Cut claim handling cost by 40 %.", "We cut claim handling cost by 41 %."),
            ("Cut claim handling cost by 40 %.", "We cut travel cost by 15 %."),
            ("I worked with the finance team.", "I did not work with a supplier then."),
            ("6 years of Rust.", "I said six, but correction, I have three years of Rust."),
        ] {
            assert_eq!(rules(before, now), Vec::<String>::new(), "{before} / {now}");
        }
    }

    #[test]
    fn quotes_are_cut_from_their_sources() {
        let input = AnswerInput {
            answer: "😀 Yes. I never managed the Leeds warehouse.".to_owned(),
            earlier: Some(vec!["Café. I managed the Leeds warehouse.".to_owned()]),
            ..AnswerInput::default()
        };
        let conflicts = Engine::built_in().analyse(&input).conflicts;
        assert_eq!(conflicts.len(), 1);
        assert_eq!(conflicts[0].a.text, "I managed the Leeds warehouse");
        assert_eq!(conflicts[0].a.index, Some(0));
        assert_eq!(conflicts[0].b.text, "I never managed the Leeds warehouse");
    }
}
