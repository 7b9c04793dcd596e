//! Facts with a number: people led, years of experience, a measured change, anything counted.
//!
//! A number counts with what it is said about. Words such as "about" or "more than" widen it, and
//! statements about two different times are about two different things. Whoever corrects a number
//! in the same breath has said the corrected one.

mod kinds;

use std::collections::BTreeSet;
use std::ops::Range;

use self::kinds::{bound, in_days, kind_of, names, when};
use super::super::lexicon::{Cue, stem_hash};
use super::super::signals::{Amount, Unit};
use super::super::text::Document;
use super::{Clash, SENTENCES_MAX};
use crate::domain::analysis::Severity;

/// A number that is said about something.
#[derive(Debug)]
pub(super) struct Fact {
    span: (u32, u32),
    kind: Kind,
    value: i64,
    bound: Bound,
    /// Years and other words that say which time is meant.
    when: BTreeSet<u32>,
    /// Names in the sentence: a place, a firm, a product.
    names: BTreeSet<u32>,
    /// The number that it was corrected from.
    withdrawn: Option<i64>,
}

#[derive(Debug, PartialEq, Eq)]
enum Kind {
    /// People led.
    Team,
    /// Years of or with something; of anything for 0.
    Experience(u32),
    /// A change of something, by the stems of what changed.
    Change(Unit, BTreeSet<u32>),
    /// So many of something: its unit, the stems beside it, and whether the noun alone names it.
    Amount(Unit, BTreeSet<u32>, bool),
}

/// How exactly a number is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Bound {
    Exact,
    About,
    AtLeast,
    AtMost,
}

/// Facts of one text that are compared; each is compared with each.
const FACTS_MAX: usize = 100;

/// Rounding and memory explain this much, in hundredths of the larger number …
const TOLERANCE: i64 = 10;

/// … and this much where somebody says "about".
const ABOUT_TOLERANCE: i64 = 25;

/// A difference of more than this is worth clearing up before anything rests on it.
const MATERIAL: i64 = 40;

/// Two statements are about the same thing if they share this many content words.
const COMMON: usize = 2;

/// Those of them that say that there were several.
const ORDINALS: &str = "first second third fourth";

pub(super) fn read(document: &Document, amounts: &[Amount]) -> Vec<Fact> {
    let mut facts: Vec<Fact> = Vec::new();
    let mut sentence = 0;
    for amount in amounts {
        while document.sentences[sentence].end <= amount.range.start {
            sentence += 1;
        }
        if sentence >= SENTENCES_MAX || facts.len() == FACTS_MAX {
            break;
        }
        let range = &document.sentences[sentence];
        let mut hits = document.hits_in(range).iter();
        let corrected = hits.rfind(|hit| hit.cue == Cue::Correction).map(|hit| hit.last as usize);
        let span = document.span(range.clone());
        if let Some(cue) = corrected {
            // What stands before the correction is withdrawn, what stands behind it is meant.
            if amount.range.start > cue
                && let Some(fact) = correction(document, range, amount, amounts, facts.last())
            {
                facts.retain(|other| other.span != span && !same(&other.kind, &fact.kind));
                facts.push(Fact { span, ..fact });
            }
            continue;
        }
        if let Some(kind) = kind_of(document, range, amount) {
            let (value, kind) = in_days(document, amount, kind);
            let bound = bound(document, range, amount);
            let when = when(document, range);
            let names = names(document, range);
            facts.push(Fact { span, kind, value, bound, when, names, withdrawn: None });
        }
    }
    facts
}

