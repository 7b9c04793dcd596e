//! A practice from the welcome to the report, as a page goes through it.

use greenroom::domain::analysis::SIGNAL_NAMES;
use serde_json::{Value, json};

use super::{answer, bare, say};
use crate::api::text;
use crate::deadline::soon;
use crate::org::shared;
use crate::scene;
use crate::socket::Socket;

#[tokio::test]
async fn the_welcome_says_who_where_and_how_much() {
    let person = shared().await.person("candidate").await;
    let practice = scene::practice(&person.api, &scene::QUESTIONS).await;
    let socket = Socket::join(&person.api, &practice, None).await;
    let welcome = &socket.welcome;
    assert_eq!(welcome["you"], json!({"person_id": person.id, "part": "candidate"}));
    assert_eq!(welcome["interview"], practice, "the same view as over HTTP");
    assert_eq!(welcome["members"], practice["members"]);
    assert_eq!((&welcome["seq"], &welcome["missed"]), (&json!(0), &json!(false)));
    assert_eq!(
        welcome["limits"],
        json!({"frame_bytes_max": 65536, "messages_per_s": 50,
        "members_max": 500, "sockets_per_person_max": 32})
    );
    for field in ["connection_id", "epoch"] {
        assert_eq!(text(&welcome[field]).len(), 36, "{field}");
    }
}

#[tokio::test]
async fn a_whole_practice_goes_through_one_socket() {
    let person = shared().await.person("candidate").await;
    let practice = scene::practice(&person.api, &scene::QUESTIONS[..2]).await;
    let mut socket = Socket::join(&person.api, &practice, None).await;
    let ack = socket.act(bare("start", "1")).await;
    assert_eq!(ack["seq"], 1);
    let started = socket.wait_event("interview.started").await;
    assert_eq!((&started["by"], &started["data"]), (&json!(person.id), &json!({})));
    for n in 0..2 {
        let asked = socket.wait_event("question.asked").await;
        assert_eq!(
            asked["data"],
            json!({"question_id": scene::question(&practice, n),
            "text": scene::QUESTIONS[n], "auto": true})
        );
        let question = text(&asked["data"]["question_id"]);
        let typed = json!({"type": "partial", "text": "I measured", "question_id": question});
        socket.send(typed).await;
        let meters = socket.wait("meters").await;
        assert_eq!(meters["question_id"], question);
        let signals = meters["signals"].as_object().unwrap();
        for name in SIGNAL_NAMES {
            assert!(signals.contains_key(name), "{name} is missing in {meters}");
        }
        for (name, value) in signals {
            assert!(value.is_null() || value.is_number(), "{name}: {value}");
        }
        let id = format!("a{n}");
        let ack = socket.act(answer(&id, &question, scene::ANSWER)).await;
        let analysed = socket.wait_event("answer.analysed").await;
        assert_eq!(
            (&ack["seq"], &ack["answer_id"]),
            (&analysed["seq"], &analysed["data"]["answer_id"])
        );
        assert_eq!(analysed["data"]["text"], scene::ANSWER);
        let analysis = &analysed["data"]["analysis"];
        scene::check_analysis(analysis);
        let measured = analysis["signals"].as_object().unwrap();
        assert!(signals.keys().eq(measured.keys()), "meters and signals have the same names");
    }
    socket.act(bare("finish", "end")).await;
    socket.wait_event("interview.finished").await;
    let ready = socket.wait_event("report.ready").await;
    assert_eq!((&ready["by"], &ready["data"]), (&Value::Null, &json!({})));
    socket.ends(Some("room_finished"), 1000).await;
    assert_eq!(socket.events.len(), 7);
    person.api.get(&scene::path(&practice, "/report")).await.ok(200);
}

#[tokio::test]
async fn an_answer_is_the_same_over_http_and_over_a_socket() {
    let org = shared().await;
    let (one, two) = (org.person("candidate").await, org.person("candidate").await);
    let (by_http, by_socket) = (scene::begun(&one.api).await, scene::begun(&two.api).await);
    let said = scene::answer(&one.api, &by_http, 0, scene::ANSWER).await;
    let mut socket = Socket::join(&two.api, &by_socket, None).await;
    let ack = socket.act(answer("a", &scene::question(&by_socket, 0), scene::ANSWER)).await;
    let told = socket.wait_event("answer.analysed").await;
    assert_eq!(said["analysis"], told["data"]["analysis"]);
    assert_eq!(said["seq"], ack["seq"]);
    let kinds = |events: Vec<Value>| -> Vec<Value> {
        events.into_iter().map(|event| event["kind"].clone()).collect()
    };
    let (here, there) =
        (scene::events(&one.api, &by_http).await, scene::events(&two.api, &by_socket).await);
    assert_eq!(kinds(here), kinds(there));
}

