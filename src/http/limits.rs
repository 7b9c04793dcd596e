//! How often: counts each request against the policy of its class and tier, tells the caller in
//! headers how it stands, and lets admins see and change the policies.

use std::sync::PoisonError;
use std::time::{Duration, Instant};

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::Response;
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use crate::auth::rate::{Attempt, Network, Origin, Standing, Who};
use crate::domain::command::Command;
use crate::domain::limit::door as limit;
use crate::domain::rate::{self, Class, Rule, Tier};
use crate::store::query;

use super::app::{App, Shared};
use super::body::Write;
use super::caller::Caller;
use super::error::Error;

/// The headers of the IETF draft on rate limit fields.
pub(super) const HEADERS: [HeaderName; 2] =
    [HeaderName::from_static("ratelimit-policy"), HeaderName::from_static("ratelimit")];

/// The policies of the cluster, all that differ from what holds without an admin.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct LimitsBody {
    /// At most one for each class (auth, read, write, upload, socket) and tier (anonymous,
    /// candidate, interviewer, admin, service).
    #[schema(value_type = Vec<Object>)]
    policies: Vec<Rule>,
}

/// Counts a request of somebody; `None` if nothing is counted.
pub(super) async fn count(
    app: &Shared,
    class: Option<Class>,
    caller: Option<&Caller>,
    from: Network,
) -> Option<(Class, Standing)> {
    let class = class?;
    look(app).await;
    let (who, tier) = match caller {
        Some(Caller::Person(person, _)) => (Who::Person(person.id), Tier::of(person.role)),
        Some(Caller::Operator) => (Who::Operator, Tier::Service),
        Some(Caller::Anonymous) | None => (Who::Address(from), Tier::Anonymous),
    };
    app.limiter.count(who, tier, class, Instant::now()).map(|standing| (class, standing))
}

/// Tells the caller how it stands.
pub(super) fn tell(headers: &mut HeaderMap, class: Class, standing: &Standing) {
    let Standing { policy, remaining, reset, .. } = standing;
    let name = class.as_str();
    let reset = reset.as_millis().div_ceil(1_000);
    let lines = [
        format!("\"{name}\";q={};w={}", policy.requests, policy.window_seconds),
        format!("\"{name}\";r={remaining};t={reset}"),
    ];
    for (header, line) in HEADERS.into_iter().zip(lines) {
        if let Ok(line) = HeaderValue::try_from(line) {
            headers.insert(header, line);
        }
    }
}

/// What somebody hears who was too fast.
pub(super) fn too_many(what: &str, standing: &Standing) -> Error {
    let policy = standing.policy;
    let (requests, window) = (policy.requests, policy.window_seconds);
    let seconds = standing.reset.as_millis().div_ceil(1_000);
    Error::Limited {
        detail: format!(
            "too many {what}: {requests} in {window} seconds are allowed; try again in {seconds} \
             seconds"
        ),
        retry_after: standing.reset,
    }
}

/// Counts an attempt, before it is made.
pub(super) fn attempt(app: &App, attempt: Attempt) -> Result<(), Error> {
    let what = match attempt {
        Attempt::Password(..) => "wrong passwords for this account from your address",
        Attempt::AnyPassword(_) => "wrong passwords from your address",
        Attempt::Share(_) => "share links from your address that open nothing",
    };
    match app.limiter.attempt(attempt, Instant::now()) {
        Some(standing) if !standing.within => Err(too_many(what, &standing)),
        _ => Ok(()),
    }
}

pub(super) async fn show(State(app): State<Shared>) -> Result<Json<Value>, Error> {
    refresh(&app).await?;
    Ok(Json(view(&app)))
}

pub(super) async fn replace(
    State(app): State<Shared>,
    write: Write<LimitsBody>,
) -> Result<Response, Error> {
    rate::check(&write.body.policies)?;
    let rules = write.body.policies.clone();
    let done = write.run(&app, async || Ok(Command::SetRateLimits { rules })).await?;
    refresh(&app).await?;
    Ok(done.response(StatusCode::OK, Json(view(&app))))
}

/// Takes over what an admin has set, now and then: it may have been at another node.
async fn look(app: &Shared) {
    let pause = Duration::from_millis(limit::RATE_LOOK_MS);
    {
        let mut looked = app.limits_looked_at.lock().unwrap_or_else(PoisonError::into_inner);
        if looked.is_some_and(|at| at.elapsed() < pause) {
            return;
        }
        *looked = Some(Instant::now());
    }
    if let Err(error) = refresh(app).await {
        tracing::error!(?error, "the rate policies could not be read; those from before hold");
    }
}

async fn refresh(app: &Shared) -> Result<(), Error> {
    let rules = app.replica.read(query::doors::rules).await?;
    app.limiter.set_rules(rules);
    Ok(())
}

fn view(app: &App) -> Value {
    let pairs = Class::ALL.into_iter().flat_map(|class| Tier::ALL.map(|tier| (class, tier)));
    let policies = pairs.map(|(class, tier)| {
        let (policy, origin) = app.limiter.policy(class, tier);
        json!({
            "class": class,
            "tier": tier,
            "requests": policy.requests,
            "window_seconds": policy.window_seconds,
            "origin": match origin {
                Origin::Default => "default",
                Origin::Settings => "settings",
                Origin::Admin => "admin",
            },
        })
    });
    let attempt = |name: &str, per: &str, requests: u32| {
        let window = limit::ATTEMPTS_SECONDS;
        json!({"name": name, "per": per, "requests": requests, "window_seconds": window})
    };
    json!({
        "enabled": app.limiter.is_enabled(),
        "policies": policies.collect::<Vec<_>>(),
        "attempts": [
            attempt("password", "account and address", limit::LOGIN_ATTEMPTS_MAX),
            attempt("password", "address", limit::LOGIN_ATTEMPTS_OF_ADDRESS_MAX),
            attempt("share_link", "address", limit::SHARE_ATTEMPTS_MAX),
        ],
        "trusted_proxies":
            app.trusted_proxies.iter().map(ToString::to_string).collect::<Vec<_>>(),
    })
}
