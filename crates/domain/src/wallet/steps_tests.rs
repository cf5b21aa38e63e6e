//! Posting and holding over mocked ports: what is loaded, what is written, and that a refusal writes nothing.

use super::*;
use crate::money::Currency;
use crate::store::StoreError;
use crate::testing::MockWork;
use crate::wallet::{LedgerAccount, TransferKind, Wallet};
use chrono::DateTime;
use uuid::Uuid;

fn account(number: u128) -> AccountId {
    AccountId::from_uuid(Uuid::from_u128(number))
}

fn cny(nanos: i64) -> Money {
    Money::from_nanos(nanos, Currency::CNY)
}

fn transfer(from: LedgerAccount, to: LedgerAccount, nanos: i64) -> Transfer {
    Transfer::new((TransferKind::Adjustment, "r"), (from, to), cny(nanos), DateTime::UNIX_EPOCH).unwrap()
}

fn wallet(number: u128, balance: i64, held: i64) -> Wallet {
    Wallet { balance: cny(balance), held: cny(held), ..Wallet::empty(account(number), Currency::CNY) }
}

/// A unit of work in which these wallets are found.
fn having(wallets: Vec<Wallet>) -> MockWork {
    let mut work = MockWork::default();
    work.ledger.expect_wallets().once().return_once(|_| Ok(wallets));
    work
}

#[pollster::test]
async fn the_wallets_on_both_sides_are_loaded_once_in_order() {
    let mut work = MockWork::default();
    work.ledger
        .expect_wallets()
        .once()
        .withf(|accounts| accounts == [account(1), account(2)])
        .return_once(|_| Ok(vec![wallet(2, 9, 0)]));
    work.ledger
        .expect_book()
        .once()
        .withf(|posting| {
            let after: Vec<i64> = posting.wallets().map(|wallet| wallet.balance.nanos()).collect();
            posting.transfers().len() == 2 && posting.entries().len() == 3 && after == [10, 3]
        })
        .return_once(|_| Ok(()));
    let (one, two) = (LedgerAccount::Wallet(account(1)), LedgerAccount::Wallet(account(2)));
    post(&work, &[transfer(two, one, 6), transfer(LedgerAccount::Promotion, one, 4)]).await.unwrap();
}

#[pollster::test]
async fn a_transfer_without_wallets_asks_for_none() {
    let mut work = MockWork::default();
    work.ledger.expect_book().once().withf(|posting| posting.wallets().count() == 0).return_once(|_| Ok(()));
    post(&work, &[transfer(LedgerAccount::Suspense, LedgerAccount::Refund, 1)]).await.unwrap();
    post(&MockWork::default(), &[]).await.unwrap();
}

#[pollster::test]
async fn a_wallet_that_cannot_pay_is_barred_and_nothing_is_written() {
    let work = having(vec![wallet(1, 10, 4)]);
    let paying = [transfer(LedgerAccount::Wallet(account(1)), LedgerAccount::Revenue, 7)];
    assert!(matches!(post(&work, &paying).await, Err(Error::Barred(LimitKind::Wallet))));
}

#[pollster::test]
async fn what_was_booked_before_is_a_duplicate() {
    let mut work = having(vec![wallet(1, 10, 0)]);
    work.ledger.expect_book().once().return_once(|_| Err(StoreError::Duplicate));
    let paying = [transfer(LedgerAccount::Wallet(account(1)), LedgerAccount::Revenue, 7)];
    assert!(matches!(post(&work, &paying).await, Err(Error::Store(StoreError::Duplicate))));
}

#[pollster::test]
async fn holds_take_from_what_is_available_and_are_given_back() {
    let mut work = having(vec![wallet(1, 10, 4)]);
    work.ledger
        .expect_book()
        .once()
        .withf(|posting| posting.wallets().all(|wallet| wallet.held == cny(10)) && posting.transfers().is_empty())
        .return_once(|_| Ok(()));
    hold(&work, account(1), cny(6)).await.unwrap();
    let refused = hold(&having(vec![wallet(1, 10, 4)]), account(1), cny(7)).await;
    assert!(matches!(refused, Err(Error::Barred(LimitKind::Wallet))));
    let mut work = having(vec![wallet(1, 10, 4)]);
    let released = |posting: &Posting| posting.wallets().all(|wallet| wallet.held == cny(0));
    work.ledger.expect_book().once().withf(released).return_once(|_| Ok(()));
    release(&work, account(1), cny(4)).await.unwrap();
    assert!(matches!(release(&having(vec![wallet(1, 10, 4)]), account(1), cny(5)).await, Err(Error::Invalid(_))));
}
