//! Calibrations over HTTP: taken in once, activated, taken back, compared, and whom they reach.

use serde_json::{Value, json};

use crate::api::{Api, items, text};
use crate::org::Org;
use crate::scene;

const PATH: &str = "/api/v1/calibrations";

async fn add(api: &Api, version: &str) -> Value {
    let body = json!({"version": version, "toml": scene::calibration(version)});
    api.post(PATH, body).await.ok(201)
}

async fn activate(api: &Api, version: &str) -> Value {
    api.post(&format!("{PATH}/{version}/activate"), json!({})).await.ok(200)
}

/// The calibration and the score of a new answer.
async fn weighed(api: &Api) -> (String, f64) {
    let practice = scene::begun(api).await;
    let answer = scene::answer(api, &practice, 0, scene::ANSWER).await;
    let analysis = &answer["analysis"];
    scene::check_analysis(analysis);
    (text(&analysis["calibration"]["version"]), analysis["score"].as_f64().unwrap())
}

#[tokio::test]
async fn a_calibration_weighs_from_its_activation_on_and_can_be_taken_back() {
    let mut org = Org::found().await;
    let person = org.person("candidate").await;
    let (version, usual) = weighed(&person.api).await;
    assert_eq!(version, "core-1");
    let stored = scene::reported(&person.api).await;
    let report = person.api.get(&scene::path(&stored, "/report")).await.ok(200);

    let admin = &org.admin.api;
    let added = add(admin, "house-1").await;
    assert_eq!((&added["active"], &added["built_in"]), (&json!(false), &json!(false)));
    assert_eq!(added["weights"]["structure"], 32);
    assert_eq!(added["by"], json!(org.admin.id));
    assert!(added["golden"].as_array().unwrap().len() >= 20);
    assert_eq!(weighed(&person.api).await.0, "core-1", "it is not in force yet");
    assert_eq!(activate(admin, "house-1").await["active"], true);
    let (version, other) = weighed(&person.api).await;
    assert_eq!(version, "house-1");
    assert_ne!(usual, other);
    let modes = person.api.get("/api/v1/modes").await.ok(200);
    assert_eq!(modes["calibration"]["version"], "house-1");
    let amazon = items(&modes).into_iter().find(|mode| mode["id"] == "amazon").unwrap();
    let changes = amazon["changes"].to_string();
    assert!(changes.contains("Structure: weight 30 instead of 32."), "{changes}");

    // What was told before stays as it was told.
    let again = person.api.get(&scene::path(&stored, "/report")).await.ok(200);
    assert_eq!(again, report);

    org.crash();
    let admin = &org.admin.api;
    let person = person.api.at(org.node.address());
    assert_eq!(weighed(&person).await.0, "house-1");
    let list = admin.get(PATH).await.ok(200);
    assert_eq!(list["active"], "house-1");
    let versions: Vec<String> = items(&list).iter().map(|one| text(&one["version"])).collect();
    assert_eq!(versions, ["core-1", "house-1"]);
    activate(admin, "core-1").await;
    let (version, back) = weighed(&person).await;
    assert_eq!((version.as_str(), back), ("core-1", usual));
    let list = admin.get(PATH).await.ok(200);
    let then: Vec<&Value> =
        list["activations"].as_array().unwrap().iter().map(|one| &one["version"]).collect();
    assert_eq!(then, ["core-1", "house-1"]);
}

#[tokio::test]
async fn a_calibration_never_changes_and_bad_ones_are_refused_with_the_rule() {
    let org = Org::found().await;
    let admin = &org.admin.api;
    let post = async |version: &str, toml: String| {
        admin.post(PATH, json!({"version": version, "toml": toml})).await
    };
    add(admin, "house-1").await;
    let other = scene::calibration("house-1").replacen("reference = 40", "reference = 41", 1);
    post("house-1", other).await.refused(409, "conflict.state");
    let toml = greenroom::insight::calibration::built_in::DEFAULT.to_owned();
    post("core-1", toml.clone()).await.refused(409, "conflict.state");
    let wrong = post("house-2", toml.clone()).await.refused(400, "input.invalid");
    assert_eq!(wrong["errors"][0]["field"], "version");
    let heavy = toml.replacen("weight = 22", "weight = 23", 1);
    let wrong = post("core-1", heavy).await.refused(400, "input.invalid");
    assert!(text(&wrong["errors"][0]["detail"]).contains("add up to 101"), "{wrong}");
    post("house-3", "no toml at all = [".to_owned()).await.refused(400, "input.invalid");
    admin.get(&format!("{PATH}/house-9")).await.refused(404, "not_found");
    let path = format!("{PATH}/house-9/activate");
    admin.post(&path, json!({})).await.refused(404, "not_found");
    let shown = admin.get(&format!("{PATH}/house-1")).await.ok(200);
    assert_eq!(shown["toml"], json!(scene::calibration("house-1")));

    for role in ["manager", "interviewer", "candidate", "observer"] {
        let person = org.person(role).await;
        person.api.get(PATH).await.refused(403, "access.denied");
        let body = json!({"version": "mine", "toml": scene::calibration("mine")});
        person.api.post(PATH, body).await.refused(403, "access.denied");
        let path = format!("{PATH}/house-1/activate");
        person.api.post(&path, json!({})).await.refused(403, "access.denied");
    }
}

