//! Subscriptions at providers that charge by themselves.

use crate::columns::{self as c, index_step, named, table};
use sea_orm_migration::prelude::*;

/// `provider_subscriptions`: one row per subscription, one at most per bill, with what the provider said last.
pub struct ProviderSubscriptions;
named!(ProviderSubscriptions, "m0490_provider_subscriptions");

#[async_trait::async_trait]
impl MigrationTrait for ProviderSubscriptions {
    async fn up(&self, m: &SchemaManager) -> Result<(), DbErr> {
        let subscriptions = table(m, "provider_subscriptions")
            .await?
            .col(c::id("id"))
            .col(c::id("account_id"))
            .col(c::id("bill_id"))
            .col(c::text("provider", 16))
            .col(c::optional_text("reference", 128))
            .col(c::optional_text("customer", 128))
            .col(c::word("status", &["checking_out", "active", "past_due", "ended"]))
            .col(c::text("currency", 3))
            .col(c::integer(m, "price_nanos"))
            .col(c::word("billing_interval", &["month", "year"]))
            .col(c::optional_time(m, "period_start"))
            .col(c::optional_time(m, "period_end"))
            .col(c::boolean("cancel_at_period_end"))
            .col(c::optional_time(m, "ended_at"))
            .col(c::time(m, "created_at"))
            .col(c::time(m, "updated_at"))
            .primary_key(&mut c::key(&["id"]))
            .index(&mut c::index("provider_subscriptions", &["bill_id"], true))
            .check(Expr::cust("price_nanos > 0"))
            .to_owned();
        m.create_table(subscriptions).await
    }

    async fn down(&self, m: &SchemaManager) -> Result<(), DbErr> {
        m.drop_table(Table::drop().table("provider_subscriptions").to_owned()).await
    }
}

index_step!(
    /// No two rows stand for one subscription of a provider.
    ProviderSubscriptionsByReference, "m0491_provider_subscriptions_by_reference", "provider_subscriptions",
    ["provider", "reference"], true
);
index_step!(
    ProviderSubscriptionsByAccount,
    "m0492_provider_subscriptions_by_account",
    "provider_subscriptions",
    ["account_id"],
    false
);
