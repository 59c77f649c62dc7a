//! From texts to a [`Config`]: every setting is looked at, every problem is kept.

use std::{
    net::{IpAddr, SocketAddr},
    path::PathBuf,
    time::Duration,
};

use axum::http::Uri;
use citadel_store::sandboxes;
use jiff::Timestamp;
use tracing_subscriber::EnvFilter;

use super::{
    Config, Part, Profile, ReplayPolicy, database,
    file::Values,
    mask_url,
    problem::Problem,
    settings::{
        CALL_BODIES, DASHBOARD_LISTEN, DASHBOARD_URL, DATA_DIR, LISTEN, LOG, METRICS_LISTEN, OTLP_ENDPOINT,
        PROFILE, PROXIES, PUBLIC_URL, RATE_LIMIT, REPLAY_POLICY, ROOT_KEY_FILE, SANDBOX_NOW, SANDBOX_SEED,
        STOP_WAIT, Setting, TLS_CERT, TLS_KEY,
    },
};
use crate::{app::SandboxSettings, connections::Proxies, tls::TlsFiles};

/// A socket path longer than this cannot be bound (108 bytes with the final zero on Linux, 104 elsewhere).
const LONGEST_SOCKET_PATH: usize = 103;

/// More requests a minute than this cannot be told from any number.
const HIGHEST_RATE: u32 = 1_000_000;

/// A node has to be gone within 25 seconds (P42), and its last requests need some of them.
const LONGEST_STOP_WAIT: u64 = 15;

/// `None` only when a setting has no usable value; the problem is then on the list.
pub(super) fn check(values: &Values, problems: &mut Vec<Problem>) -> Option<Config> {
    let profile = profile(values, problems);
    let listen = address(values, &LISTEN, problems);
    let dashboard_listen = address(values, &DASHBOARD_LISTEN, problems);
    let metrics_listen = address(values, &METRICS_LISTEN, problems);
    distinct(
        &[(&LISTEN, listen), (&DASHBOARD_LISTEN, dashboard_listen), (&METRICS_LISTEN, metrics_listen)],
        problems,
    );
    if let Some(address) = metrics_listen.filter(|address| !address.ip().is_loopback()) {
        problems.push(Problem::of(
            &METRICS_LISTEN,
            Some(&address.to_string()),
            "health and metrics are for this machine only",
            "use a loopback address, for example 127.0.0.1:8702",
        ));
    }
    let production = profile == Some(Profile::Production);
    let tls = tls(values, problems);
    let public_url = outside_url(&PUBLIC_URL, values, production, tls.is_some(), problems);
    let dashboard_url = outside_url(&DASHBOARD_URL, values, production, tls.is_some(), problems);
    if let (Some(public), Some(dashboard)) = (&public_url, &dashboard_url)
        && production
        && host(public) == host(dashboard)
    {
        problems.push(Problem::of(
            &DASHBOARD_URL,
            Some(dashboard),
            "has the host of CITADEL_PUBLIC_URL, and browsers would send the dashboard's cookies there too",
            "give the dashboard a host name of its own",
        ));
    }
    let data_dir = PathBuf::from(values.get(&DATA_DIR).unwrap_or_default());
    let (database_url, database_ca) = database::check(values, production, problems);
    if database_url.is_none() {
        socket_path_fits(&data_dir, problems);
    }
    let root_key_file = values.given(&ROOT_KEY_FILE).map(PathBuf::from);
    if production && root_key_file.is_none() {
        problems.push(Problem::of(
            &ROOT_KEY_FILE,
            None,
            "production needs a root key of its own and none is named",
            "make one with (umask 077; openssl rand -hex 32 > root.key), keep a copy elsewhere, and set the path",
        ));
    }
    let proxies = proxies(values, problems);
    let sandbox = sandbox(values, problems);
    let rate_limit = rate_limit(values, problems);
    let replay_policy = replay_policy(values, problems);
    let keeps_call_bodies = keeps_call_bodies(values, problems);
    let stop_wait = stop_wait(values, problems);
    let log = log(values, problems);
    let otlp_endpoint = otlp_endpoint(values, problems);

    let mut config = Config {
        listen: listen?,
        dashboard_listen: dashboard_listen?,
        metrics_listen: metrics_listen?,
        public_url,
        dashboard_url,
        tls,
        proxies: proxies?,
        root_key_file: root_key_file.unwrap_or_else(|| data_dir.join("root.key")),
        data_dir,
        database_url,
        database_ca,
        stop_wait: stop_wait?,
        part: Part::Whole,
        profile: profile?,
        sandbox: sandbox?,
        rate_limit: rate_limit?,
        replay_policy: replay_policy?,
        keeps_call_bodies: keeps_call_bodies?,
        log: log?,
        otlp_endpoint,
        is_ephemeral: false,
        risks: Vec::new(),
    };
    config.risks = risks(&config);
    Some(config)
}

