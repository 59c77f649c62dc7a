//! A certificate and its key, from two files to what the listener shows.

use std::{
    fs,
    path::Path,
    sync::{Arc, LazyLock},
    time::Duration,
};

use jiff::Timestamp;
use rustls::{
    CertificateError, Error, InconsistentKeys, RootCertStore, ServerConfig,
    client::{verify_server_cert_signed_by_trust_anchor, verify_server_name},
    crypto::{CryptoProvider, aws_lc_rs},
    pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime, pem::PemObject},
    server::ParsedCertificate,
    sign::{CertifiedKey, SingleCertAndKey},
    version::{TLS12, TLS13},
};
use zeroize::Zeroizing;

use super::TlsFiles;
use crate::config::{Problem, Setting, TLS_CERT, TLS_KEY};

static PROVIDER: LazyLock<Arc<CryptoProvider>> = LazyLock::new(|| Arc::new(aws_lc_rs::default_provider()));

/// What the two files hold.
pub(super) struct Certificate {
    pub(super) config: Arc<ServerConfig>,
    pub(super) not_after: Timestamp,
    leaf: CertificateDer<'static>,
}

impl Certificate {
    pub(super) fn is_for(&self, host: &str) -> bool {
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let leaf = ParsedCertificate::try_from(&self.leaf);
        let name = ServerName::try_from(host);
        matches!((leaf, name), (Ok(leaf), Ok(name)) if verify_server_name(&leaf, &name).is_ok())
    }
}

/// Reads and judges the two files.
pub(super) fn read(files: &TlsFiles, now: Timestamp) -> Result<Certificate, Problem> {
    let chain = read_chain(&files.cert)?;
    let not_after = judge_time(&files.cert, &chain, now)?;
    let leaf = chain[0].clone();
    let key = read_key(&files.key)?;
    let certified = CertifiedKey::from_der(chain, key, &PROVIDER).map_err(|error| match error {
        Error::InconsistentKeys(InconsistentKeys::KeyMismatch) => {
            let what = format!("is not the key of the certificate in {}", files.cert.display());
            problem(&TLS_KEY, &files.key, what, "name the key that was made with that certificate")
        }
        // Of a key nothing is shown, not even how it is broken.
        _ => problem(&TLS_KEY, &files.key, "holds a key of a kind that is not served", "use ECDSA or RSA"),
    })?;
    let mut config = ServerConfig::builder_with_provider(Arc::clone(&PROVIDER))
        .with_protocol_versions(&[&TLS13, &TLS12])
        .expect("the provider has suites for both versions")
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(SingleCertAndKey::from(certified)));
    // As on a plain connection, where HTTP/2 is not served either.
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Certificate { config: Arc::new(config), not_after, leaf })
}

/// Whether a client that trusts this authority alone takes the first certificate of a file for this host, and else why not.
pub fn verify(cert_pem: &str, authority_pem: &str, host: &str, now: Timestamp) -> Result<(), String> {
    let told = |error: &dyn std::fmt::Display| error.to_string();
    let leaf = CertificateDer::from_pem_slice(cert_pem.as_bytes()).map_err(|error| told(&error))?;
    let authority = CertificateDer::from_pem_slice(authority_pem.as_bytes()).map_err(|error| told(&error))?;
    let mut roots = RootCertStore::empty();
    roots.add(authority).map_err(|error| told(&error))?;
    let leaf = ParsedCertificate::try_from(&leaf).map_err(|error| told(&error))?;
    let name = ServerName::try_from(host).map_err(|error| told(&error))?;
    let now =
        UnixTime::since_unix_epoch(Duration::from_secs(u64::try_from(now.as_second()).unwrap_or_default()));
    let algorithms = PROVIDER.signature_verification_algorithms.all;
    verify_server_cert_signed_by_trust_anchor(&leaf, &roots, &[], now, algorithms)
        .map_err(|error| told(&error))?;
    verify_server_name(&leaf, &name).map_err(|error| told(&error))
}

