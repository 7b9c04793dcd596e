//! Interviews in the states that tests begin from.

use serde_json::{Value, json};

use crate::api::{Api, items, text};
use crate::deadline::until;

/// An answer that the engine finds something in.
pub(crate) const ANSWER: &str = "Our returns desk lost two parcels in ten. I mapped every step \
    with the night shift, removed the second scan and taught nine colleagues the new order. We \
    could have bought a sorting machine, but that would have cost more than the losses, so I \
    chose the cheaper test. As a result missing parcels fell from 20% to 4% within six weeks.";

/// Questions of a practice.
pub(crate) const QUESTIONS: [&str; 3] = [
    "Tell me about a process that you improved.",
    "When did you change your mind?",
    "What would you do differently today?",
];

/// A practice with these questions.
pub(crate) async fn practice(owner: &Api, questions: &[&str]) -> Value {
    let body = json!({"kind": "practice", "title": "Trial", "questions": questions});
    owner.post("/api/v1/interviews", body).await.ok(201)
}

/// A practice that has begun, and so has asked its first question.
pub(crate) async fn begun(owner: &Api) -> Value {
    let interview = practice(owner, &QUESTIONS).await;
    owner.post(&path(&interview, "/start"), json!({})).await.ok(200)
}

/// A practice with one answer that is over and has its report.
pub(crate) async fn reported(owner: &Api) -> Value {
    let interview = begun(owner).await;
    answer(owner, &interview, 0, ANSWER).await;
    owner.post(&path(&interview, "/finish"), json!({})).await.ok(200);
    until("the report", async || {
        let reply = owner.get(&path(&interview, "/report")).await;
        (reply.status == 200).then_some(())
    })
    .await;
    owner.get(&path(&interview, "")).await.ok(200)
}

/// Answers the n-th question over HTTP.
pub(crate) async fn answer(owner: &Api, interview: &Value, n: usize, words: &str) -> Value {
    let body = json!({"question_id": question(interview, n), "text": words});
    owner.post(&path(interview, "/answers"), body).await.ok(201)
}

/// The id of the n-th question.
pub(crate) fn question(interview: &Value, n: usize) -> String {
    text(&interview["questions"][n]["question_id"])
}

/// The id.
pub(crate) fn id(interview: &Value) -> String {
    text(&interview["id"])
}

/// The path of an interview, and what hangs below it.
pub(crate) fn path(interview: &Value, rest: &str) -> String {
    format!("/api/v1/interviews/{}{rest}", id(interview))
}

/// Every event of a room, page by page.
pub(crate) async fn events(member: &Api, interview: &Value) -> Vec<Value> {
    let mut all: Vec<Value> = Vec::new();
    loop {
        let after = all.len();
        let page = member.get(&path(interview, &format!("/events?after={after}"))).await.ok(200);
        let events = items(&page);
        if events.is_empty() {
            break;
        }
        all.extend(events);
    }
    for (n, event) in all.iter().enumerate() {
        assert_eq!(event["seq"], n + 1, "the events have no gap");
    }
    all
}

/// Checks that an analysis says what section 5 of the contract promises.
pub(crate) fn check_analysis(analysis: &Value) {
    let milli = |value: &Value| (value.as_f64().expect("a number") * 1_000.0).round() as i64;
    assert_eq!(analysis["status"], "scored", "{analysis}");
    let drivers = analysis["drivers"].as_array().expect("drivers");
    let sum: i64 = drivers.iter().map(|driver| milli(&driver["points"])).sum();
    assert_eq!(milli(&analysis["baseline"]) + sum, milli(&analysis["score"]), "{analysis}");
    for name in greenroom::domain::analysis::SIGNAL_NAMES {
        assert!(analysis["signals"][name].is_object(), "{name} is missing in {analysis}");
    }
    assert_eq!(text(&analysis["calibration"]["sha256"]).len(), 64);
}

/// A calibration that weighs structure more and specificity less than the built-in one.
pub(crate) fn calibration(version: &str) -> String {
    greenroom::insight::calibration::built_in::DEFAULT
        .replacen("core-1", version, 2)
        .replacen("weight = 22", "weight = 32", 1)
        .replacen("weight = 20", "weight = 10", 1)
}
