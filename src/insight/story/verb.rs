//! The subject and the main verb of a clause, without a tagger: by word lists and word order.

use std::ops::Range;

use super::super::lexicon::Bits;
use super::super::text::{Document, Mark};

/// Who acts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::insight) enum Subject {
    /// The speaker.
    I,
    /// The speaker's group.
    We,
    /// Somebody or something else.
    Other,
    /// The clause names none.
    None,
}

/// What the rules know about a clause's verb.
#[derive(Clone, Copy, Debug)]
pub(in crate::insight) struct Verb {
    /// Who acts.
    pub(in crate::insight) subject: Subject,
    /// Index of the finite verb; the end of the clause if there is none.
    pub(in crate::insight) at: usize,
    /// Index of the verb that carries the meaning.
    pub(in crate::insight) content_at: usize,
    /// What that verb is.
    pub(in crate::insight) content: Bits,
    /// What the auxiliary is, if there is one.
    pub(in crate::insight) auxiliary: Bits,
    /// A past form.
    pub(in crate::insight) past: bool,
    /// A form of to be with a participle.
    pub(in crate::insight) passive: bool,
    /// Could, would, might.
    pub(in crate::insight) conditional: bool,
    /// Turned round by a negation.
    pub(in crate::insight) negated: bool,
    /// Told as a habit or a trifle: "I usually send", "we just gave".
    pub(in crate::insight) reduced: bool,
    /// A verb that is said about anything.
    pub(in crate::insight) everyday: bool,
}

const AUXILIARY: Bits = Bits::BE.or(Bits::HAVE).or(Bits::DO).or(Bits::MODAL);
const CONTENT: Bits = Bits::ACTION
    .or(Bits::UP)
    .or(Bits::DOWN)
    .or(Bits::GAIN)
    .or(Bits::LOSS)
    .or(Bits::HELP)
    .or(Bits::ATTAIN)
    .or(Bits::REQUEST);

/// How far behind an auxiliary its participle may stand: "was later quietly replaced".
const REACH: usize = 4;

/// How far before its verb an adverb may stand: "I usually just send".
const REDUCER_REACH: usize = 3;

impl Verb {
    /// Whether the verb names work or a change.
    pub(in crate::insight) fn does_work(&self) -> bool {
        self.content.any(CONTENT)
    }
}

/// Finds subject and verb; a clause without a subject takes the one of the clause before it.
pub(super) fn find(document: &Document, range: &Range<usize>, before: Option<Verb>) -> Verb {
    let at = range.clone().find(|&at| is_finite(document, range, at)).unwrap_or(range.end);
    let mut subject = subject_of(document, range.start..at, range);
    if subject == Subject::None && at < range.end {
        subject = before.map_or(Subject::None, |verb| verb.subject);
    }
    let first = document.bits_at(at);
    let word = document.fold_at(at);
    let mut verb = Verb {
        subject,
        at,
        content_at: at,
        content: if at < range.end { first } else { Bits::default() },
        auxiliary: Bits::default(),
        past: at < range.end && (first.any(Bits::PAST) || is_regular_past(word)),
        passive: false,
        conditional: false,
        negated: first.any(Bits::NOT),
        reduced: false,
        everyday: first.any(Bits::EVERYDAY),
    };
    verb.content = with_particle(document, at, range.end, verb.content);
    if at < range.end && first.any(AUXILIARY) {
        follow_auxiliary(document, range, &mut verb);
    }
    verb.negated |= (at.saturating_sub(1).max(range.start)..(at + 3).min(range.end))
        .any(|near| document.bits_at(near).any(Bits::NOT));
    verb.reduced = is_reduced(document, range, &verb);
    verb
}

/// A word that reduces stands before the verb that it speaks of, or opens the clause.
fn is_reduced(document: &Document, range: &Range<usize>, verb: &Verb) -> bool {
    let before = verb.content_at.saturating_sub(REDUCER_REACH).max(range.start)..verb.content_at;
    let opening = range.start..(range.start + 1).min(range.end);
    verb.content_at < range.end
        && before.chain(opening).any(|at| document.bits_at(at).any(Bits::REDUCER))
}

