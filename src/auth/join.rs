//! How a machine that wants to become a node and the cluster prove themselves to each other over
//! plain HTTP: each shows a keyed hash with the join token as the key, over all that it says. The
//! token itself never crosses the wire, and nothing that does is a secret.

use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use uuid::Uuid;

/// Who speaks; a proof of one side is none of the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The machine that asks.
    Machine,
    /// The cluster that answers.
    Cluster,
}

/// The id in a join token, which may be said aloud; `None` if it is no token.
pub fn token_id(token: &str) -> Option<Uuid> {
    let bytes = URL_SAFE_NO_PAD.decode(token).ok()?;
    let (id, _) = bytes.split_first_chunk::<16>()?;
    Some(Uuid::from_bytes(*id))
}

/// The proof over what one side says.
pub fn prove(token: &str, side: Side, said: &[&str]) -> String {
    URL_SAFE_NO_PAD.encode(hmac::sign(&key(token), &message(side, said)))
}

/// Whether a proof fits; compared in constant time.
pub fn is_proven(token: &str, side: Side, said: &[&str], proof: &str) -> bool {
    URL_SAFE_NO_PAD
        .decode(proof)
        .is_ok_and(|proof| hmac::verify(&key(token), &message(side, said), &proof).is_ok())
}

fn key(token: &str) -> hmac::Key {
    hmac::Key::new(hmac::HMAC_SHA256, token.as_bytes())
}

/// Each part with its length, so that no two lists of parts make one message.
fn message(side: Side, said: &[&str]) -> Vec<u8> {
    let side: &[u8] = match side {
        Side::Machine => b"greenroom join machine\0",
        Side::Cluster => b"greenroom join cluster\0",
    };
    let mut message = side.to_vec();
    for part in said {
        message.extend_from_slice(&(part.len() as u64).to_be_bytes());
        message.extend_from_slice(part.as_bytes());
    }
    message
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::secret::{Purpose, Secrets};

    #[test]
    fn a_proof_fits_its_token_side_and_words_only() {
        let (signing_key, link_key) = Secrets::mint().unwrap();
        let secrets = Secrets::open(&signing_key, &link_key).unwrap();
        let id = Uuid::from_u128(5);
        let token = secrets.link(Purpose::Join, id, 0);
        assert_eq!(token_id(&token), Some(id));
        let proof = prove(&token, Side::Machine, &["key", "address"]);
        assert!(is_proven(&token, Side::Machine, &["key", "address"], &proof));
        assert!(!is_proven(&token, Side::Cluster, &["key", "address"], &proof));
        assert!(!is_proven(&token, Side::Machine, &["keya", "ddress"], &proof));
        assert!(!is_proven(&token, Side::Machine, &["key"], &proof));
        assert!(!is_proven(&token[1..], Side::Machine, &["key", "address"], &proof));
        assert!(!is_proven(&token, Side::Machine, &["key", "address"], ""));
        assert_eq!(token_id("no token"), None);
    }
}
