//! Which IP addresses may be reached.
//!
//! The decision is made on the address that a connection is about to be opened to, after the name has been resolved, and literal addresses
//! go the same way: what a name resolves to earlier or later has no influence.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// Which addresses are allowed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Addresses {
    /// Those of the public Internet.
    #[default]
    Public,
    /// Those of private networks and of the machine itself, too. Not those of [`AddressClass::Forbidden`].
    Any,
    /// All: for what the operator of a host has configured, and no guest has chosen.
    Unchecked,
}

/// What an address is, with words for messages. The source is IANA's two registries of special-purpose addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AddressClass {
    /// Reachable from everywhere.
    Public,
    /// Reachable from some networks only, among them this machine.
    Private(&'static str),
    /// No service that a guest has business with: link-local addresses, among which clouds give credentials to whoever asks, multicast, and what
    /// is reserved.
    Forbidden(&'static str),
}

use AddressClass::{Forbidden, Private, Public};

impl Addresses {
    /// Whether a connection may be opened; the error says what the address is.
    pub fn check(self, address: IpAddr) -> Result<(), &'static str> {
        match (AddressClass::of(address), self) {
            (_, Self::Unchecked) | (Public, _) | (Private(_), Self::Any) => Ok(()),
            (Private(words), Self::Public) | (Forbidden(words), _) => Err(words),
        }
    }

    /// The addresses among these to which a connection may be opened. If there is none, the first that is refused, and what it is.
    pub fn allowed(
        self,
        addresses: &[SocketAddr],
    ) -> Result<Vec<SocketAddr>, Option<(IpAddr, &'static str)>> {
        let mut refused = None;
        let mut allowed = Vec::new();
        for address in addresses {
            match self.check(address.ip()) {
                Ok(()) => allowed.push(*address),
                Err(words) => refused = refused.or(Some((address.ip(), words))),
            }
        }
        if allowed.is_empty() {
            return Err(refused);
        }
        Ok(allowed)
    }
}

impl AddressClass {
    /// Of an address. Forms of IPv6 that stand for an IPv4 address are what that address is.
    pub fn of(address: IpAddr) -> Self {
        match address {
            IpAddr::V4(address) => of_v4(address),
            IpAddr::V6(address) => of_v6(address),
        }
    }
}

fn of_v4(address: Ipv4Addr) -> AddressClass {
    match address.octets() {
        // Services of clouds for their machines outside of 169.254/16: Azure, Alibaba, Oracle.
        [168, 63, 129, 16] | [100, 100, 100, 200] | [192, 0, 0, 192] => {
            Forbidden("a metadata address")
        }
        [169, 254, ..] => Forbidden("a link-local address"),
        [0, ..] => Forbidden("an address of this network"),
        [127, ..] => Private("a loopback address"),
        [10, ..] | [172, 16..=31, ..] | [192, 168, ..] => Private("a private address"),
        [100, 64..=127, ..] => Private("an address of a provider's network"),
        [192, 0, 2, _] | [198, 51, 100, _] | [203, 0, 113, _] => Private("a documentation address"),
        [198, 18 | 19, ..] => Private("a benchmarking address"),
        [192, 0, 0, _] | [192, 88, 99, _] | [240..=255, ..] => Forbidden("a reserved address"),
        [224..=239, ..] => Forbidden("a multicast address"),
        _ => Public,
    }
}

