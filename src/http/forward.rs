//! Requests find the leader: it works on all of them, and any other node passes on what it gets.
//!
//! So sign-in, rooms, tickets and running keys are looked after in one place, and whoever reads
//! sees what was written before, on whichever node. `?stale=ok` reads this node's own state
//! instead.
//!
//! **Invariant:** a request travels once: what came through a peer is answered or sent back.
//! **Invariant:** it is sent again only if nothing was done before or if doing it twice is doing it
//! once: a read, or a write under a key.

mod lines;

use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{ConnectInfo, Request, State};
use axum::http::request::Parts;
use axum::http::{Extensions, HeaderMap, HeaderName, HeaderValue, Method, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use tokio::sync::watch;
use tokio::time::{Instant, timeout, timeout_at};

use crate::cluster::{Seat, Unavailable};
use crate::domain::limit;

use super::app::Shared;
use super::body::place_for;
use super::caller::ThroughOperatorSocket;
use super::error::{Error, Lost, Problem};
use super::layers::RequestId;
use super::serve::Peer;

pub(super) use lines::Lines;

/// Marks requests that another node passed on.
#[derive(Clone, Copy, Debug)]
pub(super) struct ThroughPeer {
    /// Which node.
    pub(super) node: u64,
}

/// Marks answers that another node gave.
#[derive(Clone, Copy, Debug)]
pub(super) struct PassedTo(pub(super) u64);

/// What the door needs to know of a route.
#[derive(Clone)]
pub(super) struct Door {
    pub(super) app: Shared,
    /// The largest body.
    pub(super) body_bytes_max: usize,
    /// Whether a write under a key may be sent again.
    pub(super) keyed: bool,
}

/// A request on its way.
struct Trip {
    body_bytes_max: usize,
    keyed: bool,
    head: Parts,
    load: Load,
}

/// Its body.
enum Load {
    /// Still on the way in.
    Coming(Body),
    /// Whole, so that it can be sent again.
    Whole(Bytes),
    /// Handed over.
    Gone,
}

/// How one journey of a request ended.
enum Leg {
    /// With an answer.
    Answer(Response),
    /// With nothing done.
    Untouched(Response),
    /// It may have been done or not.
    Unknown(Response),
}

/// The address that the caller has, from node to node.
pub(super) const CALLER: HeaderName = HeaderName::from_static("greenroom-caller");

/// Says that the caller came through the operator's socket, from node to node.
const OPERATOR: HeaderName = HeaderName::from_static("greenroom-operator");

/// Says that a request was not answered because the leader changed, from node to node.
const LOST: HeaderName = HeaderName::from_static("greenroom-lost");

/// How new the state is that a stale read saw.
const APPLIED: HeaderName = HeaderName::from_static("greenroom-applied");

/// What concerns one connection and not the request (RFC 9110, section 7.6.1), and what is written
/// anew for the next connection.
const OF_ONE_CONNECTION: [HeaderName; 9] = [
    header::CONNECTION,
    header::PROXY_AUTHENTICATE,
    header::PROXY_AUTHORIZATION,
    header::TE,
    header::TRAILER,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
    header::EXPECT,
    HeaderName::from_static("keep-alive"),
];

/// In front of every route that the leader answers.
pub(super) async fn door(State(door): State<Door>, request: Request, next: Next) -> Response {
    let Door { app, body_bytes_max, keyed } = door;
    let _place = match place_for(body_bytes_max) {
        Ok(place) => place,
        Err(error) => return error.into_response(),
    };
    if is_stale(&request) {
        let applied = app.replica.applied_index();
        let mut response = next.run(request).await;
        response.headers_mut().insert(APPLIED, HeaderValue::from(applied));
        return response;
    }
    if request.extensions().get::<ThroughPeer>().is_some() {
        return match up_to_date(&app).await {
            Ok(()) => next.run(request).await,
            Err(unavailable) => Error::from(unavailable).into_response(),
        };
    }
    let (head, body) = request.into_parts();
    Trip { body_bytes_max, keyed, head, load: Load::Coming(body) }.run(&app, next).await
}

/// Takes off what the other node wrote on a request, and keeps it where handlers look.
pub(super) fn arrive(request: &mut Request, node: u64) {
    let headers = request.headers_mut();
    let caller = headers.remove(CALLER);
    let operator = headers.remove(OPERATOR).is_some();
    let address = caller.as_ref().and_then(|value| value.to_str().ok()?.parse().ok());
    let extensions = request.extensions_mut();
    extensions.insert(ThroughPeer { node });
    extensions.insert(ConnectInfo(Peer::elsewhere(address)));
    if operator {
        extensions.insert(ThroughOperatorSocket);
    }
}

/// Writes on an answer what the other node must know of it.
pub(super) fn depart(mut response: Response) -> Response {
    let lost = response.extensions().get::<Problem>().and_then(Problem::lost);
    if let Some(lost) = lost {
        let word = match lost {
            Lost::Untouched => "untouched",
            Lost::Unknown => "unknown",
        };
        response.headers_mut().insert(LOST, HeaderValue::from_static(word));
    }
    response
}

/// Who calls, for another node. Whatever a caller wrote into these headers is gone.
pub(super) fn introduce(headers: &mut HeaderMap, from: &Extensions) {
    for name in [CALLER, OPERATOR, LOST] {
        headers.remove(name);
    }
    let peer = from.get::<ConnectInfo<Peer>>();
    let address = peer.and_then(|ConnectInfo(peer)| peer.address());
    let address = address.and_then(|address| HeaderValue::try_from(address.to_string()).ok());
    if let Some(address) = address {
        headers.insert(CALLER, address);
    }
    if from.get::<ThroughOperatorSocket>().is_some() {
        headers.insert(OPERATOR, HeaderValue::from_static("yes"));
    }
    let id = from.get::<RequestId>();
    if let Some(id) = id.and_then(|id| HeaderValue::from_str(&id.0).ok()) {
        headers.insert("x-request-id", id);
    }
}

/// Makes sure that this node leads and reads what was written before.
pub(super) async fn up_to_date(app: &Shared) -> Result<(), Unavailable> {
    if app.replica.seat() != Seat::Here {
        return Err(Unavailable::NoLeader);
    }
    let patience = Duration::from_millis(limit::LEADER_WAIT_MS);
    timeout(patience, app.replica.linearize()).await.unwrap_or(Err(Unavailable::NoLeader))
}

/// Waits until somebody leads, if it is who was just tried not before a pause; `false` if it takes
/// too long.
pub(super) async fn next_leader(
    seats: &mut watch::Receiver<Seat>,
    tried: Seat,
    pause: Duration,
    until: Instant,
) -> bool {
    let leads = |seat: &Seat| *seat != Seat::Nowhere;
    if leads(&tried) {
        // The same one may take it the next time: its connection broke, or it has yet to notice.
        let other = seats.wait_for(|seat| leads(seat) && *seat != tried);
        let _ = timeout(pause, other).await;
    }
    matches!(timeout_at(until, seats.wait_for(leads)).await, Ok(Ok(_))) && Instant::now() < until
}

fn is_stale(request: &Request) -> bool {
    let query = request.uri().query().unwrap_or_default();
    is_read(request.method()) && query.split('&').any(|pair| pair == "stale=ok")
}

fn is_read(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD)
}

