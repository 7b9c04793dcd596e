//! Follow-up probes: what an answer lacked of what its question asked for, asked with the person's
//! own words.
//!
//! **Invariant:** a quote is made of whole words of the answer, verbatim.

use crate::domain::analysis::{Analysis, AnsweredLabel, Evidence, Star};
use crate::domain::number::Milli;

/// A follow-up question.
pub(super) struct Probe {
    pub(super) rule: &'static str,
    pub(super) text: String,
    pub(super) because: String,
}

/// Code points of a quote: longer ones are cut after a word.
const QUOTE_CHARS_MAX: usize = 100;

/// Words of questions that ask for something that happened.
const STORY: &[&str] =
    &["describe", "did", "example", "have", "last", "tell", "time", "walk", "was", "were", "when"];

/// The first thing that the answer lacks, in the order in which a listener misses it.
pub(super) fn find(question: &str, answer: &str, analysis: &Analysis) -> Option<Probe> {
    let view = View { answer, analysis };
    if analysis.answered.label == Some(AnsweredLabel::Declined) {
        let text = "What is the closest thing to it that you have done, and how did it differ?";
        return probe("probe.declined", text.to_owned(), "The question was left open.");
    }
    let words = super::rules::words_of(question);
    let asks = |list: &[&str]| words.iter().any(|word| list.contains(&word.as_str()));
    let mut found = None;
    if asks(super::rules::WEIGHING) {
        found = view.trade_off();
    }
    if asks(STORY) {
        found = found
            .or_else(|| view.own_part())
            .or_else(|| view.result())
            .or_else(|| view.figure())
            .or_else(|| view.baseline());
    }
    found
}

struct View<'a> {
    answer: &'a str,
    analysis: &'a Analysis,
}

impl View<'_> {
    fn evidence(&self, signal: &str, rule: &str) -> Option<&Evidence> {
        let signal = self.analysis.signals.get(signal)?;
        signal.evidence.iter().find(|evidence| evidence.rule == rule)
    }

    /// The person's own words at a place, cut after a whole word.
    fn quote(&self, from: u32, to: u32) -> String {
        let length = to.saturating_sub(from) as usize;
        let words: String = self.answer.chars().skip(from as usize).take(length).collect();
        let words = words.trim().trim_end_matches(['.', ',', ';', ':', '!', '?']);
        if words.chars().count() <= QUOTE_CHARS_MAX {
            return words.to_owned();
        }
        let cut: String = words.chars().take(QUOTE_CHARS_MAX).collect();
        match cut.rsplit_once(char::is_whitespace) {
            Some((whole, _)) => format!("{}…", whole.trim_end()),
            None => String::new(),
        }
    }

    fn sentence(&self, wanted: impl Fn(Star, &[String]) -> bool) -> Option<String> {
        let sentences = &self.analysis.sentences;
        let found = sentences.iter().find(|sentence| wanted(sentence.star, &sentence.weak))?;
        Some(self.quote(found.from, found.to)).filter(|quote| !quote.is_empty())
    }

    fn has(&self, star: Star) -> bool {
        self.analysis.sentences.iter().any(|sentence| sentence.star == star)
    }

    fn trade_off(&self) -> Option<Probe> {
        if self.evidence("trade_off", "trade_off.alternative").is_some() {
            return None;
        }
        let choice = self.evidence("trade_off", "trade_off.choice").and_then(|choice| {
            let holds = |from: u32, to: u32| from <= choice.from && choice.to <= to;
            let sentence = self.analysis.sentences.iter().find(|s| holds(s.from, s.to))?;
            Some(self.quote(sentence.from, sentence.to)).filter(|quote| !quote.is_empty())
        });
        let text = match choice {
            Some(quote) => format!(
                "You said “{quote}”. What else could you have done, and why \
                did you decide against it?"
            ),
            None => "What else could you have done, and why did you decide against it?".to_owned(),
        };
        let because = "The question asks for a weighed decision, and the answer names no \
            alternative.";
        probe("probe.trade_off", text, because)
    }

    fn own_part(&self) -> Option<Probe> {
        if self.evidence("ownership", "ownership.first_person_action").is_some() {
            return None;
        }
        let group = self.evidence("ownership", "ownership.group_action")?;
        let holds = |from: u32, to: u32| from <= group.from && group.to <= to;
        let sentence = self.analysis.sentences.iter().find(|s| holds(s.from, s.to));
        let quote = self.quote(group.from, sentence.map_or(group.to, |sentence| sentence.to));
        let text = format!("You said “{quote}”. Which part of this did you do yourself?");
        probe("probe.own_part", text, "The answer tells what the group did, not your own part.")
    }

    fn result(&self) -> Option<Probe> {
        if self.has(Star::Result) {
            return None;
        }
        let text = match self.sentence(|star, _| star == Star::Action) {
            Some(quote) => {
                format!("You said “{quote}”. What came of it, and how do you know?")
            }
            None => "What came of it in the end, and how do you know?".to_owned(),
        };
        probe("probe.result", text, "The answer tells what was done, and no result.")
    }

    fn figure(&self) -> Option<Probe> {
        if self.value("quantified_evidence") > Milli::ZERO {
            return None;
        }
        let is_bare = |star: Star, weak: &[String]| {
            star == Star::Result && weak.iter().any(|code| code == "unmeasured_result")
        };
        let quote = self.sentence(is_bare)?;
        let text = format!("You said “{quote}”. By how much, and how did you measure it?");
        probe("probe.figure", text, "The result has no figure.")
    }

    fn baseline(&self) -> Option<Probe> {
        let full = ["quantified.complete", "quantified.two_parts_more"];
        if full.iter().any(|rule| self.evidence("quantified_evidence", rule).is_some()) {
            return None;
        }
        let thin = ["quantified.one_part_more", "quantified.number_and_unit"];
        let claim = thin.iter().find_map(|rule| self.evidence("quantified_evidence", rule))?;
        let quote = self.quote(claim.from, claim.to);
        let text = format!("You said “{quote}”. Compared with what, and over which time?");
        probe("probe.baseline", text, "The figure stands alone: it has no baseline and no period.")
    }

    fn value(&self, name: &str) -> Milli {
        self.analysis.signals.get(name).and_then(|signal| signal.value).unwrap_or_default()
    }
}

fn probe(rule: &'static str, text: String, because: &str) -> Option<Probe> {
    Some(Probe { rule, text, because: because.to_owned() })
}
