//! The text of a PDF.

use lopdf::Document;

use super::{Extract, INSTEAD, Said};

/// Pages of a CV, academic ones included.
const PAGES_MAX: usize = 50;

/// Within so many bytes from its end a whole file has its mark.
const TAIL_BYTES: usize = 2_048;

pub(super) fn read(bytes: &[u8]) -> Said {
    let broken = |what: &str| format!("this PDF {what}; {INSTEAD}");
    // A reader that mends what it can makes an empty document of half a file.
    let tail = &bytes[bytes.len().saturating_sub(TAIL_BYTES)..];
    if !tail.windows(5).any(|window| window == b"%%EOF") {
        return Err(broken("is damaged or not whole"));
    }
    let asks = bytes.windows(8).any(|window| window == b"/Encrypt");
    let locked = "this PDF is protected by a password; save it without one";
    let document = Document::load_mem(bytes).map_err(|_| match asks {
        true => locked.to_owned(),
        false => broken("is damaged or not whole"),
    })?;
    let pages: Vec<u32> = document.get_pages().into_keys().collect();
    // With an empty password it was opened; otherwise nothing in it can be found.
    if document.is_encrypted() || (asks && pages.is_empty()) {
        return Err(locked.to_owned());
    }
    if pages.is_empty() {
        return Err(broken("has no pages"));
    }
    if pages.len() > PAGES_MAX {
        return Err(format!(
            "this PDF has {} pages where {PAGES_MAX} are allowed; upload the pages that count",
            pages.len()
        ));
    }
    let mut text = String::new();
    for page in &pages {
        // A page that cannot be read is left out: a drawing, mostly. If all are, nothing is left.
        if let Ok(read) = document.extract_text(&[*page]) {
            text.push_str(&read);
            text.push('\n');
        }
    }
    Ok(Extract { text, pages: u32::try_from(pages.len()).ok() })
}
