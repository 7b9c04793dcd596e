//! Careers: where somebody was, from when to when, how long, and how high.
//!
//! A CV names its stages; a speaker says "I joined Acme in 2017", "I was at Acme for six years",
//! "at Acme I was a junior buyer". The employer's own words must be said again, so that two jobs
//! are never compared.

use std::ops::Range;

use super::super::dates::{self, Date, End, Period};
use super::super::lexicon::{Bits, Cue};
use super::super::profile::{self, titles};
use super::super::signals::{Amount, Unit};
use super::super::text::Document;
use super::{Clash, SENTENCES_MAX};
use crate::domain::analysis::Severity;

/// Something that is said about a time with an employer.
#[derive(Debug)]
pub(super) struct Career {
    span: (u32, u32),
    /// The employer's own words; in speech all words with a capital letter.
    names: Vec<u32>,
    /// All words of the sentence, for a name that was written small.
    words: Vec<u32>,
    said: Said,
}

#[derive(Clone, Copy, Debug)]
enum Said {
    /// Begun then.
    From(Date),
    /// Ended then.
    Until(Date),
    /// It goes on.
    GoesOn,
    /// So many months.
    Months(i64),
    /// A title of this height.
    Rank(i64),
}

/// Statements of one text.
const CAREERS_MAX: usize = 200;

/// Words of a place after "joined" or "left".
const PLACE_WORDS_MAX: usize = 8;

/// Words of an employer that many have.
const USUAL: &str = "ltd limited inc gmbh ag plc llc corp corporation company co group holding \
    hospital clinic school college university bank hotel restaurant shop store bakery office \
    services solutions systems international department institute foundation council the of and";

/// Ranks of titles that differ by less than this may be one title told two ways.
const RANKS_APART: i64 = 2;

pub(super) fn read(document: &Document, amounts: &[Amount], cv: bool) -> Vec<Career> {
    let mut careers = if cv { stages(document) } else { Vec::new() };
    let periods = dates::periods(document);
    for range in document.sentences.iter().take(SENTENCES_MAX) {
        let own = range.clone().any(|at| document.bits_at(at).any(Bits::I));
        if !own || document.has(range, Cue::Correction) || careers.len() >= CAREERS_MAX {
            continue;
        }
        sentence(document, (amounts, &periods), range, &mut careers);
    }
    careers.truncate(CAREERS_MAX);
    careers
}

fn stages(document: &Document) -> Vec<Career> {
    let mut careers = Vec::new();
    for stint in profile::stints(document) {
        let Some(employer) = stint.employer else { continue };
        let names = own_words(document, &employer);
        let first = employer.start.min(stint.period.tokens.start);
        let last = employer.end.max(stint.period.tokens.end);
        let span = document.span(first..last);
        let mut add = |said| {
            careers.push(Career { span, names: names.clone(), words: Vec::new(), said });
        };
        add(Said::From(stint.period.from));
        match stint.period.to {
            End::At(date) => {
                add(Said::Until(date));
                add(Said::Months(date.months() - stint.period.from.months()));
            }
            End::Now => add(Said::GoesOn),
        }
        if let Some(role) = stint.role {
            add(Said::Rank(titles::rank(document, &role)));
        }
    }
    careers
}

/// The words of a name that others do not have; all of them if they all do.
fn own_words(document: &Document, name: &Range<usize>) -> Vec<u32> {
    let usual = |at: &usize| USUAL.split_whitespace().any(|word| word == document.fold_at(*at));
    let own: Vec<u32> =
        name.clone().filter(|at| !usual(at)).map(|at| document.tokens[at].stem).collect();
    match own.is_empty() {
        true => name.clone().map(|at| document.tokens[at].stem).collect(),
        false => own,
    }
}

