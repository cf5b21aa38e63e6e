//! The signature of webhooks. Source: docs.stripe.com/webhooks/signature; HMAC-SHA256 over `t.body`.

use super::Stripe;
use aws_lc_rs::hmac;
use domain::orders::{NotificationRefused, RawNotification};
use secrecy::{ExposeSecret, SecretString};

const HEADER: &str = "stripe-signature";
/// How far a signature's time may be from now, in seconds, in both directions.
const TOLERANCE_SECONDS: u64 = 300;
/// Signatures in one header.
const MAX_SIGNATURES: usize = 16;

impl Stripe {
    pub(super) fn verify(&self, raw: &RawNotification, now: i64) -> Result<(), NotificationRefused> {
        let mut named = raw.headers.iter().filter(|(name, _)| name == HEADER);
        let (Some((_, header)), None) = (named.next(), named.next()) else {
            return Err(NotificationRefused::Signature);
        };
        verify(&self.webhook_secrets, header, &raw.body, now)
    }
}

/// Any `v1` by any of the secrets counts, other schemes do not.
pub fn verify(secrets: &[SecretString], header: &str, body: &[u8], now: i64) -> Result<(), NotificationRefused> {
    let parts = || header.split(',').filter_map(|part| part.trim().split_once('='));
    let mut times = parts().filter(|(name, _)| *name == "t").map(|(_, time)| time);
    let (Some(time), None) = (times.next(), times.next()) else { return Err(NotificationRefused::Signature) };
    let signed_at: i64 = time.parse().map_err(|_| NotificationRefused::Signature)?;
    if now.abs_diff(signed_at) > TOLERANCE_SECONDS {
        return Err(NotificationRefused::Time);
    }
    let message = [time.as_bytes(), b".", body].concat();
    let tags: Vec<_> =
        parts().filter(|(name, _)| *name == "v1").take(MAX_SIGNATURES).filter_map(|(_, hex)| unhex(hex)).collect();
    let right = secrets.iter().any(|secret| {
        let key = hmac::Key::new(hmac::HMAC_SHA256, secret.expose_secret().as_bytes());
        // Compares in constant time.
        tags.iter().any(|tag| hmac::verify(&key, &message, tag).is_ok())
    });
    if right { Ok(()) } else { Err(NotificationRefused::Signature) }
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u8>> =
        text.chars().map(|digit| digit.to_digit(16).and_then(|value| u8::try_from(value).ok())).collect();
    let digits = digits.filter(|digits| digits.len() % 2 == 0)?;
    Some(digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect())
}
