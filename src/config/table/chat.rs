//! The settings of the language model that may help in practices. It is off without `chat.url`.

use super::super::value::{self, Value};
use super::{Setting, Takes};
use crate::domain::limit;

pub(super) const URL: Setting = Setting {
    key: "chat.url",
    env: "GREENROOM_CHAT_URL",
    flag: None,
    takes: Takes::Text,
    default: None,
    example: "http://127.0.0.1:11434/v1",
    brief: "Base URL of a chat-completions endpoint",
    long: "Off unless set. `/chat/completions` is appended. It writes an example answer when \
        somebody asks for one in a practice, and never changes a number. The question, the answer \
        and the CV of that person are then sent to it: with a server that is not yours, personal \
        data leave your machines. Over `http://` anybody on the way can read them, so use it for a \
        server on this machine or in your own network only. Redirects are not followed, and the \
        environment's proxies are not used. In a cluster the node that leads asks, so set it on \
        each.",
    set: |settings, value| {
        settings.chat_url = Some(base(value.text()?)?);
        Ok(())
    },
    get: |settings| settings.chat_url.clone().map(Value::Text),
    flagged: |_| None,
};

pub(super) const MODEL: Setting = Setting {
    key: "chat.model",
    env: "GREENROOM_CHAT_MODEL",
    flag: None,
    takes: Takes::Text,
    default: None,
    example: "llama3.1:8b",
    brief: "Name of the model that `chat.url` is asked for",
    long: "Needed with `chat.url`. It is shown beside each text that the model wrote.",
    set: |settings, value| {
        let name = value.text()?.trim();
        if name.is_empty() || name.len() > limit::CHAT_MODEL_BYTES_MAX {
            return Err(format!("must be 1 to {} bytes", limit::CHAT_MODEL_BYTES_MAX));
        }
        settings.chat_model = Some(name.to_owned());
        Ok(())
    },
    get: |settings| settings.chat_model.clone().map(Value::Text),
    flagged: |_| None,
};

pub(super) const API_KEY_FILE: Setting = Setting {
    key: "chat.api_key_file",
    env: "GREENROOM_CHAT_API_KEY_FILE",
    flag: None,
    takes: Takes::Path,
    default: None,
    example: "/etc/greenroom/chat-key",
    brief: "File with the key that `chat.url` wants",
    long: "Its first line is sent as a bearer token. Without it none is sent.",
    set: |settings, value| value::path(value).map(|at| settings.chat_api_key_file = Some(at)),
    get: |settings| {
        let path = settings.chat_api_key_file.as_ref();
        path.map(|path| Value::Text(path.display().to_string()))
    },
    flagged: |_| None,
};

pub(super) const CA_FILE: Setting = Setting {
    key: "chat.ca_file",
    env: "GREENROOM_CHAT_CA_FILE",
    flag: None,
    takes: Takes::Path,
    default: None,
    example: "/etc/greenroom/chat-ca.pem",
    brief: "File with the authorities that `chat.url` is believed by, PEM",
    long: "For `https://` only. Without it the authorities that this machine trusts are believed; \
        with it those in the file, and no others. It is read when the node starts.",
    set: |settings, value| value::path(value).map(|path| settings.chat_ca_file = Some(path)),
    get: |settings| {
        let path = settings.chat_ca_file.as_ref();
        path.map(|path| Value::Text(path.display().to_string()))
    },
    flagged: |_| None,
};

pub(super) const REPHRASE: Setting = Setting {
    key: "chat.rephrase",
    env: "GREENROOM_CHAT_REPHRASE",
    flag: None,
    takes: Takes::Switch,
    default: Some("false"),
    example: "",
    brief: "Whether the model may put hints and follow-ups of practices into other words",
    long: "Needs `chat.url`. The question and the answer of the person who practises are then sent \
        to it each time, without being asked for: switch it on only where that is agreed. What it \
        writes is marked, kept nowhere, and changes no number. Its quotes are looked up in the \
        answer; numbers and names that stand nowhere are refused. Where it is late (5 seconds), \
        wrong or down, Greenroom's own words stand.",
    set: |settings, value| {
        settings.chat_rephrase = value.switch()?;
        Ok(())
    },
    get: |settings| Some(Value::Switch(settings.chat_rephrase)),
    flagged: |_| None,
};

pub(super) const TIMEOUT: Setting = Setting {
    key: "chat.timeout",
    env: "GREENROOM_CHAT_TIMEOUT",
    flag: None,
    takes: Takes::Number(1, limit::CHAT_SECONDS_MAX),
    default: Some("20"),
    example: "",
    brief: "Seconds within which the endpoint must have answered",
    long: "After it the person is told that the model is too slow. All else goes on meanwhile.",
    set: |settings, value| {
        settings.chat_timeout_seconds = value::number(value, 1, limit::CHAT_SECONDS_MAX)?;
        Ok(())
    },
    get: |settings| Some(Value::Number(settings.chat_timeout_seconds as i64)),
    flagged: |_| None,
};

pub(super) const MAX_BYTES: Setting = Setting {
    key: "chat.max_bytes",
    env: "GREENROOM_CHAT_MAX_BYTES",
    flag: None,
    takes: Takes::Number(1_024, limit::CHAT_BYTES_MAX),
    default: Some("65536"),
    example: "",
    brief: "Bytes of an answer of the endpoint that are read",
    long: "A larger one is dropped as a whole. An example answer has some 2 KiB.",
    set: |settings, value| {
        settings.chat_max_bytes = value::number(value, 1_024, limit::CHAT_BYTES_MAX)?;
        Ok(())
    },
    get: |settings| Some(Value::Number(settings.chat_max_bytes as i64)),
    flagged: |_| None,
};

/// A base URL without a slash at its end.
fn base(text: &str) -> Result<String, String> {
    let wrong = || "expected a URL such as http://127.0.0.1:11434/v1".to_owned();
    let (scheme, rest) = text.trim().split_once("://").ok_or_else(wrong)?;
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    let origin = value::origin(&format!("{scheme}://{authority}"))?;
    let plain = |c: char| c.is_ascii_alphanumeric() || "-._~/".contains(c);
    if !path.chars().all(plain) {
        return Err(wrong());
    }
    Ok(format!("{origin}/{path}").trim_end_matches('/').to_owned())
}

#[cfg(test)]
mod tests {
    use super::base;

    #[test]
    fn a_base_url_has_a_scheme_that_is_spoken_and_no_query() {
        for (text, is) in [
            ("http://127.0.0.1:11434/v1/", "http://127.0.0.1:11434/v1"),
            ("http://models:8000", "http://models:8000"),
            (" https://Models.example.org/openai/v1", "https://models.example.org/openai/v1"),
            ("https://[::1]:8443/v1", "https://[::1]:8443/v1"),
        ] {
            assert_eq!(base(text), Ok(is.to_owned()));
        }
        for wrong in [
            "",
            "models:80",
            "ftp://a/v1",
            "http://",
            "http://a/v1?k=1",
            "http://a b/",
            "https://u@a",
        ] {
            assert!(base(wrong).is_err(), "{wrong:?}");
        }
    }
}
