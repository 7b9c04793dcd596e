//! A site's own authority for browsers: certificates where nobody else gives any.
//!
//! People install its certificate and trust it from then on, so it binds itself to private networks
//! and to the names that were set: whoever steals its key cannot pass for a bank with it.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use jiff::civil::Date;
use rcgen::{
    BasicConstraints, CertificateParams, CidrSubnet, DistinguishedName, DnType,
    ExtendedKeyUsagePurpose, GeneralSubtree, IsCa, Issuer, KeyPair, KeyUsagePurpose,
    NameConstraints, PKCS_ECDSA_P256_SHA256, SanType, date_time_ymd,
};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, PrivateSec1KeyDer};
use sha2::{Digest, Sha256};
use x509_parser::prelude::{FromDer, X509Certificate};

use crate::domain::id::ClusterId;

use super::Site;

/// A certificate's life in days: short, because they are renewed without anybody's doing.
const LIFE_DAYS: i64 = 90;

/// Days before its end at which a certificate is renewed.
pub(super) const RENEWAL_DAYS: i64 = 30;

/// The authority's life in years: as long as an installation, for people installed it by hand.
const AUTHORITY_YEARS: i32 = 20;

/// Names that no public site has: those set aside for private use, and `localhost`.
const PRIVATE_NAMES: [&str; 6] = ["localhost", "local", "internal", "lan", "home.arpa", "test"];

/// Where the node is found.
pub struct Place {
    /// The address of the listener.
    pub listen: SocketAddr,
    /// The base of links.
    pub public_url: String,
}

/// The authority, opened.
pub(super) struct Authority {
    key: Vec<u8>,
    params: CertificateParams,
    names: Vec<SanType>,
}

impl Authority {
    /// Opens it, and puts its certificate where the operator finds it.
    pub(super) fn open(site: &Site<'_>, names: &[String]) -> Result<Authority, String> {
        let key = site.secrets.authority_key().map_err(|error| error.to_string())?;
        let hosts = hosts(&site.place, names);
        let names = hosts.iter().map(|host| san(host)).collect::<Result<_, _>>()?;
        let params = params(site.cluster, &hosts)?;
        let authority = Authority { key, params, names };
        authority.put_down(site)?;
        Ok(authority)
    }

    /// A fresh certificate with its key, which is never on a disk.
    pub(super) fn certify(
        &self,
    ) -> Result<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>), String> {
        let issuer = Issuer::new(self.params.clone(), self.pair()?);
        let pair = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).map_err(|e| e.to_string())?;
        let today = jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).date();
        let mut params = CertificateParams::default();
        params.subject_alt_names = self.names.clone();
        params.distinguished_name = common_name("Greenroom");
        params.use_authority_key_identifier_extension = true;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        // A day back, for clocks that are behind.
        params.not_before = moment(today, -1)?;
        params.not_after = moment(today, LIFE_DAYS)?;
        let certificate = params.signed_by(&pair, &issuer).map_err(|e| e.to_string())?;
        let key = PrivatePkcs8KeyDer::from(pair.serialize_der());
        Ok((vec![certificate.der().clone()], PrivateKeyDer::from(key)))
    }

    fn pair(&self) -> Result<KeyPair, String> {
        let key = PrivateKeyDer::Sec1(PrivateSec1KeyDer::from(self.key.clone()));
        KeyPair::from_der_and_sign_algo(&key, &PKCS_ECDSA_P256_SHA256).map_err(|e| e.to_string())
    }

    /// Writes the certificate, unless the one that is there says the same: signatures of this kind
    /// differ each time, and a file that changes would look as if it had to be installed again.
    fn put_down(&self, site: &Site<'_>) -> Result<(), String> {
        let path = site.directory.local_authority();
        let made = self.params.self_signed(&self.pair()?).map_err(|e| e.to_string())?;
        let there = std::fs::read(&path).ok();
        let there = there.and_then(|pem| CertificateDer::from_pem_slice(&pem).ok());
        let same = there.as_ref().is_some_and(|there| said(there) == said(made.der()));
        let shown = if same {
            there.unwrap_or_else(|| made.der().clone())
        } else {
            let written = site.directory.write_secret(&path, &made.pem());
            written.map_err(|error| error.to_string())?;
            made.der().clone()
        };
        let digits: Vec<String> =
            Sha256::digest(&shown).iter().map(|byte| format!("{byte:02X}")).collect();
        tracing::info!(
            file = %path.display(),
            sha256 = digits.join(":"),
            "browsers trust this node once this certificate is installed"
        );
        Ok(())
    }
}

/// What a certificate says, without its signature.
fn said(certificate: &CertificateDer<'_>) -> Option<Vec<u8>> {
    let (_, parsed) = X509Certificate::from_der(certificate).ok()?;
    Some(parsed.tbs_certificate.as_ref().to_vec())
}

