use super::super::decide_gauge::{Gauge, decide_gauge};
use super::*;
use crate::money::Currency;
use crate::plans::{Rounding, Tier};
use chrono::DateTime;
use proptest::prelude::*;

fn q(atoms: i64) -> Quantity {
    Quantity::atoms(atoms)
}

fn cny(nanos: i64) -> Money {
    Money::from_nanos(nanos, Currency::CNY)
}

fn grant_id(n: i64) -> GrantId {
    GrantId::new(DateTime::from_timestamp(n, 0).unwrap())
}

/// 0.50 a thousand, exact.
fn per_thousand() -> OnExhausted {
    let tier = Tier { up_to: None, per: q(1000), price: cny(500_000_000) };
    OnExhausted::Overage(Tariff::new(vec![tier], Rounding::Exact).unwrap())
}

fn funds<'a>(allowance: i64, grants: &[(GrantId, Quantity)], exhausted: &'a OnExhausted) -> Funds<'a> {
    Funds {
        allowance: Allowance::Limited(q(allowance)),
        grants: grants.to_vec(),
        exhausted,
        allowance_held: Quantity::ZERO,
        overage_before: Quantity::ZERO,
        overage_held: Quantity::ZERO,
        budget: None,
        balance: None,
    }
}

#[test]
fn funds_are_drawn_in_order_and_overage_is_priced() {
    let overage = per_thousand();
    let grant = grant_id(1);
    let parts = decide(&[], &funds(1000, &[(grant, q(200))], &overage), q(1700)).unwrap();
    assert_eq!(
        parts,
        [
            Part { source: Source::Allowance, quantity: q(1000), amount: None },
            Part { source: Source::Grant(grant), quantity: q(200), amount: None },
            Part { source: Source::Overage, quantity: q(500), amount: Some(cny(250_000_000)) },
        ]
    );
}

#[test]
fn the_last_unit_fits_and_one_more_is_refused_whole() {
    let refuse = OnExhausted::Refuse;
    assert!(decide(&[], &funds(10, &[], &refuse), q(10)).is_ok());
    let denied = decide(&[], &funds(10, &[], &refuse), q(11)).unwrap_err();
    assert_eq!(denied, Denied::Limit { kind: LimitKind::PlanAllowance, remaining: q(10) });
}

#[test]
fn the_tightest_limit_is_named() {
    let refuse = OnExhausted::Refuse;
    let limits = [
        Limit { kind: LimitKind::ApiKeyAllowance, remaining: q(7) },
        Limit { kind: LimitKind::MemberAllocation, remaining: q(3) },
    ];
    let denied = decide(&limits, &funds(5, &[], &refuse), q(20)).unwrap_err();
    assert_eq!(denied, Denied::Limit { kind: LimitKind::MemberAllocation, remaining: q(3) });
}

#[test]
fn the_spend_cap_stops_overage_at_the_last_affordable_unit() {
    let overage = per_thousand();
    let mut capped = funds(0, &[], &overage);
    capped.budget = Some(cny(100_000_000));
    assert!(decide(&[], &capped, q(200)).is_ok());
    let denied = decide(&[], &capped, q(201)).unwrap_err();
    assert_eq!(denied, Denied::Limit { kind: LimitKind::SpendCap, remaining: q(200) });
}

#[test]
fn without_a_balance_the_wallet_refuses() {
    let OnExhausted::Overage(tariff) = per_thousand() else { unreachable!() };
    let wallet = OnExhausted::Wallet(tariff);
    let denied = decide(&[], &funds(3, &[], &wallet), q(4)).unwrap_err();
    assert_eq!(denied, Denied::Limit { kind: LimitKind::Wallet, remaining: q(3) });
}

fn gauge(level: i64, limit: i64, before: i64, exhausted: &OnExhausted) -> Gauge<'_> {
    Gauge { level: q(level), limit: Allowance::Limited(q(limit)), exhausted, overage_before: q(before), budget: None }
}

#[test]
fn a_gauge_pays_only_for_a_new_peak() {
    let overage = per_thousand();
    let parts = decide_gauge(&[], &gauge(900, 1000, 2000, &overage), q(1100)).unwrap();
    assert_eq!(parts[1], Part { source: Source::Overage, quantity: q(1000), amount: Some(cny(0)) });
    let parts = decide_gauge(&[], &gauge(3000, 1000, 2000, &overage), q(1000)).unwrap();
    assert_eq!(parts, [Part { source: Source::Overage, quantity: q(1000), amount: Some(cny(500_000_000)) }]);
}

#[test]
fn a_gauge_is_released_to_zero_and_not_below() {
    let refuse = OnExhausted::Refuse;
    assert!(decide_gauge(&[], &gauge(5, 10, 0, &refuse), q(-5)).is_ok());
    assert_eq!(decide_gauge(&[], &gauge(5, 10, 0, &refuse), q(-6)), Err(Denied::BelowZero { level: q(5) }));
}

