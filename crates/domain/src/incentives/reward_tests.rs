//! Tests of reading rewards.

use super::*;
use serde_json::json;

fn catalogue() -> Catalogue {
    Catalogue::parse(&json!({
        "meters": { "cu": { "unit": "CU", "scale": 3, "kind": "counter" } },
        "plans": { "free": { "price": { "month": "0.00 CNY" }, "meters": { "cu": { "included": 1, "on_exhausted": "refuse" } } } },
        "billing": { "currency": "CNY", "time_zone": "Asia/Shanghai", "default_plan": "free" }
    }))
    .unwrap()
}

fn read(wish: &RewardWish) -> Result<Reward> {
    Reward::read(wish, &catalogue(), "value")
}

fn money(amount: &str) -> RewardWish {
    RewardWish { amount: Some(amount.to_owned()), ..RewardWish::default() }
}

fn quota(quantity: &str) -> RewardWish {
    RewardWish { meter: Some("cu".to_owned()), quantity: Some(quantity.to_owned()), ..RewardWish::default() }
}

#[test]
fn money_is_whole_fen_and_quota_has_the_decimals_of_its_meter() {
    let reward = read(&money("5.25")).unwrap();
    assert_eq!(reward.told(&catalogue()), json!({"amount": "5.25", "currency": "CNY"}));
    assert_eq!(reward.number(), 5_250_000_000);
    let reward = read(&RewardWish { valid_days: Some(30), ..quota("1.5") }).unwrap();
    assert_eq!(reward.told(&catalogue()), json!({"meter": "cu", "quantity": "1.5"}));
    assert_eq!(reward.of_number(7).number(), 7);
}

#[test]
fn what_is_worth_nothing_too_precise_or_both_at_once_is_refused_by_its_field() {
    for (wish, field) in [
        (money("0"), "value.amount"),
        (money("-1"), "value.amount"),
        (money("0.001"), "value.amount"),
        (money("99999999999"), "value.amount"),
        (quota("0"), "value.quantity"),
        (quota("0.0001"), "value.quantity"),
        (RewardWish { meter: Some("words".to_owned()), ..quota("1") }, "value.meter"),
        (RewardWish { valid_days: Some(0), ..quota("1") }, "value.valid_days"),
        (RewardWish { valid_days: Some(3651), ..quota("1") }, "value.valid_days"),
        (RewardWish { amount: Some("1".to_owned()), ..quota("1") }, "value"),
        (RewardWish { valid_days: Some(1), ..money("1") }, "value"),
        (RewardWish { quantity: None, ..quota("1") }, "value"),
        (RewardWish::default(), "value"),
    ] {
        let Err(Error::Invalid(fields)) = read(&wish) else { panic!("{wish:?}") };
        assert_eq!(fields[0].field, field, "{wish:?}");
    }
}
