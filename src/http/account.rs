//! Signing in and out, invitations.

use axum::Json;
use axum::extract::State;
use axum::http::{Extensions, HeaderMap, HeaderValue, StatusCode, header};
use axum::response::Response;
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use crate::auth::password::check_strength;
use crate::auth::rate::{Attempt, Network};
use crate::auth::secret::Purpose;
use crate::cluster::fresh;
use crate::domain::command::{Command, Outcome};
use crate::domain::id::{PersonId, SessionId};
use crate::domain::limit;
use crate::domain::person::{Person, Session};
use crate::domain::refusal::{Code, Refusal};
use crate::domain::text;
use crate::store::query;
use crate::telemetry::metrics::LoginResult;

use super::address;
use super::app::{App, Shared};
use super::audit;
use super::body::{Done, Write};
use super::caller::{self, CSRF_COOKIE, SESSION_COOKIE};
use super::error::Error;
use super::factors;
use super::limits;

/// Who wants in.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct LoginBody {
    email: String,
    password: String,
    /// The code of the second factor, or a recovery code.
    #[serde(default)]
    code: Option<String>,
}

/// A refresh token.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RefreshBody {
    refresh_token: String,
}

/// Which login to end: this one, or the one that a refresh token is of.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct LogoutBody {
    #[serde(default)]
    refresh_token: Option<String>,
}

/// The token of an invite or reset link.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct InviteBody {
    token: String,
}

/// What an invited person chooses.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct AcceptBody {
    token: String,
    password: String,
    #[serde(default)]
    display_name: Option<String>,
}

/// For so long a repeated request gets the access token that it got first: a token that has little
/// time left would be of no use.
const SAME_TOKEN_MS: i64 = 60_000;

pub(super) async fn login(
    State(app): State<Shared>,
    extensions: Extensions,
    write: Write<LoginBody>,
) -> Result<Response, Error> {
    let from = Network::of(address::of(&extensions));
    let attempts = [Attempt::password(from, &write.body.email), Attempt::AnyPassword(from)];
    for attempt in attempts {
        limits::attempt(&app, attempt)?;
    }
    // A stored result would let somebody in who knows the key and not the password.
    let write = write.without_key();
    let result = write.run(&app, async || login_command(&app, &write.body).await).await;
    let wrong =
        matches!(&result, Err(Error::Refused(refusal)) if refusal.code == Code::AuthInvalid);
    if wrong {
        audit::failed(&app, &extensions, from, write.body.email.trim().to_lowercase());
    } else {
        for attempt in attempts {
            app.limiter.succeeded(attempt);
        }
    }
    app.metrics.login(match &result {
        Ok(_) => LoginResult::Ok,
        Err(Error::Refused(refusal)) if refusal.code == Code::RateLimited => LoginResult::Busy,
        Err(_) => LoginResult::Wrong,
    });
    signed_in_or(&app, result?, StatusCode::OK)
}

pub(super) async fn refresh(
    State(app): State<Shared>,
    write: Write<RefreshBody>,
) -> Result<Response, Error> {
    let opened = app.secrets.open_link(Purpose::Refresh, &write.body.refresh_token);
    let (id, generation) = opened.ok_or_else(ended)?;
    let write = of_login(&app, write, SessionId(id)).await?;
    let command = async || {
        let expires_at = app.replica.now().plus_ms(app.login_seconds * 1_000);
        Ok(Command::RefreshSession { session: SessionId(id), generation, expires_at })
    };
    signed_in_or(&app, write.run(&app, command).await?, StatusCode::OK)
}

