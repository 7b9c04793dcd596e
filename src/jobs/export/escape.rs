//! People's words made harmless for HTML and for Markdown.

/// For the text and the quoted attributes of HTML.
pub(super) fn html(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + text.len() / 8);
    for letter in text.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            _ => out.push(letter),
        }
    }
    out
}

/// For one line of Markdown: a cell, a heading or an item of a list. Line breaks become blanks.
pub(super) fn markdown(text: &str) -> String {
    let lines: Vec<String> = markdown_lines(text).collect();
    let said: Vec<&str> =
        lines.iter().map(String::as_str).filter(|line| !line.is_empty()).collect();
    said.join(" ")
}

/// The lines of a text, each safe at the beginning of a line of Markdown.
pub(super) fn markdown_lines(text: &str) -> impl Iterator<Item = String> {
    let whole = text.replace("\r\n", "\n").replace('\r', "\n");
    let lines: Vec<String> = whole.split('\n').map(markdown_line).collect();
    lines.into_iter()
}

/// What means something in CommonMark, in GitHub's tables, strike-through, mathematics and
/// footnotes, wherever it stands.
const MARKS: [char; 13] = ['\\', '`', '*', '_', '[', ']', '<', '>', '|', '~', '&', '$', '!'];

fn markdown_line(line: &str) -> String {
    // Blanks at the beginning would make a block of code, two at the end a line break.
    let line = line.trim();
    let mut out = String::with_capacity(line.len() + line.len() / 8);
    let word = |letter: Option<char>| letter.is_some_and(char::is_alphanumeric);
    let digit = |letter: Option<char>| letter.is_some_and(|c| c.is_ascii_digit());
    let digits = line.bytes().take_while(u8::is_ascii_digit).count();
    for (at, letter) in line.char_indices() {
        let before = line[..at].chars().next_back();
        let after = line[at + letter.len_utf8()..].chars().next();
        let marks = match letter {
            // At the beginning of a line these make headings, lists and underlines.
            '#' | '+' | '-' | '=' => at == 0,
            '.' | ')' if at == digits && digits > 0 => true,
            // Bare addresses and names of sites become links without any mark around them.
            ':' => after == Some('/'),
            '.' => word(before) && word(after) && !(digit(before) && digit(after)),
            _ => MARKS.contains(&letter),
        };
        if marks {
            out.push('\\');
        }
        // An empty comment is the one thing that keeps every reader from linking a mail address.
        if letter == '@' && before.is_some_and(|c| !c.is_whitespace()) {
            out.push_str("<!-- -->");
        }
        out.push(letter);
    }
    out
}
