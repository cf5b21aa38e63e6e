//! Subscriptions and their periods.

use super::Invariant;

pub(super) const RULES: &[Invariant] = &[
    Invariant::accounts(
        "Q-5",
        "a period ends after it began",
        "SELECT account_id AS account, account_id AS id, CONCAT('from ', period_start, ' to ', period_end) AS detail \
         FROM quota_periods WHERE {in account_id} AND period_end <= period_start",
    ),
    Invariant::accounts(
        "Q-5-gap",
        "the periods of an account follow each other without gap or overlap",
        "SELECT a.account_id AS account, a.account_id AS id, \
         CONCAT('one ends at ', a.period_end, ', the next begins at ', b.period_start) AS detail \
         FROM quota_periods a JOIN quota_periods b ON b.account_id = a.account_id AND b.period_start > a.period_start \
         LEFT JOIN quota_periods m ON m.account_id = a.account_id AND m.period_start > a.period_start \
          AND m.period_start < b.period_start \
         WHERE {in a.account_id} AND m.account_id IS NULL AND b.period_start <> a.period_end",
    ),
    Invariant::accounts(
        "Q-5-counter",
        "a counter belongs to a period of its account",
        "SELECT c.account_id AS account, c.subject_id AS id, \
         CONCAT(c.meter, ' counts from ', c.period_start, ' to ', c.period_end) AS detail FROM quota_counters c \
         LEFT JOIN quota_periods p ON p.account_id = c.account_id AND p.period_start = c.period_start \
          AND p.period_end = c.period_end \
         WHERE {in c.account_id} AND p.account_id IS NULL",
    ),
    Invariant::accounts(
        "Q-5-open",
        "the open period of a subscription is the last one of its account, on the plan that it is on",
        "SELECT s.account_id AS account, s.id AS id, CONCAT(s.plan_code, ' from ', s.period_start) AS detail \
         FROM user_subscriptions s \
         LEFT JOIN quota_periods p ON p.account_id = s.account_id AND p.period_start = s.period_start \
         WHERE {in s.account_id} AND (p.account_id IS NULL OR p.period_end <> s.period_end \
          OR p.plan_version_id <> s.plan_version_id OR p.seats <> s.seats OR EXISTS (SELECT 1 FROM quota_periods l \
           WHERE l.account_id = s.account_id AND l.period_start > s.period_start))",
    ),
    Invariant::accounts(
        "Q-5-version",
        "every period and subscription points at a plan version that exists",
        "SELECT p.account_id AS account, p.plan_version_id AS id, CONCAT(p.plan_code, ' has no such version') AS detail \
         FROM (SELECT account_id, plan_version_id, plan_code FROM quota_periods WHERE {in account_id} UNION \
          SELECT account_id, plan_version_id, plan_code FROM user_subscriptions WHERE {in account_id}) p \
         LEFT JOIN plan_versions v ON v.id = p.plan_version_id AND v.plan_code = p.plan_code WHERE v.id IS NULL",
    ),
];
