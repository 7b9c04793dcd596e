//! A small server of our own that stands for a language model.

use std::sync::{Arc, Mutex};

use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;
use serde_json::{Value, json};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

/// What the model does with a request.
#[derive(Clone, Debug)]
pub(super) enum Act {
    /// Answers with this status and these further header lines and body.
    Say(u16, &'static str, String),
    /// Takes the request and says nothing until the other side gives up.
    Wait,
    /// Sends a body without end until the other side gives up.
    Flood,
}

/// The last requests: head and body of each.
type Heard = Arc<Mutex<Vec<(String, Value)>>>;

pub(super) struct Model {
    pub(super) url: String,
    act: Arc<Mutex<Act>>,
    heard: Heard,
    task: Mutex<Option<tokio::task::JoinHandle<()>>>,
}

impl Model {
    pub(super) async fn start() -> Model {
        Model::listen(None).await
    }

    /// Over TLS with a certificate for this name; the certificate comes back as PEM.
    pub(super) async fn start_tls(name: &str) -> (Model, String) {
        let made = rcgen::generate_simple_self_signed(vec![name.to_owned()]).unwrap();
        let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![made.cert.der().clone()], key)
            .unwrap();
        let model = Model::listen(Some(TlsAcceptor::from(Arc::new(config)))).await;
        (model, made.cert.pem())
    }

    async fn listen(tls: Option<TlsAcceptor>) -> Model {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let scheme = if tls.is_some() { "https" } else { "http" };
        let url = format!("{scheme}://{}/v1", listener.local_addr().unwrap());
        let act = Arc::new(Mutex::new(Act::Wait));
        let heard = Heard::default();
        let (acts, hears) = (act.clone(), heard.clone());
        let task = tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let act = acts.lock().unwrap().clone();
                tokio::spawn(welcome(stream, tls.clone(), act, hears.clone()));
            }
        });
        Model { url, act, heard, task: Mutex::new(Some(task)) }
    }

    /// Closes the port.
    pub(super) async fn stop(&self) {
        let task = self.task.lock().unwrap().take().expect("it runs");
        task.abort();
        let _ = task.await;
    }

    pub(super) fn will(&self, act: Act) {
        *self.act.lock().unwrap() = act;
    }

    /// Answers as the chat-completions protocol has it.
    pub(super) fn will_write(&self, content: &str) {
        let body = json!({
            "id": "chatcmpl-1", "object": "chat.completion", "created": 1_795_000_000,
            "model": "tiny", "choices": [{"index": 0, "finish_reason": "stop",
                "message": {"role": "assistant", "content": content}}],
            "usage": {"prompt_tokens": 9, "completion_tokens": 12, "total_tokens": 21},
        });
        self.will(Act::Say(200, "", body.to_string()));
    }

    /// Puts these in the place of the texts that it is asked about.
    pub(super) fn will_rephrase(&self, texts: &[&str]) {
        self.will_write(&json!({"texts": texts}).to_string());
    }

    /// How many requests were heard.
    pub(super) fn asked(&self) -> usize {
        self.heard.lock().unwrap().len()
    }

    /// The last request.
    pub(super) fn last(&self) -> (String, Value) {
        self.heard.lock().unwrap().last().expect("it was asked").clone()
    }
}

async fn welcome(stream: TcpStream, tls: Option<TlsAcceptor>, act: Act, heard: Heard) {
    match tls {
        None => serve(stream, act, heard).await,
        Some(tls) => {
            // Whoever does not believe us goes away here.
            if let Ok(stream) = tls.accept(stream).await {
                serve(stream, act, heard).await;
            }
        }
    }
}

async fn serve<S>(mut stream: S, act: Act, heard: Heard)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut bytes = Vec::new();
    let (head, body) = loop {
        if stream.read_buf(&mut bytes).await.unwrap_or(0) == 0 {
            return;
        }
        let so_far = String::from_utf8_lossy(&bytes).into_owned();
        let Some((head, body)) = so_far.split_once("\r\n\r\n") else { continue };
        let length = head.to_lowercase().lines().find_map(|line| {
            line.strip_prefix("content-length: ").map(|n| n.parse::<usize>().unwrap())
        });
        if body.len() >= length.unwrap_or(0) {
            break (head.to_owned(), body.to_owned());
        }
    };
    heard.lock().unwrap().push((head, serde_json::from_str(&body).unwrap()));
    match act {
        Act::Say(status, headers, body) => {
            let length = body.len();
            let head = format!("HTTP/1.1 {status} Word\r\n{headers}content-length: {length}\r\n");
            let _ = stream.write_all(format!("{head}\r\n{body}").as_bytes()).await;
            let _ = stream.flush().await;
        }
        Act::Wait => while stream.read_buf(&mut bytes).await.unwrap_or(0) > 0 {},
        Act::Flood => {
            let mut chunk = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n".to_vec();
            while stream.write_all(&chunk).await.is_ok() {
                chunk = format!("1000\r\n{}\r\n", "a".repeat(0x1000)).into_bytes();
            }
        }
    }
}
