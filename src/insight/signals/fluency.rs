//! Fluency and wording: the measures of spoken language that applied linguistics uses.
//!
//! Facts like those of [`super::delivery`]: they depend on dialect, first language and equipment,
//! and weigh nothing. What needs word times is null without them.

use std::collections::{BTreeMap, HashMap};
use std::hash::BuildHasherDefault;

use super::delivery::timing;
use super::{Reading, share, signal};
use crate::domain::analysis::{Evidence, Signal};
use crate::domain::number::Milli;
use crate::insight::AnswerInput;
use crate::insight::lexicon::{Bits, Fnv};

/// The window of the moving-average type-token ratio; shorter texts have no value. Fifty words are
/// the usual choice, and as many as the shortest answers worth comparing have.
const WINDOW: usize = 50;

/// The index is published with this constant, which keeps it above zero for most texts.
const INDEX_OFFSET: Milli = Milli::whole(30);

const PRONOUN: Bits = Bits::PRONOUN.or(Bits::I).or(Bits::SELF).or(Bits::WE);
const AUXILIARY: Bits = Bits::BE.or(Bits::HAVE).or(Bits::DO).or(Bits::MODAL);

/// Adds the measures; the delivery facts must be there already.
pub(super) fn measure(
    reading: &Reading,
    input: &AnswerInput,
    duration: Option<Milli>,
    signals: &mut BTreeMap<String, Signal>,
) {
    let fact = |value: Option<Milli>| Signal { value, ..Signal::default() };
    let words: Vec<usize> = (0..reading.document.tokens.len())
        .filter(|&at| !reading.document.bits_at(at).any(Bits::FILLER))
        .collect();
    let spoken: i64 = words.iter().map(|&at| syllables(reading.document.fold_at(at))).sum();
    let pauses = timing(input);
    let per_minute = |count: i64, time: Milli| Milli(count * 60_000_000 / time.0.max(1));
    let voiced = pauses.as_ref().map(|(whole, silent)| {
        let silence: Milli = silent.iter().copied().sum();
        Milli((whole.0 - silence.0).max(1))
    });
    let pause_rate = pauses.as_ref().map(|(whole, silent)| per_minute(silent.len() as i64, *whole));
    let silences = pauses.as_ref().map_or(0, |(_, silent)| silent.len());
    let runs = words.len() as i64 * 1000 / ((breaks(signals).count() + silences + 1) as i64);
    let likes = of_kind(signals, "tic_rate", |found| found.rule == "tic_rate.like");
    let ums = of_kind(signals, "filler_rate", |found| has_nasal(reading, found));
    let fluent = fluent_share(reading, signals);
    let mut put = |name: &str, signal: Signal| signals.insert(name.to_owned(), signal);
    put("like_rate", apart(reading, likes, "like_rate.habit"));
    put("um_rate", apart(reading, ums, "um_rate.sound"));
    put("fluent_share", fact(fluent));
    put("speech_rate", fact(duration.map(|time| per_minute(spoken, time))));
    put("articulation_rate", fact(voiced.map(|time| per_minute(spoken, time))));
    put("pause_rate", fact(pause_rate));
    put("mean_length_of_run", fact(Some(Milli(runs))));
    put("type_token_ratio", fact(type_token_ratio(reading, &words)));
    put("categorical_index", fact(categorical_index(reading, &words)));
}

/// Where the flow of words breaks: pause sounds, habitual phrases, words said twice.
fn breaks(signals: &BTreeMap<String, Signal>) -> impl Iterator<Item = &Evidence> {
    let measured = ["filler_rate", "tic_rate", "repair_rate"].into_iter();
    measured.filter_map(|name| signals.get(name)).flat_map(|signal| &signal.evidence)
}

/// The quotes of one kind among those of a signal.
fn of_kind(
    signals: &BTreeMap<String, Signal>,
    name: &str,
    kind: impl Fn(&Evidence) -> bool,
) -> Vec<Evidence> {
    let quotes = signals.get(name).map(|signal| signal.evidence.iter());
    quotes.into_iter().flatten().filter(|found| kind(found)).cloned().collect()
}

/// A kind of hesitation told apart, in 100 words that are no repetition.
fn apart(reading: &Reading, mut quotes: Vec<Evidence>, rule: &str) -> Signal {
    quotes.iter_mut().for_each(|quote| rule.clone_into(&mut quote.rule));
    let fresh = reading.document.tokens.iter().filter(|token| !token.repeated).count();
    signal(share(quotes.len() as i64, fresh as i64, 100), quotes)
}

/// "Um" and its kind announce a longer search for words than "uh" does (Clark and Fox Tree 2002).
fn has_nasal(reading: &Reading, found: &Evidence) -> bool {
    let tokens = &reading.document.tokens;
    let at = tokens.partition_point(|token| token.from < found.from);
    reading.document.fold_at(at).contains('m')
}

/// Share of the sentences that flow without a break.
fn fluent_share(reading: &Reading, signals: &BTreeMap<String, Signal>) -> Option<Milli> {
    let document = &reading.document;
    let mut broken = vec![false; document.sentences.len()];
    for found in breaks(signals) {
        let at = document.tokens.partition_point(|token| token.from < found.from);
        let sentence = document.sentences.partition_point(|range| range.end <= at);
        broken[sentence] = true;
    }
    let fluent = broken.iter().filter(|broken| !**broken).count() as i64;
    (!broken.is_empty()).then(|| share(fluent, broken.len() as i64, 1))
}

