//! How a socket that cannot go on is closed.

use crate::room::protocol::close;

/// The close code that fits what the socket's reader says.
pub(in crate::http) fn close_code(error: &axum::Error) -> u16 {
    let words = error.to_string().to_lowercase();
    if words.contains("utf-8") {
        close::NOT_UTF8
    } else if words.contains("too long") || words.contains("too big") || words.contains("capacity")
    {
        close::TOO_BIG
    } else {
        1002
    }
}
