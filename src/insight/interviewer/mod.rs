//! The interviewer's side: who spoke how much, how it was asked, whether the kit was followed, and
//! questions that an interviewer should not ask.
//!
//! Figures and quotes, no judgement of a person: a question that touches a protected matter may
//! have a reason (an offered adjustment, a check that the law requires), so each finding says why
//! it was noted and what to ask instead. **Invariant:** pure functions of their input.

mod adherence;
mod form;
mod unlawful;

use serde::Serialize;

use super::lexicon::Lexicon;
use super::text::Document;
use crate::domain::analysis::Evidence;
use crate::domain::number::Milli;

pub use adherence::Adherence;
pub use form::Form;
pub use unlawful::Unlawful;

/// One contribution to a live interview, oldest first.
#[derive(Clone, Copy, Debug)]
pub struct Turn<'a> {
    /// Said by an interviewer, not by the candidate.
    pub interviewer: bool,
    /// What was said.
    pub text: &'a str,
}

/// A question that was asked, with where it stands in its turn.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Asked {
    /// Index of the turn.
    pub turn: usize,
    /// How it is put.
    pub form: Form,
    /// The words of the question, in code points of the turn.
    pub evidence: Evidence,
}

/// What can be said about the interviewers' part.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct InterviewerFigures {
    /// Words of the interviewers in a hundred; null where nobody spoke.
    pub talk_share: Option<Milli>,
    /// Every question, at most [`QUESTIONS_MAX`].
    pub asked: Vec<Asked>,
    /// Questions that leave the answer open.
    pub open: usize,
    /// Questions that yes, no or one word answers.
    pub closed: usize,
    /// Questions that name the answer they expect.
    pub leading: usize,
    /// How far the kit was followed; null where there is no kit.
    pub adherence: Option<Adherence>,
    /// Questions about what must not decide about a job.
    pub unlawful: Vec<Unlawful>,
}

/// An interview of two hours has some sixty questions; more are counted no further, so that a
/// pasted catalogue cannot make the figures long.
pub const QUESTIONS_MAX: usize = 200;

/// Measures the interviewers' part; `kit` holds the questions that were to be asked.
pub fn figures(turns: &[Turn<'_>], kit: &[&str]) -> InterviewerFigures {
    let lexicon = Lexicon::new();
    let mut figures = InterviewerFigures::default();
    let (mut own, mut all) = (0, 0);
    let mut spoken: Vec<Document> = Vec::new();
    for (index, turn) in turns.iter().enumerate() {
        let document = Document::read(&lexicon, turn.text);
        all += document.tokens.len() as i64;
        if !turn.interviewer {
            continue;
        }
        own += document.tokens.len() as i64;
        for sentence in &document.sentences {
            let Some(form) = form::of(&document, sentence) else { continue };
            if figures.asked.len() == QUESTIONS_MAX {
                break;
            }
            let (from, to) = document.span(sentence.clone());
            let rule = form.rule().to_owned();
            figures.asked.push(Asked { turn: index, form, evidence: Evidence { from, to, rule } });
        }
        figures.unlawful.extend(unlawful::find(&document, index));
        spoken.push(document);
    }
    let count = |form: Form| figures.asked.iter().filter(|asked| asked.form == form).count();
    (figures.open, figures.closed) = (count(Form::Open), count(Form::Closed));
    figures.leading = count(Form::Leading);
    figures.unlawful.truncate(QUESTIONS_MAX);
    figures.talk_share = (all > 0).then(|| Milli(own * 100_000 / all));
    figures.adherence = (!kit.is_empty()).then(|| adherence::compare(&lexicon, &spoken, kit));
    figures
}

/// What should not be asked among the words of a question that is only being thought of.
pub fn concerns(question: &str) -> Vec<Unlawful> {
    let mut found = unlawful::find(&Document::read(&Lexicon::new(), question), 0);
    found.truncate(QUESTIONS_MAX);
    found
}

#[cfg(test)]
mod tests;
