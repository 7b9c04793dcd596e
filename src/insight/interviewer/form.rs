//! How a question is put: open, closed, or with the expected answer inside.

use std::ops::Range;

use serde::Serialize;

use crate::insight::lexicon::Bits;
use crate::insight::text::{Document, Mark};

/// How a question is put.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Form {
    /// It leaves the answer to the candidate.
    Open,
    /// Yes, no or one word answers it.
    Closed,
    /// It names the answer that is expected.
    Leading,
}

impl Form {
    /// The rule that is quoted with a question of this form.
    pub(super) fn rule(self) -> &'static str {
        match self {
            Form::Open => "interviewer.open_question",
            Form::Closed => "interviewer.closed_question",
            Form::Leading => "interviewer.leading_question",
        }
    }
}

/// Requests that ask without a question mark.
const REQUESTS: &str = "tell me|walk me|talk me|describe|explain|give me an example|\
    give us an example|tell us|walk us|talk us|show me how|show us how|share an example";

/// Words at the end that ask for a yes.
const TAGS: &str = "right|correct|isn't it|aren't you|don't you|doesn't it|wouldn't you|\
    won't you|didn't you|haven't you|can't you|agree|isn't that so|wasn't it";

/// Openings that name the expected answer.
const EXPECTING: &str = "don't you think|wouldn't you agree|wouldn't you say|surely you|\
    so you would|so you'd|isn't it true|you would agree|you do agree|obviously you|\
    i assume you|i take it you|you must have|you must be";

/// Questions that begin so ask for one word or figure.
const SHORT: &str = "how many|how old|how long|how much|how often|how far|which year|what year|\
    when did|when do|when can|when will|where do|where did|where are|who is|who was|what time|\
    what date";

/// The form of a sentence, if it is a question.
pub(super) fn of(document: &Document, sentence: &Range<usize>) -> Option<Form> {
    let asked = document.tokens[sentence.end - 1].after == Mark::Question;
    let first = lead(document, sentence);
    let opens = |list: &str| list.split('|').any(|phrase| matches_at(document, first, phrase));
    if opens(REQUESTS) {
        return Some(Form::Open);
    }
    if asked && (opens(EXPECTING) || ends_with_tag(document, sentence)) {
        return Some(Form::Leading);
    }
    let word = document.fold_at(first);
    let open = matches!(word, "what" | "how" | "why" | "which" | "what's" | "how's");
    if open && !opens(SHORT) {
        // "What we build here is …" is a statement unless it ends as a question.
        return asked.then_some(Form::Open);
    }
    // "Could you describe …" is put as yes or no and asks for a story.
    let request = (first + 1..(first + 5).min(sentence.end))
        .any(|at| REQUESTS.split('|').any(|phrase| matches_at(document, at, phrase)));
    let auxiliary = document.bits_at(first).any(Bits::MODAL.or(Bits::DO).or(Bits::BE));
    if asked && auxiliary && request {
        return Some(Form::Open);
    }
    let inside = (first..sentence.end).any(|at| {
        matches!(document.fold_at(at), "what" | "how" | "why")
            && document.tokens[at.saturating_sub(1)].after >= Mark::Comma
    });
    asked.then_some(if inside { Form::Open } else { Form::Closed })
}

/// The first word after "so", "and", "okay", "now".
fn lead(document: &Document, sentence: &Range<usize>) -> usize {
    const IDLE: &str = "so and okay ok now well then but alright great thanks please right um uh";
    let idle = |at: &usize| IDLE.split(' ').any(|word| word == document.fold_at(*at));
    sentence.clone().find(|at| !idle(at)).unwrap_or(sentence.start)
}

fn ends_with_tag(document: &Document, sentence: &Range<usize>) -> bool {
    TAGS.split('|').any(|tag| {
        let start = sentence.end.saturating_sub(tag.split(' ').count());
        let set_off = start > sentence.start && document.tokens[start - 1].after >= Mark::Comma;
        set_off && matches_at(document, start, tag)
    })
}

/// Whether these words stand at this place.
pub(super) fn matches_at(document: &Document, at: usize, phrase: &str) -> bool {
    phrase.split_whitespace().zip(at..).all(|(word, place)| document.fold_at(place) == word)
}
