use super::*;
use crate::money::Currency;
use chrono::{Days, TimeDelta};
use proptest::prelude::*;

const ZONE: Tz = chrono_tz::Asia::Shanghai;

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn choice(plan: &str, interval: Interval) -> Choice {
    let version = PlanVersionId::from_uuid(uuid::Uuid::from_u128(plan.len() as u128));
    Choice { version, plan: PlanCode::parse(plan).unwrap(), interval, seats: 1 }
}

fn free() -> Choice {
    choice("free", Interval::Month)
}

fn begun(chosen: Choice, now: &str) -> Subscription {
    Subscription::begin(AccountId::new(at(now)), chosen, ZONE, at(now))
}

fn monthly() -> Subscription {
    begun(choice("professional", Interval::Month), "2027-01-31T10:00:00Z")
}

#[test]
fn a_subscription_begins_with_its_local_day() {
    let subscription = begun(free(), "2026-11-20T17:00:00Z");
    assert_eq!(subscription.anchor, NaiveDate::from_ymd_opt(2026, 11, 21).unwrap());
    assert_eq!(subscription.period.start, at("2026-11-20T16:00:00Z"));
    assert_eq!(subscription.period.end, at("2026-12-20T16:00:00Z"));
    assert_eq!(subscription.term, subscription.period);
}

#[test]
fn nothing_opens_before_the_period_ends_and_one_period_at_its_end() {
    let subscription = monthly();
    let end = subscription.period.end;
    assert_eq!(end, at("2027-02-27T16:00:00Z"));
    assert!(subscription.advance(end - TimeDelta::microseconds(1), &free()).opened.is_empty());
    let advance = subscription.advance(end, &free());
    assert_eq!(advance.opened.len(), 1);
    assert_eq!(advance.opened[0].period, Period { start: end, end: at("2027-03-30T16:00:00Z") });
    assert_eq!(advance.subscription.term, advance.subscription.period);
}

#[test]
fn a_yearly_term_holds_twelve_monthly_periods_and_then_renews() {
    let yearly = begun(choice("professional", Interval::Year), "2027-01-31T10:00:00Z");
    assert_eq!(yearly.term.end, at("2028-01-30T16:00:00Z"));
    let last = yearly.advance(yearly.term.end - TimeDelta::seconds(1), &free());
    assert_eq!((last.opened.len(), last.subscription.term), (11, yearly.term));
    let renewed = yearly.advance(yearly.term.end, &free());
    assert_eq!(renewed.opened.len(), 12);
    assert_eq!(renewed.subscription.term, Period { start: yearly.term.end, end: at("2029-01-30T16:00:00Z") });
}

#[test]
fn a_cancelled_plan_goes_on_until_the_term_ends_and_then_falls_back() {
    let cancelled = monthly().cancel(at("2027-02-01T00:00:00Z")).unwrap();
    assert_eq!(cancelled.status, SubscriptionStatus::Cancelled);
    assert_eq!(cancelled.chosen.plan.as_str(), "professional");
    let after = cancelled.advance(cancelled.term.end, &free()).subscription;
    assert_eq!((after.chosen, after.status), (free(), SubscriptionStatus::Active));
    assert!(!after.cancel_at_term_end && after.cancelled_at.is_none());
}

#[test]
fn a_cancellation_is_taken_back_once_and_made_once() {
    let now = at("2027-02-01T00:00:00Z");
    let cancelled = monthly().cancel(now).unwrap();
    assert!(cancelled.cancel(now).is_err());
    let resumed = cancelled.resume(now).unwrap();
    assert_eq!(resumed.status, SubscriptionStatus::Active);
    assert!(resumed.resume(now).is_err());
    assert_eq!(resumed.advance(resumed.term.end, &free()).subscription.chosen.plan.as_str(), "professional");
}

#[test]
fn cancelling_and_resuming_is_no_way_out_of_a_suspension() {
    for status in [SubscriptionStatus::Suspended, SubscriptionStatus::PastDue] {
        let now = at("2027-02-01T00:00:00Z");
        let unpaid = Subscription { status, ..monthly() };
        let cancelled = unpaid.cancel(now).unwrap();
        assert_eq!(cancelled.status, status);
        assert_eq!(cancelled.resume(now).unwrap().status, status);
        assert_eq!(unpaid.change_now(free(), now).status, status);
        let fallen = cancelled.advance(cancelled.term.end, &free()).subscription;
        assert_eq!((fallen.chosen, fallen.status), (free(), status));
    }
}

#[test]
fn a_scheduled_change_begins_when_the_term_ends_and_a_cancellation_beats_it() {
    let now = at("2027-02-01T00:00:00Z");
    let scheduled = monthly().change_at_term_end(choice("basic", Interval::Year), now);
    assert_eq!(scheduled.chosen.plan.as_str(), "professional");
    let after = scheduled.advance(scheduled.term.end, &free()).subscription;
    assert_eq!(after.chosen, choice("basic", Interval::Year));
    assert_eq!(after.scheduled, None);
    assert_eq!(after.term.end, at("2028-02-28T16:00:00Z"));
    let cancelled = scheduled.cancel(now).unwrap();
    assert_eq!(cancelled.advance(cancelled.term.end, &free()).subscription.chosen, free());
}

