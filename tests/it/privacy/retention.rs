//! Retention: what was kept for long enough goes, what is held stays.

use serde_json::json;

use crate::api::items;
use crate::org::Org;

const RULES: &str = "/api/v1/admin/retention";

#[tokio::test]
async fn rules_are_checked_kept_and_obeyed_over_a_crash() {
    let mut org = Org::found().await;
    let wrong = json!({"rules": [{"kind": "live", "days": 0}, {"kind": "live", "days": 3}]});
    let fields = org.admin.api.put(RULES, wrong).await.wrong_fields("input.invalid");
    assert_eq!(fields, ["rules[0].days", "rules[1].kind"]);
    let rules = json!({"rules": [{"kind": "cv", "days": 90}, {"kind": "practice", "days": 365}]});
    let set = org.admin.api.put(RULES, rules.clone()).await.ok(200);
    assert_eq!((&set["rules"], &set["due"]["interviews"]), (&rules["rules"], &json!(0)));
    org.crash();
    assert_eq!(org.admin.api.get(RULES).await.ok(200)["rules"], rules["rules"]);
    let person = org.person("candidate").await;
    for path in [RULES, "/api/v1/admin/holds", "/api/v1/admin/erasures"] {
        person.api.get(path).await.refused(403, "access.denied");
    }
    assert_eq!(items(&org.admin.api.get("/api/v1/admin/erasures").await.ok(200)).len(), 0);
}
