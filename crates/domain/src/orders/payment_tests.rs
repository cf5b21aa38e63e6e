//! What becomes of an attempt, and when its provider is asked.

use super::*;
use crate::money::Currency;
use uuid::Uuid;

fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_000_000 + seconds, 0).unwrap()
}

fn cny(text: &str) -> Money {
    Money::parse_minor(text, Currency::CNY).unwrap()
}

fn attempt() -> Payment {
    Payment {
        id: PaymentId::from_uuid(Uuid::from_u128(7)),
        order: OrderId::from_uuid(Uuid::from_u128(8)),
        account: AccountId::from_uuid(Uuid::from_u128(9)),
        provider: Provider::WeChat,
        method: PayMethod::Default,
        status: PaymentStatus::Unknown,
        amount: cny("10.00"),
        captured: None,
        transaction: None,
        reference: None,
        action: None,
        refunding: cny("0"),
        refunded: cny("0"),
        expires_at: at(1800),
        paid_at: None,
        polls: 0,
        next_poll_at: Some(at(30)),
        polled_at: None,
        created_at: at(0),
        updated_at: at(0),
    }
}

fn capture(amount: Money) -> Capture {
    Capture { transaction: "4200".to_owned(), amount, captured_at: at(9), payee_is_ours: true }
}

#[test]
fn the_provider_is_asked_by_the_plan_and_then_every_half_hour() {
    let placed = attempt().placed(Placed { action: PayAction::Follow("x".to_owned()), reference: None }, at(1));
    let mut next = placed.next_poll_at;
    let mut asked = Vec::new();
    let mut polled = placed;
    while asked.len() < 9 {
        let now = next.unwrap();
        asked.push((now - at(0)).num_seconds());
        polled = polled.polled(false, now);
        next = polled.next_poll_at;
    }
    assert_eq!(asked, [5, 30, 60, 180, 300, 600, 1800, 3600, 5400]);
    assert_eq!(polled.polls, 9);
}

#[test]
fn an_unknown_one_is_asked_for_every_half_minute_and_an_ended_one_never() {
    assert_eq!(attempt().polled(false, at(100)).next_poll_at, Some(at(130)));
    let paid = attempt().captured(&capture(cny("10.00")), at(10)).unwrap();
    assert_eq!(paid.next_poll_at, None);
    assert_eq!(paid.polled(true, at(100)).next_poll_at, None);
}

#[test]
fn a_placed_answer_that_comes_after_the_money_changes_no_status() {
    let paid = attempt().captured(&capture(cny("10.00")), at(10)).unwrap();
    let placed = Placed { action: PayAction::Open("https://pay".to_owned()), reference: Some("cs_1".to_owned()) };
    let late = paid.placed(placed, at(11));
    assert_eq!((late.status, late.next_poll_at), (PaymentStatus::Paid, None));
    assert_eq!(late.reference.as_deref(), Some("cs_1"));
}

#[test]
fn money_in_another_currency_is_kept_as_it_came() {
    let usd = Money::parse_minor("10.00", Currency::parse("USD").unwrap()).unwrap();
    let paid = attempt().captured(&capture(usd), at(10)).unwrap();
    assert_eq!((paid.captured, paid.refunded.currency()), (Some(usd), usd.currency()));
    assert!(paid.captured(&capture(usd), at(11)).is_err(), "money is booked once");
}

#[test]
fn it_is_refunded_when_all_of_it_was_paid_back() {
    let paid = attempt().captured(&capture(cny("10.00")), at(10)).unwrap();
    let part = paid.paid_back(cny("9.99"), at(20)).unwrap();
    assert_eq!(part.status, PaymentStatus::PartiallyRefunded);
    assert_eq!(part.paid_back(cny("0.01"), at(21)).unwrap().status, PaymentStatus::Refunded);
}
