//! One violation for each invariant. `{pro}` and the like stand for ids of the world.

use super::world::World;
use sea_orm::DbBackend;
use uuid::Uuid;

#[derive(Clone, Copy, Debug)]
pub enum Expected {
    /// Besides the seeded one: what cannot hold either, when it does not.
    Found(&'static [&'static str]),
    /// The database itself does not let it happen.
    Refused,
}

pub struct Seed {
    pub id: &'static str,
    pub expected: Expected,
    pub sql: &'static [&'static str],
}

pub const fn seed(id: &'static str, also: &'static [&'static str], sql: &'static [&'static str]) -> Seed {
    Seed { id, expected: Expected::Found(also), sql }
}

pub const fn refused(id: &'static str, sql: &'static [&'static str]) -> Seed {
    Seed { id, expected: Expected::Refused, sql }
}

/// Those about usage, quota, people and what every part writes.
pub const SEEDS: &[Seed] = &[
    seed(
        "Q-1",
        &["Q-2-parts"],
        &["UPDATE quota_counters SET used = used + 1, peak = peak + 1 WHERE {pro's words} AND from_overage > 0"],
    ),
    seed(
        "Q-1-closed",
        &[],
        &["UPDATE quota_counters SET used = used - 1, from_allowance = from_allowance - 1 \
           WHERE {pro's words} AND from_overage = 0"],
    ),
    seed(
        "Q-1-member",
        &[],
        &[
            "UPDATE quota_counters SET used = used + 1, peak = peak + 1, from_allowance = from_allowance + 1 \
             WHERE account_id = {team} AND subject_id = {worker}",
            "UPDATE quota_counters SET used = used - 1, from_allowance = from_allowance - 1 \
             WHERE account_id = {team} AND subject_id <> {team} AND subject_id <> {worker}",
        ],
    ),
    seed(
        "Q-1-level",
        &[],
        &["UPDATE quota_counters SET used = used + 1, peak = peak + 1 WHERE account_id = {pro} AND meter = 'storage' \
           AND period_start = {pro's period}"],
    ),
    seed("Q-1-uncounted", &[], &["DELETE FROM quota_counters WHERE {pro's cu}"]),
    seed(
        "Q-9",
        &[],
        &["UPDATE quota_counters SET from_allowance = from_allowance - 1, from_overage = from_overage + 1 \
           WHERE {pro's cu}"],
    ),
    seed("Q-3", &["Q-9"], &["UPDATE usage_records SET from_allowance = from_allowance - 1 WHERE {pro's cu}"]),
    seed("Q-3-twice", &["Q-3-key"], &["UPDATE usage_records SET usage_key = 'a' WHERE {pro's cu}"]),
    seed("Q-3-key", &[], &["UPDATE usage_keys SET usage_key = 'gone' WHERE account_id = {pro} AND usage_key = 'b'"]),
    seed("Q-3-lost", &["Q-1"], &["DELETE FROM usage_records WHERE {pro's cu}"]),
    seed(
        "Q-4",
        &[],
        &["UPDATE usage_records SET occurred_at = (SELECT MIN(p.period_start) FROM quota_periods p \
           WHERE p.account_id = {pro}) WHERE {pro's cu}"],
    ),
    seed(
        "Q-8-events",
        &[],
        &[
            "UPDATE usage_daily SET events = events + 1 WHERE {pro's cu}",
            "UPDATE usage_hourly SET events = events + 1 WHERE {pro's cu}",
        ],
    ),
    seed("Q-8-hours", &[], &["UPDATE usage_hourly SET quantity = quantity + 1 WHERE {pro's cu}"]),
    seed(
        "Q-8-rows",
        &[],
        &[
            "UPDATE usage_daily SET quantity = quantity + 1 WHERE {pro's cu}",
            "UPDATE usage_hourly SET quantity = quantity + 1 WHERE {pro's cu}",
        ],
    ),
    seed("Q-2", &[], &["UPDATE quota_counters SET peak = used - 1 WHERE {pro's cu}"]),
    seed(
        "Q-2-parts",
        &[],
        &["UPDATE quota_counters SET from_allowance = from_allowance + 1 \
           WHERE account_id = {team} AND subject_id = {worker}"],
    ),
    seed("Q-6", &[], &["UPDATE quota_warnings SET used_atoms = 1 WHERE account_id = {pro} AND threshold = 100"]),
    seed(
        "Q-6-twice",
        &[],
        &["UPDATE quota_counters SET warnings_fired = '80' WHERE {pro's words} AND from_overage > 0"],
    ),
    seed("Q-6-untold", &[], &["DELETE FROM quota_warnings WHERE account_id = {pro}"]),
    seed("Q-6-unnamed", &[], &["UPDATE usage_records SET warnings = '' WHERE account_id = {pro} AND usage_key = 'a'"]),
    seed("G-1", &["G-2", "G-3"], &["UPDATE quota_grants SET held = held + 1000000 WHERE account_id = {pro}"]),
    seed("G-2", &[], &["UPDATE quota_grants SET remaining = remaining - 1 WHERE account_id = {pro} AND remaining > 0"]),
    seed(
        "G-3",
        &[],
        &["UPDATE quota_grants SET held = held - 1, remaining = remaining + 1 WHERE account_id = {pro} AND held > 0"],
    ),
    seed(
        "Q-5",
        &["Q-5-open"],
        &["UPDATE quota_periods SET period_end = period_start WHERE account_id = {idle} \
           AND period_start = (SELECT s.period_start FROM user_subscriptions s WHERE s.account_id = {idle})"],
    ),
    seed(
        "Q-5-gap",
        &[],
        &["UPDATE quota_periods SET period_end = (SELECT s.started_at FROM user_subscriptions s \
           WHERE s.account_id = {idle}) WHERE account_id = {idle} \
           AND period_start < (SELECT s.period_start FROM user_subscriptions s WHERE s.account_id = {idle})"],
    ),
    seed("Q-5-counter", &[], &["UPDATE quota_counters SET period_end = period_start WHERE {pro's cu}"]),
    seed("Q-5-open", &[], &["UPDATE user_subscriptions SET seats = seats + 1 WHERE account_id = {idle}"]),
    seed(
        "Q-5-version",
        &[],
        &["UPDATE quota_periods SET plan_code = 'nothing' WHERE account_id = {idle} \
           AND period_start < (SELECT s.period_start FROM user_subscriptions s WHERE s.account_id = {idle})"],
    ),
    seed("R-1", &[], &["UPDATE quota_counters SET reserved = reserved + 1 WHERE {pro's cu}"]),
    seed(
        "R-1-member",
        &[],
        &[
            "UPDATE quota_counters SET reserved = reserved - 1 WHERE account_id = {team} AND subject_id = {worker}",
            "UPDATE quota_counters SET reserved = reserved + 1 \
             WHERE account_id = {team} AND subject_id <> {team} AND subject_id <> {worker}",
        ],
    ),
    seed(
        "R-1-unheld",
        &["R-1"],
        &["UPDATE reservations SET meter = 'traffic' WHERE account_id = {pro} AND status = 'open'"],
    ),
    seed("R-2", &[], &["UPDATE reservations SET usage_id = id WHERE account_id = {pro} AND status = 'open'"]),
    seed("R-3", &[], &["UPDATE reservations SET captured = captured + 1 WHERE account_id = {free}"]),
    seed("R-3-debt", &[], &["UPDATE account_debts SET quantity = quantity + 1 WHERE account_id = {free}"]),
    seed("R-3-owed", &["R-3-debt"], &["UPDATE account_debts SET reservation_id = id WHERE account_id = {free}"]),
    seed("K-6", &[], &["UPDATE api_keys SET allowance_used = 1000000 WHERE account_id = {pro}"]),
    seed(
        "T-2",
        &["Q-1-member"],
        &["UPDATE quota_counters SET used = used + 1, peak = peak + 1, from_allowance = from_allowance + 1 \
           WHERE account_id = {team} AND subject_id = {worker}"],
    ),
    seed("T-3", &[], &["UPDATE team_members SET role = 'member' WHERE account_id = {team} AND role = 'owner'"]),
    seed(
        "T-3-key",
        &[],
        &["UPDATE team_members SET status = 'removed', removed_at = updated_at \
           WHERE account_id = {team} AND user_id = {guest}"],
    ),
    seed(
        "T-3-use",
        &[],
        &["UPDATE team_members SET status = 'removed', removed_at = (SELECT MIN(p.period_start) FROM quota_periods p \
           WHERE p.account_id = {team}) WHERE account_id = {team} AND user_id = {worker}"],
    ),
    seed("T-5", &["K-7"], &["UPDATE accounts SET kind = 'team' WHERE id = {idle}"]),
    seed("K-1", &[], &["UPDATE api_keys SET token_hash = SUBSTR(token_hash, 1, 32)"]),
    seed("K-1-session", &[], &["UPDATE sessions SET token_hash = SUBSTR(token_hash, 1, 32)"]),
    seed(
        "K-4",
        &[],
        &["UPDATE quota_periods SET account_id = {guest} WHERE account_id = {idle} \
           AND period_start < (SELECT s.period_start FROM user_subscriptions s WHERE s.account_id = {idle})"],
    ),
    seed("K-5", &[], &["UPDATE users SET status = 'disabled' WHERE personal_account_id = {pro}"]),
    seed("K-7", &[], &["UPDATE accounts SET owner_id = id WHERE id = {idle}"]),
    seed("K-8", &[], &["UPDATE api_keys SET user_id = id WHERE account_id = {pro}"]),
    seed("A-1", &[], &["UPDATE audit_log SET target = 'somebody else' WHERE position = 1"]),
    seed(
        "J-1",
        &[],
        &["INSERT INTO idempotency_keys (user_id, scope, idempotency_key, fingerprint, answer, created_at) \
           SELECT id, 'scope', 'key', '', '{}', created_at FROM users WHERE personal_account_id = {pro}"],
    ),
    seed(
        "J-3",
        &["J-3-notice"],
        &["UPDATE outbox SET fanned_out_at = NULL WHERE account_id = {pro} AND kind = 'test.numbered'"],
    ),
    seed("J-3-lane", &[], &["UPDATE delivery_lanes SET due_at = NULL WHERE account_id = {pro} AND kind = 'webhook'"]),
    seed(
        "J-3-notice",
        &[],
        &["UPDATE notices SET kind = 'another' WHERE account_id = {pro} AND kind = 'test.numbered'"],
    ),
];

/// A UUID in SQL.
pub fn literal(backend: DbBackend, id: Uuid) -> String {
    if backend == DbBackend::Postgres { format!("'{id}'") } else { format!("x'{}'", id.simple()) }
}

/// The SQL of a seed in this world.
pub fn fill(backend: DbBackend, world: &World, sql: &str) -> String {
    let parts = [
        ("{pro's words}", "account_id = {pro} AND meter = 'words'"),
        ("{pro's cu}", "account_id = {pro} AND meter = 'cu'"),
        ("{pro's period}", "(SELECT s.period_start FROM user_subscriptions s WHERE s.account_id = {pro})"),
    ];
    let ids = [
        ("{pro}", world.pro.account.as_uuid()),
        ("{buyer}", world.buyer.account.as_uuid()),
        ("{payer}", world.payer.account.as_uuid()),
        ("{free}", world.free.account.as_uuid()),
        ("{idle}", world.idle.as_uuid()),
        ("{team}", world.team.as_uuid()),
        ("{worker}", world.worker.as_uuid()),
        ("{guest}", world.guest.as_uuid()),
    ];
    let sql = parts.iter().fold(sql.to_owned(), |sql, (mark, part)| sql.replace(mark, part));
    ids.iter().fold(sql, |sql, (mark, id)| sql.replace(mark, &literal(backend, *id)))
}
