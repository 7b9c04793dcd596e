//! Rule: what others wrote comes from one registry, under licences that we may pass on, and is
//! nothing that `.cargo/deny.toml` bans.
//!
//! The file is cargo-deny's, so that this tool reads it too. Here it is checked without the tool
//! and without a network, from what Cargo says of the locked dependencies. Not checked here:
//! advisories, yanked versions, and whether a licence is the one that a crate's files have.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use serde::Deserialize;

use super::tree::Violation;

/// Where the rules stand.
pub(crate) const RULES: &str = ".cargo/deny.toml";

/// The rules; a key that nobody checks is an error, so that the file promises nothing in vain.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Rules {
    graph: Graph,
    #[serde(rename = "advisories")]
    _advisories: Advisories,
    licenses: Licences,
    bans: Bans,
    sources: Sources,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Graph {
    targets: Vec<String>,
    #[serde(rename = "all-features")]
    _all_features: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Advisories {
    #[serde(rename = "yanked")]
    _yanked: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Licences {
    #[serde(rename = "confidence-threshold")]
    _confidence_threshold: f64,
    allow: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Bans {
    multiple_versions: String,
    wildcards: String,
    deny: Vec<Ban>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Ban {
    #[serde(rename = "crate")]
    name: String,
    #[serde(default)]
    deny_multiple_versions: bool,
    reason: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Sources {
    unknown_registry: String,
    unknown_git: String,
    allow_registry: Vec<String>,
}

/// A dependency as it is built: name, version, licence.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Crate {
    name: String,
    version: String,
    licence: String,
}

/// Reads the rules.
pub(crate) fn rules(text: &str) -> Rules {
    let rules: Rules = toml::from_str(text).unwrap_or_else(|error| panic!("{RULES}: {error}"));
    // Other words would mean other checks than those below.
    assert_eq!(rules.bans.multiple_versions, "allow", "{RULES}: not checked otherwise");
    for word in [&rules.bans.wildcards, &rules.sources.unknown_registry, &rules.sources.unknown_git]
    {
        assert_eq!(word, "deny", "{RULES}: not checked otherwise");
    }
    rules
}

/// What is built for the targets, tests and build scripts included.
pub(crate) fn built(rules: &Rules) -> Vec<Crate> {
    let mut all = BTreeSet::new();
    for target in &rules.graph.targets {
        let tree = Command::new(env!("CARGO"))
            .args(["tree", "--locked", "--offline", "--all-features", "--prefix", "none"])
            .args(["--edges", "normal,build,dev", "--target", target, "--format", "{p}|{l}"])
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .output()
            .expect("cargo starts");
        let said = String::from_utf8_lossy(&tree.stderr);
        assert!(tree.status.success(), "cargo tree for {target}: {said}");
        all.extend(String::from_utf8_lossy(&tree.stdout).lines().filter_map(line));
    }
    all.into_iter().collect()
}

/// `name v1.2.3 (proc-macro)|MIT OR Apache-2.0 (*)`.
fn line(line: &str) -> Option<Crate> {
    let (package, licence) = line.split_once('|')?;
    let mut words = package.split(' ');
    let (name, version) = (words.next()?.to_owned(), words.next()?.to_owned());
    let licence = licence.trim_end_matches("(*)").trim().to_owned();
    Some(Crate { name, version, licence })
}

/// Licences that are not allowed, and crates that are banned.
pub(crate) fn check(rules: &Rules, crates: &[Crate]) -> Vec<Violation> {
    let mut found = Vec::new();
    let mut versions: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for Crate { name, version, licence } in crates {
        versions.entry(name).or_default().insert(version);
        if !allowed(licence, &rules.licenses.allow) {
            let text = format!(
                "{name} {version} is under `{licence}`; do without it, or add the licence here \
                 with the reason why it may be passed on"
            );
            found.push(Violation::new(RULES, 0, text));
        }
    }
    for Ban { name, deny_multiple_versions, reason } in &rules.bans.deny {
        let Some(versions) = versions.get(name.as_str()) else { continue };
        if !deny_multiple_versions || versions.len() > 1 {
            let text = format!("{name} ({versions:?}) is banned: {reason}; see `cargo tree -i`");
            found.push(Violation::new(RULES, 0, text));
        }
    }
    for allowed in &rules.licenses.allow {
        if !crates.iter().any(|krate| licences(&krate.licence).contains(&allowed.as_str())) {
            let text = format!("nothing is under `{allowed}` any more; take the line out");
            found.push(Violation::new(RULES, 0, text));
        }
    }
    found
}

/// Locked packages that come from elsewhere or have no sum. All of them, for every target.
pub(crate) fn check_lock(rules: &Rules, lock: &str) -> Vec<Violation> {
    let table: toml::Table = lock.parse().expect("Cargo.lock is TOML");
    let packages = table["package"].as_array().expect("a list of packages");
    let text = |package: &toml::Value, key: &str| {
        package.get(key).and_then(toml::Value::as_str).unwrap_or_default().to_owned()
    };
    let strange = packages.iter().filter(|package| text(package, "name") != "greenroom");
    let strange = strange.filter(|package| {
        let source = text(package, "source");
        let index = source.strip_prefix("registry+").unwrap_or_default();
        let known = rules.sources.allow_registry.iter().any(|allowed| allowed == index);
        !known || text(package, "checksum").len() != 64
    });
    strange
        .map(|package| {
            let (name, source) = (text(package, "name"), text(package, "source"));
            let text = format!("{name} comes from `{source}`, or has no sum; use the registry");
            Violation::new("Cargo.lock", 0, text)
        })
        .collect()
}

/// Dependencies that any version would do for.
pub(crate) fn check_wildcards(manifest: &str) -> Vec<Violation> {
    let table: toml::Table = manifest.parse().expect("Cargo.toml is TOML");
    let kinds = ["dependencies", "dev-dependencies", "build-dependencies"];
    let all = kinds.iter().filter_map(|kind| table.get(*kind)?.as_table()).flatten();
    all.filter(|(_, wanted)| {
        let version = wanted.get("version").unwrap_or(wanted);
        version.as_str().is_none_or(|version| version.contains('*'))
    })
    .map(|(name, _)| Violation::new("Cargo.toml", 0, format!("`{name}` names no version")))
    .collect()
}

/// The licences in an expression.
fn licences(expression: &str) -> Vec<&str> {
    let words = expression.split([' ', '(', ')', '/']).filter(|word| !word.is_empty());
    words.filter(|word| !matches!(*word, "AND" | "OR")).collect()
}

/// Whether an SPDX expression can be satisfied with these licences. Older crates write `/` for OR.
fn allowed(expression: &str, licences: &[String]) -> bool {
    let spaced = expression.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let mut at = 0;
    let satisfied = either(&words, &mut at, licences);
    // What was not read to its end was not understood, and is not allowed.
    satisfied && at == words.len()
}

fn either(words: &[&str], at: &mut usize, licences: &[String]) -> bool {
    let mut satisfied = both(words, at, licences);
    while words.get(*at) == Some(&"OR") {
        *at += 1;
        satisfied |= both(words, at, licences);
    }
    satisfied
}

fn both(words: &[&str], at: &mut usize, licences: &[String]) -> bool {
    let mut satisfied = one(words, at, licences);
    while words.get(*at) == Some(&"AND") {
        *at += 1;
        satisfied &= one(words, at, licences);
    }
    satisfied
}

fn one(words: &[&str], at: &mut usize, licences: &[String]) -> bool {
    let word = words.get(*at).copied().unwrap_or_default();
    *at += 1;
    if word == "(" {
        let satisfied = either(words, at, licences);
        *at += 1;
        return satisfied && words.get(*at - 1) == Some(&")");
    }
    if words.get(*at) == Some(&"WITH") {
        let whole = format!("{word} WITH {}", words.get(*at + 1).copied().unwrap_or_default());
        *at += 2;
        return licences.contains(&whole);
    }
    licences.iter().any(|licence| licence == word)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn krate(name: &str, version: &str, licence: &str) -> Crate {
        Crate { name: name.to_owned(), version: version.to_owned(), licence: licence.to_owned() }
    }

    #[test]
    fn a_licence_must_be_one_that_is_allowed() {
        let allow = ["MIT", "ISC", "Apache-2.0"].map(str::to_owned);
        for good in [
            "MIT",
            "GPL-3.0-only OR MIT",
            "Unlicense/MIT",
            "MIT AND ISC",
            "(GPL-3.0 OR MIT) AND (ISC OR AGPL-3.0)",
            "Apache-2.0 WITH LLVM-exception OR MIT",
        ] {
            assert!(allowed(good, &allow), "{good}");
        }
        for bad in [
            "",
            "GPL-3.0-only",
            "MIT AND GPL-3.0-only",
            "MIT OR ISC AND",
            "(MIT",
            "MIT)",
            "MIT ISC",
            "Apache-2.0 WITH LLVM-exception",
            "MIT AND (GPL-2.0 OR LGPL-2.1)",
        ] {
            assert!(!allowed(bad, &allow), "{bad}");
        }
    }

    #[test]
    fn bans_and_copies_are_seen() {
        let rules = rules(include_str!("../../.cargo/deny.toml"));
        let fine: Vec<Crate> =
            rules.licenses.allow.iter().map(|licence| krate("a", "v1.0.0", licence)).collect();
        assert_eq!(check(&rules, &fine).len(), 0);
        for (more, wanted) in [
            (vec![krate("ring", "v0.17.0", "MIT")], 1),
            (vec![krate("rustls", "v0.23.0", "MIT")], 0),
            (vec![krate("rustls", "v0.23.0", "MIT"), krate("rustls", "v0.22.0", "MIT")], 1),
            (vec![krate("b", "v1.0.0", "AGPL-3.0-only")], 1),
            (vec![krate("b", "v1.0.0", "")], 1),
        ] {
            let all = [fine.clone(), more].concat();
            assert_eq!(check(&rules, &all).len(), wanted, "{all:?}");
        }
        assert_eq!(check(&rules, &fine[1..]).len(), 1, "a licence that nobody uses");
    }

    #[test]
    fn other_sources_are_seen() {
        let rules = rules(include_str!("../../.cargo/deny.toml"));
        let lock = |source: &str, sum: &str| {
            format!("[[package]]\nname = \"a\"\nversion = \"1.0.0\"\n{source}\n{sum}\n")
        };
        let index = format!("source = \"registry+{}\"", rules.sources.allow_registry[0]);
        let index = index.as_str();
        let sum = format!("checksum = \"{}\"", "0".repeat(64));
        assert_eq!(check_lock(&rules, &lock(index, &sum)).len(), 0);
        for (source, sum) in [
            (index, ""),
            ("", ""),
            ("source = \"git+https://example.org/a#1234\"", sum.as_str()),
            ("source = \"registry+https://example.org/index\"", sum.as_str()),
        ] {
            assert_eq!(check_lock(&rules, &lock(source, sum)).len(), 1, "{source}");
        }
        for (manifest, wanted) in [
            ("[dependencies]\na = \"1\"\nb = { version = \"2\" }", 0),
            ("[dependencies]\na = \"*\"", 1),
            ("[build-dependencies]\na = { path = \"../a\" }", 1),
        ] {
            assert_eq!(check_wildcards(manifest).len(), wanted, "{manifest}");
        }
    }
}
