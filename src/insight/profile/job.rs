//! A job description in parts: what it asks for, how much it matters, and how many years.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::skills::Skills;
use super::titles;
use crate::domain::number::Milli;
use crate::insight::lexicon::{Bits, Lexicon};
use crate::insight::signals::{Unit, amounts};
use crate::insight::text::{Document, Mark};

/// How much a requirement matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Weight {
    /// It has to be there.
    Must,
    /// It would be good.
    Nice,
}

/// Something that a job description asks for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Requirement {
    /// Its words.
    pub text: String,
    /// Skills in it by name.
    pub skills: Vec<String>,
    /// Years that it asks for.
    pub years: Option<Milli>,
    /// How much it matters.
    pub weight: Weight,
    /// First code point.
    pub from: u32,
    /// One past the last code point.
    pub to: u32,
}

/// A job description in parts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Job {
    /// In the order of the text.
    pub requirements: Vec<Requirement>,
    /// The first title in it.
    pub title: Option<String>,
    /// The most years that it asks for.
    pub years: Option<Milli>,
}

/// Requirements that are read: a longer list is no description of a job.
const REQUIREMENTS_MAX: usize = 60;

/// Words that open a part of the text, and what they say of the lines below.
const HEADINGS: &[(Weight, &str)] = &[
    (Weight::Nice, "nice preferred bonus plus desirable advantage optional ideally"),
    (Weight::Must, "required requirements must essential need qualifications profile skills you"),
];

/// Headings of parts that ask for nothing.
const OTHER: &str =
    "offer benefits about company us pay salary perks apply contact responsibilities tasks";

/// Words that ask for something within a sentence.
const ASKS: &str = "experience knowledge skills skilled proficient proficiency fluent degree \
    ability able familiar familiarity understanding expertise background licence license \
    certificate certified qualification qualified track must required need needed looking";

pub(super) fn read(lexicon: &Lexicon, skills: &Skills, text: &str) -> Job {
    let document = Document::read(lexicon, text);
    let chars: Vec<char> = text.chars().collect();
    let hits = skills.find(&document, text);
    let amounts = amounts(&document);
    let mut job = Job::default();
    let mut below: Option<Weight> = None;
    for line in super::lines(&document) {
        if let Some(heading) = heading(&document, &line) {
            below = heading;
            continue;
        }
        if job.title.is_none()
            && line.len() <= super::NAME_WORDS_MAX
            && titles::is_title(&document, &line)
        {
            job.title = Some(super::named(&document, &chars, &line).text);
            continue;
        }
        let within = |at: usize| line.contains(&at);
        let mut names: Vec<String> = Vec::new();
        for hit in hits.iter().filter(|hit| within(hit.first)) {
            let name = skills.name(hit.skill).to_owned();
            if !names.contains(&name) {
                names.push(name);
            }
        }
        let years = amounts.iter().filter(|amount| within(amount.range.start)).find(|amount| {
            matches!(amount.unit, Unit::Period(_))
                && document.fold_at(amount.range.end - 1).starts_with("year")
        });
        let years = years.map(|amount| Milli(amount.value));
        let asks = line.clone().any(|at| has(ASKS, document.fold_at(at)));
        let wanted = below.is_some() || asks || years.is_some();
        if !wanted || (names.is_empty() && !asks && years.is_none() && below.is_none()) {
            continue;
        }
        if job.requirements.len() == REQUIREMENTS_MAX || line.len() < 2 && names.is_empty() {
            continue;
        }
        let said = super::named(&document, &chars, &line);
        let weight = weight_in(&document, &line).or(below).unwrap_or(Weight::Must);
        job.years = job.years.max(years);
        job.requirements.push(Requirement {
            text: said.text,
            skills: names,
            years,
            weight,
            from: said.from,
            to: said.to,
        });
    }
    job
}

/// A short line that ends in a colon or stands alone: what it opens, nothing for other parts.
fn heading(document: &Document, line: &Range<usize>) -> Option<Option<Weight>> {
    const HEADING_WORDS_MAX: usize = 5;
    let last = &document.tokens[line.end - 1];
    let alone = line.len() <= 3 && last.after == Mark::Line;
    if line.len() > HEADING_WORDS_MAX || !(last.after == Mark::Break || alone) {
        return None;
    }
    let says = |list: &str| line.clone().any(|at| has(list, document.fold_at(at)));
    for (weight, words) in HEADINGS {
        if says(words) {
            return Some(Some(*weight));
        }
    }
    says(OTHER).then_some(None)
}

fn weight_in(document: &Document, line: &Range<usize>) -> Option<Weight> {
    let says = |list: &str| line.clone().any(|at| has(list, document.fold_at(at)));
    if says("nice preferred bonus desirable advantage optional ideally plus useful") {
        return Some(Weight::Nice);
    }
    let denied = line.clone().any(|at| document.bits_at(at).any(Bits::NOT));
    if denied && says("required essential necessary needed") {
        return Some(Weight::Nice);
    }
    let must = says("must required essential") && !denied;
    must.then_some(Weight::Must)
}

fn has(list: &str, word: &str) -> bool {
    list.split_whitespace().any(|one| one == word)
}