#[tokio::test]
async fn drift_says_what_would_change_over_stored_answers() {
    let org = Org::found().await;
    let (person, admin) = (org.person("candidate").await, &org.admin.api);
    add(admin, "house-1").await;
    for _ in 0..3 {
        weighed(&person.api).await;
    }
    let practice = scene::begun(&person.api).await;
    scene::answer(&person.api, &practice, 0, "Patience, I think.").await;
    let drift = admin.get(&format!("{PATH}/house-1/drift?against=core-1")).await.ok(200);
    assert_eq!(
        (&drift["from"]["version"], &drift["to"]["version"]),
        (&json!("core-1"), &json!("house-1"))
    );
    assert_eq!((&drift["answers"], &drift["scored"]), (&json!(4), &json!(3)));
    assert_eq!(drift["truncated"], false);
    let number = |value: &Value| value.as_f64().unwrap_or_else(|| panic!("no number: {value}"));
    let moved = number(&drift["score"]["mean"]);
    assert!(moved != 0.0, "{drift}");
    let signals = drift["signals"].as_array().unwrap();
    assert_eq!(signals.len(), 11);
    for signal in signals {
        assert_eq!(signal["value"]["largest"].as_f64().unwrap_or(0.0), 0.0, "no rule has changed");
    }
    let weights: Vec<&Value> = signals
        .iter()
        .filter(|s| s["weight_from"] != s["weight_to"])
        .map(|s| &s["signal"])
        .collect();
    assert_eq!(weights, ["specificity", "structure"]);
    assert!(drift["golden"].as_array().unwrap().iter().any(|one| one["what"] == "score"));
    // Nobody's own score or words can be read there.
    assert!(!drift.to_string().contains("parcels"), "{drift}");

    let same = admin.get(&format!("{PATH}/core-1/drift")).await.ok(200);
    assert_eq!((&same["changed_bands"], &same["golden"]), (&json!(0), &json!([])));
    let path = format!("{PATH}/house-1/drift?against=house-9");
    admin.get(&path).await.refused(404, "not_found");
    let path = format!("{PATH}/house-1/drift");
    person.api.get(&path).await.refused(403, "access.denied");
}

#[tokio::test]
async fn modes_can_be_mixed_one_of_each_kind() {
    let org = Org::found().await;
    let person = org.person("candidate").await;
    let practice = async |mode: &str| {
        let body = json!({"kind": "practice", "mode": mode, "questions": scene::QUESTIONS});
        person.api.post("/api/v1/interviews", body).await
    };
    let mixed = practice("amazon+backend+system_design").await.ok(201);
    assert_eq!(mixed["mode"], "amazon+backend+system_design");
    let two = practice("amazon+google").await.refused(400, "input.invalid");
    assert!(text(&two["errors"][0]["detail"]).contains("both of kind company"), "{two}");
    practice("amazon+poetry").await.refused(400, "input.invalid");
    let modes = items(&person.api.get("/api/v1/modes").await.ok(200));
    let companies = modes.iter().filter(|mode| mode["kind"] == "company");
    assert!(companies.count() >= 35);
    assert_eq!(modes[0]["id"], "general");
    assert!(modes.iter().all(|mode| !text(&mode["changes"][0]).is_empty()));
    let path = "/api/v1/modes?mode=sales%2Bbehavioral";
    let mix = person.api.get(path).await.ok(200)["mix"].clone();
    assert_eq!(mix["weights"]["structure"], 28);
    assert!(mix["changes"].to_string().contains("Trade-offs: weight 0 instead of 10."), "{mix}");
    person.api.get("/api/v1/modes?mode=poetry").await.refused(400, "input.invalid");
    let context = json!({"mode": "sap+sales", "assist_intensity": 1});
    let kept = person.api.put("/api/v1/me/context", context).await.ok(200);
    assert_eq!(kept["mode"], "sap+sales");
}
