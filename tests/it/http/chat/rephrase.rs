//! Hints and follow-ups in the model's words: marked, looked up, and never in the way of ours.

use serde_json::{Value, json};

use super::{Act, Model, with};
use crate::api::{items, text};
use crate::deadline::until;
use crate::org::{Org, Person, shared};
use crate::scene;

/// An answer without a result.
const NO_RESULT: &str = "Our returns desk lost two parcels in ten. I mapped every step with the \
    night shift, and then I removed the second scan and taught nine colleagues at the desk the \
    new order before the summer began.";

/// A practice whose one answer was followed up.
struct Scene {
    person: Person,
    practice: Value,
    probe: Value,
    answer: Value,
}

impl Scene {
    async fn begin(org: &Org) -> Scene {
        let person = org.person("candidate").await;
        let context = json!({"cv_text": "Shift lead at Lighthouse Parcels."});
        person.api.put("/api/v1/me/context", context).await.ok(200);
        let body = json!({"kind": "practice", "questions": [scene::QUESTIONS[0]]});
        let practice = person.api.post("/api/v1/interviews", body).await.ok(201);
        let practice = person.api.post(&scene::path(&practice, "/start"), json!({})).await.ok(200);
        let answer = scene::answer(&person.api, &practice, 0, NO_RESULT).await;
        let next = scene::path(&practice, "/questions/next");
        let probe = person.api.post(&next, json!({})).await.ok(201);
        assert_eq!(probe["because"]["rule"], "probe.result", "{probe}");
        assert_eq!(probe["source"], "local");
        assert!(text(&probe["text"]).contains('“'), "{probe}");
        Scene { person, practice, probe, answer }
    }

    fn probe_path(&self) -> String {
        let id = text(&self.probe["question_id"]);
        scene::path(&self.practice, &format!("/questions/{id}/rephrase"))
    }

    fn hints_path(&self) -> String {
        let id = text(&self.answer["answer_id"]);
        scene::path(&self.practice, &format!("/answers/{id}/rephrase"))
    }

    async fn rephrase(&self, path: &str) -> Value {
        self.person.api.post(path, json!({})).await.ok(200)
    }
}

async fn switched_on(model: &Model) -> Org {
    with(model, &["GREENROOM_CHAT_REPHRASE=true".to_owned()]).await
}

#[tokio::test]
async fn a_follow_up_in_the_models_words_is_marked_and_changes_nothing() {
    let model = Model::start().await;
    let org = switched_on(&model).await;
    let scene = Scene::begin(&org).await;
    let before = scene::events(&scene.person.api, &scene.practice).await;
    let theirs = "You “removed the second scan” and nine colleagues learnt the new order. What was \
        different afterwards, and who could tell?";
    model.will_write(&format!("Sure!\n```json\n{}\n```", json!({"texts": [theirs]})));
    let told = scene.rephrase(&scene.probe_path()).await;
    let id = &scene.probe["question_id"];
    assert_eq!(
        told,
        json!({"question_id": id, "text": theirs, "source": "model", "model": "tiny"})
    );
    let (_, asked) = model.last();
    let material = text(&asked["messages"][1]["content"]);
    for part in [NO_RESULT, scene::QUESTIONS[0], &text(&scene.probe["text"])] {
        assert!(material.contains(part), "{material}");
    }
    for part in ["Lighthouse", &scene.person.id, &scene.person.email, &scene::id(&scene.practice)] {
        assert!(!asked.to_string().contains(part), "the model learns {part}");
    }
    assert_eq!(scene::events(&scene.person.api, &scene.practice).await, before);
    let shown = scene.person.api.get(&scene::path(&scene.practice, "")).await.ok(200);
    let questions = shown["questions"].as_array().unwrap();
    let kept = questions.iter().find(|question| question["question_id"] == *id).unwrap();
    assert_eq!(kept["text"], scene.probe["text"], "what is stored and measured is ours");
}

#[tokio::test]
async fn each_hint_stands_or_falls_by_itself() {
    let model = Model::start().await;
    let org = switched_on(&model).await;
    let scene = Scene::begin(&org).await;
    let hints = scene.answer["analysis"]["hints"].as_array().unwrap();
    let ours: Vec<String> = hints.iter().map(|hint| text(&hint["text"])).collect();
    assert!(ours.len() >= 2, "{hints:?}");
    let fine = |ours: &String| match ours.contains('?') {
        true => "What would somebody else at the desk have seen?",
        false => "Tell how the desk worked once the new order was there.",
    };
    let mut theirs: Vec<&str> = ours.iter().map(fine).collect();
    let invented = format!("{} It fell by 30 percent.", theirs[1]);
    theirs[1] = &invented;
    model.will_rephrase(&theirs);
    let told = scene.rephrase(&scene.hints_path()).await;
    assert_eq!(told["answer_id"], scene.answer["answer_id"]);
    let told = told["hints"].as_array().unwrap();
    assert_eq!(told.len(), ours.len());
    for (n, (told, hint)) in told.iter().zip(hints).enumerate() {
        for field in ["code", "from", "to"] {
            assert_eq!(told[field], hint[field], "the place and the advice stay: {told}");
        }
        let (words, source) =
            if n == 1 { (&hint["text"], "local") } else { (&json!(theirs[n]), "model") };
        assert_eq!((&told["text"], &told["source"]), (words, &json!(source)), "{told}");
    }
    assert_eq!(told[1]["reason"], "number");
}

