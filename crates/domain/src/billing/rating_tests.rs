use super::*;
use crate::id::PlanVersionId;
use crate::plans::{Interval, MeterCode, MeterDisplay, MeterKind, PlanCode, Rounding, Tariff, Tier};
use crate::time::Period;
use chrono::DateTime;
use proptest::prelude::*;

fn cny(text: &str) -> Money {
    Money::parse(text, Currency::CNY).unwrap()
}

fn atoms(count: i64) -> Quantity {
    Quantity::atoms(count)
}

fn opened() -> OpenedPeriod {
    let start = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
    let period = Period { start, end: start + chrono::TimeDelta::days(30) };
    let plan = PlanCode::parse("professional").unwrap();
    OpenedPeriod { period, version: PlanVersionId::new(start), plan, seats: 1, interval: Interval::Month }
}

fn meter(scale: u8, per: i64) -> Meter {
    let display = MeterDisplay { name: "shown".to_owned(), per };
    Meter { code: MeterCode::parse("m").unwrap(), unit: "unit".to_owned(), scale, kind: MeterKind::Counter, display }
}

fn tier(up_to: Option<i64>, per: i64, price: &str) -> Tier {
    Tier { up_to: up_to.map(atoms), per: atoms(per), price: cny(price) }
}

fn tariff(tiers: &[Tier], round: Rounding) -> Tariff {
    Tariff::new(tiers.to_vec(), round).unwrap()
}

fn words() -> Tariff {
    tariff(&[tier(None, 1000, "0.50")], Rounding::Exact)
}

/// The default plan's computing units: 500 at 0.10, then 0.08; three decimals.
fn cu() -> Tariff {
    tariff(&[tier(Some(500_000), 1000, "0.10"), tier(None, 1000, "0.08")], Rounding::Exact)
}

fn storage() -> Tariff {
    tariff(&[tier(None, 1_024_000, "0.20")], Rounding::Up)
}

/// Usage of one tariff, told exactly.
fn used(tariff: &Tariff, quantity: i64) -> MeterUse {
    MeterUse {
        meter: meter(0, 1),
        stretches: vec![Stretch { to: atoms(quantity), exhausted: Some(OnExhausted::Overage(tariff.clone())) }],
        told: tariff.fee(atoms(quantity)).unwrap(),
        adjusted: Quantity::ZERO,
        billed: Quantity::ZERO,
        billed_fee: cny("0"),
    }
}

/// The amounts of the lines, as bills print them.
fn amounts(used: &MeterUse) -> Vec<String> {
    used.lines(&opened(), Currency::CNY).unwrap().iter().map(|line| line.amount.to_decimal()).collect()
}

macro_rules! cases {
    ($($name:ident: $tariff:expr, $quantity:expr => $amounts:expr;)+) => {
        $(#[test] fn $name() {
            let expected: &[&str] = &$amounts;
            assert_eq!(amounts(&used(&$tariff, $quantity)), expected);
        })+
    };
}

fn three_tiers() -> Tariff {
    tariff(&[tier(Some(10), 1, "1.00"), tier(Some(20), 1, "0.50"), tier(None, 1, "0.25")], Rounding::Exact)
}

fn thirds() -> Tariff {
    tariff(&[tier(Some(1), 3, "0.01"), tier(None, 3, "0.02")], Rounding::Exact)
}

fn packs() -> Tariff {
    tariff(&[tier(Some(1000), 100, "3.00"), tier(None, 500, "10.00")], Rounding::Up)
}

