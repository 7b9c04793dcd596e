//! The cluster's secrets, and the links and cookies that are derived from them.
//!
//! A derived token names an id and a generation and proves both with a keyed hash. So no link is
//! ever stored in clear, a repeated request can show the same link again, and raising the stored
//! generation ends every older link.
//!
//! **Invariant:** one meaning has one spelling. A token that was changed in any way opens nothing.

use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use aws_lc_rs::agreement::{ECDH_P256, PrivateKey};
use aws_lc_rs::encoding::{AsDer, EcPrivateKeyRfc5915Der};
use aws_lc_rs::hmac;
use aws_lc_rs::rand;
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jsonwebtoken::crypto::aws_lc;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::ring::{Ring, new_signing_key};
use crate::domain::time::Time;

/// The cluster's secrets, opened. One of them signs access tokens, the other one derives links.
pub struct Secrets {
    ring: RwLock<Arc<Ring>>,
    linking: hmac::Key,
}

/// What a derived token is for; a token of one purpose opens nothing of another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// The browser's session cookie.
    Cookie,
    /// The token that renews a login.
    Refresh,
    /// An invite or a password reset.
    Invite,
    /// A shared report.
    Share,
    /// The token of a program.
    ApiToken,
    /// The proof that a write comes from our own page.
    Csrf,
    /// The first run.
    Setup,
    /// A machine that asks to become a node.
    Join,
    /// The browser's part of a journey to an OpenID provider.
    OidcCookie,
    /// The part of it that the provider sends back.
    OidcState,
    /// The part of it that the provider signs.
    OidcNonce,
    /// The part of it that only we know (PKCE).
    OidcVerifier,
}

/// Why the secrets cannot be made or opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// The system gave no random bytes.
    #[error("the operating system gave no random bytes, so no secret can be made")]
    NoRandomness,
    /// The stored signing key is damaged.
    #[error("the cluster's signing key is not a base64 Ed25519 key in PKCS #8; restore a backup")]
    SigningKey,
    /// No key of the authority for browsers could be derived.
    #[error("the key of the cluster's local authority cannot be derived")]
    AuthorityKey,
    /// The stored link key is damaged.
    #[error("the cluster's link key is not {LINK_KEY_BYTES} bytes in base64; restore a backup")]
    LinkKey,
}

/// As long as the hash that it feeds.
const LINK_KEY_BYTES: usize = 32;

/// What the key of the local authority is derived under; no purpose of a link has this name.
const AUTHORITY_KEY: &str = "local-authority-key";

/// 256 bits: nobody finds one by trying.
const RANDOM_TOKEN_BYTES: usize = 32;

/// An id and a generation.
const CLAIM_BYTES: usize = 16 + 4;

/// A claim and its proof.
const LINK_BYTES: usize = CLAIM_BYTES + 32;

/// [`LINK_BYTES`] in base64url; anything else is refused before it is decoded.
const LINK_CHARS: usize = (LINK_BYTES * 4).div_ceil(3);

impl Secrets {
    /// Makes the secrets of a new cluster: the signing key and the link key, as `Command::Found`
    /// has them.
    pub fn mint() -> Result<(String, String), Fault> {
        let mut link_key = [0; LINK_KEY_BYTES];
        rand::fill(&mut link_key).map_err(|_| Fault::NoRandomness)?;
        Ok((new_signing_key()?, STANDARD.encode(link_key)))
    }

    /// Opens the secrets of this cluster.
    pub fn open(signing_key: &str, link_key: &str) -> Result<Secrets, Fault> {
        // Two back ends in one build would leave the choice open and panic at the first token. The
        // second call of a process finds the choice made, which is what it wants.
        let _ = aws_lc::DEFAULT_PROVIDER.install_default();

        let ring = Ring::open(signing_key, &[], None)?;
        let link_key = STANDARD.decode(link_key).map_err(|_| Fault::LinkKey)?;
        if link_key.len() != LINK_KEY_BYTES {
            return Err(Fault::LinkKey);
        }
        Ok(Secrets {
            ring: RwLock::new(Arc::new(ring)),
            linking: hmac::Key::new(hmac::HMAC_SHA256, &link_key),
        })
    }

