//! Sentences that say again, in other words or another order, what was said before.
//!
//! A listener who has heard the terms and figures of a sentence learns nothing new from it, so it
//! must not count twice. Only content words are compared: grammar and everyday words are shared by
//! all sentences, and a new figure or a new turn for better or worse is always news.

use std::collections::HashSet;

use super::Document;
use crate::insight::lexicon::Bits;

/// With fewer content words than this a sentence shares all of them with others by chance.
const CONTENT_WORDS_MIN: usize = 4;

/// A sentence with more than one new content word in so many brings something new.
const NEW_ONE_IN: usize = 4;

/// Words that carry no content of their own.
const PLAIN: Bits = Bits::FUNCTION.or(Bits::EVERYDAY).or(Bits::FILLER).or(Bits::VAGUE);

/// Words that tell a change; with a new one the sentence is news, however few its words.
const CHANGE: Bits = Bits::UP.or(Bits::DOWN).or(Bits::GAIN).or(Bits::LOSS).or(Bits::ATTAIN);

/// Marks every sentence whose content was said before.
pub(super) fn mark_restated(document: &mut Document) {
    let mut said: HashSet<u32> = HashSet::new();
    for index in 0..document.sentences.len() {
        let range = document.sentences[index].clone();
        let (mut content, mut new, mut news) = (0, 0, false);
        for token in &document.tokens[range.clone()] {
            let figure = token.number || token.bits.any(Bits::NUMBER);
            let change = token.bits.any(CHANGE);
            if !figure && !change && token.bits.any(PLAIN.or(Bits::HEDGE)) {
                continue;
            }
            content += 1;
            let fresh = !said.contains(&token.stem);
            new += usize::from(fresh);
            news |= fresh && (figure || change);
        }
        let restated = content >= CONTENT_WORDS_MIN && !news && new * NEW_ONE_IN <= content;
        for token in &mut document.tokens[range] {
            said.insert(token.stem);
            token.repeated |= restated;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::insight::lexicon::Lexicon;

    fn repeated(text: &str) -> Vec<bool> {
        let document = Document::read(&Lexicon::new(), text);
        document.sentences.iter().map(|range| document.is_repeat(range)).collect()
    }

    #[test]
    fn the_same_content_in_another_order_is_a_repetition() {
        let told = "I moved the invoice archive of the branch into a searchable cellar register.";
        let again = "So the searchable register in the cellar was the branch's invoice archive.";
        assert_eq!(repeated(&format!("{told} {again}")), [false, true]);
    }

    #[test]
    fn a_new_figure_a_new_change_or_new_terms_are_news() {
        let told = "I moved the invoice archive of the branch into a searchable cellar register.";
        for news in [
            "The invoice archive register of the branch holds 900 binders.",
            "With the archive register of the branch invoice errors fell.",
            "The archive register also let the auditors reconcile deliveries.",
        ] {
            assert_eq!(repeated(&format!("{told} {news}")), [false, false], "{news}");
        }
    }
}
