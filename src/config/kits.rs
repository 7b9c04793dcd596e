//! The question kits in the binary.
//!
//! **Invariant:** every file in `assets/kits/` is listed here and keeps the rules of `Kit::check`;
//! a test says so.

use crate::domain::kit::Kit;

macro_rules! built_in {
    ($($name:literal)*) => {
        &[$(($name, include_str!(concat!("../../assets/kits/", $name, ".toml")))),*]
    };
}

/// The files by their names.
const FILES: &[(&str, &str)] = built_in! {
    "backend-engineer"
    "customer-success-manager"
    "data-analyst"
    "data-engineer"
    "engineering-manager"
    "first-job"
    "frontend-engineer"
    "product-designer"
    "product-manager"
    "site-reliability-engineer"
};

/// The kits, in the order in which people see them.
pub fn built_in() -> Vec<Kit> {
    FILES
        .iter()
        .map(|(_, text)| toml::from_str(text).expect("invariant: a test reads every built-in kit"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_is_listed_named_after_its_kit_and_keeps_the_rules() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/assets/kits");
        let mut files: Vec<String> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().path().file_stem().unwrap().to_str().unwrap().to_owned())
            .collect();
        let mut listed: Vec<String> = FILES.iter().map(|(name, _)| (*name).to_owned()).collect();
        files.sort();
        listed.sort();
        assert_eq!(files, listed);
        let kits = built_in();
        assert!(kits.len() >= 8);
        for (kit, (name, _)) in kits.iter().zip(FILES) {
            assert_eq!(kit.id, *name);
            assert_eq!(kit.check(), Ok(()), "{name}");
            assert!(kit.questions.len() >= 6, "{name}");
        }
    }
}
