//! Passwords: Argon2id off the async threads, a bounded number at once, and the same work whether
//! or not the account exists.

use std::sync::Arc;

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{self, PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task;

use crate::domain::limit;
use crate::domain::refusal::FieldError;
use crate::domain::text::wrong;

/// Why a password could not be hashed or compared.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PasswordError {
    /// Too many wait already.
    #[error("too many people sign in at this moment; try again in a few seconds")]
    Busy,
    /// The stored hash cannot be read, or the machine has no memory for the work.
    #[error("a password could not be hashed or compared: {0}")]
    Fault(String),
}

/// Hashes and compares passwords, [`limit::PASSWORD_HASHES_MAX`] at once.
#[derive(Clone, Debug)]
pub struct Passwords {
    /// Those who work or wait.
    places: Arc<Semaphore>,
    /// Those who work.
    workers: Arc<Semaphore>,
}

/// The cost: 19 MiB, 2 passes, 1 lane, which OWASP names as a floor and two cores still bear.
/// Hashes carry their own cost, so raising this one leaves older hashes readable.
const MEMORY_KIB: u32 = 19 * 1_024;
const PASSES: u32 = 2;
const LANES: u32 = 1;

/// What RFC 9106 recommends for a salt.
pub const DIGEST_SALT_BYTES: usize = 16;

const DIGEST_BYTES: usize = 32;

/// What is compared when there is no account or no password: no password has this hash, and the
/// work is the same.
const NOBODY: &str = "$argon2id$v=19$m=19456,t=2,p=1$Z3JlZW5yb29tbm9ib2R5IQ\
    $AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";

/// What people choose when twelve characters are asked for: common words and rows of keys. A
/// password is compared after its case, its signs for letters and the digits at its ends were taken
/// away.
const COMMON: [&str; 41] = [
    "abc",
    "abcd",
    "abcdef",
    "admin",
    "administrator",
    "adminadmin",
    "asdfghjkl",
    "baseball",
    "changeme",
    "changemenow",
    "default",
    "dragon",
    "football",
    "greenroom",
    "hello",
    "helloworld",
    "iloveyou",
    "interview",
    "iwanttobehired",
    "letmein",
    "letmeinplease",
    "login",
    "master",
    "monkey",
    "mypassword",
    "newpassword",
    "pass",
    "password",
    "passwordpassword",
    "princess",
    "qazwsxedc",
    "qwerty",
    "qwertyuiop",
    "qwertzuiop",
    "secret",
    "sunshine",
    "superman",
    "temppassword",
    "thisisapassword",
    "welcome",
    "whatever",
];

/// Common ones that are mostly digits, or that lose their form without them.
const COMMON_AS_TYPED: [&str; 6] = [
    "1q2w3e4r5t6y",
    "1qaz2wsx3edc",
    "123qweasdzxc",
    "zaq12wsxcde3",
    "1234qwerasdf",
    "q1w2e3r4t5y6",
];

/// The longest piece that counts as repetition: "abcdabcdabcd" is four characters and a lot of
/// patience.
const PIECE_CHARS_MAX: usize = 4;

impl Passwords {
    /// Nobody works or waits yet.
    pub fn new() -> Passwords {
        let places = limit::PASSWORD_HASHES_MAX + limit::PASSWORD_WAITERS_MAX;
        Passwords {
            places: Arc::new(Semaphore::new(places)),
            workers: Arc::new(Semaphore::new(limit::PASSWORD_HASHES_MAX)),
        }
    }

    /// A new hash with a new salt, as a PHC string.
    pub async fn hash(&self, password: String) -> Result<String, PasswordError> {
        self.work(move || {
            let hash: PasswordHash =
                hasher().hash_password(password.as_bytes()).map_err(|error| fault(&error))?;
            Ok(hash.to_string())
        })
        .await
    }

    /// Whether the password is the hashed one. Without a hash it never is, after the same work.
    pub async fn verify(
        &self,
        password: String,
        hash: Option<String>,
    ) -> Result<bool, PasswordError> {
        self.work(move || {
            let stored = PasswordHash::new(hash.as_deref().unwrap_or(NOBODY))
                .map_err(|error| PasswordError::Fault(format!("the stored hash: {error}")))?;
            match hasher().verify_password(password.as_bytes(), &stored) {
                Ok(()) => Ok(hash.is_some()),
                Err(password_hash::Error::PasswordInvalid) => Ok(false),
                Err(error) => Err(fault(&error)),
            }
        })
        .await
    }

