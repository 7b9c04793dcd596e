//! Who is asking, and whether they may: the guard in front of every route.

use axum::extract::{FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::auth::rate::Network;
use crate::auth::secret::Purpose;
use crate::domain::id::{PersonId, SessionId};
use crate::domain::may::{Action, Permission, may};
use crate::domain::person::{Person, Session};
use crate::domain::rate::Class;
use crate::domain::refusal::{Code, Refusal};
use crate::domain::time::Time;
use crate::store::query::keys::ApiToken;
use crate::store::{Fault, query};

use super::address;
use super::app::{App, Shared};
use super::error::Error;
use super::limits;
use super::outside;

/// The cookie of a browser's login.
pub(super) const SESSION_COOKIE: &str = "greenroom_session";

/// The cookie that a page repeats in [`CSRF_HEADER`].
pub(super) const CSRF_COOKIE: &str = "csrf";

const CSRF_HEADER: &str = "x-csrf-token";

/// What the tokens of programs begin with, so that people and scanners of leaked secrets know one.
pub(super) const API_TOKEN_PREFIX: &str = "grt_";

/// Marks requests that came through the operator's socket in the data directory.
#[derive(Clone, Copy, Debug)]
pub(super) struct ThroughOperatorSocket;

/// Who is asking.
#[derive(Clone, Debug)]
pub(super) enum Caller {
    /// Nobody that we know.
    Anonymous,
    /// Somebody with an account, and what they showed.
    Person(Box<Person>, Proof),
    /// Whoever may open the socket in the data directory.
    Operator,
}

/// What somebody showed.
#[derive(Clone, Debug)]
pub(super) enum Proof {
    /// A login of ours.
    Login(Session),
    /// A program's token, which is a login too.
    Token(Session, ApiToken),
    /// A token of an outside issuer, and its end.
    Outside(Option<Time>),
}

/// What the guard needs to know of a route.
#[derive(Clone)]
pub(super) struct Guarded {
    pub(super) app: Shared,
    pub(super) permission: Permission,
    /// Whether the route answers before setup.
    pub(super) before_setup: bool,
    /// Whether only the person themselves may, and no program with their token.
    pub(super) in_person: bool,
    /// Which requests it is counted among.
    pub(super) class: Option<Class>,
}

impl Caller {
    /// The account, where one is needed.
    pub(super) fn person(&self) -> Result<&Person, Refusal> {
        match self {
            Caller::Person(person, _) => Ok(person),
            Caller::Anonymous => Err(missing()),
            Caller::Operator => Err(Refusal::denied(
                "the operator has no account of its own; use --url and --token of a person",
            )),
        }
    }

    /// The account's id, if there is one.
    pub(super) fn person_id(&self) -> Option<PersonId> {
        match self {
            Caller::Person(person, _) => Some(person.id),
            _ => None,
        }
    }

    /// The login, if there is one.
    pub(super) fn session(&self) -> Option<SessionId> {
        match self {
            Caller::Person(_, Proof::Login(session) | Proof::Token(session, _)) => Some(session.id),
            _ => None,
        }
    }

    /// When what they showed ends by itself, where no login does.
    pub(super) fn ends_at(&self) -> Option<Time> {
        match self {
            Caller::Person(_, Proof::Outside(until)) => *until,
            _ => None,
        }
    }

    /// Refuses programs, for what would make them more than they are.
    pub(super) fn in_person(&self) -> Result<(), Refusal> {
        match self {
            Caller::Person(_, Proof::Token(..)) => {
                Err(Refusal::denied("a token of a program cannot do this; sign in as the person"))
            }
            _ => Ok(()),
        }
    }

    /// Whose idempotency keys these are. Of whoever is not known by a login, only the handler can
    /// tell: two strangers' keys must not meet.
    pub(super) fn scope(&self) -> Option<String> {
        match self {
            Caller::Person(person, _) => Some(scope_of(person.id)),
            Caller::Operator => Some("operator".to_owned()),
            Caller::Anonymous => None,
        }
    }
}

/// Whose idempotency keys these are, for a person. Erasing somebody finds them by it.
pub(super) fn scope_of(person: PersonId) -> String {
    format!("person:{person}")
}

impl FromRequestParts<Shared> for Caller {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _app: &Shared) -> Result<Caller, Error> {
        // The guard put it there; a route without a guard has no caller, and so nothing is allowed.
        parts.extensions.get::<Caller>().cloned().ok_or_else(|| missing().into())
    }
}

