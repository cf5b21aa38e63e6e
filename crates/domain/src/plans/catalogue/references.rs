//! Checks how plans refer to each other: fallbacks and the default plan.

use super::billing::Billing;
use super::document::{Fields, Mistakes};
use crate::plans::{Plan, PlanCode};
use std::collections::{BTreeMap, BTreeSet};

pub(super) fn check(
    root: &Fields,
    plans: &BTreeMap<PlanCode, Option<Plan>>,
    billing: &Billing,
    mistakes: &mut Mistakes,
) {
    for plan in plans.values().flatten() {
        let path = format!("{}.{}.fallback", root.path_of("plans"), plan.code);
        match &plan.fallback {
            Some(code) if !plans.contains_key(code) => mistakes.add(path, format!("there is no plan `{code}`")),
            Some(_) if returns_to(plan, plans) => mistakes.add(path, "leads back to the plan itself"),
            _ => {}
        }
    }
    let Some(code) = &billing.default_plan else { return };
    let path = format!("{}.default_plan", root.path_of("billing"));
    match plans.get(code) {
        None => mistakes.add(path, format!("there is no plan `{code}`")),
        Some(Some(plan)) if !plan.is_free() => mistakes.add(path, format!("plan `{code}` is not free")),
        Some(_) => {}
    }
}

/// Whether following fallbacks from `start` comes back to it.
fn returns_to(start: &Plan, plans: &BTreeMap<PlanCode, Option<Plan>>) -> bool {
    let mut seen = BTreeSet::new();
    let mut next = start.fallback.as_ref();
    while let Some(code) = next {
        if *code == start.code {
            return true;
        }
        if !seen.insert(code) {
            return false;
        }
        next = plans.get(code).and_then(Option::as_ref).and_then(|plan| plan.fallback.as_ref());
    }
    false
}
