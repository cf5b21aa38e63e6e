//! Wallets and the ledger's transfers.

use crate::columns::{self as c, named, table};
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
