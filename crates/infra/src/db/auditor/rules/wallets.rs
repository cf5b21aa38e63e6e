//! Statements of wallets, what is held of them, and what they paid for usage.

use super::Invariant;

pub(super) const RULES: &[Invariant] = &[
    Invariant::accounts(
        "L-4",
        "a statement is numbered without gaps, and each balance is the one before and the amount",
        "SELECT e.account_id AS account, e.transfer_id AS id, CONCAT('line ', e.number, ': ', COALESCE(p.balance, 0), \
          ' and ', e.amount, ' is not ', e.balance) AS detail FROM wallet_entries e \
         LEFT JOIN wallet_entries p ON p.account_id = e.account_id AND p.currency = e.currency \
          AND p.number = e.number - 1 \
         WHERE {in e.account_id} AND (e.balance <> COALESCE(p.balance, 0) + e.amount \
          OR (p.number IS NULL AND e.number <> 1))",
    ),
    Invariant::accounts(
        "L-4-last",
        "the last line of a statement shows the balance",
        "SELECT w.account_id AS account, w.account_id AS id, CONCAT(w.currency, ': balance ', w.balance, ', the last of ', \
          w.entries, ' lines says ', COALESCE(e.balance, 0)) AS detail FROM wallets w \
         LEFT JOIN wallet_entries e ON e.account_id = w.account_id AND e.currency = w.currency AND e.number = w.entries \
         WHERE {in w.account_id} AND (COALESCE(e.balance, 0) <> w.balance OR (e.number IS NULL AND w.entries <> 0))",
    ),
    Invariant::accounts(
        "L-4-transfer",
        "every line of a statement is a side of its transfer",
        "SELECT e.account_id AS account, e.transfer_id AS id, CONCAT('line ', e.number, ' of ', e.amount, ' ', e.currency) \
         AS detail FROM wallet_entries e LEFT JOIN ledger_transfers t ON t.id = e.transfer_id \
          AND t.currency = e.currency AND ((t.to_account_id = e.account_id AND t.amount = e.amount) \
          OR (t.from_account_id = e.account_id AND t.amount = -e.amount)) \
         WHERE {in e.account_id} AND t.id IS NULL",
    ),
    Invariant::accounts(
        "L-4-twice",
        "a transfer is on a statement once",
        "SELECT account_id AS account, account_id AS id, CONCAT(COUNT(*), ' lines of ', COUNT(DISTINCT transfer_id), \
          ' transfers') AS detail FROM wallet_entries WHERE {in account_id} GROUP BY account_id, currency \
         HAVING COUNT(*) <> COUNT(DISTINCT transfer_id)",
    ),
    Invariant::whole(
        "L-4-missing",
        "every transfer of a wallet is on its statement",
        "SELECT w.account_id AS account, w.account_id AS id, CONCAT(w.currency, ': ', w.entries, ' lines, ', \
          COALESCE(t.sides, 0), ' transfers') AS detail FROM wallets w \
         LEFT JOIN (SELECT account_id, currency, COUNT(*) AS sides FROM (SELECT to_account_id AS account_id, currency \
           FROM ledger_transfers WHERE to_account_id IS NOT NULL UNION ALL SELECT from_account_id, currency \
           FROM ledger_transfers WHERE from_account_id IS NOT NULL) m GROUP BY account_id, currency) t \
          ON t.account_id = w.account_id AND t.currency = w.currency \
         WHERE w.entries <> COALESCE(t.sides, 0)",
    ),
    Invariant::accounts(
        "R-7",
        "what a wallet holds is what the open reservations of its counters hold",
        "SELECT w.account_id AS account, w.account_id AS id, CONCAT(w.currency, ': held ', w.held, ', by counters ', \
          COALESCE(c.held, 0)) AS detail FROM wallets w \
         LEFT JOIN (SELECT account_id, currency, SUM(wallet_held_nanos) AS held FROM quota_counters \
          WHERE {in account_id} GROUP BY account_id, currency) c \
          ON c.account_id = w.account_id AND c.currency = w.currency \
         WHERE {in w.account_id} AND w.held <> COALESCE(c.held, 0)",
    ),
    Invariant::accounts(
        "R-7-open",
        "money is held by pools with an open reservation and a wallet, and by nothing else",
        "SELECT c.account_id AS account, c.subject_id AS id, CONCAT(c.meter, ' since ', c.period_start, ': holds ', \
          c.wallet_held_nanos, ' ', c.currency) AS detail FROM quota_counters c \
         LEFT JOIN wallets w ON w.account_id = c.account_id AND w.currency = c.currency \
         WHERE {in c.account_id} AND c.wallet_held_nanos <> 0 AND (c.subject_id <> c.account_id \
          OR w.account_id IS NULL OR NOT EXISTS (SELECT 1 FROM reservations r WHERE r.account_id = c.account_id \
           AND r.meter = c.meter AND r.period_start = c.period_start AND r.status = 'open'))",
    ),
    Invariant::accounts(
        "Q-10",
        "the uses that name a transfer are the account's, paid by its wallet, and not more than it",
        "SELECT u.account_id AS account, u.transfer_id AS id, CONCAT(u.total, ' ', u.currency, ' used, booked ', \
          COALESCE(t.amount, 0)) AS detail FROM (SELECT account_id, currency, transfer_id, \
          SUM(amount_nanos) AS total FROM usage_records WHERE {in account_id} AND transfer_id IS NOT NULL \
          GROUP BY account_id, currency, transfer_id) u \
         LEFT JOIN ledger_transfers t ON t.id = u.transfer_id AND t.kind = 'usage' \
          AND t.from_account_id = u.account_id AND t.currency = u.currency \
         WHERE t.id IS NULL OR u.total > t.amount",
    ),
    Invariant::accounts(
        "Q-10-parts",
        "the uses that name a transfer add up to it, as long as all of the account's are kept",
        "SELECT u.account_id AS account, u.transfer_id AS id, CONCAT(u.total, ' ', u.currency, ' used, booked ', t.amount) \
         AS detail FROM (SELECT account_id, currency, transfer_id, SUM(amount_nanos) AS total FROM usage_records \
          WHERE {in account_id} AND transfer_id IS NOT NULL GROUP BY account_id, currency, transfer_id) u \
         JOIN ledger_transfers t ON t.id = u.transfer_id \
         JOIN (SELECT k.account_id FROM usage_keys k LEFT JOIN usage_records r ON r.account_id = k.account_id \
          AND r.id = k.usage_id WHERE {in k.account_id} GROUP BY k.account_id HAVING COUNT(*) = COUNT(r.id)) whole \
          ON whole.account_id = u.account_id \
         WHERE u.total < t.amount",
    ),
    Invariant::accounts(
        "Q-10-named",
        "what the wallet paid names its transfer, and nothing else does",
        "SELECT account_id AS account, id AS id, CONCAT(meter, ': ', from_wallet, ' from the wallet, ', amount_nanos, \
          ' ', currency) AS detail FROM usage_records WHERE {in account_id} \
          AND (transfer_id IS NOT NULL) <> (from_wallet > 0 AND amount_nanos <> 0)",
    ),
    Invariant::whole(
        "Q-10-paid",
        "what wallets paid for usage is what their counters say",
        "SELECT s.account_id AS account, s.account_id AS id, CONCAT(s.currency, ': ', s.booked, ' booked, counters say ', \
          s.counted) AS detail FROM (SELECT account_id, currency, SUM(booked) AS booked, SUM(counted) AS counted FROM ( \
           SELECT from_account_id AS account_id, currency, amount AS booked, 0 AS counted FROM ledger_transfers \
            WHERE kind = 'usage' UNION ALL SELECT account_id, currency, 0, wallet_paid_nanos FROM quota_counters \
            WHERE wallet_paid_nanos <> 0 AND subject_id = account_id) m GROUP BY account_id, currency) s \
         WHERE s.booked <> s.counted",
    ),
];
