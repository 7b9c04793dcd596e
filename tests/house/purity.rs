//! Rule: the rules of the product, the engine and the code that applies commands touch no clock,
//! disk, network or chance; what the first two sum, they sum in whole numbers.

use super::code::Code;
use super::crates::lies_in;
use super::names::{Name, names};
use super::tree::Violation;

/// What makes two nodes, or two runs, differ.
const OUTSIDE: [&str; 7] =
    ["std::env", "std::fs", "std::net", "std::os", "std::process", "std::thread", "std::time"];

/// Makers of times and ids. The proposer calls them, and the result travels in the command.
const MAKERS: [&str; 7] = [
    "Instant::now",
    "SystemTime::now",
    "Timestamp::now",
    "Uuid::new_v4",
    "Uuid::now_v7",
    "Zoned::now",
    "RandomState::new",
];

/// Folders that are pure functions of what they are given.
const PURE: [&str; 3] = ["src/domain", "src/insight", "src/store/apply"];

/// Folders that know no floating point, but for the one file that writes JSON numbers.
const WHOLE: [&str; 2] = ["src/domain", "src/insight"];
const DECIMALS: &str = "src/domain/number.rs";

/// What a pure folder names and may not.
pub(crate) fn check(code: &Code) -> Vec<Violation> {
    let mut found = Vec::new();
    if PURE.iter().any(|folder| lies_in(&code.path, folder)) {
        for name in names(code) {
            // Tests may read golden files and measure.
            if let Some(what) = outside(&name).filter(|_| !code.is_test(name.at)) {
                let text = format!(
                    "`{what}` makes the result depend on more than the arguments; take the value \
                     as an argument, made by the caller or carried in the command"
                );
                found.push(Violation::new(&code.path, code.line(name.at), text));
            }
        }
    }
    let whole = WHOLE.iter().any(|folder| lies_in(&code.path, folder));
    if whole && code.path != DECIMALS {
        found.extend(floats(code));
    }
    found
}

fn outside(name: &Name) -> Option<&'static str> {
    let path = name.parts.join("::");
    let begins = |what: &str| path == what || path.starts_with(&format!("{what}::"));
    let ends = |what: &str| path == what || path.ends_with(&format!("::{what}"));
    let module = OUTSIDE.into_iter().find(|what| begins(what));
    module.or_else(|| MAKERS.into_iter().find(|what| ends(what)))
}

fn floats(code: &Code) -> Vec<Violation> {
    let text: String = code.blanked.iter().collect();
    let mut found = Vec::new();
    for (n, line) in text.lines().enumerate() {
        let words: Vec<&str> = line.split(|c: char| !super::code::is_word(c)).collect();
        if !code.test[n] && (words.contains(&"f32") || words.contains(&"f64")) {
            let text =
                "sums are whole thousandths (`Milli`), so that they are equal on every machine";
            found.push(Violation::new(&code.path, n + 1, text));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn broken(path: &str, text: &str) -> usize {
        check(&Code::new(path, text)).len()
    }

    #[test]
    fn what_reaches_outside_is_seen() {
        for text in [
            "use std::fs;",
            "use std::{collections::BTreeMap, time::Instant};",
            "let a = std::env::var(\"A\");",
            "let a = uuid::Uuid::now_v7();",
            "let a = Timestamp::now();",
        ] {
            for path in ["src/domain/room.rs", "src/insight/text.rs", "src/store/apply/mod.rs"] {
                assert_eq!(broken(path, text), 1, "{path}: {text}");
            }
            assert_eq!(broken("src/store/journal.rs", text), 0, "{text}");
        }
        assert_eq!(broken("src/domain/room.rs", "fn f(a: f64) {}"), 1);
        assert_eq!(broken("src/insight/text.rs", "let a = 3 as f32;"), 1);
    }

    #[test]
    fn tests_comments_and_the_file_of_decimals_are_free() {
        for (path, text) in [
            ("src/domain/room.rs", "#[cfg(test)]\nmod tests {\n    use std::fs;\n    f64::MAX;\n}"),
            ("src/domain/room.rs", "// std::fs::read and f64\nuse std::collections::BTreeMap;"),
            ("src/domain/number.rs", "let a = 1.0_f64 as f64;"),
            ("src/domain/limit.rs", "let af64b = 1;"),
        ] {
            assert_eq!(broken(path, text), 0, "{path}: {text}");
        }
    }
}
