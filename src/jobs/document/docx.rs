//! The text of a DOCX: a ZIP archive with the document as XML in it.

use std::io::{BufReader, Cursor, Read};

use quick_xml::Reader;
use quick_xml::events::Event;
use zip::ZipArchive;

use super::{Extract, INSTEAD, Said};

/// Entries of an archive; a word processor writes some dozens.
const ENTRIES_MAX: usize = 2_000;

/// Bytes of the document's XML, unpacked: a hundred times the text that is allowed.
const XML_BYTES_MAX: u64 = 20 << 20;

/// Elements within elements; tables in tables reach 40.
const DEPTH_MAX: usize = 256;

const DOCUMENT: &str = "word/document.xml";

pub(super) fn read(bytes: &[u8]) -> Said {
    let broken = |what: &str| format!("this DOCX file {what}; {INSTEAD}");
    let mut archive =
        ZipArchive::new(Cursor::new(bytes)).map_err(|_| broken("is damaged or not whole"))?;
    if archive.len() > ENTRIES_MAX {
        return Err(broken("has more parts than any document"));
    }
    let Ok(entry) = archive.by_name(DOCUMENT) else {
        return Err(format!("this archive holds no Word document; {INSTEAD}"));
    };
    if entry.size() > XML_BYTES_MAX {
        return Err(broken("is too large when it is unpacked"));
    }
    let mut xml = Vec::new();
    // What an entry says of its size is only said.
    let read = entry.take(XML_BYTES_MAX + 1).read_to_end(&mut xml);
    if read.is_err() {
        return Err(broken("is damaged or not whole"));
    }
    if xml.len() as u64 > XML_BYTES_MAX {
        return Err(broken("is too large when it is unpacked"));
    }
    Ok(Extract { text: text(&xml).map_err(|what| broken(&what))?, pages: None })
}

fn text(xml: &[u8]) -> Result<String, String> {
    let mut reader = Reader::from_reader(BufReader::new(xml));
    let (mut buffer, mut text, mut within) = (Vec::new(), String::new(), false);
    let (mut depth, mut cells) = (0_usize, 0_usize);
    loop {
        let event = reader.read_event_into(&mut buffer);
        match event.map_err(|_| "is no well-formed XML".to_owned())? {
            Event::Start(element) => {
                depth += 1;
                if depth > DEPTH_MAX {
                    return Err("is nested deeper than any document".to_owned());
                }
                within = element.local_name().as_ref() == "t";
                cells += usize::from(element.local_name().as_ref() == "tc");
                mark(element.local_name().as_ref(), &mut text);
            }
            Event::Empty(element) => mark(element.local_name().as_ref(), &mut text),
            Event::End(element) => {
                depth = depth.saturating_sub(1);
                within = false;
                match element.local_name().as_ref() {
                    "p" => text.push(if cells > 0 { ' ' } else { '\n' }),
                    // The cells of a row stand side by side.
                    "tc" => {
                        cells = cells.saturating_sub(1);
                        text.truncate(text.trim_end_matches(' ').len());
                        text.push('\t');
                    }
                    "tr" => text.push('\n'),
                    _ => {}
                }
            }
            Event::Text(piece) if within => {
                text.push_str(piece.as_ref());
            }
            Event::GeneralRef(name) if within => {
                let known = match name.as_ref() {
                    "amp" => Some('&'),
                    "lt" => Some('<'),
                    "gt" => Some('>'),
                    "quot" => Some('"'),
                    "apos" => Some('\''),
                    _ => name.resolve_char_ref().ok().flatten(),
                };
                text.push(known.unwrap_or('\u{fffd}'));
            }
            // What declares its own entities can make a gigabyte of a kilobyte.
            Event::DocType(_) => return Err("has a document type declaration".to_owned()),
            Event::Eof => break,
            _ => {}
        }
        buffer.clear();
    }
    if depth == 0 { Ok(text) } else { Err("is not whole".to_owned()) }
}

fn mark(element: &str, text: &mut String) {
    match element {
        "br" | "cr" => text.push('\n'),
        "tab" => text.push('\t'),
        _ => {}
    }
}
