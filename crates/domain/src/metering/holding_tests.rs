//! Holding, capturing and releasing beside uses, step by step and in whatever order.

use super::*;
use crate::accounts::Account;
use crate::id::{AccountId, GrantId, PlanVersionId, UserId};
use crate::metering::{Consume, Dimensions, UsageKey};
use crate::money::{Currency, Money};
use crate::plans::{Catalogue, MeterCode, OnExhausted, PlanVersion, SubscriptionStatus, Tariff};
use crate::quota::{Counter, Grant, GrantOrigin};
use crate::time::Period;
use crate::wallet::{Posting, Wallet};
use chrono::TimeDelta;
use proptest::prelude::*;
use serde_json::json;
use std::sync::Arc;

#[path = "holding_desk_tests.rs"]
mod desk;

use desk::{Desk, now, q};

/// What happens next; places and quantities are taken modulo what there is.
#[derive(Clone, Copy, Debug)]
enum Step {
    Consume(i64),
    Reserve(i64),
    /// At most what was held.
    Capture(usize, i64),
    CaptureMore(usize, i64),
    Release(usize),
    Revoke(usize),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        (1_i64..60).prop_map(Step::Consume),
        (1_i64..60).prop_map(Step::Reserve),
        (1_i64..60).prop_map(Step::Reserve),
        (any::<usize>(), any::<i64>()).prop_map(|(place, atoms)| Step::Capture(place, atoms)),
        (any::<usize>(), 1_i64..40).prop_map(|(place, atoms)| Step::CaptureMore(place, atoms)),
        any::<usize>().prop_map(Step::Release),
        any::<usize>().prop_map(Step::Revoke),
    ];
    prop::collection::vec(step, 1..40)
}

fn take(desk: &mut Desk, step: Step) {
    let open = desk.open.len();
    match step {
        Step::Consume(atoms) => drop(desk.consume(atoms)),
        Step::Reserve(atoms) => drop(desk.reserve(atoms)),
        Step::Capture(place, atoms) if open > 0 => {
            let held = desk.open[place % open].quantity.as_atoms();
            let atoms = atoms.rem_euclid(held) + 1;
            let captured = desk.capture(place % open, atoms);
            assert_eq!(
                (captured.record.quantity, captured.shortfall),
                (q(atoms), None),
                "what is held is never refused"
            );
        }
        Step::CaptureMore(place, more) if open > 0 => {
            let held = desk.open[place % open].quantity;
            let captured = desk.capture(place % open, held.as_atoms() + more);
            let missing = captured.shortfall.map_or(Quantity::ZERO, |shortfall| shortfall.quantity);
            assert_eq!(
                captured.record.quantity.as_atoms() + missing.as_atoms(),
                held.as_atoms() + more,
                "nothing is lost"
            );
            assert!(missing.is_zero() || captured.record.quantity == held, "all or nothing beyond what was held");
        }
        Step::Release(place) if open > 0 => desk.release(place % open),
        Step::Revoke(place) if !desk.books.grants.is_empty() => {
            let count = desk.books.grants.len();
            desk.books.grants[place % count].revoke(now());
        }
        Step::Capture(..) | Step::CaptureMore(..) | Step::Release(_) | Step::Revoke(_) => {}
    }
}

fn plan_of(choice: u8) -> &'static str {
    ["plain", "tiered", "stepped", "prepaid"][usize::from(choice % 4)]
}

