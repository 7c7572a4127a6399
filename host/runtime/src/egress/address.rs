//! The one table of special addresses, and the decision what may be dialled.
//!
//! `std`'s predicates are not enough: `is_loopback` and its like are all false for `::ffff:127.0.0.1`, `64:ff9b::7f00:1`,
//! `100.64.0.1` or `::`. The table follows the IANA special-purpose registries (RFC 6890 and its updates), plus the
//! metadata services of the clouds and every IPv6 form that embeds an IPv4 address.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

/// What an address is, as far as dialling it goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AddressClass {
    /// Globally reachable.
    Public,
    /// Loopback, RFC 1918 or unique-local; dialled only for an origin in `grants.private_hosts`. With the range's name.
    Private(&'static str),
    /// Never dialled. With the range's name.
    Refused(&'static str),
}

enum Rule {
    Private,
    Refused,
}
use Rule::{Private, Refused};

struct Range {
    net: IpNet,
    rule: Rule,
    name: &'static str,
}

const fn v4(a: u8, b: u8, c: u8, d: u8, prefix: u8, rule: Rule, name: &'static str) -> Range {
    Range { net: IpNet::V4(Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, d), prefix)), rule, name }
}

const fn v6(s: [u16; 8], prefix: u8, rule: Rule, name: &'static str) -> Range {
    let address = Ipv6Addr::new(s[0], s[1], s[2], s[3], s[4], s[5], s[6], s[7]);
    Range { net: IpNet::V6(Ipv6Net::new_assert(address, prefix)), rule, name }
}

/// First match wins: single metadata addresses stand before the ranges that hold them.
static TABLE: &[Range] = &[
    // Metadata services hand out the machine's own credentials to whoever asks.
    v4(169, 254, 169, 254, 32, Refused, "cloud metadata service"),
    v4(169, 254, 170, 2, 32, Refused, "AWS ECS credentials"),
    v4(169, 254, 170, 23, 32, Refused, "AWS EKS pod identity"),
    v4(192, 0, 0, 192, 32, Refused, "Oracle Cloud metadata service"),
    v4(100, 100, 100, 200, 32, Refused, "Alibaba Cloud metadata service"),
    // Publicly numbered, but answered inside every Azure machine.
    v4(168, 63, 129, 16, 32, Refused, "Azure host service"),
    v6([0xfd00, 0xec2, 0, 0, 0, 0, 0, 0], 32, Refused, "AWS metadata service"),
    v6([0xfd20, 0xce, 0, 0, 0, 0, 0, 0], 32, Refused, "Google Cloud metadata service"),
    v6([0xfd00, 0x42, 0, 0, 0, 0, 0, 0x42], 128, Refused, "Scaleway metadata service"),
    // IPv4, in numerical order.
    // Linux connects 0.0.0.0 to loopback.
    v4(0, 0, 0, 0, 8, Refused, "unspecified (this host)"),
    v4(10, 0, 0, 0, 8, Private, "private (RFC 1918)"),
    // Carrier-grade NAT: also the inside of several clouds and of overlay networks.
    v4(100, 64, 0, 0, 10, Refused, "carrier-grade NAT (RFC 6598)"),
    v4(127, 0, 0, 0, 8, Private, "loopback"),
    v4(169, 254, 0, 0, 16, Refused, "link-local (RFC 3927)"),
    v4(172, 16, 0, 0, 12, Private, "private (RFC 1918)"),
    v4(192, 0, 0, 0, 24, Refused, "IETF protocol assignments (RFC 6890)"),
    v4(192, 0, 2, 0, 24, Refused, "documentation (RFC 5737)"),
    // Anycast that may be answered by whoever is near: nothing a shop is hosted at.
    v4(192, 31, 196, 0, 24, Refused, "AS112 (RFC 7535)"),
    v4(192, 52, 193, 0, 24, Refused, "AMT (RFC 7450)"),
    v4(192, 88, 99, 0, 24, Refused, "6to4 relay (RFC 7526)"),
    v4(192, 168, 0, 0, 16, Private, "private (RFC 1918)"),
    v4(192, 175, 48, 0, 24, Refused, "AS112 (RFC 7534)"),
    v4(198, 18, 0, 0, 15, Refused, "benchmarking (RFC 2544)"),
    v4(198, 51, 100, 0, 24, Refused, "documentation (RFC 5737)"),
    v4(203, 0, 113, 0, 24, Refused, "documentation (RFC 5737)"),
    v4(224, 0, 0, 0, 4, Refused, "multicast"),
    v4(255, 255, 255, 255, 32, Refused, "broadcast"),
    v4(240, 0, 0, 0, 4, Refused, "reserved (RFC 1112)"),
    // IPv6. Forms that embed an IPv4 address are refused whatever they embed: no server is published under one, and
    // whether the system unwraps it is not ours to guess.
    v6([0, 0, 0, 0, 0, 0, 0, 0], 128, Refused, "unspecified"),
    v6([0, 0, 0, 0, 0, 0, 0, 1], 128, Private, "loopback"),
    v6([0, 0, 0, 0, 0, 0xffff, 0, 0], 96, Refused, "IPv4-mapped"),
    v6([0, 0, 0, 0, 0xffff, 0, 0, 0], 96, Refused, "IPv4-translated (RFC 2765)"),
    v6([0, 0, 0, 0, 0, 0, 0, 0], 96, Refused, "IPv4-compatible (RFC 4291)"),
    v6([0x64, 0xff9b, 0, 0, 0, 0, 0, 0], 96, Refused, "NAT64 (RFC 6052)"),
    v6([0x64, 0xff9b, 1, 0, 0, 0, 0, 0], 48, Refused, "local NAT64 (RFC 8215)"),
    v6([0x100, 0, 0, 0, 0, 0, 0, 0], 64, Refused, "discard (RFC 6666)"),
    v6([0x2001, 0, 0, 0, 0, 0, 0, 0], 32, Refused, "Teredo (RFC 4380)"),
    v6([0x2001, 2, 0, 0, 0, 0, 0, 0], 48, Refused, "benchmarking (RFC 5180)"),
    v6([0x2001, 0, 0, 0, 0, 0, 0, 0], 23, Refused, "IETF protocol assignments (RFC 2928)"),
    v6([0x2001, 0xdb8, 0, 0, 0, 0, 0, 0], 32, Refused, "documentation (RFC 3849)"),
    v6([0x2002, 0, 0, 0, 0, 0, 0, 0], 16, Refused, "6to4 (RFC 3056)"),
    v6([0x3fff, 0, 0, 0, 0, 0, 0, 0], 20, Refused, "documentation (RFC 9637)"),
    v6([0xfc00, 0, 0, 0, 0, 0, 0, 0], 7, Private, "unique-local (RFC 4193)"),
    v6([0xfe80, 0, 0, 0, 0, 0, 0, 0], 10, Refused, "link-local"),
    v6([0xfec0, 0, 0, 0, 0, 0, 0, 0], 10, Refused, "site-local (RFC 3879)"),
    v6([0xff00, 0, 0, 0, 0, 0, 0, 0], 8, Refused, "multicast"),
];