#[tokio::test]
async fn an_answer_without_text_is_what_was_said_since_the_question() {
    let person = shared().await.person("candidate").await;
    let practice = scene::begun(&person.api).await;
    let mut socket = Socket::join(&person.api, &practice, None).await;
    let question = scene::question(&practice, 0);
    let closing =
        |id: &str, question: &str| json!({"type": "answer", "id": id, "question_id": question});
    socket.refused(closing("early", &question), "input.invalid").await;
    let words = json!([["I", 0.0, 0.2], ["measured.", 0.2, 0.9]]);
    let mut first = say("s1", "I measured.");
    first["words"] = words.clone();
    first["question_id"] = json!(question);
    socket.act(first).await;
    let told = socket.wait_event("transcript.final").await;
    assert_eq!(
        (&told["data"]["words"], &told["data"]["question_id"]),
        (&json!([["I", 0, 0.2], ["measured.", 0.2, 0.9]]), &json!(question))
    );
    socket.act(say("s2", "Then I chose.")).await;
    // The refusal left its id free.
    socket.act(closing("early", &question)).await;
    let analysed = socket.wait_event("answer.analysed").await;
    assert_eq!(analysed["data"]["text"], "I measured. Then I chose.");

    // What was said on the first question is not said on the second.
    let second = scene::question(&practice, 1);
    socket.refused(closing("a2", &second), "input.invalid").await;
    socket.act(say("s3", "Once.")).await;
    socket.act(closing("a2", &second)).await;
    assert_eq!(socket.wait_event("answer.analysed").await["data"]["text"], "Once.");
}

#[tokio::test]
async fn acts_have_their_time() {
    let person = shared().await.person("candidate").await;
    let practice = scene::practice(&person.api, &scene::QUESTIONS).await;
    let question = scene::question(&practice, 0);
    let mut socket = Socket::join(&person.api, &practice, None).await;
    let ask = |id: &str| json!({"type": "ask", "id": id, "text": "And then?"});
    let early = [ask("1"), say("2", "x"), answer("3", &question, "x"), bare("finish", "4")];
    for frame in early {
        socket.refused(frame, "conflict.state").await;
    }
    socket.send(json!({"type": "partial", "text": "x"})).await;
    assert_eq!(socket.wait("refused").await["code"], "conflict.state");
    socket.act(bare("start", "5")).await;
    socket.refused(bare("start", "6"), "conflict.state").await;
    let nobody = "019a0b1c-2d3e-7f40-8a5b-6c7d8e9f0a1b";
    socket.refused(answer("7", nobody, "x"), "not_found").await;
    let mut lost = say("8", "x");
    lost["question_id"] = json!(nobody);
    socket.refused(lost, "not_found").await;
    let unasked = scene::question(&practice, 1);
    socket.refused(answer("9", &unasked, "x"), "conflict.state").await;
    socket.act(answer("10", &question, "x")).await;
    socket.refused(answer("11", &question, "y"), "conflict.state").await;
    let asked = socket.act(ask("12")).await;
    let own = socket
        .find("the own question".to_owned(), |f| f["data"]["question_id"] == asked["question_id"])
        .await;
    assert_eq!((&own["data"]["auto"], &own["by"]), (&json!(false), &json!(person.id)));
    socket.refused(json!({"type": "note", "id": "13", "text": "x"}), "access.denied").await;

    let late = [bare("finish", "end"), say("14", "x"), ask("15"), answer("16", &unasked, "x")];
    socket.send_all(late).await;
    socket.wait_id("ack", "end").await;
    for id in ["14", "15", "16"] {
        assert_eq!(socket.wait_id("refused", id).await["code"], "room.closed", "{id}");
    }
    socket.ends(Some("room_finished"), 1000).await;
}

