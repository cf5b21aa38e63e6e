//! Counters, grants and warnings.

use super::Invariant;

pub(super) const RULES: &[Invariant] = &[
    Invariant::accounts(
        "Q-2",
        "a counter holds no more than is reserved, is not below zero, and has peaked at its level at least",
        "SELECT account_id AS account, subject_id AS id, CONCAT(meter, ' since ', period_start, ': used ', used, \
          ', reserved ', reserved, ', of grants ', held_grants, ', peak ', peak) AS detail FROM quota_counters \
         WHERE {in account_id} AND (used < 0 OR reserved < 0 OR held_grants < 0 OR held_grants > reserved \
          OR peak < used OR overage_fee_nanos < 0)",
    ),
    Invariant::accounts(
        "Q-2-parts",
        "what a counter drew from its funds is what was used",
        "SELECT account_id AS account, subject_id AS id, CONCAT(meter, ' since ', period_start, ': used ', used, \
          ', drawn ', from_allowance + from_grants + from_overage + from_wallet) AS detail FROM quota_counters \
         WHERE {in account_id} AND meter NOT IN ({gauges}) \
          AND used <> from_allowance + from_grants + from_overage + from_wallet",
    ),
    Invariant::accounts(
        "Q-6",
        "a threshold fired when it was reached",
        "SELECT account_id AS account, id AS id, CONCAT(meter, ': ', threshold, ' percent of ', limit_atoms, \
          ' fired at ', used_atoms) AS detail FROM quota_warnings \
         WHERE {in account_id} AND (limit_atoms <= 0 \
          OR CAST(used_atoms AS DECIMAL(38, 0)) * 100 < CAST(limit_atoms AS DECIMAL(38, 0)) * threshold)",
    ),
    Invariant::accounts(
        "Q-6-twice",
        "a counter remembers what fired, so that nothing fires twice",
        "SELECT w.account_id AS account, w.id AS id, CONCAT(w.meter, ': ', w.threshold, ' fired, the counter knows ', \
          COALESCE(c.warnings_fired, 'nothing')) AS detail FROM quota_warnings w \
         LEFT JOIN quota_counters c ON c.account_id = w.account_id AND c.period_start = w.period_start \
          AND c.subject_id = w.subject_id AND c.meter = w.meter \
         WHERE {in w.account_id} AND (c.account_id IS NULL OR (c.warning_generation = w.generation \
          AND CONCAT(',', c.warnings_fired, ',') NOT LIKE CONCAT('%,', w.threshold, ',%')))",
    ),
    Invariant::accounts(
        "Q-6-untold",
        "a use whose receipt names a threshold made a warning",
        "SELECT u.account_id AS account, u.id AS id, CONCAT(u.meter, ': ', u.warnings, ' and no warning') AS detail \
         FROM usage_records u WHERE {in u.account_id} AND u.warnings <> '' AND NOT EXISTS (SELECT 1 \
          FROM quota_warnings w WHERE w.account_id = u.account_id AND w.usage_id = u.id)",
    ),
    Invariant::accounts(
        "Q-6-unnamed",
        "the receipt of the use that made a warning names the threshold",
        "SELECT w.account_id AS account, w.id AS id, CONCAT(w.meter, ': ', w.threshold, ' fired, the receipt says ', \
          u.warnings) AS detail FROM quota_warnings w \
         JOIN usage_records u ON u.account_id = w.account_id AND u.id = w.usage_id \
         WHERE {in w.account_id} AND CONCAT(',', u.warnings, ',') NOT LIKE CONCAT('%,', w.threshold, ',%')",
    ),
    Invariant::accounts(
        "G-1",
        "what is left of a grant, held and revoked is never more than was granted",
        "SELECT account_id AS account, id AS id, CONCAT(meter, ': ', quantity, ' granted, ', remaining, ' left, ', held, \
          ' held, ', revoked, ' revoked') AS detail FROM quota_grants \
         WHERE {in account_id} AND (remaining < 0 OR held < 0 OR revoked < 0 OR quantity <= 0 \
          OR remaining + held + revoked > quantity)",
    ),
    Invariant::accounts(
        "G-2",
        "what is gone of the grants of a meter is what its counters drew from grants",
        "SELECT g.account_id AS account, g.account_id AS id, CONCAT(g.meter, ': ', g.gone, ' gone of grants, ', \
          COALESCE(c.drawn, 0), ' drawn') AS detail \
         FROM (SELECT account_id, meter, SUM(quantity - remaining - held - revoked) AS gone FROM quota_grants \
          WHERE {in account_id} GROUP BY account_id, meter) g \
         LEFT JOIN (SELECT account_id, meter, SUM(from_grants) AS drawn FROM quota_counters \
          WHERE {in account_id} AND subject_id = account_id GROUP BY account_id, meter) c \
          ON c.account_id = g.account_id AND c.meter = g.meter \
         WHERE g.gone <> COALESCE(c.drawn, 0)",
    ),
    Invariant::accounts(
        "G-3",
        "what grants of a meter hold is what its counters say that grants hold",
        "SELECT g.account_id AS account, g.account_id AS id, CONCAT(g.meter, ': ', g.held, ' held by grants, ', \
          COALESCE(c.held, 0), ' by counters') AS detail \
         FROM (SELECT account_id, meter, SUM(held) AS held FROM quota_grants WHERE {in account_id} \
          GROUP BY account_id, meter) g \
         LEFT JOIN (SELECT account_id, meter, SUM(held_grants) AS held FROM quota_counters \
          WHERE {in account_id} AND subject_id = account_id GROUP BY account_id, meter) c \
          ON c.account_id = g.account_id AND c.meter = g.meter \
         WHERE g.held <> COALESCE(c.held, 0)",
    ),
];
