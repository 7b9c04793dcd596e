//! Plays a practice over a WebSocket, as a page would: types, answers, follows the events.
//!
//! **Invariant:** it trusts nothing: each event must be the one after the last.

use std::io::{self, IsTerminal};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use futures_util::{SinkExt, StreamExt};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::tungstenite::{Error as SocketError, Message};
use tokio_tungstenite::{WebSocketStream, client_async};

use crate::cli::exit::Error;
use crate::cli::output::note;
use crate::room::protocol::SUBPROTOCOL;

/// What was seen.
#[derive(Debug)]
pub(super) struct Replay {
    /// The last event's place.
    pub(super) events: u64,
    /// From each `answer` frame to its `answer.analysed` event.
    pub(super) took: Vec<Duration>,
}

/// Tells how far the replay is: a bar at a terminal, else a line for each answer.
pub(super) struct Progress {
    bar: ProgressBar,
    lines: bool,
    total: usize,
}

/// A room as one connection sees it.
struct Room<'a> {
    socket: WebSocketStream<TcpStream>,
    answers: &'a [(String, &'a str)],
    pace: Duration,
    progress: Progress,
    /// Questions that have an answer in the script, counted when the room says what it will ask.
    planned: usize,
    sent: Instant,
    finishing: bool,
    replay: Replay,
}

/// The longest silence: the report may take 5 seconds by contract.
const SILENCE_SECONDS: u64 = 20;

/// The whole of it, typed text and all.
const REPLAY_SECONDS: u64 = 180;

/// Pieces in which an answer is typed: enough to see it grow, and with seven answers still within
/// the burst that a socket may send at once.
const PIECES: usize = 6;

/// Plays one practice to its report.
pub(super) async fn play(
    address: SocketAddr,
    ticket: &Value,
    answers: &[(String, &str)],
    pace: Duration,
    progress: Progress,
) -> Result<Replay, Error> {
    let path = ticket["socket"].as_str().unwrap_or_default();
    let socket = connect(address, path).await?;
    let replay = Replay { events: 0, took: Vec::new() };
    let (planned, sent, finishing) = (0, Instant::now(), false);
    let room = Room { socket, answers, pace, progress, planned, sent, finishing, replay };
    let played = timeout(Duration::from_secs(REPLAY_SECONDS), room.run(ticket)).await;
    played.unwrap_or_else(|_| {
        Err(Error::unavailable(format!("the replay took more than {REPLAY_SECONDS} seconds")))
    })
}

impl Progress {
    /// Progress that a person sees.
    pub(super) fn shown(total: usize) -> Progress {
        let lines = !io::stderr().is_terminal();
        let bar = ProgressBar::with_draw_target(Some(total as u64), ProgressDrawTarget::stderr());
        let style = ProgressStyle::with_template("replaying [{bar:24}] {pos} of {len}  {msg}");
        bar.set_style(style.expect("invariant: the template is valid").progress_chars("=> "));
        bar.tick();
        Progress { bar, lines, total }
    }

    /// None.
    pub(super) fn silent() -> Progress {
        Progress { bar: ProgressBar::hidden(), lines: false, total: 0 }
    }

