//! The language model that an operator may name: a small server of our own stands for one.

mod model;
mod rephrase;
mod secure;

use serde_json::json;

use crate::api::text;
use crate::deadline::until;
use crate::node::Node;
use crate::org::{Org, Person, shared};
use crate::scene;

use model::{Act, Model};

/// A node with this model and these further settings.
async fn with(model: &Model, more: &[String]) -> Org {
    let mut within: Vec<String> = [
        "env",
        &format!("GREENROOM_CHAT_URL={}", model.url),
        "GREENROOM_CHAT_MODEL=tiny",
        "GREENROOM_CHAT_TIMEOUT=2",
        "GREENROOM_CHAT_MAX_BYTES=4096",
    ]
    .map(str::to_owned)
    .to_vec();
    within.extend_from_slice(more);
    Org::on(Node::start_in(&within, "127.0.0.1:0")).await
}

/// A person with a CV, and the path of the example for an answer.
async fn practised(org: &Org) -> (Person, String) {
    let person = org.person("candidate").await;
    let context = json!({"cv_text": "Shift lead at a returns desk. Nine colleagues."});
    person.api.put("/api/v1/me/context", context).await.ok(200);
    let practice = scene::begun(&person.api).await;
    let told = scene::answer(&person.api, &practice, 0, scene::ANSWER).await;
    let answer = text(&told["answer_id"]);
    let path = scene::path(&practice, &format!("/answers/{answer}/model-answer"));
    (person, path)
}

#[tokio::test]
async fn an_example_is_marked_and_quotes_only_what_the_person_wrote() {
    let model = Model::start().await;
    let key = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(key.path(), "sesame\n").unwrap();
    let key = format!("GREENROOM_CHAT_API_KEY_FILE={}", key.path().display());
    let org = with(&model, &[key]).await;
    let (person, path) = practised(&org).await;
    let interview = path.split("/answers").next().unwrap().to_owned();
    let events = person.api.get(&format!("{interview}/events")).await.ok(200);
    let written = json!({"text": "At the returns desk I led nine colleagues.",
        "quotes": ["removed the second scan", "Nine colleagues", "moved the second scan",
            "a robot"]});
    model.will_write(&format!("```json\n{written}\n```"));
    let told = person.api.post(&path, json!({})).await.ok(200);
    assert_eq!(told["text"], written["text"]);
    assert_eq!(told["written_by"], json!({"kind": "model", "model": "tiny"}));
    assert_eq!(told["dropped_quotes"], 2);
    let quotes = told["quotes"].as_array().unwrap();
    assert_eq!((&quotes[0]["source"], &quotes[1]["source"]), (&json!("answer"), &json!("cv")));
    let (from, to) = (quotes[0]["from"].as_u64().unwrap(), quotes[0]["to"].as_u64().unwrap());
    let words: String =
        scene::ANSWER.chars().skip(from as usize).take((to - from) as usize).collect();
    assert_eq!(words, "removed the second scan");
    let (head, asked) = model.last();
    assert!(head.starts_with("POST /v1/chat/completions HTTP/1.1"), "{head}");
    assert!(head.to_lowercase().contains("authorization: bearer sesame"), "{head}");
    assert_eq!((&asked["model"], &asked["stream"]), (&json!("tiny"), &json!(false)));
    let material = text(&asked["messages"][1]["content"]);
    assert!(material.contains(scene::ANSWER) && material.contains(scene::QUESTIONS[0]));
    assert!(!asked.to_string().contains(&person.id), "the model learns no id of ours");
    let after = person.api.get(&format!("{interview}/events")).await.ok(200);
    assert_eq!(after, events, "nothing of it is kept");
}

#[tokio::test]
async fn a_model_that_is_slow_huge_broken_or_gone_is_told_and_harms_nothing() {
    let model = Model::start().await;
    let org = with(&model, &[]).await;
    let (person, path) = practised(&org).await;
    let refused = async |act: Act, words: &str| {
        // A good answer between them, so that it is not left alone.
        model.will_write("Just words.");
        person.api.post(&path, json!({})).await.ok(200);
        model.will(act.clone());
        let problem = person.api.post(&path, json!({})).await.refused(503, "chat.unavailable");
        let detail = text(&problem["detail"]);
        assert!(detail.contains(words), "{act:?}: {detail}");
    };
    let say = |status, headers, body: &str| Act::Say(status, headers, body.to_owned());
    refused(Act::Wait, "within 2 seconds").await;
    refused(Act::Flood, "larger than 4096 bytes").await;
    refused(say(200, "", "{\"choices\": ["), "no chat completion").await;
    refused(say(200, "", "{\"choices\": []}"), "empty").await;
    refused(say(200, "", "{\"error\": \"no\"}"), "no chat completion").await;
    refused(say(500, "", "oops"), "status 500").await;
    let elsewhere = "location: http://127.0.0.1:9/stolen\r\n";
    refused(say(302, elsewhere, ""), "status 302").await;
    let interview = path.split("/answers").next().unwrap();
    person.api.post(&format!("{interview}/finish"), json!({})).await.ok(200);
}

#[tokio::test]
async fn a_model_that_is_gone_is_left_alone_after_some_failures() {
    let model = Model::start().await;
    let org = with(&model, &[]).await;
    let (person, path) = practised(&org).await;
    let refused = async |words: &str| {
        let problem = person.api.post(&path, json!({})).await.refused(503, "chat.unavailable");
        assert!(text(&problem["detail"]).contains(words), "{problem}");
    };
    model.will(Act::Say(500, "", "oops".to_owned()));
    refused("status 500").await;
    refused("status 500").await;
    model.stop().await;
    refused("could not be reached").await;
    for _ in 0..5 {
        refused("left alone; try again in").await;
    }
    assert_eq!(model.asked(), 2);
    let told = || org.node.stderr().matches("is left alone for a while").count();
    until("the log says so", async || (told() > 0).then_some(())).await;
    assert_eq!(told(), 1);
}

#[tokio::test]
async fn without_a_model_it_says_so_and_strangers_learn_nothing() {
    let org = shared().await;
    let person = org.person("candidate").await;
    let practice = scene::begun(&person.api).await;
    let told = scene::answer(&person.api, &practice, 0, scene::ANSWER).await;
    let path = |answer: &str| scene::path(&practice, &format!("/answers/{answer}/model-answer"));
    let own = path(&text(&told["answer_id"]));
    person.api.post(&own, json!({})).await.refused(503, "chat.unavailable");
    org.admin.api.post(&own, json!({})).await.refused(404, "not_found");
    person.api.post(&path("no-id"), json!({})).await.refused(404, "not_found");
}
