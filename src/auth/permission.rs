//! Who may do what: one table, and whatever is not in it is not allowed.
//!
//! This is about roles in the organisation. What somebody may do in one interview follows from
//! their part in it and is decided there.

use crate::domain::person::Role;

/// What a request needs.
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

/// Whether a role has a permission. `None` stands for somebody who is not signed in.
pub fn allows(role: impl Into<Option<Role>>, permission: Permission) -> bool {
    use Role::{Admin, Interviewer, Manager, Service};
    match (permission, role.into()) {
        (Permission::Public, _) => true,
        (_, None) => false,
        (Permission::Person, Some(_)) => true,
        (Permission::ManagePeople, Some(role)) => matches!(role, Admin),
        (Permission::ManageKits, Some(role)) => {
            matches!(role, Admin | Manager | Interviewer | Service)
        }
        (Permission::CreateLive, Some(role)) => {
            matches!(role, Admin | Manager | Interviewer | Service)
        }
        (Permission::Operate, Some(role)) => matches!(role, Admin),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Role::{Admin, Candidate, Interviewer, Manager, Observer, Service};

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
            let found = EVERYBODY.map(|role| if allows(role, permission) { "yes" } else { "no" });
            assert_eq!(found.join(" "), row, "{permission:?}");
        }
    }
}
