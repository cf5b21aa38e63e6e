//! What providers charged by themselves.

use super::Invariant;

pub(super) const RULES: &[Invariant] = &[
    Invariant::accounts(
        "P-10",
        "a charge of a subscription was collected once: all of it, from its provider, for the subscription's account",
        "SELECT c.account_id AS account, c.subscription_id AS id, CONCAT(c.provider, ' ', c.reference, ': ', c.amount, ' ', \
          c.currency, ', collected ', COALESCE(t.amount, 0)) AS detail FROM provider_charges c \
         LEFT JOIN ledger_transfers t ON t.kind = 'collected' AND t.reference = c.reference \
         LEFT JOIN provider_subscriptions s ON s.id = c.subscription_id AND s.account_id = c.account_id \
          AND s.provider = c.provider \
         WHERE {in c.account_id} AND (t.id IS NULL OR s.id IS NULL OR t.amount <> c.amount OR t.currency <> c.currency \
          OR t.from_code <> CONCAT('cash:', c.provider) OR COALESCE(t.to_account_id, s.id) <> c.account_id)",
    ),
    Invariant::whole(
        "P-10-collected",
        "what is booked as collected is one charge",
        "SELECT t.account_id AS account, t.id AS id, CONCAT(t.reference, ': ', t.amount, ' ', t.currency, ', ', \
          COALESCE(c.charges, 0), ' charges') AS detail FROM ledger_transfers t \
         LEFT JOIN (SELECT reference, COUNT(*) AS charges FROM provider_charges GROUP BY reference) c \
          ON c.reference = t.reference \
         WHERE t.kind = 'collected' AND COALESCE(c.charges, 0) <> 1",
    ),
    Invariant::accounts(
        "P-10-bill",
        "the first charge of a subscription is for a bill of its account",
        "SELECT s.account_id AS account, s.id AS id, CONCAT(s.provider, ' ', COALESCE(s.reference, 'without an id')) AS detail \
         FROM provider_subscriptions s LEFT JOIN billing_records b ON b.id = s.bill_id AND b.account_id = s.account_id \
         WHERE {in s.account_id} AND b.id IS NULL",
    ),
];
