//! Relevance: does the answer take up what was asked, and was the question answered at all?
//!
//! The focus of a question is its content words, its kind (a story, a reason, a way, yes or no),
//! and words of the same field. Overlap is by stem and by our own small fields, not by meaning.

use std::collections::BTreeSet;

use super::{Reading, signal};
use crate::domain::analysis::{Answered, AnsweredLabel, Signal, Star};
use crate::domain::number::Milli;
use crate::insight::lexicon::{Bits, Cue, Lexicon};
use crate::insight::text::{Document, Token};

/// A question names no more focus terms than this; a pasted page would bury its focus.
const TERMS_MAX: usize = 24;

/// More shared terms than this show no more.
const JOB_TERMS_MAX: usize = 20;

/// An answer of at most this many words is read as one reply.
const SHORT_WORDS: usize = 45;

/// What a question asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Story,
    Reason,
    Way,
    YesOrNo,
    Other,
}

/// What a question is about.
#[derive(Debug)]
pub(in crate::insight) struct Focus {
    kind: Kind,
    terms: Vec<Term>,
    private: bool,
}

#[derive(Debug)]
struct Term {
    word: String,
    stems: Vec<u32>,
}

impl Focus {
    /// Reads a question; without one there is no focus.
    pub(in crate::insight) fn new(lexicon: &Lexicon, question: Option<&str>) -> Option<Focus> {
        let document = Document::read(lexicon, question?);
        let mut terms: Vec<Term> = Vec::new();
        for token in &document.tokens {
            let dull = Bits::FUNCTION.or(Bits::ASK).or(Bits::FILLER).or(Bits::NUMBER);
            let known = terms.iter().any(|term| term.stems.contains(&token.stem));
            let word = document.fold(token);
            if token.bits.any(dull) || known || word.len() < 3 || terms.len() == TERMS_MAX {
                continue;
            }
            let mut stems = vec![token.stem];
            let fields = lexicon.fields().iter().filter(|field| field.contains(&token.stem));
            stems.extend(fields.flatten());
            terms.push(Term { word: word.to_owned(), stems });
        }
        let private = document.tokens.iter().any(|token| token.bits.any(Bits::PRIVATE));
        (!document.tokens.is_empty()).then(|| Focus { kind: kind_of(&document), terms, private })
    }

    /// So many met terms are enough: nobody repeats a whole question.
    fn enough(&self) -> usize {
        self.terms.len().div_ceil(2)
    }

    /// Whether private life is asked about.
    pub(in crate::insight) fn is_private(&self) -> bool {
        self.private
    }

    /// The stems that take up a term.
    pub(in crate::insight) fn stems(&self) -> impl Iterator<Item = u32> {
        self.terms.iter().flat_map(|term| term.stems.iter().copied())
    }

    /// Whether each term is taken up in the first `words` words.
    fn met(&self, document: &Document, words: usize) -> Vec<bool> {
        let end = words.min(document.tokens.len());
        self.met_by(document.tokens[..end].iter())
    }

    /// Whether each term is taken up by one of these words.
    fn met_by<'a>(&self, tokens: impl Iterator<Item = &'a Token>) -> Vec<bool> {
        let mut stems: Vec<u32> = tokens.map(|token| token.stem).collect();
        stems.sort_unstable();
        stems.dedup();
        let said = |stem: &u32| stems.binary_search(stem).is_ok();
        self.terms.iter().map(|term| term.stems.iter().any(said)).collect()
    }
}

/// How far the answer takes up the question, 0 to 100.
pub(super) fn measure(reading: &Reading, focus: &Option<Focus>, matter: &[bool]) -> Signal {
    let Some(focus) = focus else {
        return Signal::default();
    };
    let document = &reading.document;
    let places = || {
        let sentences = document.sentences.iter().zip(matter).filter(|(_, matter)| **matter);
        sentences.flat_map(|(range, _)| range.clone())
    };
    let met = focus.met_by(places().map(|at| &document.tokens[at]));
    let count = met.iter().filter(|met| **met).count();
    let needed = focus.enough();
    let kind = if serves(reading, focus.kind) { 100_000 } else { 0 };
    let value = match needed {
        0 => kind,
        _ => (count.min(needed) as i64 * 70_000) / needed as i64 + kind * 30 / 100,
    };
    signal(Milli(value), evidence(reading, focus, places))
}

/// Quotes the words that the answer shares with the job description, each once.
pub(in crate::insight) fn quote_job_terms(
    lexicon: &Lexicon,
    reading: &Reading,
    job: &str,
    signal: &mut Signal,
) {
    const PLAIN: Bits = Bits::FUNCTION.or(Bits::EVERYDAY).or(Bits::ASK).or(Bits::VAGUE);
    let job = Document::read(lexicon, job);
    let telling =
        |token: &&Token| !token.number && !token.bits.any(PLAIN) && token.to > token.from + 1;
    let mut open: BTreeSet<u32> = job.tokens.iter().filter(telling).map(|t| t.stem).collect();
    let mut quoted = 0;
    for (at, token) in reading.document.tokens.iter().enumerate() {
        if quoted < JOB_TERMS_MAX && open.remove(&token.stem) {
            signal.evidence.push(reading.evidence(at..at + 1, "relevance.job_term"));
            quoted += 1;
        }
    }
    signal.evidence.sort_by(|a, b| (a.from, a.to, &a.rule).cmp(&(b.from, b.to, &b.rule)));
}

