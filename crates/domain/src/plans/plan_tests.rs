use super::*;
use crate::plans::{Rounding, Tier};

fn cny(text: &str) -> Money {
    Money::parse(text, Currency::CNY).unwrap()
}

fn team() -> Plan {
    let tier = Tier { up_to: None, per: Quantity::atoms(1000), price: cny("0.50") };
    let words = MeterTerms {
        included: Allowance::Limited(Quantity::atoms(300_000)),
        per_seat: true,
        on_exhausted: OnExhausted::Overage(Tariff::new(vec![tier], Rounding::Exact).unwrap()),
    };
    Plan {
        code: PlanCode::parse("team").unwrap(),
        name: "Team".into(),
        prices: BTreeMap::from([(Interval::Month, cny("99"))]),
        per_seat: true,
        seats: Some(SeatRule { included: 3, min: 3, max: 100 }),
        meters: BTreeMap::from([(MeterCode::parse("words").unwrap(), words)]),
        fallback: None,
        warnings: vec![Percent(80), Percent(100)],
        currency: Currency::CNY,
    }
}

#[test]
fn three_seats_of_300_000_words_are_900_000() {
    let team = team();
    let terms = team.terms(&MeterCode::parse("words").unwrap()).unwrap();
    assert_eq!(terms.allowance(3), Allowance::Limited(Quantity::atoms(900_000)));
    assert_eq!(team.price(Interval::Month, 3), Some(cny("297")));
    assert_eq!(team.price(Interval::Year, 3), None);
}

#[test]
fn an_allowance_too_large_is_held_at_the_most_and_unlimited_stays_so() {
    let huge =
        MeterTerms { included: Allowance::Limited(Quantity::MAX), per_seat: true, on_exhausted: OnExhausted::Refuse };
    assert_eq!(huge.allowance(2), Allowance::Limited(Quantity::MAX));
    let unlimited = MeterTerms { included: Allowance::Unlimited, ..huge };
    assert_eq!(unlimited.allowance(2), Allowance::Unlimited);
}

#[test]
fn seats_are_taken_within_the_rule_and_one_without_a_rule() {
    let team = team();
    let outside = SeatsOutOfRange { min: 3, max: 100 };
    assert_eq!(team.check_seats(None), Ok(3));
    assert_eq!(team.check_seats(Some(2)), Err(outside));
    assert_eq!(team.check_seats(Some(100)), Ok(100));
    assert_eq!(team.check_seats(Some(101)), Err(outside));
    let single = Plan { seats: None, ..team };
    assert_eq!(single.check_seats(None), Ok(1));
    assert_eq!(single.check_seats(Some(2)), Err(SeatsOutOfRange { min: 1, max: 1 }));
}

#[test]
fn a_plan_reads_back_from_its_canonical_text() {
    let text = team().canonical_json().unwrap();
    let read: Plan = serde_json::from_str(&text).unwrap();
    assert_eq!(read, team());
    assert_eq!(read.canonical_json().unwrap(), text);
}

#[test]
fn the_content_hash_is_sha_256_in_hex() {
    assert_eq!(content_hash("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

#[test]
fn a_percentage_is_within_1_and_1000() {
    assert_eq!(Percent::new(0), None);
    assert_eq!(Percent::new(1), Some(Percent(1)));
    assert_eq!(Percent::new(1000), Some(Percent(1000)));
    assert_eq!(Percent::new(1001), None);
}
