//! Subscriptions at providers that charge by themselves, and their charges.

use crate::columns::{self as c, added_column, index_step, named, table};
use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DbBackend;

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

/// `provider_charges`: what was charged, a row per charge that was collected.
pub struct ProviderCharges;
named!(ProviderCharges, "m0493_provider_charges");

#[async_trait::async_trait]
impl MigrationTrait for ProviderCharges {
    async fn up(&self, m: &SchemaManager) -> Result<(), DbErr> {
        let charges = table(m, "provider_charges")
            .await?
            .col(c::text("provider", 16))
            .col(c::text("reference", 128))
            .col(c::id("account_id"))
            .col(c::id("subscription_id"))
            .col(c::integer(m, "amount"))
            .col(c::text("currency", 3))
            .col(c::time(m, "charged_at"))
            .col(c::time(m, "collected_at"))
            .primary_key(&mut c::key(&["provider", "reference"]))
            .check(Expr::cust("amount > 0"))
            .to_owned();
        // On MySQL each statement is a transaction of its own, and somebody may have died between the two.
        let resumed = m.get_database_backend() == DbBackend::MySql && m.has_table("provider_charges").await?;
        if !resumed {
            m.create_table(charges).await?;
        }
        m.get_connection().execute_unprepared(KNOWN_CHARGES).await.map(drop)
    }

    async fn down(&self, m: &SchemaManager) -> Result<(), DbErr> {
        m.drop_table(Table::drop().table("provider_charges").to_owned()).await
    }
}

/// Charges that were collected before this table: of the account's subscription, of several the one made last before.
const KNOWN_CHARGES: &str = "INSERT INTO provider_charges (provider, reference, account_id, subscription_id, amount, currency, charged_at, \
     collected_at) SELECT s.provider, t.reference, t.account_id, s.id, t.amount, t.currency, t.booked_at, t.booked_at \
     FROM ledger_transfers t JOIN provider_subscriptions s ON s.account_id = t.account_id \
     AND s.created_at = (SELECT MAX(l.created_at) FROM provider_subscriptions l \
      WHERE l.account_id = t.account_id AND l.created_at <= t.booked_at) WHERE t.kind = 'collected'";

index_step!(
    /// Reconciliation asks for the charges of a day.
    ProviderChargesByDay, "m0494_provider_charges_by_day", "provider_charges", ["provider", "charged_at"], false
);
index_step!(ProviderChargesByAccount, "m0495_provider_charges_by_account", "provider_charges", ["account_id"], false);
added_column!(
    /// How often the provider's answer was stored: of two answers at once, the one that was asked for first is asked
    /// for again.
    ProviderSubscriptionsRevision, "m0496_provider_subscriptions_revision", "provider_subscriptions", "revision",
    |m| c::integer(m, "revision").default(0).take()
);
added_column!(
    /// The provider's id of the page on which the customer agrees.
    ProviderSubscriptionsCheckout, "m0497_provider_subscriptions_checkout", "provider_subscriptions", "checkout",
    |_| c::optional_text("checkout", 128)
);
