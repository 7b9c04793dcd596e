//! One row an answer, after RFC 4180, for spreadsheets and statistics.
//!
//! **Invariant:** no cell can start a formula. A text that could gets an apostrophe in front; so
//! does one that begins with apostrophes before such a sign, which makes the change reversible.

use super::wording;
use crate::domain::analysis::{Analysis, Driver, SIGNAL_NAMES};
use crate::domain::number::Milli;
use crate::insight::report::{Report, ReportAnswer};

/// What a spreadsheet may take for the beginning of a formula, or skip before one. The wide forms
/// count too, because some of them read those as the plain ones.
const STARTS: [char; 11] = ['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠'];

/// The columns before the signals.
const BEFORE: [&str; 15] = [
    "interview_id",
    "kind",
    "role",
    "mode",
    "finished_at",
    "interview_score",
    "calibration_version",
    "calibration_sha256",
    "answer_id",
    "answered_at",
    "question_id",
    "question",
    "status",
    "score",
    "baseline",
];

/// The columns after the signals.
const AFTER: [&str; 8] = [
    "answered",
    "positive_driver",
    "positive_points",
    "negative_driver",
    "negative_points",
    "conflicts",
    "insufficient_because",
    "text",
];

pub(super) fn render(report: &Report) -> String {
    let mut out = String::new();
    let names = BEFORE.iter().chain(&SIGNAL_NAMES).chain(&AFTER);
    row(&mut out, names.map(|name| (*name).to_owned()));
    for item in &report.answers {
        row(&mut out, cells(report, item).into_iter());
    }
    out
}

fn cells(report: &Report, item: &ReportAnswer) -> Vec<String> {
    let analysis = &item.analysis;
    let number = |value: Option<Milli>| wording::figure_or(value, "");
    let words = |value: &Option<String>| value.clone().unwrap_or_default();
    let mut cells = vec![
        report.interview_id.clone(),
        report.kind.clone(),
        words(&report.role),
        words(&report.mode),
        words(&report.finished_at),
        number(report.score),
        analysis.calibration.version.clone(),
        analysis.calibration.sha256.clone(),
        item.answer.answer_id.clone(),
        answered_at(report, item).to_owned(),
        item.question.question_id.clone(),
        item.question.text.clone(),
        wording::status_code(analysis.status).to_owned(),
        number(analysis.score),
        wording::figure(analysis.baseline),
    ];
    for name in SIGNAL_NAMES {
        cells.push(number(analysis.signals.get(name).and_then(|s| s.value)));
    }
    cells.push(wording::answered_code(analysis.answered.label).to_owned());
    for driver in [strongest(analysis, 1), strongest(analysis, -1)] {
        cells.push(driver.map(|d| d.signal.clone()).unwrap_or_default());
        cells.push(number(driver.map(|d| d.points)));
    }
    cells.push(analysis.conflicts.len().to_string());
    cells.push(words(&analysis.insufficient_because));
    cells.push(item.answer.text.clone());
    cells
}

fn answered_at<'a>(report: &'a Report, item: &ReportAnswer) -> &'a str {
    let id = Some(item.answer.answer_id.as_str());
    let entry = report.timeline.iter().find(|entry| entry.answer_id.as_deref() == id);
    entry.and_then(|entry| entry.at.as_deref()).unwrap_or("")
}

/// The driver with the most points of that sign; of equals the first.
fn strongest(analysis: &Analysis, sign: i64) -> Option<&Driver> {
    let mut best: Option<&Driver> = None;
    for driver in &analysis.drivers {
        let points = driver.points.0 * sign;
        if points > best.map_or(0, |driver| driver.points.0 * sign) {
            best = Some(driver);
        }
    }
    best
}

fn row(out: &mut String, cells: impl Iterator<Item = String>) {
    for (n, cell) in cells.enumerate() {
        if n > 0 {
            out.push(',');
        }
        out.push_str(&quoted(&harmless(&cell)));
    }
    out.push_str("\r\n");
}

/// The cell without the power to be a formula.
fn harmless(cell: &str) -> String {
    let starts = cell.trim_start_matches('\'').starts_with(STARTS);
    if starts && !is_number(cell) { format!("'{cell}") } else { cell.to_owned() }
}

/// A plain number such as `-12.5`, which a table must keep as one.
fn is_number(cell: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let amount = cell.strip_prefix('-').unwrap_or(cell);
    match amount.split_once('.') {
        Some((whole, places)) => digits(whole) && digits(places),
        None => digits(amount),
    }
}

fn quoted(cell: &str) -> String {
    let blank_edge = cell.starts_with(' ') || cell.ends_with(' ');
    if blank_edge || cell.contains(['"', ',', '\r', '\n']) {
        format!("\"{}\"", cell.replace('"', "\"\""))
    } else {
        cell.to_owned()
    }
}
