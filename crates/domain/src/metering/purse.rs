//! An account's prepaid balance during a unit of work: what commands pay from it, and what reservations hold of it.
//!
//! A counter says how much its open reservations hold (`Counter::wallet_held`): what capturing every one of them could
//! cost at most. The wallet holds the sum over its counters, so no other meter and nobody else can spend it.

use crate::id::TransferId;
use crate::money::{Money, MoneyError};
use crate::wallet::{NoBalance, Posting, Transfer, Wallet};
use chrono::{DateTime, Utc};

/// A wallet as it was loaded, and as commands have left it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Purse {
    opened: Wallet,
    now: Wallet,
    /// The one transfer of this unit of work, which every use that the wallet pays names.
    payment: Option<TransferId>,
}

impl Purse {
    pub fn open(wallet: Wallet) -> Self {
        Self { opened: wallet.clone(), now: wallet, payment: None }
    }

    /// What a counter can spend: what nobody holds, and what its own reservations do.
    pub fn spendable(&self, own: Money) -> Result<Money, MoneyError> {
        self.now.available()?.checked_add(own)
    }

    /// Pays, and holds `after` for a counter that held `before`, or as much of it as there is; how much, is returned.
    ///
    /// There is enough unless what is sold was changed while reservations were open.
    pub fn settle(
        &mut self,
        paid: Money,
        (before, after): (Money, Money),
        now: DateTime<Utc>,
    ) -> Result<Money, NoBalance> {
        let left = self.now.release(before)?.debit(paid)?;
        let most = left.available()?;
        let after = if after.nanos() > most.nanos() { most } else { after };
        self.now = left.hold(after)?;
        if paid.is_positive() {
            self.payment.get_or_insert_with(|| TransferId::new(now));
        }
        Ok(after)
    }

    /// The transfer that the uses paid so far belong to.
    pub const fn payment(&self) -> Option<TransferId> {
        self.payment
    }

    /// What was opened.
    pub const fn opened(&self) -> &Wallet {
        &self.opened
    }

    /// Books the sum of what was paid, and what is held now.
    pub fn post(&self, posting: &mut Posting, now: DateTime<Utc>) -> Result<(), crate::error::Error> {
        let account = self.opened.account;
        let more = self.now.held.checked_sub(self.opened.held)?;
        if more.nanos() < 0 {
            posting.release(account, self.opened.held.checked_sub(self.now.held)?)?;
        }
        if let Some(id) = self.payment {
            let paid = self.opened.balance.checked_sub(self.now.balance)?;
            posting.transfer(Transfer::usage(id, account, paid, now)?)?;
        }
        if more.is_positive() {
            posting.hold(account, more)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::AccountId;
    use crate::money::Currency;

    fn cny(nanos: i64) -> Money {
        Money::from_nanos(nanos, Currency::CNY)
    }

    fn purse(balance: i64, held: i64) -> Purse {
        let account = AccountId::from_uuid(uuid::Uuid::nil());
        let wallet = Wallet { balance: cny(balance), held: cny(held), ..Wallet::empty(account, Currency::CNY) };
        Purse::open(wallet)
    }

    fn posted(purse: &Purse) -> Posting {
        let mut posting = Posting::over([purse.opened().clone()]);
        purse.post(&mut posting, DateTime::UNIX_EPOCH).unwrap();
        posting
    }

    #[test]
    fn several_payments_are_one_transfer() {
        let mut purse = purse(100, 0);
        purse.settle(cny(30), (cny(0), cny(0)), DateTime::UNIX_EPOCH).unwrap();
        let named = purse.payment();
        purse.settle(cny(20), (cny(0), cny(10)), DateTime::UNIX_EPOCH).unwrap();
        assert_eq!(purse.payment(), named);
        let posting = posted(&purse);
        let [transfer] = posting.transfers() else { panic!("{posting:?}") };
        assert_eq!((Some(transfer.id), transfer.amount), (named, cny(50)));
        let wallet = posting.wallets().next().unwrap();
        assert_eq!((wallet.balance, wallet.held), (cny(50), cny(10)));
    }

    #[test]
    fn what_nothing_changed_is_not_written() {
        let mut purse = purse(100, 7);
        purse.settle(cny(0), (cny(7), cny(7)), DateTime::UNIX_EPOCH).unwrap();
        assert!(posted(&purse).is_empty());
    }

    #[test]
    fn what_others_hold_is_not_spendable_and_a_hold_takes_no_more_than_there_is() {
        let mut purse = purse(100, 70);
        assert_eq!(purse.spendable(cny(20)), Ok(cny(50)));
        assert!(purse.settle(cny(51), (cny(20), cny(0)), DateTime::UNIX_EPOCH).is_err());
        assert_eq!(purse.settle(cny(40), (cny(20), cny(30)), DateTime::UNIX_EPOCH), Ok(cny(10)));
        assert_eq!((purse.now.balance, purse.now.held), (cny(60), cny(60)));
    }

    #[test]
    fn everything_that_was_held_can_be_paid() {
        let mut purse = purse(100, 100);
        purse.settle(cny(100), (cny(100), cny(0)), DateTime::UNIX_EPOCH).unwrap();
        let posting = posted(&purse);
        assert_eq!(posting.wallets().next().map(|wallet| wallet.balance), Some(cny(0)));
    }
}
