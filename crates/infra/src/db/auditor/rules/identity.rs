//! Users, sessions, keys, and whose everything is.

use super::Invariant;

pub(super) const RULES: &[Invariant] = &[
    Invariant::accounts(
        "K-1",
        "of an API key only a hash is kept, and no key has that of another",
        "SELECT k.account_id AS account, k.id AS id, CONCAT('key ', k.name) AS detail FROM api_keys k \
         WHERE {in k.account_id} AND (LENGTH(k.token_hash) <> 64 OR k.token_hash LIKE 'sk-%')",
    ),
    Invariant::whole(
        "K-1-session",
        "of a session only a hash is kept",
        "SELECT s.id AS id, 'a session' AS detail FROM sessions s WHERE LENGTH(s.token_hash) <> 64",
    ),
    Invariant::accounts(
        "K-4",
        "what an account owns belongs to an account that exists",
        "SELECT o.account_id AS account, o.account_id AS id, CONCAT(o.kind, ' of no account') AS detail FROM ( \
          SELECT account_id, 'usage' AS kind FROM usage_keys WHERE {in account_id} \
          UNION SELECT account_id, 'counters' FROM quota_counters WHERE {in account_id} \
          UNION SELECT account_id, 'grants' FROM quota_grants WHERE {in account_id} \
          UNION SELECT account_id, 'a subscription' FROM user_subscriptions WHERE {in account_id} \
          UNION SELECT account_id, 'periods' FROM quota_periods WHERE {in account_id} \
          UNION SELECT account_id, 'reservations' FROM reservations WHERE {in account_id} \
          UNION SELECT account_id, 'keys' FROM api_keys WHERE {in account_id} \
          UNION SELECT account_id, 'a wallet' FROM wallets WHERE {in account_id} \
          UNION SELECT account_id, 'orders' FROM orders WHERE {in account_id} \
          UNION SELECT account_id, 'bills' FROM billing_records WHERE {in account_id} \
          UNION SELECT account_id, 'members' FROM team_members WHERE {in account_id} \
          UNION SELECT account_id, 'a team' FROM teams WHERE {in account_id}) o \
         LEFT JOIN accounts a ON a.id = o.account_id WHERE a.id IS NULL",
    ),
    Invariant::whole(
        "K-5",
        "nobody who is disabled or gone has a session",
        "SELECT s.id AS id, 'a session of nobody or of somebody disabled' AS detail FROM sessions s \
         LEFT JOIN users u ON u.id = s.user_id \
         WHERE u.id IS NULL OR u.status <> 'active' OR u.deleted_at IS NOT NULL",
    ),
    Invariant::whole(
        "K-7",
        "every user has a personal account of their own",
        "SELECT u.personal_account_id AS account, u.id AS id, 'the personal account is missing or not theirs' AS detail \
         FROM users u LEFT JOIN accounts a ON a.id = u.personal_account_id \
         WHERE a.id IS NULL OR a.kind <> 'personal' OR a.owner_id <> u.id",
    ),
    Invariant::whole(
        "K-8",
        "every key is somebody's",
        "SELECT k.account_id AS account, k.id AS id, CONCAT('key ', k.name, ' of nobody') AS detail FROM api_keys k \
         LEFT JOIN users u ON u.id = k.user_id WHERE u.id IS NULL",
    ),
    Invariant::whole(
        "S-1",
        "of a verified identity only ciphertexts are kept, and a keyed hash of the number",
        "SELECT v.user_id AS id, 'a verified identity in clear' AS detail FROM user_verifications v \
         WHERE v.real_name NOT LIKE 'v1.%' OR v.id_number NOT LIKE 'v1.%' OR v.mask NOT LIKE 'v1.%' \
          OR LENGTH(v.number_index) <> 64",
    ),
    Invariant::whole(
        "S-2",
        "a verified identity is somebody's",
        "SELECT v.user_id AS id, 'a verified identity of nobody' AS detail FROM user_verifications v \
         LEFT JOIN users u ON u.id = v.user_id WHERE u.id IS NULL",
    ),
    Invariant::whole(
        "S-4",
        "no two verified identities have one number",
        "SELECT CONCAT(COUNT(*), ' identities with one number') AS detail FROM user_verifications \
         GROUP BY number_index HAVING COUNT(*) > 1",
    ),
];
