//! Which part each clause plays in a told story: situation, task, action, result or reflection.
//!
//! Rules on words, subject and verb form; a clause is read by itself, so that adding a sentence
//! never changes what another one counts for. Only the sentence labels also look at what came
//! before.

mod score;
mod verb;

use std::ops::Range;

use super::lexicon::{Bits, Cue};
use super::text::{Document, Mark};
pub(super) use verb::{Subject, Verb};

use crate::domain::analysis::Star;

/// How a clause scores for each part of a story.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Parts {
    /// Where and when.
    pub(super) situation: i32,
    /// What had to be done.
    pub(super) task: i32,
    /// What was done.
    pub(super) action: i32,
    /// What came of it.
    pub(super) result: i32,
    /// What was learned.
    pub(super) reflection: i32,
}

/// A clause with what the rules found in it.
#[derive(Clone, Debug)]
pub(super) struct Clause {
    /// Its tokens.
    pub(super) range: Range<usize>,
    /// The sentence it lies in.
    pub(super) sentence: usize,
    /// Its scores.
    pub(super) parts: Parts,
    /// Its subject and verb.
    pub(super) verb: Verb,
    /// Said before in the same words.
    pub(super) repeated: bool,
    /// Praises the speaker without evidence.
    pub(super) praise: bool,
    /// Belongs to what takes something back or gives it to others, and so adds nothing of its own.
    pub(super) explains: bool,
    /// Tells of private life beside the answer; found by [`super::asides`].
    pub(super) aside: bool,
}

/// A part counts from this score on; weaker traces are no more than a leaning.
const CLEAR: i32 = 3;

impl Parts {
    /// The strongest part, if it reaches a score; a later part of the story wins a tie.
    pub(super) fn strongest(self, at_least: i32) -> Star {
        let order = [
            (self.situation, Star::Situation),
            (self.task, Star::Task),
            (self.action, Star::Action),
            (self.result, Star::Result),
            (self.reflection, Star::Reflection),
        ];
        let best = order.iter().max_by_key(|(score, _)| *score);
        best.filter(|(score, _)| *score >= at_least).map_or(Star::Other, |(_, star)| *star)
    }
}

impl Clause {
    /// The part it counts for in the structure of the answer.
    pub(super) fn counts_as(&self) -> Star {
        if self.repeated || self.explains || self.aside {
            Star::Other
        } else {
            self.parts.strongest(CLEAR)
        }
    }
}

/// Classifies every clause.
pub(super) fn read(document: &Document) -> Vec<Clause> {
    let mut story: Vec<Clause> = Vec::with_capacity(document.clauses.len());
    let mut sentence = 0;
    let limited = limited(document);
    // Before anything was done there is nothing to take back: "we rarely ran it" is a setting then.
    let mut acted = false;
    for range in &document.clauses {
        while document.sentences[sentence].end <= range.start {
            sentence += 1;
        }
        let inherited = story.last().filter(|last| last.sentence == sentence).map(|last| last.verb);
        let verb = verb::find(document, range, inherited);
        let praise = is_praise(document, range, &verb);
        let parts = if praise { Parts::default() } else { score::score(document, range, &verb) };
        let repeated = document.is_repeat(range);
        let explains = acted && limited[sentence];
        acted |= parts.strongest(CLEAR) == Star::Action;
        story.push(Clause {
            range: range.clone(),
            sentence,
            parts,
            verb,
            repeated,
            praise,
            explains,
            aside: false,
        });
    }
    story
}

/// The sentences that take back or give away what was told of the speaker, and those that go on
/// from one of them in the same line.
fn limited(document: &Document) -> Vec<bool> {
    let mut limited = vec![false; document.sentences.len()];
    let limits = |cue: Cue| matches!(cue, Cue::Retraction | Cue::Attribution);
    for hit in document.hits.iter().filter(|hit| limits(hit.cue)) {
        let at = document.sentences.partition_point(|range| range.end <= hit.first as usize);
        let tokens = &document.tokens[document.sentences[at].clone()];
        let own = Bits::I.or(Bits::SELF).or(Bits::WE);
        if !tokens.iter().any(|token| token.bits.any(own)) {
            continue;
        }
        limited[at] = true;
        let goes_on = tokens.last().is_some_and(|token| token.after < Mark::Line);
        if let Some(next) = limited.get_mut(at + 1).filter(|_| goes_on) {
            *next = true;
        }
    }
    limited
}

fn is_praise(document: &Document, range: &Range<usize>, verb: &Verb) -> bool {
    let tokens = &document.tokens[range.clone()];
    if tokens.iter().any(|token| token.number) {
        return false;
    }
    let about_self = tokens.iter().any(|token| token.bits.any(Bits::I.or(Bits::SELF)));
    let praised = tokens.iter().any(|token| token.bits.any(Bits::PRAISE));
    document.has(range, Cue::Praise) || (about_self && praised && !verb.does_work())
}

#[cfg(test)]
mod tests {
    use super::super::lexicon::Lexicon;
    use super::*;

    #[test]
    fn what_goes_on_from_a_limit_adds_nothing_after_an_action() {
        let lexicon = Lexicon::new();
        let counted = |text: &str| {
            let story = read(&Document::read(&lexicon, text));
            story.last().expect("a clause").counts_as()
        };
        let act = "I rewrote the importer.";
        let limit = "We had an existing framework for that.";
        assert_eq!(counted(&format!("{limit} {act}")), Star::Action);
        assert_eq!(
            counted(&format!("{act} {limit} {act} I trained the branch managers.")),
            Star::Action
        );
        assert_eq!(counted(&format!("{act} {limit} I trained the branch managers.")), Star::Other);
        assert_eq!(
            counted(&format!("{act} {limit}\nI trained the branch managers.")),
            Star::Action
        );
    }

    #[test]
    fn clauses_are_told_apart_by_subject_verb_and_direction() {
        let lexicon = Lexicon::new();
        for (text, expected) in [
            ("I rewrote the importer", Star::Action),
            ("We interviewed twelve branch managers", Star::Action),
            ("Complaints fell by a third", Star::Result),
            ("Complaints rose every week", Star::Situation),
            ("As a result lost parcels fell by half", Star::Result),
            ("As a result complaints rose at first", Star::Result),
            ("Revenue dropped every week", Star::Situation),
            ("My task was to move the archive", Star::Task),
            ("I learned that pilots need an owner", Star::Reflection),
            ("The warehouse was overloaded", Star::Situation),
            ("I am a passionate and talented person", Star::Other),
            ("I love my canary", Star::Other),
        ] {
            let document = Document::read(&lexicon, text);
            let story = read(&document);
            assert_eq!(story[0].parts.strongest(CLEAR), expected, "{text} {story:?}");
        }
    }
}
