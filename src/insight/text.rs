//! Reads an answer once: words, sentences, clauses and cues, with their places in code points.
//!
//! **Invariant:** every token ends where a run of letters and digits ends, so evidence never cuts a
//! word.
//! **Invariant:** the work is proportional to the length of the text.

mod pauses;
mod repeats;
mod sentences;

use std::collections::HashSet;
use std::ops::Range;

use super::lexicon::{Bits, Cue, Lexicon, stem_hash};
use crate::domain::analysis::TimedWord;

/// What stands between a token and the next one, strongest mark first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Mark {
    /// Only white space.
    #[default]
    Space,
    /// A hyphen or slash without space: one compound.
    Joint,
    /// A sign such as a quote or bracket.
    Sign,
    /// A comma.
    Comma,
    /// A dash, semicolon or colon.
    Break,
    /// The end of a sentence.
    Stop,
    /// The end of a question.
    Question,
    /// The end of a line.
    Line,
}

/// A word or number.
#[derive(Clone, Copy, Debug)]
pub(super) struct Token {
    /// First code point.
    pub(super) from: u32,
    /// One past the last code point.
    pub(super) to: u32,
    /// One past the last code point with the marks that close a sentence.
    pub(super) closed: u32,
    /// Place of the folded form in [`Document::folded`].
    pub(super) fold: (u32, u32),
    /// What the word is.
    pub(super) bits: Bits,
    /// Vocabulary id, 0 for unknown words.
    pub(super) id: u16,
    /// Hash of the word without its ending.
    pub(super) stem: u32,
    /// Starts with a digit.
    pub(super) number: bool,
    /// Starts with a capital letter, and not because whole phrases are written in capitals.
    pub(super) capital: bool,
    /// Preceded by a currency sign.
    pub(super) money: bool,
    /// Followed by a per cent sign.
    pub(super) percent: bool,
    /// Said before in the same words.
    pub(super) repeated: bool,
    /// What follows.
    pub(super) after: Mark,
}

/// A cue found in the text.
#[derive(Clone, Copy, Debug)]
pub(super) struct Hit {
    /// What it points at.
    pub(super) cue: Cue,
    /// Index of its first token.
    pub(super) first: u32,
    /// Index of its last token.
    pub(super) last: u32,
}

/// A text that has been read.
#[derive(Debug)]
pub(super) struct Document {
    /// Folded forms of all tokens, one after the other.
    pub(super) folded: String,
    /// Words and numbers in reading order.
    pub(super) tokens: Vec<Token>,
    /// Sentences as ranges of tokens; they cover all tokens.
    pub(super) sentences: Vec<Range<usize>>,
    /// Clauses as ranges of tokens; each lies in one sentence.
    pub(super) clauses: Vec<Range<usize>>,
    /// Cues in reading order.
    pub(super) hits: Vec<Hit>,
    /// Whether the last token read was written in capitals only.
    shouted: bool,
}

impl Document {
    /// Reads a text.
    pub(super) fn read(lexicon: &Lexicon, text: &str) -> Document {
        Document::spoken(lexicon, text, &[])
    }

    /// Reads a text whose words were heard at these times, if any are known.
    pub(super) fn spoken(lexicon: &Lexicon, text: &str, words: &[TimedWord]) -> Document {
        let mut document = Document {
            folded: String::with_capacity(text.len()),
            tokens: Vec::with_capacity(text.len() / 5 + 1),
            sentences: Vec::new(),
            clauses: Vec::new(),
            hits: Vec::new(),
            shouted: false,
        };
        document.tokenise(lexicon, text);
        pauses::mark(&mut document, words);
        document.mark_repeated_runs();
        document.sentences = sentences::split(&document);
        document.mark_repeated_sentences();
        repeats::mark_restated(&mut document);
        document.find_cues(lexicon);
        document.clauses = sentences::clauses(&document);
        document
    }

    /// The folded form of a token.
    pub(super) fn fold(&self, token: &Token) -> &str {
        &self.folded[token.fold.0 as usize..token.fold.1 as usize]
    }

    /// The folded form of the token with this index; empty outside the text.
    pub(super) fn fold_at(&self, index: usize) -> &str {
        self.tokens.get(index).map_or("", |token| self.fold(token))
    }

    /// What the token with this index is; nothing outside the text.
    pub(super) fn bits_at(&self, index: usize) -> Bits {
        self.tokens.get(index).map_or(Bits::default(), |token| token.bits)
    }

    /// Code points from the first to the last token of a range.
    pub(super) fn span(&self, range: Range<usize>) -> (u32, u32) {
        (self.tokens[range.start].from, self.tokens[range.end - 1].to)
    }

