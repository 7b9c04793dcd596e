//! Data of earlier releases: opened, served whole, raised, taken back, through every death on the
//! way. `tests/golden/data/README.md` says what lies in the directories.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use greenroom::store::schema::NEWEST;
use rusqlite::Connection;
use serde_json::{Value, json};

use crate::api::{Api, items, text};
use crate::deadline::{PATIENCE, until};
use crate::http::cv::upload;
use crate::node::{Node, run};
use crate::scene;

/// People of the golden directories with their passwords.
const ADMIN: (&str, &str) = ("ngozi.adeyemi@example.org", "Ul8NY2PZgywG4Tmp");
const CANDIDATE: (&str, &str) = ("mateus.carvalho@example.org", "_xJ02IVDXgz-oTYm");
const INTERVIEWER: (&str, &str) = ("linh.pham@example.org", "InuUX09M8wJeiwBe");

/// What is not data of the level: made anew at each start, or kept from before.
const NOT_DATA: [&str; 6] =
    ["lock", "greenroom.sock", "setup-token", "before-level-*", "backup-work", "*-shm"];

fn golden(level: u32) -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/data");
    folder.join(format!("level-{level}.tar.gz"))
}

fn tar(args: &[&str], archive: &Path, folder: &Path) {
    let mut tar = Command::new("tar");
    tar.args(args).arg("-f").arg(archive).arg("-C").arg(folder).arg(".");
    assert!(tar.status().unwrap().success(), "tar {args:?} {}", archive.display());
}

/// A node on the data of a level; it does not run yet.
fn node_of(level: u32) -> Node {
    Node::on(|data| tar(&["-xz"], &golden(level), data))
}

async fn sign_in(node: &Node, (email, password): (&str, &str)) -> Api {
    let body = json!({"email": email, "password": password});
    let login = node.api().post("/api/v1/auth/login", body).await.ok(200);
    node.api().bearer(&text(&login["access_token"]))
}

/// Everything that a person can read of their interviews, by path.
async fn all_of(api: &Api) -> BTreeMap<String, Value> {
    let mut all = BTreeMap::new();
    for path in ["/api/v1/me/context", "/api/v1/me/progress", "/api/v1/kits"] {
        all.insert(path.to_owned(), api.get(path).await.ok(200));
    }
    let cv = api.get("/api/v1/me/cv").await;
    if cv.status == 200 {
        all.insert("/api/v1/me/cv".to_owned(), json!(cv.text()));
    }
    let list = items(&api.get("/api/v1/interviews?limit=200").await.ok(200));
    for interview in &list {
        all.insert(scene::path(interview, ""), api.get(&scene::path(interview, "")).await.ok(200));
        let events = scene::events(api, interview).await;
        assert!(!events.is_empty(), "{interview}");
        all.insert(scene::path(interview, "/events"), json!(events));
        if interview["state"] == "finished" {
            let path = scene::path(interview, "/report");
            let report = api.get(&path).await.ok(200);
            for answer in report["answers"].as_array().unwrap() {
                if answer["analysis"]["status"] == "scored" {
                    scene::check_analysis(&answer["analysis"]);
                }
            }
            all.insert(path, report);
            for format in ["json", "csv", "md", "html"] {
                let path = scene::path(interview, &format!("/export?format={format}"));
                let file = api.get(&path).await;
                assert_eq!(file.status, 200, "{path}");
                assert!(!file.body.is_empty(), "{path}");
            }
        }
    }
    all
}

/// Everything that the people of a golden directory can read.
async fn everything(node: &Node) -> Value {
    let admin = sign_in(node, ADMIN).await;
    let people = admin.get("/api/v1/people").await.ok(200);
    let calibrations = admin.get("/api/v1/calibrations").await.ok(200);
    let mut all = vec![people];
    for person in [CANDIDATE, INTERVIEWER] {
        all.push(json!(all_of(&sign_in(node, person).await).await));
    }
    for path in ["/api/v1/admin/limits", "/api/v1/admin/retention", "/api/v1/me/tokens"] {
        all.push(admin.get(path).await.ok(200));
    }
    let reports = all[1].as_object().unwrap().keys().filter(|path| path.ends_with("/report"));
    assert!(reports.count() >= 1, "the directory is worth the test: {all:?}");
    all.push(calibrations);
    json!(all)
}

