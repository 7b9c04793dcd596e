//! How a setting's text becomes a value: addresses, paths, origins and choices.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;

/// What a setting was set to, before it is checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Value {
    /// One text.
    Text(String),
    /// Some texts.
    List(Vec<String>),
    /// A whole number.
    Number(i64),
    /// Yes or no.
    Switch(bool),
    /// Some tables.
    Tables(serde_json::Value),
}

/// A name of a machine has at most 253 characters (RFC 1035).
const HOST_CHARS_MAX: usize = 253;

impl Value {
    /// The text, where the table asks for one.
    pub(super) fn text(&self) -> Result<&str, String> {
        match self {
            Value::Text(text) if text.trim().is_empty() => {
                Err("must not be empty; leave the setting out for its default".to_owned())
            }
            Value::Text(text) if text.contains('\0') => {
                Err("must not contain the NUL character".to_owned())
            }
            Value::Text(text) => Ok(text.trim()),
            Value::List(_) => Err("expected one text, found a list".to_owned()),
            Value::Number(_) => Err("expected a text in quotes, found a number".to_owned()),
            Value::Switch(_) => Err("expected a text in quotes, found true or false".to_owned()),
            Value::Tables(_) => Err("expected one text, found tables".to_owned()),
        }
    }

    /// The texts, where the table asks for some.
    pub(super) fn list(&self) -> Result<&[String], String> {
        match self {
            Value::List(texts) => Ok(texts),
            _ => Err("expected a list, such as [\"https://one.example.org\"]".to_owned()),
        }
    }
}

impl Value {
    /// Yes or no, where the table asks for it.
    pub(super) fn switch(&self) -> Result<bool, String> {
        match self {
            Value::Switch(on) => Ok(*on),
            _ => Err("must be true or false, without quotes".to_owned()),
        }
    }

    /// The tables, where the table asks for some.
    pub(super) fn tables(&self) -> Result<&serde_json::Value, String> {
        match self {
            Value::Tables(tables) => Ok(tables),
            _ => Err(
                "expected tables: [[...]] in the file, a JSON list in the environment, such as \
                [{\"issuer\": \"https://id.example.org\"}]"
                    .to_owned(),
            ),
        }
    }
}

/// Yes or no in words of an environment; what is neither stays a text, and is refused.
pub(super) fn switch(words: &str) -> Value {
    match words.trim().to_ascii_lowercase().as_str() {
        "true" | "1" | "yes" | "on" => Value::Switch(true),
        "false" | "0" | "no" | "off" => Value::Switch(false),
        _ => Value::Text(words.to_owned()),
    }
}

/// A whole number between these.
pub(super) fn number(value: &Value, min: u64, max: u64) -> Result<u64, String> {
    let found = match value {
        Value::Number(number) => u64::try_from(*number).ok(),
        Value::Text(text) => text.trim().parse().ok(),
        _ => None,
    };
    let within = found.filter(|number| (min..=max).contains(number));
    within.ok_or_else(|| format!("must be a whole number from {min} to {max}, without quotes"))
}

/// An address to listen on.
pub(super) fn address(value: &Value) -> Result<SocketAddr, String> {
    let text = value.text()?;
    // Somebody who names no machine, or only this one, gets what other machines cannot reach.
    let here = text.strip_prefix("localhost:").or_else(|| text.strip_prefix(':'));
    let port = here.and_then(|port| port.parse().ok());
    if let Some(port) = port {
        return Ok(SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port));
    }
    text.parse().map_err(|_| {
        format!(
            "`{text}` is not an address to listen on: expected IP:PORT, such as 127.0.0.1:8080, \
             0.0.0.0:8080 for every interface, or [::1]:8080"
        )
    })
}

/// A path.
pub(super) fn path(value: &Value) -> Result<PathBuf, String> {
    value.text().map(PathBuf::from)
}

/// One of some words.
pub(super) fn choice<T: Copy>(value: &Value, choices: &[(&str, T)]) -> Result<T, String> {
    let text = value.text()?;
    let found = choices.iter().find(|(name, _)| *name == text);
    found.map(|(_, value)| *value).ok_or_else(|| {
        let names: Vec<&str> = choices.iter().map(|(name, _)| *name).collect();
        format!("`{text}` is not one of {}", names.join(", "))
    })
}

