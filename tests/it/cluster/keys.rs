//! Keys and frame ids when the leader dies: what was acknowledged is told again by the next one,
//! and what was under way is there once.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use hyper::Method;
use serde_json::{Value, json};

use super::Cluster;
use crate::api::{Api, Reply};
use crate::deadline::until;
use crate::org::{PASSWORD, fresh_email};
use crate::scene;
use crate::socket::Socket;

async fn keyed(api: &Api, path: &str, key: &str, body: &Value) -> Reply {
    api.call(Method::POST, path).json(body).key(key).send().await
}

#[tokio::test]
async fn what_a_dead_leader_acknowledged_is_told_again_by_every_other_node() {
    let mut cluster = Cluster::start(3).await;
    let leader = cluster.leader().await;
    let admin = cluster.at(leader, &cluster.org.admin.api);
    let practice = scene::begun(&admin).await;
    let refresh = json!({"refresh_token": cluster.org.admin.login["refresh_token"]});
    let person = json!({"email": fresh_email("kept"), "display_name": "K", "role": "candidate",
        "password": PASSWORD});
    let answer = json!({"question_id": scene::question(&practice, 0), "text": scene::ANSWER});
    let practices = "/api/v1/interviews".to_owned();
    let requests = [
        (practices, json!({"kind": "practice", "title": "Once", "questions": ["Why?"]})),
        (scene::path(&practice, "/answers"), answer),
        (scene::path(&practice, "/questions"), json!({"text": "And then?"})),
        ("/api/v1/people".to_owned(), person),
        ("/api/v1/admin/cluster/tokens".to_owned(), json!({})),
        ("/api/v1/auth/refresh".to_owned(), refresh),
    ];
    let mut told = Vec::new();
    for (path, body) in &requests {
        let reply = keyed(&admin, path, path, body).await;
        assert!((200..300).contains(&reply.status) && !reply.is_replayed(), "{}", reply.text());
        told.push(reply);
    }
    let others = cluster.followers().await;
    cluster.kill(leader);
    for n in others {
        let admin = cluster.at(n, &cluster.org.admin.api);
        for ((path, body), first) in requests.iter().zip(&told) {
            let again = keyed(&admin, path, path, body).await;
            assert_eq!(again.status, first.status, "{path} {}", again.text());
            assert!(again.is_replayed(), "{path} at node {}", n + 1);
            let (mut again, mut first) = (again.json(), first.json());
            for told in [&mut again, &mut first] {
                let told = told.as_object_mut().unwrap();
                // Each node names itself, and after a minute a new access token is of more use.
                told.remove("url");
                told.remove("access_token");
            }
            assert_eq!(again, first, "{path}");
        }
        keyed(&admin, &requests[0].0, &requests[0].0, &json!({"kind": "practice"}))
            .await
            .refused(422, "idempotency.mismatch");
    }
}

/// Requests that are under way when the leader dies.
const UNDER_WAY: usize = 24;

