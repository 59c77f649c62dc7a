//! TLS on the public listener: which certificate it shows, and how a new one takes its place.
//!
//! Connections that are open keep the certificate that they began with; a new one is for those that come after it.

mod certificate;

use std::{fs, path::PathBuf, sync::Arc, time::Duration};

use axum::http::Uri;
use axum_server::tls_rustls::{RustlsAcceptor, RustlsConfig};
use citadel_domain::Clock;
use jiff::{SignedDuration, Timestamp};
use tokio::{signal::unix::Signal, sync::watch, time::sleep};

use self::certificate::Certificate;
pub use self::certificate::verify;
use crate::{config::Problem, connections::Door};

/// A handshake must be over this long after its connection was accepted, as the head of a request must (P45).
const HANDSHAKE_DEADLINE: Duration = Duration::from_secs(10);
/// How often the files are looked at. Who cannot wait sends SIGHUP.
const LOOK_EVERY: Duration = Duration::from_secs(60);
/// Whoever renews by hand needs days, and whoever renews by a program has done so before.
const SOON: SignedDuration = SignedDuration::from_hours(14 * 24);
const WARN_EVERY: SignedDuration = SignedDuration::from_hours(24);

/// The two files of a certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsFiles {
    /// The certificate, and those between it and its authority, in this order. PEM.
    pub cert: PathBuf,
    /// Its private key. PEM.
    pub key: PathBuf,
}

impl TlsFiles {
    /// When each of them was changed, as far as that can be told.
    fn changed_at(&self) -> [Option<std::time::SystemTime>; 2] {
        [&self.cert, &self.key].map(|path| fs::metadata(path).and_then(|file| file.modified()).ok())
    }
}

/// The certificate in use, and where the next one comes from.
pub struct Tls {
    files: TlsFiles,
    changed_at: [Option<std::time::SystemTime>; 2],
    certificate: Certificate,
    warned_at: Option<Timestamp>,
    shared: RustlsConfig,
}

impl Tls {
    /// Reads and judges the files; nothing that a client would refuse for being run out or unfit is taken.
    pub fn open(files: &TlsFiles, now: Timestamp) -> Result<Self, Problem> {
        // Before they are read, so that a change in between is found by the next look.
        let changed_at = files.changed_at();
        let certificate = certificate::read(files, now)?;
        let shared = RustlsConfig::from_config(Arc::clone(&certificate.config));
        Ok(Self { files: files.clone(), changed_at, certificate, warned_at: None, shared })
    }

    /// The end of the certificate's time.
    pub const fn not_after(&self) -> Timestamp {
        self.certificate.not_after
    }

    /// Whether the certificate runs out in the next days.
    pub fn ends_soon(&self, now: Timestamp) -> bool {
        self.certificate.not_after.duration_since(now) < SOON
    }

    /// Whether clients that call the server by this address accept the certificate for it.
    pub fn is_for(&self, url: &str) -> bool {
        let uri = url.parse::<Uri>();
        uri.is_ok_and(|uri| uri.host().is_some_and(|host| self.certificate.is_for(host)))
    }

    /// Says at the start what will trouble clients.
    pub(crate) fn warn(&mut self, public_url: &str, now: Timestamp) {
        if !self.is_for(public_url) {
            tracing::warn!(
                public_url,
                "the certificate is not for the host of the public address: clients will refuse it"
            );
        }
        self.warn_if_ending(now);
    }

    /// What takes connections. It shows whatever certificate is in use when they come.
    pub(crate) fn acceptor(&self, inner: Door) -> RustlsAcceptor<Door> {
        RustlsAcceptor::new(self.shared.clone()).handshake_timeout(HANDSHAKE_DEADLINE).acceptor(inner)
    }

    /// Looks after the files until the server stops: every minute, and at each hang-up signal.
    pub async fn keep_fresh(
        mut self,
        clock: Arc<dyn Clock>,
        mut hang_up: Option<Signal>,
        mut stopping: watch::Receiver<bool>,
    ) {
        loop {
            let is_told = tokio::select! {
                () = sleep(LOOK_EVERY) => false,
                () = next(&mut hang_up) => true,
                _ = stopping.wait_for(|stopping| *stopping) => return,
            };
            self.look(is_told, clock.now());
        }
    }

    /// Takes what is in the files, if they have changed or somebody says so.
    pub fn look(&mut self, is_told: bool, now: Timestamp) {
        let changed_at = self.files.changed_at();
        if is_told || changed_at != self.changed_at {
            // Also when they are refused: one line for each change is enough.
            self.changed_at = changed_at;
            self.read_again(now);
        }
        self.warn_if_ending(now);
    }

    fn read_again(&mut self, now: Timestamp) {
        match certificate::read(&self.files, now) {
            Ok(certificate) => {
                self.shared.reload_from_config(Arc::clone(&certificate.config));
                tracing::info!(tls.not_after = %certificate.not_after, "certificate read again");
                self.certificate = certificate;
                self.warned_at = None;
            }
            Err(problem) => tracing::error!(
                setting = problem.setting,
                fix = problem.fix,
                tls.not_after = %self.certificate.not_after,
                "the new certificate {}; the old one stays",
                problem.what
            ),
        }
    }

    /// Says once a day that the certificate will have ended.
    fn warn_if_ending(&mut self, now: Timestamp) {
        let is_due = self.warned_at.is_none_or(|at| now.duration_since(at) >= WARN_EVERY);
        if is_due && self.ends_soon(now) {
            self.warned_at = Some(now);
            tracing::warn!(tls.not_after = %self.certificate.not_after, "the certificate runs out soon: renew it");
        }
    }
}

async fn next(signal: &mut Option<Signal>) {
    match signal {
        Some(signal) => _ = signal.recv().await,
        None => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests;
