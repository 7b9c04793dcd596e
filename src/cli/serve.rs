//! `greenroom serve`: puts a node together, runs it, takes it down in order.

use std::io::{self, IsTerminal, Write};
use std::net::SocketAddr;
use std::path::Path;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::auth::secret::{Secrets, random_token};
use crate::cluster::{Replica, ReplicaOptions, fresh};
use crate::config::kits;
use crate::config::settings::Settings;
use crate::domain::command::{Command, Envelope, Outcome};
use crate::domain::id::ClusterId;
use crate::domain::limit;
use crate::http::app::{App, Parts, Shared};
use crate::http::{router, serve};
use crate::insight::Engine;
use crate::jobs::report;
use crate::store::Fault;
use crate::store::directory::{Directory, DirectoryError};
use crate::store::query;
use crate::telemetry::metrics::Metrics;

use super::exit::Error;

/// A node that runs.
pub struct Running {
    /// Where it listens.
    pub address: SocketAddr,
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
    if let Some(why) = why {
        return Err(Error::fault("this node can no longer write")
            .why(why)
            .next("check the disk, then start it again: what was acknowledged is in the journal"));
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
    let metrics_token = metrics_token(&settings)?;
    let directory = Arc::new(Directory::open(&settings.data_dir).map_err(|error| match error {
        DirectoryError::InUse(_) => Error::refused(error.to_string()),
        DirectoryError::Fault(fault) => fault.into(),
    })?);
    let listener = TcpListener::bind(settings.listen).await.map_err(|error| {
        Error::refused(format!("cannot listen on {}", settings.listen))
            .why(error.to_string())
            .next("choose another address with --listen, for instance 127.0.0.1:0")
    })?;
    let address = listener.local_addr().map_err(|e| Fault::new("the listener is gone", e))?;
    let metrics = Metrics::new();
    let replica_options = ReplicaOptions { directory: directory.clone(), metrics: metrics.clone() };
    let replica = Replica::open(replica_options).await?;
    let set_up = found(&replica).await?;
    let setup_token = if set_up { None } else { Some(setup_token(&directory)?) };
    let public_url =
        settings.public_url.unwrap_or_else(|| format!("http://{}", reachable(address)));
    let app = App::new(Parts {
        replica: replica.clone(),
        engine: Arc::new(Engine::built_in()),
        metrics,
        kits: kits::built_in(),
        public_url: public_url.clone(),
        loopback: address.ip().is_loopback(),
        allowed_origins: settings.allowed_origins,
        metrics_token,
        directory: directory.clone(),
        setup_token: setup_token.clone(),
    })
    .await?;
    let (finished, to_report) = report::channel();
    app.hub.on_finished(Box::new(move |interview| {
        // One that finds no place is found by the next sweep.
        let _ = finished.try_send(interview);
    }));
    let router = router::router(&app);
    let (stop, stopping) = watch::channel(false);
    let operator = serve::bind_unix(&directory.socket())?;
    let servers = vec![
        tokio::spawn(serve::tcp(listener, router.clone(), stopping.clone())),
        tokio::spawn(serve::unix(operator, router, stopping)),
    ];
    tokio::spawn(report::run(replica, to_report));
    Ok(Running { address, public_url, setup_token, app, stop, servers })
}

impl Running {
    /// Takes the node down: sockets are told, running requests end, consensus stops.
    pub async fn stop(self) {
        self.app.begin_stop();
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

/// The first line of the file that the settings name.
fn metrics_token(settings: &Settings) -> Result<Option<String>, Error> {
    let Some(path) = &settings.metrics_token_file else { return Ok(None) };
    let text = std::fs::read_to_string(path).map_err(|error| {
        Error::usage(format!("cannot read metrics.token_file {}", path.display()))
            .why(error.to_string())
    })?;
    Ok(Some(text.lines().next().unwrap_or_default().trim().to_owned()))
}

/// Gives a new cluster its identity; says whether setup was done.
async fn found(replica: &Replica) -> Result<bool, Fault> {
    if let Some(identity) = replica.read(query::cluster::identity).await? {
        return Ok(identity.organisation.is_some());
    }
    let (signing_key, link_key) =
        Secrets::mint().map_err(|e| Fault::new("the cluster's keys cannot be made", e))?;
    let command = Command::Found { cluster_id: ClusterId(fresh()), signing_key, link_key };
    let envelope = Envelope::own(replica.now(), command);
    match replica.propose(envelope).await {
        Ok(Outcome::Done) => Ok(false),
        Ok(other) => Err(Fault::plain(format!("the cluster could not be founded: {other:?}"))),
        Err(unavailable) => Err(Fault::new("the cluster could not be founded", unavailable)),
    }
}

/// The setup token: the same one after a restart, so that a link that was printed still works.
fn setup_token(directory: &Directory) -> Result<String, Fault> {
    let path = directory.setup_token();
    match std::fs::read_to_string(&path) {
        Ok(token) if !token.trim().is_empty() => Ok(token.trim().to_owned()),
        _ => {
            let token = random_token();
            directory.write_secret(&path, &format!("{token}\n"))?;
            Ok(token)
        }
    }
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
    writeln!(stdout, "listening http://{}", running.address)
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
