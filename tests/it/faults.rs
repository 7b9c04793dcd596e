//! Faults of the disk: what was acknowledged is there, or the node says in words what is wrong and
//! what to do. It never serves something else.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use greenroom::store::journal::{Journal, PURGED};
use greenroom::store::snapshot;
use greenroom::store::state::State;
use serde_json::{Value, json};

use crate::api::{Api, Reply};
use crate::deadline::until;
use crate::durability::Chance;
use crate::node::Node;
use crate::org::Org;
use crate::scene;

/// Exit code of a fault.
const FAULT: i32 = 4;

/// A node with a practice that has events, killed; and those events.
async fn killed() -> (Org, Value, Vec<Value>) {
    let mut org = Org::found().await;
    let practice = scene::begun(&org.admin.api).await;
    scene::answer(&org.admin.api, &practice, 0, scene::ANSWER).await;
    let events = scene::events(&org.admin.api, &practice).await;
    org.node.kill();
    (org, practice, events)
}

/// Checks that a node that was started again has every event.
async fn check(org: &mut Org, practice: &Value, events: &[Value]) {
    org.admin.api = org.admin.api.at(org.node.address());
    assert_eq!(scene::events(&org.admin.api, practice).await, events);
}

/// The files of a data directory.
fn files(dir: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let names = ["journal.db", "journal.db-wal", "journal.db-count", "state.db", "state.db-wal"];
    let paths = names.map(|name| dir.join(name)).into_iter().filter(|path| path.exists());
    paths.map(|path| (path.clone(), fs::read(path).unwrap())).collect()
}

fn put_back(files: &[(PathBuf, Vec<u8>)]) {
    for (path, bytes) in files {
        fs::write(path, bytes).unwrap();
    }
}

#[track_caller]
fn refused(org: &mut Org, needle: &str) {
    let (code, words) = org.node.try_restart().expect_err("it starts as if nothing were wrong");
    assert_eq!(code, FAULT, "{words}");
    assert!(words.contains(needle), "{words}");
}

#[tokio::test]
async fn a_bit_flipped_in_the_journal_harms_nobody_or_is_refused() {
    let mut chance = Chance::new();
    let (mut org, practice, events) = killed().await;
    let before = files(&org.node.data_dir());
    let (mut served, mut refused) = (0, 0);
    for round in 0..20 {
        put_back(&before);
        let (path, mut bytes) = before[round % 3].clone();
        let (at, bit) = (chance.below(bytes.len() as u64) as usize, chance.below(8));
        bytes[at] ^= 1 << bit;
        fs::write(&path, bytes).unwrap();
        match org.node.try_restart() {
            Ok(()) => {
                check(&mut org, &practice, &events).await;
                org.node.kill();
                served += 1;
            }
            Err((code, words)) => {
                let place = format!("bit {bit} of byte {at} of {}", path.display());
                assert_eq!(code, FAULT, "{place}: {words}");
                let clear = words.contains("restore") || words.contains("another build");
                assert!(clear, "{place}: {words}");
                refused += 1;
            }
        }
    }
    assert!(served > 0 && refused > 0, "{served} served, {refused} refused");
}

#[tokio::test]
async fn a_journal_that_has_lost_something_is_refused() {
    let (mut org, practice, events) = killed().await;
    let dir = org.node.data_dir();
    let before = files(&dir);
    // The state's place in the log tells, where the count was lost too.
    for gone in [&["journal.db-wal"][..], &["journal.db", "journal.db-wal", "journal.db-count"]] {
        for name in gone {
            let _ = fs::remove_file(dir.join(name));
        }
        refused(&mut org, "greenroom cluster recover");
        let _ = fs::remove_file(dir.join("journal.db-wal"));
        put_back(&before);
    }
    org.node.restart();
    check(&mut org, &practice, &events).await;
}

#[tokio::test]
async fn a_last_write_that_was_torn_is_gone_as_a_whole() {
    let mut chance = Chance::new();
    let (mut org, practice, events) = killed().await;
    let before = files(&org.node.data_dir());
    let log = |files: &[(PathBuf, Vec<u8>)]| {
        files.iter().find(|(path, _)| path.ends_with("journal.db-wal")).unwrap().1.clone()
    };
    org.node.restart();
    org.admin.api = org.admin.api.at(org.node.address());
    org.node.kill();
    let after = files(&org.node.data_dir());
    // The start itself has written: a vote, an entry.
    let (from, whole) = (log(&before).len(), log(&after));
    assert!(whole.len() > from && whole[..from] == log(&before));
    for _ in 0..6 {
        put_back(&before);
        let end = from + chance.below((whole.len() - from) as u64) as usize;
        fs::write(org.node.data_dir().join("journal.db-wal"), &whole[..end]).unwrap();
        org.node.restart();
        check(&mut org, &practice, &events).await;
        org.node.kill();
    }
}

