//! The model over TLS: whom the node believes, and settings that cannot be meant.

use serde_json::json;

use super::{Model, practised, with};
use crate::api::text;
use crate::node::{Node, run};

/// What the node is told, with this text as the file of authorities.
fn believing(authority: &str) -> (tempfile::NamedTempFile, Vec<String>) {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), authority).unwrap();
    let setting = format!("GREENROOM_CHAT_CA_FILE={}", file.path().display());
    (file, vec![setting])
}

#[tokio::test]
async fn a_certificate_of_the_named_authority_is_believed() {
    let (model, certificate) = Model::start_tls("127.0.0.1").await;
    assert!(model.url.starts_with("https://"));
    let (_file, settings) = believing(&certificate);
    let org = with(&model, &settings).await;
    let (person, path) = practised(&org).await;
    model.will_write("Just words.");
    let told = person.api.post(&path, json!({})).await.ok(200);
    assert_eq!((&told["text"], model.asked()), (&json!("Just words."), 1));
}

#[tokio::test]
async fn no_other_certificate_gets_a_word() {
    let (model, certificate) = Model::start_tls("models.example.org").await;
    let (_, strange) = Model::start_tls("127.0.0.1").await;
    let (_one, other_name) = believing(&certificate);
    let (_two, other_authority) = believing(&strange);
    for (settings, words) in [
        (&other_name, "not valid for name"),
        (&other_authority, "invalid peer certificate"),
        (&Vec::new(), "could not be reached"),
    ] {
        let org = with(&model, settings).await;
        let (person, path) = practised(&org).await;
        model.will_write("Just words.");
        let problem = person.api.post(&path, json!({})).await.refused(503, "chat.unavailable");
        let detail = text(&problem["detail"]);
        assert!(detail.contains("could not be reached") && detail.contains(words), "{detail}");
    }
    assert_eq!(model.asked(), 0, "nothing of the person was sent");
}

#[test]
fn settings_that_cannot_be_meant_are_refused_at_the_start() {
    let (file, _) = believing("no certificate");
    let path = file.path().display().to_string();
    let url = |url: &'static str| ("GREENROOM_CHAT_URL", url);
    let model = ("GREENROOM_CHAT_MODEL", "tiny");
    let authority = ("GREENROOM_CHAT_CA_FILE", path.as_str());
    for (settings, words) in [
        (vec![("GREENROOM_CHAT_REPHRASE", "true")], "chat.rephrase is on and chat.url is not set"),
        (vec![url("https://127.0.0.1:9/v1")], "chat.model is not"),
        (vec![url("http://127.0.0.1:9/v1"), model, authority], "is no https address"),
        (vec![url("https://127.0.0.1:9/v1"), model, authority], "is no file of certificates"),
        (vec![url("ftp://127.0.0.1/v1"), model], "neither http nor https"),
    ] {
        let node = Node::on(|_| {});
        let mut serve = node.command();
        serve.envs(settings.iter().copied());
        let output = run(serve.args(["serve", "--listen", "127.0.0.1:0"]), b"");
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.contains(words), "{said}");
    }
}
