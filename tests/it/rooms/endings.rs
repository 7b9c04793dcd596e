//! How sockets end: logins that end, rooms that are over, nodes that stop.

use serde_json::{Value, json};

use super::{bare, say};
use crate::api::text;
use crate::deadline::until;
use crate::org::{Org, PASSWORD, Person, shared};
use crate::scene;
use crate::socket::{PLAIN, Socket, ticket};

#[tokio::test]
async fn signing_out_closes_the_sockets_of_that_login() {
    let org = shared().await;
    let person = org.person("candidate").await;
    let body = json!({"email": person.email, "password": PASSWORD});
    let login = org.node.api().post("/api/v1/auth/login", body).await.ok(200);
    let second = Person::of(&org.node.api(), login);
    let practice = scene::begun(&person.api).await;
    let mut one = Socket::join(&person.api, &practice, None).await;
    let mut two = Socket::join(&second.api, &practice, None).await;
    assert_eq!(second.api.post("/api/v1/auth/logout", json!({})).await.status, 200);
    two.ends(Some("session_ended"), 1008).await;
    one.act(say("on", "Still here.")).await;
}

#[tokio::test]
async fn a_stolen_refresh_token_closes_the_sockets_too() {
    let org = shared().await;
    let person = org.person("candidate").await;
    let practice = scene::begun(&person.api).await;
    let mut socket = Socket::join(&person.api, &practice, None).await;
    let body = json!({"refresh_token": person.login["refresh_token"]});
    let api = org.node.api();
    api.post("/api/v1/auth/refresh", body.clone()).await.ok(200);
    socket.act(say("on", "A refresh changes nothing.")).await;
    api.post("/api/v1/auth/refresh", body).await.refused(401, "auth.invalid");
    socket.ends(Some("session_ended"), 1008).await;
}

#[tokio::test]
async fn a_new_password_closes_every_older_socket() {
    let org = shared().await;
    let person = org.person("candidate").await;
    let practice = scene::begun(&person.api).await;
    let mut socket = Socket::join(&person.api, &practice, None).await;
    let path = format!("/api/v1/people/{}/invite", person.id);
    let link = org.admin.api.post(&path, json!({})).await.ok(200);
    let token = crate::org::token_of(&link["invite_url"]);
    let body = json!({"token": token, "password": "a new sentence that nobody guesses"});
    org.node.api().post("/api/v1/auth/accept", body).await.ok(200);
    socket.ends(Some("session_ended"), 1008).await;
}

#[tokio::test]
async fn a_disabled_person_is_out_of_every_room_and_so_is_their_ticket() {
    let org = shared().await;
    let person = org.person("candidate").await;
    let (one, two) = (scene::begun(&person.api).await, scene::begun(&person.api).await);
    let mut first = Socket::join(&person.api, &one, None).await;
    let mut second = Socket::join(&person.api, &two, None).await;
    let kept = ticket(&person.api, &one).await;
    let path = format!("/api/v1/people/{}", person.id);
    org.admin.api.patch(&path, json!({"disabled": true})).await.ok(200);
    first.ends(Some("session_ended"), 1008).await;
    second.ends(Some("session_ended"), 1008).await;
    let mut late = Socket::open(&person.api, &scene::id(&one), &PLAIN).await.unwrap();
    late.say_hello(&kept, None).await;
    late.ends(Some("session_ended"), 1008).await;
}

#[tokio::test]
async fn a_ticket_ends_with_the_login_that_got_it() {
    let person = shared().await.person("candidate").await;
    let practice = scene::begun(&person.api).await;
    let kept = ticket(&person.api, &practice).await;
    assert_eq!(person.api.post("/api/v1/auth/logout", json!({})).await.status, 200);
    let mut late = Socket::open(&person.api, &scene::id(&practice), &PLAIN).await.unwrap();
    late.say_hello(&kept, None).await;
    late.ends(Some("session_ended"), 1008).await;
}

#[tokio::test]
async fn a_room_that_is_over_tells_its_events_and_says_goodbye() {
    let person = shared().await.person("candidate").await;
    let finished = scene::reported(&person.api).await;
    let mut late = Socket::join(&person.api, &finished, Some(0)).await;
    late.ends(Some("room_finished"), 1000).await;
    assert_eq!(late.events.last().unwrap()["kind"], "report.ready");

    let cancelled = scene::begun(&person.api).await;
    let mut member = Socket::join(&person.api, &cancelled, None).await;
    person.api.post(&scene::path(&cancelled, "/cancel"), json!({})).await.ok(200);
    member.ends(Some("room_finished"), 1000).await;
    assert_eq!(member.events.last().unwrap()["kind"], "interview.cancelled");
    let mut late = Socket::join(&person.api, &cancelled, Some(0)).await;
    late.ends(Some("room_finished"), 1000).await;
    assert_eq!(late.events.len(), 3);
}

#[tokio::test]
async fn a_node_that_stops_says_so_and_nothing_is_lost() {
    let mut org = Org::found().await;
    let practice = scene::begun(&org.admin.api).await;
    let mut one = Socket::join(&org.admin.api, &practice, Some(0)).await;
    let mut two = Socket::join(&org.admin.api, &practice, Some(0)).await;
    one.act(say("before", "Before the stop.")).await;
    org.node.ask_to_stop();
    for socket in [&mut one, &mut two] {
        let bye = socket.ends(Some("draining"), 1012).await;
        let wait = bye["retry_after_ms"].as_u64().expect("when to come back");
        assert!((100..=10_000).contains(&wait), "{bye}");
    }
    assert_eq!(org.node.wait(), 0, "a stop that was asked for is no fault");
    assert!(!org.node.data_dir().join("greenroom.sock").exists());
    org.node.restart();
    let api = org.admin.api.at(org.node.address());
    let mut again = Socket::join(&api, &practice, Some(two.events.len() as u64)).await;
    again.act(say("after", "After the stop.")).await;
    again.act(bare("finish", "end")).await;
    again.ends(Some("room_finished"), 1000).await;
    let all: Vec<Value> = two.events.iter().chain(&again.events).cloned().collect();
    let seqs: Vec<u64> = all.iter().map(|event| event["seq"].as_u64().unwrap()).collect();
    assert_eq!(seqs, (1..=6).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_report_that_a_crash_prevented_is_made_after_the_restart() {
    let mut org = Org::found().await;
    let practice = scene::begun(&org.admin.api).await;
    let mut socket = Socket::join(&org.admin.api, &practice, None).await;
    socket.act(bare("finish", "end")).await;
    org.crash();
    let report = until("the report", async || {
        let reply = org.admin.api.get(&scene::path(&practice, "/report")).await;
        (reply.status == 200).then(|| reply.json())
    })
    .await;
    assert_eq!(text(&report["interview_id"]), scene::id(&practice));
}
