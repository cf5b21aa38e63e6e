//! A customer's prepaid balance in one currency, and what of it is held.

use crate::id::AccountId;
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
}

/// Why a wallet does not do what is asked.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum NoBalance {
    #[error("the balance is too low: {available:?} is available")]
    TooLow { available: Money },
    #[error(transparent)]
    Money(#[from] MoneyError),
}

impl Wallet {
    pub fn empty(account: AccountId, currency: Currency) -> Self {
        Self { account, balance: Money::zero(currency), held: Money::zero(currency) }
    }

    /// What can be spent or held.
    pub fn available(&self) -> Result<Money, MoneyError> {
        self.balance.checked_sub(self.held)
    }

    /// The wallet with more in it.
    pub fn credit(&self, amount: Money) -> Result<Self, NoBalance> {
        Ok(Self { balance: self.balance.checked_add(amount)?, ..self.clone() })
    }

    /// The wallet after paying from what is not held.
    pub fn debit(&self, amount: Money) -> Result<Self, NoBalance> {
        self.require(amount)?;
        Ok(Self { balance: self.balance.checked_sub(amount)?, ..self.clone() })
    }

    fn require(&self, amount: Money) -> Result<(), NoBalance> {
        let available = self.available()?;
        if available.checked_sub(amount)?.nanos() < 0 { Err(NoBalance::TooLow { available }) } else { Ok(()) }
    }
}
