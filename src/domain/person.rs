//! People, their roles, their logins, and what a candidate brings along.

use serde::{Deserialize, Serialize};

use super::id::{PersonId, SessionId};
use super::text::Email;
use super::time::Time;

/// What somebody is in the organisation. What they may do follows from it (`auth::permission`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Runs the installation: people, backups, nodes.
    Admin,
    /// Decides on submitted scorecards.
    Manager,
    /// Runs structured interviews.
    Interviewer,
    /// Practises and is interviewed.
    Candidate,
    /// Reads.
    Observer,
    /// A program, by tokens; nobody signs in as one.
    Service,
}

impl Role {
    /// The role as it stands in columns and tokens.
    pub const fn as_str(self) -> &'static str {
        match self {
            Role::Admin => "admin",
            Role::Manager => "manager",
            Role::Interviewer => "interviewer",
            Role::Candidate => "candidate",
            Role::Observer => "observer",
            Role::Service => "service",
        }
    }

    /// The other way round.
    pub fn parse(text: &str) -> Option<Role> {
        [
            Role::Admin,
            Role::Manager,
            Role::Interviewer,
            Role::Candidate,
            Role::Observer,
            Role::Service,
        ]
        .into_iter()
        .find(|role| role.as_str() == text)
    }

    /// The rate tier of the role.
    pub const fn tier(self) -> &'static str {
        match self {
            Role::Admin => "admin",
            Role::Manager | Role::Interviewer => "interviewer",
            Role::Candidate | Role::Observer => "candidate",
            Role::Service => "service",
        }
    }
}

/// Somebody with an account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    /// Who.
    pub id: PersonId,
    /// The address that names the account.
    pub email: Email,
    /// The name that others see.
    pub display_name: String,
    /// The role.
    pub role: Role,
    /// Whether the account is closed.
    pub disabled: bool,
    /// Whether a password was ever set; an invited person has none.
    pub joined: bool,
    /// Since when.
    pub created_at: Time,
    /// Until when the newest invite link holds.
    pub invite_expires_at: Option<Time>,
    /// Counts invite links, so that an older one holds no longer.
    pub invite_generation: u32,
}

/// One login.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// Which.
    pub id: SessionId,
    /// Whose.
    pub person: PersonId,
    /// Counts refreshes: the refresh token of an older count is a stolen one.
    pub generation: u32,
    /// Since when.
    pub created_at: Time,
    /// Until when, without a refresh.
    pub expires_at: Time,
    /// When it was ended before its time.
    pub revoked_at: Option<Time>,
}

/// What a candidate brings along: the engine reads it, nobody else does.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CandidateContext {
    /// The CV as text.
    pub cv_text: String,
    /// The job description as text.
    pub job_description: String,
    /// The role that is practised for.
    pub target_role: String,
    /// The calibration mode.
    pub mode: String,
    /// How much help is shown while answering: 1 to 3.
    pub assist_intensity: u8,
}

impl CandidateContext {
    /// What holds for somebody who has not said anything yet.
    pub fn blank() -> CandidateContext {
        let mode = "general".to_owned();
        CandidateContext { mode, assist_intensity: 2, ..CandidateContext::default() }
    }
}
