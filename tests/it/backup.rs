//! Backups: what was taken from a running node is all there in another one, and what is not whole
//! is not taken for whole.

use std::path::{Path, PathBuf};
use std::process::Output;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::api::{Api, items, text};
use crate::deadline::until;
use crate::durability::Chance;
use crate::http::cv::upload;
use crate::node::{Node, greenroom, run};
use crate::org::{ADMIN, Org, PASSWORD, Person};
use crate::scene;

const BACKUPS: &str = "/api/v1/admin/backups";

/// A file in a folder of its own.
struct Place {
    dir: TempDir,
    file: PathBuf,
}

fn place() -> Place {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("all.backup");
    Place { dir, file }
}

/// `greenroom backup ACTION FILE` for a node.
async fn backup(node: &Node, action: &str, file: &Path, more: &[&str]) -> Output {
    let mut command = node.command();
    command.args(["backup", action]).arg(file).args(more);
    tokio::task::spawn_blocking(move || run(&mut command, b"")).await.unwrap()
}

fn verify(file: &Path, more: &[&str]) -> Output {
    run(greenroom().args(["backup", "verify"]).arg(file).args(more), b"")
}

fn restore(file: &Path, data_dir: &Path) -> Output {
    let mut command = greenroom();
    command.arg("--data-dir").arg(data_dir).args(["backup", "restore"]).arg(file);
    run(&mut command, b"")
}

#[track_caller]
fn ended(output: &Output, code: i32) -> String {
    let words = String::from_utf8_lossy(&output.stderr).into_owned();
    let out = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(code), "{words}\n{out}");
    words
}

/// An organisation with a reported practice, and a backup of it.
async fn kept(place: &Place) -> Org {
    let org = Org::found().await;
    scene::reported(&org.admin.api).await;
    ended(&backup(&org.node, "create", &place.file, &[]).await, 0);
    org
}

async fn sign_in(api: &Api) -> Person {
    let body = json!({"email": ADMIN, "password": PASSWORD});
    Person::of(api, api.post("/api/v1/auth/login", body).await.ok(200))
}

/// Who did what, as the file in a data directory has it.
fn audit(data_dir: &Path) -> Vec<(i64, String, String)> {
    let db = rusqlite::Connection::open(data_dir.join("state.db")).unwrap();
    let mut rows = db.prepare("SELECT seq, action, hash FROM audit ORDER BY seq").unwrap();
    let rows = rows.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).unwrap();
    rows.collect::<Result<_, _>>().unwrap()
}

/// Everything below a directory, with what is in it.
fn contents(dir: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => found.extend(contents(&path)),
            // Not the operator's socket, which a killed node leaves behind.
            false if path.is_file() => found.push((path.clone(), std::fs::read(&path).unwrap())),
            false => {}
        }
    }
    found.sort();
    found
}