cases! {
    nothing_used_is_no_line: words(), 0 => [];
    one_word_is_less_than_half_a_fen: words(), 1 => ["0.00"];
    nine_words_round_down: words(), 9 => ["0.00"];
    ten_words_are_half_a_fen_and_round_up: words(), 10 => ["0.01"];
    twenty_nine_words_round_down: words(), 29 => ["0.01"];
    thirty_words_round_up: words(), 30 => ["0.02"];
    a_thousand_words_are_the_price: words(), 1000 => ["0.50"];
    one_above_a_thousand: words(), 1001 => ["0.50"];
    fifty_thousand_words: words(), 50_000 => ["25.00"];
    a_tenth_of_a_unit: cu(), 100 => ["0.01"];
    one_below_the_edge: cu(), 499_999 => ["50.00"];
    at_the_edge_of_a_tier: cu(), 500_000 => ["50.00"];
    one_above_the_edge: cu(), 500_001 => ["50.00", "0.00"];
    well_into_the_second_tier: cu(), 600_000 => ["50.00", "8.00"];
    half_a_fen_into_the_second_tier: cu(), 500_063 => ["50.00", "0.01"];
    a_started_gigabyte_counts: storage(), 1 => ["0.20"];
    a_whole_gigabyte: storage(), 1_024_000 => ["0.20"];
    one_above_a_gigabyte: storage(), 1_024_001 => ["0.40"];
    ten_gigabytes: storage(), 10_240_000 => ["2.00"];
    the_first_of_three_tiers: three_tiers(), 10 => ["10.00"];
    the_second_of_three_tiers_begins: three_tiers(), 11 => ["10.00", "0.50"];
    the_second_of_three_tiers_ends: three_tiers(), 20 => ["10.00", "5.00"];
    the_third_of_three_tiers: three_tiers(), 24 => ["10.00", "5.00", "1.00"];
    a_third_of_a_fen_is_nothing: thirds(), 1 => ["0.00"];
    two_tiers_of_fractions_share_their_fen: thirds(), 2 => ["0.00", "0.01"];
    fractions_add_up_over_tiers: thirds(), 4 => ["0.00", "0.02"];
    a_started_pack: packs(), 1 => ["3.00"];
    a_pack_and_one: packs(), 101 => ["6.00"];
    all_packs_of_the_first_tier: packs(), 1000 => ["30.00"];
    a_started_pack_of_the_second_tier: packs(), 1001 => ["30.00", "10.00"];
    two_packs_of_the_second_tier: packs(), 1501 => ["30.00", "20.00"];
}

#[test]
fn an_interim_bill_and_the_month_after_it_come_to_one_fee() {
    let whole = used(&cu(), 600_000);
    let interim = MeterUse { stretches: used(&cu(), 400_003).stretches, told: cny("40.0003"), ..whole.clone() };
    assert_eq!(amounts(&interim), ["40.00"]);
    let rest = MeterUse { billed: atoms(400_003), billed_fee: cny("40.00"), ..whole };
    assert_eq!(amounts(&rest), ["10.00", "8.00"]);
}

#[test]
fn a_period_that_was_billed_whole_has_no_line_left() {
    let whole = used(&cu(), 600_000);
    let rest = MeterUse { billed: atoms(600_000), billed_fee: cny("58.00"), ..whole };
    assert!(amounts(&rest).is_empty());
}

#[test]
fn late_use_is_a_line_of_its_own_at_the_end_of_the_curve() {
    let late = MeterUse { adjusted: atoms(150_000), ..used(&cu(), 600_000) };
    let lines = late.lines(&opened(), Currency::CNY).unwrap();
    let shown: Vec<_> = lines.iter().map(|line| (line.kind, line.amount.to_decimal())).collect();
    let expected = [(LineKind::Overage, "45.00"), (LineKind::Adjustment, "5.00"), (LineKind::Adjustment, "8.00")];
    assert_eq!(shown, expected.map(|(kind, amount)| (kind, amount.to_owned())));
}

#[test]
fn use_that_was_late_altogether_is_adjustment_only() {
    let late = MeterUse { adjusted: atoms(1000), ..used(&words(), 1000) };
    let lines = late.lines(&opened(), Currency::CNY).unwrap();
    assert_eq!(lines.iter().map(|line| line.kind).collect::<Vec<_>>(), [LineKind::Adjustment]);
}

