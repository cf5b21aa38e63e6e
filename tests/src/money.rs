//! What must be true of the money in any database whatever was done to it: plain SQL that shares nothing with the
//! adapters. Each query returns the rows that break a rule.
#![expect(clippy::expect_used, clippy::missing_panics_doc, reason = "a test whose books do not agree fails")]

use sea_orm::{ConnectionTrait, DatabaseConnection, Statement};

/// A rule, and the query for what breaks it.
const RULES: [(&str, &str); 5] = [
    (
        "a wallet's balance is what transfers brought less what they took",
        "SELECT w.account_id FROM wallets w WHERE w.balance <> \
         COALESCE((SELECT SUM(t.amount) FROM ledger_transfers t WHERE t.to_account_id = w.account_id \
           AND t.currency = w.currency), 0) - \
         COALESCE((SELECT SUM(t.amount) FROM ledger_transfers t WHERE t.from_account_id = w.account_id \
           AND t.currency = w.currency), 0)",
    ),
    ("a wallet holds no more than it has", "SELECT account_id FROM wallets WHERE held < 0 OR held > balance"),
    (
        "a statement is numbered without gaps, and each balance is the one before and the amount",
        "SELECT e.account_id FROM wallet_entries e LEFT JOIN wallet_entries p ON p.account_id = e.account_id \
         AND p.currency = e.currency AND p.number = e.number - 1 \
         WHERE e.balance <> COALESCE(p.balance, 0) + e.amount OR (p.number IS NULL AND e.number <> 1)",
    ),
    (
        "the last line of a statement shows the balance",
        "SELECT w.account_id FROM wallets w LEFT JOIN wallet_entries e ON e.account_id = w.account_id \
         AND e.currency = w.currency AND e.number = w.entries \
         WHERE COALESCE(e.balance, 0) <> w.balance OR (e.number IS NULL AND w.entries <> 0)",
    ),
    (
        "every side of a transfer that is a wallet has its entry, and every entry its transfer",
        "SELECT t.id FROM ledger_transfers t WHERE \
         (t.to_account_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM wallet_entries e WHERE e.transfer_id = t.id \
           AND e.account_id = t.to_account_id AND e.currency = t.currency AND e.amount = t.amount)) OR \
         (t.from_account_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM wallet_entries e WHERE e.transfer_id = t.id \
           AND e.account_id = t.from_account_id AND e.currency = t.currency AND e.amount = -t.amount)) \
         UNION ALL SELECT e.transfer_id FROM wallet_entries e LEFT JOIN ledger_transfers t ON t.id = e.transfer_id \
         WHERE t.id IS NULL",
    ),
];

/// Fails when a rule is broken. A database without these tables has no money yet.
pub async fn check(database: &DatabaseConnection) {
    let backend = database.get_database_backend();
    if database.query_all_raw(Statement::from_string(backend, "SELECT 1 FROM wallets")).await.is_err() {
        return;
    }
    for (rule, query) in RULES {
        let broken = database.query_all_raw(Statement::from_string(backend, query)).await.expect(rule);
        assert!(broken.is_empty(), "{rule}: broken {} times", broken.len());
    }
}
