//! Reading notifications: a form whose bytes are verified before they are text.

use super::Alipay;
use super::signature::notification_content;
use crate::payments::amount::yuan;
use crate::payments::form;
use crate::payments::time::from_beijing;
use domain::orders::{
    Capture, Notification, NotificationRefused, Notified, PaymentState, ProviderNumber, RawNotification, RefundState,
};
use std::collections::BTreeMap;

/// More parameters than any notification has.
const MAX_PARAMETERS: usize = 200;

impl Alipay {
    pub(super) fn verified_notification(&self, raw: &RawNotification) -> Result<Notification, NotificationRefused> {
        let pairs = form::parse(&raw.body).ok_or(NotificationRefused::Signature)?;
        let value = |wanted: &str| {
            let mut named = pairs.iter().filter(|(name, _)| name == wanted.as_bytes());
            named.next().and_then(|(_, value)| std::str::from_utf8(value).ok())
        };
        let signature = value("sign").unwrap_or_default();
        let known_type = value("sign_type") == Some("RSA2");
        if pairs.len() > MAX_PARAMETERS || !known_type || !self.verifies(&notification_content(&pairs), signature) {
            return Err(NotificationRefused::Signature);
        }
        let fields = texts(&pairs).ok_or(NotificationRefused::Content)?;
        self.read(&fields).ok_or(NotificationRefused::Content)
    }

    fn read(&self, fields: &BTreeMap<&str, &str>) -> Option<Notification> {
        let text = |name: &str| fields.get(name).copied().filter(|value| !value.is_empty());
        if !text("charset")?.eq_ignore_ascii_case("utf-8") {
            return None;
        }
        let message = text("notify_id")?.to_owned();
        let kind = text("notify_type")?;
        let number = text("out_trade_no").and_then(ProviderNumber::parse);
        let about = match number {
            Some(number) if kind == "trade_status_sync" => self.about(number, &text)?,
            _ => Notified::Other { kind: kind.to_owned() },
        };
        Some(Notification { message, about })
    }

    fn about<'f>(&self, number: ProviderNumber, text: &impl Fn(&str) -> Option<&'f str>) -> Option<Notified> {
        // A refund leaves the trade's status as it is; what tells is the time of the refund.
        if let Some(at) = text("gmt_refund") {
            let refund = text("out_biz_no").and_then(ProviderNumber::parse);
            return Some(match refund {
                // Milliseconds follow the seconds here and nowhere else.
                Some(number) => {
                    let refunded_at = from_beijing(at.split('.').next()?)?;
                    Notified::Refund { number, state: RefundState::Succeeded { refunded_at } }
                }
                None => Notified::Other { kind: "refund".to_owned() },
            });
        }
        let state = match text("trade_status")? {
            "WAIT_BUYER_PAY" => PaymentState::Open,
            "TRADE_CLOSED" => PaymentState::Closed,
            "TRADE_SUCCESS" | "TRADE_FINISHED" => PaymentState::Captured(Capture {
                transaction: text("trade_no").filter(|id| id.len() <= 128)?.to_owned(),
                amount: yuan(text("total_amount")?)?,
                captured_at: from_beijing(text("gmt_payment")?)?,
                payee_is_ours: text("seller_id") == Some(&self.seller_id) && text("app_id") == Some(&self.app_id),
            }),
            _ => return None,
        };
        Some(Notified::Payment { number, state })
    }
}

/// Every parameter as text, each name once.
fn texts(pairs: &[(Vec<u8>, Vec<u8>)]) -> Option<BTreeMap<&str, &str>> {
    let mut fields = BTreeMap::new();
    for (name, value) in pairs {
        let (name, value) = (std::str::from_utf8(name).ok()?, std::str::from_utf8(value).ok()?);
        if fields.insert(name, value).is_some() {
            return None;
        }
    }
    Some(fields)
}
