//! Ownership: in the clauses about actions, who acts?
//!
//! The speaker's own actions against actions given to somebody else, told in the passive, negated
//! or reduced to a part. "We" counts on neither side: it may be modesty or fact, and yields a
//! probe.

use super::{Reading, signal};
use crate::domain::analysis::{Evidence, Signal};
use crate::domain::number::Milli;
use crate::insight::lexicon::{Bits, Cue};
use crate::insight::story::{Clause, Subject};

/// A full own action, in halves.
const OWN: i64 = 2;

/// An imagined or partial action, in halves.
const PARTIAL: i64 = 1;

/// What is assumed before anything is said: as much as two actions, at the middle. A single clause
/// then cannot carry the value to an end of the scale.
const PRIOR: i64 = 4;
const PRIOR_VALUE: i64 = 50;

/// What a clause says about who acted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Own(i64),
    Reduced,
    Group,
    Against(&'static str),
    Nothing,
}

pub(super) fn measure(reading: &Reading) -> Signal {
    let (mut own, mut against) = (0, 0);
    let mut evidence: Vec<Evidence> = Vec::new();
    for clause in reading.story.iter().filter(|c| !c.repeated && !c.praise && !c.aside) {
        let rule = match part(reading, clause) {
            Part::Own(weight) => {
                own += weight;
                if weight == OWN { "ownership.first_person_action" } else { "ownership.partial" }
            }
            Part::Reduced => {
                own += PARTIAL;
                against += OWN - PARTIAL;
                "ownership.reduced"
            }
            Part::Group => "ownership.group_action",
            Part::Against(rule) => {
                against += OWN;
                rule
            }
            Part::Nothing => continue,
        };
        evidence.push(reading.evidence(words_of(clause), rule));
    }
    let value = (own * 100 + PRIOR * PRIOR_VALUE) * 1000 / (own + against + PRIOR);
    signal(Milli(value), evidence)
}

fn part(reading: &Reading, clause: &Clause) -> Part {
    let verb = &clause.verb;
    let work =
        verb.content.any(Bits::ACTION.or(Bits::DOWN).or(Bits::UP).or(Bits::GAIN).or(Bits::ATTAIN))
            && verb.at < clause.range.end;
    if reading.document.has(&clause.range, Cue::Retraction) {
        return Part::Against("ownership.limited");
    }
    if reading.document.has(&clause.range, Cue::Attribution) {
        return Part::Against("ownership.given_to_others");
    }
    match verb.subject {
        Subject::I if verb.content.any(Bits::HELP) => Part::Own(PARTIAL),
        Subject::I if work && verb.negated => Part::Against("ownership.negated_action"),
        Subject::I if work && verb.passive => Part::Nothing,
        Subject::I if work && verb.conditional => Part::Own(PARTIAL),
        Subject::I if work && verb.reduced => Part::Reduced,
        Subject::I if work => Part::Own(OWN),
        Subject::We if work => Part::Group,
        Subject::Other if verb.passive && verb.content.any(Bits::ACTION) && verb.past => {
            Part::Against("ownership.passive_action")
        }
        _ => Part::Nothing,
    }
}

/// From the subject to the verb, so that the quote shows who did what.
fn words_of(clause: &Clause) -> std::ops::Range<usize> {
    clause.range.start..(clause.verb.content_at + 1).clamp(clause.range.start + 1, clause.range.end)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::insight::lexicon::Lexicon;

    fn value(text: &str) -> i64 {
        measure(&Reading::new(&Lexicon::new(), text)).value.expect("always given").0 / 1000
    }

    #[test]
    fn we_is_never_penalised_and_own_actions_raise() {
        assert_eq!(value("We rewrote the rota. We trained the ward."), PRIOR_VALUE);
        assert!(value("I rewrote the rota. We trained the ward.") > PRIOR_VALUE);
        assert!(value("I did not write the rota. It was set by the ward.") < PRIOR_VALUE);
        assert!(value("The rota was rewritten.") < PRIOR_VALUE);
        assert_eq!(value("I usually wrote the rota."), PRIOR_VALUE);
    }
}
