//! The bank of practice questions in the binary.

use crate::insight::coach::BankQuestion;

/// The file as it lies in the binary.
const BANK: &str = include_str!("../../assets/questions/practice.toml");

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Bank {
    questions: Vec<BankQuestion>,
}

/// The questions in the order in which they are preferred.
pub fn bank() -> Vec<BankQuestion> {
    let bank: Bank = toml::from_str(BANK).expect("invariant: a test reads the built-in bank");
    bank.questions
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::*;
    use crate::domain::limit;

    #[test]
    fn the_bank_is_broad_and_every_question_is_its_own() {
        let bank = bank();
        assert!(bank.len() >= 60, "{}", bank.len());
        let ids: BTreeSet<&str> = bank.iter().map(|question| question.id.as_str()).collect();
        let texts: BTreeSet<&str> = bank.iter().map(|question| question.text.as_str()).collect();
        assert_eq!((ids.len(), texts.len()), (bank.len(), bank.len()));
        let mut levels: BTreeMap<&str, BTreeSet<u8>> = BTreeMap::new();
        for question in &bank {
            assert!(question.text.len() <= limit::QUESTION_BYTES_MAX);
            assert!(question.text.ends_with(['?', '.']), "{}", question.text);
            levels.entry(&question.competency).or_default().insert(question.difficulty);
        }
        for (competency, levels) in levels {
            assert!(levels.into_iter().eq(1..=3), "{competency} has each difficulty");
        }
    }
}