/// All of IPv6 that is assigned to global unicast. What lies outside and is not in the table is reserved.
const GLOBAL_UNICAST: Ipv6Net = Ipv6Net::new_assert(Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0), 3);

/// Looks an address up in the table.
pub fn classify(address: IpAddr) -> AddressClass {
    if let Some(range) = TABLE.iter().find(|range| range.net.contains(&address)) {
        return match range.rule {
            Private => AddressClass::Private(range.name),
            Refused => AddressClass::Refused(range.name),
        };
    }
    match address {
        IpAddr::V6(address) if !GLOBAL_UNICAST.contains(&address) => AddressClass::Refused("outside global unicast"),
        _ => AddressClass::Public,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Range edges: the addresses on both sides of each boundary.
    #[test]
    fn ranges_end_where_the_registries_say() {
        for (address, expected) in [
            ("9.255.255.255", AddressClass::Public),
            ("10.0.0.0", AddressClass::Private("private (RFC 1918)")),
            ("10.255.255.255", AddressClass::Private("private (RFC 1918)")),
            ("11.0.0.0", AddressClass::Public),
            ("100.63.255.255", AddressClass::Public),
            ("100.64.0.0", AddressClass::Refused("carrier-grade NAT (RFC 6598)")),
            ("100.127.255.255", AddressClass::Refused("carrier-grade NAT (RFC 6598)")),
            ("100.128.0.0", AddressClass::Public),
            ("126.255.255.255", AddressClass::Public),
            ("127.0.0.0", AddressClass::Private("loopback")),
            ("128.0.0.0", AddressClass::Public),
            ("172.15.255.255", AddressClass::Public),
            ("172.32.0.0", AddressClass::Public),
            ("192.167.255.255", AddressClass::Public),
            ("192.169.0.0", AddressClass::Public),
            ("198.17.255.255", AddressClass::Public),
            ("198.20.0.0", AddressClass::Public),
            ("223.255.255.255", AddressClass::Public),
            ("224.0.0.0", AddressClass::Refused("multicast")),
            ("239.255.255.255", AddressClass::Refused("multicast")),
            ("255.255.255.255", AddressClass::Refused("broadcast")),
            ("168.63.129.16", AddressClass::Refused("Azure host service")),
            ("168.63.129.17", AddressClass::Public),
            ("fd00:ec2::254", AddressClass::Refused("AWS metadata service")),
            ("fd00:ec3::254", AddressClass::Private("unique-local (RFC 4193)")),
            ("2001:200::1", AddressClass::Public),
            ("4000::1", AddressClass::Refused("outside global unicast")),
            ("5f00::1", AddressClass::Refused("outside global unicast")),
        ] {
            assert_eq!(classify(address.parse().unwrap()), expected, "{address}");
        }
    }

    proptest! {
        /// An address that embeds an IPv4 address is never dialled, whatever it embeds.
        #[test]
        fn embedded_ipv4_is_never_public(bits in any::<u32>(), form in 0_usize..6) {
            let (high, low) = ((bits >> 16) as u16, (bits & 0xffff) as u16);
            let address = match form {
                0 => Ipv6Addr::new(0, 0, 0, 0, 0, 0xffff, high, low),
                1 => Ipv6Addr::new(0, 0, 0, 0, 0, 0, high, low),
                2 => Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, high, low),
                3 => Ipv6Addr::new(0x2002, high, low, 0, 0, 0, 0, 0),
                4 => Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, high, low),
                _ => Ipv6Addr::new(0, 0, 0, 0, 0xffff, 0, high, low),
            };
            prop_assert_ne!(classify(IpAddr::V6(address)), AddressClass::Public);
        }

        /// Whatever `std` calls special is special here too.
        #[test]
        fn no_address_that_std_calls_special_is_public(bits in any::<u32>()) {
            let address = Ipv4Addr::from(bits);
            let special = address.is_loopback() || address.is_private() || address.is_link_local()
                || address.is_multicast() || address.is_broadcast() || address.is_documentation()
                || address.is_unspecified();
            prop_assert!(!special || classify(IpAddr::V4(address)) != AddressClass::Public);
        }
    }
}
