//! Laws that hold for every answer and every calibration.

use super::*;
use crate::domain::analysis::Star;

const STORY: &str = "Last spring our returns desk was overloaded and two parcels in ten went \
    missing. My task was to cut the backlog before the summer. I mapped every step, removed \
    the second scan and taught the new order to nine colleagues. As a result missing parcels \
    fell from 20 percent to 4 percent within six weeks.";

/// One engine for all tests: building it costs more than an answer.
fn engine() -> &'static Engine {
    static ENGINE: std::sync::LazyLock<Engine> = std::sync::LazyLock::new(Engine::built_in);
    &ENGINE
}

fn analyse(answer: &str) -> Analysis {
    let question = Some("Tell me about a time you improved a process.".to_owned());
    let input = AnswerInput { question, answer: answer.to_owned(), ..AnswerInput::default() };
    engine().analyse(&input)
}

#[test]
fn drivers_and_baseline_make_the_score() {
    let analysis = analyse(STORY);
    let points: Milli = analysis.drivers.iter().map(|driver| driver.points).sum();
    assert_eq!(analysis.score, Some(analysis.baseline + points));
    assert!(analysis.score > Some(analysis.baseline), "{:?}", analysis.drivers);
}

#[test]
fn saying_it_three_times_gains_nothing() {
    let once = analyse(STORY).score.expect("scored");
    let thrice = analyse(&[STORY; 3].join(" ")).score.expect("scored");
    assert!(thrice - once <= Milli::whole(1), "{once:?} {thrice:?}");
}

#[test]
fn a_stated_result_never_lowers_structure_or_evidence() {
    const RESULTS: [&str; 4] = [
        "As a result complaints fell by 30 percent within two months.",
        "In the end we saved $40,000 a year.",
        "Sales rose from 20 to 26 orders a day within one quarter.",
        "As a result lost parcels fell from 9% to 2% in six weeks.",
    ];
    for answer in [STORY, "I fixed it.", "", "We had no plan. I wrote one because we had to."] {
        let before = analyse(answer);
        for after in RESULTS
            .iter()
            .flat_map(|result| [format!("{answer} {result}"), format!("{result} {answer}")])
        {
            let told = analyse(&after);
            for name in ["structure", "quantified_evidence"] {
                let value = |a: &Analysis| a.signals[name].value;
                assert!(value(&told) >= value(&before), "{name}: {after}");
            }
            assert!(told.signals["quantified_evidence"].value > Some(Milli::ZERO), "{after}");
            let has_result = told.signals["structure"].evidence.iter();
            assert!(has_result.filter(|e| e.rule == "structure.result").count() > 0, "{after}");
        }
    }
}

#[test]
fn noise_gets_no_score_but_all_signals() {
    for noise in ["", "\u{0}", "word ".repeat(60).as_str(), "blorp fnitz ".repeat(30).as_str()] {
        let analysis = analyse(noise);
        assert_eq!(analysis.score, None, "{noise:?}");
        assert!(analysis.insufficient_because.is_some() && analysis.drivers.is_empty());
        for name in crate::domain::analysis::SIGNAL_NAMES {
            assert!(analysis.signals.contains_key(name), "{name}");
        }
    }
}

#[test]
fn every_span_lies_in_the_answer() {
    let foreign = "Um, café “naïve” — 我们 tested it, you know, for 3 weeks.";
    let text = format!("😀 {STORY} {foreign}");
    let length = text.chars().count() as u32;
    let analysis = analyse(&text);
    let spans = analysis.signals.values().flat_map(|signal| &signal.evidence);
    for (from, to) in spans
        .map(|e| (e.from, e.to))
        .chain(analysis.sentences.iter().map(|sentence| (sentence.from, sentence.to)))
    {
        assert!(from < to && to <= length, "{from}..{to} of {length}");
    }
}

/// Texts of pieces that rules react to, in an order that a fixed sequence gives.
fn strange_texts() -> Vec<String> {
    const PIECES: [&str; 40] = [
        "I",
        "we",
        "built",
        "fell",
        "from",
        "to",
        "40%",
        "one",
        "$",
        "9999999999999999999",
        "2.5",
        ",",
        ".",
        "\n",
        "?",
        "—",
        "-",
        "'",
        "’",
        "😀",
        "é",
        "e\u{301}",
        "我们",
        "\u{fffd}",
        "\u{0}",
        "not",
        "nobody",
        "if",
        "would",
        "chose",
        "instead of",
        "because",
        "um",
        "years of",
        "led a team of",
        "million",
        "was",
        "the",
        "complaints",
        "so",
    ];
    let mut state: u64 = 7;
    let mut draw = |below: usize| {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % below
    };
    (0..400)
        .map(|_| {
            let count = draw(60);
            (0..count)
                .map(|_| format!("{}{}", PIECES[draw(40)], ["", " "][usize::from(draw(4) > 0)]))
                .collect()
        })
        .collect()
}

