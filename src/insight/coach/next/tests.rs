//! The next question: probes, coverage, difficulty.

use super::*;
use crate::insight::{AnswerInput, Engine};

fn id(n: u128) -> QuestionId {
    format!("019a0b1c-2d3e-7f40-8a5b-{n:012x}").parse().unwrap()
}

fn turn(n: u128, text: &str, competency: Option<&str>, answer: Option<&str>) -> Turn {
    let analysed = |answer: &str| {
        let (question, answer) = (Some(text.to_owned()), answer.to_owned());
        let input = AnswerInput { question, answer: answer.clone(), ..AnswerInput::default() };
        Past { text: answer, analysis: Some(Engine::built_in().analyse(&input)) }
    };
    Turn {
        question_id: id(n),
        text: text.to_owned(),
        competency: competency.map(str::to_owned),
        open: answer.is_none(),
        about: None,
        answer: answer.map(analysed),
    }
}

fn bank() -> Vec<BankQuestion> {
    let question = |n: usize, competency: &str, difficulty: u8| BankQuestion {
        id: format!("q-{n}"),
        competency: competency.to_owned(),
        difficulty,
        text: format!("Tell me about {competency} at level {difficulty}, number {n}."),
    };
    let all = [("teamwork", 1), ("teamwork", 2), ("teamwork", 3), ("risk", 1), ("risk", 3)];
    all.iter().enumerate().map(|(n, (name, level))| question(n, name, *level)).collect()
}

fn next(
    turns: &[Turn],
    planned: &[(QuestionId, String, Option<String>)],
    scores: &[i64],
) -> Chosen {
    let scores: Vec<Milli> = scores.iter().map(|score| Milli::whole(*score)).collect();
    let bank = bank();
    let practice = Practice { turns, planned, scores: &scores, heard: &[], bank: &bank };
    let first = choose(&practice);
    assert_eq!(first, choose(&practice), "the same practice, the same question");
    first.expect("a question")
}

const QUESTION: &str = "Tell me about a process that you improved.";

const WHOLE: &str = "Our returns desk lost two parcels in ten. I mapped every step with the night \
    shift, removed the second scan and taught nine colleagues the new order. As a result missing \
    parcels fell from 20% to 4% within six weeks.";

/// The quotes of a probe, which stand in the answer word for word.
fn quote(chosen: &Chosen, answer: &str) -> String {
    let inner = chosen.text.split(['“', '”']).nth(1).expect("a quote").trim_end_matches('…');
    let at = answer.find(inner).expect("the person's own words");
    let whole = |c: Option<char>| c.is_none_or(|c| !c.is_alphanumeric());
    assert!(whole(answer[..at].chars().next_back()), "{inner}");
    assert!(whole(answer[at + inner.len()..].chars().next()), "{inner}");
    inner.to_owned()
}

#[test]
fn a_probe_asks_for_what_the_answer_lacked_in_the_persons_own_words() {
    let group = "Last year the returns desk was slow. We mapped every step with the night shift \
        and we removed the second scan. As a result missing parcels fell from 20% to 4% within \
        six weeks, and the desk was calm again after the holidays.";
    let open_end = "Last year the returns desk was slow. I mapped every step with the night shift \
        in March. I removed the second scan. I taught nine colleagues the new order and wrote a \
        page for the others.";
    for (answer, rule) in [(group, "probe.own_part"), (open_end, "probe.result")] {
        let chosen = next(&[turn(1, QUESTION, None, Some(answer))], &[], &[]);
        assert_eq!(chosen.because.rule, rule, "{chosen:?}");
        assert_eq!((chosen.because.about, chosen.planned), (Some(id(1)), None));
        assert!(!quote(&chosen, answer).is_empty());
    }
    let asked = "Which decision was hard, and what did you choose?";
    let chosen = next(&[turn(1, asked, None, Some(WHOLE))], &[], &[]);
    assert_eq!(chosen.because.rule, "probe.trade_off");
    let declined = "I would rather not talk about that, sorry.";
    let chosen = next(&[turn(1, QUESTION, None, Some(declined))], &[], &[]);
    assert_eq!(chosen.because.rule, "probe.declined");
}

