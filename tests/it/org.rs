//! An organisation with an admin, on a node that the tests share: each makes its own people and
//! rooms.

use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::{Value, json};
use tokio::sync::OnceCell;

use crate::api::{Api, text};
use crate::node::Node;

/// A node after setup.
pub(crate) struct Org {
    /// The node.
    pub(crate) node: Node,
    /// The admin, by bearer token.
    pub(crate) admin: Person,
}

/// Somebody with an account and a login.
pub(crate) struct Person {
    /// The client with the bearer token.
    pub(crate) api: Api,
    /// The id.
    pub(crate) id: String,
    /// The address.
    pub(crate) email: String,
    /// What the login gave.
    pub(crate) login: Value,
}

/// The password of everybody here: what is hashed is not what is tested.
pub(crate) const PASSWORD: &str = "a long sentence that nobody guesses";

/// The admin's address.
pub(crate) const ADMIN: &str = "ada@example.org";

static SHARED: OnceCell<Org> = OnceCell::const_new();

/// The node that the tests share. It is killed with the process of the tests.
pub(crate) async fn shared() -> &'static Org {
    SHARED.get_or_init(Org::found).await
}

impl Org {
    /// A node of one's own.
    pub(crate) async fn found() -> Org {
        Org::on(Node::start()).await
    }

    /// Sets up a node that is new.
    pub(crate) async fn on(node: Node) -> Org {
        let token = node.setup_token();
        Org::with_token(node, &token).await
    }

    /// The same with a token that was read elsewhere.
    pub(crate) async fn with_token(node: Node, token: &str) -> Org {
        let body = json!({
            "token": token, "organisation": "Lighthouse", "email": ADMIN,
            "display_name": "Ada", "password": PASSWORD,
        });
        let login = node.api().post("/api/v1/setup", body).await.ok(201);
        let admin = Person::of(&node.api(), login);
        Org { node, admin }
    }

    /// Somebody new with this role, signed in.
    pub(crate) async fn person(&self, role: &str) -> Person {
        let (_, link) = self.invited(role).await;
        let body = json!({"token": link, "password": PASSWORD});
        let login = self.node.api().post("/api/v1/auth/accept", body).await.ok(200);
        Person::of(&self.node.api(), login)
    }

    /// A new service account.
    pub(crate) async fn service(&self) -> Value {
        let email = fresh_email("robot");
        let body = json!({"email": email, "display_name": "Robot", "role": "service"});
        self.admin.api.post("/api/v1/people", body).await.ok(201)
    }

    /// Somebody new who has not joined: the account, and the token of the link.
    pub(crate) async fn invited(&self, role: &str) -> (Value, String) {
        let email = fresh_email(role);
        let body = json!({"email": email, "display_name": "Sam", "role": role});
        let account = self.admin.api.post("/api/v1/people", body).await.ok(201);
        let link = token_of(&account["invite_url"]);
        (account, link)
    }

    /// Ends the node without warning, starts it again, and gives everybody their new address.
    pub(crate) fn crash(&mut self) {
        self.node.kill();
        self.node.restart();
        self.admin.api = self.admin.api.at(self.node.address());
    }
}

impl Person {
    /// Whoever this login is for.
    pub(crate) fn of(api: &Api, login: Value) -> Person {
        Person {
            api: api.clone().bearer(&text(&login["access_token"])),
            id: text(&login["person"]["id"]),
            email: text(&login["person"]["email"]),
            login,
        }
    }
}

/// An address that nobody has yet.
pub(crate) fn fresh_email(name: &str) -> String {
    static NEXT: AtomicU32 = AtomicU32::new(1);
    format!("{name}-{}@example.org", NEXT.fetch_add(1, Ordering::Relaxed))
}

/// The token of a link.
pub(crate) fn token_of(url: &Value) -> String {
    text(url).split_once('#').expect("the token stands behind a #").1.to_owned()
}
