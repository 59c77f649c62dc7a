//! Reading the address of a Postgres: what the driver knows, what it does not, and what we set where nobody said.

use std::{path::PathBuf, str::FromStr, time::Duration};

use tokio_postgres::{
    Config,
    config::{Host, LoadBalanceHosts, SslMode, TargetSessionAttrs},
};

use super::tls::Tls;
use crate::Error;

/// How long a host may take to accept a connection before the next one is tried.
const CONNECT: Duration = Duration::from_secs(2);
/// A link on which nothing comes back is given up by the system after about this long (P40), also while it is idle.
const SILENCE: Duration = Duration::from_secs(5);
const PROBE_EVERY: Duration = Duration::from_secs(2);
const PROBES: u32 = 3;
/// What the driver has where nobody said.
const SYSTEM_IDLE: Duration = Duration::from_secs(2 * 60 * 60);

/// Where to connect, and how.
pub(super) struct Address {
    pub(super) config: Config,
    /// `None`: in the open.
    pub(super) tls: Option<Tls>,
    /// Whether statements are prepared once and kept, which needs a connection that stays one and the same.
    pub(super) is_prepared: bool,
}

impl Address {
    pub(super) fn read(url: &str) -> Result<Self, Error> {
        let (base, query) = url.split_once('?').unwrap_or((url, ""));
        let (mut mode, mut authorities, mut is_prepared) = (String::new(), None, true);
        let mut rest = Vec::new();
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            match pair.split_once('=').unwrap_or((pair, "")) {
                ("sslmode", value) => mode = value.to_owned(),
                ("sslrootcert", value) => authorities = Some(PathBuf::from(decoded(value))),
                ("prepared", "on") => is_prepared = true,
                ("prepared", "off") => is_prepared = false,
                _ => rest.push(pair),
            }
        }
        let is_encrypted = match mode.as_str() {
            // The driver's own default would ask a server on the same machine for TLS, with a certificate of nobody.
            "" | "disable" | "allow" | "prefer" => false,
            // Half of this, encryption for whoever answers, is not on offer.
            "require" | "verify-full" => true,
            _ => return Err(refused("sslmode is disable, require or verify-full")),
        };
        let query = rest.join("&");
        // The parser's message may quote the password.
        let mut config = Config::from_str(&format!("{base}?{query}"))
            .map_err(|_| refused("the database URL cannot be read"))?;
        config.ssl_mode(if is_encrypted { SslMode::Require } else { SslMode::Disable });
        let tls = is_encrypted.then(|| Tls::trusting(authorities.as_deref())).transpose()?;
        tune(&mut config, &query);
        Ok(Self { config, tls, is_prepared })
    }
}

/// What nobody said.
fn tune(config: &mut Config, query: &str) {
    if config.get_application_name().is_none() {
        config.application_name("citadel");
    }
    if config.get_connect_timeout().is_none() {
        config.connect_timeout(CONNECT);
    }
    if config.get_tcp_user_timeout().is_none() {
        config.tcp_user_timeout(SILENCE);
    }
    if config.get_keepalives_idle() == SYSTEM_IDLE {
        config.keepalives_idle(SILENCE);
    }
    if config.get_keepalives_interval().is_none() {
        config.keepalives_interval(PROBE_EVERY);
    }
    if config.get_keepalives_retries().is_none() {
        config.keepalives_retries(PROBES);
    }
    let is_one_of_many =
        config.get_hosts().len() > 1 && config.get_hosts().iter().any(|host| matches!(host, Host::Tcp(_)));
    if is_one_of_many {
        // The primary, whichever it is; a host that hangs is not tried first every time.
        if !query.contains("target_session_attrs") {
            config.target_session_attrs(TargetSessionAttrs::ReadWrite);
        }
        if !query.contains("load_balance_hosts") {
            config.load_balance_hosts(LoadBalanceHosts::Random);
        }
    }
}

fn refused(what: &str) -> Error {
    Error::Schema(what.to_owned())
}

/// `%2F` and the like.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        let digits = tail.get(..2).and_then(|digits| std::str::from_utf8(digits).ok());
        match digits.filter(|_| *first == b'%').and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = &tail[2..];
            }
            None => {
                bytes.push(*first);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nobody_said_is_set_and_what_was_said_is_kept() {
        let address = Address::read("postgres://citadel@db.example.com/citadel").unwrap();
        let config = &address.config;
        assert_eq!(config.get_ssl_mode(), SslMode::Disable);
        assert_eq!(config.get_tcp_user_timeout(), Some(&SILENCE));
        assert_eq!(config.get_keepalives_idle(), SILENCE);
        assert_eq!(config.get_target_session_attrs(), TargetSessionAttrs::Any);
        assert!(address.is_prepared && address.tls.is_none());

        let address = Address::read(
            "postgres://citadel@a,b/citadel?tcp_user_timeout=9&prepared=off&connect_timeout=7&sslmode=disable",
        )
        .unwrap();
        let config = &address.config;
        assert_eq!(config.get_tcp_user_timeout(), Some(&Duration::from_secs(9)));
        assert_eq!(config.get_connect_timeout(), Some(&Duration::from_secs(7)));
        assert_eq!(config.get_target_session_attrs(), TargetSessionAttrs::ReadWrite);
        assert!(!address.is_prepared);
        let asked = Address::read("postgres://a,b/citadel?target_session_attrs=any").unwrap().config;
        assert_eq!(asked.get_target_session_attrs(), TargetSessionAttrs::Any);
    }

    #[test]
    fn a_wrong_address_is_refused_without_being_quoted() {
        for query in ["sslmode=verify-ca", "sslmode=yes", "no_such_option=hunter2", "prepared=maybe"] {
            let refused = Address::read(&format!("postgres://citadel:hunter2@db/citadel?{query}"))
                .map(drop)
                .unwrap_err();
            assert!(matches!(refused, Error::Schema(_)), "{query}: {refused}");
            assert!(!refused.to_string().contains("hunter2"), "{refused}");
        }
    }

    #[test]
    fn paths_may_be_encoded() {
        assert_eq!(decoded("%2Fetc%2Fca%20of%20db.pem"), "/etc/ca of db.pem");
        assert_eq!(decoded("100%"), "100%");
    }
}