    fn answered(&self, n: usize, analysis: &Value, took: Duration) {
        let score = match analysis["score"].as_f64() {
            Some(score) => format!("score {score:.1}"),
            None => "not enough to score".to_owned(),
        };
        let ms = took.as_secs_f64() * 1_000.0;
        if self.lines {
            note(&format!("answer {n} of {}: {score}, analysed in {ms:.1} ms", self.total));
        }
        self.bar.inc(1);
        self.bar.set_message(format!("{score}, {ms:.1} ms"));
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

impl<'a> Room<'a> {
    async fn run(mut self, ticket: &Value) -> Result<Replay, Error> {
        self.send(json!({"type": "hello", "ticket": ticket["ticket"], "after": 0})).await?;
        let mut ready = false;
        while !ready {
            let frame = self.receive().await?;
            match frame["type"].as_str().unwrap_or_default() {
                "welcome" => self.begin(&frame).await?,
                "event" => ready = self.event(&frame).await?,
                "refused" => return Err(Error::refused(told("the room refused a frame", &frame))),
                "bye" => return Err(Error::unavailable(told("the room said goodbye", &frame))),
                // Acknowledgements say nothing that the events do not; the rest may be missed.
                _ => {}
            }
        }
        if self.replay.took.is_empty() {
            return Err(Error::fault("the room asked none of the script's questions"));
        }
        // The report is there; a node that closes first is as good.
        let _ = self.socket.close(None).await;
        Ok(self.replay)
    }

    async fn begin(&mut self, welcome: &Value) -> Result<(), Error> {
        let questions = welcome["interview"]["questions"].as_array();
        let known = |question: &&Value| self.answer_to(&question["text"]).is_some();
        self.planned = questions.map_or(0, |list| list.iter().filter(known).count());
        self.send(json!({"type": "start", "id": "start"})).await
    }

    /// Takes an event; the flag says that the report is ready.
    async fn event(&mut self, frame: &Value) -> Result<bool, Error> {
        let wanted = self.replay.events + 1;
        if frame["seq"] != wanted {
            let what = format!("event {} came where {wanted} was due", frame["seq"]);
            return Err(Error::fault(what));
        }
        self.replay.events = wanted;
        let data = &frame["data"];
        match frame["kind"].as_str().unwrap_or_default() {
            "question.asked" => match self.answer_to(&data["text"]) {
                Some(answer) => self.answer(&data["question_id"], answer).await?,
                None => self.finish().await?,
            },
            "answer.analysed" => {
                let took = self.sent.elapsed();
                self.replay.took.push(took);
                self.progress.answered(self.replay.took.len(), &data["analysis"], took);
                if self.replay.took.len() >= self.planned {
                    self.finish().await?;
                }
            }
            "report.ready" => return Ok(true),
            _ => {}
        }
        Ok(false)
    }

    fn answer_to(&self, question: &Value) -> Option<&'a str> {
        let question = question.as_str()?;
        let known = self.answers.iter().find(|(text, _)| text == question);
        known.map(|(_, answer)| *answer)
    }

    async fn answer(&mut self, question: &Value, text: &str) -> Result<(), Error> {
        for piece in typed(text) {
            self.send(json!({"type": "partial", "question_id": question, "text": piece})).await?;
            if !self.pace.is_zero() {
                sleep(self.pace).await;
            }
        }
        let id = format!("answer-{}", self.replay.took.len() + 1);
        self.sent = Instant::now();
        let frame = json!({"type": "answer", "id": id, "question_id": question, "text": text});
        self.send(frame).await
    }

    async fn finish(&mut self) -> Result<(), Error> {
        if std::mem::replace(&mut self.finishing, true) {
            return Ok(());
        }
        self.send(json!({"type": "finish", "id": "finish"})).await
    }

    async fn send(&mut self, frame: Value) -> Result<(), Error> {
        self.socket.send(Message::text(frame.to_string())).await.map_err(|error| broken(&error))
    }

    /// The next frame of ours; pings are answered on the way.
    async fn receive(&mut self) -> Result<Value, Error> {
        let silence = Duration::from_secs(SILENCE_SECONDS);
        loop {
            let next = timeout(silence, self.socket.next()).await.map_err(|_| {
                let what = format!("the room was silent for {SILENCE_SECONDS} seconds");
                Error::unavailable(what).next("try again on a machine with less to do")
            })?;
            match next {
                Some(Ok(Message::Text(text))) => {
                    return serde_json::from_str(&text).map_err(|error| {
                        Error::fault("the room sent what is no JSON").why(error.to_string())
                    });
                }
                Some(Ok(Message::Close(_))) | None => {
                    return Err(Error::unavailable("the room closed the connection"));
                }
                Some(Ok(_)) => {}
                Some(Err(error)) => return Err(broken(&error)),
            }
        }
    }
}

async fn connect(address: SocketAddr, path: &str) -> Result<WebSocketStream<TcpStream>, Error> {
    let mut request =
        format!("ws://{address}{path}").into_client_request().map_err(|error| broken(&error))?;
    let protocol = HeaderValue::from_static(SUBPROTOCOL);
    request.headers_mut().insert("sec-websocket-protocol", protocol);
    let connected = timeout(Duration::from_secs(SILENCE_SECONDS), async {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(client_async(request, stream).await?.0)
    });
    let late = || Error::unavailable("the room took too long to open its socket");
    connected.await.map_err(|_| late())?.map_err(|error: SocketError| broken(&error))
}

fn broken(error: &SocketError) -> Error {
    Error::unavailable("the connection to the room broke").why(error.to_string())
}

fn told(what: &str, frame: &Value) -> String {
    let of = |field: &str| frame[field].as_str().unwrap_or_default();
    format!("{what}: {} ({})", of("detail"), of("code"))
}

/// An answer as it grows: up to [`PIECES`] beginnings of it, each ending with a whole word.
fn typed(text: &str) -> Vec<&str> {
    let ends: Vec<usize> = text.match_indices(' ').map(|(at, _)| at).collect();
    let ends = (1..=PIECES).filter_map(|n| ends.get((ends.len() * n).div_ceil(PIECES + 1)));
    ends.map(|end| &text[..*end]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn typed_text_grows_by_whole_words() {
        let text = "Drivers waited nine hundred milliseconds for a lookup, and they do sixty";
        let pieces = typed(text);
        assert_eq!(pieces.len(), PIECES);
        for pair in pieces.windows(2) {
            assert!(pair[0].len() < pair[1].len(), "{pieces:?}");
        }
        for piece in pieces {
            assert!(text.starts_with(piece) && text[piece.len()..].starts_with(' '), "{piece}");
        }
        assert!(typed("word").is_empty() && typed("").is_empty());
    }

    #[test]
    fn a_goodbye_is_told_with_its_reason() {
        let frame = json!({"type": "bye", "code": "draining", "detail": "the node stops"});
        assert_eq!(told("it said", &frame), "it said: the node stops (draining)");
    }
}
