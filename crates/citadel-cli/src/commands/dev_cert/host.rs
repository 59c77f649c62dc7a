//! What a certificate can be for.

use std::{fmt, net::IpAddr, str::FromStr};

/// A host name, or the address of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Host {
    Name(String),
    Address(IpAddr),
}

/// This machine, and the hosts that published clients have compiled in.
const USUAL: [&str; 7] = [
    "localhost",
    "127.0.0.1",
    "::1",
    "prod.citadelid.com",
    "cdn.citadelid.com",
    "prod.truv.com",
    "cdn.truv.com",
];

pub(super) fn usual() -> Vec<Host> {
    USUAL.iter().map(|host| host.parse().expect("the usual hosts are hosts")).collect()
}

impl FromStr for Host {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if let Ok(address) = text.trim_start_matches('[').trim_end_matches(']').parse() {
            return Ok(Self::Address(address));
        }
        let name = text.to_ascii_lowercase();
        let is_label = |label: &str| {
            (1..=63).contains(&label.len())
                && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
                && !label.starts_with('-')
                && !label.ends_with('-')
        };
        if name.len() <= 253 && name.split('.').all(is_label) {
            Ok(Self::Name(name))
        } else {
            Err("give a host name or an IP address, without scheme, port and wildcards")
        }
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => f.write_str(name),
            Self::Address(address) => address.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_names_and_addresses_and_nothing_else() {
        let check = |text: &str, expected: Option<&str>| {
            assert_eq!(text.parse::<Host>().ok().map(|host| host.to_string()).as_deref(), expected, "{text}");
        };
        check("Prod.Truv.com", Some("prod.truv.com"));
        check("[::1]", Some("::1"));
        check("10.0.0.7", Some("10.0.0.7"));
        for wrong in ["", "https://a", "a:443", "*.a", "a b", "a..b", "-a", "a/b", "a.", "ä.com"] {
            check(wrong, None);
        }
    }
}
