//! What a calibration file must be to be taken.

use super::*;

const CORE: &str = include_str!("../../../assets/calibration/core-1.toml");

fn refused(from: &str, to: &str, why: &str) {
    assert!(CORE.contains(from), "the file no longer holds {from}");
    let error = Calibration::parse(&CORE.replacen(from, to, 1)).expect_err("must be refused");
    assert!(error.to_string().contains(why), "{error}");
}

#[test]
fn comments_and_white_space_do_not_change_the_hash_and_values_do() {
    let id = |text: &str| Calibration::parse(text).expect("valid").id().sha256.clone();
    let core = id(CORE);
    assert_eq!(core.len(), 64);
    assert_eq!(core, id(&format!("# a remark\n\n{}", CORE.replace(" = ", "   =  "))));
    assert_ne!(core, id(&CORE.replacen("version = \"core-1\"", "version = \"core-1b\"", 1)));
    assert_ne!(core, id(&CORE.replacen("reference = 60", "reference = 61", 1)));
}

#[test]
fn files_that_break_a_rule_are_refused_with_the_rule() {
    refused("weight = 22", "weight = 23", "add up to 101");
    refused("[0, 0]", "[0, 1001]", "points");
    refused("engine = 1", "engine = 2", "engine");
    refused("version = \"core-1\"", "version = \"\"", "version");
    refused("version = \"core-1\"", "version = \"core-1\"\nsurprise = 1", "surprise");
    refused("direction = \"up\"", "direction = \"down\"", "direction");
    refused("name = \"structure\"", "name = \"causal\"", "each of");
    refused("modes = \"modes-1\"", "modes = \"modes-0\"", "there is no list modes-0");
}

/// Each rule of what a calibration may never do, broken by one change.
#[test]
fn weights_that_break_a_rule_of_scoring_are_refused() {
    let moved = |from: &str, by: i64| {
        // What is given to one signal is taken from specificity, so that the sum is kept.
        let at = CORE.find(&format!("name = \"{from}\"")).expect("a signal");
        let line = CORE[at..].find("weight = ").expect("its weight") + at;
        let end = CORE[line..].find('\n').expect("a line") + line;
        let weight: i64 = CORE[line + 9..end].parse().expect("a number");
        let text = format!("{}weight = {}{}", &CORE[..line], weight + by, &CORE[end..]);
        text.replacen("weight = 20", &format!("weight = {}", 20 - by), 1)
    };
    let why = |text: &str| Calibration::parse(text).expect_err("must be refused").to_string();
    for fact in ["words_per_minute", "pause_share", "length_words"] {
        assert!(why(&moved(fact, 1)).contains("never weighed"), "{fact}");
    }
    assert!(why(&moved("filler_rate", 1)).contains("hiring"), "fillers enter a hiring score");
    let falling = CORE.replacen("direction = \"up\"", "direction = \"down\"", 1);
    assert!(why(&falling).contains("must be up"));
    let mode = |shift: &str| {
        format!(
            "{CORE}\n[[mode]]\nid = \"own\"\nkind = \"round\"\nlabel = \"Own\"\nwhy = \"Ours.\"\n\
             shift = {{ {shift} }}\n"
        )
    };
    assert!(Calibration::parse(&mode("structure = 2, causal = -2")).is_ok());
    assert!(why(&mode("structure = 2")).contains("adds up to 2"));
    assert!(why(&mode("length_words = 1, ownership = -1")).contains("never weighed"));
    assert!(why(&mode("filler_rate = 1, ownership = -1")).contains("never more"));
    assert!(why(&mode("poetry = 1, ownership = -1")).contains("no signal is called poetry"));
    let mood = mode("structure = 1, causal = -1").replace("\"round\"", "\"mood\"");
    assert!(why(&mood).contains("kind"));
}

/// An own mode replaces the one of the list with its id and leaves the others.
#[test]
fn an_own_mode_stands_in_the_place_of_its_namesake() {
    let text = format!(
        "{CORE}\n[[mode]]\nid = \"sap\"\nkind = \"company\"\nlabel = \"SAP here\"\n\
         why = \"Ours.\"\n"
    );
    let (own, core) = (Calibration::parse(&text), Calibration::parse(CORE));
    let (own, core) = (own.expect("valid"), core.expect("valid"));
    assert_eq!(own.modes().len(), core.modes().len());
    assert!(own.modes().iter().any(|mode| mode.label == "SAP here"));
    assert_ne!(own.id().sha256, core.id().sha256);
}

#[test]
fn a_curve_is_straight_between_corners_and_level_outside() {
    let curve = Curve {
        name: "structure".to_owned(),
        weight: 20,
        direction: Direction::Up,
        reference: Milli::ZERO,
        points: vec![(Milli::ZERO, 0), (Milli::whole(50), 500), (Milli::whole(100), 1000)],
        why: "test".to_owned(),
    };
    assert_eq!(curve.worth(Milli::whole(-5), 20), Milli::ZERO);
    assert_eq!(curve.worth(Milli::whole(25), 20), Milli::whole(5));
    assert_eq!(curve.worth(Milli(33_333), 20), Milli(6_666));
    assert_eq!(curve.worth(Milli::whole(500), 20), Milli::whole(20));
}

