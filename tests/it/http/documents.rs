//! CVs as PDF and DOCX: real files are read, hostile ones are refused in words, and the node goes
//! on.

use std::io::{Cursor, Write};

use serde_json::Value;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use super::cv::upload;
use crate::api::{Api, text};
use crate::org::{Org, shared};

const DOCUMENT: &str = "word/document.xml";

fn file(name: &str) -> Vec<u8> {
    let path = format!("{}/tests/documents/{name}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read(path).unwrap()
}

async fn refused(api: &Api, name: &str, bytes: &[u8], why: &str) {
    let reply = upload(api, name, "application/octet-stream", bytes).send().await;
    let detail = text(&reply.refused(422, "input.unreadable")["detail"]);
    assert!(detail.contains(why), "{name}: {detail}");
}

/// An archive with this as its document.
fn docx(document: &[u8]) -> Vec<u8> {
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    archive.start_file(DOCUMENT, SimpleFileOptions::default()).unwrap();
    archive.write_all(document).unwrap();
    archive.finish().unwrap().into_inner()
}

fn paragraph(words: &str) -> Vec<u8> {
    format!("<w:document><w:p><w:r><w:t>{words}</w:t></w:r></w:p></w:document>").into_bytes()
}

/// A PDF of so many pages with the same words, and these lines in its trailer.
fn pdf(pages: usize, words: &str, trailer: &str) -> Vec<u8> {
    let content = format!("BT /F 12 Tf 72 720 Td ({words}) Tj ET");
    let kids: Vec<String> = (0..pages).map(|n| format!("{} 0 R", n + 5)).collect();
    let mut objects = vec![
        "<</Type/Catalog/Pages 2 0 R>>".to_owned(),
        format!("<</Type/Pages/Count {pages}/Kids[{}]>>", kids.join(" ")),
        "<</Type/Font/Subtype/Type1/BaseFont/Helvetica/Encoding/WinAnsiEncoding>>".to_owned(),
        format!("<</Length {}>>stream\n{content}\nendstream", content.len()),
    ];
    let page = "<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]/Contents 4 0 R\
        /Resources<</Font<</F 3 0 R>>>>>>";
    objects.extend((0..pages).map(|_| page.to_owned()));
    let mut bytes = b"%PDF-1.4\n".to_vec();
    let mut places = Vec::new();
    for (n, object) in (1..).zip(&objects) {
        places.push(bytes.len());
        bytes.extend(format!("{n} 0 obj\n{object}\nendobj\n").into_bytes());
    }
    let start = bytes.len();
    let mut tail = format!("xref\n0 {}\n0000000000 65535 f \n", objects.len() + 1);
    places.iter().for_each(|place| tail.push_str(&format!("{place:010} 00000 n \n")));
    let size = objects.len() + 1;
    tail.push_str(&format!(
        "trailer\n<</Size {size}/Root 1 0 R{trailer}>>\nstartxref\n{start}\n%%EOF\n"
    ));
    bytes.extend(tail.into_bytes());
    bytes
}

const WORDS: &str = "Baker in Lisbon since 2011, leads a team of five people";

#[tokio::test]
async fn documents_of_real_programs_are_read() {
    let person = shared().await.person("candidate").await;
    for (name, pages, all) in [
        ("one-column.pdf", Some(1), ["team of five", "2019", "900 ms to 240 ms", "PostgreSQL"]),
        ("two-columns.pdf", Some(1), ["Rust, eight years", "Harbour", "Portuguese", "Kubernetes"]),
        ("pandoc.docx", None, ["Zo\u{eb} Okafor", "Eight years of Rust", "March 2016", "in Go."]),
        (
            "python-docx.docx",
            None,
            ["engineer & lead", "2019 \u{2013} present\t", "<engineers>", "Lisbon"],
        ),
    ] {
        // The type is told by what is in the file.
        for sent in [name, "cv.txt"] {
            let reply = upload(&person.api, sent, "text/plain", &file(name)).send().await;
            let told = reply.ok(200);
            assert_eq!(told.get("pages").and_then(Value::as_u64), pages, "{name}");
            let context = person.api.get("/api/v1/me/context").await.ok(200);
            let cv = text(&context["cv_text"]);
            assert_eq!(told["characters"], cv.chars().count());
            for words in all {
                assert!(cv.contains(words), "{name} lacks {words}: {cv}");
            }
        }
        assert_eq!(&person.api.get("/api/v1/me/cv").await.body[..], file(name));
    }
    let told = upload(&person.api, "cv.pdf", "", &pdf(3, WORDS, "")).send().await.ok(200);
    assert_eq!(told["pages"], 3);
    let escaped = docx(&paragraph("Rust &amp; Go, Zo&#235; since 2011, a team of five"));
    upload(&person.api, "cv.docx", "", &escaped).send().await.ok(200);
    let context = person.api.get("/api/v1/me/context").await.ok(200);
    assert_eq!(context["cv_text"], "Rust & Go, Zo\u{eb} since 2011, a team of five");
}

#[tokio::test]
async fn hostile_documents_are_refused_in_words_and_change_nothing() {
    let org = Org::found().await;
    let person = org.person("candidate").await;
    upload(&person.api, "cv.txt", "text/plain", b"Good.").send().await.ok(200);
    let before = org.node.peak_kib();
    let api = &person.api;

    let good = pdf(1, WORDS, "");
    refused(api, "a.pdf", &good[..good.len() / 2], "not whole").await;
    refused(api, "b.pdf", b"%PDF-1.7\n", "damaged").await;
    refused(api, "c.pdf", &pdf(1_000, WORDS, ""), "1000 pages").await;
    refused(api, "d.pdf", &pdf(1, "", ""), "no text").await;
    let lock = "/Encrypt<</Filter/Standard/V 1/R 2/O(00000000000000000000000000000000)\
        /U(00000000000000000000000000000000)/P -4>>/ID[<00><00>]";
    refused(api, "e.pdf", &pdf(1, WORDS, lock), "password").await;
    let looped = String::from_utf8(good.clone()).unwrap().replace("/Kids[5 0 R]", "/Kids[2 0 R]");
    let reply = upload(api, "f.pdf", "", looped.as_bytes()).send().await;
    reply.refused(422, "input.unreadable");
    let deep = format!("1 0 obj\n{}\nendobj\n", "[".repeat(200_000));
    let deep = [b"%PDF-1.4\n", deep.as_bytes(), &good[9..]].concat();
    let reply = upload(api, "g.pdf", "", &deep).send().await;
    assert!([200, 422].contains(&reply.status), "{}", reply.text());
    upload(api, "cv.txt", "text/plain", b"Good.").send().await.ok(200);

    let mut bomb = ZipWriter::new(Cursor::new(Vec::new()));
    bomb.start_file(DOCUMENT, SimpleFileOptions::default()).unwrap();
    for _ in 0..300 {
        bomb.write_all(&vec![b' '; 1 << 20]).unwrap();
    }
    let bomb = bomb.finish().unwrap().into_inner();
    refused(api, "h.docx", &bomb, "too large").await;
    let (said, small) = ((300_u32 << 20).to_le_bytes(), 1_000_u32.to_le_bytes());
    let mut lying = bomb.clone();
    let places: Vec<usize> =
        lying.windows(4).enumerate().filter(|(_, w)| *w == said).map(|(n, _)| n).collect();
    assert!(!places.is_empty());
    places.iter().for_each(|place| lying[*place..place + 4].copy_from_slice(&small));
    let reply = upload(api, "i.docx", "", &lying).send().await;
    reply.refused(422, "input.unreadable");
    let nested = [vec![b'<'; 0], "<a>".repeat(100_000).into_bytes()].concat();
    refused(api, "j.docx", &docx(&nested), "nested").await;
    let laughs = "<!DOCTYPE d [<!ENTITY a \"ha\"><!ENTITY b \"&a;&a;&a;&a;\">]><d>&b;</d>";
    refused(api, "k.docx", &docx(laughs.as_bytes()), "declaration").await;
    refused(api, "l.docx", &docx(&paragraph("Hi.")), "no text").await;
    refused(api, "m.docx", &docx(b"<w:document><w:p>"), "not whole").await;
    let real = file("pandoc.docx");
    refused(api, "n.docx", &real[..real.len() / 2], "not whole").await;
    let mut other = ZipWriter::new(Cursor::new(Vec::new()));
    other.start_file("xl/workbook.xml", SimpleFileOptions::default()).unwrap();
    let other = other.finish().unwrap().into_inner();
    refused(api, "o.docx", &other, "no Word document").await;
    let long = docx(&paragraph(&"word ".repeat(50_000)));
    refused(api, "p.docx", &long, "shorten").await;
    refused(api, "q.doc", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "password").await;
    // Whatever a flipped byte makes of a file: it is read or refused.
    for (name, bytes) in [("r.pdf", &file("one-column.pdf")), ("r.docx", &real)] {
        for n in 0..12 {
            let mut bent = bytes.clone();
            let at = (bent.len() / 13) * (n + 1);
            bent[at] ^= 0x55;
            let reply = upload(api, name, "", &bent).send().await;
            assert!([200, 422].contains(&reply.status), "{name} {at}: {}", reply.text());
        }
    }
    upload(api, "cv.txt", "text/plain", b"Still here.").send().await.ok(200);
    // The bomb alone is 300 MiB.
    let grown = org.node.peak_kib() - before;
    assert!(grown < 128 << 10, "at some moment the node held {grown} KiB more");
}
