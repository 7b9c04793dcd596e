//! Rule: a released migration never changes, because databases in the field were made by it.

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};

use super::tree::Violation;

/// Where the sums are kept.
pub(crate) const LIST: &str = "tests/golden/migrations.txt";

/// The sum that names a text.
pub(crate) fn sum(text: &str) -> String {
    let bytes = Sha256::digest(text.as_bytes());
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The list as it is kept: path and sum, one migration a line.
pub(crate) fn list(present: &[(String, String)]) -> String {
    let head = "# Migrations with the SHA-256 of their text. A line that was in a release stays\n\
        # as it is: a change of the schema is a new file.\n\
        # Written by: BLESS=1 cargo test --test house\n";
    let lines = present.iter().map(|(path, sum)| format!("{path} {sum}\n"));
    head.to_owned() + &lines.collect::<String>()
}

/// What differs between the list and the files.
pub(crate) fn check(listed: &str, present: &[(String, String)]) -> Vec<Violation> {
    let lines = listed.lines().filter(|line| !line.starts_with('#'));
    let listed: BTreeMap<&str, &str> = lines.filter_map(|line| line.split_once(' ')).collect();
    let mut found = Vec::new();
    for (path, sum) in present {
        match listed.get(path.as_str()) {
            Some(known) if known == sum => {}
            Some(_) => found.push(Violation::new(
                path,
                0,
                "was changed; if it was ever released, undo that and write a new migration, else \
                 run `BLESS=1 cargo test --test house`",
            )),
            None => found.push(Violation::new(
                path,
                0,
                format!("is new; run `BLESS=1 cargo test --test house` to enter it in {LIST}"),
            )),
        }
    }
    let there = |path: &str| present.iter().any(|(known, _)| known == path);
    for path in listed.keys().filter(|path| !there(path)) {
        let text = "is listed and gone; databases that it made still need it, so bring it back";
        found.push(Violation::new(path, 0, text));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_additions_and_losses_are_seen() {
        let file = |name: &str, text: &str| (name.to_owned(), sum(text));
        let before = [file("a.sql", "one"), file("b.sql", "two")];
        let kept = list(&before);
        assert!(check(&kept, &before).is_empty());
        let after = [file("a.sql", "one!"), file("c.sql", "three")];
        let found = check(&kept, &after);
        let paths: Vec<&str> = found.iter().map(|found| found.path.as_str()).collect();
        assert_eq!(paths, ["a.sql", "c.sql", "b.sql"]);
        assert_eq!(check("", &before).len(), 2);
    }

    #[test]
    fn a_sum_is_that_of_the_standard() {
        let known = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(sum("abc"), known);
    }
}
