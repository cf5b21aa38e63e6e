//! The ledger's nouns: its accounts, and the transfers that move money between two of them.
//!
//! A transfer is never changed; a correction is another transfer. Every transfer takes from one account what it
//! gives to another, so the book sums to zero per currency whatever is in it.
//! Source: the accounts and transfers of TigerBeetle.

use crate::id::{AccountId, TransferId};
use crate::money::Money;
use chrono::{DateTime, Utc};
use thiserror::Error;

/// Longest reference, in bytes.
pub const MAX_REFERENCE_BYTES: usize = 128;

/// Who moves money into and out of this server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Provider {
    WeChat,
    Alipay,
    Stripe,
    /// A transfer outside, which an operator confirms.
    Manual,
}

impl Provider {
    pub const ALL: [Self; 4] = [Self::WeChat, Self::Alipay, Self::Stripe, Self::Manual];

    pub const fn name(self) -> &'static str {
        match self {
            Self::WeChat => "wechat",
            Self::Alipay => "alipay",
            Self::Stripe => "stripe",
            Self::Manual => "manual",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|provider| provider.name() == name)
    }
}

/// One side of a transfer. What lies on an account is what came in less what went out: positive on a wallet that
/// can pay, negative on `cash`, where money that customers paid came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LedgerAccount {
    /// A customer's prepaid balance: the only kind that has a limit, for it never falls below what is held.
    Wallet(AccountId),
    /// Money at a provider.
    Cash(Provider),
    /// What was earned.
    Revenue,
    /// What was given away: gifts, check-ins, referrals, vouchers.
    Promotion,
    /// What customers owe on issued bills.
    Receivable,
    /// Money that came in and belongs to nothing yet.
    Suspense,
    /// Money on its way back to customers.
    Refund,
    /// Corrections by operators.
    Adjustment,
}

impl LedgerAccount {
    /// The code in the ledger: `wallet`, `cash:wechat`, `revenue` …
    pub const fn code(self) -> &'static str {
        match self {
            Self::Wallet(_) => "wallet",
            Self::Cash(Provider::WeChat) => "cash:wechat",
            Self::Cash(Provider::Alipay) => "cash:alipay",
            Self::Cash(Provider::Stripe) => "cash:stripe",
            Self::Cash(Provider::Manual) => "cash:manual",
            Self::Revenue => "revenue",
            Self::Promotion => "promotion",
            Self::Receivable => "receivable",
            Self::Suspense => "suspense",
            Self::Refund => "refund",
            Self::Adjustment => "adjustment",
        }
    }

    /// Reads a code back; a wallet needs its account.
    pub fn parse(code: &str, wallet: Option<AccountId>) -> Option<Self> {
        match code {
            "wallet" => wallet.map(Self::Wallet),
            "revenue" => Some(Self::Revenue),
            "promotion" => Some(Self::Promotion),
            "receivable" => Some(Self::Receivable),
            "suspense" => Some(Self::Suspense),
            "refund" => Some(Self::Refund),
            "adjustment" => Some(Self::Adjustment),
            _ => code.strip_prefix("cash:").and_then(Provider::parse).map(Self::Cash),
        }
    }

    pub const fn wallet(self) -> Option<AccountId> {
        match self {
            Self::Wallet(account) => Some(account),
            _ => None,
        }
    }
}

/// What a transfer was for. With its reference it is unique: what is booked for one thing is booked once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TransferKind {
    /// A payment was captured: from the provider's cash to suspense, whence it is delivered. Reference: the payment.
    Payment,
    /// Paid money became a wallet's balance. Reference: the order.
    TopUp,
    /// A product was delivered. Reference: the order.
    Sale,
    /// Usage paid from the wallet, one transfer per account and commit. Reference: the transfer's own id.
    Usage,
    /// A bill was issued. Reference: the bill.
    BillIssued,
    /// A bill was paid, in part or whole. Reference: the payment, or for a wallet the bill.
    BillPaid,
    /// Money is set aside for a refund. Reference: the refund.
    RefundReserved,
    /// The provider confirmed the refund. Reference: the refund.
    Refunded,
    /// The refund failed, and the money went back. Reference: the refund.
    RefundFailed,
    /// A gift: redemption, check-in, referral. Reference: the row that gave it.
    Promotion,
    /// More money came in under a payment that has money. Reference: the suspense item.
    Suspended,
    /// An operator resolved suspended money. Reference: the suspense item.
    Resolved,
    /// An operator's correction. Reference: the adjustment.
    Adjustment,
    /// A provider charged for a subscription by itself: from its cash to the wallet. Reference: the charge.
    Collected,
    /// The opposite of another transfer. Reference: that transfer.
    Reversal,
}

