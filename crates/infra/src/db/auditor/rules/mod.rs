//! The invariants, one file for each part of the data.

mod bills;
mod charges;
mod identity;
mod incentives;
mod invoices;
mod kernel;
mod ledger;
mod orders;
mod periods;
mod quota;
mod refunds;
mod reservations;
mod suspense;
mod teams;
mod usage;
mod wallets;

use super::Invariant;

/// A rule about what lies on an account of the house, per currency: the sum that `$rows` answers as `currency` and
/// `amount`.
macro_rules! lies_on {
    ($id:literal, $says:literal, $code:literal, $rows:literal) => {
        Invariant::whole(
            $id,
            $says,
            concat!(
                "SELECT CONCAT(s.currency, ': ', s.booked, ' on ",
                $code,
                ", ', s.expected, ' expected') AS detail FROM ( \
                 SELECT currency, SUM(booked) AS booked, SUM(expected) AS expected FROM ( \
                  SELECT currency, amount AS booked, 0 AS expected FROM ledger_transfers WHERE to_code = '",
                $code,
                "' UNION ALL SELECT currency, -amount, 0 FROM ledger_transfers WHERE from_code = '",
                $code,
                "' UNION ALL SELECT r.currency, 0, r.amount FROM (",
                $rows,
                ") r) m GROUP BY currency) s WHERE s.booked <> s.expected"
            ),
        )
    };
}
use lies_on;

pub(super) const ALL: &[&[Invariant]] = &[
    usage::RULES,
    quota::RULES,
    periods::RULES,
    reservations::RULES,
    teams::RULES,
    ledger::RULES,
    wallets::RULES,
    orders::RULES,
    refunds::RULES,
    suspense::RULES,
    charges::RULES,
    bills::RULES,
    invoices::RULES,
    incentives::RULES,
    identity::RULES,
    kernel::RULES,
];