fn upgrade(node: &Node, args: &[&str]) -> (i32, Value, String) {
    let output = run(node.command().arg("upgrade").args(args), b"");
    let value = serde_json::from_slice(&output.stdout).unwrap_or_default();
    let words = String::from_utf8_lossy(&output.stderr).into_owned();
    (output.status.code().unwrap(), value, words)
}

/// A database as it lies there, in a copy, so that looking changes nothing.
fn look<T>(node: &Node, name: &str, read: impl FnOnce(&Connection) -> T) -> T {
    let aside = tempfile::tempdir().unwrap();
    for file in [name.to_owned(), format!("{name}-wal")] {
        let from = node.data_dir().join(&file);
        if from.exists() {
            std::fs::copy(from, aside.path().join(file)).unwrap();
        }
    }
    read(&Connection::open(aside.path().join(name)).unwrap())
}

fn texts(db: &Connection, sql: &str) -> Vec<String> {
    let mut statement = db.prepare(sql).unwrap();
    statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
}

/// The schema, to the letter.
fn schema(db: &Connection) -> Vec<String> {
    texts(db, "SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY type, name")
}

fn level(db: &Connection) -> u32 {
    db.query_row("SELECT count(*) FROM migration", [], |row| row.get(0)).unwrap()
}

/// The newest directory is written by `BLESS_DATA=1`: data of the level before, raised and used.
fn bless(level: u32) {
    let mut node = node_of(level - 1);
    node.restart();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let candidate = sign_in(&node, CANDIDATE).await;
        scene::reported(&candidate).await;
        upload(&candidate, "cv.md", "text/markdown", b"# Baker\n\n2019 to 2024\n")
            .send()
            .await
            .ok(200);
        let practice = scene::begun(&candidate).await;
        let skip = json!({"question_id": scene::question(&practice, 0)});
        candidate.post(&scene::path(&practice, "/skip"), skip).await.ok(200);
        let admin = sign_in(&node, ADMIN).await;
        if level <= 5 {
            let body = json!({"version": "house-1", "toml": scene::calibration("house-1")});
            admin.post("/api/v1/calibrations", body).await.ok(201);
            let path = "/api/v1/calibrations/house-1/activate";
            admin.post(path, json!({})).await.ok(200);
        }
        let rule = json!({"class": "upload", "tier": "admin", "requests": 777,
            "window_seconds": 60});
        admin.put("/api/v1/admin/limits", json!({"policies": [rule]})).await.ok(200);
        let rules = json!({"rules": [{"kind": "live", "days": 9_001}]});
        admin.put("/api/v1/admin/retention", rules).await.ok(200);
        let token = json!({"name": "Nightly 4711", "read_only": true});
        let token = admin.post("/api/v1/me/tokens", token).await.ok(201);
        let program = node.api().bearer(&text(&token["token"]));
        program.get("/api/v1/me").await.ok(200);
        until("the use of the token is noted", async || {
            let tokens = admin.get("/api/v1/me/tokens").await.ok(200).to_string();
            tokens.contains("\"last_used_on\":\"20").then_some(())
        })
        .await;
        admin.post("/api/v1/admin/keys/rotate", json!({})).await.ok(200);
    });
    node.kill();
    let mut args = vec!["-cz".to_owned(), "--owner=0".to_owned(), "--group=0".to_owned()];
    args.extend(NOT_DATA.map(|name| format!("--exclude={name}")));
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    tar(&args, &golden(level), &node.data_dir());
}

#[test]
fn every_level_has_its_golden_directory() {
    if std::env::var_os("BLESS_DATA").is_some() {
        bless(NEWEST);
    }
    for n in 1..=NEWEST {
        assert!(golden(n).exists(), "level {n} has no directory; see its README");
        let bytes = golden(n).metadata().unwrap().len();
        // Each level adds some 20 KB to the one before; a CV or a log too many shows here.
        assert!(bytes < 384 << 10, "{n}: {bytes} bytes are too many for the repository");
        let node = node_of(n);
        assert_eq!(look(&node, "state.db", level), n);
        assert!(node.data_dir().join("state.db-wal").exists(), "it was not closed in order");
    }
}