#[tokio::test]
async fn a_state_that_is_no_database_any_more_is_made_again() {
    let (mut org, practice, events) = killed().await;
    let dir = org.node.data_dir();
    let state = dir.join("state.db");
    for round in 0..5 {
        // All of it is in the one file.
        drop(State::open(&state).unwrap());
        let whole = fs::read(&state).unwrap();
        let mut garbled = whole.clone();
        garbled[8_192..8_292].fill(0x5a);
        match round {
            0 => fs::remove_file(&state).unwrap(),
            1 => fs::write(&state, b"").unwrap(),
            2 => fs::write(&state, &whole[..whole.len() / 2]).unwrap(),
            3 => fs::write(&state, vec![0xab; 50_000]).unwrap(),
            _ => fs::write(&state, garbled).unwrap(),
        }
        org.node.restart();
        check(&mut org, &practice, &events).await;
        let aside = dir.join("state.db.damaged").exists();
        assert_eq!(aside, round > 1, "round {round}: {}", org.node.stderr());
        assert_eq!(org.node.stderr().contains("was set aside"), round > 1);
        org.node.kill();
    }
}

/// Puts something else where the disk would have the newest rows.
fn age(dir: &Path) {
    let db = rusqlite::Connection::open(dir.join("state.db")).unwrap();
    let changed = db.execute("UPDATE event SET data = '{}' WHERE seq > 1", []).unwrap();
    assert!(changed > 0);
    db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
}

#[tokio::test]
async fn a_state_that_a_power_cut_caught_is_made_again() {
    let (mut org, practice, events) = killed().await;
    let dir = org.node.data_dir();
    let note = dir.join("state.db.unsynced");
    for round in 0..3 {
        if !note.exists() {
            println!("this system does not name its starts, so the state waits for the disk");
            return;
        }
        age(&dir);
        match round {
            // The machine has started again since.
            0 => fs::write(&note, "another-start 1 2").unwrap(),
            // The directory was copied while the node ran, and is used in its place.
            1 => {
                let copy = dir.with_extension("copy");
                let copied = Command::new("cp").arg("-r").args([&dir, &copy]).status().unwrap();
                assert!(copied.success());
                fs::remove_dir_all(&dir).unwrap();
                fs::rename(&copy, &dir).unwrap();
            }
            // The note was not whole on the disk.
            _ => fs::write(&note, "").unwrap(),
        }
        org.node.restart();
        check(&mut org, &practice, &events).await;
        assert!(org.node.stderr().contains("the machine went down"), "round {round}");
        assert!(!dir.join("state.db.damaged").exists(), "round {round}");
        org.node.kill();
    }
    // A process that ends alone loses nothing, and after a stop in order all is on the disk.
    org.node.restart();
    org.node.kill();
    org.node.restart();
    check(&mut org, &practice, &events).await;
    assert!(!org.node.stderr().contains("the machine went down"));
    assert_eq!(org.node.terminate(), 0);
    assert!(!note.exists());
}

#[tokio::test]
async fn a_lost_state_comes_back_from_snapshot_and_journal_or_not_at_all() {
    let (mut org, practice, events) = killed().await;
    let dir = org.node.data_dir();
    let state = State::open(&dir.join("state.db")).unwrap();
    let kept = snapshot::build(&state, &dir.join("snapshots")).unwrap();
    drop(state);
    // What the log before the snapshot is not needed for any more.
    let journal = Journal::open(&dir.join("journal.db"), Box::new(|_| {})).unwrap();
    let index = journal.last().unwrap().map(|entry| index_of(&entry)).unwrap();
    let (tell, told) = std::sync::mpsc::channel();
    let marker = kept.log_id.clone().unwrap();
    assert_eq!(index_of(&marker), index, "all was applied");
    journal.purge(index, marker, Box::new(move |done| tell.send(done).unwrap()));
    told.recv().unwrap().unwrap();
    assert!(journal.marker(PURGED).unwrap().is_some());
    drop(journal);
    for name in ["state.db", "state.db-wal", "state.db-shm"] {
        let _ = fs::remove_file(dir.join(name));
    }
    let whole = fs::read(&kept.path).unwrap();
    let mut flipped = whole.clone();
    flipped[whole.len() / 2] ^= 1;
    for damaged in [&flipped[..], &whole[..whole.len() - 100], &[]] {
        fs::write(&kept.path, damaged).unwrap();
        refused(&mut org, "no sound snapshot");
        let _ = fs::remove_file(dir.join("state.db"));
    }
    fs::write(&kept.path, &whole).unwrap();
    org.node.restart();
    check(&mut org, &practice, &events).await;
    // While the state is sound, a damaged snapshot is made again.
    org.node.kill();
    fs::write(&kept.path, &flipped).unwrap();
    org.node.restart();
    check(&mut org, &practice, &events).await;
    assert!(org.node.stderr().contains("it was set aside and is not used"));
    assert!(snapshot::current(&dir.join("snapshots")).unwrap().is_some());
}

