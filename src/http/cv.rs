//! The own CV as a file: up, and down again as it was.

use axum::Json;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use sha2::{Digest, Sha256};

use crate::cluster::fresh;
use crate::domain::command::{Command, Outcome};
use crate::domain::file::NewFile;
use crate::domain::id::{FileId, PersonId};
use crate::domain::limit;
use crate::domain::refusal::{Code, Refusal};
use crate::jobs::document;
use crate::store::{Fault, query};

use super::app::Shared;
use super::body::{Upload, Write, form_of};
use super::caller::Caller;
use super::error::Error;

/// What a text file is called if it came without a name.
const NAMELESS: &str = "cv.txt";

const PLAIN: &str = "text/plain; charset=utf-8";
const MARKDOWN: &str = "text/markdown; charset=utf-8";

pub(super) async fn upload(
    State(app): State<Shared>,
    write: Write<Upload>,
) -> Result<Response, Error> {
    let person = write.caller.person()?.id;
    let (media_type, document::Extract { text, pages }) = read(&write.body).await?;
    let command = async || {
        let id = FileId(fresh());
        send_parts(&app, &write, person, id).await?;
        let file = NewFile {
            id,
            name: name(&write.body.name),
            media_type: media_type.to_owned(),
            bytes: write.body.bytes.len() as u64,
            sha256: sha256(&write.body.bytes),
        };
        Ok(Command::KeepCv { person, file: Box::new(file), text })
    };
    let done = write.run(&app, command).await?;
    let Outcome::FileKept { characters, .. } = done.outcome else {
        return Err(Fault::plain(format!("a file led to {:?}", done.outcome)).into());
    };
    let mut told = json!({"characters": characters});
    if let Some(pages) = pages {
        told["pages"] = pages.into();
    }
    Ok(done.response(StatusCode::OK, Json(told)))
}

/// The file's type and its text.
async fn read(file: &Upload) -> Result<(&'static str, document::Extract), Error> {
    if let Some(kind) = document::Kind::of(&file.bytes) {
        return Ok((kind.media_type(), document::extract(kind, &file.bytes).await??));
    }
    let (media_type, text) = plain(file)?;
    Ok((media_type, document::Extract { text, pages: None }))
}

/// The type and the text of a file that needs no reader.
fn plain(file: &Upload) -> Result<(&'static str, String), Refusal> {
    Ok((media_type(file)?, text_of(&file.bytes)?))
}

/// What an upload would be taken for, or the status with which it would be refused. The fuzzer
/// asks; a file that needs a reader is only named, because nothing is parsed in this process.
pub async fn sort(content_type: &str, body: Bytes) -> Result<(String, &'static str), u16> {
    let refused = |error: Error| error.into_response().status().as_u16();
    let request = axum::extract::Request::builder()
        .header(header::CONTENT_TYPE, content_type)
        .body(Body::from(body))
        .map_err(|_| StatusCode::BAD_REQUEST.as_u16())?;
    let file = form_of(request).await.map_err(refused)?;
    let media_type = match document::Kind::of(&file.bytes) {
        Some(kind) => kind.media_type(),
        None => plain(&file).map_err(|refusal| refused(refusal.into()))?.0,
    };
    Ok((disposition(&name(&file.name)), media_type))
}

pub(super) async fn download(State(app): State<Shared>, caller: Caller) -> Result<Response, Error> {
    let person = caller.person()?.id;
    let read = move |db: &query::Connection| {
        let Some(file) = query::file::of(db, person, query::file::CV)? else { return Ok(None) };
        let content = query::file::content(db, &file)?;
        Ok(Some((file, content)))
    };
    let found = app.replica.read(read).await?;
    let (file, content) = found.ok_or_else(|| Refusal::not_found("file"))?;
    let headers = [
        (header::CONTENT_TYPE, file.media_type),
        (header::CONTENT_DISPOSITION, disposition(&file.name)),
        (header::CACHE_CONTROL, "private, no-store".to_owned()),
    ];
    Ok((headers, content).into_response())
}

/// In parts, because an entry of the log as large as a file would hold up everybody else's.
async fn send_parts(
    app: &Shared,
    write: &Write<Upload>,
    person: PersonId,
    file: FileId,
) -> Result<(), Error> {
    for (number, part) in (0..).zip(write.body.bytes.chunks(limit::FILE_PART_BYTES)) {
        let content = STANDARD.encode(part);
        write.prepare(app, Command::KeepFilePart { person, file, number, content }).await?;
    }
    Ok(())
}

