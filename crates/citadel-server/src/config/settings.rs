//! The table of settings: one row each, from which the file, the environment, the messages and the commented default
//! are all derived.

/// One setting.
#[derive(Debug, PartialEq, Eq)]
pub struct Setting {
    /// Name in the file.
    pub name: &'static str,
    /// Name in the environment.
    pub env: &'static str,
    /// Value when nothing is set, as it would be written.
    pub default: Option<&'static str>,
    /// What it does, for the commented default.
    pub about: &'static str,
}

pub(crate) const PROFILE: Setting = Setting {
    name: "profile",
    env: "CITADEL_PROFILE",
    default: Some("development"),
    about: "development: the root key is made on the first start, and keys for prod are refused.\n\
            production: nothing is made up; unsafe settings stop the start.",
};
pub(crate) const LISTEN: Setting = Setting {
    name: "listen",
    env: "CITADEL_LISTEN",
    default: Some("127.0.0.1:8700"),
    about: "API under /v1/, /bridge.js, the widget, /openapi.json, /docs. An address and a port; port 0 takes a free one.",
};
pub(crate) const DASHBOARD_LISTEN: Setting = Setting {
    name: "dashboard_listen",
    env: "CITADEL_DASHBOARD_LISTEN",
    default: Some("127.0.0.1:8701"),
    about: "Dashboard. An address and a port; port 0 takes a free one.",
};
pub(crate) const METRICS_LISTEN: Setting = Setting {
    name: "metrics_listen",
    env: "CITADEL_METRICS_LISTEN",
    default: Some("127.0.0.1:8702"),
    about: "/healthz, /readyz and /metrics. Loopback only.",
};
pub(crate) const PUBLIC_URL: Setting = Setting {
    name: "public_url",
    env: "CITADEL_PUBLIC_URL",
    default: None,
    about: "What browsers call this server, for example https://citadel.example.com. Default: the address of `listen`,\n\
            with https:// if tls_cert is set and http:// if not. In production it must be https unless the host is a\n\
            loopback address.",
};
pub(crate) const DASHBOARD_URL: Setting = Setting {
    name: "dashboard_url",
    env: "CITADEL_DASHBOARD_URL",
    default: None,
    about: "What browsers call the dashboard, for example https://dashboard.example.com: another host than public_url, because\n\
            browsers keep cookies by host. Default: localhost, or the address of `dashboard_listen` if that is not loopback.\n\
            The dashboard answers under this name alone.",
};
pub(crate) const DATA_DIR: Setting = Setting {
    name: "data_dir",
    env: "CITADEL_DATA_DIR",
    default: Some("./data"),
    about: "Directory of the embedded database, the generated root key and the admin socket. Made with mode 0700.",
};
pub(crate) const DATABASE_URL: Setting = Setting {
    name: "database_url",
    env: "CITADEL_DATABASE_URL",
    default: None,
    about: "A Postgres, for example postgres://citadel@db.example.com/citadel. Default: one SQLite file in the data\n\
            directory.",
};
pub(crate) const DATABASE_CA: Setting = Setting {
    name: "database_ca",
    env: "CITADEL_DATABASE_CA",
    default: None,
    about: "A PEM file: who may have signed the certificate of database_url, if that says sslmode=verify-full. Default: the\n\
            authorities that the system trusts.",
};
pub(crate) const ROOT_KEY_FILE: Setting = Setting {
    name: "root_key_file",
    env: "CITADEL_ROOT_KEY_FILE",
    default: None,
    about: "The root key: 32 random bytes as 64 hex digits, file mode 0600. Default: root.key in the data directory,\n\
            made on the first start in development. In production it must be set and exist:\n\
            (umask 077; openssl rand -hex 32 > root.key). Whoever loses it loses the data; keep a copy elsewhere.",
};
pub(crate) const TLS_CERT: Setting = Setting {
    name: "tls_cert",
    env: "CITADEL_TLS_CERT",
    default: None,
    about: "A PEM file: the certificate, then those between it and its authority. `listen` then speaks TLS 1.2 and 1.3,\n\
            and nothing else. Leave it and tls_key unset behind a TLS proxy. A renewed file is taken within a minute, or\n\
            at SIGHUP. `citadel dev-cert` makes one for this machine.",
};
pub(crate) const TLS_KEY: Setting = Setting {
    name: "tls_key",
    env: "CITADEL_TLS_KEY",
    default: None,
    about: "A PEM file: the private key of tls_cert, without a passphrase.",
};
pub(crate) const PROXIES: Setting = Setting {
    name: "proxies",
    env: "CITADEL_PROXIES",
    default: None,
    about: "The proxies in front of this server, addresses or networks with commas between them: 10.0.0.7, 192.0.2.0/24.\n\
            Of these, and of nobody else, X-Forwarded-For and X-Forwarded-Proto are believed.",
};
pub(crate) const LOG: Setting = Setting {
    name: "log",
    env: "CITADEL_LOG",
    default: Some("info"),
    about: "What is logged: error, warn, info, debug or trace, also per part (info,citadel_store=debug).",
};

