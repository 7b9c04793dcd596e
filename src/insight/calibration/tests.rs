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
    refused("kind = \"round\"", "kind = \"mood\"", "kind");
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
fn every_mode_adds_up_and_hiring_leaves_delivery_out() {
    let calibration = Calibration::parse(CORE).expect("valid");
    assert!(calibration.modes().len() >= 12);
    for mode in calibration.modes() {
        assert_eq!(calibration.weights(Some(&mode.id)).iter().sum::<i64>(), WHOLE, "{}", mode.id);
    }
    assert_eq!(calibration.weights(Some("no such mode")), calibration.weights(Some("general")));
    let hiring = calibration.weights(Some("hiring"));
    let delivery = ["filler_rate", "words_per_minute", "pause_share", "length_words"];
    for (curve, weight) in calibration.file.signal.iter().zip(hiring) {
        assert!(!delivery.contains(&curve.name.as_str()) || *weight == 0, "{}", curve.name);
    }
}