proptest! {
    #[test]
    fn however_uses_and_holds_interleave_the_books_agree_and_no_limit_is_passed(
        choice in any::<u8>(), cap in prop::option::of(0_i64..3_000_000_000), grants in prop::collection::vec(0_i64..40, 0..3),
        balance in 0_i64..3_000_000_000, steps in steps(),
    ) {
        let mut desk = Desk::new(plan_of(choice), cap, &grants).having(balance);
        for step in steps {
            take(&mut desk, step);
            desk.agrees(cap);
        }
        while !desk.open.is_empty() {
            let held = desk.open[0].quantity;
            desk.capture(0, held.as_atoms());
            desk.agrees(cap);
        }
        let counter = desk.counter();
        prop_assert_eq!((counter.reserved, counter.held_grants), (Quantity::ZERO, Quantity::ZERO));
    }

    /// What is only held never makes anything dearer: each use draws and costs what it would without any holds.
    #[test]
    fn captures_cost_what_consuming_the_same_quantities_in_their_order_costs(choice in 1_u8..4, steps in steps()) {
        let mut desk = Desk::new(plan_of(choice), None, &[]);
        for step in steps {
            take(&mut desk, step);
        }
        let mut plain = Desk::new(plan_of(choice), None, &[]);
        for record in &desk.records {
            let consumed = plain.consume(record.quantity.as_atoms()).unwrap();
            prop_assert_eq!(consumed.drawn, record.drawn);
        }
    }

    #[test]
    fn what_a_refused_reservation_says_remains_can_be_reserved_and_one_more_cannot(
        choice in any::<u8>(), cap in 0_i64..3_000_000_000, grants in prop::collection::vec(0_i64..40, 0..3),
        balance in 0_i64..3_000_000_000, steps in steps(),
    ) {
        let mut desk = Desk::new(plan_of(choice), Some(cap), &grants).having(balance);
        for step in steps {
            take(&mut desk, step);
        }
        let before = desk.books.counters.clone();
        let refused = desk.reserve(1_000_000_000);
        let Err(Rejection::Refused(refusal)) = refused else { return Err(TestCaseError::fail(format!("{refused:?}"))) };
        prop_assert_eq!(&desk.books.counters, &before, "a refusal leaves no trace");
        prop_assert!(desk.reserve(refusal.remaining.as_atoms() + 1).is_err());
        if refusal.remaining.is_positive() {
            prop_assert!(desk.reserve(refusal.remaining.as_atoms()).is_ok());
        }
    }
}

#[test]
fn nobody_can_draw_what_is_held() {
    let mut desk = Desk::new("plain", None, &[50]);
    desk.reserve(120).unwrap();
    assert!(desk.consume(31).is_err());
    desk.consume(30).unwrap();
    assert!(desk.reserve(1).is_err());
    desk.release(0);
    desk.consume(120).unwrap();
    desk.agrees(None);
}

#[test]
fn a_use_takes_the_held_allowance_in_exchange_rather_than_pay_for_overage() {
    let mut desk = Desk::new("tiered", None, &[]);
    desk.reserve(100).unwrap();
    let used = desk.consume(40).unwrap();
    assert_eq!((used.drawn.allowance, used.drawn.overage), (q(40), Quantity::ZERO));
    let captured = desk.capture(0, 100);
    assert_eq!((captured.record.drawn.allowance, captured.record.drawn.overage), (q(60), q(40)));
}

#[test]
fn the_cap_leaves_room_for_what_is_held() {
    // 20 words of overage fit: 0.60.
    let mut desk = Desk::new("tiered", Some(600_000_000), &[]);
    desk.reserve(115).unwrap();
    assert!(desk.consume(6).is_err(), "it would take the room of the hold");
    desk.consume(5).unwrap();
    assert_eq!(desk.capture(0, 115).shortfall, None);
    assert_eq!(desk.counter().drawn.fee.nanos(), 600_000_000);
}

#[test]
fn more_than_was_held_is_decided_anew_and_a_refusal_is_a_shortfall() {
    let mut desk = Desk::new("plain", None, &[]);
    desk.reserve(60).unwrap();
    let fits = desk.capture(0, 80);
    assert_eq!((fits.record.quantity, fits.shortfall), (q(80), None));
    desk.reserve(15).unwrap();
    let short = desk.capture(0, 25);
    let shortfall = Shortfall { quantity: q(10), refused_by: Some(LimitKind::PlanAllowance) };
    assert_eq!((short.record.quantity, short.shortfall), (q(15), Some(shortfall)));
    desk.agrees(None);
}

#[test]
fn a_reservation_holds_its_price_and_others_spend_the_rest() {
    // Ten words cost 0.30, and 0.50 are there.
    let mut desk = Desk::new("prepaid", None, &[]).having(500_000_000);
    desk.reserve(110).unwrap();
    assert_eq!(desk.wallet().held.nanos(), 300_000_000);
    let refused = desk.consume(7).unwrap_err();
    assert!(
        matches!(&refused, Rejection::Refused(refusal) if refusal.limit == LimitKind::Wallet
        && refusal.remaining == q(6)),
        "{refused:?}"
    );
    let used = desk.consume(6).unwrap();
    assert_eq!((used.drawn.allowance, used.drawn.paid.nanos()), (q(6), 0), "the held allowance in exchange");
    assert_eq!(desk.wallet().held.nanos(), 480_000_000);
    let captured = desk.capture(0, 110);
    assert_eq!((captured.record.amount().nanos(), captured.shortfall), (480_000_000, None));
    assert_eq!((desk.wallet().balance.nanos(), desk.wallet().held.nanos()), (20_000_000, 0));
    desk.agrees(None);
}

