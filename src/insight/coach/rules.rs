//! The rules of live hints: each looks for one thing that an answer usually needs and this one does
//! not have yet.
//!
//! A rule waits for a number of words, because a story may come to its point late. Fewer words are
//! waited for at a higher intensity.

use std::collections::BTreeMap;

use super::hint::{Partial, Severity, conflicts};
use crate::domain::analysis::{Answered, Evidence, Signal, Star};
use crate::domain::number::Milli;
use crate::insight::Engine;
use crate::insight::signals::{Focus, Reading, judge, label_sentences};
use crate::insight::story::Subject;
use crate::insight::{AnswerInput, signals};

/// A rule.
pub(super) struct Rule {
    /// Stable.
    pub(super) id: &'static str,
    /// Of the advice.
    pub(super) code: &'static str,
    pub(super) severity: Severity,
    /// Lower ones win.
    pub(super) priority: u8,
    /// Before it speaks again.
    pub(super) cooldown_s: u64,
    /// Words before it speaks, at intensity 1, 2 and 3; `None`: it keeps silent there.
    pub(super) words: [Option<usize>; 3],
    pub(super) finds: fn(&View<'_>) -> Option<Found>,
}

/// What a rule has found.
pub(super) struct Found {
    pub(super) text: String,
    pub(super) place: Option<(u32, u32)>,
}

/// All rules. Priorities follow what an answer loses: first what does not fit, then what a listener
/// needs to follow it at all, then what makes it strong, last its polish.
pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "coach.contradiction",
        code: "conflict.reconcile",
        severity: Severity::High,
        priority: 0,
        cooldown_s: 35,
        words: [Some(6), Some(6), Some(6)],
        finds: contradiction,
    },
    Rule {
        id: "coach.off_question",
        code: "relevance.focus",
        severity: Severity::High,
        priority: 1,
        cooldown_s: 30,
        words: [Some(80), Some(60), Some(45)],
        finds: off_question,
    },
    Rule {
        id: "coach.no_result",
        code: "structure.result",
        severity: Severity::High,
        priority: 2,
        cooldown_s: 30,
        words: [Some(140), Some(110), Some(85)],
        finds: no_result,
    },
    Rule {
        id: "coach.no_own_action",
        code: "ownership.own_part",
        severity: Severity::Medium,
        priority: 3,
        cooldown_s: 25,
        words: [None, Some(45), Some(30)],
        finds: no_own_action,
    },
    Rule {
        id: "coach.no_alternative",
        code: "trade_off.weigh",
        severity: Severity::Medium,
        priority: 4,
        cooldown_s: 24,
        words: [None, Some(55), Some(40)],
        finds: no_alternative,
    },
    Rule {
        id: "coach.no_figure",
        code: "quantified.measure",
        severity: Severity::Medium,
        priority: 5,
        cooldown_s: 22,
        words: [None, Some(60), Some(45)],
        finds: no_figure,
    },
    Rule {
        id: "coach.no_setting",
        code: "structure.situation",
        severity: Severity::Medium,
        priority: 6,
        cooldown_s: 24,
        words: [None, Some(50), Some(35)],
        finds: no_setting,
    },
    Rule {
        id: "coach.fillers",
        code: "filler_rate.pause",
        severity: Severity::Low,
        priority: 7,
        cooldown_s: 20,
        words: [None, None, Some(30)],
        finds: fillers,
    },
];

/// The newest words of a text that say whether it still keeps to the question: about twenty seconds
/// of speech.
const TAIL_WORDS: usize = 45;

/// More pause sounds in a hundred words than this are heard by a listener.
const FILLERS: Milli = Milli::whole(6);

/// Code points of an earlier statement that a hint quotes.
const QUOTE_CHARS_MAX: usize = 90;

/// Words of a question that ask for a weighed decision.
pub(super) const WEIGHING: &[&str] = &[
    "alternative",
    "alternatives",
    "choice",
    "choose",
    "chose",
    "compromise",
    "decide",
    "decided",
    "decision",
    "decisions",
    "option",
    "options",
    "prioritise",
    "prioritize",
    "trade-off",
    "trade-offs",
    "tradeoff",
    "tradeoffs",
    "versus",
];

/// A text that was read once for all rules.
pub(super) struct View<'a> {
    engine: &'a Engine,
    partial: &'a Partial<'a>,
    reading: Reading,
    focus: Option<Focus>,
    signals: BTreeMap<String, Signal>,
}

