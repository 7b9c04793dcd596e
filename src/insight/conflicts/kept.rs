//! What was read of texts, kept for the next answer that is compared with them.
//!
//! A person's forty earlier answers are the same for each new one; reading them anew costs more
//! than everything else about an answer.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use sha2::{Digest, Sha256};

use super::Statements;
use crate::insight::lexicon::Lexicon;

/// Statements of texts by a hash of the text.
#[derive(Clone, Debug, Default)]
pub(in crate::insight) struct Kept {
    shelves: Arc<Mutex<Shelves>>,
}

type Name = [u8; 32];

/// Two generations: when the young one is full, the old one is dropped, so what is in use stays.
#[derive(Debug, Default)]
struct Shelves {
    young: HashMap<Name, Arc<Statements>>,
    old: HashMap<Name, Arc<Statements>>,
}

/// Texts of one generation: the earlier answers of a dozen people who answer at once. A text takes
/// some kilobytes, so that both take a few megabytes.
const TEXTS_MAX: usize = 512;

/// A longer text is read anew each time: it is a CV of many pages, and few people have one.
const TEXT_BYTES_MAX: usize = 32 << 10;

impl Kept {
    /// What a text says.
    pub(super) fn read(&self, lexicon: &Lexicon, text: &str, cv: bool) -> Arc<Statements> {
        if text.len() > TEXT_BYTES_MAX {
            return Arc::new(Statements::read(lexicon, text, cv));
        }
        let mut hash = Sha256::new();
        hash.update([u8::from(cv)]);
        hash.update(text.as_bytes());
        let name: Name = hash.finalize().into();
        if let Some(known) = self.find(&name) {
            return known;
        }
        // Read outside the lock: others go on meanwhile, and twice the same is the same.
        let read = Arc::new(Statements::read(lexicon, text, cv));
        let mut shelves = self.shelves.lock().unwrap_or_else(PoisonError::into_inner);
        shelves.keep(name, read.clone());
        read
    }

    fn find(&self, name: &Name) -> Option<Arc<Statements>> {
        let mut shelves = self.shelves.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = shelves.young.get(name) {
            return Some(known.clone());
        }
        let known = shelves.old.remove(name)?;
        shelves.keep(*name, known.clone());
        Some(known)
    }
}

impl Shelves {
    fn keep(&mut self, name: Name, read: Arc<Statements>) {
        if self.young.len() >= TEXTS_MAX {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(name, read);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_is_kept_than_two_generations_and_what_is_used_stays() {
        let (kept, lexicon) = (Kept::default(), Lexicon::new());
        let used = kept.read(&lexicon, "I led a team of five.", false);
        for n in 0..TEXTS_MAX * 5 {
            kept.read(&lexicon, &format!("I wrote letter {n}."), false);
            let again = kept.read(&lexicon, "I led a team of five.", false);
            assert!(Arc::ptr_eq(&used, &again), "{n}");
        }
        let shelves = kept.shelves.lock().unwrap();
        assert!(shelves.young.len() + shelves.old.len() <= 2 * TEXTS_MAX);
    }

    #[test]
    fn a_text_is_another_one_as_a_cv() {
        let (kept, lexicon) = (Kept::default(), Lexicon::new());
        let text = "Driver, Acme, 2010-2014";
        let (cv, speech) = (kept.read(&lexicon, text, true), kept.read(&lexicon, text, false));
        assert_eq!((cv.careers.is_empty(), speech.careers.is_empty()), (false, true));
    }
}