fn sentence(
    document: &Document,
    (amounts, periods): (&[Amount], &[Period]),
    range: &Range<usize>,
    careers: &mut Vec<Career>,
) {
    let token = |at: usize| &document.tokens[at];
    let dull = Bits::FUNCTION.or(Bits::MONTH).or(Bits::NUMBER);
    let names: Vec<u32> = range
        .clone()
        .filter(|&at| token(at).capital && !token(at).bits.any(dull) && !token(at).number)
        .map(|at| token(at).stem)
        .collect();
    let words = range.clone().map(|at| token(at).stem).collect::<Vec<u32>>();
    let span = document.span(range.clone());
    let add = |said| Career { span, names: names.clone(), words: words.clone(), said };
    let has = |list: &str| {
        range.clone().find(|&at| list.split_whitespace().any(|word| word == document.fold_at(at)))
    };
    let denied = range.clone().any(|at| document.bits_at(at).any(Bits::NOT));
    let imagined = range.clone().any(|at| matches!(document.fold_at(at), "if" | "would" | "could"));
    if denied || imagined {
        return;
    }
    let period = periods.iter().find(|period| range.contains(&period.tokens.start));
    const STAYED: &str = "was worked been spent stayed served employed am work";
    if let Some(period) = period.filter(|_| has(STAYED).is_some()) {
        careers.push(add(Said::From(period.from)));
        careers.push(add(match period.to {
            End::At(to) => Said::Until(to),
            End::Now => Said::GoesOn,
        }));
    } else if let Some((verb, date)) = has("joined started began left quit resigned")
        .and_then(|verb| Some((verb, date_after(document, verb..range.end)?)))
    {
        careers.extend(turn(document, range, verb, date).map(|(words, said)| {
            let names = names.iter().copied().filter(|name| words.contains(name)).collect();
            Career { span, names, words, said }
        }));
    }
    let length = amounts.iter().find(|amount| {
        let start = amount.range.start;
        let stayed = range.contains(&start) && has(STAYED).is_some();
        let led = matches!(document.fold_at(start.saturating_sub(1)), "for" | "spent" | "stayed");
        stayed && led && months(document, amount).is_some()
    });
    if let Some(months) = length.and_then(|amount| months(document, amount)) {
        careers.push(add(Said::Months(months)));
    }
    // Who tells of two titles tells of a rise.
    let rose = has("became promoted promotion first later then started").is_some();
    if let Some(title) = title(document, range).filter(|_| !rose) {
        careers.push(add(Said::Rank(titles::rank(document, &title))));
    }
}

fn date_after(document: &Document, range: Range<usize>) -> Option<Date> {
    range.into_iter().find_map(|at| {
        let told = matches!(document.fold_at(at.saturating_sub(1)), "in" | "of" | "since");
        dates::date_at(document, at).filter(|_| told).map(|(date, _)| date)
    })
}

/// "Joined Acme in 2017", "left the Red Cross in 2021": where it was, and what was said. Only what
/// stands between the verb and the date is the place.
fn turn(
    document: &Document,
    range: &Range<usize>,
    verb: usize,
    date: Date,
) -> Option<(Vec<u32>, Said)> {
    let word = document.fold_at(verb);
    let placed = matches!(document.fold_at(verb + 1), "at" | "with" | "from");
    if !matches!(word, "joined" | "left" | "quit") && !placed {
        return None;
    }
    let near = verb + 1..(verb + 1 + PLACE_WORDS_MAX).min(range.end);
    let words = near
        .take_while(|&at| dates::date_at(document, at).is_none())
        .map(|at| document.tokens[at].stem)
        .collect();
    let said = match word {
        "joined" | "started" | "began" => Said::From(date),
        _ => Said::Until(date),
    };
    Some((words, said))
}

fn months(document: &Document, amount: &Amount) -> Option<i64> {
    let unit = document.fold_at(amount.range.end - 1);
    match amount.unit {
        Unit::Period(_) if unit.starts_with("year") => Some(amount.value * 12 / 1000),
        Unit::Period(_) if unit.starts_with("month") => Some(amount.value / 1000),
        _ => None,
    }
}