    /// The same bytes for the same secret and salt, and as hard to guess from as a stored hash.
    pub async fn digest(
        &self,
        secret: String,
        salt: [u8; DIGEST_SALT_BYTES],
    ) -> Result<[u8; DIGEST_BYTES], PasswordError> {
        self.work(move || {
            let mut digest = [0; DIGEST_BYTES];
            hasher()
                .hash_password_into(secret.as_bytes(), &salt, &mut digest)
                .map_err(|error| PasswordError::Fault(error.to_string()))?;
            Ok(digest)
        })
        .await
    }

    /// Runs one piece of work when its turn comes.
    async fn work<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, PasswordError> + Send + 'static,
    ) -> Result<T, PasswordError> {
        let turn = self.turn().await?;
        // The turn goes along: a caller who hangs up frees it only when the work is over.
        let done = task::spawn_blocking(move || {
            let result = work();
            drop(turn);
            result
        });
        done.await.map_err(|error| PasswordError::Fault(error.to_string()))?
    }

    async fn turn(&self) -> Result<[OwnedSemaphorePermit; 2], PasswordError> {
        let place = self.places.clone().try_acquire_owned().map_err(|_| PasswordError::Busy)?;
        let worker = self.workers.clone().acquire_owned().await;
        Ok([place, worker.expect("invariant: the semaphore is never closed")])
    }
}

impl Default for Passwords {
    fn default() -> Passwords {
        Passwords::new()
    }
}

/// Whether a new password is hard enough to guess. `names` are the person's and the organisation's.
///
/// Length decides; no kinds of characters are asked for, because those rules lead to worse
/// passwords.
pub fn check_strength(password: &str, email: &str, names: &[&str]) -> Result<(), FieldError> {
    let refuse = |detail: String| Err(wrong("password", detail));
    let chars = password.chars().count();
    if chars < limit::PASSWORD_CHARS_MIN {
        let min = limit::PASSWORD_CHARS_MIN;
        return refuse(format!("too short: {chars} characters, at least {min} are needed"));
    }
    if password.len() > limit::PASSWORD_BYTES_MAX {
        let (is, max) = (password.len(), limit::PASSWORD_BYTES_MAX);
        return refuse(format!("too long: {is} bytes where {max} are allowed"));
    }
    if repeats(password) || counts(password) {
        let detail = "a repeated or counted row of characters is guessed first; choose another one";
        return refuse(detail.to_owned());
    }
    let typed = letters_and_digits(password);
    let stem = stem(password);
    let common = COMMON.contains(&typed.as_str()) || COMMON_AS_TYPED.contains(&typed.as_str());
    if common {
        return refuse("one of the most common passwords; choose another one".to_owned());
    }
    let host = email.split_once('@').map_or("", |(local, _)| local);
    let own = names.iter().copied().chain([email, host]);
    // One's own name with a year at the end is one's own name.
    let is_own = |known: &str| {
        let known = letters_and_digits(known);
        !known.is_empty() && (known == typed || stem == self::stem(&known) && !stem.is_empty())
    };
    if own.into_iter().any(is_own) {
        return refuse(
            "must not be a mail address or a name of yours; choose another one".to_owned(),
        );
    }
    Ok(())
}

fn hasher() -> Argon2<'static> {
    let params = Params::new(MEMORY_KIB, PASSES, LANES, None);
    let params = params.expect("invariant: the cost is within what Argon2 allows");
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
}

fn fault(error: &password_hash::Error) -> PasswordError {
    PasswordError::Fault(error.to_string())
}

/// Whether the text is one short piece over and over; the last piece may be cut off.
fn repeats(text: &str) -> bool {
    let chars: Vec<char> = text.to_lowercase().chars().collect();
    (1..=PIECE_CHARS_MAX)
        .any(|piece| chars.len() > piece && chars.iter().zip(&chars[piece..]).all(|(a, b)| a == b))
}

/// Whether the text counts up or down, as 123456789012 and abcdefghijkl do.
fn counts(text: &str) -> bool {
    let chars: Vec<char> = text.to_lowercase().chars().collect();
    let follows = |a: char, b: char| match (a.to_digit(10), b.to_digit(10)) {
        (Some(a), Some(b)) => (a + 1) % 10 == b,
        _ => u32::from(a) + 1 == u32::from(b),
    };
    let all = |check: &dyn Fn(char, char) -> bool| chars.windows(2).all(|w| check(w[0], w[1]));
    all(&follows) || all(&|a, b| follows(b, a))
}

fn letters_and_digits(text: &str) -> String {
    text.to_lowercase().chars().filter(|c| c.is_alphanumeric()).collect()
}