pub(super) async fn logout(
    State(app): State<Shared>,
    headers: HeaderMap,
    write: Write<LogoutBody>,
) -> Result<Response, Error> {
    let shown = write.body.refresh_token.as_deref();
    // Whoever asks again after the answer was lost comes with a login that has ended.
    let ended_before = write.has_key().then(|| caller::named_login(&app, &headers)).flatten();
    let of_token = shown.map(|token| {
        let opened = app.secrets.open_link(Purpose::Refresh, token);
        opened.map(|(id, _)| SessionId(id)).ok_or_else(ended)
    });
    let session = match of_token {
        Some(session) => session?,
        None => write.caller.session().or(ended_before).ok_or_else(|| {
            Refusal::new(Code::AuthMissing, "sign in first, or send the refresh_token to end")
        })?,
    };
    let write = of_login(&app, write, session).await?;
    let done = write.run(&app, async || Ok(Command::CloseSession { session })).await?;
    let mut response = done.response(StatusCode::OK, Json(json!({})));
    forget_cookies(&app, response.headers_mut());
    Ok(response)
}

/// Whose login it is, theirs is the key, whether the request came with the login or not.
async fn of_login<T>(app: &Shared, write: Write<T>, session: SessionId) -> Result<Write<T>, Error> {
    let found = app.replica.read(move |db| query::person::session(db, session)).await?;
    Ok(match found {
        Some(session) => write.of(app, session.person)?,
        None => write.without_key(),
    })
}

/// Takes the login out of the browser.
pub(super) fn forget_cookies(app: &App, headers: &mut HeaderMap) {
    for name in [SESSION_COOKIE, CSRF_COOKIE] {
        add_cookie(app, headers, name, "", 0, name == SESSION_COOKIE);
    }
}

pub(super) async fn invite(
    State(app): State<Shared>,
    // It writes nothing, but its body is read as strictly as that of a write.
    asked: Write<InviteBody>,
) -> Result<Json<Value>, Error> {
    let (person, _) = invited(&app, &asked.body.token).await?;
    let identity = app.replica.read(query::cluster::identity).await?;
    Ok(Json(json!({
        "email": person.email,
        "display_name": person.display_name,
        "organisation": identity.and_then(|identity| identity.organisation),
        "expires_at": person.invite_expires_at,
    })))
}

pub(super) async fn accept(
    State(app): State<Shared>,
    write: Write<AcceptBody>,
) -> Result<Response, Error> {
    // A used link still says whose it is: who asks again with the same password gets in again.
    let write = match app.secrets.open_link(Purpose::Invite, &write.body.token) {
        Some((person, _)) => write.of(&app, PersonId(person))?,
        None => write.without_key(),
    };
    let command = async || {
        let body = &write.body;
        let (person, generation) = invited(&app, &body.token).await?;
        let display_name = text::optional_name("display_name", body.display_name.as_deref())?;
        let name = display_name.as_deref().unwrap_or(&person.display_name);
        check_strength(&body.password, person.email.as_str(), &[name])?;
        let password_hash = app.passwords.hash(body.password.clone()).await?;
        let session = new_session(&app, person.id);
        let person = person.id;
        Ok(Command::AcceptInvite { person, generation, display_name, password_hash, session })
    };
    signed_in_or(&app, write.run(&app, command).await?, StatusCode::OK)
}

/// A login that begins now.
pub(super) fn new_session(app: &App, person: PersonId) -> Session {
    let now = app.replica.now();
    Session {
        id: SessionId(fresh()),
        person,
        generation: 0,
        created_at: now,
        expires_at: now.plus_ms(app.login_seconds * 1_000),
        revoked_at: None,
    }
}

/// Tokens in the body and cookies in the headers. Everything in it is derived from the login, so a
/// repeated request gets the same answer for a minute, and later a login as good as the first one.
pub(super) fn signed_in(
    app: &App,
    done: &Done,
    status: StatusCode,
    person: &Person,
    session: &Session,
) -> Response {
    let now = app.replica.now();
    let begun = session.expires_at.plus_ms(-app.login_seconds * 1_000);
    let lately = (0..SAME_TOKEN_MS).contains(&(now.0 - begun.0));
    let at = if lately { begun } else { now };
    let token = app.secrets.sign_access(person.id, session.id, person.role, at, &app.issuer);
    let body = json!({
        "access_token": token,
        "token_type": "Bearer",
        "expires_in": limit::ACCESS_TOKEN_SECONDS,
        "refresh_token": app.secrets.link(Purpose::Refresh, session.id.0, session.generation),
        "person": view(person),
    });
    let mut response = done.response(status, Json(body));
    put_login_cookies(app, response.headers_mut(), session);
    response
}