/// The fact that a correction leaves: about what the withdrawn number was about.
fn correction(
    document: &Document,
    range: &Range<usize>,
    amount: &Amount,
    amounts: &[Amount],
    last: Option<&Fact>,
) -> Option<Fact> {
    // "I led five, sorry, I meant twelve people."
    let withdrawn = amounts
        .iter()
        .find(|other| range.contains(&other.range.start) && other.range.start < amount.range.start);
    let before = withdrawn.map(|other| other.value).or(last.map(|last| last.value));
    let fact = |kind, value| Fact {
        span: (0, 0),
        kind,
        value,
        bound: Bound::Exact,
        when: when(document, range),
        names: names(document, range),
        withdrawn: before,
    };
    if let Some(kind) = kind_of(document, range, amount) {
        let (value, kind) = in_days(document, amount, kind);
        return Some(fact(kind, value));
    }
    if let Some(kind) = withdrawn.and_then(|other| kind_of(document, range, other)) {
        return Some(fact(kind, amount.value));
    }
    // "Sorry, I meant twelve.", after the sentence with the wrong number.
    let last = last.filter(|_| withdrawn.is_none() && amount.unit == Unit::Bare)?;
    let kind = match &last.kind {
        Kind::Team => Kind::Team,
        Kind::Experience(stem) => Kind::Experience(*stem),
        Kind::Change(unit, stems) => Kind::Change(*unit, stems.clone()),
        Kind::Amount(unit, stems, alone) => Kind::Amount(*unit, stems.clone(), *alone),
    };
    Some(fact(kind, amount.value))
}

pub(super) fn compare(before: &[Fact], now: &[Fact]) -> Vec<Clash> {
    let mut clashes = Vec::new();
    for a in before {
        let alike = || now.iter().filter(|b| same(&a.kind, &b.kind) && one_time(a, b));
        // Where the same number is said as well, the other one is about something else.
        if alike().any(|b| fits(a, b)) {
            continue;
        }
        for b in alike() {
            let rule = match a.kind {
                Kind::Team => "number.team_size",
                Kind::Experience(_) => "number.experience",
                Kind::Change(..) => "number.metric",
                Kind::Amount(Unit::Period(_), ..) => "number.duration",
                Kind::Amount(Unit::Count(_) | Unit::People(_), ..) => "number.count",
                Kind::Amount(..) => "number.amount",
            };
            let material = gap(a, b) > MATERIAL;
            let severity = if material { Severity::Material } else { Severity::Minor };
            clashes.push(Clash { before: a.span, now: b.span, rule, severity });
        }
    }
    clashes
}

/// Whether two statements can be about one time and place.
fn one_time(a: &Fact, b: &Fact) -> bool {
    // "The first study" is one of several, even if the other side does not count them.
    let ordinal = |fact: &Fact| {
        let ordinals = ORDINALS.split_whitespace().map(stem_hash);
        ordinals.filter(|stem| fact.when.contains(stem)).collect::<Vec<u32>>()
    };
    // Of two times, or of two places, two things are said.
    let one =
        |a: &BTreeSet<u32>, b: &BTreeSet<u32>| a.is_empty() || b.is_empty() || !a.is_disjoint(b);
    // Years with a tool are counted wherever they were spent.
    let anywhere = matches!(a.kind, Kind::Experience(_));
    ordinal(a) == ordinal(b) && one(&a.when, &b.when) && (anywhere || one(&a.names, &b.names))
}

fn fits(a: &Fact, b: &Fact) -> bool {
    let about = a.bound == Bound::About || b.bound == Bound::About;
    let tolerance = if about { ABOUT_TOLERANCE } else { TOLERANCE };
    // Who takes back the very number that stands elsewhere has cleared it up.
    let taken_back = b.withdrawn == Some(a.value) || a.withdrawn == Some(b.value);
    if taken_back || gap(a, b) <= tolerance {
        return true;
    }
    let (low, high) = if a.value <= b.value { (a, b) } else { (b, a) };
    low.bound == Bound::AtLeast || high.bound == Bound::AtMost
}

fn same(a: &Kind, b: &Kind) -> bool {
    let alike = |stems: &BTreeSet<u32>, others: &BTreeSet<u32>, least: usize| {
        let common = stems.intersection(others).count();
        common >= least && common * 2 >= stems.len().min(others.len())
    };
    match (a, b) {
        (Kind::Change(unit, stems), Kind::Change(other, others)) => {
            let one = stems.len().min(others.len()) == 1 && stems.len().max(others.len()) <= 2;
            unit == other && alike(stems, others, if one { 1 } else { COMMON })
        }
        (Kind::Amount(unit, stems, alone), Kind::Amount(other, others, too)) => {
            let counted = matches!(unit, Unit::Count(_) | Unit::People(_));
            // The noun that is counted is one thing in common already.
            let least = if counted { COMMON - 1 } else { COMMON };
            let bare = *alone && *too && (stems.is_empty() || others.is_empty());
            unit == other && (bare || alike(stems, others, least))
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