/// Looks behind an auxiliary for the verb that carries the meaning.
fn follow_auxiliary(document: &Document, range: &Range<usize>, verb: &mut Verb) {
    let at = verb.at;
    let first = document.bits_at(at);
    let word = document.fold_at(at);
    verb.auxiliary = first;
    verb.conditional = first.any(Bits::MODAL) && !matches!(word, "will" | "can" | "i'll" | "we'll");
    verb.past =
        matches!(word, "was" | "were" | "had" | "did" | "wasn't" | "weren't" | "didn't" | "hadn't")
            || word.ends_with("'ve")
            || matches!(word, "have" | "has");
    verb.content = Bits::default();
    for next in at + 1..(at + 1 + REACH).min(range.end) {
        let bits = document.bits_at(next);
        let after_determiner = document.bits_at(next - 1).any(Bits::DETERMINER) && next > at + 1;
        if after_determiner || bits.any(Bits::PREPOSITION) && !bits.any(CONTENT) {
            break;
        }
        let participle = bits.any(Bits::PAST) || is_regular_past(document.fold_at(next));
        let plain = bits.any(Bits::BASE) && first.any(Bits::MODAL.or(Bits::DO));
        let running = bits.any(Bits::ING) && first.any(Bits::BE);
        if (participle || plain || running) && !bits.any(AUXILIARY) {
            verb.content = bits;
            verb.content_at = next;
            verb.everyday = bits.any(Bits::EVERYDAY);
            verb.passive =
                participle && (first.any(Bits::BE) || document.bits_at(next - 1).any(Bits::BE));
            break;
        }
    }
}

/// "Went up", "came down", "went through": the particle carries the meaning.
fn with_particle(document: &Document, at: usize, end: usize, content: Bits) -> Bits {
    const MOVES: [&str; 6] = ["go", "goes", "went", "come", "comes", "came"];
    if at + 1 >= end || !MOVES.contains(&document.fold_at(at)) {
        return content;
    }
    match document.fold_at(at + 1) {
        "up" => content.or(Bits::UP),
        "down" => content.or(Bits::DOWN),
        "through" | "over" => content.or(Bits::ACTION),
        _ => content,
    }
}

fn subject_of(document: &Document, before: Range<usize>, clause: &Range<usize>) -> Subject {
    let mut subject = Subject::None;
    // A contraction such as "i've" is subject and verb in one token.
    let end = (before.end + 1).min(clause.end);
    for at in before.start..end {
        let bits = document.bits_at(at);
        if bits.any(Bits::I) {
            return Subject::I;
        }
        if bits.any(Bits::WE) && document.fold_at(at).starts_with("we") {
            return Subject::We;
        }
        let names = !bits.any(Bits::FUNCTION.or(Bits::FILLER)) || bits.any(Bits::PRONOUN);
        if names && at < before.end {
            subject = Subject::Other;
        }
    }
    subject
}

fn is_finite(document: &Document, range: &Range<usize>, at: usize) -> bool {
    let bits = document.bits_at(at);
    if bits.any(AUXILIARY)
        && !matches!(document.fold_at(at), "being" | "been" | "having" | "doing" | "be")
    {
        return true;
    }
    let before = if at > range.start { document.bits_at(at - 1) } else { Bits::default() };
    if bits.any(Bits::PAST) || is_regular_past(document.fold_at(at)) {
        // "the redesigned page" holds a participle, not a verb.
        return !before.any(Bits::DETERMINER) || before.any(Bits::PRONOUN);
    }
    let names_actor = |bits: Bits| {
        bits.any(Bits::I.or(Bits::WE).or(Bits::PRONOUN)) && !bits.any(Bits::DETERMINER)
    };
    let subject_before = names_actor(before);
    let adverb_between = at >= range.start + 2
        && document.fold_at(at - 1).ends_with("ly")
        && names_actor(document.bits_at(at - 2));
    // "Orders were late" opens with a noun, "then order parts" with a verb.
    let plural = document.fold_at(at).ends_with('s') || document.bits_at(at + 1).any(AUXILIARY);
    let goes_on = at == range.start && at > 0 && document.tokens[at - 1].after == Mark::Comma;
    let starts = (goes_on || before.any(Bits::CONJUNCTION)) && !plural;
    bits.any(Bits::BASE) && (subject_before || adverb_between || (starts && bits.any(CONTENT)))
}

/// An unlisted word that looks like a past form.
fn is_regular_past(folded: &str) -> bool {
    const OTHER: [&str; 8] =
        ["hundred", "need", "speed", "indeed", "exceed", "proceed", "succeed", "embed"];
    folded.len() > 4 && folded.ends_with("ed") && !OTHER.contains(&folded)
}

#[cfg(test)]
mod tests {
    use super::super::super::lexicon::Lexicon;
    use super::*;

    #[test]
    fn habits_and_trifles_are_reduced_deeds_are_not() {
        let lexicon = Lexicon::new();
        let reduced = |text: &str| {
            let document = Document::read(&lexicon, text);
            find(&document, &document.clauses[0], None).reduced
        };
        for text in ["I usually send the plan", "Mostly I sorted parcels", "I just sent the plan"] {
            assert!(reduced(text), "{text}");
        }
        for text in
            ["I sent the plan", "I sent it to just two people", "I wrote what they often use"]
        {
            assert!(!reduced(text), "{text}");
        }
    }
}