#[test]
fn less_than_was_held_gives_the_rest_of_the_money_back_and_more_is_a_shortfall() {
    let mut desk = Desk::new("prepaid", None, &[]).having(300_000_000);
    desk.reserve(105).unwrap();
    desk.capture(0, 101);
    assert_eq!((desk.wallet().balance.nanos(), desk.wallet().held.nanos()), (270_000_000, 0));
    desk.reserve(5).unwrap();
    let short = desk.capture(0, 10);
    let shortfall = Shortfall { quantity: q(5), refused_by: Some(LimitKind::Wallet) };
    assert_eq!((short.record.amount().nanos(), short.shortfall), (150_000_000, Some(shortfall)));
    desk.agrees(None);
}

#[test]
fn a_promise_that_the_wallet_cannot_pay_since_prices_rose_is_kept_all_the_same() {
    let mut desk = Desk::new("prepaid", None, &[]).having(60_000_000);
    desk.reserve(102).unwrap();
    let mut dearer = (*desk.books.current.version).clone();
    for terms in dearer.plan.meters.values_mut() {
        let tier = crate::plans::Tier { up_to: None, per: q(1), price: Money::from_nanos(50_000_000, Currency::CNY) };
        terms.on_exhausted = OnExhausted::Wallet(Tariff::new(vec![tier], crate::plans::Rounding::Exact).unwrap());
    }
    desk.books.current.version = Arc::new(dearer);
    let captured = desk.capture(0, 102);
    let drawn = captured.record.drawn;
    assert_eq!((drawn.allowance, drawn.wallet, drawn.paid.nanos()), (q(101), q(1), 50_000_000));
    assert_eq!((desk.wallet().balance.nanos(), desk.wallet().held.nanos()), (10_000_000, 0));
}

#[test]
fn what_was_held_is_captured_from_a_frozen_account_and_after_the_plan_shrank() {
    let mut desk = Desk::new("plain", None, &[]);
    desk.reserve(90).unwrap();
    desk.books.account.status = crate::accounts::AccountStatus::Frozen;
    let mut smaller = (*desk.books.current.version).clone();
    smaller.plan.meters.clear();
    desk.books.current.version = Arc::new(smaller);
    let captured = desk.capture(0, 91);
    assert_eq!(captured.record.drawn.allowance, q(90));
    assert_eq!(captured.shortfall, Some(Shortfall { quantity: q(1), refused_by: Some(LimitKind::AccountStatus) }));
}

#[test]
fn a_grant_that_expires_under_a_hold_pays_for_its_capture_and_for_nothing_else() {
    let mut desk = Desk::new("plain", None, &[30]);
    let reservation = desk.reserve(125).unwrap();
    let mut expired = desk.books.grants.pop().unwrap();
    assert_eq!((expired.held, expired.remaining), (q(25), q(5)));
    expired.expires_at = Some(now());
    desk.books.add_held_grant(expired, now());
    assert!(desk.consume(1).is_err());
    let captured = desk.capture(0, 125);
    assert_eq!(captured.record.grants, reservation.grants().collect::<Vec<_>>());
    assert_eq!(desk.books.changed_grants()[0].remaining, q(5));
}

#[test]
fn a_capture_that_cannot_be_counted_changes_nothing() {
    let mut desk = Desk::new("plain", None, &[30]);
    let reservation = desk.reserve(125).unwrap();
    for counter in desk.books.counters.values_mut() {
        counter.used = Quantity::atoms(i64::MAX);
    }
    let (counters, grants, meter) = (desk.books.counters.clone(), desk.books.grants.clone(), desk.meter());
    let refused = desk.books.capture(&mut desk.keys, (&reservation, q(125)), &meter, now());
    assert!(refused.is_err(), "{refused:?}");
    assert_eq!((desk.books.counters, desk.books.grants), (counters, grants));
}

#[test]
fn what_is_let_go_of_a_revoked_grant_is_revoked() {
    let mut desk = Desk::new("plain", None, &[30]);
    desk.reserve(120).unwrap();
    assert_eq!(desk.books.grants[0].revoke(now()), q(10));
    let captured = desk.capture(0, 105);
    assert_eq!(captured.record.drawn.grants, q(5));
    let grant = &desk.books.grants[0];
    assert_eq!((grant.remaining, grant.held, grant.revoked), (Quantity::ZERO, Quantity::ZERO, q(25)));
}

#[test]
fn warnings_fire_on_what_is_used_and_not_on_what_is_held() {
    let mut desk = Desk::new("plain", None, &[]);
    desk.reserve(100).unwrap();
    assert!(desk.books.fired().is_empty());
    desk.capture(0, 80);
    assert_eq!(desk.books.fired().len(), 1);
}