#[test]
fn a_whole_answer_gets_no_probe_and_no_question_two() {
    let whole = turn(1, QUESTION, None, Some(WHOLE));
    assert_eq!(next(std::slice::from_ref(&whole), &[], &[]).because.rule, "next.bank");
    let thin = "We talked about it and then it went on and nobody was really against the plan \
        that the others had made, so we did it that way in the end and moved the desk.";
    let first = turn(1, QUESTION, None, Some(thin));
    assert!(next(std::slice::from_ref(&first), &[], &[]).because.rule.starts_with("probe."));
    let probed = Turn { about: Some(id(1)), ..turn(2, "Which part was yours?", None, Some(thin)) };
    let turns = [first, probed];
    assert_eq!(next(&turns, &[], &[]).because.rule, "next.bank", "one probe for each question");
}

#[test]
fn while_a_question_is_open_only_a_follow_up_overtakes_it() {
    let bank = bank();
    let choose = |turns: &[Turn]| {
        let practice = Practice { turns, planned: &[], scores: &[], heard: &[], bank: &bank };
        super::choose(&practice)
    };
    let open = turn(2, "And the next one?", None, None);
    assert_eq!(choose(&[turn(1, QUESTION, None, Some(WHOLE)), open.clone()]), None);
    let declined = turn(1, QUESTION, None, Some("I would rather not talk about that, sorry."));
    assert_eq!(choose(&[declined.clone(), open]).unwrap().because.about, Some(id(1)));
    let probe = Turn { about: Some(id(7)), ..turn(2, "Which part was yours?", None, None) };
    assert_eq!(choose(&[declined, probe]), None, "one follow-up at a time");
}

#[test]
fn the_plan_comes_first_and_within_it_what_was_not_shown() {
    let planned =
        |n: u128, competency: &str| (id(n), format!("Question {n}."), Some(competency.to_owned()));
    let shown = turn(1, QUESTION, Some("risk"), Some(WHOLE));
    let plan = [planned(2, "risk"), planned(3, "teamwork")];
    let chosen = next(std::slice::from_ref(&shown), &plan, &[]);
    assert_eq!((chosen.planned, chosen.because.rule.as_str()), (Some(id(3)), "next.not_shown"));
    assert!(chosen.because.text.contains("teamwork"));
    let chosen = next(&[shown], &plan[..1], &[]);
    assert_eq!((chosen.planned, chosen.because.rule.as_str()), (Some(id(2)), "next.planned"));
    // An answer too short to be scored has shown nothing.
    let skipped = Turn { open: false, ..turn(1, QUESTION, Some("risk"), None) };
    assert_eq!(next(&[skipped], &plan, &[]).planned, Some(id(2)));
}

#[test]
fn the_bank_follows_the_trend_and_goes_where_nobody_has_asked() {
    for (scores, level) in [
        (&[][..], 1),
        (&[55], 2),
        (&[80, 82], 3),
        (&[58, 60, 68, 70], 3),
        (&[70, 68, 60, 58], 2),
        (&[90, 40, 50, 45, 48], 2),
        (&[50, 48, 40, 41], 1),
        (&[90, 90, 20, 20, 20, 20], 1),
    ] {
        let chosen = next(&[], &[], scores);
        assert!(chosen.text.contains(&format!("level {level}")), "{scores:?}: {chosen:?}");
        assert!(chosen.because.text.ends_with('.'), "{chosen:?}");
    }
    let first = next(&[], &[], &[]);
    let asked = turn(1, &first.text, None, Some(WHOLE));
    let second = next(&[asked], &[], &[]);
    assert!(first.text.contains("teamwork") && second.text.contains("risk"), "{second:?}");
}

#[test]
fn a_question_is_not_asked_twice_and_one_of_another_day_comes_later() {
    let bank = bank();
    let heard = [bank[0].text.clone()];
    let mut turns = Vec::new();
    let mut texts = std::collections::BTreeSet::new();
    for n in 0..bank.len() {
        let practice =
            Practice { turns: &turns, planned: &[], scores: &[], heard: &heard, bank: &bank };
        let chosen = choose(&practice).unwrap();
        assert!(n > 0 || chosen.text != heard[0], "it was asked the other day");
        assert!(texts.insert(chosen.text.clone()), "{}", chosen.text);
        turns.push(Turn { open: false, ..turn(n as u128, &chosen.text, None, None) });
    }
    let practice =
        Practice { turns: &turns, planned: &[], scores: &[], heard: &heard, bank: &bank };
    assert_eq!(choose(&practice), None, "the bank is at its end");
}