#[test]
fn any_text_is_analysed_with_valid_spans_and_an_exact_sum() {
    let engine = engine();
    let texts = strange_texts();
    for (text, other) in texts.iter().zip(texts.iter().rev()) {
        let input = AnswerInput {
            question: Some(other.clone()),
            answer: text.clone(),
            cv: Some(other.clone()),
            earlier: Some(vec![text.clone(), other.clone()]),
            ..AnswerInput::default()
        };
        let analysis = engine.analyse(&input);
        let length = text.chars().count() as u32;
        let evidence = analysis.signals.values().flat_map(|signal| &signal.evidence);
        let spans = evidence.map(|e| (e.from, e.to));
        for (from, to) in spans.chain(analysis.sentences.iter().map(|s| (s.from, s.to))) {
            assert!(from < to && to <= length, "{from}..{to} of {length}: {text:?}");
        }
        let points: Milli = analysis.drivers.iter().map(|driver| driver.points).sum();
        assert!(analysis.score.is_none_or(|score| score == analysis.baseline + points));
        assert!(analysis.score.is_none_or(|s| (Milli::ZERO..=Milli::whole(100)).contains(&s)));
        for (name, value) in engine.meters(&input) {
            assert_eq!(value, analysis.signals[&name].value, "meters and analysis differ: {name}");
        }
    }
}

#[test]
fn small_talk_self_praise_and_repetition_do_not_move_the_score() {
    let before = analyse(STORY).score.expect("scored");
    for addition in [
        "I love long walks with my two dogs.",
        "My favourite colour is orange, and black is fine as well.",
        "I am a passionate, hard working and truly talented person.",
        "Thank you for the kind words, I would be a great addition to your company!",
        "I mapped every step, removed the second scan and taught the new order to nine colleagues.",
    ] {
        let after = analyse(&format!("{STORY}\n{addition}")).score.expect("scored");
        assert!((after.0 - before.0).abs() <= 2_000, "{addition}: {before:?} {after:?}");
    }
}

#[test]
fn small_talk_is_said_to_count_for_nothing_and_no_number_points_at_it() {
    let talk = "My grandmother grew up in a small village with 300 people, near a lake.";
    let analysis = analyse(&format!("{STORY} {talk}"));
    let sentence = analysis.sentences.last().expect("a sentence");
    assert_eq!((sentence.star, &*sentence.weak), (Star::Other, &["aside".to_owned()][..]));
    let hint = analysis.hints.iter().find(|hint| hint.code == "wording.aside").expect("a hint");
    assert_eq!((hint.from, hint.to), (Some(sentence.from), Some(sentence.to)));
    for name in ["structure", "quantified_evidence", "specificity", "causal", "trade_off"] {
        let evidence = &analysis.signals[name].evidence;
        assert!(evidence.iter().all(|span| span.to <= sentence.from), "{name}: {evidence:?}");
    }
}

#[test]
fn terms_of_the_job_description_are_quoted_and_move_nothing() {
    let mut input = AnswerInput { answer: STORY.to_owned(), ..AnswerInput::default() };
    let before = engine().analyse(&input);
    input.job_description = Some("We seek somebody who plans parcel routes.".to_owned());
    let after = engine().analyse(&input);
    let quoted = &after.signals["relevance"].evidence;
    assert!(quoted.iter().any(|evidence| evidence.rule == "relevance.job_term"), "{quoted:?}");
    assert_eq!(before.score, after.score);
}

#[test]
fn the_whole_answer_counts_whatever_its_length() {
    let rest = (0..60).map(|n| format!("The clerk in office {n} had a grey cabinet. "));
    let long: String = rest.collect::<String>() + STORY;
    let value = |answer: &str| analyse(answer).signals["quantified_evidence"].value;
    assert!(value(&long) >= value(STORY), "the end of a long answer is not read");
}
