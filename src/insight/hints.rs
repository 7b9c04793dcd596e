//! Hints: what would make this answer stronger, tied to its words where that is possible.
//!
//! A hint asks for evidence; it never says that something is untrue, and never judges the person.

use std::collections::BTreeMap;

use super::signals::Reading;
use super::story::Subject;
use crate::domain::analysis::{Answered, AnsweredLabel, Evidence, Hint, Sentence, Signal, Star};
use crate::domain::number::Milli;

/// More advice than this at once is not followed.
const HINTS_MAX: usize = 5;

/// Fewer words than this leave no room for a story.
const STORY_WORDS_MIN: Milli = Milli::whole(60);

/// Below this the own part is unclear; it is the third anchor of ownership.
const OWN_PART: Milli = Milli::whole(58);

/// Below this no change has been measured against anything.
const MEASURED: Milli = Milli::whole(3);

/// What helps against a weakness of wording, by its code.
const CORRECTIONS: [(&str, &str, &str); 7] = [
    ("unclear_part", "ownership.limited", "Say exactly what your part was, and whose the rest."),
    ("self_praise", "wording.praise", "Show it by something that happened instead of naming it."),
    ("hedged", "wording.hedged", "Say what you know for sure, and leave the softening words out."),
    ("long", "wording.long", "Cut this sentence in two: one for what you did, one for why."),
    ("repeated", "wording.repeated", "This was said before; leave it out, or add what is new."),
    ("aside", "wording.aside", "Say what this has to do with the question, or leave it out."),
    ("filler", "wording.filler", "Pause here instead of filling the pause."),
];

/// Code points that a hint is about.
type Place = Option<(u32, u32)>;

/// What hints are made from.
struct View<'a> {
    reading: &'a Reading,
    signals: &'a BTreeMap<String, Signal>,
    sentences: &'a [Sentence],
    answered: &'a Answered,
}

/// The most useful hints first.
pub(super) fn give(
    reading: &Reading,
    signals: &BTreeMap<String, Signal>,
    sentences: &[Sentence],
    answered: &Answered,
    scored: bool,
) -> Vec<Hint> {
    let view = View { reading, signals, sentences, answered };
    let mut hints: Vec<Hint> = view.on_the_whole().into_iter().collect();
    if scored {
        hints.extend(view.on_the_story());
        hints.extend(view.on_the_figures());
        hints.extend(view.on_the_wording());
    }
    hints.truncate(HINTS_MAX);
    hints
}

