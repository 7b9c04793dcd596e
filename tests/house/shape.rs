//! Rules about the shape of a file: what fits on a screen can be checked by eye.

use super::code::{Code, is_word};
use super::tree::Violation;

const COLUMNS_MAX: usize = 100;
const FUNCTION_LINES_MAX: usize = 70;
const FILE_LINES_MAX: usize = 400;
const FILE_WITH_TESTS_LINES_MAX: usize = 500;

/// Files that may be long, each with the reason. Lists of words belong here, programs do not.
const LONG: &[(&str, &str)] = &[];

/// A file begins by saying what it is for.
pub(crate) fn check_doc(code: &Code) -> Vec<Violation> {
    let says = |line: &String| line.starts_with("//! ") && line.len() > "//! ".len();
    if code.lines.first().is_some_and(says) {
        return Vec::new();
    }
    let text = "the first line is to be `//! ` and what the file is for";
    vec![Violation::new(&code.path, 1, text)]
}

/// No line is wider than a screen.
pub(crate) fn check_columns(code: &Code) -> Vec<Violation> {
    let lines = (1..).zip(&code.lines);
    let wide = lines.map(|(n, line)| (n, line.chars().count()));
    let wide = wide.filter(|(_, columns)| *columns > COLUMNS_MAX);
    wide.map(|(n, columns)| {
        let text = format!("{columns} columns where {COLUMNS_MAX} fit; break the line");
        Violation::new(&code.path, n, text)
    })
    .collect()
}

/// No function is longer than a screen.
pub(crate) fn check_functions(code: &Code) -> Vec<Violation> {
    let functions = code.functions().into_iter();
    let measured = functions.map(|(name, range)| {
        let (from, to) = (code.line(range.start), code.line(range.end));
        (name, from, to - from + 1)
    });
    let long = measured.filter(|(_, _, lines)| *lines > FUNCTION_LINES_MAX);
    long.map(|(name, from, lines)| {
        let text = format!(
            "`{name}` has {lines} lines where {FUNCTION_LINES_MAX} are allowed; move a step that \
             has a name of its own into a function"
        );
        Violation::new(&code.path, from, text)
    })
    .collect()
}

/// No file is longer than a sitting.
pub(crate) fn check_size(code: &Code) -> Vec<Violation> {
    let all = code.lines.len();
    let product = code.test.iter().filter(|test| !**test).count();
    let exempt = LONG.iter().any(|(path, _)| *path == code.path);
    let text = if exempt {
        return Vec::new();
    } else if product > FILE_LINES_MAX {
        format!(
            "{product} lines without tests where {FILE_LINES_MAX} are allowed; move a subject of \
             its own into a file"
        )
    } else if all > FILE_WITH_TESTS_LINES_MAX {
        format!(
            "{all} lines with tests where {FILE_WITH_TESTS_LINES_MAX} are allowed; move the tests \
             into a file `tests.rs` of the module, or a subject into a file"
        )
    } else {
        return Vec::new();
    };
    vec![Violation::new(&code.path, 0, text)]
}

/// Outside tests, nothing stops the process but a broken invariant that is named.
pub(crate) fn check_panics(code: &Code) -> Vec<Violation> {
    if !code.path.starts_with("src/") {
        return Vec::new();
    }
    let mut found = Vec::new();
    let mut note = |at: usize, text: &str| {
        if !code.is_test(at) {
            found.push(Violation::new(&code.path, code.line(at), text));
        }
    };
    for call in [".unwrap()", ".unwrap_err()"] {
        for at in code.find(call) {
            note(at, "say what happens instead, or `expect(\"invariant: …\")` why it cannot");
        }
    }
    for at in code.find("panic!") {
        let before = at.checked_sub(1).map_or(' ', |before| code.blanked[before]);
        if !is_word(before) {
            note(at, "return an error; `assert!` is for faults of the programmer");
        }
    }
    for at in code.find(".expect(") {
        let given: String = code.letters[at + ".expect(".len()..].iter().take(200).collect();
        let given = given.trim_start();
        if given.starts_with('"') && !given.starts_with("\"invariant: ") {
            note(at, "begin with `invariant: ` and say what makes it true");
        }
    }
    found
}