/// The index in an entry or a log id, as consensus writes them: a format byte, then JSON.
fn index_of(payload: &[u8]) -> u64 {
    let value: Value = serde_json::from_slice(&payload[1..]).unwrap();
    let id = if value["index"].is_u64() { &value } else { &value["log_id"] };
    id["index"].as_u64().unwrap()
}

/// A small file system in a mount namespace of its own, as long as this lives.
struct SmallDisk {
    holder: Child,
    place: PathBuf,
}

impl SmallDisk {
    /// Lies over this folder; `None` where nobody may mount.
    fn over(place: &Path, megabytes: usize) -> Option<SmallDisk> {
        let script = r#"mount -t tmpfs -o size="$1"m none "$0" && echo ready && read -r _"#;
        let mut holder = Command::new("unshare")
            .args(["-m", "sh", "-c", script])
            .args([place.as_os_str(), megabytes.to_string().as_ref()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .ok()?;
        let mut line = String::new();
        BufReader::new(holder.stdout.take()?).read_line(&mut line).ok()?;
        let disk = SmallDisk { holder, place: place.to_owned() };
        (line == "ready\n").then_some(disk)
    }

    fn within(&self) -> Vec<String> {
        vec!["nsenter".to_owned(), format!("--mount=/proc/{}/ns/mnt", self.holder.id())]
    }

    /// The folder as it is seen from outside.
    fn inside(&self) -> PathBuf {
        let root = PathBuf::from(format!("/proc/{}/root", self.holder.id()));
        root.join(self.place.strip_prefix("/").unwrap())
    }

    /// Fills it with at most so many megabytes.
    fn fill(&self, megabytes: usize) {
        let mut ballast = fs::File::create(self.inside().join("ballast")).unwrap();
        let piece = vec![1; 1 << 16];
        for _ in 0..megabytes * 16 {
            if ballast.write_all(&piece).is_err() {
                return;
            }
        }
    }

    fn empty(&self) {
        fs::remove_file(self.inside().join("ballast")).unwrap();
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = self.holder.kill();
        let _ = self.holder.wait();
    }
}

async fn try_practice(api: &Api) -> Reply {
    let body = json!({"kind": "practice", "title": "Trial", "questions": scene::QUESTIONS});
    api.post("/api/v1/interviews", body).await
}

#[tokio::test]
async fn a_full_disk_refuses_writes_in_words_and_reading_goes_on() {
    let mut disk = None;
    let node = Node::start_within(|dir| {
        disk = SmallDisk::over(dir, 120);
        disk.as_ref().map(SmallDisk::within).unwrap_or_default()
    });
    let Some(disk) = disk else {
        eprintln!("skipped: this user may not mount a small file system");
        return;
    };
    // The token lies on a disk that is seen from inside only.
    let token = fs::read_to_string(disk.inside().join("setup-token")).unwrap();
    let mut org = Org::with_token(node, token.trim()).await;
    let practice = scene::begun(&org.admin.api).await;
    let events = scene::events(&org.admin.api, &practice).await;
    disk.fill(70);
    let api = org.admin.api.clone();
    let refusal = until("a refusal", async || {
        let reply = try_practice(&api).await;
        (reply.status != 201).then_some(reply)
    })
    .await;
    assert_eq!(refusal.status, 503);
    assert!(refusal.text().contains("nearly full"), "{}", refusal.text());
    let ready = api.get("/readyz").await;
    assert!(ready.status == 503 && ready.text().contains("[-]store"), "{}", ready.text());
    assert_eq!(scene::events(&api, &practice).await, events);
    disk.empty();
    until("room again", async || (try_practice(&api).await.status == 201).then_some(())).await;
    assert_eq!(api.get("/readyz").await.status, 200);
    // And to the brim while it is down: it may start or say why not, but it loses nothing.
    org.node.kill();
    disk.fill(1_000);
    match org.node.try_restart() {
        Ok(()) => org.node.kill(),
        Err((code, words)) => {
            assert_eq!(code, FAULT, "{words}");
            assert!(words.contains("full") || words.contains("No space"), "{words}");
        }
    }
    disk.empty();
    org.node.restart();
    check(&mut org, &practice, &events).await;
    assert_eq!(try_practice(&org.admin.api).await.status, 201);
}

/// Writes until the node is gone; the interviews that it acknowledged.
async fn write_until_it_ends(org: &mut Org) -> Vec<String> {
    let mut made = Vec::new();
    loop {
        let api = org.admin.api.clone();
        // A connection that breaks is a panic of the client: no acknowledgement.
        let reply = tokio::spawn(async move { try_practice(&api).await }).await;
        match reply {
            Ok(reply) if reply.status == 201 => made.push(scene::id(&reply.json())),
            Ok(reply) => assert_eq!(reply.status, 503, "{}", reply.text()),
            Err(_) => break,
        }
    }
    assert_eq!(org.node.wait(), FAULT);
    made
}

async fn check_made(org: &Org, made: &[String]) {
    for id in made {
        org.admin.api.get(&format!("/api/v1/interviews/{id}")).await.ok(200);
    }
}

#[tokio::test]
async fn a_file_that_may_not_grow_ends_the_node_and_loses_nothing() {
    let mut org = Org::found().await;
    assert_eq!(org.node.terminate(), 0);
    let limit = 2 << 20;
    let script = format!("trap '' XFSZ; exec prlimit --fsize={limit} \"$0\" \"$@\"");
    org.node.set_within(&["sh", "-c", &script]);
    org.node.restart();
    org.admin.api = org.admin.api.at(org.node.address());
    let made = write_until_it_ends(&mut org).await;
    assert!(made.len() > 10, "{} acknowledged", made.len());
    org.node.set_within(&[]);
    org.node.restart();
    org.admin.api = org.admin.api.at(org.node.address());
    check_made(&org, &made).await;
}

/// Makes every sync fail while a file is there.
const FAILING_SYNC: &str = r#"
#include <errno.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>
static int fails(void) { return access(getenv("FAIL_SYNC"), F_OK) == 0; }
int fsync(int fd) { if (fails()) { errno = EIO; return -1; } return syscall(SYS_fsync, fd); }
int fdatasync(int fd) {
    if (fails()) { errno = EIO; return -1; }
    return syscall(SYS_fdatasync, fd);
}
"#;

#[tokio::test]
async fn a_sync_that_fails_ends_the_node_and_loses_nothing() {
    let tools = tempfile::tempdir().unwrap();
    let [source, library, flag] = ["sync.c", "sync.so", "fail"].map(|name| tools.path().join(name));
    fs::write(&source, FAILING_SYNC).unwrap();
    let mut compiler = Command::new("cc");
    compiler.args(["-shared", "-fPIC", "-o"]).args([&library, &source]);
    if !compiler.status().is_ok_and(|status| status.success()) {
        eprintln!("skipped: there is no C compiler");
        return;
    }
    let words = |_: &Path| {
        vec![
            "env".to_owned(),
            format!("LD_PRELOAD={}", library.display()),
            format!("FAIL_SYNC={}", flag.display()),
        ]
    };
    let mut org = Org::on(Node::start_within(words)).await;
    let practice = scene::begun(&org.admin.api).await;
    let events = scene::events(&org.admin.api, &practice).await;
    fs::write(&flag, "").unwrap();
    let made = write_until_it_ends(&mut org).await;
    assert!(made.is_empty(), "acknowledged without a sync: {made:?}");
    // Still failing: it may come up for a moment, but its first write ends it.
    match org.node.try_restart() {
        Ok(()) => assert_eq!(org.node.wait(), FAULT),
        Err((code, words)) => assert_eq!(code, FAULT, "{words}"),
    }
    fs::remove_file(&flag).unwrap();
    org.node.restart();
    check(&mut org, &practice, &events).await;
}
