//! Reading notifications: the signature, then the envelope, then the encrypted content.

use super::WeChatPay;
use super::messages::{Refund, Trade};
use domain::orders::{Notification, NotificationRefused, Notified, ProviderNumber, RawNotification};
use serde::Deserialize;

const ALGORITHM: &str = "AEAD_AES_256_GCM";

#[derive(Deserialize)]
struct Envelope {
    id: String,
    event_type: String,
    resource: Resource,
}

#[derive(Deserialize)]
struct Resource {
    algorithm: String,
    ciphertext: String,
    nonce: String,
    /// May be empty or left out.
    #[serde(default)]
    associated_data: String,
}

impl WeChatPay {
    pub(super) fn verified_notification(&self, raw: &RawNotification) -> Result<Notification, NotificationRefused> {
        self.verify(|name| header(raw, name), &raw.body, self.surroundings.clock.now().timestamp())?;
        let envelope: Envelope = serde_json::from_slice(&raw.body).map_err(|_| NotificationRefused::Content)?;
        if envelope.id.is_empty() || envelope.resource.algorithm != ALGORITHM {
            return Err(NotificationRefused::Content);
        }
        let Resource { nonce, associated_data, ciphertext, .. } = &envelope.resource;
        let content = self.resource_key.open(nonce, associated_data, ciphertext);
        let content = content.ok_or(NotificationRefused::Content)?;
        let about = match envelope.event_type.as_str() {
            "TRANSACTION.SUCCESS" => self.payment_in(&content, &envelope.event_type)?,
            "REFUND.SUCCESS" | "REFUND.ABNORMAL" | "REFUND.CLOSED" => refund_in(&content, &envelope.event_type)?,
            other => Notified::Other { kind: other.to_owned() },
        };
        Ok(Notification { message: envelope.id, about })
    }

    fn payment_in(&self, content: &[u8], kind: &str) -> Result<Notified, NotificationRefused> {
        let trade: Trade = serde_json::from_slice(content).map_err(|_| NotificationRefused::Content)?;
        let Some(number) = ProviderNumber::parse(&trade.out_trade_no) else {
            return Ok(Notified::Other { kind: kind.to_owned() });
        };
        let state = self.state_of(&trade).ok_or(NotificationRefused::Content)?;
        Ok(Notified::Payment { number, state })
    }
}

fn refund_in(content: &[u8], kind: &str) -> Result<Notified, NotificationRefused> {
    let refund: Refund = serde_json::from_slice(content).map_err(|_| NotificationRefused::Content)?;
    let Some(number) = ProviderNumber::parse(&refund.out_refund_no) else {
        return Ok(Notified::Other { kind: kind.to_owned() });
    };
    let state = refund.state().ok_or(NotificationRefused::Content)?;
    Ok(Notified::Refund { number, state })
}

/// The one header of that name; two of them are none.
fn header<'r>(raw: &'r RawNotification, name: &str) -> Option<&'r str> {
    let mut named = raw.headers.iter().filter(|(key, _)| key == name);
    let (_, value) = named.next()?;
    named.next().is_none().then_some(value.as_str())
}
