//! The keys of access tokens: the one that signs, and those before it whose tokens still hold.
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
    /// Opens a signing key (PKCS #8, base64), with the public halves of former ones (base64).
    pub(super) fn open(signing_key: &str, former: &[(String, Time)]) -> Result<Ring, Fault> {
        let der = STANDARD.decode(signing_key).map_err(|_| Fault::SigningKey)?;
        let pair = Ed25519KeyPair::from_pkcs8(&der).map_err(|_| Fault::SigningKey)?;
        let former = former.iter().map(|(text, until)| {
            let bytes = STANDARD.decode(text).map_err(|_| Fault::SigningKey)?;
            Ok((PublicKey::new(bytes), *until))
        });
        Ok(Ring {
            signing: EncodingKey::from_ed_der(&der),
            present: PublicKey::new(pair.public_key().as_ref().to_vec()),
            former: former.collect::<Result<_, _>>()?,
        })
    }

    /// The key that a token names, if its tokens are taken now.
    pub(super) fn find(&self, id: &str, now: Time) -> Option<&PublicKey> {
        let of_former = || {
            let held = self.former.iter().filter(|(_, until)| *until > now);
            held.map(|(key, _)| key).find(|key| key.id == id)
        };
        Some(&self.present).filter(|key| key.id == id).or_else(of_former)
    }

    /// All of them as a JWK set.
    pub(super) fn jwks(&self, now: Time) -> serde_json::Value {
        let held = self.former.iter().filter(|(_, until)| *until > now).map(|(key, _)| key);
        let keys: Vec<_> = [&self.present].into_iter().chain(held).map(PublicKey::jwk).collect();
        serde_json::json!({ "keys": keys })
    }
}

/// Makes a signing key (PKCS #8, base64).
pub fn new_signing_key() -> Result<String, Fault> {
    let pair = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new());
    Ok(STANDARD.encode(pair.map_err(|_| Fault::NoRandomness)?.as_ref()))
}
