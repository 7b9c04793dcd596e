//! What the demo plays: people, a context, and answers, from a file in the binary.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// The whole script.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Script {
    pub(super) organisation: Organisation,
    /// The first admin sets the instance up; the first candidate practises.
    pub(super) people: Vec<Somebody>,
    pub(super) context: Context,
    pub(super) interview: Interview,
    /// In the order of the kit's questions.
    pub(super) answers: Vec<Answer>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Organisation {
    pub(super) name: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Somebody {
    pub(super) email: String,
    pub(super) display_name: String,
    pub(super) role: String,
}

/// What the candidate brings along, as `PUT /api/v1/me/context` takes it.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Context {
    target_role: String,
    mode: String,
    assist_intensity: u8,
    cv_text: String,
    job_description: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Interview {
    pub(super) title: String,
    pub(super) kit: String,
    role: String,
    mode: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Answer {
    /// The question's id in the kit.
    pub(super) question: String,
    pub(super) text: String,
}

/// Enough for a trend.
const EARLIER_MAX: usize = 2;

const BUILT_IN: &str = include_str!("../../../assets/demo/interview.toml");

impl Script {
    /// The script in the binary.
    pub(super) fn built_in() -> Script {
        toml::from_str(BUILT_IN).expect("invariant: the script in the binary is valid")
    }

    /// Practices before the one that is shown, so that lists and trends are not empty. They take
    /// answers from the script's end, two at a time, where the weak ones are.
    pub(super) fn earlier(&self) -> Vec<(String, Vec<&str>)> {
        let ids: Vec<&str> = self.answers.iter().rev().map(|answer| &*answer.question).collect();
        let pairs = ids.chunks(2).take(EARLIER_MAX).enumerate();
        pairs.map(|(n, ids)| (format!("Practice {}", n + 1), ids.to_vec())).collect()
    }

    /// The body that makes a practice.
    pub(super) fn practice(&self, title: &str, questions: Value) -> Value {
        let Interview { role, mode, .. } = &self.interview;
        let mut body = json!({"kind": "practice", "title": title, "role": role, "mode": mode});
        if let (Some(body), Value::Object(questions)) = (body.as_object_mut(), questions) {
            body.extend(questions);
        }
        body
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_script_has_its_cast_and_different_answers() {
        let script = Script::built_in();
        for role in ["admin", "candidate", "interviewer"] {
            assert!(script.people.iter().any(|person| person.role == role), "{role}");
        }
        assert!(script.answers.len() >= 6);
        for (n, answer) in script.answers.iter().enumerate() {
            let same = |other: &&Answer| other.question == answer.question;
            assert_eq!(script.answers.iter().filter(same).count(), 1, "{n}");
        }
    }

    #[test]
    fn earlier_practices_ask_questions_of_the_script() {
        let script = Script::built_in();
        let earlier = script.earlier();
        assert_eq!(earlier.len(), EARLIER_MAX);
        let asked: Vec<&str> = earlier.iter().flat_map(|(_, ids)| ids.clone()).collect();
        assert_eq!(asked.len(), 2 * EARLIER_MAX);
        for id in asked {
            assert!(script.answers.iter().any(|answer| answer.question == id), "{id}");
        }
    }

    #[test]
    fn a_practice_has_a_kit_or_questions() {
        let body = Script::built_in().practice("T", json!({"kit_id": "k"}));
        assert_eq!(body["kit_id"], "k");
        assert_eq!((&body["kind"], &body["title"]), (&json!("practice"), &json!("T")));
    }
}