impl TransferKind {
    pub const ALL: [Self; 15] = [
        Self::Payment,
        Self::TopUp,
        Self::Sale,
        Self::Usage,
        Self::BillIssued,
        Self::BillPaid,
        Self::RefundReserved,
        Self::Refunded,
        Self::RefundFailed,
        Self::Promotion,
        Self::Suspended,
        Self::Resolved,
        Self::Adjustment,
        Self::Collected,
        Self::Reversal,
    ];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Payment => "payment",
            Self::TopUp => "top_up",
            Self::Sale => "sale",
            Self::Usage => "usage",
            Self::BillIssued => "bill_issued",
            Self::BillPaid => "bill_paid",
            Self::RefundReserved => "refund_reserved",
            Self::Refunded => "refunded",
            Self::RefundFailed => "refund_failed",
            Self::Promotion => "promotion",
            Self::Suspended => "suspended",
            Self::Resolved => "resolved",
            Self::Adjustment => "adjustment",
            Self::Collected => "collected",
            Self::Reversal => "reversal",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// Whether an operator may book the opposite. What orders, refunds and bills booked is undone through them, and
    /// a reversal by an adjustment: otherwise their own state would no longer agree with the book.
    pub const fn is_reversible(self) -> bool {
        matches!(self, Self::Usage | Self::Promotion | Self::Adjustment)
    }
}

/// A movement of money from one account to another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transfer {
    pub id: TransferId,
    pub kind: TransferKind,
    /// Unique among the transfers of its kind; 1 to [`MAX_REFERENCE_BYTES`] bytes.
    pub reference: String,
    pub from: LedgerAccount,
    pub to: LedgerAccount,
    /// Above zero.
    pub amount: Money,
    /// The customer it is about, also where no wallet is a side of it.
    pub about: Option<AccountId>,
    /// Why, in an operator's words.
    pub reason: Option<String>,
    pub booked_at: DateTime<Utc>,
}

/// Why a transfer cannot be booked whatever lies on the accounts.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum TransferMistake {
    #[error("an amount must be above zero")]
    NotPositive,
    #[error("an account cannot pay itself")]
    SameAccount,
    #[error("a reference has 1 to 128 bytes")]
    Reference,
}

impl Transfer {
    /// A transfer about the customer whose wallet is a side of it, or about nobody.
    pub fn new(
        (kind, reference): (TransferKind, impl Into<String>),
        (from, to): (LedgerAccount, LedgerAccount),
        amount: Money,
        now: DateTime<Utc>,
    ) -> Result<Self, TransferMistake> {
        let reference = reference.into();
        if !amount.is_positive() {
            return Err(TransferMistake::NotPositive);
        }
        if from == to {
            return Err(TransferMistake::SameAccount);
        }
        if reference.is_empty() || reference.len() > MAX_REFERENCE_BYTES {
            return Err(TransferMistake::Reference);
        }
        let about = to.wallet().or(from.wallet());
        Ok(Self { id: TransferId::new(now), kind, reference, from, to, amount, about, reason: None, booked_at: now })
    }

    /// What an account's wallet paid for usage in one unit of work: the transfer's id is its own reference.
    pub fn usage(
        id: TransferId,
        account: AccountId,
        amount: Money,
        now: DateTime<Utc>,
    ) -> Result<Self, TransferMistake> {
        let sides = (LedgerAccount::Wallet(account), LedgerAccount::Revenue);
        Ok(Self { id, ..Self::new((TransferKind::Usage, id.to_string()), sides, amount, now)? })
    }

    /// The opposite of this transfer.
    pub fn reversed(&self, reason: &str, now: DateTime<Utc>) -> Result<Self, TransferMistake> {
        let named = (TransferKind::Reversal, self.id.to_string());
        let reversal = Self::new(named, (self.to, self.from), self.amount, now)?;
        Ok(Self { about: self.about, ..reversal }.because(reason))
    }

    #[must_use]
    pub fn about(self, account: AccountId) -> Self {
        Self { about: Some(account), ..self }
    }

    #[must_use]
    pub fn because(self, reason: impl Into<String>) -> Self {
        Self { reason: Some(reason.into()), ..self }
    }
}

impl From<TransferMistake> for crate::error::Error {
    fn from(mistake: TransferMistake) -> Self {
        Self::invalid("amount", mistake.to_string())
    }
}