/// The cookies of a browser's login.
pub(super) fn put_login_cookies(app: &App, headers: &mut HeaderMap, session: &Session) {
    let cookie = app.secrets.link(Purpose::Cookie, session.id.0, 0);
    add_cookie(app, headers, SESSION_COOKIE, &cookie, app.login_seconds, true);
    let csrf = app.secrets.link(Purpose::Csrf, session.id.0, 0);
    add_cookie(app, headers, CSRF_COOKIE, &csrf, app.login_seconds, false);
}

/// A person as it sees itself.
pub(super) fn view(person: &Person) -> Value {
    json!({
        "id": person.id,
        "email": person.email,
        "display_name": person.display_name,
        "role": person.role,
        "tier": person.role.tier(),
    })
}

async fn login_command(app: &Shared, body: &LoginBody) -> Result<Command, Error> {
    let email = body.email.trim().to_lowercase();
    let found = app.replica.read(move |db| query::person::by_email(db, &email)).await?;
    let (person, hash) = found.map_or((None, None), |(person, hash)| (Some(person), hash));
    // The same work whether the account exists or not, so that the time tells nothing.
    let right = app.passwords.verify(bounded(&body.password), hash).await?;
    match person {
        Some(person) if right && !person.disabled => {
            factors::let_in(app, new_session(app, person.id), body.code.as_deref()).await
        }
        _ => Err(Refusal::new(Code::AuthInvalid, "wrong e-mail address or password").into()),
    }
}

/// No stored password is longer, so a longer one is wrong whatever its beginning.
pub(super) fn bounded(password: &str) -> String {
    if password.len() > limit::PASSWORD_BYTES_MAX { String::new() } else { password.to_owned() }
}

fn signed_in_or(app: &App, done: Done, status: StatusCode) -> Result<Response, Error> {
    match &done.outcome {
        Outcome::SignedIn { person, session } => Ok(signed_in(app, &done, status, person, session)),
        _ => Err(ended().into()),
    }
}

async fn invited(app: &App, token: &str) -> Result<(Person, u32), Error> {
    let gone = || {
        Refusal::new(
            Code::NotFound,
            "this invitation was used, has expired or was replaced by a newer one; ask an admin \
             for a new link",
        )
    };
    let (id, generation) = app.secrets.open_link(Purpose::Invite, token).ok_or_else(gone)?;
    let person = app.replica.read(move |db| query::person::by_id(db, PersonId(id))).await?;
    let now = app.replica.now();
    match person {
        Some(person)
            if person.invite_generation == generation
                && !person.disabled
                && person.invite_expires_at.is_some_and(|end| end > now) =>
        {
            Ok((person, generation))
        }
        _ => Err(gone().into()),
    }
}

fn ended() -> Refusal {
    Refusal::new(Code::AuthInvalid, "this login has ended; sign in again")
}

fn add_cookie(
    app: &App,
    headers: &mut HeaderMap,
    name: &str,
    value: &str,
    max_age: i64,
    http_only: bool,
) {
    let http_only = if http_only { "; HttpOnly" } else { "" };
    let rest = format!("; Path=/; Max-Age={max_age}; SameSite=Strict{http_only}");
    add_cookie_with(app, headers, name, value, &rest);
}

/// A cookie with these attributes, and `Secure` where it can be.
pub(super) fn add_cookie_with(
    app: &App,
    headers: &mut HeaderMap,
    name: &str,
    value: &str,
    rest: &str,
) {
    let secure = if app.plain_cookies { "" } else { "; Secure" };
    let cookie = format!("{name}={value}{rest}{secure}");
    if let Ok(cookie) = HeaderValue::from_str(&cookie) {
        headers.append(header::SET_COOKIE, cookie);
    }
}
