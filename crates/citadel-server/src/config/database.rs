//! Where the database is, and whether the way to it is safe (P50).

use std::path::PathBuf;

use citadel_domain::Secret;

use super::{
    check::is_loopback,
    file::Values,
    mask_url,
    problem::Problem,
    settings::{DATABASE_CA, DATABASE_URL},
};

const VERIFIED: &str =
    "add ?sslmode=verify-full to it, and name the authority in CITADEL_DATABASE_CA if it is your own";

/// The address, and the file of its authorities.
pub(super) fn check(
    values: &Values,
    production: bool,
    problems: &mut Vec<Problem>,
) -> (Option<Secret>, Option<PathBuf>) {
    let ca = values.given(&DATABASE_CA);
    let Some(text) = values.given(&DATABASE_URL) else {
        if let Some(ca) = ca {
            let fix = "leave it out: the embedded database is a file of this machine";
            problems.push(Problem::of(
                &DATABASE_CA,
                Some(ca),
                "is set, but CITADEL_DATABASE_URL is not",
                fix,
            ));
        }
        return (None, None);
    };
    let shown = mask_url(text);
    let mut problem = |what: &str, fix: &str| {
        problems.push(Problem::of(&DATABASE_URL, Some(&shown), what, fix));
    };
    let rest = text.strip_prefix("postgres://").or_else(|| text.strip_prefix("postgresql://"));
    let way = Way::of(text);
    if rest.is_none_or(str::is_empty) {
        problem(
            "is not the address of a Postgres",
            "write postgres://user:password@host:5432/database, or leave it out to use the embedded database",
        );
    } else if !["", "disable", "allow", "prefer", "require", "verify-full"].contains(&way.mode) {
        problem("has another sslmode than disable, require or verify-full", VERIFIED);
    } else if production && !way.is_near && !way.is_encrypted() && way.mode != "disable" {
        let fix =
            &format!("{VERIFIED}; where the network between them is nobody else's, say ?sslmode=disable");
        problem("is on another machine, and people's data would cross the network in the open", fix);
    }
    if let Some(ca) = ca.filter(|_| !way.is_encrypted()) {
        let what = "is set, but CITADEL_DATABASE_URL asks for no TLS";
        problems.push(Problem::of(&DATABASE_CA, Some(ca), what, "add ?sslmode=verify-full to the address"));
    }
    (Some(Secret::new(text)), ca.map(PathBuf::from))
}

/// What works but should be looked at.
pub(super) fn risk(url: &str) -> Option<Problem> {
    let way = Way::of(url);
    let is_open = !way.is_near && !way.is_encrypted();
    is_open.then(|| {
        let what = "is on another machine, and is spoken to in the open";
        Problem::of(&DATABASE_URL, Some(&mask_url(url)), what, VERIFIED)
    })
}

/// How the database is reached.
struct Way<'a> {
    mode: &'a str,
    is_near: bool,
}

impl<'a> Way<'a> {
    fn of(url: &'a str) -> Self {
        let (base, query) = url.split_once('?').unwrap_or((url, ""));
        let options = query.split('&').filter_map(|pair| pair.split_once('='));
        let mode = options.clone().filter(|(name, _)| *name == "sslmode").map(|(_, value)| value).next_back();
        let mut named = options.filter(|(name, _)| matches!(*name, "host" | "hostaddr"));
        let is_near = are_near(hosts_of(base)) && named.all(|(_, hosts)| are_near(hosts));
        Self { mode: mode.unwrap_or_default(), is_near }
    }

    fn is_encrypted(&self) -> bool {
        matches!(self.mode, "require" | "verify-full")
    }
}

/// The hosts in an address, with their ports.
fn hosts_of(base: &str) -> &str {
    let rest = base.split_once("://").map_or(base, |(_, rest)| rest);
    let authority = rest.split('/').next().unwrap_or_default();
    authority.rsplit_once('@').map_or(authority, |(_, hosts)| hosts)
}

/// Whether hosts are this machine: loopback addresses, or Unix sockets (the directory is the host, or there is none).
fn are_near(hosts: &str) -> bool {
    hosts.split(',').all(|host_and_port| {
        let host = match host_and_port.rsplit_once(':') {
            Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
            _ => host_and_port,
        };
        let is_socket = host.starts_with('/') || host.to_ascii_uppercase().starts_with("%2F");
        host.is_empty() || is_socket || is_loopback(host)
    })
}
