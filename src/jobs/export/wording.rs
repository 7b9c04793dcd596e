//! The words of a report on paper: names of signals, parts and labels, and how numbers are written.

use super::spans::Points;
use crate::domain::analysis::{
    Analysis, AnsweredLabel, Quote, SIGNAL_NAMES, Severity, Signal, Star, Status,
};
use crate::domain::number::Milli;
use crate::domain::time::Time;
use crate::insight::report::{Finding, Report, ReportAnswer, ReportConflict};

/// A number with the places it has: `62.5`.
pub(super) fn figure(number: Milli) -> String {
    let sign = if number.0 < 0 { "-" } else { "" };
    let (whole, rest) = (number.0.abs() / 1000, number.0.abs() % 1000);
    if rest == 0 {
        return format!("{sign}{whole}");
    }
    let places = format!("{rest:03}");
    format!("{sign}{whole}.{}", places.trim_end_matches('0'))
}

/// The same with a plus where it adds: `+3.25`.
pub(super) fn signed(number: Milli) -> String {
    let plus = if number.0 > 0 { "+" } else { "" };
    format!("{plus}{}", figure(number))
}

/// A number that may be missing.
pub(super) fn figure_or(number: Option<Milli>, missing: &str) -> String {
    number.map_or_else(|| missing.to_owned(), figure)
}

/// What people call a signal.
pub(super) fn signal_title(name: &str) -> String {
    let title = match name {
        "structure" => "Structure",
        "ownership" => "Ownership",
        "quantified_evidence" => "Evidence in numbers",
        "specificity" => "Specificity",
        "trade_off" => "Trade-offs",
        "causal" => "Cause and effect",
        "relevance" => "Relevance",
        "filler_rate" => "Fillers",
        "words_per_minute" => "Pace",
        "pause_share" => "Pauses",
        "length_words" => "Length",
        "consistency" => "Consistency",
        _ => return plain(name),
    };
    title.to_owned()
}

/// What a signal's value counts.
pub(super) fn unit(name: &str) -> &'static str {
    match name {
        "structure" | "ownership" | "specificity" | "relevance" | "consistency" => "of 100",
        "quantified_evidence" => "points of measured claims",
        "trade_off" => "of 5 elements",
        "causal" => "stated links",
        "pause_share" => "of the time, 0 to 1",
        "type_token_ratio" => "different words of 50, 0 to 1",
        "words_per_minute" | "distinct_per_minute" => "words per minute",
        "fluent_share" => "of the sentences, 0 to 1",
        "speech_rate" | "articulation_rate" => "syllables per minute",
        "pause_rate" => "pauses of 0.6 s or more per minute",
        "length_words" | "distinct_words" | "mean_length_of_run" => "words",
        "word_length" => "letters",
        _ if name.ends_with("_rate") => "per 100 words",
        _ => "",
    }
}

/// A code in words: `unmeasured_result` becomes `Unmeasured result`.
pub(super) fn plain(code: &str) -> String {
    let words = code.replace(['_', '.'], " ");
    let mut letters = words.trim().chars();
    match letters.next() {
        Some(first) => first.to_uppercase().chain(letters).collect(),
        None => String::new(),
    }
}

/// The part that a sentence plays.
pub(super) const fn star(star: Star) -> &'static str {
    match star {
        Star::Situation => "Situation",
        Star::Task => "Task",
        Star::Action => "Action",
        Star::Result => "Result",
        Star::Reflection => "Lesson",
        Star::Other => "Other",
    }
}

/// The same as it stands in JSON.
pub(super) const fn star_code(star: Star) -> &'static str {
    match star {
        Star::Situation => "situation",
        Star::Task => "task",
        Star::Action => "action",
        Star::Result => "result",
        Star::Reflection => "reflection",
        Star::Other => "other",
    }
}

/// A status as it stands in JSON.
pub(super) const fn status_code(status: Status) -> &'static str {
    match status {
        Status::Scored => "scored",
        Status::Insufficient => "insufficient",
    }
}

/// A label as it stands in JSON; empty without one.
pub(super) const fn answered_code(label: Option<AnsweredLabel>) -> &'static str {
    match label {
        Some(AnsweredLabel::Clear) => "clear",
        Some(AnsweredLabel::Partial) => "partial",
        Some(AnsweredLabel::Declined) => "declined",
        None => "",
    }
}

/// Whether the question was answered, as a sentence.
pub(super) const fn answered(label: Option<AnsweredLabel>) -> &'static str {
    match label {
        Some(AnsweredLabel::Clear) => "The question is answered.",
        Some(AnsweredLabel::Partial) => "The question is answered in part.",
        Some(AnsweredLabel::Declined) => "The question is declined.",
        None => "Whether the question is answered could not be said.",
    }
}

/// How much a conflict matters.
pub(super) const fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Minor => "minor",
        Severity::Material => "material",
    }
}

