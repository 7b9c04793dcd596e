//! Rust text with comments and the insides of strings blanked out, so that rules read code alone.
//!
//! **Invariant:** line and column of a character are the same in the text and in the blanked text.

use std::ops::Range;

/// One Rust file.
#[derive(Debug)]
pub(crate) struct Code {
    /// Its path from the top of the repository.
    pub(crate) path: String,
    /// The lines as they are.
    pub(crate) lines: Vec<String>,
    /// All characters, comments and insides of strings as blanks.
    pub(crate) blanked: Vec<char>,
    /// All characters as they are.
    pub(crate) letters: Vec<char>,
    /// The place of each line's first character.
    starts: Vec<usize>,
    /// For each line whether it is built for tests only.
    pub(crate) test: Vec<bool>,
}

impl Code {
    /// Reads a file's text.
    pub(crate) fn new(path: &str, text: &str) -> Code {
        let letters: Vec<char> = text.chars().collect();
        let blanked = blank(&letters);
        let lines: Vec<String> = text.lines().map(str::to_owned).collect();
        let ends = letters.iter().enumerate().filter(|(_, letter)| **letter == '\n');
        let starts = std::iter::once(0).chain(ends.map(|(at, _)| at + 1)).collect();
        let test = vec![false; lines.len()];
        let mut code = Code { path: path.to_owned(), lines, blanked, letters, starts, test };
        for item in code.test_items() {
            let (from, to) = (code.line(item.start), code.line(item.end - 1));
            code.test[from - 1..to].iter_mut().for_each(|line| *line = true);
        }
        code
    }

    /// The line of a character, from 1.
    pub(crate) fn line(&self, at: usize) -> usize {
        self.starts.partition_point(|start| *start <= at)
    }

    /// Whether the line of a character is built for tests only.
    pub(crate) fn is_test(&self, at: usize) -> bool {
        self.test.get(self.line(at) - 1).copied().unwrap_or(false)
    }

    /// Where the code has this text; blanks count as they stand.
    pub(crate) fn find(&self, text: &str) -> Vec<usize> {
        let wanted: Vec<char> = text.chars().collect();
        let windows = self.blanked.windows(wanted.len()).enumerate();
        let hits = windows.filter(|(_, window)| *window == wanted.as_slice());
        hits.map(|(at, _)| at).collect()
    }

    /// The path of modules that this file is, without the crate: `src/a/b.rs` is `a`, `b`.
    pub(crate) fn module(&self) -> Vec<String> {
        let inside = self.path.strip_prefix("src/").unwrap_or("");
        let names = inside.strip_suffix(".rs").unwrap_or(inside).split('/');
        let named = |name: &&str| !["", "mod", "lib", "main"].contains(name);
        names.filter(named).map(str::to_owned).collect()
    }

    /// The modules in files of their own that are declared for tests only.
    pub(crate) fn test_modules(&self) -> Vec<Vec<String>> {
        let items = self.test_items().into_iter();
        let texts = items.map(|item| self.blanked[item].iter().collect::<String>());
        let names = texts.filter_map(|text| {
            let declared = text.rsplit("mod ").next()?.trim().strip_suffix(';')?.trim();
            text.contains("mod ").then(|| declared.to_owned())
        });
        let module = self.module();
        names.map(|name| [module.clone(), vec![name]].concat()).collect()
    }

    /// The functions with a body: name, and the characters from `fn` to the closing brace.
    pub(crate) fn functions(&self) -> Vec<(String, Range<usize>)> {
        let mut found = Vec::new();
        for at in self.find("fn ") {
            let before = at.checked_sub(1).map_or(' ', |before| self.blanked[before]);
            let name: String = self.blanked[at + 3..]
                .iter()
                .skip_while(|letter| **letter == ' ')
                .take_while(|letter| is_word(**letter))
                .collect();
            if is_word(before) || name.is_empty() {
                continue;
            }
            if let Some(end) = self.item_end(at)
                && self.blanked[end] == '}'
            {
                found.push((name, at..end));
            }
        }
        found
    }

    /// From each `#[cfg(test)]` to the end of the item that it is about.
    fn test_items(&self) -> Vec<Range<usize>> {
        let marks = self.find("#[cfg(test)]").into_iter();
        let items = marks.filter_map(|at| Some(at..self.item_end(at)? + 1));
        items.collect()
    }

    /// The `;` or the closing brace that ends the item which begins here.
    fn item_end(&self, at: usize) -> Option<usize> {
        let mut depth = 0_usize;
        let mut braces = 0_usize;
        for (n, letter) in self.blanked.iter().enumerate().skip(at) {
            match letter {
                '(' | '[' => depth += 1,
                ')' | ']' => depth = depth.saturating_sub(1),
                '{' => braces += 1,
                '}' => {
                    braces = braces.saturating_sub(1);
                    if braces == 0 && depth == 0 {
                        return Some(n);
                    }
                }
                ';' if braces == 0 && depth == 0 => return Some(n),
                _ => {}
            }
        }
        None
    }
}

/// Whether a character can be a part of a name.
pub(crate) fn is_word(letter: char) -> bool {
    letter.is_alphanumeric() || letter == '_'
}

