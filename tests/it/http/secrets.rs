//! What must never be in a log, whatever goes wrong and however much is logged.

use hyper::Method;
use serde_json::json;

use super::cv::upload;
use crate::api::{Api, text};
use crate::node::Node;
use crate::org::{Org, PASSWORD, token_of};
use crate::scene;
use crate::socket::Socket;

#[tokio::test]
async fn no_secret_is_in_the_log_of_a_whole_run() {
    let within = ["env".to_owned(), "GREENROOM_LOG_FILTER=trace".to_owned()];
    let node = Node::start_in(&within, "127.0.0.1:0");
    let setup_token = node.setup_token();
    let mut org = Org::with_token(node, &setup_token).await;
    let mut secrets = vec![PASSWORD.to_owned(), "Wrongpasswordzyn".to_owned(), setup_token];
    let mut words = Vec::new();
    let mut plant = |word: &str| {
        let word = format!("Quxolat{word}zyn");
        words.push(word.clone());
        word
    };

    let person = doors(&org, &mut secrets).await;
    // Words of people: in context, file, answers, notes, in bodies that are refused.
    let context = json!({"cv_text": plant("cv"), "job_description": plant("job"),
        "target_role": plant("role"), "mode": "general", "assist_intensity": 2});
    person.put("/api/v1/me/context", context).await.ok(200);
    upload(&person, "cv.pdf", "application/pdf", plant("pdf").as_bytes()).send().await;
    upload(&person, "cv.md", "text/markdown", plant("file").as_bytes()).send().await.ok(200);
    let broken = format!("{{\"cv_text\": \"{}\"", plant("broken"));
    let call = person.call(Method::PUT, "/api/v1/me/context").text("application/json", broken);
    call.send().await.refused(400, "input.invalid");
    let unknown = json!({"mode": plant("unknownmode"), "assist_intensity": 2});
    person.put("/api/v1/me/context", unknown).await.refused(400, "input.invalid");
    let practice = scene::begun(&person).await;
    let mut socket = Socket::join(&person, &practice, Some(0)).await;
    let partial = json!({"type": "partial", "text": plant("partial")});
    socket.send(partial).await;
    socket.wait("meters").await;
    socket.send(json!({"type": "say", "id": "x", "text": plant("frame"), "loud": true})).await;
    socket.wait("refused").await;
    let answer = format!("{} {}", plant("answer"), scene::ANSWER);
    scene::answer(&person, &practice, 0, &answer).await;
    person.post(&scene::path(&practice, "/finish"), json!({})).await.ok(200);
    crate::deadline::until("the report", async || {
        let reply = person.get(&scene::path(&practice, "/report")).await;
        (reply.status == 200).then_some(())
    })
    .await;
    let share = person.post(&scene::path(&practice, "/shares"), json!({})).await.ok(201);
    secrets.extend([text(&share["token"]), token_of(&share["url"])]);
    let api = org.node.api();
    api.get(&format!("/api/v1/shared/{}", text(&share["token"]))).await.ok(200);
    let body = json!({"accurate": true, "note": plant("feedback")});
    person.post(&scene::path(&practice, "/feedback"), body).await.ok(201);
    let token = org.admin.api.post("/api/v1/admin/cluster/tokens", json!({})).await.ok(201);
    secrets.push(text(&token["token"]));
    person.delete("/api/v1/me").await.ok(200);

    let before = org.node.stderr();
    org.crash();
    let log = before + &org.node.stderr();
    assert!(log.contains("TRACE") || log.contains("DEBUG"), "the log says little");
    // What the operator is told on purpose at the start, and only there.
    let log: Vec<&str> = log.lines().filter(|line| !line.contains("/setup#")).collect();
    for secret in secrets.iter().chain(&words) {
        let found = log.iter().find(|line| line.contains(secret.as_str()));
        assert_eq!(found, None, "{secret} is in the log");
    }
}

/// The doors, opened rightly, wrongly and with broken keys: somebody who came in.
async fn doors(org: &Org, secrets: &mut Vec<String>) -> Api {
    let (account, link) = org.invited("candidate").await;
    let api = org.node.api();
    let body = json!({"token": link, "password": "short"});
    api.post("/api/v1/auth/accept", body).await.refused(400, "input.invalid");
    let body = json!({"token": link, "password": PASSWORD});
    let login = api.post("/api/v1/auth/accept", body).await.ok(200);
    let (access, refresh) = (text(&login["access_token"]), text(&login["refresh_token"]));
    let person = api.clone().bearer(&access);
    let body = json!({"email": account["email"], "password": "Wrongpasswordzyn"});
    api.post("/api/v1/auth/login", body).await.refused(401, "auth.invalid");
    for token in ["Quxolatmadeuptoken.x.y", &format!("{access}x")] {
        api.clone().bearer(token).get("/api/v1/me").await.refused(401, "auth.invalid");
    }
    secrets.extend([access, refresh.clone(), link, "Quxolatmadeuptoken".to_owned()]);
    let renewed = api.post("/api/v1/auth/refresh", json!({"refresh_token": refresh})).await.ok(200);
    secrets.push(text(&renewed["refresh_token"]));
    secrets.push(text(&renewed["access_token"]));
    person
}