pub(crate) const SANDBOX_SEED: Setting = Setting {
    name: "sandbox_seed",
    env: "CITADEL_SANDBOX_SEED",
    default: Some(citadel_connectors::sandbox::DEFAULT_SEED),
    about: "What the invented people and the ids of the sandbox follow from: another text, other people.",
};
pub(crate) const SANDBOX_NOW: Setting = Setting {
    name: "sandbox_now",
    env: "CITADEL_SANDBOX_NOW",
    default: None,
    about: "Where the clock of a new client's sandbox stands, for example 2030-01-07T15:00:00Z. Default: it runs with\n\
            the machine's. Each client can turn its own: POST /v1/sandbox/clock/.",
};

pub(crate) const RATE_LIMIT: Setting = Setting {
    name: "rate_limit",
    env: "CITADEL_RATE_LIMIT",
    default: Some("300"),
    about: "Requests a minute with one access secret, all endpoints together; more are answered 429. 0 for any number.",
};

pub(crate) const STOP_WAIT: Setting = Setting {
    name: "stop_wait",
    env: "CITADEL_STOP_WAIT",
    default: Some("0"),
    about: "Seconds, 0 to 15, in which a node that was told to stop still takes requests: as long as the proxy in front needs\n\
            to see that /readyz says no.",
};

pub(crate) const OTLP_ENDPOINT: Setting = Setting {
    name: "otlp_endpoint",
    env: "CITADEL_OTLP_ENDPOINT",
    default: None,
    about: "Where traces are sent by OTLP over HTTP, for example http://127.0.0.1:4318. Default: nowhere.",
};

pub(crate) const REPLAY_POLICY: Setting = Setting {
    name: "replay_policy",
    env: "CITADEL_REPLAY_POLICY",
    default: Some("keep"),
    about: "What a second exchange of a public token does, beside its answer 410. keep: nothing; a lost answer is likelier\n\
            than theft. revoke: the link's access token ends too, as RFC 6749 has it. Neither is for a call that is\n\
            repeated under its Idempotency-Key, which gets the same answer.",
};

pub(crate) const CALL_BODIES: Setting = Setting {
    name: "call_bodies",
    env: "CITADEL_CALL_BODIES",
    default: Some("masked"),
    about: "What the record of calls, which is kept for 30 days, has of requests and answers. masked: their shape, with our own\n\
            ids, statuses and error texts and with no value about anybody. off: nothing.",
};

/// Every setting, in the order in which people should read them.
pub(super) const ALL: &[&Setting] = &[
    &PROFILE,
    &LISTEN,
    &DASHBOARD_LISTEN,
    &METRICS_LISTEN,
    &PUBLIC_URL,
    &DASHBOARD_URL,
    &DATA_DIR,
    &DATABASE_URL,
    &DATABASE_CA,
    &ROOT_KEY_FILE,
    &TLS_CERT,
    &TLS_KEY,
    &PROXIES,
    &SANDBOX_SEED,
    &SANDBOX_NOW,
    &RATE_LIMIT,
    &REPLAY_POLICY,
    &CALL_BODIES,
    &STOP_WAIT,
    &LOG,
    &OTLP_ENDPOINT,
];

impl Setting {
    /// Whether an environment variable of this name is a setting.
    pub fn is_variable(name: &str) -> bool {
        ALL.iter().any(|setting| setting.env == name)
    }
}
