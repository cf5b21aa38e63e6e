//! What WeChat Pay signs: five lines of a request, three of an answer or a notification, each ended by a line feed.

use super::WeChatPay;
use domain::orders::NotificationRefused;
use std::fmt::Write;

/// How far a signature's time may be from now, in seconds, in both directions.
const TOLERANCE_SECONDS: u64 = 300;

pub fn request_message(method: &str, path_and_query: &str, timestamp: i64, nonce: &str, body: &str) -> String {
    format!("{method}\n{path_and_query}\n{timestamp}\n{nonce}\n{body}\n")
}

/// What is signed of an answer or a notification; the body is taken as it came.
fn answer_message(timestamp: &str, nonce: &str, body: &[u8]) -> Vec<u8> {
    [timestamp.as_bytes(), b"\n", nonce.as_bytes(), b"\n", body, b"\n"].concat()
}

impl WeChatPay {
    /// The header `Authorization`.
    pub(super) fn authorization(&self, method: &str, path_and_query: &str, body: &str) -> Option<String> {
        let timestamp = self.surroundings.clock.now().timestamp();
        let nonce = self.nonce()?;
        let signature =
            self.merchant_key.sign(request_message(method, path_and_query, timestamp, &nonce, body).as_bytes())?;
        Some(format!(
            "WECHATPAY2-SHA256-RSA2048 mchid=\"{}\",nonce_str=\"{nonce}\",signature=\"{signature}\",\
             timestamp=\"{timestamp}\",serial_no=\"{}\"",
            self.merchant_id, self.merchant_serial
        ))
    }

    /// 32 hex digits that nobody can guess.
    fn nonce(&self) -> Option<String> {
        let random = self.surroundings.random.random().ok()?;
        let mut nonce = String::with_capacity(32);
        for byte in &random[..16] {
            write!(nonce, "{byte:02X}").ok()?;
        }
        Some(nonce)
    }

    /// Verifies the four headers over a body. A signature that begins with `WECHATPAY/SIGNTEST/` is WeChat Pay's probe
    /// of whether we verify; it is wrong like any other.
    pub(super) fn verify<'h>(
        &self,
        header: impl Fn(&str) -> Option<&'h str>,
        body: &[u8],
        now: i64,
    ) -> Result<(), NotificationRefused> {
        let all = (
            header("wechatpay-timestamp"),
            header("wechatpay-nonce"),
            header("wechatpay-serial"),
            header("wechatpay-signature"),
        );
        let (Some(timestamp), Some(nonce), Some(serial), Some(signature)) = all else {
            return Err(NotificationRefused::Signature);
        };
        let signed_at: i64 = timestamp.parse().map_err(|_| NotificationRefused::Time)?;
        if now.abs_diff(signed_at) > TOLERANCE_SECONDS {
            return Err(NotificationRefused::Time);
        }
        let key = self.platform_keys.get(serial).ok_or(NotificationRefused::Signature)?;
        let right = key.verifies(&answer_message(timestamp, nonce, body), signature);
        if right { Ok(()) } else { Err(NotificationRefused::Signature) }
    }
}