impl Trip {
    async fn run(mut self, app: &Shared, next: Next) -> Response {
        let mut seats = app.replica.watch_seat();
        let mut last = no_leader();
        let mut until = None;
        for _ in 0..limit::FORWARD_TRIES_MAX {
            let seat = *seats.borrow_and_update();
            let leg = match seat {
                Seat::Here => self.stay(app, &next).await,
                Seat::There(node) => self.travel(app, node).await,
                Seat::Nowhere => Leg::Untouched(no_leader()),
            };
            last = match leg {
                Leg::Untouched(response) if !matches!(self.load, Load::Gone) => response,
                Leg::Unknown(response) if self.may_repeat() => response,
                Leg::Answer(response) | Leg::Untouched(response) | Leg::Unknown(response) => {
                    return response;
                }
            };
            // It begins with the first failure: how long an answer took is nobody's waiting.
            let patience = Duration::from_millis(limit::LEADER_WAIT_MS);
            let until = *until.get_or_insert_with(|| Instant::now() + patience);
            let pause = Duration::from_millis(limit::LEADER_RETRY_MS);
            if !next_leader(&mut seats, seat, pause, until).await {
                break;
            }
        }
        last
    }

    /// This node leads.
    async fn stay(&mut self, app: &Shared, next: &Next) -> Leg {
        if let Err(unavailable) = up_to_date(app).await {
            return Leg::Untouched(Error::from(unavailable).into_response());
        }
        // Without a key it is not worth keeping: it could not be repeated anyway.
        if self.may_repeat()
            && let Err(error) = self.fill().await
        {
            return Leg::Answer(error.into_response());
        }
        let body = self.body();
        let response = next.clone().run(Request::from_parts(self.head.clone(), body)).await;
        match response.extensions().get::<Problem>().and_then(Problem::lost) {
            Some(Lost::Untouched) => Leg::Untouched(response),
            Some(Lost::Unknown) => Leg::Unknown(response),
            None => Leg::Answer(response),
        }
    }

