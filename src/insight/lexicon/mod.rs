//! The engine's vocabulary: what each known word is, and which word sequences are cues.
//!
//! Built once per engine from the word lists beside this file. A token is looked up once;
//! everything after that works on the bits and numbers found here.

mod cues;
mod nouns;
mod verbs;
mod words;

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

pub(super) use cues::Cue;
pub(super) use words::small_number;

/// What a known word is; a word can be several things at once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Bits(pub(super) u64);

/// A vocabulary entry.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Word {
    /// Number of the word, never 0; 0 means unknown.
    pub(super) id: u16,
    /// What the word is.
    pub(super) bits: Bits,
    /// Hash of the base form, so that "ran" and "run" compare equal.
    pub(super) base: u32,
}

/// A sequence of words that means something to a rule.
#[derive(Debug)]
pub(super) struct Phrase {
    /// Which rule it serves.
    pub(super) cue: Cue,
    /// The words after the first one.
    pub(super) rest: Box<[u16]>,
}

/// All words and phrases.
#[derive(Debug)]
pub(super) struct Lexicon {
    words: HashMap<String, Word, BuildHasherDefault<Fnv>>,
    /// By the id of the first word; longer phrases first.
    phrases: Vec<Vec<Phrase>>,
    /// Stems of words that stand for one another.
    fields: Vec<Vec<u32>>,
}

/// FNV-1a: short keys, no seed, the same on every machine.
#[derive(Clone, Copy)]
pub(super) struct Fnv(u64);

