//! The interviewers' side of a live interview, over HTTP.

use serde_json::{Value, json};

use crate::api::text;
use crate::org::{Person, shared};
use crate::scene;
use crate::socket::Socket;

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

#[tokio::test]
async fn an_interviewer_alone_is_told_before_a_question_that_should_not_be_asked() {
    let org = shared().await;
    let (owner, second) = (org.person("interviewer").await, org.person("interviewer").await);
    let (candidate, observer) = (org.person("candidate").await, org.person("manager").await);
    let live = owner.api.post("/api/v1/interviews", json!({"kind": "live"})).await.ok(201);
    for (person, part) in
        [(&second, "interviewer"), (&candidate, "candidate"), (&observer, "observer")]
    {
        let_in(&owner, &live, person, part).await;
    }
    owner.api.post(&scene::path(&live, "/start"), json!({})).await.ok(200);
    let mut hears = Vec::new();
    for person in [&owner, &second, &candidate, &observer] {
        hears.push(Socket::join(&person.api, &live, None).await);
    }
    let path = scene::path(&live, "/questions/check");
    let draft = "  You look tired – do you have children?";
    for asks in [&owner, &second] {
        let told = asks.api.post(&path, json!({"text": draft})).await.ok(200);
        let concern = &told["concerns"][0];
        assert_eq!(concern["rule"], "interviewer.unlawful.family", "{told}");
        assert_eq!(concern["text"], "do you have children", "in the words as they were sent");
        assert!(concern["why"].as_str().unwrap().contains("Family"));
        assert!(concern["instead"].as_str().unwrap().contains("these hours"));
        assert_eq!(told["concerns"].as_array().unwrap().len(), 1);
    }
    let fine = owner.api.post(&path, json!({"text": "How did you divide parent and child?"})).await;
    assert_eq!(fine.ok(200)["concerns"], json!([]));
    // For everybody else it is not there, as it would tell of the rules that others are held to.
    for other in [&candidate, &observer, &org.person("interviewer").await] {
        other.api.post(&path, json!({"text": draft})).await.refused(404, "not_found");
    }
    let practice = scene::practice(&owner.api, &["Why?"]).await;
    let in_practice = scene::path(&practice, "/questions/check");
    owner.api.post(&in_practice, json!({"text": draft})).await.refused(404, "not_found");
    for wrong in ["", &"x".repeat(2_001)] {
        owner.api.post(&path, json!({"text": wrong})).await.refused(400, "input.invalid");
    }

    // Nothing of it was kept or told, and the question may be asked all the same.
    for socket in &mut hears {
        for frame in socket.settle().await {
            assert!(["presence", "pong"].contains(&&*text(&frame["type"])), "{frame}");
        }
    }
    let events = scene::events(&candidate.api, &live).await;
    assert!(!json!(events).to_string().contains("children"));
    assert_eq!(owner.api.get(&scene::path(&live, "/notes")).await.ok(200)["items"], json!([]));
    hears[1].act(json!({"type": "ask", "id": "q", "text": draft})).await;
    let asked = hears[2].wait_event("question.asked").await;
    assert_eq!(asked["data"]["text"], draft);
    assert_eq!(asked["data"].as_object().unwrap().len(), 3, "the question and no more: {asked}");
}
