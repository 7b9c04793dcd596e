//! What is kept for how long, what must stay, and what is counted when it goes.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::id::{InterviewId, PersonId};
use super::limit;
use super::refusal::{FieldError, Refusal};

/// What went, by its name, and how many of it.
pub type Counts = BTreeMap<String, u64>;

/// What retention tells apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kept {
    /// Practices that are over, with everything in them.
    Practice,
    /// Live interviews that are over, with everything in them.
    Live,
    /// CVs and job descriptions that nobody has changed.
    Cv,
}

impl Kept {
    /// All of them.
    pub const ALL: [Kept; 3] = [Kept::Practice, Kept::Live, Kept::Cv];

    /// The kind as it stands in columns.
    pub const fn as_str(self) -> &'static str {
        match self {
            Kept::Practice => "practice",
            Kept::Live => "live",
            Kept::Cv => "cv",
        }
    }
}

/// For how long something of a kind is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// Of what.
    pub kind: Kept,
    /// Days since its end, or since it was last changed.
    pub days: u32,
}

/// What a legal hold is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Subject {
    /// Everything of somebody.
    Person(PersonId),
    /// One interview.
    Interview(InterviewId),
}

/// Refuses a list of rules that says something twice or nothing that can be kept.
pub fn check(rules: &[Rule]) -> Result<(), Refusal> {
    let (mut wrong, mut seen) = (Vec::new(), BTreeSet::new());
    for (n, rule) in rules.iter().enumerate() {
        let mut note = |field: &str, detail: String| {
            wrong.push(FieldError { field: format!("rules[{n}].{field}"), detail });
        };
        if !(1..=limit::RETENTION_DAYS_MAX).contains(&rule.days) {
            let max = limit::RETENTION_DAYS_MAX;
            note("days", format!("must be a whole number from 1 to {max}"));
        }
        if !seen.insert(rule.kind) {
            note("kind", "this kind stands in the list already".to_owned());
        }
        if wrong.len() > Kept::ALL.len() {
            break;
        }
    }
    if wrong.is_empty() { Ok(()) } else { Err(Refusal::fields(wrong)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_the_same_on_the_wire_and_in_columns() {
        for kind in Kept::ALL {
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.as_str());
        }
    }

    #[test]
    fn what_cannot_be_kept_is_named() {
        let rule = |kind, days| Rule { kind, days };
        assert_eq!(check(&[]), Ok(()));
        assert_eq!(check(&[rule(Kept::Live, 1), rule(Kept::Practice, 1)]), Ok(()));
        let fields = |rules: &[Rule]| -> Vec<String> {
            let refusal = check(rules).unwrap_err();
            refusal.fields.into_iter().map(|field| field.field).collect()
        };
        assert_eq!(fields(&[rule(Kept::Cv, 0)]), ["rules[0].days"]);
        assert_eq!(fields(&[rule(Kept::Cv, u32::MAX)]), ["rules[0].days"]);
        assert_eq!(fields(&[rule(Kept::Cv, 1), rule(Kept::Cv, 2)]), ["rules[1].kind"]);
    }
}
