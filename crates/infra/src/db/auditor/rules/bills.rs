//! Bills, their lines and payments, coupons.

use super::{Invariant, lies_on};

pub(super) const RULES: &[Invariant] = &[
    Invariant::accounts(
        "B-1",
        "an account has one bill of a kind and period that is not void",
        "SELECT account_id AS account, account_id AS id, CONCAT(COUNT(*), ' bills of ', kind, ' from ', live_key) AS detail \
         FROM billing_records WHERE {in account_id} AND status <> 'void' GROUP BY account_id, kind, live_key \
         HAVING COUNT(*) > 1",
    ),
    Invariant::accounts(
        "B-2",
        "a bill is the sum of its lines: fees, overage and discounts",
        "SELECT b.account_id AS account, b.id AS id, CONCAT(b.base_nanos, ' and ', b.overage_nanos, ' less ', \
          b.discount_nanos, ' is not ', b.total_nanos, ', or the lines are not') AS detail FROM billing_records b \
         LEFT JOIN (SELECT i.bill_id, SUM(CASE WHEN i.kind IN ('base', 'credit', 'refund') THEN i.amount_nanos ELSE 0 END) \
           AS base, SUM(CASE WHEN i.kind IN ('base', 'credit', 'refund') THEN 0 ELSE i.amount_nanos END) AS overage, \
           SUM(i.discount_nanos) AS discount FROM billing_lines i JOIN billing_records o ON o.id = i.bill_id \
           WHERE {in o.account_id} GROUP BY i.bill_id) l ON l.bill_id = b.id \
         WHERE {in b.account_id} AND (b.total_nanos <> b.base_nanos + b.overage_nanos - b.discount_nanos \
          OR b.total_nanos < 0 OR b.base_nanos <> COALESCE(l.base, 0) OR b.overage_nanos <> COALESCE(l.overage, 0) \
          OR b.discount_nanos <> COALESCE(l.discount, 0))",
    ),
    Invariant::accounts(
        "B-2-meters",
        "a bill's overage is the sum of its meters",
        "SELECT b.account_id AS account, b.id AS id, CONCAT(b.overage_nanos, ' overage, ', COALESCE(v.fee, 0), ' by meter') \
         AS detail FROM billing_records b LEFT JOIN (SELECT i.bill_id, SUM(i.fee_nanos) AS fee FROM billing_overages i \
          JOIN billing_records o ON o.id = i.bill_id WHERE {in o.account_id} GROUP BY i.bill_id) v ON v.bill_id = b.id \
         WHERE {in b.account_id} AND b.overage_nanos <> COALESCE(v.fee, 0)",
    ),
    Invariant::accounts(
        "B-2-numbers",
        "the lines of a bill are numbered without gaps",
        "SELECT b.account_id AS account, b.id AS id, CONCAT(COUNT(*), ' lines from ', MIN(i.number), ' to ', MAX(i.number)) \
         AS detail FROM billing_records b JOIN billing_lines i ON i.bill_id = b.id WHERE {in b.account_id} \
         GROUP BY b.account_id, b.id HAVING MAX(i.number) - MIN(i.number) + 1 <> COUNT(*) OR MIN(i.number) > 1",
    ),
    Invariant::accounts(
        "B-4",
        "the overage of a closed period is on its bill, or on those within it",
        "SELECT c.account_id AS account, c.subject_id AS id, CONCAT(c.meter, ' since ', c.period_start, ': the fee is ', \
          c.overage_fee_nanos, ', and no bill asks for it') AS detail FROM quota_counters c \
         JOIN quota_periods p ON p.account_id = c.account_id AND p.period_start = c.period_start \
         WHERE {in c.account_id} AND c.subject_id = c.account_id AND p.closed_at IS NOT NULL \
          AND c.overage_fee_nanos >= 1000000000 AND NOT EXISTS (SELECT 1 FROM billing_records b \
           LEFT JOIN billing_overages i ON i.bill_id = b.id AND i.meter = c.meter AND i.fee_nanos <> 0 \
           WHERE b.account_id = c.account_id AND b.kind IN ('month', 'overage') AND b.period_start >= c.period_start \
           AND b.period_start < c.period_end AND (b.status = 'void' OR i.meter IS NOT NULL))",
    ),
    Invariant::accounts(
        "B-5",
        "what went back of a bill is the sum of its refund bills, and not more than was paid",
        "SELECT b.account_id AS account, b.id AS id, CONCAT(b.total_nanos, ' paid, ', b.refunded_nanos, ' refunded, ', \
          COALESCE(r.total, 0), ' by refund bills') AS detail FROM billing_records b \
         LEFT JOIN (SELECT account_id, refund_of, SUM(total_nanos) AS total FROM billing_records \
          WHERE {in account_id} AND kind = 'refund' AND status <> 'void' GROUP BY account_id, refund_of) r \
          ON r.account_id = b.account_id AND r.refund_of = b.id \
         WHERE {in b.account_id} AND (b.refunded_nanos <> COALESCE(r.total, 0) OR b.refunded_nanos > b.total_nanos \
          OR (b.refunded_nanos > 0 AND b.status <> 'paid'))",
    ),
    Invariant::accounts(
        "B-5-booked",
        "a refund bill is set aside of what was earned, and paid back once it says so",
        "SELECT b.account_id AS account, b.id AS id, CONCAT(b.total_nanos, ' ', b.currency, ', set aside ', \
          COALESCE(a.amount, 0), ', paid back ', COALESCE(p.amount, 0)) AS detail FROM billing_records b \
         LEFT JOIN refunds f ON f.account_id = b.account_id AND f.id = b.id \
         LEFT JOIN ledger_transfers a ON a.kind = 'refund_reserved' \
          AND a.reference = CONCAT(CASE WHEN f.id IS NULL THEN 'bil_' ELSE 'rfd_' END, {hex b.id}) \
         LEFT JOIN ledger_transfers p ON p.kind = 'refunded' \
          AND p.reference = CONCAT(CASE WHEN f.id IS NULL THEN 'bil_' ELSE 'rfd_' END, {hex b.id}) \
         WHERE {in b.account_id} AND b.kind = 'refund' AND (a.id IS NULL OR (b.status = 'paid') <> (p.id IS NOT NULL) \
          OR a.amount <> b.total_nanos OR p.amount <> b.total_nanos)",
    ),
    Invariant::accounts(
        "B-6",
        "a bill is paid by one payment of its total, and an unpaid one by none",
        "SELECT b.account_id AS account, b.id AS id, CONCAT(b.status, ': ', b.total_nanos, ' ', b.currency, ', paid ', \
          COALESCE(p.amount_nanos, 0)) AS detail FROM billing_records b \
         LEFT JOIN billing_payments p ON p.bill_id = b.id \
         WHERE {in b.account_id} AND b.kind <> 'refund' AND b.total_nanos > 0 \
          AND ((b.status = 'paid') <> (p.id IS NOT NULL) OR p.amount_nanos <> b.total_nanos \
           OR p.currency <> b.currency OR p.account_id <> b.account_id)",
    ),
    Invariant::accounts(
        "B-6-issued",
        "an issued bill is booked as owed, and booked back once it is void",
        "SELECT b.account_id AS account, b.id AS id, CONCAT(b.status, ': ', b.total_nanos, ' ', b.currency, ', booked ', \
          COALESCE(t.amount, 0)) AS detail FROM billing_records b \
         LEFT JOIN ledger_transfers t ON t.kind = 'bill_issued' AND t.reference = CONCAT('bil_', {hex b.id}) \
         LEFT JOIN ledger_transfers v ON v.kind = 'reversal' AND v.reference = CONCAT('trf_', {hex t.id}) \
         WHERE {in b.account_id} AND b.kind <> 'refund' AND b.total_nanos > 0 AND (t.id IS NULL \
          OR t.amount <> b.total_nanos OR t.currency <> b.currency OR (b.status = 'void') <> (v.id IS NOT NULL))",
    ),
    Invariant::accounts(
        "B-6-paid",
        "the payment of a bill is booked",
        "SELECT p.account_id AS account, p.id AS id, CONCAT(p.method, ': ', p.amount_nanos, ' ', p.currency, ', booked ', \
          COALESCE(t.amount, 0)) AS detail FROM billing_records b JOIN billing_payments p ON p.bill_id = b.id \
         LEFT JOIN ledger_transfers t ON t.kind = 'bill_paid' AND t.reference = CASE WHEN p.method = 'wallet' \
          THEN CONCAT('bil_', {hex b.id}) ELSE CONCAT('bpy_', {hex p.id}) END \
         WHERE {in b.account_id} AND b.kind <> 'refund' AND p.amount_nanos > 0 \
          AND (t.id IS NULL OR t.amount <> p.amount_nanos OR t.to_code <> 'receivable')",
    ),
    lies_on!(
        "L-11-bills",
        "what customers owe is the sum of the unpaid bills",
        "receivable",
        "SELECT currency, -total_nanos AS amount FROM billing_records WHERE status = 'unpaid' \
         AND kind <> 'refund'"
    ),
    Invariant::whole(
        "B-9",
        "a coupon was used by as many bills as it says, and not more often than it may be",
        "SELECT c.id AS id, CONCAT(c.code, ': ', c.uses, ' uses, ', COALESCE(b.bills, 0), ' bills') AS detail FROM coupons c \
         LEFT JOIN (SELECT coupon, COUNT(*) AS bills FROM billing_records WHERE coupon IS NOT NULL AND status <> 'void' \
          GROUP BY coupon) b ON b.coupon = c.code \
         WHERE c.uses <> COALESCE(b.bills, 0) OR c.uses > COALESCE(c.max_uses, c.uses)",
    ),
];
