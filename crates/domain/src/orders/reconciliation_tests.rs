//! A bill beside our books: each class of difference, and that there is none where none is.

use super::super::provider::PayMethod;
use super::*;
use crate::id::MirrorId;
use crate::id::{AccountId, OrderId};
use crate::money::Currency;
use crate::quantity::Quantity;
use BillRowKind::{Charge as Charged, Payment as Paid, Refund as Back};
use uuid::Uuid;

fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_000_000 + seconds, 0).unwrap()
}

fn cny(text: &str) -> Money {
    Money::parse_minor(text, Currency::CNY).unwrap()
}

fn payment(number: u128, captured: Option<Money>) -> Payment {
    Payment {
        id: PaymentId::from_uuid(Uuid::from_u128(number)),
        order: OrderId::from_uuid(Uuid::from_u128(8)),
        account: AccountId::from_uuid(Uuid::from_u128(9)),
        provider: Provider::WeChat,
        method: PayMethod::Default,
        status: if captured.is_some() { PaymentStatus::Paid } else { PaymentStatus::Pending },
        amount: cny("10.00"),
        captured,
        transaction: captured.map(|_| format!("t{number}")),
        reference: None,
        action: None,
        refunding: cny("0"),
        refunded: cny("0"),
        expires_at: at(1800),
        paid_at: captured.map(|_| at(5)),
        polls: 0,
        next_poll_at: None,
        polled_at: None,
        created_at: at(0),
        updated_at: at(0),
    }
}

fn refund(number: u128, status: RefundStatus) -> Refund {
    Refund {
        id: RefundId::from_uuid(Uuid::from_u128(number)),
        payment: PaymentId::from_uuid(Uuid::from_u128(1)),
        order: OrderId::from_uuid(Uuid::from_u128(8)),
        account: AccountId::from_uuid(Uuid::from_u128(9)),
        amount: cny("4.00"),
        reason: "r".to_owned(),
        status,
        problem: None,
        operator: UserId::from_uuid(Uuid::from_u128(3)),
        suspense: None,
        even_if_used: false,
        taken_back: Quantity::ZERO,
        checks: 0,
        next_check_at: None,
        created_at: at(0),
        ended_at: None,
    }
}

fn row(kind: BillRowKind, number: u128, amount: &str) -> BillRow {
    BillRow {
        kind,
        number: Uuid::from_u128(number).simple().to_string(),
        transaction: format!("t{number}"),
        amount: cny(amount),
        fee: None,
        at: at(5),
    }
}

fn books(payments: Vec<Payment>, refunds: Vec<Refund>) -> OurSide {
    OurSide {
        payments_of_day: payments.iter().filter(|one| one.captured.is_some()).map(|one| one.id).collect(),
        refunds_of_day: refunds.iter().filter(|one| one.status == RefundStatus::Succeeded).map(|one| one.id).collect(),
        payments: payments.into_iter().map(|one| (one.id, one)).collect(),
        refunds: refunds.into_iter().map(|one| (one.id, one)).collect(),
        ..OurSide::default()
    }
}

fn charge(reference: &str, amount: &str) -> Charge {
    Charge {
        provider: Provider::Stripe,
        reference: reference.to_owned(),
        account: AccountId::from_uuid(Uuid::from_u128(9)),
        subscription: MirrorId::from_uuid(Uuid::from_u128(7)),
        amount: cny(amount),
        charged_at: at(5),
        collected_at: at(6),
    }
}

fn charged(reference: &str, amount: &str) -> BillRow {
    BillRow { number: reference.to_owned(), ..row(Charged, 1, amount) }
}

fn classes(bill: &[BillRow], beside: &[BillRow], ours: &OurSide) -> Vec<DifferenceClass> {
    compare(bill, beside, ours).into_iter().map(|found| found.class).collect()
}

#[test]
fn equal_books_have_no_difference() {
    let ours = books(vec![payment(1, Some(cny("10.00")))], vec![refund(2, RefundStatus::Succeeded)]);
    assert_eq!(compare(&[row(Paid, 1, "10.00"), row(Back, 2, "4.00")], &[], &ours), []);
}

