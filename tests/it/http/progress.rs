//! Progress, feedback and counts over HTTP: one's own past, and nobody else's.

use serde_json::{Value, json};

use crate::api::{items, text};
use crate::org::{Org, shared};
use crate::scene;

#[tokio::test]
async fn progress_has_a_point_for_each_report_and_a_trend_from_three_on() {
    let person = shared().await.person("candidate").await;
    let progress = async || person.api.get("/api/v1/me/progress").await.ok(200);
    let none = progress().await;
    assert_eq!((&none["points"], &none["trends"]), (&json!([]), &json!([])));
    let first = scene::reported(&person.api).await;
    let second = scene::reported(&person.api).await;
    // Somebody else's practice is no point here.
    scene::reported(&shared().await.person("candidate").await.api).await;
    let two = progress().await;
    let points = two["points"].as_array().unwrap();
    let ids: Vec<&Value> = points.iter().map(|point| &point["interview_id"]).collect();
    assert_eq!(ids, [&first["id"], &second["id"]], "oldest first");
    let report = person.api.get(&scene::path(&second, "/report")).await.ok(200);
    assert_eq!(points[1]["score"], report["score"]);
    assert_eq!(points[1]["summary"], report["summary"]);
    let score = &two["trends"][0];
    assert_eq!((&score["name"], &score["practices"]), (&json!("score"), &json!(2)));
    assert_eq!(score["direction"], Value::Null, "two practices have no direction");
    scene::reported(&person.api).await;
    let three = progress().await;
    let score = &three["trends"][0];
    assert_eq!((&score["direction"], &score["latest"]), (&json!("stable"), &report["score"]));
    assert_eq!(score["own_percentile"], Value::Null, "too few to compare with");
    assert_eq!(three["mixed_calibrations"], false);
    let names: Vec<&Value> =
        three["trends"].as_array().unwrap().iter().map(|trend| &trend["name"]).collect();
    assert!(names.contains(&&json!("structure")) && names.contains(&&json!("specificity")));
}

#[tokio::test]
async fn feedback_is_kept_once_a_report_and_summed_up() {
    let person = shared().await.person("candidate").await;
    let (first, second) = (scene::reported(&person.api).await, scene::reported(&person.api).await);
    let summary = async || person.api.get("/api/v1/me/feedback").await.ok(200);
    let none = summary().await;
    assert_eq!((&none["total"], &none["accurate_share"]), (&json!(0), &Value::Null));
    let path = scene::path(&first, "/feedback");
    let thanks = person.api.post(&path, json!({"accurate": false, "note": " "})).await.ok(201);
    assert_eq!((thanks["accurate"].clone(), text(&thanks["id"]).len()), (json!(false), 36));
    let long = json!({"accurate": true, "note": "x".repeat(2_001)});
    let reply = person.api.post(&path, long).await;
    assert_eq!(reply.wrong_fields("input.invalid"), ["note"]);
    let body = json!({"accurate": true, "note": "It quoted the right words."});
    person.api.post(&scene::path(&second, "/feedback"), body).await.ok(201);
    let both = summary().await;
    assert_eq!((&both["total"], &both["accurate"]), (&json!(2), &json!(1)));
    assert_eq!((&both["inaccurate"], &both["accurate_share"]), (&json!(1), &json!(0.5)));
    assert_eq!(both["items"][0]["interview_id"], second["id"], "newest first");
    person.api.post(&path, json!({"accurate": true})).await.ok(201);
    let changed = summary().await;
    assert_eq!((&changed["total"], &changed["accurate"]), (&json!(2), &json!(2)), "one each");
    let other = shared().await.person("candidate").await;
    assert_eq!(items(&other.api.get("/api/v1/me/feedback").await.ok(200)), Vec::<Value>::new());
}

#[tokio::test]
async fn the_index_of_the_replaced_system_can_be_asked_for() {
    let person = shared().await.person("candidate").await;
    let path = "/api/v1/me/readiness?calibration=seed-v1";
    let none = person.api.get(path).await.ok(200);
    assert_eq!((&none["index"], &none["practices"]), (&Value::Null, &json!(0)));
    scene::reported(&person.api).await;
    let one = person.api.get(path).await.ok(200);
    let index = one["index"].as_f64().unwrap();
    assert!((35.0..=95.3).contains(&index), "{one}");
    assert_eq!((&one["band"], &one["calibration"]), (&json!("low"), &json!("seed-v1")));
    assert!(text(&one["about"]).contains("no chance of an offer"));
    let body = json!({"mode": "google+backend", "assist_intensity": 2});
    person.api.put("/api/v1/me/context", body).await.ok(200);
    let google = person.api.get(path).await.ok(200)["index"].as_f64().unwrap();
    assert!(google < index, "{google} {index}");
    let reply = person.api.get("/api/v1/me/readiness?calibration=seed-v2").await;
    assert_eq!(reply.wrong_fields("input.invalid"), ["calibration"]);
}

#[tokio::test]
async fn an_admin_sees_how_much_there_is_and_nobodys_data() {
    let org = Org::found().await;
    let person = org.person("candidate").await;
    let practice = scene::reported(&person.api).await;
    let body = json!({"accurate": true});
    person.api.post(&scene::path(&practice, "/feedback"), body).await.ok(201);
    let stats = org.admin.api.get("/api/v1/admin/stats").await.ok(200);
    assert_eq!(stats["people"], json!({"admin": 1, "candidate": 1}));
    assert_eq!(stats["interviews"], json!({"practice.finished": 1}));
    assert_eq!((&stats["answers"], &stats["reports"]), (&json!(1), &json!(1)));
    assert_eq!(stats["feedback"], json!({"total": 1, "accurate": 1}));
    assert!(stats["state_bytes"].as_u64().unwrap() > 4_096);
    person.api.get("/api/v1/admin/stats").await.refused(403, "access.denied");
}
