//! How much a clause speaks for each part of a story: by cues, subject, verb and direction of
//! change.

use std::ops::Range;

use super::super::lexicon::{Bits, Cue};
use super::super::text::Document;
use super::{Parts, Subject, Verb};

/// Scores one clause for each part of a story.
pub(super) fn score(document: &Document, range: &Range<usize>, verb: &Verb) -> Parts {
    let mut parts = Parts::default();
    for hit in document.hits_in(range) {
        match hit.cue {
            Cue::Situation => parts.situation += 3,
            Cue::Task => parts.task += 5,
            Cue::Result | Cue::Effect => parts.result += 3,
            Cue::Outcome => parts.result += 4,
            Cue::Reflection => parts.reflection += 6,
            _ => {}
        }
    }
    parts.situation = parts.situation.min(4);
    parts.result = parts.result.min(6);
    if document.has(range, Cue::Retraction) {
        return Parts { situation: 2, ..Parts::default() };
    }
    match verb.subject {
        Subject::I | Subject::We => score_own(document, range, verb, &mut parts),
        Subject::Other => score_other(document, range, verb, &mut parts),
        Subject::None => {}
    }
    score_loose(document, range, verb, &mut parts);
    parts
}

/// Clauses about what the speaker or the speaker's group did.
fn score_own(document: &Document, range: &Range<usize>, verb: &Verb, parts: &mut Parts) {
    let measured = has_amount(document, range);
    let main = verb.content;
    if main.any(Bits::ATTAIN) {
        parts.result += 4;
    } else if main.any(Bits::LOSS) {
        parts.situation += 3;
    } else if main.any(Bits::UP.or(Bits::DOWN).or(Bits::GAIN)) {
        let toward = if measured { &mut parts.result } else { &mut parts.action };
        *toward += 4;
    } else if main.any(Bits::ACTION) {
        // What was not done is no action, and a plain verb in the present says what is usual.
        let usual = verb.everyday && !verb.past || verb.reduced;
        parts.action += match (verb.negated, usual) {
            (true, _) => 0,
            (_, true) => 2,
            _ => 4,
        };
    } else if main.any(Bits::HELP) {
        parts.action += 3;
    } else if document.fold_at(verb.at) == "became" {
        parts.result += 3;
    } else if verb.auxiliary.any(Bits::BE) {
        parts.situation += if verb.past { 2 } else { 0 };
    } else if verb.past && !verb.everyday {
        parts.action += 3;
    }
}

/// Clauses about somebody or something else.
fn score_other(document: &Document, range: &Range<usize>, verb: &Verb, parts: &mut Parts) {
    let main = verb.content;
    let subject = &document.tokens[range.start..verb.at.max(range.start)];
    let is = |bits: Bits| subject.iter().any(|token| token.bits.any(bits));
    let trouble = any(document, range.clone(), Bits::PROBLEM);
    let word = document.fold_at(verb.at);
    if range.clone().any(|at| document.fold_at(at) == "now") {
        parts.result += 3;
    }
    if word == "kept" && document.bits_at(verb.at + 1).any(Bits::ING) {
        parts.situation += 4;
    }
    if matches!(word, "had" | "hadn't") && main != Bits::default() {
        // The past before the past: what was so when the story began.
        parts.situation += 4;
    } else if !verb.past && verb.auxiliary == Bits::default() {
        // "Furniture demands patience" says what is so at all times, not what happened.
        parts.situation += i32::from(trouble) * 2;
    } else if let Some(better) = turn(document, range, verb) {
        // "As a result complaints rose" is what came of it, though nobody wished for it.
        let announced = document.has(range, Cue::Effect) || document.has(range, Cue::Result);
        let better = better || announced;
        *(if better { &mut parts.result } else { &mut parts.situation }) += 4;
    } else if main.any(Bits::REQUEST) {
        parts.situation += 3;
    } else if main.any(Bits::HELP) && is(Bits::ACTOR) {
        parts.result += 3;
    } else if verb.passive && main.any(Bits::ACTION) {
        parts.action += 2;
        parts.result += 1;
    } else if main.any(Bits::ACTION) && (verb.negated || verb.everyday && !is(Bits::ACTOR)) {
        parts.situation += 3;
    } else if main.any(Bits::ACTION) && verb.past {
        parts.result += if is(Bits::ACTOR) { 3 } else { 2 };
        parts.situation += 1;
    } else if verb.auxiliary.any(Bits::BE) {
        let named = !subject.iter().all(|token| token.bits.any(Bits::FUNCTION));
        parts.situation += match (verb.past, trouble && named) {
            (true, true) => 4,
            (true, false) | (false, true) => 3,
            (false, false) => 1,
        };
    } else if verb.past || verb.auxiliary.any(Bits::HAVE) {
        parts.situation += 2;
    }
}

