//! The ledger. A transfer gives to one account what it takes from another, so the book sums to zero whatever is in it;
//! what can be wrong is a transfer itself, and a balance beside its transfers.

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
    // In two parts: SQLite has no sum beyond 64 bits, and MariaDB's division is not one of integers.
    Invariant::whole(
        "L-6",
        "wallets and the accounts of the house sum to zero in every currency",
        "SELECT CONCAT(s.currency, ': ', s.total, ' too much') AS detail FROM ( \
         SELECT currency, SUM((amount - amount % 1000000000) / 1000000000) * 1000000000 \
          + SUM(amount % 1000000000) AS total FROM (SELECT currency, balance AS amount FROM wallets \
          UNION ALL SELECT currency, amount FROM ledger_transfers WHERE to_code <> 'wallet' \
          UNION ALL SELECT currency, -amount FROM ledger_transfers WHERE from_code <> 'wallet') m \
          GROUP BY currency) s WHERE s.total <> 0",
    ),
    Invariant::whole(
        "L-7",
        "a transfer with a wallet is about the account of a wallet that it moves",
        "SELECT account_id AS account, id AS id, CONCAT(kind, ' ', reference, ' is about another account') AS detail \
         FROM ledger_transfers WHERE (from_account_id IS NOT NULL OR to_account_id IS NOT NULL) \
          AND CASE WHEN from_account_id = account_id OR to_account_id = account_id THEN 1 ELSE 0 END = 0",
    ),
    Invariant::whole(
        "L-9",
        "an approved adjustment is booked as it was asked for",
        "SELECT a.account_id AS account, a.id AS id, CONCAT(a.amount, ' ', a.currency, ' approved, booked ', \
          COALESCE(t.amount, 0)) AS detail FROM ledger_adjustments a LEFT JOIN ledger_transfers t ON t.id = a.transfer_id \
          AND t.kind = 'adjustment' AND t.currency = a.currency \
          AND COALESCE(t.to_account_id, t.from_account_id) = a.account_id \
         WHERE a.status = 'approved' AND (t.id IS NULL \
          OR a.amount <> CASE WHEN t.to_code = 'wallet' THEN t.amount ELSE -t.amount END)",
    ),
    Invariant::whole(
        "L-9-two",
        "nobody decides about an adjustment of their own",
        "SELECT account_id AS account, id AS id, CONCAT(amount, ' ', currency) AS detail FROM ledger_adjustments \
         WHERE decided_by = requested_by",
    ),
    Invariant::whole(
        "L-10",
        "a reversal is the opposite of a transfer that there is",
        "SELECT r.account_id AS account, r.id AS id, CONCAT('of ', r.reference, ': ', r.amount, ' ', r.currency) AS detail \
         FROM ledger_transfers r LEFT JOIN ledger_transfers t ON t.id = {id of r.reference} \
         WHERE r.kind = 'reversal' AND (t.id IS NULL OR t.amount <> r.amount OR t.currency <> r.currency \
          OR t.from_code <> r.to_code OR t.to_code <> r.from_code)",
    ),
];
