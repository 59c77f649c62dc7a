//! Configuration: one TOML file, each setting also an environment variable, checked whole before anything starts.
//!
//! Start with [`settings`]: the table of what can be set. [`Config::load`] lists every problem at once.

mod check;
mod database;
mod default;
mod ephemeral;
mod file;
mod problem;
mod settings;

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};

use citadel_domain::Secret;

use crate::{app::SandboxSettings, connections::Proxies, tls::TlsFiles};

pub(crate) use self::settings::{
    DASHBOARD_LISTEN, DATA_DIR, DATABASE_URL, LISTEN, METRICS_LISTEN, ROOT_KEY_FILE, TLS_CERT, TLS_KEY,
};
pub use self::{
    default::default_text,
    problem::{Problem, Problems, mask_url},
    settings::Setting,
};

/// The file that is read when none is named.
pub const DEFAULT_FILE: &str = "citadel.toml";

/// How careful the server must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Profile {
    /// A laptop: keys are made on first start, production keys are refused.
    Development,
    /// Real people: nothing is made up, nothing unsafe is accepted.
    Production,
}

impl Profile {
    /// The word in the configuration.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Development => "development",
            Self::Production => "production",
        }
    }
}

/// What a second exchange of a public token does, beside its answer 410 (P10).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ReplayPolicy {
    /// The access token lives on.
    #[default]
    Keep,
    /// The access token ends.
    Revoke,
}

impl ReplayPolicy {
    /// The word in the configuration.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Keep => "keep",
            Self::Revoke => "revoke",
        }
    }
}

/// Which part of the work a node does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Part {
    /// Everything.
    #[default]
    Whole,
    /// Requests, and no background work.
    Listener,
    /// Background work, and no requests.
    Worker,
}

/// A checked configuration.
#[derive(Clone, Debug)]
pub struct Config {
    /// API, `bridge.js`, widget.
    pub listen: SocketAddr,
    /// Dashboard.
    pub dashboard_listen: SocketAddr,
    /// Health and metrics. Loopback only.
    pub metrics_listen: SocketAddr,
    /// What the outside calls us, without a final slash. `None`: the address that was bound.
    pub public_url: Option<String>,
    /// What browsers call the dashboard. `None`: see [`Config::dashboard_url_for`].
    pub dashboard_url: Option<String>,
    /// Database file, generated root key, admin socket.
    pub data_dir: PathBuf,
    /// Postgres, when set. Holds a password, hence a secret.
    pub database_url: Option<Secret>,
    /// Who signs the certificate of Postgres. `None`: whoever the system trusts.
    pub database_ca: Option<PathBuf>,
    /// Which part of the work this node does.
    pub part: Part,
    /// How long requests are taken after the signal to stop.
    pub stop_wait: Duration,
    /// The certificate of `listen` and its key. `None`: plain HTTP.
    pub tls: Option<TlsFiles>,
    /// The proxies in front of this server.
    pub proxies: Proxies,
    /// Where the root key is.
    pub root_key_file: PathBuf,
    /// How careful to be.
    pub profile: Profile,
    /// What sandboxes grow from.
    pub sandbox: SandboxSettings,
    /// Requests a minute with one access secret; 0 for any number.
    pub rate_limit: u32,
    /// What a second exchange of a public token does.
    pub replay_policy: ReplayPolicy,
    /// Whether the record of calls has masked bodies.
    pub keeps_call_bodies: bool,
    /// Filter of the log.
    pub log: String,
    /// Where traces go, without a path. `None`: nowhere.
    pub otlp_endpoint: Option<String>,
    /// Whether everything is thrown away at the end.
    pub is_ephemeral: bool,
    /// Settings that work but are risky; each is a sentence (P64).
    pub risks: Vec<Problem>,
}