fn proxies(values: &Values, problems: &mut Vec<Problem>) -> Option<Proxies> {
    let text = values.given(&PROXIES).unwrap_or_default();
    let proxies = Proxies::parse(text);
    if let Err(part) = proxies {
        let fix = "write addresses and networks with commas between them, for example 10.0.0.7, 192.0.2.0/24";
        problems.push(Problem::of(&PROXIES, Some(part), "is neither an IP address nor a network", fix));
    }
    proxies.ok()
}

fn sandbox(values: &Values, problems: &mut Vec<Problem>) -> Option<SandboxSettings> {
    let seed = values.get(&SANDBOX_SEED).unwrap_or_default().to_owned();
    if seed.is_empty() || seed.len() > 100 {
        problems.push(Problem::of(&SANDBOX_SEED, Some(&seed), "is no seed", "write 1 to 100 characters"));
        return None;
    }
    let Some(text) = values.given(&SANDBOX_NOW) else { return Some(SandboxSettings { seed, now: None }) };
    match text.parse::<Timestamp>() {
        Ok(at) if at.as_second() >= 0 && at <= sandboxes::LAST => {
            Some(SandboxSettings { seed, now: Some(at) })
        }
        _ => {
            let fix = "write it as 2030-01-07T15:00:00Z";
            problems.push(Problem::of(&SANDBOX_NOW, Some(text), "is not an instant from 1970 to 2099", fix));
            None
        }
    }
}

fn profile(values: &Values, problems: &mut Vec<Problem>) -> Option<Profile> {
    match values.get(&PROFILE).unwrap_or_default() {
        "development" => Some(Profile::Development),
        "production" => Some(Profile::Production),
        other => {
            problems.push(Problem::of(
                &PROFILE,
                Some(other),
                "is not a profile",
                "write development or production",
            ));
            None
        }
    }
}

fn address(values: &Values, setting: &Setting, problems: &mut Vec<Problem>) -> Option<SocketAddr> {
    let text = values.get(setting).unwrap_or_default();
    let address = text.parse().ok();
    if address.is_none() {
        let example = setting.default.unwrap_or_default();
        problems.push(Problem::of(
            setting,
            Some(text),
            "is not an IP address and a port",
            format!("write for example {example} (names such as localhost are not taken)"),
        ));
    }
    address
}

fn distinct(addresses: &[(&Setting, Option<SocketAddr>)], problems: &mut Vec<Problem>) {
    for (index, (setting, address)) in addresses.iter().enumerate() {
        let Some(address) = address.filter(|address| address.port() != 0) else { continue };
        let twin = addresses[..index].iter().find(|(_, earlier)| *earlier == Some(address));
        if let Some((other, _)) = twin {
            problems.push(Problem::of(
                setting,
                Some(&address.to_string()),
                format!("is also the address of {}", other.env),
                "give each listener a port of its own",
            ));
        }
    }
}

/// The host of an outside address, without scheme and port.
fn host(url: &str) -> Option<String> {
    url.parse::<Uri>().ok()?.host().map(str::to_lowercase)
}

