//! The OpenAPI 3.1 document, made from the route table and the bodies' types, and its viewer.

mod shapes;

use std::collections::BTreeMap;

use axum::Json;
use axum::http::header;
use axum::response::IntoResponse;
use serde_json::{Value, json};
use utoipa::PartialSchema;

use crate::domain::may::Permission;

use super::keys::Keyed;
use super::router::{Route, table};
use super::{
    account, acts, calibrations, cluster, factors, interviews, limits, me, people, privacy,
    reports, setup, shares, signing, tokens, upgrade,
};

/// The document.
pub fn document() -> Value {
    let mut paths: BTreeMap<&str, BTreeMap<String, Value>> = BTreeMap::new();
    for route in table() {
        let method = route.method.as_str().to_lowercase();
        paths.entry(route.path).or_default().insert(method, operation(&route));
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Greenroom",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Interview rooms with live, explainable intelligence. \
                Errors are problem details (RFC 9457) with stable codes. \
                Every POST that writes takes an Idempotency-Key.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "paths": paths,
        "components": {
            "schemas": schemas(),
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
                "cookie": {"type": "apiKey", "in": "cookie", "name": "greenroom_session"},
            },
        },
    })
}

pub(super) async fn show() -> Json<Value> {
    Json(document())
}

pub(super) async fn viewer() -> impl IntoResponse {
    let page = include_str!("../../assets/docs/viewer.html");
    ([(header::CONTENT_TYPE, "text/html; charset=utf-8")], page)
}

pub(super) async fn viewer_js() -> impl IntoResponse {
    let script = include_str!("../../assets/docs/viewer.js");
    ([(header::CONTENT_TYPE, "text/javascript; charset=utf-8")], script)
}

pub(super) async fn viewer_css() -> impl IntoResponse {
    let style = include_str!("../../assets/docs/viewer.css");
    ([(header::CONTENT_TYPE, "text/css; charset=utf-8")], style)
}

fn operation(route: &Route) -> Value {
    let method = route.method.as_str();
    let mut parameters: Vec<Value> = path_parameters(route.path);
    parameters.extend(shapes::query(method, route.path));
    let answers = shapes::media(method, route.path);
    let answers: BTreeMap<&str, Value> =
        answers.iter().map(|media| (*media, json!({"schema": {}}))).collect();
    if route.method == "POST" && route.path.starts_with("/api/v1/") {
        let description = match route.keyed {
            Keyed::Stored => {
                "The first result under a key is kept for 24 hours and given again.".to_owned()
            }
            Keyed::Passing(how) => how.to_owned(),
            Keyed::Never(why) => {
                format!("Checked, but a repeated request is carried out anew: {why}.")
            }
        };
        parameters.push(json!({
            "name": "Idempotency-Key", "in": "header", "required": false,
            "description": description,
            "schema": {"type": "string", "minLength": 1, "maxLength": 128},
        }));
    }
    let security = match route.permission {
        Permission::Public => json!([]),
        _ => json!([{"bearer": []}, {"cookie": []}]),
    };
    let mut operation = json!({
        "summary": route.summary,
        "operationId": operation_id(route),
        "tags": [tag(route.path)],
        "x-permission": format!("{:?}", route.permission),
        "security": security,
        "parameters": parameters,
        "responses": {
            "2XX": {"description": "Done", "content": answers},
            "default": {
                "description": "Not done",
                "content": {"application/problem+json": {
                    "schema": {"$ref": "#/components/schemas/Problem"}}},
            },
        },
    });
    if let Keyed::Never(why) = route.keyed {
        operation["x-unkeyed"] = why.into();
    }
    if let Some(schema) = route.body {
        let reference = format!("#/components/schemas/{schema}");
        operation["requestBody"] = json!({
            "required": true,
            "content": {"application/json": {"schema": {"$ref": reference}}},
        });
    }
    if route.form {
        operation["requestBody"] = json!({
            "required": true,
            "content": {"multipart/form-data": {"schema": {
                "type": "object",
                "required": ["file"],
                "properties": {"file": {"type": "string", "contentMediaType": "text/plain"}},
            }}},
        });
    }
    operation
}

fn path_parameters(path: &str) -> Vec<Value> {
    path.split('/')
        .filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
        .map(|name| {
            json!({"name": name, "in": "path", "required": true, "schema": {"type": "string"}})
        })
        .collect()
}

fn operation_id(route: &Route) -> String {
    let words: Vec<&str> = route
        .path
        .split(['/', '{', '}', '.', '-'])
        .filter(|word| !word.is_empty() && !matches!(*word, "api" | "v1"))
        .collect();
    format!("{}_{}", route.method.as_str().to_lowercase(), words.join("_"))
}

