//! The signing key after the present one: told a week before it signs.

use rusqlite::Connection;
use serde_json::{Value, json};

use crate::api::{Api, text};
use crate::deadline::until;
use crate::org::{Org, PASSWORD, Person};

use super::programs::kids;

const KEYS: &str = "/api/v1/admin/keys";
const ROTATE: &str = "/api/v1/admin/keys/rotate";

impl Org {
    /// Lets days go by for the keys, while the node stands still.
    async fn sleep(&mut self, days: i64) {
        assert_eq!(self.node.terminate(), 0);
        let state = Connection::open(self.node.data_dir().join("state.db")).unwrap();
        let ms = days * 24 * 60 * 60 * 1_000;
        for sql in [
            "UPDATE cluster SET founded_at = founded_at - ?1",
            "UPDATE signing_key_age SET made_at = made_at - ?1",
            "UPDATE next_key SET made_at = made_at - ?1",
        ] {
            state.execute(sql, [ms]).unwrap();
        }
        drop(state);
        self.node.restart();
        self.admin.api = self.admin.api.at(self.node.address());
    }
}

/// The keys, once there is a next one.
async fn with_next(admin: &Api) -> Value {
    until("the next key is told", async || {
        let keys = admin.get(KEYS).await.ok(200);
        (keys["next"] != Value::Null).then_some(keys)
    })
    .await
}

async fn login(org: &Org) -> (Person, String) {
    let body = json!({"email": org.admin.email, "password": PASSWORD});
    let login = org.node.api().post("/api/v1/auth/login", body).await.ok(200);
    let token = text(&login["access_token"]);
    (Person::of(&org.node.api(), login), kid_of(&token))
}

/// The key that a token says it was signed with.
fn kid_of(token: &str) -> String {
    use base64::Engine;
    let head = token.split('.').next().unwrap();
    let head = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(head).unwrap();
    text(&serde_json::from_slice::<Value>(&head).unwrap()["kid"])
}

#[tokio::test]
async fn the_next_key_is_told_before_it_signs_and_then_signs() {
    let mut org = Org::found().await;
    let first = kids(&org.admin.api).await;
    assert_eq!((first.len(), &org.admin.api.get(KEYS).await.ok(200)["next"]), (1, &Value::Null));

    org.sleep(84).await;
    let told = with_next(&org.admin.api).await;
    let next = text(&told["next"]["kid"]);
    assert_eq!((&told["kid"], &told["former"]), (&json!(first[0]), &json!([])));
    assert_eq!(kids(&org.admin.api).await, [first[0].clone(), next.clone()]);
    assert_eq!(login(&org).await.1, first[0], "it signs nothing yet");

    // It is told for a week, however old the present one is.
    org.sleep(6).await;
    let keys = org.admin.api.get(KEYS).await.ok(200);
    assert_eq!((&keys["kid"], &keys["next"]["kid"]), (&json!(first[0]), &json!(next)));
    let (of_before, kid) = login(&org).await;
    assert_eq!(kid, first[0]);

    org.sleep(1).await;
    let turned = until("the next key signs", async || {
        let keys = of_before.api.at(org.node.address()).get(KEYS).await.ok(200);
        (keys["kid"] == next.as_str()).then_some(keys)
    })
    .await;
    assert_eq!((&turned["next"], &turned["former"]), (&Value::Null, &json!([first[0]])));
    assert_eq!(kids(&org.admin.api).await, [next.clone(), first[0].clone()], "no other one");
    let (of_now, kid) = login(&org).await;
    assert_eq!(kid, next);
    of_now.api.get("/api/v1/me").await.ok(200);
    let log = org.node.command().args(["audit", "export"]).output().unwrap();
    let log = String::from_utf8(log.stdout).unwrap();
    assert_eq!((log.matches("key.prepare").count(), log.matches("key.rotate").count()), (1, 1));
}

#[tokio::test]
async fn an_admin_takes_the_waiting_key_or_throws_it_away() {
    let mut org = Org::found().await;
    let first = kids(&org.admin.api).await.remove(0);
    org.sleep(84).await;
    let waiting = text(&with_next(&org.admin.api).await["next"]["kid"]);
    let rotated = org.admin.api.post(ROTATE, json!({})).await.ok(200);
    assert_eq!((&rotated["kid"], &rotated["next"]), (&json!(waiting), &Value::Null));
    assert_eq!(kids(&org.admin.api).await, [waiting.clone(), first]);
    let (admin, kid) = login(&org).await;
    assert_eq!(kid, waiting);

    // A leak: the key that waits lay beside the one that leaked.
    org.admin = admin;
    org.sleep(84).await;
    let next = text(&with_next(&org.admin.api).await["next"]["kid"]);
    let at_once = json!({"at_once": true});
    let rotated = org.admin.api.post(ROTATE, at_once).await.ok(200);
    let fresh = text(&rotated["kid"]);
    assert!(fresh != next && fresh != waiting, "{rotated}");
    org.admin.api.get("/api/v1/me").await.refused(401, "auth.invalid");
    let (admin, kid) = login(&org).await;
    assert_eq!(kid, fresh);
    let all = kids(&admin.api).await;
    assert!(!all.contains(&next) && !all.contains(&waiting), "{all:?}");
    assert_eq!(admin.api.get(KEYS).await.ok(200)["next"], Value::Null);
    // Without one that waits it is as it was before there were any.
    let rotated = admin.api.post(ROTATE, json!({})).await.ok(200);
    assert_eq!(rotated["former"][0], json!(fresh), "{rotated}");
    assert_ne!(rotated["kid"], json!(fresh));
}
