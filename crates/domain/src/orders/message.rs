//! Providers' messages as they came in, byte for byte: every one that was signed, and those that were not up to a bound.

use super::provider::{NotificationRefused, RawNotification};
use crate::id::PaymentMessageId;
use crate::text::hex;
use crate::wallet::Provider;
use chrono::{DateTime, Utc};
use sha2::{Digest, Sha256};

/// Most bytes of a body that are kept; the hash is of all of them.
pub const MAX_KEPT_BYTES: usize = 30_000;
/// Most bytes of the kept headers.
const MAX_HEADERS_BYTES: usize = 4_000;
/// Headers that a signature needs; no others are kept, for they may hold secrets.
const KEPT_HEADERS: [&str; 2] = ["wechatpay-", "stripe-signature"];
/// What became of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MessageOutcome {
    /// Stored; what it says is not done yet.
    Received,
    /// What it says was done.
    Settled,
    /// What it says was known.
    Unchanged,
    /// Its money was suspended.
    Suspended,
    /// Of a kind that changes nothing here.
    Ignored,
    /// About a number that is not ours.
    UnknownNumber,
    /// The signature, the time or the content was wrong.
    Refused(NotificationRefused),
}

impl MessageOutcome {
    pub const ALL: [Self; 9] = [
        Self::Received,
        Self::Settled,
        Self::Unchanged,
        Self::Suspended,
        Self::Ignored,
        Self::UnknownNumber,
        Self::Refused(NotificationRefused::Signature),
        Self::Refused(NotificationRefused::Time),
        Self::Refused(NotificationRefused::Content),
    ];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Received => "received",
            Self::Settled => "settled",
            Self::Unchanged => "unchanged",
            Self::Suspended => "suspended",
            Self::Ignored => "ignored",
            Self::UnknownNumber => "unknown_number",
            Self::Refused(NotificationRefused::Signature) => "refused_signature",
            Self::Refused(NotificationRefused::Time) => "refused_time",
            Self::Refused(NotificationRefused::Content) => "refused_content",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|outcome| outcome.name() == text)
    }

    /// Whether the provider need not send it again.
    pub const fn is_done(self) -> bool {
        matches!(self, Self::Settled | Self::Unchanged | Self::Suspended | Self::Ignored)
    }
}

/// A message as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PaymentMessage {
    pub id: PaymentMessageId,
    pub provider: Provider,
    /// Unique per provider: the provider's id of it, or the hash of all that is kept of it.
    pub message: String,
    pub outcome: MessageOutcome,
    /// Bytes of the body.
    pub bytes: u32,
    /// SHA-256 of the whole body, in hex.
    pub sha256: String,
    /// The body's beginning as text, or after `hex:` when it is not UTF-8.
    pub body: String,
    /// What the signature needs of the headers, a line each.
    pub headers: String,
    pub received_at: DateTime<Utc>,
    pub done_at: Option<DateTime<Utc>>,
}

impl PaymentMessage {
    /// A message whose signature was right.
    pub fn signed(provider: Provider, message: &str, raw: &RawNotification, now: DateTime<Utc>) -> Self {
        Self::kept(provider, format!("id:{message}"), MessageOutcome::Received, raw, now)
    }

    /// A message that is not believed.
    pub fn refused(provider: Provider, why: NotificationRefused, raw: &RawNotification, now: DateTime<Utc>) -> Self {
        let kept = Self::kept(provider, String::new(), MessageOutcome::Refused(why), raw, now);
        Self { message: kept.key_after(&Self::refused_in(now)), done_at: Some(now), ..kept }
    }

    /// What the keys of all messages begin with that were not believed in this hour.
    pub fn refused_in(now: DateTime<Utc>) -> String {
        format!("refused:{}:", now.format("%Y%m%d%H"))
    }

    /// A signed message that was sent before in other bytes: signed anew, or saying something else. It changes nothing.
    #[must_use]
    pub fn again(self) -> Self {
        let (outcome, done_at) = (MessageOutcome::Unchanged, Some(self.received_at));
        Self { message: self.key_after("again:"), outcome, done_at, ..self }
    }

    /// Whether nothing tells the two apart but the time at which they came.
    pub fn is_as(&self, other: &Self) -> bool {
        (&self.sha256, &self.headers) == (&other.sha256, &other.headers)
    }

    fn key_after(&self, beginning: &str) -> String {
        let digest = Sha256::digest([self.headers.as_bytes(), self.sha256.as_bytes()].concat());
        [beginning, &hex(&digest)].concat()
    }

