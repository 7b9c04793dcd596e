//! Rule: the built page loads nothing from elsewhere, and its first file needs no exception from
//! the content security policy.

use super::tree::Violation;

/// Names of markup languages, which look like addresses and are never asked for.
const NAMES: [&str; 6] = [
    "http://www.w3.org/1999/xhtml",
    "http://www.w3.org/2000/svg",
    "http://www.w3.org/1998/Math/MathML",
    "http://www.w3.org/1999/xlink",
    "http://www.w3.org/XML/1998/namespace",
    "http://www.w3.org/2000/xmlns/",
];

/// Svelte's errors end with the address of their explanation. It is printed, never opened.
const PRINTED: &str = "https://svelte.dev/e/";

/// Whether a built file is text that a browser reads.
pub(crate) fn is_text(path: &str) -> bool {
    [".js", ".css", ".html", ".svg", ".webmanifest"].iter().any(|end| path.ends_with(end))
}

/// Addresses outside, and what a strict policy would block.
pub(crate) fn check(path: &str, text: &str) -> Vec<Violation> {
    let mut found: Vec<Violation> = addresses(text)
        .into_iter()
        .filter(|(_, address)| !NAMES.contains(address) && !address.starts_with(PRINTED))
        .map(|(at, address)| {
            let what = format!("names `{address}`; the page may ask only the node that served it");
            Violation::new(path, line(text, at), what)
        })
        .collect();
    if path.ends_with(".html") {
        found.extend(inline(path, text));
    }
    found
}

fn line(text: &str, at: usize) -> usize {
    1 + text[..at].matches('\n').count()
}

/// Everything that looks like an address of another machine.
fn addresses(text: &str) -> Vec<(usize, &str)> {
    let starts = ["http://", "https://", "ws://", "wss://"];
    let whole = starts.iter().flat_map(|start| text.match_indices(start));
    let whole = whole.map(|(at, start)| (at, start.len()));
    // Without a scheme the browser takes that of the page.
    let bare = ["=\"//", "='//", "url(//", "url(\"//", "import\"//", "from\"//"];
    let bare = bare.iter().flat_map(|start| text.match_indices(start));
    let bare = bare.map(|(at, start)| (at + start.len() - 2, 2));
    let all = whole.chain(bare).map(|(at, length)| {
        let rest = &text[at..];
        let ends = |c: char| c.is_whitespace() || "\"'`<>\\)".contains(c);
        let end = rest[length..].find(ends).map_or(rest.len(), |end| length + end);
        (at, &rest[..end])
    });
    // `${…}` after a scheme is put together from the page's own address.
    all.filter(|(_, address)| !address.ends_with("://")).collect()
}

/// Scripts, styles and handlers written into the page itself.
fn inline(path: &str, text: &str) -> Vec<Violation> {
    let mut found = Vec::new();
    for (at, _) in text.match_indices('<') {
        let rest = &text[at + 1..];
        let (tag, after) = rest.split_once('>').unwrap_or((rest, ""));
        let name = tag.split_whitespace().next().unwrap_or("").to_ascii_lowercase();
        let mut note = |what: &str| {
            let what = format!("{what}; move it into a file under assets/web/src");
            found.push(Violation::new(path, line(text, at), what));
        };
        match name.as_str() {
            "script" if !after.trim_start().starts_with("</") => note("holds an inline script"),
            "style" => note("holds an inline style"),
            _ => {}
        }
        let attributes = tag.split_whitespace().skip(1);
        for attribute in attributes.map(str::to_ascii_lowercase) {
            let name = attribute.split('=').next().unwrap_or("");
            if name == "style" || (name.starts_with("on") && attribute.contains('=')) {
                note(&format!("has the attribute `{name}`"));
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_outside_are_seen() {
        for wrong in [
            "fetch('https://example.org/x')",
            "@import url(//fonts.example.org/a.css);",
            "<script src=\"//cdn.example.org/a.js\"></script>",
            "new WebSocket(\"wss://example.org\")",
            "const a = `http://www.w3.org.example.org/x`",
        ] {
            assert_eq!(check("a.js", wrong).len(), 1, "{wrong}");
        }
        for right in [
            "document.createElementNS(\"http://www.w3.org/2000/svg\", a)",
            "throw new Error(`https://svelte.dev/e/lost`)",
            "const a = \"wss://\" + location.host; // plain",
            "<a href=\"/people\">",
        ] {
            assert!(check("a.js", right).is_empty(), "{right}");
        }
    }

    #[test]
    fn inline_code_is_seen() {
        for wrong in [
            "<script>alert(1)</script>",
            "<style>p{}</style>",
            "<p style=\"color: red\">",
            "<body onload=\"a()\">",
        ] {
            assert_eq!(check("index.html", wrong).len(), 1, "{wrong}");
        }
        let right = "<script type=\"module\" src=\"/a.js\"></script><p class=\"style\">on=1</p>";
        assert!(check("index.html", right).is_empty());
    }
}
