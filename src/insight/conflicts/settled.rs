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

/// Words of what both sides speak of that a later sentence must hold to be about the conflict, if
/// there are so many.
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
    // What both sides speak of: a sentence with two statements must not settle the other one.
    let topic: Vec<u32> = a.stems.iter().copied().filter(|stem| b.stems.contains(stem)).collect();
    let mut state = ConflictState::Open;
    if topic.is_empty() {
        return state;
    }
    for told in later {
        let document = Document::read(lexicon, told.text);
        let amounts = amounts(&document);
        for sentence in document.sentences.iter().take(SENTENCES_MAX) {
            let stems: Vec<u32> = sentence
                .clone()
                .filter(|&at| !document.bits_at(at).any(Bits::FUNCTION.or(Bits::NUMBER)))
                .map(|at| document.tokens[at].stem)
                .collect();
            let shared = topic.iter().filter(|stem| stems.contains(stem)).count();
            if shared < SHARED_MIN.min(topic.len()) {
                continue;
            }
            let has = |list: &str| {
                let mut words = sentence.clone().map(|at| document.fold_at(at));
                words.any(|word| list.split_whitespace().any(|one| one == word))
            };
            // "The label was wrong" takes nothing back; "I was wrong about the team" does.
            let own = sentence.clone().any(|at| document.bits_at(at).any(Bits::I));
            if document.has(sentence, Cue::Correction) || own && has(WITHDRAWN) {
                return ConflictState::Resolved;
            }
            let numbers: Vec<i64> = amounts
                .iter()
                .filter(|amount| sentence.contains(&amount.range.start))
                .map(|amount| amount.value)
                .collect();
            let says = |side: &Side| side.values.iter().any(|value| numbers.contains(value));
            // Of two numbers both must be said again: a reason alone explains none of them.
            let explained = match a.values.is_empty() || b.values.is_empty() {
                false => says(&a) && says(&b),
                true => has(REASONS),
            };
            if explained {
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

#[cfg(test)]
mod tests {
    use crate::domain::analysis::ConflictState::{self, Explained, Open, Resolved};
    use crate::insight::Engine;

    fn state(cv: &str, answer: &str, later: &str) -> ConflictState {
        let entries = Engine::built_in().ledger(Some(cv), &[answer, later]);
        let first = entries.into_iter().find(|entry| entry.answer == 0);
        first.unwrap_or_else(|| panic!("no conflict: {cv} / {answer}")).conflict.state
    }

    #[test]
    fn a_conflict_is_open_until_it_is_spoken_of() {
        let (cv, answer) = ("Led a team of five nurses.", "I led a team of twelve nurses.");
        for (later, expected) in [
            ("The canteen was closed.", Open),
            ("The nurses of my team liked it because it was quiet.", Open),
            ("One label on the team's nurses board was wrong.", Open),
            ("My team had five nurses first and twelve nurses after the merger.", Explained),
            ("I was wrong about the team, the nurses were not so many.", Resolved),
            ("Sorry, I misspoke: the team of nurses had five people.", Resolved),
        ] {
            assert_eq!(state(cv, answer, later), expected, "{later}");
        }
    }

    #[test]
    fn taking_one_statement_back_does_not_settle_the_other_in_its_sentence() {
        let cv = "Nurse, St Mary Hospital, 2015 – 2021\nLed a team of five nurses.";
        let answer = "I led a team of twelve nurses and I left St Mary in 2017.";
        let later = "I misspoke about the team: it had five nurses.";
        let entries = Engine::built_in().ledger(Some(cv), &[answer, later]);
        let told: Vec<(&str, ConflictState)> = entries
            .iter()
            .filter(|entry| entry.answer == 0)
            .map(|entry| (entry.conflict.rule.as_str(), entry.conflict.state))
            .collect();
        assert_eq!(told, [("number.team_size", Resolved), ("date.end", Open)]);
    }

    #[test]
    fn without_numbers_both_sides_must_be_spoken_of() {
        let (cv, answer) =
            ("I managed the Leeds warehouse.", "I never managed the Leeds warehouse.");
        let later = "I managed the Leeds warehouse only for a month, because others counted.";
        assert_eq!(state(cv, answer, later), Explained);
        assert_eq!(state(cv, answer, "Leeds is cold because of the wind."), Open);
    }
}
