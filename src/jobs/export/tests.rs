//! The same report gives the same files, and what people typed stays text in all of them.
//!
//! The golden report was made by the engine once. It is read back here, so that these files stay as
//! they are when the engine learns something, and reports of older releases stay readable.
//! `BLESS=1` makes all of them anew.

use std::path::PathBuf;

use proptest::prelude::*;

use super::*;
use crate::domain::analysis::{SIGNAL_NAMES, TimedWord};
use crate::domain::number::Milli;
use crate::insight::report::{AnsweredItem, QuestionText, ReportInput, build};
use crate::insight::{AnswerInput, Engine};

const STRONG: &str = "Last spring our returns desk at the Leeds depot was overloaded and 20 \
    percent of parcels went missing. I led a team of five people. I mapped every step because \
    nobody knew where parcels got lost, and I weighed a new scanner against a new order of \
    work: the scanner would have cost 40,000 pounds, so I chose the order.\n\nAs a result \
    missing parcels fell from 20 percent to 4 percent within six weeks.";
const HOSTILE: &str = "=SUM(A1:A9) <script>alert('x')</script> <img src=x onerror=\"y\"> & \
    **bold** [link](https://example.org) | cell | `code` www.example.org ada@example.org. Um, it \
    was, you know, mostly done by the others, and things were handled somehow, and I think that I \
    never managed the depot, more or less.\n# heading\n- item\n1. item\n> quote";
const SHORT: &str = "No, I cannot think of one.";

fn item(seq: u64, question: &str, text: &str, earlier: &[&str]) -> AnsweredItem {
    let spoken = (seq == 1).then(|| {
        let words = text.split_whitespace().zip(0..);
        words
            .map(|(word, n)| TimedWord(word.to_owned(), Milli(n * 400), Milli(n * 400 + 350)))
            .collect::<Vec<_>>()
    });
    let input = AnswerInput {
        question: Some(question.to_owned()),
        answer: text.to_owned(),
        cv: Some("Led a team of twelve people at the Leeds depot.".to_owned()),
        earlier: Some(earlier.iter().map(|text| (*text).to_owned()).collect()),
        duration_s: spoken.as_ref().map(|_| Milli::whole(40)),
        words: spoken,
        ..AnswerInput::default()
    };
    AnsweredItem {
        question_id: format!("019a0000-0000-7000-8000-00000000010{seq}"),
        question: question.to_owned(),
        answer_id: format!("019a0000-0000-7000-8000-00000000020{seq}"),
        text: text.to_owned(),
        at: format!("2026-11-22T09:3{seq}:00.000Z"),
        seq,
        analysis: Engine::built_in().analyse(&input),
    }
}

fn made() -> Report {
    build(&ReportInput {
        interview_id: "019a0000-0000-7000-8000-000000000001".to_owned(),
        kind: "practice".to_owned(),
        role: Some("Depot <lead>".to_owned()),
        mode: Some("default".to_owned()),
        finished_at: Some("2026-11-22T09:40:00.000Z".to_owned()),
        answers: vec![
            item(1, "Tell me about a process that you improved.", STRONG, &[]),
            item(2, "What did you do as a manager? <b>|*", HOSTILE, &[STRONG]),
            item(3, "Tell me about a failure.", SHORT, &[STRONG, HOSTILE]),
        ],
        questions_unanswered: vec![QuestionText {
            question_id: "019a0000-0000-7000-8000-000000000104".to_owned(),
            text: "What would you do in your first month?".to_owned(),
        }],
    })
}

fn golden(format: Format) -> PathBuf {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/export");
    PathBuf::from(folder).join(format!("report.{}", format.extension()))
}

#[test]
fn the_golden_report_gives_the_golden_files() {
    if std::env::var_os("BLESS").is_some() {
        for format in Format::ALL {
            let path = golden(format);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, render(&made(), format)).unwrap();
        }
    }
    let read = |format| std::fs::read_to_string(golden(format)).unwrap();
    let report: Report = serde_json::from_str(&read(Format::Json)).unwrap();
    for format in Format::ALL {
        let (is, should) = (render(&report, format), read(format));
        let line = is.lines().zip(should.lines()).position(|(a, b)| a != b);
        assert!(
            is == should,
            "report.{} differs at line {line:?}; if the change is meant, run the tests with \
             BLESS=1 and look at the difference",
            format.extension()
        );
    }
}