#[tokio::test]
async fn a_backup_made_under_writes_is_the_whole_organisation_elsewhere() {
    let mut org = Org::found().await;
    let practice = scene::reported(&org.admin.api).await;
    let cv = cv(&org.admin.api).await;
    let report = org.admin.api.get(&scene::path(&practice, "/report")).await.ok(200);
    let events = scene::events(&org.admin.api, &practice).await;
    // Somebody goes on writing all the time.
    let done = Arc::new(AtomicBool::new(false));
    let (api, until_done) = (org.admin.api.clone(), done.clone());
    let writing = tokio::spawn(async move {
        let mut written = 0;
        while !until_done.load(Ordering::Relaxed) {
            scene::practice(&api, &["Why?"]).await;
            written += 1;
        }
        written
    });
    let place = place();
    let created = backup(&org.node, "create", &place.file, &["--json"]).await;
    ended(&created, 0);
    done.store(true, Ordering::Relaxed);
    assert!(writing.await.unwrap() > 0);
    let made: Value = serde_json::from_slice(&created.stdout).unwrap();
    assert_eq!(made["manifest"]["organisation"], "Lighthouse");

    let verified = verify(&place.file, &["--json"]);
    ended(&verified, 0);
    let verdict: Value = serde_json::from_slice(&verified.stdout).unwrap();
    assert_eq!((&verdict["ok"], &verdict["manifest"]), (&json!(true), &made["manifest"]));
    let names: Vec<String> =
        verdict["checks"].as_array().unwrap().iter().map(|check| text(&check["name"])).collect();
    let wanted = [
        "payload",
        "integrity",
        "schema",
        "references",
        "rows",
        "audit chain",
        "documents",
        "identity",
    ];
    assert_eq!(names, wanted);

    let mut other = Node::on(|data_dir| {
        assert!(ended(&restore(&place.file, data_dir), 0).contains("greenroom --data-dir"));
    });
    other.restart();
    let admin = sign_in(&other.api()).await;
    assert_eq!(admin.api.get(&scene::path(&practice, "/report")).await.ok(200), report);
    assert_eq!(scene::events(&admin.api, &practice).await, events);
    assert_eq!(admin.api.get("/api/v1/me/cv").await.body, cv);
    // It is a cluster of its own, and can be written to like any other.
    org.admin.api.at(other.address()).get("/api/v1/me").await.refused(401, "auth.invalid");
    scene::reported(&admin.api).await;
    other.kill();
    other.restart();
    let admin = sign_in(&other.api()).await;
    assert_eq!(admin.api.get(&scene::path(&practice, "/report")).await.ok(200), report);
    other.kill();
    org.node.kill();
    let (before, after) = (audit(&org.node.data_dir()), audit(&other.data_dir()));
    let rows = made["manifest"]["audit"]["rows"].as_u64().unwrap() as usize;
    assert_eq!(after[..rows], before[..rows]);
    assert_eq!(after[rows].1, "cluster.restore");
}

#[tokio::test]
async fn a_byte_that_was_changed_is_found_wherever_it_is() {
    let place = place();
    let _org = kept(&place).await;
    let good = std::fs::read(&place.file).unwrap();
    let lines = good.iter().enumerate().filter(|(_, byte)| **byte == b'\n');
    let header = lines.map(|(at, _)| at as u64 + 1).nth(2).unwrap();
    let mut chance = Chance::new();
    let all = good.len() as u64;
    let mut places = vec![0, header - 1, header, all - 1];
    places.extend((0..10).map(|_| chance.below(header)));
    places.extend((0..20).map(|_| header + chance.below(all - header)));
    let broken = place.dir.path().join("broken.backup");
    for at in places {
        let mut bytes = good.clone();
        bytes[at as usize] ^= 1 << chance.below(8);
        std::fs::write(&broken, bytes).unwrap();
        let words = ended(&verify(&broken, &[]), 1);
        assert!(words.contains("broken.backup"), "{at}: {words}");
    }
    ended(&verify(&place.file, &[]), 0);
}

#[tokio::test]
async fn what_is_no_whole_backup_of_ours_is_refused_in_words() {
    let place = place();
    let _org = kept(&place).await;
    let good = std::fs::read(&place.file).unwrap();
    let newer = [b"greenroom-backup 2".as_slice(), &good[18..]].concat();
    let longer = [&good, b"more".as_slice()].concat();
    let cases: [(&[u8], &str); 8] = [
        (b"", "not a backup"),
        (b"SQLite format 3\0", "not a backup"),
        (b"PK\x03\x04 and\n so on\n", "not a backup"),
        (b"greenroom-backup 1\n", "not a backup"),
        (&good[..200], "ends within its header"),
        (&good[..good.len() - 1], "cut off"),
        (&longer, "follows"),
        (&newer, "newer Greenroom"),
    ];
    let broken = place.dir.path().join("broken.backup");
    for (bytes, why) in cases {
        std::fs::write(&broken, bytes).unwrap();
        let words = ended(&verify(&broken, &[]), 1);
        assert!(words.contains(why), "{why}: {words}");
        // It leaves no trace where it was to be restored.
        let data_dir = place.dir.path().join("data");
        assert!(ended(&restore(&broken, &data_dir), 1).contains(why), "{why}");
        assert!(!data_dir.exists(), "{why}");
    }
    let words = ended(&verify(&place.dir.path().join("nothing"), &[]), 1);
    assert!(words.contains("cannot be opened"), "{words}");
}

