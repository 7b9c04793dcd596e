//! Coverage: which competencies of the kit and which requirements of the job description the
//! answers show, and with which words.
//!
//! A competency is looked for in the answers to its questions, a requirement by the skills that it
//! names, whole words and their aliases, or by its own words. What somebody did or brought about
//! counts as shown; what is only mentioned is thin.

use serde::{Deserialize, Serialize};

use super::engine::Engine;
use super::lexicon::Bits;
use super::profile::{Requirement, Weight};
use super::report::AnsweredItem;
use super::text::Document;
use crate::domain::analysis::{AnsweredLabel, Sentence, Star};

/// Something that answers should show.
#[derive(Clone, Debug)]
pub enum Wanted {
    /// A competency of the kit, with the ids of its questions.
    Competency {
        /// Its name.
        name: String,
        /// The questions that ask for it.
        questions: Vec<String>,
    },
    /// A requirement of the job description.
    Requirement(Requirement),
}

/// How far something is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Shown {
    /// By something done or brought about.
    Met,
    /// It is mentioned.
    Thin,
    /// Not at all.
    None,
}

/// One line of the coverage.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Covered {
    /// `kit` or `job`.
    pub of: String,
    /// The competency or the requirement.
    pub name: String,
    /// Whether a requirement is a must.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weight: Option<Weight>,
    /// How far it is shown.
    pub status: Shown,
    /// The words that show it.
    pub evidence: Vec<Place>,
}

/// Words of an answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// Which answer.
    pub answer_id: String,
    /// First code point.
    pub from: u32,
    /// One past the last code point.
    pub to: u32,
}

/// Places that are told for one line: more are not read.
const PLACES_MAX: usize = 5;

/// Content words that a sentence shares with a requirement without known skills.
const COMMON_MIN: usize = 2;

impl Engine {
    /// How far the answers show what is wanted, in the order of the wishes.
    pub fn coverage(&self, wanted: &[Wanted], answers: &[AnsweredItem]) -> Vec<Covered> {
        let read: Vec<Document> =
            answers.iter().map(|answer| Document::read(self.lexicon(), &answer.text)).collect();
        wanted
            .iter()
            .map(|one| match one {
                Wanted::Competency { name, questions } => competency(name, questions, answers),
                Wanted::Requirement(requirement) => self.requirement(requirement, answers, &read),
            })
            .collect()
    }

    fn requirement(
        &self,
        requirement: &Requirement,
        answers: &[AnsweredItem],
        read: &[Document],
    ) -> Covered {
        let asked = stems(&Document::read(self.lexicon(), &requirement.text));
        let (mut done, mut mentioned) = (Vec::new(), Vec::new());
        for (answer, document) in answers.iter().zip(read) {
            let hits = self.skills().find(document, &answer.text);
            let named: Vec<u32> = hits
                .iter()
                .filter(|hit| {
                    let name = self.skills().name(hit.skill);
                    requirement.skills.iter().any(|skill| skill == name)
                })
                .map(|hit| document.tokens[hit.first].from)
                .collect();
            for sentence in &answer.analysis.sentences {
                let within = |at: u32| sentence.from <= at && at < sentence.to;
                let shows = match requirement.skills.is_empty() {
                    false => named.iter().any(|at| within(*at)),
                    true => {
                        let tokens = document.tokens.iter().filter(|token| within(token.from));
                        let said: Vec<u32> = tokens.map(|token| token.stem).collect();
                        let common = asked.iter().filter(|stem| said.contains(stem)).count();
                        common >= COMMON_MIN.min(asked.len()).max(1)
                    }
                };
                if shows {
                    let place = place(answer, sentence);
                    match sentence.star {
                        Star::Action | Star::Result => done.push(place),
                        _ => mentioned.push(place),
                    }
                }
            }
        }
        let status = match (done.is_empty(), mentioned.is_empty()) {
            (false, _) => Shown::Met,
            (true, false) => Shown::Thin,
            (true, true) => Shown::None,
        };
        done.extend(mentioned);
        done.truncate(PLACES_MAX);
        Covered {
            of: "job".to_owned(),
            name: requirement.text.clone(),
            weight: Some(requirement.weight),
            status,
            evidence: done,
        }
    }
}