    /// Another node leads.
    async fn travel(&mut self, app: &Shared, node: u64) -> Leg {
        if let Err(error) = self.fill().await {
            return Leg::Answer(error.into_response());
        }
        let Ok(_place) = app.lines.place() else {
            return Leg::Answer(Error::from(Unavailable::Busy).into_response());
        };
        let Ok(mut line) = app.lines.to(&app.replica, node).await else {
            return Leg::Untouched(no_leader());
        };
        let answer = tokio::select! {
            answer = line.send(self.outgoing()) => answer,
            // Somebody else leads now, or that one is not heard any more, be it that it hangs or
            // that this node is cut off: it need not be waited for.
            () = moved_from(app.replica.watch_seat(), node), if self.may_repeat() => {
                return Leg::Unknown(unknown());
            }
        };
        let response = match answer {
            Ok(response) => response,
            Err(Lost::Untouched) => return Leg::Untouched(no_leader()),
            Err(Lost::Unknown) => return Leg::Unknown(unknown()),
        };
        app.lines.keep(node, line);
        let lost = response.headers().get(LOST).map(|word| word.as_bytes() == b"untouched");
        let mut response = incoming(response.map(Body::new), app.plain_cookies);
        response.extensions_mut().insert(PassedTo(node));
        match lost {
            Some(true) => Leg::Untouched(response),
            Some(false) => Leg::Unknown(response),
            None => Leg::Answer(response),
        }
    }

    /// Whether it can be done again, and doing it twice is doing it once.
    fn may_repeat(&self) -> bool {
        let key = self.keyed && self.head.headers.contains_key("idempotency-key");
        let once = is_read(&self.head.method) || key;
        once && !matches!(self.load, Load::Gone)
    }

    /// Reads the body to its end, so that it can be sent again.
    async fn fill(&mut self) -> Result<(), Error> {
        let body = match std::mem::replace(&mut self.load, Load::Gone) {
            Load::Coming(body) => body,
            load => {
                self.load = load;
                return Ok(());
            }
        };
        let whole = Limited::new(body, self.body_bytes_max).collect().await;
        let whole = whole.map_err(|error| {
            super::body::unread(error.is::<LengthLimitError>(), self.body_bytes_max)
        })?;
        self.load = Load::Whole(whole.to_bytes());
        Ok(())
    }

    fn body(&mut self) -> Body {
        match &mut self.load {
            Load::Whole(bytes) => Body::from(bytes.clone()),
            load => match std::mem::replace(load, Load::Gone) {
                Load::Coming(body) => body,
                _ => Body::empty(),
            },
        }
    }

    fn outgoing(&mut self) -> hyper::Request<Body> {
        let mut request = hyper::Request::new(self.body());
        *request.method_mut() = self.head.method.clone();
        let target = self.head.uri.path_and_query().cloned();
        *request.uri_mut() = target.map(Into::into).unwrap_or_default();
        let headers = request.headers_mut();
        *headers = self.head.headers.clone();
        strip(headers);
        introduce(headers, &self.head.extensions);
        request
    }
}

/// An answer of another node as one of ours.
fn incoming(mut response: Response, loopback: bool) -> Response {
    let headers = response.headers_mut();
    strip(headers);
    headers.remove(LOST);
    let cookies: Vec<_> = headers.get_all(header::SET_COOKIE).iter().cloned().collect();
    headers.remove(header::SET_COOKIE);
    for cookie in cookies {
        headers.append(header::SET_COOKIE, as_of_here(cookie, loopback));
    }
    response
}