impl View<'_> {
    fn value(&self, name: &str) -> Milli {
        self.signals.get(name).and_then(|signal| signal.value).unwrap_or_default()
    }

    fn has(&self, star: Star) -> bool {
        self.reading.story.iter().any(|clause| clause.counts_as() == star)
    }

    /// The first sentence with this weakness.
    fn weak(&self, code: &str) -> Place {
        let is_weak = |sentence: &&Sentence| sentence.weak.iter().any(|weak| weak == code);
        self.sentences.iter().find(is_weak).map(|sentence| (sentence.from, sentence.to))
    }

    /// The first words that a rule points at.
    fn quoted(&self, name: &str, rule: &str) -> Place {
        let is = |evidence: &&Evidence| evidence.rule == rule;
        let evidence = self.signals.get(name)?.evidence.iter().find(is)?;
        Some((evidence.from, evidence.to))
    }

    fn on_the_whole(&self) -> Option<Hint> {
        if self.reading.document.tokens.is_empty() {
            return None;
        }
        if self.answered.label == Some(AnsweredLabel::Declined) {
            let text = "Give the closest example you do have, and say how it differs.";
            return Some(hint("answered.declined", text, None));
        }
        let text = "Say more: the setting, what you did, and what came of it.";
        (self.value("length_words") < STORY_WORDS_MIN).then(|| hint("length.short", text, None))
    }

    fn on_the_story(&self) -> Vec<Hint> {
        let mut hints = Vec::new();
        if !self.has(Star::Action) {
            hints.push(hint("structure.action", "Say what you did, step by step.", None));
        } else if !self.has(Star::Result) {
            hints.push(hint("structure.result", "Say what came of it, and how you know.", None));
        }
        let group = self.quoted("ownership", "ownership.group_action");
        if group.is_some() && self.value("ownership") < OWN_PART {
            let own = self.reading.story.iter().any(|clause| clause.verb.subject == Subject::I);
            let text = match own {
                true => "Say which part of this was yours.",
                false => "Say what you did yourself; the others' part may stay.",
            };
            hints.push(hint("ownership.own_part", text, group));
        }
        hints
    }

    fn on_the_figures(&self) -> Vec<Hint> {
        let mut hints = Vec::new();
        let unmeasured = self.weak("unmeasured_result");
        if unmeasured.is_some() && self.value("quantified_evidence") < MEASURED {
            let text = "Put a number on this result: from what, to what, over which time?";
            hints.push(hint("quantified.measure", text, unmeasured));
        }
        let implausible = self.quoted("quantified_evidence", "quantified.implausible");
        if implausible.is_some() {
            let text = "Check this figure, or give its baseline: as it stands it does not count.";
            hints.push(hint("quantified.implausible", text, implausible));
        }
        hints
    }

    fn on_the_wording(&self) -> Vec<Hint> {
        let mut hints = Vec::new();
        let vague = self.weak("vague");
        if vague.is_some() {
            let text = "Replace the general words here by names, tools or figures.";
            hints.push(hint("specificity.vague", text, vague));
        }
        let weighed = self.signals.get("trade_off").and_then(|s| s.evidence.first());
        if let Some(words) = weighed.filter(|_| self.value("trade_off") == Milli::whole(1)) {
            let text = "Say what else you considered, and why you decided against it.";
            hints.push(hint("trade_off.weigh", text, Some((words.from, words.to))));
        }
        for (weak, code, text) in CORRECTIONS {
            let place = self.weak(weak);
            if place.is_some() {
                hints.push(hint(code, text, place));
            }
        }
        if self.answered.met.is_empty() && !self.answered.missed.is_empty() {
            let text = "Begin with the question's own subject, then tell the story.";
            hints.push(hint("relevance.focus", text, None));
        }
        hints
    }
}

fn hint(code: &str, text: &str, place: Place) -> Hint {
    let (code, text) = (code.to_owned(), text.to_owned());
    Hint { code, text, from: place.map(|span| span.0), to: place.map(|span| span.1) }
}

#[cfg(test)]
mod tests {
    use super::super::{AnswerInput, Engine};

    fn codes(answer: &str) -> Vec<String> {
        let input = AnswerInput { answer: answer.to_owned(), ..AnswerInput::default() };
        Engine::built_in().analyse(&input).hints.into_iter().map(|hint| hint.code).collect()
    }

    #[test]
    fn every_weakness_of_wording_has_its_correction() {
        let told = "I moved the archive to the cellar because the attic was damp in autumn. I \
            labelled each box by year and office with two colleagues. ";
        for (weak, code) in [
            ("Um, I then, uh, carried the heavy boxes down, um, in the evening.", "wording.filler"),
            ("Maybe I perhaps helped the office somehow, I guess, more or less.", "wording.hedged"),
            ("I labelled each box by year and office with two colleagues.", "wording.repeated"),
        ] {
            let codes = codes(&format!("{told}{weak} Nobody has lost a file since March."));
            assert!(codes.iter().any(|found| found == code), "{code}: {codes:?}");
        }
    }

    #[test]
    fn hints_ask_for_what_is_missing_and_are_few() {
        let told = "We moved the archive to the cellar because the attic was damp and we labelled \
            every box by year, by office and by colour so that anybody could find a file, and the \
            caretaker helped us with the heavy ones on two long evenings before the audit.";
        assert!(codes(told).contains(&"ownership.own_part".to_owned()), "{:?}", codes(told));
        assert_eq!(codes("I moved it."), ["length.short"]);
        assert_eq!(codes(""), Vec::<String>::new());
    }
}
