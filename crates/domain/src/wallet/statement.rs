//! How the book is read: a wallet's statement line by line, and the sums of each kind of ledger account.

use super::{Transfer, WalletEntry};
use crate::money::Currency;
use uuid::Uuid;

/// An entry of a wallet with the transfer that made it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatementLine {
    pub entry: WalletEntry,
    pub transfer: Transfer,
}

impl StatementLine {
    /// Where a page ends: the entry's number, in the shape that all lists use.
    pub fn cursor(&self) -> Uuid {
        Uuid::from_u128(u128::from(self.entry.number.unsigned_abs()))
    }

    /// The number that a cursor stands for; one of another list is beyond every entry.
    pub fn number_of(cursor: Uuid) -> i64 {
        i64::try_from(cursor.as_u128()).unwrap_or(i64::MAX)
    }
}

/// What moved into and out of all ledger accounts of one code. All codes of a currency together sum to zero.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LedgerTotal {
    /// As [`super::LedgerAccount::code`]; `wallet` is all wallets together.
    pub code: String,
    pub currency: Currency,
    /// In nanos; sums of the whole book may pass what one amount can hold.
    pub received: i128,
    pub paid: i128,
}

impl LedgerTotal {
    /// What lies on it, in nanos.
    pub const fn balance(&self) -> i128 {
        self.received - self.paid
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::{AccountId, TransferId};
    use crate::money::Money;
    use crate::wallet::{LedgerAccount, TransferKind};
    use chrono::DateTime;

    #[test]
    fn a_cursor_leads_back_to_its_entry_and_a_foreign_one_to_the_start() {
        let (account, amount) = (AccountId::from_uuid(Uuid::nil()), Money::from_nanos(1, Currency::CNY));
        let sides = (LedgerAccount::Promotion, LedgerAccount::Wallet(account));
        let transfer = Transfer::new((TransferKind::Promotion, "r"), sides, amount, DateTime::UNIX_EPOCH).unwrap();
        let entry = WalletEntry { account, number: 17, transfer: transfer.id, amount, balance: amount };
        assert_eq!(StatementLine::number_of(StatementLine { entry, transfer }.cursor()), 17);
        assert_eq!(StatementLine::number_of(TransferId::new(DateTime::UNIX_EPOCH).as_uuid()), i64::MAX);
    }
}
