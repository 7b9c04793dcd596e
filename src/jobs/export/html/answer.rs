//! One answer on the page: the words with their marks, then what was counted in them.

use super::super::escape::html as safe;
use super::super::spans::{Part, Points, cut};
use super::super::waterfall::steps;
use super::super::wording::{self, amount, figure, plain, signal_title};
use super::{drivers, further, table};
use crate::domain::analysis::{Analysis, Evidence, Star};
use crate::insight::report::ReportAnswer;

/// Quotes of one signal in the table; all of them are marked in the text.
const QUOTES_MAX: usize = 12;

pub(super) fn render(out: &mut String, n: usize, item: &ReportAnswer) {
    let analysis = &item.analysis;
    out.push_str(&format!(
        "<article id=\"answer-{n}\">\n<h3>Answer {n}: <span dir=\"auto\">{}</span></h3>\n<p>",
        safe(&item.question.text)
    ));
    match (analysis.score, &analysis.insufficient_because) {
        (Some(score), _) => {
            let score = figure(score);
            out.push_str(&format!("Score: <strong>{score}</strong> of 100. "));
        }
        (None, Some(because)) => out.push_str(&format!("No score. {} ", safe(because))),
        (None, None) => out.push_str("No score. "),
    }
    out.push_str(wording::answered(analysis.answered.label));
    out.push_str("</p>\n");
    terms(out, "Taken up", &analysis.answered.met);
    terms(out, "Left out", &analysis.answered.missed);
    text(out, &item.answer.text, analysis);
    if let Some(score) = analysis.score {
        let steps = steps(analysis.baseline, &analysis.drivers);
        let caption = format!("Points of answer {n}");
        drivers(out, &caption, analysis.baseline, score, &steps);
    }
    signals(out, n, &item.answer.text, analysis);
    if !analysis.hints.is_empty() {
        out.push_str("<h4>What would make it stronger</h4>\n<ul>\n");
        for hint in &analysis.hints {
            out.push_str(&format!("<li>{}</li>\n", safe(&hint.text)));
        }
        out.push_str("</ul>\n");
    }
    out.push_str("</article>\n");
}

fn terms(out: &mut String, title: &str, terms: &[String]) {
    if !terms.is_empty() {
        let terms = safe(&terms.join(", "));
        out.push_str(&format!("<p class=\"soft\">{title}: {terms}</p>\n"));
    }
}

/// The whole answer. A part of the story is named in words where it begins.
fn text(out: &mut String, text: &str, analysis: &Analysis) {
    out.push_str("<blockquote dir=\"auto\">");
    let mut last: Option<Star> = None;
    for part in cut(text, analysis) {
        let Some(sentence) = part.sentence else {
            pieces(out, &part);
            continue;
        };
        if last != Some(sentence.star) {
            let (code, word) = (wording::star_code(sentence.star), wording::star(sentence.star));
            out.push_str(&format!("<b class=\"star {code}\">{word}</b> "));
            last = Some(sentence.star);
        }
        if sentence.weak.is_empty() {
            pieces(out, &part);
            continue;
        }
        out.push_str("<span class=\"weak\">");
        pieces(out, &part);
        let codes: Vec<String> = sentence.weak.iter().map(|code| plain(code)).collect();
        let codes = safe(&codes.join(", "));
        out.push_str(&format!("</span> <small>({codes})</small>"));
    }
    out.push_str("</blockquote>\n");
}

fn pieces(out: &mut String, part: &Part<'_>) {
    for piece in &part.pieces {
        let words = safe(piece.text);
        if piece.rules.is_empty() {
            out.push_str(&words);
        } else {
            let rules = safe(&piece.rules.join(", "));
            out.push_str(&format!("<mark title=\"{rules}\">{words}</mark>"));
        }
    }
}

fn signals(out: &mut String, n: usize, text: &str, analysis: &Analysis) {
    let caption = format!("Signals of answer {n}");
    let columns = ["Signal", "Value", "What it means", "Words behind it"];
    table(out, &caption, &columns);
    let points = Points::new(text);
    for (name, signal) in wording::signals(analysis) {
        let value = signal.value.map(|value| amount(name, value));
        out.push_str(&format!(
            "<tr><th scope=\"row\">{}</th><td>{}</td><td>{}",
            signal_title(name),
            value.as_deref().unwrap_or("not enough"),
            safe(signal.anchor.as_deref().unwrap_or(""))
        ));
        if let Some(next) = &signal.next {
            out.push_str(&format!(" <span class=\"soft\">{}</span>", safe(next)));
        }
        out.push_str("</td><td dir=\"auto\">");
        quotes(out, &points, &signal.evidence);
        out.push_str("</td></tr>\n");
    }
    out.push_str("</tbody>\n</table>\n");
    let values = analysis.signals.iter();
    let values = values.map(|(name, signal)| (name, signal.value));
    further(out, &wording::further(values));
}

fn quotes(out: &mut String, points: &Points<'_>, evidence: &[Evidence]) {
    for (n, mark) in evidence.iter().take(QUOTES_MAX).enumerate() {
        let comma = if n > 0 { ", " } else { "" };
        let words = safe(points.slice(mark.from, mark.to));
        let rule = safe(&mark.rule);
        out.push_str(&format!("{comma}<q>{words}</q> <code>{rule}</code>"));
    }
    let more = evidence.len().saturating_sub(QUOTES_MAX);
    if more > 0 {
        out.push_str(&format!(" and {more} more, marked above"));
    }
}
