//! Bounds of what nodes of one cluster do for each other.

use super::{BURST_SECONDS, FRAMES_PER_SECOND};

/// How long a request waits for somebody to lead: several elections, for on a busy machine the
/// first may lead nowhere. A caller rather sees one slow answer than an error that it has to
/// understand.
pub const LEADER_WAIT_MS: u64 = 4_000;

/// Between two looks at a leader that did not take a request and has no successor yet.
pub const LEADER_RETRY_MS: u64 = 50;

/// Journeys of one request between nodes. The waits between them end it sooner.
pub const FORWARD_TRIES_MAX: usize = 64;

/// Requests that one node passes on at once; beyond it callers are told to try again.
pub const FORWARDS_MAX: usize = 1_024;

/// How long a connection to another node may take to open: nodes of one cluster are near.
pub const PEER_DIAL_SECONDS: u64 = 2;

/// Connections kept open to one other node between requests: more than a busy node uses at once.
pub const PEER_LINES_MAX: usize = 64;

/// How long such a connection is kept unused. Far shorter than [`PEER_SILENCE_SECONDS`], so that no
/// request is sent into a connection that the other side is closing.
pub const PEER_LINE_IDLE_SECONDS: u64 = 5;

/// How long a connection from another node may stay silent between two requests.
pub const PEER_SILENCE_SECONDS: u64 = 30;

/// How long a tunnel looks for the next leader before its client is sent away to come back.
pub const REDIAL_MS: u64 = 6_000;

/// Moves of one socket from leader to leader; a cluster that changes its mind more often is ill,
/// and the client does better to come back by itself.
pub const REDIALS_MAX: u32 = 32;

/// Tunnels that one node opens at once: thousands that lose their leader in the same moment must
/// not all shake hands in the same moment.
pub const TUNNEL_DIALS_MAX: usize = 64;

/// Frames of one tunnel that are kept until they are answered: as many as may come at once, so that
/// sending them again passes the new leader's gate.
pub const TUNNEL_KEPT_FRAMES_MAX: usize = (BURST_SECONDS * FRAMES_PER_SECOND) as usize;

/// Bytes of those frames. A client with more on its way comes back by itself instead.
pub const TUNNEL_KEPT_BYTES_MAX: usize = 1 << 20;

/// One frame from the leader to a tunnel: a `welcome` with every question and member at its limits.
pub const TUNNEL_FRAME_BYTES_MAX: usize = 8 << 20;
