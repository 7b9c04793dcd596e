//! The ledger, the CV in parts and the coverage over HTTP.

use serde_json::{Value, json};

use crate::api::{items, text};
use crate::deadline::until;
use crate::org::shared;
use crate::scene;

const CV: &str = "Senior nurse, St Mary Hospital, Mar 2015 – June 2021\n\
    Led a team of five nurses.\nSkills: wound care, Excel (6 years), Kubernetes\n";

const JOB: &str =
    "Nurse manager\n\nRequirements:\n- wound care\n- Kubernetes\n\nNice to have:\n- Polish\n";

#[tokio::test]
async fn what_does_not_fit_is_kept_in_a_ledger_until_it_is_cleared_up() {
    let person = shared().await.person("candidate").await;
    let ledger = async || person.api.get("/api/v1/me/ledger").await.ok(200);
    assert_eq!(items(&ledger().await), Vec::<Value>::new());
    let context = json!({"cv_text": CV, "job_description": JOB});
    person.api.put("/api/v1/me/context", context).await.ok(200);
    let practice = scene::begun(&person.api).await;
    let said = "I led a team of twelve nurses on that ward. I cleaned and dressed wounds, and \
        wound care got faster: it took 20 minutes instead of 35 within two months.";
    let answer = scene::answer(&person.api, &practice, 0, said).await;
    let told = &answer["analysis"]["conflicts"][0];
    assert_eq!((&told["rule"], &told["state"]), (&json!("number.team_size"), &json!("open")));
    assert_eq!(told["a"]["text"], "Led a team of five nurses");
    let probe = text(&told["probe"]);
    assert!(probe.contains("five nurses") && probe.contains("twelve nurses"), "{probe}");
    let entries = items(&ledger().await);
    assert_eq!(entries.len(), 1, "{entries:?}");
    assert_eq!(entries[0]["answer"]["answer_id"], answer["answer_id"]);

    let later = "About my team of nurses: I led a team of five nurses first and of twelve nurses \
        after the wards were put together.";
    scene::answer(&person.api, &practice, 1, later).await;
    let entries = items(&ledger().await);
    let first = &entries[0];
    assert_eq!(
        (&first["rule"], &first["state"]),
        (&json!("number.team_size"), &json!("explained"))
    );

    person.api.post(&scene::path(&practice, "/finish"), json!({})).await.ok(200);
    let report = until("the report", async || {
        let reply = person.api.get(&scene::path(&practice, "/report")).await;
        (reply.status == 200).then(|| reply.json())
    })
    .await;
    assert_eq!(report["conflicts"][0]["state"], "explained");
    // The stored analysis says what was known then.
    assert_eq!(report["answers"][0]["analysis"]["conflicts"][0]["state"], "open");
    let covered: Vec<(String, String)> = report["coverage"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| (text(&one["name"]), text(&one["status"])))
        .collect();
    let pair = |a: &str, b: &str| (a.to_owned(), b.to_owned());
    assert_eq!(
        covered,
        [pair("wound care", "met"), pair("Kubernetes", "none"), pair("Polish", "none")]
    );
    assert_eq!(report["coverage"][2]["weight"], "nice");
    let place = &report["coverage"][0]["evidence"][0];
    assert_eq!(place["answer_id"], answer["answer_id"]);

    // Nobody else sees any of it.
    let other = shared().await.person("candidate").await;
    assert_eq!(items(&other.api.get("/api/v1/me/ledger").await.ok(200)), Vec::<Value>::new());
    let nothing = other.api.get("/api/v1/me/profile").await.ok(200);
    assert_eq!(nothing["cv"]["skills"], json!([]));
}

#[tokio::test]
async fn a_cv_and_a_job_description_are_told_in_parts_with_their_places() {
    let person = shared().await.person("candidate").await;
    let context = json!({"cv_text": CV, "job_description": JOB});
    person.api.put("/api/v1/me/context", context).await.ok(200);
    let profile = person.api.get("/api/v1/me/profile").await.ok(200);
    let stage = &profile["cv"]["stages"][0];
    assert_eq!((&stage["begun"], &stage["ended"]), (&json!("2015-03"), &json!("2021-06")));
    assert_eq!(stage["role"]["text"], "Senior nurse");
    assert_eq!(stage["employer"]["text"], "St Mary Hospital");
    let skills: Vec<&Value> =
        profile["cv"]["skills"].as_array().unwrap().iter().map(|skill| &skill["name"]).collect();
    assert_eq!(skills, ["Wound care", "Excel", "Kubernetes"]);
    let chars: Vec<char> = CV.chars().collect();
    for skill in profile["cv"]["skills"].as_array().unwrap() {
        let at = |name: &str| skill[name].as_u64().unwrap() as usize;
        let words: String = chars[at("from")..at("to")].iter().collect();
        assert_eq!(words.to_lowercase(), text(&skill["name"]).to_lowercase());
    }
    assert_eq!(profile["cv"]["years"], 6.25);
    assert_eq!(profile["job"]["title"], "Nurse manager");
    assert_eq!(profile["job"]["requirements"].as_array().unwrap().len(), 3);
}