#[tokio::test]
async fn data_of_every_level_are_served_whole_and_raised() {
    for n in 1..=NEWEST {
        let mut node = node_of(n);
        node.restart();
        let first = everything(&node).await;
        assert_eq!(first.to_string().contains("# Baker"), n >= 3, "{n}: CVs came with level 3");
        let skipped = first.to_string().contains("question.skipped");
        assert_eq!(skipped, n >= 4, "{n}: skipped questions came with level 4");
        let own = first.to_string().contains("house-1");
        assert_eq!(own, n >= 5, "{n}: own calibrations came with level 5");
        let limits = first.to_string().contains("\"requests\":777");
        assert_eq!(limits, n >= 6, "{n}: rate policies came with level 6");
        let rules = first.to_string().contains("\"days\":9001");
        assert_eq!(rules, n >= 7, "{n}: retention came with level 7");
        let tokens = first.to_string().contains("Nightly 4711");
        assert_eq!(tokens, n >= 8, "{n}: tokens of programs came with level 8");
        let used = first.to_string().contains("\"last_used_on\":\"20");
        assert_eq!(used, n >= 9, "{n}: the last use of a token came with level 9");
        let (code, status, words) = upgrade(&node, &["status", "--json"]);
        assert_eq!((code, &status["level"]), (0, &json!(NEWEST)), "{n}: {words}");
        assert_eq!(status["waits"], false);
        assert_eq!(status["nodes"][0]["level"], NEWEST);
        assert_eq!(upgrade(&node, &["check"]).0, 0);
        let copy = node.data_dir().join(format!("before-level-{NEWEST}.db"));
        assert_eq!(copy.exists(), n < NEWEST, "{n}");
        if n < NEWEST {
            assert_eq!(level(&Connection::open(&copy).unwrap()), n, "the copy is of before");
        }
        node.kill();
        node.restart();
        assert_eq!(everything(&node).await, first, "{n}: the same after a crash");
        // And it is data to go on with, not only to look at.
        let candidate = sign_in(&node, CANDIDATE).await;
        let practice = scene::reported(&candidate).await;
        let share = candidate.post(&scene::path(&practice, "/shares"), json!({})).await.ok(201);
        let token = text(&share["url"]).rsplit_once('#').unwrap().1.to_owned();
        node.api().get(&format!("/api/v1/shared/{token}")).await.ok(200);
    }
}

/// Starts the node and kills it as soon as this is there, or its socket: then the start was
/// through.
fn die_at(node: &Node, name: &str) {
    let mut serve = node.command();
    serve.args(["serve", "--listen", "127.0.0.1:0"]);
    let mut child = serve.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let since = Instant::now();
    let there = |name: &str| node.data_dir().join(name).exists();
    while !there(name) && !there("greenroom.sock") {
        assert!(since.elapsed() < PATIENCE, "{name} never came");
        std::thread::yield_now();
    }
    child.kill().unwrap();
    child.wait().unwrap();
}

#[tokio::test]
async fn a_death_in_the_middle_of_raising_loses_nothing() {
    let mut whole = node_of(1);
    whole.restart();
    let expected = everything(&whole).await;
    let copy = format!("before-level-{NEWEST}.db");
    let unfinished = format!("before-level-{NEWEST}.unfinished");
    for name in ["lock", &unfinished, &copy, "greenroom.sock"] {
        let mut node = node_of(1);
        die_at(&node, name);
        let met = look(&node, "state.db", level);
        println!("killed when {name} was there: level {met}");
        assert!(met == 1 || met == NEWEST, "{name}: half of a level: {met}");
        node.restart();
        assert_eq!(everything(&node).await, expected, "{name}");
        assert_eq!(look(&node, "state.db", level), NEWEST, "{name}");
    }
}

