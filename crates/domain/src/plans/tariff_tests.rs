use super::*;
use proptest::prelude::*;

fn cny(text: &str) -> Money {
    Money::parse(text, Currency::CNY).unwrap()
}

fn tier(up_to: Option<i64>, per: i64, price: &str) -> Tier {
    Tier { up_to: up_to.map(Quantity::atoms), per: Quantity::atoms(per), price: cny(price) }
}

fn tariff(tiers: &[Tier], round: Rounding) -> Tariff {
    Tariff::new(tiers.to_vec(), round).unwrap()
}

fn fee(tariff: &Tariff, atoms: i64) -> Money {
    tariff.fee(Quantity::atoms(atoms)).unwrap()
}

#[test]
fn half_a_yuan_per_thousand_words_is_exact_to_the_word() {
    let words = tariff(&[tier(None, 1000, "0.50")], Rounding::Exact);
    assert_eq!(fee(&words, 0), cny("0"));
    assert_eq!(fee(&words, 1), cny("0.0005"));
    assert_eq!(fee(&words, 500), cny("0.25"));
    assert_eq!(fee(&words, -5), cny("0"));
}

#[test]
fn a_started_unit_counts_whole_when_rounding_up() {
    let storage = tariff(&[tier(None, 1024, "0.20")], Rounding::Up);
    assert_eq!(fee(&storage, 0), cny("0"));
    assert_eq!(fee(&storage, 1), cny("0.20"));
    assert_eq!(fee(&storage, 1024), cny("0.20"));
    assert_eq!(fee(&storage, 1025), cny("0.40"));
}

#[test]
fn a_tier_holds_up_to_and_including_its_bound() {
    let cu = tariff(&[tier(Some(500), 1, "0.10"), tier(None, 1, "0.08")], Rounding::Exact);
    assert_eq!(fee(&cu, 499), cny("49.90"));
    assert_eq!(fee(&cu, 500), cny("50.00"));
    assert_eq!(fee(&cu, 501), cny("50.08"));
}

#[test]
fn thirds_of_two_tiers_are_rounded_once_on_their_sum() {
    let cheap = "0.000000001";
    let thirds = tariff(&[tier(Some(1), 3, cheap), tier(None, 6, cheap)], Rounding::Exact);
    // 1/3 + 1/6 of a nano is exactly half: rounding each alone would give nothing.
    assert_eq!(fee(&thirds, 1).nanos(), 0);
    assert_eq!(fee(&thirds, 2).nanos(), 1);
}

#[test]
fn every_way_to_write_tiers_wrongly_is_named() {
    let new = |tiers: &[Tier]| Tariff::new(tiers.to_vec(), Rounding::Exact).unwrap_err();
    let open = tier(None, 1, "1");
    assert_eq!(new(&[]), TariffError::Empty);
    assert_eq!(new(&[open; MAX_TIERS + 1]), TariffError::TooMany);
    assert_eq!(new(&[tier(Some(5), 1, "1"), tier(Some(5), 1, "1"), open]), TariffError::NotRising(1));
    assert_eq!(new(&[tier(Some(0), 1, "1"), open]), TariffError::NotRising(0));
    assert_eq!(new(&[open, open]), TariffError::OpenTooEarly(0));
    assert_eq!(new(&[tier(Some(5), 1, "1")]), TariffError::LastNotOpen(0));
    assert_eq!(new(&[tier(None, 0, "1")]), TariffError::PerNotPositive(0));
    assert_eq!(new(&[tier(None, 1, "-1")]), TariffError::NegativePrice(0));
    let dollars = Money::zero(Currency::parse("USD").unwrap());
    let mixed = [tier(Some(5), 1, "1"), Tier { price: dollars, ..open }];
    assert_eq!(new(&mixed), TariffError::MixedCurrencies(1));
    let (huge, larger) = (tier(Some(5), i64::MAX, "1"), tier(None, i64::MAX - 1, "1"));
    assert_eq!(new(&[huge, larger]), TariffError::Incommensurable(1));
}

#[test]
fn a_tariff_read_from_json_is_checked() {
    let cu = tariff(&[tier(Some(500), 1, "0.10"), tier(None, 1, "0.08")], Rounding::Up);
    let json = serde_json::to_string(&cu).unwrap();
    assert_eq!(serde_json::from_str::<Tariff>(&json).unwrap(), cu);
    assert!(serde_json::from_str::<Tariff>(&json.replace("500", "-500")).is_err());
}