/// Nothing is left for later, and no test is switched off.
pub(crate) fn check_leftovers(code: &Code) -> Vec<Violation> {
    let mut found = Vec::new();
    for call in ["todo!", "unimplemented!", "dbg!", "#[ignore", "#[path"] {
        for at in code.find(call) {
            let before = at.checked_sub(1).map_or(' ', |before| code.blanked[before]);
            // A test of many files brings them in by path, and a bench shares the tests' client.
            let shares = [
                "tests/house.rs",
                "tests/bench/failover.rs",
                "tests/bench/keys.rs",
                "tests/bench/rooms/main.rs",
                "tests/bench/spine.rs",
            ];
            let own = call == "#[path" && shares.contains(&code.path.as_str());
            if !is_word(before) && !own {
                let text = format!("`{call}` is not for what others build on; finish or remove it");
                found.push(Violation::new(&code.path, code.line(at), text));
            }
        }
    }
    for (n, line) in (1..).zip(&code.lines) {
        let mut words = line.split(|c: char| !is_word(c));
        if words.any(|word| MARKS.contains(&word)) {
            let text = "finish it, or open an issue and say in a sentence what is missing";
            found.push(Violation::new(&code.path, n, text));
        }
    }
    found
}

/// Marks of unfinished work, written so that this file has none.
const MARKS: [&str; 3] = [concat!("TO", "DO"), concat!("FIX", "ME"), concat!("XX", "X")];

#[cfg(test)]
mod tests {
    use super::*;

    fn code(text: &str) -> Code {
        Code::new("src/room/task.rs", text)
    }

    #[test]
    fn a_file_without_purpose_is_seen() {
        for wrong in ["", "fn a() {}", "//!\n", "//! \n", "\n//! Late.", "// No doc."] {
            assert_eq!(check_doc(&code(wrong)).len(), 1, "{wrong:?}");
        }
        assert!(check_doc(&code("//! Tasks.\n")).is_empty());
    }

    #[test]
    fn columns_are_counted_in_characters() {
        assert!(check_columns(&code(&"é".repeat(100))).is_empty());
        let found = check_columns(&code(&format!("\n{}", "é".repeat(101))));
        assert_eq!(found[0].line, 2);
    }

    #[test]
    fn a_long_function_is_seen_and_a_closed_one_forgotten() {
        let function = |lines: usize| format!("fn a() {{\n{}}}\n", "    b();\n".repeat(lines - 2));
        assert!(check_functions(&code(&function(70).repeat(3))).is_empty());
        let found = check_functions(&code(&format!("{}{}", function(10), function(71))));
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].line, 11);
        let hidden = format!("fn a() {{\n// }}\n{}}}\n", "    \"}\";\n".repeat(70));
        assert_eq!(check_functions(&code(&hidden)).len(), 1);
    }

    #[test]
    fn tests_do_not_count_as_product() {
        let tests =
            |lines: usize| format!("#[cfg(test)]\nmod tests {{\n{}}}\n", "\n".repeat(lines));
        assert!(check_size(&code(&("\n".repeat(400) + &tests(90)))).is_empty());
        assert_eq!(check_size(&code(&"\n".repeat(401))).len(), 1);
        assert_eq!(check_size(&code(&("\n".repeat(300) + &tests(200)))).len(), 1);
        let mut whole = code(&"\n".repeat(450));
        whole.test.fill(true);
        assert!(check_size(&whole).is_empty());
    }

    #[test]
    fn a_stop_without_a_reason_is_seen() {
        for wrong in [
            "a.unwrap();",
            "a\n    .unwrap();",
            "panic!(\"x\");",
            "a.expect(\"should work\");",
            "a.expect(\n    \"should work\",\n);",
        ] {
            assert_eq!(check_panics(&code(wrong)).len(), 1, "{wrong}");
        }
        for right in [
            "#[cfg(test)]\nmod tests {\n    fn a() { b.unwrap(); panic!(); }\n}",
            "a.expect(\"invariant: made above\");",
            "a.unwrap_or(b); // .unwrap()",
            "let a = \".unwrap() panic!\";",
        ] {
            assert!(check_panics(&code(right)).is_empty(), "{right}");
        }
    }

    #[test]
    fn what_is_left_for_later_is_seen() {
        for wrong in [
            "todo!()",
            "dbg!(a);",
            "unimplemented!();",
            "#[ignore]\nfn a() {}",
            "#[path = \"x.rs\"]\nmod x;",
            concat!("// TO", "DO: later"),
            concat!("/* FIX", "ME */"),
        ] {
            assert_eq!(check_leftovers(&code(wrong)).len(), 1, "{wrong}");
        }
        let right = "// Nothing to do: the todos are done.\nlet my_dbg = \"dbg!\";";
        assert!(check_leftovers(&code(right)).is_empty());
    }
}