fn blank(letters: &[char]) -> Vec<char> {
    let mut out: Vec<char> = Vec::with_capacity(letters.len());
    while out.len() < letters.len() {
        let at = out.len();
        let inside = skipped(letters, at);
        if inside.is_empty() {
            out.push(letters[at]);
            continue;
        }
        // What comes before it, such as the opening quote, stays as it is.
        out.extend(&letters[at..inside.start]);
        let hidden = letters[inside].iter();
        out.extend(hidden.map(|letter| if *letter == '\n' { '\n' } else { ' ' }));
    }
    out
}

/// What is to be blanked from here on; empty if code begins here.
fn skipped(letters: &[char], at: usize) -> Range<usize> {
    let rest = &letters[at..];
    let begins_word = at == 0 || !is_word(letters[at - 1]);
    if rest.starts_with(&['/', '/']) {
        let length = rest.iter().position(|letter| *letter == '\n');
        return at..at + length.unwrap_or(rest.len());
    }
    if rest.starts_with(&['/', '*']) {
        return at..at + block_comment(rest);
    }
    if rest[0] == '"' {
        return at + 1..at + quoted(rest, '"');
    }
    if rest[0] == '\'' {
        let is_letter = rest.get(1) == Some(&'\\') || rest.get(2) == Some(&'\'');
        return if is_letter { at + 1..at + quoted(rest, '\'') } else { at..at };
    }
    if begins_word && let Some((opening, length)) = raw_string(rest) {
        return at + opening..at + length;
    }
    at..at
}

/// The length of a comment in which others may be nested.
fn block_comment(rest: &[char]) -> usize {
    let mut depth = 0;
    let mut at = 0;
    while at < rest.len() {
        if rest[at..].starts_with(&['/', '*']) {
            depth += 1;
            at += 2;
        } else if rest[at..].starts_with(&['*', '/']) {
            depth -= 1;
            at += 2;
        } else {
            at += 1;
        }
        if depth == 0 {
            break;
        }
    }
    at.min(rest.len())
}

/// The length of a string or a character with both of its quotes.
fn quoted(rest: &[char], quote: char) -> usize {
    let mut at = 1;
    while at < rest.len() && rest[at] != quote {
        at += if rest[at] == '\\' { 2 } else { 1 };
    }
    (at + 1).min(rest.len())
}

/// The lengths of the opening and of the whole of a raw string.
fn raw_string(rest: &[char]) -> Option<(usize, usize)> {
    let letters = rest.iter().take(2).take_while(|letter| "bcr".contains(**letter));
    let prefix = letters.count();
    let raw = prefix > 0 && rest[prefix - 1] == 'r';
    let hashes = rest[prefix..].iter().take_while(|letter| **letter == '#').count();
    let opening = prefix + hashes + 1;
    if !raw || rest.get(opening - 1) != Some(&'"') {
        return None;
    }
    let mut closing = vec!['"'];
    closing.resize(hashes + 1, '#');
    let mut windows = rest[opening..].windows(closing.len());
    let inside = windows.position(|window| window == closing.as_slice())?;
    Some((opening, opening + inside + closing.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn blanked(text: &str) -> String {
        let code = Code::new("src/domain/x.rs", text);
        assert_eq!(code.blanked.len(), code.letters.len());
        code.blanked.into_iter().collect()
    }

    #[test]
    fn comments_and_strings_are_no_code() {
        for hidden in [
            "// secret",
            "/// secret",
            "/* a /* secret */ secret */",
            "let a = \"secret \\\" secret\";",
            "let a = \"line\nsecret\";",
            "let a = r#\"a \" secret\"#;",
            "let a = br\"secret\\\";",
            "let a = 's'; // secret",
            "let a = '\"'; // secret",
            "let a: &'a str = \"secret\";",
            "let a = \"\"; // secret",
            "let a = '\\''; // secret",
        ] {
            assert!(!blanked(hidden).contains("secret"), "{hidden}");
        }
        for shown in [
            "let secret = \"x\";",
            "/* x */ secret",
            "fn f<'a>(secret: &'a str, b: &'a str) {}",
            "let r#type = secret;",
            "let a = \"\"; secret",
            "let a = \"x\\\\\"; secret",
            "let a = 'x'; secret",
            "let a = r\"\\\"; secret",
        ] {
            assert!(blanked(shown).contains("secret"), "{shown}");
        }
    }

    #[test]
    fn test_code_is_told_apart() {
        let text = "fn a() {}\n#[cfg(test)]\nuse x::{y};\nfn b() {}\n#[cfg(test)]\nmod tests {\n\
            fn c() {}\n}\nfn d() {}\n";
        let code = Code::new("src/domain/x.rs", text);
        let expected = [false, true, true, false, true, true, true, true, false];
        assert_eq!(code.test, expected);
        let outside = Code::new("src/a/b.rs", "#[cfg(test)]\nmod tests;\n");
        assert_eq!(outside.test_modules(), [["a", "b", "tests"]]);
    }

    #[test]
    fn functions_end_where_their_brace_closes() {
        let text = "pub fn one(a: [u8; 3]) -> u8\nwhere\n    u8: Copy,\n{\n    \"}\".len();\n}\n\
            trait T {\n    fn none(&self);\n}\ntype F = fn(u8) -> u8;\n";
        let code = Code::new("src/domain/x.rs", text);
        let functions = code.functions();
        assert_eq!(functions.len(), 1, "{functions:?}");
        assert_eq!(functions[0].0, "one");
        assert_eq!(code.line(functions[0].1.end), 6);
    }
}
