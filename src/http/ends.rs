//! When what somebody showed ends while their socket is open.

use std::time::Duration;

use crate::domain::person::Session;
use crate::domain::time::Time;

use super::app::Shared;
use super::caller::login;

/// Waits until a token of an outside issuer has run out; for ever without an end.
async fn outside_ends(app: &Shared, until: Option<Time>) {
    let Some(until) = until else { return std::future::pending().await };
    while app.replica.now() < until {
        let left = u64::try_from(until.0 - app.replica.now().0).unwrap_or_default();
        let [soonest, latest] = LOGIN_LOOKS;
        tokio::time::sleep(Duration::from_millis(left).clamp(soonest, latest)).await;
    }
}

/// Waits until a login has run out without being used, or else what was shown in its place. A login
/// that somebody ends is told to the rooms by the log.
pub(super) async fn login_ends(app: &Shared, session: Option<Session>, until: Option<Time>) {
    let Some(Session { id, mut expires_at, .. }) = session else {
        return outside_ends(app, until).await;
    };
    loop {
        let left = u64::try_from(expires_at.0 - app.replica.now().0).unwrap_or_default();
        // Now and then too: the machine's clock may be set meanwhile.
        let [soonest, latest] = LOGIN_LOOKS;
        tokio::time::sleep(Duration::from_millis(left).clamp(soonest, latest)).await;
        match login(app, id).await {
            Ok(Some((_, session))) => expires_at = session.expires_at,
            Ok(None) => return,
            Err(fault) => tracing::error!(%fault, "a login could not be looked up"),
        }
    }
}

/// Between two looks at a login: at least, at most.
const LOGIN_LOOKS: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(60 * 60)];
