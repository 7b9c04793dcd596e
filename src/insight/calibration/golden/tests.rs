//! The gate: a number of the golden set that changes needs a calibration version of its own.

use std::path::PathBuf;

use super::*;
use crate::insight::calibration::built_in;

fn place(version: &str) -> PathBuf {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    root.join("tests/golden/calibrations").join(format!("{version}.json"))
}

fn table(found: &[Difference]) -> String {
    let number = |value: Option<Milli>| {
        value.map_or("-".to_owned(), |v| serde_json::to_string(&v).expect("a number"))
    };
    let row = |d: &Difference| {
        format!("{:16} {:28} {:>9} -> {:>9}\n", d.id, d.what, number(d.from), number(d.to))
    };
    found.iter().map(row).collect()
}

/// The snapshot of each built-in calibration is a file of the repository. There is no way to renew
/// one: a change of rules or weights is a new version, and only a version without a file gets one.
#[test]
fn no_golden_number_changes_without_a_new_version() {
    for calibration in built_in::all() {
        let version = calibration.id().version.clone();
        let now = snapshot(&Engine::new(calibration));
        let path = place(&version);
        if !path.exists() && std::env::var_os("BLESS").is_some() {
            let lines: Vec<String> =
                now.iter().map(|one| serde_json::to_string(one).expect("JSON")).collect();
            std::fs::create_dir_all(path.parent().expect("a folder")).expect("made");
            std::fs::write(&path, format!("[\n{}\n]\n", lines.join(",\n"))).expect("written");
        }
        let kept = std::fs::read_to_string(&path).unwrap_or_else(|_| {
            panic!("{version} has no snapshot; `BLESS=1 cargo test` makes that of a new version")
        });
        let kept: Vec<Golden> = serde_json::from_str(&kept).expect("a snapshot");
        let found = differences(&kept, &now);
        assert!(
            found.is_empty(),
            "the numbers of {version} have changed; keep them, or make a new version with a \
             higher engine number:\n{}",
            table(&found)
        );
    }
}

#[test]
fn every_golden_answer_is_read_and_most_of_them_are_scored() {
    let golden = snapshot(&Engine::built_in());
    assert_eq!(golden.len(), ANSWERS.lines().count());
    let scored = golden.iter().filter(|one| one.score.is_some()).count();
    assert!(scored >= 20 && scored < golden.len(), "{scored} of {}", golden.len());
}

#[test]
fn a_difference_names_the_answer_and_the_number() {
    let one = |id: &str, score: i64| Golden {
        id: id.to_owned(),
        score: Some(Milli::whole(score)),
        values: BTreeMap::from([("structure".to_owned(), None)]),
        points: BTreeMap::from([("structure".to_owned(), Milli(score))]),
    };
    assert_eq!(differences(&[one("a", 1)], &[one("a", 1)]), []);
    let found = differences(&[one("a", 1), one("b", 2)], &[one("a", 3), one("c", 4)]);
    let told: Vec<String> = found.iter().map(|d| format!("{} {}", d.id, d.what)).collect();
    let expected = [
        "a points.structure",
        "a score",
        "b points.structure",
        "b score",
        "c points.structure",
        "c score",
    ];
    assert_eq!(told, expected);
    assert!(table(&found).contains("a                score"), "{}", table(&found));
}