#[test]
fn only_the_four_forms_are_known() {
    for format in Format::ALL {
        assert_eq!(Format::parse(format.extension()), Ok(format));
    }
    for wrong in ["", "JSON", "pdf", "html "] {
        let refusal = Format::parse(wrong).unwrap_err();
        assert_eq!(refusal.fields[0].field, "format", "{wrong}");
    }
}

#[test]
fn a_report_without_answers_says_so_in_every_form() {
    let report = build(&ReportInput::default());
    assert_eq!(rows(&render(&report, Format::Csv)).len(), 1);
    for format in [Format::Md, Format::Html] {
        let text = render(&report, format);
        assert!(text.contains("No score: no answer was long enough"));
        assert!(!text.contains("<svg"));
    }
}

#[test]
fn the_steps_lead_from_the_baseline_to_the_score() {
    let report = made();
    let baseline = report.baseline.unwrap();
    let steps = waterfall::steps(baseline, &report.drivers);
    assert_eq!(steps.len(), report.drivers.len());
    assert_eq!(steps[0].before, baseline);
    assert!(steps.windows(2).all(|two| two[0].after == two[1].before));
    assert_eq!(steps.last().map(|step| step.after), report.score);
    let html = render(&report, Format::Html);
    for step in &steps {
        let cells = format!(
            "<td class=\"number\">{}</td><td class=\"number\">{}</td>",
            wording::signed(step.points),
            wording::figure(step.after)
        );
        assert!(html.contains(&cells), "{step:?}");
    }
}

#[test]
fn figures_show_every_place_and_no_more() {
    for (milli, text) in
        [(0, "0"), (1, "0.001"), (-50, "-0.05"), (62_500, "62.5"), (100_000, "100"), (-7_000, "-7")]
    {
        assert_eq!(wording::figure(Milli(milli)), text);
    }
    assert_eq!(wording::signed(Milli(3_250)), "+3.25");
    assert_eq!(wording::signed(Milli(0)), "0");
}

#[test]
fn a_row_says_what_the_report_says() {
    let report = made();
    let rows = rows(&render(&report, Format::Csv));
    assert_eq!(rows.len(), 1 + report.answers.len());
    let cell = |row: usize, name: &str| {
        let column = rows[0].iter().position(|head| head == name);
        rows[row][column.unwrap_or_else(|| panic!("no column {name}"))].as_str()
    };
    for (row, item) in (1..).zip(&report.answers) {
        for name in SIGNAL_NAMES {
            let value = item.analysis.signals[name].value;
            assert_eq!(cell(row, name), wording::figure_or(value, ""), "{name}");
        }
        let score = wording::figure_or(item.analysis.score, "");
        assert_eq!(cell(row, "score"), score);
        let worst = item.analysis.drivers.iter().map(|driver| driver.points);
        let worst = worst.min().filter(|points| points.0 < 0);
        assert_eq!(cell(row, "negative_points"), wording::figure_or(worst, ""));
    }
    assert!(cell(2, "negative_points").starts_with('-'));
    assert!(cell(2, "text").starts_with("'=SUM("));
    assert_eq!(cell(2, "answered_at"), "2026-11-22T09:32:00.000Z");
    assert_eq!(cell(3, "status"), "insufficient");
    assert!(!cell(3, "insufficient_because").is_empty());
}

#[test]
fn the_page_asks_for_nothing_and_runs_nothing() {
    let html = render(&made(), Format::Html);
    for wanted in [
        "<html lang=\"en\">",
        "<title>Report on a practice interview · Greenroom</title>",
        "<svg class=\"waterfall\"",
        "<mark title=\"",
        "<b class=\"star result\">Result</b>",
        "@media print",
        "size: A4",
    ] {
        assert!(html.contains(wanted), "{wanted}");
    }
    for tag in tags(&html) {
        let name = tag.split_ascii_whitespace().next().unwrap_or("");
        assert!(!["script", "img", "iframe", "object", "link", "base"].contains(&name));
        assert!(!tag.contains(" src=") && !tag.contains(" style="), "{tag}");
        assert!(!tag.contains("href=") || tag.contains("href=\"#answer-"), "{tag}");
    }
    let style = &html[..html.find("</style>").unwrap()];
    assert!(!style.contains("url(") && !style.contains("@import"));
}

