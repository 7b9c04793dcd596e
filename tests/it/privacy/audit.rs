//! The audit log: who did what from where, and that nobody has changed it since.

use serde_json::{Value, json};

use crate::api::{items, text};
use crate::deadline::until;
use crate::node::run;
use crate::org::{Org, PASSWORD};

const LOG: &str = "/api/v1/admin/audit";

#[tokio::test]
async fn acts_are_in_the_log_with_who_where_and_which_request() {
    let org = Org::found().await;
    let person = org.person("candidate").await;
    let login = json!({"email": person.email, "password": PASSWORD});
    let signed_in = org.node.api().post("/api/v1/auth/login", login).await;
    let request = signed_in.header("x-request-id").to_owned();
    signed_in.ok(200);
    let rules = json!({"rules": [{"kind": "live", "days": 30}]});
    org.admin.api.put("/api/v1/admin/retention", rules).await.ok(200);
    assert_eq!(person.api.get("/api/v1/me/export").await.status, 200);

    let all = items(&org.admin.api.get(&format!("{LOG}?limit=1000")).await.ok(200));
    let of = |action: &str| -> &Value {
        all.iter().find(|row| row["action"] == action).unwrap_or_else(|| panic!("no {action}"))
    };
    let opened = of("session.open");
    assert_eq!((&opened["subject"], &opened["request_id"]), (&json!(person.id), &json!(request)));
    assert_eq!(opened["from"], "127.0.0.0/24", "the network and not the address");
    assert_eq!(
        (&of("retention.set")["by"], &of("data.export")["by"]),
        (&json!(org.admin.id), &json!(person.id))
    );
    assert!(!json!(all).to_string().contains(&person.email), "people are named by id only");
    assert_eq!(all[0]["seq"], all.len(), "the newest first, without a gap");

    // By pages, by kind, and behind a place.
    let page = org.admin.api.get(&format!("{LOG}?limit=2")).await.ok(200);
    let next = org.admin.api.get(&format!("{LOG}?limit=2&cursor={}", text(&page["next"]))).await;
    assert_eq!(items(&next.ok(200)), all[2..4]);
    let kind = org.admin.api.get(&format!("{LOG}?action=retention.set")).await.ok(200);
    assert_eq!(items(&kind), [of("retention.set").clone()]);
    let after = org.admin.api.get(&format!("{LOG}?after=1&limit=1")).await.ok(200);
    assert_eq!(items(&after)[0]["seq"], 2);
    person.api.get(LOG).await.refused(403, "access.denied");
    org.node.api().get(LOG).await.refused(401, "auth.missing");
}

#[tokio::test]
async fn sign_ins_that_fail_are_in_the_log_and_do_not_fill_it() {
    let org = Org::found().await;
    let person = org.person("candidate").await;
    let rows = async || {
        let reply = org.admin.api.get(&format!("{LOG}?action=session.fail")).await;
        items(&reply.ok(200))
    };
    let of =
        |rows: &[Value], subject: &str| rows.iter().filter(|r| r["subject"] == subject).count();
    for n in 0..9 {
        for email in [person.email.clone(), format!("nobody-{n}@example.org")] {
            let login = json!({"email": email, "password": "not this one, surely"});
            org.node.api().post("/api/v1/auth/login", login).await.refused(401, "auth.invalid");
        }
    }
    // The first, second, fourth and eighth of each; whoever does not exist is one.
    let all = until("the rows", async || {
        let rows = rows().await;
        (of(&rows, &person.id) >= 4 && of(&rows, "unknown") >= 4).then_some(rows)
    })
    .await;
    assert_eq!((of(&all, &person.id), of(&all, "unknown"), all.len()), (4, 4, 8));
    assert!(all.iter().all(|row| row["by"].is_null() && row["from"] == "127.0.0.0/24"), "{all:?}");
    assert!(all.iter().all(|row| row["request_id"].is_string()));
    assert!(!json!(all).to_string().contains('@'), "no address of an account");
    let login = json!({"email": person.email, "password": PASSWORD});
    org.node.api().post("/api/v1/auth/login", login).await.ok(200);
    assert_eq!(rows().await.len(), 8, "who gets in is no failure");
}

#[tokio::test]
async fn a_row_that_was_changed_or_taken_out_is_found() {
    let org = Org::found().await;
    for _ in 0..3 {
        org.person("observer").await;
    }
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("audit.ndjson");
    let command = |args: &[&str], file: Option<&std::path::Path>| {
        let mut command = org.node.command();
        command.arg("audit").args(args);
        command.args(file);
        command
    };
    let call = async |mut command: std::process::Command| {
        tokio::task::spawn_blocking(move || run(&mut command, b"")).await.unwrap()
    };
    let verified = call(command(&["verify"], None)).await;
    assert!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stderr));
    assert!(call(command(&["export"], Some(&file))).await.status.success());
    let again = call(command(&["export"], Some(&file))).await;
    assert_eq!(again.status.code(), Some(1), "nothing is written over");
    let printed = String::from_utf8(call(command(&["export"], None)).await.stdout).unwrap();
    let kept = std::fs::read_to_string(&file).unwrap();
    assert_eq!(printed, kept);
    let lines: Vec<&str> = kept.lines().collect();
    let verify = async |text: String| {
        std::fs::write(&file, text).unwrap();
        let ended = call(command(&["verify", "--json"], Some(&file))).await;
        (ended.status.code(), serde_json::from_slice::<Value>(&ended.stdout).unwrap_or_default())
    };
    let (code, sound) = verify(kept.clone()).await;
    assert_eq!((code, &sound["rows"]), (Some(0), &json!(lines.len())));
    assert_eq!(
        sound["head"],
        serde_json::from_str::<Value>(lines[lines.len() - 1]).unwrap()["hash"]
    );
    let (code, without) = verify([&lines[..2], &lines[3..]].concat().join("\n")).await;
    assert_eq!((code, &without["broken_at"]), (Some(1), &json!(4)));
    let first = lines.iter().position(|line| line.contains("127.0.0.0/24")).unwrap() + 1;
    let changed = kept.replacen("127.0.0.0/24", "203.0.113.0/24", 1);
    let (code, changed) = verify(changed).await;
    assert_eq!((code, &changed["broken_at"]), (Some(1), &json!(first)), "{kept}");
    let (code, _) = verify("no row\n".to_owned()).await;
    assert_eq!(code, Some(1));
}
