//! A report in eighty columns: the numbers, what moved them, and where they come from.
//!
//! **Invariant:** nothing is computed here but sums that check themselves; every number is the
//! report's own.

use std::fmt::Write;
use std::time::Duration;

use crate::cli::output::{facts, shortened, wrap};
use crate::domain::analysis::{AnsweredLabel, Driver, Quote, Severity, Status};
use crate::domain::number::Milli;
use crate::insight::report::{Report, ReportAnswer, ReportConflict};

use super::replay::Replay;

/// What the report does not say about itself.
pub(super) struct Origin<'a> {
    /// The interview's title.
    pub(super) title: &'a str,
    /// Who practised.
    pub(super) candidate: &'a str,
    /// The kit with its version.
    pub(super) kit: &'a str,
    /// How it was played.
    pub(super) replay: &'a Replay,
}

/// Terminals have at least so many.
const COLUMNS: usize = 80;

/// The whole page.
pub(super) fn print(report: &Report, origin: &Origin<'_>) -> String {
    let mut page = String::new();
    head(&mut page, report, origin);
    heading(&mut page, "What moved the score");
    page += &drivers(report);
    heading(&mut page, "Answers");
    for (n, answer) in report.answers.iter().enumerate() {
        one_answer(&mut page, n + 1, answer);
    }
    heading(&mut page, "Statements to reconcile");
    if report.conflicts.is_empty() {
        page += "None were found.\n";
    }
    for conflict in &report.conflicts {
        one_conflict(&mut page, report, conflict);
    }
    heading(&mut page, "Where it comes from");
    page += &provenance(report, origin);
    page.push('\n');
    page += &wrap(&report.limits, "", COLUMNS);
    page
}

fn head(page: &mut String, report: &Report, origin: &Origin<'_>) {
    let _ = writeln!(page, "{}", shortened(origin.title, COLUMNS));
    page.push_str(&"=".repeat(shortened(origin.title, COLUMNS).chars().count()));
    page.push_str("\n\n");
    let scored = report.answers.iter().filter(|a| a.analysis.status == Status::Scored).count();
    let score = match report.score {
        Some(score) => format!("{} of 100", decimal(score)),
        None => "none: no answer says enough".to_owned(),
    };
    let mut rows = vec![
        ("candidate", origin.candidate.to_owned()),
        ("role", report.role.clone().unwrap_or_else(|| "not named".to_owned())),
        ("mode", report.mode.clone().unwrap_or_else(|| "default weights".to_owned())),
        ("finished", report.finished_at.clone().unwrap_or_default()),
        ("answers", format!("{}, of which {scored} could be scored", report.answers.len())),
        ("score", score),
    ];
    if let Some(calibration) = &report.calibration {
        rows.push(("calibration", calibration.version.clone()));
        rows.push(("sha256", calibration.sha256.clone()));
    }
    *page += &facts(&rows);
    if let Some(note) = &report.calibration_note {
        *page += &wrap(note, "", COLUMNS);
    }
}

/// From the baseline to the score, the largest step first.
fn drivers(report: &Report) -> String {
    let (Some(baseline), Some(score)) = (report.baseline, report.score) else {
        return "Nothing, because there is no score.\n".to_owned();
    };
    let mut steps: Vec<&Driver> = report.drivers.iter().collect();
    steps.sort_by_key(|driver| (-driver.points.0.abs(), driver.signal.as_str()));
    let mut rows = vec![("baseline", decimal(baseline))];
    rows.extend(steps.iter().map(|driver| (driver.signal.as_str(), signed(driver.points))));
    rows.push(("score", decimal(score)));
    let width = rows.iter().map(|(_, number)| number.chars().count()).max().unwrap_or(0);
    let rows: Vec<_> = rows.iter().map(|(name, n)| (*name, format!("{n:>width$}"))).collect();
    facts(&rows)
}

