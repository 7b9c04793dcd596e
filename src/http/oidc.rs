//! Signing in with an OpenID provider: to it with a challenge, back with a code, and the code for
//! who it is (OpenID Connect Core, authorization code flow with PKCE, RFC 7636).
//!
//! Nothing is kept between the two ways: state, nonce and verifier are derived from an id in a
//! cookie, so any node can take the way back.
//!
//! **Invariant:** whatever goes wrong on the way back signs nobody in; the person hears that it did
//! not work, and why stands in the log.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde::Deserialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tokio::sync::Mutex;
use uuid::Uuid;

use crate::auth::outside::{Claims, Expected, role};
use crate::auth::secret::Purpose;
use crate::cluster::fresh;
use crate::config::outside::{Provider, is_safe_url};
use crate::domain::command::{Command, Envelope, Outcome};
use crate::domain::limit::door as limit;
use crate::domain::refusal::Refusal;

use super::account::{add_cookie_with, new_session, put_login_cookies};
use super::app::{App, Shared};
use super::caller::cookie;
use super::error::Error;
use super::outgoing::{self, Question};
use super::outside::{Ring, Source, identified};

/// A provider that people can sign in with.
pub struct SignIn {
    provider: Provider,
    secret: Option<String>,
    described: Mutex<Option<(Instant, Arc<Described>)>>,
}

/// What a provider says of itself.
struct Described {
    authorization: String,
    token: String,
    userinfo: Option<String>,
    ring: Ring,
}

/// What the provider sends back with the browser.
#[derive(Deserialize)]
pub(super) struct Return {
    code: Option<String>,
    state: Option<String>,
    iss: Option<String>,
    error: Option<String>,
}

/// One way to a provider and back.
struct Journey {
    id: Uuid,
    /// Minutes since 1970.
    ends: u32,
}

const COOKIE: &str = "greenroom_oidc";
const COOKIE_PATH: &str = "/api/v1/auth/oidc";

impl SignIn {
    /// Reads the secret; the provider itself is asked when somebody comes.
    pub fn open(provider: Provider) -> Result<SignIn, String> {
        let secret = provider.client_secret_file.as_ref().map(|path| {
            let text = std::fs::read_to_string(path);
            let text = text.map_err(|error| format!("{}: {error}", path.display()))?;
            match text.lines().next().map(str::trim) {
                Some(secret) if !secret.is_empty() => Ok(secret.to_owned()),
                _ => Err(format!("{}: its first line is empty", path.display())),
            }
        });
        Ok(SignIn { provider, secret: secret.transpose()?, described: Mutex::default() })
    }

    /// What the provider says of itself, asked anew now and then.
    async fn describe(&self) -> Result<Arc<Described>, String> {
        let mut described = self.described.lock().await;
        let long = Duration::from_secs(limit::ISSUER_KEYS_SECONDS);
        if let Some((at, known)) = described.as_ref()
            && at.elapsed() < long
        {
            return Ok(known.clone());
        }
        let issuer = &self.provider.issuer;
        let url = format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/'));
        let answer = outgoing::ask(Question::read(&url)).await?;
        let said: Value = serde_json::from_slice(&answer).map_err(|e| format!("{url}: {e}"))?;
        if said["issuer"] != json!(issuer) {
            return Err(format!("{url}: it is another issuer: {}", said["issuer"]));
        }
        let address = |name: &str| match said[name].as_str() {
            Some(address) if is_safe_url(address) => Ok(address.to_owned()),
            _ => Err(format!("{url}: `{name}` is no https address")),
        };
        let keys = Source::Url(address("jwks_uri")?);
        let found = Arc::new(Described {
            authorization: address("authorization_endpoint")?,
            token: address("token_endpoint")?,
            userinfo: address("userinfo_endpoint").ok(),
            ring: Ring::new(keys, self.provider.algorithms.clone()),
        });
        *described = Some((Instant::now(), found.clone()));
        Ok(found)
    }
}

impl Journey {
    fn new(app: &App) -> Journey {
        Journey { id: fresh(), ends: minute(app) + limit::OIDC_MINUTES }
    }

    /// The journey of this browser, if it is the one that the state is of.
    fn of(app: &App, headers: &HeaderMap, state: &str) -> Option<Journey> {
        let kept = app.secrets.open_link(Purpose::OidcCookie, cookie(headers, COOKIE)?)?;
        let sent = app.secrets.open_link(Purpose::OidcState, state)?;
        let (id, ends) = kept;
        (kept == sent && minute(app) < ends).then_some(Journey { id, ends })
    }

    fn derive(&self, app: &App, purpose: Purpose) -> String {
        app.secrets.link(purpose, self.id, self.ends)
    }
}

/// The providers, for the page to sign in.
pub(super) async fn list(State(app): State<Shared>) -> Json<Value> {
    let items = app.sign_ins.iter().map(|sign_in| {
        let start = format!("{COOKIE_PATH}/{}/start", sign_in.provider.slug());
        json!({"name": sign_in.provider.name, "start": start})
    });
    Json(json!({"items": items.collect::<Vec<_>>(), "next": null}))
}

