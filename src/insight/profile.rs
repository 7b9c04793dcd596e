//! What a CV and a job description say, in parts: skills, roles, employers, dates, requirements.
//!
//! Read by layout and word lists, each part with the place of its words. A line with a period of
//! time is a stage of a career; its title and its employer stand in the same line, or in the line
//! beside it. What cannot be told apart is left out rather than guessed.

mod job;
pub(in crate::insight) mod skills;
pub(in crate::insight) mod titles;

use std::ops::Range;

use serde::Serialize;

use super::dates::{self, Date, End, Period};
use super::engine::Engine;
use super::lexicon::{Bits, Lexicon};
use super::signals::{Unit, amounts};
use super::text::{Document, Mark};
use crate::domain::number::Milli;

pub use job::{Job, Requirement, Weight};

/// Words with their place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Named {
    /// The words.
    pub text: String,
    /// First code point.
    pub from: u32,
    /// One past the last code point.
    pub to: u32,
}

/// A skill of a CV.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Skill {
    /// The name that it is known by.
    pub name: String,
    /// Years with it, where the CV says so.
    pub years: Option<Milli>,
    /// Where it stands first.
    pub from: u32,
    /// One past the last code point there.
    pub to: u32,
}

/// A stage of a career.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Stage {
    /// The title.
    pub role: Option<Named>,
    /// The employer, or where it was.
    pub employer: Option<Named>,
    /// When it began, `2019` or `2019-03`.
    pub begun: String,
    /// When it ended; null if it goes on.
    pub ended: Option<String>,
    /// First code point of the period.
    pub from: u32,
    /// One past its last code point.
    pub to: u32,
}

/// A CV in parts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Profile {
    /// In the order of the text, each once.
    pub skills: Vec<Skill>,
    /// In the order of the text.
    pub stages: Vec<Stage>,
    /// Years in all stages that have ended, overlaps counted once.
    pub years: Option<Milli>,
    /// Whether a stage goes on, so that the years are more by now.
    pub goes_on: bool,
}

/// A stage as tokens.
#[derive(Clone, Debug)]
pub(super) struct Stint {
    pub(super) role: Option<Range<usize>>,
    pub(super) employer: Option<Range<usize>>,
    pub(super) period: Period,
}

/// Words of a title or an employer; longer ones are sentences.
const NAME_WORDS_MAX: usize = 8;

/// A line of more words is a sentence and not a heading.
const LINE_WORDS_MAX: usize = 24;

impl Engine {
    /// A CV in parts.
    pub fn profile(&self, text: &str) -> Profile {
        read(self.lexicon(), self.skills(), text)
    }

    /// A job description in parts.
    pub fn job(&self, text: &str) -> Job {
        job::read(self.lexicon(), self.skills(), text)
    }
}

fn read(lexicon: &Lexicon, skills: &skills::Skills, text: &str) -> Profile {
    let document = Document::read(lexicon, text);
    let chars: Vec<char> = text.chars().collect();
    let named = |range: &Range<usize>| named(&document, &chars, range);
    let stints = stints(&document);
    let stages: Vec<Stage> = stints
        .iter()
        .map(|stint| {
            let (from, to) = document.span(stint.period.tokens.clone());
            Stage {
                role: stint.role.as_ref().map(named),
                employer: stint.employer.as_ref().map(named),
                begun: written(stint.period.from),
                ended: match stint.period.to {
                    End::At(date) => Some(written(date)),
                    End::Now => None,
                },
                from,
                to,
            }
        })
        .collect();
    let mut found: Vec<Skill> = Vec::new();
    let amounts = amounts(&document);
    for hit in skills.find(&document, text) {
        let name = skills.name(hit.skill);
        // "Rust (6 years)", "6 years of Rust"
        let near = |at: &Range<usize>| {
            let joined = matches!(document.fold_at(at.end), "of" | "with" | "in" | "using");
            let open = document.tokens[at.end - 1].after < Mark::Comma;
            at.start == hit.end || open && at.end + usize::from(joined) == hit.first
        };
        let years = amounts.iter().find(|amount| {
            let years = matches!(amount.unit, Unit::Period(_))
                && document.fold_at(amount.range.end - 1).starts_with("year");
            years && near(&amount.range)
        });
        let years = years.map(|amount| Milli(amount.value));
        match found.iter_mut().find(|skill| skill.name == name) {
            Some(known) => known.years = known.years.or(years),
            None => {
                let (from, to) = document.span(hit.first..hit.end);
                found.push(Skill { name: name.to_owned(), years, from, to });
            }
        }
    }
    Profile {
        skills: found,
        years: years(&stints),
        goes_on: stints.iter().any(|stint| stint.period.to == End::Now),
        stages,
    }
}