/// The earlier and the later statement of a conflict, each with where it stands.
pub(super) fn sides<'a>(report: &Report, found: &'a ReportConflict) -> [(String, &'a Quote); 2] {
    let place = |id: Option<&str>, quote: &Quote| {
        let at = |id| {
            let mut answers = report.answers.iter();
            answers.position(|item| item.answer.answer_id == id)
        };
        match (id.and_then(at), quote.source.as_str()) {
            (Some(n), _) => format!("Answer {}", n + 1),
            (None, "cv") => "CV".to_owned(),
            (None, "earlier") => "Earlier interview".to_owned(),
            (None, source) => plain(source),
        }
    };
    let (a, b) = (&found.conflict.a, &found.conflict.b);
    [(place(found.earlier_answer_id.as_deref(), a), a), (place(Some(&found.answer_id), b), b)]
}

/// The number of the answer and the words that a finding points at.
pub(super) fn quoted<'a>(report: &'a Report, finding: &Finding) -> Option<(usize, &'a str)> {
    let of = |item: &ReportAnswer| item.answer.answer_id == finding.answer_id;
    let n = report.answers.iter().position(of)?;
    let points = Points::new(&report.answers[n].answer.text);
    let words = points.slice(finding.from?, finding.to?);
    (!words.is_empty()).then_some((n + 1, words))
}

/// The heading of a report.
pub(super) fn heading(report: &Report) -> &'static str {
    match report.kind.as_str() {
        "practice" => "Report on a practice interview",
        _ => "Report on an interview",
    }
}

/// How many answers have a score: `2 of 3 scored`.
pub(super) fn answers_scored(report: &Report) -> String {
    let scored = report.answers.iter().filter(|answer| answer.analysis.score.is_some()).count();
    format!("{scored} of {} scored", report.answers.len())
}

/// The facts at the head of a report: name and value, in order.
pub(super) fn facts(report: &Report) -> Vec<(&'static str, String)> {
    let text = |value: &Option<String>| value.clone().unwrap_or_else(|| "not given".to_owned());
    let mut facts = vec![
        ("Role", text(&report.role)),
        ("Mode", text(&report.mode)),
        ("Finished", moment(&text(&report.finished_at))),
        ("Answers", answers_scored(report)),
    ];
    if let Some(calibration) = &report.calibration {
        facts.push(("Calibration", calibration.version.clone()));
        facts.push(("Calibration SHA-256", calibration.sha256.clone()));
    }
    facts.push(("Interview", report.interview_id.clone()));
    facts
}

/// Means of facts about speech: the signal's name and its value.
pub(super) fn delivery(report: &Report) -> [(&'static str, Option<Milli>); 4] {
    let facts = &report.delivery;
    [
        ("words_per_minute", facts.words_per_minute),
        ("pause_share", facts.pause_share),
        ("filler_rate", facts.filler_rate),
        ("length_words", facts.length_words),
    ]
}

/// Means of the fixed signals and of consistency, in reading order.
pub(super) fn summary(report: &Report) -> impl Iterator<Item = (&'static str, Option<Milli>)> {
    let names = SIGNAL_NAMES.into_iter().chain(["consistency"]);
    names.filter_map(|name| Some((name, *report.summary.get(name)?)))
}

/// The fixed signals of an answer, in reading order.
pub(super) fn signals(analysis: &Analysis) -> impl Iterator<Item = (&'static str, &Signal)> {
    let names = SIGNAL_NAMES.into_iter();
    names.filter_map(|name| Some((name, analysis.signals.get(name)?)))
}

/// The other counts in one line, which weigh nothing: `Hedge rate 0.5 per 100 words, …`.
pub(super) fn further<'a>(values: impl Iterator<Item = (&'a String, Option<Milli>)>) -> String {
    let fixed = |name: &str| name == "consistency" || SIGNAL_NAMES.contains(&name);
    let others = values.filter(|(name, _)| !fixed(name));
    let told = others.filter_map(|(name, value)| {
        let amount = amount(name, value?);
        Some(format!("{} {amount}", signal_title(name)))
    });
    told.collect::<Vec<String>>().join(", ")
}

/// A value with what it counts: `53 of 100`.
pub(super) fn amount(name: &str, value: Milli) -> String {
    format!("{} {}", figure(value), unit(name)).trim().to_owned()
}

/// A moment to the minute: `2026-11-22 09:31 UTC`; a text that is no moment stays as it is.
pub(super) fn moment(text: &str) -> String {
    let Some(time) = Time::parse(text) else {
        return text.to_owned();
    };
    let exact = time.to_string();
    match (exact.get(..10), exact.get(11..16)) {
        (Some(day), Some(minute)) if exact.starts_with(|c: char| c.is_ascii_digit()) => {
            format!("{day} {minute} UTC")
        }
        _ => exact,
    }
}
