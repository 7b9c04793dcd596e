//! What every handler may use.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::http::HeaderValue;
use tokio::sync::{Semaphore, watch};

use crate::auth::failures::Failures;
use crate::auth::password::Passwords;
use crate::auth::rate::Limiter;
use crate::auth::secret::Secrets;
use crate::auth::ticket::TicketBook;
use crate::cluster::Replica;
use crate::config::network::Network;
use crate::domain::kit::Kit;
use crate::domain::limit;
use crate::insight::Engine;
use crate::insight::coach::BankQuestion;
use crate::jobs::backup::Backups;
use crate::jobs::takeout::Takeout;
use crate::jobs::uses::Uses;
use crate::room::answer::Analyst;
use crate::room::calibrations::Calibrations;
use crate::room::hub::{Hub, Rules};
use crate::store::Fault;
use crate::store::directory::Directory;
use crate::store::query;
use crate::telemetry::metrics::Metrics;

use super::chat::Chat;
use super::forward::Lines;
use super::keys::Keys;
use super::layers;
use super::oidc::SignIn;
use super::outside::Outside;

/// The parts of a node, shared by all requests.
pub struct App {
    /// The replicated state.
    pub replica: Replica,
    /// The rooms.
    pub hub: Hub,
    /// Analyses answers that come over HTTP.
    pub analyst: Analyst,
    /// Socket tickets.
    pub tickets: TicketBook,
    /// Password hashing, bounded.
    pub passwords: Passwords,
    /// Keys of the cluster.
    pub secrets: Secrets,
    /// Who signs access tokens.
    pub issuer: String,
    /// Counters and histograms.
    pub metrics: Arc<Metrics>,
    /// The engine.
    pub engine: Arc<Engine>,
    /// The kits in the binary.
    pub kits: Vec<Kit>,
    /// Practice questions beyond the kits.
    pub bank: Arc<Vec<BankQuestion>>,
    /// The language model, if there is one.
    pub chat: Option<Chat>,
    /// The base of links, without a slash at its end.
    pub public_url: String,
    /// How long a login lasts without being used.
    pub login_seconds: i64,
    /// Whether cookies have to do without `Secure`: on a loopback listener that speaks plain HTTP,
    /// where one would never come back.
    pub plain_cookies: bool,
    /// What browsers are told about https, where it is spoken.
    pub hsts: Option<HeaderValue>,
    /// Further origins that may open sockets.
    pub allowed_origins: Vec<String>,
    /// The token that lets a collector read `/metrics` from elsewhere.
    pub metrics_token: Option<String>,
    /// Where the setup token lies until setup.
    pub directory: Arc<Directory>,
    /// The backups.
    pub backups: Arc<Backups>,
    /// People's own data as files.
    pub takeout: Takeout,
    /// What candidates of a live interview agree to or decline.
    pub consent_text: String,
    /// The setup token until setup.
    pub setup_token: Mutex<Option<String>>,
    /// Counts requests.
    pub limiter: Limiter,
    /// Who else says who somebody is.
    pub outside: Outside,
    /// Providers to sign in with.
    pub sign_ins: Vec<SignIn>,
    /// Proxies that may say for whom they speak.
    pub trusted_proxies: Vec<Network>,
    /// When this node last looked at the policies that an admin has set.
    pub(super) limits_looked_at: Mutex<Option<Instant>>,
    /// A place for each socket of this node.
    pub(super) sockets: Arc<Semaphore>,
    /// Connections to other nodes.
    pub(super) lines: Lines,
    /// A place for each tunnel that is being opened.
    pub(super) tunnel_dials: Semaphore,
    /// Tokens of programs that were used here.
    pub uses: Arc<Uses>,
    /// Sign-ins that failed here.
    pub failures: Failures,
    /// What this node knows of idempotency keys.
    pub(super) keys: Arc<Keys>,
    set_up: AtomicBool,
    stopping: watch::Sender<bool>,
}

/// An [`App`] as handlers hold it.
pub type Shared = Arc<App>;

/// What an [`App`] is made from.
pub struct Parts {
    /// The replicated state, founded.
    pub replica: Replica,
    /// The engine.
    pub engine: Arc<Engine>,
    /// Counters and histograms.
    pub metrics: Arc<Metrics>,
    /// The kits in the binary.
    pub kits: Vec<Kit>,
    /// The bank of practice questions.
    pub bank: Vec<BankQuestion>,
    /// The language model, if there is one.
    pub chat: Option<Chat>,
    /// The base of links.
    pub public_url: String,
    /// How long a login lasts without being used.
    pub login_seconds: i64,
    /// Whether cookies have to do without `Secure`.
    pub plain_cookies: bool,
    /// For how many seconds browsers remember https; `None` where it is not spoken.
    pub hsts_seconds: Option<u64>,
    /// Further origins that may open sockets.
    pub allowed_origins: Vec<String>,
    /// The token for `/metrics`.
    pub metrics_token: Option<String>,
    /// Counts requests.
    pub limiter: Limiter,
    /// Who else says who somebody is.
    pub outside: Outside,
    /// Providers to sign in with.
    pub sign_ins: Vec<SignIn>,
    /// Proxies that may say for whom they speak.
    pub trusted_proxies: Vec<Network>,
    /// The data directory.
    pub directory: Arc<Directory>,
    /// The backups.
    pub backups: Arc<Backups>,
    /// What candidates of a live interview agree to or decline, if not our sentence.
    pub consent_text: Option<String>,
    /// What holds in rooms.
    pub rules: Rules,
    /// The setup token, if setup is still to be done.
    pub setup_token: Option<String>,
}

