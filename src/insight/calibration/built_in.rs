//! The calibrations in the binary. Each stays as it is once it was released; a later one stands
//! beside it and waits to be activated.

use super::Calibration;

/// What is in force where nobody activated anything: the first one for ever, so that a new release
/// changes no number by itself.
pub const DEFAULT: &str = include_str!("../../../assets/calibration/core-1.toml");

/// All of them, oldest first.
pub const ALL: [&str; 1] = [DEFAULT];

/// The built-in calibration of this version.
pub fn find(version: &str) -> Option<Calibration> {
    all().into_iter().find(|calibration| calibration.id().version == version)
}

/// All built-in calibrations, oldest first.
pub fn all() -> Vec<Calibration> {
    // Each is read by a test; one that this engine cannot use would be left out.
    ALL.iter().filter_map(|text| Calibration::parse(text).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_valid_and_has_a_version_of_its_own() {
        let mut versions: Vec<String> = all().iter().map(|one| one.id().version.clone()).collect();
        assert_eq!(versions.len(), ALL.len());
        versions.dedup();
        assert_eq!(versions.len(), ALL.len());
        assert!(find("core-1").is_some() && find("core-0").is_none());
    }
}