fn read_chain(path: &Path) -> Result<Vec<CertificateDer<'static>>, Problem> {
    let text = read_file(&TLS_CERT, path)?;
    let fix = "name a PEM file with the certificate, and then those between it and its authority";
    let chain: Vec<_> = CertificateDer::pem_slice_iter(&text)
        .collect::<Result<_, _>>()
        .map_err(|error| problem(&TLS_CERT, path, format!("is no whole PEM file ({error})"), fix))?;
    if chain.is_empty() {
        return Err(problem(&TLS_CERT, path, "holds no certificate", fix));
    }
    match chain.iter().position(|certificate| ParsedCertificate::try_from(certificate).is_err()) {
        Some(at) => {
            Err(problem(&TLS_CERT, path, format!("holds no X.509 certificate at place {}", at + 1), fix))
        }
        None => Ok(chain),
    }
}

fn read_key(path: &Path) -> Result<PrivateKeyDer<'static>, Problem> {
    let text = Zeroizing::new(read_file(&TLS_KEY, path)?);
    PrivateKeyDer::from_pem_slice(&text).map_err(|_| {
        let marker = b"ENCRYPTED";
        if text.windows(marker.len()).any(|window| window == marker) {
            let fix =
                "take its passphrase away (openssl pkey -in FILE -out NEW), and let only this user read it";
            return problem(&TLS_KEY, path, "is encrypted, and nobody is there to type its passphrase", fix);
        }
        problem(&TLS_KEY, path, "holds no private key", "name a PEM file with the key of the certificate")
    })
}

fn read_file(setting: &Setting, path: &Path) -> Result<Vec<u8>, Problem> {
    fs::read(path).map_err(|error| {
        problem(setting, path, format!("cannot be read ({error})"), "name a file that this user can read")
    })
}

/// The end of its time, which is still to come.
fn judge_time(path: &Path, chain: &[CertificateDer<'_>], now: Timestamp) -> Result<Timestamp, Problem> {
    let (not_before, not_after) = lifetime(&chain[0]).ok_or_else(|| {
        problem(&TLS_CERT, path, "holds a certificate without a lifetime", "have it issued again")
    })?;
    if now > not_after {
        let what = format!("holds a certificate that ran out at {not_after}");
        return Err(problem(&TLS_CERT, path, what, "renew it (citadel dev-cert does, for its own)"));
    }
    if now < not_before {
        let what = format!("holds a certificate that is not good before {not_before}, and it is {now}");
        return Err(problem(&TLS_CERT, path, what, "wait, or set the machine's clock"));
    }
    Ok(not_after)
}

/// From when to when a certificate is good. Nothing here reads these fields out of it, so the verifier that clients have is
/// asked: at the end of all time it says when the certificate ran out, and at the beginning when it will be good.
fn lifetime(certificate: &CertificateDer<'_>) -> Option<(Timestamp, Timestamp)> {
    let certificate = ParsedCertificate::try_from(certificate).ok()?;
    let ask = |at: Duration| {
        let algorithms = PROVIDER.signature_verification_algorithms.all;
        let (at, nobody) = (UnixTime::since_unix_epoch(at), RootCertStore::empty());
        match verify_server_cert_signed_by_trust_anchor(&certificate, &nobody, &[], at, algorithms) {
            Err(Error::InvalidCertificate(reason)) => Some(reason),
            _ => None,
        }
    };
    let not_after = match ask(Duration::from_secs(u64::MAX))? {
        CertificateError::ExpiredContext { not_after, .. } => not_after,
        _ => return None,
    };
    let not_before = match ask(Duration::ZERO)? {
        CertificateError::NotValidYetContext { not_before, .. } => not_before,
        // Good since 1970, or longer.
        _ => UnixTime::since_unix_epoch(Duration::ZERO),
    };
    Some((instant(not_before), instant(not_after)))
}

/// A certificate may last until the end of 9999, a day longer than our instants do.
fn instant(time: UnixTime) -> Timestamp {
    i64::try_from(time.as_secs())
        .ok()
        .and_then(|at| Timestamp::from_second(at).ok())
        .unwrap_or(Timestamp::MAX)
}

fn problem(setting: &Setting, path: &Path, what: impl Into<String>, fix: &str) -> Problem {
    Problem::of(setting, Some(&path.display().to_string()), what, fix)
}
