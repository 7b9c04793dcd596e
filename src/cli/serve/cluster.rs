//! The node's place in its cluster: the port for other nodes, founding, and waiting to be let in.

use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use std::time::Duration;

use tokio::net::TcpListener;

use crate::auth::secret::Secrets;
use crate::cli::exit::Error;
use crate::cluster::identity::{Anew, Identity};
use crate::cluster::{Ended, Replica, Seat, fresh};
use crate::config::settings::Settings;
use crate::domain::command::{Command, Envelope, Outcome};
use crate::domain::id::ClusterId;
use crate::store::Fault;
use crate::store::directory::Directory;
use crate::store::query;

use super::front::scheme;

/// The open cluster port, and what others use to reach this node.
pub(super) struct Listening {
    pub(super) listener: TcpListener,
    pub(super) address: String,
    pub(super) http: String,
}

/// The founder of a cluster has this id; later ones are given by the cluster.
const FIRST_NODE: u64 = 1;

/// Between two looks whether this node was let in.
const LOOK: Duration = Duration::from_millis(20);

/// Between two log lines about waiting.
const PATIENCE: Duration = Duration::from_secs(5);

/// Opens the cluster port: the one that was named, or the port after that of the HTTP listener, or
/// a free one that is remembered.
pub(super) async fn listen(
    settings: &Settings,
    directory: &Directory,
    http: SocketAddr,
) -> Result<Listening, Error> {
    let loaded = Identity::load(directory)?;
    let remembered = loaded.as_ref().and_then(|identity| identity.port);
    let wanted = match settings.cluster_listen {
        Some(address) => address,
        None if settings.listen.port() == 0 => SocketAddr::new(http.ip(), 0),
        None => SocketAddr::new(http.ip(), http.port().wrapping_add(1)),
    };
    let listener = match (wanted.port(), remembered) {
        (0, Some(port)) => match TcpListener::bind(SocketAddr::new(wanted.ip(), port)).await {
            Ok(listener) => listener,
            Err(error) => {
                tracing::warn!(port, %error, "the cluster port of the last start is taken");
                bind(wanted).await?
            }
        },
        _ => bind(wanted).await?,
    };
    let address = listener.local_addr().map_err(|e| Fault::new("the listener is gone", e))?;
    if wanted.port() == 0 && remembered != Some(address.port()) {
        let mut identity = loaded.unwrap_or_else(|| Identity::new(FIRST_NODE));
        identity.port = Some(address.port());
        identity.save(directory)?;
    }
    Ok(Listening {
        listener,
        address: from_elsewhere(address).to_string(),
        http: format!("{}://{}", scheme(settings), from_elsewhere(http)),
    })
}

async fn bind(address: SocketAddr) -> Result<TcpListener, Error> {
    TcpListener::bind(address).await.map_err(|error| {
        Error::refused(format!("cannot listen for other nodes on {address}"))
            .why(error.to_string())
            .next("choose another address with --cluster-listen, for instance 127.0.0.1:0")
    })
}

/// An address that another machine can use. For a listener on every interface it is the one that
/// this machine's own traffic would go out by; asking for it sends nothing.
fn from_elsewhere(address: SocketAddr) -> SocketAddr {
    if !address.ip().is_unspecified() {
        return address;
    }
    // A documentation address (RFC 5737): the route to it is the default route.
    let route = || -> std::io::Result<IpAddr> {
        let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0))?;
        socket.connect((Ipv4Addr::new(192, 0, 2, 1), 9))?;
        Ok(socket.local_addr()?.ip())
    };
    SocketAddr::new(route().unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST)), address.port())
}

/// Founds the cluster if that is this node's to do, or waits until the cluster has let it in and
/// the state says who the cluster is.
pub(super) async fn take_part(
    replica: &Replica,
    directory: &Directory,
) -> Result<query::cluster::Identity, Error> {
    let identity = Identity::load(directory)?;
    let is_guest = identity.as_ref().is_some_and(|identity| !identity.peers.is_empty());
    let known = replica.read(query::cluster::identity).await?;
    if is_guest {
        if known.is_some() {
            replica.settle_level().await?;
        }
        return wait_for_identity(replica).await;
    }
    let certified = identity.as_ref().is_some_and(|identity| identity.papers.is_some());
    if known.is_none() || !certified {
        wait_to_lead(replica).await?;
    }
    if known.is_none() {
        let (signing_key, link_key) =
            Secrets::mint().map_err(|e| Fault::new("the cluster's keys cannot be made", e))?;
        let cluster_id = ClusterId(fresh());
        do_or_fail(replica, Command::Found { cluster_id, signing_key, link_key }).await?;
    }
    replica.settle_level().await?;
    if let Some(Anew { reason, loss }) = identity.and_then(|identity| identity.anew) {
        let cluster_id = ClusterId(fresh());
        do_or_fail(replica, Command::Refound { cluster_id, reason, loss }).await?;
    }
    replica.certify_founder().await?;
    wait_for_identity(replica).await
}

async fn do_or_fail(replica: &Replica, command: Command) -> Result<(), Error> {
    match replica.propose(Envelope::own(replica.now(), command)).await {
        Ok(Outcome::Done) => Ok(()),
        Ok(other) => Err(Fault::plain(format!("the cluster was not founded: {other:?}")).into()),
        Err(unavailable) => Err(Fault::new("the cluster was not founded", unavailable).into()),
    }
}

/// A cluster of one has its leader after one election.
async fn wait_to_lead(replica: &Replica) -> Result<(), Error> {
    let mut seat = replica.watch_seat();
    let waiting = tokio::time::timeout(PATIENCE, seat.wait_for(|seat| *seat == Seat::Here));
    match waiting.await {
        Ok(Ok(_)) => Ok(()),
        _ => Err(Error::unavailable("this node did not become the leader of its cluster")
            .next("look at the log lines above; a state that was restored has to lead alone")),
    }
}

async fn wait_for_identity(replica: &Replica) -> Result<query::cluster::Identity, Error> {
    let mut since = tokio::time::Instant::now();
    loop {
        if let Some(identity) = replica.read(query::cluster::identity).await? {
            return Ok(identity);
        }
        tokio::select! {
            () = tokio::time::sleep(LOOK) => {}
            ended = replica.stopped() => return Err(match ended {
                Ended::Fault(why) => Fault::plain(why).into(),
                Ended::Removed => super::removed(),
            }),
        }
        if since.elapsed() >= PATIENCE {
            since = tokio::time::Instant::now();
            tracing::info!(
                node = replica.node(),
                "waiting for the cluster to let this node in; can its nodes reach each other?"
            );
        }
    }
}
