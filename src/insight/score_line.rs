//! The line protocol of `greenroom score`: one JSON object in, one JSON line out.

use serde::{Deserialize, Serialize};

use super::engine::{AnswerInput, Engine};
use crate::domain::analysis::TimedWord;
use crate::domain::number::Milli;

/// A line holds at most this many bytes: an hour of speech with its word times is half of it.
pub const LINE_BYTES_MAX: usize = 1 << 20;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    id: String,
    question: Option<String>,
    answer: String,
    role: Option<String>,
    mode: Option<String>,
    duration_s: Option<Milli>,
    words: Option<Vec<TimedWord>>,
    cv: Option<String>,
    earlier: Option<Vec<String>>,
    job_description: Option<String>,
}

#[derive(Serialize)]
struct Refused<'a> {
    id: Option<&'a str>,
    error: Fault<'a>,
}

#[derive(Serialize)]
struct Fault<'a> {
    code: &'static str,
    detail: &'a str,
}

/// Times beyond a day are no times of an answer.
const SECONDS_MAX: Milli = Milli::whole(86_400);

/// Scores one line; the flag says whether the line was taken.
pub fn score_line(engine: &Engine, line: &str) -> (String, bool) {
    match read(line) {
        Ok((id, input)) => {
            let analysis = engine.analyse(&input);
            let id = json(&id);
            let body = json(&analysis);
            // Both are whole JSON values; the object's brace makes room for the id in front.
            (format!("{{\"id\":{id},{}", &body[1..]), true)
        }
        Err(detail) => {
            let id = id_of(line);
            let error = Fault { code: "input.invalid", detail: &detail };
            (json(&Refused { id: id.as_deref(), error }), false)
        }
    }
}

pub(super) fn read(line: &str) -> Result<(String, AnswerInput), String> {
    if line.len() > LINE_BYTES_MAX {
        return Err(format!(
            "the line has {} bytes, the limit is {LINE_BYTES_MAX}; send the answers one by one",
            line.len()
        ));
    }
    let line: Line = serde_json::from_str(line).map_err(|error| error.to_string())?;
    let texts = [&line.question, &line.role, &line.mode, &line.cv, &line.job_description];
    let texts = texts.into_iter().flatten().chain([&line.id, &line.answer]);
    if texts.chain(line.earlier.iter().flatten()).any(|text| text.contains('\0')) {
        return Err("a text holds a NUL character; remove it".to_owned());
    }
    let in_range = |time: Milli| time >= Milli::ZERO && time <= SECONDS_MAX;
    if line.duration_s.is_some_and(|duration| !in_range(duration)) {
        return Err("duration_s must be 0 to 86400 seconds".to_owned());
    }
    let mut clock = Milli::ZERO;
    for TimedWord(_, start, end) in line.words.iter().flatten() {
        if !in_range(*start) || !in_range(*end) || start > end || *start < clock {
            return Err("words must be in order, each [token, start, end] in seconds".to_owned());
        }
        clock = *start;
    }
    let input = AnswerInput {
        question: line.question,
        answer: line.answer,
        role: line.role,
        mode: line.mode,
        duration_s: line.duration_s,
        words: line.words,
        cv: line.cv,
        earlier: line.earlier,
        job_description: line.job_description,
    };
    Ok((line.id, input))
}

/// The id of a line that is refused, where it can be read.
fn id_of(line: &str) -> Option<String> {
    if line.len() > LINE_BYTES_MAX {
        return None;
    }
    let value: serde_json::Value = serde_json::from_str(line).ok()?;
    Some(value.get("id")?.as_str()?.to_owned())
}

fn json<T: Serialize>(value: &T) -> String {
    serde_json::to_string(value).expect("invariant: texts and numbers can always be written")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bad_lines_are_refused_with_their_id_and_never_panic() {
        let engine = Engine::built_in();
        let huge = format!(r#"{{"id":"a","answer":"{}"}}"#, "x".repeat(LINE_BYTES_MAX));
        for (line, id) in [
            ("", None),
            ("[]", None),
            ("{\"answer\":\"no id\"}", None),
            ("{\"id\":7,\"answer\":\"\"}", None),
            ("{\"id\":\"a\"}", Some("a")),
            ("{\"id\":\"a\",\"answer\":null}", Some("a")),
            ("{\"id\":\"a\",\"answer\":\"\",\"mood\":1}", Some("a")),
            ("{\"id\":\"a\",\"answer\":\"\\ud800\"}", None),
            ("{\"id\":\"a\",\"answer\":\"\\u0000\"}", Some("a")),
            ("{\"id\":\"a\",\"answer\":\"\",\"duration_s\":-1}", Some("a")),
            ("{\"id\":\"a\",\"answer\":\"\",\"duration_s\":\"9\"}", Some("a")),
            ("{\"id\":\"a\",\"answer\":\"\",\"words\":[[\"x\",2,1]]}", Some("a")),
            (&huge, None),
        ] {
            let (text, ok) = score_line(&engine, line);
            let value: serde_json::Value = serde_json::from_str(&text).expect("JSON");
            assert!(!ok && value["error"]["code"] == "input.invalid", "{text}");
            assert_eq!(value["id"].as_str(), id, "{text}");
        }
    }

    #[test]
    fn a_good_line_gives_the_analysis_behind_its_id() {
        let (text, ok) =
            score_line(&Engine::built_in(), r#"{"id":"7\"","question":null,"answer":""}"#);
        assert!(ok && text.starts_with(r#"{"id":"7\"","status":"insufficient""#), "{text}");
        let value: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        assert_eq!(value["answered"]["label"], serde_json::Value::Null);
    }

    #[test]
    fn pace_and_pauses_come_from_word_times() {
        let words = r#"[["one",0,1],["two",3,4],["three",4,5]]"#;
        let line = format!(r#"{{"id":"a","answer":"one two three","words":{words}}}"#);
        let (text, _) = score_line(&Engine::built_in(), &line);
        let value: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        assert_eq!(value["signals"]["words_per_minute"]["value"], 36);
        assert_eq!(value["signals"]["pause_share"]["value"], 0.4);
    }
}
