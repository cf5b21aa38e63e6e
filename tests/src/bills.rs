//! Bills in tests: an account's bills, what of them differs when they are derived again, and whether the books agree.
#![expect(clippy::unwrap_used, clippy::missing_panics_doc, reason = "a test whose bills cannot be read fails")]

use crate::databases::Fresh;
use crate::scene::{Customer, Scene};
use chrono::{DateTime, TimeDelta, Utc};
use domain::accounts::AccountRef;
use domain::billing::{BillFilter, BillKind, Difference, IssuedBill};
use domain::id::{AccountId, BillId, GrantId};
use domain::idempotency::IdempotentRequest;
use domain::money::{Currency, Money};
use domain::page::PageRequest;
use domain::plans::{MeterCode, PlanCode, PlanWish, Subscription};
use domain::quantity::Quantity;
use domain::quota::{Grant, GrantOrigin};
use domain::time::Period;
use domain::wallet::{LedgerAccount, Transfer, TransferKind, post};
use sea_orm::{ConnectionTrait, Database, Statement};
use uuid::Uuid;

pub const MINE: AccountRef = AccountRef::Default;
/// Bills asked for at once.
const PAGE: PageRequest = PageRequest { limit: 200, before: None };
const CHUNK: u64 = 1000;
/// Accounts whose periods are asked for at once: fewer than there are, so that they come in parts.
const FEW: u64 = 1;

pub fn cny(text: &str) -> Money {
    Money::parse(text, Currency::CNY).unwrap()
}

pub fn once(customer: &Customer) -> IdempotentRequest {
    let key = Uuid::now_v7().to_string();
    IdempotentRequest { user: customer.actor.user, scope: "test", fingerprint: key.clone(), key }
}

pub fn wish(plan: &str) -> PlanWish {
    PlanWish { plan: PlanCode::parse(plan).unwrap(), interval: None, seats: None }
}

/// What lines come to, as bills print it.
pub fn amounts(issued: &IssuedBill) -> String {
    issued.lines.iter().map(|line| line.amount.to_decimal()).collect::<Vec<_>>().join(" ")
}

impl Scene {
    /// Money for a wallet that nobody was given: an operator's correction.
    pub async fn correct(&self, account: AccountId, amount: &str) {
        let now = self.now();
        let work = self.services.store.begin().await.unwrap();
        work.accounts().lock(account).await.unwrap();
        let sides = (LedgerAccount::Adjustment, LedgerAccount::Wallet(account));
        let kind = (TransferKind::Adjustment, Uuid::now_v7().to_string());
        post(&*work, &[Transfer::new(kind, sides, cny(amount), now).unwrap()]).await.unwrap();
        work.commit().await.unwrap();
    }

    /// Quota that an operator gave, for good.
    pub async fn give(&self, customer: &Customer, meter: &str, atoms: i64) -> GrantId {
        let (now, quantity) = (self.now(), Quantity::atoms(atoms));
        let grant = Grant {
            id: GrantId::new(now),
            account: customer.account,
            meter: MeterCode::parse(meter).unwrap(),
            origin: GrantOrigin::Manual,
            reference: meter.to_owned(),
            priority: 50,
            quantity,
            remaining: quantity,
            held: Quantity::ZERO,
            revoked: Quantity::ZERO,
            revoked_at: None,
            models: None,
            expires_at: None,
            created_at: now,
        };
        let work = self.services.store.begin().await.unwrap();
        work.grants().insert(&grant).await.unwrap();
        work.commit().await.unwrap();
        grant.id
    }

    pub async fn balance(&self, account: AccountId) -> String {
        let wallets = self.services.store.ledger().wallets(&[account]).await.unwrap();
        wallets.first().map_or("0.00".to_owned(), |wallet| wallet.balance.to_decimal())
    }

    pub async fn subscription(&self, customer: &Customer) -> Subscription {
        self.services.subscriptions.view(&customer.actor, &MINE).await.unwrap().subscription
    }

    /// The account's bills, oldest first.
    pub async fn bills(&self, account: AccountId) -> Vec<IssuedBill> {
        let filter = BillFilter { account: Some(account), ..BillFilter::default() };
        let rows = self.services.store.bills().list(&filter, PAGE).await.unwrap().rows;
        let mut all = Vec::new();
        for bill in rows.iter().rev() {
            all.push(self.services.store.bills().find(bill.id).await.unwrap().unwrap());
        }
        all
    }

    pub async fn bills_of(&self, account: AccountId, kind: BillKind) -> Vec<IssuedBill> {
        self.bills(account).await.into_iter().filter(|issued| issued.bill.kind == kind).collect()
    }

