//! Usage rows, their keys and their sums. Rows of closed periods may have been deleted; keys and sums never are.

use super::Invariant;

pub(super) const RULES: &[Invariant] = &[
    Invariant::accounts(
        "Q-1",
        "a pool's counter is the sum of the usage rows of its period",
        "SELECT c.account_id AS account, c.subject_id AS id, \
         CONCAT(c.meter, ' since ', c.period_start, ': the counter says ', c.used, ', the rows ', COALESCE(u.total, 0)) \
         AS detail FROM quota_counters c \
         LEFT JOIN quota_periods p ON p.account_id = c.account_id AND p.period_start = c.period_start \
         LEFT JOIN (SELECT account_id, period_start, meter, SUM(quantity) AS total FROM usage_records \
          WHERE {in account_id} GROUP BY account_id, period_start, meter) u \
          ON u.account_id = c.account_id AND u.period_start = c.period_start AND u.meter = c.meter \
         WHERE {in c.account_id} AND c.subject_id = c.account_id AND p.closed_at IS NULL \
          AND c.meter NOT IN ({gauges}) AND c.used <> COALESCE(u.total, 0)",
    ),
    Invariant::accounts(
        "Q-1-closed",
        "the usage rows that are left of a closed period are not more than its counter",
        "SELECT c.account_id AS account, c.subject_id AS id, \
         CONCAT(c.meter, ' since ', c.period_start, ': the counter says ', c.used, ', the rows ', u.total) AS detail \
         FROM quota_counters c \
         JOIN quota_periods p ON p.account_id = c.account_id AND p.period_start = c.period_start \
         JOIN (SELECT account_id, period_start, meter, SUM(quantity) AS total FROM usage_records \
          WHERE {in account_id} GROUP BY account_id, period_start, meter) u \
          ON u.account_id = c.account_id AND u.period_start = c.period_start AND u.meter = c.meter \
         WHERE {in c.account_id} AND c.subject_id = c.account_id AND p.closed_at IS NOT NULL \
          AND c.meter NOT IN ({gauges}) AND c.used < u.total",
    ),
    Invariant::accounts(
        "Q-1-member",
        "a member's counter is the sum of the member's usage rows",
        "SELECT c.account_id AS account, c.subject_id AS id, \
         CONCAT(c.meter, ' since ', c.period_start, ': the counter says ', c.used, ', the rows ', COALESCE(u.total, 0)) \
         AS detail FROM quota_counters c \
         LEFT JOIN quota_periods p ON p.account_id = c.account_id AND p.period_start = c.period_start \
         LEFT JOIN (SELECT account_id, period_start, meter, user_id, SUM(quantity) AS total FROM usage_records \
          WHERE {in account_id} GROUP BY account_id, period_start, meter, user_id) u \
          ON u.account_id = c.account_id AND u.period_start = c.period_start AND u.meter = c.meter \
          AND u.user_id = c.subject_id \
         WHERE {in c.account_id} AND c.subject_id <> c.account_id AND p.closed_at IS NULL \
          AND c.meter NOT IN ({gauges}) AND c.used <> COALESCE(u.total, 0)",
    ),
    Invariant::accounts(
        "Q-1-level",
        "a gauge's level is what the period before left and the usage rows since",
        "SELECT c.account_id AS account, c.subject_id AS id, \
         CONCAT(c.meter, ' since ', c.period_start, ': the level is ', c.used, ', carried over ', \
          COALESCE(b.used, 0), ', the rows ', COALESCE(u.total, 0)) AS detail FROM quota_counters c \
         LEFT JOIN quota_periods p ON p.account_id = c.account_id AND p.period_start = c.period_start \
         LEFT JOIN quota_counters b ON b.account_id = c.account_id AND b.subject_id = c.subject_id \
          AND b.meter = c.meter AND b.period_end = c.period_start \
         LEFT JOIN (SELECT account_id, period_start, meter, SUM(quantity) AS total FROM usage_records \
          WHERE {in account_id} GROUP BY account_id, period_start, meter) u \
          ON u.account_id = c.account_id AND u.period_start = c.period_start AND u.meter = c.meter \
         WHERE {in c.account_id} AND c.subject_id = c.account_id AND p.closed_at IS NULL \
          AND c.meter IN ({gauges}) AND c.used <> COALESCE(b.used, 0) + COALESCE(u.total, 0)",
    ),
    Invariant::accounts(
        "Q-1-uncounted",
        "every usage row counts in a counter",
        "SELECT u.account_id AS account, u.account_id AS id, \
         CONCAT(u.meter, ' since ', u.period_start, ': ', u.events, ' rows and no counter') AS detail \
         FROM (SELECT account_id, period_start, meter, COUNT(*) AS events FROM usage_records \
          WHERE {in account_id} GROUP BY account_id, period_start, meter) u \
         LEFT JOIN quota_counters c ON c.account_id = u.account_id AND c.period_start = u.period_start \
          AND c.meter = u.meter AND c.subject_id = u.account_id \
         WHERE c.account_id IS NULL",
    ),
    Invariant::accounts(
        "Q-9",
        "what a counter drew from each fund, its fee and what the wallet paid are the sums of its usage rows",
        "SELECT c.account_id AS account, c.subject_id AS id, \
         CONCAT(c.meter, ' since ', c.period_start, ': the fee is ', c.overage_fee_nanos, ', the rows say ', u.fee, \
          '; paid by the wallet ', c.wallet_paid_nanos, ', the rows say ', u.paid) AS detail FROM quota_counters c \
         LEFT JOIN quota_periods p ON p.account_id = c.account_id AND p.period_start = c.period_start \
         JOIN (SELECT account_id, period_start, meter, SUM(from_allowance) AS allowance, SUM(from_grants) AS grants, \
          SUM(from_overage) AS overage, SUM(from_wallet) AS wallet, \
          SUM(CASE WHEN transfer_id IS NULL THEN amount_nanos ELSE 0 END) AS fee, \
          SUM(CASE WHEN transfer_id IS NULL THEN 0 ELSE amount_nanos END) AS paid FROM usage_records \
          WHERE {in account_id} GROUP BY account_id, period_start, meter) u \
          ON u.account_id = c.account_id AND u.period_start = c.period_start AND u.meter = c.meter \
         WHERE {in c.account_id} AND c.subject_id = c.account_id AND p.closed_at IS NULL \
          AND c.meter NOT IN ({gauges}) AND (c.from_allowance <> u.allowance OR c.from_grants <> u.grants \
          OR c.from_overage <> u.overage OR c.from_wallet <> u.wallet OR c.overage_fee_nanos <> u.fee \
          OR c.wallet_paid_nanos <> u.paid)",
    ),
    Invariant::accounts(
        "Q-3",
        "a usage row's parts are its quantity, and none is below zero",
        "SELECT account_id AS account, id AS id, CONCAT(meter, ': ', quantity, ' of key ', usage_key) AS detail \
         FROM usage_records WHERE {in account_id} AND meter NOT IN ({gauges}) AND (quantity <= 0 \
          OR from_allowance < 0 OR from_grants < 0 OR from_overage < 0 OR from_wallet < 0 OR amount_nanos < 0 \
          OR from_allowance + from_grants + from_overage + from_wallet <> quantity)",
    ),
    Invariant::accounts(
        "Q-3-twice",
        "a key was used once",
        "SELECT account_id AS account, account_id AS id, CONCAT('key ', usage_key, ' has ', COUNT(*), ' rows') AS detail \
         FROM usage_records WHERE {in account_id} GROUP BY account_id, usage_key HAVING COUNT(*) > 1",
    ),
    Invariant::accounts(
        "Q-3-key",
        "every usage row has its key",
        "SELECT u.account_id AS account, u.id AS id, CONCAT('key ', u.usage_key, ' is not known') AS detail \
         FROM usage_records u \
         LEFT JOIN usage_keys k ON k.account_id = u.account_id AND k.usage_key = u.usage_key AND k.usage_id = u.id \
         WHERE {in u.account_id} AND k.account_id IS NULL",
    ),
    // Rows are deleted from the oldest on, so one that is gone between rows that are there was lost.
    Invariant::accounts(
        "Q-3-lost",
        "no usage row is gone between rows that are there",
        "SELECT k.account_id AS account, k.usage_id AS id, CONCAT('the row of key ', k.usage_key, ' is gone') AS detail \
         FROM usage_keys k \
         LEFT JOIN usage_records u ON u.account_id = k.account_id AND u.id = k.usage_id \
         WHERE {in k.account_id} AND u.id IS NULL AND k.usage_id > (SELECT o.id FROM usage_records o \
          WHERE o.account_id = k.account_id ORDER BY o.id LIMIT 1)",
    ),
    Invariant::accounts(
        "Q-4",
        "what was used counts in the period in which it occurred, or is an adjustment",
        "SELECT u.account_id AS account, u.id AS id, \
         CONCAT('occurred at ', u.occurred_at, ', counts since ', u.period_start) AS detail FROM usage_records u \
         JOIN quota_periods p ON p.account_id = u.account_id AND p.period_start = u.period_start \
         WHERE {in u.account_id} AND u.meter NOT IN ({gauges}) AND NOT u.adjustment \
          AND (u.occurred_at < p.period_start OR (u.occurred_at >= p.period_end AND u.recorded_at >= p.period_end))",
    ),
    Invariant::accounts(
        "Q-8-events",
        "the sums by day count every use once",
        "SELECT k.account_id AS account, k.account_id AS id, \
         CONCAT(k.uses, ' keys, ', COALESCE(d.uses, 0), ' uses in the sums by day') AS detail \
         FROM (SELECT account_id, COUNT(*) AS uses FROM usage_keys WHERE {in account_id} GROUP BY account_id) k \
         LEFT JOIN (SELECT account_id, SUM(events) AS uses FROM usage_daily WHERE {in account_id} GROUP BY account_id) d \
          ON d.account_id = k.account_id \
         WHERE k.uses <> COALESCE(d.uses, 0)",
    ),
    Invariant::accounts(
        "Q-8-hours",
        "the sums by hour are the sums by day",
        "SELECT d.account_id AS account, d.account_id AS id, CONCAT(d.meter, ': ', d.quantity, ' by day, ', \
          COALESCE(h.quantity, 0), ' by hour') AS detail \
         FROM (SELECT account_id, meter, model, api_key_id, user_id, SUM(quantity) AS quantity, \
          SUM(amount_nanos) AS amount, SUM(events) AS uses FROM usage_daily WHERE {in account_id} \
          GROUP BY account_id, meter, model, api_key_id, user_id) d \
         LEFT JOIN (SELECT account_id, meter, model, api_key_id, user_id, SUM(quantity) AS quantity, \
          SUM(amount_nanos) AS amount, SUM(events) AS uses FROM usage_hourly WHERE {in account_id} \
          GROUP BY account_id, meter, model, api_key_id, user_id) h \
          ON h.account_id = d.account_id AND h.meter = d.meter AND h.model = d.model \
          AND h.api_key_id = d.api_key_id AND h.user_id = d.user_id \
         WHERE d.quantity <> COALESCE(h.quantity, 0) OR d.amount <> COALESCE(h.amount, 0) \
          OR d.uses <> COALESCE(h.uses, 0)",
    ),
    Invariant::accounts(
        "Q-8-rows",
        "the sums by day are the sums of the usage rows, as long as all of these are kept",
        "SELECT u.account_id AS account, u.account_id AS id, CONCAT(u.meter, ': ', u.quantity, ' in rows, ', \
          COALESCE(d.quantity, 0), ' by day') AS detail \
         FROM (SELECT account_id, meter, SUM(quantity) AS quantity, SUM(amount_nanos) AS amount FROM usage_records \
          WHERE {in account_id} GROUP BY account_id, meter) u \
         LEFT JOIN (SELECT account_id, meter, SUM(quantity) AS quantity, SUM(amount_nanos) AS amount FROM usage_daily \
          WHERE {in account_id} GROUP BY account_id, meter) d ON d.account_id = u.account_id AND d.meter = u.meter \
         JOIN (SELECT k.account_id FROM usage_keys k LEFT JOIN usage_records r ON r.account_id = k.account_id \
          AND r.id = k.usage_id WHERE {in k.account_id} GROUP BY k.account_id HAVING COUNT(*) = COUNT(r.id)) whole \
          ON whole.account_id = u.account_id \
         WHERE u.quantity <> COALESCE(d.quantity, 0) OR u.amount <> COALESCE(d.amount, 0)",
    ),
];
