//! What a speaker says to have never done, used or led, against a place where it is done.
//!
//! Only what is denied of oneself, and denied whole: "not in production" or "never alone" leaves
//! room for the other statement.

use std::ops::Range;

use super::super::lexicon::{Bits, Cue, stem_hash};
use super::super::text::{Document, Mark};
use super::{Clash, SENTENCES_MAX};
use crate::domain::analysis::Severity;

/// What one text denies and what it says to be so.
#[derive(Debug, Default)]
pub(super) struct Denials {
    denied: Vec<Statement>,
    said: Vec<Statement>,
}

#[derive(Debug)]
struct Statement {
    span: (u32, u32),
    /// Stems of the content words: sorted where something is said, in order where denied.
    stems: Vec<u32>,
    /// The rule, for a denial.
    rule: &'static str,
    /// Whether the verb is part of what is denied, or only the tool is.
    whole: bool,
}

/// Verbs of using a tool: whoever denies them of a thing denies to know it.
const USES: &str = "use used using work worked working touch touched program programmed code coded \
    operate operated drive driven know known knew handle handled try tried learn learned learnt \
    study studied write written see seen speak spoken";

/// Words that keep a denial from being whole.
const LIMITS: &str = "alone again before since until yet-there professionally production directly \
    much really often always only well officially formally there then also without except \
    during when while at fully properly deeply extensively abroad";

/// Words for a whole working life, which limit nothing: "never in that job".
const PLACES: &str = "job role career life company project work time position";

/// Words of somebody who does not do it yet.
const LATER: &str = "learning learn interested want wish hope plan would could should might if \
    future eager keen curious basic beginner willing studying nearly almost";

/// A denial with more content is about an event, not about a thing.
const DENIED_STEMS_MAX: usize = 4;

/// Clauses of one text that can be held against a denial.
const SAID_MAX: usize = 600;

const DULL: Bits = Bits::FUNCTION.or(Bits::FILLER).or(Bits::NUMBER);

/// Other names of the same thing, by stem.
const ALIASES: &[(&str, &str)] = &[
    ("k8s", "kubernetes"),
    ("postgres", "postgresql"),
    ("js", "javascript"),
    ("golang", "go"),
    ("crew", "team"),
    ("staff", "team"),
];

pub(super) fn read(document: &Document, cv: bool) -> Denials {
    let mut found = Denials::default();
    let mut sentences = document.sentences.iter().peekable();
    for (n, clause) in document.clauses.iter().enumerate() {
        if n >= SENTENCES_MAX * 2 || found.said.len() >= SAID_MAX {
            break;
        }
        while sentences.next_if(|sentence| sentence.end <= clause.start).is_some() {}
        if sentences.peek().is_some_and(|sentence| document.has(sentence, Cue::Correction)) {
            continue;
        }
        let span = document.span(clause.clone());
        let not = clause.clone().find(|&at| document.bits_at(at).any(Bits::NOT));
        let own = own(document, clause) || (cv && !other(document, clause));
        let later = has(document, clause, LATER);
        match not {
            Some(not) if own => found.denied.extend(denial(document, clause, not, span)),
            None if own && !later => {
                let mut stems = content(document, clause.clone());
                stems.sort_unstable();
                found.said.push(Statement { span, stems, rule: "", whole: true });
            }
            _ => {}
        }
    }
    found
}

pub(super) fn compare(before: &Denials, now: &Denials) -> Vec<Clash> {
    let mut clashes = Vec::new();
    for (denied, said, turned) in
        [(&before.denied, &now.said, false), (&now.denied, &before.said, true)]
    {
        for denial in denied {
            let holds = |statement: &&Statement| {
                denial.stems.iter().all(|stem| statement.stems.binary_search(stem).is_ok())
            };
            if let Some(statement) = said.iter().find(holds) {
                let (a, b) = if turned { (statement, denial) } else { (denial, statement) };
                let (rule, severity) = (denial.rule, Severity::Material);
                clashes.push(Clash { before: a.span, now: b.span, rule, severity });
            }
        }
    }
    clashes
}

fn denial(
    document: &Document,
    clause: &Range<usize>,
    not: usize,
    span: (u32, u32),
) -> Option<Statement> {
    // Two negations are none, and an open clause is a condition.
    let twice = (not + 1..clause.end).any(|at| document.bits_at(at).any(Bits::NOT));
    if twice || has(document, &(not + 1..clause.end), LIMITS) || has(document, clause, LATER) {
        return None;
    }
    let rest = not + 1..clause.end;
    // "Never a budget of twelve million" denies the number, not the deed.
    let counted = |at: usize| document.tokens[at].number || document.bits_at(at).any(Bits::NUMBER);
    if rest.clone().any(counted) {
        return None;
    }
    let experience = rest.clone().find(|&at| document.fold_at(at) == "experience");
    let used = rest.clone().find(|&at| among(USES, document.fold_at(at)));
    let never = document.fold_at(not) == "never";
    let (from, rule, whole) = match (experience, used) {
        (Some(at), _) => (at + 1, "tool.denied", false),
        (None, Some(at)) if at <= not + 2 => (at + 1, "tool.denied", false),
        _ if never => (not + 1, "negation.never", true),
        _ => return None,
    };
    let mut stems = content(document, from.min(clause.end)..clause.end);
    stems.dedup();
    // A thing alone is enough for a tool; a deed needs its verb and its object.
    let least = if whole { 2 } else { 1 };
    (least..=DENIED_STEMS_MAX)
        .contains(&stems.len())
        .then_some(Statement { span, stems, rule, whole })
        .filter(|statement| statement.whole || !is_everyday(document, from..clause.end))
}

/// Nothing but everyday words is no name of a tool.
fn is_everyday(document: &Document, range: Range<usize>) -> bool {
    range.into_iter().all(|at| document.bits_at(at).any(DULL.or(Bits::EVERYDAY).or(Bits::VAGUE)))
}

fn content(document: &Document, range: Range<usize>) -> Vec<u32> {
    range
        .filter(|&at| !document.bits_at(at).any(DULL) && !document.tokens[at].number)
        .filter(|&at| !among(PLACES, document.fold_at(at)))
        .map(|at| {
            let word = document.fold_at(at);
            let alias = ALIASES.iter().find(|(one, _)| *one == word);
            alias.map_or(document.tokens[at].stem, |(_, other)| stem_hash(other))
        })
        .collect()
}

/// The speaker, or the speaker's group, acts.
fn own(document: &Document, clause: &Range<usize>) -> bool {
    clause.clone().any(|at| {
        let bits = document.bits_at(at);
        bits.any(Bits::I) || bits.any(Bits::WE) && document.fold_at(at).starts_with("we")
    })
}

/// Somebody else is named as the one who acts.
fn other(document: &Document, clause: &Range<usize>) -> bool {
    let first = document.fold_at(clause.start);
    matches!(first, "he" | "she" | "they" | "who" | "you")
        || document.tokens[clause.start].after == Mark::Question
}

fn has(document: &Document, range: &Range<usize>, list: &str) -> bool {
    range.clone().any(|at| among(list, document.fold_at(at)))
}

fn among(list: &str, word: &str) -> bool {
    list.split_whitespace().any(|one| one == word)
}