#[test]
fn a_gauge_that_refuses_stops_at_its_limit() {
    let refuse = OnExhausted::Refuse;
    assert!(decide_gauge(&[], &gauge(5, 10, 0, &refuse), q(5)).is_ok());
    let denied = decide_gauge(&[], &gauge(5, 10, 0, &refuse), q(6)).unwrap_err();
    assert_eq!(denied, Denied::Limit { kind: LimitKind::PlanAllowance, remaining: q(5) });
    assert!(decide_gauge(&[], &gauge(15, 10, 0, &refuse), q(-1)).is_ok(), "a shrunk limit still lets go");
}

#[test]
fn absurd_quantities_are_too_large_and_never_wrap() {
    let overage = per_thousand();
    let mut full = funds(0, &[], &overage);
    full.overage_before = q(i64::MAX - 1);
    assert!(decide(&[], &full, q(i64::MAX)).is_err());
    assert_eq!(decide_gauge(&[], &gauge(i64::MAX, 10, 0, &overage), q(1)), Err(Denied::TooLarge));
}

/// A slow model that takes one atom at a time from the first fund that has one.
fn model(allowance: i64, grants: &[i64], overage: bool, limit: i64, quantity: i64) -> Option<(i64, i64, i64)> {
    let (mut left, mut stock, mut taken) = (allowance, grants.to_vec(), (0, 0, 0));
    for _ in 0..quantity {
        if left > 0 {
            (left, taken.0) = (left - 1, taken.0 + 1);
        } else if let Some(grant) = stock.iter_mut().find(|grant| **grant > 0) {
            (*grant, taken.1) = (*grant - 1, taken.1 + 1);
        } else if overage {
            taken.2 += 1;
        } else {
            return None;
        }
    }
    (quantity <= limit).then_some(taken)
}

proptest! {
    #[test]
    fn it_never_overspends_and_never_refuses_what_fits(
        allowance in 0_i64..50, grants in prop::collection::vec(0_i64..20, 0..4),
        pays in any::<bool>(), limit in 0_i64..120, quantity in 1_i64..120,
    ) {
        let exhausted = if pays { per_thousand() } else { OnExhausted::Refuse };
        let stock: Vec<_> = grants.iter().zip(1..).map(|(left, n)| (grant_id(n), q(*left))).collect();
        let limits = [Limit { kind: LimitKind::ApiKeyAllowance, remaining: q(limit) }];
        let decided = decide(&limits, &funds(allowance, &stock, &exhausted), q(quantity));
        let expected = model(allowance, &grants, pays, limit, quantity);
        prop_assert_eq!(decided.is_ok(), expected.is_some());
        if let (Ok(parts), Some((from_allowance, from_grants, beyond))) = (decided, expected) {
            let sum = |wanted: fn(&Source) -> bool| parts.iter().filter(|part| wanted(&part.source)).map(|part| part.quantity.as_atoms()).sum::<i64>();
            prop_assert_eq!(sum(|s| *s == Source::Allowance), from_allowance);
            prop_assert_eq!(sum(|s| matches!(s, Source::Grant(_))), from_grants);
            prop_assert_eq!(sum(|s| *s == Source::Overage), beyond);
        }
    }

    #[test]
    fn what_a_refusal_says_remains_is_accepted_and_one_more_is_not(
        allowance in 0_i64..50, cap in 0_i64..3_000_000_000, before in 0_i64..5000, limit in 0_i64..9000, quantity in 1_i64..9000,
    ) {
        let overage = per_thousand();
        let mut capped = funds(allowance, &[], &overage);
        (capped.budget, capped.overage_before) = (Some(cny(cap)), q(before));
        let limits = [Limit { kind: LimitKind::ApiKeyAllowance, remaining: q(limit) }];
        if let Err(Denied::Limit { remaining, .. }) = decide(&limits, &capped, q(quantity)) {
            prop_assert!(remaining < q(quantity));
            if remaining.is_positive() {
                prop_assert!(decide(&limits, &capped, remaining).is_ok());
            }
            prop_assert!(decide(&limits, &capped, q(remaining.as_atoms() + 1)).is_err());
        }
    }

    #[test]
    fn splitting_a_consume_into_many_costs_the_same(
        allowance in 0_i64..2000, pieces in prop::collection::vec(1_i64..700, 1..12), price in 1_i64..2_000_000_000, per in 1_i64..3000, up in any::<bool>(),
    ) {
        let round = if up { Rounding::Up } else { Rounding::Exact };
        let tiers = vec![
            Tier { up_to: Some(q(1500)), per: q(per), price: cny(price) },
            Tier { up_to: None, per: q(7), price: cny(price / 3) },
        ];
        let exhausted = OnExhausted::Overage(Tariff::new(tiers, round).unwrap());
        let fee = |parts: &[Part]| parts.iter().filter_map(|part| part.amount).map(Money::nanos).sum::<i64>();
        let total: i64 = pieces.iter().sum();
        let whole = fee(&decide(&[], &funds(allowance, &[], &exhausted), q(total)).unwrap());
        let (mut left, mut over, mut paid) = (allowance, 0, 0);
        for piece in pieces {
            let mut state = funds(left, &[], &exhausted);
            state.overage_before = q(over);
            let parts = decide(&[], &state, q(piece)).unwrap();
            paid += fee(&parts);
            let covered = left.min(piece);
            (left, over) = (left - covered, over + piece - covered);
        }
        prop_assert_eq!(paid, whole);
    }
}
