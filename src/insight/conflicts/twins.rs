//! Plain sentences that say nearly the same, one of them denied or with an opposite word.

use std::ops::Range;

use super::super::lexicon::{Bits, Cue, stem_hash};
use super::super::text::{Document, Token};
use super::{Clash, SENTENCES_MAX};
use crate::domain::analysis::Severity;

/// A sentence as a bag of content words.
#[derive(Debug)]
pub(super) struct Plain {
    span: (u32, u32),
    /// Sorted stems of the content words.
    stems: Vec<u32>,
    /// The same without words for any person.
    deeds: Vec<u32>,
    denied: bool,
    /// Denied of everybody, so that it is denied of each.
    of_everybody: bool,
    /// Names somebody of whom a general denial speaks.
    of_somebody: bool,
    /// The speaker, or the speaker's group, is the one who acts.
    own: bool,
}

/// A longer sentence says too much for a comparison of bags of words.
const CONTENT_MAX: usize = 24;

/// Fewer content words leave the subject open.
const CONTENT_MIN: usize = 2;

/// What is denied must be said nearly whole by the other side, in hundredths of its content words …
const DENIED_IN_SAID: usize = 75;

/// … and both together must have most of their words in common.
const COMMON: usize = 55;

/// What "nobody" denies, it denies of all of these.
const ANYBODY: &str = "\
    man men woman women person people boy boys girl girls child children kid kids guy lady group \
    team engineer manager colleague";

/// Who is denied to be a person doing it is denied to be anybody: "people did not use it".
const GENERAL: [&str; 4] = ["person", "people", "someone", "somebody"];

/// Words that name the same persons.
const SAME: [(&str, &str); 3] = [("lady", "woman"), ("guy", "man"), ("kid", "child")];

/// Verbs that deny what follows them with "to": "failed to deliver" says that it was not delivered.
const DENYING: &str = "fail fails failed failing refuse refuses refused refusing forgot forget \
    neglect neglects neglected neglecting decline declines declined declining";

/// Apart from the opposite words everything must be the same.
const OPPOSITE_COMMON: usize = 99;

/// Words that exclude one another when said of the same thing.
const OPPOSITES: &[(&str, &str)] = &[
    ("open", "closed"),
    ("open", "close"),
    ("indoors", "outdoors"),
    ("inside", "outside"),
    ("empty", "full"),
    ("alone", "together"),
    ("before", "after"),
    ("increased", "decreased"),
    ("rose", "fell"),
    ("passed", "failed"),
    ("accepted", "rejected"),
    ("approved", "rejected"),
    ("always", "never"),
    ("early", "late"),
    ("first", "last"),
    ("remote", "onsite"),
    ("dry", "wet"),
    ("dirty", "clean"),
    ("sitting", "standing"),
    ("asleep", "awake"),
    ("won", "lost"),
    ("internal", "external"),
    ("hired", "fired"),
    ("manual", "automatic"),
    ("win", "lose"),
    ("rise", "fall"),
    ("increase", "reduce"),
    ("raise", "lower"),
    ("add", "remove"),
    ("apply", "remove"),
    ("install", "uninstall"),
    ("include", "exclude"),
    ("enable", "disable"),
    ("allow", "forbid"),
    ("accept", "decline"),
    ("accept", "refuse"),
    ("agree", "disagree"),
    ("succeed", "fail"),
    ("start", "stop"),
    ("begin", "finish"),
    ("buy", "sell"),
    ("push", "pull"),
    ("arrive", "leave"),
    ("join", "leave"),
    ("hire", "dismiss"),
    ("gain", "lose"),
    ("long", "short"),
    ("present", "absent"),
    ("public", "private"),
    ("permanent", "temporary"),
    ("inbound", "outbound"),
    ("online", "offline"),
    ("paid", "unpaid"),
    ("successful", "unsuccessful"),
    ("profitable", "unprofitable"),
    ("voluntary", "compulsory"),
];

pub(super) fn read(document: &Document) -> Vec<Plain> {
    let sentences = document.sentences.iter().take(SENTENCES_MAX);
    sentences.filter_map(|range| plain(document, range)).collect()
}

pub(super) fn compare(before: &[Plain], now: &[Plain]) -> Vec<Clash> {
    let mut clashes = Vec::new();
    for a in before {
        for b in now {
            let rule = match a.denied != b.denied {
                true if denies(a, b) => "negation",
                false if !a.denied && is_opposite(a, b) => "opposite",
                _ => continue,
            };
            let severity = Severity::Material;
            clashes.push(Clash { before: a.span, now: b.span, rule, severity });
        }
    }
    clashes
}

