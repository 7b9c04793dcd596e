//! Every POST of the served document under an idempotency key: done once, and told again.
//!
//! The document says which routes there are. A route that is not walked here stands in a list, with
//! the reason or with the test that has it.

use std::collections::BTreeSet;

use hyper::Method;
use serde_json::{Value, json};

use super::cv::upload;
use super::routes::{Route, routes};
use crate::api::{Api, Call, Reply, items, text};
use crate::deadline::until;
use crate::node::Node;
use crate::org::{ADMIN, Org, PASSWORD, Person, fresh_email};
use crate::scene;

/// Everybody's: keys of two people never meet.
const KEY: &str = "the same key for everybody";

const OTHER_PASSWORD: &str = "another sentence that nobody guesses";

/// Routes on which a key does nothing, with what the document gives as the reason.
const UNKEYED: [(&str, &str); 10] = [
    ("/api/v1/interviews/{id}/answers/{answer_id}/rephrase", "it writes nothing"),
    ("/api/v1/interviews/{id}/questions/check", "it writes nothing"),
    ("/api/v1/interviews/{id}/questions/{question_id}/rephrase", "it writes nothing"),
    ("/api/v1/admin/cluster/stepdown", "who leads is no part of what is stored"),
    ("/api/v1/auth/invite", "it only reads"),
    ("/api/v1/auth/login", "signing in proves itself each time"),
    ("/api/v1/cluster/join", "its token lets one machine in, as the same node each time"),
    ("/api/v1/interviews/{id}/answers/{answer_id}/model-answer", "it writes nothing"),
    ("/api/v1/me/totp", "a secret that was shown once is not kept to be shown again"),
    (
        "/api/v1/me/totp/confirm",
        "recovery codes that were shown once are not kept to be shown again",
    ),
];

/// Routes that need a node of their own; the tests below have them.
const ON_A_NODE_OF_ITS_OWN: [&str; 2] = ["/api/v1/setup", "/api/v1/admin/upgrade/undo"];

/// One request that the route takes, by somebody who has asked for nothing before.
struct Case {
    api: Api,
    path: String,
    body: Body,
    /// Another body that the route would take.
    other: Option<Value>,
    /// The same person where they are signed in, for another route.
    person: Option<Api>,
    /// Where something that is done twice would be seen.
    watched: Option<String>,
}

enum Body {
    Json(Value),
    File(&'static [u8]),
}

impl Case {
    fn new(person: &Api, path: &str, body: Value) -> Case {
        let (api, path) = (person.clone(), path.to_owned());
        let person = Some(person.clone());
        Case { api, path, body: Body::Json(body), other: None, person, watched: None }
    }

    fn other(self, other: Value) -> Case {
        Case { other: Some(other), ..self }
    }

    fn watch(self, path: &str) -> Case {
        Case { watched: Some(path.to_owned()), ..self }
    }

    /// By nobody: a token in the body tells who.
    fn by(self, nobody: Api) -> Case {
        Case { api: nobody, person: None, ..self }
    }

    fn call(&self) -> Call {
        match &self.body {
            Body::Json(body) => self.api.call(Method::POST, &self.path).json(body),
            Body::File(bytes) => upload(&self.api, "cv.txt", "text/plain", bytes),
        }
    }

