//! Strengths and risks: what to keep and what to work on, each tied to the words that show it.

use serde::{Deserialize, Serialize};

use super::{AnsweredItem, Evidence, Signal};
use crate::domain::analysis::{AnsweredLabel, Driver};
use crate::domain::number::Milli;

/// A strength or a risk.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// The signal or rule it is about.
    pub signal: String,
    /// What was found, in words.
    pub text: String,
    /// The answer that shows it.
    pub answer_id: String,
    /// First code point of the words that show it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<u32>,
    /// One past the last code point.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<u32>,
}

/// More than this at once is not kept in mind.
const FINDINGS_MAX: usize = 5;

/// Less than one point either way is nothing to speak of.
const POINTS_MIN: Milli = Milli::whole(1);

/// Evidence for what is good about a signal, as against what takes from it.
const FOR: &[&str] = &[
    "structure.result",
    "structure.action",
    "ownership.first_person_action",
    "quantified.complete",
    "quantified.two_parts_more",
    "quantified.one_part_more",
    "quantified.number_and_unit",
    "specificity.figure",
    "specificity.name",
    "trade_off.alternative",
    "trade_off.choice",
    "causal.effect",
    "causal.reason",
    "relevance.focus_term",
];

/// Evidence for what takes from a signal.
const AGAINST: &[&str] = &[
    "ownership.limited",
    "ownership.given_to_others",
    "ownership.negated_action",
    "ownership.passive_action",
    "quantified.implausible",
    "specificity.vague",
    "specificity.hedge",
    "filler_rate.sound",
];

/// The signals that earned most in any one answer, each with its best words.
pub(super) fn strengths(answers: &[AnsweredItem], drivers: &[Driver]) -> Vec<Finding> {
    let mut earned: Vec<(Milli, &str, &AnsweredItem)> = Vec::new();
    for driver in drivers {
        let name = driver.signal.as_str();
        if let Some(best) = answers.iter().max_by_key(|item| (points(item, name), rank(item))) {
            earned.push((points(best, name), name, best));
        }
    }
    earned.retain(|(points, ..)| *points >= POINTS_MIN);
    earned.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.cmp(b.1)));
    let mut found = Vec::new();
    for (_, name, item) in earned {
        let Some(signal) = item.analysis.signals.get(name) else {
            continue;
        };
        // A strength without words to show would be a claim without evidence.
        if let (Some(text), Some(words)) = (&signal.anchor, pick(signal, FOR)) {
            found.push(finding(name, text, item, Some(words)));
        }
    }
    found.truncate(FINDINGS_MAX);
    found
}

/// Conflicts first, then questions left open, then the signals that cost most.
pub(super) fn risks(answers: &[AnsweredItem], drivers: &[Driver]) -> Vec<Finding> {
    let mut found = Vec::new();
    for item in answers {
        for conflict in &item.analysis.conflicts {
            let words =
                Evidence { from: conflict.b.from, to: conflict.b.to, rule: conflict.rule.clone() };
            let source = if conflict.a.source == "cv" { "CV" } else { "earlier answer" };
            let text = format!("Please reconcile this with what stands in the {source}.");
            found.push(finding("consistency", &text, item, Some(&words)));
        }
    }
    for item in answers {
        if item.analysis.answered.label == Some(AnsweredLabel::Declined) {
            found.push(finding("answered", "The question was not answered.", item, None));
        }
    }
    let mut lost: Vec<&Driver> = drivers.iter().filter(|d| d.points <= -POINTS_MIN).collect();
    lost.sort_by(|a, b| a.points.cmp(&b.points).then_with(|| a.signal.cmp(&b.signal)));
    for driver in lost {
        let with = answers.iter().filter(|item| item.analysis.score.is_some());
        let worst = with.min_by_key(|item| (points(item, &driver.signal), item.seq));
        let Some(item) = worst else { continue };
        let Some(signal) = item.analysis.signals.get(&driver.signal) else {
            continue;
        };
        let met = signal.anchor.as_deref().unwrap_or_default();
        let text = match &signal.next {
            Some(next) => format!("{met} Next step: {next}"),
            None => met.to_owned(),
        };
        found.push(finding(&driver.signal, text.trim(), item, pick(signal, AGAINST)));
    }
    found.truncate(FINDINGS_MAX);
    found
}

fn finding(signal: &str, text: &str, item: &AnsweredItem, words: Option<&Evidence>) -> Finding {
    Finding {
        signal: signal.to_owned(),
        text: text.to_owned(),
        answer_id: item.answer_id.clone(),
        from: words.map(|evidence| evidence.from),
        to: words.map(|evidence| evidence.to),
    }
}

fn pick<'a>(signal: &'a Signal, rules: &[&str]) -> Option<&'a Evidence> {
    rules.iter().find_map(|rule| signal.evidence.iter().find(|evidence| evidence.rule == *rule))
}

fn points(item: &AnsweredItem, name: &str) -> Milli {
    let driver = item.analysis.drivers.iter().find(|driver| driver.signal == name);
    driver.map_or(Milli::ZERO, |driver| driver.points)
}

/// Earlier answers come first among equals.
fn rank(item: &AnsweredItem) -> std::cmp::Reverse<u64> {
    std::cmp::Reverse(item.seq)
}
