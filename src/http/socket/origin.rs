//! Whose pages may open sockets.

use axum::http::{HeaderMap, header};

use crate::domain::refusal::Refusal;
use crate::http::app::App;

/// A page of somebody else must not open a socket with our visitor's rights, ticket or not.
pub(super) fn check_origin(app: &App, headers: &HeaderMap) -> Result<(), Refusal> {
    let Some(origin) = headers.get(header::ORIGIN) else { return Ok(()) };
    let origin = origin.to_str().unwrap_or_default();
    let host = headers.get(header::HOST).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let own = [format!("http://{host}"), format!("https://{host}")];
    let known = own.iter().any(|own| own == origin)
        || origin == app.public_url
        || app.allowed_origins.iter().any(|allowed| allowed == origin);
    if known {
        return Ok(());
    }
    Err(Refusal::denied(
        "this origin may not open sockets here; an admin can add it to allowed_origins",
    ))
}
