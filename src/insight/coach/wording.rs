//! Whether somebody else's wording of a hint or of a follow-up may stand in the place of ours.
//!
//! **Invariant:** what may stand says nothing that can be looked up and is not there: its quotes
//! are whole words of the answer, its numbers and names stand in what it was made from. Whoever is
//! in doubt refuses: our own wording is always at hand.

use std::collections::BTreeSet;

use crate::domain::limit;

/// What a wording is measured by.
#[derive(Clone, Copy, Debug)]
pub struct Original<'a> {
    /// Our wording.
    pub text: &'a str,
    /// The answer that it is about.
    pub answer: &'a str,
    /// What was asked.
    pub question: &'a str,
}

/// Why a wording may not stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flaw {
    /// It is empty.
    Empty,
    /// It is much longer than ours.
    Long,
    /// It is more than plain words: signs of markup, an address, several lines.
    Markup,
    /// It asks nothing where ours asks, or asks where ours does not.
    NoQuestion,
    /// It quotes what the answer does not say.
    Quote,
    /// It has a number that stands nowhere.
    Number,
    /// It names somebody or something that stands nowhere.
    Name,
    /// It speaks of the person, not of the answer.
    Judgement,
}

impl Flaw {
    /// Stable.
    pub fn code(self) -> &'static str {
        match self {
            Flaw::Empty => "empty",
            Flaw::Long => "long",
            Flaw::Markup => "markup",
            Flaw::NoQuestion => "no_question",
            Flaw::Quote => "quote",
            Flaw::Number => "number",
            Flaw::Name => "name",
            Flaw::Judgement => "judgement",
        }
    }
}

/// Numbers in words. `one` is among them although it is mostly none: a refusal costs little. `once`
/// and `second` are not: they mostly speak of time.
const NUMBERS: &str = "\
    zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen \
    fifteen sixteen seventeen eighteen nineteen twenty thirty forty fifty sixty seventy eighty \
    ninety hundred hundreds thousand thousands million millions billion billions trillion \
    dozen dozens half halved quarter quarters third thirds fourth fifth sixth seventh eighth \
    ninth tenth twice thrice double doubled triple tripled quadruple quadrupled percent \
    percentage";

/// Words about a person's mind, truthfulness or prospects: none of them follows from an answer.
const JUDGEMENTS: &str = "anxious arrogant candidate confident confidence dishonest emotional fake \
    false hire hired honest honestly insecure invented lie lied lies lying nervous nervousness \
    personality reject rejected score scored scores stress stressed truth truthful untrue weak";

/// Signs that plain words do not need.
const MARKUP: &str = "<>{}[]`*_#|\\^~@";

/// Our wording may grow by so many code points: one more clause.
const GROWTH_CHARS_MAX: usize = 120;

/// Whether it may stand.
pub fn check(original: &Original<'_>, wording: &str) -> Result<(), Flaw> {
    let length = wording.chars().count();
    let most = (original.text.chars().count() + GROWTH_CHARS_MAX).min(limit::REPHRASED_CHARS_MAX);
    let sources = [original.text, original.answer, original.question];
    match () {
        () if wording.trim().is_empty() => Err(Flaw::Empty),
        () if length > most => Err(Flaw::Long),
        () if is_marked_up(wording) => Err(Flaw::Markup),
        () if original.text.contains('?') != wording.contains('?') => Err(Flaw::NoQuestion),
        () if !quotes_hold(wording, original.answer) => Err(Flaw::Quote),
        () if !within(wording, &sources, numbers) => Err(Flaw::Number),
        () if !names_hold(wording, &sources) => Err(Flaw::Name),
        () if !within(wording, &sources, judgements) => Err(Flaw::Judgement),
        () => Ok(()),
    }
}

/// Where a quote stands word for word in a text: first code point and one past the last.
pub fn place_of(quote: &str, text: &str) -> Option<(usize, usize)> {
    let quote = quote.trim();
    if quote.is_empty() {
        return None;
    }
    let is_word = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
    let (at, _) = text.match_indices(quote).find(|(at, _)| {
        let (before, after) = (&text[..*at], &text[at + quote.len()..]);
        let starts = !is_word(before.chars().next_back()) || !is_word(quote.chars().next());
        let ends = !is_word(after.chars().next()) || !is_word(quote.chars().next_back());
        starts && ends
    })?;
    let from = text[..at].chars().count();
    Some((from, from + quote.chars().count()))
}

fn is_marked_up(wording: &str) -> bool {
    let lower = wording.to_lowercase();
    let sign = |c: char| c.is_control() || MARKUP.contains(c) || is_unseen(c);
    wording.trim().contains(sign) || lower.contains("://") || lower.contains("www.")
}

/// Signs that turn or hide what stands beside them.
fn is_unseen(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
        | '\u{feff}' | '\u{e0000}'..='\u{e007f}')
}

/// Whether everything that `find` sees in the wording is seen in a source too.
fn within(wording: &str, sources: &[&str], find: fn(&str) -> BTreeSet<String>) -> bool {
    let known: BTreeSet<String> = sources.iter().flat_map(|source| find(source)).collect();
    find(wording).is_subset(&known)
}

