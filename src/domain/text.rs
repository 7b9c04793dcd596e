//! Text that came from outside, checked once at the edge and typed from then on.

use serde::{Deserialize, Serialize};

use super::limit;
use super::refusal::FieldError;

/// A mail address: lower case, for it names an account.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Email(String);

impl Email {
    /// Takes what a mail server would take at all; only a mail can prove more.
    pub fn parse(field: &str, text: &str) -> Result<Email, FieldError> {
        let text = text.trim().to_lowercase();
        let good = text.len() <= limit::EMAIL_BYTES_MAX
            && !text.chars().any(|c| c.is_whitespace() || c.is_control())
            && text.split_once('@').is_some_and(|(local, host)| {
                !local.is_empty()
                    && !host.is_empty()
                    && !host.contains('@')
                    && !host.starts_with('.')
            });
        if good {
            Ok(Email(text))
        } else {
            Err(wrong(field, "not a mail address: expected something like ada@example.org"))
        }
    }

    /// The address.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A one-line name: not empty, no control characters.
pub fn name(field: &str, text: &str) -> Result<String, FieldError> {
    let text = text.trim();
    if text.is_empty() {
        return Err(wrong(field, "must not be empty"));
    }
    if text.len() > limit::NAME_BYTES_MAX {
        return Err(too_long(field, limit::NAME_BYTES_MAX, text.len()));
    }
    if text.chars().any(char::is_control) {
        return Err(wrong(field, "must be one line without control characters"));
    }
    Ok(text.to_owned())
}

/// A name that may be left out: blank is none.
pub fn optional_name(field: &str, text: Option<&str>) -> Result<Option<String>, FieldError> {
    match text.map(str::trim) {
        None | Some("") => Ok(None),
        Some(text) => name(field, text).map(Some),
    }
}

/// Some lines of text: not empty, bounded, no NUL.
pub fn prose(field: &str, text: &str, bytes_max: usize) -> Result<String, FieldError> {
    if text.trim().is_empty() {
        return Err(wrong(field, "must not be empty"));
    }
    optional_prose(field, text, bytes_max)
}

/// The same, where nothing is fine too.
pub fn optional_prose(field: &str, text: &str, bytes_max: usize) -> Result<String, FieldError> {
    if text.len() > bytes_max {
        return Err(too_long(field, bytes_max, text.len()));
    }
    if text.contains('\0') {
        return Err(wrong(field, "must not contain the NUL character"));
    }
    Ok(text.to_owned())
}

/// A key of the caller's choice: 1 to `chars_max` characters that can be seen.
pub fn key(field: &str, text: &str, chars_max: usize) -> Result<String, FieldError> {
    let chars = text.chars().count();
    if chars == 0 || chars > chars_max || text.chars().any(char::is_control) {
        return Err(wrong(
            field,
            format!("must have 1 to {chars_max} characters and no control characters"),
        ));
    }
    Ok(text.to_owned())
}

/// Names a field and what is wrong with it.
pub fn wrong(field: &str, detail: impl Into<String>) -> FieldError {
    FieldError { field: field.to_owned(), detail: detail.into() }
}

fn too_long(field: &str, max: usize, is: usize) -> FieldError {
    wrong(field, format!("too long: {is} bytes where {max} are allowed; shorten it"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mail_address_is_lower_case_and_has_two_sides() {
        assert_eq!(Email::parse("email", " Ada@Example.ORG ").unwrap().as_str(), "ada@example.org");
        for wrong in
            ["", "ada", "@x", "a@", "a b@x.org", "a@b@c", &format!("{}@x.org", "a".repeat(260))]
        {
            assert!(Email::parse("email", wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn names_are_one_line_and_prose_has_no_nul() {
        assert_eq!(name("n", "  Ada  ").unwrap(), "Ada");
        assert!(name("n", "a\nb").is_err());
        assert!(name("n", &"a".repeat(201)).is_err());
        assert!(prose("p", " \n ", 10).is_err());
        assert!(prose("p", "a\0b", 10).is_err());
        assert!(prose("p", "a\nb", 10).is_ok());
        assert!(key("id", "", 64).is_err());
        assert!(key("id", &"x".repeat(65), 64).is_err());
    }
}
