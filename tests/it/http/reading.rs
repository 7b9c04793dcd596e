//! What people read and set besides interviews: contexts, kits, modes, their lists.

use serde_json::{Value, json};

use crate::api::{items, text};
use crate::org::shared;
use crate::scene;

#[tokio::test]
async fn what_a_candidate_brings_along_comes_back_as_it_was_sent() {
    let org = shared().await;
    let person = org.person("candidate").await;
    let path = "/api/v1/me/context";
    let empty = json!({"cv_text": "", "job_description": "", "target_role": "",
        "mode": "general", "assist_intensity": 2});
    assert_eq!(person.api.get(path).await.ok(200), empty);
    let full = json!({"cv_text": "Baker, 2019 to 2024\n\u{1f35e} bread", "job_description": "Bake.",
        "target_role": "Head baker", "mode": "general", "assist_intensity": 3});
    assert_eq!(person.api.put(path, full.clone()).await.ok(200), full);
    assert_eq!(person.api.get(path).await.ok(200), full);
    assert_eq!(org.admin.api.get(path).await.ok(200)["cv_text"], "", "it is nobody else's");

    let wrong = json!({"cv_text": "x".repeat(200_001), "job_description": "a\u{0}",
        "mode": "none", "assist_intensity": 4});
    let reply = person.api.put(path, wrong).await;
    let mut fields = reply.wrong_fields("input.invalid");
    fields.sort();
    assert_eq!(fields, ["assist_intensity", "cv_text", "job_description", "mode"]);
    assert_eq!(person.api.get(path).await.ok(200), full, "a refused change changes nothing");
    person.api.put(path, json!({})).await.ok(200);
    assert_eq!(person.api.get(path).await.ok(200), empty, "what is left out becomes empty");
}

#[tokio::test]
async fn kits_have_roles_and_questions_and_an_own_one_has_versions() {
    let org = shared().await;
    let interviewer = org.person("interviewer").await;
    let kits = items(&interviewer.api.get("/api/v1/kits").await.ok(200));
    let built_in: Vec<&Value> = kits.iter().filter(|kit| kit["built_in"] == true).collect();
    assert!(built_in.len() >= 8);
    for kit in &built_in {
        assert!(kit["questions"].as_array().unwrap().len() >= 6, "{}", kit["id"]);
    }
    let own = |title: &str| {
        json!({"id": "night-shift", "version": 0, "title": title, "role": "Porter",
            "description": "Who watches at night.", "competencies": [{"id": "calm", "name": "Calm",
            "about": "Stays calm.", "anchors": ["a", "b", "c", "d", "e"]}],
            "questions": [{"id": "q", "text": "What woke you last?", "competency": "calm"}]})
    };
    let path = "/api/v1/kits/night-shift";
    interviewer.api.put(path, own("Night")).await.refused(404, "not_found");
    assert_eq!(interviewer.api.post("/api/v1/kits", own("Night")).await.ok(201)["version"], 1);
    interviewer.api.post("/api/v1/kits", own("Night")).await.refused(409, "conflict.state");
    assert_eq!(interviewer.api.put(path, own("Nights")).await.ok(200)["version"], 2);
    let read = interviewer.api.get(path).await.ok(200);
    assert_eq!((&read["title"], &read["built_in"]), (&json!("Nights"), &json!(false)));

    let id = text(&built_in[0]["id"]);
    let mut changed = own("Mine");
    changed["id"] = json!(id);
    let path = format!("/api/v1/kits/{id}");
    interviewer.api.put(&path, changed.clone()).await.refused(409, "conflict.state");
    interviewer.api.post("/api/v1/kits", changed.clone()).await.refused(409, "conflict.state");
    changed["id"] = json!("broken");
    changed["questions"][0]["competency"] = json!("none");
    let reply = interviewer.api.post("/api/v1/kits", changed).await;
    assert_eq!(reply.wrong_fields("input.invalid"), ["questions[0].competency"]);

    let practice = json!({"kind": "practice", "kit_id": "night-shift"});
    let practice = interviewer.api.post("/api/v1/interviews", practice).await.ok(201);
    assert_eq!(practice["questions"][0]["text"], "What woke you last?");
    assert_eq!((&practice["role"], &practice["auto_ask"]), (&json!("Porter"), &json!(true)));
}

#[tokio::test]
async fn each_mode_says_what_it_changes() {
    let person = shared().await.person("candidate").await;
    let modes = items(&person.api.get("/api/v1/modes").await.ok(200));
    assert!(modes.len() >= 2, "{modes:?}");
    for mode in &modes {
        let practice = json!({"kind": "practice", "mode": mode["id"]});
        let made = person.api.post("/api/v1/interviews", practice).await.ok(201);
        assert_eq!(made["mode"], mode["id"]);
    }
}

#[tokio::test]
async fn my_interviews_come_newest_first_in_pages() {
    let person = shared().await.person("candidate").await;
    let mut wanted = Vec::new();
    for n in 0..5 {
        let body = json!({"kind": "practice", "title": format!("Trial {n}")});
        wanted.insert(0, text(&person.api.post("/api/v1/interviews", body).await.ok(201)["id"]));
    }
    let (mut found, mut path) = (Vec::new(), "/api/v1/interviews?limit=2".to_owned());
    for _ in 0..4 {
        let page = person.api.get(&path).await.ok(200);
        found.extend(items(&page).iter().map(|line| text(&line["id"])));
        let Some(next) = page["next"].as_str() else { break };
        path = format!("/api/v1/interviews?limit=2&cursor={next}");
    }
    assert_eq!(found, wanted);
}

#[tokio::test]
async fn an_interview_is_planned_begun_ended_or_called_off_in_this_order_only() {
    let person = shared().await.person("candidate").await;
    let body = json!({"kind": "practice", "scheduled_at": "2031-05-01T09:00:00+02:00"});
    let planned = person.api.post("/api/v1/interviews", body).await.ok(201);
    assert_eq!(planned["state"], "scheduled");
    assert_eq!(planned["scheduled_at"], "2031-05-01T07:00:00.000Z");
    let act = async |verb: &str| person.api.post(&scene::path(&planned, verb), json!({})).await;
    act("/finish").await.refused(409, "conflict.state");
    assert_eq!(act("/start").await.ok(200)["state"], "live");
    act("/start").await.refused(409, "conflict.state");
    let body = json!({"text": "What else?"});
    let asked = person.api.post(&scene::path(&planned, "/questions"), body.clone()).await.ok(201);
    assert_eq!(asked["seq"], 2);
    assert_eq!(act("/cancel").await.ok(200)["state"], "cancelled");
    for verb in ["/start", "/finish", "/cancel"] {
        act(verb).await.refused(409, "room.closed");
    }
    let late = person.api.post(&scene::path(&planned, "/questions"), body).await;
    late.refused(409, "room.closed");
    let answer = json!({"question_id": asked["question_id"], "text": "Too late."});
    let late = person.api.post(&scene::path(&planned, "/answers"), answer).await;
    late.refused(409, "room.closed");
    let kinds: Vec<String> =
        scene::events(&person.api, &planned).await.iter().map(|e| text(&e["kind"])).collect();
    assert_eq!(kinds, ["interview.started", "question.asked", "interview.cancelled"]);
}
