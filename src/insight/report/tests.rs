//! A report adds up, points into its answers, and says what is missing.

use super::super::{AnswerInput, Engine};
use super::*;

const STRONG: &str = "\
    Last spring our returns desk was overloaded and parcels went missing. I mapped every step \
    because nobody knew where they got lost, removed the second scan and taught nine colleagues. \
    As a result missing parcels fell from 20 percent to 4 percent within six weeks.";
const WEAK: &str = "Well, um, it was mostly set by the others, and things were done somehow, and I \
    think it was really fine in the end, you know, more or less, and nobody complained a lot.";

fn item(seq: u64, text: &str, earlier: &[&str]) -> AnsweredItem {
    let input = AnswerInput {
        question: Some("Tell me about a time you improved a process.".to_owned()),
        answer: text.to_owned(),
        earlier: Some(earlier.iter().map(|text| (*text).to_owned()).collect()),
        ..AnswerInput::default()
    };
    AnsweredItem {
        question_id: format!("q{seq}"),
        question: input.question.clone().expect("given"),
        answer_id: format!("a{seq}"),
        text: text.to_owned(),
        at: format!("2026-01-01T00:00:0{seq}.000Z"),
        seq,
        analysis: Engine::built_in().analyse(&input),
    }
}

fn report(answers: Vec<AnsweredItem>) -> Report {
    build(&ReportInput { answers, ..ReportInput::default() })
}

#[test]
fn drivers_and_baseline_make_the_mean_score_exactly() {
    for texts in [vec![STRONG], vec![STRONG, WEAK], vec![WEAK, STRONG, STRONG, "Too short."]] {
        let items = texts.iter().zip(1..).map(|(text, seq)| item(seq, text, &[])).collect();
        let report = report(items);
        let points: Milli = report.drivers.iter().map(|driver| driver.points).sum();
        let baseline = report.baseline.expect("scored");
        assert_eq!(report.score, Some(baseline + points), "{texts:?}");
    }
}

#[test]
fn an_interview_without_a_scored_answer_has_no_score() {
    let report = report(vec![item(1, "No.", &[])]);
    assert_eq!((report.score, report.baseline), (None, None));
    assert!(report.drivers.is_empty() && report.strengths.is_empty());
    assert_eq!(report.summary["consistency"], None);
    assert_eq!(build(&ReportInput::default()).calibration, None);
}

#[test]
fn findings_point_into_their_answers() {
    let report = report(vec![item(1, STRONG, &[]), item(2, WEAK, &[STRONG])]);
    assert!(!report.strengths.is_empty(), "{:?}", report.drivers);
    for finding in report.strengths.iter().chain(&report.risks) {
        let of = report.answers.iter().find(|a| a.answer.answer_id == finding.answer_id);
        let length = of.expect("an answer of the report").answer.text.chars().count() as u32;
        assert!(finding.to.is_none_or(|to| to <= length), "{finding:?}");
    }
}

#[test]
fn conflicts_name_both_answers_and_cost_consistency() {
    let before = "I managed the Leeds warehouse.";
    let items =
        vec![item(1, before, &[]), item(2, "I never managed the Leeds warehouse.", &[before])];
    let report = report(items);
    assert_eq!(report.conflicts.len(), 1);
    assert_eq!(report.conflicts[0].answer_id, "a2");
    assert_eq!(report.conflicts[0].earlier_answer_id.as_deref(), Some("a1"));
    assert_eq!(report.summary["consistency"], Some(Milli::whole(80)));
    assert_eq!(report.risks[0].signal, "consistency");
}

#[test]
fn mixed_calibrations_are_said_openly() {
    let mut items = vec![item(1, STRONG, &[]), item(2, STRONG, &[])];
    assert_eq!(report(items.clone()).calibration_note, None);
    items[0].analysis.calibration.version = "older".to_owned();
    let report = report(items);
    assert!(report.calibration_note.is_some());
    assert_eq!(report.calibration.expect("answers").version, "core-1");
}

#[test]
fn a_report_survives_json() {
    let report = report(vec![item(1, STRONG, &[]), item(2, WEAK, &[STRONG])]);
    let text = serde_json::to_string(&report).expect("written");
    assert_eq!(serde_json::from_str::<Report>(&text).expect("read"), report);
}
