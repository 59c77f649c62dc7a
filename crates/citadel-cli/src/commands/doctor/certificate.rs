//! The certificate of the public listener.

use std::{fs, os::unix::fs::PermissionsExt};

use citadel_domain::Clock;
use citadel_server::{config::Config, system::SystemClock, tls::Tls};

use super::{Finding, Verdict};

/// Nothing without TLS.
pub(super) fn check(config: &Config) -> Vec<Finding> {
    let Some(files) = &config.tls else { return Vec::new() };
    let now = SystemClock.now();
    let tls = match Tls::open(files, now) {
        Ok(tls) => tls,
        Err(problem) => return vec![Finding::from_problem(Verdict::Wrong, &problem)],
    };
    let (subject, shown) = ("CITADEL_TLS_CERT", files.cert.display());
    let good_until = format!("{shown} is good until {}", tls.not_after());
    let mut findings = vec![if tls.ends_soon(now) {
        Finding::note(subject, good_until, "renew it; a running server takes the new files by itself")
    } else {
        Finding::good(subject, good_until)
    }];
    let url = config.public_url_for(config.listen);
    if !tls.is_for(&url) {
        let what = format!("{shown} is not for the host of {url}, so clients will refuse it");
        let fix = "set CITADEL_PUBLIC_URL to a host that it is for, or have one issued for this host";
        findings.push(Finding::note(subject, what, fix));
    }
    let mode = fs::metadata(&files.key).map_or(0, |key| key.permissions().mode() & 0o777);
    if mode & 0o007 != 0 {
        let what = format!("{} is open to every user of this machine (mode {mode:04o})", files.key.display());
        findings.push(Finding::note("CITADEL_TLS_KEY", what, format!("chmod 600 {}", files.key.display())));
    }
    findings
}
