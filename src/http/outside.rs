//! People who come with a token of somebody else: its issuer's keys, and who the person is here.

use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use tokio::sync::Mutex;

use crate::auth::outside::{
    Claims, Expected, Failure, Keys, peek, read_unverified, role, stranger,
};
use crate::cluster::fresh;
use crate::config::outside::Issuer;
use crate::domain::command::{Command, Envelope, NewPerson, Outcome, Outsider};
use crate::domain::id::PersonId;
use crate::domain::limit::door as limit;
use crate::domain::person::{Person, Role};
use crate::domain::refusal::{Code, Refusal};
use crate::domain::time::Time;
use crate::store::query;

use super::app::{App, Shared};
use super::error::Error;
use super::outgoing::{self, Question};

/// Who else is believed.
pub struct Outside {
    issuers: Vec<(Issuer, Ring)>,
    /// Whether tokens that nobody signed are believed; the settings allow it on a developer's
    /// machine only.
    unverified: bool,
}

/// The keys of one issuer, and where they come from.
pub(super) struct Ring {
    source: Source,
    algorithms: Vec<String>,
    keys: RwLock<Option<Found>>,
    looks: Mutex<Looks>,
}

/// Where keys come from.
pub(super) enum Source {
    File(PathBuf),
    Url(String),
}

/// Keys, and when they were read.
#[derive(Clone)]
struct Found {
    keys: Arc<Keys>,
    at: Instant,
}

/// When keys were looked for.
#[derive(Default)]
struct Looks {
    failed_at: Option<Instant>,
    window_began: Option<Instant>,
    in_window: u32,
}

/// What tokens begin with that nobody signed: their people are apart from everybody else's.
const UNVERIFIED: &str = "unverified:";

impl Outside {
    /// Reads the keys that lie in files; those that are fetched are fetched when they are needed.
    pub fn open(issuers: Vec<Issuer>, unverified: bool) -> Result<Outside, String> {
        let opened = issuers.into_iter().map(|issuer| {
            let source = match (&issuer.jwks_file, &issuer.jwks_url) {
                (Some(path), _) => Source::File(path.clone()),
                (None, Some(url)) => Source::Url(url.clone()),
                (None, None) => return Err(format!("{} has no keys", issuer.issuer)),
            };
            let ring = Ring::new(source, issuer.algorithms.clone());
            if let Source::File(path) = &ring.source {
                let keys = read_file(path).and_then(|text| Keys::parse(&text, &ring.algorithms));
                let keys = keys.map_err(|error| format!("{}: {error}", path.display()))?;
                ring.set(keys);
            }
            Ok((issuer, ring))
        });
        Ok(Outside { issuers: opened.collect::<Result<_, _>>()?, unverified })
    }
}

impl Ring {
    /// No keys yet.
    pub(super) fn new(source: Source, algorithms: Vec<String>) -> Ring {
        Ring { source, algorithms, keys: RwLock::default(), looks: Mutex::default() }
    }

    /// Checks a token, with new keys if it names one that nobody knows.
    pub(super) async fn verify(
        &self,
        token: &str,
        expected: &Expected<'_>,
        app: &App,
    ) -> Result<Claims, Failure> {
        let mut keys = self.current(false).await;
        for again in [true, false] {
            let now = app.replica.now();
            let Some(known) = &keys else { return Err(Failure::UnknownKey) };
            match known.keys.verify(token, expected, now) {
                Err(Failure::UnknownKey) if again => keys = self.current(true).await,
                result => return result,
            }
        }
        Err(Failure::UnknownKey)
    }

    fn set(&self, keys: Keys) {
        let found = Found { keys: Arc::new(keys), at: Instant::now() };
        *self.keys.write().unwrap_or_else(PoisonError::into_inner) = Some(found);
    }

