//! Question kits: competencies with anchored levels, and questions that ask for them.

use serde::{Deserialize, Serialize};

use super::limit;
use super::refusal::FieldError;
use super::text;

/// Something that a job needs, with five levels in words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Competency {
    /// Stable within the kit.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// What it is, in a sentence.
    pub about: String,
    /// Behaviour that can be seen at levels 1 to 5.
    pub anchors: Vec<String>,
}

/// One question of a kit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KitQuestion {
    /// Stable within the kit.
    pub id: String,
    /// What is asked.
    pub text: String,
    /// The competency that it asks for.
    pub competency: String,
    /// What a strong answer contains.
    #[serde(default)]
    pub looks_for: Vec<String>,
    /// Words that an answer to it is about.
    #[serde(default)]
    pub focus: Vec<String>,
}

/// A kit: the same questions and the same scales for everybody.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Kit {
    /// Stable, in lower case with hyphens.
    pub id: String,
    /// Counts changes; the state gives the next one, whatever is sent.
    #[serde(default)]
    pub version: u32,
    /// What people call it.
    pub title: String,
    /// The role that it is for.
    pub role: String,
    /// What it looks for, in a sentence; may be left out.
    #[serde(default)]
    pub description: String,
    /// What the job needs.
    pub competencies: Vec<Competency>,
    /// What is asked.
    pub questions: Vec<KitQuestion>,
}

impl Kit {
    /// Every rule that a kit must keep; all that is wrong at once, so that one correction is
    /// enough.
    pub fn check(&self) -> Result<(), Vec<FieldError>> {
        let mut wrong = Vec::new();
        let mut note = |result: Result<String, FieldError>| {
            if let Err(error) = result {
                wrong.push(error);
            }
        };
        note(text::key("id", &self.id, 64));
        note(text::name("title", &self.title));
        note(text::name("role", &self.role));
        note(text::optional_prose("description", &self.description, limit::QUESTION_BYTES_MAX));
        for (n, competency) in self.competencies.iter().enumerate() {
            note(text::key(&format!("competencies[{n}].id"), &competency.id, 64));
            note(text::name(&format!("competencies[{n}].name"), &competency.name));
            if competency.anchors.len() != 5 {
                note(Err(text::wrong(
                    &format!("competencies[{n}].anchors"),
                    "must be five levels",
                )));
            }
        }
        for (n, question) in self.questions.iter().enumerate() {
            let field = |name: &str| format!("questions[{n}].{name}");
            note(text::key(&field("id"), &question.id, 64));
            note(text::prose(&field("text"), &question.text, limit::QUESTION_BYTES_MAX));
            if !self.competencies.iter().any(|c| c.id == question.competency) {
                let detail = "must name a competency of this kit";
                note(Err(text::wrong(&field("competency"), detail)));
            }
        }
        if !(1..=limit::KIT_COMPETENCIES_MAX).contains(&self.competencies.len()) {
            let detail = format!("must be 1 to {}", limit::KIT_COMPETENCIES_MAX);
            note(Err(text::wrong("competencies", detail)));
        }
        if !(1..=limit::QUESTIONS_AT_START_MAX).contains(&self.questions.len()) {
            let detail = format!("must be 1 to {}", limit::QUESTIONS_AT_START_MAX);
            note(Err(text::wrong("questions", detail)));
        }
        if wrong.is_empty() { Ok(()) } else { Err(wrong) }
    }
}
