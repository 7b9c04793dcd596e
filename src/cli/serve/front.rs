//! The doors of a node: what the listener speaks, and who is sent on from plain HTTP.

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::cli::exit::Error;
use crate::config::settings::Settings;
use crate::http::crowd::Crowd;
use crate::http::router::Routes;
use crate::http::serve::{self, Door};
use crate::http::tls::{Site, Tls};
use crate::telemetry::metrics::Metrics;

/// The doors before anybody answers behind them.
pub(super) struct Front {
    tls: Option<Tls>,
    hangup: Option<Signal>,
    plain: Option<TcpListener>,
    crowd: Arc<Crowd>,
    public_url: Option<String>,
    address: SocketAddr,
}

/// Takes a port that people come to.
pub(super) async fn bind(address: SocketAddr, set_by: &str) -> Result<TcpListener, Error> {
    TcpListener::bind(address).await.map_err(|error| {
        Error::refused(format!("cannot listen on {address}"))
            .why(error.to_string())
            .next(format!("choose another address with {set_by}, for instance 127.0.0.1:0"))
    })
}

/// What the listener speaks.
pub(super) fn scheme(settings: &Settings) -> &'static str {
    if settings.tls.is_on() { "https" } else { "http" }
}

impl Front {
    /// Reads the certificate and takes the ports.
    pub(super) async fn open(
        settings: &Settings,
        site: &Site<'_>,
        metrics: Arc<Metrics>,
    ) -> Result<Front, Error> {
        let tls = Tls::open(&settings.tls, site, metrics)
            .map_err(|why| Error::usage("this node cannot speak TLS").why(why))?;
        let hangup = match tls {
            Some(_) => Some(super::on_signal(SignalKind::hangup())?),
            None => None,
        };
        let plain = match settings.tls.redirect_listen {
            Some(address) => Some(bind(address, "tls.redirect_listen").await?),
            None => None,
        };
        let crowd = Crowd::new(settings.connections_per_address, &settings.trusted_proxies);
        let public_url = settings.public_url.clone();
        Ok(Front { tls, hangup, plain, crowd, public_url, address: site.place.listen })
    }

    /// Lets people and programs in.
    pub(super) fn serve(
        self,
        listener: TcpListener,
        routes: &Routes,
        stop: &watch::Receiver<bool>,
    ) -> Vec<JoinHandle<()>> {
        let plain = Door::to_https(self.public_url, self.address.port());
        let door = Door { router: routes.clone(), tls: self.tls.clone(), plain, crowd: self.crowd };
        let mut servers = Vec::new();
        if let Some(listener) = self.plain {
            let address = listener.local_addr().ok();
            tracing::info!(?address, "plain HTTP is sent on from here");
            servers.push(tokio::spawn(serve::tcp(listener, door.sends_on(), stop.clone())));
        }
        servers.push(tokio::spawn(serve::tcp(listener, door, stop.clone())));
        if let (Some(tls), Some(mut hangup)) = (self.tls, self.hangup) {
            // It ends with the runtime: there is nothing in it that has to be finished.
            tokio::spawn(tls.keep(async move || {
                hangup.recv().await;
            }));
        }
        servers
    }
}