#[tokio::test]
async fn what_was_under_way_when_the_leader_died_is_there_once_after_the_retry() {
    let mut cluster = Cluster::start(3).await;
    let practice = scene::begun(&cluster.org.admin.api).await;
    let path = scene::path(&practice, "/questions");
    let (mut acknowledged, mut before_the_retry) = (0, 0);
    for round in 0..4 {
        let leader = cluster.leader().await;
        let admin = cluster.at(leader, &cluster.org.admin.api);
        let others = cluster.followers().await;
        let done = Arc::new(AtomicUsize::new(0));
        let words = |n: usize| format!("Question {round}-{n}?");
        let mut sent = Vec::new();
        for n in 0..UNDER_WAY {
            let call = admin.call(Method::POST, &path).json(&json!({"text": words(n)}));
            let (call, done) = (call.key(&words(n)), done.clone());
            sent.push(tokio::spawn(async move {
                let reply = call.try_send().await.filter(|reply| reply.status == 201);
                done.fetch_add(usize::from(reply.is_some()), Ordering::Relaxed);
                reply
            }));
        }
        // A different moment in each round.
        until("the first of them", async || {
            (done.load(Ordering::Relaxed) >= round * 5).then_some(())
        })
        .await;
        cluster.kill(leader);
        for (n, sent) in sent.into_iter().enumerate() {
            let first = sent.await.unwrap();
            let admin = cluster.at(others[n % others.len()], &cluster.org.admin.api);
            let body = json!({"text": words(n)});
            // As a client does that was told to come back.
            let again = until("a leader", async || {
                let again = keyed(&admin, &path, &words(n), &body).await;
                let later = [409, 503].contains(&again.status);
                assert!(later || again.status == 201, "{}", again.text());
                (!later).then_some(again)
            })
            .await;
            if let Some(first) = &first {
                assert!(again.is_replayed(), "it was acknowledged");
                assert_eq!(again.json(), first.json());
            }
            acknowledged += usize::from(first.is_some());
            before_the_retry += usize::from(first.is_none() && again.is_replayed());
        }
        let admin = cluster.at(others[0], &cluster.org.admin.api);
        let events = scene::events(&admin, &practice).await;
        for n in 0..UNDER_WAY {
            let there = events.iter().filter(|event| event["data"]["text"] == words(n)).count();
            assert_eq!(there, 1, "{}", words(n));
        }
        cluster.restart(leader);
    }
    eprintln!(
        "of {} under way, {acknowledged} were acknowledged, and {before_the_retry} were written \
         without anybody having heard of it",
        4 * UNDER_WAY
    );
}

#[tokio::test]
async fn frame_ids_outlive_the_leader_who_acknowledged_them() {
    let mut cluster = Cluster::start(3).await;
    let practice = scene::begun(&cluster.org.admin.api).await;
    let leader = cluster.leader().await;
    let others = cluster.followers().await;
    let frames = [
        json!({"type": "say", "id": "w", "text": "I measured it."}),
        json!({"type": "answer", "id": "a", "question_id": scene::question(&practice, 0),
            "text": scene::ANSWER}),
        json!({"type": "ask", "id": "q", "text": "What else?"}),
    ];
    let mut socket =
        Socket::join(&cluster.at(leader, &cluster.org.admin.api), &practice, Some(0)).await;
    let mut first = Vec::new();
    for frame in &frames {
        first.push(socket.act(frame.clone()).await);
    }
    assert!(first[1]["answer_id"].is_string() && first[2]["question_id"].is_string(), "{first:?}");
    cluster.kill(leader);
    for n in others {
        let admin = cluster.at(n, &cluster.org.admin.api);
        until("somebody to lead", async || {
            let reply = admin.get(&scene::path(&practice, "")).await;
            (reply.status == 200).then_some(())
        })
        .await;
        let mut socket = Socket::join(&admin, &practice, Some(0)).await;
        for (frame, ack) in frames.iter().zip(&first) {
            assert_eq!(&socket.act(frame.clone()).await, ack, "at node {}", n + 1);
        }
    }
    let admin = cluster.at(cluster.running()[0], &cluster.org.admin.api);
    // Started, asked, said, analysed, the next one asked, asked.
    assert_eq!(scene::events(&admin, &practice).await.len(), 6);
}

#[tokio::test]
async fn a_key_does_not_make_two_leaders_step_down() {
    let cluster = Cluster::start(3).await;
    for round in 0..3 {
        let leader = cluster.leader().await;
        let asked = cluster.followers().await[round % 2];
        let admin = cluster.at(asked, &cluster.org.admin.api);
        let reply =
            keyed(&admin, "/api/v1/admin/cluster/stepdown", &round.to_string(), &json!({})).await;
        let told = reply.ok(200);
        let now = cluster.leader().await;
        assert_eq!((&told["before"], &told["leader"]), (&json!(leader + 1), &json!(now + 1)));
        assert_ne!(now, leader, "it stepped down");
    }
}
