//! Postings against a book that is added up anew after every step.

use super::*;
use crate::wallet::{LedgerAccount, TransferKind};
use chrono::DateTime;
use proptest::prelude::*;
use uuid::Uuid;

const ACCOUNTS: [u128; 3] = [1, 2, 3];

fn account(number: u128) -> AccountId {
    AccountId::from_uuid(Uuid::from_u128(number))
}

fn currency(code: bool) -> Currency {
    if code { Currency::CNY } else { Currency::parse("USD").unwrap() }
}

/// 0 is the house; others are wallets.
fn side(number: u128) -> LedgerAccount {
    if number == 0 { LedgerAccount::Promotion } else { LedgerAccount::Wallet(account(number)) }
}

fn transfer(from: u128, to: u128, amount: Money) -> Transfer {
    let named = (TransferKind::Adjustment, "r");
    Transfer::new(named, (side(from), side(to)), amount, DateTime::UNIX_EPOCH).unwrap()
}

#[test]
fn a_wallet_that_pays_another_writes_a_line_into_both_statements() {
    let mut posting = Posting::default();
    let five = Money::from_nanos(5, Currency::CNY);
    posting.transfer(transfer(0, 1, five)).unwrap();
    posting.transfer(transfer(1, 2, Money::from_nanos(3, Currency::CNY))).unwrap();
    let lines: Vec<_> = posting
        .entries()
        .iter()
        .map(|entry| (entry.account, entry.number, entry.amount.nanos(), entry.balance.nanos()))
        .collect();
    assert_eq!(lines, [(account(1), 1, 5, 5), (account(1), 2, -3, 2), (account(2), 1, 3, 3)]);
}

#[test]
fn what_is_refused_leaves_no_trace() {
    let mut posting = Posting::default();
    posting.transfer(transfer(0, 1, Money::from_nanos(5, Currency::CNY))).unwrap();
    posting.hold(account(1), Money::from_nanos(3, Currency::CNY)).unwrap();
    let before = posting.clone();
    assert!(posting.transfer(transfer(1, 2, Money::from_nanos(3, Currency::CNY))).is_err());
    assert!(posting.transfer(transfer(1, 2, Money::from_nanos(1, currency(false)))).is_err());
    assert!(posting.hold(account(1), Money::from_nanos(3, Currency::CNY)).is_err());
    assert!(posting.release(account(1), Money::from_nanos(4, Currency::CNY)).is_err());
    assert_eq!(posting, before);
}

#[test]
fn a_credit_that_would_overflow_does_not_take_from_the_payer() {
    let full =
        Wallet { balance: Money::from_nanos(i64::MAX, Currency::CNY), ..Wallet::empty(account(2), Currency::CNY) };
    let mut posting = Posting::over([full]);
    posting.transfer(transfer(0, 1, Money::from_nanos(5, Currency::CNY))).unwrap();
    let before = posting.clone();
    assert!(posting.transfer(transfer(1, 2, Money::from_nanos(1, Currency::CNY))).is_err());
    assert_eq!(posting, before);
}

/// What the book says when everything is added up anew.
fn check(posting: &Posting, holds: &BTreeMap<Key, i64>) {
    for number in ACCOUNTS {
        for code in [true, false] {
            let key = (account(number), currency(code));
            let wallet = posting.wallet(key.0, key.1);
            let moved: i64 = posting.transfers().iter().map(|transfer| moved_by(transfer, key)).sum();
            assert_eq!(wallet.balance.nanos(), moved);
            assert_eq!(wallet.held.nanos(), holds.get(&key).copied().unwrap_or_default());
            assert!(0 <= wallet.held.nanos() && wallet.held.nanos() <= wallet.balance.nanos());
            let mut balance = 0;
            let lines = posting.entries().iter().filter(|entry| (entry.account, entry.amount.currency()) == key);
            for (number, line) in (1..).zip(lines) {
                balance += line.amount.nanos();
                assert_eq!((line.number, line.balance.nanos()), (number, balance));
            }
            assert_eq!(balance, wallet.balance.nanos());
        }
    }
}

fn moved_by(transfer: &Transfer, (account, currency): Key) -> i64 {
    let mine = LedgerAccount::Wallet(account);
    match transfer.amount {
        amount if amount.currency() != currency => 0,
        amount if transfer.to == mine => amount.nanos(),
        amount if transfer.from == mine => -amount.nanos(),
        _ => 0,
    }
}

proptest! {
    #[test]
    fn balances_entries_and_holds_are_what_the_book_adds_up_to(
        acts in prop::collection::vec((0_u8..4, 0_u128..4, 0_u128..4, 1_i64..40, any::<bool>()), 0..60)
    ) {
        let (mut posting, mut holds) = (Posting::default(), BTreeMap::new());
        for (action, from, to, nanos, code) in acts {
            let amount = Money::from_nanos(nanos, currency(code));
            let held: &mut i64 = holds.entry((account(from), currency(code))).or_default();
            match action {
                0 if from != 0 => *held += if posting.hold(account(from), amount).is_ok() { nanos } else { 0 },
                1 if from != 0 => *held -= if posting.release(account(from), amount).is_ok() { nanos } else { 0 },
                _ if from != to => drop(posting.transfer(transfer(from, to, amount))),
                _ => {}
            }
            check(&posting, &holds);
        }
    }
}
