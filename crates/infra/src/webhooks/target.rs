//! The URL of an endpoint: its form, and literal addresses, which no resolver ever sees.

use domain::notices::{EgressRules, TargetCheck};
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use url::{Host, Url};

const MAX_URL_LENGTH: usize = 2048;
const SPECIAL: &str = "must not lead to a private or special address";

/// Checks URLs against what may be reached.
#[derive(Clone)]
pub struct GuardedTargets {
    pub rules: Arc<EgressRules>,
}

impl GuardedTargets {
    fn read(&self, text: &str) -> Result<Url, &'static str> {
        if text.len() > MAX_URL_LENGTH {
            return Err("must have at most 2048 characters");
        }
        let mut url = Url::parse(text).map_err(|_| "must be a URL such as https://hooks.example.com/suanpan")?;
        match url.scheme() {
            "https" => {}
            "http" if self.rules.plain_http => {}
            _ => return Err("must be an https URL"),
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err("must not hold a user name or password");
        }
        // The parser has turned decimal, octal, hexadecimal and shortened forms into addresses.
        let literal = match url.host() {
            Some(Host::Ipv4(address)) => Some(IpAddr::V4(address)),
            Some(Host::Ipv6(address)) => Some(IpAddr::V6(address)),
            Some(Host::Domain(name)) => is_local_name(name).then_some(IpAddr::V4(Ipv4Addr::LOCALHOST)),
            None => return Err("must name a host"),
        };
        if literal.is_some_and(|address| !self.rules.permits(address)) {
            return Err(SPECIAL);
        }
        url.set_fragment(None);
        if url.as_str().len() > MAX_URL_LENGTH {
            return Err("must have at most 2048 characters");
        }
        Ok(url)
    }
}

fn is_local_name(name: &str) -> bool {
    let name = name.trim_end_matches('.');
    name == "localhost" || name.ends_with(".localhost")
}

impl TargetCheck for GuardedTargets {
    fn check(&self, url: &str) -> Result<String, &'static str> {
        self.read(url).map(String::from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn targets(allowed: &[&str], plain_http: bool) -> GuardedTargets {
        let allowed_networks = allowed.iter().map(|network| network.parse().unwrap()).collect();
        GuardedTargets { rules: Arc::new(EgressRules { allowed_networks, plain_http }) }
    }

    #[test]
    fn every_way_to_write_a_special_address_is_refused() {
        let hosts = [
            "127.0.0.1",
            "127.1",
            "127.0.1",
            "2130706433",
            "0x7f000001",
            "0x7f.1",
            "0177.0.0.1",
            "017700000001",
            "127.0.0.1.",
            "127。0。0。1",
            "①②⑦.0.0.1",
            "10.0.0.1",
            "0",
            "0.0.0.0",
            "169.254.169.254",
            "2852039166",
            "0xa9fea9fe",
            "192.168.0.1",
            "100.64.0.1",
            "224.0.0.1",
            "255.255.255.255",
            "localhost",
            "LOCALHOST",
            "localhost.",
            "a.localhost",
            "[::1]",
            "[::]",
            "[::ffff:127.0.0.1]",
            "[::ffff:7f00:1]",
            "[::127.0.0.1]",
            "[64:ff9b::127.0.0.1]",
            "[fe80::1]",
            "[fc00::1]",
            "[ff02::1]",
            "[2002:7f00:1::]",
            "[2001:0:1::1]",
            "[fe80::1%25eth0]",
            "[fe80::1%eth0]",
            "%31%32%37.0.0.1",
        ];
        for host in hosts {
            let url = format!("https://{host}/hook");
            assert!(targets(&[], false).check(&url).is_err(), "{url}");
        }
    }

    #[test]
    fn only_https_without_credentials_is_a_target() {
        let strict = targets(&[], false);
        for url in [
            "http://example.com/",
            "ftp://example.com/",
            "file:///etc/passwd",
            "gopher://example.com",
            "example.com",
            "//example.com",
            "https://",
            "https://user@example.com/",
            "https://user:secret@example.com/",
            "https://exa mple.com/",
            "https://a\u{0}.com/",
            "javascript:alert(1)",
            "",
        ] {
            assert!(strict.check(url).is_err(), "{url}");
        }
        assert!(strict.check(&format!("https://example.com/{}", "a".repeat(2048))).is_err());
        assert_eq!(strict.check("HTTPS://Example.COM:8443/a?b=c#d"), Ok("https://example.com:8443/a?b=c".to_owned()));
        assert_eq!(strict.check("https://8.8.8.8/"), Ok("https://8.8.8.8/".to_owned()));
        assert!(strict.check("https://bücher.example/").unwrap().starts_with("https://xn--"));
    }

    #[test]
    fn an_operator_can_allow_a_network_and_plain_http() {
        let open = targets(&["127.0.0.0/8"], true);
        for url in ["http://127.0.0.1:9/", "http://localhost:9/", "http://2130706433/"] {
            assert!(open.check(url).is_ok(), "{url}");
        }
        assert!(open.check("http://10.0.0.1/").is_err());
        assert!(open.check("http://[::1]/").is_err());
    }
}