fn tag(path: &str) -> &str {
    path.strip_prefix("/api/v1/").map_or("machine", |rest| rest.split('/').next().unwrap_or(rest))
}

fn schemas() -> Value {
    let mut schemas = json!({
        "Problem": {
            "type": "object",
            "required": ["type", "title", "status", "detail", "code", "request_id"],
            "properties": {
                "type": {"type": "string"},
                "title": {"type": "string"},
                "status": {"type": "integer"},
                "detail": {"type": "string"},
                "code": {"type": "string"},
                "request_id": {"type": "string"},
                "retry_after_ms": {"type": "integer"},
                "errors": {"type": "array", "items": {
                    "type": "object",
                    "required": ["field", "detail"],
                    "properties": {"field": {"type": "string"}, "detail": {"type": "string"}},
                }},
            },
        },
        "Kit": kit_schema(),
    });
    let bodies = [
        ("SetupBody", json!(setup::SetupBody::schema())),
        ("JoinBody", json!(cluster::JoinBody::schema())),
        ("StepDownBody", json!(cluster::StepDownBody::schema())),
        ("LoginBody", json!(account::LoginBody::schema())),
        ("RefreshBody", json!(account::RefreshBody::schema())),
        ("LogoutBody", json!(account::LogoutBody::schema())),
        ("InviteBody", json!(account::InviteBody::schema())),
        ("AcceptBody", json!(account::AcceptBody::schema())),
        ("MeBody", json!(me::MeBody::schema())),
        ("ContextBody", json!(me::ContextBody::schema())),
        ("PersonBody", json!(people::PersonBody::schema())),
        ("ChangeBody", json!(people::ChangeBody::schema())),
        ("InterviewBody", json!(interviews::InterviewBody::schema())),
        ("QuestionBody", json!(acts::QuestionBody::schema())),
        ("SkipBody", json!(acts::SkipBody::schema())),
        ("AnswerBody", json!(acts::AnswerBody::schema())),
        ("MemberBody", json!(acts::MemberBody::schema())),
        ("FeedbackBody", json!(reports::FeedbackBody::schema())),
        ("CalibrationBody", json!(calibrations::CalibrationBody::schema())),
        ("ShareBody", json!(shares::ShareBody::schema())),
        ("LimitsBody", json!(limits::LimitsBody::schema())),
        ("PasswordBody", json!(factors::PasswordBody::schema())),
        ("ProofBody", json!(factors::ProofBody::schema())),
        ("TokenBody", json!(tokens::TokenBody::schema())),
        ("RotateBody", json!(signing::RotateBody::schema())),
        ("CodeBody", json!(factors::CodeBody::schema())),
        ("ConsentBody", json!(privacy::ConsentBody::schema())),
        ("RetentionBody", json!(privacy::RetentionBody::schema())),
        ("HoldBody", json!(privacy::HoldBody::schema())),
        ("UndoBody", json!(upgrade::UndoBody::schema())),
    ];
    for (name, schema) in bodies {
        schemas[name] = schema;
    }
    schemas
}

fn kit_schema() -> Value {
    let text = json!({"type": "string"});
    let texts = json!({"type": "array", "items": {"type": "string"}});
    json!({
        "type": "object",
        "required": ["id", "title", "role", "competencies", "questions"],
        "properties": {
            "id": text, "version": {"type": "integer", "minimum": 0}, "title": text, "role": text,
            "description": text,
            "competencies": {"type": "array", "items": {
                "type": "object",
                "required": ["id", "name", "about", "anchors"],
                "properties": {"id": text, "name": text, "about": text, "anchors": texts},
            }},
            "questions": {"type": "array", "items": {
                "type": "object",
                "required": ["id", "text", "competency"],
                "properties": {"id": text, "text": text, "competency": text,
                    "looks_for": texts, "focus": texts},
            }},
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_of_a_route_is_said_of_one_that_exists() {
        let document = document().to_string();
        let shapes = include_str!("openapi/shapes.rs");
        let paths: Vec<&str> = shapes
            .split('"')
            .filter(|text| text.starts_with('/') && !text.starts_with("//"))
            .collect();
        assert!(paths.len() > 10);
        for path in paths {
            assert!(document.contains(&format!("\"{path}\":")), "there is no route {path}");
        }
    }

    #[test]
    fn every_body_has_its_schema_and_every_id_is_its_own() {
        let document = document();
        let schemas = &document["components"]["schemas"];
        let mut ids = std::collections::BTreeSet::new();
        for route in table() {
            if let Some(name) = route.body {
                assert!(schemas[name].is_object(), "{name}");
            }
            assert!(ids.insert(operation_id(&route)), "{}", operation_id(&route));
            assert!(!route.summary.is_empty());
        }
        assert!(ids.len() > 40);
    }
}