#[test]
fn every_rule_of_an_answer_can_be_found_on_the_page() {
    let report = made();
    let html = render(&report, Format::Html);
    let signals = report.answers.iter().flat_map(|a| &a.analysis.signals);
    let evidence: Vec<_> = signals.flat_map(|(_, signal)| &signal.evidence).collect();
    assert!(evidence.len() > 20);
    let titles: String = tags(&html).filter(|tag| tag.starts_with("mark ")).collect();
    for mark in evidence {
        assert!(titles.contains(&mark.rule), "{mark:?}");
    }
}

#[test]
fn spans_outside_an_answer_are_left_out() {
    let mut report = made();
    let mark = &mut report.answers[0].analysis.signals;
    for signal in mark.values_mut() {
        for mark in &mut signal.evidence {
            (mark.from, mark.to) = (mark.to + 1_000, u32::MAX);
        }
    }
    report.answers[0].analysis.sentences[0].to = u32::MAX;
    for format in Format::ALL {
        assert!(render(&report, format).contains("returns desk"));
    }
}

/// Every text of a report that a person, or data from outside, can have a say in.
fn texts(report: &mut Report) -> Vec<&mut String> {
    let mut texts = vec![&mut report.interview_id, &mut report.kind];
    texts.extend(&mut report.role);
    texts.extend(&mut report.mode);
    texts.extend(&mut report.finished_at);
    for finding in report.strengths.iter_mut().chain(&mut report.risks) {
        texts.extend([&mut finding.signal, &mut finding.text]);
    }
    for found in &mut report.conflicts {
        let conflict = &mut found.conflict;
        texts.extend([&mut conflict.a.text, &mut conflict.b.text, &mut conflict.rule]);
        texts.extend([&mut conflict.a.source, &mut conflict.b.source]);
    }
    for entry in &mut report.timeline {
        texts.push(&mut entry.label);
        texts.extend(&mut entry.at);
    }
    for driver in &mut report.drivers {
        texts.push(&mut driver.signal);
    }
    for item in &mut report.answers {
        texts.extend([&mut item.question.text, &mut item.answer.text]);
        let analysis = &mut item.analysis;
        texts.extend(analysis.drivers.iter_mut().map(|driver| &mut driver.signal));
        texts.extend(analysis.hints.iter_mut().map(|hint| &mut hint.text));
        texts.extend(analysis.answered.met.iter_mut());
        texts.extend(analysis.answered.missed.iter_mut());
        texts.extend(&mut analysis.insufficient_because);
        let marks = analysis.signals.values_mut();
        for mark in marks.flat_map(|signal| &mut signal.evidence) {
            texts.push(&mut mark.rule);
        }
        for sentence in &mut analysis.sentences {
            texts.extend(&mut sentence.weak);
        }
    }
    texts
}

/// The report with these texts in turn in the place of its own, each as it is or changed.
fn filled(report: &Report, with: &[String], change: fn(char) -> char) -> Report {
    let mut report = report.clone();
    let places = texts(&mut report).into_iter().enumerate();
    for ((n, text), new) in places.zip(with.iter().cycle()) {
        // A number in front keeps the order of rules, and rules apart, when signs are changed.
        *text = format!("{n:05} ") + &new.chars().map(change).collect::<String>();
    }
    report
}

/// Signs that mean something in HTML.
fn without_signs(letter: char) -> char {
    if "<>&\"'".contains(letter) { '#' } else { letter }
}

/// What stands between `<` and `>`.
fn tags(html: &str) -> impl Iterator<Item = &str> {
    html.split('<').skip(1).filter_map(|rest| rest.split('>').next())
}

/// A small reader of RFC 4180 that takes the apostrophe before a formula away again.
fn rows(csv: &str) -> Vec<Vec<String>> {
    let mut rows = vec![vec![String::new()]];
    let mut letters = csv.chars().peekable();
    let mut quoted = false;
    while let Some(letter) = letters.next() {
        let row = rows.last_mut().unwrap();
        match letter {
            '"' if quoted && letters.next_if_eq(&'"').is_some() => {
                row.last_mut().unwrap().push('"')
            }
            '"' => quoted = !quoted,
            ',' if !quoted => row.push(String::new()),
            '\r' if !quoted && letters.next_if_eq(&'\n').is_some() => {
                rows.push(vec![String::new()])
            }
            _ => row.last_mut().unwrap().push(letter),
        }
    }
    assert_eq!(rows.pop(), Some(vec![String::new()]), "the file ends with CRLF");
    rows
}