/// Syllables by groups of vowels, without a silent `e` at the end; a digit counts as one.
fn syllables(word: &str) -> i64 {
    let (mut count, mut inside) = (0, false);
    for letter in word.bytes() {
        let vowel = matches!(letter, b'a' | b'e' | b'i' | b'o' | b'u' | b'y');
        count += i64::from(vowel && !inside) + i64::from(letter.is_ascii_digit());
        inside = vowel;
    }
    let silent = word.ends_with('e') && !word.ends_with("le") && count > 1;
    (count - i64::from(silent)).max(1)
}

/// Share of different words in a window of [`WINDOW`], over all windows: unlike the plain share it
/// does not fall because an answer is long.
fn type_token_ratio(reading: &Reading, words: &[usize]) -> Option<Milli> {
    let windows = (words.len() + 1).checked_sub(WINDOW).filter(|windows| *windows > 0)?;
    let mut last: HashMap<u32, usize, BuildHasherDefault<Fnv>> = HashMap::default();
    last.reserve(words.len());
    let mut types = 0;
    for (at, &token) in words.iter().enumerate() {
        // A word is new in every window that begins behind its last mention.
        let behind = last.insert(reading.document.tokens[token].stem, at).map_or(0, |p| p + 1);
        let first = behind.max((at + 1).saturating_sub(WINDOW));
        types += (at + 1).min(windows).saturating_sub(first);
    }
    Some(share(types as i64, (windows * WINDOW) as i64, 1))
}

/// The categorical-dynamic index of Pennebaker and others (2014): in 100 words, articles and
/// prepositions less pronouns, auxiliaries, conjunctions, adverbs and negations. High where things
/// are named and related, low where events and persons are told.
fn categorical_index(reading: &Reading, words: &[usize]) -> Option<Milli> {
    const OWNERS: [&str; 3] = ["your", "his", "their"];
    let document = &reading.document;
    let mut balance = 0;
    for &at in words {
        let bits = document.bits_at(at);
        if !bits.any(Bits::FUNCTION.or(Bits::ADVERB)) {
            continue;
        }
        let word = if bits.any(Bits::DETERMINER) { document.fold_at(at) } else { "" };
        let pronoun = bits.any(PRONOUN) || OWNERS.contains(&word);
        balance += i64::from(matches!(word, "a" | "an" | "the"));
        balance += i64::from(bits.any(Bits::PREPOSITION));
        balance -= i64::from(pronoun) + i64::from(bits.any(AUXILIARY));
        balance -= i64::from(bits.any(Bits::CONJUNCTION) && !pronoun);
        balance -= i64::from(bits.any(Bits::ADVERB)) + i64::from(bits.any(Bits::NOT));
    }
    (!words.is_empty()).then(|| INDEX_OFFSET + share(balance, words.len() as i64, 100))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::analysis::TimedWord;
    use crate::insight::Engine;

    fn value(text: &str, words: Option<Vec<TimedWord>>, name: &str) -> Option<i64> {
        let answer = text.to_owned();
        let input = AnswerInput { answer, words, ..AnswerInput::default() };
        Engine::built_in().meters(&input)[name].map(|value| value.0)
    }

    #[test]
    fn syllables_are_groups_of_vowels() {
        let told = ["team", "release", "table", "planning", "the", "strengths", "24"];
        assert_eq!(told.map(syllables), [1, 2, 2, 2, 1, 1, 2]);
    }

    #[test]
    fn rates_leave_pauses_out_and_need_word_times() {
        let timed = |word: &str, from: i64, to: i64| TimedWord(word.into(), Milli(from), Milli(to));
        let words = vec![timed("one", 0, 1000), timed("two", 1000, 2000), timed("six", 4000, 5000)];
        let of = |name: &str| value("one two six", Some(words.clone()), name);
        assert_eq!(of("speech_rate"), Some(36_000));
        assert_eq!(of("articulation_rate"), Some(60_000));
        assert_eq!(of("pause_rate"), Some(12_000));
        assert_eq!(of("mean_length_of_run"), Some(1_500));
        assert_eq!(value("one two six", None, "articulation_rate"), None);
    }

    #[test]
    fn a_run_ends_at_a_pause_sound_and_where_words_are_said_twice() {
        let of = |text: &str| value(text, None, "mean_length_of_run");
        assert_eq!(of("We moved the old archive"), Some(5_000));
        assert_eq!(of("We moved um the old archive"), Some(2_500));
        assert_eq!(of("We moved um the the old archive"), Some(2_000));
    }

    #[test]
    fn kinds_of_hesitation_are_told_apart() {
        let text = "Um we uh moved it. It was like a fair. The roof held.";
        assert_eq!(value(text, None, "filler_rate"), Some(15_384));
        assert_eq!(value(text, None, "um_rate"), Some(7_692));
        assert_eq!(value(text, None, "like_rate"), Some(7_692));
        assert_eq!(value(text, None, "fluent_share"), Some(333));
        assert_eq!(value("", None, "fluent_share"), None);
    }

    #[test]
    fn the_type_token_ratio_does_not_depend_on_length() {
        let distinct = |n: usize| (0..n).map(|i| format!("kx{i}q ")).collect::<String>();
        let of = |text: &str| value(text, None, "type_token_ratio");
        assert_eq!(of(&distinct(49)), None);
        assert_eq!(of(&distinct(50)), Some(1_000));
        assert_eq!(of(&distinct(300)), Some(1_000));
        let chant = distinct(25).repeat(8);
        assert_eq!(of(&chant), Some(500));
    }

    #[test]
    fn naming_stands_above_telling_in_the_categorical_index() {
        let of = |text: &str| value(text, None, "categorical_index");
        assert_eq!(of("the import of invoices"), Some(80_000));
        assert_eq!(of("I was not really there"), Some(-90_000));
        assert_eq!(of(""), None);
    }
}
