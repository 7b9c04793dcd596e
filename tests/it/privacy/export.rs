//! The file with all of one's own data.

use std::io::Read;

use serde_json::Value;

use super::Marks;
use crate::org::shared;
use crate::scene;

#[tokio::test]
async fn the_file_has_everything_that_somebody_left_and_nothing_of_others() {
    let org = shared().await;
    let (person, other) = (org.person("candidate").await, org.person("candidate").await);
    let (marks, theirs) = (Marks::of("Mine"), Marks::of("Theirs"));
    let practice = marks.leave(&person).await;
    theirs.leave(&other).await;
    let reply = person.api.get("/api/v1/me/export").await;
    assert_eq!((reply.status, reply.header("content-type")), (200, "application/zip"));
    let mut zip = zip::ZipArchive::new(std::io::Cursor::new(reply.body.to_vec())).unwrap();
    let mut all = String::new();
    let mut names = Vec::new();
    for n in 0..zip.len() {
        let mut file = zip.by_index(n).unwrap();
        let name = file.name().unwrap().into_owned();
        let mut text = String::new();
        file.read_to_string(&mut text).unwrap();
        if name.ends_with(".json") {
            serde_json::from_str::<Value>(&text).unwrap();
        }
        all.push_str(&text);
        names.push(name);
    }
    for mark in &marks.all {
        assert!(all.contains(mark), "{mark} is missing");
    }
    for mark in &theirs.all {
        assert!(!all.contains(mark), "{mark} is somebody else's");
    }
    assert!(!all.contains("$argon2"), "no hash of the password");
    let folder = format!("interviews/{}", scene::id(&practice));
    for name in ["README.txt", "account.json", "cv/cv.md", &format!("{folder}/report.html")] {
        assert!(names.iter().any(|known| known == name), "{name} in {names:?}");
    }
    org.node.api().get("/api/v1/me/export").await.refused(401, "auth.missing");
}