fn without_apostrophe(cell: &str) -> &str {
    let starts = cell.trim_start_matches('\'').starts_with(FORMULA);
    cell.strip_prefix('\'').filter(|_| starts).unwrap_or(cell)
}

const FORMULA: [char; 11] = ['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠'];

/// Text with a taste for trouble.
fn hostile() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("<script>"),
        Just("</style>"),
        Just("]]>"),
        Just("-->"),
        Just("\""),
        Just("'"),
        Just("&lt;"),
        Just("&"),
        Just("="),
        Just("-"),
        Just("@"),
        Just("\t"),
        Just("\r\n"),
        Just("\r"),
        Just("\n"),
        Just(","),
        Just("\"\""),
        Just("😀"),
        Just("é"),
        Just("-12.5"),
        Just("'="),
        Just("*"),
        Just("|"),
        Just("["),
        Just("]("),
        Just("`"),
        Just("1. "),
        Just("# "),
        Just("http://x.org"),
        Just("www.x.org"),
        Just("a@b.org"),
        Just("word "),
        Just("\u{202e}"),
        Just("\u{0}"),
        Just("   "),
        Just("\\"),
        Just("~~"),
        Just("$"),
    ];
    prop::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 96,
        // A failure prints its input; a file beside the sources would only be left behind.
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn any_text_survives_csv(text in prop_oneof![hostile(), any::<String>()]) {
        let mut report = build(&ReportInput::default());
        report.answers = GOLDEN.with(|golden| golden.answers.clone());
        report.role = Some(text.clone());
        report.answers[0].answer.text = text.clone();
        let csv = render(&report, Format::Csv);
        let rows = rows(&csv);
        prop_assert_eq!(rows.len(), 1 + report.answers.len());
        prop_assert!(rows.iter().all(|row| row.len() == rows[0].len()));
        for cell in [rows[1].last().unwrap(), &rows[1][2]] {
            prop_assert_eq!(without_apostrophe(cell), &text);
            let number = cell.parse::<f64>().is_ok();
            prop_assert!(number || !cell.starts_with(FORMULA), "{cell:?} could be a formula");
        }
    }

    /// The page with hostile words and the page with their signs made harmless differ in nothing
    /// but escaped signs: so no sign of theirs reached the markup.
    #[test]
    fn no_text_becomes_markup(with in prop::collection::vec(hostile(), 1..6)) {
        let defused = |report: &Report| {
            let html = render(report, Format::Html);
            ["&lt;", "&gt;", "&quot;", "&#39;", "&amp;"]
                .iter()
                .fold(html, |html, sign| html.replace(sign, "#"))
        };
        let (as_is, harmless) = GOLDEN.with(|golden| {
            (filled(golden, &with, |c| c), filled(golden, &with, without_signs))
        });
        let (as_is, harmless) = (defused(&as_is), defused(&harmless));
        let other = as_is.lines().zip(harmless.lines()).find(|(a, b)| a != b);
        prop_assert!(as_is == harmless, "{other:?}");
    }

    #[test]
    fn no_text_becomes_markdown(text in hostile()) {
        let lines: Vec<String> = escape::markdown_lines(&text).collect();
        for line in lines.iter().chain([&escape::markdown(&text)]) {
            prop_assert!(!line.starts_with(['#', '+', '-', '=', ' ', '\t']), "{line:?}");
            prop_assert!(!line.contains(['\n', '\r']), "{line:?}");
            let plain = line.replace("<!-- -->", "");
            let mut letters = plain.chars();
            while let Some(letter) = letters.next() {
                match letter {
                    '\\' => prop_assert!(letters.next().is_some_and(|c| c.is_ascii_punctuation())),
                    _ => prop_assert!(!"`*_[]<>|~&$!".contains(letter), "{line:?}"),
                }
            }
            prop_assert!(!plain.contains("www.") && !plain.contains("x.org"), "{line:?}");
            prop_assert!(!plain.replace("\\:", "").contains(":/"), "{line:?}");
        }
    }
}

thread_local! {
    /// Made once, because the engine reads its word lists each time.
    static GOLDEN: Report = made();
}
