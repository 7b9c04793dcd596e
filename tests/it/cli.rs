//! The command line, as a shell sees it: exit codes, what goes to stdout and what to stderr.

use std::path::Path;
use std::process::{Command, Output};

use greenroom::insight::{Engine, score_line};
use serde_json::{Value, json};

use crate::api::{items, text};
use crate::golden::same_as_golden;
use crate::node::{Node, greenroom, run};
use crate::org::{Org, PASSWORD, shared, token_of};

fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn err(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// Runs a command that must end with this code.
#[track_caller]
fn ends(command: &mut Command, code: i32) -> Output {
    let output = run(command, b"");
    assert_eq!(output.status.code(), Some(code), "{}{}", out(&output), err(&output));
    output
}

fn lines(file: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = if file == "golden.ndjson" { "assets/calibration" } else { "tests/insight" };
    let path = root.join(folder).join(file);
    std::fs::read_to_string(path).unwrap()
}

#[test]
fn scoring_is_the_same_on_every_run_and_inside_the_server() {
    let input = lines("golden.ndjson");
    let output = run(greenroom().arg("score"), input.as_bytes());
    assert_eq!(output.status.code(), Some(0), "{}", err(&output));
    let again = run(greenroom().arg("score"), input.as_bytes());
    assert_eq!(again.stdout, output.stdout, "the same bytes");
    let engine = Engine::built_in();
    let inside: String = input.lines().map(|line| score_line(&engine, line).0 + "\n").collect();
    assert_eq!(out(&output), inside);
    same_as_golden("score.ndjson", &inside);
}

#[test]
fn a_bad_line_has_its_error_and_the_rest_is_scored() {
    let bad = lines("refused.ndjson");
    let good = lines("golden.ndjson");
    let good = good.lines().next().unwrap();
    let input: String = bad.lines().map(|line| format!("{line}\n{good}\n")).collect();
    let output = run(greenroom().arg("score"), input.as_bytes());
    assert_eq!(output.status.code(), Some(1), "{}", err(&output));
    let results: Vec<Value> =
        out(&output).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(results.len(), 2 * bad.lines().count());
    for pair in results.chunks(2) {
        let [wrong, right] = pair else { panic!("an odd number") };
        assert_eq!(wrong["error"]["code"].as_str().unwrap().split('.').next(), Some("input"));
        assert!(!text(&wrong["error"]["detail"]).is_empty(), "{wrong}");
        assert!(wrong.get("status").is_none(), "{wrong}");
        assert_eq!(right["status"], "scored");
    }
    assert!(err(&output).contains("could not be scored"));
    let none = run(greenroom().arg("score"), b"");
    assert_eq!((none.status.code(), out(&none)), (Some(0), String::new()));
}

#[test]
fn settings_say_where_they_come_from() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("own.toml");
    std::fs::write(&file, "# Ours.\nlog.format = \"json\"\nlisten = \"127.0.0.1:1\"\n").unwrap();
    let show = || {
        let mut command = greenroom();
        command.current_dir(dir.path()).arg("--config").arg(&file).args(["config", "show"]);
        command
    };
    let output = ends(show().arg("--origin").env("GREENROOM_LISTEN", "127.0.0.1:2"), 0);
    let page = out(&output);
    let line = |key: &str| page.lines().find(|line| line.starts_with(key)).unwrap().to_owned();
    assert!(line("listen").contains("127.0.0.1:2") && line("listen").contains("GREENROOM_LISTEN"));
    assert!(line("log.format").contains("own.toml:2"), "{page}");
    assert!(line("data_dir").contains("default"), "{page}");
    let output = ends(show().args(["--json"]), 0);
    let json: Value = serde_json::from_str(&out(&output)).unwrap();
    let settings = json["settings"].as_array().unwrap();
    let listen = settings.iter().find(|setting| setting["key"] == "listen").unwrap();
    assert_eq!(listen["value"], "127.0.0.1:1");

    let output = ends(show().env("GREENROOM_LISTN", "x"), 2);
    assert!(err(&output).contains("did you mean GREENROOM_LISTEN?"), "{}", err(&output));
    assert!(out(&output).is_empty());
    std::fs::write(&file, "lisen = \"127.0.0.1:1\"\n").unwrap();
    let output = ends(&mut show(), 2);
    assert!(err(&output).contains("did you mean `listen`"), "{}", err(&output));
    let data = dir.path().join("data");
    let mut serve = greenroom();
    serve.current_dir(dir.path()).arg("--data-dir").arg(&data).arg("--config").arg(&file);
    ends(serve.arg("serve"), 2);
    assert!(!data.exists(), "nothing was begun with wrong settings");
}

