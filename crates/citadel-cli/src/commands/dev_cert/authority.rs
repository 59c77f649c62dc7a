//! The authority of one machine, and what it issues.
//!
//! Of a kept authority only the key is read: its name and the id of its key follow from the key. That the certificate beside
//! it is the key's own is proven by what it vouches for, before anything is written.

use std::time::Duration;

use anyhow::Context;
use jiff::Timestamp;
use rcgen::{
    BasicConstraints, CertificateParams, CidrSubnet, DnType, ExtendedKeyUsagePurpose, GeneralSubtree, IsCa,
    Issuer, KeyPair, KeyUsagePurpose, NameConstraints, date_time_ymd,
};

use super::Host;

const DAY: u64 = 24 * 60 * 60;
/// Clocks of containers and virtual machines lag.
const BEFORE: u64 = DAY;
/// With the day before it, under the 397 that browsers take.
const LEAF_DAYS: u64 = 395;
/// Trusting it takes a person's hand, so not often.
const AUTHORITY_DAYS: u64 = 3650;

pub(super) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
}

/// What the server shows, and its key.
pub(super) struct Leaf {
    /// With the authority's certificate after it, so that the file alone says who vouches.
    pub(super) chain_pem: String,
    pub(super) key_pem: String,
}

impl Authority {
    /// A new one, for these hosts and no others.
    pub(super) fn make(hosts: &[Host], now: Timestamp) -> anyhow::Result<Self> {
        let key = KeyPair::generate().context("no key can be made")?;
        let mut params = params(&key)?;
        lives(&mut params, now, AUTHORITY_DAYS);
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.name_constraints = Some(constraints(hosts));
        let pem = params.self_signed(&key).context("no authority can be made")?.pem();
        Ok(Self { issuer: Issuer::new(params, key), pem })
    }

    /// The one that was kept.
    pub(super) fn read(pem: String, key_pem: &str) -> anyhow::Result<Self> {
        // What is wrong with a key is not told: it could be told with a part of it.
        let key = KeyPair::from_pem(key_pem).ok().context("it holds no private key that can be used")?;
        Ok(Self { issuer: Issuer::new(params(&key)?, key), pem })
    }

    pub(super) fn pem(&self) -> &str {
        &self.pem
    }

    pub(super) fn key_pem(&self) -> String {
        self.issuer.key().serialize_pem()
    }

    /// A certificate for these hosts, with a key of its own.
    pub(super) fn issue(&self, hosts: &[Host], now: Timestamp) -> anyhow::Result<Leaf> {
        let names: Vec<_> = hosts.iter().map(ToString::to_string).collect();
        let mut params = CertificateParams::new(names).context("a host cannot be in a certificate")?;
        params.distinguished_name = rcgen::DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, "Citadel development");
        lives(&mut params, now, LEAF_DAYS);
        params.is_ca = IsCa::ExplicitNoCa;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.use_authority_key_identifier_extension = true;
        let key = KeyPair::generate().context("no key can be made")?;
        let leaf = params.signed_by(&key, &self.issuer).context("no certificate can be made")?;
        Ok(Leaf { chain_pem: format!("{}{}", leaf.pem(), self.pem), key_pem: key.serialize_pem() })
    }
}

/// What follows from the key. Two authorities never share a name: lists of trusted ones would mix them up.
fn params(key: &KeyPair) -> anyhow::Result<CertificateParams> {
    let mut params = CertificateParams::new([])?;
    let id: String = params.key_identifier(key).iter().take(4).map(|byte| format!("{byte:02x}")).collect();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, format!("Citadel development authority {id}"));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    Ok(params)
}

fn lives(params: &mut CertificateParams, now: Timestamp, days: u64) {
    let now = u64::try_from(now.as_second()).unwrap_or_default();
    let at = |second: u64| date_time_ymd(1970, 1, 1) + Duration::from_secs(second);
    params.not_before = at(now.saturating_sub(BEFORE));
    params.not_after = at(now + days * DAY);
}

/// The hosts, each alone. A kind of name that is not mentioned is not constrained at all, so this machine's own stands in.
fn constraints(hosts: &[Host]) -> NameConstraints {
    let names = hosts.iter().filter_map(|host| match host {
        Host::Name(name) => Some(GeneralSubtree::DnsName(name.clone())),
        Host::Address(_) => None,
    });
    let addresses = hosts.iter().filter_map(|host| match host {
        Host::Address(address) => {
            let bits = if address.is_ipv4() { 32 } else { 128 };
            Some(GeneralSubtree::IpAddress(CidrSubnet::from_addr_prefix(*address, bits)))
        }
        Host::Name(_) => None,
    });
    let (mut names, mut addresses): (Vec<_>, Vec<_>) = (names.collect(), addresses.collect());
    if names.is_empty() {
        names.push(GeneralSubtree::DnsName("localhost".to_owned()));
    }
    if addresses.is_empty() {
        addresses.push(GeneralSubtree::IpAddress(CidrSubnet::from_v4_prefix([127, 0, 0, 1], 32)));
    }
    names.append(&mut addresses);
    NameConstraints { permitted_subtrees: names, excluded_subtrees: Vec::new() }
}
