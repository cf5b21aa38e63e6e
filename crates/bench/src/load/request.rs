//! Requests whose bytes are made once; only keys and accounts change from one to the next.

use super::numbers::{ACCOUNT_DIGITS, KEY_DIGITS, Numbers, write_hex};

/// Stands in a body where a key's digits go.
pub const KEY: &str = "KKKKKKKKKKKKKKKK";
/// Stands in a body where an account's digits go.
pub const ACCOUNT: &str = "AAAAAAAAAAAA";

/// The bytes of a request with the places that change.
#[derive(Clone)]
pub struct Template {
    bytes: Vec<u8>,
    keys: Vec<usize>,
    accounts: Vec<usize>,
}

impl Template {
    pub fn get(path: &str, token: &str) -> Self {
        let head = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n\r\n");
        Self { bytes: head.into_bytes(), keys: Vec::new(), accounts: Vec::new() }
    }

    /// A JSON body in which [`KEY`] and [`ACCOUNT`] are replaced each time.
    pub fn post(path: &str, token: &str, body: &str) -> Self {
        let head = format!(
            "POST {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        let places = |word: &str| body.match_indices(word).map(|(at, _)| head.len() + at).collect();
        let (keys, accounts) = (places(KEY), places(ACCOUNT));
        Self { bytes: (head + body).into_bytes(), keys, accounts }
    }

    /// The next request.
    pub fn next(&mut self, numbers: &mut Numbers) -> &[u8] {
        for at in &self.keys {
            write_hex(numbers.key(), &mut self.bytes[*at..*at + KEY_DIGITS]);
        }
        for at in &self.accounts {
            write_hex(numbers.account(), &mut self.bytes[*at..*at + ACCOUNT_DIGITS]);
        }
        &self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_keys_and_accounts_change() {
        let mut template =
            Template::post("/usage", "sk-1", &format!(r#"{{"key":"b-{KEY}","account":"acc_{ACCOUNT}"}}"#));
        let mut numbers = Numbers::new(1);
        let first = String::from_utf8(template.next(&mut numbers).to_vec()).unwrap();
        let second = String::from_utf8(template.next(&mut numbers).to_vec()).unwrap();
        assert_ne!(first, second);
        let (head, body) = first.split_once("\r\n\r\n").unwrap();
        assert!(
            head.starts_with("POST /usage HTTP/1.1\r\n")
                && head.ends_with(&format!("\r\nContent-Length: {}", body.len()))
        );
        assert!(body.ends_with(r#","account":"acc_000000000000"}"#) && !body.contains(KEY), "{body}");
        assert_eq!(first.len(), second.len());
    }
}
