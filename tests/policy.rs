//! What must hold for every calibration, over texts that people wrote: answers of this repository,
//! and of the evaluation sets where they are at hand. Nothing is fitted on them.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use greenroom::domain::analysis::{Analysis, Status};
use greenroom::domain::number::Milli;
use greenroom::insight::{AnswerInput, Engine};
use serde_json::Value;

/// An answer that somebody wrote or said.
#[derive(Clone)]
struct Text {
    id: String,
    /// Where it comes from.
    set: &'static str,
    question: Option<String>,
    answer: String,
}

/// Fully stated: what changed, from what to what, in which time. The subjects are rare, so that no
/// text tells the same already.
const RESULTS: [&str; 4] = [
    "As a result lost ferry tickets fell from 31 percent to 7 percent within nine weeks.",
    "In the end the bakery's waste dropped from 46 kilos to 13 kilos a day within one quarter.",
    "As a result the lighthouse lamp failed 3 times a year instead of 17 times.",
    "In the end the aviary's visitors rose from 210 to 370 a day within two months.",
];

/// Nothing of this says anything about work.
const IRRELEVANT: [&str; 11] = [
    "My favourite season is autumn. The light is so nice then, and the park is close to my house.",
    "On Sundays we eat soup. My aunt likes the one with leeks.",
    "The weather is lovely today. Blue is a very pretty colour.",
    "I had pancakes for breakfast this morning, with maple syrup and blueberries.",
    "My cat sleeps on the sofa all day. She has orange fur and a very long tail.",
    "We went to the seaside last summer and the children built a castle of sand.",
    "I love watching cooking shows in the evening, especially the ones from Italy.",
    "My brother plays the guitar in a band. They rehearse every Thursday in our garage.",
    "The trains here are blue, and the bakery next door makes wonderful croissants.",
    "My grandmother grew up in a small village with 300 people, near a lake.",
    "Football was great on Saturday. The match ended 3 to 1 and it rained a lot.",
];

const BOASTS: [&str; 11] = [
    "I am a brilliant and exceptional talent. I am the best candidate that you could wish for.",
    "I'm a natural leader and a real team player. Everybody says that I am amazing.",
    "I am passionate, driven and detail oriented. I'm proud of how incredible I am.",
    "I'm honestly one of the most talented people you will ever meet.",
    "I always give 110 percent and I never give up.",
    "I am a perfectionist, a quick learner and a great communicator.",
    "My colleagues call me a genius, and I have an outstanding work ethic.",
    "I have exceptional leadership skills and I work really well under pressure.",
    "Nobody is more dedicated than I am; I was born for this role.",
    "I'm a results-oriented professional with a proven track record of excellence.",
    "Frankly, I am a rock star. I am very smart and very hard-working.",
];

/// By how much a score may move where nothing was said.
const STILL: Milli = Milli::whole(2);

/// How many scores move further all the same. The law wants none. The few that do share a word with
/// the small talk, or are about such things themselves: a number here only goes down.
const MOVED: [(&str, &str, usize); 4] = [
    ("irrelevant", "repository", 2),
    ("boast", "repository", 0),
    ("irrelevant", "sets", 15),
    ("boast", "sets", 0),
];

static ENGINE: LazyLock<Engine> = LazyLock::new(Engine::built_in);

