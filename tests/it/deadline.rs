//! Waiting: always for a condition, never for a time, and never for ever.

use std::time::Duration;

/// Longer than anything takes on a busy machine; only a failing test waits so long.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// Between two looks at a condition that nobody announces.
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// The result of a future that must come soon.
pub(crate) async fn soon<T>(what: &str, future: impl Future<Output = T>) -> T {
    match tokio::time::timeout(PATIENCE, future).await {
        Ok(result) => result,
        Err(_) => panic!("waited {PATIENCE:?} in vain: {what}"),
    }
}

/// Looks until there is something.
pub(crate) async fn until<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let look_on = async {
        let mut looks = tokio::time::interval(LOOK_EVERY);
        loop {
            if let Some(found) = look().await {
                return found;
            }
            looks.tick().await;
        }
    };
    soon(what, look_on).await
}
