//! Where requests are answered: here, at another node, or nowhere for the moment.

use openraft::Raft;
use openraft::async_runtime::watch::WatchReceiver;
use tokio::sync::watch;

use super::machine_adapter::MachineAdapter;
use super::raft_types::Types;

/// Where requests are answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seat {
    /// This node leads.
    Here,
    /// Another node leads.
    There(u64),
    /// Nobody leads, as far as this node knows.
    Nowhere,
}

/// Follows consensus; told of changes only.
pub(super) fn watch(raft: &Raft<Types, MachineAdapter>) -> watch::Receiver<Seat> {
    let mut server = raft.server_metrics();
    let node = *raft.node_id();
    let seat = move |leader: Option<u64>| match leader {
        Some(leader) if leader == node => Seat::Here,
        Some(leader) => Seat::There(leader),
        None => Seat::Nowhere,
    };
    let (tell, told) = watch::channel(seat(server.borrow_watched().current_leader));
    tokio::spawn(async move {
        while server.changed().await.is_ok() {
            let now = seat(server.borrow_watched().current_leader);
            tell.send_if_modified(|before| std::mem::replace(before, now) != now);
        }
    });
    told
}
