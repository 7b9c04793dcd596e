//! Who else may say who somebody is: issuers of bearer tokens, and providers to sign in with.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::domain::person::Role;

/// Somebody whose tokens are taken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Issuer {
    /// `iss` of its tokens, to the letter.
    pub issuer: String,
    /// `aud` of those that are for us.
    pub audience: String,
    /// Where its keys lie as a JWK set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jwks_file: Option<PathBuf>,
    /// Or where they are fetched from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jwks_url: Option<String>,
    /// The algorithms of its keys.
    #[serde(default = "usual_algorithms", skip_serializing_if = "are_usual_algorithms")]
    pub algorithms: Vec<String>,
    /// The claim that says what somebody is there; dots go into objects.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role_claim: Option<String>,
    /// What that makes them here.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub roles: BTreeMap<String, Role>,
}

/// Somebody to sign in with (OpenID Connect).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Provider {
    /// The name on the button; in addresses it stands in lower case.
    pub name: String,
    /// Where its description is found, and `iss` of its tokens.
    pub issuer: String,
    /// What it calls this Greenroom.
    pub client_id: String,
    /// The file with what proves it; without it the client is a public one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_secret_file: Option<PathBuf>,
    /// What is asked for.
    #[serde(default = "usual_scopes", skip_serializing_if = "are_usual_scopes")]
    pub scopes: Vec<String>,
    /// The algorithms of its keys.
    #[serde(default = "usual_algorithms", skip_serializing_if = "are_usual_algorithms")]
    pub algorithms: Vec<String>,
    /// The claim that says what somebody is there; dots go into objects.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role_claim: Option<String>,
    /// What that makes them here.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub roles: BTreeMap<String, Role>,
}

/// Issuers or providers: an organisation has one or two, not hundreds.
const LIST_MAX: usize = 16;

/// A text of a setting here.
const TEXT_BYTES_MAX: usize = 1_024;

/// Rows of a map from groups to roles.
const ROLES_MAX: usize = 256;

/// The algorithms that can be checked. `none` is not among them and cannot be.
const ALGORITHMS: [&str; 12] = [
    "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "EdDSA", "HS256",
    "HS384", "HS512",
];

fn usual_algorithms() -> Vec<String> {
    vec!["RS256".to_owned()]
}

fn usual_scopes() -> Vec<String> {
    ["openid", "email", "profile"].map(str::to_owned).to_vec()
}

fn are_usual_algorithms(names: &[String]) -> bool {
    names == usual_algorithms()
}

fn are_usual_scopes(scopes: &[String]) -> bool {
    scopes == usual_scopes()
}

impl Provider {
    /// The name in addresses.
    pub fn slug(&self) -> String {
        self.name.to_ascii_lowercase().replace(' ', "-")
    }
}

/// Reads and checks the list of issuers.
pub(super) fn issuers(value: &Value) -> Result<Vec<Issuer>, String> {
    let issuers: Vec<Issuer> = list(value)?;
    for (n, one) in issuers.iter().enumerate() {
        let place = |what: String| format!("number {}: {what}", n + 1);
        check_issuer(one).map_err(place)?;
        if issuers[..n].iter().any(|other| other.issuer == one.issuer) {
            return Err(place(format!("`{}` stands in the list already", one.issuer)));
        }
    }
    Ok(issuers)
}

/// Reads and checks the list of providers.
pub(super) fn providers(value: &Value) -> Result<Vec<Provider>, String> {
    let providers: Vec<Provider> = list(value)?;
    for (n, one) in providers.iter().enumerate() {
        let place = |what: String| format!("number {}: {what}", n + 1);
        check_provider(one).map_err(place)?;
        if providers[..n].iter().any(|other| other.slug() == one.slug()) {
            return Err(place(format!("the name `{}` stands in the list already", one.name)));
        }
    }
    Ok(providers)
}