fn one_answer(page: &mut String, n: usize, answer: &ReportAnswer) {
    let question = shortened(&answer.question.text, COLUMNS - 4);
    let _ = writeln!(page, "{n:>2}  {question}");
    let analysis = &answer.analysis;
    let label = match analysis.answered.label {
        Some(AnsweredLabel::Clear) => "clear",
        Some(AnsweredLabel::Partial) => "partial",
        Some(AnsweredLabel::Declined) => "declined",
        None => "not judged",
    };
    let Some(score) = analysis.score else {
        let because = analysis.insufficient_because.as_deref().unwrap_or("too little to say");
        let because = because.trim_end_matches('.');
        let text = format!("insufficient: {because}; question answered: {label}");
        *page += &wrap(&text, "    ", COLUMNS);
        return;
    };
    let _ = writeln!(page, "    scored {}; question answered: {label}", decimal(score));
    let best = analysis.drivers.iter().max_by_key(|driver| driver.points);
    let worst = analysis.drivers.iter().min_by_key(|driver| driver.points);
    let up = best.filter(|driver| driver.points > Milli::ZERO);
    let down = worst.filter(|driver| driver.points < Milli::ZERO);
    let named = |driver: Option<&Driver>| match driver {
        Some(driver) => format!("{} {}", driver.signal, signed(driver.points)),
        None => "nothing".to_owned(),
    };
    let _ = writeln!(page, "    up: {}; down: {}", named(up), named(down));
}

fn one_conflict(page: &mut String, report: &Report, conflict: &ReportConflict) {
    let ReportConflict { answer_id, earlier_answer_id, conflict } = conflict;
    let severity = match conflict.severity {
        Severity::Minor => "minor",
        Severity::Material => "material",
    };
    let _ = writeln!(page, "{}, {severity}: please reconcile", conflict.rule);
    let number = |id: &str| {
        let n = report.answers.iter().position(|answer| answer.answer.answer_id == id);
        n.map(|n| format!("answer {}", n + 1))
    };
    for quote in [&conflict.a, &conflict.b] {
        let id = match quote.source.as_str() {
            "answer" => Some(answer_id.as_str()),
            "earlier" => earlier_answer_id.as_deref(),
            _ => None,
        };
        let place = id.and_then(number).unwrap_or_else(|| elsewhere(quote).to_owned());
        let text = format!("{place}: “{}”", quote.text);
        *page += &wrap(&text, "    ", COLUMNS);
    }
}

/// The name of a source that is not among this interview's answers.
fn elsewhere(quote: &Quote) -> &str {
    match quote.source.as_str() {
        "cv" => "CV",
        "earlier" => "an earlier interview",
        other => other,
    }
}

fn provenance(report: &Report, origin: &Origin<'_>) -> String {
    let mut took = origin.replay.took.clone();
    took.sort();
    let ms = |took: Option<&Duration>| took.map_or(0.0, |took| took.as_secs_f64() * 1_000.0);
    let (middle, slowest) = (took.get(took.len() / 2), took.last());
    let spans: usize = report.answers.iter().map(spans).sum();
    facts(&[
        ("interview", report.interview_id.clone()),
        ("events", format!("1 to {}, each once and in order", origin.replay.events)),
        ("questions", format!("kit {}", origin.kit)),
        ("evidence", format!("{spans} marked places in the stored answers")),
        ("way", "typed into a WebSocket, one connection, one node, fsync on".to_owned()),
        ("answer to event", format!("{:.1} ms median, {:.1} ms slowest", ms(middle), ms(slowest))),
    ])
}

fn spans(answer: &ReportAnswer) -> usize {
    answer.analysis.signals.values().map(|signal| signal.evidence.len()).sum()
}

fn heading(page: &mut String, text: &str) {
    let _ = writeln!(page, "\n{text}\n{}", "-".repeat(text.chars().count()));
}

/// Thousandths as they are, without a float in between.
fn decimal(milli: Milli) -> String {
    let sign = if milli.0 < 0 { "-" } else { "" };
    let whole = milli.0.unsigned_abs();
    format!("{sign}{}.{:03}", whole / 1_000, whole % 1_000)
}

