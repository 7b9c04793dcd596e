//! TLS towards people and programs: own certificates, new ones while it runs, plain HTTP sent on,
//! the authority of a site of its own.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rcgen::{CertifiedKey, KeyPair, generate_simple_self_signed};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tempfile::TempDir;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use crate::deadline::{soon, until};
use crate::node::{Node, run};

/// A certificate with its key as an operator has them: two files, and whom a client trusts.
struct Files {
    dir: TempDir,
}

impl Files {
    fn new() -> Files {
        let files = Files { dir: TempDir::with_prefix("greenroom-tls-").unwrap() };
        files.renew();
        files
    }

    fn certificate(&self) -> PathBuf {
        self.dir.path().join("chain.pem")
    }

    fn key(&self) -> PathBuf {
        self.dir.path().join("key.pem")
    }

    /// A fresh certificate in the same place.
    fn renew(&self) {
        let CertifiedKey { cert, signing_key } = rooms(vec!["rooms.example.org".to_owned()]);
        std::fs::write(self.key(), signing_key.serialize_pem()).unwrap();
        std::fs::write(self.certificate(), cert.pem()).unwrap();
    }

    /// What a node is started by so that it finds them.
    fn settings(&self) -> Vec<String> {
        vec![
            "env".to_owned(),
            format!("GREENROOM_TLS_CERTIFICATE_FILE={}", self.certificate().display()),
            format!("GREENROOM_TLS_KEY_FILE={}", self.key().display()),
            "GREENROOM_TLS_REDIRECT_LISTEN=127.0.0.1:0".to_owned(),
        ]
    }
}

fn rooms(names: Vec<String>) -> CertifiedKey<KeyPair> {
    generate_simple_self_signed(names).unwrap()
}

/// Asks over TLS, trusting only what is in a file; the whole answer, or why there is none.
async fn ask(
    node: SocketAddr,
    trusted: &Path,
    name: &str,
    request: &str,
) -> Result<String, String> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(trusted).unwrap() {
        roots.add(certificate.unwrap()).unwrap();
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let stream = TcpStream::connect(node).await.unwrap();
    let name = ServerName::try_from(name.to_owned()).unwrap();
    let shaken = soon("a handshake", TlsConnector::from(Arc::new(config)).connect(name, stream));
    Ok(exchange(shaken.await.map_err(|error| error.to_string())?, request).await)
}

async fn exchange(mut stream: impl AsyncRead + AsyncWrite + Unpin, request: &str) -> String {
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    let _ = soon("an answer", stream.read_to_end(&mut answer)).await;
    String::from_utf8_lossy(&answer).into_owned()
}

async fn in_clear(node: SocketAddr, request: &str) -> String {
    exchange(TcpStream::connect(node).await.unwrap(), request).await
}

fn get(host: &str, path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n")
}

/// The log line with the address of the port that sends on.
fn plain_port(node: &Node) -> SocketAddr {
    let log = node.stderr();
    let line = log.lines().find(|line| line.contains("sent on from here")).unwrap();
    let address = line.split("Some(").nth(1).unwrap().split(')').next().unwrap();
    address.parse().unwrap()
}

#[tokio::test]
async fn the_operators_certificate_is_shown_and_plain_http_is_sent_on() {
    let files = Files::new();
    let node = Node::start_in(&files.settings(), "127.0.0.1:0");
    let (address, trusted) = (node.address(), files.certificate());
    let host = "rooms.example.org";
    let answer = ask(address, &trusted, host, &get(host, "/livez")).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    assert!(answer.contains("strict-transport-security: max-age=31536000\r\n"), "{answer}");
    let local = ask(address, &trusted, host, &get("localhost:8443", "/livez")).await.unwrap();
    assert!(!local.contains("strict-transport-security"), "other programs are there: {local}");

    for door in [address, plain_port(&node)] {
        let moved = in_clear(door, &get(host, "/reports/7?a=b")).await;
        assert!(moved.starts_with("HTTP/1.1 308 "), "{moved}");
        let to = format!("location: https://{host}:{}/reports/7?a=b\r\n", address.port());
        assert!(moved.contains(&to), "{moved}");
        assert!(!moved.contains("strict-transport-security"), "not over plain HTTP: {moved}");
        let body = r#"{"email":"a@b.org","password":"planted"}"#;
        let write = format!(
            "POST /api/v1/auth/login HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        let refused = in_clear(door, &write).await;
        assert!(refused.starts_with("HTTP/1.1 400 "), "{refused}");
        assert!(refused.contains("https only") && refused.contains("x-request-id"), "{refused}");
        assert!(!refused.contains("planted"), "{refused}");
    }
    let token = node.setup_token();
    let body = format!(
        r#"{{"token":"{token}","organisation":"O","email":"a@b.org","display_name":"A",
            "password":"correct horse battery"}}"#
    );
    let setup = format!(
        "POST /api/v1/setup HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let made = ask(address, &trusted, host, &setup).await.unwrap();
    assert!(made.starts_with("HTTP/1.1 201 "), "{made}");
    let cookies: Vec<&str> = made.lines().filter(|line| line.starts_with("set-cookie")).collect();
    assert!(!cookies.is_empty(), "{made}");
    assert!(cookies.iter().all(|cookie| cookie.contains("; Secure")), "on loopback too: {made}");
}

