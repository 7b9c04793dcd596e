//! The settings of the door: rate limits, proxies, who else may say who somebody is.

use super::super::network::Network;
use super::super::outside;
use super::super::value::{self, Value};
use super::{Setting, Takes};
use crate::domain::limit::door as limit;

/// Proxies: an installation stands behind a few, in a few networks.
const PROXIES_MAX: usize = 64;

pub(super) const CONNECTIONS_PER_ADDRESS: Setting = Setting {
    key: "connections_per_address",
    env: "GREENROOM_CONNECTIONS_PER_ADDRESS",
    flag: None,
    takes: Takes::Number(1, limit::CONNECTIONS_PER_ADDRESS_MAX),
    default: Some("2048"),
    example: "",
    brief: "Connections that one address may have at once",
    long: "So that one machine cannot take every place. One more is closed at once. Addresses of \
        IPv6 count by their /64. This machine itself and `trusted_proxies` are not counted, \
        because many people stand behind them. An office behind one address may have some hundreds \
        of people with some connections each.",
    set: |settings, value| {
        settings.connections_per_address =
            value::number(value, 1, limit::CONNECTIONS_PER_ADDRESS_MAX)?;
        Ok(())
    },
    get: |settings| Some(Value::Number(settings.connections_per_address as i64)),
    flagged: |_| None,
};

pub(super) const TRUSTED_PROXIES: Setting = Setting {
    key: "trusted_proxies",
    env: "GREENROOM_TRUSTED_PROXIES",
    flag: None,
    takes: Takes::Networks,
    default: Some("[]"),
    example: "",
    brief: "Networks of the proxies in front of Greenroom",
    long: "Whatever comes from one of these networks may say in `X-Forwarded-For` for whom it \
        speaks; the right-most address there that is not in them counts as the client's. From \
        everybody else the header means nothing. Name the addresses of your proxies only, for \
        whoever is in the list can be any client. In the environment, put commas between them.",
    set: |settings, value| {
        let texts = value.list()?;
        if texts.len() > PROXIES_MAX {
            return Err(format!("{} networks where {PROXIES_MAX} are allowed", texts.len()));
        }
        let networks = texts.iter().map(|text| Network::parse(text));
        settings.trusted_proxies = networks.collect::<Result<_, _>>()?;
        Ok(())
    },
    get: |settings| {
        let networks = settings.trusted_proxies.iter();
        Some(Value::List(networks.map(Network::to_string).collect()))
    },
    flagged: |_| None,
};

pub(super) const RATE_LIMIT_ENABLED: Setting = Setting {
    key: "rate_limit.enabled",
    env: "GREENROOM_RATE_LIMIT_ENABLED",
    flag: None,
    takes: Takes::Switch,
    default: Some("true"),
    example: "",
    brief: "Whether requests are counted and refused when they are too many",
    long: "`false` switches every limit of requests off, those on wrong passwords too, and each \
        start says so. The name of the replaced system, RATE_LIMIT_ENABLED, means the same.",
    set: |settings, value| {
        settings.rate_limit_enabled = value.switch()?;
        Ok(())
    },
    get: |settings| Some(Value::Switch(settings.rate_limit_enabled)),
    flagged: |_| None,
};

pub(super) const RATE_LIMIT_WINDOW_SEC: Setting = Setting {
    key: "rate_limit.window_sec",
    env: "GREENROOM_RATE_LIMIT_WINDOW_SEC",
    flag: None,
    takes: Takes::Number(1, u32::MAX as u64),
    default: None,
    example: "60",
    brief: "Seconds of the window in which reads and writes are counted",
    long: "With this or `rate_limit.max_requests` the policy of reading and of writing is the same \
        for everybody, each counted for itself; what is not said of the two is 60 seconds and 300 \
        requests. Without both, `GET /api/v1/admin/limits` shows what holds. What an admin sets \
        there for the cluster wins. RATE_LIMIT_WINDOW_SEC means the same.",
    set: |settings, value| {
        let seconds = value::number(value, 1, u32::MAX.into())?;
        settings.rate_limit_window_seconds = Some(seconds as u32);
        Ok(())
    },
    get: |settings| settings.rate_limit_window_seconds.map(|n| Value::Number(n.into())),
    flagged: |_| None,
};