fn of_v6(address: Ipv6Addr) -> AddressClass {
    let segments = address.segments();
    let embedded = |high: u16, low: u16| {
        let [a, b] = high.to_be_bytes();
        let [c, d] = low.to_be_bytes();
        of_v4(Ipv4Addr::new(a, b, c, d))
    };
    match segments {
        [0, 0, 0, 0, 0, 0, 0, 1] => Private("a loopback address"),
        // Mapped, and translated by NAT64.
        [0, 0, 0, 0, 0, 0xffff, high, low] | [0x64, 0xff9b, 0, 0, 0, 0, high, low] => {
            embedded(high, low)
        }
        // 6to4
        [0x2002, high, low, ..] => embedded(high, low),
        // Services of clouds for their machines. Amazon and Google reserve a network for them; Oracle, Scaleway, Linode and Alibaba have one
        // address each, and what is beside it can be anybody's.
        [0xfd00, 0xec2, ..]
        | [0xfd20, 0xce, ..]
        | [0xfd00, 0xc1, 0, 0, 0, 0, 0xa9fe, 0xa9fe]
        | [0xfd00, 0x42, 0, 0, 0, 0, 0, 0x42]
        | [0xfd00, 0xa9fe, 0xa9fe, 0, 0, 0, 0, 1]
        | [0xfd00, 0x100, 0, 0, 0, 0, 0x100, 0x200] => Forbidden("a metadata address"),
        [0xfe80..=0xfebf, ..] => Forbidden("a link-local address"),
        [0xfc00..=0xfdff, ..] | [0xfec0..=0xfeff, ..] => Private("a private address"),
        [0xff00..=0xffff, ..] => Forbidden("a multicast address"),
        [0x2001, 0xdb8, ..] | [0x3fff, 0..=0xfff, ..] => Private("a documentation address"),
        [0x2001, 2, 0, ..] => Private("a benchmarking address"),
        // Teredo and others: in it, the address that is reached is hidden.
        [0x2001, 0..=0x1ff, ..] => Forbidden("a reserved address"),
        [0x2000..=0x3fff, ..] => Public,
        _ => Forbidden("a reserved address"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn class(address: &str) -> AddressClass {
        AddressClass::of(address.parse().unwrap())
    }

    #[test]
    fn public_addresses_are_public() {
        for address in [
            "1.1.1.1",
            "8.8.8.8",
            "93.184.215.14",
            "100.63.255.255",
            "100.128.0.0",
            "172.15.255.255",
            "172.32.0.0",
            "169.253.255.255",
            "169.255.0.0",
            "192.0.1.0",
            "198.17.255.255",
            "198.20.0.0",
            "223.255.255.255",
            "2606:4700:4700::1111",
            "2001:4860:4860::8888",
            "2001:200::1",
            "2a00::1",
            "::ffff:8.8.8.8",
            "64:ff9b::8.8.8.8",
            "2002:808:808::1",
        ] {
            assert_eq!(class(address), Public, "{address}");
        }
    }

    #[test]
    fn private_addresses_need_a_grant() {
        for address in [
            "127.0.0.1",
            "127.255.255.254",
            "10.0.0.1",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.1.1",
            "100.64.0.1",
            "100.127.255.255",
            "192.0.2.1",
            "198.51.100.1",
            "203.0.113.1",
            "198.18.0.1",
            "198.19.255.255",
            "::1",
            "fc00::1",
            "fdff::1",
            "fd00:c1::1",
            "fd20:cf::254",
            "fec0::1",
            "2001:db8::1",
            "3fff::1",
            "2001:2::1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "64:ff9b::10.0.0.1",
            "64:ff9b::127.0.0.1",
            "2002:a00:1::1",
            "2002:7f00:1::1",
        ] {
            assert!(matches!(class(address), Private(_)), "{address}");
            let address = address.parse().unwrap();
            assert!(Addresses::Public.check(address).is_err());
            assert_eq!(Addresses::Any.check(address), Ok(()));
            assert_eq!(Addresses::Unchecked.check(address), Ok(()));
        }
    }

    #[test]
    fn no_grant_leads_to_metadata_or_to_what_is_reserved() {
        for address in [
            "169.254.169.254",
            "169.254.170.2",
            "169.254.0.1",
            "168.63.129.16",
            "100.100.100.200",
            "192.0.0.192",
            "0.0.0.0",
            "0.1.2.3",
            "192.0.0.1",
            "192.88.99.1",
            "224.0.0.1",
            "239.255.255.255",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::2",
            "::127.0.0.1",
            "::169.254.169.254",
            "::ffff:169.254.169.254",
            "::ffff:0.0.0.0",
            "::ffff:0:169.254.169.254",
            "64:ff9b::169.254.169.254",
            "64:ff9b:1::169.254.169.254",
            "2002:a9fe:a9fe::1",
            "2001::1",
            "2001:0:4136:e378:8000:63bf:3fff:fdd2",
            "2001:10::1",
            "fd00:ec2::254",
            "fd00:ec2::253",
            "fd20:ce::254",
            "fd20:ce::1",
            "fd00:c1::a9fe:a9fe",
            "fd00:42::42",
            "fd00:a9fe:a9fe::1",
            "fd00:100::100:200",
            "fe80::1",
            "febf::1",
            "ff02::1",
            "100::1",
            "5f00::1",
            "4000::1",
            "e000::1",
        ] {
            assert!(matches!(class(address), Forbidden(_)), "{address}");
            let address = address.parse().unwrap();
            assert!(Addresses::Any.check(address).is_err());
            assert_eq!(Addresses::Unchecked.check(address), Ok(()));
        }
    }

    #[test]
    fn of_several_addresses_the_allowed_ones_are_used() {
        let addresses = ["10.0.0.1:443", "1.1.1.1:443"].map(|text| text.parse().unwrap());
        let allowed = Addresses::Public.allowed(&addresses);
        assert_eq!(allowed, Ok(vec![addresses[1]]));
        let refused = Addresses::Public.allowed(&addresses[..1]);
        assert_eq!(refused, Err(Some((addresses[0].ip(), "a private address"))));
        assert_eq!(Addresses::Any.allowed(&[]), Err(None));
    }
}
