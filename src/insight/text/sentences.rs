//! Where sentences and clauses begin and end.

use std::ops::Range;

use super::super::lexicon::Bits;
use super::{Document, Mark};

/// A sentence longer than this was probably spoken without marks and is cut at discourse words.
const SENTENCE_WORDS_MAX: usize = 45;

/// No sentence is longer than this, whatever it holds: rules look at a sentence's words more than
/// once, and their work must stay proportional to the text.
const SENTENCE_WORDS_LIMIT: usize = 200;

/// No piece of a cut sentence is shorter than this.
const PIECE_WORDS_MIN: usize = 8;

const SUBJECT: Bits = Bits::I.or(Bits::WE).or(Bits::PRONOUN).or(Bits::DETERMINER);
const VERB: Bits =
    Bits::ACTION.or(Bits::UP).or(Bits::DOWN).or(Bits::GAIN).or(Bits::LOSS).or(Bits::HELP);
const AUXILIARY: Bits = Bits::BE.or(Bits::HAVE).or(Bits::DO).or(Bits::MODAL);

/// Cuts the tokens into sentences.
pub(super) fn split(document: &Document) -> Vec<Range<usize>> {
    let mut sentences = Vec::new();
    let mut start = 0;
    for (at, token) in document.tokens.iter().enumerate() {
        let next = document.tokens.get(at + 1);
        // Where the speaker starts to repeat earlier words, a new sentence begins, whatever the
        // marks.
        let turns = next.is_none_or(|next| next.repeated != token.repeated);
        if token.after >= Mark::Stop || turns {
            push_sentence(document, start..at + 1, &mut sentences);
            start = at + 1;
        }
    }
    sentences
}

/// Cuts the sentences into clauses, each with a verb of its own where the sentence has one.
pub(super) fn clauses(document: &Document) -> Vec<Range<usize>> {
    let mut clauses: Vec<Range<usize>> = Vec::new();
    for sentence in &document.sentences {
        let mut start = sentence.start;
        for at in sentence.clone() {
            if at + 1 == sentence.end || ends_clause(document, at) {
                let piece = start..at + 1;
                start = at + 1;
                match clauses.last_mut() {
                    Some(last)
                        if last.start >= sentence.start
                            && (!has_verb(document, &piece) || !has_verb(document, last)) =>
                    {
                        last.end = piece.end;
                    }
                    _ => clauses.push(piece),
                }
            }
        }
    }
    clauses
}

fn ends_clause(document: &Document, at: usize) -> bool {
    let token = &document.tokens[at];
    if token.after >= Mark::Comma {
        return true;
    }
    let next = document.bits_at(at + 1);
    let after = document.bits_at(at + 2);
    let word = document.fold_at(at + 1);
    match word {
        "and" | "but" | "so" | "while" | "whereas" | "because" => after.any(SUBJECT),
        "which" | "resulting" | "leading" => true,
        _ => next.any(Bits::CONJUNCTION) && after.any(Bits::I.or(Bits::WE)),
    }
}

fn has_verb(document: &Document, range: &Range<usize>) -> bool {
    document.tokens[range.clone()].iter().any(|token| {
        let listed = token.bits.any(VERB.or(AUXILIARY)) || token.bits.any(Bits::PAST);
        listed || document.fold(token).ends_with("ed")
    })
}

fn push_sentence(document: &Document, whole: Range<usize>, sentences: &mut Vec<Range<usize>>) {
    let mut start = whole.start;
    if whole.len() > SENTENCE_WORDS_MAX {
        for at in whole.clone() {
            let long_enough = at - start >= PIECE_WORDS_MIN && whole.end - at >= PIECE_WORDS_MIN;
            let full = at - start == SENTENCE_WORDS_LIMIT;
            if full || (long_enough && starts_afresh(document, at)) {
                sentences.push(start..at);
                start = at;
            }
        }
    }
    sentences.push(start..whole.end);
}

/// Whether a spoken sentence may begin at this token.
fn starts_afresh(document: &Document, at: usize) -> bool {
    let next = document.bits_at(at + 1);
    match document.fold_at(at) {
        "and" | "but" | "so" | "then" => {
            next.any(Bits::I.or(Bits::WE).or(Bits::PRONOUN)) || document.fold_at(at + 1) == "then"
        }
        "okay" | "anyway" | "finally" | "eventually" => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::lexicon::Lexicon;
    use super::*;

    fn cut(text: &str) -> Vec<String> {
        let document = Document::read(&Lexicon::new(), text);
        let points: Vec<char> = text.chars().collect();
        let piece = |range: &Range<usize>| {
            let (from, to) = document.span(range.clone());
            points[from as usize..to as usize].iter().collect()
        };
        document.sentences.iter().map(piece).collect()
    }

    #[test]
    fn titles_decimals_and_names_with_points_do_not_end_a_sentence() {
        assert_eq!(
            cut("Dr. Lin used Node.js for 2.5 years. It paid off"),
            ["Dr. Lin used Node.js for 2.5 years", "It paid off"]
        );
    }

    #[test]
    fn speech_without_marks_is_cut_at_discourse_words() {
        let spoken = "the portal was slow for everybody in the branch every morning ".repeat(2)
            + "so i traced the calls to one report that ran at nine and then i moved it to the "
            + "night and then we told the branches about it and the calls went away";
        assert!(cut(&spoken).len() >= 3, "{:?}", cut(&spoken));
    }
}