/// Sends the browser to the provider.
pub(super) async fn start(
    State(app): State<Shared>,
    Path(name): Path<String>,
) -> Result<Response, Error> {
    let sign_in = find(&app, &name)?;
    let described = match sign_in.describe().await {
        Ok(described) => described,
        Err(why) => return Ok(failed(&app, "unreachable", &why)),
    };
    let journey = Journey::new(&app);
    let verifier = journey.derive(&app, Purpose::OidcVerifier);
    let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.as_bytes()));
    let query = form(&[
        ("response_type", "code"),
        ("client_id", &sign_in.provider.client_id),
        ("redirect_uri", &redirect_uri(&app, sign_in)),
        ("scope", &sign_in.provider.scopes.join(" ")),
        ("state", &journey.derive(&app, Purpose::OidcState)),
        ("nonce", &journey.derive(&app, Purpose::OidcNonce)),
        ("code_challenge", &challenge),
        ("code_challenge_method", "S256"),
    ]);
    let mark = if described.authorization.contains('?') { '&' } else { '?' };
    let mut response = see(&format!("{}{mark}{query}", described.authorization));
    let kept = journey.derive(&app, Purpose::OidcCookie);
    leave_cookie(&app, &mut response, &kept, limit::OIDC_MINUTES * 60);
    Ok(response)
}

/// The browser comes back.
pub(super) async fn callback(
    State(app): State<Shared>,
    Path(name): Path<String>,
    Query(back): Query<Return>,
    headers: HeaderMap,
) -> Result<Response, Error> {
    let sign_in = find(&app, &name)?;
    let Some(journey) = Journey::of(&app, &headers, back.state.as_deref().unwrap_or_default())
    else {
        return Ok(failed(&app, "stale", "the state is not of a journey of this browser"));
    };
    if let Some(error) = &back.error {
        return Ok(failed(&app, "denied", &format!("the provider said {error:?}")));
    }
    let described = match sign_in.describe().await {
        Ok(described) => described,
        Err(why) => return Ok(failed(&app, "unreachable", &why)),
    };
    let claims = match vouched(&app, sign_in, &described, &journey, &back).await {
        Ok(claims) => claims,
        Err(why) => return Ok(failed(&app, "failed", &why)),
    };
    let provider = &sign_in.provider;
    let role = role(&claims, provider.role_claim.as_deref(), &provider.roles);
    let person = match identified(&app, &provider.issuer, &claims, role, true).await {
        Ok(Some(person)) => person,
        Ok(None) => return Ok(failed(&app, "failed", "nobody came of it")),
        Err(Error::Refused(refusal)) => return Ok(failed(&app, "refused", &refusal.detail)),
        Err(error) => return Err(error),
    };
    let open = Command::OpenSession { session: new_session(&app, person.id) };
    match app.replica.propose(Envelope::own(app.replica.now(), open)).await? {
        Outcome::SignedIn { session, .. } => {
            let mut response = see("/");
            put_login_cookies(&app, response.headers_mut(), &session);
            leave_cookie(&app, &mut response, "", 0);
            Ok(response)
        }
        other => Ok(failed(&app, "refused", &format!("no login was opened: {other:?}"))),
    }
}

/// What the provider vouches for, in exchange for the code.
async fn vouched(
    app: &App,
    sign_in: &SignIn,
    described: &Described,
    journey: &Journey,
    back: &Return,
) -> Result<Claims, String> {
    let provider = &sign_in.provider;
    if back.iss.as_ref().is_some_and(|issuer| *issuer != provider.issuer) {
        return Err("the answer is of another issuer".to_owned());
    }
    let code = back.code.as_deref().ok_or("the provider sent no code")?;
    let verifier = journey.derive(app, Purpose::OidcVerifier);
    let redirect = redirect_uri(app, sign_in);
    let mut fields = vec![
        ("grant_type", "authorization_code"),
        ("code", code),
        ("redirect_uri", &redirect),
        ("code_verifier", &verifier),
    ];
    let authorization = match &sign_in.secret {
        Some(secret) => Some(basic(&provider.client_id, secret)?),
        None => {
            fields.push(("client_id", &provider.client_id));
            None
        }
    };
    let question = Question::form(&described.token, form(&fields)).authorized(authorization);
    let answer = outgoing::ask(question).await?;
    let tokens: Value = serde_json::from_slice(&answer).map_err(|e| format!("no tokens: {e}"))?;
    let id_token = tokens["id_token"].as_str().ok_or("no id_token")?;
    let expected = Expected { issuer: &provider.issuer, audience: &provider.client_id };
    let checked = described.ring.verify(id_token, &expected, app).await;
    let claims = checked.map_err(|why| format!("the id_token does not hold: {why:?}"))?;
    check_binding(&claims, &provider.client_id, &journey.derive(app, Purpose::OidcNonce))?;
    more(described, &tokens, claims, provider).await
}

