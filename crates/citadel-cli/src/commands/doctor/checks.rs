//! The checks of the server's own set-up.

use std::{
    ffi::OsString,
    fs,
    io::ErrorKind,
    net::{SocketAddr, TcpListener},
    os::unix::fs::{MetadataExt, PermissionsExt},
    path::Path,
    sync::Arc,
    time::Duration,
};

use citadel_domain::{Clock, Random};
use citadel_server::{
    config::{Config, Setting},
    opening::{self, OpenError},
    operations::{Health, Readiness},
    root_key::RootKey,
    system::{SystemClock, SystemRandom},
};

use super::{Finding, Verdict, certificate, quickstart};

/// Ours are small and local: an answer takes milliseconds or never comes.
const PATIENCE: Duration = Duration::from_secs(3);
/// 2025-01-01. A clock before this release was written is wrong, and tokens made with it would never age.
const EARLIEST: i64 = 1_735_689_600;

/// Everything that can be looked at once the configuration makes sense.
pub(super) async fn all(config: &Config) -> Vec<Finding> {
    let running = health(config.metrics_listen).await.is_some();
    let mut findings = vec![clock()];
    findings.extend(user());
    findings.extend(data_dir(config));
    findings.extend(root_key(config));
    findings.push(if running { ready(config).await } else { database(config).await });
    findings.extend(ports(config, running));
    findings.extend(certificate::check(config));
    findings.extend(quickstart::check(Path::new(".env"), running.then_some(config)).await);
    findings
}

/// Where tests find the program, and the last line of `serve --print-env`, which scripts take into their environment.
const OF_TESTS: [&str; 2] = ["CITADEL_BIN", "CITADEL_READY"];

/// Variables that look like ours and are not: a misspelt setting is silently not set.
pub(super) fn misspelt_variables(environment: impl Iterator<Item = (OsString, OsString)>) -> Vec<Finding> {
    let names = environment.map(|(name, _)| name.to_string_lossy().into_owned());
    let strange = names.filter(|name| {
        let is_known = Setting::is_variable(name) || OF_TESTS.contains(&name.as_str());
        name.starts_with("CITADEL_") && !name.starts_with("CITADEL_TEST_") && !is_known
    });
    strange
        .map(|name| {
            Finding::note(
                &name,
                "is set, but is not a setting",
                "`citadel config default` prints every setting",
            )
        })
        .collect()
}

fn clock() -> Finding {
    let now = SystemClock.now();
    if now.as_second() < EARLIEST {
        let fix = "set the machine's clock (timedatectl set-ntp true)";
        return Finding::wrong("clock", format!("says {now}, which is in the past"), fix);
    }
    Finding::good("clock", now.to_string())
}

/// Told where `/proc` says it; elsewhere nobody asks.
fn user() -> Option<Finding> {
    let is_root = fs::metadata("/proc/self").is_ok_and(|process| process.uid() == 0);
    is_root.then(|| {
        let fix = "run it as a user of its own that owns nothing but the data directory";
        Finding::note("user", "root, who may do more than the server ever needs", fix)
    })
}

fn data_dir(config: &Config) -> Vec<Finding> {
    let path = &config.data_dir;
    let (subject, shown) = ("CITADEL_DATA_DIR", path.display());
    if !config.is_embedded() {
        return Vec::new();
    }
    let metadata = match fs::metadata(path) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == ErrorKind::NotFound => {
            return vec![Finding::good(
                subject,
                format!("{shown} does not exist yet; the first start makes it"),
            )];
        }
        Err(error) => {
            let fix = "set a directory that this user can write";
            return vec![Finding::wrong(subject, format!("{shown} cannot be read ({error})"), fix)];
        }
    };
    if !metadata.is_dir() {
        let fix = "move the file away, or set another directory";
        return vec![Finding::wrong(subject, format!("{shown} is not a directory"), fix)];
    }
    let mut findings = Vec::new();
    let mode = metadata.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        let fix = format!("chmod 700 {shown}");
        findings.push(Finding::wrong(
            subject,
            format!("{shown} is open to other users (mode {mode:04o})"),
            fix,
        ));
    }
    let probe = path.join(".doctor");
    match fs::write(&probe, b"").and_then(|()| fs::remove_file(&probe)) {
        Ok(()) => findings.push(Finding::good(subject, format!("{shown} can be written"))),
        Err(error) => {
            let fix = "let this user write there, make room on the disk, or set another directory";
            findings.push(Finding::wrong(subject, format!("{shown} cannot be written ({error})"), fix));
        }
    }
    findings
}