#[test]
fn a_settings_file_is_made_checked_and_not_overwritten() {
    let dir = tempfile::tempdir().unwrap();
    let config = |args: &[&str]| {
        let mut command = greenroom();
        command.current_dir(dir.path()).arg("config").args(args);
        command
    };
    ends(&mut config(&["init"]), 0);
    ends(&mut config(&["check"]), 0);
    let output = ends(&mut config(&["init"]), 1);
    assert!(err(&output).contains("greenroom.toml"), "{}", err(&output));
    ends(&mut config(&["init", "--force"]), 0);
}

#[test]
fn usage_errors_end_with_2_and_a_missing_node_with_3() {
    let dir = tempfile::tempdir().unwrap();
    let here = || {
        let mut command = greenroom();
        command.current_dir(dir.path());
        command
    };
    for args in [&["srve"][..], &["serve", "--lisen", ":0"], &[], &["person"], &["setup"]] {
        let output = ends(here().args(args), 2);
        assert!(out(&output).is_empty(), "{args:?}");
        assert!(!err(&output).is_empty(), "{args:?}");
    }
    ends(here().args(["--token", "t", "person", "list"]), 2);
    for args in [&["person", "list"][..], &["person", "disable", "a@b.c"]] {
        let output = ends(here().args(args), 3);
        assert!(err(&output).contains("greenroom serve"), "{}", err(&output));
    }
    ends(here().args(["--url", "http://127.0.0.1:1", "--token", "t", "person", "list"]), 3);
    for args in [["--version"], ["--help"], ["openapi"]] {
        let output = ends(here().args(args), 0);
        assert!(!out(&output).is_empty() && err(&output).is_empty());
    }
}

#[tokio::test]
async fn a_node_is_set_up_without_a_browser_once() {
    let node = Node::start();
    let password = node.data_dir().with_file_name("password");
    std::fs::write(&password, format!("{PASSWORD}\nnot this line\n")).unwrap();
    let setup = |file: &Path| {
        let mut command = node.command();
        command.args(["setup", "--email", "ada@example.org", "--name", "Ada"]);
        command.arg("--password-file").arg(file);
        command
    };
    let weak = node.data_dir().with_file_name("weak");
    std::fs::write(&weak, "short\n").unwrap();
    assert!(err(&ends(&mut setup(&weak), 1)).contains("password"));
    assert!(err(&ends(&mut setup(Path::new("none")), 1)).contains("none"));
    let output = ends(setup(&password).arg("--json"), 0);
    let person: Value = serde_json::from_str(&out(&output)).unwrap();
    assert_eq!((&person["email"], &person["role"]), (&json!("ada@example.org"), &json!("admin")));
    let login = json!({"email": "ada@example.org", "password": PASSWORD});
    let login = node.api().post("/api/v1/auth/login", login).await.ok(200);
    let me = node.api().bearer(&text(&login["access_token"])).get("/api/v1/me").await.ok(200);
    assert_eq!(me["organisation"], "example.org");
    let output = ends(&mut setup(&password), 1);
    assert!(err(&output).contains("setup.done"), "{}", err(&output));
}

#[tokio::test]
async fn calibrations_are_checked_taken_in_compared_and_taken_back() {
    let org = Org::found().await;
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("house-1.toml");
    std::fs::write(&file, crate::scene::calibration("house-1")).unwrap();
    let file = file.to_str().unwrap();
    let calibration = |args: &[&str]| {
        let mut command = org.node.command();
        command.arg("calibration").args(args);
        command
    };
    // A file is checked where no node runs, too.
    let check = ends(greenroom().args(["calibration", "check", file, "--json"]), 0);
    let check: Value = serde_json::from_str(&out(&check)).unwrap();
    assert_eq!(check["version"], "house-1");
    assert!(!check["golden"]["differences"].as_array().unwrap().is_empty());
    let broken = dir.path().join("broken.toml");
    let text = crate::scene::calibration("house-1").replacen("weight = 32", "weight = 33", 1);
    std::fs::write(&broken, text).unwrap();
    let output = ends(greenroom().args(["calibration", "check", broken.to_str().unwrap()]), 1);
    assert!(err(&output).contains("add up to 101"), "{}", err(&output));

    ends(&mut calibration(&["add", file]), 0);
    ends(&mut calibration(&["add", file]), 1);
    let page = out(&ends(&mut calibration(&["list"]), 0));
    let lines: Vec<&str> = page.lines().collect();
    assert!(lines[1].starts_with("core-1   in force  built in"), "{page}");
    assert!(lines[2].starts_with("house-1 "), "{page}");
    let candidate = org.person("candidate").await;
    crate::scene::reported(&candidate.api).await;
    let page = out(&ends(&mut calibration(&["drift", "core-1", "house-1"]), 0));
    assert!(page.contains("structure            22 -> 32"), "{page}");
    let json = out(&ends(&mut calibration(&["drift", "core-1", "house-1", "--json"]), 0));
    let drift: Value = serde_json::from_str(&json).unwrap();
    assert_eq!((&drift["answers"], &drift["to"]["version"]), (&json!(1), &json!("house-1")));
    ends(&mut calibration(&["rollback"]), 1);
    ends(&mut calibration(&["activate", "house-1"]), 0);
    assert_eq!(
        out(&ends(&mut calibration(&["show", "house-1"]), 0)),
        crate::scene::calibration("house-1")
    );
    let page = out(&ends(&mut calibration(&["rollback"]), 0));
    assert!(page.contains("core-1   in force"), "{page}");
    ends(&mut calibration(&["activate", "house-9"]), 1);
}