#[tokio::test]
async fn what_cannot_be_trusted_leaves_our_own_words() {
    let model = Model::start().await;
    let org = switched_on(&model).await;
    let scene = Scene::begin(&org).await;
    let path = scene.probe_path();
    let ours = async |reason: &str| {
        let told = scene.rephrase(&path).await;
        let is = (&told["text"], &told["source"], &told["reason"]);
        assert_eq!(is, (&scene.probe["text"], &json!("local"), &json!(reason)), "{told}");
        assert!(told.get("model").is_none(), "{told}");
    };
    for (theirs, reason) in [
        ("You said “I moved the second scan”. What came of it?", "quote"),
        ("What came of it? Did it save 40 parcels?", "number"),
        ("What did Mallory say to it?", "name"),
        ("Say what came of it.", "no_question"),
        ("What came of it, and were you nervous?", "judgement"),
        ("What came of it? https://example.org", "markup"),
        ("", "empty"),
    ] {
        model.will_rephrase(&[theirs]);
        ours(reason).await;
    }
    model.will_rephrase(&[&"And what came of it then? ".repeat(40)]);
    ours("long").await;
    model.will_rephrase(&["What came of it?", "And then?"]);
    ours("unreadable").await;
    model.will_write("What came of it?");
    ours("unreadable").await;
    let say = |status, headers, body: &str| Act::Say(status, headers, body.to_owned());
    for (act, reason) in [
        (Act::Wait, "late"),
        (Act::Flood, "too_large"),
        (say(500, "", "oops"), "status"),
        (say(302, "location: http://127.0.0.1:9/stolen\r\n", ""), "status"),
        (say(200, "", "{\"choices\": ["), "unreadable"),
    ] {
        model.will(act);
        ours(reason).await;
        // A good answer between them, so that it is not left alone.
        model.will_rephrase(&["What came of it?"]);
        assert_eq!(scene.rephrase(&path).await["source"], "model");
    }
}

#[tokio::test]
async fn a_model_that_is_gone_costs_a_practice_nothing() {
    let model = Model::start().await;
    let org = switched_on(&model).await;
    let scene = Scene::begin(&org).await;
    model.stop().await;
    let reasons = async |path: &str, count: usize| {
        let mut reasons = Vec::new();
        for _ in 0..count {
            reasons.push(text(&scene.rephrase(path).await["reason"]));
        }
        reasons
    };
    assert_eq!(reasons(&scene.probe_path(), 3).await, ["unreachable"; 3]);
    assert_eq!(reasons(&scene.probe_path(), 3).await, ["resting"; 3]);
    let hints = scene.rephrase(&scene.hints_path()).await;
    for hint in items(&json!({"items": hints["hints"]})) {
        assert_eq!((&hint["source"], &hint["reason"]), (&json!("local"), &json!("resting")));
    }
    let path = scene::path(&scene.practice, "/finish");
    scene.person.api.post(&path, json!({})).await.ok(200);
}

#[tokio::test]
async fn only_so_many_are_asked_at_once() {
    let model = Model::start().await;
    let long = ["GREENROOM_CHAT_REPHRASE=true", "GREENROOM_CHAT_TIMEOUT=25"].map(str::to_owned);
    let org = with(&model, &long).await;
    let scene = Scene::begin(&org).await;
    let example = scene.hints_path().replace("/rephrase", "/model-answer");
    let waiting: Vec<_> = (0..4)
        .map(|_| {
            let (api, example) = (scene.person.api.clone(), example.clone());
            tokio::spawn(async move { api.post(&example, json!({})).await.status })
        })
        .collect();
    until("they all wait", async || (model.asked() == 4).then_some(())).await;
    let problem = scene.person.api.post(&example, json!({})).await;
    let problem = problem.refused(503, "chat.unavailable");
    assert!(text(&problem["detail"]).contains("busy"), "{problem}");
    let told = scene.rephrase(&scene.probe_path()).await;
    assert_eq!((&told["source"], &told["reason"]), (&json!("local"), &json!("busy")));
    assert_eq!(model.asked(), 4);
    for task in waiting {
        task.abort();
    }
}

#[tokio::test]
async fn nothing_leaves_before_it_is_switched_on_and_nothing_but_a_follow_up_does() {
    let model = Model::start().await;
    let org = with(&model, &[]).await;
    let scene = Scene::begin(&org).await;
    let told = scene.rephrase(&scene.probe_path()).await;
    let is = (&told["text"], &told["source"], &told["reason"]);
    assert_eq!(is, (&scene.probe["text"], &json!("local"), &json!("off")));
    let hints = scene.rephrase(&scene.hints_path()).await;
    assert_eq!(hints["hints"][0]["source"], "local");
    let first = text(&scene.practice["questions"][0]["question_id"]);
    let path = scene::path(&scene.practice, &format!("/questions/{first}/rephrase"));
    let told = scene.rephrase(&path).await;
    assert_eq!((&told["source"], &told["reason"]), (&json!("local"), &json!("not_a_follow_up")));
    assert_eq!(model.asked(), 0);
}

#[tokio::test]
async fn nobody_is_coached_live_and_strangers_learn_nothing() {
    let org = shared().await;
    let scene = Scene::begin(org).await;
    for path in [scene.probe_path(), scene.hints_path()] {
        org.admin.api.post(&path, json!({})).await.refused(404, "not_found");
    }
    for path in ["/questions/no-id/rephrase", "/answers/no-id/rephrase"] {
        let path = scene::path(&scene.practice, path);
        scene.person.api.post(&path, json!({})).await.refused(404, "not_found");
    }
    let owner = org.person("interviewer").await;
    let body = json!({"kind": "live", "questions": ["Why here?"]});
    let live = owner.api.post("/api/v1/interviews", body).await.ok(201);
    let question = scene::question(&live, 0);
    for path in [format!("/questions/{question}/rephrase"), "/answers/no-id/rephrase".to_owned()] {
        let path = scene::path(&live, &path);
        owner.api.post(&path, json!({})).await.refused(403, "access.denied");
    }
}