fn outside_url(
    setting: &'static Setting,
    values: &Values,
    production: bool,
    is_tls: bool,
    problems: &mut Vec<Problem>,
) -> Option<String> {
    let text = values.given(setting)?;
    // User names and passwords do not belong here, and must not be shown if somebody tries.
    let shown = if text.contains('@') { mask_url(text) } else { text.to_owned() };
    let mut problem = |what: &str, fix: &str| {
        problems.push(Problem::of(setting, Some(&shown), what, fix));
        None
    };
    let example = "write scheme, host and port only, for example https://citadel.example.com";
    let Ok(uri) = text.trim_end_matches('/').parse::<Uri>() else {
        return problem("is not a web address", example);
    };
    let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
        return problem("is not a whole web address", example);
    };
    let has_more = uri.path_and_query().is_some_and(|rest| rest.as_str() != "/");
    if !matches!(scheme, "http" | "https")
        || authority.as_str().contains('@')
        || has_more
        || text.contains('#')
    {
        return problem("is more, or other, than scheme, host and port", example);
    }
    if is_tls && scheme == "http" {
        return problem(
            "is plain http, but CITADEL_TLS_CERT is set, and then nothing but TLS is spoken",
            "write https, or leave it out to use the address of the listener",
        );
    }
    if production && scheme == "http" && !is_loopback(authority.host()) {
        return problem(
            "is plain http, and logins would cross the network unprotected",
            "put a TLS proxy in front, or set CITADEL_TLS_CERT and CITADEL_TLS_KEY, and write the https address",
        );
    }
    Some(format!("{scheme}://{authority}"))
}

fn otlp_endpoint(values: &Values, problems: &mut Vec<Problem>) -> Option<String> {
    let text = values.given(&OTLP_ENDPOINT)?;
    let uri = text.trim_end_matches('/').parse::<Uri>().ok();
    let whole = uri.as_ref().and_then(|uri| Some((uri.scheme_str()?, uri.authority()?, uri.path())));
    match whole {
        Some((scheme @ ("http" | "https"), authority, "/")) if !authority.as_str().contains('@') => {
            Some(format!("{scheme}://{authority}"))
        }
        _ => {
            let shown = if text.contains('@') { mask_url(text) } else { text.to_owned() };
            let fix = "write scheme, host and port of the collector, for example http://127.0.0.1:4318";
            problems.push(Problem::of(&OTLP_ENDPOINT, Some(&shown), "is no address of a collector", fix));
            None
        }
    }
}

pub(super) fn is_loopback(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    host == "localhost" || address.is_ok_and(|address| address.is_loopback())
}

fn socket_path_fits(data_dir: &std::path::Path, problems: &mut Vec<Problem>) {
    let length = data_dir.join("admin.sock").as_os_str().len();
    if length > LONGEST_SOCKET_PATH {
        problems.push(Problem::of(
            &DATA_DIR,
            Some(&data_dir.display().to_string()),
            format!("is too long: the admin socket in it would have a path of {length} bytes"),
            format!("choose a directory whose path with /admin.sock has at most {LONGEST_SOCKET_PATH} bytes"),
        ));
    }
}

/// Both files or neither. What they hold is looked at where TLS is spoken: the other verbs need not be able to read a key.
fn tls(values: &Values, problems: &mut Vec<Problem>) -> Option<TlsFiles> {
    let (missing, other, file) = match (values.given(&TLS_CERT), values.given(&TLS_KEY)) {
        (Some(cert), Some(key)) => return Some(TlsFiles { cert: cert.into(), key: key.into() }),
        (None, None) => return None,
        (Some(_), None) => (&TLS_KEY, &TLS_CERT, "the private key of that certificate"),
        (None, Some(_)) => (&TLS_CERT, &TLS_KEY, "the certificate of that key"),
    };
    let what = format!("is not set, but {} is", other.env);
    let fix = format!("name the PEM file with {file}, or unset {} (behind a TLS proxy)", other.env);
    problems.push(Problem::of(missing, None, what, fix));
    None
}

