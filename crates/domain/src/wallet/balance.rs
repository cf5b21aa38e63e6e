//! A customer's prepaid balance in one currency, and what of it is held.

use crate::id::{AccountId, TransferId};
use crate::money::{Currency, Money, MoneyError};
use thiserror::Error;

/// What an account has prepaid in one currency. `0 ≤ held ≤ balance` always.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wallet {
    pub account: AccountId,
    /// What came in less what went out.
    pub balance: Money,
    /// What open reservations and refunds on their way keep from everybody else.
    pub held: Money,
    /// How many entries the statement has; the last one has this number.
    pub entries: i64,
}

/// A line of a wallet's statement: what one transfer did to it. Never changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WalletEntry {
    pub account: AccountId,
    /// From 1 without gaps, per account and currency, in the order of booking.
    pub number: i64,
    pub transfer: TransferId,
    /// Above zero what came in, below zero what went out.
    pub amount: Money,
    /// The balance after it: that of the entry before, and the amount.
    pub balance: Money,
}

/// Why a wallet does not do what is asked.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum NoBalance {
    #[error("the balance is too low: {available:?} is available")]
    TooLow { available: Money },
    /// A negative amount moves nothing, and nobody releases what is not held.
    #[error("the amount is negative, or more than is held")]
    Nonsense,
    #[error(transparent)]
    Money(#[from] MoneyError),
}

impl Wallet {
    pub fn empty(account: AccountId, currency: Currency) -> Self {
        Self { account, balance: Money::zero(currency), held: Money::zero(currency), entries: 0 }
    }

    pub const fn currency(&self) -> Currency {
        self.balance.currency()
    }

    /// What can be spent or held.
    pub fn available(&self) -> Result<Money, MoneyError> {
        self.balance.checked_sub(self.held)
    }

    /// The wallet with more in it.
    pub fn credit(&self, amount: Money) -> Result<Self, NoBalance> {
        not_negative(amount)?;
        Ok(Self { balance: self.balance.checked_add(amount)?, ..self.clone() })
    }

    /// The wallet after paying from what is not held.
    pub fn debit(&self, amount: Money) -> Result<Self, NoBalance> {
        self.require(amount)?;
        Ok(Self { balance: self.balance.checked_sub(amount)?, ..self.clone() })
    }

    /// The wallet with more of it held, from what was not held before.
    pub fn hold(&self, amount: Money) -> Result<Self, NoBalance> {
        self.require(amount)?;
        Ok(Self { held: self.held.checked_add(amount)?, ..self.clone() })
    }

    /// The wallet with less of it held.
    pub fn release(&self, amount: Money) -> Result<Self, NoBalance> {
        not_negative(amount)?;
        let held = self.held.checked_sub(amount)?;
        if held.nanos() < 0 { Err(NoBalance::Nonsense) } else { Ok(Self { held, ..self.clone() }) }
    }

    fn require(&self, amount: Money) -> Result<(), NoBalance> {
        not_negative(amount)?;
        let available = self.available()?;
        if available.checked_sub(amount)?.nanos() < 0 { Err(NoBalance::TooLow { available }) } else { Ok(()) }
    }
}

fn not_negative(amount: Money) -> Result<(), NoBalance> {
    if amount.nanos() < 0 { Err(NoBalance::Nonsense) } else { Ok(()) }
}

#[cfg(test)]
#[path = "balance_tests.rs"]
mod tests;