#[tokio::test]
async fn two_tabs_of_one_person_see_the_same_room() {
    let person = shared().await.person("candidate").await;
    let practice = scene::begun(&person.api).await;
    let question = scene::question(&practice, 0);
    let mut left = Socket::join(&person.api, &practice, None).await;
    let mut right = Socket::join(&person.api, &practice, None).await;
    left.send(json!({"type": "partial", "text": "I think", "question_id": question})).await;
    let partial = right.wait("partial").await;
    assert_eq!(
        partial,
        json!({"type": "partial", "by": person.id, "text": "I think",
        "question_id": question})
    );
    let meters = right.wait("meters").await;
    assert_eq!(left.wait("meters").await, meters);
    assert!(left.settle().await.iter().all(|frame| frame["type"] != "partial"));

    left.act(answer("a", &question, scene::ANSWER)).await;
    let told = right.wait_event("answer.analysed").await;
    assert_eq!(left.wait_event("answer.analysed").await, told);
    assert!(right.settle().await.iter().all(|frame| frame["type"] != "ack"));
    // A third tab sees who is here, and so do the others.
    let third = Socket::join(&person.api, &practice, None).await;
    let here = |sockets: u64| {
        move |frame: &Value| frame["type"] == "presence" && frame["people"][0]["sockets"] == sockets
    };
    left.find("three tabs".to_owned(), here(3)).await;
    drop(third);
    left.find("two tabs again".to_owned(), here(2)).await;
    soon("a tab can be closed", right.find("two tabs".to_owned(), here(2))).await;
}

#[tokio::test]
async fn hints_come_while_typing_and_only_as_many_as_wanted() {
    let person = shared().await.person("candidate").await;
    let practice = scene::begun(&person.api).await;
    let mut socket = Socket::join(&person.api, &practice, None).await;
    let vague = "We had a desk that was slow in the evening. We moved it to another room and we \
        changed the order and we watched it for some days, and then we told the others how it \
        went and what we had changed";
    let typed = |question: usize| {
        json!({"type": "partial", "text": vague,
            "question_id": scene::question(&practice, question)})
    };
    // Little help keeps silent on what is merely thin.
    socket.send(json!({"type": "set", "assist_intensity": 1})).await;
    socket.send(typed(0)).await;
    assert!(socket.settle().await.iter().all(|frame| frame["type"] != "hint"));
    socket.send(json!({"type": "set", "assist_intensity": 3})).await;
    socket.send(typed(0)).await;
    let hint = socket.wait("hint").await;
    assert_eq!(hint["question_id"], scene::question(&practice, 0));
    assert_eq!(
        (&hint["rule"], &hint["code"], &hint["severity"], &hint["priority"]),
        (&json!("coach.no_own_action"), &json!("ownership.own_part"), &json!("medium"), &json!(3)),
        "{hint}"
    );
    let (from, to) = (hint["from"].as_u64().unwrap(), hint["to"].as_u64().unwrap());
    assert!(from < to && to as usize <= vague.chars().count(), "{hint}");
    assert!(!text(&hint["text"]).is_empty());
    // The next one is not due yet.
    socket.send(typed(0)).await;
    assert!(socket.settle().await.iter().all(|frame| frame["type"] != "hint"));
}

#[tokio::test]
async fn the_help_that_a_person_wants_is_the_contexts_and_changes_in_an_open_room() {
    let person = shared().await.person("candidate").await;
    let practice = scene::begun(&person.api).await;
    let wants = |intensity: u8| json!({"assist_intensity": intensity});
    let typed = json!({"type": "partial", "question_id": scene::question(&practice, 0), "text":
        "We did some things and it was kind of good in the end and everybody was more or less \
         happy with how things went because we all worked hard on it together"});
    person.api.put("/api/v1/me/context", wants(1)).await.ok(200);
    let mut socket = Socket::join(&person.api, &practice, None).await;
    socket.send(typed.clone()).await;
    assert!(socket.settle().await.iter().all(|frame| frame["type"] != "hint"));
    person.api.put("/api/v1/me/context", wants(3)).await.ok(200);
    soon("the room has heard of it", async {
        loop {
            socket.send(typed.clone()).await;
            if socket.settle().await.iter().any(|frame| frame["type"] == "hint") {
                break;
            }
        }
    })
    .await;
}
