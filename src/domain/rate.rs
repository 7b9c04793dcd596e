//! Rate policies: how many requests of a class one caller of a tier may send in a window.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::limit::door as limit;
use super::person::Role;
use super::refusal::{FieldError, Refusal};

/// What a request costs and risks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// Signing in and everything else that checks a secret.
    Auth,
    /// Reading.
    Read,
    /// Writing: each has an fsync on a majority.
    Write,
    /// Files: each starts a process.
    Upload,
    /// Opening a room's socket.
    Socket,
}

/// Who sends it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Tier {
    /// Nobody that we know; counted by address.
    Anonymous,
    /// Candidates and observers.
    Candidate,
    /// Interviewers and managers.
    Interviewer,
    /// Admins.
    Admin,
    /// Programs with a token of their own, and the operator's commands, through the socket in the
    /// data directory.
    Service,
}

/// So many requests in so many seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// At least 1.
    pub requests: u32,
    /// At least 1.
    pub window_seconds: u32,
}

/// The policy of one class and tier, as it is stored and shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// Of which requests.
    pub class: Class,
    /// Of whom.
    pub tier: Tier,
    /// How many.
    pub requests: u32,
    /// In how long.
    pub window_seconds: u32,
}

impl Class {
    /// All of them.
    pub const ALL: [Class; 5] =
        [Class::Auth, Class::Read, Class::Write, Class::Upload, Class::Socket];

    /// The name in headers and columns.
    pub const fn as_str(self) -> &'static str {
        match self {
            Class::Auth => "auth",
            Class::Read => "read",
            Class::Write => "write",
            Class::Upload => "upload",
            Class::Socket => "socket",
        }
    }
}

impl Tier {
    /// All of them.
    pub const ALL: [Tier; 5] =
        [Tier::Anonymous, Tier::Candidate, Tier::Interviewer, Tier::Admin, Tier::Service];

    /// The tier of a role.
    pub const fn of(role: Role) -> Tier {
        match role {
            Role::Admin => Tier::Admin,
            Role::Manager | Role::Interviewer => Tier::Interviewer,
            Role::Candidate | Role::Observer => Tier::Candidate,
            Role::Service => Tier::Service,
        }
    }

    /// The name in columns.
    pub const fn as_str(self) -> &'static str {
        match self {
            Tier::Anonymous => "anonymous",
            Tier::Candidate => "candidate",
            Tier::Interviewer => "interviewer",
            Tier::Admin => "admin",
            Tier::Service => "service",
        }
    }
}

/// What holds where nobody has said otherwise. Whoever uses the pages sends a few a second and
/// never comes near it. A program that runs away takes half of what one core answers, not all of
/// it. An address may stand for the whole office behind it.
pub const fn by_default(class: Class, tier: Tier) -> Policy {
    let a_second = match (class, tier) {
        (_, Tier::Service) => 10_000,
        (Class::Auth, _) => 50,
        (Class::Read, Tier::Anonymous) => 500,
        (Class::Read, _) => 5_000,
        (Class::Write, Tier::Anonymous) => 50,
        (Class::Write, _) => 2_000,
        (Class::Upload, _) => 5,
        (Class::Socket, _) => 1_000,
    };
    Policy { requests: a_second * 60, window_seconds: 60 }
}

/// Refuses a list of rules that says something twice or nothing that can be kept.
pub fn check(rules: &[Rule]) -> Result<(), Refusal> {
    let (mut wrong, mut seen) = (Vec::new(), BTreeSet::new());
    let most = Class::ALL.len() * Tier::ALL.len();
    if rules.len() > most {
        return Err(Refusal::field("policies", format!("at most {most}, one for each pair")));
    }
    for (n, rule) in rules.iter().enumerate() {
        let mut note = |field: &str, detail: String| {
            wrong.push(FieldError { field: format!("policies[{n}].{field}"), detail });
        };
        if rule.requests == 0 {
            note("requests", "must be at least 1".to_owned());
        }
        if !(1..=limit::RATE_WINDOW_SECONDS_MAX).contains(&rule.window_seconds) {
            let max = limit::RATE_WINDOW_SECONDS_MAX;
            note("window_seconds", format!("must be a whole number from 1 to {max}"));
        }
        if !seen.insert((rule.class, rule.tier)) {
            note("class", "this class and tier stand in the list already".to_owned());
        }
    }
    if wrong.is_empty() { Ok(()) } else { Err(Refusal::fields(wrong)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_the_same_on_the_wire_and_in_columns() {
        for class in Class::ALL {
            assert_eq!(serde_json::to_value(class).unwrap(), class.as_str());
        }
        for tier in Tier::ALL {
            assert_eq!(serde_json::to_value(tier).unwrap(), tier.as_str());
        }
        for role in ["admin", "manager", "interviewer", "candidate", "observer"] {
            let role = Role::parse(role).unwrap();
            assert_eq!(Tier::of(role).as_str(), role.tier());
        }
    }

    #[test]
    fn what_cannot_be_kept_is_named() {
        let rule = |requests, window_seconds| Rule {
            class: Class::Read,
            tier: Tier::Admin,
            requests,
            window_seconds,
        };
        assert_eq!(check(&[]), Ok(()));
        assert_eq!(check(&[rule(1, 1)]), Ok(()));
        let fields = |rules: &[Rule]| -> Vec<String> {
            let refusal = check(rules).unwrap_err();
            refusal.fields.into_iter().map(|field| field.field).collect()
        };
        assert_eq!(fields(&[rule(0, 0)]), ["policies[0].requests", "policies[0].window_seconds"]);
        assert_eq!(fields(&[rule(1, u32::MAX)]), ["policies[0].window_seconds"]);
        assert_eq!(fields(&[rule(1, 1), rule(2, 2)]), ["policies[1].class"]);
        assert_eq!(fields(&vec![rule(1, 1); 26]), ["policies"]);
    }
}