#[test]
fn a_free_tariff_affords_everything_and_no_budget_affords_nothing() {
    let free = tariff(&[tier(None, 1, "0")], Rounding::Exact);
    let before = Quantity::atoms(7);
    assert_eq!(free.affordable(before, cny("0")), Quantity::atoms(i64::MAX - 7));
    assert_eq!(free.affordable(before, cny("-1")), Quantity::ZERO);
    assert_eq!(free.affordable(before, Money::zero(Currency::parse("USD").unwrap())), Quantity::ZERO);
}

#[test]
fn a_fee_too_large_to_represent_is_an_error_and_not_affordable() {
    let dear = tariff(&[tier(None, 1, "9000000000")], Rounding::Exact);
    assert_eq!(dear.fee(Quantity::atoms(2)), Err(MoneyError::Overflow));
    assert_eq!(dear.fee(Quantity::MAX), Err(MoneyError::Overflow));
    assert_eq!(dear.affordable(Quantity::ZERO, Money::from_nanos(i64::MAX, Currency::CNY)), Quantity::atoms(1));
}

/// The obvious model: walk atom by atom, add exact fractions over the product of all `per`.
fn slow_fee(tariff: &Tariff, atoms: i64) -> i64 {
    let denominator: i128 = tariff.tiers().iter().map(|tier| i128::from(tier.per.as_atoms())).product();
    let mut sum = 0_i128;
    let mut in_tier = vec![0_i64; tariff.tiers().len()];
    for atom in 1..=atoms {
        let holds = |tier: &Tier| tier.up_to.is_none_or(|up_to| atom <= up_to.as_atoms());
        let index = tariff.tiers().iter().position(holds).unwrap();
        let tier = tariff.tiers()[index];
        let (price, per) = (i128::from(tier.price.nanos()), i128::from(tier.per.as_atoms()));
        match tariff.round() {
            Rounding::Exact => sum += price * denominator / per,
            Rounding::Up if i128::from(in_tier[index]) % per == 0 => sum += price * denominator,
            Rounding::Up => {}
        }
        in_tier[index] += 1;
    }
    i64::try_from((2 * sum + denominator) / (2 * denominator)).unwrap()
}

fn tariffs() -> impl Strategy<Value = Tariff> {
    let tier = (1_i64..60, 1_i64..40, 0_i64..2_000);
    (proptest::collection::vec(tier, 1..5), any::<bool>()).prop_map(|(drawn, up)| {
        let mut bound = 0;
        let last = drawn.len() - 1;
        let tiers = drawn.into_iter().enumerate().map(|(index, (width, per, price))| {
            bound += width;
            let up_to = (index < last).then_some(Quantity::atoms(bound));
            Tier { up_to, per: Quantity::atoms(per), price: Money::from_nanos(price, Currency::CNY) }
        });
        Tariff::new(tiers.collect(), if up { Rounding::Up } else { Rounding::Exact }).unwrap()
    })
}

proptest! {
    #[test]
    fn the_fee_is_what_counting_atom_by_atom_gives(tariff in tariffs(), atoms in 0_i64..400) {
        prop_assert_eq!(fee(&tariff, atoms).nanos(), slow_fee(&tariff, atoms));
    }

    #[test]
    fn many_small_steps_cost_what_one_large_step_does(
        tariff in tariffs(),
        start in 0_i64..100,
        steps in proptest::collection::vec(0_i64..50, 0..20),
    ) {
        let mut sum = Money::zero(Currency::CNY);
        let mut at = start;
        for step in steps {
            let fee = tariff.step_fee(Quantity::atoms(at), Quantity::atoms(at + step)).unwrap();
            prop_assert!(fee.nanos() >= 0);
            sum = sum.checked_add(fee).unwrap();
            at += step;
        }
        prop_assert_eq!(Ok(sum), tariff.step_fee(Quantity::atoms(start), Quantity::atoms(at)));
    }

    #[test]
    fn what_is_affordable_fits_and_one_atom_more_does_not(
        tariff in tariffs(),
        before in 0_i64..200,
        budget in 0_i64..200_000,
    ) {
        let (before, budget) = (Quantity::atoms(before), Money::from_nanos(budget, Currency::CNY));
        let most = tariff.affordable(before, budget);
        let fits = |extra: Quantity| {
            let after = before.checked_add(extra).unwrap();
            tariff.step_fee(before, after).is_ok_and(|fee| fee.nanos() <= budget.nanos())
        };
        prop_assert!(fits(most));
        if most.checked_add(before) != Some(Quantity::MAX) {
            prop_assert!(!fits(most.checked_add(Quantity::atoms(1)).unwrap()));
        }
    }
}
