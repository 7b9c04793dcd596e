//! The repository as the rules see it: files by their paths from its top, and what breaks a rule.

use std::collections::BTreeSet;
use std::fmt;
use std::path::{Path, PathBuf};

use super::code::Code;

/// Something that breaks a rule.
#[derive(Debug)]
pub(crate) struct Violation {
    /// The file.
    pub(crate) path: String,
    /// The line, from 1; 0 for the whole file.
    pub(crate) line: usize,
    /// What is wrong, and what to do.
    pub(crate) text: String,
}

impl Violation {
    /// Names a place and what is wrong there.
    pub(crate) fn new(path: &str, line: usize, text: impl Into<String>) -> Violation {
        Violation { path: path.to_owned(), line, text: text.into() }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => write!(f, "  {}: {}", self.path, self.text),
            line => write!(f, "  {}:{line}: {}", self.path, self.text),
        }
    }
}

/// Folders that are not ours to judge, or too large to walk.
const SKIPPED: [&str; 4] = ["target", "node_modules", ".git", "shots"];

/// The repository has some hundreds of files; more than this means a walk that went astray.
const FILES_MAX: usize = 20_000;

/// Every Rust file of the repository, with the files that are only built for tests marked.
pub(crate) fn sources() -> Vec<Code> {
    let mut all: Vec<Code> = ["src", "tests", "build.rs"]
        .iter()
        .flat_map(|top| files(top))
        .filter(|path| path.ends_with(".rs"))
        .map(|path| Code::new(&path, &read(&path)))
        .collect();
    assert!(all.len() > 50, "the walk found the sources");
    mark_test_files(&mut all);
    all
}

/// A file is test code if a `mod` under `#[cfg(test)]` brings it in, or a file that is.
pub(crate) fn mark_test_files(all: &mut [Code]) {
    let mut modules: BTreeSet<Vec<String>> = BTreeSet::new();
    for code in all.iter() {
        modules.extend(code.test_modules());
    }
    for code in all.iter_mut() {
        let module = code.module();
        let under = (1..=module.len()).any(|n| modules.contains(&module[..n]));
        if under || code.path.starts_with("tests/") {
            code.test.iter_mut().for_each(|line| *line = true);
        }
    }
}

/// The files under a folder, or the file itself, by paths from the top, in order. Nothing if there
/// is no such thing.
pub(crate) fn files(top: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut waiting = vec![top.to_owned()];
    while let Some(path) = waiting.pop() {
        assert!(found.len() < FILES_MAX, "more than {FILES_MAX} files in {top}");
        let full = root().join(&path);
        if full.is_file() {
            found.push(path);
        } else if full.is_dir() {
            let inside = entries(&path);
            waiting.extend(inside.iter().map(|name| format!("{path}/{name}")));
        }
    }
    found.sort();
    found
}

/// The names in a folder that are ours, in order.
pub(crate) fn entries(folder: &str) -> Vec<String> {
    let read = std::fs::read_dir(root().join(folder));
    let mut names: Vec<String> = read
        .unwrap_or_else(|error| panic!("{folder} cannot be read: {error}"))
        .map(|entry| entry.expect("an entry of the folder").file_name())
        .map(|name| name.into_string().expect("names are UTF-8"))
        .filter(|name| !SKIPPED.contains(&name.as_str()))
        .collect();
    names.sort();
    names
}

/// The text of a file.
pub(crate) fn read(path: &str) -> String {
    let text = std::fs::read_to_string(root().join(path));
    text.unwrap_or_else(|error| panic!("{path} cannot be read: {error}"))
}

/// The text of a file, if there is one.
pub(crate) fn read_if_there(path: &str) -> Option<String> {
    root().join(path).is_file().then(|| read(path))
}

/// Writes a golden file.
pub(crate) fn write(path: &str, text: &str) {
    let full = root().join(path);
    let folder = full.parent().expect("a file is in a folder");
    let written = std::fs::create_dir_all(folder).and_then(|()| std::fs::write(&full, text));
    written.unwrap_or_else(|error| panic!("{path} cannot be written: {error}"));
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_path_buf()
}
