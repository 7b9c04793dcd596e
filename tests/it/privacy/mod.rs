//! What people are promised about their data: taken away, gone when they say so, kept no longer
//! than was decided.

mod audit;
mod consent;
mod erasure;
mod export;
mod retention;

use std::path::Path;

use serde_json::json;

use crate::api::Api;
use crate::http::cv::upload;
use crate::org::Person;
use crate::scene;

/// Words that stand nowhere else, one for each place where somebody leaves some.
pub(crate) struct Marks {
    pub(crate) all: Vec<String>,
}

impl Marks {
    pub(crate) fn of(name: &str) -> Marks {
        let places = ["cv", "job", "role", "answer", "file", "feedback", "title", "question"];
        Marks { all: places.map(|place| format!("Quxolatl{name}{place}zyn")).to_vec() }
    }

    fn at(&self, n: usize) -> &str {
        &self.all[n]
    }

    /// Leaves each of them where a candidate who practises does.
    pub(crate) async fn leave(&self, person: &Person) -> serde_json::Value {
        let cv = format!("{} led the night shift.\n", self.at(4)).repeat(4_000);
        upload(&person.api, "cv.md", "text/markdown", cv.as_bytes()).send().await.ok(200);
        let context = json!({"cv_text": self.at(0), "job_description": self.at(1),
            "target_role": self.at(2), "mode": "general", "assist_intensity": 2});
        person.api.put("/api/v1/me/context", context).await.ok(200);
        let body = json!({"kind": "practice", "title": self.at(6), "questions": [self.at(7)]});
        let practice = person.api.post("/api/v1/interviews", body).await.ok(201);
        person.api.post(&scene::path(&practice, "/start"), json!({})).await.ok(200);
        let words = format!("{} {}", self.at(3), scene::ANSWER);
        let body = json!({"question_id": scene::question(&practice, 0), "text": words});
        let path = scene::path(&practice, "/answers");
        let post = person.api.call(hyper::Method::POST, &path).key("my-key").json(&body);
        post.send().await.ok(201);
        person.api.post(&scene::path(&practice, "/finish"), json!({})).await.ok(200);
        reported(&person.api, &practice).await;
        let body = json!({"accurate": true, "note": self.at(5)});
        person.api.post(&scene::path(&practice, "/feedback"), body).await.ok(201);
        practice
    }
}

async fn reported(api: &Api, interview: &serde_json::Value) {
    crate::deadline::until("the report", async || {
        let reply = api.get(&scene::path(interview, "/report")).await;
        (reply.status == 200).then_some(())
    })
    .await;
}

/// Files below a folder that hold one of these words.
pub(crate) fn files_with(folder: &Path, words: &[String]) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        // What is cleaned meanwhile may go while we look.
        let Ok(entry) = entry else { continue };
        let Ok(kind) = entry.file_type() else { continue };
        if kind.is_dir() {
            found.extend(files_with(&entry.path(), words));
        }
        let Ok(bytes) = std::fs::read(entry.path()) else { continue };
        for word in words {
            if bytes.windows(word.len()).any(|window| window == word.as_bytes()) {
                found.push(format!("{} in {}", word, entry.path().display()));
            }
        }
    }
    found
}
