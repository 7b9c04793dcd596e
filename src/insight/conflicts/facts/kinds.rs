//! What a number is said about, how exactly, and about which time and place.

use std::collections::BTreeSet;
use std::ops::Range;

use super::{Bound, Kind};
use crate::insight::lexicon::{Bits, stem_hash};
use crate::insight::profile::titles;
use crate::insight::signals::{Amount, Unit};
use crate::insight::text::{Document, Mark};

const CHANGE: Bits = Bits::UP.or(Bits::DOWN).or(Bits::GAIN);

/// Words that say which of several times is meant.
const WHEN: &str = "first second third fourth last next previous initially originally later \
    finally before after spring summer autumn winter january february march april june july august \
    september october november december monday tuesday wednesday thursday friday saturday sunday \
    weekend morning evening night today yesterday now";

pub(super) fn kind_of(
    document: &Document,
    sentence: &Range<usize>,
    amount: &Amount,
) -> Option<Kind> {
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
pub(super) fn is_open(document: &Document, sentence: &Range<usize>) -> bool {
    const OPEN: &str =
        "if would could should might aim aimed goal target plan planned wanted hoped";
    let mut words = sentence.clone().map(|at| document.fold_at(at));
    words.any(|word| OPEN.split_whitespace().any(|open| open == word))
}

/// "The first two stores", "six people of my team": a part, which says nothing about the whole.
pub(super) fn is_part(document: &Document, sentence: &Range<usize>, amount: &Amount) -> bool {
    const PARTS: &str = "first last other another additional further next second third";
    let (start, end) = (amount.range.start, amount.range.end);
    let before = start.checked_sub(1).filter(|at| *at >= sentence.start);
    let of_some =
        before.is_some_and(|at| PARTS.split_whitespace().any(|part| part == document.fold_at(at)));
    let of = document.fold_at(end) == "of"
        && document.bits_at(end + 1).any(Bits::DETERMINER.or(Bits::PRONOUN).or(Bits::WE));
    of_some || of && matches!(amount.unit, Unit::People(_) | Unit::Count(_) | Unit::Bare)
}

pub(super) fn is_change(document: &Document, sentence: &Range<usize>) -> bool {
    document.tokens[sentence.clone()].iter().any(|token| token.bits.any(CHANGE))
}

/// "Six years of Rust", "a nurse for six years", "ten years' experience".
pub(super) fn experience(
    document: &Document,
    sentence: &Range<usize>,
    amount: &Amount,
) -> Option<Kind> {
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
pub(super) fn stated(
    document: &Document,
    sentence: &Range<usize>,
    amount: &Amount,
) -> Option<Kind> {
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

pub(super) fn stems(
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
pub(super) fn in_days(document: &Document, amount: &Amount, kind: Kind) -> (i64, Kind) {
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

pub(super) fn bound(document: &Document, sentence: &Range<usize>, amount: &Amount) -> Bound {
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

pub(super) fn names(document: &Document, sentence: &Range<usize>) -> BTreeSet<u32> {
    let dull = Bits::FUNCTION.or(Bits::MONTH).or(Bits::NUMBER).or(Bits::EVERYDAY);
    let inside = sentence.clone().skip(1).map(|at| &document.tokens[at]);
    inside
        .filter(|token| token.capital && !token.number && !token.bits.any(dull))
        .map(|token| token.stem)
        .collect()
}

pub(super) fn when(document: &Document, sentence: &Range<usize>) -> BTreeSet<u32> {
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
pub(super) fn leads(document: &Document, sentence: &Range<usize>, at: usize) -> bool {
    const LEADS: &str = "led lead leads leading managed manage manages managing supervised \
        supervise headed ran run running supervising";
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
