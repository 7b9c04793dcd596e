//! Rule: a folder of `src` imports only from the folders above it, and from itself.

use super::code::Code;
use super::names::{Name, names};
use super::tree::Violation;

/// The folders in their order; each may import from those before it.
pub(crate) const FOLDERS: [&str; 10] =
    ["domain", "insight", "config", "store", "cluster", "auth", "room", "jobs", "http", "cli"];

/// Stands beside `config`: it may import `domain`, and everything from `config` on may import it.
pub(crate) const BESIDE: &str = "telemetry";

/// Paths that climb or descend to where they may not.
pub(crate) fn check(code: &Code) -> Vec<Violation> {
    if !code.path.starts_with("src/") {
        return Vec::new();
    }
    let module = code.module();
    // `main.rs` starts everything and `lib.rs` is the map.
    let Some(from) = module.first() else {
        return Vec::new();
    };
    if place(from).is_none() {
        let text = format!(
            "`{from}` is no folder of the design; move the file to the folder whose subject it is, \
             or enter the new folder here and in ARCHITECTURE.md"
        );
        return vec![Violation::new(&code.path, 0, text)];
    }
    let named = names(code);
    let broken = named.iter().filter_map(|name| {
        let to = target(name)?;
        let text = complaint(from, &to)?;
        Some(Violation::new(&code.path, code.line(name.at), text))
    });
    broken.collect()
}

fn complaint(from: &str, to: &str) -> Option<String> {
    if from == to {
        return None;
    }
    if place(to).is_none() {
        return Some(format!(
            "`crate::{to}` is no folder of the design; name the folder that the thing lives in"
        ));
    }
    (!may_import(from, to)).then(|| {
        format!(
            "`{from}` may not import from `{to}`, which stands below it; move what is needed \
             up, or let the folder below call this one"
        )
    })
}

fn may_import(from: &str, to: &str) -> bool {
    match (place(from), place(to)) {
        _ if from == BESIDE => to == "domain",
        (from, _) if to == BESIDE => from >= place("config"),
        (Some(from), Some(to)) => to < from,
        _ => false,
    }
}

/// Where a folder stands; what stands beside `config` counts as that.
fn place(folder: &str) -> Option<usize> {
    let folder = if folder == BESIDE { "config" } else { folder };
    FOLDERS.iter().position(|known| *known == folder)
}

/// The folder that a path leads to; nothing for paths into foreign crates and along this folder.
fn target(name: &Name) -> Option<String> {
    let mut module = name.module.as_slice();
    let mut parts = name.parts.iter().map(String::as_str).peekable();
    match parts.next()? {
        "crate" => return parts.next().map(str::to_owned),
        "super" => module = &module[..module.len().saturating_sub(1)],
        "self" => {}
        _ => return None,
    }
    while parts.next_if_eq(&"super").is_some() {
        module = &module[..module.len().saturating_sub(1)];
    }
    match module.first() {
        Some(folder) => Some(folder.clone()),
        None => parts.next().map(str::to_owned),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn broken(path: &str, text: &str) -> usize {
        check(&Code::new(path, text)).len()
    }

    #[test]
    fn every_way_down_is_seen() {
        for (path, text) in [
            ("src/domain/room.rs", "use crate::store::Store;"),
            ("src/domain/room.rs", "use super::super::http::router;"),
            ("src/domain/mod.rs", "use super::insight::Engine;"),
            ("src/room/task.rs", "use crate::{domain::id, http::Door};"),
            ("src/room/task.rs", "fn f() { crate::jobs::export::render(); }"),
            ("src/room/task.rs", "#[cfg(test)] mod tests { use super::super::super::cli::X; }"),
            ("src/insight/a/b.rs", "pub type A = Vec<crate::config::Settings>;"),
            ("src/insight/a/b.rs", "use crate::telemetry::Metrics;"),
            ("src/telemetry/metrics.rs", "use crate::config::Settings;"),
            ("src/telemetry.rs", "use crate::insight::Engine;"),
            ("src/store/mod.rs", "use crate::*;"),
            ("src/store/mod.rs", "use crate::shared::Thing;"),
            ("src/shared/mod.rs", ""),
            ("src/lost.rs", ""),
        ] {
            assert_eq!(broken(path, text), 1, "{path}: {text}");
        }
    }

    #[test]
    fn ways_up_and_around_the_own_folder_are_free() {
        for (path, text) in [
            ("src/cli/serve.rs", "use crate::{http, room::hub, telemetry};"),
            ("src/store/mod.rs", "use crate::telemetry::Metrics;"),
            ("src/telemetry.rs", "use crate::domain::limit;"),
            ("src/room/task.rs", "use super::hub; use crate::room::view; use self::x::y;"),
            ("src/room/task.rs", "#[cfg(test)] mod tests { use super::super::hub; use super::*; }"),
            ("src/domain/id.rs", "// crate::store\nlet a = \"crate::store::x\";"),
            ("src/domain/id.rs", "pub(in crate::domain) fn f() { serde::a::b() }"),
            ("src/main.rs", "use greenroom::cli; use crate::anything;"),
            ("src/lib.rs", "pub mod domain;"),
            ("tests/it/main.rs", "use crate::server::Server;"),
        ] {
            assert_eq!(broken(path, text), 0, "{path}: {text}");
        }
    }
}