#[test]
fn a_change_at_once_keeps_the_anchor_and_another_interval_starts_with_the_open_period() {
    let now = at("2027-03-05T00:00:00Z");
    let subscription = monthly().advance(now, &free()).subscription;
    let team = subscription.change_now(choice("team", Interval::Month), now);
    assert_eq!((team.term, team.period, team.anchor), (subscription.term, subscription.period, subscription.anchor));
    let yearly = subscription.change_now(choice("team", Interval::Year), now);
    assert_eq!(yearly.period, subscription.period);
    assert_eq!(yearly.term, Period { start: subscription.period.start, end: at("2028-02-28T16:00:00Z") });
}

#[test]
fn what_waits_for_payment_changes_nothing_yet() {
    let now = at("2027-02-01T00:00:00Z");
    let before = monthly();
    let waiting = before.change_when_paid(choice("team", Interval::Month), now);
    assert_eq!((&waiting.chosen, waiting.status, waiting.term), (&before.chosen, before.status, before.term));
    assert_eq!(waiting.keep(now).awaiting_payment, None);
}

#[test]
fn a_subscription_idle_for_more_than_a_hundred_years_is_brought_up_to_date_in_parts() {
    let first = monthly().advance(at("2150-01-01T00:00:00Z"), &free());
    assert_eq!(first.opened.len(), MAX_PERIODS_PER_ADVANCE);
    let second = first.subscription.advance(at("2150-01-01T00:00:00Z"), &free());
    assert!((1..MAX_PERIODS_PER_ADVANCE).contains(&second.opened.len()));
}

fn subscriptions() -> impl Strategy<Value = Subscription> {
    let day = NaiveDate::from_ymd_opt(2024, 1, 1).unwrap();
    (0_u64..1500, any::<bool>(), 0_u8..4).prop_map(move |(offset, yearly, state)| {
        let now = (day + Days::new(offset)).and_hms_opt(9, 30, 0).unwrap().and_utc();
        let interval = if yearly { Interval::Year } else { Interval::Month };
        let begun = Subscription::begin(AccountId::new(now), choice("professional", interval), ZONE, now);
        match state {
            0 => begun,
            1 => begun.cancel(now).unwrap(),
            2 => begun.change_at_term_end(choice("team", Interval::Year), now),
            _ => Subscription { status: SubscriptionStatus::Suspended, ..begun },
        }
    })
}

proptest! {
    #[test]
    fn advancing_at_once_or_step_by_step_gives_the_same(
        begun in subscriptions(),
        mut hours in proptest::collection::vec(0_i64..30_000, 1..12),
    ) {
        hours.sort_unstable();
        let instant = |hours: i64| begun.started_at + TimeDelta::hours(hours);
        let mut stepped = Advance { subscription: begun.clone(), opened: vec![], terms: vec![] };
        for &hour in &hours {
            let step = stepped.subscription.advance(instant(hour), &free());
            stepped.subscription = step.subscription;
            stepped.opened.extend(step.opened);
            stepped.terms.extend(step.terms);
        }
        let once = begun.advance(instant(hours[hours.len() - 1]), &free());
        prop_assert_eq!(&once.opened, &stepped.opened);
        prop_assert_eq!(&once.terms, &stepped.terms);
        // Only the time of the last write may differ.
        let updated_at = once.subscription.updated_at;
        prop_assert_eq!(once.subscription, Subscription { updated_at, ..stepped.subscription });
    }

    #[test]
    fn periods_follow_each_other_without_gap_and_now_is_in_the_last(begun in subscriptions(), hours in 0_i64..30_000) {
        let now = begun.started_at + TimeDelta::hours(hours);
        let advance = begun.advance(now, &free());
        let mut end = begun.period.end;
        for opened in &advance.opened {
            prop_assert_eq!(opened.period.start, end);
            prop_assert!(opened.period.end > opened.period.start);
            end = opened.period.end;
        }
        let after = &advance.subscription;
        prop_assert!(after.period.contains(now));
        prop_assert!(after.term.start <= after.period.start && after.period.end <= after.term.end);
        prop_assert_eq!(after.anchor, begun.anchor);
    }
}

#[test]
fn what_was_paid_counts_for_its_own_term_only() {
    let fen = |amount: i64| Money::from_nanos(amount * 10_000_000, Currency::CNY);
    let paid = Subscription { paid: Some(fen(9900)), ..monthly() };
    let (now, next) = (paid.started_at, paid.chosen.clone());
    assert_eq!(paid.change_now(next.clone(), now).paid, Some(fen(9900)));
    assert_eq!(paid.change_now(Choice { interval: Interval::Year, ..next.clone() }, now).paid, None);
    assert_eq!(paid.advance(paid.term.end - TimeDelta::seconds(1), &next).subscription.paid, Some(fen(9900)));
    assert_eq!(paid.advance(paid.term.end, &next).subscription.paid, None);
}
