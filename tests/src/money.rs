//! What must be true of the money in any database whatever was done to it: plain SQL that shares nothing with the
//! adapters. Each query returns the rows that break a rule.
#![expect(clippy::expect_used, clippy::missing_panics_doc, reason = "a test whose books do not agree fails")]

use crate::scene::Scene;
use domain::id::AccountId;
use domain::money::Money;
use domain::wallet::{LedgerAccount, Transfer, TransferKind};
use sea_orm::{ConnectionTrait, DatabaseConnection, Statement};
use uuid::Uuid;

/// A rule, and the query for what breaks it.
const RULES: [(&str, &str); 9] = [
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
        "what a wallet holds is what the open reservations of its counters hold",
        "SELECT w.account_id FROM wallets w WHERE w.held <> \
         COALESCE((SELECT SUM(c.wallet_held_nanos) FROM quota_counters c WHERE c.account_id = w.account_id \
           AND c.currency = w.currency), 0)",
    ),
    (
        "money is held only where a reservation is open",
        "SELECT c.account_id FROM quota_counters c WHERE c.wallet_held_nanos <> 0 AND (c.subject_id <> c.account_id \
         OR NOT EXISTS (SELECT 1 FROM wallets w WHERE w.account_id = c.account_id AND w.currency = c.currency) \
         OR NOT EXISTS (SELECT 1 FROM reservations r WHERE r.account_id = c.account_id AND r.meter = c.meter \
           AND r.period_start = c.period_start AND r.status = 'open'))",
    ),
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
    (
        "the uses that name a transfer add up to it",
        "SELECT u.transfer_id FROM usage_records u LEFT JOIN ledger_transfers t ON t.id = u.transfer_id \
         WHERE u.transfer_id IS NOT NULL GROUP BY u.transfer_id, t.amount, t.kind, t.from_account_id, t.currency \
         HAVING t.amount IS NULL OR t.kind <> 'usage' OR SUM(u.amount_nanos) <> t.amount \
         OR MIN(u.account_id) <> t.from_account_id OR MAX(u.account_id) <> t.from_account_id \
         OR MIN(u.currency) <> t.currency OR MAX(u.currency) <> t.currency",
    ),
    (
        "what the wallet paid names its transfer, and nothing else does",
        "SELECT id FROM usage_records WHERE (transfer_id IS NOT NULL) <> (from_wallet > 0 AND amount_nanos <> 0)",
    ),
];

impl Scene {
    /// Gives an account so many nanos of the billing currency.
    pub async fn fund(&self, account: AccountId, nanos: i64) {
        let (now, amount) = (self.now(), Money::from_nanos(nanos, self.services.catalogue.currency));
        let sides = (LedgerAccount::Promotion, LedgerAccount::Wallet(account));
        let named = (TransferKind::Promotion, Uuid::now_v7().to_string());
        let transfer = Transfer::new(named, sides, amount, now).expect("an amount above zero");
        let work = self.services.store.begin().await.expect("a unit of work");
        work.accounts().lock(account).await.expect("the account");
        domain::wallet::post(&*work, &[transfer]).await.expect("the transfer booked");
        work.commit().await.expect("a commit");
    }

    /// Balance and held nanos of an account in the billing currency.
    pub async fn purse(&self, account: AccountId) -> (i64, i64) {
        let wallets = self.services.store.ledger().wallets(&[account]).await.expect("the wallets");
        let wallet = wallets.into_iter().find(|wallet| wallet.currency() == self.services.catalogue.currency);
        wallet.map_or((0, 0), |wallet| (wallet.balance.nanos(), wallet.held.nanos()))
    }
}

/// Fails when a rule is broken. A database without these tables has no money yet.
pub async fn check(database: &DatabaseConnection) {
    let backend = database.get_database_backend();
    if database.query_all_raw(Statement::from_string(backend, "SELECT 1 FROM wallets")).await.is_err() {
        return;
    }
    for (rule, query) in RULES {
        let text = query.replace("MIN(u.account_id)", &first_of(backend, "MIN"));
        let text = text.replace("MAX(u.account_id)", &first_of(backend, "MAX"));
        let broken = database.query_all_raw(Statement::from_string(backend, text)).await.expect(rule);
        assert!(broken.is_empty(), "{rule}: broken {} times", broken.len());
    }
}

/// PostgreSQL compares ids, but knows no smallest of them.
fn first_of(backend: sea_orm::DbBackend, function: &str) -> String {
    match backend {
        sea_orm::DbBackend::Postgres => format!("CAST({function}(CAST(u.account_id AS TEXT)) AS UUID)"),
        _ => format!("{function}(u.account_id)"),
    }
}
