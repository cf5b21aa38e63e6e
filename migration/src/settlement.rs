//! Suspended money, providers' messages, and what reconciliation found.

use crate::columns::{self as c, index_step, named, table};
use crate::orders::PROVIDERS;
use sea_orm_migration::prelude::*;

/// `suspense_items`: money that came in and could not be delivered for.
pub struct SuspenseItems;
named!(SuspenseItems, "m0424_suspense_items");

#[async_trait::async_trait]
impl MigrationTrait for SuspenseItems {
    async fn up(&self, m: &SchemaManager) -> Result<(), DbErr> {
        let reasons = ["late", "double", "short", "over", "currency", "payee", "undeliverable"];
        let statuses = ["open", "refunding", "refunded", "credited", "delivered", "dismissed"];
        let items = table(m, "suspense_items")
            .await?
            .col(c::id("account_id"))
            .col(c::id("id"))
            .col(c::id("order_id"))
            .col(c::id("payment_id"))
            .col(c::word("reason", &reasons))
            .col(c::word("status", &statuses))
            .col(c::integer(m, "amount"))
            .col(c::text("currency", 3))
            .col(c::text("transaction_id", 128))
            .col(c::optional_id("refund_id"))
            .col(c::optional_id("resolved_by"))
            .col(c::optional_text("note", 255))
            .col(c::time(m, "created_at"))
            .col(c::optional_time(m, "resolved_at"))
            .primary_key(&mut c::key(&["account_id", "id"]))
            .index(&mut c::index("suspense_items", &["payment_id", "transaction_id"], true))
            .check(Expr::cust("amount > 0"))
            .to_owned();
        m.create_table(items).await
    }

    async fn down(&self, m: &SchemaManager) -> Result<(), DbErr> {
        m.drop_table(Table::drop().table("suspense_items").to_owned()).await
    }
}

index_step!(
    /// A path names an item by its own id.
    SuspenseItemsById, "m0425_suspense_items_by_id", "suspense_items", ["id"], true
);

/// `payment_messages`: what providers sent, as it came in.
pub struct PaymentMessages;
named!(PaymentMessages, "m0426_payment_messages");

#[async_trait::async_trait]
impl MigrationTrait for PaymentMessages {
    async fn up(&self, m: &SchemaManager) -> Result<(), DbErr> {
        let outcomes = [
            "received",
            "settled",
            "unchanged",
            "suspended",
            "ignored",
            "unknown_number",
            "refused_signature",
            "refused_time",
            "refused_content",
        ];
        let messages = table(m, "payment_messages")
            .await?
            .col(c::id("id"))
            .col(c::word("provider", &PROVIDERS))
            .col(c::text("message", 255))
            .col(c::word("outcome", &outcomes))
            .col(c::integer(m, "bytes"))
            .col(c::text("sha256", 64))
            .col(c::long_text("body"))
            .col(c::long_text("headers"))
            .col(c::time(m, "received_at"))
            .col(c::optional_time(m, "done_at"))
            .primary_key(&mut c::key(&["id"]))
            .index(&mut c::index("payment_messages", &["provider", "message"], true))
            .to_owned();
        m.create_table(messages).await
    }

    async fn down(&self, m: &SchemaManager) -> Result<(), DbErr> {
        m.drop_table(Table::drop().table("payment_messages").to_owned()).await
    }
}

/// `reconciliation_items`: on what a provider's daily bill and our books differ.
pub struct ReconciliationItems;
named!(ReconciliationItems, "m0427_reconciliation_items");

#[async_trait::async_trait]
impl MigrationTrait for ReconciliationItems {
    async fn up(&self, m: &SchemaManager) -> Result<(), DbErr> {
        let classes = [
            "unknown_number",
            "payment_missing_here",
            "payment_missing_there",
            "payment_amount",
            "payment_twice",
            "refund_missing_here",
            "refund_missing_there",
            "refund_amount",
        ];
        let items = table(m, "reconciliation_items")
            .await?
            .col(c::id("id"))
            .col(c::word("provider", &PROVIDERS))
            .col(c::day("day"))
            .col(c::word("class", &classes))
            .col(c::text("number", 128))
            .col(c::text("transaction_id", 128))
            .col(c::optional_integer(m, "ours"))
            .col(c::optional_integer(m, "theirs"))
            .col(c::optional_text("our_currency", 3))
            .col(c::optional_text("their_currency", 3))
            .col(c::word("status", &["open", "explained", "resolved"]))
            .col(c::optional_text("note", 255))
            .col(c::optional_id("resolved_by"))
            .col(c::time(m, "created_at"))
            .col(c::optional_time(m, "resolved_at"))
            .primary_key(&mut c::key(&["id"]))
            .index(&mut c::index(
                "reconciliation_items",
                &["provider", "day", "class", "number", "transaction_id"],
                true,
            ))
            .to_owned();
        m.create_table(items).await
    }

    async fn down(&self, m: &SchemaManager) -> Result<(), DbErr> {
        m.drop_table(Table::drop().table("reconciliation_items").to_owned()).await
    }
}

/// `reconciled_days`: the providers' days that were compared.
pub struct ReconciledDays;
named!(ReconciledDays, "m0428_reconciled_days");

#[async_trait::async_trait]
impl MigrationTrait for ReconciledDays {
    async fn up(&self, m: &SchemaManager) -> Result<(), DbErr> {
        let days = table(m, "reconciled_days")
            .await?
            .col(c::word("provider", &PROVIDERS))
            .col(c::day("day"))
            .col(c::time(m, "finished_at"))
            .primary_key(&mut c::key(&["provider", "day"]))
            .to_owned();
        m.create_table(days).await
    }

    async fn down(&self, m: &SchemaManager) -> Result<(), DbErr> {
        m.drop_table(Table::drop().table("reconciled_days").to_owned()).await
    }
}

index_step!(
    /// Reconciliation asks for the refunds that a day brought.
    RefundsByDay, "m0429_refunds_by_day", "refunds", ["status", "ended_at"], false
);
