//! Invoices that were asked for, and what became of them.

use crate::columns::{self as c, added_column, index_step, named, table};
use sea_orm_migration::prelude::*;

const STATUSES: [&str; 4] = ["requested", "issued", "rejected", "reversed"];

/// `billing_invoices`: what the tax office's system made for a bill, or is to make.
pub struct BillingInvoices;
named!(BillingInvoices, "m0480_billing_invoices");

#[async_trait::async_trait]
impl MigrationTrait for BillingInvoices {
    async fn up(&self, m: &SchemaManager) -> Result<(), DbErr> {
        let invoices = table(m, "billing_invoices")
            .await?
            .col(c::id("id"))
            .col(c::id("account_id"))
            .col(c::id("bill_id"))
            .col(c::optional_id("standing_bill_id"))
            .col(c::word("status", &STATUSES))
            .col(c::word("kind", &["ordinary", "special"]))
            .col(c::text("title", 200))
            .col(c::optional_text("tax_id", 20))
            .col(c::text("currency", 3))
            .col(c::integer(m, "amount_nanos"))
            .col(c::optional_text("number", 64))
            .col(c::optional_text("url", 1024))
            .col(c::optional_text("reason", 120))
            .col(c::time(m, "requested_at"))
            .col(c::optional_time(m, "issued_at"))
            .col(c::time(m, "updated_at"))
            .primary_key(&mut c::key(&["id"]))
            .check(Expr::cust("amount_nanos > 0"))
            .check(Expr::cust("(status IN ('requested', 'issued')) = (standing_bill_id IS NOT NULL)"))
            .check(Expr::cust("standing_bill_id IS NULL OR standing_bill_id = bill_id"))
            .check(Expr::cust("(status IN ('issued', 'reversed')) = (number IS NOT NULL)"))
            .to_owned();
        m.create_table(invoices).await
    }

    async fn down(&self, m: &SchemaManager) -> Result<(), DbErr> {
        m.drop_table(Table::drop().table("billing_invoices").to_owned()).await
    }
}

index_step!(
    /// A bill has one invoice that stands: of others the column is NULL, which no index compares.
    BillingInvoicesStanding, "m0481_billing_invoices_standing", "billing_invoices", ["standing_bill_id"], true
);
index_step!(
    /// An account's invoices, newest first.
    BillingInvoicesByAccount, "m0482_billing_invoices_by_account", "billing_invoices", ["account_id", "id"], false
);
index_step!(
    /// The invoices of a bill, newest first.
    BillingInvoicesByBill, "m0483_billing_invoices_by_bill", "billing_invoices", ["bill_id", "id"], false
);
added_column!(
    /// Since when an invoice that stands is over more than what was paid of its bill and did not go back.
    BillingInvoicesOutdated, "m0500_billing_invoices_outdated", "billing_invoices", "outdated_at",
    |m| c::optional_time(m, "outdated_at")
);
