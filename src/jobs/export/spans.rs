//! An answer cut at every boundary that matters, so that spans may overlap.

use crate::domain::analysis::{Analysis, Sentence};

/// Words of the answer with the rules that point at all of them.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Piece<'a> {
    /// The words.
    pub(super) text: &'a str,
    /// Rule ids, each once; empty for plain words.
    pub(super) rules: Vec<&'a str>,
}

/// A sentence, or what stands between two.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Part<'a> {
    /// Nothing for what stands between sentences.
    pub(super) sentence: Option<&'a Sentence>,
    /// In reading order, without gaps.
    pub(super) pieces: Vec<Piece<'a>>,
}

/// A text whose offsets count code points.
#[derive(Debug)]
pub(super) struct Points<'a> {
    text: &'a str,
    /// The byte at which each code point begins, and the end.
    starts: Vec<usize>,
}

impl<'a> Points<'a> {
    /// Reads a text once, so that each cut is quick.
    pub(super) fn new(text: &'a str) -> Points<'a> {
        let mut starts: Vec<usize> = text.char_indices().map(|(at, _)| at).collect();
        starts.push(text.len());
        Points { text, starts }
    }

    /// The words between two code points; what lies outside the text is left out.
    pub(super) fn slice(&self, from: u32, to: u32) -> &'a str {
        let end = self.end();
        let (from, to) = (from.min(end), to.min(end));
        if from >= to {
            return "";
        }
        &self.text[self.starts[from as usize]..self.starts[to as usize]]
    }

    fn end(&self) -> u32 {
        u32::try_from(self.starts.len() - 1).unwrap_or(u32::MAX)
    }
}

/// The whole answer in reading order: its pieces make the text again.
pub(super) fn cut<'a>(text: &'a str, analysis: &'a Analysis) -> Vec<Part<'a>> {
    let points = Points::new(text);
    let end = points.end();
    let mut sentences: Vec<&Sentence> = analysis.sentences.iter().collect();
    sentences.sort_by_key(|sentence| sentence.from);
    let mut parts = Vec::new();
    let mut at = 0;
    for sentence in sentences {
        let (from, to) = (sentence.from.max(at), sentence.to.min(end));
        if from >= to {
            continue;
        }
        if at < from {
            parts.push(part(None, &points, at, from, analysis));
        }
        parts.push(part(Some(sentence), &points, from, to, analysis));
        at = to;
    }
    if at < end {
        parts.push(part(None, &points, at, end, analysis));
    }
    parts
}

fn part<'a>(
    sentence: Option<&'a Sentence>,
    points: &Points<'a>,
    from: u32,
    to: u32,
    analysis: &'a Analysis,
) -> Part<'a> {
    let all = analysis.signals.values().flat_map(|signal| &signal.evidence);
    let inside: Vec<_> = all.filter(|mark| mark.from < to && mark.to > from).collect();
    let mut edges = vec![from, to];
    for mark in &inside {
        edges.push(mark.from.max(from));
        edges.push(mark.to.min(to));
    }
    edges.sort_unstable();
    edges.dedup();
    let pieces = edges.windows(2).map(|edge| {
        let covers = inside.iter().filter(|mark| mark.from <= edge[0] && mark.to >= edge[1]);
        let mut rules: Vec<&str> = covers.map(|mark| mark.rule.as_str()).collect();
        rules.sort_unstable();
        rules.dedup();
        Piece { text: points.slice(edge[0], edge[1]), rules }
    });
    Part { sentence, pieces: pieces.collect() }
}