/// A name or an address of a machine, in lower case and without a port.
pub(super) fn host(text: &str) -> Result<String, String> {
    let lower = text.trim().to_ascii_lowercase();
    let bare = lower.trim_start_matches('[').trim_end_matches(']');
    let is_label = |label: &str| {
        !label.is_empty()
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let is_name = lower.len() <= HOST_CHARS_MAX && lower.split('.').all(is_label);
    match bare.parse::<IpAddr>() {
        Ok(address) => Ok(address.to_string()),
        Err(_) if is_name => Ok(lower),
        Err(_) => Err(format!(
            "`{text}` is neither a name nor an address: expected rooms.example.org or 10.0.0.1, \
             without scheme and port"
        )),
    }
}

/// Scheme, host and port as a browser writes them in `Origin`: lower case, without the scheme's own
/// port.
pub(super) fn origin(text: &str) -> Result<String, String> {
    let wrong = |why: &str| {
        Err(format!(
            "`{text}` {why}: expected scheme, host and port, such as https://rooms.example.org"
        ))
    };
    let lower = text.trim().to_ascii_lowercase();
    let Some((scheme, rest)) = lower.split_once("://") else {
        return wrong("has no scheme");
    };
    let own_port = match scheme {
        "https" => "443",
        "http" => "80",
        _ => return wrong("is neither http nor https"),
    };
    let authority = rest.strip_suffix('/').unwrap_or(rest);
    if authority.contains(['/', '?', '#']) {
        return wrong("has a path, which an origin does not have");
    }
    if authority.contains('@') {
        return wrong("has a user name, which an origin does not have");
    }
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
        _ => (authority, None),
    };
    if !is_host(host) {
        return wrong("has no valid host name (other scripts are written in their xn-- form)");
    }
    match port {
        None => Ok(format!("{scheme}://{host}")),
        Some(port) if port == own_port => Ok(format!("{scheme}://{host}")),
        // Written back from the number, because 08080 and 8080 are one port and a browser sends one
        // form.
        Some(port) if port.bytes().all(|b| b.is_ascii_digit()) => match port.parse::<u16>() {
            Ok(port @ 1..) => Ok(format!("{scheme}://{host}:{port}")),
            _ => wrong("has no valid port"),
        },
        Some(_) => wrong("has no valid port"),
    }
}

fn is_host(host: &str) -> bool {
    if let Some(inner) = host.strip_prefix('[') {
        return inner.strip_suffix(']').is_some_and(|ip| ip.parse::<std::net::Ipv6Addr>().is_ok());
    }
    let good = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_');
    !host.is_empty()
        && host.len() <= HOST_CHARS_MAX
        && host.bytes().all(good)
        && !host.starts_with(['-', '.'])
        && !host.contains("..")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_names_or_addresses() {
        for (text, wanted) in [
            ("Rooms.Example.org", "rooms.example.org"),
            ("10.0.0.1", "10.0.0.1"),
            ("[::1]", "::1"),
            ("greenroom", "greenroom"),
        ] {
            assert_eq!(host(text).unwrap(), wanted);
        }
        for text in ["", "https://a", "a:80", "a..b", "-a", "a-.org", "*.example.org", "a b", "ü"]
        {
            assert!(host(text).is_err(), "{text}");
        }
    }

    #[test]
    fn origins_are_written_as_browsers_send_them() {
        for (given, wanted) in [
            ("https://rooms.example.org", "https://rooms.example.org"),
            (" HTTPS://Rooms.Example.ORG/ ", "https://rooms.example.org"),
            ("https://rooms.example.org:443", "https://rooms.example.org"),
            ("http://rooms.example.org:80/", "http://rooms.example.org"),
            ("http://rooms.example.org:443", "http://rooms.example.org:443"),
            ("http://localhost:05173", "http://localhost:5173"),
            ("http://[::1]:8080", "http://[::1]:8080"),
            ("http://[::1]", "http://[::1]"),
        ] {
            assert_eq!(origin(given).as_deref(), Ok(wanted), "{given}");
        }
        for wrong in [
            "",
            "null",
            "*",
            "rooms.example.org",
            "ftp://rooms.example.org",
            "https://",
            "https://:8080",
            "https://a/b",
            "https://a?b",
            "https://user@a",
            "https://a:0",
            "https://a:65536",
            "https://a:+80",
            "https://a:",
            "https://a b",
            "https://*.example.org",
            "https://[::1",
            "https://müller.example",
        ] {
            assert!(origin(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn numbers_stay_within_their_bounds() {
        let number = |value: Value| number(&value, 1, 750);
        assert_eq!(number(Value::Number(750)), Ok(750));
        assert_eq!(number(Value::Text(" 7 ".to_owned())), Ok(7));
        for wrong in [0, -1, 751, i64::MIN] {
            let why = number(Value::Number(wrong)).unwrap_err();
            assert!(why.contains("from 1 to 750"), "{wrong}: {why}");
        }
        for wrong in ["", "seven", "7.5", "0x7", "99999999999999999999"] {
            assert!(number(Value::Text(wrong.to_owned())).is_err(), "{wrong}");
        }
        assert!(number(Value::List(Vec::new())).is_err());
        assert!(Value::Number(7).text().is_err() && Value::Number(7).list().is_err());
    }

    #[test]
    fn addresses_without_a_machine_are_this_one() {
        let address = |text: &str| address(&Value::Text(text.to_owned())).map(|a| a.to_string());
        for (given, wanted) in [
            ("127.0.0.1:8080", "127.0.0.1:8080"),
            ("0.0.0.0:0", "0.0.0.0:0"),
            ("[::]:8080", "[::]:8080"),
            ("localhost:8080", "127.0.0.1:8080"),
            (":0", "127.0.0.1:0"),
        ] {
            assert_eq!(address(given).as_deref(), Ok(wanted));
        }
        for wrong in ["", "8080", "127.0.0.1", "localhost:", "example.org:80", "127.0.0.1:65536"] {
            assert!(address(wrong).is_err(), "{wrong}");
        }
    }
}
