//! Reservations, the debts they leave, and the allowances of API keys.

use super::Invariant;

pub(super) const RULES: &[Invariant] = &[
    Invariant::accounts(
        "R-1",
        "what a counter holds is what open reservations hold",
        "SELECT c.account_id AS account, c.subject_id AS id, CONCAT(c.meter, ' since ', c.period_start, ': ', \
          c.reserved, ' on the counter, ', COALESCE(r.held, 0), ' in open reservations') AS detail \
         FROM quota_counters c \
         LEFT JOIN (SELECT account_id, period_start, meter, SUM(quantity) AS held FROM reservations \
          WHERE {in account_id} AND status = 'open' GROUP BY account_id, period_start, meter) r \
          ON r.account_id = c.account_id AND r.period_start = c.period_start AND r.meter = c.meter \
         WHERE {in c.account_id} AND c.subject_id = c.account_id AND c.reserved <> COALESCE(r.held, 0)",
    ),
    Invariant::accounts(
        "R-1-member",
        "what a member's counter holds is what the member's open reservations hold",
        "SELECT c.account_id AS account, c.subject_id AS id, CONCAT(c.meter, ' since ', c.period_start, ': ', \
          c.reserved, ' on the counter, ', COALESCE(r.held, 0), ' in open reservations') AS detail \
         FROM quota_counters c \
         LEFT JOIN (SELECT account_id, period_start, meter, user_id, SUM(quantity) AS held FROM reservations \
          WHERE {in account_id} AND status = 'open' GROUP BY account_id, period_start, meter, user_id) r \
          ON r.account_id = c.account_id AND r.period_start = c.period_start AND r.meter = c.meter \
          AND r.user_id = c.subject_id \
         WHERE {in c.account_id} AND c.subject_id <> c.account_id AND c.reserved <> COALESCE(r.held, 0)",
    ),
    Invariant::accounts(
        "R-1-unheld",
        "every open reservation holds something on a counter",
        "SELECT r.account_id AS account, r.id AS id, CONCAT(r.meter, ': ', r.quantity, ' and no counter') AS detail \
         FROM reservations r LEFT JOIN quota_counters c ON c.account_id = r.account_id AND c.subject_id = r.account_id \
          AND c.period_start = r.period_start AND c.meter = r.meter \
         WHERE {in r.account_id} AND r.status = 'open' AND c.account_id IS NULL",
    ),
    Invariant::accounts(
        "R-2",
        "a reservation ended once, and only a captured one was used",
        "SELECT r.account_id AS account, r.id AS id, CONCAT(r.status, ', captured ', r.captured) AS detail \
         FROM reservations r WHERE {in r.account_id} AND ((r.status = 'captured') <> (r.usage_id IS NOT NULL) \
          OR (r.status <> 'captured' AND r.shortfall <> 0) OR r.expires_at <= r.created_at)",
    ),
    Invariant::accounts(
        "R-3",
        "a captured reservation has one use, of the quantity that was captured",
        "SELECT r.account_id AS account, r.id AS id, CONCAT('captured ', r.captured, ', used ', \
          COALESCE(u.quantity, 0)) AS detail FROM reservations r \
         LEFT JOIN usage_keys k ON k.account_id = r.account_id AND k.usage_id = r.usage_id \
         LEFT JOIN usage_records u ON u.account_id = r.account_id AND u.id = r.usage_id \
         WHERE {in r.account_id} AND r.status = 'captured' \
          AND (k.usage_id IS NULL OR (u.id IS NOT NULL AND u.quantity <> r.captured))",
    ),
    Invariant::accounts(
        "R-3-debt",
        "what a capture fell short of is a debt of the account",
        "SELECT r.account_id AS account, r.id AS id, CONCAT('short of ', r.shortfall, ', owed ', \
          COALESCE(d.quantity, 0)) AS detail FROM reservations r \
         LEFT JOIN account_debts d ON d.account_id = r.account_id AND d.reservation_id = r.id \
         WHERE {in r.account_id} AND r.shortfall <> COALESCE(d.quantity, 0)",
    ),
    Invariant::accounts(
        "R-3-owed",
        "every debt comes from a reservation",
        "SELECT d.account_id AS account, d.id AS id, CONCAT(d.meter, ': ', d.quantity) AS detail FROM account_debts d \
         LEFT JOIN reservations r ON r.account_id = d.account_id AND r.id = d.reservation_id \
         WHERE {in d.account_id} AND r.id IS NULL",
    ),
    // The allowance may have been changed to one of another meter and back, which forgets: so never more.
    Invariant::whole(
        "K-6",
        "an API key's allowance was not charged more than the key used, nor holds more than its reservations do",
        "SELECT k.account_id AS account, k.id AS id, CONCAT(k.allowance_meter, ': ', k.allowance_used, ' charged, ', \
          COALESCE(u.used, 0), ' used; ', k.allowance_held, ' held, ', COALESCE(r.held, 0), ' in reservations') AS detail \
         FROM api_keys k \
         LEFT JOIN (SELECT api_key_id, meter, SUM(quantity) AS used FROM usage_daily GROUP BY api_key_id, meter) u \
          ON u.api_key_id = k.id AND u.meter = k.allowance_meter \
         LEFT JOIN (SELECT api_key_id, meter, SUM(quantity) AS held FROM reservations WHERE status = 'open' \
          GROUP BY api_key_id, meter) r ON r.api_key_id = k.id AND r.meter = k.allowance_meter \
         WHERE k.allowance_meter IS NOT NULL AND k.allowance_meter NOT IN ({gauges}) \
          AND (k.allowance_used > COALESCE(u.used, 0) OR k.allowance_held > COALESCE(r.held, 0) \
          OR k.allowance_used < 0 OR k.allowance_held < 0)",
    ),
    Invariant::timed(
        "R-4",
        "no reservation is open a minute after it expired",
        "SELECT account_id AS account, id AS id, CONCAT(meter, ': expired at ', expires_at) AS detail \
         FROM reservations WHERE status = 'open' AND expires_at < {a minute ago}",
    ),
];