#[tokio::test]
async fn a_new_certificate_is_shown_without_a_restart_and_a_bad_one_never() {
    let files = Files::new();
    let node = Node::start_in(&files.settings(), "127.0.0.1:0");
    let host = "rooms.example.org";
    let first = files.dir.path().join("first.pem");
    std::fs::copy(files.certificate(), &first).unwrap();
    let shows = async |trusted: &Path| {
        ask(node.address(), trusted, host, &get(host, "/livez")).await.is_ok()
    };
    assert!(shows(&first).await);

    let good_key = std::fs::read(files.key()).unwrap();
    for (bad, why) in [
        (Vec::new(), "there is no private key in tls.key_file"),
        (rooms(vec![host.to_owned()]).signing_key.serialize_pem().into_bytes(), "is not the key"),
    ] {
        std::fs::write(files.key(), bad).unwrap();
        node.signal("HUP");
        let told = until("the reason", async || node.stderr().contains(why).then_some(()));
        told.await;
        assert!(shows(&first).await, "the former one stays");
    }
    std::fs::write(files.key(), good_key).unwrap();
    files.renew();
    node.signal("HUP");
    until("the new certificate", async || shows(&files.certificate()).await.then_some(())).await;
    assert!(!shows(&first).await);
}

#[tokio::test]
async fn a_certificate_that_cannot_be_used_stops_the_start_with_a_reason() {
    let files = Files::new();
    let other = files.dir.path().join("other.pem");
    std::fs::write(&other, rooms(vec!["x".to_owned()]).signing_key.serialize_pem()).unwrap();
    let certificate = format!("GREENROOM_TLS_CERTIFICATE_FILE={}", files.certificate().display());
    let key = |path: &Path| format!("GREENROOM_TLS_KEY_FILE={}", path.display());
    for (settings, why) in [
        (vec![certificate.clone()], "belong together"),
        (vec![certificate.clone(), key(&other)], "is not the key of the first certificate"),
        (vec![certificate.clone(), key(&files.certificate())], "there is no private key"),
        (vec![certificate.clone(), key(Path::new("/nowhere.pem"))], "cannot read /nowhere.pem"),
        (
            vec![certificate, key(&files.key()), "GREENROOM_TLS_LOCAL_AUTHORITY=true".to_owned()],
            "two answers to one question",
        ),
        (vec!["GREENROOM_TLS_REDIRECT_LISTEN=127.0.0.1:0".to_owned()], "has no certificate"),
    ] {
        let mut node = Node::on(|_| {});
        let within: Vec<&str> =
            ["env"].into_iter().chain(settings.iter().map(String::as_str)).collect();
        node.set_within(&within);
        let (code, words) = node.try_restart().unwrap_err();
        assert_eq!(code, 2, "{words}");
        assert!(words.contains(why), "{why}: {words}");
    }
}

