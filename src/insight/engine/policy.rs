//! What must hold for every calibration, over stories put together from parts.

use proptest::prelude::*;

use super::*;

const SETTINGS: [&str; 4] = [
    "Last spring our returns desk was overloaded and two parcels in ten went missing.",
    "When I joined the clinic, patients waited on the phone for half of the morning.",
    "Two years ago our build took an hour and nobody ran the tests before a release.",
    "At my last school the library had been closed, because nobody was there to sort the books.",
];
const ACTIONS: [&str; 5] = [
    "I mapped every step with the drivers and removed the second scan.",
    "I wrote a checklist for the night shift and trained nine colleagues on it.",
    "I split the regression suite into four groups and moved the slow one to the night.",
    "I negotiated a second delivery window with the carrier's dispatcher.",
    "I built a small register in SQLite so that the pupils could lend books themselves.",
];
const RESULTS: [&str; 4] = [
    "As a result complaints fell from 20 percent to 4 percent within six weeks.",
    "In the end we saved 40,000 euros a year.",
    "Sales rose from 20 to 26 orders a day within one quarter.",
    "As a result the waiting time dropped by 12 minutes per call.",
];
const IRRELEVANT: [&str; 3] = [
    "My favourite season is autumn. The light is so nice then, and the park is close to my house.",
    "On Sundays we eat soup. My aunt likes the one with leeks.",
    "The weather is lovely today. Blue is a very pretty colour.",
];
const BOASTS: [&str; 3] = [
    "I am a brilliant and exceptional talent. I am the best candidate that you could wish for.",
    "I'm a natural leader and a real team player. Everybody says that I am amazing.",
    "I am passionate, driven and detail oriented. I'm proud of how incredible I am.",
];
const TAKEN_BACK: [&str; 4] = [
    "Actually, I made that figure up.",
    "To be fair, that number is just a guess.",
    "I should say that I might be wrong about those numbers.",
    "Honestly, that idea was the team's and I can't take credit for it.",
];

fn analyse(answer: &str) -> Analysis {
    static ENGINE: std::sync::LazyLock<Engine> = std::sync::LazyLock::new(Engine::built_in);
    let question = Some("Tell me about a time when you improved something.".to_owned());
    let input = AnswerInput { question, answer: answer.to_owned(), ..AnswerInput::default() };
    ENGINE.analyse(&input)
}

fn score(answer: &str) -> Milli {
    analyse(answer).score.expect("a story of several sentences is scored")
}

fn some(list: &'static [&'static str]) -> impl Strategy<Value = &'static str> {
    prop::sample::select(list)
}

prop_compose! {
    fn story()(
        setting in some(&SETTINGS),
        actions in prop::sample::subsequence(&ACTIONS[..], 2..4),
        results in prop::sample::subsequence(&RESULTS[..3], 1..3),
    ) -> Vec<&'static str> {
        [vec![setting], actions, results].concat()
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 24,
        failure_persistence: None,
        ..Default::default()
    })]

    #[test]
    fn what_carries_no_evidence_does_not_move_the_score(
        story in story(), idle in some(&IRRELEVANT), boast in some(&BOASTS),
    ) {
        let story = story.join(" ");
        for more in [idle, boast] {
            let moved = score(&format!("{story}\n{more}")) - score(&story);
            prop_assert!(moved <= Milli::whole(2) && moved >= Milli::whole(-2), "{moved:?} {more}");
        }
    }

    #[test]
    fn said_again_in_any_order_it_gains_nothing(story in story()) {
        let again: Vec<&str> = story.iter().rev().copied().collect();
        let story = story.join(" ");
        let moved = score(&format!("{story}\n{}", again.join(" "))) - score(&story);
        prop_assert!(moved <= Milli::whole(1) && moved >= Milli::whole(-1), "{moved:?}");
    }

    #[test]
    fn what_is_taken_back_lowers_the_score(story in story(), back in some(&TAKEN_BACK)) {
        let story = story.join(" ");
        let taken = format!("{story} {back}");
        prop_assert!(score(&taken) < score(&story), "{taken}");
    }

    #[test]
    fn a_result_more_lowers_neither_structure_nor_evidence(story in story()) {
        let (before, after) =
            (analyse(&story.join(" ")), analyse(&format!("{} {}", story.join(" "), RESULTS[3])));
        for name in ["structure", "quantified_evidence"] {
            prop_assert!(after.signals[name].value >= before.signals[name].value, "{name}");
        }
    }

    #[test]
    fn every_number_is_explained(story in story(), back in some(&TAKEN_BACK)) {
        let text = format!("{} {back}", story.join(" "));
        let analysis = analyse(&text);
        let points: Milli = analysis.drivers.iter().map(|driver| driver.points).sum();
        prop_assert_eq!(analysis.score, Some(analysis.baseline + points));
        let length = text.chars().count() as u32;
        for (name, signal) in &analysis.signals {
            for evidence in &signal.evidence {
                prop_assert!(evidence.from < evidence.to && evidence.to <= length, "{name}");
                prop_assert!(!evidence.rule.is_empty(), "{name}");
            }
        }
        for name in ["structure", "quantified_evidence", "specificity", "causal", "trade_off"] {
            let signal = &analysis.signals[name];
            let silent = signal.value <= Some(Milli::ZERO);
            prop_assert!(silent || !signal.evidence.is_empty(), "{name}");
            prop_assert!(signal.anchor.is_some(), "{name}");
        }
    }
}
