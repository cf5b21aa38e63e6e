//! Reads `plans`: prices, seats and terms per meter.

use super::document::{Fields, Mistakes, Node};
use super::overage;
use crate::money::{Currency, Money};
use crate::plans::{Allowance, Interval, Meter, MeterCode, MeterTerms, Percent, Plan, PlanCode, SeatRule};
use std::collections::BTreeMap;

/// Longest name of a plan, in characters.
const MAX_NAME: usize = 64;
/// Most seats that a plan can be sold with.
const MAX_SEATS: i64 = 1_000_000;
/// Decimals that quantities may have where the meter itself could not be read.
const ANY_SCALE: u8 = 9;

/// What a plan refers to.
pub(super) struct Context<'a> {
    pub(super) currency: Option<Currency>,
    pub(super) meters: &'a BTreeMap<MeterCode, Option<Meter>>,
    pub(super) warnings: &'a [Percent],
}

/// Every plan with a code; `None` where it could not be read.
pub(super) fn read(root: &Fields, context: &Context, mistakes: &mut Mistakes) -> BTreeMap<PlanCode, Option<Plan>> {
    let section = root.require("plans", mistakes).and_then(|node| node.entries(mistakes));
    let mut plans = BTreeMap::new();
    for (key, node) in section.unwrap_or_default() {
        match PlanCode::parse(key) {
            Some(code) => {
                let plan = read_plan(code.clone(), &node, context, mistakes);
                plans.insert(code, plan);
            }
            None => mistakes.add(node.path, "a plan's code is 1 to 32 of a-z, 0-9 and _, and begins with a letter"),
        }
    }
    plans
}

fn read_plan(code: PlanCode, node: &Node, context: &Context, mistakes: &mut Mistakes) -> Option<Plan> {
    let fields = node.fields(&["name", "price", "seats", "meters", "fallback"], mistakes)?;
    let name = match fields.get("name") {
        Some(node) => node.text(MAX_NAME, mistakes),
        None => Some(code.as_str()),
    };
    let price = fields.require("price", mistakes).and_then(|node| read_price(&node, context.currency, mistakes));
    let seats_given = fields.get("seats");
    let seats = seats_given.as_ref().and_then(|node| read_seats(node, mistakes));
    if let Some(price) = price.as_ref().filter(|price| price.per_seat) {
        check_seat_price(price, seats_given.is_some(), seats, &fields, mistakes);
    }
    let meters = read_terms(&fields, seats_given.is_some(), context, mistakes);
    let fallback = fields
        .get("fallback")
        .map(|node| node.word("a plan's code", PlanCode::parse, mistakes))
        .map_or(Some(None), |code| code.map(Some));
    let name = name?.to_owned();
    let Price { prices, per_seat } = price?;
    let (meters, fallback, currency) = (meters?, fallback?, context.currency?);
    if seats_given.is_some() && seats.is_none() {
        return None;
    }
    let warnings = context.warnings.to_vec();
    Some(Plan { code, name, prices, per_seat, seats, meters, fallback, warnings, currency })
}

struct Price {
    prices: BTreeMap<Interval, Money>,
    per_seat: bool,
}

fn read_price(node: &Node, currency: Option<Currency>, mistakes: &mut Mistakes) -> Option<Price> {
    let fields = node.fields(&["month", "year", "per"], mistakes)?;
    let given: Vec<_> =
        Interval::ALL.into_iter().filter_map(|interval| Some((interval, fields.get(interval.name())?))).collect();
    if given.is_empty() {
        mistakes.add(&node.path, "names no price: give `month`, `year` or both");
        return None;
    }
    let wanted = given.len();
    let mut prices = BTreeMap::new();
    for (interval, node) in given {
        if let Some(price) = node.money(Money::parse_minor, currency, mistakes) {
            prices.insert(interval, price);
        }
    }
    let per_seat = read_per_seat(&fields, mistakes)?;
    (prices.len() == wanted).then_some(Price { prices, per_seat })
}

/// `per: seat`, the only word there is.
fn read_per_seat(fields: &Fields, mistakes: &mut Mistakes) -> Option<bool> {
    match fields.get("per") {
        Some(node) => node.word("`seat`, or left out", |word| (word == "seat").then_some(true), mistakes),
        None => Some(false),
    }
}

fn read_seats(node: &Node, mistakes: &mut Mistakes) -> Option<SeatRule> {
    let fields = node.fields(&["included", "min", "max"], mistakes)?;
    let mut seats = |key| {
        let whole = fields.require(key, mistakes)?.whole(1..=MAX_SEATS, mistakes)?;
        u32::try_from(whole).ok()
    };
    let (included, min, max) = (seats("included"), seats("min"), seats("max"));
    let rule = SeatRule { included: included?, min: min?, max: max? };
    if rule.min > rule.max {
        mistakes.add(fields.path_of("min"), "must not be above max");
        return None;
    }
    if !(rule.min..=rule.max).contains(&rule.included) {
        mistakes.add(fields.path_of("included"), "must be within min and max");
        return None;
    }
    Some(rule)
}

/// A price per seat needs seats, and the price of all of them must be an amount.
fn check_seat_price(price: &Price, given: bool, seats: Option<SeatRule>, fields: &Fields, mistakes: &mut Mistakes) {
    if !given {
        mistakes.add(fields.path_of("seats"), "is missing: the price is per seat");
    }
    let most = seats.map_or(1, |rule| i64::from(rule.max));
    if price.prices.values().any(|price| price.nanos().checked_mul(most).is_none()) {
        mistakes.add(fields.path_of("price"), "is too large for the most seats");
    }
}

fn read_terms(
    plan: &Fields,
    has_seats: bool,
    context: &Context,
    mistakes: &mut Mistakes,
) -> Option<BTreeMap<MeterCode, MeterTerms>> {
    let entries = plan.require("meters", mistakes)?.entries(mistakes)?;
    let wanted = entries.len();
    let mut terms = BTreeMap::new();
    for (key, node) in entries {
        let Some((code, meter)) = context.meters.get_key_value(key) else {
            mistakes.add(node.path, "unknown meter");
            continue;
        };
        let scale = meter.as_ref().map_or(ANY_SCALE, |meter| meter.scale);
        if let Some(read) = read_meter_terms(&node, scale, has_seats, context.currency, mistakes) {
            terms.insert(code.clone(), read);
        }
    }
    (terms.len() == wanted).then_some(terms)
}

fn read_meter_terms(
    node: &Node,
    scale: u8,
    has_seats: bool,
    currency: Option<Currency>,
    mistakes: &mut Mistakes,
) -> Option<MeterTerms> {
    let fields = node.fields(&["included", "per", "on_exhausted", "overage"], mistakes)?;
    let included = fields.require("included", mistakes).and_then(|node| {
        if node.is_text("unlimited") {
            return Some(Allowance::Unlimited);
        }
        node.quantity(scale, mistakes).map(Allowance::Limited)
    });
    let per_seat = read_per_seat(&fields, mistakes);
    if per_seat == Some(true) && !has_seats {
        mistakes.add(fields.path_of("per"), "the plan has no `seats`");
        return None;
    }
    let on_exhausted = overage::read(&fields, scale, currency, mistakes);
    Some(MeterTerms { included: included?, per_seat: per_seat?, on_exhausted: on_exhausted? })
}
