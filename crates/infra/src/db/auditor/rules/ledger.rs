//! Wallets and the ledger. A transfer gives to one account what it takes from another, so the book sums to zero
//! whatever is in it; what can be wrong is a transfer itself, and a balance beside its transfers.

use super::Invariant;

pub(super) const RULES: &[Invariant] = &[
    Invariant::whole(
        "L-1",
        "a transfer moves an amount above zero from one account to another",
        "SELECT account_id AS account, id AS id, CONCAT(kind, ' ', reference, ': ', amount, ' ', currency, ' from ', \
          from_code, ' to ', to_code) AS detail FROM ledger_transfers \
         WHERE amount <= 0 OR (from_code = to_code AND (from_account_id IS NULL OR from_account_id = to_account_id)) \
          OR (from_code = 'wallet') <> (from_account_id IS NOT NULL) OR (to_code = 'wallet') <> (to_account_id IS NOT NULL)",
    ),
    Invariant::whole(
        "L-3",
        "a wallet's balance is the sum of its transfers",
        "SELECT w.account_id AS account, w.account_id AS id, CONCAT(w.currency, ': balance ', w.balance, ', transfers ', \
          COALESCE(t.total, 0)) AS detail FROM wallets w \
         LEFT JOIN (SELECT account_id, currency, SUM(amount) AS total FROM (SELECT to_account_id AS account_id, currency, \
           amount FROM ledger_transfers WHERE to_account_id IS NOT NULL UNION ALL SELECT from_account_id, currency, \
           -amount FROM ledger_transfers WHERE from_account_id IS NOT NULL) m GROUP BY account_id, currency) t \
          ON t.account_id = w.account_id AND t.currency = w.currency \
         WHERE w.balance <> COALESCE(t.total, 0)",
    ),
    Invariant::whole(
        "L-3-wallet",
        "every transfer of a wallet has its wallet",
        "SELECT m.account_id AS account, m.id AS id, CONCAT(m.kind, ' ', m.reference, ' in ', m.currency) AS detail \
         FROM (SELECT id, kind, reference, currency, to_account_id AS account_id FROM ledger_transfers \
           WHERE to_account_id IS NOT NULL UNION ALL SELECT id, kind, reference, currency, from_account_id \
           FROM ledger_transfers WHERE from_account_id IS NOT NULL) m \
         LEFT JOIN wallets w ON w.account_id = m.account_id AND w.currency = m.currency WHERE w.account_id IS NULL",
    ),
    Invariant::accounts(
        "L-5",
        "a wallet is never below what is held of it",
        "SELECT account_id AS account, account_id AS id, CONCAT(currency, ': balance ', balance, ', held ', held) AS detail \
         FROM wallets WHERE {in account_id} AND (balance < 0 OR held < 0 OR held > balance)",
    ),
    Invariant::whole(
        "L-8",
        "what is booked for one thing is booked once",
        "SELECT CONCAT(kind, ' ', reference, ': ', COUNT(*), ' transfers') AS detail FROM ledger_transfers \
         GROUP BY kind, reference HAVING COUNT(*) > 1",
    ),
];