#[tokio::test]
async fn undoing_gives_the_release_before_its_data_back() {
    let before = look(&node_of(1), "state.db", schema);
    let mut node = node_of(1);
    node.restart();
    let first = everything(&node).await;
    let (code, _, words) = upgrade(&node, &["undo"]);
    assert_eq!(code, 1, "it says what it costs: {words}");
    assert!(words.contains("join_token") && words.contains("--yes"), "{words}");
    let admin = sign_in(&node, ADMIN).await;
    let path = "/api/v1/admin/upgrade/undo";
    admin.post(path, json!({})).await.refused(400, "input.invalid");
    assert_eq!(look(&node, "state.db", level), NEWEST, "nothing was done yet");

    let (code, status, words) = upgrade(&node, &["undo", "--yes", "--json"]);
    assert_eq!((code, &status["level"]), (0, &json!(1)), "{words}");
    assert_eq!((&status["held"], &status["waits"]), (&json!(true), &json!(true)));
    // Once more changes nothing: an admin who is not sure may ask again.
    assert_eq!(upgrade(&node, &["undo", "--yes"]).0, 0);
    assert_eq!(everything(&node).await, first);
    assert_eq!(node.terminate(), 0);
    assert_eq!(look(&node, "state.db", schema), before, "to the letter");
    look(&node, "journal.db", |db| {
        let entries = texts(db, "SELECT CAST(payload AS TEXT) FROM entry");
        let of_later = entries.iter().filter(|entry| entry.contains("_level"));
        assert_eq!(of_later.count(), 0, "{entries:?}");
        assert_eq!(level(db), 1, "the journal is of that release too");
    });

    node.restart();
    let (_, status, _) = upgrade(&node, &["status", "--json"]);
    assert_eq!((&status["level"], &status["held"]), (&json!(1), &json!(true)), "it stays there");
    let (code, status, words) = upgrade(&node, &["finalize", "--json"]);
    assert_eq!((code, &status["level"]), (0, &json!(NEWEST)), "{words}");
    assert_eq!(status["held"], false);
    node.kill();
    node.restart();
    assert_eq!(everything(&node).await, first);
    assert_eq!(look(&node, "state.db", level), NEWEST);
}

/// The level before keeps no last use and no next key, and goes on without both.
#[tokio::test]
async fn tokens_and_keys_work_at_the_level_before_too() {
    let mut node = node_of(8);
    node.restart();
    let (code, status, words) = upgrade(&node, &["undo", "--yes", "--json"]);
    assert_eq!((code, &status["level"]), (0, &json!(8)), "{words}");
    let admin = sign_in(&node, ADMIN).await;
    let made = admin.post("/api/v1/me/tokens", json!({"name": "N"})).await.ok(201);
    let program = node.api().bearer(&text(&made["token"]));
    program.get("/api/v1/me").await.ok(200);
    let rotated = admin.post("/api/v1/admin/keys/rotate", json!({})).await.ok(200);
    assert_eq!(rotated["next"], Value::Null);
    program.get("/api/v1/me").await.ok(200);
    let tokens = items(&admin.get("/api/v1/me/tokens").await.ok(200));
    assert!(tokens.iter().all(|token| token["last_used_on"] == Value::Null), "{tokens:?}");
    assert_eq!(admin.get("/api/v1/me/export").await.status, 200);

    // What was not noted below is noted from here on.
    assert_eq!(upgrade(&node, &["finalize", "--json"]).1["level"], NEWEST);
    assert_eq!(node.terminate(), 0);
    node.restart();
    let admin = sign_in(&node, ADMIN).await;
    node.api().bearer(&text(&made["token"])).get("/api/v1/me").await.ok(200);
    until("the use is noted", async || {
        let tokens = items(&admin.get("/api/v1/me/tokens").await.ok(200));
        tokens.iter().any(|token| token["last_used_on"] != Value::Null).then_some(())
    })
    .await;
}

#[tokio::test]
async fn only_an_admin_sees_and_changes_the_level() {
    let org = crate::org::shared().await;
    let status = org.admin.api.get("/api/v1/admin/upgrade").await.ok(200);
    assert_eq!(status["level"], NEWEST, "a new cluster is of the newest level");
    let again = org.admin.api.post("/api/v1/admin/upgrade/finalize", json!({})).await.ok(200);
    assert_eq!(again["level"], NEWEST, "there was nothing to do");
    let other = org.person("manager").await.api;
    other.get("/api/v1/admin/upgrade").await.refused(403, "access.denied");
    for verb in ["finalize", "undo"] {
        let path = format!("/api/v1/admin/upgrade/{verb}");
        other.post(&path, json!({})).await.refused(403, "access.denied");
    }
}

#[tokio::test]
async fn data_of_a_later_release_are_refused_in_words() {
    let mut node = node_of(1);
    node.restart();
    assert_eq!(node.terminate(), 0);
    let state = Connection::open(node.data_dir().join("state.db")).unwrap();
    state.execute("INSERT INTO migration VALUES (99, '0099_later', 'x')", []).unwrap();
    drop(state);
    let output = run(node.command().args(["serve", "--listen", "127.0.0.1:0"]), b"");
    assert_eq!(output.status.code(), Some(4));
    let words = String::from_utf8(output.stderr).unwrap();
    assert!(words.contains("newer Greenroom"), "{words}");
}
