//! Live hints over texts and times that are passed in.

use super::*;

const FACTS: &str = "Last spring I led the move of our billing service at a parcel company. My \
    task was to cut the nightly run before the audit. I measured each step, rewrote the slowest \
    query, and tested it on a copy for two weeks. As a result the run fell from 90 minutes to 12 \
    minutes within a month.";

const GROUP: &str = "We had a service that was slow in the evening. We moved it to other machines \
    and we changed the queue and we watched it for some days, and then we told the others how it \
    went and what we had changed and we wrote a page about it for everybody in the team";

fn hint_at(partial: &Partial<'_>, shown: &[Shown], intensity: u8, at_ms: u64) -> Option<Prompt> {
    next_hint(&Engine::built_in(), partial, shown, intensity, at_ms)
}

fn rule(question: Option<&str>, text: &str, intensity: u8) -> Option<&'static str> {
    let partial = Partial { question, text, earlier: &[] };
    hint_at(&partial, &[], intensity, 1_000_000).map(|prompt| prompt.rule)
}

/// All rules that speak on a text, one after the other with all the time between them.
fn all_rules(question: Option<&str>, text: &str, intensity: u8) -> Vec<&'static str> {
    let partial = Partial { question, text, earlier: &[] };
    let (mut shown, mut at_ms) = (Vec::new(), 1_000_000);
    let mut given = Vec::new();
    while let Some(prompt) = hint_at(&partial, &shown, intensity, at_ms) {
        given.push(prompt.rule);
        // Twice, so that each rule has said all it may.
        shown.extend([Shown { rule: prompt.rule, at_ms }; REPEATS_MAX]);
        at_ms += 1_000_000;
        assert!(given.len() <= RULES.len(), "{given:?}");
    }
    given
}

#[test]
fn a_whole_story_and_a_sentence_just_begun_get_no_hint() {
    for intensity in 1..=3 {
        assert_eq!(rule(None, FACTS, intensity), None);
        assert_eq!(rule(None, "I was working on", intensity), None);
        assert_eq!(rule(None, "", intensity), None);
    }
}

#[test]
fn each_rule_asks_for_what_is_not_there() {
    assert!(all_rules(None, GROUP, 3).contains(&"coach.no_own_action"));
    assert!(all_rules(None, GROUP, 3).contains(&"coach.no_figure"));
    let own = GROUP.replace("We ", "I ").replace(" we ", " I ");
    assert!(!all_rules(None, &own, 3).contains(&"coach.no_own_action"));
    let measured = format!("{FACTS} {GROUP}");
    assert!(!all_rules(None, &measured, 3).contains(&"coach.no_figure"));
    let fillers = format!("{} um uh um um uh er um um uh um", &FACTS);
    assert_eq!(all_rules(None, &fillers, 3), ["coach.fillers"]);
    assert_eq!(all_rules(None, &fillers, 2), Vec::<&str>::new());
}

#[test]
fn a_long_way_without_a_result_is_told_and_a_result_ends_it() {
    let steps = "I opened the log of the parser. I read the code of the scheduler. I wrote a \
        small script for the importer. I asked Maria about the format of the old files. I copied \
        the tables to a laptop. I drew the path of one order through the services. I listed the \
        calls of the printer. I tested the label with a second driver. I packed the samples in a \
        box. I visited the depot in Leeds with Tom. I checked the scanner at the gate. I changed \
        the cable of the scale. I called the vendor of the belt. I cleaned the lens of the camera.";
    assert!(all_rules(None, steps, 3).contains(&"coach.no_result"));
    let ended = format!("{steps} As a result the errors fell from 40 to 3 a day within a week.");
    assert!(!all_rules(None, &ended, 3).contains(&"coach.no_result"));
}

#[test]
fn only_a_question_about_a_decision_asks_for_alternatives() {
    let asked = Some("Which decision about the queue was hard, and what did you choose?");
    let told = "I moved the queue to other machines in March because it was slow in the evening. \
        I measured it for a week, I changed the size of each batch, I told the team how it went \
        and I wrote a page about the queue, and the delay fell from 9 minutes to 2 minutes.";
    assert!(all_rules(asked, told, 3).contains(&"coach.no_alternative"));
    assert!(
        !all_rules(Some("How did you move the queue?"), told, 3).contains(&"coach.no_alternative")
    );
    let weighed = format!("{told} The alternative was a second queue, which cost more.");
    assert!(!all_rules(asked, &weighed, 3).contains(&"coach.no_alternative"));
}

