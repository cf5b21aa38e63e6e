//! What WeChat Pay tells about trades and refunds: in answers as it is, in notifications encrypted.

use crate::book::{Kind, Refund, RefundStanding, Standing, Trade};
use crate::keys::{seal, token};
use crate::postman::{About, Message, Twist, tell};
use crate::shared::Shared;
use chrono::{DateTime, FixedOffset, Utc};
use serde_json::{Value, json};
use std::sync::Arc;

/// What a delivery is made of: headers and body.
pub type Parts = (Vec<(&'static str, String)>, Vec<u8>);

fn beijing(time: DateTime<Utc>) -> String {
    let seconds = DateTime::from_timestamp(time.timestamp(), 0).unwrap_or(time);
    FixedOffset::east_opt(8 * 3600)
        .map_or_else(|| seconds.to_rfc3339(), |zone| seconds.with_timezone(&zone).to_rfc3339())
}

pub fn trade_json(shared: &Shared, trade: &Trade) -> Value {
    let keys = shared.keys();
    let state = match trade.standing {
        Standing::Paid if shared.book().refunded(Kind::WeChat, &trade.number) > 0 => "REFUND",
        Standing::Paid => "SUCCESS",
        Standing::Waiting => "NOTPAY",
        Standing::Closed => "CLOSED",
        Standing::Failed => "PAYERROR",
    };
    let mut shown = json!({
        "appid": keys.merchant.wechat_app_id,
        "mchid": keys.merchant.wechat_merchant_id,
        "out_trade_no": trade.number,
        "trade_state": state,
        "trade_state_desc": "",
        "amount": { "total": trade.amount, "currency": trade.currency },
    });
    if let Some(paid_at) = trade.paid_at {
        shown["transaction_id"] = json!(trade.transaction);
        shown["trade_type"] = json!("NATIVE");
        shown["bank_type"] = json!("OTHERS");
        shown["success_time"] = json!(beijing(paid_at));
        shown["payer"] = json!({ "openid": "oFake" });
        shown["amount"]["payer_total"] = json!(trade.amount);
        shown["amount"]["payer_currency"] = json!(trade.currency);
    }
    shown
}

/// `status` is named otherwise in notifications. A refund that was just taken is under way, whatever becomes of it.
pub fn refund_json(shared: &Shared, refund: &Refund, status: &str, new: bool) -> Value {
    let paid = shared.book().trade(Kind::WeChat, &refund.trade).map(|trade| (trade.transaction.clone(), trade.amount));
    let (transaction, total) = paid.unwrap_or_default();
    let standing = if new { RefundStanding::Processing } else { refund.standing };
    let mut shown = json!({
        "mchid": shared.keys().merchant.wechat_merchant_id,
        "refund_id": refund.transaction,
        "out_refund_no": refund.number,
        "transaction_id": transaction,
        "out_trade_no": refund.trade,
        "channel": "ORIGINAL",
        "user_received_account": "支付用户零钱",
        "create_time": beijing(refund.at),
        "amount": {
            "total": total, "refund": refund.amount, "payer_total": total, "payer_refund": refund.amount,
            "settlement_refund": refund.amount, "settlement_total": total, "discount_refund": 0, "currency": "CNY",
        },
    });
    shown[status] = json!(match standing {
        RefundStanding::Processing => "PROCESSING",
        RefundStanding::Succeeded => "SUCCESS",
        RefundStanding::Abnormal => "ABNORMAL",
        RefundStanding::Closed => "CLOSED",
    });
    if standing == RefundStanding::Succeeded {
        shown["success_time"] = json!(beijing(refund.at));
    }
    shown
}

pub fn tell_paid(shared: &Arc<Shared>, trade: &Trade) {
    let about = About::Paid { number: trade.number.clone() };
    let url = trade.notify_url.clone().unwrap_or_default();
    tell(shared, Message { id: token(32), kind: Kind::WeChat, url, about });
}

pub fn tell_refunded(shared: &Arc<Shared>, refund: &Refund) {
    let about = About::Refunded { number: refund.number.clone() };
    let url = refund.notify_url.clone().unwrap_or_default();
    tell(shared, Message { id: token(32), kind: Kind::WeChat, url, about });
}

/// Encrypts and signs a message, as of now.
pub fn notification(shared: &Shared, id: &str, about: &About, twist: Twist) -> Option<Parts> {
    let (event, original, content) = match about {
        About::Paid { number } => {
            let trade = shared.book().trade(Kind::WeChat, number)?.clone();
            let mut content = trade_json(shared, &trade);
            content["trade_state"] = json!("SUCCESS");
            ("TRANSACTION.SUCCESS", "transaction", twisted(content, twist))
        }
        About::Refunded { number } => {
            let refund = shared.book().refund_of(Kind::WeChat, number)?.clone();
            let event = match refund.standing {
                RefundStanding::Succeeded => "REFUND.SUCCESS",
                RefundStanding::Abnormal => "REFUND.ABNORMAL",
                RefundStanding::Closed => "REFUND.CLOSED",
                RefundStanding::Processing => return None,
            };
            (event, "refund", refund_json(shared, &refund, "refund_status", false))
        }
        About::Event(_) => return None,
    };
    let nonce = token(12);
    let sealed = seal(&shared.keys().merchant.wechat_api_v3_key, &nonce, original, content.to_string().as_bytes())?;
    let envelope = json!({
        "id": id, "create_time": beijing(shared.now()), "event_type": event, "resource_type": "encrypt-resource",
        "summary": "支付成功",
        "resource": {
            "original_type": original, "algorithm": "AEAD_AES_256_GCM", "ciphertext": sealed,
            "associated_data": original, "nonce": nonce,
        },
    });
    Some(signed(shared, envelope.to_string(), twist))
}

fn twisted(mut content: Value, twist: Twist) -> Value {
    match twist {
        Twist::WrongAmount => content["amount"]["total"] = json!(1),
        Twist::WrongCurrency => content["amount"]["currency"] = json!("USD"),
        Twist::WrongMerchant => content["mchid"] = json!("1900000009"),
        Twist::UnknownNumber => content["out_trade_no"] = json!("0".repeat(32)),
        _ => {}
    }
    content
}

fn signed(shared: &Shared, body: String, twist: Twist) -> Parts {
    let keys = shared.keys();
    let Some((serial, key)) = keys.wechat_platform.last() else { return (Vec::new(), Vec::new()) };
    let offset = match twist {
        Twist::Old => -302,
        Twist::Future => 600,
        _ => 0,
    };
    let (timestamp, nonce) = ((shared.now().timestamp() + offset).to_string(), token(32));
    let key = if twist == Twist::Forged { &keys.forger } else { key };
    let mut signature = key.sign(format!("{timestamp}\n{nonce}\n{body}\n").as_bytes());
    if twist == Twist::SignTest {
        signature = format!("WECHATPAY/SIGNTEST/{signature}");
    }
    let serial = if twist == Twist::WrongSerial { "PUB_KEY_ID_9".to_owned() } else { serial.clone() };
    let mut headers = vec![
        ("content-type", "application/json".to_owned()),
        ("wechatpay-timestamp", timestamp),
        ("wechatpay-nonce", nonce),
        ("wechatpay-serial", serial),
        ("wechatpay-signature-type", "WECHATPAY2-SHA256-RSA2048".to_owned()),
    ];
    if twist != Twist::Unsigned {
        headers.push(("wechatpay-signature", signature));
    }
    let body = if twist == Twist::Tampered { body + " " } else { body };
    (headers, body.into_bytes())
}
