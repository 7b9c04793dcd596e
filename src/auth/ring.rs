//! The keys of access tokens: the one that signs, those before it whose tokens still hold, and the
//! one after it, which others are told of before it signs.
//!
//! **Invariant:** a token is checked with the key that its `kid` names and with no other one; what
//! a key is for is fixed here (EdDSA), never by the token.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jsonwebtoken::{DecodingKey, EncodingKey};
use sha2::{Digest, Sha256};

use super::secret::{Fault, hex};
use crate::domain::time::Time;

/// The keys that are in force together.
pub(super) struct Ring {
    pub(super) signing: EncodingKey,
    pub(super) present: PublicKey,
    former: Vec<(PublicKey, Time)>,
    next: Option<PublicKey>,
}

/// The keys by their names (`kid`).
pub struct KeyNames {
    /// The one that signs.
    pub present: String,
    /// The one that signs next.
    pub next: Option<String>,
    /// Those before, whose tokens are still taken.
    pub former: Vec<String>,
}

/// What others check tokens with.
pub(super) struct PublicKey {
    pub(super) id: String,
    pub(super) verifying: DecodingKey,
    bytes: Vec<u8>,
}

impl PublicKey {
    fn new(bytes: Vec<u8>) -> PublicKey {
        let id = hex(&Sha256::digest(&bytes)[..8]);
        PublicKey { id, verifying: DecodingKey::from_ed_der(&bytes), bytes }
    }

    /// Reads one as the state keeps it.
    fn open(text: &str) -> Result<PublicKey, Fault> {
        STANDARD.decode(text).map(PublicKey::new).map_err(|_| Fault::SigningKey)
    }

    /// The key as a JWK (RFC 8037).
    fn jwk(&self) -> serde_json::Value {
        serde_json::json!({
            "kty": "OKP",
            "crv": "Ed25519",
            "x": URL_SAFE_NO_PAD.encode(&self.bytes),
            "kid": self.id,
            "use": "sig",
            "alg": "EdDSA",
        })
    }

    /// As the state keeps it.
    pub(super) fn text(&self) -> String {
        STANDARD.encode(&self.bytes)
    }
}

impl Ring {
    /// Opens a signing key (PKCS #8, base64), with the public halves of those before it and of the
    /// one after it (base64).
    pub(super) fn open(
        signing_key: &str,
        former: &[(String, Time)],
        next: Option<&str>,
    ) -> Result<Ring, Fault> {
        let der = STANDARD.decode(signing_key).map_err(|_| Fault::SigningKey)?;
        let pair = Ed25519KeyPair::from_pkcs8(&der).map_err(|_| Fault::SigningKey)?;
        let former = former.iter().map(|(text, until)| Ok((PublicKey::open(text)?, *until)));
        Ok(Ring {
            signing: EncodingKey::from_ed_der(&der),
            present: PublicKey::new(pair.public_key().as_ref().to_vec()),
            former: former.collect::<Result<_, _>>()?,
            next: next.map(PublicKey::open).transpose()?,
        })
    }

    /// The key that a token names, if its tokens are taken now. Not the next one: it has signed
    /// nothing yet.
    pub(super) fn find(&self, id: &str, now: Time) -> Option<&PublicKey> {
        let present = [&self.present].into_iter();
        present.chain(self.held(now)).find(|key| key.id == id)
    }

    /// All of them as a JWK set: programs elsewhere are to know the next one when it begins.
    pub(super) fn jwks(&self, now: Time) -> serde_json::Value {
        let others = self.held(now).chain(&self.next);
        let keys: Vec<_> = [&self.present].into_iter().chain(others).map(PublicKey::jwk).collect();
        serde_json::json!({ "keys": keys })
    }

    /// How they are called.
    pub(super) fn names(&self, now: Time) -> KeyNames {
        KeyNames {
            present: self.present.id.clone(),
            next: self.next.as_ref().map(|key| key.id.clone()),
            former: self.held(now).map(|key| key.id.clone()).collect(),
        }
    }

    /// The former ones whose tokens are still taken.
    fn held(&self, now: Time) -> impl Iterator<Item = &PublicKey> {
        self.former.iter().filter(move |(_, until)| *until > now).map(|(key, _)| key)
    }
}

/// Makes a signing key (PKCS #8, base64).
pub fn new_signing_key() -> Result<String, Fault> {
    let pair = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new());
    Ok(STANDARD.encode(pair.map_err(|_| Fault::NoRandomness)?.as_ref()))
}

/// The public half of a signing key (base64).
pub fn public_half(signing_key: &str) -> Result<String, Fault> {
    Ok(Ring::open(signing_key, &[], None)?.present.text())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_key_is_told_and_opens_nothing() {
        let [one, two] = [(); 2].map(|()| new_signing_key().unwrap());
        let next = public_half(&two).unwrap();
        let ring = Ring::open(&one, &[], Some(&next)).unwrap();
        let now = Time(1);
        let names = ring.names(now);
        let kids: Vec<_> = ring.jwks(now)["keys"].as_array().unwrap().clone();
        let kids: Vec<_> = kids.iter().map(|key| key["kid"].as_str().unwrap()).collect();
        let told = names.next.unwrap();
        assert_eq!(kids, [names.present.as_str(), told.as_str()]);
        assert!(ring.find(&names.present, now).is_some());
        assert!(ring.find(&told, now).is_none());
        let damaged = Ring::open(&one, &[], Some("%")).err();
        assert_eq!(damaged, Some(Fault::SigningKey));
    }
}
