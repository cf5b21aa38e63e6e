//! Use cases of the ledger over mocked ports: who may, and what is written.

use super::*;
use crate::actor::Role;
use crate::error::{Error, LimitKind};
use crate::id::{AdjustmentId, TransferId, UserId};
use crate::idempotency::IdempotentRequest;
use crate::money::Money;
use crate::testing::{FixedClock, MockStore, MockWork};
use crate::wallet::{Adjustment, AdjustmentStatus, AdjustmentWish, LedgerAccount, Transfer, TransferKind, Verdict};
use chrono::{DateTime, Utc};

fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_000_000, 0).unwrap()
}

fn cny(nanos: i64) -> Money {
    Money::from_nanos(nanos, Currency::CNY)
}

fn someone(role: Role) -> Actor {
    let personal_account = AccountId::new(now());
    Actor { user: UserId::new(now()), role, personal_account, key: None, ip: None }
}

fn account() -> Account {
    Account::personal(AccountId::new(now()), UserId::new(now()), "zhang".to_owned(), now())
}

fn service(store: MockStore) -> (LedgerService, Arc<MockStore>) {
    let store = Arc::new(store);
    let approval = ApprovalRule { above: Some(cny(100_000_000_000)) };
    let (clock, currency) = (Arc::new(FixedClock(now())), Currency::CNY);
    (LedgerService { store: store.clone(), clock, currency, approval }, store)
}

fn request(by: &Actor) -> IdempotentRequest {
    let (key, fingerprint) = ("k".to_owned(), "f".to_owned());
    IdempotentRequest { user: by.user, scope: "POST /admin/adjustments", key, fingerprint }
}

fn wish(amount: &str) -> AdjustmentWish {
    AdjustmentWish { amount: amount.to_owned(), currency: None, reason: "because".to_owned() }
}

fn waiting(account: &Account, by: &Actor) -> Adjustment {
    Adjustment {
        id: AdjustmentId::new(now()),
        account: account.id,
        amount: cny(500),
        reason: "because".to_owned(),
        status: AdjustmentStatus::Pending,
        requested_by: by.user,
        requested_at: now(),
        decided_by: None,
        decided_at: None,
        transfer: None,
    }
}

/// A unit of work that locks the account and finds the adjustment.
fn deciding(account: &Account, adjustment: &Adjustment) -> MockStore {
    let (mut reads, mut work) = (MockWork::default(), MockWork::default());
    let (found, again, locked) = (adjustment.clone(), adjustment.clone(), account.clone());
    reads.adjustments.expect_find().return_once(move |_| Ok(Some(found)));
    work.accounts.expect_lock().return_once(move |_| Ok(Some(locked)));
    work.adjustments.expect_find().return_once(move |_| Ok(Some(again)));
    work.ledger.expect_wallets().returning(|_| Ok(Vec::new()));
    work.ledger.expect_book().times(0..=1).returning(|_| Ok(()));
    work.adjustments.expect_decide().times(0..=1).returning(|_| Ok(()));
    work.audit.expect_append().times(0..=1).returning(|_| Ok(()));
    work.idempotency.expect_find().returning(|_| Ok(None));
    work.idempotency.expect_insert().times(0..=1).returning(|_, _, _| Ok(()));
    MockStore::reading(reads).beginning(work)
}

#[pollster::test]
async fn only_operators_adjust_decide_reverse_and_sum_up() {
    let (service, store) = service(MockStore::default());
    let user = someone(Role::User);
    let forbidden = |error: Error| matches!(error, Error::Forbidden(_));
    let adjusted = service.adjust(&user, account().id, &wish("1"), &request(&user)).await;
    assert!(forbidden(adjusted.unwrap_err()));
    let decided = service.decide_adjustment(&user, AdjustmentId::new(now()), Verdict::Approve, &request(&user)).await;
    assert!(forbidden(decided.unwrap_err()));
    assert!(forbidden(service.reverse(&user, TransferId::new(now()), "why", &request(&user)).await.unwrap_err()));
    assert!(forbidden(service.totals(&user).await.unwrap_err()));
    assert!(forbidden(service.list_adjustments(&user, None, PageRequest::default()).await.unwrap_err()));
    assert_eq!(store.commits(), 0);
}

