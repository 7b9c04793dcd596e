//! Rules about where things are: names that gather nothing in particular, the top of the
//! repository, and the notes of deep folders.

use super::tree::Violation;

/// A file with such a name collects what belongs nowhere.
const VAGUE: [&str; 6] = ["common", "helper", "helpers", "misc", "types", "utils"];

/// What stands at the top, beside files that begin with a dot.
const TOP: [&str; 15] = [
    "ARCHITECTURE.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "Cargo.lock",
    "Cargo.toml",
    "LICENSE",
    "README.md",
    "assets",
    "build.rs",
    "docs",
    "migrations",
    "packaging",
    "src",
    "systemd",
    "tests",
];

/// Folders whose choices are not plain from the code.
const DEEP: [&str; 4] = ["cluster", "insight", "room", "store"];

/// Files and folders with names that say nothing.
pub(crate) fn check_names(paths: &[String]) -> Vec<Violation> {
    let vague = paths.iter().filter_map(|path| {
        let mut names = path.split('/').map(|name| name.split('.').next().unwrap_or(""));
        let name = names.find(|name| VAGUE.contains(name) || *name == "util")?;
        let text = format!("`{name}` is no subject; put each thing beside the noun it belongs to");
        Some(Violation::new(path, 0, text))
    });
    vague.collect()
}

/// Entries at the top that the design does not know. What `.gitignore` names there is not ours.
pub(crate) fn check_top(entries: &[String], ignored: &str) -> Vec<Violation> {
    let local: Vec<&str> = ignored.lines().filter_map(|line| line.strip_prefix('/')).collect();
    let unknown = entries.iter().filter(|name| {
        let known = TOP.contains(&name.as_str()) || local.contains(&name.as_str());
        !known && !name.starts_with('.')
    });
    unknown
        .map(|name| {
            let text = "is not listed for the top of the repository; move it into a folder";
            Violation::new(name, 0, text)
        })
        .collect()
}

/// Deep folders without a note.
pub(crate) fn check_designs(paths: &[String]) -> Vec<Violation> {
    let notes = DEEP.iter().map(|folder| format!("src/{folder}/DESIGN.md"));
    let missing = notes.filter(|note| !paths.contains(note));
    missing
        .map(|note| {
            let text = "is missing; say what would break if the folder's choices were changed";
            Violation::new(&note, 0, text)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owned(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn names_that_say_nothing_are_seen() {
        for wrong in ["src/utils.rs", "src/room/helpers/mod.rs", "src/http/types.rs"] {
            assert_eq!(check_names(&owned(&[wrong])).len(), 1, "{wrong}");
        }
        let right = owned(&["src/cluster/raft_types.rs", "src/http/router.rs"]);
        assert!(check_names(&right).is_empty());
    }

    #[test]
    fn strangers_at_the_top_are_seen() {
        let entries =
            owned(&["src", "Cargo.toml", ".ci", "greenroom-data", "notes.txt", "scripts"]);
        let found = check_top(&entries, "/target\n/greenroom-data\nnotes.txt\n");
        let names: Vec<&str> = found.iter().map(|found| found.path.as_str()).collect();
        assert_eq!(names, ["notes.txt", "scripts"]);
    }

    #[test]
    fn a_missing_note_is_seen() {
        let paths = owned(&["src/store/DESIGN.md", "src/room/DESIGN.md", "src/insight/DESIGN.md"]);
        let found = check_designs(&paths);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].path, "src/cluster/DESIGN.md");
    }
}
