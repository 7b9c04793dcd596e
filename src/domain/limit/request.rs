//! Bounds of one request: its head, its body, its time.

/// A request's head must arrive within this time; a slow client may not hold a connection open.
pub const REQUEST_HEAD_SECONDS: u64 = 15;

/// The longest pause in a request's body. A bad mobile line pauses for some seconds; whoever pauses
/// for longer is gone, or holds a connection on purpose.
pub const REQUEST_BODY_PAUSE_SECONDS: u64 = 10;

/// Lines of a request's head; a browser sends some twenty, a proxy adds ten.
pub const REQUEST_HEADERS_MAX: usize = 64;

/// Bytes of a request's head: the longest of ours carries a token of an outside issuer, some 8 KiB.
pub const REQUEST_HEAD_BYTES_MAX: usize = 64 << 10;

/// A request in all; the longest of ours is an export.
pub const REQUEST_SECONDS: u64 = 30;
