//! The settings of the language model that may write examples. It is off without `chat.url`.

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
        and the CV of that person are sent to it. Only `http://` is spoken: use a server on this \
        machine or in your own network, or one of your own in front of a remote one. In a cluster \
        the node that leads asks, so set it on each.",
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
    let rest = text.trim().strip_prefix("http://").ok_or_else(|| match text.contains("https") {
        true => "only http:// is spoken here; put a server of your own in front of it".to_owned(),
        false => wrong(),
    })?;
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    value::origin(&format!("http://{authority}")).map_err(|_| wrong())?;
    let plain = |c: char| c.is_ascii_alphanumeric() || "-._~/".contains(c);
    if !path.chars().all(plain) {
        return Err(wrong());
    }
    Ok(format!("http://{authority}/{path}").trim_end_matches('/').to_owned())
}

#[cfg(test)]
mod tests {
    use super::base;

    #[test]
    fn a_base_url_is_plain_http_without_a_query() {
        assert_eq!(base("http://127.0.0.1:11434/v1/"), Ok("http://127.0.0.1:11434/v1".to_owned()));
        assert_eq!(base("http://models:80"), Ok("http://models:80".to_owned()));
        for wrong in ["", "models:80", "https://a/v1", "http://", "http://a/v1?k=1", "http://a b/"]
        {
            assert!(base(wrong).is_err(), "{wrong:?}");
        }
    }
}
