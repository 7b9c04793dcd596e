//! Numbers with what they count: "40 %", "twelve engineers", "$2 million", "from 900 ms".

use std::ops::Range;

use crate::insight::lexicon::{Bits, small_number, stem_hash};
use crate::insight::text::{Document, Mark, Token};

/// What a number counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::insight) enum Unit {
    /// Nothing that is named.
    Bare,
    /// A year of the calendar.
    Year,
    /// Hundredths.
    Percent,
    /// A sum of money.
    Money,
    /// A factor.
    Times,
    /// A stretch of time, by the stem of its unit.
    Period(u32),
    /// People, by the stem of their name.
    People(u32),
    /// Anything else that is counted, by the stem of its name.
    Count(u32),
}

/// A number in the text.
#[derive(Clone, Debug)]
pub(in crate::insight) struct Amount {
    /// From the number to its unit.
    pub(in crate::insight) range: Range<usize>,
    /// The number in thousandths; capped where it would not fit.
    pub(in crate::insight) value: i64,
    /// What it counts.
    pub(in crate::insight) unit: Unit,
}

/// No number counts for more than this many thousandths, so that no sum overflows.
const VALUE_MAX: i64 = 1_000_000_000_000_000;

/// Finds all numbers, in reading order.
pub(in crate::insight) fn amounts(document: &Document) -> Vec<Amount> {
    let mut found = Vec::new();
    let mut at = 0;
    while at < document.tokens.len() {
        match number_at(document, at).or_else(|| spoken_share(document, at)) {
            Some(amount) => {
                at = amount.range.end;
                found.push(amount);
            }
            None => at += 1,
        }
    }
    found
}

fn number_at(document: &Document, start: usize) -> Option<Amount> {
    let token = &document.tokens[start];
    let (mut value, suffix) = if token.number {
        digits(document.fold(token))?
    } else if token.bits.any(Bits::NUMBER) {
        (small_number(document.fold(token))?.0 * 1000, "")
    } else {
        return None;
    };
    let mut end = start + 1;
    let mut total = 0;
    while end < document.tokens.len() && document.tokens[end - 1].after <= Mark::Joint {
        let Some((next, multiplies)) = small_number(document.fold_at(end)) else {
            break;
        };
        if multiplies {
            value = value.saturating_mul(next).min(VALUE_MAX);
            if next >= 1_000 {
                total += value;
                value = 0;
            }
        } else if token.number {
            break;
        } else {
            value += next * 1000;
        }
        end += 1;
    }
    value = (value + total).min(VALUE_MAX);
    let scale = match suffix {
        "k" => 1_000,
        "m" | "mm" if token.money => 1_000_000,
        "bn" | "b" if token.money => 1_000_000_000,
        _ => 1,
    };
    value = value.saturating_mul(scale).min(VALUE_MAX);
    let suffix = if scale == 1 { suffix } else { "" };
    let unit = unit_at(document, token, suffix, &mut end);
    // "One" is an article more often than a count, but "one month" is a stretch of time.
    let ends = start > 0 && matches!(document.fold_at(start - 1), "to" | "from" | "by");
    let counts = ends || matches!(unit, Unit::Period(_) | Unit::Percent);
    let article = document.fold(token) == "one" && end == start + 1 && !ends;
    let vague_one = document.fold(token) == "one" && !counts;
    let old = document.fold_at(end) == "old" && matches!(unit, Unit::Period(_));
    if article || vague_one || old {
        return None;
    }
    Some(Amount { range: start..end, value, unit })
}

/// "Doubled", "by half", "a third": a change by a share without a figure.
fn spoken_share(document: &Document, at: usize) -> Option<Amount> {
    let word = document.fold_at(at);
    let value = match word {
        "doubled" => 100,
        "tripled" => 200,
        "quadrupled" => 300,
        "halved" => 50,
        "half" | "third" | "quarter" => {
            let one = document.fold_at(at.checked_sub(1)?);
            let by = if one == "a" { document.fold_at(at.checked_sub(2)?) } else { one };
            match (by, word) {
                ("by" | "in", "half") => 50,
                ("by", "third") => 33,
                ("by", "quarter") => 25,
                _ => return None,
            }
        }
        _ => return None,
    };
    Some(Amount { range: at..at + 1, value: value * 1000, unit: Unit::Percent })
}