    /// The cues whose first token lies in a range of tokens.
    pub(super) fn hits_in(&self, range: &Range<usize>) -> &[Hit] {
        let start = self.hits.partition_point(|hit| (hit.first as usize) < range.start);
        let end = self.hits.partition_point(|hit| (hit.first as usize) < range.end);
        &self.hits[start..end]
    }

    /// Whether a cue of this kind starts in a range of tokens.
    pub(super) fn has(&self, range: &Range<usize>, cue: Cue) -> bool {
        self.hits_in(range).iter().any(|hit| hit.cue == cue)
    }

    /// Whether most of the range was said before.
    pub(super) fn is_repeat(&self, range: &Range<usize>) -> bool {
        let repeated = self.tokens[range.clone()].iter().filter(|token| token.repeated).count();
        repeated * 5 >= range.len() * 4
    }

    fn tokenise(&mut self, lexicon: &Lexicon, text: &str) {
        let mut chars = text.char_indices().zip(0u32..).peekable();
        let mut previous = ' ';
        while let Some(&((byte, c), point)) = chars.peek() {
            if !c.is_alphanumeric() {
                self.note_mark(c, previous, &text[byte + c.len_utf8()..], point);
                previous = c;
                chars.next();
                continue;
            }
            let (mut end, mut to) = (byte, point);
            while let Some(&((at, inner), place)) = chars.peek() {
                if !belongs(inner, &text[at..], c.is_ascii_digit()) {
                    break;
                }
                end = at + inner.len_utf8();
                to = place + 1;
                chars.next();
            }
            self.push_token(lexicon, &text[byte..end], (point, to), previous);
            previous = 'a';
        }
    }

    fn push_token(&mut self, lexicon: &Lexicon, word: &str, span: (u32, u32), before: char) {
        let start = self.folded.len();
        fold_into(word, &mut self.folded);
        let folded = &self.folded[start..];
        let mut known = lexicon.word(folded).unwrap_or_default();
        if known.id == 0 && is_drawn_out_sound(folded) {
            known.bits = Bits::FILLER;
        }
        let stem = if known.id == 0 || known.base == 0 { stem_hash(folded) } else { known.base };
        let first = word.chars().next().unwrap_or(' ');
        let shouted = word.len() > 1 && !word.chars().any(char::is_lowercase);
        let shouting = shouted && self.shouted;
        self.shouted = shouted;
        self.tokens.push(Token {
            from: span.0,
            to: span.1,
            closed: span.1,
            fold: (start as u32, self.folded.len() as u32),
            bits: known.bits,
            id: known.id,
            stem,
            number: first.is_ascii_digit(),
            capital: first.is_uppercase() && !shouting,
            money: "$€£¥₹".contains(before),
            percent: false,
            repeated: false,
            after: Mark::Space,
        });
    }

    /// Records the mark `c` on the token before it.
    fn note_mark(&mut self, c: char, previous: char, rest: &str, point: u32) {
        let abbreviation =
            self.tokens.last().is_some_and(|token| is_abbreviation(self.fold(token)));
        let Some(token) = self.tokens.last_mut() else {
            return;
        };
        let next = rest.chars().next();
        let mark = match c {
            '\n' | '\r' | '\u{2028}' | '\u{2029}' => Mark::Line,
            '?' | '？' => Mark::Question,
            '!' | '…' | '。' | '！' => Mark::Stop,
            '.' if previous == '.' => Mark::Stop,
            '.' if next.is_some_and(|n| n.is_lowercase() || n.is_ascii_digit()) => Mark::Joint,
            '.' if abbreviation => Mark::Sign,
            '.' => Mark::Stop,
            ',' | '，' => Mark::Comma,
            ';' | ':' | '—' | '–' => Mark::Break,
            '-' | '/' | '\'' | '’'
                if !previous.is_whitespace() && next.is_some_and(char::is_alphanumeric) =>
            {
                Mark::Joint
            }
            '-' if previous.is_whitespace() || previous == '-' => Mark::Break,
            '%' => {
                token.percent |= token.number && token.after == Mark::Space;
                return;
            }
            _ if c.is_whitespace() => return,
            _ => Mark::Sign,
        };
        token.after = token.after.max(mark);
        if mark != Mark::Line && (mark >= Mark::Stop || token.after == Mark::Space) {
            token.closed = point + 1;
        }
    }

    /// Marks every run of eight words that was said before.
    fn mark_repeated_runs(&mut self) {
        const RUN: usize = 8;
        let mut seen = HashSet::new();
        for at in 0..(self.tokens.len() + 1).saturating_sub(RUN) {
            if !seen.insert(self.hash(at..at + RUN)) {
                for token in &mut self.tokens[at..at + RUN] {
                    token.repeated = true;
                }
            }
        }
    }