/// What is asked where nobody has written another sentence.
const CONSENT_TEXT: &str = "I agree that what I say and write in this interview is kept as text \
    and analysed on this organisation's own machine, so that the interviewers can assess my \
    answers. If I decline, only the interviewers' notes are kept. I can change my mind any time.";

/// Where exports are put together; backups empty it at each start.
const EXPORT_WORK: &str = "backup-work";

impl App {
    /// Puts a node together.
    pub async fn new(parts: Parts) -> Result<Shared, Fault> {
        let identity = parts
            .replica
            .read(query::cluster::identity)
            .await?
            .ok_or_else(|| Fault::plain("the cluster was not founded"))?;
        let secrets = Secrets::open(&identity.signing_key, &identity.link_key)
            .map_err(|e| Fault::new("the cluster's keys cannot be read", e))?;
        let analyst = Analyst {
            replica: parts.replica.clone(),
            calibrations: Calibrations::new(Engine::clone(&parts.engine)),
            engine: parts.engine.clone(),
            metrics: parts.metrics.clone(),
        };
        Ok(Arc::new(App {
            hub: Hub::new(analyst.clone(), parts.rules),
            analyst,
            takeout: Takeout::new(parts.replica.clone(), parts.directory.root().join(EXPORT_WORK)),
            consent_text: parts.consent_text.unwrap_or_else(|| CONSENT_TEXT.to_owned()),
            replica: parts.replica,
            tickets: TicketBook::new(),
            passwords: Passwords::new(),
            secrets,
            issuer: format!("greenroom:{}", identity.cluster_id),
            metrics: parts.metrics,
            engine: parts.engine,
            kits: parts.kits,
            bank: Arc::new(parts.bank),
            chat: parts.chat,
            public_url: parts.public_url.trim_end_matches('/').to_owned(),
            login_seconds: parts.login_seconds,
            plain_cookies: parts.plain_cookies,
            hsts: parts.hsts_seconds.and_then(layers::hsts),
            allowed_origins: parts.allowed_origins,
            metrics_token: parts.metrics_token,
            limiter: parts.limiter,
            outside: parts.outside,
            sign_ins: parts.sign_ins,
            trusted_proxies: parts.trusted_proxies,
            limits_looked_at: Mutex::default(),
            directory: parts.directory,
            backups: parts.backups,
            setup_token: Mutex::new(parts.setup_token),
            sockets: Arc::new(Semaphore::new(limit::SOCKETS_MAX)),
            lines: Lines::new(),
            tunnel_dials: Semaphore::new(limit::TUNNEL_DIALS_MAX),
            uses: Arc::default(),
            failures: Failures::default(),
            keys: Arc::default(),
            set_up: AtomicBool::new(identity.organisation.is_some()),
            stopping: watch::Sender::new(false),
        }))
    }

    /// Whether setup was done.
    pub fn is_set_up(&self) -> bool {
        self.set_up.load(Ordering::Acquire)
    }

    /// The same, but looks into the state before it says no: another node may have done it.
    pub(super) async fn look_whether_set_up(&self) -> Result<bool, Fault> {
        if self.is_set_up() {
            return Ok(true);
        }
        let identity = self.replica.read(query::cluster::identity).await?;
        if identity.is_some_and(|identity| identity.organisation.is_some()) {
            self.note_set_up();
        }
        Ok(self.is_set_up())
    }

    /// Notes that setup was done: the token is of no use any more.
    pub(super) fn note_set_up(&self) {
        self.set_up.store(true, Ordering::Release);
        self.setup_token.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Err(error) = std::fs::remove_file(self.directory.setup_token())
            && error.kind() != std::io::ErrorKind::NotFound
        {
            tracing::warn!(%error, "the used setup token could not be removed from the disk");
        }
    }

    /// The engine under the calibration that is in force now.
    pub(super) async fn engine_in_force(&self) -> Result<Engine, Fault> {
        let calibrations = self.analyst.calibrations.clone();
        self.replica.read(move |db| calibrations.in_force(db)).await
    }

    /// Takes over the keys of access tokens that the state has now: another node may have changed
    /// them.
    pub(super) async fn renew_keys(&self) -> Result<(), Fault> {
        match self.replica.read(query::keys::keys).await? {
            Some(keys) => self.take_over(&keys),
            None => Ok(()),
        }
    }

    /// The same with keys that were read.
    pub(super) fn take_over(&self, keys: &query::keys::Keys) -> Result<(), Fault> {
        let next = keys.next.as_ref().map(|next| next.public_key.as_str());
        let turned = self.secrets.turn(&keys.signing_key, &keys.former, next);
        turned.map_err(|e| Fault::new("the cluster's keys cannot be read", e))
    }

    /// Whether the node is going down.
    pub fn is_stopping(&self) -> bool {
        *self.stopping.borrow()
    }

    /// Begins going down: `/readyz` says so from now on.
    pub fn begin_stop(&self) {
        self.stopping.send_replace(true);
    }

    /// Waits until the node is going down.
    pub(super) async fn stopping(&self) {
        // The sender is ours, so it cannot be gone.
        let _ = self.stopping.subscribe().wait_for(|stopping| *stopping).await;
    }

    /// Waits until every socket is closed, for so long as a stopping node may.
    pub async fn sockets_closed(&self) {
        let all = u32::try_from(limit::SOCKETS_MAX).unwrap_or(u32::MAX);
        let patience = Duration::from_secs(limit::DRAIN_SECONDS);
        if tokio::time::timeout(patience, self.sockets.acquire_many(all)).await.is_err() {
            tracing::warn!("some sockets did not close in time and are cut off");
        }
    }
}