#[test]
fn every_mix_adds_up_and_no_weight_falls_below_nothing() {
    every_mix_adds_up(CORE);
    // Modes that take more than there is, from weights that somebody lowered.
    let lowered = CORE
        .replacen("weight = 22", "weight = 2", 1)
        .replacen("weight = 7", "weight = 27", 1)
        .replacen("weight = 10", "weight = 3", 1)
        .replacen("weight = 12", "weight = 19", 1);
    every_mix_adds_up(&lowered);
}

fn every_mix_adds_up(text: &str) {
    let calibration = Calibration::parse(text).expect("valid");
    let of = |kind: &str| {
        let ids = calibration.file.mode.iter().filter(|mode| mode.kind == kind);
        let mut ids: Vec<String> = ids.map(|mode| mode.id.clone()).collect();
        ids.push(String::new());
        ids
    };
    for company in of("company") {
        for role in of("role") {
            for round in of("round") {
                for purpose in of("purpose") {
                    let mix = [&company, &role, &round, &purpose];
                    let mix: Vec<&str> =
                        mix.into_iter().map(String::as_str).filter(|id| !id.is_empty()).collect();
                    let mix = mix.join("+");
                    let weights = calibration.weights(Some(&mix));
                    assert_eq!(weights.iter().sum::<i64>(), 100, "{mix}");
                    assert!(weights.iter().all(|weight| *weight >= 0), "{mix}: {weights:?}");
                    assert!(mix.is_empty() || calibration.check_mode(&mix).is_ok(), "{mix}");
                }
            }
        }
    }
}

#[test]
fn a_mix_has_one_mode_of_a_kind_and_only_known_ones() {
    let calibration = Calibration::parse(CORE).expect("valid");
    let refused = |mix: &str| calibration.check_mode(mix).expect_err(mix);
    assert!(refused("amazon+google").contains("both of kind company"));
    assert!(refused("amazon+poetry").contains("no such mode: poetry"));
    assert!(refused("amazon+").contains("no such mode"));
    let general = calibration.weights(Some("general"));
    assert_eq!(calibration.weights(Some("no such mode")), general);
    assert_eq!(calibration.weights(Some("general+sap")), general);
    assert_eq!(calibration.weights(Some("google+meta")), calibration.weights(Some("google")));
    assert_ne!(calibration.weights(Some("sap+sales")), general);
}

#[test]
fn a_hiring_score_leaves_delivery_out_in_every_mix() {
    let calibration = Calibration::parse(CORE).expect("valid");
    let delivery = ["filler_rate", "words_per_minute", "pause_share", "length_words"];
    for mix in ["hiring", "amazon+backend+behavioral+hiring", "sales+hiring"] {
        let weights = calibration.weights_by_name(Some(mix));
        assert!(delivery.iter().all(|name| weights[*name] == 0), "{mix}: {weights:?}");
    }
}

/// Names that people of the replaced system used, each saying what it does, most of them nothing.
#[test]
fn the_modes_of_the_replaced_system_are_there_by_name() {
    const COMPANIES: &str = "general amazon google meta microsoft apple netflix uber stripe \
        atlassian linkedin salesforce oracle adobe nvidia intel ibm cisco tesla airbnb doordash \
        spotify shopify dropbox uber_eats lyft databricks snowflake mongodb palantir servicenow \
        sap workday zoom slack";
    const FAMILIES: &str = "behavioral hr manager system_design architecture devops backend \
        leadership staff principal coding dsa algorithm engineering design product data management \
        specialized ai_ml security_cyber creative emerging_tech infrastructure business";
    let calibration = Calibration::parse(CORE).expect("valid");
    let find = |id: &str| calibration.modes().iter().find(|mode| mode.id == id);
    assert_eq!(COMPANIES.split_whitespace().count(), 35);
    for id in COMPANIES.split_whitespace() {
        assert_eq!(find(id).map(|mode| mode.kind.as_str()), Some("company"), "{id}");
    }
    for id in FAMILIES.split_whitespace() {
        assert!(find(id).is_some(), "{id}");
    }
    let general = calibration.weights(None);
    for mode in calibration.modes() {
        let same = calibration.weights(Some(&mode.id)) == general;
        let says_so = mode.changes[0].starts_with("Changes nothing");
        assert_eq!(same, says_so, "{}: {:?}", mode.id, mode.changes);
    }
    let amazon = find("amazon").expect("is there");
    assert!(amazon.changes.contains(&"Quantified evidence: weight 22 instead of 18.".to_owned()));
}
