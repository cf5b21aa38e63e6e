//! Wallets against a slow model, and every guard at its bound.

use super::*;
use proptest::prelude::*;

fn cny(nanos: i64) -> Money {
    Money::from_nanos(nanos, Currency::CNY)
}

fn wallet(balance: i64, held: i64) -> Wallet {
    let account = AccountId::from_uuid(uuid::Uuid::nil());
    Wallet { balance: cny(balance), held: cny(held), ..Wallet::empty(account, Currency::CNY) }
}

#[test]
fn what_is_held_is_neither_spent_nor_held_again() {
    let wallet = wallet(100, 60);
    assert_eq!(wallet.debit(cny(40)).map(|after| after.balance), Ok(cny(60)));
    assert_eq!(wallet.debit(cny(41)), Err(NoBalance::TooLow { available: cny(40) }));
    assert_eq!(wallet.hold(cny(40)).map(|after| after.held), Ok(cny(100)));
    assert_eq!(wallet.hold(cny(41)), Err(NoBalance::TooLow { available: cny(40) }));
}

#[test]
fn no_more_is_released_than_is_held() {
    assert_eq!(wallet(100, 60).release(cny(60)).map(|after| after.held), Ok(cny(0)));
    assert_eq!(wallet(100, 60).release(cny(61)), Err(NoBalance::Nonsense));
}

#[test]
fn a_negative_amount_moves_nothing() {
    for step in [Wallet::credit, Wallet::debit, Wallet::hold, Wallet::release] {
        assert_eq!(step(&wallet(100, 60), cny(-1)), Err(NoBalance::Nonsense));
    }
}

#[test]
fn another_currency_does_not_mix() {
    let usd = Money::from_nanos(1, Currency::parse("USD").unwrap());
    for step in [Wallet::credit, Wallet::debit, Wallet::hold, Wallet::release] {
        assert_eq!(step(&wallet(100, 60), usd), Err(NoBalance::Money(MoneyError::CurrencyMismatch)));
    }
}

#[test]
fn the_largest_balance_is_a_bound() {
    assert!(wallet(i64::MAX - 1, 0).credit(cny(1)).is_ok());
    assert_eq!(wallet(i64::MAX, 0).credit(cny(1)), Err(NoBalance::Money(MoneyError::Overflow)));
}

/// Counts coins one by one: free and locked ones.
#[derive(Debug, Default)]
struct Purse {
    free: i128,
    locked: i128,
}

impl Purse {
    fn act(&mut self, action: u8, amount: i128) -> bool {
        let (free, locked) = match action {
            0 => (amount, 0),
            1 => (-amount, 0),
            2 => (-amount, amount),
            _ => (amount, -amount),
        };
        let possible = self.free + free >= 0 && self.locked + locked >= 0;
        if possible {
            self.free += free;
            self.locked += locked;
        }
        possible
    }
}

proptest! {
    #[test]
    fn a_wallet_does_what_a_purse_of_coins_does(acts in prop::collection::vec((0_u8..4, 0_i64..50), 0..80)) {
        let (mut wallet, mut purse) = (wallet(0, 0), Purse::default());
        for (action, amount) in acts {
            let step = [Wallet::credit, Wallet::debit, Wallet::hold, Wallet::release][usize::from(action)];
            let after = step(&wallet, cny(amount));
            prop_assert_eq!(after.is_ok(), purse.act(action, i128::from(amount)));
            wallet = after.unwrap_or(wallet);
            prop_assert_eq!(i128::from(wallet.balance.nanos()), purse.free + purse.locked);
            prop_assert_eq!(i128::from(wallet.held.nanos()), purse.locked);
            prop_assert_eq!(i128::from(wallet.available().unwrap().nanos()), purse.free);
        }
    }
}