#[test]
fn each_plan_of_a_period_prices_its_own_stretch() {
    let dear = tariff(&[tier(None, 1000, "1.00")], Rounding::Exact);
    let stretches = vec![
        Stretch { to: atoms(2000), exhausted: Some(OnExhausted::Overage(words())) },
        Stretch { to: atoms(5000), exhausted: Some(OnExhausted::Overage(dear)) },
    ];
    let mixed = MeterUse { stretches, told: cny("4.00"), ..used(&words(), 5000) };
    assert_eq!(amounts(&mixed), ["1.00", "3.00"]);
}

#[test]
fn what_the_wallet_paid_is_not_billed_again() {
    let stretches = vec![
        Stretch { to: atoms(2000), exhausted: Some(OnExhausted::Wallet(words())) },
        Stretch { to: atoms(5000), exhausted: Some(OnExhausted::Overage(words())) },
    ];
    let mixed = MeterUse { stretches, told: cny("2.50"), ..used(&words(), 5000) };
    assert_eq!(amounts(&mixed), ["1.50"]);
    let all = MeterUse {
        stretches: vec![Stretch { to: atoms(5000), exhausted: Some(OnExhausted::Wallet(words())) }],
        ..used(&words(), 5000)
    };
    assert!(amounts(&all).is_empty());
}

#[test]
fn a_plan_that_does_not_know_the_meter_asks_nothing_for_it() {
    let silent =
        MeterUse { stretches: vec![Stretch { to: atoms(10), exhausted: None }], told: cny("0"), ..used(&words(), 10) };
    assert!(amounts(&silent).is_empty());
}

#[test]
fn a_bill_never_asks_for_more_than_was_told() {
    let told = MeterUse { told: cny("0.40"), ..used(&words(), 1000) };
    assert_eq!(amounts(&told), ["0.50", "-0.10"]);
    let lines = told.lines(&opened(), Currency::CNY).unwrap();
    assert_eq!(lines[1].kind, LineKind::Correction);
    let overage = told.overage(BillId::new(opened().period.start), &lines, Currency::CNY).unwrap();
    assert_eq!((overage.fee, overage.used.quantity), (cny("0.40"), atoms(1000)));
}

#[test]
fn currencies_without_and_with_three_decimals_round_to_their_own_minor_unit() {
    for (code, price, per, quantity, expected) in [
        ("JPY", "7", 10, 5, "4"),
        ("JPY", "7", 10, 4, "3"),
        ("KWD", "0.001", 2, 1, "0.001"),
        ("USD", "0.01", 2, 1, "0.01"),
    ] {
        let currency = Currency::parse(code).unwrap();
        let price = Money::parse(price, currency).unwrap();
        let tariff = Tariff::new(vec![Tier { up_to: None, per: atoms(per), price }], Rounding::Exact).unwrap();
        let told = tariff.fee(atoms(quantity)).unwrap();
        let stretches = vec![Stretch { to: atoms(quantity), exhausted: Some(OnExhausted::Overage(tariff)) }];
        let used = MeterUse { stretches, told, billed_fee: Money::zero(currency), ..used(&words(), 1) };
        let lines = used.lines(&opened(), currency).unwrap();
        assert_eq!(lines[0].amount.to_decimal(), expected, "{code} {quantity}");
    }
}

#[test]
fn a_line_says_its_quantity_in_display_units_and_its_tier() {
    let gigabytes = MeterUse { meter: meter(3, 1024), ..used(&storage(), 1_536_000) };
    let lines = gigabytes.lines(&opened(), Currency::CNY).unwrap();
    let (shown, tier) = (lines[0].used.as_ref().unwrap(), lines[0].tier.as_ref().unwrap());
    assert_eq!((shown.display.as_str(), shown.unit.as_str()), ("1.5", "shown"));
    assert_eq!((tier.per_text.as_str(), tier.price, tier.up_to), ("1024", cny("0.20"), None));
}