#[test]
fn talk_beside_the_question_is_told_and_a_story_is_not() {
    let asked = Some("How did you reduce the latency of a database?");
    let beside = "Summer in the mountains is lovely and the trains are never full. My uncle has a \
        garden with apples and pears. The weather there is mild. People sit outside until late, \
        and everybody knows everybody. The bread is good there and the lake is warm in August.";
    assert_eq!(rule(asked, beside, 3), Some("coach.off_question"));
    let drifting = format!(
        "I reduced the latency of our database by half with an index. {beside} The cheese is nice \
         too and the church is old. The old street is narrow and the houses are white and"
    );
    let partial = Partial { question: asked, text: &drifting, earlier: &[] };
    let prompt = hint_at(&partial, &[], 3, 0).unwrap();
    assert_eq!(prompt.rule, "coach.off_question");
    let (from, to) = prompt.place.unwrap();
    assert!(from > 0 && (to as usize) < drifting.chars().count());
    assert_ne!(rule(asked, &drifting[..drifting.find('.').unwrap()], 3), Some(prompt.rule));
}

#[test]
fn what_does_not_fit_an_earlier_answer_comes_first_and_quotes_both() {
    let earlier = ["I led a team of five people at the bank.".to_owned()];
    let text = "I led a team of twelve people at the bank.";
    let partial = Partial { question: None, text, earlier: &earlier };
    let prompt = hint_at(&partial, &[], 1, 0).unwrap();
    assert_eq!((prompt.rule, prompt.priority), ("coach.contradiction", 0));
    assert!(prompt.text.contains("five people"), "{}", prompt.text);
    let (from, to) = prompt.place.unwrap();
    let words: String = text.chars().skip(from as usize).take((to - from) as usize).collect();
    assert!(words.contains("twelve"), "{words}");
    assert_eq!(hint_at(&Partial { earlier: &[], ..partial }, &[], 1, 0), None);
}

#[test]
fn hints_keep_their_distance_and_a_rule_speaks_twice_at_most() {
    let partial = Partial { question: None, text: GROUP, earlier: &[] };
    let first = hint_at(&partial, &[], 3, 0).unwrap();
    let shown = [Shown { rule: first.rule, at_ms: 0 }];
    let pause = pause_ms(3);
    assert_eq!(hint_at(&partial, &shown, 3, pause - 1), None, "too soon for any hint");
    let second = hint_at(&partial, &shown, 3, pause).unwrap();
    assert_ne!(second.rule, first.rule, "the first one rests");
    assert!(second.priority > first.priority, "the most important one came first");
    let cooldown = RULES.iter().find(|rule| rule.id == first.rule).unwrap().cooldown_s * 1_000;
    assert_ne!(hint_at(&partial, &shown, 3, cooldown - 1).map(|p| p.rule), Some(first.rule));
    assert_eq!(hint_at(&partial, &shown, 3, cooldown).map(|p| p.rule), Some(first.rule));
    let twice = [shown[0], Shown { rule: first.rule, at_ms: cooldown }];
    assert_ne!(hint_at(&partial, &twice, 3, cooldown * 9).map(|p| p.rule), Some(first.rule));
    assert!(pause_ms(1) > pause_ms(2) && pause_ms(2) > pause_ms(3));
}

#[test]
fn more_intensity_never_says_less() {
    for text in [FACTS, GROUP] {
        let count = |intensity| all_rules(Some("Tell me about a decision."), text, intensity).len();
        assert!(count(1) <= count(2) && count(2) <= count(3));
    }
    for rule in RULES {
        let words: Vec<usize> = rule.words.iter().map(|w| w.unwrap_or(usize::MAX)).collect();
        assert!(words.is_sorted_by(|a, b| a >= b), "{}", rule.id);
    }
    let mut priorities: Vec<u8> = RULES.iter().map(|rule| rule.priority).collect();
    priorities.dedup();
    assert!(priorities.is_sorted() && priorities.len() == RULES.len());
}
