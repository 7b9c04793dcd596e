//! `greenroom serve`: puts a node together, runs it, takes it down in order.

use std::io::{self, IsTerminal, Write};
use std::net::SocketAddr;
use std::path::Path;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

use crate::auth::rate::Limiter;
use crate::auth::secret::{Purpose, Secrets};
use crate::cluster::{Ended, Replica, ReplicaOptions, Unavailable};
use crate::config::settings::Settings;
use crate::config::{kits, questions};
use crate::domain::id::InterviewId;
use crate::domain::limit;
use crate::domain::rate::Policy;
use crate::http::app::{App, Parts, Shared};
use crate::http::oidc::SignIn;
use crate::http::outside::Outside;
use crate::http::tls::{Place, Site};
use crate::http::{router, serve};
use crate::insight::Engine;
use crate::jobs::backup::{self, Backups};
use crate::jobs::lapse::{self, Patience};
use crate::jobs::{keys, report, retention, scrub, uses};
use crate::room::hub::Rules;
use crate::store::Fault;
use crate::store::directory::{Directory, DirectoryError};
use crate::store::query;
use crate::telemetry::metrics::Metrics;

use super::exit::Error;

mod chat;
mod cluster;
mod front;

use front::{Front, scheme};

/// A node that runs.
pub struct Running {
    /// Where it listens.
    pub address: SocketAddr,
    /// What it speaks there.
    pub scheme: &'static str,
    /// What links begin with.
    pub public_url: String,
    /// The one-time token, if setup is still to be done.
    pub setup_token: Option<String>,
    app: Shared,
    stop: watch::Sender<bool>,
    servers: Vec<JoinHandle<()>>,
}

/// Runs a node until a signal or a fault ends it.
pub async fn run(settings: Settings) -> Result<(), Error> {
    crate::telemetry::init(settings.log_format, &settings.log_filter, io::stderr().is_terminal())
        .map_err(|error| Error::usage("log lines cannot be written").why(error.to_string()))?;
    crate::telemetry::keep_crashes_in(&settings.data_dir);
    let mut terminated = on_signal(SignalKind::terminate())?;
    let mut interrupted = on_signal(SignalKind::interrupt())?;
    let data_dir = settings.data_dir.clone();
    let running = start(settings).await?;
    announce(&running, &data_dir)?;
    let why = tokio::select! {
        _ = terminated.recv() => None,
        _ = interrupted.recv() => None,
        why = running.app.replica.stopped() => Some(why),
    };
    match why {
        Some(Ended::Fault(why)) => {
            let next =
                "check the disk, then start it again: what was acknowledged is in the journal";
            return Err(Error::fault("this node can no longer write").why(why).next(next));
        }
        Some(Ended::Removed) => return Err(removed()),
        None => {}
    }
    tracing::info!("stopping");
    let mut stopping = pin!(running.stop());
    tokio::select! {
        () = &mut stopping => {}
        // Whoever asks twice means it.
        _ = terminated.recv() => {}
        _ = interrupted.recv() => {}
    }
    Ok(())
}

