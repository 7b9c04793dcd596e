//! Ids: UUIDv7 strings outside, one newtype a noun inside, so that no id can stand in another's
//! place.
//!
//! **Invariant:** ids are minted by the proposer and travel inside the command; nothing here makes
//! one.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The text is not an id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotAnId;

impl fmt::Display for NotAnId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not an id: expected a UUID such as 019a0b1c-2d3e-7f40-8a5b-6c7d8e9f0a1b")
    }
}

impl std::error::Error for NotAnId {}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.hyphenated().fmt(f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.hyphenated().fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = NotAnId;
            fn from_str(text: &str) -> Result<$name, NotAnId> {
                // Only the hyphenated form: two spellings of one id would be two cache keys and two
                // links.
                if text.len() != 36 {
                    return Err(NotAnId);
                }
                Uuid::try_parse(text).map($name).map_err(|_| NotAnId)
            }
        }
    )*};
}

ids! {
    /// Somebody with an account.
    PersonId;
    /// One login of a person; revoking it ends its tokens and sockets.
    SessionId;
    /// An interview and its room.
    InterviewId;
    /// A question of an interview.
    QuestionId;
    /// An answer to a question.
    AnswerId;
    /// An interviewer's note.
    NoteId;
    /// A share link.
    ShareId;
    /// A person's judgement on a report.
    FeedbackId;
    /// A file that somebody brought along.
    FileId;
    /// One open socket.
    ConnectionId;
    /// The cluster, from its founding on.
    ClusterId;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_hyphenated_form_is_an_id() {
        let text = "019a0b1c-2d3e-7f40-8a5b-6c7d8e9f0a1b";
        assert_eq!(text.parse::<PersonId>().unwrap().to_string(), text);
        for wrong in
            ["", "019a0b1c2d3e7f408a5b6c7d8e9f0a1b", "019a0b1c-2d3e-7f40-8a5b-6c7d8e9f0a1", "x"]
        {
            assert_eq!(wrong.parse::<PersonId>(), Err(NotAnId));
        }
    }
}