fn named(document: &Document, chars: &[char], range: &Range<usize>) -> Named {
    let (from, to) = document.span(range.clone());
    Named { text: chars[from as usize..to as usize].iter().collect(), from, to }
}

fn written(date: Date) -> String {
    match date.month {
        Some(month) => format!("{}-{month:02}", date.year),
        None => date.year.to_string(),
    }
}

/// Months in all periods that have ended, each month once, as years.
fn years(stints: &[Stint]) -> Option<Milli> {
    let mut ended: Vec<(i64, i64)> = stints
        .iter()
        .filter_map(|stint| match stint.period.to {
            End::At(to) => Some((stint.period.from.months(), to.months())),
            End::Now => None,
        })
        .collect();
    ended.sort_unstable();
    let (mut months, mut until) = (0, i64::MIN);
    for (from, to) in ended.iter().copied() {
        months += (to - from.max(until)).max(0);
        until = until.max(to);
    }
    (!ended.is_empty()).then_some(Milli(months * 1000 / 12))
}

/// The stages of a career: each period of the text with the names beside it.
pub(super) fn stints(document: &Document) -> Vec<Stint> {
    let lines = lines(document);
    let mut stints = Vec::new();
    let periods = dates::periods(document);
    for period in periods.iter().cloned() {
        let Some(at) = lines.iter().position(|line| line.contains(&period.tokens.start)) else {
            continue;
        };
        let line = &lines[at];
        if line.len() > LINE_WORDS_MAX || is_sentence(document, line) {
            continue;
        }
        let mut parts = segments(document, line, &period.tokens);
        // A line with nothing but dates belongs to the headings before it, or to the one after.
        let beside = [at.checked_sub(1), at.checked_sub(2), Some(at + 1)];
        for other in beside.into_iter().flatten() {
            let Some(line) = lines.get(other).filter(|_| parts.len() < 2) else { continue };
            let dated = periods.iter().any(|period| line.contains(&period.tokens.start));
            if line.len() <= NAME_WORDS_MAX * 2 && !dated && !is_sentence(document, line) {
                parts.extend(segments(document, line, &(line.end..line.end)));
            }
        }
        let role = parts.iter().find(|part| titles::is_title(document, part)).cloned();
        let employer = parts
            .iter()
            .find(|part| Some(*part) != role.as_ref() && is_name(document, part))
            .cloned();
        stints.push(Stint { role, employer, period });
    }
    stints
}

/// A line of a CV that tells something instead of naming it.
fn is_sentence(document: &Document, line: &Range<usize>) -> bool {
    let personal = line.clone().any(|at| document.bits_at(at).any(Bits::I.or(Bits::WE)));
    let told = line.clone().any(|at| document.bits_at(at).any(Bits::BE.or(Bits::HAVE)));
    personal || told && line.len() > NAME_WORDS_MAX
}

/// Runs of tokens between ends of lines, and between sentences within one.
fn lines(document: &Document) -> Vec<Range<usize>> {
    let mut lines = Vec::new();
    let mut start = 0;
    for (at, token) in document.tokens.iter().enumerate() {
        if token.after >= Mark::Stop || at + 1 == document.tokens.len() {
            lines.push(start..at + 1);
            start = at + 1;
        }
    }
    lines
}

/// The parts of a line beside its period: between commas, dashes, brackets, and at "at".
fn segments(document: &Document, line: &Range<usize>, without: &Range<usize>) -> Vec<Range<usize>> {
    let mut parts: Vec<Range<usize>> = Vec::new();
    let mut start = line.start;
    let push = |range: Range<usize>, parts: &mut Vec<Range<usize>>| {
        let fits = !range.is_empty() && range.len() <= NAME_WORDS_MAX;
        let letters = range.clone().any(|at| !document.tokens[at].number);
        if fits && letters {
            parts.push(range);
        }
    };
    for at in line.clone() {
        if without.contains(&at) || matches!(document.fold_at(at), "at" | "bei" | "from") {
            push(start..at, &mut parts);
            start = at + 1;
        } else if matches!(document.tokens[at].after, Mark::Comma | Mark::Break | Mark::Sign) {
            push(start..at + 1, &mut parts);
            start = at + 1;
        }
    }
    push(start.min(line.end)..line.end, &mut parts);
    parts
}

fn is_name(document: &Document, part: &Range<usize>) -> bool {
    part.clone().any(|at| document.tokens[at].capital && !document.tokens[at].number)
}

#[cfg(test)]
mod tests;