/// `https`, or `http` to this machine, where nobody can listen in between.
pub fn is_safe_url(url: &str) -> bool {
    let plain = url.bytes().all(|b| b.is_ascii_graphic()) && url.len() <= TEXT_BYTES_MAX;
    let host_of = |rest: &str| {
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        match authority.rsplit_once(':') {
            Some((host, port)) if !port.ends_with(']') => host.to_owned(),
            _ => authority.to_owned(),
        }
    };
    let to_us = |host: &str| {
        let address = host.trim_start_matches('[').trim_end_matches(']');
        let address: Option<std::net::IpAddr> = address.parse().ok();
        host == "localhost" || address.is_some_and(|address| address.is_loopback())
    };
    plain
        && !url.contains('@')
        && match url.split_once("://") {
            Some(("https", rest)) => !host_of(rest).is_empty(),
            Some(("http", rest)) => to_us(&host_of(rest)),
            _ => false,
        }
}

fn list<T: DeserializeOwned>(value: &Value) -> Result<Vec<T>, String> {
    let Value::Array(rows) = value else { return Err("expected a list of tables".to_owned()) };
    if rows.len() > LIST_MAX {
        return Err(format!("{} where {LIST_MAX} are allowed", rows.len()));
    }
    let rows = rows.iter().enumerate();
    rows.map(|(n, row)| T::deserialize(row).map_err(|error| format!("number {}: {error}", n + 1)))
        .collect()
}

fn check_issuer(one: &Issuer) -> Result<(), String> {
    text("issuer", &one.issuer)?;
    text("audience", &one.audience)?;
    algorithms(&one.algorithms)?;
    roles(one.role_claim.as_deref(), &one.roles)?;
    let shared = one.algorithms.iter().any(|name| name.starts_with("HS"));
    if shared && one.algorithms.iter().any(|name| !name.starts_with("HS")) {
        return Err("`algorithms`: secrets (HS…) and public keys do not go together; make two \
            issuers of it"
            .to_owned());
    }
    match (&one.jwks_file, &one.jwks_url) {
        (Some(_), None) => Ok(()),
        (None, Some(_)) if shared => {
            Err("a shared secret (HS…) is no public key: put it into a `jwks_file`".to_owned())
        }
        (None, Some(url)) if is_safe_url(url) => Ok(()),
        (None, Some(url)) => Err(format!("`jwks_url`: `{url}` must be an https address")),
        _ => Err("exactly one of `jwks_file` and `jwks_url` is needed".to_owned()),
    }
}

fn check_provider(one: &Provider) -> Result<(), String> {
    text("name", &one.name)?;
    let good = |c: char| c.is_ascii_alphanumeric() || matches!(c, ' ' | '-');
    if !one.name.chars().all(good) {
        return Err(format!("`name`: `{}` may have letters, digits, - and spaces", one.name));
    }
    text("client_id", &one.client_id)?;
    if !is_safe_url(&one.issuer) || one.issuer.contains(['?', '#']) {
        return Err(format!("`issuer`: `{}` must be an https address", one.issuer));
    }
    if !one.scopes.iter().any(|scope| scope == "openid") {
        return Err("`scopes`: `openid` must be among them".to_owned());
    }
    if one.scopes.iter().any(|scope| !scope.bytes().all(|b| b.is_ascii_graphic())) {
        return Err("`scopes`: a scope is one word".to_owned());
    }
    if one.algorithms.iter().any(|name| name.starts_with("HS")) {
        return Err("`algorithms`: providers sign with public keys, not with HS…".to_owned());
    }
    algorithms(&one.algorithms)?;
    roles(one.role_claim.as_deref(), &one.roles)
}

fn text(name: &str, text: &str) -> Result<(), String> {
    if text.trim().is_empty() || text.len() > TEXT_BYTES_MAX || text.chars().any(char::is_control) {
        return Err(format!("`{name}` must be one line of 1 to {TEXT_BYTES_MAX} bytes"));
    }
    Ok(())
}

fn algorithms(names: &[String]) -> Result<(), String> {
    let known = ALGORITHMS.join(", ");
    if names.is_empty() {
        return Err(format!("`algorithms` must name one at least of {known}"));
    }
    match names.iter().find(|name| !ALGORITHMS.contains(&name.as_str())) {
        Some(name) => Err(format!("`algorithms`: `{name}` is not one of {known}")),
        None => Ok(()),
    }
}