fn plain(document: &Document, range: &Range<usize>) -> Option<Plain> {
    let tokens = &document.tokens[range.clone()];
    if document.has(range, Cue::Correction) {
        return None;
    }
    let denied = is_denied(document, range);
    let dull = Bits::FUNCTION.or(Bits::FILLER);
    let content = |token: &&Token| !token.bits.any(dull);
    // "Not often" and "not without asking" leave room for the other statement.
    const LIMITS: &str = "often always entirely fully really only just quite completely exactly \
        alone again without much directly officially yet";
    let limited = |at: &usize| LIMITS.split_whitespace().any(|one| one == document.fold_at(*at));
    if denied && range.clone().any(|at| limited(&at)) {
        return None;
    }
    let anybody = |token: &Token| ANYBODY.split_whitespace().any(|w| w == document.fold(token));
    let same = |token: &Token| {
        let pair = SAME.iter().find(|(word, _)| stem_hash(word) == token.stem);
        pair.map_or(token.stem, |(_, named)| stem_hash(named))
    };
    let stems = sorted(tokens.iter().filter(content).map(same));
    let deeds =
        sorted(tokens.iter().filter(content).filter(|t| !anybody(t)).map(|token| token.stem));
    let of_everybody = range.clone().any(|at| {
        let word = document.fold_at(at);
        word == "nobody"
            || (word == "no" && document.fold_at(at + 1) == "one")
            || GENERAL.contains(&word)
    });
    let of_somebody = tokens.iter().any(anybody);
    let plain = (CONTENT_MIN..=CONTENT_MAX).contains(&stems.len());
    let span = document.span(range.clone());
    let own = range.clone().any(|at| {
        let bits = document.bits_at(at);
        bits.any(Bits::I) || bits.any(Bits::WE) && document.fold_at(at).starts_with("we")
    });
    plain.then_some(Plain { span, stems, deeds, denied, of_everybody, of_somebody, own })
}

/// Two negations of one clause cancel out; where each of two joined clauses has its own, both
/// stand.
fn is_denied(document: &Document, range: &Range<usize>) -> bool {
    let denying = |at: usize| {
        let word = document.fold_at(at);
        document.bits_at(at).any(Bits::NOT)
            || (document.fold_at(at + 1) == "to" && DENYING.split_whitespace().any(|w| w == word))
    };
    let found: Vec<usize> = range.clone().filter(|&at| denying(at)).collect();
    let joined = |pair: &[usize]| (pair[0]..pair[1]).any(|at| document.fold_at(at) == "and");
    found.len() % 2 == 1 || (!found.is_empty() && found.windows(2).all(joined))
}

fn sorted(stems: impl Iterator<Item = u32>) -> Vec<u32> {
    let mut stems: Vec<u32> = stems.collect();
    stems.sort_unstable();
    stems.dedup();
    stems
}

/// Whether one side says what the other denies: the denied side's content lies in the other one's.
fn denies(a: &Plain, b: &Plain) -> bool {
    let (denied, said) = if a.denied { (a, b) } else { (b, a) };
    // What I never did may well be done by others, and the other thing by me.
    if denied.own && !(said.own && in_common(&denied.stems, &said.stems) == denied.stems.len()) {
        return false;
    }
    // What nobody did, the somebody of the other side did not do either: one term in common
    // for what must be there at least.
    let general = denied.of_everybody;
    let shared = usize::from(general && said.of_somebody);
    let (denied, said) = match general {
        true => (&denied.deeds, &said.deeds),
        false => (&denied.stems, &said.stems),
    };
    let common = in_common(denied, said);
    let all = denied.len() + said.len() - common;
    common + shared >= CONTENT_MIN
        && common * 100 >= denied.len() * DENIED_IN_SAID
        && common * 100 >= all * COMMON
}

fn is_opposite(a: &Plain, b: &Plain) -> bool {
    if a.stems.len().abs_diff(b.stems.len()) > 1 {
        return false;
    }
    let common = in_common(&a.stems, &b.stems);
    let rest = a.stems.len().max(b.stems.len()) - 1;
    if rest == 0 || common * 100 < rest * OPPOSITE_COMMON {
        return false;
    }
    let has = |plain: &Plain, word: &str| plain.stems.binary_search(&stem_hash(word)).is_ok();
    OPPOSITES.iter().any(|(one, other)| {
        let turned =
            |x: &Plain, y: &Plain| has(x, one) && !has(x, other) && has(y, other) && !has(y, one);
        turned(a, b) || turned(b, a)
    })
}

/// How many stems two sorted lists share.
fn in_common(a: &[u32], b: &[u32]) -> usize {
    let (mut i, mut j, mut common) = (0, 0, 0);
    while i < a.len() && j < b.len() {
        match a[i].cmp(&b[j]) {
            std::cmp::Ordering::Less => i += 1,
            std::cmp::Ordering::Greater => j += 1,
            std::cmp::Ordering::Equal => {
                i += 1;
                j += 1;
                common += 1;
            }
        }
    }
    common
}
