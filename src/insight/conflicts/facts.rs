//! Facts with a number: people led, years of experience, a measured change, anything counted.
//!
//! A number counts with what it is said about. Words such as "about" or "more than" widen it, and
//! statements about two different times are about two different things. Whoever corrects a number
//! in the same breath has said the corrected one.

use std::collections::BTreeSet;
use std::ops::Range;

use super::super::lexicon::{Bits, Cue, stem_hash};
use super::super::profile::titles;
use super::super::signals::{Amount, Unit};
use super::super::text::{Document, Mark};
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

const CHANGE: Bits = Bits::UP.or(Bits::DOWN).or(Bits::GAIN);

/// Words that say which of several times is meant.
const WHEN: &str = "first second third fourth last next previous initially originally later finally \
    before after spring summer autumn winter january february march april june july august \
    september october november december monday tuesday wednesday thursday friday saturday sunday \
    weekend morning evening night today yesterday now";

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

fn kind_of(document: &Document, sentence: &Range<usize>, amount: &Amount) -> Option<Kind> {
    let fold = |at: usize| document.fold_at(at);
    let start = amount.range.start;
    let before = |words: usize| (start.saturating_sub(words).max(sentence.start)..start).map(fold);
    if is_open(document, sentence) || is_part(document, sentence, amount) {
        return None;
    }
    match amount.unit {
        Unit::Year => None,
        Unit::Bare | Unit::People(_) if leads(document, sentence, start) => Some(Kind::Team),
        Unit::Bare => None,
        Unit::Period(stem) => {
            let years = stem == stem_hash("years") || stem == stem_hash("year");
            let ago = fold(amount.range.end) == "ago" || before(1).any(|word| word == "last");
            if ago || fold(amount.range.end) == "old" {
                return None;
            }
            match years.then(|| experience(document, sentence, amount)).flatten() {
                Some(kind) => Some(kind),
                None => stated(document, sentence, amount),
            }
        }
        Unit::Percent | Unit::Money | Unit::Times if is_change(document, sentence) => {
            if before(2).any(|word| word == "from") {
                return None;
            }
            Some(Kind::Change(amount.unit, stems(document, sentence, amount, CHANGE)))
        }
        Unit::Percent | Unit::Money | Unit::Times | Unit::Count(_) | Unit::People(_) => {
            stated(document, sentence, amount)
        }
    }
}

/// What may be, or was aimed at, is no fact.
fn is_open(document: &Document, sentence: &Range<usize>) -> bool {
    const OPEN: &str =
        "if would could should might aim aimed goal target plan planned wanted hoped";
    let mut words = sentence.clone().map(|at| document.fold_at(at));
    words.any(|word| OPEN.split_whitespace().any(|open| open == word))
}

/// "The first two stores", "six people of my team": a part, which says nothing about the whole.
fn is_part(document: &Document, sentence: &Range<usize>, amount: &Amount) -> bool {
    const PARTS: &str = "first last other another additional further next second third";
    let (start, end) = (amount.range.start, amount.range.end);
    let before = start.checked_sub(1).filter(|at| *at >= sentence.start);
    let of_some =
        before.is_some_and(|at| PARTS.split_whitespace().any(|part| part == document.fold_at(at)));
    let of = document.fold_at(end) == "of"
        && document.bits_at(end + 1).any(Bits::DETERMINER.or(Bits::PRONOUN).or(Bits::WE));
    of_some || of && matches!(amount.unit, Unit::People(_) | Unit::Count(_) | Unit::Bare)
}

fn is_change(document: &Document, sentence: &Range<usize>) -> bool {
    document.tokens[sentence.clone()].iter().any(|token| token.bits.any(CHANGE))
}

/// "Six years of Rust", "a nurse for six years", "ten years' experience".
fn experience(document: &Document, sentence: &Range<usize>, amount: &Amount) -> Option<Kind> {
    let fold = |at: usize| document.fold_at(at);
    let joint = |word: &str| matches!(word, "of" | "with" | "in" | "using" | "as");
    let mut at = amount.range.end;
    let experience = matches!(fold(at), "experience")
        || matches!(fold(at + 1), "experience") && (joint(fold(at)) || fold(at) == "professional")
        || fold(at + 1) == "professional" && fold(at + 2) == "experience";
    let joined = joint(fold(at));
    while joint(fold(at)) || matches!(fold(at), "experience" | "professional" | "a" | "an" | "the")
    {
        at += 1;
    }
    let within = at < sentence.end && document.tokens[at - 1].after < Mark::Comma;
    if (joined || experience) && within && !document.bits_at(at).any(Bits::FUNCTION) {
        return Some(Kind::Experience(document.tokens[at].stem));
    }
    if experience {
        return Some(Kind::Experience(0));
    }
    // "Python (7 years)"
    let listed = amount.range.start.checked_sub(1).filter(|&at| {
        let token = &document.tokens[at];
        let bare = !token.number && !token.bits.any(Bits::FUNCTION.or(Bits::NUMBER));
        at >= sentence.start && bare && token.after == Mark::Sign
    });
    if let Some(at) = listed {
        return Some(Kind::Experience(document.tokens[at].stem));
    }
    // "I have been a nurse for six years."
    let led = fold(amount.range.start.checked_sub(1)?) == "for";
    let been = sentence.clone().find(|&at| fold(at) == "been")?;
    let mut at = been + 1;
    while matches!(fold(at), "a" | "an" | "the" | "working" | "as") {
        at += 1;
    }
    let trade = led && titles::is_occupation(fold(at));
    trade.then(|| Kind::Experience(document.tokens[at].stem))
}

