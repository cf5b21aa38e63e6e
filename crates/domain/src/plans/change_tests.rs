use super::*;
use crate::id::{AccountId, PlanVersionId};
use crate::money::Currency;
use chrono::TimeDelta;
use proptest::prelude::*;

fn cny(text: &str) -> Money {
    Money::parse(text, Currency::CNY).unwrap()
}

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn offer(plan: &str, interval: Interval, seats: u32, price: &str) -> Offer {
    let version = PlanVersionId::from_uuid(uuid::Uuid::from_u128(plan.len() as u128));
    let choice = Choice { version, plan: PlanCode::parse(plan).unwrap(), interval, seats };
    Offer { choice, price: cny(price) }
}

/// A 30-day term in UTC that begins on 1 November 2026.
fn on(offer: &Offer) -> Subscription {
    let start = at("2026-11-01T00:00:00Z");
    Subscription::begin(AccountId::new(start), offer.choice.clone(), chrono_tz::UTC, start)
}

#[test]
fn a_change_is_judged_by_the_price_per_month() {
    use ChangeKind::{Downgrade, Same, Upgrade};
    use Interval::{Month, Year};
    let base = offer("professional", Month, 3, "99");
    let judged = |plan, interval, seats, price| change_kind(&base, &offer(plan, interval, seats, price));
    assert_eq!(judged("professional", Month, 3, "99"), Same);
    assert_eq!(judged("team", Month, 3, "99.01"), Upgrade);
    assert_eq!(judged("team", Month, 3, "98.99"), Downgrade);
    assert_eq!(judged("team", Month, 3, "99"), Upgrade);
    assert_eq!(judged("team", Year, 3, "1188"), Upgrade);
    assert_eq!(judged("team", Year, 3, "1187.99"), Downgrade);
    assert_eq!(judged("professional", Month, 4, "99"), Upgrade);
    assert_eq!(judged("professional", Month, 2, "99"), Downgrade);
    assert_eq!(judged("team", Month, 4, "10"), Upgrade);
    assert_eq!(judged("professional", Year, 3, "999"), Upgrade);
    let yearly = offer("professional", Year, 3, "999");
    assert_eq!(change_kind(&yearly, &base), Downgrade);
    assert_eq!(change_kind(&yearly, &offer("team", Month, 3, "83.25")), Downgrade);
    let mut newer = base.clone();
    newer.choice.version = PlanVersionId::from_uuid(uuid::Uuid::from_u128(99));
    assert_eq!(change_kind(&base, &newer), Upgrade);
}

#[test]
fn an_upgrade_in_the_middle_costs_half_the_difference() {
    let (old, new) = (offer("professional", Interval::Month, 1, "99"), offer("team", Interval::Month, 1, "297"));
    let quote = quote(&on(&old), (&old, old.price), &new, at("2026-11-16T00:00:00Z")).unwrap();
    assert_eq!(quote.effective, Effective::Now);
    let amounts: Vec<_> = quote.lines.iter().map(|line| line.amount).collect();
    assert_eq!(amounts, [cny("-49.50"), cny("148.50")]);
    assert_eq!(quote.due, cny("99.00"));
}

#[test]
fn a_year_begins_with_the_open_period_and_is_charged_for_what_is_left_of_it() {
    let (old, new) = (offer("professional", Interval::Month, 1, "99"), offer("professional", Interval::Year, 1, "365"));
    let quote = quote(&on(&old), (&old, old.price), &new, at("2026-11-11T00:00:00Z")).unwrap();
    assert_eq!(quote.lines[0].amount, cny("-66.00"));
    assert_eq!(quote.lines[1].amount, cny("355.00"));
    assert_eq!(quote.lines[1].period.end, at("2027-11-01T00:00:00Z"));
}

#[test]
fn the_credit_is_never_above_what_was_paid() {
    let (old, new) = (offer("professional", Interval::Month, 1, "99"), offer("team", Interval::Month, 1, "297"));
    let quote = quote(&on(&old), (&old, cny("10")), &new, at("2026-11-16T00:00:00Z")).unwrap();
    assert_eq!(quote.lines[0].amount, cny("-10.00"));
    assert_eq!(quote.due, cny("138.50"));
}

#[test]
fn a_downgrade_waits_for_the_end_of_the_term_and_costs_nothing() {
    let (old, new) = (offer("team", Interval::Month, 1, "297"), offer("professional", Interval::Month, 1, "99"));
    let quote = quote(&on(&old), (&old, old.price), &new, at("2026-11-16T00:00:00Z")).unwrap();
    assert_eq!(quote.effective, Effective::TermEnd(at("2026-12-01T00:00:00Z")));
    assert_eq!((quote.lines.len(), quote.due), (0, cny("0")));
}

#[test]
fn a_change_that_would_leave_a_credit_waits_too() {
    let (old, new) = (offer("professional", Interval::Year, 1, "999"), offer("team", Interval::Month, 1, "297"));
    let quote = quote(&on(&old), (&old, old.price), &new, at("2026-11-16T00:00:00Z")).unwrap();
    assert_eq!(quote.kind, ChangeKind::Upgrade);
    assert_eq!(quote.effective, Effective::TermEnd(at("2027-11-01T00:00:00Z")));
}

#[test]
fn half_a_fen_of_a_term_rounds_away_from_zero() {
    let term = Period { start: at("2026-11-01T00:00:00Z"), end: at("2026-11-03T00:00:00Z") };
    let half = at("2026-11-02T00:00:00Z");
    assert_eq!(prorate(cny("0.01"), term, term.start, half), Ok(cny("0.01")));
    assert_eq!(prorate(cny("0.01"), term, half, term.end), Ok(cny("0.00")));
    assert_eq!(prorate(cny("0.01"), term, term.start, half - TimeDelta::seconds(1)), Ok(cny("0.00")));
}

proptest! {
    #[test]
    fn the_parts_of_a_term_add_up_to_its_price(
        fen in 0_i64..100_000_000,
        days in 1_i64..366,
        mut cuts in proptest::collection::vec(0_i64..366 * 86_400, 0..10),
    ) {
        let price = Money::from_nanos(fen * 10_000_000, Currency::CNY);
        let start = at("2026-11-01T00:00:00Z");
        let term = Period { start, end: start + TimeDelta::days(days) };
        cuts.sort_unstable();
        cuts.push(days * 86_400);
        let (mut sum, mut from) = (Money::zero(Currency::CNY), start);
        for cut in cuts {
            let to = start + TimeDelta::seconds(cut.min(days * 86_400));
            let part = prorate(price, term, from, to).unwrap();
            prop_assert_eq!(part.nanos() % 10_000_000, 0);
            prop_assert!(part.nanos() >= 0);
            sum = sum.checked_add(part).unwrap();
            from = to;
        }
        prop_assert_eq!(sum, price);
    }
}