static TEXTS: LazyLock<Vec<Text>> = LazyLock::new(|| {
    let mut texts = of_the_repository();
    assert!(texts.len() >= 30, "{} texts of the repository", texts.len());
    match folder_of_the_sets() {
        Some(folder) => texts.extend(of_the_sets(&folder)),
        None => eprintln!("skipped: the evaluation sets are not at hand (GREENROOM_EVAL_DATA)"),
    }
    eprintln!("{} texts", texts.len());
    texts
});

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn lines(path: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(path).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn text(set: &'static str, id: &Value, question: &Value, answer: &Value) -> Option<Text> {
    Some(Text {
        id: id.as_str()?.to_owned(),
        set,
        question: question.as_str().map(str::to_owned),
        answer: answer.as_str()?.to_owned(),
    })
}

/// Answers that the drift of a calibration is shown on, and those of the demo.
fn of_the_repository() -> Vec<Text> {
    let golden = lines(&root().join("assets/calibration/golden.ndjson"));
    let mut texts: Vec<Text> = golden
        .iter()
        .filter_map(|row| text("repository", &row["id"], &row["question"], &row["answer"]))
        .collect();
    let demo = std::fs::read_to_string(root().join("assets/demo/interview.toml")).unwrap();
    let demo: toml::Value = toml::from_str(&demo).unwrap();
    for (n, answer) in demo["answers"].as_array().unwrap().iter().enumerate() {
        let text = answer.get("text").and_then(toml::Value::as_str).unwrap();
        let (id, answer) = (format!("demo-{n}"), text.to_owned());
        texts.push(Text { id, set: "repository", question: None, answer });
    }
    texts
}

fn folder_of_the_sets() -> Option<PathBuf> {
    let named = std::env::var_os("GREENROOM_EVAL_DATA").map(PathBuf::from);
    let folder = named.unwrap_or_else(|| root().join("../shared/eval/data"));
    folder.is_dir().then_some(folder)
}

fn of_the_sets(folder: &Path) -> Vec<Text> {
    let mut texts = Vec::new();
    for name in ["good", "unicode", "abuse", "qevasion", "qevasion_extra", "btr_tests"] {
        let rows = lines(&folder.join(format!("{name}.ndjson")));
        let read = |row: &Value| text("sets", &row["id"], &row["question"], &row["answer"]);
        texts.extend(rows.iter().filter_map(read));
    }
    for row in lines(&folder.join("mit.ndjson")) {
        let answers = row["answers"].as_array().unwrap();
        texts.extend(answers.iter().filter_map(|answer| {
            let id = Value::String(format!("{}-{}", row["id"].as_str()?, answer["q"]));
            text("sets", &id, &answer["question"], &answer["answer"])
        }));
    }
    for row in lines(&folder.join("btr_bases.ndjson")) {
        let said = row["turns"].as_array().unwrap().iter();
        let said = said.filter(|turn| turn["role"] == "applicant");
        let said: Vec<&str> = said.filter_map(|turn| turn["message"].as_str()).collect();
        texts.extend(text("sets", &row["id"], &Value::Null, &Value::String(said.join("\n"))));
    }
    texts
}

fn analyse(text: &Text, mode: Option<&str>) -> Analysis {
    ENGINE.analyse(&AnswerInput {
        question: text.question.clone(),
        answer: text.answer.clone(),
        mode: mode.map(str::to_owned),
        ..AnswerInput::default()
    })
}

/// The text with this after it.
fn with(text: &Text, more: &str) -> Text {
    Text { answer: format!("{}\n{more}", text.answer), ..text.clone() }
}

fn value(analysis: &Analysis, name: &str) -> Option<Milli> {
    analysis.signals[name].value
}

fn distance(one: Milli, other: Milli) -> Milli {
    if one > other { one - other } else { other - one }
}

#[test]
fn every_number_is_explained_in_every_mode() {
    let modes: Vec<_> = ENGINE.calibration().modes().iter().map(|mode| mode.id.clone()).collect();
    assert!(modes.len() > 1);
    for (n, text) in TEXTS.iter().enumerate() {
        for mode in [None, Some(modes[n % modes.len()].as_str())] {
            let id = format!("{} in {mode:?}", text.id);
            let analysis = analyse(text, mode);
            let points: Milli = analysis.drivers.iter().map(|driver| driver.points).sum();
            match analysis.status {
                Status::Scored => {
                    assert_eq!(analysis.score, Some(analysis.baseline + points), "{id}");
                    let score = analysis.score.unwrap();
                    assert!(score >= Milli::ZERO && score <= Milli::whole(100), "{id}: {score:?}");
                }
                Status::Insufficient => {
                    assert!(analysis.score.is_none() && analysis.drivers.is_empty(), "{id}");
                }
            }
            let length = text.answer.chars().count() as u32;
            let inside = |from: u32, to: u32| from < to && to <= length;
            for (name, signal) in &analysis.signals {
                for evidence in &signal.evidence {
                    assert!(inside(evidence.from, evidence.to), "{id}: {name}");
                    assert!(!evidence.rule.is_empty(), "{id}: {name}");
                }
            }
            assert!(analysis.sentences.iter().all(|s| inside(s.from, s.to)), "{id}");
            let places = analysis.hints.iter().filter_map(|hint| Some((hint.from?, hint.to?)));
            assert!(places.into_iter().all(|(from, to)| inside(from, to)), "{id}");
        }
    }
}

#[test]
fn the_same_text_gets_the_same_bytes_in_any_order_on_any_thread() {
    let told = |engine: &Engine, text: &Text| {
        let (question, answer) = (text.question.clone(), text.answer.clone());
        let input = AnswerInput { question, answer, ..AnswerInput::default() };
        serde_json::to_string(&engine.analyse(&input)).unwrap()
    };
    let first: Vec<String> = TEXTS.iter().map(|text| told(&ENGINE, text)).collect();
    let fresh = Engine::built_in();
    let again: Vec<String> = std::thread::scope(|scope| {
        // Backwards, in two threads at once, by an engine that has read nothing else.
        let middle = TEXTS.len() / 2;
        let read = |part: &'static [Text]| {
            let fresh = &fresh;
            scope.spawn(move || part.iter().rev().map(|text| told(fresh, text)).collect::<Vec<_>>())
        };
        let (left, right) = (read(&TEXTS[..middle]), read(&TEXTS[middle..]));
        let (mut right, mut left) = (right.join().unwrap(), left.join().unwrap());
        right.append(&mut left);
        right.reverse();
        right
    });
    for ((text, first), again) in TEXTS.iter().zip(first).zip(again) {
        assert_eq!(first, again, "{}", text.id);
    }
}