impl View<'_> {
    pub(super) fn new<'a>(engine: &'a Engine, partial: &'a Partial<'a>) -> View<'a> {
        let focus = Focus::new(engine.lexicon(), partial.question);
        let reading = Reading::new(engine.lexicon(), partial.text).set_aside(&focus);
        let input = AnswerInput { answer: partial.text.to_owned(), ..AnswerInput::default() };
        let signals = signals::measure(&reading, &focus, &input);
        View { engine, partial, reading, focus, signals }
    }

    pub(super) fn words(&self) -> usize {
        self.reading.document.tokens.iter().filter(|token| !token.repeated).count()
    }

    fn value(&self, name: &str) -> Milli {
        self.signals.get(name).and_then(|signal| signal.value).unwrap_or_default()
    }

    fn quoted(&self, name: &str, rule: &str) -> Option<&Evidence> {
        self.signals.get(name)?.evidence.iter().find(|evidence| evidence.rule == rule)
    }

    fn has(&self, star: Star) -> bool {
        self.reading.story.iter().any(|clause| clause.counts_as() == star)
    }

    /// The newest whole sentences that together have at least [`TAIL_WORDS`], without the last one,
    /// which is still being said.
    fn tail(&self) -> Option<(String, (u32, u32))> {
        let document = &self.reading.document;
        let (_, whole) = document.sentences.split_last()?;
        let mut words = 0;
        let newest = whole.iter().rev().find(|range| {
            words += range.len();
            words >= TAIL_WORDS
        })?;
        let span = document.span(newest.start..whole.last()?.end);
        let length = (span.1 - span.0) as usize;
        Some((self.partial.text.chars().skip(span.0 as usize).take(length).collect(), span))
    }
}

/// The words of a question in lower case.
pub(super) fn words_of(question: &str) -> Vec<String> {
    let question = question.to_lowercase();
    let words = question.split(|c: char| !c.is_alphanumeric() && c != '-');
    words.filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

fn found(text: &str, place: Option<(u32, u32)>) -> Option<Found> {
    Some(Found { text: text.to_owned(), place })
}

fn contradiction(view: &View<'_>) -> Option<Found> {
    let conflict = conflicts(view.engine, view.partial).into_iter().next()?;
    let quote: String = conflict.a.text.chars().take(QUOTE_CHARS_MAX).collect();
    let cut = if quote.len() < conflict.a.text.len() { "…" } else { "" };
    let text = format!("Earlier you said “{quote}{cut}”. Say how the two fit together.");
    Some(Found { text, place: Some((conflict.b.from, conflict.b.to)) })
}

fn off_question(view: &View<'_>) -> Option<Found> {
    let is_off = |answered: &Answered| answered.met.is_empty() && answered.missed.len() >= 2;
    // Who tells what somebody did answers a question for a story, in whatever words.
    if !view.has(Star::Action) && is_off(&judge(&view.reading, &view.focus)) {
        return found("Come to the question itself: take up its own words.", None);
    }
    // A story that moves on need not repeat the question; talk beside it has no part in a story.
    let (tail, place) = view.tail()?;
    let reading = Reading::new(view.engine.lexicon(), &tail);
    let tells = reading.story.iter().any(|clause| clause.counts_as() != Star::Other);
    let drifts = !tells && is_off(&judge(&reading, &view.focus));
    drifts.then_some(())?;
    found("You may be drifting: come back to what was asked.", Some(place))
}

fn no_result(view: &View<'_>) -> Option<Found> {
    let lacks = !view.has(Star::Result);
    lacks.then_some(())?;
    found("Come to the result: what changed in the end, and how do you know?", None)
}

fn no_own_action(view: &View<'_>) -> Option<Found> {
    let own = view
        .reading
        .story
        .iter()
        .any(|clause| clause.verb.subject == Subject::I && clause.counts_as() == Star::Action);
    if own || view.quoted("ownership", "ownership.first_person_action").is_some() {
        return None;
    }
    let group = view.quoted("ownership", "ownership.group_action").map(|e| (e.from, e.to));
    let text = match group {
        Some(_) => "Say which part of this you did yourself.",
        None => "Say what you did, step by step.",
    };
    found(text, group)
}

fn no_alternative(view: &View<'_>) -> Option<Found> {
    let words = words_of(view.partial.question?);
    let asks = words.iter().any(|word| WEIGHING.contains(&word.as_str()));
    let lacks = view.quoted("trade_off", "trade_off.alternative").is_none();
    (asks && lacks).then_some(())?;
    let choice = view.quoted("trade_off", "trade_off.choice").map(|e| (e.from, e.to));
    found("Name what else you could have done, and why you did not.", choice)
}

fn no_figure(view: &View<'_>) -> Option<Found> {
    (view.value("quantified_evidence") == Milli::ZERO).then_some(())?;
    let unmeasured = label_sentences(&view.reading)
        .into_iter()
        .find(|sentence| sentence.weak.iter().any(|code| code == "unmeasured_result"));
    let place = unmeasured.map(|sentence| (sentence.from, sentence.to));
    found("Give a figure: how many, how long, from what to what?", place)
}

fn no_setting(view: &View<'_>) -> Option<Found> {
    let lacks = !view.has(Star::Situation) && !view.has(Star::Task);
    lacks.then_some(())?;
    found("Set the scene in a sentence: where was this, and what was to be done?", None)
}

fn fillers(view: &View<'_>) -> Option<Found> {
    (view.value("filler_rate") > FILLERS).then_some(())?;
    let last = view.signals.get("filler_rate")?.evidence.last()?;
    found("Pause instead of filling: a silent second sounds calm.", Some((last.from, last.to)))
}