    /// Marks every sentence of at least three words that was said before.
    fn mark_repeated_sentences(&mut self) {
        const SHORTEST: usize = 3;
        let mut seen = HashSet::new();
        for index in 0..self.sentences.len() {
            let range = self.sentences[index].clone();
            if range.len() >= SHORTEST && !seen.insert(self.hash(range.clone())) {
                for token in &mut self.tokens[range] {
                    token.repeated = true;
                }
            }
        }
    }

    fn hash(&self, range: Range<usize>) -> u64 {
        self.tokens[range].iter().fold(0xcbf2_9ce4_8422_2325, |hash, token| {
            (hash ^ u64::from(token.stem)).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(23)
        })
    }

    fn find_cues(&mut self, lexicon: &Lexicon) {
        for sentence in &self.sentences {
            for at in sentence.clone() {
                for phrase in lexicon.phrases(self.tokens[at].id) {
                    let end = at + 1 + phrase.rest.len();
                    let fits = end <= sentence.end
                        && self.tokens[at + 1..end]
                            .iter()
                            .zip(&*phrase.rest)
                            .all(|(t, id)| t.id == *id)
                        && self.tokens[at..end - 1].iter().all(|t| t.after < Mark::Comma);
                    if fits {
                        let (first, last) = (at as u32, end as u32 - 1);
                        self.hits.push(Hit { cue: phrase.cue, first, last });
                    }
                }
            }
        }
    }
}

/// Whether a character continues a word or number that has begun.
fn belongs(c: char, from_here: &str, in_number: bool) -> bool {
    if c.is_alphanumeric() || ('\u{300}'..='\u{36f}').contains(&c) {
        return true;
    }
    let next = from_here[c.len_utf8()..].chars().next();
    match c {
        '\'' | '’' => !in_number && next.is_some_and(char::is_alphabetic),
        '.' | ',' => in_number && next.is_some_and(|n| n.is_ascii_digit()),
        _ => false,
    }
}

/// Appends a word in lower case with a straight apostrophe.
fn fold_into(word: &str, folded: &mut String) {
    for c in word.chars() {
        match c {
            '’' => folded.push('\''),
            'A'..='Z' => folded.push(c.to_ascii_lowercase()),
            _ if c.is_ascii() => folded.push(c),
            _ => folded.extend(c.to_lowercase()),
        }
    }
}

/// "Uhhhm", "errrm": a pause sound in any length, which no list could hold.
fn is_drawn_out_sound(folded: &str) -> bool {
    const SOUNDS: [&str; 8] = ["um", "uh", "uhm", "er", "erm", "ah", "hm", "m"];
    let mut once = String::new();
    for c in folded.chars().take(24) {
        if !"uhmera".contains(c) {
            return false;
        }
        if !once.ends_with(c) {
            once.push(c);
        }
    }
    folded.len() > 1 && SOUNDS.contains(&once.as_str())
}

fn is_abbreviation(folded: &str) -> bool {
    const SHORT: [&str; 16] = [
        "dr", "mr", "mrs", "ms", "prof", "vs", "st", "jr", "sr", "approx", "e", "g", "eg", "ie",
        "dept", "u",
    ];
    SHORT.contains(&folded)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        let document = Document::read(&Lexicon::new(), text);
        document.tokens.iter().map(|token| document.fold(token).to_owned()).collect()
    }

    #[test]
    fn words_keep_apostrophes_and_numbers_keep_their_points() {
        assert_eq!(words("I don’t pay $1,200.50."), ["i", "don't", "pay", "1,200.50"]);
        let sounds = Document::read(&Lexicon::new(), "uhhhmm errr mmm hummer era");
        let filler = |token: &Token| token.bits.any(Bits::FILLER);
        assert_eq!(sounds.tokens.iter().filter(|token| filler(token)).count(), 3);
        assert_eq!(words("trade-off: 40ms"), ["trade", "off", "40ms"]);
    }

    #[test]
    fn offsets_are_code_points() {
        let text = "😀 café 3 naïve";
        let document = Document::read(&Lexicon::new(), text);
        let points: Vec<char> = text.chars().collect();
        for token in &document.tokens {
            let slice: String = points[token.from as usize..token.to as usize].iter().collect();
            assert_eq!(slice.to_lowercase(), document.fold(token));
        }
    }

    #[test]
    fn a_repeated_sentence_is_marked_from_the_second_time_on() {
        let document =
            Document::read(&Lexicon::new(), "I fixed the build. It was late. I fixed the build.");
        let marked: Vec<bool> = document.sentences.iter().map(|s| document.is_repeat(s)).collect();
        assert_eq!(marked, [false, false, true]);
    }
}
