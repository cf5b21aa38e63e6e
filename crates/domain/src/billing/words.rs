//! The words on receipts, in Chinese and English.

use crate::billing::receipt::{ReceiptState, ReceiptTitle, SumKind};
use crate::money::Currency;
use crate::notices::Locale;

/// Every word of one language.
pub(super) struct Words {
    /// A bill that is not paid, one that is, a refund.
    titles: [&'static str; 3],
    pub number: &'static str,
    pub issued: &'static str,
    pub due_on: &'static str,
    pub period: &'static str,
    pub state: &'static str,
    pub currency: &'static str,
    pub coupon: &'static str,
    pub seller: &'static str,
    pub buyer: &'static str,
    pub payments: &'static str,
    pub note: &'static str,
    pub page_of: &'static str,
    columns: [&'static str; 4],
    /// Unpaid, paid, void, refunded.
    states: [&'static str; 4],
    /// In the order of [`SumKind`].
    sums: [&'static str; 8],
}

const ENGLISH: Words = Words {
    titles: ["Bill", "Receipt", "Refund"],
    number: "Bill number",
    issued: "Issued",
    due_on: "Due",
    period: "Period",
    state: "State",
    currency: "Currency",
    coupon: "Coupon",
    seller: "From",
    buyer: "To",
    payments: "Payments",
    note: "This document is not a tax invoice (fapiao) and cannot be used as one.",
    page_of: "Page {page} of {pages}",
    columns: ["Description", "Quantity", "Rate", "Amount"],
    states: ["Unpaid", "Paid", "Void", "Refunded"],
    sums: ["Base fee", "Overage", "Discount", "Tax", "Total", "Paid", "Refunded", "Amount due"],
};

// The note may name the invoice: it says that this is none.
const CHINESE: Words = Words {
    titles: ["账单", "账单", "退款单"],
    number: "账单编号",
    issued: "开具日期",
    due_on: "付款截止",
    period: "账单周期",
    state: "状态",
    currency: "币种",
    coupon: "优惠券",
    seller: "销售方",
    buyer: "购买方",
    payments: "付款记录",
    note: "本单据为账单（收据），不是税务发票，不能作为税务凭证使用。",
    page_of: "第 {page} 页，共 {pages} 页",
    columns: ["项目", "数量", "单价", "金额"],
    states: ["未付款", "已付款", "已作废", "已退款"],
    sums: ["基础费用", "超额费用", "优惠", "税额", "合计", "已付", "已退", "应付"],
};

impl Words {
    pub fn of(locale: Locale) -> &'static Self {
        match locale {
            Locale::Chinese => &CHINESE,
            Locale::English => &ENGLISH,
        }
    }

    pub fn title(&self, title: ReceiptTitle, state: ReceiptState) -> &'static str {
        match (title, state) {
            (ReceiptTitle::Bill, ReceiptState::Unpaid | ReceiptState::Void) => self.titles[0],
            (ReceiptTitle::Bill, ReceiptState::Paid | ReceiptState::Refunded) => self.titles[1],
            (ReceiptTitle::Refund, _) => self.titles[2],
        }
    }

    pub fn columns(&self, currency: Currency) -> [String; 4] {
        let [description, quantity, rate, amount] = self.columns;
        [description.to_owned(), quantity.to_owned(), rate.to_owned(), format!("{amount} ({currency})")]
    }

    pub fn state_of(&self, state: ReceiptState) -> &'static str {
        match state {
            ReceiptState::Unpaid => self.states[0],
            ReceiptState::Paid => self.states[1],
            ReceiptState::Void => self.states[2],
            ReceiptState::Refunded => self.states[3],
        }
    }

    /// Printed large where a glance must not take the paper for a paid bill.
    pub fn stamp(&self, title: ReceiptTitle, state: ReceiptState) -> Option<&'static str> {
        match (title, state) {
            (ReceiptTitle::Refund, _) | (_, ReceiptState::Paid) => None,
            (_, ReceiptState::Unpaid | ReceiptState::Void | ReceiptState::Refunded) => Some(self.state_of(state)),
        }
    }

    pub fn sum(&self, kind: SumKind) -> &'static str {
        match kind {
            SumKind::Base => self.sums[0],
            SumKind::Overage => self.sums[1],
            SumKind::Discount => self.sums[2],
            SumKind::Tax => self.sums[3],
            SumKind::Total => self.sums[4],
            SumKind::Paid => self.sums[5],
            SumKind::Refunded => self.sums[6],
            SumKind::Due => self.sums[7],
        }
    }
}