/// Whether the clause tells a turn for the better or the worse, if it tells one.
fn turn(document: &Document, range: &Range<usize>, verb: &Verb) -> Option<bool> {
    let main = verb.content;
    let subject = range.start..verb.at.max(range.start);
    let is = |bits: Bits| any(document, subject.clone(), bits);
    if main.any(Bits::UP.or(Bits::DOWN)) {
        let (more, less) = (is(Bits::MORE), is(Bits::LESS));
        return Some(match main.any(Bits::UP) {
            true => more || !(less || is(Bits::PROBLEM)),
            false => less || !more,
        });
    }
    if main.any(Bits::GAIN) {
        return Some(!verb.negated);
    }
    if main.any(Bits::LOSS) {
        return Some(verb.negated);
    }
    if verb.passive && main.any(Bits::ACTION) && is(Bits::PROBLEM.or(Bits::LESS)) {
        return Some(!verb.negated);
    }
    let rest = subject.end..range.end;
    let good = any(document, rest, Bits::GOOD) && !any(document, range.clone(), Bits::PROBLEM);
    if good && !verb.negated && verb.past {
        return Some(true);
    }
    compared(document, range, verb, is(Bits::LESS))
}

fn any(document: &Document, range: Range<usize>, bits: Bits) -> bool {
    document.tokens[range].iter().any(|token| token.bits.any(bits))
}

/// "The queues were shorter", "it became easier": a state named by comparison, and whether it is
/// the better one. For a subject of which less is better, lower is better.
fn compared(document: &Document, range: &Range<usize>, verb: &Verb, less: bool) -> Option<bool> {
    const STATES: [&str; 8] = ["was", "were", "became", "got", "felt", "seemed", "ran", "worked"];
    const BETTER: &str = "better easier smoother happier stronger clearer safer quicker faster \
        cheaper simpler calmer healthier tidier steadier";
    const HIGHER: &str = "higher larger bigger more greater";
    const LOWER: &str = "lower fewer less smaller shorter";
    if !STATES.contains(&document.fold_at(verb.at)) {
        return None;
    }
    (verb.at + 1..range.end).find_map(|at| {
        let word = document.fold_at(at);
        let among = |list: &str| list.split_whitespace().any(|known| known == word);
        match word {
            "worse" | "slower" | "harder" => Some(false),
            _ if among(BETTER) => Some(true),
            _ if among(HIGHER) => Some(!less),
            _ if among(LOWER) => Some(less),
            _ => None,
        }
    })
}

/// What a clause shows whoever its subject is.
fn score_loose(document: &Document, range: &Range<usize>, verb: &Verb, parts: &mut Parts) {
    const OUTCOME: Bits = Bits::UP.or(Bits::DOWN).or(Bits::GAIN);
    let mut before = Bits::default();
    for token in &document.tokens[range.clone()] {
        let participle = token.bits.any(Bits::ING) && token.bits.any(OUTCOME);
        if participle && !before.any(Bits::BE.or(Bits::DETERMINER).or(Bits::PREPOSITION)) {
            parts.result += if verb.subject == Subject::None { 3 } else { 1 };
            break;
        }
        before = token.bits;
    }
    let amounts = range
        .clone()
        .filter(|&at| document.tokens[at].number || document.bits_at(at).any(Bits::NUMBER));
    if amounts.count() >= 2 && document.has(range, Cue::Contrast) {
        parts.result += 4;
    }
    let changed = document.tokens[range.clone()]
        .iter()
        .any(|token| token.bits.any(OUTCOME.or(Bits::CHANGE)) || token.bits.any(Bits::ATTAIN));
    if changed && has_amount(document, range) && parts.situation < 4 {
        parts.result += 2;
    }
}

fn has_amount(document: &Document, range: &Range<usize>) -> bool {
    document.tokens[range.clone()]
        .iter()
        .any(|token| token.percent || token.money || token.number || token.bits.any(Bits::NUMBER))
}
