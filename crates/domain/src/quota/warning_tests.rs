use super::*;
use proptest::prelude::*;

fn percents(values: &[u16]) -> Vec<Percent> {
    values.iter().map(|value| Percent::new(*value).unwrap()).collect()
}

fn limited(limit: i64) -> Allowance {
    Allowance::Limited(Quantity::atoms(limit))
}

fn state(limit: i64) -> WarningState {
    WarningState::starting(limited(limit))
}

fn observe(state: &mut WarningState, limit: i64, before: i64, after: i64) -> Vec<u16> {
    let thresholds = percents(&[80, 100]);
    let fired = state.observe(&thresholds, limited(limit), Quantity::atoms(before), Quantity::atoms(after));
    fired.iter().map(|percent| percent.get()).collect()
}

#[test]
fn a_threshold_fires_exactly_at_its_boundary() {
    assert!(observe(&mut state(1000), 1000, 798, 799).is_empty());
    assert_eq!(observe(&mut state(1000), 1000, 799, 800), [80]);
    assert!(observe(&mut state(1000), 1000, 800, 801).is_empty());
}

#[test]
fn one_jump_over_both_fires_both_in_order() {
    assert_eq!(observe(&mut state(1000), 1000, 0, 2000), [80, 100]);
}

#[test]
fn a_level_that_falls_and_rises_again_does_not_fire_twice() {
    let mut state = state(1000);
    assert_eq!(observe(&mut state, 1000, 0, 850), [80]);
    assert!(observe(&mut state, 1000, 850, 100).is_empty());
    assert!(observe(&mut state, 1000, 100, 900).is_empty());
}

#[test]
fn a_larger_limit_rearms_what_is_no_longer_reached() {
    let mut state = state(1000);
    assert_eq!(observe(&mut state, 1000, 0, 1000), [80, 100]);
    assert_eq!(observe(&mut state, 1200, 1000, 1199), Vec::<u16>::new(), "80 % of 1200 is still reached");
    assert_eq!(observe(&mut state, 1200, 1199, 1200), [100]);
    assert_eq!(state.generation, 1);
}

#[test]
fn a_limit_that_shrinks_below_usage_fires_on_the_next_use() {
    let mut state = state(1000);
    assert!(observe(&mut state, 1000, 0, 700).is_empty());
    assert_eq!(observe(&mut state, 800, 700, 701), [80]);
}

#[test]
fn unlimited_and_zero_limits_never_warn() {
    let thresholds = percents(&[80, 100]);
    let mut unlimited = WarningState::starting(Allowance::Unlimited);
    let most = Quantity::MAX;
    assert!(unlimited.observe(&thresholds, Allowance::Unlimited, Quantity::ZERO, most).is_empty());
    assert!(observe(&mut state(0), 0, 0, 10).is_empty());
}

#[derive(Clone, Debug)]
enum Step {
    Use(i64),
    Limit(i64),
    NewPeriod,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        6 => (1_i64..400).prop_map(Step::Use),
        1 => (1_i64..3000).prop_map(Step::Limit),
        1 => Just(Step::NewPeriod),
    ];
    prop::collection::vec(step, 1..60)
}

proptest! {
    /// The model keeps a flag per threshold, as kg's columns did, and clears it when a raised limit is no longer reached.
    #[test]
    fn thresholds_fire_once_under_any_sequence_of_use_resets_and_limits(steps in steps(), first in 1_i64..3000) {
        let (mut limit, mut used, mut state, mut flags) = (first, 0, state(first), [false; 2]);
        for step in steps {
            match step {
                Step::NewPeriod => (used, state, flags) = (0, WarningState::starting(limited(limit)), [false; 2]),
                Step::Limit(raised) => {
                    for (flag, t) in flags.iter_mut().zip([80, 100]) {
                        *flag = *flag && (raised <= limit || used * 100 >= t * raised);
                    }
                    limit = raised;
                    // The engine looks at limits only when something is used.
                    observe(&mut state, limit, used, used);
                    for (flag, t) in flags.iter_mut().zip([80, 100]) {
                        *flag = *flag || used * 100 >= t * limit;
                    }
                }
                Step::Use(quantity) => {
                    let after = used + quantity;
                    let expected: Vec<u16> = [80_u16, 100].into_iter().zip(flags)
                        .filter(|(t, flag)| !flag && after * 100 >= i64::from(*t) * limit).map(|(t, _)| t).collect();
                    prop_assert_eq!(observe(&mut state, limit, used, after), expected);
                    used = after;
                    for (flag, t) in flags.iter_mut().zip([80, 100]) {
                        *flag = *flag || used * 100 >= t * limit;
                    }
                }
            }
        }
    }
}