#[test]
fn what_the_next_days_bill_has_is_not_missing() {
    let ours = books(vec![payment(1, Some(cny("10.00")))], vec![refund(2, RefundStatus::Succeeded)]);
    assert_eq!(compare(&[], &[row(Paid, 1, "10.00"), row(Back, 2, "4.00")], &ours), []);
    let missing = [DifferenceClass::PaymentMissingThere, DifferenceClass::RefundMissingThere];
    assert_eq!(classes(&[], &[], &ours), missing);
}

#[test]
fn a_refund_row_is_no_proof_of_a_payment() {
    let ours = books(vec![payment(1, Some(cny("10.00")))], Vec::new());
    let found = classes(&[row(Back, 1, "10.00")], &[], &ours);
    assert_eq!(found, [DifferenceClass::UnknownNumber, DifferenceClass::PaymentMissingThere]);
}

#[test]
fn a_second_capture_is_told_on_its_own_day_and_the_first_is_not() {
    let ours = books(vec![payment(1, Some(cny("10.00")))], Vec::new());
    let again = |amount| BillRow { transaction: "other".to_owned(), ..row(Paid, 1, amount) };
    for amount in ["10.00", "9.99"] {
        assert_eq!(classes(&[again(amount)], &[row(Paid, 1, "10.00")], &ours), [DifferenceClass::PaymentTwice]);
        assert_eq!(classes(&[again(amount), row(Paid, 1, "10.00")], &[], &ours), [DifferenceClass::PaymentTwice]);
    }
}

#[test]
fn each_way_to_differ_has_its_class() {
    let ours = books(vec![payment(1, None), payment(2, Some(cny("9.00")))], vec![refund(5, RefundStatus::Processing)]);
    let bill = [
        row(Paid, 1, "10.00"),
        row(Paid, 2, "10.00"),
        BillRow { transaction: "other".to_owned(), ..row(Paid, 2, "10.00") },
        row(Paid, 99, "1.00"),
        BillRow { number: "not a number".to_owned(), ..row(Paid, 1, "1.00") },
        row(Back, 5, "4.00"),
    ];
    let expected = [
        DifferenceClass::PaymentMissingHere,
        DifferenceClass::PaymentAmount,
        DifferenceClass::PaymentTwice,
        DifferenceClass::UnknownNumber,
        DifferenceClass::UnknownNumber,
        DifferenceClass::RefundMissingHere,
    ];
    assert_eq!(classes(&bill, &[], &ours), expected);
}

#[test]
fn a_refund_of_another_amount_differs() {
    let ours = books(Vec::new(), vec![refund(5, RefundStatus::Succeeded)]);
    assert_eq!(classes(&[row(Back, 5, "4.01")], &[], &ours), [DifferenceClass::RefundAmount]);
}

#[test]
fn charges_are_compared_by_the_providers_own_id_of_them() {
    let day = [charge("in_1", "99.00"), charge("in_2", "99.00"), charge("in_3", "99.00")];
    let ours = OurSide {
        charges_of_day: day.iter().map(|one| one.reference.clone()).collect(),
        charges: day.into_iter().map(|one| (one.reference.clone(), one)).collect(),
        ..OurSide::default()
    };
    let beside = [charged("in_3", "99.00")];
    assert_eq!(compare(&[charged("in_1", "99.00"), charged("in_2", "99.00")], &beside, &ours), []);
    let bill = [
        charged("in_1", "98.00"),
        charged("in_2", "99.00"),
        BillRow { transaction: "other".to_owned(), ..charged("in_2", "99.00") },
        charged("in_4", "99.00"),
        // A payment's row is no proof of a charge.
        BillRow { kind: Paid, ..charged("in_3", "99.00") },
    ];
    let expected = [
        DifferenceClass::PaymentAmount,
        DifferenceClass::PaymentTwice,
        DifferenceClass::PaymentMissingHere,
        DifferenceClass::UnknownNumber,
        DifferenceClass::PaymentMissingThere,
    ];
    assert_eq!(classes(&bill, &[], &ours), expected);
    let missing = compare(&bill, &[], &ours).pop().unwrap();
    assert_eq!((missing.number.as_str(), missing.ours, missing.theirs), ("in_3", Some(cny("99.00")), None));
}
