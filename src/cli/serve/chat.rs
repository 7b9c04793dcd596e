//! The language model that the settings name, if they name one.

use std::path::Path;

use crate::cli::exit::Error;
use crate::config::settings::Settings;
use crate::http::chat::{Chat, Endpoint};

/// The model; without `chat.url` there is none.
pub(super) fn from(settings: &Settings) -> Result<Option<Chat>, Error> {
    let Some(url) = settings.chat_url.clone() else {
        // Whoever switched it on believes that it works.
        if settings.chat_rephrase {
            return Err(Error::usage("chat.rephrase is on and chat.url is not set")
                .next("name the endpoint, or switch chat.rephrase off"));
        }
        return Ok(None);
    };
    let Some(model) = settings.chat_model.clone() else {
        return Err(Error::usage("chat.url is set and chat.model is not")
            .next("name the model that the endpoint is to use"));
    };
    if settings.chat_ca_file.is_some() && !url.starts_with("https://") {
        return Err(Error::usage("chat.ca_file is set and chat.url is no https address")
            .next("write https:// there, or leave the file out"));
    }
    let endpoint = Endpoint {
        url,
        model,
        key: settings.chat_api_key_file.as_deref().map(key).transpose()?,
        ca_file: settings.chat_ca_file.clone(),
        seconds: settings.chat_timeout_seconds,
        bytes_max: settings.chat_max_bytes as usize,
        rephrases: settings.chat_rephrase,
    };
    Chat::open(endpoint).map(Some).map_err(Error::usage)
}

fn key(path: &Path) -> Result<String, Error> {
    let text = std::fs::read_to_string(path).map_err(|error| {
        Error::usage(format!("cannot read chat.api_key_file {}", path.display()))
            .why(error.to_string())
    })?;
    let key = text.lines().next().unwrap_or_default().trim();
    if key.is_empty() || !key.chars().all(|c| c.is_ascii_graphic()) {
        let what = format!("the first line of {} is no key", path.display());
        return Err(Error::usage(what).next("write the key alone into that line"));
    }
    Ok(key.to_owned())
}