    fn get(&self) -> Option<Found> {
        self.keys.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The keys, looked at anew if they are old, or if a new one is wanted and it is not too often.
    async fn current(&self, want_new: bool) -> Option<Found> {
        let before = self.get();
        let long = Duration::from_secs(limit::ISSUER_KEYS_SECONDS);
        let mut looks = match &before {
            Some(found) if !want_new && found.at.elapsed() < long => return before,
            // Whoever has keys does not wait for somebody else's look.
            Some(_) if !want_new => match self.looks.try_lock() {
                Ok(looks) => looks,
                Err(_) => return before,
            },
            _ => self.looks.lock().await,
        };
        let came = self.get();
        let others_looked =
            came.as_ref().map(|found| found.at) != before.as_ref().map(|found| found.at);
        if others_looked || !looks.may() {
            return came;
        }
        match self.look().await.and_then(|text| Keys::parse(&text, &self.algorithms)) {
            Ok(keys) => {
                self.set(keys);
                looks.failed_at = None;
            }
            // The old ones hold on: an issuer that is down must not lock everybody out.
            Err(error) => {
                looks.failed_at = Some(Instant::now());
                tracing::warn!(error, "the keys of an outside issuer were not read");
            }
        }
        self.get()
    }

    async fn look(&self) -> Result<String, String> {
        match &self.source {
            Source::File(path) => {
                let path = path.clone();
                let read = tokio::task::spawn_blocking(move || read_file(&path)).await;
                read.unwrap_or_else(|error| Err(error.to_string()))
            }
            Source::Url(url) => {
                let bytes = outgoing::ask(Question::read(url)).await?;
                String::from_utf8(bytes.into()).map_err(|e| e.to_string())
            }
        }
    }
}

impl Looks {
    /// Counts a look, if one more is allowed.
    fn may(&mut self) -> bool {
        let retry = Duration::from_millis(limit::ISSUER_RETRY_MS);
        if self.failed_at.is_some_and(|at| at.elapsed() < retry) {
            return false;
        }
        let window = Duration::from_secs(limit::ISSUER_LOOKS_SECONDS);
        if self.window_began.is_none_or(|began| began.elapsed() >= window) {
            self.window_began = Some(Instant::now());
            self.in_window = 0;
        }
        self.in_window += 1;
        self.in_window <= limit::ISSUER_LOOKS_MAX
    }
}

fn read_file(path: &std::path::Path) -> Result<String, String> {
    use std::io::Read;
    let mut text = String::new();
    let file = std::fs::File::open(path).map_err(|e| e.to_string())?;
    let most = limit::OUTSIDE_ANSWER_BYTES_MAX as u64;
    file.take(most + 1).read_to_string(&mut text).map_err(|e| e.to_string())?;
    if text.len() as u64 > most { Err(format!("larger than {most} bytes")) } else { Ok(text) }
}

/// The person behind a bearer token of an outside issuer; `None` if it is not from one. At a door
/// that is open to all nobody new is made: `welcome` says whether somebody may be.
pub(super) async fn person(
    app: &Shared,
    token: &str,
    welcome: bool,
) -> Result<Option<(Person, Option<Time>)>, Error> {
    let outside = &app.outside;
    if outside.issuers.is_empty() && !outside.unverified {
        return Ok(None);
    }
    let Some((_, said)) = peek(token) else { return Ok(None) };
    let named = said.get("iss").and_then(|name| name.as_str()).unwrap_or_default();
    if named == app.issuer {
        return Ok(None);
    }
    let known = outside.issuers.iter().find(|(issuer, _)| issuer.issuer == named);
    let (issuer, claims, role) = match known {
        Some((issuer, ring)) => {
            let expected = Expected { issuer: named, audience: &issuer.audience };
            let claims = ring.verify(token, &expected, app).await.map_err(Refusal::from)?;
            let role = role(&claims, issuer.role_claim.as_deref(), &issuer.roles);
            (named.to_owned(), claims, role)
        }
        None if outside.unverified => {
            let claims = read_unverified(token, app.replica.now()).map_err(Refusal::from)?;
            let said = claims.get("role").and_then(|role| role.as_str());
            let role = said.and_then(Role::parse).filter(|role| *role != Role::Service);
            let role = role.unwrap_or(Role::Candidate);
            (format!("{UNVERIFIED}{named}"), claims, role)
        }
        None => return Ok(None),
    };
    let person = identified(app, &issuer, &claims, role, welcome).await?;
    let ends = claims.get("exp").and_then(serde_json::Value::as_f64);
    Ok(person.map(|person| (person, ends.map(|seconds| Time((seconds * 1_000.0) as i64)))))
}

/// Who that is here: somebody known, or somebody new.
pub(super) async fn identified(
    app: &Shared,
    issuer: &str,
    claims: &Claims,
    role: Role,
    welcome: bool,
) -> Result<Option<Person>, Error> {
    let stranger = stranger(issuer, claims, app.replica.now()).map_err(Refusal::from)?;
    let (name, subject) = (issuer.to_owned(), stranger.subject.clone());
    let read = move |db: &query::Connection| {
        let Some(known) = query::doors::identity(db, &name, &subject)? else { return Ok(None) };
        Ok(query::person::by_id(db, known.person)?.map(|person| (known, person)))
    };
    match app.replica.read(read).await? {
        Some((_, person)) if person.disabled => Err(disabled().into()),
        // A token from before the issuer's last word changes nothing.
        Some((known, person)) if known.role == role || known.said_at > stranger.said_at => {
            Ok(Some(person))
        }
        _ if !welcome => Ok(None),
        _ => {
            let person = Box::new(NewPerson {
                id: PersonId(fresh()),
                email: stranger.email.unwrap_or_else(|| stranger.own_address.clone()),
                display_name: stranger.display_name,
                role,
                password_hash: None,
                invite_expires_at: None,
            });
            let outsider = Box::new(Outsider {
                issuer: issuer.to_owned(),
                subject: stranger.subject,
                said_at: stranger.said_at,
                own_address: stranger.own_address,
            });
            let command = Command::Welcome { outsider, person };
            match app.replica.propose(Envelope::own(app.replica.now(), command)).await? {
                Outcome::Person { person } if person.disabled => Err(disabled().into()),
                Outcome::Person { person } => Ok(Some(*person)),
                Outcome::Refused { refusal } => Err(refusal.into()),
                _ => Err(disabled().into()),
            }
        }
    }
}

fn disabled() -> Refusal {
    Refusal::new(Code::AuthInvalid, "this account is disabled; ask an admin")
}
