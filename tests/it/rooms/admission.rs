//! Who gets into a room: tickets, origins, the first frame.

use serde_json::json;

use crate::api::text;
use crate::node::Node;
use crate::org::{Org, shared};
use crate::scene;
use crate::socket::{Door, PLAIN, Socket, ticket};

#[tokio::test]
async fn a_ticket_opens_one_socket_of_one_room() {
    let person = shared().await.person("candidate").await;
    let practice = scene::practice(&person.api, &[]).await;
    let other = scene::practice(&person.api, &[]).await;
    let id = scene::id(&practice);
    let given = person.api.post(&scene::path(&practice, "/ticket"), json!({})).await.ok(201);
    assert_eq!(given["expires_in"], 30);
    assert_eq!(given["socket"], format!("/api/v1/rooms/{id}/socket"));
    let good = text(&given["ticket"]);
    let mut socket = Socket::open(&person.api, &id, &PLAIN).await.unwrap();
    socket.say_hello(&good, None).await;
    socket.wait("welcome").await;

    let elsewhere = ticket(&person.api, &other).await;
    for bad in [good.as_str(), "invented", "", &elsewhere] {
        let mut socket = Socket::open(&person.api, &id, &PLAIN).await.unwrap();
        socket.say_hello(bad, Some(0)).await;
        socket.ends(Some("ticket_invalid"), 1008).await;
    }
    // A ticket that was shown at the wrong door is used up.
    let mut socket = Socket::open(&person.api, &scene::id(&other), &PLAIN).await.unwrap();
    socket.say_hello(&elsewhere, None).await;
    socket.ends(Some("ticket_invalid"), 1008).await;
}

#[tokio::test]
async fn the_upgrade_asks_for_the_protocol_and_a_known_origin() {
    let org = shared().await;
    let person = org.person("candidate").await;
    let practice = scene::practice(&person.api, &[]).await;
    let id = scene::id(&practice);
    let own = format!("http://{}", org.node.address());
    let cases = [
        (None, None, Some(400)),
        (None, Some("greenroom.v2"), Some(400)),
        (None, Some("greenroom.v1"), None),
        (Some(own.as_str()), Some("greenroom.v1"), None),
        (Some("https://elsewhere.example.org"), Some("greenroom.v1"), Some(403)),
        (Some("null"), Some("greenroom.v1"), Some(403)),
        (Some("http://127.0.0.1:1"), Some("greenroom.v1"), Some(403)),
    ];
    for (origin, subprotocol, refused) in cases {
        let door = Door { origin, subprotocol };
        let opened = Socket::open(&person.api, &id, &door).await;
        assert_eq!(opened.err(), refused, "{origin:?} {subprotocol:?}");
    }
    let path = format!("/api/v1/rooms/{id}/socket");
    person.api.get(&path).await.refused(426, "input.invalid");
}

#[tokio::test]
async fn origins_that_an_admin_allows_may_open_sockets() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("own.toml");
    let settings = "public_url = \"https://rooms.example.org\"\n\
        allowed_origins = [\"https://portal.example.org\"]\n";
    std::fs::write(&file, settings).unwrap();
    let org =
        Org::on(Node::start_with(&["--listen", "127.0.0.1:0", "--config", file.to_str().unwrap()]))
            .await;
    let practice = scene::practice(&org.admin.api, &[]).await;
    for (origin, refused) in [
        ("https://rooms.example.org", None),
        ("https://portal.example.org", None),
        ("https://other.example.org", Some(403)),
        ("https://rooms.example.org.evil.example", Some(403)),
    ] {
        let door = Door { origin: Some(origin), ..PLAIN };
        let opened = Socket::open(&org.admin.api, &scene::id(&practice), &door).await;
        assert_eq!(opened.err(), refused, "{origin}");
    }
    let (account, _) = org.invited("candidate").await;
    let link = text(&account["invite_url"]);
    assert!(link.starts_with("https://rooms.example.org/invite#"), "{link}");
}

#[tokio::test]
async fn the_first_frame_is_hello() {
    let person = shared().await.person("candidate").await;
    let practice = scene::practice(&person.api, &[]).await;
    let id = scene::id(&practice);
    let token = ticket(&person.api, &practice).await;
    let others = [
        json!({"type": "ping", "at": 1}),
        json!({"type": "start", "id": "1"}),
        json!({"type": "hello"}),
        json!({"type": "hello", "ticket": token, "after": -1}),
        json!({"type": "hello", "ticket": token, "extra": 1}),
        json!(["hello"]),
    ];
    for frame in others {
        let mut socket = Socket::open(&person.api, &id, &PLAIN).await.unwrap();
        socket.send(frame.clone()).await;
        let refused = socket.wait("refused").await;
        assert_eq!(refused["code"], "frame.bad", "{frame}");
        socket.ends(None, 1008).await;
    }
    // None of them was shown the ticket, so it still holds.
    let mut socket = Socket::open(&person.api, &id, &PLAIN).await.unwrap();
    socket.say_hello(&token, None).await;
    socket.wait("welcome").await;
    socket.say_hello("again", None).await;
    assert_eq!(socket.wait("refused").await["code"], "frame.bad");
}

#[tokio::test]
async fn who_says_nothing_is_sent_away() {
    let person = shared().await.person("candidate").await;
    let practice = scene::practice(&person.api, &[]).await;
    let mut socket = Socket::open(&person.api, &scene::id(&practice), &PLAIN).await.unwrap();
    socket.ends(None, 4408).await;
}

#[tokio::test]
async fn a_person_has_at_most_32_sockets_in_a_room() {
    let person = shared().await.person("candidate").await;
    let practice = scene::practice(&person.api, &[]).await;
    let mut sockets = Vec::new();
    for _ in 0..32 {
        sockets.push(Socket::join(&person.api, &practice, None).await);
    }
    let mut extra = Socket::open(&person.api, &scene::id(&practice), &PLAIN).await.unwrap();
    extra.say_hello(&ticket(&person.api, &practice).await, None).await;
    extra.ends(Some("too_many_sockets"), 1013).await;
    // The others are unharmed, and another room of the same person is open.
    sockets[31].act(json!({"type": "start", "id": "s"})).await;
    sockets[0].wait_event("interview.started").await;
    Socket::join(&person.api, &scene::practice(&person.api, &[]).await, None).await;
    drop(sockets.pop());
    sockets[0]
        .find("one fewer".to_owned(), |frame| {
            frame["type"] == "presence" && frame["people"][0]["sockets"] == 31
        })
        .await;
    Socket::join(&person.api, &practice, None).await;
}
