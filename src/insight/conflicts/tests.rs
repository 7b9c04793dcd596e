//! What fits together and what does not.

use super::*;
use crate::insight::Engine;

fn rules(before: &str, now: &str) -> Vec<String> {
    let input = AnswerInput {
        answer: now.to_owned(),
        cv: Some(before.to_owned()),
        ..AnswerInput::default()
    };
    Engine::built_in().analyse(&input).conflicts.into_iter().map(|c| c.rule).collect()
}

#[test]
fn what_does_not_fit_is_found() {
    for (before, now, rule) in [
        ("I managed the Leeds warehouse.", "I never managed the Leeds warehouse.", "negation"),
        ("The pilot was finished on time.", "The pilot was not finished on time.", "negation"),
        ("Led a team of five.", "I led a team of twelve engineers there.", "number.team_size"),
        ("6 years of Rust.", "I have three years of Rust.", "number.experience"),
        (
            "Cut claim handling cost by 40 %.",
            "We cut claim handling cost by 15 %.",
            "number.metric",
        ),
        ("The office was open.", "The office was closed.", "opposite"),
        ("We added the scanner step.", "We removed the scanner step.", "opposite"),
        ("The carrier delivered parcels.", "The carrier failed to deliver parcels.", "negation"),
        ("A woman ran the clinic.", "People did not run the clinic.", "negation"),
        (
            "The nurse kept a rota and wrote a log.",
            "The nurse did not keep a rota and did not write a log.",
            "negation",
        ),
    ] {
        assert_eq!(rules(before, now), [rule], "{before} / {now}");
    }
}

#[test]
fn what_fits_is_left_alone() {
    for (before, now) in [
        ("I managed the Leeds warehouse.", "I managed the Leeds warehouse for a year."),
        ("Led a team of five.", "The team of five grew later."),
        ("6 years of Rust.", "I have two years of Go."),
        ("Cut claim handling cost by 40 %.", "We cut claim handling cost by 41 %."),
        ("Cut claim handling cost by 40 %.", "We cut travel cost by 15 %."),
        ("The carrier delivered parcels.", "The carrier never failed to deliver parcels."),
        ("I worked with the finance team.", "I did not work with a supplier then."),
        ("6 years of Rust.", "I said six, but correction, I have three years of Rust."),
    ] {
        assert_eq!(rules(before, now), Vec::<String>::new(), "{before} / {now}");
    }
}

#[test]
fn quotes_are_cut_from_their_sources() {
    let input = AnswerInput {
        answer: "😀 Yes. I never managed the Leeds warehouse.".to_owned(),
        earlier: Some(vec!["Café. I managed the Leeds warehouse.".to_owned()]),
        ..AnswerInput::default()
    };
    let conflicts = Engine::built_in().analyse(&input).conflicts;
    assert_eq!(conflicts.len(), 1);
    assert_eq!(conflicts[0].a.text, "I managed the Leeds warehouse");
    assert_eq!(conflicts[0].a.index, Some(0));
    assert_eq!(conflicts[0].b.text, "I never managed the Leeds warehouse");
}

/// Pairs written by hand over many trades: `conflict`, `no`, or `near`, which is close to one and
/// none. The odd lines were looked at while rules were made, the even ones only counted.
const PAIRS: &str = include_str!("../../../tests/insight/ledger.tsv");

struct Tally {
    hits: usize,
    missed: usize,
    wrong: usize,
}

impl Tally {
    fn precision(&self) -> usize {
        self.hits * 1000 / (self.hits + self.wrong).max(1)
    }

    fn recall(&self) -> usize {
        self.hits * 1000 / (self.hits + self.missed).max(1)
    }
}

fn tally(half: usize, show: bool) -> Tally {
    let engine = Engine::built_in();
    let mut tally = Tally { hits: 0, missed: 0, wrong: 0 };
    for (n, line) in PAIRS.lines().enumerate().filter(|(n, _)| n % 2 == half) {
        let mut parts = line.split('\t');
        let mut part = || parts.next().unwrap_or_else(|| panic!("line {}", n + 1));
        let (kind, before, now) = (part(), part().replace("\\n", "\n"), part());
        let input = AnswerInput {
            answer: now.to_owned(),
            cv: Some(before.clone()),
            ..AnswerInput::default()
        };
        let rules: Vec<String> =
            engine.analyse(&input).conflicts.into_iter().map(|c| c.rule).collect();
        match (kind == "conflict", rules.is_empty()) {
            (true, false) => tally.hits += 1,
            (true, true) => tally.missed += 1,
            (false, false) => tally.wrong += 1,
            (false, true) => {}
        }
        if half == 1 && kind != "conflict" && !rules.is_empty() {
            println!("blind false alarm by {rules:?}");
        }
        if show && (kind == "conflict") == rules.is_empty() {
            println!("{kind}: {before} / {now} -> {rules:?}");
        }
    }
    tally
}

#[test]
fn the_ledger_finds_what_people_would_ask_about_and_little_else() {
    assert!(PAIRS.lines().count() >= 300);
    let show = std::env::var_os("SHOW").is_some();
    let (seen, blind) = (tally(0, show), tally(1, false));
    for (name, tally) in [("seen", &seen), ("blind", &blind)] {
        println!("{name}: precision {} recall {}", tally.precision(), tally.recall());
        assert!(tally.precision() >= 950, "{name}: precision {} of 1000", tally.precision());
        assert!(tally.recall() >= 800, "{name}: recall {} of 1000", tally.recall());
    }
}
