//! A report as Markdown: headings, tables and quotes that also read well as plain text.

use super::escape::{markdown as safe, markdown_lines};
use super::spans::{Points, cut};
use super::waterfall::{Step, steps};
use super::wording::{self, amount, figure, figure_or, plain, signal_title, signed, unit};
use crate::domain::analysis::{Analysis, Star};
use crate::domain::number::Milli;
use crate::insight::report::{Finding, Report, ReportAnswer};

/// Quotes of one signal in a table; the whole list is in the JSON form.
const QUOTES_MAX: usize = 6;

pub(super) fn render(report: &Report) -> String {
    let mut out = format!("# {}\n\n", wording::heading(report));
    for (name, value) in wording::facts(report) {
        out.push_str(&format!("- {name}: {}\n", safe(&value)));
    }
    if let Some(note) = &report.calibration_note {
        out.push_str(&format!("\n{}\n", safe(note)));
    }
    score(&mut out, report);
    summary(&mut out, report);
    findings(&mut out, report, "Strengths", &report.strengths);
    findings(&mut out, report, "What to work on", &report.risks);
    conflicts(&mut out, report);
    timeline(&mut out, report);
    for (n, item) in (1..).zip(&report.answers) {
        answer(&mut out, n, item);
    }
    delivery(&mut out, report);
    out.push_str(&format!("\n## What these numbers are not\n\n{}\n", safe(&report.limits)));
    out
}

fn score(out: &mut String, report: &Report) {
    out.push_str("\n## Score\n\n");
    let (Some(score), Some(baseline)) = (report.score, report.baseline) else {
        out.push_str("No score: no answer was long enough to be scored.\n");
        return;
    };
    out.push_str(&format!(
        "**{}** of 100, the mean of the scored answers. It is the baseline and the points of each \
         signal, added up.\n\n",
        figure(score)
    ));
    drivers(out, baseline, score, &steps(baseline, &report.drivers));
}

