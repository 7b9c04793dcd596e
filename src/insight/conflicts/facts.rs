//! Facts with a number: size of a team led, years of experience, a measured change.

use std::collections::BTreeSet;
use std::ops::Range;

use super::super::lexicon::{Bits, Cue, stem_hash};
use super::super::signals::{Amount, Unit};
use super::super::text::Document;
use super::{Clash, SENTENCES_MAX};
use crate::domain::analysis::Severity;

/// A number that is said about something.
pub(super) struct Fact {
    span: (u32, u32),
    kind: Kind,
    value: i64,
}

#[derive(Debug, PartialEq, Eq)]
enum Kind {
    /// People led.
    Team,
    /// Years of or with something.
    Experience(u32),
    /// A change of something, by the stems of what changed.
    Metric(Unit, BTreeSet<u32>),
}

/// Facts of one text that are compared; each is compared with each.
const FACTS_MAX: usize = 100;

/// Rounding and memory explain this much, in hundredths of the larger number.
const TOLERANCE: i64 = 10;

/// A difference of more than this is worth clearing up before anything rests on it.
const MATERIAL: i64 = 40;

/// Two metrics are the same if they share this many content words.
const METRIC_COMMON: usize = 2;

const CHANGE: Bits = Bits::UP.or(Bits::DOWN).or(Bits::GAIN);

pub(super) fn read(document: &Document, amounts: &[Amount]) -> Vec<Fact> {
    let mut facts = Vec::new();
    let mut sentence = 0;
    for amount in amounts {
        while document.sentences[sentence].end <= amount.range.start {
            sentence += 1;
        }
        if sentence >= SENTENCES_MAX || facts.len() == FACTS_MAX {
            break;
        }
        let range = &document.sentences[sentence];
        if document.has(range, Cue::Correction) {
            continue;
        }
        if let Some(kind) = kind_of(document, range, amount) {
            let span = document.span(range.clone());
            facts.push(Fact { span, kind, value: amount.value });
        }
    }
    facts
}

pub(super) fn compare(before: &[Fact], now: &[Fact]) -> Vec<Clash> {
    let mut clashes = Vec::new();
    for a in before {
        let alike = || now.iter().filter(|b| same(&a.kind, &b.kind));
        // Where the same number is said as well, the other one is about something else.
        if alike().any(|b| gap(a, b) <= TOLERANCE) {
            continue;
        }
        for b in alike() {
            let difference = gap(a, b);
            let rule = match a.kind {
                Kind::Team => "number.team_size",
                Kind::Experience(_) => "number.experience",
                Kind::Metric(..) => "number.metric",
            };
            let severity = if difference > MATERIAL { Severity::Material } else { Severity::Minor };
            clashes.push(Clash { before: a.span, now: b.span, rule, severity });
        }
    }
    clashes
}

fn kind_of(document: &Document, sentence: &Range<usize>, amount: &Amount) -> Option<Kind> {
    let fold = |at: usize| document.fold_at(at);
    let start = amount.range.start;
    let before = |words: usize| (start.saturating_sub(words).max(sentence.start)..start).map(fold);
    match amount.unit {
        Unit::Bare | Unit::People(_) if leads(document, sentence, start) => Some(Kind::Team),
        Unit::Period(stem) if stem == stem_hash("years") || stem == stem_hash("year") => {
            let joined = matches!(fold(amount.range.end), "of" | "with" | "in" | "using");
            let mut at = amount.range.end + usize::from(joined);
            while matches!(fold(at), "experience" | "of" | "with" | "in" | "using" | "professional")
            {
                at += 1;
            }
            let named = at < sentence.end && !document.bits_at(at).any(Bits::FUNCTION);
            let ago = fold(amount.range.end) == "ago" || before(1).any(|word| word == "last");
            (joined && named && !ago).then(|| Kind::Experience(document.tokens[at].stem))
        }
        Unit::Percent | Unit::Money | Unit::Times => {
            let tokens = &document.tokens[sentence.clone()];
            if !tokens.iter().any(|token| token.bits.any(CHANGE)) || before(2).any(|w| w == "from")
            {
                return None;
            }
            let dull = Bits::FUNCTION.or(Bits::FILLER).or(Bits::NUMBER).or(CHANGE).or(Bits::VAGUE);
            let stems = tokens
                .iter()
                .enumerate()
                .filter(|(at, token)| {
                    let counted = amount.range.contains(&(sentence.start + at));
                    !token.number && !token.bits.any(dull) && !counted
                })
                .map(|(_, token)| token.stem)
                .collect();
            Some(Kind::Metric(amount.unit, stems))
        }
        _ => None,
    }
}

/// "A team of five", "led twelve engineers".
fn leads(document: &Document, sentence: &Range<usize>, at: usize) -> bool {
    const LEADS: &str = "led lead leads managed manage manages supervised supervise headed ran run";
    let near = at.saturating_sub(4).max(sentence.start)..at;
    let whole = sentence.start..at;
    let leads = |place: usize| LEADS.split_whitespace().any(|verb| verb == document.fold_at(place));
    let team_of = at >= sentence.start + 2
        && document.fold_at(at - 1) == "of"
        && document.fold_at(at - 2) == "team";
    let people = document.tokens[at..(at + 3).min(sentence.end)]
        .iter()
        .any(|token| token.bits.any(Bits::PEOPLE));
    (team_of && whole.clone().any(leads)) || (people && near.clone().any(leads))
}

fn same(a: &Kind, b: &Kind) -> bool {
    match (a, b) {
        (Kind::Metric(unit, stems), Kind::Metric(other, others)) => {
            let common = stems.intersection(others).count();
            unit == other && common >= METRIC_COMMON && common * 2 >= stems.len().min(others.len())
        }
        _ => a == b,
    }
}

/// The difference in hundredths of the larger number.
fn gap(a: &Fact, b: &Fact) -> i64 {
    let larger = i128::from(a.value.max(b.value).max(1));
    let difference = i128::from(a.value.abs_diff(b.value));
    i64::try_from(difference * 100 / larger).unwrap_or(i64::MAX)
}
