//! Who may send which frame, and who hears of it: every frame with every part, before the start and
//! after it, against a table that a reader can check.

use serde_json::{Value, json};

use super::{answer, bare, say};
use crate::api::text;
use crate::golden::same_as_golden;
use crate::org::{Person, shared};
use crate::scene;
use crate::socket::Socket;

/// In the order in which they are sent: what ends the interview comes last.
const FRAMES: [&str; 11] =
    ["ping", "set", "partial", "signal", "say", "note", "ask", "skip", "answer", "start", "finish"];

/// Somebody in the room.
struct Seat {
    name: &'static str,
    id: String,
    socket: Socket,
}

/// A room with everybody in it; the first one owns it.
struct Cast {
    seats: Vec<Seat>,
    /// What was asked last and waits for an answer, if anything does.
    open: Option<String>,
    sent: usize,
}

impl Cast {
    async fn of(interview: &Value, people: Vec<(&'static str, Person)>) -> Cast {
        let mut seats = Vec::new();
        for (name, person) in people {
            let socket = Socket::join(&person.api, interview, None).await;
            seats.push(Seat { name, id: person.id, socket });
        }
        Cast { seats, open: None, sent: 0 }
    }

    /// What everybody has been told since the last time, but for who is there. Whoever sent comes
    /// first: once the room has answered there, it has told all others.
    async fn heard(&mut self, from: usize) -> Vec<Vec<String>> {
        let mut all = vec![Vec::new(); self.seats.len()];
        let others = (0..all.len()).filter(|at| *at != from);
        for at in [from].into_iter().chain(others) {
            let frames = self.seats[at].socket.settle().await;
            all[at] = frames.iter().filter_map(name_of).collect();
        }
        all
    }

    /// Sends this frame from this seat; says what came of it and who heard of it.
    async fn send(&mut self, from: usize, frame: &str) -> String {
        self.sent += 1;
        let id = format!("frame-{}", self.sent);
        let to = usize::from(from == 0).min(self.seats.len() - 1);
        let other = self.seats[to].id.clone();
        let open = self.open.clone().unwrap_or_else(|| other.clone());
        let sent = match frame {
            "ping" => json!({"type": "ping", "at": 1}),
            "set" => json!({"type": "set", "assist_intensity": 2}),
            "partial" => json!({"type": "partial", "text": "We moved a shelf."}),
            "signal" => json!({"type": "signal", "to": other, "data": {}}),
            "say" => say(&id, "We moved the shelf."),
            "note" => json!({"type": "note", "id": id, "text": "A shelf."}),
            "ask" => json!({"type": "ask", "id": id, "text": "Which shelf?"}),
            "skip" => json!({"type": "skip", "id": id, "question_id": open}),
            "answer" => answer(&id, &open, scene::ANSWER),
            "start" | "finish" => bare(frame, &id),
            _ => panic!("how is {frame} sent?"),
        };
        let acts = sent.get("id").is_some();
        let seat = &mut self.seats[from];
        seat.socket.send(sent).await;
        let mut refused = None;
        if acts {
            let what = format!("what came of {frame}");
            let reply = seat.socket.find(what, |f| f["id"] == id.as_str()).await;
            refused = (reply["type"] == "refused").then(|| text(&reply["code"]));
        }
        if frame == "finish" && refused.is_none() {
            return "ok".to_owned();
        }
        let mut lines = Vec::new();
        for (at, names) in self.heard(from).await.into_iter().enumerate() {
            let (code, told): (Vec<_>, Vec<_>) =
                names.into_iter().partition(|name| name.starts_with("refused "));
            if let Some(code) = code.first() {
                assert!(at == from, "{frame}: somebody else hears of the refusal");
                refused = Some(code["refused ".len()..].to_owned());
            }
            if !told.is_empty() {
                lines.push(format!("{}: {}", self.seats[at].name, told.join(" + ")));
            }
        }
        match refused {
            Some(code) => {
                assert!(lines.is_empty(), "{frame} was refused with {code}, and yet: {lines:?}");
                code
            }
            None if lines.is_empty() => "ok".to_owned(),
            None => format!("ok, {}", lines.join(", ")),
        }
    }

    /// Sees to it that a question waits for an answer.
    async fn question(&mut self) {
        let id = format!("question-{}", self.sent);
        let ask = json!({"type": "ask", "id": id, "text": "What then?"});
        self.open = Some(text(&self.seats[0].socket.act(ask).await["question_id"]));
        self.heard(0).await;
    }

    /// Every frame from everybody, the owner last; rows of a table.
    async fn every_frame(&mut self, state: &str) -> Vec<String> {
        let mut rows = Vec::new();
        for frame in FRAMES {
            for from in (0..self.seats.len()).rev() {
                if state == "begun" && ["answer", "skip"].contains(&frame) {
                    self.question().await;
                }
                // Before the start this would be the start.
                if state == "before" && frame == "start" && from == 0 {
                    continue;
                }
                let came = self.send(from, frame).await;
                rows.push(format!("{state:<8}{frame:<9}{:<13}{came}", self.seats[from].name));
            }
        }
        rows
    }
}

/// A frame as a row names it; who is there changes when it likes.
fn name_of(frame: &Value) -> Option<String> {
    let kind = text(&frame["type"]);
    match kind.as_str() {
        "presence" => None,
        "refused" => Some(format!("refused {}", text(&frame["code"]))),
        "event" if frame["kind"] == "answer.analysed" => {
            let seen = if frame["data"]["analysis"].is_null() { "no" } else { "with its" };
            Some(format!("answer.analysed, {seen} analysis"))
        }
        "event" => Some(text(&frame["kind"])),
        _ => Some(kind),
    }
}

#[tokio::test]
async fn every_frame_is_for_the_parts_of_the_table_and_nobody_else() {
    let org = shared().await;
    let owner = org.person("interviewer").await;
    let body = json!({"kind": "live", "questions": []});
    let live = owner.api.post("/api/v1/interviews", body).await.ok(201);
    let mut people = vec![("owner", owner)];
    for part in ["candidate", "interviewer", "observer"] {
        let person = org.person(part).await;
        let body = json!({"person_id": person.id, "part": part});
        people[0].1.api.post(&scene::path(&live, "/members"), body).await.ok(201);
        people.push((part, person));
    }
    let practising = org.person("candidate").await;
    let practice = scene::practice(&practising.api, &[]).await;
    // Whoever has no part has no ticket, and so no frame: an admin is no exception.
    for (interview, stranger) in [(&live, &org.admin), (&practice, &org.admin)] {
        let ticket = scene::path(interview, "/ticket");
        stranger.api.post(&ticket, json!({})).await.refused(404, "not_found");
    }
    let mut rows = Vec::new();
    let casts = [("live", Cast::of(&live, people).await), {
        let people = vec![("owner", practising)];
        ("practice", Cast::of(&practice, people).await)
    }];
    for (kind, mut cast) in casts {
        let own = rows.len();
        rows.extend(cast.every_frame("before").await);
        cast.seats[0].socket.act(bare("start", "start")).await;
        cast.heard(0).await;
        rows.extend(cast.every_frame("begun").await);
        rows[own..].iter_mut().for_each(|row| *row = format!("{kind:<10}{row}"));
        for seat in &mut cast.seats {
            seat.socket.ends(Some("room_finished"), 1000).await;
        }
    }
    let head = "# Which frame is for whom, and who hears of it (besides the acknowledgement).\n\
        # BLESS=1 writes it anew.\n";
    same_as_golden("rights/frames.txt", &format!("{head}{}\n", rows.join("\n")));
}

#[tokio::test]
async fn the_table_has_every_frame_that_the_room_knows() {
    let org = shared().await;
    let person = org.person("candidate").await;
    let practice = scene::practice(&person.api, &[]).await;
    let mut socket = Socket::join(&person.api, &practice, None).await;
    socket.send(json!({"type": "nonsense"})).await;
    let detail = text(&socket.wait("refused").await["detail"]);
    let (_, known) = detail.split_once("there are ").unwrap();
    let mut known: Vec<&str> = known.split([',', ' ']).filter(|w| !w.is_empty()).collect();
    known.retain(|word| *word != "and");
    let mut tried = FRAMES.to_vec();
    // What it says is written by hand; what it reads is not.
    let reader = include_str!("../../../src/room/protocol/read.rs");
    let arms = reader.lines().filter_map(|line| line.trim().split_once("\" =>"));
    let mut read: Vec<&str> = arms.filter_map(|(arm, _)| arm.strip_prefix('"')).collect();
    // Said once, before there is a part.
    read.retain(|frame| *frame != "hello");
    for list in [&mut known, &mut tried, &mut read] {
        list.sort_unstable();
    }
    assert_eq!((&known, &read), (&tried, &tried), "{detail}");
}