#[tokio::test]
async fn a_site_without_an_authority_has_its_own_and_it_is_good_for_this_site_only() {
    let settings =
        ["env", "GREENROOM_TLS_LOCAL_AUTHORITY=true", "GREENROOM_TLS_NAMES=rooms.example.org"];
    let settings = settings.map(str::to_owned);
    let mut node = Node::start_in(&settings, "127.0.0.1:0");
    let authority = node.data_dir().join("local-authority.pem");
    let first = std::fs::read(&authority).unwrap();
    for name in ["rooms.example.org", "127.0.0.1", "localhost"] {
        let answer = ask(node.address(), &authority, name, &get(name, "/livez")).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 200 "), "{name}: {answer}");
    }
    let elsewhere = ask(node.address(), &authority, "evil.example.org", &get("x", "/livez")).await;
    assert!(elsewhere.unwrap_err().contains("not valid for name"), "another name");

    // The command line, as an operator elsewhere would use it.
    let url = format!("https://{}", node.address());
    let mut trusting = node.command();
    let status = ["--url", &url, "cluster", "status"];
    let blind = run(trusting.args(status), b"");
    assert_eq!(blind.status.code(), Some(1), "nobody trusts it without being told");
    assert!(String::from_utf8_lossy(&blind.stderr).contains("--ca"), "it says what to do");
    let mut trusting = node.command();
    let told = run(trusting.arg("--ca").arg(&authority).args(status), b"");
    assert_eq!(told.status.code(), Some(3), "it was reached");
    assert!(String::from_utf8_lossy(&told.stderr).contains("setup.needed"));

    // What people have installed holds after a restart.
    assert_eq!(node.terminate(), 0);
    node.restart();
    assert_eq!(std::fs::read(&authority).unwrap(), first);
    assert!(ask(node.address(), &authority, "localhost", &get("a", "/livez")).await.is_ok());

    let url = format!("https://{}", node.address());

    // A second node of the cluster has the same authority, and says https where others read it.
    let token = run(node.command().args(["cluster", "token"]), b"");
    let token = String::from_utf8(token.stdout).unwrap();
    let mut second = Node::on(|dir| std::fs::remove_dir(dir).unwrap());
    second.set_within(&settings.each_ref().map(String::as_str));
    let mut join = second.command();
    join.arg("--ca").arg(&authority).args(["cluster", "join", &url, "--token", token.trim()]);
    let joined = run(&mut join, b"");
    assert!(joined.status.success(), "{}", String::from_utf8_lossy(&joined.stderr));
    second.restart();
    assert!(ask(second.address(), &authority, "localhost", &get("a", "/livez")).await.is_ok());
    let status = run(node.command().args(["cluster", "status", "--json"]), b"");
    let status: serde_json::Value = serde_json::from_slice(&status.stdout).unwrap();
    assert_eq!(status["nodes"][0]["http"], url);
}

/// The name constraints are read by a verifier that is not ours.
#[tokio::test]
async fn whoever_steals_the_authority_cannot_pass_for_another_site() {
    let settings = ["env", "GREENROOM_TLS_LOCAL_AUTHORITY=true"].map(str::to_owned);
    let node = Node::start_in(&settings, "127.0.0.1:0");
    let pem = std::fs::read(node.data_dir().join("local-authority.pem")).unwrap();
    let root = CertificateDer::from_pem_slice(&pem).unwrap();
    let (_, parsed) = x509_parser::parse_x509_certificate(&root).unwrap();
    let constraints = parsed.name_constraints().unwrap().expect("it binds itself");
    assert!(constraints.critical, "whoever does not understand them must refuse");
    let permitted = constraints.value.permitted_subtrees.as_ref().unwrap();
    let names = permitted.iter().filter_map(|subtree| match &subtree.base {
        x509_parser::extensions::GeneralName::DNSName(name) => Some(*name),
        _ => None,
    });
    let private = ["localhost", "local", "internal", "lan", "home.arpa", "test"];
    assert_eq!(names.collect::<Vec<_>>(), private);
    // It is an authority for nothing further.
    let basic = parsed.basic_constraints().unwrap().unwrap();
    assert_eq!((basic.value.ca, basic.value.path_len_constraint), (true, Some(0)));
}

#[tokio::test]
async fn whoever_does_not_finish_a_handshake_is_not_waited_for() {
    let files = Files::new();
    let node = Node::start_in(&files.settings(), "127.0.0.1:0");
    let mut silent = TcpStream::connect(node.address()).await.unwrap();
    let mut half = TcpStream::connect(node.address()).await.unwrap();
    half.write_all(&[22, 3, 1, 2, 0, 1]).await.unwrap();
    for stream in [&mut silent, &mut half] {
        let mut answer = Vec::new();
        let _ = soon("the node to close", stream.read_to_end(&mut answer)).await;
        assert!(answer.is_empty() || answer[0] == 21, "at most an alert: {answer:?}");
    }
}
