//! The settings of what people are asked.

use super::super::value::Value;
use super::{Setting, Takes};
use crate::domain::limit;

pub(super) const CONSENT_TEXT: Setting = Setting {
    key: "privacy.consent_text",
    env: "GREENROOM_PRIVACY_CONSENT_TEXT",
    flag: None,
    takes: Takes::Text,
    default: None,
    example: "I agree that what I say here is kept and analysed.",
    brief: "What candidates of a live interview agree to or decline",
    long: "Without it, Greenroom asks with a sentence of its own. Each answer is kept with the \
        exact sentence that was shown and its SHA-256. Of somebody who declines nothing said or \
        answered is kept from then on, only the interviewers' notes. In a cluster the node that \
        leads asks, so set it on each.",
    set: |settings, value| {
        let text = value.text()?;
        if text.trim().is_empty() || text.len() > limit::CONSENT_TEXT_BYTES_MAX {
            let max = limit::CONSENT_TEXT_BYTES_MAX;
            return Err(format!("must have 1 to {max} bytes"));
        }
        settings.privacy_consent_text = Some(text.trim().to_owned());
        Ok(())
    },
    get: |settings| settings.privacy_consent_text.clone().map(Value::Text),
    flagged: |_| None,
};
