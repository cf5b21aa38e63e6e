//! Reads `on_exhausted` and the tariff it needs.

use super::document::{Fields, Mistakes, Node};
use crate::money::{Currency, Money};
use crate::plans::{OnExhausted, Rounding, Tariff, TariffError, Tier};

/// Turns the tariff, where one is needed, into what happens.
enum Wanted {
    Refuse,
    Overage,
    Wallet,
}

pub(super) fn read(
    terms: &Fields,
    scale: u8,
    currency: Option<Currency>,
    mistakes: &mut Mistakes,
) -> Option<OnExhausted> {
    let wanted = terms
        .require("on_exhausted", mistakes)
        .and_then(|node| node.word("`refuse`, `overage` or `wallet`", parse_wanted, mistakes));
    let overage = terms.get("overage");
    let tariff = overage.as_ref().and_then(|node| read_tariff(node, scale, currency, mistakes));
    match (wanted?, overage) {
        (Wanted::Refuse, None) => Some(OnExhausted::Refuse),
        (Wanted::Refuse, Some(node)) => {
            mistakes.add(node.path, "is not needed: consumption is refused when the allowance is used up");
            None
        }
        (_, None) => {
            mistakes.add(terms.path_of("overage"), "is missing: it says what goes beyond the allowance costs");
            None
        }
        (Wanted::Overage, Some(_)) => tariff.map(OnExhausted::Overage),
        (Wanted::Wallet, Some(_)) => tariff.map(OnExhausted::Wallet),
    }
}

fn parse_wanted(word: &str) -> Option<Wanted> {
    match word {
        "refuse" => Some(Wanted::Refuse),
        "overage" => Some(Wanted::Overage),
        "wallet" => Some(Wanted::Wallet),
        _ => None,
    }
}

/// `{per, price, round}` for one price, or `{tiers: [{up_to, per, price}, …], round}`.
fn read_tariff(node: &Node, scale: u8, currency: Option<Currency>, mistakes: &mut Mistakes) -> Option<Tariff> {
    let fields = node.fields(&["per", "price", "tiers", "round"], mistakes)?;
    let round = match fields.get("round") {
        Some(node) => node.word("`exact` or `up`", parse_rounding, mistakes),
        None => Some(Rounding::Exact),
    };
    let Some(list) = fields.get("tiers") else {
        let tier = read_price(&fields, scale, currency, mistakes).map(|(per, price)| Tier { up_to: None, per, price });
        return build(vec![tier?], round?, node, false, mistakes);
    };
    for key in ["per", "price"] {
        if let Some(beside) = fields.get(key) {
            mistakes.add(beside.path, "does not go beside `tiers`: each tier has its own");
        }
    }
    let items = list.items(mistakes)?;
    let tiers: Vec<_> = items.iter().map(|item| read_tier(item, scale, currency, mistakes)).collect();
    build(tiers.into_iter().collect::<Option<_>>()?, round?, &list, true, mistakes)
}

fn read_tier(node: &Node, scale: u8, currency: Option<Currency>, mistakes: &mut Mistakes) -> Option<Tier> {
    let fields = node.fields(&["up_to", "per", "price"], mistakes)?;
    let up_to = match fields.get("up_to") {
        Some(node) => node.quantity(scale, mistakes).map(Some),
        None => Some(None),
    };
    let price = read_price(&fields, scale, currency, mistakes);
    let (per, price) = price?;
    Some(Tier { up_to: up_to?, per, price })
}

fn read_price(
    fields: &Fields,
    scale: u8,
    currency: Option<Currency>,
    mistakes: &mut Mistakes,
) -> Option<(crate::quantity::Quantity, Money)> {
    let per = fields.require("per", mistakes).and_then(|node| node.quantity(scale, mistakes));
    let price = fields.require("price", mistakes).and_then(|node| node.money(Money::parse, currency, mistakes));
    Some((per?, price?))
}

fn parse_rounding(word: &str) -> Option<Rounding> {
    match word {
        "exact" => Some(Rounding::Exact),
        "up" => Some(Rounding::Up),
        _ => None,
    }
}

/// Checks the tiers together, and names the key of the tier that breaks the rule.
fn build(tiers: Vec<Tier>, round: Rounding, node: &Node, listed: bool, mistakes: &mut Mistakes) -> Option<Tariff> {
    let error = match Tariff::new(tiers, round) {
        Ok(tariff) => return Some(tariff),
        Err(error) => error,
    };
    let (index, key) = match error {
        TariffError::Empty | TariffError::TooMany => (None, ""),
        TariffError::NotRising(index) | TariffError::OpenTooEarly(index) | TariffError::LastNotOpen(index) => {
            (Some(index), "up_to")
        }
        TariffError::PerNotPositive(index) | TariffError::Incommensurable(index) => (Some(index), "per"),
        TariffError::NegativePrice(index) | TariffError::MixedCurrencies(index) => (Some(index), "price"),
    };
    let path = match index {
        Some(index) if listed => format!("{}[{index}].{key}", node.path),
        Some(_) => format!("{}.{key}", node.path),
        None => node.path.clone(),
    };
    mistakes.add(path, error.to_string());
    None
}
