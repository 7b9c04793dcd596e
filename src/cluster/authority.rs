//! The cluster's own certificate authority, and the keys and certificates of its nodes.
//!
//! Certificates do not expire: who belongs to the cluster is said by its membership, and a clock
//! that is wrong on an isolated site must not take the cluster apart.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa,
    Issuer, KeyPair, KeyUsagePurpose, PKCS_ED25519, PublicKeyData, SignatureAlgorithm,
};
use sha2::{Digest, Sha256};

use crate::domain::id::ClusterId;
use crate::store::Fault;

/// A machine's key pair; the private part never leaves its data directory.
pub struct MachineKey {
    /// The private key (PKCS #8, PEM).
    pub private: String,
    /// The public key: 32 bytes in base64.
    pub public: String,
}

/// The bytes of an Ed25519 public key.
const PUBLIC_KEY_BYTES: usize = 32;

struct PublicKey([u8; PUBLIC_KEY_BYTES]);

impl PublicKeyData for PublicKey {
    fn der_bytes(&self) -> &[u8] {
        &self.0
    }

    fn algorithm(&self) -> &'static SignatureAlgorithm {
        &PKCS_ED25519
    }
}

/// Makes a machine's key pair.
pub fn machine_key() -> Result<MachineKey, Fault> {
    let pair = new_pair()?;
    Ok(MachineKey { private: pair.serialize_pem(), public: STANDARD.encode(pair.public_key_raw()) })
}

/// What the state keeps of a public key: SHA-256 in hexadecimal digits; `None` if it is none.
pub fn fingerprint(public: &str) -> Option<String> {
    let key = read_public(public)?;
    Some(Sha256::digest(key.0).iter().map(|byte| format!("{byte:02x}")).collect())
}

/// Makes the authority of a cluster: certificate and key (PEM).
pub fn found(cluster: ClusterId) -> Result<(String, String), Fault> {
    let pair = new_pair()?;
    let certificate = params(cluster).self_signed(&pair).map_err(cannot_sign)?;
    Ok((certificate.pem(), pair.serialize_pem()))
}

/// Signs the certificate of a node (PEM).
pub fn certify(
    cluster: ClusterId,
    authority_key: &str,
    node: u64,
    public: &str,
) -> Result<String, Fault> {
    let pair = KeyPair::from_pem(authority_key)
        .map_err(|e| Fault::new("the key of the cluster's authority cannot be read", e))?;
    let key = read_public(public)
        .ok_or_else(|| Fault::plain("a node's public key is not 32 bytes in base64"))?;
    let mut node_params = CertificateParams::new(vec![name(cluster, node)]).map_err(cannot_sign)?;
    node_params.distinguished_name = common_name(&format!("Greenroom node {node}"));
    node_params.use_authority_key_identifier_extension = true;
    node_params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    node_params.extended_key_usages =
        vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
    let issuer = Issuer::new(params(cluster), pair);
    Ok(node_params.signed_by(&key, &issuer).map_err(cannot_sign)?.pem())
}

/// The name in a node's certificate. Both sides of a connection check it.
pub(super) fn name(cluster: ClusterId, node: u64) -> String {
    format!("node-{node}.{cluster}.greenroom")
}

fn params(cluster: ClusterId) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = common_name(&format!("Greenroom cluster {cluster}"));
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::DigitalSignature];
    params
}

fn common_name(text: &str) -> DistinguishedName {
    let mut name = DistinguishedName::new();
    name.push(DnType::CommonName, text);
    name
}

fn new_pair() -> Result<KeyPair, Fault> {
    KeyPair::generate_for(&PKCS_ED25519).map_err(|e| Fault::new("no key could be made", e))
}

fn read_public(public: &str) -> Option<PublicKey> {
    let bytes = STANDARD.decode(public).ok()?;
    Some(PublicKey(bytes.try_into().ok()?))
}

fn cannot_sign(error: rcgen::Error) -> Fault {
    Fault::new("a certificate could not be signed", error)
}