    fn with(&self, body: &Value) -> Call {
        self.api.call(Method::POST, &self.path).json(body)
    }
}

/// A case for a route, with people of its own; `None` if nobody has thought of the route.
async fn case(org: &Org, path: &str) -> Option<Case> {
    if let Some(rest) = path.strip_prefix("/api/v1/interviews/{id}") {
        return in_an_interview(org, rest).await;
    }
    if let Some(case) = of_somebody(org, path).await {
        return Some(case);
    }
    let none = json!({});
    let someone = org.person("candidate").await;
    let admin = org.person("admin").await.api;
    Some(match path {
        "/api/v1/people" => {
            let email = fresh_email("walked");
            let body = |password| {
                json!({"email": email, "display_name": "W", "role": "observer",
                    "password": password})
            };
            Case::new(&admin, path, body(PASSWORD)).other(body(OTHER_PASSWORD))
        }
        "/api/v1/people/{id}/invite" => {
            let path = path.replace("{id}", &someone.id);
            Case::new(&admin, &path, none).watch(&format!("/api/v1/people/{}", someone.id))
        }
        "/api/v1/people/{id}/tokens" => {
            let path = path.replace("{id}", &text(&org.service().await["id"]));
            let body = |name| json!({"name": name});
            Case::new(&admin, &path, body("One")).other(body("Two")).watch(&path)
        }
        "/api/v1/admin/keys/rotate" => {
            Case::new(&admin, path, none).watch("/.well-known/jwks.json")
        }
        "/api/v1/kits" => {
            let mut kit = items(&admin.get(path).await.ok(200)).remove(0);
            kit.as_object_mut().unwrap().remove("built_in");
            kit["id"] = json!(fresh_email("kit").replace("@example.org", ""));
            let mut other = kit.clone();
            other["title"] = json!("Another");
            Case::new(&admin, path, kit).other(other).watch(path)
        }
        "/api/v1/admin/cluster/tokens" | "/api/v1/admin/upgrade/finalize" => {
            Case::new(&admin, path, none)
        }
        "/api/v1/admin/backups" => Case::new(&admin, path, none).watch(path),
        "/api/v1/admin/holds" => {
            let body = |reason| json!({"person_id": someone.id, "reason": reason});
            Case::new(&admin, path, body("A claim")).other(body("Another")).watch(path)
        }
        "/api/v1/calibrations" => {
            let body = calibration();
            Case::new(&admin, path, body).other(calibration()).watch(path)
        }
        "/api/v1/calibrations/{version}/activate" => {
            let made = admin.post("/api/v1/calibrations", calibration()).await.ok(201);
            let path = path.replace("{version}", &text(&made["version"]));
            Case::new(&admin, &path, none).watch("/api/v1/calibrations")
        }
        _ => return None,
    })
}

/// What needs no rights: the own login and account, a new practice.
async fn of_somebody(org: &Org, path: &str) -> Option<Case> {
    let nobody = org.node.api();
    let none = json!({});
    let someone = org.person("candidate").await;
    Some(match path {
        "/api/v1/auth/refresh" => {
            let token = json!({"refresh_token": someone.login["refresh_token"]});
            Case { person: Some(someone.api), ..Case::new(&nobody, path, token) }
        }
        "/api/v1/auth/logout" => {
            let token = json!({"refresh_token": someone.login["refresh_token"]});
            Case::new(&someone.api, path, token).by(nobody)
        }
        "/api/v1/auth/accept" => {
            let (_, link) = org.invited("candidate").await;
            let body = |password| json!({"token": link, "password": password});
            Case::new(&nobody, path, body(PASSWORD)).other(body(OTHER_PASSWORD)).by(nobody)
        }
        "/api/v1/me/cv" => {
            let body = Body::File(b"Led the night shift.");
            let case = Case::new(&someone.api, path, none);
            Case { body, ..case.watch("/api/v1/me/context") }
        }
        "/api/v1/me/password" => {
            let body = |new| json!({"current_password": PASSWORD, "new_password": new});
            let other = body("a third sentence that nobody guesses");
            Case::new(&someone.api, path, body(OTHER_PASSWORD)).other(other)
        }
        "/api/v1/me/tokens" => {
            let body = |name| json!({"name": name});
            Case::new(&someone.api, path, body("One")).other(body("Two")).watch(path)
        }
        "/api/v1/interviews" => {
            let body = |title| json!({"kind": "practice", "title": title, "questions": ["Why?"]});
            Case::new(&someone.api, path, body("One")).other(body("Two")).watch(path)
        }
        _ => return None,
    })
}

fn calibration() -> Value {
    let version = fresh_email("house").replace("@example.org", "");
    json!({"version": version, "toml": scene::calibration(&version)})
}

async fn in_an_interview(org: &Org, rest: &str) -> Option<Case> {
    let owner = org.person("interviewer").await.api;
    let make = async |body| owner.post("/api/v1/interviews", body).await.ok(201);
    let made = match rest {
        "/start" | "/cancel" => scene::practice(&owner, &scene::QUESTIONS).await,
        "/shares" | "/feedback" => scene::reported(&owner).await,
        "/members" | "/consent" => make(json!({"kind": "live", "questions": ["Why?"]})).await,
        "/questions/next" => {
            let plan = json!({"kind": "practice", "questions": ["Why?"], "auto_ask": false});
            let made = make(plan).await;
            owner.post(&scene::path(&made, "/start"), json!({})).await.ok(200)
        }
        _ => scene::begun(&owner).await,
    };
    let question = |n| scene::question(&made, n);
    let path = scene::path(&made, rest);
    let of_owner = |body| Case::new(&owner, &path, body).watch(&scene::path(&made, ""));
    Some(match rest {
        "/start" | "/cancel" | "/finish" | "/questions/next" | "/ticket" => of_owner(json!({})),
        "/questions" => of_owner(json!({"text": "Why?"})).other(json!({"text": "How?"})),
        "/answers" => {
            let body = |text| json!({"question_id": question(0), "text": text});
            of_owner(body(scene::ANSWER)).other(body("Other words."))
        }
        "/skip" => {
            let body = |n| json!({"question_id": question(n)});
            of_owner(body(0)).other(body(1))
        }
        "/members" => {
            let body = |email| json!({"email": email, "part": "candidate"});
            of_owner(body(fresh_email("member"))).other(body(fresh_email("other")))
        }
        "/consent" => {
            let candidate = org.person("candidate").await;
            let body = json!({"person_id": candidate.id, "part": "candidate"});
            owner.post(&scene::path(&made, "/members"), body).await.ok(201);
            let asked = candidate.api.get(&path).await.ok(200);
            let body = |given| json!({"given": given, "sha256": asked["sha256"]});
            Case::new(&candidate.api, &path, body(true)).other(body(false)).watch(&path)
        }
        "/feedback" => of_owner(json!({"accurate": true})).other(json!({"accurate": false})),
        "/shares" => {
            let body = |seconds| json!({"expires_in": seconds});
            of_owner(body(600)).other(body(700)).watch(&scene::path(&made, "/shares"))
        }
        _ => return None,
    })
}

/// What there is of everything, and who did what: nothing is written that is not seen here.
async fn all_there_is(org: &Org, case: &Case) -> Vec<Value> {
    let admin = &org.admin.api;
    let mut seen = vec![admin.get("/api/v1/admin/stats").await.ok(200)];
    // Reading somebody's list is in no log, so the newest row stays the newest.
    let audit = admin.get("/api/v1/admin/audit?limit=1").await.ok(200);
    seen.push(items(&audit).remove(0));
    if let (Some(person), Some(path)) = (&case.person, &case.watched) {
        seen.push(person.get(path).await.ok(200));
    }
    seen
}

/// What goes on by itself after a request is over.
async fn settled(case: &Case) {
    if case.path.ends_with("/finish") {
        let report = case.path.replace("/finish", "/report");
        until("the report", async || (case.api.get(&report).await.status == 200).then_some(()))
            .await;
    }
}

async fn walk(org: &Org, route: &Route) {
    let case_of = async || {
        let found = case(org, &route.path).await;
        found.unwrap_or_else(|| panic!("{route:?} takes a key and has no case in this test"))
    };
    let case = case_of().await;
    for bad in ["", &"k".repeat(129)] {
        let fields = case.call().key(bad).send().await.wrong_fields("input.invalid");
        assert_eq!(fields, ["Idempotency-Key"], "{route:?}");
    }
    // A refusal leaves the key free.
    let refused = case.with(&json!({"no_such_field": 1})).key(KEY).send().await;
    assert!((400..500).contains(&refused.status), "{route:?} {}", refused.text());

    let first = case.call().key(KEY).send().await;
    assert!((200..300).contains(&first.status), "{route:?} {}", first.text());
    assert!(!first.is_replayed(), "{route:?}");
    settled(&case).await;
    let after_first = all_there_is(org, &case).await;
    for _ in 0..2 {
        let again = case.call().key(KEY).send().await;
        assert_eq!(again.status, first.status, "{route:?} {}", again.text());
        assert!(again.is_replayed(), "{route:?}");
        assert_eq!(again.text(), first.text(), "{route:?}");
    }
    assert_eq!(all_there_is(org, &case).await, after_first, "{route:?} was done twice");

    if let Some(other) = &case.other {
        case.with(other).key(KEY).send().await.refused(422, "idempotency.mismatch");
    }
    elsewhere(org, &case, &first).await.refused(422, "idempotency.mismatch");
    assert_eq!(all_there_is(org, &case).await, after_first, "{route:?}: a mismatch did something");

    let of_somebody_else = case_of().await.call().key(KEY).send().await;
    assert_eq!(of_somebody_else.status, first.status, "{route:?} {}", of_somebody_else.text());
    assert!(!of_somebody_else.is_replayed(), "{route:?}: two people's keys met");
}

/// The same key of the same person on another route.
async fn elsewhere(org: &Org, case: &Case, first: &Reply) -> Reply {
    let person = match &case.person {
        Some(person) => person.clone(),
        None if case.path.ends_with("/logout") => {
            let Body::Json(token) = &case.body else { panic!("a token") };
            return case
                .api
                .call(Method::POST, "/api/v1/auth/refresh")
                .json(token)
                .key(KEY)
                .send()
                .await;
        }
        None => org.node.api().bearer(&text(&first.json()["access_token"])),
    };
    let (path, body) = match case.path.as_str() {
        "/api/v1/interviews" => (scene::path(&first.json(), "/start"), json!({})),
        _ => ("/api/v1/interviews".to_owned(), json!({"kind": "practice"})),
    };
    person.call(Method::POST, &path).json(&body).key(KEY).send().await
}

#[tokio::test]
async fn every_post_of_the_document_happens_once_under_a_key() {
    let org = Org::found().await;
    let document = org.node.api().get("/api/openapi.json").await.ok(200);
    let (mut walked, mut unkeyed) = (BTreeSet::new(), BTreeSet::new());
    let posts = routes(&document).into_iter().filter(|route| route.method == Method::POST);
    for route in posts {
        let why = &document["paths"][&route.path]["post"]["x-unkeyed"];
        if let Some(why) = why.as_str() {
            unkeyed.insert((route.path.clone(), why.to_owned()));
        } else if !ON_A_NODE_OF_ITS_OWN.contains(&route.path.as_str()) {
            walk(&org, &route).await;
            walked.insert(route.path);
        }
    }
    let listed = UNKEYED.map(|(path, why)| (path.to_owned(), why.to_owned()));
    assert_eq!(unkeyed, BTreeSet::from(listed));
    assert!(walked.len() >= 26, "{walked:?}");
}

#[tokio::test]
async fn setup_is_told_again_to_who_knows_its_password() {
    let node = Node::start();
    let body = |password: &str| {
        json!({"token": node.setup_token(), "organisation": "Lighthouse", "email": ADMIN,
            "display_name": "Ada", "password": password})
    };
    let right = body(PASSWORD);
    let wrong = body(OTHER_PASSWORD);
    let call = |body: &Value| node.api().call(Method::POST, "/api/v1/setup").json(body).key(KEY);
    let first = call(&right).send().await;
    assert!(!first.is_replayed());
    let again = call(&right).send().await;
    assert!(again.is_replayed());
    assert_eq!(again.ok(201), first.ok(201));
    // The token was used and is known to others by now; the key may be guessed.
    call(&wrong).send().await.refused(422, "idempotency.mismatch");
    let call = node.api().call(Method::POST, "/api/v1/setup").json(&right);
    call.send().await.refused(409, "setup.done");
    let admin = Person::of(&node.api(), first.json());
    assert_eq!(items(&admin.api.get("/api/v1/people").await.ok(200)).len(), 1);
}

#[tokio::test]
async fn an_undo_goes_back_once() {
    let org = Org::found().await;
    let path = "/api/v1/admin/upgrade/undo";
    let body = json!({"accept_loss": true});
    let call = || org.admin.api.call(Method::POST, path).json(&body).key(KEY);
    let first = call().send().await;
    assert!(!first.is_replayed());
    let newest = async || org.admin.api.get("/api/v1/admin/audit?limit=1").await.ok(200);
    let lowered = newest().await;
    let again = call().send().await;
    assert!(again.is_replayed());
    assert_eq!(again.ok(200), first.ok(200));
    assert_eq!(newest().await, lowered, "nothing was done again");
}
