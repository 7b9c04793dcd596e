//! Erasure: gone from the API at once, and from every file of the data directory soon.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::{Marks, files_with};
use crate::api::{items, text};
use crate::cluster::Cluster;
use crate::deadline::until;
use crate::node::{Node, greenroom, run};
use crate::org::{Org, PASSWORD, Person, token_of};
use crate::scene;
use crate::socket::Socket;

/// Everything that only this person brought along, in every form in which it is stored.
fn traces(marks: &Marks, person: &Person) -> Vec<String> {
    let mut traces = marks.all.clone();
    traces.push(person.email.clone());
    // The log has parts of files in base64; whole groups of three bytes look the same anywhere.
    let line = format!("{} led the night shift.\n", marks.all[4]);
    for shift in 0..3 {
        let cut = &line.as_bytes()[shift..shift + 24];
        traces.push(STANDARD.encode(cut));
    }
    traces
}

async fn gone_from_files(node: &Node, traces: &[String]) {
    until("what was erased to be in no file", async || {
        let found = files_with(&node.data_dir(), traces);
        found.is_empty().then_some(())
    })
    .await;
}

async fn erased(person: &Person) -> Value {
    let receipt = person.api.delete("/api/v1/me").await.ok(200);
    assert!(text(&receipt["erased_at"]).ends_with('Z'), "{receipt}");
    assert_eq!(text(&receipt["receipt_id"]).len(), 36, "{receipt}");
    receipt
}

#[tokio::test]
async fn whoever_erases_themselves_is_gone_at_once_and_soon_from_every_file() {
    let mut org = Org::found().await;
    let (person, other) = (org.person("candidate").await, org.person("candidate").await);
    let (marks, theirs) = (Marks::of("Gone"), Marks::of("Stays"));
    let practice = marks.leave(&person).await;
    let kept = theirs.leave(&other).await;
    let share = person.api.post(&scene::path(&practice, "/shares"), json!({})).await.ok(201);
    org.admin.api.post("/api/v1/admin/backups", json!({})).await.ok(201);
    let traces = traces(&marks, &person);
    let held = files_with(&org.node.data_dir(), &traces);
    for mark in &traces {
        assert!(held.iter().any(|line| line.starts_with(mark)), "{mark} is not in any file");
    }
    let mut socket = {
        let open = scene::begun(&person.api).await;
        Socket::join(&person.api, &open, Some(0)).await
    };
    let receipt = erased(&person).await;
    let counts = &receipt["counts"];
    assert_eq!(
        (&counts["interview"], &counts["answer"], &counts["person"]),
        (&json!(2), &json!(1), &json!(1)),
        "{receipt}"
    );

    // At once: nobody there, no login, no link, and the room closes.
    person.api.get("/api/v1/me").await.refused(401, "auth.expired");
    let login = json!({"email": person.email, "password": PASSWORD});
    org.node.api().post("/api/v1/auth/login", login).await.refused(401, "auth.invalid");
    let one = format!("/api/v1/people/{}", person.id);
    org.admin.api.get(&one).await.refused(404, "not_found");
    let people = org.admin.api.get("/api/v1/people").await.ok(200);
    assert_eq!(items(&people).len(), 2, "{people}");
    let shared = format!("/api/v1/shared/{}", text(&share["token"]));
    org.node.api().get(&shared).await.refused(404, "not_found");
    socket.ends(Some("session_ended"), 1008).await;

    // Soon: no file, and what belongs to others is all there, after a crash too.
    gone_from_files(&org.node, &traces).await;
    assert!(!files_with(&org.node.data_dir(), &theirs.all).is_empty());
    org.crash();
    let other_api = other.api.at(org.node.address());
    let report = other_api.get(&scene::path(&kept, "/report")).await.ok(200);
    assert!(report.to_string().contains(&theirs.all[3]));
    assert_eq!(files_with(&org.node.data_dir(), &traces), Vec::<String>::new());

    // The backup was written anew, is sound, and holds the others.
    let backups = org.admin.api.get("/api/v1/admin/backups").await.ok(200);
    let backup = text(&items(&backups)[0]["path"]);
    let verified = run(greenroom().args(["backup", "verify", &backup]), b"");
    assert!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stderr));
    let bytes = std::fs::read(&backup).unwrap();
    let there = |word: &str| bytes.windows(word.len()).any(|window| window == word.as_bytes());
    assert!(there(&theirs.all[3]) && !there(&marks.all[3]));

    // The address is free again.
    let body = json!({"email": person.email, "display_name": "New", "role": "candidate"});
    org.admin.api.post("/api/v1/people", body).await.ok(201);
    let receipts = items(&org.admin.api.get("/api/v1/admin/erasures").await.ok(200));
    assert_eq!(receipts[0]["receipt_id"], receipt["receipt_id"]);
    assert_eq!(receipts[0]["person_id"], person.id);
}

