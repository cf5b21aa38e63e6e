//! `suanpan plans check [FILE]`: what a configuration sells, or every mistake in it.

use crate::settings::Settings;
use domain::plans::{Catalogue, Plan};
use std::fmt::Write;
use std::path::Path;

/// Checks `file` over the defaults, or the defaults alone. The report of a failure is one line per
/// mistake and nothing else; the flag says whether all is well. The environment plays no part.
pub fn plans_check(file: Option<&Path>) -> (String, bool) {
    match Settings::load(file, []) {
        Ok(settings) => (summary(settings.catalogue()), true),
        Err(mistakes) => (mistakes.join("\n"), false),
    }
}

fn summary(catalogue: &Catalogue) -> String {
    let mut report = String::new();
    for plan in catalogue.plans.values() {
        // Writing to a String cannot fail.
        let _ = writeln!(report, "{}: {}; {}", plan.code, prices(plan), meters(plan));
    }
    let (meters, plans) = (catalogue.meters.len(), catalogue.plans.len());
    let _ = write!(report, "{meters} meters and {plans} plans are correct.");
    report
}

fn prices(plan: &Plan) -> String {
    let seat = if plan.per_seat { " per seat" } else { "" };
    let price = plan.prices.iter().map(|(interval, price)| format!("{price:?}{seat} a {}", interval.name()));
    price.collect::<Vec<_>>().join(", ")
}

fn meters(plan: &Plan) -> String {
    let terms = plan.meters.iter().map(|(code, terms)| format!("{code} ({})", terms.on_exhausted.name()));
    terms.collect::<Vec<_>>().join(", ")
}