pub(super) const RATE_LIMIT_MAX_REQUESTS: Setting = Setting {
    key: "rate_limit.max_requests",
    env: "GREENROOM_RATE_LIMIT_MAX_REQUESTS",
    flag: None,
    takes: Takes::Number(1, u32::MAX as u64),
    default: None,
    example: "300",
    brief: "Reads, and writes, that one person or address may send in a window",
    long: "See `rate_limit.window_sec`. RATE_LIMIT_MAX_REQUESTS means the same.",
    set: |settings, value| {
        let requests = value::number(value, 1, u32::MAX.into())?;
        settings.rate_limit_max_requests = Some(requests as u32);
        Ok(())
    },
    get: |settings| settings.rate_limit_max_requests.map(|n| Value::Number(n.into())),
    flagged: |_| None,
};

pub(super) const ISSUERS: Setting = Setting {
    key: "auth.issuer",
    env: "GREENROOM_AUTH_ISSUERS",
    flag: None,
    takes: Takes::Tables,
    default: None,
    example: r#"[{"audience":"us","issuer":"https://example.org","jwks_file":"k.json"}]"#,
    brief: "Outside issuers whose bearer tokens are taken",
    long: "In the file one [[auth.issuer]] each, in the environment a JSON list. `issuer` and \
        `audience` must stand in the token to the letter. Its keys are a JWK set, in `jwks_file` \
        or at `jwks_url` (https). `algorithms` are those of its keys, RS256 if left out; HS256 \
        takes an `oct` key from a file. `role_claim` names the claim to look at, with dots into \
        objects, and `roles` what its values make of somebody here; the highest role counts, and \
        candidate without any. An unknown `sub` becomes a person on first use. See \
        docs/security.md.",
    set: |settings, value| {
        settings.issuers = outside::issuers(value.tables()?)?;
        Ok(())
    },
    get: |settings| tables(&settings.issuers),
    flagged: |_| None,
};

pub(super) const PROVIDERS: Setting = Setting {
    key: "auth.oidc",
    env: "GREENROOM_AUTH_OIDC",
    flag: None,
    takes: Takes::Tables,
    default: None,
    example: r#"[{"client_id":"rooms","issuer":"https://example.org","name":"Example"}]"#,
    brief: "OpenID providers to sign in with",
    long: "In the file one [[auth.oidc]] each, in the environment a JSON list. The page to sign in \
        gets a button with `name`. Register the address PUBLIC_URL/api/v1/auth/oidc/NAME/callback \
        with the provider, NAME in lower case with - for spaces; so `public_url` has to be set. \
        `client_secret_file` has the secret in its first line; without it the client is a public \
        one. `role_claim` and `roles` as in `auth.issuer`.",
    set: |settings, value| {
        settings.providers = outside::providers(value.tables()?)?;
        Ok(())
    },
    get: |settings| tables(&settings.providers),
    flagged: |_| None,
};

pub(super) const ALLOW_UNVERIFIED_JWT_DEV: Setting = Setting {
    key: "allow_unverified_jwt_dev",
    env: "GREENROOM_ALLOW_UNVERIFIED_JWT_DEV",
    flag: None,
    takes: Takes::Switch,
    default: Some("false"),
    example: "",
    brief: "Whether tokens that nobody signed are believed",
    long: "For trying things out: anybody can be anybody. It needs `env` to be development and \
        `listen` to be an address that only this machine reaches; otherwise the node does not \
        start. Each start says so. ALLOW_UNVERIFIED_JWT_DEV means the same.",
    set: |settings, value| {
        settings.allow_unverified_jwt_dev = value.switch()?;
        Ok(())
    },
    get: |settings| Some(Value::Switch(settings.allow_unverified_jwt_dev)),
    flagged: |_| None,
};

fn tables<T: serde::Serialize>(rows: &[T]) -> Option<Value> {
    let value = serde_json::to_value(rows).ok()?;
    (!rows.is_empty()).then_some(Value::Tables(value))
}
