//! How a route is answered: by whom it may be asked, how often, at which node. The routes
//! themselves stand on one page, `routes`.
//!
//! **Invariant:** the router and the OpenAPI document are made from [`table`], so a route without a
//! permission, or one that the document does not know, cannot exist.

mod routes;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::handler::Handler;
use axum::http::Method;
use axum::middleware::from_fn_with_state;
use axum::routing::{MethodFilter, MethodRouter, on};

use crate::domain::limit;
use crate::domain::may::Permission;
use crate::domain::rate::Class;

use super::app::Shared;
use super::caller::{Guarded, guard};
use super::forward::Door;
use super::keys::Keyed;
use super::{assets, forward, layers};

pub(super) use routes::table;

/// One route.
pub(super) struct Route {
    pub(super) method: Method,
    pub(super) path: &'static str,
    pub(super) permission: Permission,
    pub(super) before_setup: bool,
    /// Whether only the person themselves may, and no program with their token.
    pub(super) in_person: bool,
    /// Which requests it is counted among; `None`: it is not.
    pub(super) class: Option<Class>,
    /// Whether every node answers for itself instead of asking the leader.
    pub(super) here: bool,
    pub(super) summary: &'static str,
    /// The schema of the body, by its name in the document.
    pub(super) body: Option<&'static str>,
    /// Whether the body is a form with a file.
    pub(super) form: bool,
    /// What an idempotency key does here; it matters for POST.
    pub(super) keyed: Keyed,
    /// The largest body.
    body_bytes_max: usize,
    handler: MethodRouter<Shared>,
}

/// What answers requests.
pub type Routes = Router;

/// The router over the table.
pub fn router(app: &Shared) -> Routes {
    let mut router = Router::new();
    for route in table() {
        let guarded = Guarded {
            app: app.clone(),
            permission: route.permission,
            before_setup: route.before_setup,
            in_person: route.in_person,
            class: route.class,
        };
        // On the route only: a method that nobody serves is 405 for everybody, signed in or not.
        let guard = from_fn_with_state(guarded, guard);
        let mut handler = route.handler.route_layer(guard);
        if !route.here {
            let keyed = !matches!(route.keyed, Keyed::Never(_));
            let body_bytes_max = route.body_bytes_max;
            let door = Door { app: app.clone(), body_bytes_max, keyed };
            handler = handler.route_layer(from_fn_with_state(door, forward::door));
        }
        router = router.route(route.path, handler);
    }
    router
        .fallback(assets::serve)
        .layer(DefaultBodyLimit::max(limit::BODY_BYTES_MAX))
        .layer(from_fn_with_state(app.clone(), layers::around))
        .with_state(app.clone())
}

impl Route {
    /// Answers before setup too.
    fn early(mut self) -> Route {
        self.before_setup = true;
        self
    }

    /// Is for people themselves: whoever has stolen a token must not become its owner.
    fn in_person(mut self) -> Route {
        self.in_person = true;
        self
    }

    /// Is answered by every node for itself.
    fn here(mut self) -> Route {
        self.here = true;
        self
    }

    /// A key does nothing here.
    fn unkeyed(mut self, why: &'static str) -> Route {
        self.keyed = Keyed::Never(why);
        self
    }

    /// The first result under a key is kept by the node, in this way.
    fn kept_here(mut self, how: &'static str) -> Route {
        self.keyed = Keyed::Passing(how);
        self
    }

    /// Takes a form with a file of so many bytes.
    fn takes_file(mut self, bytes_max: usize) -> Route {
        self.form = true;
        self.class = Some(Class::Upload);
        self.body_bytes_max = bytes_max + limit::FORM_BYTES_MAX;
        self.handler = self.handler.layer(DefaultBodyLimit::max(self.body_bytes_max));
        self
    }

    /// Names the schema of the body.
    fn takes(mut self, schema: &'static str) -> Route {
        self.body = Some(schema);
        self
    }
}

/// What a request costs follows from its method, but for those that check a secret. What machines
/// ask of a node, its pages and its document are not counted.
fn class_of(method: &Method, path: &str) -> Option<Class> {
    let checks_a_secret = path.starts_with("/api/v1/auth/")
        || path.starts_with("/api/v1/cluster/")
        || path == "/api/v1/setup" && *method != Method::GET;
    match () {
        () if !path.starts_with("/api/v1/") => None,
        () if checks_a_secret => Some(Class::Auth),
        () if path.ends_with("/socket") => Some(Class::Socket),
        () if *method == Method::GET => Some(Class::Read),
        () => Some(Class::Write),
    }
}

macro_rules! methods {
    ($($name:ident $method:ident;)*) => {$(
        fn $name<H, T>(
            path: &'static str,
            permission: Permission,
            handler: H,
            summary: &'static str,
        ) -> Route
        where
            H: Handler<T, Shared>,
            T: 'static,
        {
            Route {
                method: Method::$method,
                path,
                permission,
                before_setup: false,
                in_person: false,
                class: class_of(&Method::$method, path),
                here: false,
                summary,
                body: None,
                form: false,
                keyed: Keyed::Stored,
                body_bytes_max: limit::BODY_BYTES_MAX,
                handler: on(MethodFilter::$method, handler),
            }
        }
    )*};
}

methods! {
    get GET;
    post POST;
    put PUT;
    patch PATCH;
    delete DELETE;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_route_of_the_api_is_counted_and_nothing_else_is() {
        let table = table();
        for route in &table {
            assert_eq!(route.class.is_some(), route.path.starts_with("/api/v1/"), "{}", route.path);
        }
        for (method, path, class) in [
            (Method::POST, "/api/v1/auth/login", Class::Auth),
            (Method::GET, "/api/v1/auth/oidc/{name}/callback", Class::Auth),
            (Method::POST, "/api/v1/setup", Class::Auth),
            (Method::GET, "/api/v1/setup", Class::Read),
            (Method::GET, "/api/v1/me/cv", Class::Read),
            (Method::POST, "/api/v1/me/cv", Class::Upload),
            (Method::DELETE, "/api/v1/interviews/{id}/shares/{share}", Class::Write),
            (Method::GET, "/api/v1/rooms/{id}/socket", Class::Socket),
        ] {
            let found = table.iter().find(|route| route.method == method && route.path == path);
            assert_eq!(found.and_then(|route| route.class), Some(class), "{method} {path}");
        }
    }
}
