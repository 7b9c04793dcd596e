//! The language model that an operator may name: an example answer, and other words for hints.
//!
//! **Invariant:** what a model writes is marked as such, is stored nowhere, and no number depends
//! on it. A quote is shown only if it stands word for word in the person's own answer or CV. It is
//! asked in practices only: nobody is coached in a live interview.

mod breaker;
pub(super) mod example;
pub(super) mod rephrase;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use axum::http::HeaderValue;
use serde::Deserialize;
use serde_json::json;
use tokio::sync::Semaphore;

use crate::domain::id::{InterviewId, PersonId};
use crate::domain::limit;
use crate::domain::may::InRoom;
use crate::domain::room::Room;

use super::app::Shared;
use super::error::Error;
use super::interviews::room_for;
use super::outgoing::{Bounds, Failure, Question, Trust, exchange};

use breaker::Breaker;

/// Where the model is, and what it may cost.
pub struct Endpoint {
    /// Base URL without a slash at its end.
    pub url: String,
    /// The model's name.
    pub model: String,
    /// The key that it wants.
    pub key: Option<String>,
    /// The authorities that are believed in the place of the machine's.
    pub ca_file: Option<PathBuf>,
    /// Time for one answer.
    pub seconds: u64,
    /// Size of one answer.
    pub bytes_max: usize,
    /// Whether it may put hints and follow-ups into other words.
    pub rephrases: bool,
}

/// The model.
pub struct Chat {
    url: String,
    model: String,
    authorization: Option<HeaderValue>,
    trust: Trust,
    patience: Duration,
    bytes_max: usize,
    rephrases: bool,
    /// Requests that run at once.
    places: Semaphore,
    /// Each use learns for itself: what is too slow for other words may be in time for an example.
    examples: Breaker,
    rephrasings: Breaker,
}

/// What the model is to do.
struct Task {
    text: &'static str,
    material: String,
    tokens_max: u32,
    patience: Duration,
}

/// Why the model wrote nothing.
#[derive(Debug, thiserror::Error)]
enum Trouble {
    #[error("the language model is busy; try again in a few seconds")]
    Busy,
    #[error(
        "the language model failed several times and is left alone; try again in {} seconds",
        .0.as_secs() + 1
    )]
    Resting(Duration),
    #[error("the language model gave nothing to show: {0}")]
    Failed(Failure),
    #[error("the language model gave nothing to show: its answer is no chat completion")]
    Unreadable,
}

/// What the endpoint says, as far as it is read.
#[derive(Deserialize)]
struct Completion {
    choices: Vec<Choice>,
}

#[derive(Deserialize)]
struct Choice {
    message: Message,
}

#[derive(Deserialize)]
struct Message {
    #[serde(default)]
    content: Option<String>,
}

impl Chat {
    /// Reads what the endpoint needs; nobody is asked yet.
    pub fn open(endpoint: Endpoint) -> Result<Chat, String> {
        let trust = match &endpoint.ca_file {
            None => Trust::MACHINE,
            Some(path) => Trust::file(path).map_err(|error| {
                format!("chat.ca_file {} is no file of certificates: {error}", path.display())
            })?,
        };
        let authorization = endpoint.key.map(|key| HeaderValue::try_from(format!("Bearer {key}")));
        Ok(Chat {
            url: format!("{}/chat/completions", endpoint.url),
            model: endpoint.model,
            authorization: authorization.transpose().map_err(|error| error.to_string())?,
            trust,
            patience: Duration::from_secs(endpoint.seconds),
            bytes_max: endpoint.bytes_max,
            rephrases: endpoint.rephrases,
            places: Semaphore::new(limit::CHAT_AT_ONCE_MAX),
            examples: Breaker::default(),
            rephrasings: Breaker::default(),
        })
    }

    /// What the model writes, as it wrote it.
    async fn complete(&self, task: Task, breaker: &Breaker) -> Result<String, Trouble> {
        // Waiting in line would be slower than trying again.
        let Ok(_place) = self.places.try_acquire() else { return Err(Trouble::Busy) };
        breaker.admit(Instant::now()).map_err(Trouble::Resting)?;
        match self.ask(task).await {
            Ok(content) => {
                breaker.succeeded();
                Ok(content)
            }
            Err(trouble) => {
                if breaker.failed(Instant::now()) {
                    tracing::warn!(%trouble, "the language model is left alone for a while");
                }
                Err(trouble)
            }
        }
    }

    async fn ask(&self, task: Task) -> Result<String, Trouble> {
        let body = json!({
            "model": self.model,
            "messages": [
                {"role": "system", "content": task.text},
                {"role": "user", "content": task.material},
            ],
            "temperature": 0,
            "max_tokens": task.tokens_max,
            "stream": false,
        });
        let question =
            Question::json(&self.url, body.to_string()).authorized(self.authorization.clone());
        let bounds = Bounds { patience: task.patience, bytes_max: self.bytes_max };
        let bytes = exchange(question, &self.trust, bounds).await.map_err(Trouble::Failed)?;
        let completion: Completion =
            serde_json::from_slice(&bytes).map_err(|_| Trouble::Unreadable)?;
        let content = completion.choices.into_iter().next().and_then(|one| one.message.content);
        Ok(content.unwrap_or_default())
    }
}

impl Trouble {
    /// Stable.
    fn code(&self) -> &'static str {
        match self {
            Trouble::Busy => "busy",
            Trouble::Resting(_) => "resting",
            Trouble::Failed(Failure::Unreachable(_)) => "unreachable",
            Trouble::Failed(Failure::Late(_)) => "late",
            Trouble::Failed(Failure::TooLarge(_)) => "too_large",
            Trouble::Failed(Failure::Status(_)) => "status",
            Trouble::Unreadable => "unreadable",
        }
    }
}

impl From<Trouble> for Error {
    fn from(trouble: Trouble) -> Error {
        Error::Down(trouble.to_string())
    }
}

/// The practice of this person.
async fn practice_of(
    app: &Shared,
    interview: InterviewId,
    person: PersonId,
) -> Result<Room, Error> {
    room_for(app, interview, person, InRoom::Coach).await
}

/// The JSON object in what a model wrote: many put words or a fence around it.
fn object_in(content: &str) -> &str {
    match (content.find('{'), content.rfind('}')) {
        (Some(from), Some(to)) if from < to => &content[from..=to],
        _ => content,
    }
}