/// Whether each quote is whole words of the answer, and each mark has its pair.
fn quotes_hold(wording: &str, answer: &str) -> bool {
    let mut rest = wording;
    let mut before = ' ';
    while let Some(c) = rest.chars().next() {
        let after = &rest[c.len_utf8()..];
        let single = matches!(c, '\'' | '‘' | '‚' | '‹');
        let opens = matches!(c, '"' | '“' | '”' | '„' | '«' | '»');
        if !opens && (!single || before.is_alphanumeric()) {
            (rest, before) = (after, c);
            continue;
        }
        let Some((quote, left)) = closed(after, single) else {
            // The plural's apostrophe stands after a word; one before a word must have a pair.
            return false;
        };
        let whole = quote.trim().trim_end_matches(['.', ',', ';', ':', '!', '?', '…']);
        if place_of(whole, answer).is_none() {
            return false;
        }
        (rest, before) = (left, '”');
    }
    true
}

/// What stands before the mark that closes, and what after it.
fn closed(text: &str, single: bool) -> Option<(&str, &str)> {
    text.char_indices().find_map(|(at, c)| {
        let left = &text[at + c.len_utf8()..];
        let ends = match single {
            // Within a word it is an apostrophe.
            true => {
                let inside = left.chars().next().is_some_and(char::is_alphanumeric);
                matches!(c, '\'' | '’' | '‘' | '›') && !inside
            }
            false => matches!(c, '"' | '”' | '“' | '»' | '«'),
        };
        ends.then(|| (&text[..at], left))
    })
}

/// A text's words in lower case, each with whether a stop of some kind stands before it. Signs that
/// belong to numbers stay with them.
fn words(text: &str) -> Vec<(String, bool)> {
    let mut words: Vec<(String, bool)> = Vec::new();
    let (mut word, mut stop) = (String::new(), true);
    let chars: Vec<char> = text.to_lowercase().chars().collect();
    for (at, &c) in chars.iter().enumerate() {
        let digit =
            |at: Option<usize>| at.and_then(|at| chars.get(at)).is_some_and(|c| c.is_numeric());
        let in_number = matches!(c, '.' | ',' | ':' | '/')
            && digit(at.checked_sub(1))
            && digit(at.checked_add(1));
        let of_number = matches!(c, '%' | '‰' | '$' | '€' | '£' | '+' | '−') || c == '&';
        if c.is_alphanumeric() || in_number || of_number || matches!(c, '\'' | '’') {
            // A comma that groups digits is no part of the number.
            word.extend((c != ',').then_some(if c == '’' { '\'' } else { c }));
            continue;
        }
        if !word.is_empty() {
            words.push((bare(&std::mem::take(&mut word)), stop));
            stop = false;
        }
        stop |= !c.is_whitespace() && !matches!(c, '-' | '‐' | '‑');
    }
    if !word.is_empty() {
        words.push((bare(&word), stop));
    }
    words
}

/// A word without the marks around it and of possession.
fn bare(word: &str) -> String {
    let word = word.trim_matches('\'');
    word.strip_suffix("'s").unwrap_or(word).to_owned()
}

/// Every number as it stands, a spoken one as a whole, a share with its sign.
fn numbers(text: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut whole: Vec<String> = Vec::new();
    let words = words(text);
    for (at, (word, stop)) in words.iter().enumerate() {
        let is_number = is_number(word);
        let joins =
            word == "and" && words.get(at + 1).is_some_and(|(next, _)| is_number_word(next));
        if (*stop || !(is_number || joins)) && !whole.is_empty() {
            found.insert(std::mem::take(&mut whole).join(" "));
        }
        if is_number || (joins && !whole.is_empty() && !*stop) {
            whole.push(word.clone());
        }
    }
    if !whole.is_empty() {
        found.insert(whole.join(" "));
    }
    found
}

fn is_number(word: &str) -> bool {
    word.contains(char::is_numeric) || word.contains(['%', '‰']) || is_number_word(word)
}

fn is_number_word(word: &str) -> bool {
    let multiple =
        word.strip_suffix("fold").is_some_and(|of| !of.is_empty() && listed(NUMBERS, of));
    multiple || listed(NUMBERS, word)
}

fn listed(list: &str, word: &str) -> bool {
    list.split_whitespace().any(|known| known == word)
}

fn judgements(text: &str) -> BTreeSet<String> {
    let words = words(text).into_iter().map(|(word, _)| word);
    words.filter(|word| listed(JUDGEMENTS, word)).collect()
}

/// Words with a capital that do not begin a sentence.
fn names(text: &str) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    let mut begins = true;
    for word in text.split_whitespace() {
        let bare = word.trim_matches(|c: char| !c.is_alphanumeric());
        let is_own = bare == "I" || bare.starts_with("I'") || bare.starts_with("I’");
        let has_capital = bare.contains(char::is_uppercase);
        let inner = bare.chars().skip(1).any(char::is_uppercase);
        if has_capital && (!begins || inner) && !is_own {
            names.insert(plain(bare));
        }
        let end = word.trim_end_matches(['”', '"', '’', '\'', ')']);
        begins = end.ends_with(['.', '!', '?', ':', '…']) || (begins && bare.is_empty());
    }
    names
}

/// A name of the wording may begin a sentence of a source, or be written small there.
fn names_hold(wording: &str, sources: &[&str]) -> bool {
    let known: BTreeSet<String> = sources
        .iter()
        .flat_map(|source| source.split_whitespace())
        .map(|word| plain(word.trim_matches(|c: char| !c.is_alphanumeric())))
        .collect();
    names(wording).is_subset(&known)
}

fn plain(word: &str) -> String {
    bare(&word.to_lowercase().replace('’', "'"))
}

#[cfg(test)]
mod tests;