fn competency(name: &str, questions: &[String], answers: &[AnsweredItem]) -> Covered {
    let mut evidence = Vec::new();
    let mut status = Shown::None;
    let asked = answers.iter().filter(|answer| questions.contains(&answer.question_id));
    for answer in asked {
        let label = answer.analysis.answered.label;
        if label == Some(AnsweredLabel::Declined) {
            continue;
        }
        let of = |star: Star| {
            let found = answer.analysis.sentences.iter().filter(move |one| one.star == star);
            found.map(|sentence| place(answer, sentence)).collect::<Vec<Place>>()
        };
        let (actions, results) = (of(Star::Action), of(Star::Result));
        let whole = !actions.is_empty() && !results.is_empty();
        let clear = label != Some(AnsweredLabel::Partial);
        let shown = if whole && clear { Shown::Met } else { Shown::Thin };
        if shown == Shown::Met || status == Shown::None {
            status = shown;
        }
        evidence.extend(results.into_iter().chain(actions));
    }
    evidence.truncate(PLACES_MAX);
    Covered { of: "kit".to_owned(), name: name.to_owned(), weight: None, status, evidence }
}

fn place(answer: &AnsweredItem, sentence: &Sentence) -> Place {
    Place { answer_id: answer.answer_id.clone(), from: sentence.from, to: sentence.to }
}

/// Stems of the words that tell one requirement from another.
fn stems(document: &Document) -> Vec<u32> {
    const DULL: Bits = Bits::FUNCTION.or(Bits::FILLER).or(Bits::NUMBER).or(Bits::EVERYDAY);
    const USUAL: &str = "experience knowledge skill skills ability years year strong good \
        excellent proven required requirement must working understanding";
    let telling = document.tokens.iter().filter(|token| {
        let usual = USUAL.split_whitespace().any(|word| word == document.fold(token));
        !token.bits.any(DULL) && !token.number && !usual
    });
    let mut stems: Vec<u32> = telling.map(|token| token.stem).collect();
    stems.sort_unstable();
    stems.dedup();
    stems
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::insight::AnswerInput;

    fn answer(engine: &Engine, question: &str, text: &str) -> AnsweredItem {
        let input = AnswerInput {
            question: Some("Tell me about something that you improved.".to_owned()),
            answer: text.to_owned(),
            ..AnswerInput::default()
        };
        AnsweredItem {
            question_id: question.to_owned(),
            question: input.question.clone().unwrap_or_default(),
            answer_id: format!("answer-{question}"),
            text: text.to_owned(),
            at: String::new(),
            seq: 1,
            analysis: engine.analyse(&input),
        }
    }

    #[test]
    fn a_requirement_is_met_by_deeds_thin_by_mention_and_never_by_parts_of_words() {
        let engine = Engine::built_in();
        let job =
            engine.job("Requirements:\n- Go\n- PostgreSQL\n- Kubernetes\n- a driving licence\n");
        let wanted: Vec<Wanted> = job.requirements.into_iter().map(Wanted::Requirement).collect();
        assert_eq!(wanted.len(), 4);
        let text = "At Google we had a slow report. I moved the tables to Postgres and rewrote \
            nine queries. The talk was about K8s.";
        let covered = engine.coverage(&wanted, &[answer(&engine, "1", text)]);
        let told: Vec<(&str, Shown)> =
            covered.iter().map(|one| (one.name.as_str(), one.status)).collect();
        let expected = [
            ("Go", Shown::None),
            ("PostgreSQL", Shown::Met),
            ("Kubernetes", Shown::Thin),
            ("a driving licence", Shown::None),
        ];
        assert_eq!(told, expected);
        let chars: Vec<char> = text.chars().collect();
        let place = &covered[1].evidence[0];
        let words: String = chars[place.from as usize..place.to as usize].iter().collect();
        assert!(words.contains("Postgres"), "{words}");
    }

    #[test]
    fn a_competency_is_looked_for_in_the_answers_to_its_questions() {
        let engine = Engine::built_in();
        let whole = "Our desk lost two parcels in ten. I improved the process: I mapped each step \
            and taught nine colleagues. Losses fell from 20 percent to 4 percent within 6 weeks.";
        let answers = [
            answer(&engine, "1", whole),
            answer(&engine, "2", "I would rather not talk about that, it is private to me."),
            answer(&engine, "3", "Improving is important to me, and I like to improve things."),
        ];
        let wanted = ["1", "2", "3", "4"].map(|question| Wanted::Competency {
            name: question.to_owned(),
            questions: vec![question.to_owned()],
        });
        let covered = engine.coverage(&wanted, &answers);
        let told: Vec<Shown> = covered.iter().map(|one| one.status).collect();
        assert_eq!(told, [Shown::Met, Shown::None, Shown::Thin, Shown::None]);
        assert!(!covered[0].evidence.is_empty());
    }
}