/// The word inside: without digits and signs at the ends, with letters where signs stand for them.
fn stem(text: &str) -> String {
    let text = text.to_lowercase();
    let word = text.trim_matches(|c: char| !c.is_alphabetic() && c != '@' && c != '$');
    let letters = word.chars().map(|c| match c {
        '0' => 'o',
        '1' | '!' => 'i',
        '3' => 'e',
        '4' | '@' => 'a',
        '5' | '$' => 's',
        '7' => 't',
        other => other,
    });
    letters.filter(|c| c.is_alphanumeric()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    #[tokio::test]
    async fn a_password_fits_its_own_hash() {
        let passwords = Passwords::new();
        let hash = passwords.hash("correct horse".to_owned()).await.unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        assert_ne!(hash, passwords.hash("correct horse".to_owned()).await.unwrap(), "salted");
        for (password, fits) in [("correct horse", true), ("Correct horse", false), ("", false)] {
            let verified = passwords.verify(password.to_owned(), Some(hash.clone())).await;
            assert_eq!(verified, Ok(fits), "{password}");
        }
    }

    #[tokio::test]
    async fn without_an_account_the_work_is_the_same_and_the_answer_is_no() {
        let nobody = PasswordHash::new(NOBODY).unwrap();
        let real: PasswordHash = hasher().hash_password(b"any").unwrap();
        assert_eq!(nobody.params.to_string(), real.params.to_string());
        assert_eq!((nobody.algorithm, nobody.version), (real.algorithm, real.version));
        let length = |hash: &PasswordHash| hash.hash.as_ref().unwrap().len();
        assert_eq!(length(&nobody), length(&real));
        assert_eq!(Passwords::new().verify("any".to_owned(), None).await, Ok(false));
    }

    #[tokio::test]
    async fn a_damaged_hash_is_a_fault_and_not_a_wrong_password() {
        for damaged in ["", "x", "$argon2id$v=19$m=1,t=2,p=1$c2FsdHNhbHQ$aGFzaA", "$md5$x$y"] {
            let verified =
                Passwords::new().verify("any".to_owned(), Some(damaged.to_owned())).await;
            assert!(!matches!(verified, Ok(true)), "{damaged}: {verified:?}");
        }
        let verified = Passwords::new().verify("any".to_owned(), Some("x".to_owned())).await;
        assert!(matches!(verified, Err(PasswordError::Fault(_))), "{verified:?}");
    }

    #[tokio::test]
    async fn beyond_the_queue_one_is_turned_away() {
        let passwords = Passwords::new();
        let mut turns = Vec::new();
        for _ in 0..limit::PASSWORD_HASHES_MAX {
            turns.push(passwords.turn().await.unwrap());
        }
        let mut context = Context::from_waker(Waker::noop());
        let mut waiting = Vec::new();
        for _ in 0..limit::PASSWORD_WAITERS_MAX {
            let mut turn = Box::pin(passwords.turn());
            assert!(turn.as_mut().poll(&mut context).is_pending());
            waiting.push(turn);
        }
        // Asked once and not awaited: a queue that is too long would let this wait for ever.
        let refused = pin!(passwords.verify("any".to_owned(), None)).poll(&mut context);
        assert_eq!(refused, Poll::Ready(Err(PasswordError::Busy)));
        drop((turns, waiting));
        assert_eq!(passwords.verify("any".to_owned(), None).await, Ok(false));
    }

    #[test]
    fn weak_passwords_are_named() {
        let check = |password: &str| {
            check_strength(
                password,
                "ada.lovelace@example.org",
                &["Ada Lovelace", "Analytical Engines"],
            )
        };
        let long = "ab cd ef gh i".repeat(100);
        for good in ["violet kettle swims", "zqkm-vtxp-wjrh", "ünterwegs im März", "92736450018263"]
        {
            assert_eq!(check(good), Ok(()), "{good}");
        }
        for weak in [
            "",
            "sevench",
            "ééééééééééé",
            &long,
            "aaaaaaaaaaaa",
            "abcabcabcabcab",
            "123456789012",
            "987654321098",
            "abcdefghijkl",
            "PasswordPassword",
            "1q2w3e4r5t6y",
            "qwertyuiop",
            "I love you!",
            "ada.lovelace@example.org",
            "Ada Lovelace",
            "AdaLovelace1815",
            "ada.lovelace!",
            "analytical engines 1",
        ] {
            let found = check(weak).unwrap_err();
            assert_eq!(found.field, "password");
            assert!(!found.detail.contains(weak) || weak.is_empty(), "no password in an answer");
        }
    }
}
