use super::*;
use crate::billing::{LineKind, Totals};
use crate::money::Currency;
use crate::time::Period;
use proptest::prelude::*;

fn now() -> DateTime<Utc> {
    "2026-11-15T00:00:00Z".parse().unwrap()
}

fn cny(text: &str) -> Money {
    Money::parse(text, Currency::CNY).unwrap()
}

fn plan(code: &str) -> PlanCode {
    PlanCode::parse(code).unwrap()
}

fn coupon(reduction: Reduction) -> Coupon {
    let (id, code) = (CouponId::new(now()), "SPRING".to_owned());
    let (valid_from, valid_until) = (Some(now()), Some(now() + chrono::TimeDelta::days(1)));
    let (created_at, updated_at) = (now(), now());
    let max_uses = Some(2);
    Coupon {
        id,
        code,
        reduction,
        max_uses,
        uses: 0,
        valid_from,
        valid_until,
        plan: None,
        disabled: false,
        created_at,
        updated_at,
    }
}

fn line(amount: Money) -> BillLine {
    BillLine {
        number: 0,
        kind: LineKind::Base,
        plan: plan("pro"),
        version: None,
        interval: None,
        seats: 1,
        period: Period { start: now(), end: now() + chrono::TimeDelta::days(30) },
        used: None,
        tier: None,
        amount,
        discount: Money::zero(amount.currency()),
    }
}

#[test]
fn a_percentage_is_rounded_half_away_and_never_above_what_is_due() {
    let off =
        |percent, due: &str| coupon(Reduction::Percent(percent)).takes_off(&plan("pro"), cny(due), now()).unwrap();
    assert_eq!(off(10, "99.00"), cny("9.90"));
    assert_eq!(off(15, "0.10"), cny("0.02"), "0.015 is half a fen");
    assert_eq!(off(14, "0.10"), cny("0.01"));
    assert_eq!(off(100, "99.00"), cny("99.00"));
    assert_eq!(off(50, "0.01"), cny("0.01"), "half of one fen rounds to it");
}

#[test]
fn a_fixed_amount_takes_off_at_most_what_is_due_and_only_in_its_currency() {
    let fixed = coupon(Reduction::Fixed(cny("20")));
    assert_eq!(fixed.takes_off(&plan("pro"), cny("99"), now()), Ok(cny("20")));
    assert_eq!(fixed.takes_off(&plan("pro"), cny("5"), now()), Ok(cny("5")));
    let usd = Money::parse("99", Currency::parse("USD").unwrap()).unwrap();
    assert_eq!(fixed.takes_off(&plan("pro"), usd, now()), Err(CouponRefused::OtherCurrency));
}

#[test]
fn a_coupon_holds_from_its_first_instant_and_not_at_its_last() {
    let half = coupon(Reduction::Percent(50));
    let at = |time| half.takes_off(&plan("pro"), cny("1"), time).is_ok();
    assert!(at(now()) && !at(now() - chrono::TimeDelta::microseconds(1)));
    let end = half.valid_until.unwrap();
    assert!(at(end - chrono::TimeDelta::microseconds(1)) && !at(end));
}

#[test]
fn a_coupon_used_up_disabled_or_of_another_plan_takes_nothing_off() {
    let half = coupon(Reduction::Percent(50));
    let refused = |coupon: &Coupon| coupon.takes_off(&plan("pro"), cny("1"), now()).unwrap_err();
    assert_eq!(refused(&Coupon { uses: 2, ..half.clone() }), CouponRefused::UsedUp);
    assert_eq!(refused(&Coupon { plan: Some(plan("team")), ..half.clone() }), CouponRefused::OtherPlan);
    assert_eq!(refused(&Coupon { disabled: true, ..half }), CouponRefused::NotNow);
}

#[test]
fn what_is_left_of_a_division_goes_to_the_largest_remainder() {
    let mut lines = vec![line(cny("33.33")), line(cny("33.33")), line(cny("33.34")), line(cny("-10"))];
    spread(cny("0.10"), &mut lines).unwrap();
    let shares: Vec<_> = lines.iter().map(|line| line.discount).collect();
    assert_eq!(shares, [cny("0.03"), cny("0.03"), cny("0.04"), cny("0")], "credits get no discount");
    assert!(spread(cny("100.01"), &mut lines).is_err(), "more than the lines together");
    assert_eq!(Coupon::read_code(" spring-26 ").as_deref(), Some("SPRING-26"));
    assert_eq!(Coupon::read_code("春"), None);
}

proptest! {
    #[test]
    fn a_discount_is_spread_whole_and_no_line_gets_more_than_it_asks(
        amounts in proptest::collection::vec(0_i64..1_000_000, 1..12), share in 0_u64..=100,
    ) {
        let minor = Currency::CNY.nanos_per_minor();
        let mut lines: Vec<_> = amounts.iter().map(|fen| line(Money::from_nanos(fen * minor, Currency::CNY))).collect();
        let total: i64 = amounts.iter().sum();
        let wanted = i64::try_from(i128::from(total) * i128::from(share) / 100).unwrap();
        spread(Money::from_nanos(wanted * minor, Currency::CNY), &mut lines).unwrap();
        let given: i64 = lines.iter().map(|line| line.discount.nanos() / minor).sum();
        prop_assert_eq!(given, wanted);
        for line in &lines {
            prop_assert!(line.discount.nanos() <= line.amount.nanos() && line.discount.nanos() >= 0);
            // The slow model: the exact share, moved by less than one fen.
            let exact = i128::from(wanted) * i128::from(line.amount.nanos() / minor);
            let got = i128::from(line.discount.nanos() / minor) * i128::from(total.max(1));
            prop_assert!((got - exact).abs() < i128::from(total.max(1)));
        }
        let totals = Totals::of(&lines, Money::zero(Currency::CNY)).unwrap();
        prop_assert_eq!(totals.total.nanos(), (total - wanted) * minor);
    }
}
