//! Who may do what to which thing: one question, and whatever is in no table is not allowed.
//!
//! What somebody may do in the organisation follows from their role, what they may do in an
//! interview from their part in it alone: an admin who is no member may not even know that it is
//! there. The state of a thing (begun, over, declined) is not asked here.
//!
//! **Invariant:** nothing but the arguments decides, so that every node decides alike.

use super::id::PersonId;
use super::interview::{Kind, Part};
use super::person::Role;
use super::refusal::Refusal;
use super::room::Room;

/// What somebody may want to do in the organisation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Permission {
    /// Nothing: signing in, setup, health and shared reports are open to anybody.
    Public,
    /// An account, whatever its role: the own account, context, kits to read, modes, own
    /// interviews.
    Person,
    /// To see, add, change and remove people.
    ManagePeople,
    /// To add and change question kits.
    ManageKits,
    /// To create interviews with other people in them; a practice needs only
    /// [`Permission::Person`].
    CreateLive,
    /// To run the installation: nodes, backups, audit, limits, calibrations.
    Operate,
}

/// What somebody may want to do in an interview.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum InRoom {
    /// To see it, its members and its durable events, and to be in its room.
    See,
    /// To see the questions that are still to come.
    SeePlanned,
    /// To start, finish or cancel it.
    Lead,
    /// To add and remove members.
    Staff,
    /// To make and take back links to its report.
    Share,
    /// To ask a question or skip one.
    Ask,
    /// To be asked the next question by the product.
    Next,
    /// To be coached: examples, other words for hints.
    Coach,
    /// To say something that is kept, or to show what is being typed.
    Say,
    /// To close an answer.
    Answer,
    /// To write a note, and to read the others'.
    Note,
    /// To see what the interviewers' side looks like, and whether a question should be asked.
    Interviewer,
    /// To see what the engine says of an answer.
    SeeAnalysis,
    /// To read the report.
    ReadReport,
    /// To be asked for consent, and to answer.
    Consent,
    /// To see everybody's consent, not only the own one.
    SeeConsents,
}

/// What is asked about.
#[derive(Clone, Copy, Debug)]
pub enum Action<'a> {
    /// Something in the organisation.
    In(Permission),
    /// Something in one interview.
    Room(InRoom, &'a Room),
}

/// Who wants it. Nobody, by default: not signed in, no role.
#[derive(Clone, Copy, Debug, Default)]
pub struct Who {
    /// The account.
    pub person: Option<PersonId>,
    /// The role of the account; interviews do not ask for it.
    pub role: Option<Role>,
}

impl From<PersonId> for Who {
    fn from(person: PersonId) -> Who {
        Who { person: Some(person), role: None }
    }
}

impl From<Option<PersonId>> for Who {
    fn from(person: Option<PersonId>) -> Who {
        Who { person, role: None }
    }
}

impl From<Role> for Who {
    fn from(role: Role) -> Who {
        Who { person: None, role: Some(role) }
    }
}

impl From<Option<Role>> for Who {
    fn from(role: Option<Role>) -> Who {
        Who { person: None, role }
    }
}

/// Whether this person may do this to that thing; if not, why not.
pub fn may(who: impl Into<Who>, action: Action<'_>) -> Result<(), Refusal> {
    let who = who.into();
    match action {
        Action::In(permission) if allows(who.role, permission) => Ok(()),
        Action::In(_) => Err(Refusal::denied("your role does not allow this; ask an admin")),
        Action::Room(action, room) => in_room(who.person, action, room),
    }
}

/// Whether a role has a permission. `None` stands for somebody who is not signed in.
fn allows(role: Option<Role>, permission: Permission) -> bool {
    use Role::{Admin, Interviewer, Manager, Service};
    match (permission, role) {
        (Permission::Public, _) => true,
        (_, None) => false,
        (Permission::Person, Some(_)) => true,
        (Permission::ManagePeople | Permission::Operate, Some(role)) => matches!(role, Admin),
        (Permission::ManageKits | Permission::CreateLive, Some(role)) => {
            matches!(role, Admin | Manager | Interviewer | Service)
        }
    }
}

fn in_room(person: Option<PersonId>, action: InRoom, room: &Room) -> Result<(), Refusal> {
    let absent = || Refusal::not_found("interview");
    let person = person.ok_or_else(absent)?;
    // Whoever is no member does not hear whether it exists.
    let part = room.part(person).ok_or_else(absent)?;
    let owner = room.is_owner(person);
    let practice = room.plan.kind == Kind::Practice;
    let interviewer = part == Part::Interviewer;
    let (allowed, whose) = match action {
        InRoom::See => (true, "a member"),
        InRoom::SeePlanned => (practice || interviewer, "an interviewer"),
        InRoom::Lead | InRoom::Staff | InRoom::Share => (owner, "the owner"),
        InRoom::Next if !practice => {
            let detail = "in a live interview people choose the questions; use /questions";
            return Err(Refusal::denied(detail));
        }
        InRoom::Next => (owner, "the owner"),
        InRoom::Ask => (interviewer || (practice && owner), "an interviewer"),
        InRoom::Say => (part != Part::Observer, "the candidate or an interviewer"),
        InRoom::Answer => (part == Part::Candidate, "the candidate"),
        InRoom::Note | InRoom::SeeConsents => (interviewer, "an interviewer"),
        // For anybody else it is not there, so that nobody learns what it would have said.
        InRoom::Interviewer if !interviewer || practice => return Err(absent()),
        InRoom::Interviewer => (true, "an interviewer"),
        InRoom::Coach if !practice => {
            return Err(Refusal::denied("nobody is coached in a live interview"));
        }
        InRoom::Coach => (owner, "the owner"),
        InRoom::SeeAnalysis => (practice, "the owner of a practice"),
        // Nobody has a card until scorecards exist, so nobody may look yet.
        InRoom::ReadReport if !practice => {
            return Err(Refusal::denied(
                "the engine's evidence on a live interview is shown after your own scorecard is in",
            ));
        }
        InRoom::ReadReport => (true, "a member"),
        InRoom::Consent if practice || part != Part::Candidate => {
            return Err(Refusal::conflict(
                "only the candidates of a live interview are asked this",
            ));
        }
        InRoom::Consent => (true, "the candidate"),
    };
    if allowed {
        return Ok(());
    }
    let part = part.as_str();
    let detail = format!("only {whose} of this interview can do this; you are its {part}");
    Err(Refusal::denied(detail))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::person::Role::{Admin, Candidate, Interviewer, Manager, Observer, Service};

    /// Everybody, from nobody up; the columns of the table below.
    const EVERYBODY: [Option<Role>; 7] = [
        None,
        Some(Service),
        Some(Observer),
        Some(Candidate),
        Some(Interviewer),
        Some(Manager),
        Some(Admin),
    ];

    #[test]
    fn the_whole_table() {
        let table = [
            (Permission::Public, "yes yes yes yes yes yes yes"),
            (Permission::Person, "no yes yes yes yes yes yes"),
            (Permission::ManagePeople, "no no no no no no yes"),
            (Permission::ManageKits, "no yes no no yes yes yes"),
            (Permission::CreateLive, "no yes no no yes yes yes"),
            (Permission::Operate, "no no no no no no yes"),
        ];
        for (permission, row) in table {
            let found = EVERYBODY
                .map(|role| if may(role, Action::In(permission)).is_ok() { "yes" } else { "no" });
            assert_eq!(found.join(" "), row, "{permission:?}");
        }
    }
}
