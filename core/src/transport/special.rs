//! Special addresses: those that mean something else to us than to whoever names them, and what is behind them.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::Network;

/// The blocks of which one is the inside of a listener that is bound to an address in it.
const INSIDE: [Network; 6] = [
    Network { address: IpAddr::V4(Ipv4Addr::new(127, 0, 0, 0)), prefix: 8 },
    Network { address: IpAddr::V4(Ipv4Addr::new(10, 0, 0, 0)), prefix: 8 },
    Network { address: IpAddr::V4(Ipv4Addr::new(172, 16, 0, 0)), prefix: 12 },
    Network { address: IpAddr::V4(Ipv4Addr::new(192, 168, 0, 0)), prefix: 16 },
    Network { address: IpAddr::V6(Ipv6Addr::LOCALHOST), prefix: 128 },
    Network { address: IpAddr::V6(Ipv6Addr::new(0xfc00, 0, 0, 0, 0, 0, 0, 0)), prefix: 7 },
];

/// The block of loopback or private addresses that an address is in (RFC 1122 §3.2.1.3, RFC 1918 §3, RFC 4193 §3.1).
pub(super) fn inside_of(ip: IpAddr) -> Option<Network> {
    INSIDE.into_iter().find(|network| network.contains(ip))
}

/// The address that is meant: the IPv4 address within an IPv6 address that stands for one (RFC 4291 §2.5.5.2, RFC 6052 §2.1, RFC 3056 §2).
pub(crate) fn meant(ip: IpAddr) -> IpAddr {
    let IpAddr::V6(outer) = ip else { return ip };
    let [a, b, c, d, e, f, g, h, i, j, k, l, inner @ ..] = outer.octets();
    match [a, b, c, d, e, f, g, h, i, j, k, l] {
        [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff] | [0, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0] => {
            Ipv4Addr::from(inner).into()
        }
        [0x20, 0x02, ..] => Ipv4Addr::new(c, d, e, f).into(),
        _ => ip,
    }
}

/// Whether an address, as it is [`meant`], is special: loopback, private, shared (RFC 6598), link-local, unique local, a group's, or none at all.
pub(crate) fn is_special(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => {
            let shared = Network { address: Ipv4Addr::new(100, 64, 0, 0).into(), prefix: 10 };
            // All of 0.0.0.0/8 is this host on this network (RFC 1122 §3.2.1.3).
            let is_here = ip.octets().first() == Some(&0);
            ip.is_loopback()
                || ip.is_private()
                || ip.is_link_local()
                || ip.is_multicast()
                || ip.is_broadcast()
                || is_here
                || shared.contains(ip.into())
        }
        IpAddr::V6(ip) => {
            ip.is_loopback()
                || ip.is_unspecified()
                || ip.is_multicast()
                || ip.is_unicast_link_local()
                || ip.is_unique_local()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn special_addresses_are_known_at_both_ends_of_their_blocks_and_within_those_that_stand_for_them() {
        let is = |text: &str| is_special(meant(text.parse().unwrap()));
        for special in [
            "0.0.0.0",
            "0.255.255.255",
            "10.0.0.0",
            "10.255.255.255",
            "100.64.0.0",
            "100.127.255.255",
            "127.0.0.0",
            "127.255.255.255",
            "169.254.0.0",
            "169.254.255.255",
            "172.16.0.0",
            "172.31.255.255",
            "192.168.0.0",
            "192.168.255.255",
            "224.0.0.0",
            "239.255.255.255",
            "255.255.255.255",
            "::",
            "::1",
            "fc00::",
            "fdff:ffff::1",
            "fe80::1",
            "febf::1",
            "ff02::1",
            "::ffff:127.0.0.1",
            "64:ff9b::10.0.0.1",
            "2002:c0a8:1::1",
        ] {
            assert!(is(special), "{special}");
        }
        for usual in [
            "1.0.0.0",
            "9.255.255.255",
            "11.0.0.0",
            "100.63.255.255",
            "100.128.0.0",
            "126.255.255.255",
            "128.0.0.0",
            "169.253.255.255",
            "172.15.255.255",
            "172.32.0.0",
            "192.0.2.1",
            "192.167.255.255",
            "192.169.0.0",
            "223.255.255.255",
            "::2",
            "2001:db8::1",
            "fbff::1",
            "fec0::1",
            "::ffff:192.0.2.1",
            "64:ff9b::192.0.2.1",
            "64:ff9b:1::10.0.0.1",
            "2002:c000:201::1",
        ] {
            assert!(!is(usual), "{usual}");
        }
    }

    #[test]
    fn the_inside_of_an_address_is_its_block() {
        let block = |text: &str| inside_of(text.parse().unwrap()).map(|it| (it.address.to_string(), it.prefix));
        let known = [("127.0.0.1", "127.0.0.0", 8), ("10.9.8.7", "10.0.0.0", 8), ("172.20.0.1", "172.16.0.0", 12)];
        for (ip, network, prefix) in known {
            assert_eq!(block(ip), Some((network.into(), prefix)));
        }
        assert_eq!(block("192.168.1.4"), Some(("192.168.0.0".into(), 16)));
        assert_eq!(block("::1"), Some(("::1".into(), 128)));
        assert_eq!(block("fd00::5"), Some(("fc00::".into(), 7)));
        for outside in ["192.0.2.1", "0.0.0.0", "::", "2001:db8::1", "169.254.0.1"] {
            assert_eq!(block(outside), None, "{outside}");
        }
    }
}