#[test]
fn a_full_result_more_lowers_neither_structure_nor_evidence() {
    let (mut scored, mut raised) = (0, 0);
    for (n, text) in TEXTS.iter().enumerate() {
        let result = RESULTS[n % RESULTS.len()];
        let (before, after) = (analyse(text, None), analyse(&with(text, result), None));
        for name in ["structure", "quantified_evidence"] {
            let (was, is) = (value(&before, name), value(&after, name));
            assert!(is >= was, "{}: {name} {was:?} -> {is:?} with {result}", text.id);
        }
        if let (Some(was), Some(is)) = (before.score, after.score) {
            scored += 1;
            raised += usize::from(is > was);
        }
    }
    eprintln!("a result more raises {raised} of {scored} scores");
    assert!(raised * 10 >= scored * 9, "normally it raises the score: {raised} of {scored}");
}

#[test]
fn the_whole_answer_counts_however_long() {
    // Figures that no other text has: the same claim again would be worth nothing.
    let last =
        "As a result lost ferry tickets fell from 83.7 percent to 6.13 percent within a year.";
    let long: Vec<&str> = TEXTS.iter().map(|text| text.answer.as_str()).collect();
    for count in [20, 200, long.len()] {
        let answer = long[..count.min(long.len())].join("\n");
        let text = Text { id: format!("{count} texts"), set: "all", question: None, answer };
        let (before, after) = (analyse(&text, None), analyse(&with(&text, last), None));
        let worth = |analysis: &Analysis| value(analysis, "quantified_evidence");
        assert!(worth(&after) > worth(&before), "{}: its end counts", text.id);
        let length = text.answer.chars().count() as u32;
        let sentence = after.sentences.last().unwrap();
        assert!(sentence.from >= length && sentence.to > length, "{}: its end is read", text.id);
    }
}

#[test]
fn said_again_it_is_worth_nothing() {
    for text in TEXTS.iter() {
        let Some(score) = analyse(text, None).score else { continue };
        let after = analyse(&with(text, &text.answer), None).score.unwrap();
        assert!(distance(score, after) <= STILL, "{}: {score:?} -> {after:?}", text.id);
    }
}

#[test]
fn what_carries_no_evidence_moves_few_scores() {
    let mut rows = BTreeMap::<(&str, &str), (usize, Vec<String>)>::new();
    for (n, text) in TEXTS.iter().enumerate() {
        let Some(score) = analyse(text, None).score else { continue };
        // Two of each, all of them over every six texts in a row.
        let some = (2 * n..2 * n + 2).flat_map(|k| {
            let (idle, boast) = (IRRELEVANT[k % IRRELEVANT.len()], BOASTS[k % BOASTS.len()]);
            [("irrelevant", idle), ("boast", boast)]
        });
        for (kind, more) in some {
            let after = analyse(&with(text, more), None).score.unwrap();
            let (count, moved) = rows.entry((kind, text.set)).or_default();
            *count += 1;
            if distance(score, after) > STILL {
                moved.push(format!("{} {score:?} -> {after:?}", text.id));
            }
        }
    }
    for ((kind, set), (count, moved)) in &rows {
        eprintln!("{kind} in {set}: {} of {count} moved: {moved:?}", moved.len());
    }
    for ((kind, set), (count, moved)) in &rows {
        let row = MOVED.iter().find(|row| (row.0, row.1) == (*kind, *set)).unwrap();
        assert!(moved.len() <= row.2, "{kind} in {set}: {} of {count}: {moved:?}", moved.len());
    }
}