/// How the node is called, each name once.
fn hosts(place: &Place, names: &[String]) -> Vec<String> {
    let authority = place.public_url.rsplit("//").next().unwrap_or_default();
    let public = match authority.strip_prefix('[') {
        Some(rest) => rest.split(']').next(),
        None => authority.split(':').next(),
    };
    let mut hosts = vec!["localhost".to_owned(), "127.0.0.1".to_owned(), "::1".to_owned()];
    let more = public.map(str::to_owned).into_iter();
    let more = more.chain([place.listen.ip().to_string()]).chain(names.iter().cloned());
    for host in more {
        let nowhere = host.parse::<IpAddr>().is_ok_and(|ip| ip.is_unspecified());
        if !host.is_empty() && !nowhere && !hosts.contains(&host) {
            hosts.push(host);
        }
    }
    hosts
}

fn san(host: &str) -> Result<SanType, String> {
    match host.parse::<IpAddr>() {
        Ok(address) => Ok(SanType::IpAddress(address)),
        Err(_) => {
            let name = host.try_into().map_err(|_| format!("{host} cannot be in a certificate"))?;
            Ok(SanType::DnsName(name))
        }
    }
}

/// The authority as a certificate. Everything in it follows from the cluster and the names, so that
/// each node and each start say the same.
fn params(cluster: ClusterId, hosts: &[String]) -> Result<CertificateParams, String> {
    let mut params = CertificateParams::default();
    let mut name = common_name("Greenroom local authority");
    name.push(DnType::OrganizationalUnitName, cluster.to_string());
    params.distinguished_name = name;
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::DigitalSignature];
    let year = founded(cluster)?;
    params.not_before = date_time_ymd(i32::from(year), 1, 1);
    params.not_after = date_time_ymd(i32::from(year) + AUTHORITY_YEARS, 1, 1);
    let mut permitted: Vec<_> = PRIVATE_NAMES.iter().map(|name| dns(name)).collect();
    permitted.extend(private_networks().map(GeneralSubtree::IpAddress));
    for host in hosts {
        permitted.extend(match host.parse::<IpAddr>() {
            Ok(address) if is_private(address) => None,
            Ok(IpAddr::V4(address)) => {
                let one = CidrSubnet::from_v4_prefix(address.octets(), 32);
                Some(GeneralSubtree::IpAddress(one))
            }
            Ok(IpAddr::V6(address)) => {
                let one = CidrSubnet::from_v6_prefix(address.octets(), 128);
                Some(GeneralSubtree::IpAddress(one))
            }
            Err(_) if is_private_name(host) => None,
            Err(_) => Some(dns(host)),
        });
    }
    params.name_constraints =
        Some(NameConstraints { permitted_subtrees: permitted, excluded_subtrees: Vec::new() });
    Ok(params)
}

fn dns(name: &str) -> GeneralSubtree {
    GeneralSubtree::DnsName(name.to_owned())
}

fn is_private_name(host: &str) -> bool {
    let within = |name: &str| host.strip_suffix(name).is_some_and(|rest| rest.ends_with('.'));
    PRIVATE_NAMES.iter().any(|name| host == *name || within(name))
}

const PRIVATE_V4: [([u8; 4], u8); 5] = [
    ([10, 0, 0, 0], 8),
    ([127, 0, 0, 0], 8),
    ([169, 254, 0, 0], 16),
    ([172, 16, 0, 0], 12),
    ([192, 168, 0, 0], 16),
];

/// This machine, unique local and link-local addresses.
const PRIVATE_V6: [(Ipv6Addr, u8); 3] = [
    (Ipv6Addr::LOCALHOST, 128),
    (Ipv6Addr::new(0xfc00, 0, 0, 0, 0, 0, 0, 0), 7),
    (Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 0), 10),
];

fn private_networks() -> impl Iterator<Item = CidrSubnet> {
    let four = PRIVATE_V4.iter().map(|(base, prefix)| CidrSubnet::from_v4_prefix(*base, *prefix));
    let six = PRIVATE_V6.iter();
    four.chain(six.map(|(base, prefix)| CidrSubnet::from_v6_prefix(base.octets(), *prefix)))
}

fn is_private(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => PRIVATE_V4.iter().any(|(base, prefix)| {
            let mask = u32::MAX << (32 - prefix);
            v4.to_bits() & mask == Ipv4Addr::from(*base).to_bits()
        }),
        IpAddr::V6(v6) => PRIVATE_V6.iter().any(|(base, prefix)| {
            let mask = u128::MAX << (128 - prefix);
            v6.to_bits() & mask == base.to_bits()
        }),
    }
}

/// The year of the cluster's founding, which its id tells (UUIDv7).
fn founded(cluster: ClusterId) -> Result<i16, String> {
    let made = cluster.0.get_timestamp().ok_or("the cluster's id holds no time")?;
    let seconds = i64::try_from(made.to_unix().0).unwrap_or_default();
    let made = jiff::Timestamp::from_second(seconds).map_err(|error| error.to_string())?;
    Ok(made.to_zoned(jiff::tz::TimeZone::UTC).year())
}

fn moment(day: Date, days: i64) -> Result<time::OffsetDateTime, String> {
    let day = day.checked_add(jiff::Span::new().days(days)).map_err(|error| error.to_string())?;
    let (month, day_of) = (day.month().unsigned_abs(), day.day().unsigned_abs());
    Ok(date_time_ymd(i32::from(day.year()), month, day_of))
}

fn common_name(text: &str) -> DistinguishedName {
    let mut name = DistinguishedName::new();
    name.push(DnType::CommonName, text);
    name
}