/// What a text file is, and what is none.
fn media_type(file: &Upload) -> Result<&'static str, Refusal> {
    let unsupported = |detail: &str| Err(Refusal::new(Code::InputUnsupportedType, detail));
    let paste = "paste the text of the CV instead, or upload it as PDF, DOCX, TXT or Markdown";
    // The mark of what Word wrote before 2007, and of a DOCX behind a password.
    if file.bytes.starts_with(b"\xd0\xcf\x11\xe0") {
        return Err(Refusal::new(
            Code::InputUnreadable,
            "this is an old DOC file or one with a password; save it as DOCX without a password",
        ));
    }
    if file.bytes.is_empty() {
        return Err(Refusal::new(
            Code::InputUnreadable,
            "there is no text in the file: it is empty",
        ));
    }
    let name = file.name.to_lowercase();
    let ending = name.rsplit_once('.').map_or("", |(_, ending)| ending);
    match (ending, file.media_type.as_str()) {
        ("md" | "markdown", _) | ("", "text/markdown") => Ok(MARKDOWN),
        ("txt" | "text", _) | ("", "text/plain") => Ok(PLAIN),
        ("pdf" | "docx", _) => {
            unsupported(&format!("this file is no {ending}, whatever its name says; {paste}"))
        }
        _ => unsupported(&format!("only PDF, DOCX, TXT and Markdown files can be read; {paste}")),
    }
}

/// The text, with one kind of line end.
fn text_of(bytes: &[u8]) -> Result<String, Refusal> {
    let unreadable = |detail: String| Err(Refusal::new(Code::InputUnreadable, detail));
    if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
        return unreadable("the text is UTF-16; save it as UTF-8 and upload it again".to_owned());
    }
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text.replace("\r\n", "\n").replace('\r', "\n"),
        Err(error) => {
            return unreadable(format!(
                "byte {} is not UTF-8 text; save the file as UTF-8 and upload it again",
                error.valid_up_to() + 1
            ));
        }
    };
    if let Some(at) = text.chars().position(|c| c == '\0') {
        return unreadable(format!("character {} is NUL, which no text has", at + 1));
    }
    if text.trim().is_empty() {
        return unreadable("there is no text in the file".to_owned());
    }
    if text.len() > limit::CV_BYTES_MAX {
        return unreadable(format!(
            "its text has {} bytes where {} are allowed; shorten it",
            text.len(),
            limit::CV_BYTES_MAX
        ));
    }
    Ok(text)
}

/// The last part of a path, without what could harm a header or a screen.
fn name(given: &str) -> String {
    let last = given.rsplit(['/', '\\']).next().unwrap_or_default();
    let mut name: String = last.chars().filter(|c| !c.is_control()).collect();
    while name.len() > limit::NAME_BYTES_MAX {
        name.remove(0);
    }
    let name = name.trim();
    if name.is_empty() { NAMELESS.to_owned() } else { name.to_owned() }
}

/// The name in both spellings of RFC 6266: for old clients and for all others.
fn disposition(name: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_');
    let old: String = name
        .chars()
        .map(|c| if c.is_ascii() && (plain(c as u8) || c == ' ') { c } else { '_' })
        .collect();
    let coded: String = name
        .bytes()
        .map(|b| if plain(b) { char::from(b).to_string() } else { format!("%{b:02X}") })
        .collect();
    format!("attachment; filename=\"{old}\"; filename*=UTF-8''{coded}")
}

fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_utf_8_with_one_kind_of_line_end() {
        for (bytes, wanted) in [
            (b"one\r\ntwo\rthree\n".as_slice(), "one\ntwo\nthree\n"),
            (b"\xef\xbb\xbfZo\xc3\xab", "Zo\u{eb}"),
        ] {
            assert_eq!(text_of(bytes).unwrap(), wanted);
        }
        let large = vec![b'x'; limit::CV_BYTES_MAX + 1];
        for (bytes, why) in [
            (b"caf\xe9".as_slice(), "byte 4 is not UTF-8"),
            (b"\xff\xfeh\0i\0", "UTF-16"),
            (b"a\0b", "character 2 is NUL"),
            (b"\xef\xbb\xbf \r\n", "no text"),
            (b"", "no text"),
            (&large, "shorten"),
        ] {
            let refusal = text_of(bytes).unwrap_err();
            assert_eq!(refusal.code, Code::InputUnreadable);
            assert!(refusal.detail.contains(why), "{why}: {refusal}");
        }
    }

    #[test]
    fn a_name_is_the_last_part_and_harms_no_header() {
        for (given, wanted) in [
            ("../../etc/cv.md", "cv.md"),
            ("C:\\Users\\Zo\u{eb}\\cv.txt", "cv.txt"),
            ("a\r\nb.txt", "ab.txt"),
            ("", NAMELESS),
            ("folder/", NAMELESS),
        ] {
            assert_eq!(name(given), wanted);
        }
        assert!(name(&"\u{eb}".repeat(300)).len() <= limit::NAME_BYTES_MAX);
        let header = disposition("Zo\u{eb} \"CV\";.txt");
        let wanted = "attachment; filename=\"Zo_ _CV__.txt\"; \
            filename*=UTF-8''Zo%C3%AB%20%22CV%22%3B.txt";
        assert_eq!(header, wanted);
    }
}