    fn kept(
        provider: Provider,
        message: String,
        outcome: MessageOutcome,
        raw: &RawNotification,
        now: DateTime<Utc>,
    ) -> Self {
        Self {
            id: PaymentMessageId::new(now),
            provider,
            message,
            outcome,
            bytes: u32::try_from(raw.body.len()).unwrap_or(u32::MAX),
            sha256: hex(&Sha256::digest(&raw.body)),
            body: text_of(&raw.body),
            headers: headers_of(raw),
            received_at: now,
            done_at: None,
        }
    }
}

/// Text without NUL, which PostgreSQL does not take; anything else in hexadecimal digits.
fn text_of(body: &[u8]) -> String {
    match std::str::from_utf8(body) {
        Ok(text) if !text.contains('\0') => {
            let end = (0..=MAX_KEPT_BYTES.min(text.len())).rev().find(|end| text.is_char_boundary(*end));
            text[..end.unwrap_or(0)].to_owned()
        }
        _ => format!("hex:{}", hex(&body[..body.len().min(MAX_KEPT_BYTES / 2)])),
    }
}

fn headers_of(raw: &RawNotification) -> String {
    let mut kept = String::new();
    for (name, value) in &raw.headers {
        let wanted = KEPT_HEADERS.iter().any(|header| name.starts_with(header)) && !value.contains('\0');
        if wanted && kept.len() + name.len() + value.len() + 3 <= MAX_HEADERS_BYTES {
            kept.push_str(&[name.as_str(), ": ", value.as_str(), "\n"].concat());
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raw(body: &[u8]) -> RawNotification {
        let headers = [("authorization", "secret"), ("wechatpay-nonce", "n"), ("stripe-signature", "t=1")];
        let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
        RawNotification { headers, body: body.to_vec() }
    }

    fn now() -> DateTime<Utc> {
        DateTime::from_timestamp(1_800_000_000, 0).unwrap()
    }

    #[test]
    fn only_what_a_signature_needs_is_kept_of_the_headers() {
        let kept = PaymentMessage::signed(Provider::WeChat, "m", &raw(b"{}"), now());
        assert_eq!(kept.headers, "wechatpay-nonce: n\nstripe-signature: t=1\n");
    }

    #[test]
    fn a_long_body_is_cut_between_characters_and_its_hash_is_of_all() {
        let long = "字".repeat(MAX_KEPT_BYTES);
        let kept = PaymentMessage::signed(Provider::WeChat, "m", &raw(long.as_bytes()), now());
        assert_eq!((kept.bytes as usize, kept.body.len()), (long.len(), MAX_KEPT_BYTES));
        assert_eq!(kept.sha256, hex(&Sha256::digest(long.as_bytes())));
    }

    #[test]
    fn what_is_no_text_is_kept_in_digits() {
        for body in [&b"\xff\xfe"[..], b"a\0b"] {
            let kept = PaymentMessage::signed(Provider::Alipay, "m", &raw(body), now());
            assert_eq!(kept.body, format!("hex:{}", hex(body)));
        }
    }

    #[test]
    fn what_is_not_believed_is_told_apart_by_every_byte_of_it_and_by_the_hour() {
        let refused = |raw: &RawNotification, now| {
            PaymentMessage::refused(Provider::Stripe, NotificationRefused::Signature, raw, now).message
        };
        let (one, other) = (raw(b"{}"), raw(b"{ }"));
        let mut signed_otherwise = one.clone();
        signed_otherwise.headers[2].1.push('2');
        let keys = [&one, &other, &signed_otherwise].map(|raw| refused(raw, now()));
        assert_eq!(keys.iter().collect::<std::collections::BTreeSet<_>>().len(), 3);
        assert_eq!(refused(&one, now()), keys[0]);
        assert_ne!(refused(&one, now() + chrono::TimeDelta::hours(1)), keys[0]);
        assert!(keys.iter().all(|key| key.starts_with(&PaymentMessage::refused_in(now()))));
    }

    #[test]
    fn the_same_id_in_other_bytes_is_another_message() {
        let first = PaymentMessage::signed(Provider::WeChat, "m", &raw(b"{}"), now());
        let other = PaymentMessage::signed(Provider::WeChat, "m", &raw(b"{ }"), now());
        assert_eq!((first.is_as(&first.clone()), first.is_as(&other)), (true, false));
        let kept = other.again();
        assert_ne!(kept.message, first.message);
        assert!(kept.outcome.is_done() && kept.done_at.is_some());
    }

    #[test]
    fn names_read_back() {
        assert!(MessageOutcome::ALL.iter().all(|outcome| MessageOutcome::parse(outcome.name()) == Some(*outcome)));
    }
}
