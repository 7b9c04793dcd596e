//! Coming back: each event after the last one that was seen, once, in order.

use serde_json::{Value, json};

use super::{bare, say};
use crate::org::{Org, shared};
use crate::scene;
use crate::socket::Socket;

/// More than one page of the store holds, and more than the ring keeps in bytes.
const SAID: usize = 300;

/// Two connections' worth of frames that may come at once.
const AT_ONCE: usize = 75;

fn seqs(events: &[Value]) -> Vec<u64> {
    events.iter().map(|event| event["seq"].as_u64().unwrap()).collect()
}

#[tokio::test]
async fn after_gives_what_came_later_and_nothing_else() {
    let person = shared().await.person("candidate").await;
    let practice = scene::begun(&person.api).await;
    let mut writer = Socket::join(&person.api, &practice, None).await;
    for n in 0..6 {
        writer.act(say(&format!("s{n}"), "Word.")).await;
    }
    for (after, wanted) in [(Some(0), 1..=9), (Some(1), 2..=9), (Some(5), 6..=9), (Some(8), 9..=9)]
    {
        let mut reader = Socket::join(&person.api, &practice, after).await;
        assert_eq!(reader.welcome["missed"], false);
        let id = format!("after {after:?}");
        if after == Some(0) {
            writer.act(say(&id, "Nine.")).await;
        }
        reader.wait_seq(9).await;
        reader.settle().await;
        assert_eq!(seqs(&reader.events), wanted.collect::<Vec<_>>(), "{id}");
    }
    let mut fresh = Socket::join(&person.api, &practice, None).await;
    assert_eq!(fresh.welcome["seq"], 9);
    let mut ahead = Socket::join(&person.api, &practice, Some(1_000)).await;
    assert_eq!((&ahead.welcome["missed"], &ahead.welcome["seq"]), (&json!(true), &json!(9)));
    assert_eq!(ahead.welcome["interview"]["state"], "live", "a snapshot is given instead");
    writer.act(say("ten", "Ten.")).await;
    for reader in [&mut fresh, &mut ahead] {
        reader.wait_seq(10).await;
        assert_eq!(seqs(&reader.events), [10]);
    }
}

#[tokio::test]
async fn a_slow_reader_gets_everything_and_holds_up_nobody() {
    let person = shared().await.person("candidate").await;
    let practice = scene::begun(&person.api).await;
    let long = "word ".repeat(4_000);
    for batch in 0..SAID / AT_ONCE {
        let mut writer = Socket::join(&person.api, &practice, None).await;
        let ids: Vec<String> = (0..AT_ONCE).map(|n| format!("{batch}-{n}")).collect();
        writer.send_all(ids.iter().map(|id| say(id, &long))).await;
        for id in &ids {
            writer.wait_id("ack", id).await;
        }
    }
    let head = SAID as u64 + 2;
    let mut slow = Socket::join_narrow(&person.api, &practice, Some(0)).await;
    assert_eq!(slow.welcome["seq"], head);
    // The slow one takes nothing now. Everybody else writes and is told as ever.
    let mut writer = Socket::join(&person.api, &practice, None).await;
    let mut quick = Socket::join(&person.api, &practice, Some(head - 1)).await;
    for n in 0..AT_ONCE {
        writer.act(say(&format!("later {n}"), "Meanwhile.")).await;
    }
    let head = head + AT_ONCE as u64;
    quick.wait_seq(head).await;
    slow.wait_seq(head).await;
    assert_eq!(seqs(&slow.events), (1..=head).collect::<Vec<_>>());
    let mut told = slow.events.clone();
    for event in &mut told {
        event.as_object_mut().unwrap().remove("type");
    }
    assert_eq!(told, scene::events(&person.api, &practice).await);
}

#[tokio::test]
async fn a_crash_of_the_node_is_a_pause() {
    let mut org = Org::found().await;
    let practice = scene::begun(&org.admin.api).await;
    let mut socket = Socket::join(&org.admin.api, &practice, Some(0)).await;
    socket.act(say("one", "One.")).await;
    socket.wait_seq(3).await;
    org.node.kill();
    socket.ends(None, 1006).await;
    org.node.restart();
    let api = org.admin.api.at(org.node.address());
    let mut again = Socket::join(&api, &practice, Some(2)).await;
    assert_eq!(again.welcome["epoch"], socket.welcome["epoch"], "it is the same cluster");
    again.act(say("two", "Two.")).await;
    again.act(bare("finish", "end")).await;
    again.ends(Some("room_finished"), 1000).await;
    assert_eq!(seqs(&again.events), [3, 4, 5, 6]);
    assert_eq!(again.events[0], socket.events[2], "the same event as before the crash");
}