#[tokio::test]
async fn a_node_that_is_killed_while_it_cleans_begins_again() {
    let mut org = Org::found().await;
    let marks = Marks::of("Killed");
    let person = org.person("candidate").await;
    marks.leave(&person).await;
    let traces = traces(&marks, &person);
    erased(&person).await;
    org.crash();
    gone_from_files(&org.node, &traces).await;
    assert_eq!(org.node.terminate(), 0);
    assert_eq!(files_with(&org.node.data_dir(), &traces), Vec::<String>::new());
}

#[tokio::test]
async fn a_live_interview_goes_with_its_only_candidate_and_stays_for_another() {
    let org = Org::found().await;
    let interviewer = org.person("interviewer").await;
    let (gone, stays) = (org.person("candidate").await, org.person("candidate").await);
    let mut rooms = Vec::new();
    for candidates in [vec![&gone], vec![&gone, &stays]] {
        let body = json!({"kind": "live", "title": "Round", "questions": ["Why nights?"]});
        let live = interviewer.api.post("/api/v1/interviews", body).await.ok(201);
        for candidate in candidates {
            let body = json!({"person_id": candidate.id, "part": "candidate"});
            interviewer.api.post(&scene::path(&live, "/members"), body).await.ok(201);
        }
        interviewer.api.post(&scene::path(&live, "/start"), json!({})).await.ok(200);
        let mut socket = Socket::join(&gone.api, &live, Some(0)).await;
        socket.act(json!({"type": "say", "id": "s", "text": "Vorpalword at night"})).await;
        rooms.push((live, socket));
    }
    let (alone, together) = (rooms[0].0.clone(), rooms[1].0.clone());
    let mut hears = Socket::join(&stays.api, &together, Some(0)).await;
    hears.act(json!({"type": "say", "id": "s", "text": "I stay"})).await;
    let before = scene::events(&stays.api, &together).await;
    erased(&gone).await;
    interviewer.api.get(&scene::path(&alone, "")).await.refused(404, "not_found");
    let after = scene::events(&stays.api, &together).await;
    assert_eq!(after.len(), before.len(), "no event goes, so that no seq is missing");
    let said: Vec<&Value> =
        after.iter().filter(|event| event["kind"] == "transcript.final").collect();
    assert_eq!(said[0]["data"]["text"], "[erased]");
    assert_eq!(said[1]["data"]["text"], "I stay");
    hears.ends(Some("leader_changed"), 1012).await;
    let again = Socket::join(&stays.api, &together, Some(0)).await;
    assert!(!again.welcome.to_string().contains(&gone.id), "{}", again.welcome);
    interviewer.api.post(&scene::path(&together, "/finish"), json!({})).await.ok(200);
    gone_from_files(&org.node, &["Vorpalword".to_owned()]).await;
}

#[tokio::test]
async fn what_must_not_go_does_not_go() {
    let org = Org::found().await;
    let admin = &org.admin.api;
    admin.delete("/api/v1/me").await.refused(409, "conflict.state");
    let person = org.person("candidate").await;
    let one = format!("/api/v1/people/{}", person.id);
    person
        .api
        .delete(&format!("/api/v1/people/{}", org.admin.id))
        .await
        .refused(403, "access.denied");
    let hold = json!({"person_id": person.id, "reason": "case 7"});
    let hold = admin.post("/api/v1/admin/holds", hold).await.ok(201);
    person.api.delete("/api/v1/me").await.refused(409, "conflict.state");
    admin.delete(&one).await.refused(409, "conflict.state");
    person.api.get("/api/v1/me").await.ok(200);
    let release = format!("/api/v1/admin/holds/{}", text(&hold["id"]));
    admin.delete(&release).await.ok(204);
    admin.delete(&release).await.refused(404, "not_found");
    let delete = admin.call(hyper::Method::DELETE, &one).key("erase-once");
    let receipt = delete.send().await.ok(200);
    let again = admin.call(hyper::Method::DELETE, &one).key("erase-once").send().await;
    assert_eq!((again.ok(200), again.is_replayed()), (receipt, true));
    admin.delete(&one).await.refused(404, "not_found");
    let nobody = "/api/v1/people/00000000-0000-0000-0000-000000000000";
    admin.get(nobody).await.refused(404, "not_found");
    admin.patch(nobody, json!({"disabled": false})).await.refused(404, "not_found");
}