/// Starts a node and comes back when it answers.
pub async fn start(settings: Settings) -> Result<Running, Error> {
    let (metrics_token, chat) = (metrics_token(&settings)?, chat::from(&settings)?);
    let (outside, sign_ins) = (outside(&settings)?, sign_ins(&settings)?);
    let directory = Arc::new(Directory::open(&settings.data_dir).map_err(|error| match error {
        DirectoryError::InUse(_) => Error::refused(error.to_string()),
        DirectoryError::Fault(fault) => fault.into(),
    })?);
    let listener = front::bind(settings.listen, "--listen").await?;
    let address = listener.local_addr().map_err(|e| Fault::new("the listener is gone", e))?;
    let metrics = Metrics::new();
    let replica = open_replica(&settings, &directory, address, &metrics).await?;
    let identity = cluster::take_part(&replica, &directory).await?;
    let secrets = Secrets::open(&identity.signing_key, &identity.link_key)
        .map_err(|e| Fault::new("the cluster's keys cannot be read", e))?;
    let setup_token = setup_token(&directory, &identity, &secrets)?;
    let backups = Backups::open(replica.clone(), &directory, &settings, metrics.clone())?;
    let (patience, limiter) = (Patience::of(&settings), limiter(&settings));
    let scheme = scheme(&settings);
    let public_url = public_url(&settings, address);
    let front = {
        let place = Place { listen: address, public_url: public_url.clone() };
        let (secrets, cluster) = (&secrets, identity.cluster_id);
        let site = Site { secrets, cluster, directory: &directory, place };
        Front::open(&settings, &site, metrics.clone()).await?
    };
    let app = App::new(Parts {
        replica: replica.clone(),
        engine: Arc::new(Engine::built_in()),
        metrics,
        kits: kits::built_in(),
        bank: questions::bank(),
        chat,
        public_url: public_url.clone(),
        plain_cookies: address.ip().is_loopback() && !settings.tls.is_on(),
        hsts_seconds: settings.tls.is_on().then_some(settings.tls.hsts_seconds),
        login_seconds: settings.login_seconds as i64,
        rules: Rules { frames_per_second: settings.rooms_frames_per_second },
        allowed_origins: settings.allowed_origins,
        limiter,
        outside,
        sign_ins,
        trusted_proxies: settings.trusted_proxies,
        metrics_token,
        directory: directory.clone(),
        backups: backups.clone(),
        consent_text: settings.privacy_consent_text,
        setup_token: setup_token.clone(),
    })
    .await?;
    let (finished, to_report) = report::channel();
    app.hub.on_finished(Box::new(move |interview| {
        // One that finds no place is found by the next sweep.
        let _ = finished.try_send(interview);
    }));
    let router = router::router(&app);
    let of_guests = router.clone();
    replica.on_guest(Box::new(move |guest, node| {
        Box::pin(serve::peer(guest, of_guests.clone(), node))
    }));
    let (stop, stopping) = watch::channel(false);
    let operator = serve::bind_unix(&directory.socket())?;
    let mut servers = front.serve(listener, &router, &stopping);
    servers.push(tokio::spawn(serve::unix(operator, router, stopping)));
    tokio::spawn(uses::run(replica.clone(), app.uses.clone()));
    work_alone(replica, maker(&app), to_report, patience, backups);
    Ok(Running { address, scheme, public_url, setup_token, app, stop, servers })
}

/// Opens the state, and the port for other nodes.
async fn open_replica(
    settings: &Settings,
    directory: &Arc<Directory>,
    address: SocketAddr,
    metrics: &Arc<Metrics>,
) -> Result<Replica, Error> {
    let cluster = cluster::listen(settings, directory, address).await?;
    let options = ReplicaOptions {
        directory: directory.clone(),
        metrics: metrics.clone(),
        listener: cluster.listener,
        address: cluster.address,
        http: cluster.http,
        election: Duration::from_millis(limit::ELECTION_MS),
    };
    Ok(Replica::open(options).await?)
}

/// What reports are made with.
fn maker(app: &Shared) -> report::Maker {
    report::Maker { engine: Engine::clone(&app.engine), kits: Arc::new(app.kits.clone()) }
}

/// What counts requests; that nothing does is said at each start.
fn limiter(settings: &Settings) -> Limiter {
    if !settings.rate_limit_enabled {
        tracing::warn!("rate_limit.enabled is false: requests and wrong passwords are not counted");
    }
    // Either of the two sets the policy; the other one is then as in the replaced system.
    let (requests, window) = (settings.rate_limit_max_requests, settings.rate_limit_window_seconds);
    let policy = (requests.is_some() || window.is_some()).then(|| Policy {
        requests: requests.unwrap_or(300),
        window_seconds: window.unwrap_or(60),
    });
    Limiter::new(settings.rate_limit_enabled, policy)
}

/// Who else says who somebody is. A node that cannot read their keys does not start: it would
/// refuse people who did nothing wrong.
fn outside(settings: &Settings) -> Result<Outside, Error> {
    if settings.allow_unverified_jwt_dev {
        tracing::warn!(
            "allow_unverified_jwt_dev is on: anybody on this machine can be anybody here"
        );
    }
    Outside::open(settings.issuers.clone(), settings.allow_unverified_jwt_dev)
        .map_err(|why| Error::usage("the keys of an outside issuer cannot be read").why(why))
}

/// Who people can sign in with.
fn sign_ins(settings: &Settings) -> Result<Vec<SignIn>, Error> {
    let opened = settings.providers.iter().cloned().map(SignIn::open);
    opened
        .collect::<Result<_, _>>()
        .map_err(|why| Error::usage("the secret for an OpenID provider cannot be read").why(why))
}

