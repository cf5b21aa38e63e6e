//! Teams and their members.
//!
//! That a team has no more members than seats is not among them: who was there before a downgrade stays.

use super::Invariant;

pub(super) const RULES: &[Invariant] = &[
    Invariant::accounts(
        "T-2",
        "a team's pool is the sum of its members, who left included",
        "SELECT c.account_id AS account, c.account_id AS id, CONCAT(c.meter, ' since ', c.period_start, ': the pool used ', \
          c.used, ' and holds ', c.reserved, ', the members ', COALESCE(m.used, 0), ' and ', COALESCE(m.reserved, 0)) \
         AS detail FROM quota_counters c JOIN accounts a ON a.id = c.account_id AND a.kind = 'team' \
         LEFT JOIN (SELECT account_id, period_start, meter, SUM(used) AS used, SUM(reserved) AS reserved \
          FROM quota_counters WHERE {in account_id} AND subject_id <> account_id \
          GROUP BY account_id, period_start, meter) m \
          ON m.account_id = c.account_id AND m.period_start = c.period_start AND m.meter = c.meter \
         WHERE {in c.account_id} AND c.subject_id = c.account_id \
          AND (c.used <> COALESCE(m.used, 0) OR c.reserved <> COALESCE(m.reserved, 0))",
    ),
    Invariant::accounts(
        "T-3",
        "a team has one owner, who owns its account",
        "SELECT t.account_id AS account, t.id AS id, CONCAT(COUNT(o.user_id), ' owners, ', COUNT(s.user_id), \
          ' of them of the account') AS detail FROM teams t \
         JOIN accounts a ON a.id = t.account_id \
         LEFT JOIN team_members o ON o.account_id = t.account_id AND o.role = 'owner' AND o.status = 'active' \
         LEFT JOIN team_members s ON s.account_id = o.account_id AND s.user_id = o.user_id AND s.user_id = a.owner_id \
         WHERE {in t.account_id} AND t.status <> 'deleted' GROUP BY t.account_id, t.id \
         HAVING COUNT(o.user_id) <> 1 OR COUNT(s.user_id) <> 1",
    ),
    Invariant::accounts(
        "T-3-key",
        "nobody who was removed has a key on the team's account",
        "SELECT k.account_id AS account, k.id AS id, CONCAT('key ', k.name, ' of a removed member') AS detail \
         FROM api_keys k JOIN team_members m ON m.account_id = k.account_id AND m.user_id = k.user_id \
         WHERE {in k.account_id} AND m.status = 'removed' AND k.revoked_at IS NULL",
    ),
    Invariant::accounts(
        "T-3-use",
        "nobody who was removed used anything from five seconds later on",
        "SELECT u.account_id AS account, u.id AS id, CONCAT(u.meter, ': used at ', u.occurred_at, ', removed at ', \
          m.removed_at) AS detail FROM usage_records u \
         JOIN team_members m ON m.account_id = u.account_id AND m.user_id = u.user_id \
         WHERE {in u.account_id} AND m.status = 'removed' AND u.quantity > 0 \
          AND {long after m.removed_at: u.occurred_at}",
    ),
    Invariant::accounts(
        "T-5",
        "an account of a team has its team, and no other has one",
        "SELECT a.id AS account, a.id AS id, CONCAT(a.kind, ' account ', a.name) AS detail FROM accounts a \
         LEFT JOIN teams t ON t.account_id = a.id \
         WHERE {in a.id} AND (a.kind = 'team') <> (t.id IS NOT NULL)",
    ),
];
