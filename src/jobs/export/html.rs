//! A report as one page that needs nothing else: to keep, to send, to print on A4.
//!
//! **Invariant:** no script, no address outside the page, and every word of a person escaped. The
//! page forbids itself to load anything, should a mistake in here ever let markup through.

mod answer;

use super::escape::html as safe;
use super::waterfall::{self, Step, steps};
use super::wording::{self, figure, figure_or, signal_title, signed, unit};
use crate::domain::number::Milli;
use crate::insight::report::{Finding, Report};

/// The look of the page, for the screen and for paper.
const STYLE: &str = include_str!("html/page.css");

pub(super) fn render(report: &Report) -> String {
    let heading = wording::heading(report);
    let mut out = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta http-equiv=\"Content-Security-Policy\" \
         content=\"default-src 'none'; style-src 'unsafe-inline'\">\n\
         <title>{heading} · Greenroom</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n<main>\n"
    );
    head(&mut out, report, heading);
    score(&mut out, report);
    summary(&mut out, report);
    findings(&mut out, report, "Strengths", &report.strengths);
    findings(&mut out, report, "What to work on", &report.risks);
    conflicts(&mut out, report);
    timeline(&mut out, report);
    if !report.answers.is_empty() {
        out.push_str("<section class=\"new-page\">\n<h2>Answer by answer</h2>\n");
        for (n, item) in (1..).zip(&report.answers) {
            answer::render(&mut out, n, item);
        }
        out.push_str("</section>\n");
    }
    delivery(&mut out, report);
    out.push_str(&format!(
        "<section class=\"keep\">\n<h2>What these numbers are not</h2>\n<p>{}</p>\n</section>\n\
         </main>\n</body>\n</html>\n",
        safe(&report.limits)
    ));
    out
}

fn head(out: &mut String, report: &Report, heading: &str) {
    out.push_str(&format!("<header>\n<h1>{heading}</h1>\n<dl>\n"));
    for (name, value) in wording::facts(report) {
        let value = safe(&value);
        out.push_str(&format!("<div><dt>{name}</dt><dd dir=\"auto\">{value}</dd></div>\n"));
    }
    out.push_str("</dl>\n");
    if let Some(note) = &report.calibration_note {
        out.push_str(&format!("<p>{}</p>\n", safe(note)));
    }
    out.push_str("</header>\n");
}

fn score(out: &mut String, report: &Report) {
    out.push_str("<section>\n<h2>Score</h2>\n");
    if let (Some(score), Some(baseline)) = (report.score, report.baseline) {
        let steps = steps(baseline, &report.drivers);
        out.push_str(&format!(
            "<div class=\"keep\">\n<p class=\"score\"><strong>{}</strong> of 100</p>\n\
             <p>The mean of the scored answers: the baseline and the points of each signal, added \
             up.</p>\n",
            figure(score)
        ));
        out.push_str(&waterfall::svg(baseline, score, &steps));
        out.push_str("</div>\n");
        drivers(out, "How the score came about", baseline, score, &steps);
    } else {
        out.push_str("<p>No score: no answer was long enough to be scored.</p>\n");
    }
    out.push_str("</section>\n");
}

