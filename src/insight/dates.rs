//! Dates and periods as CVs and speakers write them: "Mar 2019 – present", "03/2018 to 11/2020",
//! "2017-19", "since 2021".

use std::ops::Range;

use super::text::{Document, Mark};

/// A month of a year, or a year.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Date {
    /// The year.
    pub(super) year: i64,
    /// The month, 1 to 12, where it is named.
    pub(super) month: Option<i64>,
}

/// Where a period ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// Then.
    At(Date),
    /// It goes on.
    Now,
}

/// A stretch of time between two dates.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Period {
    /// Its words.
    pub(super) tokens: Range<usize>,
    /// Where it begins.
    pub(super) from: Date,
    /// Where it ends.
    pub(super) to: End,
}

const MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];

const NOW: [&str; 7] = ["present", "now", "today", "current", "currently", "ongoing", "date"];

/// Periods of one text: a long CV has some dozens.
const PERIODS_MAX: usize = 200;

impl Date {
    /// Months since year 0; a year alone stands in its middle.
    pub(super) fn months(self) -> i64 {
        self.year * 12 + self.month.unwrap_or(7) - 1
    }
}

/// The periods of a text in reading order.
pub(super) fn periods(document: &Document) -> Vec<Period> {
    let mut found = Vec::new();
    let mut at = 0;
    while at < document.tokens.len() && found.len() < PERIODS_MAX {
        match period_at(document, at) {
            Some(period) => {
                at = period.tokens.end;
                found.push(period);
            }
            None => at += 1,
        }
    }
    found
}

fn period_at(document: &Document, start: usize) -> Option<Period> {
    if document.fold_at(start) == "since" {
        let (from, end) = date_at(document, start + 1)?;
        return Some(Period { tokens: start..end, from, to: End::Now });
    }
    let (from, after) = date_at(document, start)?;
    let mark = document.tokens[after - 1].after;
    let word = document.fold_at(after);
    let joined = matches!(mark, Mark::Joint | Mark::Break);
    let next = match word {
        "to" | "until" | "till" | "through" => after + 1,
        "and" if start > 0 && document.fold_at(start - 1) == "between" => after + 1,
        _ if joined => after,
        _ => return None,
    };
    if NOW.contains(&document.fold_at(next)) {
        return Some(Period { tokens: start..next + 1, from, to: End::Now });
    }
    if let Some((to, end)) = date_at(document, next) {
        let fits = to.months() + 6 >= from.months();
        return fits.then_some(Period { tokens: start..end, from, to: End::At(to) });
    }
    // "2017-19"
    let short: i64 = document.fold_at(next).parse().ok()?;
    let year = from.year / 100 * 100 + short;
    let fits = mark == Mark::Joint && document.fold_at(next).len() == 2 && year >= from.year;
    fits.then(|| Period { tokens: start..next + 1, from, to: End::At(Date { year, month: None }) })
}

/// The date that begins at a token, and the token after it.
pub(super) fn date_at(document: &Document, at: usize) -> Option<(Date, usize)> {
    let word = document.fold_at(at);
    if let Some(month) = month(word) {
        let year = year(document.fold_at(at + 1))?;
        return Some((Date { year, month: Some(month) }, at + 2));
    }
    let token = document.tokens.get(at).filter(|token| token.number)?;
    if let Some((first, second)) = word.split_once('.') {
        let (month, year) = (first.parse().ok().filter(|m| (1..=12).contains(m))?, year(second)?);
        return Some((Date { year, month: Some(month) }, at + 1));
    }
    if token.after == Mark::Joint && word.len() <= 2 {
        let month = word.parse().ok().filter(|month| (1..=12).contains(month))?;
        return Some((Date { year: year(document.fold_at(at + 1))?, month: Some(month) }, at + 2));
    }
    let year = year(word)?;
    let behind = document.fold_at(at + 1);
    // "2019-03" has a month, "2019-20" an end.
    let month = behind.parse().ok().filter(|month| (1..=12).contains(month));
    let joined = token.after == Mark::Joint && behind.len() == 2;
    match month.filter(|_| joined) {
        Some(month) => Some((Date { year, month: Some(month) }, at + 2)),
        None => Some((Date { year, month: None }, at + 1)),
    }
}

fn year(word: &str) -> Option<i64> {
    let whole = word.len() == 4 && word.bytes().all(|b| b.is_ascii_digit());
    word.parse().ok().filter(|year| whole && (1950..=2100).contains(year))
}

fn month(word: &str) -> Option<i64> {
    let short = matches!(word.len(), 3 | 4) && word != "marc" && word != "sep.";
    let place = MONTHS.iter().position(|name| {
        *name == word
            || (short && name.starts_with(word))
            || (word == "sept" && *name == "september")
    })?;
    Some(place as i64 + 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::insight::lexicon::Lexicon;

    fn told(text: &str) -> Vec<(i64, i64, String)> {
        let document = Document::read(&Lexicon::new(), text);
        let show = |date: Date| match date.month {
            Some(month) => format!("{}-{month:02}", date.year),
            None => date.year.to_string(),
        };
        periods(&document)
            .into_iter()
            .map(|period| {
                let to = match period.to {
                    End::At(date) => show(date),
                    End::Now => "now".to_owned(),
                };
                (period.from.year, period.from.month.unwrap_or(0), to)
            })
            .collect()
    }

    #[test]
    fn periods_are_read_in_the_forms_that_people_write() {
        for (text, year, month, to) in [
            ("Nurse, St Mary, Mar 2019 – present", 2019, 3, "now"),
            ("03/2018 to 11/2020 Acme", 2018, 3, "2020-11"),
            ("03.2018 - 11.2020 Acme", 2018, 3, "2020-11"),
            ("2017-2019 Driver", 2017, 0, "2019"),
            ("2017-19 Driver", 2017, 0, "2019"),
            ("2019-03 – 2020-11 Driver", 2019, 3, "2020-11"),
            ("September 2014 until June 2016", 2014, 9, "2016-06"),
            ("I was there between 2014 and 2016.", 2014, 0, "2016"),
            ("I have been with them since 2021.", 2021, 0, "now"),
            ("from 2014 to 2016 in Leeds", 2014, 0, "2016"),
        ] {
            assert_eq!(told(text), [(year, month, to.to_owned())], "{text}");
        }
    }

    #[test]
    fn what_is_no_period_is_left_alone() {
        for text in [
            "We had 2019 to do items.",
            "from 900 to 200 ms",
            "In 2019, then in 2021",
            "2019 to 2014",
            "Call 030/2018",
            "may not",
        ] {
            assert_eq!(told(text), [], "{text}");
        }
    }
}
