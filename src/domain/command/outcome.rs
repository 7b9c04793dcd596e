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
