//! Every route of the product, from its own document, with ids in the places of parameters.

use serde_json::Value;

/// A route as the document has it.
#[derive(Clone, Debug)]
pub(crate) struct Route {
    /// `GET`, `POST` and so on.
    pub(crate) method: hyper::Method,
    /// With `{id}` and the like in it.
    pub(crate) path: String,
    /// Whether it is open to everybody.
    pub(crate) public: bool,
    /// The name of the permission.
    pub(crate) permission: String,
}

/// The routes of the document that the binary serves.
pub(crate) fn routes(document: &Value) -> Vec<Route> {
    let mut routes = Vec::new();
    for (path, operations) in document["paths"].as_object().unwrap() {
        for (method, operation) in operations.as_object().unwrap() {
            routes.push(Route {
                method: method.to_uppercase().parse().unwrap(),
                path: path.clone(),
                public: operation["x-permission"] == "Public",
                permission: operation["x-permission"].as_str().unwrap().to_owned(),
            });
        }
    }
    assert!(routes.len() > 40, "the document has all routes: {}", routes.len());
    routes
}

impl Route {
    /// The path with this in the place of `{id}` and something of the right form in the others.
    pub(crate) fn filled(&self, id: &str) -> String {
        let parts = self.path.split('/').map(|part| match part {
            "{id}" => id,
            part if part.starts_with('{') => "019a0b1c-2d3e-7f40-8a5b-6c7d8e9f0a1b",
            part => part,
        });
        parts.collect::<Vec<_>>().join("/")
    }
}