/// The token is for this client and for this journey.
fn check_binding(claims: &Claims, client_id: &str, nonce: &str) -> Result<(), String> {
    if claims.get("nonce").and_then(Value::as_str) != Some(nonce) {
        return Err("the id_token is of another journey".to_owned());
    }
    let several = claims.get("aud").and_then(Value::as_array).is_some_and(|aud| aud.len() > 1);
    match claims.get("azp") {
        None if several => Err("the id_token is for several clients and names none".to_owned()),
        Some(party) if party != client_id => Err("the id_token is for another client".to_owned()),
        _ => Ok(()),
    }
}

/// Many providers tell groups, names and addresses only where they are asked for them.
async fn more(
    described: &Described,
    tokens: &Value,
    mut claims: Claims,
    provider: &Provider,
) -> Result<Claims, String> {
    let claim = provider.role_claim.as_deref().and_then(|claim| claim.split('.').next());
    let lacks = |name: &str| !claims.contains_key(name);
    let wanted = claim.is_some_and(lacks) || lacks("email") || lacks("name");
    let (true, Some(url), Some(token)) =
        (wanted, &described.userinfo, tokens["access_token"].as_str())
    else {
        return Ok(claims);
    };
    let authorization = HeaderValue::try_from(format!("Bearer {token}"));
    let authorization = Some(authorization.map_err(|e| e.to_string())?);
    let answer = outgoing::ask(Question::read(url).authorized(authorization)).await?;
    let said: Claims = serde_json::from_slice(&answer).map_err(|e| format!("{url}: {e}"))?;
    if said.get("sub") != claims.get("sub") {
        return Err(format!("{url} speaks of somebody else"));
    }
    for (name, value) in said {
        // What was signed counts more.
        claims.entry(name).or_insert(value);
    }
    Ok(claims)
}

fn find<'a>(app: &'a App, name: &str) -> Result<&'a SignIn, Refusal> {
    let found = app.sign_ins.iter().find(|sign_in| sign_in.provider.slug() == name);
    found.ok_or_else(|| Refusal::not_found("provider to sign in with"))
}

fn redirect_uri(app: &App, sign_in: &SignIn) -> String {
    format!("{}{COOKIE_PATH}/{}/callback", app.public_url, sign_in.provider.slug())
}

fn minute(app: &App) -> u32 {
    u32::try_from(app.replica.now().0 / 60_000).unwrap_or(u32::MAX / 2)
}

/// Back to the page to sign in, which says in words what happened.
fn failed(app: &App, trouble: &str, why: &str) -> Response {
    tracing::warn!(trouble, why, "somebody was not signed in by a provider");
    let mut response = see(&format!("/signin?trouble={trouble}"));
    leave_cookie(app, &mut response, "", 0);
    response
}

fn see(place: &str) -> Response {
    let place = HeaderValue::try_from(place).unwrap_or(HeaderValue::from_static("/signin"));
    (StatusCode::SEE_OTHER, [(header::LOCATION, place)]).into_response()
}

/// `Lax`, because the way back begins at the provider.
fn leave_cookie(app: &App, response: &mut Response, value: &str, seconds: u32) {
    let rest = format!("; Path={COOKIE_PATH}; Max-Age={seconds}; SameSite=Lax; HttpOnly");
    add_cookie_with(app, response.headers_mut(), COOKIE, value, &rest);
}

fn basic(id: &str, secret: &str) -> Result<HeaderValue, String> {
    let pair = STANDARD.encode(format!("{}:{}", encode(id), encode(secret)));
    HeaderValue::try_from(format!("Basic {pair}")).map_err(|e| e.to_string())
}

fn form(fields: &[(&str, &str)]) -> String {
    let pairs = fields.iter().map(|(name, value)| format!("{name}={}", encode(value)));
    pairs.collect::<Vec<_>>().join("&")
}

/// Percent-encodes everything that is not a letter, a digit or one of `-._~`.
fn encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                encoded.push(char::from(byte));
            }
            _ => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_written_so_that_they_are_read_as_they_were() {
        let written = form(&[("a", "x y&z=1"), ("b", "\u{e9}+/")]);
        assert_eq!(written, "a=x%20y%26z%3D1&b=%C3%A9%2B%2F");
    }

    #[test]
    fn a_token_for_another_client_or_journey_is_none() {
        let check = |claims: Value| check_binding(claims.as_object().unwrap(), "us", "n");
        assert!(check(json!({"nonce": "n", "aud": "us"})).is_ok());
        assert!(check(json!({"nonce": "n", "aud": ["us", "other"], "azp": "us"})).is_ok());
        for wrong in [
            json!({"aud": "us"}),
            json!({"nonce": "m", "aud": "us"}),
            json!({"nonce": ["n"], "aud": "us"}),
            json!({"nonce": "n", "aud": ["us", "other"]}),
            json!({"nonce": "n", "aud": "us", "azp": "other"}),
        ] {
            assert!(check(wrong.clone()).is_err(), "{wrong}");
        }
    }
}
