//! Who gets through where: every route of the document with every role, and everything below an
//! interview for everybody who stands in some relation to it, against tables that a reader can
//! check.

use hyper::Method;
use serde_json::json;

use super::programs::token;
use super::routes::{Route, routes};
use crate::api::{Api, Reply, text};
use crate::golden::same_as_golden;
use crate::org::{Org, shared};
use crate::scene;

const ROLES: [&str; 5] = ["observer", "candidate", "interviewer", "manager", "admin"];

const PROGRAMS: [&str; 3] = ["service", "admin's", "admin's read"];

const NOWHERE: &str = "019a0b1c-2d3e-7f40-8a5b-6c7d8e9f0a1b";

async fn all_routes(org: &Org) -> Vec<Route> {
    routes(&org.node.api().get("/api/openapi.json").await.ok(200))
}

/// Asks in a way that changes nothing: a write has a field that no route knows, which is looked at
/// after the right and before anything is done.
async fn harmless(api: &Api, route: &Route, id: &str) -> Reply {
    let call = api.call(route.method.clone(), &route.filled(id));
    match route.method {
        Method::GET => call.send().await,
        _ => call.json(&json!({"no_such_field": 1})).send().await,
    }
}

/// What an answer says about the right.
fn verdict(reply: &Reply) -> String {
    match reply.status {
        401 => "sign-in".to_owned(),
        403 => "no".to_owned(),
        // Every limit of these tests is far above what they ask.
        429 | 500.. => panic!("{} {}", reply.status, reply.text()),
        _ => "yes".to_owned(),
    }
}

fn table(head: &str, columns: &[&str], rows: &[(String, Vec<String>)]) -> String {
    let mut text = format!("# {head}\n# BLESS=1 writes it anew.\n");
    let line = |name: &str, cells: &[String]| {
        let cells: String = cells.iter().map(|cell| format!("{cell:<13}")).collect();
        format!("{cells}{name}\n")
    };
    let names: Vec<String> = columns.iter().map(|&column| column.to_owned()).collect();
    text += &line("route", &names);
    for (name, cells) in rows {
        text += &line(name, cells);
    }
    text
}

#[tokio::test]
async fn every_route_lets_in_the_roles_of_the_table_and_nobody_else() {
    let org = Org::found().await;
    let mut callers = vec![org.node.api()];
    for role in ROLES {
        callers.push(org.person(role).await.api);
    }
    // Programs: a service account's, and the admin's own, which may not do what only people do.
    let service = format!("/api/v1/people/{}/tokens", text(&org.service().await["id"]));
    callers.push(token(&org.admin.api, &service, json!({})).await.0);
    callers.push(token(&org.admin.api, "/api/v1/me/tokens", json!({})).await.0);
    let reads = json!({"read_only": true});
    callers.push(token(&org.admin.api, "/api/v1/me/tokens", reads).await.0);
    let mut rows = Vec::new();
    for route in all_routes(&org).await {
        let mut cells = Vec::new();
        for caller in &callers {
            cells.push(verdict(&harmless(caller, &route, NOWHERE).await));
        }
        // Whoever is not signed in is asked to, and is let in where everybody is.
        let open = if route.public { "yes" } else { "sign-in" };
        assert_eq!(cells[0], open, "{route:?}");
        rows.push((format!("{} {}", route.method, route.path), cells));
    }
    let columns: Vec<&str> = ["nobody"].into_iter().chain(ROLES).chain(PROGRAMS).collect();
    let head = "Who gets through to which route, by role; a thing of somebody else is then 404.";
    same_as_golden("rights/roles.txt", &table(head, &columns, &rows));
}

#[tokio::test]
async fn what_hangs_below_an_interview_is_seen_by_the_parts_of_the_table() {
    let org = shared().await;
    let owner = org.person("interviewer").await;
    let practice = scene::reported(&owner.api).await;
    let body = json!({"kind": "live", "questions": ["Why here?"]});
    let live = owner.api.post("/api/v1/interviews", body).await.ok(201);
    let mut callers = vec![owner.api];
    for (role, part) in
        [("interviewer", "interviewer"), ("candidate", "candidate"), ("observer", "observer")]
    {
        let person = org.person(role).await;
        let body = json!({"person_id": person.id, "part": part});
        callers[0].post(&scene::path(&live, "/members"), body).await.ok(201);
        callers.push(person.api);
    }
    callers.push(org.person("manager").await.api);
    callers.push(org.admin.api.clone());
    let columns = ["owner", "interviewer", "candidate", "observer", "manager", "admin"];
    let mut rows = Vec::new();
    let below = |route: &Route| {
        route.method == Method::GET && route.path.starts_with("/api/v1/interviews/{id}")
    };
    for (kind, interview) in [("live", &live), ("practice", &practice)] {
        for route in all_routes(org).await.iter().filter(|route| below(route)) {
            let (mut cells, mut absent) = (Vec::new(), Vec::new());
            for caller in &callers {
                let reply = caller.get(&route.filled(&scene::id(interview))).await;
                cells.push(match reply.status {
                    404 => "absent".to_owned(),
                    // There, and not now.
                    409 => "later".to_owned(),
                    _ => verdict(&reply),
                });
                absent.push(reply.status == 404);
            }
            // Manager and admin are in neither, the other members not in the practice.
            let strangers = if kind == "live" { 4.. } else { 1.. };
            assert!(absent[strangers].iter().all(|absent| *absent), "{kind} {route:?} {cells:?}");
            // Nobody interviews in a practice.
            let nothing = kind == "practice" && route.path.ends_with("/interviewer");
            assert_eq!(absent[0], nothing, "{kind} {route:?}");
            rows.push((format!("{kind} {}", route.path), cells));
        }
    }
    let head = "Who sees what of an interview: its owner, its members, and two who are not in it.";
    same_as_golden("rights/interviews.txt", &table(head, &columns, &rows));
}

#[tokio::test]
async fn every_post_of_the_document_reads_its_idempotency_key() {
    let org = shared().await;
    let api = org.person("candidate").await.api;
    let mut seen = 0;
    for route in all_routes(org).await {
        if route.method != Method::POST {
            continue;
        }
        // Where the role is not enough, the admin asks; what is asked changes nothing.
        let caller = match route.permission.as_str() {
            "Public" | "Person" => &api,
            _ => &org.admin.api,
        };
        let call = caller.call(route.method.clone(), &route.filled(NOWHERE));
        let call = call.key(&"k".repeat(129)).json(&json!({"no_such_field": 1}));
        let fields = call.send().await.wrong_fields("input.invalid");
        assert_eq!(fields, ["Idempotency-Key"], "{route:?}");
        seen += 1;
    }
    assert!(seen > 30, "{seen}");
}
