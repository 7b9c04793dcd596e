//! The interviewers' side of a live interview, over HTTP.

use serde_json::{Value, json};

use crate::org::{Person, shared};
use crate::scene;

async fn let_in(owner: &Person, live: &Value, person: &Person, part: &str) {
    let body = json!({"person_id": person.id, "part": part});
    owner.api.post(&scene::path(live, "/members"), body).await.ok(201);
}

#[tokio::test]
async fn interviewers_see_how_they_asked_and_nobody_else_does() {
    let org = shared().await;
    let (owner, second) = (org.person("interviewer").await, org.person("interviewer").await);
    let (candidate, observer) = (org.person("candidate").await, org.person("manager").await);
    let kits = owner.api.get("/api/v1/kits").await.ok(200);
    let body = json!({"kind": "live", "kit_id": kits["items"][0]["id"]});
    let live = owner.api.post("/api/v1/interviews", body).await.ok(201);
    let_in(&owner, &live, &second, "interviewer").await;
    let_in(&owner, &live, &candidate, "candidate").await;
    let_in(&owner, &live, &observer, "observer").await;
    let path = scene::path(&live, "/interviewer");
    let before = owner.api.get(&path).await.ok(200);
    assert_eq!((&before["talk_share"], &before["asked"]), (&json!(null), &json!([])));

    owner.api.post(&scene::path(&live, "/start"), json!({})).await.ok(200);
    let ask = async |person: &Person, text: &str| {
        person.api.post(&scene::path(&live, "/questions"), json!({"text": text})).await.ok(201)
    };
    // One question of the kit in its own words, and one of nobody's kit.
    let planned = live["questions"][0]["text"].as_str().unwrap();
    let asked = ask(&owner, planned).await;
    let body = json!({"question_id": asked["question_id"], "text": scene::ANSWER});
    candidate.api.post(&scene::path(&live, "/answers"), body).await.ok(201);
    ask(&second, "You are well settled – are you married?").await;

    let told = second.api.get(&path).await.ok(200);
    assert_eq!(told["kit"]["asked"][0]["text"], planned, "{told}");
    let missed = told["kit"]["missed"].as_array().unwrap();
    assert_eq!(missed.len() + 1, live["questions"].as_array().unwrap().len());
    let unlawful = told["unlawful"].as_array().unwrap();
    assert_eq!(unlawful.len(), 1, "{told}");
    assert_eq!(unlawful[0]["rule"], "interviewer.unlawful.family");
    assert_eq!(unlawful[0]["by"], json!(second.id));
    // The place is in code points: the dash before it has three bytes.
    let words = unlawful[0]["text"].as_str().unwrap();
    assert!(words.contains("are you married"), "{words}");
    assert_eq!(told["complete"], true);
    let share = told["talk_share"].as_f64().unwrap();
    assert!(share > 0.0 && share < 50.0, "the candidate said more: {share}");

    for other in [&candidate, &observer, &org.person("interviewer").await] {
        other.api.get(&path).await.refused(404, "not_found");
    }
    let practice = scene::reported(&owner.api).await;
    owner.api.get(&scene::path(&practice, "/interviewer")).await.refused(404, "not_found");
}
