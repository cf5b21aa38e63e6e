//! Money on its way back.

use super::{Invariant, lies_on};

pub(super) const RULES: &[Invariant] = &[
    Invariant::accounts(
        "P-5",
        "what refunds take of a payment is what it keeps for them, and never more than came in",
        "SELECT p.account_id AS account, p.id AS id, CONCAT('captured ', COALESCE(p.captured, 0), ', refunding ', \
          p.refunding, ', by refunds ', COALESCE(r.refunding, 0), ', refunded ', p.refunded, ', by refunds ', \
          COALESCE(r.refunded, 0)) AS detail FROM payments p \
         LEFT JOIN (SELECT f.account_id, f.payment_id, SUM(f.amount) AS refunding, \
           SUM(CASE WHEN f.status = 'succeeded' THEN f.amount ELSE 0 END) AS refunded FROM refunds f \
           JOIN payments q ON q.account_id = f.account_id AND q.id = f.payment_id \
           LEFT JOIN suspense_items s ON s.account_id = f.account_id AND s.id = f.suspense_id \
           WHERE {in f.account_id} AND f.status <> 'failed' AND (s.id IS NULL OR s.transaction_id = q.transaction_id) \
           GROUP BY f.account_id, f.payment_id) r ON r.account_id = p.account_id AND r.payment_id = p.id \
         WHERE {in p.account_id} AND (p.refunding <> COALESCE(r.refunding, 0) \
          OR p.refunded <> COALESCE(r.refunded, 0) OR p.refunding > COALESCE(p.captured, 0))",
    ),
    Invariant::accounts(
        "P-5-status",
        "a payment says how much of it was paid back",
        "SELECT account_id AS account, id AS id, CONCAT(status, ': ', refunded, ' of ', captured) AS detail \
         FROM payments WHERE {in account_id} AND captured IS NOT NULL AND status <> CASE WHEN refunded = 0 THEN 'paid' \
          WHEN refunded < captured THEN 'partially_refunded' ELSE 'refunded' END",
    ),
    Invariant::accounts(
        "P-5-booked",
        "a refund is set aside, and then paid back or put back, as far as it got",
        "SELECT r.account_id AS account, r.id AS id, CONCAT(r.status, ': ', r.amount, ' ', r.currency, ', set aside ', \
          COALESCE(a.amount, 0), ', paid back ', COALESCE(b.amount, 0), ', put back ', COALESCE(f.amount, 0)) AS detail \
         FROM refunds r \
         LEFT JOIN ledger_transfers a ON a.kind = 'refund_reserved' AND a.reference = CONCAT('rfd_', {hex r.id}) \
         LEFT JOIN ledger_transfers b ON b.kind = 'refunded' AND b.reference = CONCAT('rfd_', {hex r.id}) \
         LEFT JOIN ledger_transfers f ON f.kind = 'refund_failed' AND f.reference = CONCAT('rfd_', {hex r.id}) \
         WHERE {in r.account_id} AND (a.id IS NULL OR a.amount <> r.amount OR a.currency <> r.currency \
          OR (r.status = 'succeeded') <> (b.id IS NOT NULL) OR b.amount <> r.amount OR b.currency <> r.currency \
          OR (r.status = 'failed') <> (f.id IS NOT NULL) OR f.amount <> r.amount OR f.currency <> r.currency)",
    ),
    Invariant::whole(
        "P-5-refund",
        "what is booked on its way back belongs to a refund or to a bill of one",
        "SELECT t.account_id AS account, t.id AS id, CONCAT(t.kind, ' ', t.reference) AS detail FROM ledger_transfers t \
         LEFT JOIN refunds r ON r.id = {id of t.reference} AND r.account_id = t.account_id \
         LEFT JOIN billing_records b ON b.id = {id of t.reference} AND b.account_id = t.account_id AND b.kind = 'refund' \
         WHERE t.kind IN ('refund_reserved', 'refunded', 'refund_failed') AND r.id IS NULL AND b.id IS NULL",
    ),
    Invariant::accounts(
        "P-5-pack",
        "what refunds took back of a pack is not more than was revoked of its grant",
        "SELECT r.account_id AS account, r.order_id AS id, CONCAT(r.taken, ' taken back, ', COALESCE(g.revoked, 0), \
          ' revoked') AS detail FROM (SELECT account_id, order_id, SUM(taken_back) AS taken FROM refunds \
          WHERE {in account_id} AND status <> 'failed' AND taken_back > 0 GROUP BY account_id, order_id) r \
         LEFT JOIN quota_grants g ON g.account_id = r.account_id AND g.id = r.order_id \
         WHERE r.taken > COALESCE(g.revoked, 0)",
    ),
    lies_on!(
        "L-11-refund",
        "what lies on its way back is the sum of the refunds that are not over",
        "refund",
        "SELECT currency, amount FROM refunds WHERE status IN ('unknown', 'processing', 'abnormal')"
    ),
];