#[tokio::test]
async fn people_are_managed_through_the_data_directory_or_with_a_token() {
    let org = Org::found().await;
    let person = |args: &[&str]| {
        let mut command = org.node.command();
        command.arg("person").args(args);
        command
    };
    let add = ["add", "--email", "li@example.org", "--name", "Li", "--role", "candidate"];
    let output = ends(person(&add).arg("--json"), 0);
    let added: Value = serde_json::from_str(&out(&output)).unwrap();
    let first = token_of(&added["invite_url"]);
    let again = ends(&mut person(&add), 1);
    assert!(err(&again).contains("conflict.state") || err(&again).contains("already"));
    let output = ends(&mut person(&["list", "--json"]), 0);
    let list = items(&serde_json::from_str(&out(&output)).unwrap());
    let emails: Vec<String> = list.iter().map(|person| text(&person["email"])).collect();
    assert_eq!(emails, ["ada@example.org", "li@example.org"]);
    let page = out(&ends(&mut person(&["list"]), 0));
    assert!(page.contains("li@example.org") && !page.contains('\u{1b}'), "{page}");

    let output = ends(&mut person(&["reset-link", "li@example.org", "--json"]), 0);
    let renewed: Value = serde_json::from_str(&out(&output)).unwrap();
    let body = json!({"token": first, "password": PASSWORD});
    org.node.api().post("/api/v1/auth/accept", body).await.refused(404, "not_found");
    let body = json!({"token": token_of(&renewed["invite_url"]), "password": PASSWORD});
    let login = org.node.api().post("/api/v1/auth/accept", body).await.ok(200);
    let li = org.node.api().bearer(&text(&login["access_token"]));
    li.get("/api/v1/me").await.ok(200);
    ends(&mut person(&["disable", &text(&added["id"])]), 0);
    li.get("/api/v1/me").await.refused(401, "auth.expired");
    ends(&mut person(&["disable", "nobody@example.org"]), 1);
    ends(&mut person(&["disable", "ada@example.org"]), 1);

    let url = format!("http://{}", org.node.address());
    let from_afar = |token: &str| {
        let mut command = greenroom();
        command.current_dir(org.node.data_dir());
        command.args(["--url", &url, "--token", token, "person", "list", "--json"]);
        command
    };
    let token = text(&org.admin.login["access_token"]);
    let output = ends(&mut from_afar(&token), 0);
    let list = items(&serde_json::from_str(&out(&output)).unwrap());
    assert_eq!(list.len(), 2);
    assert!(err(&ends(&mut from_afar("garbage"), 1)).contains("auth.invalid"));
    let candidate = shared().await.person("candidate").await;
    let url = format!("http://{}", shared().await.node.address());
    let token = text(&candidate.login["access_token"]);
    let mut command = greenroom();
    command.args(["--url", &url, "--token", &token, "person", "list"]);
    ends(&mut command, 1);
}

#[test]
fn the_demo_replays_an_interview_and_leaves_nothing_behind() {
    let dir = tempfile::tempdir().unwrap();
    let output = ends(greenroom().args(["demo", "--once"]).env("TMPDIR", dir.path()), 0);
    let page = out(&output);
    for words in ["of 100", "What moved the score", "Answers", "core-"] {
        assert!(page.contains(words), "{words}: {page}");
    }
    assert!(!page.contains('\u{1b}'), "no colours in a pipe");
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0, "its directory is gone");
    let json = ["demo", "--once", "--json"];
    let output = ends(greenroom().args(json).env("TMPDIR", dir.path()), 0);
    let report: Value = serde_json::from_str(&out(&output)).unwrap();
    let answers = report["answers"].as_array().unwrap();
    assert!(!answers.is_empty());
    for answer in answers.iter().filter(|answer| answer["analysis"]["status"] == "scored") {
        crate::scene::check_analysis(&answer["analysis"]);
    }
}