/// "I was a junior buyer", "as head of sales", "my role was team lead": the words of the title.
fn title(document: &Document, range: &Range<usize>) -> Option<Range<usize>> {
    let opens = range.clone().find(|&at| {
        let before = document.fold_at(at.saturating_sub(1));
        let was = document.fold_at(at) == "was" && matches!(before, "i" | "role" | "title" | "job");
        was || document.fold_at(at) == "as" || document.fold_at(at) == "became"
    })?;
    let mut start = opens + 1;
    while matches!(document.fold_at(start), "a" | "an" | "the" | "their" | "only") {
        start += 1;
    }
    let end = (start..range.end.min(start + 4))
        .find(|&at| {
            let bits = document.bits_at(at);
            bits.any(Bits::PREPOSITION.or(Bits::CONJUNCTION).or(Bits::PRONOUN).or(Bits::DETERMINER))
        })
        .unwrap_or(range.end.min(start + 4));
    let words = start..end;
    (!words.is_empty() && titles::is_title(document, &words)).then_some(words)
}

pub(super) fn compare(before: &[Career], now: &[Career]) -> Vec<Clash> {
    let mut clashes: Vec<Clash> = Vec::new();
    for b in now {
        let alike: Vec<&Career> =
            before.iter().filter(|a| same_place(a, b) && of_one_kind(a.said, b.said)).collect();
        // One stage that fits is enough: people come back, and rise.
        if alike.iter().any(|a| apart(a.said, b.said).is_none()) {
            continue;
        }
        let Some((a, (rule, severity))) =
            alike.iter().find_map(|a| Some((a, apart(a.said, b.said)?)))
        else {
            continue;
        };
        clashes.push(Clash { before: a.span, now: b.span, rule, severity });
    }
    clashes
}

fn same_place(a: &Career, b: &Career) -> bool {
    match (a.words.is_empty(), b.words.is_empty()) {
        // A name of the CV is said whole, in capitals or not.
        (true, false) => a.names.iter().all(|name| b.words.contains(name)),
        (false, true) => b.names.iter().all(|name| a.words.contains(name)),
        _ => a.names.iter().any(|name| b.names.contains(name)),
    }
}

fn of_one_kind(a: Said, b: Said) -> bool {
    matches!(
        (a, b),
        (Said::From(_), Said::From(_))
            | (Said::Until(_) | Said::GoesOn, Said::Until(_) | Said::GoesOn)
            | (Said::Months(_), Said::Months(_))
            | (Said::Rank(_), Said::Rank(_))
    )
}

/// The rule and how much it matters, if two statements of one kind do not fit.
fn apart(a: Said, b: Said) -> Option<(&'static str, Severity)> {
    let graded = |rule, off: i64, material: i64| {
        Some((rule, if off >= material { Severity::Material } else { Severity::Minor }))
    };
    match (a, b) {
        (Said::From(a), Said::From(b)) if years(a, b) => {
            graded("date.start", a.months().abs_diff(b.months()) as i64, 36)
        }
        (Said::Until(a), Said::Until(b)) if years(a, b) => {
            graded("date.end", a.months().abs_diff(b.months()) as i64, 36)
        }
        (Said::GoesOn, Said::Until(_)) | (Said::Until(_), Said::GoesOn) => {
            Some(("date.end", Severity::Material))
        }
        (Said::Months(a), Said::Months(b)) => {
            let off = a.abs_diff(b) as i64;
            // Years are rounded on both sides.
            (off > 12 && off * 4 > a.max(b)).then_some(())?;
            graded("date.length", off, 36)
        }
        (Said::Rank(a), Said::Rank(b)) if a.abs_diff(b) as i64 >= RANKS_APART => {
            graded("role.rank", a.abs_diff(b) as i64, 3)
        }
        _ => None,
    }
}

/// More than a month apart where both name the month, more than a year apart otherwise.
fn years(a: Date, b: Date) -> bool {
    match (a.month, b.month) {
        (Some(_), Some(_)) => a.months().abs_diff(b.months()) > 1,
        _ => a.year.abs_diff(b.year) > 1,
    }
}