    /// The keys of access tokens that are in force here.
    pub(super) fn ring(&self) -> Arc<Ring> {
        self.ring.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Takes over the keys that the state has now.
    pub fn turn(
        &self,
        signing_key: &str,
        former: &[(String, Time)],
        next: Option<&str>,
    ) -> Result<(), Fault> {
        let ring = Arc::new(Ring::open(signing_key, former, next)?);
        *self.ring.write().unwrap_or_else(PoisonError::into_inner) = ring;
        Ok(())
    }

    /// The public half of the key that signs, as the state keeps it.
    pub fn public_key(&self) -> String {
        self.ring().present.text()
    }

    /// The token for an id and a generation; the same three always give the same token.
    pub fn link(&self, purpose: Purpose, id: Uuid, generation: u32) -> String {
        let claim = claim(id, generation);
        let mut bytes = Vec::with_capacity(LINK_BYTES);
        bytes.extend_from_slice(&claim);
        bytes.extend_from_slice(hmac::sign(&self.linking, &signed(purpose, &claim)).as_ref());
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// The id and the generation of a token of ours. Whether that generation still holds is for the
    /// state to say. The proof is compared in constant time.
    pub fn open_link(&self, purpose: Purpose, token: &str) -> Option<(Uuid, u32)> {
        if token.len() != LINK_CHARS {
            return None;
        }
        let bytes = URL_SAFE_NO_PAD.decode(token).ok()?;
        let (claim, proof) = bytes.split_first_chunk::<CLAIM_BYTES>()?;
        hmac::verify(&self.linking, &signed(purpose, claim), proof).ok()?;
        let (id, generation) = claim.split_first_chunk::<16>()?;
        Some((Uuid::from_bytes(*id), u32::from_be_bytes(generation.try_into().ok()?)))
    }

    /// The private key of the authority that signs for browsers (P-256; SEC 1 DER, RFC 5915).
    /// Derived, so that every node of the cluster has the same one and none has to be stored: what
    /// people's machines trust outlives a node.
    pub fn authority_key(&self) -> Result<Vec<u8>, Fault> {
        // Less than one in 2^32 scalars is none of the curve; a next one is derived then.
        for attempt in 0..=u8::MAX {
            let message = [AUTHORITY_KEY.as_bytes(), &[0, attempt]].concat();
            let scalar = hmac::sign(&self.linking, &message);
            let Ok(key) = PrivateKey::from_private_key(&ECDH_P256, scalar.as_ref()) else {
                continue;
            };
            let der: Result<EcPrivateKeyRfc5915Der<'_>, _> = key.as_der();
            return der.map(|der| der.as_ref().to_vec()).map_err(|_| Fault::AuthorityKey);
        }
        Err(Fault::AuthorityKey)
    }
}

impl fmt::Debug for Secrets {
    /// Shows nothing, for a log line may quote whatever holds the secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secrets(..)")
    }
}

impl Purpose {
    /// The name that the proof is bound to. It is part of every link in the field and never
    /// changes.
    const fn as_str(self) -> &'static str {
        match self {
            Purpose::Cookie => "cookie",
            Purpose::Refresh => "refresh",
            Purpose::Invite => "invite",
            Purpose::Share => "share",
            Purpose::ApiToken => "api-token",
            Purpose::Csrf => "csrf",
            Purpose::Setup => "setup",
            Purpose::Join => "join",
            Purpose::OidcCookie => "oidc-cookie",
            Purpose::OidcState => "oidc-state",
            Purpose::OidcNonce => "oidc-nonce",
            Purpose::OidcVerifier => "oidc-verifier",
        }
    }
}

/// A token that names nothing and that nobody can guess.
pub fn random_token() -> String {
    let mut bytes = [0; RANDOM_TOKEN_BYTES];
    rand::fill(&mut bytes).expect("invariant: the operating system gives random bytes");
    URL_SAFE_NO_PAD.encode(bytes)
}

/// What is stored of a token: its SHA-256 in hexadecimal digits. A token has 256 random bits, so a
/// slow hash would add nothing.
pub fn hash_token(token: &str) -> String {
    hex(&Sha256::digest(token.as_bytes()))
}

fn claim(id: Uuid, generation: u32) -> [u8; CLAIM_BYTES] {
    let mut claim = [0; CLAIM_BYTES];
    claim[..16].copy_from_slice(id.as_bytes());
    claim[16..].copy_from_slice(&generation.to_be_bytes());
    claim
}

/// What the proof is over: the NUL ends the purpose, so that no two purposes can run into the
/// claim.
fn signed(purpose: Purpose, claim: &[u8; CLAIM_BYTES]) -> Vec<u8> {
    let purpose = purpose.as_str().as_bytes();
    let mut message = Vec::with_capacity(purpose.len() + 1 + CLAIM_BYTES);
    message.extend_from_slice(purpose);
    message.push(0);
    message.extend_from_slice(claim);
    message
}

