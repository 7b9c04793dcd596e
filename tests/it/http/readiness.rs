//! The practice readiness index over HTTP: from one's own practices, exact, with words behind it.

use serde_json::{Value, json};

use crate::api::{Api, items, text};
use crate::deadline::until;
use crate::org::shared;
use crate::scene;

/// A weak answer: nothing that anybody could check.
const WEAK: &str = "Well, there was some stuff that somehow went wrong and things were kind of \
    bad for a while, and people did various things about it, and then it was sort of better \
    again, I guess, and everybody moved on to other stuff after that, more or less.";

/// A practice with this answer that is over and has its report.
async fn practised(owner: &Api, words: &str) -> Value {
    let interview = scene::begun(owner).await;
    scene::answer(owner, &interview, 0, words).await;
    owner.post(&scene::path(&interview, "/finish"), json!({})).await.ok(200);
    until("the report", async || {
        let reply = owner.get(&scene::path(&interview, "/report")).await;
        (reply.status == 200).then(|| reply.json())
    })
    .await
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| panic!("a number: {value}"))
}

async fn index(api: &Api) -> Value {
    api.get("/api/v1/me/readiness").await.ok(200)
}

#[tokio::test]
async fn readiness_is_made_of_ones_own_practices_and_adds_up() {
    let org = shared().await;
    let (person, other) = (org.person("candidate").await, org.person("candidate").await);
    let none = index(&person.api).await;
    assert_eq!((&none["index"], &none["points"]), (&Value::Null, &json!([])));
    // One that is not finished, and one of somebody else, do not count.
    scene::begun(&person.api).await;
    practised(&other.api, scene::ANSWER).await;
    assert_eq!(index(&person.api).await["index"], Value::Null);
    let weak = practised(&person.api, WEAK).await;
    let first = index(&person.api).await;
    assert_eq!(first["index"], weak["score"]);
    assert_eq!(first["change"], Value::Null);
    let strong = practised(&person.api, scene::ANSWER).await;
    let second = index(&person.api).await;
    let (low, high) = (number(&weak["score"]), number(&strong["score"]));
    assert!(low < high, "{low} {high}");
    let now = number(&second["index"]);
    assert!((low + high) / 2.0 < now && now < high, "the newer one counts more: {now}");
    let change = number(&second["change"]);
    assert!((change - (high - low)).abs() < 1e-6, "{change}");
    let told: f64 = items(&json!({"items": second["drivers"]}))
        .iter()
        .map(|driver| number(&driver["points"]))
        .sum();
    assert!((number(&second["baseline"]) + told - now).abs() < 1e-6);
    let interval = second["interval"].as_array().unwrap();
    assert!(number(&interval[0]) < now && now < number(&interval[1]));
    let points = second["points"].as_array().unwrap();
    assert_eq!(points.len(), 2);
    assert_eq!(points[0]["index"], first["index"], "the past is not told anew");
    assert_eq!(points[1]["interview_id"], strong["interview_id"]);
    for fix in second["fix_next"].as_array().unwrap() {
        let path = format!("/api/v1/interviews/{}/report", text(&fix["interview_id"]));
        let report = person.api.get(&path).await.ok(200);
        let answers = report["answers"].as_array().unwrap();
        let answer = answers.iter().find(|a| a["answer"]["answer_id"] == fix["answer_id"]);
        let words = text(&answer.expect("an answer of that practice")["answer"]["text"]);
        if let (Some(from), Some(to)) = (fix["from"].as_u64(), fix["to"].as_u64()) {
            assert!(from < to && to as usize <= words.chars().count(), "{fix}");
        }
        assert!(number(&fix["points"]) < 0.0);
    }
    org.node.api().get("/api/v1/me/readiness").await.refused(401, "auth.missing");
}
