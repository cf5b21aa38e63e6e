//! Wallets and the ledger's transfers.

use crate::columns::{self as c, added_column, named, table};
use sea_orm_migration::prelude::*;

/// `wallets`: what an account has prepaid, a row per currency.
pub struct Wallets;
named!(Wallets, "m0400_wallets");

#[async_trait::async_trait]
impl MigrationTrait for Wallets {
    async fn up(&self, m: &SchemaManager) -> Result<(), DbErr> {
        let wallets = table(m, "wallets")
            .await?
            .col(c::id("account_id"))
            .col(c::text("currency", 3))
            .col(c::integer(m, "balance"))
            .col(c::integer(m, "held"))
            .col(c::integer(m, "entries"))
            .primary_key(&mut c::key(&["account_id", "currency"]))
            .check(Expr::cust("held >= 0 AND held <= balance"))
            .check(Expr::cust("entries >= 0"))
            .to_owned();
        m.create_table(wallets).await
    }

    async fn down(&self, m: &SchemaManager) -> Result<(), DbErr> {
        m.drop_table(Table::drop().table("wallets").to_owned()).await
    }
}

/// `ledger_transfers`: money that moved from one ledger account to another. Rows are never changed.
pub struct LedgerTransfers;
named!(LedgerTransfers, "m0401_ledger_transfers");

#[async_trait::async_trait]
impl MigrationTrait for LedgerTransfers {
    async fn up(&self, m: &SchemaManager) -> Result<(), DbErr> {
        let transfers = table(m, "ledger_transfers")
            .await?
            .col(c::id("id"))
            .col(c::text("kind", 32))
            .col(c::text("reference", 128))
            .col(c::text("from_code", 32))
            .col(c::optional_id("from_account_id"))
            .col(c::text("to_code", 32))
            .col(c::optional_id("to_account_id"))
            .col(c::integer(m, "amount"))
            .col(c::text("currency", 3))
            .col(c::optional_id("account_id"))
            .col(c::optional_text("reason", 255))
            .col(c::time(m, "booked_at"))
            .primary_key(&mut c::key(&["id"]))
            .index(&mut c::index("ledger_transfers", &["kind", "reference"], true))
            .check(Expr::cust("amount > 0"))
            .check(Expr::cust("(from_code = 'wallet') = (from_account_id IS NOT NULL)"))
            .check(Expr::cust("(to_code = 'wallet') = (to_account_id IS NOT NULL)"))
            .to_owned();
        m.create_table(transfers).await
    }

    async fn down(&self, m: &SchemaManager) -> Result<(), DbErr> {
        m.drop_table(Table::drop().table("ledger_transfers").to_owned()).await
    }
}

/// `wallet_entries`: what each transfer did to a wallet, numbered without gaps, with the balance after it.
pub struct WalletEntries;
named!(WalletEntries, "m0402_wallet_entries");

#[async_trait::async_trait]
impl MigrationTrait for WalletEntries {
    async fn up(&self, m: &SchemaManager) -> Result<(), DbErr> {
        let entries = table(m, "wallet_entries")
            .await?
            .col(c::id("account_id"))
            .col(c::text("currency", 3))
            .col(c::integer(m, "number"))
            .col(c::id("transfer_id"))
            .col(c::integer(m, "amount"))
            .col(c::integer(m, "balance"))
            .primary_key(&mut c::key(&["account_id", "currency", "number"]))
            .check(Expr::cust("number > 0 AND amount <> 0 AND balance >= 0"))
            .to_owned();
        m.create_table(entries).await
    }

    async fn down(&self, m: &SchemaManager) -> Result<(), DbErr> {
        m.drop_table(Table::drop().table("wallet_entries").to_owned()).await
    }
}

/// `ledger_adjustments`: what operators gave to wallets or took; large ones wait for a second operator.
pub struct LedgerAdjustments;
named!(LedgerAdjustments, "m0403_ledger_adjustments");

#[async_trait::async_trait]
impl MigrationTrait for LedgerAdjustments {
    async fn up(&self, m: &SchemaManager) -> Result<(), DbErr> {
        let adjustments = table(m, "ledger_adjustments")
            .await?
            .col(c::id("id"))
            .col(c::id("account_id"))
            .col(c::integer(m, "amount"))
            .col(c::text("currency", 3))
            .col(c::text("reason", 255))
            .col(c::word("status", &["pending", "approved", "rejected"]))
            .col(c::id("requested_by"))
            .col(c::time(m, "requested_at"))
            .col(c::optional_id("decided_by"))
            .col(c::optional_time(m, "decided_at"))
            .col(c::optional_id("transfer_id"))
            .primary_key(&mut c::key(&["id"]))
            .check(Expr::cust("amount <> 0"))
            .check(Expr::cust("decided_by IS NULL OR decided_by <> requested_by"))
            .check(Expr::cust("(status = 'pending') = (decided_at IS NULL)"))
            .check(Expr::cust("(status = 'approved') = (transfer_id IS NOT NULL)"))
            .to_owned();
        m.create_table(adjustments).await
    }

    async fn down(&self, m: &SchemaManager) -> Result<(), DbErr> {
        m.drop_table(Table::drop().table("ledger_adjustments").to_owned()).await
    }
}

added_column!(
    /// What the wallet paid of a counter's use.
    CountersWalletPaid, "m0404_quota_counters_wallet_paid", "quota_counters", "wallet_paid_nanos",
    |m| c::integer(m, "wallet_paid_nanos").default(0).take()
);
added_column!(
    /// What open reservations of a counter hold of the wallet.
    CountersWalletHeld, "m0405_quota_counters_wallet_held", "quota_counters", "wallet_held_nanos",
    |m| c::integer(m, "wallet_held_nanos").default(0).take()
);
added_column!(
    /// The transfer of which what the wallet paid for a use is a part.
    UsageTransfer, "m0406_usage_records_transfer", "usage_records", "transfer_id",
    |_| c::optional_id("transfer_id")
);