fn signed(milli: Milli) -> String {
    let sign = if milli.0 < 0 { "" } else { "+" };
    format!("{sign}{}", decimal(milli))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::insight::report::{AnsweredItem, ReportInput, build};
    use crate::insight::{AnswerInput, Engine};

    /// The script's own answers, through the engine and the report.
    fn sample() -> Report {
        let script = super::super::script::Script::built_in();
        let engine = Engine::built_in();
        let cv = serde_json::to_value(&script.context).expect("JSON")["cv_text"].clone();
        let mut input = ReportInput { interview_id: "i-1".into(), ..ReportInput::default() };
        for (n, answer) in script.answers.iter().enumerate() {
            let question = format!("Question {n} \u{1b}[2J about {}", answer.question);
            let analysis = engine.analyse(&AnswerInput {
                question: Some(question.clone()),
                answer: answer.text.clone(),
                cv: cv.as_str().map(str::to_owned),
                ..AnswerInput::default()
            });
            input.answers.push(AnsweredItem {
                question_id: format!("q-{n}"),
                question,
                answer_id: format!("a-{n}"),
                text: answer.text.clone(),
                at: "2026-01-02T03:04:05.678Z".into(),
                seq: n as u64 + 1,
                analysis,
            });
        }
        build(&input)
    }

    fn printed(report: &Report) -> String {
        let took = vec![Duration::from_millis(3), Duration::from_micros(1_500)];
        let replay = Replay { events: 17, took };
        let origin =
            Origin { title: "Title", candidate: "Mateus", kit: "k, version 1", replay: &replay };
        print(report, &origin)
    }

    #[test]
    fn the_page_holds_every_number_and_fits_eighty_columns() {
        let report = sample();
        let page = printed(&report);
        for line in page.lines() {
            assert!(line.chars().count() <= COLUMNS, "{line}");
            assert!(!line.contains(char::is_control), "{line:?}");
        }
        let calibration = report.calibration.as_ref().expect("a calibration");
        let score = decimal(report.score.expect("a score"));
        let known = [&*calibration.version, &*calibration.sha256, &*score];
        for wanted in known.into_iter().chain(["1 to 17", "3.0 ms median, 3.0 ms slowest"]) {
            assert!(page.contains(wanted), "{wanted}: {page}");
        }
        for driver in &report.drivers {
            assert!(page.contains(&signed(driver.points)), "{}", driver.signal);
        }
        for answer in &report.answers {
            if let Some(score) = answer.analysis.score {
                assert!(page.contains(&format!("scored {};", decimal(score))));
            }
        }
        let short = report.answers.iter().filter(|a| a.analysis.score.is_none()).count();
        assert_eq!(page.matches("insufficient: ").count(), short);
    }

    #[test]
    fn both_sides_of_a_conflict_are_quoted() {
        let report = sample();
        let page = printed(&report).split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(!report.conflicts.is_empty(), "the script has one on purpose");
        for conflict in &report.conflicts {
            for quote in [&conflict.conflict.a, &conflict.conflict.b] {
                let words = quote.text.split_whitespace().collect::<Vec<_>>().join(" ");
                assert!(page.contains(&words), "{words}: {page}");
            }
        }
    }

    #[test]
    fn a_report_without_answers_says_so() {
        let page = printed(&build(&ReportInput::default()));
        assert!(page.contains("none: no answer says enough"), "{page}");
        assert!(page.contains("None were found."), "{page}");
    }

    #[test]
    fn thousandths_are_printed_as_they_are() {
        for (milli, plain, with_sign) in [
            (0, "0.000", "+0.000"),
            (-7, "-0.007", "-0.007"),
            (62_513, "62.513", "+62.513"),
            (-100_000, "-100.000", "-100.000"),
        ] {
            assert_eq!(decimal(Milli(milli)), plain);
            assert_eq!(signed(Milli(milli)), with_sign);
        }
    }
}
