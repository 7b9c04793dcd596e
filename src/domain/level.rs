//! Schema levels: which one the state must have before a command can be in the log.
//!
//! A level is raised only when every node can run it, so a command that needs it never meets a node
//! that cannot read it.

use super::command::Command;
use super::room::Act;

/// The level that knows skipped questions, forgotten interviews and chosen questions.
pub const TURNS: u32 = 4;

/// The level at which a command came into being.
pub fn needed_by(command: &Command) -> u32 {
    // Without a catch-all: a new command does not compile until somebody has said its level.
    match command {
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
            Act::Skip { .. } | Act::Lapse { .. } | Act::Next { .. } => TURNS,
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
        Command::KeepFilePart { .. } | Command::KeepCv { .. } => 3,
    }
}

/// What is said where a command needs more than the state has.
pub fn too_low(needed: u32, level: u32) -> String {
    format!(
        "this needs data of level {needed}, and they are of level {level}; run `greenroom upgrade \
         finalize` first"
    )
}