proptest! {
    #[test]
    fn however_a_period_is_cut_its_lines_add_up_to_the_rounded_fee(
        total in 0_i64..3_000_000, cuts in proptest::collection::vec(0_i64..3_000_000, 0..4), late in 0_i64..3_000_000,
        bounds in (1_i64..500_000, 1_i64..500_000), prices in (0_i64..3_000_000_000, 0_i64..3_000_000_000), up in any::<bool>(),
    ) {
        let round = if up { Rounding::Up } else { Rounding::Exact };
        let price = |nanos| Money::from_nanos(nanos, Currency::CNY);
        let tariff = Tariff::new(vec![
            Tier { up_to: Some(atoms(bounds.0)), per: atoms(1000), price: price(prices.0) },
            Tier { up_to: Some(atoms(bounds.0 + bounds.1)), per: atoms(64), price: price(prices.1) },
            Tier { up_to: None, per: atoms(1000), price: price(prices.0 / 2) },
        ], round).unwrap();
        let mut points: Vec<i64> = cuts.into_iter().filter(|cut| *cut < total).chain([total]).collect();
        points.sort_unstable();
        let (mut billed, mut asked) = (0, price(0));
        for point in points {
            let rest = MeterUse {
                billed: atoms(billed), billed_fee: asked, adjusted: atoms(late.min(point - billed)), ..used(&tariff, point)
            };
            let lines = rest.lines(&opened(), Currency::CNY).unwrap();
            for line in &lines {
                prop_assert!(line.kind != LineKind::Correction, "{line:?}");
                asked = asked.checked_add(line.amount).unwrap();
            }
            let quantity: i64 = lines.iter().map(|line| line.used.as_ref().unwrap().quantity.as_atoms()).sum();
            prop_assert_eq!(quantity, point - billed);
            billed = point;
        }
        prop_assert_eq!(asked, tariff.fee(atoms(total)).unwrap().round_half_away_to_minor().unwrap());
    }
}

/// A wallet's ten, then what is owed by `words` up to a total.
fn wallet_then_owed(total: i64) -> MeterUse {
    let mixed = [
        Stretch { to: atoms(10_000), exhausted: Some(OnExhausted::Wallet(words())) },
        Stretch { to: atoms(total), exhausted: Some(OnExhausted::Overage(words())) },
    ];
    MeterUse { stretches: mixed.to_vec(), ..used(&words(), total) }
}

#[test]
fn what_the_wallet_paid_is_on_no_bill_and_the_next_bill_begins_where_the_last_one_ended() {
    let first = wallet_then_owed(15_000);
    let lines = first.lines(&opened(), Currency::CNY).unwrap();
    let quantity = |line: &BillLine| line.used.as_ref().unwrap().quantity;
    assert_eq!(lines.iter().map(quantity).collect::<Vec<_>>(), [atoms(5_000)]);
    let next = MeterUse { billed: atoms(5_000), billed_fee: cny("2.50"), ..wallet_then_owed(18_000) };
    let lines = next.lines(&opened(), Currency::CNY).unwrap();
    assert_eq!(lines.iter().map(quantity).collect::<Vec<_>>(), [atoms(3_000)], "nothing twice, no correction");
    assert_eq!(amounts(&next), ["1.50"]);
}

#[test]
fn a_quantity_that_is_owed_lies_behind_what_the_wallet_paid() {
    let stretch = |to, owed| {
        let exhausted = if owed { OnExhausted::Overage(words()) } else { OnExhausted::Wallet(words()) };
        Stretch { to: atoms(to), exhausted: Some(exhausted) }
    };
    let curve = [stretch(10, false), stretch(15, true), stretch(40, false), stretch(50, true)];
    for (owed, point) in [(0, 0), (1, 11), (5, 15), (6, 41), (15, 50), (99, 50)] {
        assert_eq!(point_of_owed(&curve, atoms(owed)), atoms(point), "{owed}");
    }
}