fn drivers(out: &mut String, caption: &str, baseline: Milli, score: Milli, steps: &[Step<'_>]) {
    table(out, caption, &["Signal", "-Points", "-Total"]);
    let mut row = |name: &str, points: &str, total: Milli| {
        out.push_str(&format!(
            "<tr><th scope=\"row\">{name}</th><td class=\"number\">{points}</td>\
             <td class=\"number\">{}</td></tr>\n",
            figure(total)
        ));
    };
    row("Baseline", "", baseline);
    for step in steps {
        let name = safe(&signal_title(step.signal));
        row(&name, &signed(step.points), step.after);
    }
    row("Score", "", score);
    out.push_str("</tbody>\n</table>\n");
}

/// The head of a table; a name that begins with a hyphen is that of a column of numbers.
fn table(out: &mut String, caption: &str, columns: &[&str]) {
    out.push_str(&format!(
        "<table class=\"of-{}\">\n<caption>{caption}</caption>\n<thead><tr>",
        columns.len()
    ));
    for column in columns {
        match column.strip_prefix('-') {
            Some(name) => out.push_str(&format!("<th scope=\"col\" class=\"number\">{name}</th>")),
            None => out.push_str(&format!("<th scope=\"col\">{column}</th>")),
        }
    }
    out.push_str("</tr></thead>\n<tbody>\n");
}

fn figures(out: &mut String, name: &str, value: Option<Milli>, missing: &str) {
    out.push_str(&format!(
        "<tr><th scope=\"row\">{}</th><td class=\"number\">{}</td><td>{}</td></tr>\n",
        safe(&signal_title(name)),
        figure_or(value, missing),
        unit(name)
    ));
}

fn summary(out: &mut String, report: &Report) {
    out.push_str("<section>\n<h2>Signal by signal</h2>\n");
    let caption = "Means over all answers that have a value";
    table(out, caption, &["Signal", "-Mean", "Counted in"]);
    for (name, value) in wording::summary(report) {
        figures(out, name, value, "not enough");
    }
    out.push_str("</tbody>\n</table>\n");
    let values = report.summary.iter().map(|(name, value)| (name, *value));
    further(out, &wording::further(values));
    out.push_str("</section>\n");
}

/// Counts that weigh nothing.
fn further(out: &mut String, counts: &str) {
    if !counts.is_empty() {
        let counts = safe(counts);
        out.push_str(&format!("<p class=\"soft\">Further counts: {counts}.</p>\n"));
    }
}

fn findings(out: &mut String, report: &Report, title: &str, found: &[Finding]) {
    out.push_str(&format!("<section>\n<h2>{title}</h2>\n"));
    if found.is_empty() {
        out.push_str("<p>Nothing stood out.</p>\n</section>\n");
        return;
    }
    out.push_str("<ul>\n");
    for finding in found {
        let name = safe(&signal_title(&finding.signal));
        let text = safe(&finding.text);
        out.push_str(&format!("<li><strong>{name}</strong>: {text}"));
        if let Some((n, words)) = wording::quoted(report, finding) {
            out.push_str(&format!(
                " <a href=\"#answer-{n}\">Answer {n}</a>: <q dir=\"auto\">{}</q>",
                safe(words)
            ));
        }
        out.push_str("</li>\n");
    }
    out.push_str("</ul>\n</section>\n");
}

fn conflicts(out: &mut String, report: &Report) {
    if report.conflicts.is_empty() {
        return;
    }
    out.push_str("<section>\n<h2>Please reconcile</h2>\n");
    let caption = "Statements that do not fit together; there may be a good reason";
    table(out, caption, &["First", "Then", "Rule", "Weight"]);
    for found in &report.conflicts {
        out.push_str("<tr>");
        for (place, quote) in wording::sides(report, found) {
            let (place, words) = (safe(&place), safe(&quote.text));
            out.push_str(&format!("<td>{place}: <q dir=\"auto\">{words}</q></td>"));
        }
        let weight = wording::severity(found.conflict.severity);
        let rule = safe(&found.conflict.rule);
        out.push_str(&format!(
            "<td><code>{rule}</code></td><td class=\"word\">{weight}</td></tr>\n"
        ));
    }
    out.push_str("</tbody>\n</table>\n</section>\n");
}

fn timeline(out: &mut String, report: &Report) {
    out.push_str("<section>\n<h2>Timeline</h2>\n");
    let columns = ["Time", "Question", "-Words", "-Score"];
    table(out, "The answers in order; open questions last", &columns);
    for entry in &report.timeline {
        let none = if entry.kind == "unanswered" { "not answered" } else { "no score" };
        out.push_str(&format!(
            "<tr><td class=\"word\">{}</td><td dir=\"auto\">{}</td><td class=\"number\">{}</td>\
             <td class=\"number\">{}</td></tr>\n",
            safe(&wording::moment(entry.at.as_deref().unwrap_or(""))),
            safe(&entry.label),
            figure_or(entry.words, ""),
            figure_or(entry.score, none)
        ));
    }
    out.push_str("</tbody>\n</table>\n</section>\n");
}

fn delivery(out: &mut String, report: &Report) {
    out.push_str("<section class=\"keep\">\n<h2>Delivery facts</h2>\n");
    let caption = "Plain counts; they are no measure of a person";
    table(out, caption, &["Fact", "-Mean", "Counted in"]);
    for (name, value) in wording::delivery(report) {
        figures(out, name, value, "not measured");
    }
    out.push_str("</tbody>\n</table>\n</section>\n");
}