#[tokio::test]
async fn a_restore_never_writes_over_data() {
    let place = place();
    let mut org = kept(&place).await;
    org.node.kill();
    let before = contents(&org.node.data_dir());
    let words = ended(&restore(&place.file, &org.node.data_dir()), 1);
    assert!(words.contains("is not empty") && words.contains("--data-dir"), "{words}");
    assert_eq!(contents(&org.node.data_dir()), before);
    // An empty directory may be there already, and stays when the restore is refused.
    let empty = place.dir.path().join("empty");
    std::fs::create_dir(&empty).unwrap();
    let mut bytes = std::fs::read(&place.file).unwrap();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    let broken = place.dir.path().join("broken.backup");
    std::fs::write(&broken, bytes).unwrap();
    ended(&restore(&broken, &empty), 1);
    assert_eq!(std::fs::read_dir(&empty).unwrap().count(), 0);
    ended(&restore(&place.file, &empty), 0);
}

#[tokio::test]
async fn a_file_that_is_there_is_replaced_only_by_force_and_nobody_else_reads_it() {
    use std::os::unix::fs::PermissionsExt;
    let place = place();
    let org = Org::found().await;
    std::fs::write(&place.file, "mine").unwrap();
    let words = ended(&backup(&org.node, "create", &place.file, &[]).await, 1);
    assert!(words.contains("--force"), "{words}");
    assert_eq!(std::fs::read(&place.file).unwrap(), b"mine");
    ended(&backup(&org.node, "create", &place.file, &["--force"]).await, 0);
    let mode = std::fs::metadata(&place.file).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    ended(&verify(&place.file, &[]), 0);
    assert_eq!(std::fs::read_dir(place.dir.path()).unwrap().count(), 1, "nothing else is left");
    // Over the network it takes an admin.
    let url = format!("http://{}", org.node.address());
    let elsewhere = place.dir.path().join("elsewhere.backup");
    let create = |token: &str| {
        let mut command = greenroom();
        command.args(["--url", &url, "--token", token, "backup", "create"]).arg(&elsewhere);
        tokio::task::spawn_blocking(move || run(&mut command, b""))
    };
    let candidate = org.person("candidate").await;
    let token = text(&candidate.login["access_token"]);
    let words = ended(&create(&token).await.unwrap(), 1);
    assert!(words.contains("access.denied") && !elsewhere.exists(), "{words}");
    candidate.api.get(BACKUPS).await.refused(403, "access.denied");
    candidate.api.post(BACKUPS, json!({})).await.refused(403, "access.denied");
    ended(&create(&text(&org.admin.login["access_token"])).await.unwrap(), 0);
    ended(&verify(&elsewhere, &[]), 0);
    // And a node.
    let nobody = place.dir.path().join("nobody");
    let mut command = greenroom();
    command
        .arg("--data-dir")
        .arg(&nobody)
        .args(["backup", "create"])
        .arg(nobody.with_extension("x"));
    ended(&run(&mut command, b""), 3);
}

/// A CV of several parts that this person has uploaded.
async fn cv(api: &Api) -> Vec<u8> {
    let words = "I mapped every step with the night shift.\r\n".repeat(4_000).into_bytes();
    upload(api, "cv.txt", "text/plain", &words).send().await.ok(200);
    words
}

/// What the node lists: file names and whether they were verified.
async fn listed(org: &Org) -> Vec<(String, bool)> {
    let list = org.admin.api.get(BACKUPS).await.ok(200);
    let item = |item: &Value| (text(&item["file"]), item["verified"] == true);
    items(&list).iter().map(item).collect()
}

