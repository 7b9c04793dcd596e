//! CVs as files: up, down again as they were, and for nobody else.

use hyper::Method;
use serde_json::json;

use crate::api::{Api, Call, text};
use crate::org::{Org, shared};

const CV: &str = "/api/v1/me/cv";

/// A form with this file in it.
pub(crate) fn upload(api: &Api, name: &str, media_type: &str, bytes: &[u8]) -> Call {
    with_boundary(api, "--a-line-that-no-file-has", name, media_type, bytes)
}

fn with_boundary(api: &Api, line: &str, name: &str, media_type: &str, bytes: &[u8]) -> Call {
    let head = format!(
        "--{line}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\n\
         Content-Type: {media_type}\r\n\r\n"
    );
    let body = [head.as_bytes(), bytes, format!("\r\n--{line}--\r\n").as_bytes()].concat();
    let form = format!("multipart/form-data; boundary={line}");
    api.call(Method::POST, CV).text(&form, body)
}

async fn cv_text(api: &Api) -> String {
    text(&api.get("/api/v1/me/context").await.ok(200)["cv_text"])
}

#[tokio::test]
async fn a_cv_comes_back_as_it_was_and_its_text_is_in_the_context() {
    let mut org = Org::found().await;
    let person = org.person("candidate").await;
    person.api.get(CV).await.refused(404, "not_found");
    let before = json!({"cv_text": "old", "job_description": "Bake.", "target_role": "Baker",
        "mode": "general", "assist_intensity": 3});
    person.api.put("/api/v1/me/context", before).await.ok(200);
    // 190,000 bytes: two parts. The text has other line ends than the file, and no mark.
    let line = "Led the night shift; Zo\u{eb} kept the books.\r\n";
    let bytes = ["\u{feff}".to_owned(), line.repeat(190_000 / line.len())].concat().into_bytes();
    let wanted = line.repeat(190_000 / line.len()).replace("\r\n", "\n");
    let reply = upload(&person.api, "Zo\u{eb}'s CV.md", "text/markdown", &bytes).send().await;
    assert_eq!(reply.ok(200), json!({"characters": wanted.chars().count()}));
    let context = person.api.get("/api/v1/me/context").await.ok(200);
    assert_eq!(context["cv_text"], wanted);
    assert_eq!(context["job_description"], "Bake.", "the rest stays");
    assert_eq!(context["assist_intensity"], 3);

    org.node.kill();
    org.node.restart();
    let person_api = person.api.at(org.node.address());
    let reply = person_api.get(CV).await;
    assert_eq!((reply.status, &reply.body[..]), (200, &bytes[..]));
    assert_eq!(reply.header("content-type"), "text/markdown; charset=utf-8");
    assert_eq!(reply.header("x-content-type-options"), "nosniff");
    let wanted = "attachment; filename=\"Zo__s CV.md\"; filename*=UTF-8''Zo%C3%AB%27s%20CV.md";
    assert_eq!(reply.header("content-disposition"), wanted);

    // The next one takes its place, and nothing of the old one stays.
    upload(&person_api, "cv.txt", "text/plain", b"Short.").send().await.ok(200);
    assert_eq!(&person_api.get(CV).await.body[..], b"Short.");
    assert_eq!(cv_text(&person_api).await, "Short.");
    assert_eq!(org.node.terminate(), 0);
    let db = rusqlite::Connection::open(org.node.data_dir().join("state.db")).unwrap();
    let count = |table: &str| -> i64 {
        let count = format!("SELECT count(*) FROM {table}");
        db.query_row(&count, [], |row| row.get(0)).unwrap()
    };
    assert_eq!(["file", "file_part", "upload"].map(count), [1, 1, 0]);
}

#[tokio::test]
async fn a_cv_is_for_its_owner_alone() {
    let org = shared().await;
    let (owner, other) = (org.person("candidate").await, org.person("candidate").await);
    upload(&owner.api, "cv.txt", "text/plain", b"Mine.").send().await.ok(200);
    for stranger in [&other.api, &org.admin.api] {
        stranger.get(CV).await.refused(404, "not_found");
    }
    upload(&other.api, "cv.txt", "text/plain", b"Theirs.").send().await.ok(200);
    assert_eq!(&owner.api.get(CV).await.body[..], b"Mine.");
    let nobody = upload(&org.node.api(), "cv.txt", "text/plain", b"Mine.");
    nobody.send().await.refused(401, "auth.missing");
}