/// Judges whether the question was answered.
pub(in crate::insight) fn judge(reading: &Reading, focus: &Option<Focus>) -> Answered {
    let Some(focus) = focus else {
        return Answered::default();
    };
    let met = focus.met(&reading.document, usize::MAX);
    let (mut taken, mut missed) = (Vec::new(), Vec::new());
    for (term, met) in focus.terms.iter().zip(&met) {
        if *met { taken.push(term.word.clone()) } else { missed.push(term.word.clone()) }
    }
    let label = (!reading.document.tokens.is_empty()).then(|| label(reading, focus));
    Answered { label, met: taken, missed }
}

fn label(reading: &Reading, focus: &Focus) -> AnsweredLabel {
    let document = &reading.document;
    if is_declined(reading) {
        return AnsweredLabel::Declined;
    }
    let words = document.tokens.len();
    let opening = focus.met(document, SHORT_WORDS).iter().filter(|met| **met).count();
    let whole = focus.met(document, usize::MAX).iter().filter(|met| **met).count();
    let needed = focus.enough();
    let clear = match focus.kind {
        Kind::YesOrNo => opens_with_yes_or_no(document),
        // A story may begin far from its point, so all of it is searched for the question's terms.
        Kind::Story => serves(reading, focus.kind) && whole * 3 >= needed,
        Kind::Way => serves(reading, focus.kind) && opening * 3 >= needed,
        Kind::Reason => serves(reading, focus.kind) && opening * 2 >= needed,
        Kind::Other => opening * 2 >= needed && (words <= SHORT_WORDS || opening >= 2),
    };
    if clear { AnsweredLabel::Clear } else { AnsweredLabel::Partial }
}

/// Whether the speaker refuses, does not know, or asks back, before anything else is said.
fn is_declined(reading: &Reading) -> bool {
    let document = &reading.document;
    let words = document.tokens.len();
    let Some(first) = document.sentences.first() else {
        return false;
    };
    let second = document.sentences.get(1).unwrap_or(first);
    let opening = 0..second.end;
    let has = |cue: Cue| document.has(&opening, cue);
    let asks_back = document.tokens[words - 1].after == super::super::text::Mark::Question;
    has(Cue::Refusal)
        || (has(Cue::Ignorance) && (words <= SHORT_WORDS || document.has(first, Cue::Ignorance)))
        || (has(Cue::Clarification) && words <= SHORT_WORDS)
        || (asks_back && document.sentences.len() == 1 && words <= 12)
}

/// Whether the answer has what this kind of question asks for.
fn serves(reading: &Reading, kind: Kind) -> bool {
    let has = |star: Star| reading.story.iter().any(|clause| clause.counts_as() == star);
    let whole = 0..reading.document.tokens.len();
    match kind {
        Kind::Story => {
            has(Star::Action) && (has(Star::Result) || has(Star::Situation) || has(Star::Task))
        }
        Kind::Reason => {
            reading.document.has(&whole, Cue::Causal) || reading.document.has(&whole, Cue::Effect)
        }
        Kind::Way => has(Star::Action),
        Kind::YesOrNo => opens_with_yes_or_no(&reading.document) || has(Star::Action),
        Kind::Other => reading.story.iter().any(|clause| clause.counts_as() != Star::Other),
    }
}

fn kind_of(question: &Document) -> Kind {
    const STORY: &str = "time example situation instance describe occasion tell walk share";
    let folds = || question.tokens.iter().map(|token| question.fold(token));
    let opens = question.sentences.last().map_or(0, |range| range.start);
    let first = question.bits_at(opens);
    const AUXILIARY: Bits = Bits::BE.or(Bits::HAVE).or(Bits::DO).or(Bits::MODAL);
    if folds().any(|word| STORY.split_whitespace().any(|known| known == word)) {
        Kind::Story
    } else if folds().any(|word| word == "why") {
        Kind::Reason
    } else if folds().any(|word| word == "how") {
        Kind::Way
    } else if first.any(AUXILIARY) && !question.fold_at(opens).contains('\'') {
        Kind::YesOrNo
    } else {
        Kind::Other
    }
}

fn opens_with_yes_or_no(document: &Document) -> bool {
    const REPLIES: &str = "yes no yeah yep nope sure absolutely definitely certainly correct \
        exactly right true never not";
    (0..4.min(document.tokens.len())).any(|at| {
        let word = document.fold_at(at);
        REPLIES.split_whitespace().any(|reply| reply == word)
    }) || opens_with_echo(document)
}

/// "I do", "we are", "I think so": the verb of the question given back.
fn opens_with_echo(document: &Document) -> bool {
    const AUXILIARY: Bits = Bits::BE.or(Bits::HAVE).or(Bits::DO).or(Bits::MODAL);
    let subject = document.bits_at(0).any(Bits::I.or(Bits::WE).or(Bits::PRONOUN));
    let (second, third) = (document.bits_at(1), document.fold_at(2));
    (subject && second.any(AUXILIARY))
        || (subject && matches!(document.fold_at(1), "think" | "believe" | "hope") && third == "so")
}

/// Quotes for each term the first word that takes it up.
fn evidence<P: Iterator<Item = usize>>(
    reading: &Reading,
    focus: &Focus,
    places: impl Fn() -> P,
) -> Vec<crate::domain::analysis::Evidence> {
    let tokens = &reading.document.tokens;
    let first = |term: &Term| places().find(|&at| term.stems.contains(&tokens[at].stem));
    let found = focus.terms.iter().filter_map(first);
    found.map(|at| reading.evidence(at..at + 1, "relevance.focus_term")).collect()
}
