//! An example answer by a language model: a small server of our own stands for one.

use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::api::text;
use crate::node::Node;
use crate::org::{Org, Person, shared};
use crate::scene;

/// What the model does with a request.
#[derive(Clone, Debug)]
enum Act {
    /// Answers with this status and these further header lines and body.
    Say(u16, &'static str, String),
    /// Takes the request and says nothing until the other side gives up.
    Wait,
    /// Sends a body without end until the other side gives up.
    Flood,
}

struct Model {
    url: String,
    act: Arc<Mutex<Act>>,
    /// The last request: its head and its body.
    heard: Arc<Mutex<(String, Value)>>,
    task: Mutex<Option<tokio::task::JoinHandle<()>>>,
}

impl Model {
    /// Closes the port.
    async fn stop(&self) {
        let task = self.task.lock().unwrap().take().expect("it runs");
        task.abort();
        let _ = task.await;
    }

    async fn start() -> Model {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/v1", listener.local_addr().unwrap());
        let act = Arc::new(Mutex::new(Act::Wait));
        let heard = Arc::new(Mutex::new((String::new(), Value::Null)));
        let (acts, hears) = (act.clone(), heard.clone());
        let task = tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let act = acts.lock().unwrap().clone();
                tokio::spawn(serve(stream, act, hears.clone()));
            }
        });
        Model { url, act, heard, task: Mutex::new(Some(task)) }
    }

    fn will(&self, act: Act) {
        *self.act.lock().unwrap() = act;
    }

    /// Answers as the chat-completions protocol has it.
    fn will_write(&self, content: &str) {
        let body = json!({
            "id": "chatcmpl-1", "object": "chat.completion", "created": 1_795_000_000,
            "model": "tiny", "choices": [{"index": 0, "finish_reason": "stop",
                "message": {"role": "assistant", "content": content}}],
            "usage": {"prompt_tokens": 9, "completion_tokens": 12, "total_tokens": 21},
        });
        self.will(Act::Say(200, "", body.to_string()));
    }
}

async fn serve(mut stream: TcpStream, act: Act, heard: Arc<Mutex<(String, Value)>>) {
    let mut bytes = Vec::new();
    let (head, body) = loop {
        if stream.read_buf(&mut bytes).await.unwrap_or(0) == 0 {
            return;
        }
        let so_far = String::from_utf8_lossy(&bytes).into_owned();
        let Some((head, body)) = so_far.split_once("\r\n\r\n") else { continue };
        let length = head.to_lowercase().lines().find_map(|line| {
            line.strip_prefix("content-length: ").map(|n| n.parse::<usize>().unwrap())
        });
        if body.len() >= length.unwrap_or(0) {
            break (head.to_owned(), body.to_owned());
        }
    };
    *heard.lock().unwrap() = (head, serde_json::from_str(&body).unwrap());
    match act {
        Act::Say(status, headers, body) => {
            let length = body.len();
            let head = format!("HTTP/1.1 {status} Word\r\n{headers}content-length: {length}\r\n");
            let _ = stream.write_all(format!("{head}\r\n{body}").as_bytes()).await;
        }
        Act::Wait => while stream.read_buf(&mut bytes).await.unwrap_or(0) > 0 {},
        Act::Flood => {
            let mut chunk = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n".to_vec();
            while stream.write_all(&chunk).await.is_ok() {
                chunk = format!("1000\r\n{}\r\n", "a".repeat(0x1000)).into_bytes();
            }
        }
    }
}

/// A node with this model, a person with a CV, and the path of the example for an answer.
async fn practised(model: &Model) -> (Org, Person, String) {
    let key = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(key.path(), "sesame\n").unwrap();
    let within: Vec<String> = [
        "env",
        &format!("GREENROOM_CHAT_URL={}", model.url),
        "GREENROOM_CHAT_MODEL=tiny",
        "GREENROOM_CHAT_TIMEOUT=1",
        "GREENROOM_CHAT_MAX_BYTES=4096",
        &format!("GREENROOM_CHAT_API_KEY_FILE={}", key.path().display()),
    ]
    .map(str::to_owned)
    .to_vec();
    let org = Org::on(Node::start_in(&within, "127.0.0.1:0")).await;
    let person = org.person("candidate").await;
    let context = json!({"cv_text": "Shift lead at a returns desk. Nine colleagues."});
    person.api.put("/api/v1/me/context", context).await.ok(200);
    let practice = scene::begun(&person.api).await;
    let told = scene::answer(&person.api, &practice, 0, scene::ANSWER).await;
    let answer = text(&told["answer_id"]);
    let path = scene::path(&practice, &format!("/answers/{answer}/model-answer"));
    (org, person, path)
}

#[tokio::test]
async fn an_example_is_marked_and_quotes_only_what_the_person_wrote() {
    let model = Model::start().await;
    let (_org, person, path) = practised(&model).await;
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
    let (head, asked) = model.heard.lock().unwrap().clone();
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
    let (_org, person, path) = practised(&model).await;
    let refused = async |act: Act, words: &str| {
        model.will(act.clone());
        let problem = person.api.post(&path, json!({})).await.refused(503, "chat.unavailable");
        let detail = text(&problem["detail"]);
        assert!(detail.contains(words), "{act:?}: {detail}");
    };
    let say = |status, headers, body: &str| Act::Say(status, headers, body.to_owned());
    refused(Act::Wait, "within 1 seconds").await;
    refused(Act::Flood, "larger than 4096 bytes").await;
    refused(say(200, "", "{\"choices\": ["), "no chat completion").await;
    refused(say(200, "", "{\"choices\": []}"), "empty").await;
    refused(say(200, "", "{\"error\": \"no\"}"), "no chat completion").await;
    refused(say(500, "", "oops"), "status 500").await;
    let elsewhere = "location: http://127.0.0.1:9/stolen\r\n";
    refused(say(302, elsewhere, ""), "status 302").await;
    model.stop().await;
    refused(Act::Wait, "could not be reached").await;
    let interview = path.split("/answers").next().unwrap();
    person.api.post(&format!("{interview}/finish"), json!({})).await.ok(200);
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