/// Whether a cookie is `Secure` depends on the listener that the browser talks to.
fn as_of_here(cookie: HeaderValue, loopback: bool) -> HeaderValue {
    const SECURE: &str = "; Secure";
    let Ok(text) = cookie.to_str() else { return cookie };
    let plain = text.strip_suffix(SECURE).unwrap_or(text);
    let secure = if loopback { "" } else { SECURE };
    HeaderValue::try_from(format!("{plain}{secure}")).unwrap_or(cookie)
}

fn strip(headers: &mut HeaderMap) {
    let named: Vec<HeaderName> = headers
        .get_all(header::CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|name| name.trim().parse().ok())
        .collect();
    for name in named.into_iter().chain(OF_ONE_CONNECTION) {
        headers.remove(name);
    }
}

async fn moved_from(mut seats: watch::Receiver<Seat>, node: u64) {
    if seats.wait_for(|seat| *seat != Seat::There(node)).await.is_err() {
        // Consensus has ended and will say nothing more.
        std::future::pending().await
    }
}

fn no_leader() -> Response {
    Error::from(Unavailable::NoLeader).into_response()
}

fn unknown() -> Response {
    Error::from(Unavailable::Unknown).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(text: &'static str) -> HeaderValue {
        HeaderValue::from_static(text)
    }

    #[test]
    fn a_cookie_is_secure_where_the_listener_is() {
        let plain = "a=b; Path=/; SameSite=Strict";
        let secure = "a=b; Path=/; SameSite=Strict; Secure";
        for (given, loopback, wanted) in [
            (plain, true, plain),
            (plain, false, secure),
            (secure, true, plain),
            (secure, false, secure),
        ] {
            assert_eq!(as_of_here(value(given), loopback), wanted);
        }
    }

    #[test]
    fn what_concerns_one_connection_stays_there() {
        let mut headers = HeaderMap::new();
        for (name, text) in [
            ("connection", "close, X-Hop"),
            ("x-hop", "1"),
            ("transfer-encoding", "chunked"),
            ("expect", "100-continue"),
            ("host", "example.org"),
            ("origin", "https://example.org"),
            ("cookie", "a=b"),
            ("idempotency-key", "k"),
            ("traceparent", "t"),
        ] {
            headers.insert(name, value(text));
        }
        strip(&mut headers);
        let mut left: Vec<&str> = headers.keys().map(HeaderName::as_str).collect();
        left.sort_unstable();
        assert_eq!(left, ["cookie", "host", "idempotency-key", "origin", "traceparent"]);
    }

    #[test]
    fn what_a_caller_says_of_itself_is_not_passed_on() {
        let mut headers = HeaderMap::new();
        for name in [CALLER, OPERATOR, LOST] {
            headers.insert(name, value("forged"));
        }
        introduce(&mut headers, &Extensions::new());
        assert!(headers.is_empty());
        let mut known = Extensions::new();
        known.insert(ThroughOperatorSocket);
        known.insert(RequestId("id-1".to_owned()));
        headers.insert(OPERATOR, value("forged"));
        introduce(&mut headers, &known);
        assert_eq!(headers[OPERATOR], "yes");
        assert_eq!(headers["x-request-id"], "id-1");
    }

    #[test]
    fn the_leader_keeps_what_a_node_says_and_takes_it_off() {
        let mut request = Request::new(Body::empty());
        request.headers_mut().insert(CALLER, value("192.0.2.7:4711"));
        request.headers_mut().insert(OPERATOR, value("yes"));
        arrive(&mut request, 3);
        assert!(request.headers().is_empty());
        let extensions = request.extensions();
        assert_eq!(extensions.get::<ThroughPeer>().map(|peer| peer.node), Some(3));
        assert!(extensions.get::<ThroughOperatorSocket>().is_some());
        let ConnectInfo(peer) = extensions.get::<ConnectInfo<Peer>>().copied().unwrap();
        assert_eq!(peer.address().map(|a| a.to_string()), Some("192.0.2.7:4711".to_owned()));
        let mut silent = Request::new(Body::empty());
        arrive(&mut silent, 3);
        let ConnectInfo(peer) = silent.extensions().get::<ConnectInfo<Peer>>().copied().unwrap();
        assert!(!peer.is_loopback(), "nobody is local only because nothing was said");
        assert!(silent.extensions().get::<ThroughOperatorSocket>().is_none());
    }
}
