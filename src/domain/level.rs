//! Schema levels: which one the state must have before a command can be in the log.
//!
//! A level is raised only when every node can run it, so a command that needs it never meets a node
//! that cannot read it.

use super::command::{Command, Witnessed};
use super::person::Role;
use super::room::Act;

/// The level that knows skipped questions and forgotten interviews.
pub const TURNS: u32 = 4;

/// The level that keeps calibrations.
pub const CALIBRATIONS: u32 = 5;

/// The level that knows rate policies, people of outside issuers, and questions that were chosen.
pub const DOORS: u32 = 6;

/// The level that knows consents, retention, legal holds and erasure.
pub const TRUST: u32 = 7;

/// The level that knows service accounts, their tokens, and signing keys that follow each other.
pub const KEYS: u32 = 8;

/// The level that knows the signing key after the present one, when tokens were last used, and
/// rows about sign-ins that failed.
pub const SUCCESSORS: u32 = 9;

/// The level at which a command came into being.
pub fn needed_by(command: &Command) -> u32 {
    // Without a catch-all: a new command does not compile until somebody has said its level.
    match command {
        Command::AddPerson { person } if person.role == Role::Service => KEYS,
        Command::ChangePerson { role: Some(Role::Service), .. } => KEYS,
        Command::Found { .. }
        | Command::SetUp { .. }
        | Command::AddPerson { .. }
        | Command::ChangePerson { .. }
        | Command::RenewInvite { .. }
        | Command::AcceptInvite { .. }
        | Command::OpenSession { .. }
        | Command::RefreshSession { .. }
        | Command::CloseSession { .. }
        | Command::SetContext { .. }
        | Command::PutKit { .. }
        | Command::CreateInterview { .. }
        | Command::Share { .. }
        | Command::Unshare { .. }
        | Command::GiveFeedback { .. }
        | Command::RaiseLevel { .. }
        | Command::LowerLevel { .. } => 1,
        Command::KeepAuthority { .. }
        | Command::InviteNode { .. }
        | Command::AdmitNode { .. }
        | Command::PlaceNode { .. }
        | Command::RetireNode { .. }
        | Command::Refound { .. } => 2,
        Command::Act { act, .. } => match **act {
            Act::Skip { .. } | Act::Lapse { .. } => TURNS,
            Act::Next { .. } => DOORS,
            Act::Start { .. }
            | Act::Finish { .. }
            | Act::Cancel { .. }
            | Act::Ask { .. }
            | Act::Say { .. }
            | Act::Answer { .. }
            | Act::Note { .. }
            | Act::AddMember { .. }
            | Act::RemoveMember { .. }
            | Act::ReportReady { .. } => 1,
        },
        Command::PutCalibration { .. } | Command::ActivateCalibration { .. } => CALIBRATIONS,
        Command::KeepFilePart { .. } | Command::KeepCv { .. } => 3,
        Command::SetRateLimits { .. } | Command::Welcome { .. } => DOORS,
        Command::Witness { what: Witnessed::SignInFailed, .. } => SUCCESSORS,
        Command::Consent { .. }
        | Command::SetRetention { .. }
        | Command::Hold { .. }
        | Command::Release { .. }
        | Command::Erase { .. }
        | Command::Expire { .. }
        | Command::ChangePassword { .. }
        | Command::BeginTotp { .. }
        | Command::ConfirmTotp { .. }
        | Command::DropTotp { .. }
        | Command::OpenSessionWith { .. }
        | Command::Witness { .. } => TRUST,
        Command::OpenToken { .. } | Command::RotateKey { .. } => KEYS,
        Command::NextKey { .. } | Command::NoteUses { .. } => SUCCESSORS,
    }
}

/// What is said where a command needs more than the state has.
pub fn too_low(needed: u32, level: u32) -> String {
    format!(
        "this needs data of level {needed}, and they are of level {level}; run `greenroom upgrade \
         finalize` first"
    )
}
