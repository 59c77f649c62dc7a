//! `citadel dev-cert`: a certificate for this machine, and the authority behind it.
//!
//! The authority is made once and kept, because trusting it takes a person's hand. It can vouch for the hosts that it was
//! made for and for no others, so that a key that is stolen opens little.

mod authority;
mod files;
mod host;
mod trust;

use std::{
    path::{self, Path, PathBuf},
    process::ExitCode,
};

use anyhow::{Context, bail};
use citadel_domain::Clock;
use citadel_server::{
    system::SystemClock,
    tls::{self, Tls, TlsFiles},
};
use serde_json::{Map, Value, json};

pub(crate) use self::host::Host;
use self::{authority::Authority, files::Files};
use crate::{args::DevCert, output};

pub(crate) fn run(config: Option<&Path>, options: &DevCert) -> anyhow::Result<ExitCode> {
    let directory = directory(config, options)?;
    let hosts = if options.hosts.is_empty() { host::usual() } else { options.hosts.clone() };
    let files = Files::new(&directory);
    let now = SystemClock.now();

    let (authority, is_new) = match files.read_authority()? {
        Some(authority) => (authority, false),
        None => (Authority::make(&hosts, now)?, true),
    };
    let leaf = authority.issue(&hosts, now)?;
    for host in &hosts {
        if let Err(reason) = tls::verify(&leaf.chain_pem, authority.pem(), &host.to_string(), now) {
            bail!(
                "the authority in {} cannot vouch for {host} ({reason}): it vouches for the hosts that it was made for. \
                 Nothing was changed. Name another directory with --dir, or remove {} and trust the new authority",
                files.ca.display(),
                directory.display()
            );
        }
    }
    files.make_directory()?;
    if is_new {
        files.write_authority(&authority)?;
    }
    files.write_leaf(&leaf)?;
    // As the server will, and for the day that it tells.
    let read = Tls::open(&TlsFiles { cert: files.cert.clone(), key: files.key.clone() }, now)
        .map_err(|problem| anyhow::anyhow!("{problem}"))?;
    let made = Made { files: &files, hosts: &hosts, is_new, not_after: read.not_after().to_string() };
    if options.json {
        output::json(&made.json())
    } else {
        made.print()
    }
    Ok(ExitCode::SUCCESS)
}

/// Absolute, because what is printed goes into variables and other programs.
fn directory(config: Option<&Path>, options: &DevCert) -> anyhow::Result<PathBuf> {
    let directory = match &options.dir {
        Some(directory) => directory.clone(),
        None => super::load(config)?.data_dir.join("dev-cert"),
    };
    path::absolute(&directory).with_context(|| format!("{} is no directory", directory.display()))
}

struct Made<'a> {
    files: &'a Files,
    hosts: &'a [Host],
    is_new: bool,
    not_after: String,
}

impl Made<'_> {
    /// Name and value of what the server needs.
    fn settings(&self) -> [(&'static str, String); 2] {
        let Files { cert, key, .. } = self.files;
        [("CITADEL_TLS_CERT", cert.display().to_string()), ("CITADEL_TLS_KEY", key.display().to_string())]
    }

    fn json(&self) -> Value {
        let Files { cert, key, ca, ca_key, .. } = self.files;
        let hosts: Vec<_> = self.hosts.iter().map(ToString::to_string).collect();
        let settings: Map<_, _> =
            self.settings().into_iter().map(|(name, value)| (name.to_owned(), value.into())).collect();
        let trust: Map<_, _> =
            trust::commands(ca).into_iter().map(|way| (way.id.to_owned(), way.command.into())).collect();
        json!({
            "cert": cert, "key": key, "ca_cert": ca, "ca_key": ca_key,
            "hosts": hosts, "not_after": self.not_after, "is_ca_new": self.is_new,
            "settings": settings, "trust": trust,
        })
    }

    fn print(&self) {
        let Files { cert, key, ca, ca_key, .. } = self.files;
        let hosts: Vec<_> = self.hosts.iter().map(ToString::to_string).collect();
        output::line(&format!("Certificate for {}", hosts.join(", ")));
        output::line(&format!("  {}  until {}", cert.display(), self.not_after));
        output::line(&format!("  {}", key.display()));
        output::line(match self.is_new {
            true => "Authority, made now",
            false => "Authority, as it was",
        });
        output::line(&format!("  {}", ca.display()));
        output::line(&format!("  {}", ca_key.display()));
        output::line("  It must not leave this machine: whoever has its key can pass for these hosts here.");
        output::line("\nGive the server its certificate:");
        for (name, value) in self.settings() {
            output::line(&format!("  export {name}={}", trust::quoted(&value)));
        }
        output::line("\nLet this machine, or one program, trust the authority:");
        for way in trust::commands(ca) {
            output::line(&format!("  {}\n    {}", way.label, way.command));
        }
    }
}
