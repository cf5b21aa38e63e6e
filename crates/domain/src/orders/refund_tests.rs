//! A refund's steps, and what goes back with a part of the money.

use super::*;
use crate::money::Currency;
use proptest::prelude::*;

macro_rules! edges {
    ($($name:ident: $from:ident => $to:ident;)+) => {
        $(#[test] fn $name() { assert_eq!($from.step($to), Ok($to)); })+

        #[test]
        fn there_is_no_other_step() {
            let listed = [$(($from, $to)),+];
            for from in RefundStatus::ALL {
                for to in RefundStatus::ALL {
                    let expected = if listed.contains(&(from, to)) { Ok(to) } else { Err(NoSuchRefundStep { from, to }) };
                    assert_eq!(from.step(to), expected, "{from:?} -> {to:?}");
                }
            }
        }
    };
}

edges! {
    the_provider_takes_it_on: Unknown => Processing;
    it_is_done_at_once: Unknown => Succeeded;
    it_is_refused_at_once: Unknown => Failed;
    it_is_stuck_at_once: Unknown => Abnormal;
    it_is_done: Processing => Succeeded;
    it_fails: Processing => Failed;
    it_gets_stuck: Processing => Abnormal;
    a_stuck_one_is_done_after_all: Abnormal => Succeeded;
    a_stuck_one_fails_after_all: Abnormal => Failed;
}

#[test]
fn names_read_back() {
    for status in RefundStatus::ALL {
        assert_eq!(RefundStatus::parse(status.name()), Some(status));
    }
}

fn fen(fen: i64) -> Money {
    Money::from_nanos(fen * 10_000_000, Currency::CNY)
}

fn at(hours: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(hours * 3_600, 0).unwrap()
}

fn refund_of_hour(hours: i64) -> Refund {
    let id = uuid::Uuid::from_u128(1);
    Refund {
        id: RefundId::from_uuid(id),
        payment: PaymentId::from_uuid(id),
        order: OrderId::from_uuid(id),
        account: AccountId::from_uuid(id),
        amount: fen(1),
        reason: "r".to_owned(),
        status: Unknown,
        problem: None,
        operator: UserId::from_uuid(id),
        suspense: None,
        even_if_used: false,
        taken_back: Quantity::ZERO,
        checks: 0,
        next_check_at: None,
        created_at: at(hours),
        ended_at: None,
    }
}

#[test]
fn money_went_back_when_the_provider_says_and_not_when_it_was_heard() {
    let refund = refund_of_hour(10);
    let gone_back = |hours| RefundState::Succeeded { refunded_at: at(hours) };
    let times = [9, 10, 30, 100, 101].map(|hours| refund.time_of(&gone_back(hours), at(100)));
    assert_eq!(times, [10, 10, 30, 100, 100].map(at), "never before it was asked for, never in the future");
    assert_eq!(refund.time_of(&RefundState::Failed { reason: "r".to_owned() }, at(100)), at(100));
    let ended = refund.heard(Succeeded, None, refund.time_of(&gone_back(30), at(100))).unwrap();
    assert_eq!(ended.ended_at, Some(at(30)));
}

#[test]
fn a_third_of_the_money_takes_a_third_rounded_up() {
    assert_eq!(share_of(Quantity::atoms(100), fen(1), fen(3)), Quantity::atoms(34));
    assert_eq!(share_of(Quantity::atoms(100), fen(3), fen(3)), Quantity::atoms(100));
    assert_eq!(share_of(Quantity::MAX, fen(i64::MAX / 10_000_000), fen(i64::MAX / 10_000_000)), Quantity::MAX);
}

proptest! {
    #[test]
    fn a_share_lies_between_its_fraction_and_one_atom_more(delivered in 1_i64.., part in 1_i64..900_000, more in 0_i64..900_000) {
        let whole = part + more;
        let share = i128::from(share_of(Quantity::atoms(delivered), fen(part), fen(whole)).as_atoms());
        let exact = i128::from(delivered) * i128::from(part);
        prop_assert!(share * i128::from(whole) >= exact);
        prop_assert!((share - 1) * i128::from(whole) < exact);
    }
}
