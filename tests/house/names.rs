//! The paths that a piece of code names, with groups written out: `use a::{b, c::d}` names `a::b`
//! and `a::c::d`.

use super::code::{Code, is_word};

/// A path somewhere in code.
#[derive(Debug)]
pub(crate) struct Name {
    /// Its first character.
    pub(crate) at: usize,
    /// Its parts, for instance `crate`, `domain`, `id`; `*` for everything.
    pub(crate) parts: Vec<String>,
    /// The module in which it stands.
    pub(crate) module: Vec<String>,
}

/// Every path with two parts at least, and every single name after `use`.
pub(crate) fn names(code: &Code) -> Vec<Name> {
    let mut reader = Reader { tokens: tokens(code), next: 0, found: Vec::new() };
    // Modules that are written out inside the file, with the depth of their braces.
    let mut inside: Vec<(String, usize)> = Vec::new();
    let own = code.module();
    let mut depth = 0;
    while let Some((text, _)) = reader.peek(0) {
        match text.as_str() {
            "{" => depth += 1,
            "}" => {
                depth -= 1.min(depth);
                inside.retain(|(_, opened)| *opened <= depth);
            }
            "mod" if reader.is(2, "{") => {
                let name = reader.peek(1).map(|(name, _)| name.clone());
                inside.push((name.unwrap_or_default(), depth + 1));
            }
            _ => {}
        }
        let after_use = reader.next > 0 && reader.tokens[reader.next - 1].0 == "use";
        if starts_path(&reader, &text) {
            let mut module = own.clone();
            module.extend(inside.iter().map(|(name, _)| name.clone()));
            reader.path(Vec::new(), &module, after_use);
        } else {
            reader.next += 1;
        }
    }
    reader.found
}

/// A word that no `.` or `::` ties to what stands before it.
fn starts_path(reader: &Reader, text: &str) -> bool {
    let before = reader.next.checked_sub(1).map(|n| reader.tokens[n].0.as_str());
    let before_that = reader.next.checked_sub(2).map(|n| reader.tokens[n].0.as_str());
    let word = text.starts_with(|c: char| is_word(c) && !c.is_ascii_digit());
    // A path from the very top, as in `::std::fs`, follows something that is no path.
    let tied = before == Some("::")
        && before_that.is_some_and(|t| t == ">" || t.ends_with(is_word) && t != "use");
    word && before != Some(".") && !tied
}

struct Reader {
    tokens: Vec<(String, usize)>,
    next: usize,
    found: Vec<Name>,
}

impl Reader {
    fn peek(&self, ahead: usize) -> Option<(String, usize)> {
        self.tokens.get(self.next + ahead).cloned()
    }

    fn is(&self, ahead: usize, text: &str) -> bool {
        let token = self.tokens.get(self.next + ahead);
        token.is_some_and(|(token, _)| token == text)
    }

    /// Reads one path from here, or all paths of a group.
    fn path(&mut self, before: Vec<String>, module: &[String], single: bool) {
        let mut parts = before;
        let Some((_, at)) = self.peek(0) else { return };
        while let Some((text, _)) = self.peek(0) {
            if text == "{" && self.is_after_colons() {
                self.group(&parts, module);
                return;
            }
            if text != "*" && !text.starts_with(is_word) {
                break;
            }
            parts.push(text);
            self.next += 1;
            if !self.is(0, "::") {
                break;
            }
            self.next += 1;
        }
        if parts.len() > 1 || single {
            let module = module.to_vec();
            self.found.push(Name { at, parts, module });
        }
    }

    fn is_after_colons(&self) -> bool {
        self.next > 0 && self.tokens[self.next - 1].0 == "::"
    }

    fn group(&mut self, before: &[String], module: &[String]) {
        self.next += 1;
        while self.next < self.tokens.len() && !self.is(0, "}") {
            let start = self.next;
            self.path(before.to_vec(), module, true);
            if self.is(0, "as") {
                self.next += 2;
            }
            if self.is(0, ",") || self.next == start {
                self.next += 1;
            }
        }
        self.next += 1;
    }
}

/// Words, `::` and single signs, each with its place.
fn tokens(code: &Code) -> Vec<(String, usize)> {
    let letters = &code.blanked;
    let mut tokens = Vec::new();
    let mut at = 0;
    while at < letters.len() {
        let rest = &letters[at..];
        let length = if rest.starts_with(&[':', ':']) {
            2
        } else {
            rest.iter().take_while(|c| is_word(**c)).count().max(1)
        };
        if !rest[0].is_whitespace() {
            tokens.push((rest[..length].iter().collect(), at));
        }
        at += length;
    }
    tokens
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<String> {
        let code = Code::new("src/room/task.rs", text);
        let names = names(&code).into_iter();
        names.map(|name| name.parts.join("::")).collect()
    }

    #[test]
    fn groups_are_written_out() {
        for (text, expected) in [
            ("use a::b;", vec!["a::b"]),
            ("use a;", vec!["a"]),
            (
                "use crate::{a::{b, c as d}, e::*, f};",
                vec!["crate::a::b", "crate::a::c", "crate::e::*", "crate::f"],
            ),
            ("use {a::b, c::{self, d}};", vec!["c::self", "c::d"]),
            ("let x = a::b::<c::D>(e::f());", vec!["a::b", "c::D", "e::f"]),
            ("x.a::<b::C>(); ::std::fs::read()", vec!["b::C", "std::fs::read"]),
            ("<a::B as c::D>::e()", vec!["a::B", "c::D"]),
            ("pub(in crate::room) fn f() { a::m!(b) }", vec!["crate::room", "a::m"]),
            ("// a::b\nlet s = \"a::b\";", vec![]),
        ] {
            let found = found(text);
            for name in &expected {
                assert!(found.iter().any(|is| is == name), "{text}: {found:?}");
            }
            let extra = found.iter().filter(|name| name.contains("::")).count();
            let wanted = expected.iter().filter(|name| name.contains("::")).count();
            assert!(extra >= wanted && (wanted > 0 || extra == 0), "{text}: {found:?}");
        }
    }

    #[test]
    fn modules_inside_a_file_count() {
        let text = "use a::b;\nmod tests { use a::c; mod deep { use a::d; } use a::e; }\nuse a::f;";
        let code = Code::new("src/room/task.rs", text);
        let depths: Vec<usize> = names(&code).iter().map(|name| name.module.len()).collect();
        assert_eq!(depths, [2, 3, 4, 3, 2]);
    }
}
