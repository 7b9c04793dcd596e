//! The report of an interview: when it is there, what it says, in which forms it leaves the house.

use serde_json::{Value, json};

use crate::org::shared;
use crate::scene;

#[tokio::test]
async fn a_report_comes_after_the_end_and_every_number_can_be_traced() {
    let person = shared().await.person("candidate").await;
    let running = scene::begun(&person.api).await;
    for rest in ["/report", "/export", "/export?format=csv"] {
        let reply = person.api.get(&scene::path(&running, rest)).await;
        reply.refused(409, "conflict.state");
    }
    let early =
        person.api.post(&scene::path(&running, "/feedback"), json!({"accurate": true})).await;
    early.refused(409, "conflict.state");

    let practice = scene::reported(&person.api).await;
    let report = person.api.get(&scene::path(&practice, "/report")).await.ok(200);
    for field in [
        "interview_id",
        "kind",
        "role",
        "mode",
        "finished_at",
        "calibration",
        "score",
        "summary",
        "strengths",
        "risks",
        "answers",
        "timeline",
        "conflicts",
        "delivery",
        "limits",
    ] {
        assert!(report.get(field).is_some(), "{field} is missing");
    }
    assert_eq!(report["interview_id"], practice["id"]);
    assert_eq!(report["finished_at"], practice["finished_at"]);
    let answer = &report["answers"][0];
    assert_eq!(answer["answer"]["text"], scene::ANSWER);
    assert_eq!(answer["question"]["question_id"], practice["questions"][0]["question_id"]);
    scene::check_analysis(&answer["analysis"]);
    let length = scene::ANSWER.chars().count() as u64;
    for (name, signal) in answer["analysis"]["signals"].as_object().unwrap() {
        for evidence in signal["evidence"].as_array().unwrap() {
            let (from, to) = (evidence["from"].as_u64(), evidence["to"].as_u64());
            assert!(from < to && to <= Some(length), "{name}: {evidence}");
        }
    }
    // What the report shows is what the room was told.
    let events = scene::events(&person.api, &practice).await;
    let told = events.iter().find(|event| event["kind"] == "answer.analysed").unwrap();
    assert_eq!(told["data"]["analysis"], answer["analysis"]);
    assert_eq!(events.last().unwrap()["kind"], "report.ready");
}

#[tokio::test]
async fn a_report_leaves_in_four_forms() {
    let person = shared().await.person("candidate").await;
    let practice = scene::reported(&person.api).await;
    let report = person.api.get(&scene::path(&practice, "/report")).await.ok(200);
    for (format, content_type) in [
        ("json", "application/json"),
        ("csv", "text/csv"),
        ("md", "text/markdown"),
        ("html", "text/html"),
    ] {
        let path = scene::path(&practice, &format!("/export?format={format}"));
        let reply = person.api.get(&path).await;
        assert_eq!(reply.status, 200, "{format}");
        assert!(reply.header("content-type").starts_with(content_type), "{format}");
        let name = format!("attachment; filename=\"greenroom-{}.{format}\"", scene::id(&practice));
        assert_eq!(reply.header("content-disposition"), name);
        let words = if format == "html" { "20% to 4%" } else { "removed the second scan" };
        assert!(reply.text().contains(words), "{format} has the answer's words");
        if format == "json" {
            assert_eq!(reply.json(), report);
        }
    }
    let default = person.api.get(&scene::path(&practice, "/export")).await;
    assert_eq!(default.json(), report);
    let reply = person.api.get(&scene::path(&practice, "/export?format=pdf")).await;
    assert_eq!(reply.wrong_fields("input.invalid"), ["format"]);
}

#[tokio::test]
async fn an_interview_without_answers_has_a_report_that_says_so() {
    let person = shared().await.person("candidate").await;
    let practice = scene::begun(&person.api).await;
    person.api.post(&scene::path(&practice, "/finish"), json!({})).await.ok(200);
    let report = crate::deadline::until("the report", async || {
        let reply = person.api.get(&scene::path(&practice, "/report")).await;
        (reply.status == 200).then(|| reply.json())
    })
    .await;
    assert_eq!(report["score"], Value::Null);
    assert_eq!(report["answers"], json!([]));
}
