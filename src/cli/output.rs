//! What commands print on stdout: text, JSON, and tables for people.
//!
//! **Invariant:** what others wrote (names, answers) reaches a terminal without control characters.

use std::io::{self, Write};

use serde_json::Value;

use super::exit::Error;

/// Between two columns of a table.
const GAP: &str = "  ";

/// Prints text as it is.
pub(super) fn text(text: &str) -> Result<(), Error> {
    let mut stdout = io::stdout().lock();
    let written = stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush());
    written.map_err(|error| Error::output(&error))
}

/// Prints a document, indented for people and still JSON for programs.
pub(super) fn json(value: &Value) -> Result<(), Error> {
    text(&format!("{value:#}\n"))
}

/// Tells a person something that is no data.
pub(super) fn note(line: &str) {
    // Nobody may be listening on stderr, and that is no reason to stop.
    let _ = writeln!(io::stderr().lock(), "{line}");
}

/// Rows under a header, in aligned columns; without rows only the header.
pub(super) fn table<const N: usize>(header: [&str; N], rows: &[[String; N]]) -> String {
    let mut all = vec![header.map(str::to_owned)];
    all.extend(rows.iter().map(|row| row.each_ref().map(|cell| clean(cell))));
    columns(&all)
}

/// Names with their values, one a line.
pub(super) fn facts(rows: &[(&str, String)]) -> String {
    let rows = rows.iter().map(|(name, value)| [(*name).to_owned(), clean(value)]);
    columns(&rows.collect::<Vec<_>>())
}

/// A text in lines of at most `width` characters, each after an indent. A longer word has a line
/// of its own.
pub(super) fn wrap(text: &str, indent: &str, width: usize) -> String {
    let (mut page, mut column) = (String::new(), 0);
    let room = width.saturating_sub(indent.chars().count());
    for word in clean(text).split_whitespace() {
        let chars = word.chars().count();
        if column == 0 || column + 1 + chars > room {
            page += if page.is_empty() { "" } else { "\n" };
            page += indent;
            column = chars;
        } else {
            page.push(' ');
            column += 1 + chars;
        }
        page += word;
    }
    page + "\n"
}

/// At most so many characters; what is cut off leaves an ellipsis.
pub(super) fn shortened(text: &str, chars_max: usize) -> String {
    let text = clean(text);
    if text.chars().count() <= chars_max {
        return text;
    }
    let kept: String = text.chars().take(chars_max.saturating_sub(1)).collect();
    format!("{}…", kept.trim_end())
}

/// Every control character becomes a space: an escape sequence in a name could rewrite the screen.
fn clean(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

fn columns<const N: usize>(rows: &[[String; N]]) -> String {
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max();
    let widths: [usize; N] = std::array::from_fn(|column| width(column).unwrap_or(0));
    let mut page = String::new();
    for row in rows {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(widths) {
            line += &format!("{cell:width$}{GAP}");
        }
        page += line.trim_end();
        page.push('\n');
    }
    page
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let row = |a: &str, b: &str, c: &str| [a, b, c].map(str::to_owned);
        let rows = [row("Linh", "x", ""), row("Zoë Ångström", "", "last")];
        let wanted = "name          a  end\nLinh          x\nZoë Ångström     last\n";
        assert_eq!(table(["name", "a", "end"], &rows), wanted);
        assert_eq!(table(["name", "a", "end"], &[]), "name  a  end\n");
        assert_eq!(facts(&[("id", "7".into()), ("name", "x".into())]), "id    7\nname  x\n");
    }

    #[test]
    fn nothing_that_a_person_wrote_steers_the_terminal() {
        let shown = table(["name"], &[["\x1b[2Jgone\nnext\u{9b}1m".to_owned()]]);
        assert_eq!(shown, "name\n [2Jgone next 1m\n");
        assert_eq!(wrap("a\x07b", "", 80), "a b\n");
    }

    #[test]
    fn lines_are_wrapped_and_texts_cut_by_characters() {
        assert_eq!(wrap("één twee drie vier", "  ", 10), "  één twee\n  drie\n  vier\n");
        assert_eq!(wrap("abcdefghijkl m", "", 5), "abcdefghijkl\nm\n");
        assert_eq!(wrap("", "  ", 10), "\n");
        assert_eq!(shortened("één twee", 8), "één twee");
        assert_eq!(shortened("één twee", 5), "één…");
    }
}