fn root_key(config: &Config) -> Option<Finding> {
    let (subject, shown) = ("CITADEL_ROOT_KEY_FILE", config.root_key_file.display());
    match RootKey::read_or_generate(config, &SystemRandom) {
        Err(problem) => Some(Finding::from_problem(Verdict::Wrong, &problem)),
        Ok(key) if !key.is_new() => Some(Finding::good(subject, format!("{shown} holds a key"))),
        // A key that is missing beside its database is found when the database is looked at.
        Ok(_) if config.database_file().exists() => None,
        Ok(_) => {
            Some(Finding::good(subject, format!("{shown} does not exist yet; the first start makes it")))
        }
    }
}

/// The store of a server that runs is the server's to judge.
async fn ready(config: &Config) -> Finding {
    let address = config.metrics_listen;
    match get::<Readiness>(address, "readyz").await {
        Some(Readiness { is_ready: true, .. }) => {
            Finding::good("database", format!("the server on {} is ready", config.listen))
        }
        Some(readiness) => {
            let what = format!(
                "the server is not ready (writable: {}, migrated: {}, stopping: {})",
                readiness.is_database_writable, readiness.is_migrated, readiness.is_stopping
            );
            Finding::wrong("database", what, "look at the server's log; check the disk and the database")
        }
        None => Finding::wrong(
            "database",
            "the server does not say whether it is ready",
            "look at the server's log",
        ),
    }
}

async fn database(config: &Config) -> Finding {
    let subject = "database";
    let random: Arc<dyn Random> = Arc::new(SystemRandom);
    match opening::inspect(config, &SystemClock, &random).await {
        Ok(None) => Finding::good(subject, "does not exist yet; the first start makes it"),
        Ok(Some(state)) if !state.pending.is_empty() => {
            let what = format!("opens; not applied yet: {}", state.pending.join(", "));
            Finding::note(subject, what, "the next start applies them, or: citadel migrate")
        }
        Ok(Some(_)) => Finding::good(subject, "opens with the root key, can be written, and is up to date"),
        Err(OpenError::Setting(problem)) => Finding::from_problem(Verdict::Wrong, &problem),
        Err(OpenError::InUse(problem)) => {
            let fix =
                "if that is a server with other settings, run doctor with the same settings; else stop it";
            Finding::wrong(subject, problem.what, fix)
        }
        Err(error) => Finding::wrong(
            subject,
            error.to_string(),
            "check the disk, or that the Postgres runs and takes this user",
        ),
    }
}

fn ports(config: &Config, running: bool) -> Vec<Finding> {
    let listeners = [
        ("CITADEL_LISTEN", config.listen),
        ("CITADEL_DASHBOARD_LISTEN", config.dashboard_listen),
        ("CITADEL_METRICS_LISTEN", config.metrics_listen),
    ];
    let check = |(subject, address): (&str, SocketAddr)| match TcpListener::bind(address) {
        Ok(_) => Finding::good(subject, format!("{address} is free")),
        Err(error) if error.kind() == ErrorKind::AddrInUse && running => {
            Finding::good(subject, format!("{address} is served by citadel"))
        }
        Err(error) if error.kind() == ErrorKind::AddrInUse => {
            let fix = format!(
                "find the program (ss -ltnp 'sport = :{}') and stop it, or set another port",
                address.port()
            );
            Finding::wrong(subject, format!("{address} is taken by another program"), fix)
        }
        Err(error) => {
            let fix = "use an address of this machine and a port that this user may take";
            Finding::wrong(subject, format!("{address} cannot be used ({error})"), fix)
        }
    };
    listeners.into_iter().map(check).collect()
}

async fn health(address: SocketAddr) -> Option<Health> {
    get::<Health>(address, "healthz").await.filter(|health| health.service == "citadel")
}

/// An answer of our operations listener, whatever its status.
async fn get<T: serde::de::DeserializeOwned>(address: SocketAddr, path: &str) -> Option<T> {
    let http = reqwest::Client::builder().timeout(PATIENCE).no_proxy().build().ok()?;
    http.get(format!("http://{address}/{path}")).send().await.ok()?.json().await.ok()
}
