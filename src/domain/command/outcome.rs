//! What applying a command led to, as it is kept under a request's key.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::domain::id::{AnswerId, FeedbackId, FileId, InterviewId, NoteId, QuestionId, ShareId};
use crate::domain::person::{Person, Session};
use crate::domain::privacy::Counts;
use crate::domain::refusal::Refusal;
use crate::domain::time::Time;

/// What applying a command led to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum Outcome {
    /// Done, and there is nothing to tell.
    Done,
    /// Not done.
    Refused {
        /// Why.
        refusal: Refusal,
    },
    /// Done before under the same key: what came of it then.
    Replayed {
        /// The first outcome.
        first: Box<Outcome>,
    },
    /// An account was made or changed.
    Person {
        /// As it is now.
        person: Box<Person>,
    },
    /// A join token was made.
    Invited {
        /// Its id.
        token: Uuid,
        /// Until when it holds.
        expires_at: Time,
    },
    /// A machine was admitted.
    Admitted {
        /// As which node.
        node: u64,
    },
    /// A login was opened.
    SignedIn {
        /// The account.
        person: Box<Person>,
        /// The login.
        session: Session,
    },
    /// A file was kept.
    FileKept {
        /// Which.
        file: FileId,
        /// Characters of the text in it.
        characters: u64,
    },
    /// A kit was stored.
    Kit {
        /// Which.
        id: String,
        /// The version that it has now.
        version: u32,
    },
    /// An interview was made.
    Interview {
        /// Which.
        interview: InterviewId,
    },
    /// An act happened.
    Acted {
        /// The first event that it led to; `None` for a note.
        seq: Option<u64>,
        /// The question that it made.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        question_id: Option<QuestionId>,
        /// The answer that it made.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        answer_id: Option<AnswerId>,
        /// The note that it made.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        note_id: Option<NoteId>,
    },
    /// A share link was made.
    Shared {
        /// Which.
        share: ShareId,
        /// Until when it holds.
        expires_at: Time,
    },
    /// Feedback was kept.
    Thanked {
        /// Which.
        feedback: FeedbackId,
    },
    /// Something is held.
    Held {
        /// The hold's id.
        hold: Uuid,
    },
    /// Something is gone.
    Erased {
        /// The receipt's id.
        receipt: Uuid,
        /// Since when.
        at: Time,
        /// How many of what.
        counts: Counts,
    },
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::limit;
    use crate::domain::person::Role;
    use crate::domain::text::Email;

    /// Whether it is made of ids, times and counts only. A new outcome does not compile until
    /// somebody has said how large it gets.
    fn is_small(outcome: &Outcome) -> bool {
        match outcome {
            Outcome::Done
            | Outcome::Invited { .. }
            | Outcome::Admitted { .. }
            | Outcome::FileKept { .. }
            | Outcome::Interview { .. }
            | Outcome::Acted { .. }
            | Outcome::Shared { .. }
            | Outcome::Thanked { .. }
            | Outcome::Held { .. } => true,
            // The last two are never kept.
            Outcome::Person { .. }
            | Outcome::SignedIn { .. }
            | Outcome::Kit { .. }
            | Outcome::Erased { .. }
            | Outcome::Refused { .. }
            | Outcome::Replayed { .. } => false,
        }
    }

    #[test]
    fn the_largest_results_that_are_kept_are_within_the_bound() {
        let id = Uuid::from_u128(u128::MAX);
        // In JSON a quotation mark takes two bytes.
        let name = "\"".repeat(limit::NAME_BYTES_MAX);
        let host = "@example.org";
        let local = "a".repeat(limit::EMAIL_BYTES_MAX - host.len());
        let person = Box::new(Person {
            id: crate::domain::id::PersonId(id),
            email: Email::parse("email", &format!("{local}{host}")).unwrap(),
            display_name: name.clone(),
            role: Role::Interviewer,
            disabled: false,
            joined: false,
            created_at: Time(i64::MAX),
            invite_expires_at: Some(Time(i64::MAX)),
            invite_generation: u32::MAX,
        });
        let session = Session {
            id: crate::domain::id::SessionId(id),
            person: person.id,
            generation: u32::MAX,
            created_at: Time(i64::MAX),
            expires_at: Time(i64::MAX),
            revoked_at: Some(Time(i64::MAX)),
        };
        // Twice as many tables as there are.
        let counts = (0..60).map(|n| (format!("a_table_with_a_long_name_{n}"), u64::MAX)).collect();
        let large = [
            Outcome::Person { person: person.clone() },
            Outcome::SignedIn { person, session },
            Outcome::Kit { id: name, version: u32::MAX },
            Outcome::Erased { receipt: id, at: Time(i64::MAX), counts },
        ];
        for outcome in large {
            assert!(!is_small(&outcome));
            let bytes = serde_json::to_string(&outcome).unwrap().len();
            assert!(bytes <= limit::IDEMPOTENCY_RESULT_BYTES_MAX, "{bytes}: {outcome:?}");
        }
    }
}
