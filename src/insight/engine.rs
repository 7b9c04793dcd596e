//! The engine: one answer in, everything that is said about it out.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::calibration::{Calibration, Mode};
use super::lexicon::{Bits, Lexicon};
use super::signals::{self, Focus, Reading};
use super::{anchors, conflicts, hints};
use crate::domain::analysis::{Analysis, CalibrationId, Signal, Status, TimedWord};
use crate::domain::number::Milli;

/// An answer with what is known about it.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AnswerInput {
    /// What was asked.
    pub question: Option<String>,
    /// What was said or typed.
    pub answer: String,
    /// The role that is interviewed for.
    pub role: Option<String>,
    /// Id of the mode whose weights apply; unknown ones mean the default weights.
    pub mode: Option<String>,
    /// How long the answer took.
    pub duration_s: Option<Milli>,
    /// Spoken words with their times.
    pub words: Option<Vec<TimedWord>>,
    /// The speaker's CV.
    pub cv: Option<String>,
    /// The speaker's earlier answers, oldest first.
    pub earlier: Option<Vec<String>>,
    /// The job description.
    pub job_description: Option<String>,
}

/// Word lists and weights, ready for use; cheap to share, never changed.
#[derive(Debug)]
pub struct Engine {
    lexicon: Lexicon,
    calibration: Calibration,
}

/// Fewer words than this carry no answer that could be compared.
const WORDS_MIN: usize = 25;

/// Fewer different words than this are a chant, not an answer.
const DISTINCT_MIN: usize = 15;

/// At least this many of a hundred words must be known: in plain English about two of three are
/// in the word lists, in technical speech about half, in keyboard noise next to none.
const KNOWN_PERCENT_MIN: usize = 40;

/// The calibration that is part of the binary.
const BUILT_IN: &str = include_str!("../../assets/calibration/core-1.toml");

impl Engine {
    /// The engine with the calibration that is part of the binary.
    pub fn built_in() -> Engine {
        let calibration = Calibration::parse(BUILT_IN);
        Engine::new(calibration.expect("invariant: the built-in calibration is valid"))
    }

    /// An engine with these weights.
    pub fn new(calibration: Calibration) -> Engine {
        Engine {
            lexicon: Lexicon::new(),
            calibration,
        }
    }

    /// Which weights this engine uses.
    pub fn calibration(&self) -> &CalibrationId {
        self.calibration.id()
    }

    /// The modes that the calibration offers.
    pub fn modes(&self) -> &[Mode] {
        self.calibration.modes()
    }

    /// Everything there is to say about one answer.
    pub fn analyse(&self, input: &AnswerInput) -> Analysis {
        let reading = Reading::new(&self.lexicon, &input.answer);
        let focus = Focus::new(&self.lexicon, input.question.as_deref());
        let mut signals = signals::measure(&reading, &focus, input);
        for (name, signal) in &mut signals {
            anchors::describe(name, signal);
        }
        let because = insufficient_because(&reading, &input.answer);
        let weights = self.calibration.weights(input.mode.as_deref());
        let value = |name: &str| signals.get(name).and_then(|signal| signal.value);
        let (baseline, drivers) = self.calibration.drivers(weights, value);
        let score: Milli = baseline + drivers.iter().map(|driver| driver.points).sum();
        let scored = because.is_none();
        let answered = signals::judge(&reading, &focus);
        let sentences = signals::label_sentences(&reading);
        let conflicts = conflicts::find(&self.lexicon, &reading, input);
        let hints = hints::give(&reading, &signals, &sentences, &answered, scored);
        Analysis {
            status: if scored {
                Status::Scored
            } else {
                Status::Insufficient
            },
            score: scored.then_some(score),
            baseline,
            calibration: self.calibration.id().clone(),
            signals,
            sentences,
            drivers: if scored { drivers } else { Vec::new() },
            answered,
            conflicts,
            hints,
            insufficient_because: because,
        }
    }

    /// The signals' values alone, for a text that is still being typed.
    pub fn meters(&self, input: &AnswerInput) -> BTreeMap<String, Option<Milli>> {
        let reading = Reading::new(&self.lexicon, &input.answer);
        let focus = Focus::new(&self.lexicon, input.question.as_deref());
        let signals: BTreeMap<String, Signal> = signals::measure(&reading, &focus, input);
        signals
            .into_iter()
            .map(|(name, signal)| (name, signal.value))
            .collect()
    }
}