#[pollster::test]
async fn a_small_adjustment_is_booked_and_a_large_one_only_noted() {
    for (amount, books) in [("100.00", 1), ("100.01", 0), ("-100.01", 0)] {
        let (owner, operator, mut work) = (account(), someone(Role::Admin), MockWork::default());
        let id = owner.id;
        work.idempotency.expect_find().return_once(|_| Ok(None));
        work.accounts.expect_lock().return_once(move |_| Ok(Some(owner)));
        work.ledger.expect_wallets().times(books).returning(|_| Ok(Vec::new()));
        work.ledger.expect_book().times(books).returning(|_| Ok(()));
        let status = if books == 1 { AdjustmentStatus::Approved } else { AdjustmentStatus::Pending };
        work.adjustments
            .expect_insert()
            .once()
            .withf(move |made| made.status == status && made.transfer.is_some() == (books == 1))
            .return_once(|_| Ok(()));
        work.audit.expect_append().once().withf(|event| event.action == "wallet.adjust").return_once(|_| Ok(()));
        work.idempotency.expect_insert().once().return_once(|_, _, _| Ok(()));
        let (service, store) = service(MockStore::default().beginning(work));
        let made = service.adjust(&operator, id, &wish(amount), &request(&operator)).await.unwrap();
        assert_eq!((made.value.status, made.replayed, store.commits()), (status, false, 1));
    }
}

#[pollster::test]
async fn whoever_asked_does_not_decide_and_nobody_decides_twice() {
    let (account, first, second) = (account(), someone(Role::Admin), someone(Role::Admin));
    let adjustment = waiting(&account, &first);
    let (service_, store) = service(deciding(&account, &adjustment));
    for verdict in [Verdict::Approve] {
        let refused = service_.decide_adjustment(&first, adjustment.id, verdict, &request(&first)).await;
        assert!(matches!(refused, Err(Error::Forbidden(_))), "{refused:?}");
    }
    assert_eq!(store.commits(), 0);
    let (service_, store) = service(deciding(&account, &adjustment));
    let once = request(&second);
    let decided = service_.decide_adjustment(&second, adjustment.id, Verdict::Approve, &once).await.unwrap().value;
    assert_eq!((decided.status, decided.decided_by), (AdjustmentStatus::Approved, Some(second.user)));
    assert_eq!(store.commits(), 1);
    let (service_, store) = service(deciding(&account, &decided));
    let again = service_.decide_adjustment(&second, adjustment.id, Verdict::Reject, &request(&second)).await;
    assert!(matches!(again, Err(Error::Conflict { code: "adjustment_decided", .. })), "{again:?}");
    assert_eq!(store.commits(), 0);
}

#[pollster::test]
async fn what_the_wallet_cannot_pay_is_not_approved() {
    let (account, first, second) = (account(), someone(Role::Admin), someone(Role::Admin));
    let taking = Adjustment { amount: cny(-500), ..waiting(&account, &first) };
    let (service, store) = service(deciding(&account, &taking));
    let refused = service.decide_adjustment(&second, taking.id, Verdict::Approve, &request(&second)).await;
    assert!(matches!(refused, Err(Error::Barred(LimitKind::Wallet))), "{refused:?}");
    assert_eq!(store.commits(), 0);
}

#[pollster::test]
async fn what_orders_and_bills_booked_is_not_reversed_here() {
    let sides = (LedgerAccount::Wallet(AccountId::new(now())), LedgerAccount::Revenue);
    for kind in TransferKind::ALL.into_iter().filter(|kind| !kind.is_reversible()) {
        let transfer = Transfer::new((kind, "r"), sides, cny(5), now()).unwrap();
        let (id, mut reads) = (transfer.id, MockWork::default());
        reads.ledger.expect_find_by_id().return_once(move |_| Ok(Some(transfer)));
        let (service, _) = service(MockStore::reading(reads));
        let operator = someone(Role::Admin);
        let refused = service.reverse(&operator, id, "why", &request(&operator)).await;
        assert!(matches!(refused, Err(Error::Conflict { code: "transfer_not_reversible", .. })), "{kind:?}");
    }
}
