//! Money in tests: accounts that have some, and what must be true of it in any database whatever was done to it.
#![expect(clippy::expect_used, clippy::missing_panics_doc, reason = "a test whose books do not agree fails")]

use crate::auditor::Findings;
use crate::scene::Scene;
use domain::id::AccountId;
use domain::money::Money;
use domain::wallet::{LedgerAccount, Transfer, TransferKind};
use infra::db::auditor::{Questions, audit_in};
use sea_orm::{ConnectionTrait, DatabaseConnection, Statement, TransactionTrait};
use uuid::Uuid;

/// The auditor's rules about wallets: what they say holds also where a test wrote transfers of no order.
const RULES: [&str; 12] = [
    "L-3",
    "L-4",
    "L-4-last",
    "L-4-transfer",
    "L-4-twice",
    "L-4-missing",
    "L-5",
    "L-6",
    "R-7",
    "R-7-open",
    "Q-10",
    "Q-10-named",
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
    let snapshot = database.begin().await.expect("a snapshot");
    let mut findings = Findings::default();
    for rule in RULES {
        let questions = Questions { only: Some(rule), now: None };
        assert_eq!(audit_in(&snapshot, questions, &mut findings).await.expect(rule), 1, "{rule}");
    }
    assert!(findings.0.is_empty(), "the money does not agree: {:#?}", findings.0);
    snapshot.rollback().await.expect("the snapshot given up");
}
