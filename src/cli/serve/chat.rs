//! The language model that the settings name, if they name one.

use tokio::sync::Semaphore;

use crate::cli::exit::Error;
use crate::config::settings::Settings;
use crate::domain::limit;
use crate::http::chat::Chat;

/// The model; without `chat.url` there is none.
pub(super) fn from(settings: &Settings) -> Result<Option<Chat>, Error> {
    let Some(url) = settings.chat_url.clone() else { return Ok(None) };
    let Some(model) = settings.chat_model.clone() else {
        return Err(Error::usage("chat.url is set and chat.model is not")
            .next("name the model that the endpoint is to use"));
    };
    let authorization = match &settings.chat_api_key_file {
        None => None,
        Some(path) => {
            let text = std::fs::read_to_string(path).map_err(|error| {
                Error::usage(format!("cannot read chat.api_key_file {}", path.display()))
                    .why(error.to_string())
            })?;
            let key = text.lines().next().unwrap_or_default().trim();
            if key.is_empty() || !key.chars().all(|c| c.is_ascii_graphic()) {
                let what = format!("the first line of {} is no key", path.display());
                return Err(Error::usage(what).next("write the key alone into that line"));
            }
            Some(format!("Bearer {key}"))
        }
    };
    Ok(Some(Chat {
        url,
        model,
        authorization,
        seconds: settings.chat_timeout_seconds,
        bytes_max: settings.chat_max_bytes as usize,
        places: Semaphore::new(limit::CHAT_AT_ONCE_MAX),
    }))
}