fn rate_limit(values: &Values, problems: &mut Vec<Problem>) -> Option<u32> {
    let text = values.get(&RATE_LIMIT).unwrap_or_default();
    let limit = text.parse().ok().filter(|limit| *limit <= HIGHEST_RATE);
    if limit.is_none() {
        let fix = "write a whole number of requests a minute, or 0 for any number";
        problems.push(Problem::of(
            &RATE_LIMIT,
            Some(text),
            format!("is no number from 0 to {HIGHEST_RATE}"),
            fix,
        ));
    }
    limit
}

fn replay_policy(values: &Values, problems: &mut Vec<Problem>) -> Option<ReplayPolicy> {
    match values.get(&REPLAY_POLICY).unwrap_or_default() {
        "keep" => Some(ReplayPolicy::Keep),
        "revoke" => Some(ReplayPolicy::Revoke),
        other => {
            problems.push(Problem::of(
                &REPLAY_POLICY,
                Some(other),
                "is not a policy",
                "write keep or revoke",
            ));
            None
        }
    }
}

fn keeps_call_bodies(values: &Values, problems: &mut Vec<Problem>) -> Option<bool> {
    match values.get(&CALL_BODIES).unwrap_or_default() {
        "masked" => Some(true),
        "off" => Some(false),
        other => {
            let fix = "write masked or off";
            problems.push(Problem::of(&CALL_BODIES, Some(other), "says nothing of bodies", fix));
            None
        }
    }
}

fn stop_wait(values: &Values, problems: &mut Vec<Problem>) -> Option<Duration> {
    let text = values.get(&STOP_WAIT).unwrap_or_default();
    let seconds = text.parse().ok().filter(|seconds| *seconds <= LONGEST_STOP_WAIT);
    if seconds.is_none() {
        let what = format!("is no number of seconds from 0 to {LONGEST_STOP_WAIT}");
        let fix = "write as many seconds as the proxy needs to see that /readyz says no";
        problems.push(Problem::of(&STOP_WAIT, Some(text), what, fix));
    }
    seconds.map(Duration::from_secs)
}

fn log(values: &Values, problems: &mut Vec<Problem>) -> Option<String> {
    let text = values.get(&LOG).unwrap_or_default();
    if let Err(error) = EnvFilter::builder().parse(text) {
        problems.push(Problem::of(
            &LOG,
            Some(text),
            format!("is not a log filter ({error})"),
            "write error, warn, info, debug or trace",
        ));
        return None;
    }
    Some(text.to_owned())
}

/// What works but should be looked at before people's data goes in.
fn risks(config: &Config) -> Vec<Problem> {
    let mut risks = Vec::new();
    let production = config.profile == Profile::Production;
    if !config.listen.ip().is_loopback() && config.tls.is_none() {
        let fix = if production {
            "let only the TLS proxy reach this port (firewall or private network), or set CITADEL_TLS_CERT"
        } else {
            "use 127.0.0.1 unless others must reach it; for real data set CITADEL_PROFILE=production"
        };
        let what = "plain HTTP is reachable from other machines";
        risks.push(Problem::of(&LISTEN, Some(&config.listen.to_string()), what, fix));
    }
    if production && config.public_url.is_none() {
        let what = "not set, so browsers on other machines cannot open the widget";
        let fix = if config.tls.is_some() {
            "write https and a name of the certificate"
        } else {
            "write the https address of the proxy in front"
        };
        risks.push(Problem::of(&PUBLIC_URL, None, what, fix));
    }
    if !config.dashboard_listen.ip().is_loopback() && config.tls.is_none() {
        let what = "the dashboard's plain HTTP is reachable from other machines";
        let fix = "let only a TLS proxy reach this port, or set CITADEL_TLS_CERT";
        risks.push(Problem::of(&DASHBOARD_LISTEN, Some(&config.dashboard_listen.to_string()), what, fix));
    }
    risks.extend(config.database_url.as_ref().and_then(|url| database::risk(url.expose())));
    if config.log.contains("trace") || config.log.contains("debug") {
        let what = "detailed logs hold no secrets, but a lot of technical facts";
        risks.push(Problem::of(&LOG, Some(&config.log), what, "use info for every day"));
    }
    risks
}