/// Why no score can be given, or nothing.
fn insufficient_because(reading: &Reading, text: &str) -> Option<String> {
    let tokens = &reading.document.tokens;
    let fresh: Vec<_> = tokens.iter().filter(|token| !token.repeated).collect();
    if fresh.len() < WORDS_MIN {
        let counted = if tokens.len() > fresh.len() {
            " different"
        } else {
            ""
        };
        return Some(format!(
            "The answer has {}{counted} words; {WORDS_MIN} are needed to say anything about it.",
            fresh.len()
        ));
    }
    let broken = text.chars().filter(|c| *c == '\u{fffd}').count();
    if broken * 20 > tokens.len() {
        return Some("The text is damaged: many characters could not be read.".to_owned());
    }
    let spoken = fresh.iter().filter(|token| !token.bits.any(Bits::FILLER));
    let mut stems: Vec<u32> = spoken.map(|token| token.stem).collect();
    stems.sort_unstable();
    stems.dedup();
    if stems.len() < DISTINCT_MIN {
        return Some(format!(
            "The answer uses {} different words; {DISTINCT_MIN} are needed.",
            stems.len()
        ));
    }
    let known = fresh
        .iter()
        .filter(|token| token.bits != Bits::default() || token.number)
        .count();
    if known * 100 < fresh.len() * KNOWN_PERCENT_MIN {
        return Some("The text cannot be read as English sentences.".to_owned());
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    const STORY: &str = "Last spring our returns desk was overloaded and two parcels in ten went \
        missing. My task was to cut the backlog before the summer. I mapped every step, removed \
        the second scan and taught the new order to nine colleagues. As a result missing parcels \
        fell from 20 percent to 4 percent within six weeks.";

    fn analyse(answer: &str) -> Analysis {
        let question = Some("Tell me about a time you improved a process.".to_owned());
        let input = AnswerInput {
            question,
            answer: answer.to_owned(),
            ..AnswerInput::default()
        };
        Engine::built_in().analyse(&input)
    }

    #[test]
    fn drivers_and_baseline_make_the_score() {
        let analysis = analyse(STORY);
        let points: Milli = analysis.drivers.iter().map(|driver| driver.points).sum();
        assert_eq!(analysis.score, Some(analysis.baseline + points));
        assert!(
            analysis.score > Some(analysis.baseline),
            "{:?}",
            analysis.drivers
        );
    }

    #[test]
    fn saying_it_three_times_gains_nothing() {
        let once = analyse(STORY).score.expect("scored");
        let thrice = analyse(&[STORY; 3].join(" ")).score.expect("scored");
        assert!(thrice - once <= Milli::whole(1), "{once:?} {thrice:?}");
    }

    #[test]
    fn a_stated_result_never_lowers_structure_or_evidence() {
        let result = "As a result complaints fell by 30 percent within two months.";
        for answer in [
            STORY,
            "I fixed it.",
            "",
            "We had no plan. I wrote one because we had to.",
        ] {
            let before = analyse(answer);
            for after in [format!("{answer} {result}"), format!("{result} {answer}")] {
                let after = analyse(&after);
                for name in ["structure", "quantified_evidence"] {
                    let value = |a: &Analysis| a.signals[name].value;
                    assert!(value(&after) >= value(&before), "{name}: {answer}");
                }
            }
        }
    }

    #[test]
    fn noise_gets_no_score_but_all_signals() {
        for noise in [
            "",
            "\u{0}",
            "word ".repeat(60).as_str(),
            "blorp fnitz ".repeat(30).as_str(),
        ] {
            let analysis = analyse(noise);
            assert_eq!(analysis.score, None, "{noise:?}");
            assert!(analysis.insufficient_because.is_some() && analysis.drivers.is_empty());
            for name in crate::domain::analysis::SIGNAL_NAMES {
                assert!(analysis.signals.contains_key(name), "{name}");
            }
        }
    }

    #[test]
    fn every_span_lies_in_the_answer() {
        let text = format!("😀 {STORY} Um, café “naïve” — 我们 tested it, you know, for 3 weeks.");
        let length = text.chars().count() as u32;
        let analysis = analyse(&text);
        let spans = analysis
            .signals
            .values()
            .flat_map(|signal| &signal.evidence);
        for (from, to) in spans.map(|e| (e.from, e.to)).chain(
            analysis
                .sentences
                .iter()
                .map(|sentence| (sentence.from, sentence.to)),
        ) {
            assert!(from < to && to <= length, "{from}..{to} of {length}");
        }
    }
}
