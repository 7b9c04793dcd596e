//! Delivery facts: fillers, pace, pauses, length and a few plain counts of wording.
//!
//! Facts about speech, not judgements: they depend on dialect, first language and equipment. Typed
//! answers have no pace and no pauses; then those values are null.

use std::collections::{BTreeMap, HashSet};

use super::{Reading, fluency, share, signal};
use crate::domain::analysis::{Evidence, Signal, TimedWord};
use crate::domain::number::Milli;
use crate::insight::AnswerInput;
use crate::insight::lexicon::{Bits, Cue};

/// A silence between two words counts as a pause from this length on.
const PAUSE_MIN: Milli = Milli(600);

/// A pace measured over less time than this says nothing.
const DURATION_MIN: Milli = Milli(2_000);

/// A longer time than a day is a fault of the clock.
const DURATION_MAX: Milli = Milli::whole(86_400);

pub(super) fn measure(
    reading: &Reading,
    input: &AnswerInput,
    signals: &mut BTreeMap<String, Signal>,
) {
    let document = &reading.document;
    let words = document.tokens.len() as i64;
    let fresh = document.tokens.iter().filter(|token| !token.repeated).count() as i64;
    let mut put = |name: &str, signal: Signal| signals.insert(name.to_owned(), signal);
    put("filler_rate", fillers(reading, fresh));
    put("tic_rate", tics(reading, fresh));
    put("repair_rate", repairs(reading, fresh));
    let duration = duration(input);
    let pace = duration.map(|d| Milli(words * 60_000_000 / d.0));
    put("words_per_minute", Signal { value: pace, ..Signal::default() });
    put("pause_share", Signal { value: pause_share(input), ..Signal::default() });
    put("length_words", signal(Milli::whole(words), Vec::new()));
    let letters: i64 = document.tokens.iter().map(|t| i64::from(t.to - t.from)).sum();
    put("word_length", signal(share(letters, words, 1), Vec::new()));
    let distinct: HashSet<u32> = document.tokens.iter().map(|token| token.stem).collect();
    let distinct = distinct.len() as i64;
    put("distinct_words", signal(Milli::whole(distinct), Vec::new()));
    let fresh_pace = duration.map(|d| Milli(distinct * 60_000_000 / d.0));
    put("distinct_per_minute", Signal { value: fresh_pace, ..Signal::default() });
    let rate = |bits: Bits| {
        let count = document.tokens.iter().filter(|t| !t.repeated && t.bits.any(bits)).count();
        signal(share(count as i64, fresh, 100), Vec::new())
    };
    put("self_rate", rate(Bits::I.or(Bits::SELF)));
    put("group_rate", rate(Bits::WE));
    put("hedge_rate", rate(Bits::HEDGE));
    fluency::measure(reading, input, duration, signals);
}

fn fillers(reading: &Reading, words: i64) -> Signal {
    let filler = |&(_, token): &(usize, &super::super::text::Token)| {
        token.bits.any(Bits::FILLER) && !token.repeated
    };
    let evidence: Vec<Evidence> = reading
        .document
        .tokens
        .iter()
        .enumerate()
        .filter(filler)
        .map(|(at, _)| reading.evidence(at..at + 1, "filler_rate.sound"))
        .collect();
    signal(share(evidence.len() as i64, words, 100), evidence)
}

fn tics(reading: &Reading, words: i64) -> Signal {
    let document = &reading.document;
    let mut evidence: Vec<Evidence> = Vec::new();
    for hit in document.hits.iter().filter(|hit| hit.cue == Cue::Tic) {
        if !document.tokens[hit.first as usize].repeated {
            evidence.push(
                reading.evidence(hit.first as usize..hit.last as usize + 1, "tic_rate.phrase"),
            );
        }
    }
    for (at, token) in document.tokens.iter().enumerate() {
        let (word, fresh) = (document.fold(token), !token.repeated);
        if word == "like" && fresh && is_idle_like(reading, at) {
            evidence.push(reading.evidence(at..at + 1, "tic_rate.like"));
        } else if matches!(word, "actually" | "honestly" | "obviously") && fresh {
            // "Not actually" limits a claim, so it says something.
            let denied = at > 0 && document.bits_at(at - 1).any(Bits::NOT);
            if !denied {
                evidence.push(reading.evidence(at..at + 1, "tic_rate.adverb"));
            }
        }
    }
    signal(share(evidence.len() as i64, words, 100), evidence)
}

/// "Like" as a habit: not a verb with a subject, not a comparison after a verb of seeming.
fn is_idle_like(reading: &Reading, at: usize) -> bool {
    const MEANT: &str = " i we you they would i'd we'd they'd to look looks looked feel feels felt \
        something things thing stuff seem seems sound sounds don't didn't really people who much \
        just ";
    let Some(before) = at.checked_sub(1) else {
        return true;
    };
    let word = reading.document.fold_at(before);
    let meant = MEANT.split_whitespace().any(|known| known == word);
    !meant && reading.document.fold_at(at + 1) != "to"
}

/// Words said twice in a row: the speaker starts over.
fn repairs(reading: &Reading, words: i64) -> Signal {
    let document = &reading.document;
    let mut evidence = Vec::new();
    for at in 1..document.tokens.len() {
        let (before, token) = (&document.tokens[at - 1], &document.tokens[at]);
        let twice = token.stem == before.stem && document.fold(token) == document.fold(before);
        if twice
            && !token.number
            && !token.repeated
            && before.after < super::super::text::Mark::Stop
        {
            evidence.push(reading.evidence(at - 1..at + 1, "repair_rate.said_twice"));
        }
    }
    signal(share(evidence.len() as i64, words, 100), evidence)
}

fn duration(input: &AnswerInput) -> Option<Milli> {
    let spoken = input.words.as_deref().and_then(|words| Some(words.last()?.2 - words.first()?.1));
    let measured = input.duration_s.or(spoken);
    measured.filter(|duration| (DURATION_MIN..=DURATION_MAX).contains(duration))
}

/// Share of the time between the first and the last word that is silence, 0 to 1.
fn pause_share(input: &AnswerInput) -> Option<Milli> {
    let (whole, pauses) = timing(input)?;
    let silent: Milli = pauses.into_iter().sum();
    Some(Milli(silent.0.min(whole.0) * 1000 / whole.0))
}

/// The time from the first to the last word and the pauses within, where the times can be true.
pub(super) fn timing(input: &AnswerInput) -> Option<(Milli, Vec<Milli>)> {
    let words = input.words.as_deref()?;
    let whole = words.last()?.2 - words.first()?.1;
    let credible = |word: &TimedWord| {
        (Milli::ZERO..=DURATION_MAX).contains(&word.1) && (word.1..=DURATION_MAX).contains(&word.2)
    };
    if !(DURATION_MIN..=DURATION_MAX).contains(&whole) || !words.iter().all(credible) {
        return None;
    }
    let silences = words.windows(2).map(|pair| pair[1].1 - pair[0].2);
    Some((whole, silences.filter(|silence| *silence >= PAUSE_MIN).collect()))
}
