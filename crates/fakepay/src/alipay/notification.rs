//! What Alipay tells about trades and refunds: a form whose sorted parameters are signed.

use super::calls::{beijing, yuan};
use crate::book::{Kind, Refund, Trade};
use crate::keys::token;
use crate::postman::{About, Message, Twist, tell};
use crate::shared::Shared;
use encoding_rs::GBK;
use std::collections::BTreeMap;
use std::sync::Arc;

type Parts = (Vec<(&'static str, String)>, Vec<u8>);

pub fn tell_paid(shared: &Arc<Shared>, trade: &Trade) {
    let about = About::Paid { number: trade.number.clone() };
    let url = trade.notify_url.clone().unwrap_or_default();
    tell(shared, Message { id: token(34), kind: Kind::Alipay, url, about });
}

pub fn tell_refunded(shared: &Arc<Shared>, refund: &Refund) {
    let about = About::Refunded { number: refund.number.clone() };
    let url = refund.notify_url.clone().unwrap_or_default();
    tell(shared, Message { id: token(34), kind: Kind::Alipay, url, about });
}

/// Writes and signs a message, as of now.
pub fn notification(shared: &Shared, id: &str, about: &About, twist: Twist) -> Option<Parts> {
    let (trade, refund) = {
        let book = shared.book();
        match about {
            About::Paid { number } => (book.trade(Kind::Alipay, number)?.clone(), None),
            About::Refunded { number } => {
                let refund = book.refund_of(Kind::Alipay, number)?.clone();
                (book.trade(Kind::Alipay, &refund.trade)?.clone(), Some(refund))
            }
            About::Event(_) => return None,
        }
    };
    let mut fields = fields_of(shared, id, &trade);
    if let Some(refund) = refund {
        let total = shared.book().refunded(Kind::Alipay, &trade.number);
        fields.insert("refund_fee", yuan(total));
        fields.insert("gmt_refund", format!("{}.000", beijing(refund.at)));
        fields.insert("out_biz_no", refund.number);
        if total >= trade.amount {
            fields.insert("trade_status", "TRADE_CLOSED".to_owned());
        }
    }
    twist_fields(&mut fields, twist);
    Some((
        vec![("content-type", "application/x-www-form-urlencoded; charset=UTF-8".to_owned())],
        signed(shared, fields, twist),
    ))
}

fn fields_of(shared: &Shared, id: &str, trade: &Trade) -> BTreeMap<&'static str, String> {
    let merchant = shared.keys().merchant.clone();
    BTreeMap::from([
        ("app_id", merchant.alipay_app_id.clone()),
        ("auth_app_id", merchant.alipay_app_id),
        ("seller_id", merchant.alipay_seller_id),
        ("buyer_id", "2088000000000009".to_owned()),
        ("charset", "utf-8".to_owned()),
        ("version", "1.0".to_owned()),
        ("notify_id", id.to_owned()),
        ("notify_type", "trade_status_sync".to_owned()),
        ("notify_time", beijing(shared.now())),
        ("gmt_create", beijing(trade.created)),
        ("gmt_payment", trade.paid_at.map(beijing).unwrap_or_default()),
        ("out_trade_no", trade.number.clone()),
        ("trade_no", trade.transaction.clone()),
        ("trade_status", "TRADE_SUCCESS".to_owned()),
        ("subject", trade.subject.clone()),
        ("total_amount", yuan(trade.amount)),
        ("receipt_amount", yuan(trade.amount)),
        ("buyer_pay_amount", yuan(trade.amount)),
        ("point_amount", "0.00".to_owned()),
        ("fund_bill_list", r#"[{"amount":"1.00","fundChannel":"ALIPAYACCOUNT"}]"#.to_owned()),
    ])
}

fn twist_fields(fields: &mut BTreeMap<&'static str, String>, twist: Twist) {
    let change = match twist {
        Twist::WrongAmount => ("total_amount", "0.01".to_owned()),
        Twist::WrongMerchant => ("seller_id", "2088000000000077".to_owned()),
        Twist::UnknownNumber => ("out_trade_no", "0".repeat(32)),
        Twist::WrongCharset => ("charset", "GBK".to_owned()),
        _ => return,
    };
    fields.insert(change.0, change.1);
}

/// The form; everything in it but `sign` and `sign_type` is signed, in the encoding that it is sent in.
fn signed(shared: &Shared, mut fields: BTreeMap<&'static str, String>, twist: Twist) -> Vec<u8> {
    let gbk = twist == Twist::WrongCharset;
    let bytes = |text: &str| if gbk { GBK.encode(text).0.into_owned() } else { text.as_bytes().to_vec() };
    let content = fields.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&");
    let keys = shared.keys();
    let key = if twist == Twist::Forged { &keys.forger } else { &keys.alipay };
    let sign = key.sign(&bytes(&content));
    fields.insert("sign_type", "RSA2".to_owned());
    if twist != Twist::Unsigned {
        fields.insert("sign", sign);
    }
    if twist == Twist::Tampered {
        fields.insert("subject", "another".to_owned());
    }
    let pairs = fields.iter().map(|(name, value)| {
        let value: String = url::form_urlencoded::byte_serialize(&bytes(value)).collect();
        format!("{name}={value}")
    });
    pairs.collect::<Vec<_>>().join("&").into_bytes()
}
