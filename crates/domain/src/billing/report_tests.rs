//! Reports from their sums.

use super::*;

const CNY: Currency = Currency::CNY;

fn owed(issued: Place, due: Place, settled: Option<(Place, bool)>, amount: i128) -> OwedSum {
    OwedSum { currency: CNY, issued, due, settled, amount }
}

#[test]
fn what_is_owed_goes_on_from_month_to_month_and_is_overdue_from_its_due_day_until_it_is_settled() {
    use Place::{After, Before, In};
    let sums = [
        owed(Before, Before, None, 1),
        owed(Before, In(0), Some((In(1), true)), 10),
        owed(In(0), In(1), Some((In(1), false)), 100),
        owed(In(1), In(1), None, 1_000),
        owed(In(1), After, Some((After, true)), 10_000),
        owed(After, After, None, 100_000),
    ];
    let rows = receivables(&sums, 2);
    let first = ReceivablesRow { opening: 11, issued: 100, paid: 0, voided: 0, closing: 111, overdue: 11 };
    let second =
        ReceivablesRow { opening: 111, issued: 11_000, paid: 10, voided: 100, closing: 11_001, overdue: 1_001 };
    assert_eq!((rows[&(0, CNY)], rows[&(1, CNY)], rows.len()), (first, second, 2));
}

#[test]
fn each_currency_is_apart_and_none_without_anything_is_listed() {
    let euro = Currency::parse("EUR").unwrap();
    let sums = [
        owed(Place::In(0), Place::In(0), None, 5),
        OwedSum { currency: euro, ..owed(Place::Before, Place::Before, None, 7) },
    ];
    let rows = receivables(&sums, 1);
    assert_eq!((rows[&(0, CNY)].closing, rows[&(0, euro)].opening, rows.len()), (5, 7, 2));
    assert!(receivables(&[], 3).is_empty());
}

#[test]
fn revenue_is_what_came_less_what_left_and_says_of_what() {
    let cell = (0, CNY);
    let earned = |kind, owed, amount| EarnedSum { cell, kind, owed, amount };
    let sums = [
        earned(TransferKind::BillIssued, true, 1_000),
        earned(TransferKind::Reversal, true, -300),
        earned(TransferKind::Reversal, false, -7),
        earned(TransferKind::Sale, false, 50),
        earned(TransferKind::Usage, false, 5),
        earned(TransferKind::RefundReserved, false, -40),
        earned(TransferKind::RefundFailed, false, 10),
    ];
    let issued = [IssuedSum { cell, base: 900, overage: 200, discount: 100 }];
    let expected = RevenueRow {
        base: 900,
        overage: 200,
        discount: 100,
        billed: 1_000,
        voided: 300,
        sales: 50,
        usage: 5,
        refunded: 30,
        other: -7,
        net: 718,
    };
    assert_eq!(revenue(&issued, &sums), BTreeMap::from([(cell, expected)]));
    let row = expected;
    assert_eq!(row.net, row.billed - row.voided + row.sales + row.usage - row.refunded + row.other);
}

#[test]
fn refunds_are_split_by_what_they_are_of_and_by_where_they_went() {
    let returned =
        |of_bill, to_wallet, count, amount| ReturnedSum { cell: (0, CNY), of_bill, to_wallet, count, amount };
    let sums = [returned(true, true, 2, 20), returned(true, false, 1, 3), returned(false, false, 1, 100)];
    let row = refunds(&sums)[&(0, CNY)];
    let expected = RefundsRow { count: 4, bills: 23, orders: 100, to_wallets: 20, to_providers: 103, total: 123 };
    assert_eq!(row, expected);
}
