//! The words of the lines of receipts, in Chinese and English.

use crate::billing::payment::BillMethod;
use crate::notices::Locale;
use crate::plans::Interval;
use crate::wallet::Provider;

/// What lines say; `{…}` is filled in.
pub(super) struct LineWords {
    pub base: &'static str,
    pub credit: &'static str,
    pub overage: &'static str,
    pub adjustment: &'static str,
    pub correction: &'static str,
    pub refund: &'static str,
    pub refund_because: &'static str,
    pub seats: &'static str,
    /// Ranges of a tariff's tiers.
    pub first: &'static str,
    pub between: &'static str,
    pub above: &'static str,
    pub tax_id: &'static str,
    /// Month, year.
    intervals: [&'static str; 2],
    /// Wallet, WeChat Pay, Alipay, Stripe, a transfer outside.
    methods: [&'static str; 5],
}

const ENGLISH_LINES: LineWords = LineWords {
    base: "{plan}, {interval}, {from} – {to}",
    credit: "Unused part of {plan}, {from} – {to}",
    overage: "{meter} beyond the allowance",
    adjustment: "{meter} beyond the allowance, reported after its period was billed",
    correction: "Correction of {meter}",
    refund: "Refund of bill {bill}",
    refund_because: "Refund of bill {bill}: {reason}",
    seats: "{seats} seats",
    first: "{line}, the first {to} {unit}",
    between: "{line}, from {from} to {to} {unit}",
    above: "{line}, above {from} {unit}",
    tax_id: "Tax id {id}",
    intervals: ["monthly", "yearly"],
    methods: ["Prepaid balance", "WeChat Pay", "Alipay", "Stripe", "Transfer"],
};

const CHINESE_LINES: LineWords = LineWords {
    base: "{plan}（{interval}），{from} 至 {to}",
    credit: "{plan} 未使用部分抵扣，{from} 至 {to}",
    overage: "{meter} 超额用量",
    adjustment: "{meter} 超额用量（账期结算后补计）",
    correction: "{meter} 更正",
    refund: "账单 {bill} 退款",
    refund_because: "账单 {bill} 退款：{reason}",
    seats: "{seats} 席位",
    first: "{line}，{to} {unit} 以内",
    between: "{line}，{from} 至 {to} {unit}",
    above: "{line}，超过 {from} {unit} 的部分",
    tax_id: "税号 {id}",
    intervals: ["月付", "年付"],
    methods: ["账户余额", "微信支付", "支付宝", "Stripe", "线下转账"],
};

impl LineWords {
    pub fn of(locale: Locale) -> &'static Self {
        match locale {
            Locale::Chinese => &CHINESE_LINES,
            Locale::English => &ENGLISH_LINES,
        }
    }

    pub fn interval(&self, interval: Interval) -> &'static str {
        match interval {
            Interval::Month => self.intervals[0],
            Interval::Year => self.intervals[1],
        }
    }

    /// How money came in; nothing where there was nothing to pay.
    pub fn method(&self, method: BillMethod) -> Option<&'static str> {
        match method {
            BillMethod::Nothing => None,
            BillMethod::Wallet => Some(self.methods[0]),
            BillMethod::Provider(Provider::WeChat) => Some(self.methods[1]),
            BillMethod::Provider(Provider::Alipay) => Some(self.methods[2]),
            BillMethod::Provider(Provider::Stripe) => Some(self.methods[3]),
            BillMethod::Provider(Provider::Manual) => Some(self.methods[4]),
        }
    }
}

/// A text with its names filled in.
pub(super) fn fill(text: &str, values: &[(&str, &str)]) -> String {
    values.iter().fold(text.to_owned(), |text, (name, value)| text.replace(&format!("{{{name}}}"), value))
}
