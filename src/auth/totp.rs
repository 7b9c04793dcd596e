//! One-time codes by time (RFC 6238): HMAC-SHA-1, six digits, thirty seconds, as every app for them
//! understands.

use aws_lc_rs::hmac;
use aws_lc_rs::rand::{SecureRandom, SystemRandom};

use crate::domain::time::Time;

/// Seconds of one step.
const STEP_SECONDS: i64 = 30;

/// Bytes of a secret: what RFC 4226 recommends.
const SECRET_BYTES: usize = 20;

/// RFC 4648, 6.
const BASE32: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// Recovery codes that somebody gets: as many as are printed on one card.
pub const RECOVERY_CODES: usize = 10;

/// Letters of a recovery code: 32 to the 16th power, so that a fast hash of it is enough.
const RECOVERY_LETTERS: usize = 16;

/// There was no randomness to be had.
#[derive(Debug, thiserror::Error)]
#[error("this machine gives no random numbers")]
pub struct NoChance;

/// A new secret, in base32.
pub fn secret() -> Result<String, NoChance> {
    letters(SECRET_BYTES * 8 / 5)
}

/// New recovery codes, in groups of four.
pub fn recovery_codes() -> Result<Vec<String>, NoChance> {
    let code = || {
        let letters = letters(RECOVERY_LETTERS)?.to_lowercase();
        let groups: Vec<&str> =
            (0..RECOVERY_LETTERS / 4).map(|n| &letters[n * 4..n * 4 + 4]).collect();
        Ok(groups.join("-"))
    };
    (0..RECOVERY_CODES).map(|_| code()).collect()
}

/// A recovery code as it is hashed, however it was typed.
pub fn plain(code: &str) -> String {
    code.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_lowercase()
}

/// The address that an app reads, for instance from a QR code.
pub fn uri(secret: &str, organisation: &str, email: &str) -> String {
    let (issuer, account) = (escaped(organisation), escaped(email));
    format!("otpauth://totp/{issuer}:{account}?secret={secret}&issuer={issuer}&digits=6&period=30")
}

/// The step whose code this is: of now, or one earlier or later, because clocks differ.
pub fn step_of(secret: &str, code: &str, now: Time) -> Option<u64> {
    let code = code.trim();
    if code.len() != 6 || !code.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let key = unpacked(secret)?;
    let step = now.0.div_euclid(1_000 * STEP_SECONDS);
    let steps = [step, step - 1, step + 1].into_iter().filter_map(|step| u64::try_from(step).ok());
    steps.into_iter().find(|step| {
        let wanted = code_at(&key, *step);
        aws_lc_rs::constant_time::verify_slices_are_equal(wanted.as_bytes(), code.as_bytes())
            .is_ok()
    })
}

fn code_at(key: &[u8], step: u64) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, key);
    let tag = hmac::sign(&key, &step.to_be_bytes());
    let tag = tag.as_ref();
    let at = usize::from(tag.last().copied().unwrap_or(0) & 0xf);
    let word = tag.iter().skip(at).take(4).fold(0_u32, |word, byte| word << 8 | u32::from(*byte));
    format!("{:06}", (word & 0x7fff_ffff) % 1_000_000)
}

fn letters(count: usize) -> Result<String, NoChance> {
    let mut bytes = vec![0; count];
    SystemRandom::new().fill(&mut bytes).map_err(|_| NoChance)?;
    // 256 is a multiple of 32: every letter is as likely.
    Ok(bytes.iter().map(|byte| char::from(BASE32[usize::from(byte % 32)])).collect())
}

fn unpacked(base32: &str) -> Option<Vec<u8>> {
    let (mut bits, mut count, mut bytes) = (0_u32, 0, Vec::new());
    for letter in base32.bytes() {
        let value = BASE32.iter().position(|known| *known == letter)?;
        bits = bits << 5 | u32::try_from(value).ok()?;
        count += 5;
        if count >= 8 {
            count -= 8;
            bytes.push((bits >> count & 0xff) as u8);
        }
    }
    Some(bytes)
}

/// For the path of an address (RFC 3986, 2.3).
fn escaped(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                char::from(byte).to_string()
            }
            other => format!("%{other:02X}"),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 6238, appendix B, whose codes have eight digits: ours are the last six.
    #[test]
    fn codes_are_those_of_the_standard() {
        let secret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";
        assert_eq!(unpacked(secret).unwrap(), b"12345678901234567890");
        let vectors = [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_111_111_111, "050471"),
            (1_234_567_890, "005924"),
            (2_000_000_000, "279037"),
            (20_000_000_000, "353130"),
        ];
        for (seconds, code) in vectors {
            let now = Time(seconds * 1_000);
            let step = (seconds / 30) as u64;
            assert_eq!(step_of(secret, code, now), Some(step), "{seconds}");
            // One step of drift either way, and no more.
            assert_eq!(step_of(secret, code, now.plus_ms(30_000)), Some(step));
            assert_eq!(step_of(secret, code, now.plus_ms(-30_000)), Some(step));
            assert_eq!(step_of(secret, code, now.plus_ms(90_000)), None);
        }
        for wrong in ["", "28708", "2870822", "abcdef", "\u{661}87082"] {
            assert_eq!(step_of(secret, wrong, Time(59_000)), None, "{wrong}");
        }
    }

    #[test]
    fn secrets_and_codes_are_new_each_time_and_can_be_typed() {
        let one = secret().unwrap();
        assert_eq!((one.len(), unpacked(&one).unwrap().len()), (32, SECRET_BYTES));
        assert_ne!(one, secret().unwrap());
        let codes = recovery_codes().unwrap();
        assert_eq!(codes.len(), RECOVERY_CODES);
        assert!(codes.iter().all(|code| code.len() == 19), "{codes:?}");
        assert_eq!(plain(" ABCD-efgh 2345"), "abcdefgh2345");
        assert_eq!(
            uri("AB", "Lamp & Co", "ada@example.org"),
            "otpauth://totp/Lamp%20%26%20Co:ada%40example.org?secret=AB&issuer=Lamp%20%26%20Co\
             &digits=6&period=30"
        );
    }
}
