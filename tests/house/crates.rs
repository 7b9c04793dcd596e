//! Rule: each foreign crate lives where its subject lives, so that it can be replaced in one place.

use super::code::Code;
use super::names::names;
use super::tree::Violation;

/// A foreign crate, and where it may be named. `src/store` means the folder and `src/store.rs`.
type Home = (&'static str, &'static [&'static str]);

/// Crates with a home.
const HOMES: &[Home] = &[
    ("rusqlite", &["src/store"]),
    ("rustix", &["src/store", "src/jobs/document"]),
    ("lopdf", &["src/jobs/document"]),
    ("quick_xml", &["src/jobs/document"]),
    ("zip", &["src/jobs"]),
    ("crc32c", &["src/store"]),
    ("openraft", &["src/cluster"]),
    ("rcgen", &["src/cluster", "src/http/tls"]),
    ("x509_parser", &["src/http/tls"]),
    ("time", &["src/http/tls"]),
    // The cluster port, the port for people, the one place that asks servers which the operator has
    // named, and commands that talk to a node elsewhere.
    ("rustls", &["src/cluster", "src/http/outgoing.rs", "src/http/tls", "src/cli/client"]),
    ("tokio_rustls", &["src/cluster", "src/http/outgoing.rs", "src/http/tls", "src/cli/client"]),
    ("rustls_native_certs", &["src/http/outgoing.rs", "src/cli/client"]),
    ("axum", &["src/http"]),
    ("rust_embed", &["src/http"]),
    ("serde_path_to_error", &["src/http"]),
    ("tower", &["src/http"]),
    ("utoipa", &["src/http"]),
    // The command line talks to a running node, and the demo to itself, as any client would.
    ("hyper", &["src/http", "src/cli"]),
    ("hyper_util", &["src/http", "src/cli"]),
    ("http_body_util", &["src/http", "src/cli"]),
    ("tokio_tungstenite", &["src/http", "src/cli"]),
    ("clap", &["src/cli", "src/main.rs"]),
    ("indicatif", &["src/cli", "src/main.rs"]),
    ("jsonwebtoken", &["src/auth"]),
    ("argon2", &["src/auth"]),
    ("aws_lc_rs", &["src/auth"]),
    // Settings and kits; beside them, calibrations and the demo's script are written by people too.
    ("toml", &["src/config", "src/insight/calibration", "src/cli/demo"]),
    ("prometheus_client", &["src/telemetry"]),
    ("tracing_subscriber", &["src/telemetry"]),
    ("unicode_segmentation", &["src/insight"]),
];

/// Crates that are plain tools: values, bytes, tasks, errors, log lines.
const SHARED: &[&str] = &[
    "base64",
    "bytes",
    "futures_util",
    "jiff",
    "serde",
    "serde_json",
    "sha2",
    "thiserror",
    "tokio",
    "tracing",
    "uuid",
];

/// Folders that use nothing but these.
const CLOSED: &[Home] = &[
    ("src/domain", &["jiff", "serde", "serde_json", "uuid"]),
    ("src/insight", &["serde", "serde_json", "sha2", "thiserror", "toml", "unicode_segmentation"]),
];

/// Names of crates outside their homes.
pub(crate) fn check(code: &Code) -> Vec<Violation> {
    let mut found: Vec<Violation> = Vec::new();
    for name in names(code) {
        for text in complaints(&code.path, &name.parts[0]) {
            let line = code.line(name.at);
            // A group names its crate once, however many things it takes from it.
            if !found.iter().any(|seen| seen.line == line && seen.text == text) {
                found.push(Violation::new(&code.path, line, text));
            }
        }
    }
    found
}

fn complaints(path: &str, first: &str) -> Vec<String> {
    let mut found = Vec::new();
    let home = HOMES.iter().find(|(krate, _)| *krate == first);
    if let Some((_, homes)) = home
        && path.starts_with("src/")
        && !homes.iter().any(|home| lies_in(path, home))
    {
        found.push(format!(
            "the crate `{first}` belongs to {}; call what that folder offers, or add it there",
            homes.join(", ")
        ));
    }
    let known = home.is_some() || SHARED.contains(&first);
    for (folder, crates) in CLOSED {
        if found.is_empty() && known && lies_in(path, folder) && !crates.contains(&first) {
            found.push(format!(
                "`{folder}` uses no crates but {}; do this in a folder below it",
                crates.join(", ")
            ));
        }
    }
    found
}

/// Dependencies that nobody has given a place.
pub(crate) fn check_manifest(manifest: &str) -> Vec<Violation> {
    let table: toml::Table = manifest.parse().expect("Cargo.toml is TOML");
    let none = toml::Table::new();
    let dependencies = table.get("dependencies").and_then(toml::Value::as_table);
    let names = dependencies.unwrap_or(&none).keys();
    let names = names.map(|name| name.replace('-', "_"));
    let lost = names.filter(|name| {
        let at_home = HOMES.iter().any(|(krate, _)| krate == name);
        !at_home && !SHARED.contains(&name.as_str())
    });
    lost.map(|name| {
        let text = format!(
            "the dependency `{name}` has no place yet; enter its folder in tests/house/crates.rs"
        );
        Violation::new("Cargo.toml", 0, text)
    })
    .collect()
}

/// Whether a file is this file, or `home.rs`, or lies in the folder `home`.
pub(crate) fn lies_in(path: &str, home: &str) -> bool {
    let rest = path.strip_prefix(home);
    rest.is_some_and(|rest| rest.is_empty() || rest == ".rs" || rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn broken(path: &str, text: &str) -> usize {
        check(&Code::new(path, text)).len()
    }

    #[test]
    fn a_crate_away_from_home_is_seen() {
        for (path, text) in [
            ("src/room/hub.rs", "use rusqlite::Connection;"),
            ("src/store/mod.rs", "use openraft;"),
            ("src/store/storehouse.rs", "use axum::{Router, routing::get};"),
            ("src/http/mod.rs", "fn f() { rusqlite::params![1]; }"),
            ("src/httpd/mod.rs", "use axum::Router;"),
            ("src/config/mod.rs", "#[derive(clap::Parser)] struct A;"),
            ("src/cli/setup.rs", "use toml::Table;"),
            ("src/store/mod.rs", "#[cfg(test)] mod tests { use hyper::Request; }"),
            ("src/domain/room.rs", "use tokio::sync::mpsc;"),
            ("src/domain/room.rs", "#[derive(thiserror::Error)] enum E {}"),
            ("src/insight/engine.rs", "use tracing::info;"),
        ] {
            assert_eq!(broken(path, text), 1, "{path}: {text}");
        }
    }

    #[test]
    fn a_crate_at_home_is_free() {
        for (path, text) in [
            ("src/store/apply/mod.rs", "use rusqlite::Connection;"),
            ("src/telemetry.rs", "use prometheus_client::registry::Registry;"),
            ("src/insight/calibration.rs", "toml::from_str(text)"),
            ("src/insight/calibration/tests.rs", "use toml::Table;"),
            ("src/main.rs", "use clap::Parser;"),
            ("src/domain/time.rs", "use jiff::Timestamp; use serde::Serialize;"),
            ("src/domain/time.rs", "// axum::Router\nlet a = \"rusqlite::x\";"),
            ("tests/it/main.rs", "use hyper::Request;"),
        ] {
            assert_eq!(broken(path, text), 0, "{path}: {text}");
        }
    }

    #[test]
    fn a_new_dependency_needs_a_place() {
        let manifest = "[dependencies]\naxum = \"1\"\ntower-http = { version = \"1\" }\n";
        let found = check_manifest(manifest);
        assert_eq!(found.len(), 1);
        assert!(found[0].text.contains("tower_http"));
    }
}
