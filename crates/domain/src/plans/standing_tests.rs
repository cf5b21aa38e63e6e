use super::*;
use crate::id::{AccountId, PlanVersionId};
use crate::money::Currency;
use crate::plans::{Interval, PlanCode};
use chrono_tz::Asia::Shanghai;

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn choice(plan: &str, interval: Interval) -> Choice {
    let start = at("2026-11-01T00:00:00Z");
    Choice { version: PlanVersionId::new(start), plan: PlanCode::parse(plan).unwrap(), interval, seats: 1 }
}

fn cny(text: &str) -> Money {
    Money::parse(text, Currency::CNY).unwrap()
}

fn subscription() -> Subscription {
    let start = at("2026-11-01T00:00:00Z");
    Subscription::begin(AccountId::new(start), choice("professional", Interval::Month), Shanghai, start)
}

#[test]
fn what_was_paid_for_a_term_adds_up_over_its_upgrades() {
    let now = at("2026-11-15T00:00:00Z");
    let running = Subscription { paid: Some(cny("99")), ..subscription() };
    let bought = running.change_when_paid(choice("team", Interval::Month), now);
    let active = bought.activate(cny("49.50"), cny("100"), now).unwrap().unwrap();
    assert_eq!((active.paid, active.chosen.plan.as_str()), (Some(cny("199")), "team"));
    let bought = running.change_when_paid(choice("professional", Interval::Year), now);
    let active = bought.activate(cny("49.50"), cny("900"), now).unwrap().unwrap();
    assert_eq!(active.paid, Some(cny("949.50")), "another term is worth its credit and its bill");
    assert_eq!(running.activate(cny("0"), cny("1"), now).unwrap(), None, "nothing waits");
}

#[test]
fn what_went_back_of_a_term_is_worth_no_credit() {
    let now = at("2026-11-15T00:00:00Z");
    let running = Subscription { paid: Some(cny("99")), ..subscription() };
    assert_eq!(running.with_paid(cny("-60"), now).unwrap().paid, Some(cny("39")));
    assert_eq!(running.with_paid(cny("-100"), now).unwrap().paid, Some(cny("0")));
}

#[test]
fn who_does_not_pay_is_past_due_and_then_suspended_until_it_is_paid() {
    let now = at("2026-11-15T00:00:00Z");
    let owing = subscription().owing(false, now);
    assert_eq!(owing.status, SubscriptionStatus::PastDue);
    let suspended = owing.owing(true, now);
    assert_eq!(suspended.status, SubscriptionStatus::Suspended);
    assert_eq!(suspended.owing(false, now).status, SubscriptionStatus::Suspended, "never better by owing more");
    assert_eq!(suspended.recovered(now).status, SubscriptionStatus::Active);
}

#[test]
fn a_cancelled_subscription_that_owes_still_ends_with_its_term() {
    let now = at("2026-11-15T00:00:00Z");
    let owing = subscription().cancel(now).unwrap().owing(true, now);
    assert_eq!((owing.status, owing.cancel_at_term_end), (SubscriptionStatus::Suspended, true));
    assert_eq!(owing.recovered(now).status, SubscriptionStatus::Cancelled);
}

#[test]
fn an_expired_plan_falls_back_and_other_debts_stay() {
    let now = at("2026-12-15T00:00:00Z");
    let suspended = subscription().owing(true, now);
    let free = choice("free", Interval::Month);
    let ended = suspended.expired(free.clone(), false, now);
    assert_eq!((ended.status, ended.chosen.plan.as_str()), (SubscriptionStatus::Active, "free"));
    assert_eq!(suspended.expired(free, true, now).status, SubscriptionStatus::Suspended);
}
