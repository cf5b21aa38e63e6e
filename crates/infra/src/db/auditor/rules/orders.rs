//! Orders, what was delivered for them, and the payments that came in.

use super::Invariant;

pub(super) const RULES: &[Invariant] = &[
    Invariant::accounts(
        "P-1",
        "a paid order was paid by a payment of its own that has the money",
        "SELECT o.account_id AS account, o.id AS id, CONCAT(o.status, ' for ', o.amount, ' ', o.currency, ', captured ', \
          COALESCE(p.captured, 0)) AS detail FROM orders o \
         LEFT JOIN payments p ON p.account_id = o.account_id AND p.id = o.paid_by AND p.order_id = o.id \
         WHERE {in o.account_id} AND o.status IN ('awaiting_delivery', 'delivered') AND (p.captured IS NULL \
          OR ((p.captured <> o.amount OR p.captured_currency <> o.currency) AND NOT EXISTS (SELECT 1 \
           FROM suspense_items s WHERE s.account_id = o.account_id AND s.order_id = o.id AND s.payment_id = p.id \
           AND s.status = 'delivered')))",
    ),
    Invariant::accounts(
        "P-1-top-up",
        "a top-up was credited once it was delivered, and not before",
        "SELECT o.account_id AS account, o.id AS id, CONCAT(o.status, ': ', o.amount, ' ', o.currency, ' wanted, credited ', \
          COALESCE(t.amount, 0)) AS detail FROM orders o \
         LEFT JOIN ledger_transfers t ON t.kind = 'top_up' AND t.reference = CONCAT('ord_', {hex o.id}) \
         WHERE {in o.account_id} AND o.purpose_kind = 'top_up' AND ((o.status = 'delivered') <> (t.id IS NOT NULL) \
          OR t.amount <> o.amount OR t.currency <> o.currency OR t.to_account_id <> o.account_id)",
    ),
    Invariant::accounts(
        "P-1-product",
        "a product was sold and its grant given once it was delivered, and not before",
        "SELECT o.account_id AS account, o.id AS id, CONCAT(o.status, ': ', o.amount, ' ', o.currency, ' wanted, sold for ', \
          COALESCE(t.amount, 0)) AS detail FROM orders o \
         LEFT JOIN ledger_transfers t ON t.kind = 'sale' AND t.reference = CONCAT('ord_', {hex o.id}) \
         LEFT JOIN quota_grants g ON g.account_id = o.account_id AND g.id = o.id \
         WHERE {in o.account_id} AND o.purpose_kind = 'product' AND ((o.status = 'delivered') <> (t.id IS NOT NULL) \
          OR (o.status = 'delivered') <> (g.id IS NOT NULL) OR t.amount <> o.amount OR t.currency <> o.currency)",
    ),
    Invariant::accounts(
        "P-1-bill",
        "a bill was paid by its order once that was delivered, and not before",
        "SELECT o.account_id AS account, o.id AS id, CONCAT(o.status, ': ', o.amount, ' ', o.currency, ' wanted, the bill \
          asks for ', COALESCE(b.total_nanos, 0), ', paid ', COALESCE(y.amount_nanos, 0)) AS detail FROM orders o \
         LEFT JOIN billing_records b ON b.account_id = o.account_id AND b.id = o.bill_id \
         LEFT JOIN payments p ON p.account_id = o.account_id AND p.id = o.paid_by \
         LEFT JOIN billing_payments y ON y.bill_id = b.id AND y.method = p.provider AND y.transaction_id = p.transaction_id \
         WHERE {in o.account_id} AND o.purpose_kind = 'bill' AND (b.id IS NULL OR b.total_nanos <> o.amount \
          OR b.currency <> o.currency OR (o.status = 'delivered') <> (y.id IS NOT NULL))",
    ),
    Invariant::whole(
        "P-1-order",
        "what is booked as sold or topped up belongs to an order",
        "SELECT t.account_id AS account, t.id AS id, CONCAT(t.kind, ' ', t.reference) AS detail FROM ledger_transfers t \
         LEFT JOIN orders o ON o.id = {id of t.reference} AND o.account_id = t.account_id \
          AND o.purpose_kind = CASE WHEN t.kind = 'sale' THEN 'product' ELSE 'top_up' END \
         WHERE t.kind IN ('sale', 'top_up') AND o.id IS NULL",
    ),
    Invariant::whole(
        "P-2",
        "a provider's transaction is the capture of one payment",
        "SELECT CONCAT(provider, ' ', transaction_id, ': ', COUNT(*), ' payments') AS detail FROM payments \
         WHERE transaction_id IS NOT NULL GROUP BY provider, transaction_id HAVING COUNT(*) > 1",
    ),
    Invariant::accounts(
        "P-3",
        "what a payment captured is booked from the provider's cash to suspense, once it is paid and not before",
        "SELECT p.account_id AS account, p.id AS id, CONCAT(p.status, ': captured ', COALESCE(p.captured, 0), ', booked ', \
          COALESCE(t.amount, 0)) AS detail FROM payments p \
         LEFT JOIN ledger_transfers t ON t.kind = 'payment' AND t.reference = CONCAT('pay_', {hex p.id}) \
         WHERE {in p.account_id} AND ((p.captured IS NOT NULL) <> (t.id IS NOT NULL) \
          OR (p.status IN ('paid', 'partially_refunded', 'refunded')) <> (p.captured IS NOT NULL) \
          OR t.amount <> p.captured OR t.currency <> p.captured_currency \
          OR t.from_code <> CONCAT('cash:', p.provider) OR t.to_code <> 'suspense')",
    ),
    Invariant::whole(
        "P-3-payment",
        "what is booked as paid belongs to a payment",
        "SELECT t.account_id AS account, t.id AS id, CONCAT(t.reference, ': ', t.amount, ' ', t.currency) AS detail \
         FROM ledger_transfers t LEFT JOIN payments p ON p.id = {id of t.reference} AND p.account_id = t.account_id \
         WHERE t.kind = 'payment' AND p.id IS NULL",
    ),
    Invariant::accounts(
        "P-4",
        "a payment belongs to an order of its account, for its amount",
        "SELECT p.account_id AS account, p.id AS id, CONCAT(p.amount, ' ', p.currency, ' of ', p.provider) AS detail \
         FROM payments p LEFT JOIN orders o ON o.account_id = p.account_id AND o.id = p.order_id \
         WHERE {in p.account_id} AND (o.id IS NULL OR o.amount <> p.amount OR o.currency <> p.currency)",
    ),
    Invariant::timed(
        "P-8",
        "no provider is asked about a payment more than a minute late",
        "SELECT account_id AS account, id AS id, CONCAT(status, ' at ', provider, ', due at ', next_poll_at) AS detail \
         FROM payments WHERE next_poll_at < {a minute ago}",
    ),
    Invariant::timed(
        "P-9",
        "no order waits for its payment a minute after it expired",
        "SELECT account_id AS account, id AS id, CONCAT('expired at ', expires_at) AS detail FROM orders \
         WHERE status = 'created' AND expires_at < {a minute ago}",
    ),
];