impl Config {
    /// Reads the file (`citadel.toml` in the working directory if there is one and none is named), lays the environment
    /// over it and checks the whole. The environment is an argument, so that tests bring their own.
    pub fn load(
        file: Option<&Path>,
        environment: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, Problems> {
        let mut problems = Vec::new();
        let mut values = file::read(file, &mut problems);
        values.lay_environment_over(environment);
        Self::check(&values, problems)
    }

    /// The configuration of a server whose data end with it: development, on free ports of this machine, with its store
    /// in `data_dir`. Of the environment it takes the addresses and what says how to behave, and nothing that names a
    /// store, a key or a profile.
    pub fn ephemeral(
        data_dir: &str,
        environment: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, Problems> {
        let config = Self::check(&ephemeral::values(data_dir, environment), Vec::new())?;
        Ok(Self { is_ephemeral: true, ..config })
    }

    fn check(values: &file::Values, mut problems: Vec<Problem>) -> Result<Self, Problems> {
        match check::check(values, &mut problems) {
            Some(config) if problems.is_empty() => Ok(config),
            _ => Err(Problems(problems)),
        }
    }

    /// The configuration of a node that does only this part of the work.
    pub fn doing(self, part: Part) -> Result<Self, Problem> {
        let what = match part {
            Part::Listener => {
                "not set, and no other process could do the work of one that serves --no-worker"
            }
            Part::Worker => "not set, and the embedded database belongs to one process, `citadel serve`",
            Part::Whole => "",
        };
        if part == Part::Whole || !self.is_embedded() {
            return Ok(Self { part, ..self });
        }
        let fix = "name the Postgres that the nodes share, or run `citadel serve` alone, which does the background work too";
        Err(Problem::of(&DATABASE_URL, None, what, fix))
    }

    /// The SQLite file, when the store is embedded.
    pub fn database_file(&self) -> PathBuf {
        self.data_dir.join("citadel.db")
    }

    /// Where a running server takes administrative requests.
    pub fn admin_socket(&self) -> PathBuf {
        self.data_dir.join("admin.sock")
    }

    /// Whether the store is a file of this process and not a Postgres.
    pub const fn is_embedded(&self) -> bool {
        self.database_url.is_none()
    }

    /// The outside address: the one that was set, else the one that was bound.
    pub fn public_url_for(&self, bound: SocketAddr) -> String {
        let scheme = self.scheme();
        self.public_url.clone().unwrap_or_else(|| {
            // Nobody can call 0.0.0.0; on the machine itself the loopback address reaches it.
            if bound.ip().is_unspecified() {
                format!("{scheme}://127.0.0.1:{}", bound.port())
            } else {
                format!("{scheme}://{bound}")
            }
        })
    }

    /// The dashboard's outside address. On a machine of its own `localhost` and not a number: that is another host than the
    /// widget's, and passkeys need a name.
    pub fn dashboard_url_for(&self, bound: SocketAddr) -> String {
        let scheme = self.scheme();
        self.dashboard_url.clone().unwrap_or_else(|| {
            if bound.ip().is_loopback() || bound.ip().is_unspecified() {
                format!("{scheme}://localhost:{}", bound.port())
            } else {
                format!("{scheme}://{bound}")
            }
        })
    }

    /// What `listen` speaks.
    pub const fn scheme(&self) -> &'static str {
        if self.tls.is_some() { "https" } else { "http" }
    }

    /// Whether browsers are told to call this server by TLS alone: where it speaks TLS itself, for real people.
    pub fn is_transport_strict(&self) -> bool {
        self.tls.is_some() && self.profile == Profile::Production
    }

    /// Each setting with its effective value, nothing secret, in the order of the table.
    pub fn lines(&self) -> Vec<(&'static str, String)> {
        let public_url = self.public_url.clone().unwrap_or_else(|| self.public_url_for(self.listen));
        let database = self.database_url.as_ref().map_or_else(
            || format!("(embedded: {})", self.database_file().display()),
            |url| mask_url(url.expose()),
        );
        let tls = |path: fn(&TlsFiles) -> &PathBuf| {
            self.tls
                .as_ref()
                .map_or_else(|| "(not set)".to_owned(), |files| path(files).display().to_string())
        };
        vec![
            ("CITADEL_PROFILE", self.profile.as_str().to_owned()),
            ("CITADEL_LISTEN", self.listen.to_string()),
            ("CITADEL_DASHBOARD_LISTEN", self.dashboard_listen.to_string()),
            ("CITADEL_METRICS_LISTEN", self.metrics_listen.to_string()),
            ("CITADEL_PUBLIC_URL", public_url),
            ("CITADEL_DASHBOARD_URL", self.dashboard_url_for(self.dashboard_listen)),
            ("CITADEL_DATA_DIR", self.data_dir.display().to_string()),
            ("CITADEL_DATABASE_URL", database),
            (
                "CITADEL_DATABASE_CA",
                self.database_ca
                    .as_ref()
                    .map_or_else(|| "(not set)".to_owned(), |path| path.display().to_string()),
            ),
            ("CITADEL_ROOT_KEY_FILE", self.root_key_file.display().to_string()),
            ("CITADEL_TLS_CERT", tls(|files| &files.cert)),
            ("CITADEL_TLS_KEY", tls(|files| &files.key)),
            ("CITADEL_PROXIES", self.proxies.to_string()),
            ("CITADEL_SANDBOX_SEED", self.sandbox.seed.clone()),
            (
                "CITADEL_SANDBOX_NOW",
                self.sandbox.now.map_or_else(|| "(the machine's)".to_owned(), |at| at.to_string()),
            ),
            ("CITADEL_RATE_LIMIT", self.rate_limit.to_string()),
            ("CITADEL_REPLAY_POLICY", self.replay_policy.as_str().to_owned()),
            ("CITADEL_CALL_BODIES", if self.keeps_call_bodies { "masked" } else { "off" }.to_owned()),
            ("CITADEL_STOP_WAIT", self.stop_wait.as_secs().to_string()),
            ("CITADEL_LOG", self.log.clone()),
            ("CITADEL_OTLP_ENDPOINT", self.otlp_endpoint.clone().unwrap_or_else(|| "(no traces)".to_owned())),
        ]
    }
}

#[cfg(test)]
mod tests;