#[tokio::test]
async fn an_interviewer_who_goes_leaves_what_is_about_others() {
    let org = Org::found().await;
    let (first, second) = (org.person("interviewer").await, org.person("interviewer").await);
    let candidate = org.person("candidate").await;
    let live = |title: &str| json!({"kind": "live", "title": title, "questions": ["Why?"]});
    let handed = first.api.post("/api/v1/interviews", live("Handed on")).await.ok(201);
    let ended = first.api.post("/api/v1/interviews", live("Ended")).await.ok(201);
    for interview in [&handed, &ended] {
        let body = json!({"person_id": candidate.id, "part": "candidate"});
        first.api.post(&scene::path(interview, "/members"), body).await.ok(201);
    }
    let body = json!({"person_id": second.id, "part": "interviewer"});
    first.api.post(&scene::path(&handed, "/members"), body).await.ok(201);
    erased(&first).await;
    let seen = second.api.get(&scene::path(&handed, "")).await.ok(200);
    assert_eq!((&seen["owner"], &seen["state"]), (&json!(second.id), &json!("lobby")));
    second.api.post(&scene::path(&handed, "/start"), json!({})).await.ok(200);
    let seen = candidate.api.get(&scene::path(&ended, "")).await.ok(200);
    assert_eq!(seen["state"], "cancelled", "nobody could have ended it");
}

#[tokio::test]
async fn every_node_cleans_its_own_files() {
    let cluster = Cluster::start(3).await;
    let marks = Marks::of("Three");
    let person = cluster.org.person("candidate").await;
    marks.leave(&person).await;
    let traces = traces(&marks, &person);
    let at = cluster.at(2, &person.api);
    at.delete("/api/v1/me").await.ok(200);
    for n in 0..cluster.len() {
        gone_from_files(cluster.node(n), &traces).await;
    }
    // Whoever was invited by the one that is left can still come in.
    let (_, link) = cluster.org.invited("observer").await;
    assert!(!token_of(&json!(format!("x#{link}"))).is_empty());
}

#[tokio::test]
async fn an_old_backup_comes_back_without_whoever_was_erased_since() {
    let org = Org::found().await;
    let (person, other) = (org.person("candidate").await, org.person("candidate").await);
    let (marks, theirs) = (Marks::of("Old"), Marks::of("Kept"));
    marks.leave(&person).await;
    theirs.leave(&other).await;
    let place = tempfile::tempdir().unwrap();
    let (old, receipts) = (place.path().join("old.backup"), place.path().join("receipts.json"));
    let mut create = org.node.command();
    create.args(["backup", "create"]).arg(&old);
    let ended = tokio::task::spawn_blocking(move || run(&mut create, b"")).await.unwrap();
    assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
    let (email, mut erase) = (person.email.clone(), org.node.command());
    let mut erased = org.node.command();
    let printed = tokio::task::spawn_blocking(move || {
        let unsure = run(erase.args(["person", "erase", &email]), b"");
        assert_eq!(unsure.status.code(), Some(1), "it is asked for twice");
        let done = run(erase.arg("--yes"), b"");
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        run(erased.args(["person", "erased", "--json"]), b"").stdout
    })
    .await
    .unwrap();
    std::fs::write(&receipts, printed).unwrap();

    let data = place.path().join("data");
    let restore = |receipts: &std::path::Path| {
        let mut command = greenroom();
        command.arg("--data-dir").arg(&data).args(["backup", "restore"]).arg(&old);
        run(command.arg("--erasures").arg(receipts), b"")
    };
    let refused = restore(&old);
    assert_eq!(refused.status.code(), Some(1), "a backup is no list");
    let restored = restore(&receipts);
    let words = String::from_utf8_lossy(&restored.stderr).into_owned();
    assert!(restored.status.success(), "{words}");
    assert!(words.contains("1 of 1 erased people"), "{words}");
    assert_eq!(files_with(&data, &traces(&marks, &person)), Vec::<String>::new());
    assert!(!files_with(&data, &theirs.all).is_empty());
}