/// Lets a request through if its caller may, and tells the handler who it is.
pub(super) async fn guard(
    State(guarded): State<Guarded>,
    mut request: Request,
    next: Next,
) -> Response {
    let method = request.method().clone();
    let headers = request.headers().clone();
    let operator = request.extensions().get::<ThroughOperatorSocket>().is_some();
    if let Err(error) = open_yet(&guarded, operator).await {
        return error.into_response();
    }
    // A token is signed there: with the newest key, whichever node made it. Looking takes 0.3 ms
    // and opening the keys 0.1 ms of the 5 ms of a renewed login (debug build; a password takes
    // 50), so nothing is kept here that could be out of date.
    if guarded.class == Some(Class::Auth)
        && let Err(fault) = guarded.app.renew_keys().await
    {
        return Error::from(fault).into_response();
    }
    let asking = match operator && bearer(&headers).is_none() {
        true => Ok((Caller::Operator, false)),
        false => identify(&guarded.app, &headers, guarded.permission).await,
    };
    // Before anything is refused: whoever tries out tokens or rights is counted too.
    let known = asking.as_ref().ok().map(|(caller, _)| caller);
    let from = Network::of(address::of(request.extensions()));
    let counted = limits::count(&guarded.app, guarded.class, known, from).await;
    let admitted = match &counted {
        Some((class, standing)) if !standing.within => {
            Err(limits::too_many(&format!("requests of class {}", class.as_str()), standing))
        }
        _ => asking.and_then(|asking| admit(&guarded, &method, &headers, asking)),
    };
    let mut response = match admitted {
        Ok(caller) => {
            request.extensions_mut().insert(caller);
            next.run(request).await
        }
        Err(error) => error.into_response(),
    };
    if let Some((class, standing)) = counted {
        limits::tell(response.headers_mut(), class, &standing);
    }
    response
}

async fn open_yet(guarded: &Guarded, operator: bool) -> Result<(), Error> {
    // The operator may put a cluster together before anybody has set it up.
    let early = guarded.before_setup && (guarded.permission == Permission::Public || operator);
    if !early && !guarded.app.look_whether_set_up().await? {
        return Err(setup_needed().into());
    }
    Ok(())
}

fn admit(
    guarded: &Guarded,
    method: &Method,
    headers: &HeaderMap,
    (caller, with_cookie): (Caller, bool),
) -> Result<Caller, Error> {
    if matches!(caller, Caller::Operator) {
        return Ok(caller);
    }
    if with_cookie && !is_safe(method) {
        check_csrf(&guarded.app, &caller, headers)?;
    }
    let role = match &caller {
        Caller::Person(person, _) => Some(person.role),
        _ => None,
    };
    if guarded.in_person {
        caller.in_person()?;
    }
    if let Caller::Person(_, Proof::Token(_, token)) = &caller
        && token.read_only
        && !is_safe(method)
    {
        return Err(Refusal::denied("this token may only read").into());
    }
    match (may(role, Action::In(guarded.permission)), &caller) {
        (Ok(()), _) => Ok(caller),
        (Err(_), Caller::Anonymous) => Err(missing().into()),
        (Err(refusal), _) => Err(refusal.into()),
    }
}