    pub async fn pay(&self, customer: &Customer, bill: BillId) {
        self.services.billing.pay_from_wallet(&customer.actor, bill, &once(customer)).await.unwrap();
    }

    /// The keys of the usage rows behind a bill, or behind one of its lines, oldest first.
    pub async fn keys_behind(&self, customer: &Customer, bill: BillId, line: Option<u32>) -> Vec<String> {
        let rows = self.services.billing.usage(&customer.actor, bill, line, PAGE).await.unwrap().rows;
        rows.into_iter().rev().map(|row| row.key).collect()
    }

    /// What a round of the loops does: periods roll over, bills are made, chased and closed.
    pub async fn round(&self) {
        while self.services.metering.roll_over_due(0).await.unwrap().done > 0 {}
        api::billing_rounds::round(&self.services, None).await.unwrap();
    }

    /// Moves the clock, and does what the loops would.
    pub async fn pass_to(&self, time: DateTime<Utc>) {
        self.move_clock(time);
        self.round().await;
    }

    pub async fn pass(&self, days: i64) {
        self.pass_to(self.now() + TimeDelta::days(days)).await;
    }

    /// What differs of all bills when they are derived again, and which are missing.
    pub async fn differences(&self) -> Vec<Difference> {
        let billing = &self.services.billing;
        let mut all = Vec::new();
        for id in billing.to_recompute(None, None, CHUNK).await.unwrap() {
            let derived = billing.recompute(id).await.unwrap();
            assert!(!derived.rows_deleted, "{id}: its rows are kept");
            all.extend(derived.differences);
        }
        all.extend(self.without_bills().await.into_iter().filter(|found| found.what == "missing"));
        all
    }

    /// The periods that ended and lack something.
    pub async fn without_bills(&self) -> Vec<Difference> {
        let ever = Period { start: DateTime::UNIX_EPOCH, end: self.now() };
        let (mut found, mut after) = (Vec::new(), None);
        loop {
            let walked = self.services.billing.without_bills(ever, after, FEW).await.unwrap();
            found.extend(walked.differences);
            after = walked.last;
            if after.is_none() {
                return found;
            }
        }
    }

    /// What is owed on bills is what the ledger says is receivable, bills are the sums of their lines, and equal what
    /// they are derived from.
    pub async fn assert_books_agree(&self, fresh: &Fresh) {
        let ledger = "SELECT CAST(COALESCE(SUM(CASE WHEN from_code = 'receivable' THEN amount ELSE 0 END)
            - SUM(CASE WHEN to_code = 'receivable' THEN amount ELSE 0 END), 0) AS BIGINT) AS n
            FROM ledger_transfers WHERE 'receivable' IN (from_code, to_code)";
        let bills = "SELECT CAST(COALESCE(SUM(total_nanos), 0) AS BIGINT) AS n FROM billing_records \
            WHERE status = 'unpaid' AND kind <> 'refund'";
        let cast = |query: &str| {
            if fresh.url.starts_with("mysql:") { query.replace("AS BIGINT", "AS SIGNED") } else { query.to_owned() }
        };
        assert_eq!(number(fresh, &cast(ledger)).await, number(fresh, &cast(bills)).await, "receivable");
        let lines = "SELECT COUNT(*) AS n FROM billing_records b WHERE b.total_nanos <>
            (SELECT SUM(l.amount_nanos - l.discount_nanos) FROM billing_lines l WHERE l.bill_id = b.id)";
        assert_eq!(number(fresh, lines).await, 0, "a bill is the sum of its lines");
        let overages = "SELECT COUNT(*) AS n FROM billing_records b WHERE b.overage_nanos <>
            COALESCE((SELECT SUM(o.fee_nanos) FROM billing_overages o WHERE o.bill_id = b.id), 0)";
        assert_eq!(number(fresh, overages).await, 0, "a bill's overage is the sum of its meters");
        assert_eq!(self.differences().await, Vec::new(), "bills derived again");
    }
}

/// What the query counts or sums.
pub async fn number(fresh: &Fresh, query: &str) -> i64 {
    let connection = Database::connect(&fresh.url).await.unwrap();
    let statement = Statement::from_string(connection.get_database_backend(), query);
    let row = connection.query_one_raw(statement).await.unwrap().unwrap();
    row.try_get("", "n").unwrap()
}

/// Changes rows behind the server's back; how many.
pub async fn change(fresh: &Fresh, sql: &str) -> u64 {
    let connection = Database::connect(&fresh.url).await.unwrap();
    connection.execute_unprepared(sql).await.unwrap().rows_affected()
}