fn unit_at(document: &Document, number: &Token, suffix: &str, end: &mut usize) -> Unit {
    if number.percent {
        return Unit::Percent;
    }
    if number.money {
        return Unit::Money;
    }
    match suffix {
        "" | "k" => {}
        "x" => return Unit::Times,
        _ => return Unit::Count(stem_hash(suffix)),
    }
    if document.tokens[*end - 1].after >= Mark::Comma {
        return bare_or_year(document, number);
    }
    match document.fold_at(*end) {
        "percent" | "pct" | "percentage" => {
            *end += 1;
            return Unit::Percent;
        }
        "per" if document.fold_at(*end + 1) == "cent" => {
            *end += 2;
            return Unit::Percent;
        }
        "times" | "x" | "fold" => {
            *end += 1;
            return Unit::Times;
        }
        "dollars" | "euros" | "pounds" | "usd" | "eur" | "gbp" | "cents" => {
            *end += 1;
            return Unit::Money;
        }
        _ => {}
    }
    let year = bare_or_year(document, number);
    // A calendar year counts nothing: "2019 customers" is rarer than "in 2019 customers left".
    if year == Unit::Year {
        return year;
    }
    let of = document.fold_at(*end) == "of" && document.bits_at(*end + 1).any(Bits::DETERMINER);
    let first = if of { *end + 2 } else { *end };
    for at in first..(first + 2).min(document.tokens.len()) {
        if let Some(unit) = counted(document, at) {
            *end = at + 1;
            return unit;
        }
        let (token, bits) = (&document.tokens[at], document.bits_at(at));
        if bits.any(Bits::FUNCTION.or(Bits::NUMBER)) || token.number || token.after >= Mark::Comma {
            break;
        }
    }
    Unit::Bare
}

fn bare_or_year(document: &Document, number: &Token) -> Unit {
    let folded = document.fold(number);
    let year = folded.len() == 4 && (folded.starts_with("19") || folded.starts_with("20"));
    if year && folded.bytes().all(|b| b.is_ascii_digit()) { Unit::Year } else { Unit::Bare }
}

/// What the noun at this place counts, if it can be counted.
fn counted(document: &Document, at: usize) -> Option<Unit> {
    let token = document.tokens.get(at)?;
    let folded = document.fold(token);
    if token.bits.any(Bits::PERIOD) {
        return Some(Unit::Period(token.stem));
    }
    if token.bits.any(Bits::PEOPLE) {
        return Some(Unit::People(token.stem));
    }
    if token.bits.any(Bits::UNIT) {
        return Some(Unit::Count(token.stem));
    }
    let plural = folded.len() > 3 && folded.ends_with('s') && !folded.ends_with("ss");
    let noun = plural && !token.number && !token.bits.any(Bits::FUNCTION.or(Bits::MONTH));
    noun.then_some(Unit::Count(token.stem))
}

/// A number in digits as thousandths, with the letters that follow it.
fn digits(folded: &str) -> Option<(i64, &str)> {
    let end =
        folded.find(|c: char| !c.is_ascii_digit() && c != '.' && c != ',').unwrap_or(folded.len());
    let (number, suffix) = folded.split_at(end);
    if matches!(suffix, "st" | "nd" | "rd" | "th" | "s" | "d" | "am" | "pm") {
        return None;
    }
    let (whole, fraction) = match number.rsplit_once('.') {
        Some((whole, fraction)) => (whole, fraction),
        None => (number, ""),
    };
    let mut value: i64 = 0;
    for digit in whole.bytes().filter(u8::is_ascii_digit) {
        value = (value * 10 + i64::from(digit - b'0')).min(VALUE_MAX / 1000);
    }
    value *= 1000;
    for (digit, place) in fraction.bytes().filter(u8::is_ascii_digit).zip([100, 10, 1]) {
        value += i64::from(digit - b'0') * place;
    }
    Some((value.min(VALUE_MAX), suffix))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::insight::lexicon::Lexicon;

    fn read(text: &str) -> Vec<(i64, Unit)> {
        let document = Document::read(&Lexicon::new(), text);
        amounts(&document).iter().map(|amount| (amount.value / 1000, amount.unit)).collect()
    }

    #[test]
    fn numbers_carry_their_value_and_unit() {
        assert_eq!(read("costs fell by 40 %"), [(40, Unit::Percent)]);
        assert_eq!(read("twenty five percent"), [(25, Unit::Percent)]);
        assert_eq!(read("it saved $2 million"), [(2_000_000, Unit::Money)]);
        assert_eq!(read("we served 12k requests"), [(12_000, Unit::Count(stem_hash("request")))]);
        assert_eq!(read("in 2019 we met"), [(2019, Unit::Year)]);
        assert_eq!(read("two hundred branches"), [(200, Unit::Count(stem_hash("branches")))]);
        assert!(matches!(read("within three short weeks")[..], [(3, Unit::Period(_))]));
        assert_eq!(read("one of them was 30 years old"), []);
    }

    #[test]
    fn a_number_of_any_length_is_read_without_overflow() {
        let text = format!("{} {} million million million people", "9".repeat(400), "8".repeat(40));
        assert!(read(&text).iter().all(|(value, _)| *value <= VALUE_MAX / 1000));
    }
}