fn drivers(out: &mut String, baseline: Milli, score: Milli, steps: &[Step<'_>]) {
    out.push_str("| Signal | Points | Total |\n| :-- | --: | --: |\n");
    out.push_str(&format!("| Baseline | | {} |\n", figure(baseline)));
    for step in steps {
        let name = safe(&signal_title(step.signal));
        let (points, after) = (signed(step.points), figure(step.after));
        out.push_str(&format!("| {name} | {points} | {after} |\n"));
    }
    out.push_str(&format!("| **Score** | | **{}** |\n", figure(score)));
}

fn summary(out: &mut String, report: &Report) {
    out.push_str("\n## Signal by signal\n\nMeans over all answers that have a value.\n\n");
    out.push_str("| Signal | Mean | Counted in |\n| :-- | --: | :-- |\n");
    for (name, value) in wording::summary(report) {
        let title = safe(&signal_title(name));
        let value = figure_or(value, "not enough");
        out.push_str(&format!("| {title} | {value} | {} |\n", unit(name)));
    }
    let values = report.summary.iter().map(|(name, value)| (name, *value));
    further(out, &wording::further(values));
}

/// Counts that weigh nothing.
fn further(out: &mut String, counts: &str) {
    if !counts.is_empty() {
        out.push_str(&format!("\nFurther counts: {}.\n", safe(counts)));
    }
}

fn findings(out: &mut String, report: &Report, title: &str, found: &[Finding]) {
    out.push_str(&format!("\n## {title}\n\n"));
    if found.is_empty() {
        out.push_str("Nothing stood out.\n");
    }
    for finding in found {
        let name = safe(&signal_title(&finding.signal));
        out.push_str(&format!("- **{name}**: {}", safe(&finding.text)));
        if let Some((n, words)) = wording::quoted(report, finding) {
            out.push_str(&format!(" Answer {n}: “{}”", safe(words)));
        }
        out.push('\n');
    }
}

fn conflicts(out: &mut String, report: &Report) {
    if report.conflicts.is_empty() {
        return;
    }
    out.push_str("\n## Please reconcile\n\nThese statements do not fit together.\n\n");
    out.push_str("| First | Then | Rule | Weight |\n| :-- | :-- | :-- | :-- |\n");
    for found in &report.conflicts {
        for (place, quote) in wording::sides(report, found) {
            out.push_str(&format!("| {}: “{}” ", safe(&place), safe(&quote.text)));
        }
        let weight = wording::severity(found.conflict.severity);
        out.push_str(&format!("| {} | {weight} |\n", safe(&found.conflict.rule)));
    }
}

fn timeline(out: &mut String, report: &Report) {
    out.push_str("\n## Timeline\n\n");
    out.push_str("| Time | Question | Words | Score |\n| :-- | :-- | --: | --: |\n");
    for entry in &report.timeline {
        let none = if entry.kind == "unanswered" { "not answered" } else { "no score" };
        out.push_str(&format!(
            "| {} | {} | {} | {} |\n",
            safe(&wording::moment(entry.at.as_deref().unwrap_or(""))),
            safe(&entry.label),
            figure_or(entry.words, ""),
            figure_or(entry.score, none)
        ));
    }
}

fn answer(out: &mut String, n: usize, item: &ReportAnswer) {
    let analysis = &item.analysis;
    out.push_str(&format!("\n## Answer {n}: {}\n\n", safe(&item.question.text)));
    match (analysis.score, &analysis.insufficient_because) {
        (Some(score), _) => out.push_str(&format!("Score: **{}** of 100. ", figure(score))),
        (None, Some(because)) => out.push_str(&format!("No score. {} ", safe(because))),
        (None, None) => out.push_str("No score. "),
    }
    out.push_str(wording::answered(analysis.answered.label));
    out.push_str("\n\n");
    text(out, &item.answer.text, analysis);
    if let Some(score) = analysis.score {
        out.push('\n');
        let steps = steps(analysis.baseline, &analysis.drivers);
        drivers(out, analysis.baseline, score, &steps);
    }
    signals(out, &item.answer.text, analysis);
    if !analysis.hints.is_empty() {
        out.push_str("\nWhat would make it stronger:\n\n");
    }
    for hint in &analysis.hints {
        out.push_str(&format!("- {}\n", safe(&hint.text)));
    }
}

/// The answer as a quote; the part of the story stands before its first sentence.
fn text(out: &mut String, text: &str, analysis: &Analysis) {
    let mut stretches: Vec<(Option<Star>, String)> = Vec::new();
    for part in cut(text, analysis) {
        let star = part.sentence.map(|sentence| sentence.star);
        let words: String = part.pieces.iter().map(|piece| piece.text).collect();
        match stretches.last_mut() {
            Some((last, open)) if star.is_none() || star == *last => open.push_str(&words),
            _ => stretches.push((star, words)),
        }
    }
    stretches.retain(|(_, words)| !words.trim().is_empty());
    for (n, (star, words)) in stretches.iter().enumerate() {
        if n > 0 {
            out.push_str(">\n");
        }
        let label = star.map_or_else(String::new, |star| format!("*{}:* ", wording::star(star)));
        let lines: Vec<String> = markdown_lines(words.trim()).collect();
        // Two blanks at the end of a line keep the break that the speaker made.
        out.push_str(&format!("> {label}{}\n", lines.join("  \n> ")));
    }
}

fn signals(out: &mut String, text: &str, analysis: &Analysis) {
    out.push_str("\n| Signal | Value | What it means | Words behind it |\n");
    out.push_str("| :-- | :-- | :-- | :-- |\n");
    let points = Points::new(text);
    for (name, signal) in wording::signals(analysis) {
        let quotes: Vec<String> = signal
            .evidence
            .iter()
            .take(QUOTES_MAX)
            .map(|mark| format!("“{}”", safe(points.slice(mark.from, mark.to))))
            .collect();
        let more = match signal.evidence.len().saturating_sub(QUOTES_MAX) {
            0 => String::new(),
            more => format!(", {more} more"),
        };
        let value = signal.value.map(|value| amount(name, value));
        out.push_str(&format!(
            "| {} | {} | {} | {}{more} |\n",
            signal_title(name),
            value.as_deref().unwrap_or("not enough"),
            safe(signal.anchor.as_deref().unwrap_or("")),
            quotes.join(", "),
        ));
    }
    let values = analysis.signals.iter();
    let values = values.map(|(name, signal)| (name, signal.value));
    further(out, &wording::further(values));
    weak(out, &points, analysis);
}

fn weak(out: &mut String, points: &Points<'_>, analysis: &Analysis) {
    let weak: Vec<_> =
        analysis.sentences.iter().filter(|sentence| !sentence.weak.is_empty()).collect();
    if weak.is_empty() {
        return;
    }
    out.push_str("\nSentences that could be stronger:\n\n");
    for sentence in weak {
        let words = safe(points.slice(sentence.from, sentence.to));
        let codes: Vec<String> = sentence.weak.iter().map(|code| safe(&plain(code))).collect();
        out.push_str(&format!("- “{words}” ({})\n", codes.join(", ")));
    }
}

fn delivery(out: &mut String, report: &Report) {
    out.push_str("\n## Delivery facts\n\nPlain counts; they are no measure of a person.\n\n");
    out.push_str("| Fact | Mean | Counted in |\n| :-- | --: | :-- |\n");
    for (name, value) in wording::delivery(report) {
        let value = figure_or(value, "not measured");
        let title = signal_title(name);
        out.push_str(&format!("| {title} | {value} | {} |\n", unit(name)));
    }
}
