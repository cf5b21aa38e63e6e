//! Money that came in and was not delivered for, and what providers were paid.

use super::{Invariant, lies_on};

pub(super) const RULES: &[Invariant] = &[
    lies_on!(
        "P-7",
        "what lies on suspense is the sum of the open suspense items",
        "suspense",
        "SELECT currency, amount FROM suspense_items WHERE status = 'open' AND reason <> 'payee'"
    ),
    Invariant::accounts(
        "P-7-second",
        "a second capture under one payment is booked with its suspense item",
        "SELECT s.account_id AS account, s.id AS id, CONCAT(s.transaction_id, ': ', s.amount, ' ', s.currency, ', booked ', \
          COALESCE(t.amount, 0)) AS detail FROM suspense_items s \
         LEFT JOIN payments p ON p.account_id = s.account_id AND p.id = s.payment_id \
         LEFT JOIN ledger_transfers t ON t.kind = 'suspended' AND t.reference = CONCAT('sus_', {hex s.id}) \
         WHERE {in s.account_id} AND s.reason <> 'payee' AND (p.id IS NULL \
          OR (s.transaction_id <> COALESCE(p.transaction_id, '')) <> (t.id IS NOT NULL) \
          OR t.amount <> s.amount OR t.currency <> s.currency)",
    ),
    Invariant::accounts(
        "P-7-credited",
        "suspended money that was credited is in the wallet",
        "SELECT s.account_id AS account, s.id AS id, CONCAT(s.amount, ' ', s.currency, ', credited ', \
          COALESCE(t.amount, 0)) AS detail FROM suspense_items s \
         LEFT JOIN ledger_transfers t ON t.kind = 'resolved' AND t.reference = CONCAT('sus_', {hex s.id}) \
          AND t.to_account_id = s.account_id AND t.currency = s.currency \
         WHERE {in s.account_id} AND s.status = 'credited' AND (t.id IS NULL OR t.amount <> s.amount)",
    ),
    Invariant::accounts(
        "P-7-refund",
        "suspended money on its way back has its refund, which is as far",
        "SELECT s.account_id AS account, s.id AS id, CONCAT(s.status, ', the refund is ', COALESCE(r.status, 'missing')) \
         AS detail FROM suspense_items s \
         LEFT JOIN refunds r ON r.account_id = s.account_id AND r.id = s.refund_id AND r.suspense_id = s.id \
          AND r.amount = s.amount AND r.currency = s.currency \
         WHERE {in s.account_id} AND ((s.status IN ('refunding', 'refunded')) <> (s.refund_id IS NOT NULL) \
          OR (s.status = 'refunded' AND COALESCE(r.status, '') <> 'succeeded') \
          OR (s.status = 'refunding' AND COALESCE(r.status, '') NOT IN ('unknown', 'processing', 'abnormal')))",
    ),
    Invariant::accounts(
        "P-7-delivered",
        "the order of suspended money that was delivered for is delivered",
        "SELECT s.account_id AS account, s.id AS id, CONCAT(s.amount, ' ', s.currency, ', the order is ', \
          COALESCE(o.status, 'missing')) AS detail FROM suspense_items s \
         LEFT JOIN orders o ON o.account_id = s.account_id AND o.id = s.order_id \
         WHERE {in s.account_id} AND s.status = 'delivered' AND COALESCE(o.status, '') <> 'delivered'",
    ),
    Invariant::whole(
        "L-11",
        "what a provider took for us is what its payments captured and suspended and what it charged by itself, less what was paid \
         back",
        "SELECT CONCAT(s.provider, ' ', s.currency, ': ', s.booked, ' booked, ', s.known, ' known') AS detail FROM ( \
         SELECT provider, currency, SUM(booked) AS booked, SUM(known) AS known FROM ( \
          SELECT SUBSTR(from_code, 6) AS provider, currency, amount AS booked, 0 AS known FROM ledger_transfers \
           WHERE from_code LIKE 'cash:%' AND from_code <> 'cash:manual' \
          UNION ALL SELECT SUBSTR(to_code, 6), currency, -amount, 0 FROM ledger_transfers \
           WHERE to_code LIKE 'cash:%' AND to_code <> 'cash:manual' \
          UNION ALL SELECT provider, captured_currency, 0, captured FROM payments \
           WHERE captured IS NOT NULL AND provider <> 'manual' \
          UNION ALL SELECT p.provider, s.currency, 0, s.amount FROM suspense_items s JOIN payments p ON p.id = s.payment_id \
           WHERE s.reason <> 'payee' AND s.transaction_id <> p.transaction_id AND p.provider <> 'manual' \
          UNION ALL SELECT provider, currency, 0, amount FROM provider_charges \
          UNION ALL SELECT p.provider, r.currency, 0, -r.amount FROM refunds r JOIN payments p ON p.id = r.payment_id \
           WHERE r.status = 'succeeded' AND p.provider <> 'manual') m GROUP BY provider, currency) s \
         WHERE s.booked <> s.known",
    ),
];
