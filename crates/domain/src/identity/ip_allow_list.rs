//! The addresses from which an API key may be used.
//!
//! One spelling per address: no leading zeros, shorthand, zone or set host bits; an IPv4-mapped
//! IPv6 address is its IPv4 address. An empty list is refused, so that it never means "any".

use ipnet::{IpNet, Ipv4Net};
use std::net::IpAddr;

const MAX_ENTRIES: usize = 64;
/// Where the IPv4 address begins in an IPv4-mapped IPv6 address.
const MAPPED_PREFIX: u8 = 96;

/// 1 to 64 networks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IpAllowList(Vec<IpNet>);

impl IpAllowList {
    /// Reads addresses and networks such as `10.0.0.7`, `10.0.0.0/8`, `2001:db8::/32`.
    pub fn parse(entries: &[String]) -> Result<Self, String> {
        if entries.is_empty() {
            return Err("must not be empty; leave it out to allow any address".to_owned());
        }
        if entries.len() > MAX_ENTRIES {
            return Err(format!("may have at most {MAX_ENTRIES} entries"));
        }
        let read = |(place, text): (usize, &String)| parse_net(text).ok_or_else(|| refusal(place));
        let mut nets = entries.iter().enumerate().map(read).collect::<Result<Vec<_>, _>>()?;
        nets.sort_unstable();
        nets.dedup();
        Ok(Self(nets))
    }

    pub fn contains(&self, ip: IpAddr) -> bool {
        let ip = ip.to_canonical();
        self.0.iter().any(|net| net.contains(&ip))
    }

    /// The entries as [`IpAllowList::parse`] reads them.
    pub fn to_texts(&self) -> Vec<String> {
        self.0.iter().map(ToString::to_string).collect()
    }
}

fn refusal(place: usize) -> String {
    format!("entry {} is not an address or a network in CIDR notation without host bits", place + 1)
}

fn parse_net(text: &str) -> Option<IpNet> {
    let (address, prefix) = match text.split_once('/') {
        Some((address, prefix)) => (address, Some(parse_prefix(prefix)?)),
        None => (text, None),
    };
    let address: IpAddr = address.parse().ok()?;
    let whole = if address.is_ipv4() { 32 } else { 128 };
    let net = IpNet::new(address, prefix.unwrap_or(whole)).ok()?;
    (net.trunc() == net).then_some(net).and_then(canonical)
}

fn parse_prefix(text: &str) -> Option<u8> {
    let canonical = text.bytes().all(|byte| byte.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
    if canonical { text.parse().ok() } else { None }
}

fn canonical(net: IpNet) -> Option<IpNet> {
    match (net.addr().to_canonical(), net) {
        (IpAddr::V4(address), IpNet::V6(mapped)) => {
            Ipv4Net::new(address, mapped.prefix_len().checked_sub(MAPPED_PREFIX)?).ok().map(IpNet::V4)
        }
        _ => Some(net),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(entries: &[&str]) -> Result<IpAllowList, String> {
        IpAllowList::parse(&entries.iter().map(|&entry| entry.to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn only_the_one_spelling_of_a_network_is_accepted() {
        for entry in ["0.0.0.0/0", "::/0", "10.0.0.1", "10.0.0.0/8", "2001:db8::/32", "64:ff9b::a00:1", "2002:a00::/24"]
        {
            assert!(list(&[entry]).is_ok(), "{entry}");
        }
        for entry in [
            "",
            "/8",
            "10.0.0.0/",
            "10.0.0.0/33",
            "::/129",
            "10.0.0.1/8",
            "010.0.0.1",
            "127.1",
            "2130706433",
            "10.0.0.0/08",
            "10.0.0.0/+8",
            " 10.0.0.1",
            "fe80::1%eth0",
            "[::1]",
            "10.0.0.1:80",
            "localhost",
            "0x7f.0.0.1",
            "::ffff:0:0/90",
        ] {
            assert!(list(&[entry]).is_err(), "{entry}");
        }
    }

    #[test]
    fn an_empty_list_is_refused_and_sixty_four_entries_are_the_most() {
        assert!(list(&[]).is_err());
        let many: Vec<String> = (0..65).map(|n| format!("10.0.0.{n}")).collect();
        assert!(IpAllowList::parse(&many[..64]).is_ok());
        assert!(IpAllowList::parse(&many).is_err());
    }

    #[test]
    fn a_mapped_address_is_its_ipv4_address_on_both_sides() {
        let mapped = list(&["::ffff:10.0.0.1"]).unwrap();
        assert_eq!(mapped.to_texts(), ["10.0.0.1/32"]);
        assert!(mapped.contains("10.0.0.1".parse().unwrap()));
        assert!(list(&["10.0.0.0/8"]).unwrap().contains("::ffff:10.9.9.9".parse().unwrap()));
        assert_eq!(list(&["::ffff:10.0.0.0/104"]), list(&["10.0.0.0/8"]));
    }

    #[test]
    fn the_neighbour_of_a_network_is_outside() {
        let net = list(&["10.0.0.128/25"]).unwrap();
        assert!(net.contains("10.0.0.128".parse().unwrap()) && net.contains("10.0.0.255".parse().unwrap()));
        assert!(!net.contains("10.0.0.127".parse().unwrap()) && !net.contains("10.0.1.0".parse().unwrap()));
    }
}
