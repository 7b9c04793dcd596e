//! What may stand in the place of our own words, and what may not.

use proptest::prelude::*;

use super::*;

const ANSWER: &str = "We cut the café's run from 40 minutes to twelve. I removed the second scan \
    at Northwind, and nine colleagues tried it. Complaints fell by two hundred and five a year.";

const PROBE: &str = "You said “I removed the second scan at Northwind”. What came of it, and how \
    do you know?";

fn judged(text: &str, wording: &str) -> Result<(), Flaw> {
    let question = "Tell me about three things that you improved.";
    check(&Original { text, answer: ANSWER, question }, wording)
}

#[test]
fn plain_words_about_the_answer_may_stand() {
    for wording in [
        PROBE,
        "After “removed the second scan”, what changed for your colleagues, and who noticed?",
        "You told how 'removed the second scan' began. What was different in the end?",
        "Northwind has a scan less. What did that change?",
        "What did the nine colleagues see when the run fell from 40 minutes to twelve?",
        "What's different? It's the colleagues' view that counts: \"nine colleagues tried it.\"",
        "Complaints fell by two hundred and five a year: how do you know?",
        "Which of the three improvements lasted, and how could you tell?",
        " What came of it? ",
        "You said “We cut the café's run…” – and then?",
    ] {
        assert_eq!(judged(PROBE, wording), Ok(()), "{wording}");
    }
}

#[test]
fn what_the_answer_does_not_hold_is_refused() {
    let long = format!("{PROBE} {}", "And why? ".repeat(20));
    for (wording, flaw) in [
        ("", Flaw::Empty),
        (" \n", Flaw::Empty),
        (long.as_str(), Flaw::Long),
        ("What came of it?\nSay it.", Flaw::Markup),
        ("What **came** of it?", Flaw::Markup),
        ("See www.example.org, what came of it?", Flaw::Markup),
        ("What came of it? <b>", Flaw::Markup),
        ("What came of\u{202e} it?", Flaw::Markup),
        ("Say what came of it.", Flaw::NoQuestion),
        ("You said “I removed the third scan”. What came of it?", Flaw::Quote),
        ("You said “removed the second sca”. What came of it?", Flaw::Quote),
        ("You said “I Removed the second scan”. What came of it?", Flaw::Quote),
        ("You said “removed the second scan. What came of it?", Flaw::Quote),
        ("You said 'I removed it', what came of it?", Flaw::Quote),
        ("You said ‘I’d removed it’, what came of it?", Flaw::Quote),
        ("You said «removed it», what came of it?", Flaw::Quote),
        ("You said “”. What came of it?", Flaw::Quote),
        ("You said “…”. What came of it?", Flaw::Quote),
        ("Did it fall by 30 percent?", Flaw::Number),
        ("Did it fall by 40%?", Flaw::Number),
        ("Did it fall by 40 percent?", Flaw::Number),
        ("Did it save €40?", Flaw::Number),
        ("Did it save ½ of it?", Flaw::Number),
        ("Did it save \u{664} of it?", Flaw::Number),
        ("Did it fall by half?", Flaw::Number),
        ("Did twelve-hundred people notice it?", Flaw::Number),
        ("Did nine hundred people notice it?", Flaw::Number),
        ("Did two hundred people notice it?", Flaw::Number),
        ("Did five people notice it?", Flaw::Number),
        ("Was it twofold?", Flaw::Number),
        ("Did ‘forty’s’ people notice?", Flaw::Quote),
        ("How did Acme take it?", Flaw::Name),
        ("How did the team in PARIS take it?", Flaw::Name),
        ("SQL was it?", Flaw::Name),
        ("Were you nervous when you removed the second scan?", Flaw::Judgement),
        ("Is it untrue?", Flaw::Judgement),
    ] {
        assert_eq!(judged(PROBE, wording), Err(flaw), "{wording}");
    }
}

#[test]
fn advice_without_a_question_stays_so() {
    let hint = "Say which part of this was yours.";
    assert_eq!(judged(hint, "Tell which step you took yourself, apart from the others."), Ok(()));
    assert_eq!(judged(hint, "Which step was yours?"), Err(Flaw::NoQuestion));
}

#[test]
fn a_quote_has_its_place_in_code_points() {
    let text = "I cut the café run in half.";
    assert_eq!(place_of(" run in half ", text), Some((15, 26)));
    for wrong in ["", " ", "Run in half", "un in half", "run in hal", "ten people"] {
        assert_eq!(place_of(wrong, text), None, "{wrong:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..Default::default() })]

    #[test]
    fn any_text_is_judged_and_a_number_from_nowhere_never_stands(
        text in ".{0,60}", number in 41_u32..99_999,
    ) {
        let _ = judged(PROBE, &text);
        let wording = format!("What about {number} then?");
        prop_assert_eq!(judged(PROBE, &wording), Err(Flaw::Number));
    }

    #[test]
    fn any_part_of_the_answer_is_a_quote_exactly_if_it_is_whole_words(
        from in 0_usize..120, length in 1_usize..40,
    ) {
        let part: String = ANSWER.chars().skip(from).take(length).collect();
        let inner = part.trim();
        if let Some((from, to)) = place_of(inner, ANSWER) {
            let found: String = ANSWER.chars().skip(from).take(to - from).collect();
            prop_assert_eq!(found, inner);
        } else {
            let around: Vec<char> = ANSWER.chars().collect();
            let cuts = |at: usize| at > 0 && at < around.len()
                && around[at - 1].is_alphanumeric() && around[at].is_alphanumeric();
            let lead = part.len() - part.trim_start().len();
            let start = from + lead;
            prop_assert!(inner.is_empty() || cuts(start) || cuts(start + inner.chars().count()));
        }
    }
}