pub(super) fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |nibble: u8| char::from(DIGITS[usize::from(nibble)]);
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const PURPOSES: [Purpose; 12] = [
        Purpose::ApiToken,
        Purpose::Cookie,
        Purpose::Refresh,
        Purpose::Invite,
        Purpose::Share,
        Purpose::Csrf,
        Purpose::Setup,
        Purpose::Join,
        Purpose::OidcCookie,
        Purpose::OidcState,
        Purpose::OidcNonce,
        Purpose::OidcVerifier,
    ];

    fn secrets() -> Secrets {
        let (signing_key, link_key) = Secrets::mint().unwrap();
        Secrets::open(&signing_key, &link_key).unwrap()
    }

    #[test]
    fn a_link_opens_for_its_own_purpose_and_cluster_only() {
        let (here, elsewhere) = (secrets(), secrets());
        let id = Uuid::from_u128(0x019a_0b1c_2d3e_7f40_8a5b_6c7d_8e9f_0a1b);
        for purpose in PURPOSES {
            for generation in [0, 1, u32::MAX] {
                let link = here.link(purpose, id, generation);
                assert_eq!(link.len(), LINK_CHARS);
                assert_eq!(link, here.link(purpose, id, generation));
                assert_eq!(elsewhere.open_link(purpose, &link), None);
                for other in PURPOSES {
                    let opened = (other == purpose).then_some((id, generation));
                    assert_eq!(here.open_link(other, &link), opened);
                }
            }
        }
    }

    #[test]
    fn links_keep_their_form_for_good() {
        let link_key = STANDARD.encode([7; LINK_KEY_BYTES]);
        let secrets = Secrets::open(&Secrets::mint().unwrap().0, &link_key).unwrap();
        let link = secrets.link(Purpose::Invite, Uuid::from_u128(1), 2);
        assert_eq!(link, "AAAAAAAAAAAAAAAAAAAAAQAAAALhsuZBUmqrpP9EPM7czLo7ecFq7b9NT9mcGPsgtPy5mg");
    }

    #[test]
    fn the_local_authority_has_one_key_in_a_cluster_and_another_one_elsewhere() {
        let link_key = STANDARD.encode([7; LINK_KEY_BYTES]);
        let open = || Secrets::open(&Secrets::mint().unwrap().0, &link_key).unwrap();
        let key = open().authority_key().unwrap();
        assert_eq!(key, open().authority_key().unwrap());
        assert_ne!(key, secrets().authority_key().unwrap());
        // Machines trust it for years, so its derivation never changes.
        assert_eq!(hash_token(&STANDARD.encode(&key))[..16], *"7654433475f7d49a");
    }

    #[test]
    fn a_changed_link_opens_nothing() {
        let secrets = secrets();
        let link = secrets.link(Purpose::Invite, Uuid::from_u128(1), 7);
        for at in 0..link.len() {
            let put = if link.as_bytes()[at] == b'A' { "B" } else { "A" };
            let mut changed = link.clone();
            changed.replace_range(at..=at, put);
            assert_eq!(secrets.open_link(Purpose::Invite, &changed), None, "{changed}");
        }
        for wrong in
            ["", "=", &link[1..], &format!("{link}A"), &format!("{link}="), &" ".repeat(70)]
        {
            assert_eq!(secrets.open_link(Purpose::Invite, wrong), None, "{wrong}");
        }
    }

    #[test]
    fn damaged_secrets_are_named() {
        let (signing_key, link_key) = Secrets::mint().unwrap();
        let failure = |signing: &str, link: &str| Secrets::open(signing, link).err();
        assert_eq!(failure(&signing_key, &link_key), None);
        for damaged in ["", "%", "AAAA", &signing_key[4..], link_key.as_str()] {
            assert_eq!(failure(damaged, &link_key), Some(Fault::SigningKey), "{damaged}");
        }
        for damaged in ["", "%", "AAAA", signing_key.as_str()] {
            assert_eq!(failure(&signing_key, damaged), Some(Fault::LinkKey), "{damaged}");
        }
    }

    #[test]
    fn secrets_do_not_show_themselves() {
        assert_eq!(format!("{:?}", secrets()), "Secrets(..)");
    }

    #[test]
    fn random_tokens_differ_and_are_stored_as_hashes() {
        let token = random_token();
        assert_eq!(token.len(), 43);
        assert_ne!(token, random_token());
        assert_eq!(
            hash_token("abc"),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
    }
}