macro_rules! bits {
    ($($name:ident = $place:expr, $doc:literal;)*) => {
        impl Bits {
            $(#[doc = $doc] pub(super) const $name: Bits = Bits(1 << $place);)*
        }
    };
}

bits! {
    FUNCTION = 0, "Carries grammar, not content.";
    EVERYDAY = 1, "So common that it tells little.";
    I = 2, "The speaker as subject.";
    SELF = 3, "The speaker in another case.";
    WE = 4, "The speaker's group.";
    PRONOUN = 5, "Stands for something named elsewhere.";
    DETERMINER = 6, "Opens a noun phrase.";
    BE = 7, "A form of to be.";
    HAVE = 8, "A form of to have.";
    DO = 9, "A form of to do.";
    MODAL = 10, "Can, could, will, would and their kind.";
    NOT = 11, "Turns a statement round.";
    FILLER = 12, "A sound that fills a pause.";
    ACTION = 13, "A verb for doing work.";
    UP = 14, "A verb or noun for becoming more.";
    DOWN = 15, "A verb or noun for becoming less.";
    GAIN = 16, "A verb for a change that is good in itself.";
    PAST = 17, "A past form.";
    ING = 18, "A form in -ing.";
    MORE = 19, "A noun of which more is better.";
    LESS = 20, "A noun of which less is better.";
    PROBLEM = 21, "Names trouble.";
    VAGUE = 22, "Says little where something exact could stand.";
    HEDGE = 23, "Softens a statement.";
    PRAISE = 24, "Praises without evidence.";
    NUMBER = 25, "A number in letters.";
    UNIT = 26, "A unit of measure.";
    PERIOD = 27, "A unit of time.";
    PEOPLE = 28, "Counts people.";
    ACTOR = 29, "A group or thing that can act: team, plan, system.";
    HELP = 30, "A verb for a part in somebody else's action.";
    PREPOSITION = 31, "Opens an adverbial.";
    MONTH = 32, "Names a part of the calendar.";
    ASK = 33, "So usual in questions that it says nothing about their focus.";
    BASE = 34, "A verb in its base or present form.";
    CONJUNCTION = 35, "Joins clauses.";
    LOSS = 36, "A verb for a change that is bad in itself.";
    CHANGE = 37, "A noun or adverb that marks a change.";
    ATTAIN = 38, "A verb for reaching something.";
    ADVERB = 41, "Says how, how much or when, in one word.";
    REDUCER = 42, "Makes of an act a habit or a trifle: usually, mostly, just.";
    GOOD = 40, "Names a state that people work towards.";
    PRIVATE = 43, "Names something of private life that hardly any work is about.";
    LEISURE = 44, "Names something of private life oftener than of work.";
    REQUEST = 39, "A verb for asking something of somebody.";
}

impl Bits {
    /// Whether any of these is set.
    pub(super) const fn any(self, other: Bits) -> bool {
        self.0 & other.0 != 0
    }

    /// Words that say too little to tie two sentences together.
    pub(super) const LOOSE: Bits = Bits::FUNCTION
        .or(Bits::FILLER)
        .or(Bits::VAGUE)
        .or(Bits::HEDGE)
        .or(Bits::PRONOUN)
        .or(Bits::PRAISE)
        .or(Bits::EVERYDAY)
        .or(Bits::NUMBER);

    /// Both together.
    pub(super) const fn or(self, other: Bits) -> Bits {
        Bits(self.0 | other.0)
    }
}

impl Default for Fnv {
    fn default() -> Fnv {
        Fnv(0xcbf2_9ce4_8422_2325)
    }
}

impl Hasher for Fnv {
    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

impl Lexicon {
    /// Reads the word lists.
    pub(super) fn new() -> Lexicon {
        let mut lexicon =
            Lexicon { words: HashMap::default(), phrases: vec![Vec::new()], fields: Vec::new() };
        for (bits, list) in words::LISTS.iter().chain(nouns::LISTS) {
            for word in list.split_whitespace() {
                lexicon.add(word, *bits, None);
            }
        }
        for noun in nouns::COUNTED
            .iter()
            .flat_map(|(bits, list)| list.split_whitespace().map(move |word| (*bits, word)))
        {
            lexicon.add(noun.1, noun.0, None);
            lexicon.add(&verbs::third_person(noun.1), noun.0, Some(noun.1));
        }
        for (bits, list) in verbs::LISTS {
            for entry in list.split_whitespace() {
                lexicon.add_verb(*bits, entry);
            }
        }
        for (cue, list) in cues::LISTS {
            for phrase in list.split('|') {
                lexicon.add_phrase(*cue, phrase);
            }
        }
        for field in nouns::FIELDS {
            lexicon.fields.push(field.split_whitespace().map(stem_hash).collect());
        }
        for starting in &mut lexicon.phrases {
            starting.sort_by_key(|phrase| std::cmp::Reverse(phrase.rest.len()));
        }
        lexicon
    }

    /// The entry of a lower-case word, if it is known.
    pub(super) fn word(&self, folded: &str) -> Option<Word> {
        self.words.get(folded).copied()
    }

    /// The phrases that start with this word, longest first.
    pub(super) fn phrases(&self, first: u16) -> &[Phrase] {
        &self.phrases[usize::from(first)]
    }

    /// Groups of stems: whoever is asked about one of a group may answer with another.
    pub(super) fn fields(&self) -> &[Vec<u32>] {
        &self.fields
    }

    fn add(&mut self, word: &str, bits: Bits, base: Option<&str>) -> u16 {
        if let Some(known) = self.words.get_mut(word) {
            known.bits = known.bits.or(bits);
            if let Some(base) = base {
                known.base = stem_hash(base);
            }
            return known.id;
        }
        let id = u16::try_from(self.phrases.len()).expect("invariant: fewer than 65,536 words");
        self.phrases.push(Vec::new());
        let base = stem_hash(base.unwrap_or(word));
        self.words.insert(word.to_owned(), Word { id, bits, base });
        id
    }

    /// Adds a verb with its forms; an entry is `base`, `base+` (doubles its last consonant) or
    /// `base:past` or `base:past:participle`.
    fn add_verb(&mut self, bits: Bits, entry: &str) {
        let forms = verbs::forms(entry);
        let base = forms.base.clone();
        self.add(&forms.base, bits.or(Bits::BASE), Some(&base));
        self.add(&forms.third, bits.or(Bits::BASE), Some(&base));
        self.add(&forms.past, bits.or(Bits::PAST), Some(&base));
        self.add(&forms.participle, bits.or(Bits::PAST), Some(&base));
        self.add(&forms.ing, bits.or(Bits::ING), Some(&base));
    }

    fn add_phrase(&mut self, cue: Cue, phrase: &str) {
        let ids: Vec<u16> =
            phrase.split_whitespace().map(|word| self.add(word, Bits::default(), None)).collect();
        let first = usize::from(ids[0]);
        self.phrases[first].push(Phrase { cue, rest: ids[1..].into() });
    }
}

/// Hash of a word without its ending, for comparing words by meaning rather than form.
pub(super) fn stem_hash(folded: &str) -> u32 {
    let mut hasher = Fnv::default();
    hasher.write(stem(folded).as_bytes());
    let wide = hasher.finish();
    (wide ^ (wide >> 32)) as u32
}

/// Cuts the usual endings of English words; always a prefix of the word.
pub(super) fn stem(word: &str) -> &str {
    if !word.is_ascii() || word.len() < 4 {
        return word;
    }
    let mut cut = word.strip_suffix("'s").unwrap_or(word);
    if let Some(shorter) = cut.strip_suffix("ies").or_else(|| cut.strip_suffix("ied")) {
        cut = shorter;
    } else if cut.ends_with('s') && !cut.ends_with("ss") && !cut.ends_with("us") {
        cut = &cut[..cut.len() - 1];
    }
    for ending in ["ing", "ed", "ly"] {
        if let Some(shorter) = cut.strip_suffix(ending)
            && shorter.len() >= 3
            && shorter.bytes().any(|b| b"aeiouy".contains(&b))
        {
            cut = undouble(shorter);
            break;
        }
    }
    for ending in ["ation", "ment", "ion", "er", "or"] {
        if let Some(shorter) = cut.strip_suffix(ending)
            && shorter.len() >= 4
        {
            cut = shorter;
            break;
        }
    }
    if cut.len() > 3 && (cut.ends_with('e') || cut.ends_with('y')) {
        cut = &cut[..cut.len() - 1];
    }
    cut
}

fn undouble(word: &str) -> &str {
    let bytes = word.as_bytes();
    let [.., before, last] = bytes else {
        return word;
    };
    if before == last && !b"lsz".contains(last) { &word[..word.len() - 1] } else { word }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_of_one_word_share_a_stem() {
        for (a, b) in [
            ("planned", "planning"),
            ("manages", "managed"),
            ("companies", "company"),
            ("engineers", "engineer"),
        ] {
            assert_eq!(stem(a), stem(b), "{a} {b}");
        }
    }

    #[test]
    fn irregular_verbs_share_a_base() {
        let lexicon = Lexicon::new();
        let base = |word| lexicon.word(word).expect("listed").base;
        assert_eq!(base("wrote"), base("writing"));
        assert_eq!(base("built"), base("build"));
        assert_ne!(base("built"), base("wrote"));
    }

    #[test]
    fn every_phrase_is_made_of_folded_words() {
        for (cue, list) in cues::LISTS {
            for phrase in list.split('|') {
                let clean = phrase.chars().all(|c| c.is_ascii_lowercase() || " '".contains(c));
                assert!(clean && phrase.trim() == phrase && !phrase.is_empty(), "{cue:?} {phrase}");
            }
        }
    }
}
