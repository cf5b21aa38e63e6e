//! Invoices (发票) of bills.

use super::Invariant;

pub(super) const RULES: &[Invariant] = &[
    Invariant::accounts(
        "B-8",
        "an invoice is over what was paid of its bill and did not go back, or known to be over more",
        "SELECT i.account_id AS account, i.id AS id, CONCAT(i.status, ' over ', i.amount_nanos, ' ', i.currency, ', ', \
          COALESCE(b.status, 'no bill'), ': ', COALESCE(b.total_nanos, 0), ', refunded ', COALESCE(b.refunded_nanos, 0)) \
          AS detail FROM billing_invoices i \
         LEFT JOIN billing_records b ON b.id = i.bill_id AND b.account_id = i.account_id AND b.currency = i.currency \
         WHERE {in i.account_id} AND (b.id IS NULL OR b.kind = 'refund' OR b.status <> 'paid' \
          OR i.amount_nanos > b.total_nanos OR (i.status IN ('requested', 'issued') AND i.outdated_at IS NULL \
           AND i.amount_nanos > b.total_nanos - b.refunded_nanos))",
    ),
    Invariant::accounts(
        "B-8-one",
        "a bill has at most one invoice that stands",
        "SELECT account_id AS account, bill_id AS id, CONCAT(COUNT(*), ' invoices stand') AS detail FROM billing_invoices \
         WHERE {in account_id} AND status IN ('requested', 'issued') GROUP BY account_id, bill_id HAVING COUNT(*) > 1",
    ),
    Invariant::accounts(
        "B-8-states",
        "an invoice that was issued says when, and one that ended says why",
        "SELECT account_id AS account, id AS id, CONCAT(status, ', number: ', COALESCE(number, 'none'), ', reason: ', \
          COALESCE(reason, 'none')) AS detail FROM billing_invoices \
         WHERE {in account_id} AND ((status IN ('issued', 'reversed')) <> (issued_at IS NOT NULL) \
          OR (status IN ('rejected', 'reversed')) <> (reason IS NOT NULL) OR updated_at < requested_at \
          OR issued_at < requested_at)",
    ),
];
