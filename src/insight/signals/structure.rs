//! Structure: does the answer set a scene, say what was done, and say what came of it, in that
//! order?
//!
//! Counted over clauses with a clear part, exact ones fully and general ones by half. Each part
//! saturates at four clauses, so that length alone buys nothing. Only a speaker who takes something
//! back lowers the value, by the action or result told last; adding a stated result cannot.

use std::ops::Range;

use super::{Reading, signal};
use crate::domain::analysis::{Evidence, Sentence, Signal, Star};
use crate::domain::number::Milli;
use crate::insight::lexicon::{Bits, Cue};
use crate::insight::story::{Clause, Parts};

/// A part's points by how fully it is told, in halves of a clause: a clause with exact words is a
/// whole one, a general or hedged one a half. The first ones count most, and a single clause, which
/// a rule may have misread, does not carry the value.
type Points = [i64; 9];
const SETTING: Points = [0, 7, 13, 16, 18, 20, 22, 24, 25];
const ACTION: Points = [0, 6, 12, 16, 19, 22, 25, 28, 30];
const RESULT: Points = [0, 8, 14, 18, 21, 24, 26, 28, 30];
const REFLECTION: Points = [0, 3, 5, 5, 5, 5, 5, 5, 5];

/// A clause with so many exact words beside its verb is told exactly.
const EXACT_WORDS: usize = 2;

/// For a setting told before an action, and again for an action told before a result.
const ORDER: i64 = 5;

/// A sentence is labelled from this score on; below it, it is `other`.
const LABEL_MIN: i32 = 2;

/// A sentence of more words than this holds more than a listener keeps.
const LONG_SENTENCE_WORDS: usize = 40;

pub(super) fn measure(reading: &Reading) -> Signal {
    let mut told = [0usize; 4];
    let mut evidence: Vec<Evidence> = Vec::new();
    let (mut setting_seen, mut action_after, mut result_after) = (false, false, false);
    let mut action_seen = false;
    let mut standing: Vec<(usize, usize)> = Vec::new();
    for clause in &reading.story {
        if !clause.repeated && reading.document.has(&clause.range, Cue::Retraction) {
            if let Some((part, halves)) = standing.pop() {
                told[part] -= halves;
                evidence.push(reading.evidence(clause.range.clone(), "structure.taken_back"));
            }
            continue;
        }
        let (part, rule) = match clause.counts_as() {
            Star::Situation => (0, "structure.situation"),
            Star::Task => (0, "structure.task"),
            Star::Action => (1, "structure.action"),
            Star::Result => (2, "structure.result"),
            Star::Reflection => (3, "structure.reflection"),
            Star::Other => continue,
        };
        action_after |= part == 1 && setting_seen;
        result_after |= part == 2 && action_seen;
        setting_seen |= part == 0;
        action_seen |= part == 1;
        let halves = if is_exact(reading, clause) { 2 } else { 1 };
        told[part] += halves;
        if part == 1 || part == 2 {
            standing.push((part, halves));
        }
        evidence.push(reading.evidence(clause.range.clone(), rule));
    }
    let points = [SETTING, ACTION, RESULT, REFLECTION];
    let covered: i64 = told.iter().zip(points).map(|(halves, p)| p[(*halves).min(8)]).sum();
    let ordered = ORDER * (i64::from(action_after) + i64::from(result_after));
    signal(Milli::whole(covered + ordered), evidence)
}

/// Whether a clause holds words that another story would not, and does not hedge them.
fn is_exact(reading: &Reading, clause: &Clause) -> bool {
    const PLAIN: Bits = Bits::FUNCTION.or(Bits::EVERYDAY).or(Bits::FILLER).or(Bits::VAGUE);
    let document = &reading.document;
    let hedged = clause.verb.conditional
        || document.has(&clause.range, Cue::Hedge)
        || document.tokens[clause.range.clone()].iter().any(|t| t.bits.any(Bits::HEDGE));
    let exact = clause
        .range
        .clone()
        .filter(|&at| at != clause.verb.content_at && !document.bits_at(at).any(PLAIN));
    !hedged && exact.take(EXACT_WORDS).count() == EXACT_WORDS
}

/// Labels every sentence and names what makes it weak.
pub(in crate::insight) fn label_sentences(reading: &Reading) -> Vec<Sentence> {
    let mut clauses = reading.story.iter().peekable();
    let mut action_seen = false;
    let mut labelled = Vec::with_capacity(reading.document.sentences.len());
    for (index, range) in reading.document.sentences.iter().enumerate() {
        let mut best = (0, Star::Other);
        let (mut own_action, mut aside) = (false, false);
        while let Some(clause) = clauses.next_if(|clause| clause.sentence == index) {
            if clause.aside {
                aside = true;
                continue;
            }
            let mut parts = clause.parts;
            // After an action, what others did is more likely what came of it than a new scene.
            if action_seen && parts.result > 0 {
                parts.result += 1;
            }
            let star = parts.strongest(LABEL_MIN);
            let score = strength(parts, star);
            if score > best.0 || (score == best.0 && star == Star::Result) {
                best = (score, star);
            }
            own_action |= star == Star::Action;
        }
        action_seen |= own_action;
        let tokens = &reading.document.tokens;
        labelled.push(Sentence {
            from: tokens[range.start].from,
            to: tokens[range.end - 1].closed,
            star: best.1,
            weak: weaknesses(reading, range, best.1, aside),
        });
    }
    labelled
}

fn strength(parts: Parts, star: Star) -> i32 {
    match star {
        Star::Situation => parts.situation,
        Star::Task => parts.task,
        Star::Action => parts.action,
        Star::Result => parts.result,
        Star::Reflection => parts.reflection,
        Star::Other => 0,
    }
}

fn weaknesses(reading: &Reading, range: &Range<usize>, star: Star, aside: bool) -> Vec<String> {
    let document = &reading.document;
    let tokens = &document.tokens[range.clone()];
    let count = |bits: Bits| tokens.iter().filter(|token| token.bits.any(bits)).count();
    let cues = |cue: Cue| document.hits_in(range).iter().filter(|hit| hit.cue == cue).count();
    let measured = tokens.iter().any(|token| token.number || token.bits.any(Bits::NUMBER));
    let mut weak = Vec::new();
    let mut note = |is_weak: bool, code: &str| {
        if is_weak {
            weak.push(code.to_owned());
        }
    };
    note(tokens.len() > LONG_SENTENCE_WORDS, "long");
    note(document.is_repeat(range), "repeated");
    note(aside, "aside");
    note(count(Bits::FILLER) + cues(Cue::Tic) >= 2, "filler");
    note(count(Bits::VAGUE) + cues(Cue::Vague) >= 2 && !measured, "vague");
    note(count(Bits::HEDGE) + cues(Cue::Hedge) >= 2, "hedged");
    note(star == Star::Result && !measured, "unmeasured_result");
    note(cues(Cue::Praise) > 0 && !measured, "self_praise");
    note(cues(Cue::Attribution) > 0, "unclear_part");
    weak
}
