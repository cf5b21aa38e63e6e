//! Where a request comes from: the peer, or the right-most hop of `X-Forwarded-For` that is not one of our
//! own proxies, and that only when the peer is one of them. Whatever is odd about the header, the peer counts.

use ipnet::IpNet;
use std::net::{IpAddr, SocketAddr};

/// Longer chains are nonsense.
const MAX_HOPS: usize = 32;

/// The client's address; `forwarded` are the header's lines in order.
pub fn client_address<'a>(peer: IpAddr, forwarded: impl Iterator<Item = &'a str>, trusted: &[IpNet]) -> IpAddr {
    let peer = peer.to_canonical();
    let ours = |ip: &IpAddr| trusted.iter().any(|net| net.contains(ip));
    if !ours(&peer) {
        return peer;
    }
    let hops: Option<Vec<IpAddr>> = forwarded.flat_map(|line| line.split(',')).take(MAX_HOPS + 1).map(hop).collect();
    match hops {
        Some(hops) if hops.len() <= MAX_HOPS => hops.into_iter().rev().find(|ip| !ours(ip)).unwrap_or(peer),
        _ => peer,
    }
}

/// `10.0.0.1`, `10.0.0.1:80`, `2001:db8::1`, `[2001:db8::1]:80`.
fn hop(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    let address = text.parse().ok().or_else(|| text.parse::<SocketAddr>().ok().map(|socket| socket.ip()));
    address.map(|ip: IpAddr| ip.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(peer: &str, forwarded: &[&str]) -> String {
        let trusted: Vec<IpNet> = vec!["10.0.0.0/8".parse().unwrap(), "::1/128".parse().unwrap()];
        client_address(peer.parse().unwrap(), forwarded.iter().copied(), &trusted).to_string()
    }

    #[test]
    fn a_stranger_cannot_say_where_it_comes_from() {
        assert_eq!(seen("203.0.113.9", &["198.51.100.1"]), "203.0.113.9");
    }

    #[test]
    fn behind_our_proxies_the_right_most_foreign_hop_counts() {
        assert_eq!(seen("10.0.0.1", &["1.1.1.1, 198.51.100.1, 10.2.3.4"]), "198.51.100.1");
        assert_eq!(seen("10.0.0.1", &["1.1.1.1", "198.51.100.1"]), "198.51.100.1");
        assert_eq!(seen("10.0.0.1", &["198.51.100.1:4711"]), "198.51.100.1");
        assert_eq!(seen("::1", &["[2001:db8::1]:80"]), "2001:db8::1");
        assert_eq!(seen("::ffff:10.0.0.1", &["::ffff:198.51.100.1"]), "198.51.100.1");
    }

    #[test]
    fn an_odd_header_leaves_the_peer() {
        let long = vec!["198.51.100.1"; 50].join(",");
        for odd in ["unknown", "", "198.51.100.1, x", "fe80::1%eth0", "198.51.100.1;10.0.0.1", &long] {
            assert_eq!(seen("10.0.0.1", &[odd]), "10.0.0.1", "{odd}");
        }
        assert_eq!(seen("10.0.0.1", &[]), "10.0.0.1");
        assert_eq!(seen("10.0.0.1", &["10.9.9.9"]), "10.0.0.1");
    }
}