/// So many of something that the sentence names.
fn stated(document: &Document, sentence: &Range<usize>, amount: &Amount) -> Option<Kind> {
    let has = |wanted: &str| sentence.clone().any(|at| document.fold_at(at) == wanted);
    let denied = sentence.clone().any(|at| document.bits_at(at).any(Bits::NOT));
    if denied || has("each") || has("every") {
        return None;
    }
    let stems = stems(document, sentence, amount, Bits::default());
    let noun = &document.tokens[amount.range.end - 1];
    // A noun that no list knows is rare enough to name what is counted by itself.
    let rare = matches!(amount.unit, Unit::Count(_)) && noun.id == 0;
    (rare || !stems.is_empty()).then_some(Kind::Amount(amount.unit, stems, rare))
}

fn stems(
    document: &Document,
    sentence: &Range<usize>,
    amount: &Amount,
    without: Bits,
) -> BTreeSet<u32> {
    let dull = Bits::FUNCTION.or(Bits::FILLER).or(Bits::NUMBER).or(Bits::VAGUE).or(without);
    let tokens = document.tokens[sentence.clone()].iter().enumerate();
    tokens
        .filter(|(at, token)| {
            let counted = amount.range.contains(&(sentence.start + at));
            !token.number && !token.bits.any(dull) && !counted
        })
        .map(|(_, token)| token.stem)
        .collect()
}

/// Periods of one thing are compared in days, whatever they are told in.
fn in_days(document: &Document, amount: &Amount, kind: Kind) -> (i64, Kind) {
    let Kind::Amount(Unit::Period(_), stems, alone) = kind else { return (amount.value, kind) };
    let unit = document.fold_at(amount.range.end - 1).trim_end_matches('s');
    // A working day of eight hours, a month of thirty days.
    let (times, by) = match unit {
        "minute" => (1, 480),
        "hour" => (1, 8),
        "week" => (7, 1),
        "month" => (30, 1),
        "quarter" => (91, 1),
        "year" => (365, 1),
        _ => (1, 1),
    };
    let days = amount.value.saturating_mul(times) / by;
    (days, Kind::Amount(Unit::Period(0), stems, alone))
}

fn bound(document: &Document, sentence: &Range<usize>, amount: &Amount) -> Bound {
    let start = amount.range.start;
    let word = |back: usize| match start.checked_sub(back).filter(|at| *at >= sentence.start) {
        Some(at) => document.fold_at(at),
        None => "",
    };
    // "By summer I had sold 100": more may have come.
    let first = document.fold_at(sentence.start);
    let so_far = first == "by" && !is_change(document, sentence);
    match (word(2), word(1)) {
        _ if so_far => Bound::AtLeast,
        ("more" | "greater", "than") | ("at", "least") | (_, "over" | "above") => Bound::AtLeast,
        ("less" | "fewer", "than") | ("at", "most") | ("up", "to") | (_, "under" | "below") => {
            Bound::AtMost
        }
        (
            _,
            "about" | "around" | "roughly" | "approximately" | "nearly" | "almost" | "some"
            | "maybe" | "perhaps" | "circa",
        ) => Bound::About,
        _ => Bound::Exact,
    }
}

fn names(document: &Document, sentence: &Range<usize>) -> BTreeSet<u32> {
    let dull = Bits::FUNCTION.or(Bits::MONTH).or(Bits::NUMBER).or(Bits::EVERYDAY);
    let inside = sentence.clone().skip(1).map(|at| &document.tokens[at]);
    inside
        .filter(|token| token.capital && !token.number && !token.bits.any(dull))
        .map(|token| token.stem)
        .collect()
}

fn when(document: &Document, sentence: &Range<usize>) -> BTreeSet<u32> {
    let said = sentence.clone().filter(|&at| {
        let word = document.fold_at(at);
        let year = document.tokens[at].number
            && word.len() == 4
            && &word[..2] >= "19"
            && &word[..2] <= "20";
        year || WHEN.split_whitespace().any(|one| one == word)
    });
    let mut when: BTreeSet<u32> = said.map(|at| document.tokens[at].stem).collect();
    // "Year four", "phase two": a number that names instead of counting.
    for at in sentence.start + 1..sentence.end {
        let number = document.tokens[at].number || document.bits_at(at).any(Bits::NUMBER);
        const NAMED: &str = "year phase class grade level step part stage line hall ward room";
        let noun = document.fold_at(at - 1);
        if number && NAMED.split_whitespace().any(|one| one == noun) {
            when.insert(document.tokens[at].stem ^ document.tokens[at - 1].stem);
        }
    }
    when
}

/// "A team of five", "led twelve engineers", "five direct reports".
fn leads(document: &Document, sentence: &Range<usize>, at: usize) -> bool {
    const LEADS: &str = "led lead leads leading managed manage manages managing supervised supervise \
        headed ran run running supervising";
    let near = at.saturating_sub(4).max(sentence.start)..at;
    let whole = sentence.start..at;
    let leads = |place: usize| LEADS.split_whitespace().any(|verb| verb == document.fold_at(place));
    let team_of = at >= sentence.start + 2
        && document.fold_at(at - 1) == "of"
        && document.fold_at(at - 2) == "team";
    let people = document.tokens[at..(at + 3).min(sentence.end)]
        .iter()
        .any(|token| token.bits.any(Bits::PEOPLE));
    let reports = (at..(at + 3).min(sentence.end)).any(|at| document.fold_at(at) == "reports")
        && document.fold_at(at + 1) == "direct";
    // "My team had 25 people."
    let mine = whole.clone().any(|place| {
        document.fold_at(place) == "my"
            && document.fold_at(place + 1) == "team"
            && matches!(document.fold_at(place + 2), "had" | "has" | "counted" | "was")
            && place + 3 == at
    });
    mine || (team_of && whole.clone().any(leads)) || (people && near.clone().any(leads)) || reports
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
