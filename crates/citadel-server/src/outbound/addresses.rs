//! Which addresses are part of the public internet. Everything else is somebody's inside.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Blocks of IPv4 that are not public: the special-purpose registry of IANA, and what lies in the multicast and reserved
/// space. As (network, length of the prefix).
const SPECIAL_V4: &[([u8; 4], u8)] = &[
    ([0, 0, 0, 0], 8),        // this network
    ([10, 0, 0, 0], 8),       // private
    ([100, 64, 0, 0], 10),    // carrier-grade NAT
    ([127, 0, 0, 0], 8),      // loopback
    ([169, 254, 0, 0], 16),   // link-local, with the metadata service of clouds
    ([172, 16, 0, 0], 12),    // private
    ([192, 0, 0, 0], 24),     // protocol assignments
    ([192, 0, 2, 0], 24),     // documentation
    ([192, 31, 196, 0], 24),  // AS112
    ([192, 52, 193, 0], 24),  // AMT
    ([192, 88, 99, 0], 24),   // 6to4 relays
    ([192, 168, 0, 0], 16),   // private
    ([192, 175, 48, 0], 24),  // AS112
    ([198, 18, 0, 0], 15),    // benchmarks
    ([198, 51, 100, 0], 24),  // documentation
    ([203, 0, 113, 0], 24),   // documentation
    ([168, 63, 129, 16], 32), // a cloud's inner service on a public address
    ([224, 0, 0, 0], 4),      // multicast
    ([240, 0, 0, 0], 4),      // reserved, broadcast
];

/// Blocks inside 2000::/3, the only public part of IPv6, that are not public or hide an IPv4 address.
const SPECIAL_V6: &[([u16; 8], u8)] = &[
    ([0x2001, 0, 0, 0, 0, 0, 0, 0], 23), // protocol assignments: Teredo, ORCHID, benchmarks
    ([0x2001, 0xdb8, 0, 0, 0, 0, 0, 0], 32), // documentation
    ([0x2002, 0, 0, 0, 0, 0, 0, 0], 16), // 6to4
    ([0x2620, 0x4f, 0x8000, 0, 0, 0, 0, 0], 48), // AS112
    ([0x3ffe, 0, 0, 0, 0, 0, 0, 0], 16), // the former 6bone
    ([0x3fff, 0, 0, 0, 0, 0, 0, 0], 20), // documentation
];

/// Whether a connection to this address leaves for the public internet. Addresses of IPv6 that carry one of IPv4 inside
/// are refused whatever they carry: nobody has to be called by them.
pub(super) fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => {
            !SPECIAL_V4.iter().any(|(network, length)| is_in_v4(address, *network, *length))
        }
        IpAddr::V6(address) => {
            // Global unicast. Outside lie loopback, mapped and compatible IPv4, NAT64 (64:ff9b::/96 and 64:ff9b:1::/48),
            // local and link-local addresses, fd00:ec2::254, and multicast.
            is_in_v6(address, [0x2000, 0, 0, 0, 0, 0, 0, 0], 3)
                && !SPECIAL_V6.iter().any(|(network, length)| is_in_v6(address, *network, *length))
        }
    }
}

/// Whether this is the machine itself, in the plain spellings only: no mapped IPv4.
pub(super) fn is_loopback(address: IpAddr) -> bool {
    address.is_loopback()
}

fn is_in_v4(address: Ipv4Addr, network: [u8; 4], length: u8) -> bool {
    let mask = u32::MAX << (32 - u32::from(length));
    (u32::from(address) ^ u32::from_be_bytes(network)) & mask == 0
}

fn is_in_v6(address: Ipv6Addr, network: [u16; 8], length: u8) -> bool {
    let mask = u128::MAX << (128 - u32::from(length));
    (u128::from(address) ^ u128::from(Ipv6Addr::from(network))) & mask == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: bool) {
        assert_eq!(is_public(text.parse().unwrap()), expected, "{text}");
    }

    #[test]
    fn p33_special_ranges_are_refused_to_their_edges() {
        for (inside, outside) in [
            ("0.255.255.255", "1.0.0.0"),
            ("10.0.0.0", "9.255.255.255"),
            ("10.255.255.255", "11.0.0.0"),
            ("100.64.0.0", "100.63.255.255"),
            ("100.127.255.255", "100.128.0.0"),
            ("127.0.0.1", "126.255.255.255"),
            ("127.255.255.255", "128.0.0.0"),
            ("169.254.169.254", "169.253.255.255"),
            ("169.254.255.255", "169.255.0.0"),
            ("172.16.0.0", "172.15.255.255"),
            ("172.31.255.255", "172.32.0.0"),
            ("192.0.0.170", "192.0.1.0"),
            ("192.0.2.1", "192.0.3.0"),
            ("192.168.0.0", "192.167.255.255"),
            ("192.168.255.255", "192.169.0.0"),
            ("198.18.0.0", "198.17.255.255"),
            ("198.19.255.255", "198.20.0.0"),
            ("198.51.100.7", "198.51.101.0"),
            ("203.0.113.255", "203.0.114.0"),
            ("224.0.0.0", "223.255.255.255"),
            ("168.63.129.16", "168.63.129.17"),
        ] {
            check(inside, false);
            check(outside, true);
        }
        for refused in ["239.255.255.255", "240.0.0.0", "255.255.255.255", "0.0.0.0"] {
            check(refused, false);
        }
    }

    #[test]
    fn p33_ipv6_is_public_only_where_it_is_global_and_carries_nothing() {
        for refused in [
            "::",
            "::1",
            "::ffff:127.0.0.1",
            "::ffff:8.8.8.8",
            "::8.8.8.8",
            "::ffff:0:127.0.0.1",
            "64:ff9b::7f00:1",
            "64:ff9b::808:808",
            "64:ff9b:1::1",
            "100::1",
            "2001::1",
            "2001:0:4136:e378:8000:63bf:3fff:fdd2",
            "2001:2::1",
            "2001:10::1",
            "2001:db8::1",
            "2002:7f00:1::1",
            "2002:808:808::1",
            "3fff::1",
            "5f00::1",
            "fc00::1",
            "fd00:ec2::254",
            "fdff::1",
            "fe80::1",
            "febf::1",
            "fec0::1",
            "ff02::1",
        ] {
            check(refused, false);
        }
        for public in ["2606:4700::1111", "2a00:1450:4001::200e", "2001:4860:4860::8888"] {
            check(public, true);
        }
    }
}