#[tokio::test]
async fn the_same_upload_under_the_same_key_happens_once_whatever_its_boundary() {
    let person = shared().await.person("candidate").await;
    let send = |line: &'static str, bytes: &'static [u8]| {
        with_boundary(&person.api, line, "cv.txt", "text/plain", bytes).key("once").send()
    };
    let first = send("first-boundary", b"One.").await;
    assert!(!first.is_replayed());
    upload(&person.api, "cv.txt", "text/plain", b"Two.").send().await.ok(200);
    let again = send("second-boundary", b"One.").await;
    assert!(again.is_replayed());
    assert_eq!(again.ok(200), first.ok(200));
    assert_eq!(cv_text(&person.api).await, "Two.");
    send("third-boundary", b"Three.").await.refused(422, "idempotency.mismatch");
}

#[tokio::test]
async fn a_file_that_cannot_be_read_changes_nothing_and_says_why() {
    let person = shared().await.person("candidate").await;
    upload(&person.api, "cv.txt", "text/plain", b"Good.").send().await.ok(200);
    let unsupported = [
        ("cv.pdf", "application/pdf", b"no pdf".as_slice(), "no pdf"),
        ("cv.docx", "", b"no docx", "no docx"),
        ("cv.png", "image/png", b"\x89PNG\r\n", "paste"),
        ("cv.html", "text/html", b"<p>Hi", "TXT"),
    ];
    for (name, media_type, bytes, why) in unsupported {
        let reply = upload(&person.api, name, media_type, bytes).key("free").send().await;
        let detail = text(&reply.refused(415, "input.unsupported_type")["detail"]);
        assert!(detail.contains(why), "{name}: {detail}");
    }
    let long = vec![b'x'; 200_001];
    let unreadable = [
        (b"caf\xe9".as_slice(), "UTF-8"),
        (b"\xff\xfea\0", "UTF-16"),
        (b"a\0b", "NUL"),
        (b" \n", "no text"),
        (b"", "no text"),
        (&long, "200001"),
    ];
    for (bytes, why) in unreadable {
        let call = upload(&person.api, "cv.txt", "text/plain", bytes);
        let detail = call.key("free").send().await.refused(422, "input.unreadable");
        assert!(text(&detail["detail"]).contains(why), "{detail}");
    }
    // Larger than other bodies, and with a key, so that the node keeps it to send it again.
    let medium = vec![b'x'; 2 << 20];
    let reply = upload(&person.api, "cv.txt", "text/plain", &medium).key("free").send().await;
    reply.refused(422, "input.unreadable");
    let large = vec![b'x'; (5 << 20) + 1];
    let reply = upload(&person.api, "cv.txt", "text/plain", &large).send().await;
    reply.refused(413, "input.too_large");
    let larger = vec![b'x'; 6 << 20];
    let reply = upload(&person.api, "cv.txt", "text/plain", &larger).send().await;
    reply.refused(413, "input.too_large");
    // What is no form, or not a whole one.
    person.api.post(CV, json!({})).await.refused(415, "input.unsupported_type");
    let cut = person.api.call(Method::POST, CV);
    let cut = cut.text("multipart/form-data; boundary=x", "--x\r\nContent-Disposition: form-data");
    cut.send().await.refused(400, "input.invalid");
    let none = person.api.call(Method::POST, CV).text("multipart/form-data; boundary=x", "--x--");
    none.send().await.refused(400, "input.invalid");
    // The key that was refused so often is free, and the file is the one from before.
    assert_eq!(&person.api.get(CV).await.body[..], b"Good.");
    let good = upload(&person.api, "cv.txt", "text/plain", b"Better.").key("free").send().await;
    assert!(!good.is_replayed());
    assert_eq!(good.ok(200)["characters"], 7);
}
