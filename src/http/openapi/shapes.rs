//! What the route table does not say of a route: answers that are no JSON, and what may stand
//! behind its `?`. `tests/schema` asks a running node whether it is true.

use serde_json::{Value, json};

/// The media types of a good answer.
pub(super) fn media(method: &str, path: &str) -> &'static [&'static str] {
    match (method, path) {
        ("GET", "/livez" | "/readyz") => &["text/plain"],
        ("GET", "/metrics") => &["application/openmetrics-text"],
        ("GET", "/api/docs") => &["text/html"],
        ("GET", "/api/docs/viewer.js") => &["text/javascript"],
        ("GET", "/api/docs/viewer.css") => &["text/css"],
        ("GET", "/api/v1/admin/backup") => &["application/octet-stream"],
        ("GET", "/api/v1/me/export") => &["application/zip"],
        ("GET", "/api/v1/me/cv") => &[
            "application/pdf",
            "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
            "text/plain",
            "text/markdown",
        ],
        ("GET", "/api/v1/interviews/{id}/export") => {
            &["application/json", "text/csv", "text/markdown", "text/html"]
        }
        _ => &["application/json"],
    }
}

/// What a read may be asked for behind its `?`.
pub(super) fn query(method: &str, path: &str) -> Vec<Value> {
    let text = json!({"type": "string"});
    let limit = ("limit", "How many items at most", json!({"type": "integer", "minimum": 1}));
    let stale = ("stale", "`ok`: this node's own state will do", text.clone());
    let given: Vec<(&str, &str, Value)> = match (method, path) {
        ("GET", "/api/v1/interviews" | "/api/v1/people" | "/api/v1/admin/erasures") => {
            vec![limit, ("cursor", "`next` of the page before", text), stale]
        }
        ("GET", "/api/v1/admin/audit") => {
            let row = json!({"type": "integer"});
            vec![
                limit,
                ("cursor", "`next` of the page before", row.clone()),
                ("after", "Only rows after this one, oldest first", row),
                ("action", "Only rows of this action, without `after`", text),
                stale,
            ]
        }
        ("GET", "/api/v1/interviews/{id}/events") => {
            let seq = json!({"type": "integer", "minimum": 0});
            vec![("after", "The last seq that is known", seq), limit, stale]
        }
        ("GET", "/api/v1/interviews/{id}/export") => {
            let formats = json!({"type": "string", "enum": ["json", "csv", "md", "html"]});
            vec![("format", "`json` if it is left out", formats), stale]
        }
        ("GET", "/api/v1/me/readiness") => {
            vec![("calibration", "Which index; `core` if it is left out", text), stale]
        }
        ("GET", "/api/v1/modes") => vec![("mode", "The weights in this mode too", text), stale],
        ("GET", "/api/v1/calibrations/{version}/drift") => {
            vec![("against", "The version to compare with", text), stale]
        }
        _ => Vec::new(),
    };
    given
        .into_iter()
        .map(|(name, description, schema)| {
            json!({"name": name, "in": "query", "required": false, "description": description,
                "schema": schema})
        })
        .collect()
}