/// Finds out who asks; the second part says whether a cookie told.
async fn identify(
    app: &Shared,
    headers: &HeaderMap,
    permission: Permission,
) -> Result<(Caller, bool), Error> {
    let open_to_all = permission == Permission::Public;
    let found = if let Some(token) = bearer(headers) {
        if let Some(link) = token.strip_prefix(API_TOKEN_PREFIX) {
            return match program(app, link).await? {
                Some(caller) => Ok((caller, false)),
                None if open_to_all => Ok((Caller::Anonymous, false)),
                None => Err(no_token().into()),
            };
        }
        match outside::person(app, token, !open_to_all).await {
            Ok(Some((person, until))) => {
                return Ok((Caller::Person(Box::new(person), Proof::Outside(until)), false));
            }
            Ok(None) => {}
            Err(Error::Refused(_)) if open_to_all => return Ok((Caller::Anonymous, false)),
            Err(error) => return Err(error),
        }
        if app.secrets.names_another_key(token, app.replica.now()) {
            app.renew_keys().await?;
        }
        match app.secrets.read_access(token, app.replica.now(), &app.issuer) {
            Ok(claims) => Some((claims.sid, false)),
            // Old credentials must not keep anybody out of what is open to all.
            Err(_) if open_to_all => None,
            Err(refusal) => return Err(refusal.into()),
        }
    } else if let Some(cookie) = cookie(headers, SESSION_COOKIE) {
        let opened = app.secrets.open_link(Purpose::Cookie, cookie);
        opened.map(|(id, _)| (SessionId(id), true))
    } else {
        None
    };
    let Some((session_id, with_cookie)) = found else { return Ok((Caller::Anonymous, false)) };
    match login(app, session_id).await? {
        Some((person, session)) => {
            Ok((Caller::Person(Box::new(person), Proof::Login(session)), with_cookie))
        }
        None if open_to_all => Ok((Caller::Anonymous, false)),
        None => Err(Refusal::new(Code::AuthExpired, "this login has ended; sign in again").into()),
    }
}

/// Who a program speaks for, if its token holds.
async fn program(app: &Shared, link: &str) -> Result<Option<Caller>, Fault> {
    let Some((id, _)) = app.secrets.open_link(Purpose::ApiToken, link) else { return Ok(None) };
    let session = SessionId(id);
    let Some((person, session)) = login(app, session).await? else { return Ok(None) };
    let id = session.id;
    let token = app.replica.read(move |db| query::keys::token(db, id)).await?;
    if let Some(token) = &token {
        app.uses.note(token, app.replica.now());
    }
    Ok(token.map(|token| Caller::Person(Box::new(person), Proof::Token(session, token))))
}

fn no_token() -> Refusal {
    let detail = "this token does not hold, or no longer; an admin, or whose it is, gives another";
    Refusal::new(Code::AuthInvalid, detail)
}

/// The login that a request names with a token or cookie of ours, whether it still holds or not.
pub(super) fn named_login(app: &App, headers: &HeaderMap) -> Option<SessionId> {
    if let Some(token) = bearer(headers) {
        let claims = app.secrets.read_access(token, app.replica.now(), &app.issuer);
        return claims.ok().map(|claims| claims.sid);
    }
    let opened = app.secrets.open_link(Purpose::Cookie, cookie(headers, SESSION_COOKIE)?);
    opened.map(|(id, _)| SessionId(id))
}

/// A login with its person, if both still hold.
pub(super) async fn login(
    app: &Shared,
    session: SessionId,
) -> Result<Option<(Person, Session)>, Fault> {
    let read = move |db: &query::Connection| {
        let Some(session) = query::person::session(db, session)? else { return Ok(None) };
        Ok(query::person::by_id(db, session.person)?.map(|person| (person, session)))
    };
    let now = app.replica.now();
    Ok(app.replica.read(read).await?.filter(|(person, session)| {
        !person.disabled && session.revoked_at.is_none() && session.expires_at > now
    }))
}

fn check_csrf(app: &Shared, caller: &Caller, headers: &HeaderMap) -> Result<(), Refusal> {
    let Some(session) = caller.session() else { return Ok(()) };
    let sent = headers.get(CSRF_HEADER).and_then(|value| value.to_str().ok());
    let same = sent.is_some() && sent == cookie(headers, CSRF_COOKIE);
    let ours = sent.and_then(|token| app.secrets.open_link(Purpose::Csrf, token));
    if same && ours.is_some_and(|(id, _)| id == session.0) {
        return Ok(());
    }
    Err(Refusal::denied(
        "the X-CSRF-Token header does not match the csrf cookie of this login; reload the page",
    ))
}

/// The bearer token of a request.
pub(super) fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(token.trim())
}

/// The value of a cookie.
pub(super) fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find_map(|(key, value)| (key == name).then_some(value))
}

fn is_safe(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS)
}

/// What every route but a few says before setup.
pub(super) fn setup_needed() -> Refusal {
    Refusal::new(
        Code::SetupNeeded,
        "nobody has set this node up yet; open the setup link that it printed, or run `greenroom \
         setup`",
    )
}

fn missing() -> Refusal {
    Refusal::new(Code::AuthMissing, "sign in first, or send a bearer token")
}