fn roles(claim: Option<&str>, roles: &BTreeMap<String, Role>) -> Result<(), String> {
    match claim {
        None if !roles.is_empty() => Err("`roles` needs a `role_claim` to look at".to_owned()),
        _ if roles.values().any(|role| *role == Role::Service) => {
            Err("nobody signs in as `service`; an admin gives programs tokens".to_owned())
        }
        _ if roles.len() > ROLES_MAX => {
            Err(format!("`roles` has {} rows where {ROLES_MAX} are allowed", roles.len()))
        }
        None => Ok(()),
        Some(claim) => text("role_claim", claim),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn changed(base: &Value, name: &str, value: Value) -> Value {
        let mut row = base.clone();
        match value {
            Value::Null => row.as_object_mut().unwrap().remove(name),
            value => row.as_object_mut().unwrap().insert(name.to_owned(), value),
        };
        json!([row])
    }

    #[test]
    fn issuers_are_read_as_the_contract_has_them() {
        let base = json!({"issuer": "https://id.example.org", "audience": "greenroom",
            "jwks_file": "/etc/keys.json", "algorithms": ["ES256"], "role_claim": "groups",
            "roles": {"staff": "interviewer"}});
        let read = issuers(&json!([base])).unwrap();
        assert_eq!(read[0].roles["staff"], Role::Interviewer);
        assert_eq!(serde_json::to_value(&read).unwrap(), json!([base]), "nothing is lost");
        let usual = changed(&base, "algorithms", Value::Null);
        assert_eq!(issuers(&usual).unwrap()[0].algorithms, ["RS256"]);
        for (name, value, why) in [
            ("issuer", Value::Null, "issuer"),
            ("audience", json!(""), "audience"),
            ("audience", Value::Null, "audience"),
            ("colour", json!("red"), "colour"),
            ("algorithms", json!(["none"]), "none"),
            ("algorithms", json!([]), "algorithms"),
            ("algorithms", json!(["HS256", "RS256"]), "two"),
            ("jwks_file", Value::Null, "exactly one"),
            ("jwks_url", json!("https://id.example.org/keys"), "exactly one"),
            ("roles", json!({"staff": "king"}), "king"),
            ("role_claim", Value::Null, "role_claim"),
        ] {
            let refused = issuers(&changed(&base, name, value.clone())).unwrap_err();
            assert!(refused.contains(why), "{name} = {value}: {refused}");
        }
        assert!(issuers(&json!([base, base])).unwrap_err().contains("already"));
        assert!(issuers(&json!({})).is_err());
    }

    #[test]
    fn keys_come_over_https_or_from_this_machine() {
        for good in
            ["https://a.example/k", "http://127.0.0.1:80/k", "http://[::1]/", "http://localhost"]
        {
            assert!(is_safe_url(good), "{good}");
        }
        for bad in [
            "http://a.example/k",
            "http://127.0.0.1.example/",
            "ftp://a",
            "https://",
            "https://a@b",
        ] {
            assert!(!is_safe_url(bad), "{bad}");
        }
        let secret = json!([{"issuer": "i", "audience": "a", "jwks_url": "https://a.example/k",
            "algorithms": ["HS256"]}]);
        assert!(issuers(&secret).unwrap_err().contains("jwks_file"));
    }

    #[test]
    fn providers_are_checked_too() {
        let base = json!({"name": "Acme ID", "issuer": "https://id.example.org", "client_id": "g"});
        let read = providers(&json!([base])).unwrap();
        assert_eq!((read[0].slug().as_str(), read[0].scopes.len()), ("acme-id", 3));
        for (name, value, why) in [
            ("name", json!("a/b"), "name"),
            ("issuer", json!("http://id.example.org"), "https"),
            ("client_id", json!(""), "client_id"),
            ("scopes", json!(["email"]), "openid"),
            ("scopes", json!(["openid", "a b"]), "one word"),
            ("algorithms", json!(["HS256"]), "HS"),
        ] {
            let refused = providers(&changed(&base, name, value.clone())).unwrap_err();
            assert!(refused.contains(why), "{name} = {value}: {refused}");
        }
    }
}