/// Begins the work for which no person waits.
fn work_alone(
    replica: Replica,
    maker: report::Maker,
    to_report: mpsc::Receiver<InterviewId>,
    patience: Patience,
    backups: Arc<Backups>,
) {
    tokio::spawn(report::run(replica.clone(), maker, to_report));
    tokio::spawn(lapse::run(replica.clone(), patience));
    tokio::spawn(retention::run(replica.clone()));
    tokio::spawn(keys::run(replica.clone()));
    tokio::spawn(scrub::run(replica, backups.clone()));
    tokio::spawn(backup::run(backups));
}

impl Running {
    /// The replicated state, for benches, which write without the way through HTTP.
    pub fn replica(&self) -> &Replica {
        &self.app.replica
    }

    /// Takes the node down: sockets are told, running requests end, consensus stops.
    pub async fn stop(self) {
        self.app.begin_stop();
        // First of all, so that writes go on elsewhere while this node says its goodbyes.
        match self.app.replica.hand_over(None).await {
            Ok(Some(leader)) => tracing::info!(leader, "leadership was handed over"),
            Ok(None) | Err(Unavailable::NoLeader) => {}
            Err(error) => tracing::warn!(%error, "leadership was not handed over in time"),
        }
        self.app.hub.drain().await;
        self.app.sockets_closed().await;
        let _ = self.stop.send(true);
        for server in self.servers {
            let _ = server.await;
        }
        let limit = Duration::from_secs(limit::DRAIN_SECONDS);
        if tokio::time::timeout(limit, self.app.replica.shutdown()).await.is_err() {
            tracing::warn!("consensus did not stop in time; nothing acknowledged is lost");
        }
        let _ = std::fs::remove_file(self.app.directory.socket());
    }
}

fn removed() -> Error {
    let next =
        "to bring this machine back, empty its data directory and join again with a new token";
    Error::refused("this node was removed from its cluster").next(next)
}

/// The base of links.
fn public_url(settings: &Settings, address: SocketAddr) -> String {
    let own = || format!("{}://{}", scheme(settings), reachable(address));
    settings.public_url.clone().unwrap_or_else(own)
}

/// The first line of the file that the settings name.
fn metrics_token(settings: &Settings) -> Result<Option<String>, Error> {
    let Some(path) = &settings.metrics_token_file else { return Ok(None) };
    let text = std::fs::read_to_string(path).map_err(|error| {
        Error::usage(format!("cannot read metrics.token_file {}", path.display()))
            .why(error.to_string())
    })?;
    Ok(Some(text.lines().next().unwrap_or_default().trim().to_owned()))
}

/// The setup token. It is derived, so that every node of the cluster has the same one, and a link
/// that was printed still works after a restart. After setup there is none.
fn setup_token(
    directory: &Directory,
    identity: &query::cluster::Identity,
    secrets: &Secrets,
) -> Result<Option<String>, Fault> {
    if identity.organisation.is_some() {
        return Ok(None);
    }
    let token = secrets.link(Purpose::Setup, identity.cluster_id.0, 0);
    directory.write_secret(&directory.setup_token(), &format!("{token}\n"))?;
    Ok(Some(token))
}

fn announce(running: &Running, data_dir: &Path) -> Result<(), Error> {
    if let Some(token) = &running.setup_token {
        eprintln!(
            "\nThis Greenroom is new. Open this link once to set it up:\n\n  {}/setup#{token}\n\n\
             The token is also in {}; `greenroom setup` does the same without a browser.\n",
            running.public_url,
            data_dir.join("setup-token").display()
        );
    }
    let mut stdout = io::stdout().lock();
    writeln!(stdout, "listening {}://{}", running.scheme, running.address)
        .and_then(|()| stdout.flush())
        .map_err(|error| Error::output(&error))
}

/// An address that a browser on this machine can open.
fn reachable(address: SocketAddr) -> SocketAddr {
    if address.ip().is_unspecified() {
        let loopback: std::net::IpAddr = match address {
            SocketAddr::V4(_) => std::net::Ipv4Addr::LOCALHOST.into(),
            SocketAddr::V6(_) => std::net::Ipv6Addr::LOCALHOST.into(),
        };
        return SocketAddr::new(loopback, address.port());
    }
    address
}

fn on_signal(kind: SignalKind) -> Result<tokio::signal::unix::Signal, Error> {
    signal(kind).map_err(|e| Error::fault("signals cannot be heard").why(e.to_string()))
}
