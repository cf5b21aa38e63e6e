//! Indexes for look-ups that once read whole tables: of what has expired, and of what an operator has to decide.

use crate::columns::index_step;
use sea_orm_migration::prelude::*;

index_step!(
    /// Answers that are no longer kept.
    IdempotencyKeysByAge, "m0520_idempotency_keys_by_age", "idempotency_keys", ["created_at"], false
);
index_step!(
    /// Failed log-ins that no longer count.
    LoginThrottlesByAge, "m0521_login_throttles_by_age", "login_throttles", ["last_failed_at"], false
);
index_step!(
    /// Suspense items of a status, newest first.
    SuspenseItemsByStatus, "m0522_suspense_items_by_status", "suspense_items", ["status", "id"], false
);
index_step!(
    /// Corrections of balances of a status, newest first.
    LedgerAdjustmentsByStatus, "m0523_ledger_adjustments_by_status", "ledger_adjustments", ["status", "id"], false
);
index_step!(
    /// Subscriptions of providers that nothing was heard of for long.
    ProviderSubscriptionsByStatus, "m0524_provider_subscriptions_by_status", "provider_subscriptions",
    ["status", "updated_at"], false
);
index_step!(
    /// Invoices of a status, newest first.
    BillingInvoicesByStatus, "m0525_billing_invoices_by_status", "billing_invoices", ["status", "id"], false
);
