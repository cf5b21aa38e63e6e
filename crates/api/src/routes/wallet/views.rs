//! How wallets and transfers look on the wire.

use crate::http::time;
use domain::wallet::{StatementLine, Transfer, Wallet};
use serde::Serialize;
use utoipa::ToSchema;

/// A balance in one currency.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"currency": "CNY", "balance": "12.50", "held": "2.50", "available": "10.00"}))]
pub struct BalanceView {
    pub currency: String,
    pub balance: String,
    /// What open reservations and refunds on their way keep.
    pub held: String,
    /// What can be spent: the balance less what is held.
    pub available: String,
}

impl BalanceView {
    pub fn of(wallet: &Wallet) -> Self {
        let available = wallet.available().unwrap_or(wallet.balance);
        Self {
            currency: wallet.currency().to_string(),
            balance: wallet.balance.to_decimal(),
            held: wallet.held.to_decimal(),
            available: available.to_decimal(),
        }
    }
}

/// A line of a statement.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "number": 7, "kind": "usage", "amount": "-0.01", "currency": "CNY", "balance": "12.49",
    "transfer": "trf_0198a6f0c1d27d3e8b3f6a5c4d3e2f10", "reference": "trf_0198a6f0c1d27d3e8b3f6a5c4d3e2f10",
    "counterpart": "revenue", "reason": null, "booked_at": "2026-11-21T08:00:00Z"
}))]
pub struct EntryView {
    /// From 1 without gaps.
    pub number: i64,
    /// `top_up`, `usage`, `promotion`, `adjustment`, `reversal` …
    pub kind: &'static str,
    /// Above zero what came in, below zero what went out.
    pub amount: String,
    pub currency: String,
    /// The balance after it.
    pub balance: String,
    pub transfer: String,
    /// What it was booked for.
    pub reference: String,
    /// The ledger account on the other side.
    pub counterpart: &'static str,
    pub reason: Option<String>,
    pub booked_at: String,
}

impl EntryView {
    pub fn of(line: &StatementLine) -> Self {
        let StatementLine { entry, transfer } = line;
        let counterpart = if entry.amount.is_positive() { transfer.from } else { transfer.to };
        Self {
            number: entry.number,
            kind: transfer.kind.name(),
            amount: entry.amount.to_decimal(),
            currency: entry.amount.currency().to_string(),
            balance: entry.balance.to_decimal(),
            transfer: transfer.id.to_string(),
            reference: transfer.reference.clone(),
            counterpart: counterpart.code(),
            reason: transfer.reason.clone(),
            booked_at: time::text(transfer.booked_at),
        }
    }
}

/// Money that moved between two ledger accounts.
#[derive(Debug, Serialize, ToSchema)]
pub struct TransferView {
    pub id: String,
    pub kind: &'static str,
    pub reference: String,
    pub from: &'static str,
    pub to: &'static str,
    pub amount: String,
    pub currency: String,
    /// The customer's account that it is about.
    pub account: Option<String>,
    pub reason: Option<String>,
    pub booked_at: String,
}

impl TransferView {
    pub fn of(transfer: &Transfer) -> Self {
        Self {
            id: transfer.id.to_string(),
            kind: transfer.kind.name(),
            reference: transfer.reference.clone(),
            from: transfer.from.code(),
            to: transfer.to.code(),
            amount: transfer.amount.to_decimal(),
            currency: transfer.amount.currency().to_string(),
            account: transfer.about.map(|account| account.to_string()),
            reason: transfer.reason.clone(),
            booked_at: time::text(transfer.booked_at),
        }
    }
}
