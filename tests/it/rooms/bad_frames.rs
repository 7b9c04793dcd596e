//! Frames that nobody should send: each is refused with a reason and harms nobody else.

use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::frame::Frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};

use super::{answer, bare, say};
use crate::org::{Person, shared};
use crate::scene;
use crate::socket::Socket;

/// Frames that are not frames. The id is told back where it can be read.
const BAD: [(&str, Option<&str>); 26] = [
    ("", None),
    ("hello", None),
    ("null", None),
    ("[]", None),
    ("42", None),
    ("\"say\"", None),
    ("{", None),
    ("{}", None),
    ("{} {}", None),
    (r#"{"type":1}"#, None),
    (r#"{"type":"shout","id":"b"}"#, None),
    (r#"{"type":"say"}"#, None),
    (r#"{"type":"say","text":"x"}"#, None),
    (r#"{"type":"say","id":"b"}"#, Some("b")),
    (r#"{"type":"say","id":7,"text":"x"}"#, None),
    (r#"{"type":"say","id":"b","text":7}"#, Some("b")),
    (r#"{"type":"say","id":"b","text":null}"#, Some("b")),
    (r#"{"type":"say","id":"b","text":"x","loud":true}"#, Some("b")),
    (r#"{"type":"say","id":"b","text":"x","text":"y"}"#, Some("b")),
    (r#"{"type":"say","id":"b","text":"\ud800"}"#, Some("b")),
    (r#"{"type":"say","id":"b","text":"x","question_id":"none"}"#, Some("b")),
    (r#"{"type":"say","id":"b","text":"x","words":[["x",0]]}"#, Some("b")),
    (r#"{"type":"answer","id":"b","text":"x"}"#, Some("b")),
    (r#"{"type":"signal","to":"nobody","data":1}"#, None),
    (r#"{"type":"set","assist_intensity":"much"}"#, None),
    (r#"{"type":"ping"}"#, None),
];

/// Frames whose values are out of range.
const INVALID: [&str; 7] = [
    r#"{"type":"say","id":"","text":"x"}"#,
    r#"{"type":"say","id":"b","text":" "}"#,
    r#"{"type":"say","id":"b","text":"a\u0000b"}"#,
    r#"{"type":"say","id":"b\u0007","text":"x"}"#,
    r#"{"type":"say","id":"b","text":"x","words":[["x",2,1]]}"#,
    r#"{"type":"set","assist_intensity":4}"#,
    r#"{"type":"ask","id":"b","text":""}"#,
];

/// Somebody in a room where a witness sits too.
async fn room() -> (Person, Value, Socket) {
    let person = shared().await.person("candidate").await;
    let practice = scene::begun(&person.api).await;
    let witness = Socket::join(&person.api, &practice, None).await;
    (person, practice, witness)
}

#[tokio::test]
async fn every_bad_frame_is_refused_and_harms_nobody() {
    let (person, practice, mut witness) = room().await;
    // Two a connection, for the third would close it.
    for (n, pair) in BAD.chunks(2).enumerate() {
        let mut socket = Socket::join(&person.api, &practice, None).await;
        for (frame, id) in pair {
            socket.send_message(Message::text(*frame)).await;
            let refused = socket.wait("refused").await;
            assert_eq!(refused["code"], "frame.bad", "{frame}");
            assert_eq!(refused["id"].as_str(), *id, "{frame}");
            assert!(!refused["detail"].as_str().unwrap().is_empty(), "{frame}");
        }
        socket.act(say(&format!("good {n}"), "As ever.")).await;
        witness.wait_event("transcript.final").await;
    }
    let count = BAD.chunks(2).count();
    assert_eq!(scene::events(&person.api, &practice).await.len(), 2 + count);
}

#[tokio::test]
async fn values_out_of_range_are_refused_and_do_not_count() {
    let (person, practice, mut witness) = room().await;
    let mut socket = Socket::join(&person.api, &practice, None).await;
    let long = say("b", &"x".repeat(32_769)).to_string();
    let long_id = say(&"i".repeat(65), "x").to_string();
    let mut back_in_time = answer("b", &scene::question(&practice, 0), "x");
    back_in_time["duration_s"] = json!(-1);
    let back_in_time = back_in_time.to_string();
    for frame in INVALID.iter().copied().chain([long.as_str(), &long_id, &back_in_time]) {
        socket.send_message(Message::text(frame)).await;
        let refused = socket.wait("refused").await;
        assert_eq!(refused["code"], "input.invalid", "{frame:.80}");
    }
    socket.act(say("good", "As ever.")).await;
    witness.wait_event("transcript.final").await;
}

#[tokio::test]
async fn the_third_bad_frame_closes_the_socket() {
    let (person, practice, mut witness) = room().await;
    let mut socket = Socket::join(&person.api, &practice, None).await;
    let kinds = [Message::text("[]"), Message::binary(vec![1, 2, 3]), Message::text("nonsense")];
    for message in kinds {
        socket.send_message(message).await;
        assert_eq!(socket.wait("refused").await["code"], "frame.bad");
    }
    socket.ends(None, 4400).await;
    witness.act(say("on", "We go on.")).await;
}

#[tokio::test]
async fn bytes_that_are_no_text_close_the_socket() {
    let (person, practice, mut witness) = room().await;
    let mut socket = Socket::join(&person.api, &practice, None).await;
    let bytes = b"{\"type\":\"say\",\"id\":\"b\",\"text\":\"caf\xe9\"}".to_vec();
    let frame = Frame::message(bytes, OpCode::Data(Data::Text), true);
    socket.send_message(Message::Frame(frame)).await;
    socket.ends(None, 1007).await;
    witness.act(say("on", "We go on.")).await;
}

#[tokio::test]
async fn an_oversized_frame_closes_only_its_own_socket() {
    let (person, practice, mut witness) = room().await;
    for bytes in [65_537, 131_073, 1 << 20] {
        let mut socket = Socket::join(&person.api, &practice, None).await;
        socket.send_message(Message::text("x".repeat(bytes))).await;
        socket.ends(None, 1009).await;
        witness.act(say(&format!("on {bytes}"), "We go on.")).await;
    }
    // The largest frame that is allowed is read.
    let mut socket = Socket::join(&person.api, &practice, None).await;
    let ping = |pad: usize| json!({"type": "ping", "at": "x".repeat(pad)});
    let bare_bytes = ping(0).to_string().len();
    socket.send(ping(65_536 - bare_bytes)).await;
    socket.wait("pong").await;
}

#[tokio::test]
async fn a_flood_is_refused_and_slows_nobody_else() {
    let (person, practice, mut witness) = room().await;
    let mut socket = Socket::join(&person.api, &practice, None).await;
    let frames = (0..250).map(|n| say(&format!("f{n}"), "Flood."));
    socket.send_all(frames).await;
    let (mut acks, mut refused) = (0, 0);
    for n in 0..250 {
        let id = format!("f{n}");
        let frame = socket.find(id.clone(), |frame| frame["id"] == id.as_str()).await;
        if frame["type"] == "ack" {
            acks += 1;
        } else {
            assert_eq!(frame["code"], "rate.limited", "{frame}");
            refused += 1;
        }
    }
    assert!(acks >= 100 && refused > 0, "{acks} {refused}");
    witness.act(say("on", "We go on.")).await;
    let events = scene::events(&person.api, &practice).await;
    assert_eq!(events.len(), 2 + acks + 1, "what was refused did not happen");
    socket.act(bare("finish", "end")).await;
}

#[tokio::test]
async fn signals_reach_one_member_and_only_members() {
    let (person, practice, mut witness) = room().await;
    let data = json!({"sdp": "v=0", "n": [1, 2.50]});
    witness.send(json!({"type": "signal", "to": person.id, "data": data})).await;
    let signal = witness.wait("signal").await;
    assert_eq!((&signal["from"], &signal["data"]), (&json!(person.id), &data));
    let nobody = "019a0b1c-2d3e-7f40-8a5b-6c7d8e9f0a1b";
    witness.send(json!({"type": "signal", "to": nobody, "data": 1})).await;
    assert_eq!(witness.wait("refused").await["code"], "not_found");
    assert_eq!(scene::events(&person.api, &practice).await.len(), 2, "signals leave no trace");
}