/// A node whose backups lie in this folder and go by this policy.
async fn keeping(folder: &Path, last: usize) -> Org {
    let settings = format!("backup.dir = {folder:?}\nbackup.keep_last = {last}\n");
    let config = folder.with_extension("toml");
    std::fs::write(&config, format!("{settings}backup.keep_weekly = 0\n")).unwrap();
    let config = config.display().to_string();
    Org::on(Node::start_with(&["--listen", "127.0.0.1:0", "--config", &config])).await
}

#[tokio::test]
async fn scheduled_backups_come_and_go_by_the_policy() {
    let place = place();
    let folder = place.dir.path().join("kept");
    let mut org = keeping(&folder, 2).await;
    assert!(listed(&org).await.is_empty(), "a new cluster has time until its first one");
    let mut made = Vec::new();
    for _ in 0..3 {
        let one = org.admin.api.post(BACKUPS, json!({})).await.ok(201);
        assert_eq!(one["verified"], true);
        made.insert(0, (text(&one["file"]), true));
    }
    made.truncate(2);
    assert_eq!(listed(&org).await, made, "the newest first, and the oldest is gone");
    let list = run(org.node.command().args(["backup", "list"]), b"");
    ended(&list, 0);
    let list = String::from_utf8(list.stdout).unwrap();
    assert!(list.lines().count() == 3 && list.contains(&made[0].0), "{list}");
    ended(&verify(&folder.join(&made[0].0), &[]), 0);
    // A node that finds the newest one to be years old makes one, whatever it remembers.
    assert_eq!(org.node.terminate(), 0);
    std::fs::remove_file(folder.join(&made[1].0)).unwrap();
    let old = "greenroom-2020-01-01T00-00-00.000Z.backup".to_owned();
    std::fs::rename(folder.join(&made[0].0), folder.join(&old)).unwrap();
    org.node.restart();
    org.admin.api = org.admin.api.at(org.node.address());
    let now = until("a scheduled backup", async || {
        let now = listed(&org).await;
        (now.len() == 2).then_some(now)
    })
    .await;
    assert_eq!(now[1], (old, true));
    let metrics = org.admin.api.get("/metrics").await.text();
    let newest = metrics
        .lines()
        .find_map(|line| line.strip_prefix("greenroom_backup_newest_timestamp_seconds "));
    assert!(newest.unwrap().parse::<i64>().unwrap() > 1_700_000_000, "{newest:?}");
}

#[tokio::test]
async fn a_backup_that_fails_its_check_is_kept_aside_and_counts_for_nothing() {
    let place = place();
    let folder = place.dir.path().join("kept");
    let org = keeping(&folder, 1).await;
    let good = org.admin.api.post(BACKUPS, json!({})).await.ok(201);
    // Somebody rewrites history where only the node should write.
    let db = rusqlite::Connection::open(org.node.data_dir().join("state.db")).unwrap();
    db.busy_timeout(crate::deadline::PATIENCE).unwrap();
    db.execute("UPDATE audit SET action = 'nothing' WHERE seq = 2", []).unwrap();
    drop(db);
    for _ in 0..5 {
        org.admin.api.post(BACKUPS, json!({})).await.refused(500, "fault");
    }
    let now = listed(&org).await;
    assert_eq!(now.len(), 4, "three to look at and the good one: {now:?}");
    assert_eq!(now[3], (text(&good["file"]), true));
    assert!(now[..3].iter().all(|(file, ok)| !ok && file.ends_with(".unverified")), "{now:?}");
    let log = org.node.stderr();
    assert!(log.contains("row 2 of the audit log does not follow"), "{log}");
    let words = ended(&verify(&folder.join(&now[0].0), &[]), 1);
    assert!(words.contains("audit chain"), "{words}");
    // Such a one is not restored either.
    let data_dir = place.dir.path().join("data");
    ended(&restore(&folder.join(&now[0].0), &data_dir), 1);
    assert!(!data_dir.exists());
}
