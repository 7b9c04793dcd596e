//! What became of a conflict: open, explained by a later word on it, or resolved by taking one side
//! back.

use super::super::lexicon::{Bits, Cue, Lexicon};
use super::super::signals::amounts;
use super::super::text::Document;
use crate::domain::analysis::{Conflict, ConflictState};

/// Something that the speaker said after the conflict came up.
#[derive(Clone, Copy, Debug)]
pub struct Told<'a> {
    /// Its words.
    pub text: &'a str,
}

/// Words of somebody who takes a statement back.
const WITHDRAWN: &str = "misspoke misremembered mistaken mistake wrong correct correction outdated";

/// Words of somebody who says how both can be.
const REASONS: &str = "because including included counting counted grew shrank became later before \
    after first then both part total together started ended meanwhile contractors freelance";

/// Content words that a later sentence must share with one side to be about the conflict.
const SHARED_MIN: usize = 2;

/// Later sentences that are looked at.
const SENTENCES_MAX: usize = 400;

/// What became of a conflict, from everything that was said afterwards, oldest first.
pub(in crate::insight) fn settle(
    lexicon: &Lexicon,
    conflict: &Conflict,
    later: &[Told<'_>],
) -> ConflictState {
    let (a, b) = (sides(lexicon, &conflict.a.text), sides(lexicon, &conflict.b.text));
    let mut state = ConflictState::Open;
    for told in later {
        let document = Document::read(lexicon, told.text);
        for sentence in document.sentences.iter().take(SENTENCES_MAX) {
            let stems: Vec<u32> = sentence
                .clone()
                .filter(|&at| !document.bits_at(at).any(Bits::FUNCTION.or(Bits::NUMBER)))
                .map(|at| document.tokens[at].stem)
                .collect();
            let shared = |side: &Side| side.stems.iter().filter(|s| stems.contains(s)).count();
            let about = shared(&a).max(shared(&b)) >= SHARED_MIN;
            if !about {
                continue;
            }
            let has = |list: &str| {
                let mut words = sentence.clone().map(|at| document.fold_at(at));
                words.any(|word| list.split_whitespace().any(|one| one == word))
            };
            if document.has(sentence, Cue::Correction) || has(WITHDRAWN) {
                return ConflictState::Resolved;
            }
            let numbers: Vec<i64> = amounts(&document)
                .iter()
                .filter(|amount| sentence.contains(&amount.range.start))
                .map(|amount| amount.value)
                .collect();
            let says = |side: &Side| side.values.iter().any(|value| numbers.contains(value));
            let both = !a.values.is_empty() && says(&a) && says(&b);
            if both || has(REASONS) {
                state = ConflictState::Explained;
            }
        }
    }
    state
}

/// One side of a conflict in its words and numbers.
struct Side {
    stems: Vec<u32>,
    values: Vec<i64>,
}

fn sides(lexicon: &Lexicon, text: &str) -> Side {
    let document = Document::read(lexicon, text);
    let dull = Bits::FUNCTION.or(Bits::NUMBER).or(Bits::FILLER);
    let content = document.tokens.iter().filter(|token| !token.bits.any(dull) && !token.number);
    Side {
        stems: content.map(|token| token.stem).collect(),
        values: amounts(&document).iter().map(|amount| amount.value).collect(),
    }
}
