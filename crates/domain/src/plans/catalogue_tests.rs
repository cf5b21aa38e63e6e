use super::*;
use crate::plans::{Allowance, Interval, MeterKind, OnExhausted, Rounding};
use crate::quantity::Quantity;
use serde_json::json;

/// A correct document, like `config/default.yaml`.
fn document() -> Value {
    json!({
        "meters": {
            "words": {"unit": "word", "scale": 0, "kind": "counter", "display": {"name": "字", "per": 1}},
            "storage": {"unit": "MB", "scale": 3, "kind": "gauge", "display": {"name": "GB", "per": 1024}},
            "cu": {"unit": "CU", "scale": 3, "kind": "counter"}
        },
        "plans": {
            "free": {
                "price": {"month": "0.00 CNY"},
                "meters": {"words": {"included": 30000, "on_exhausted": "refuse"}}
            },
            "team": {
                "name": "Team",
                "price": {"month": "99.00 CNY", "year": "999.00 CNY", "per": "seat"},
                "seats": {"included": 3, "min": 3, "max": 100},
                "fallback": "free",
                "meters": {
                    "words": {"included": 300_000, "per": "seat", "on_exhausted": "overage",
                        "overage": {"per": 1000, "price": "0.50 CNY", "round": "up"}},
                    "storage": {"included": "102400.5", "on_exhausted": "wallet",
                        "overage": {"per": 1024, "price": "0.000000001 CNY"}},
                    "cu": {"included": "unlimited", "on_exhausted": "overage",
                        "overage": {"tiers": [{"up_to": 500, "per": 1, "price": "0.10 CNY"}, {"per": 1, "price": "0.08 CNY"}]}}
                }
            }
        },
        "warnings": {"at": [100, 80]},
        "billing": {"currency": "CNY", "time_zone": "Asia/Shanghai", "spend_cap": null, "default_plan": "free"}
    })
}

#[test]
fn a_correct_document_is_read_whole() {
    let catalogue = Catalogue::parse(&document()).unwrap();
    assert_eq!(catalogue.zone, chrono_tz::Asia::Shanghai);
    assert_eq!(catalogue.spend_cap, None);
    assert_eq!(catalogue.meters["storage"].kind, MeterKind::Gauge);
    assert_eq!(catalogue.meters["cu"].display.name, "CU");
    let team = &catalogue.plans["team"];
    assert_eq!(team.price(Interval::Year, 3).unwrap().to_decimal(), "2997.00");
    assert_eq!(team.warnings.iter().map(|percent| percent.get()).collect::<Vec<_>>(), [80, 100]);
    assert_eq!(team.meters["words"].allowance(3), Allowance::Limited(Quantity::atoms(900_000)));
    assert_eq!(team.meters["storage"].included, Allowance::Limited(Quantity::atoms(102_400_500)));
    assert!(
        matches!(&team.meters["storage"].on_exhausted, OnExhausted::Wallet(tariff) if tariff.round() == Rounding::Exact)
    );
    let cu = team.meters["cu"].on_exhausted.tariff().unwrap();
    assert_eq!(cu.tiers()[0].up_to, Some(Quantity::atoms(500_000)));
    assert_eq!(catalogue.default_plan().unwrap().name, "free");
}

#[test]
fn a_catalogue_reads_back_from_json() {
    let catalogue = Catalogue::parse(&document()).unwrap();
    let text = serde_json::to_string(&catalogue).unwrap();
    assert_eq!(serde_json::from_str::<Catalogue>(&text).unwrap(), catalogue);
}

#[test]
fn the_default_plan_is_called_free_unless_named() {
    let mut document = document();
    document["billing"]["default_plan"] = Value::Null;
    assert_eq!(Catalogue::parse(&document).unwrap().default_plan.as_str(), "free");
}

/// A pointer into the document, the value put there, the path of the mistake and a word of its reason.
type Case = (&'static str, Value, &'static str, &'static str);

fn with(pointer: &str, value: Value) -> Value {
    let mut document = document();
    let (parent, key) = pointer.rsplit_once('/').unwrap();
    let parent = document.pointer_mut(parent).unwrap();
    match parent {
        Value::Array(list) if key == "-" => list.push(value),
        Value::Array(list) => list[key.parse::<usize>().unwrap()] = value,
        other => other[key] = value,
    }
    document
}

fn assert_single_mistakes(cases: Vec<Case>) {
    for (pointer, value, path, reason) in cases {
        let mistakes = Catalogue::parse(&with(pointer, value.clone())).expect_err(pointer);
        assert_eq!(mistakes.len(), 1, "{pointer} = {value}: {mistakes:?}");
        assert_eq!(mistakes[0].path, path, "{pointer} = {value}: {mistakes:?}");
        assert!(mistakes[0].reason.contains(reason), "{pointer} = {value}: {mistakes:?}");
    }
}

#[test]
fn mistakes_in_meters_are_named() {
    assert_single_mistakes(vec![
        ("/extra", json!(1), "extra", "unknown key"),
        ("/meters/words/colour", json!("red"), "meters.words.colour", "unknown key"),
        ("/meters/Words", json!({}), "meters.Words", "a meter's code"),
        ("/meters/cu/unit", json!(""), "meters.cu.unit", "1 to 32 characters"),
        ("/meters/cu/unit", Value::Null, "meters.cu.unit", "is missing"),
        ("/meters/cu/scale", json!(10), "meters.cu.scale", "from 0 to 9"),
        ("/meters/cu/scale", json!(1.0), "meters.cu.scale", "from 0 to 9"),
        ("/meters/cu/kind", json!("level"), "meters.cu.kind", "`counter` or `gauge`"),
        ("/meters/words/display/per", json!(0), "meters.words.display.per", "from 1"),
        ("/meters/words/display/name", Value::Null, "meters.words.display.name", "is missing"),
    ]);
}

#[test]
fn mistakes_in_prices_and_seats_are_named() {
    assert_single_mistakes(vec![
        ("/plans/team/colour", json!("red"), "plans.team.colour", "unknown key"),
        ("/plans/Team", json!({}), "plans.Team", "a plan's code"),
        ("/plans/team/name", json!(5), "plans.team.name", "1 to 64 characters"),
        ("/plans/team/price", Value::Null, "plans.team.price", "is missing"),
        ("/plans/team/price", json!({}), "plans.team.price", "names no price"),
        ("/plans/team/price/month", json!("99.001 CNY"), "plans.team.price.month", "at most 2"),
        ("/plans/team/price/month", json!("-99.00 CNY"), "plans.team.price.month", "must not be negative"),
        ("/plans/team/price/month", json!("99.00 USD"), "plans.team.price.month", "billing.currency is CNY"),
        ("/plans/team/price/month", json!("99.00"), "plans.team.price.month", "with its currency"),
        ("/plans/team/price/month", json!("99.00 yuan"), "plans.team.price.month", "with its currency"),
        ("/plans/team/price/month", json!("1e2 CNY"), "plans.team.price.month", "plain decimal"),
        ("/plans/team/price/month", json!(99.5), "plans.team.price.month", "with its currency"),
        ("/plans/team/price/month", json!("9000000000 CNY"), "plans.team.price", "most seats"),
        ("/plans/team/price/per", json!("head"), "plans.team.price.per", "`seat`"),
        ("/plans/free/price/per", json!("seat"), "plans.free.seats", "per seat"),
        ("/plans/team/seats/min", json!(101), "plans.team.seats.min", "above max"),
        ("/plans/team/seats/included", json!(2), "plans.team.seats.included", "within min and max"),
        ("/plans/team/seats/included", json!(101), "plans.team.seats.included", "within min and max"),
        ("/plans/team/seats/max", json!(0), "plans.team.seats.max", "from 1"),
        ("/plans/team/seats/max", Value::Null, "plans.team.seats.max", "is missing"),
        ("/plans/team/fallback", json!("gold"), "plans.team.fallback", "there is no plan `gold`"),
        ("/plans/team/fallback", json!("team"), "plans.team.fallback", "leads back"),
    ]);
}

#[test]
fn mistakes_in_terms_and_tariffs_are_named() {
    let tiers = |first: Value, second: Value| json!({"tiers": [first, second]});
    let open = json!({"per": 1, "price": "0.08 CNY"});
    let low = |up_to: i64| json!({"up_to": up_to, "per": 1, "price": "0.10 CNY"});
    assert_single_mistakes(vec![
        ("/plans/team/meters", Value::Null, "plans.team.meters", "is missing"),
        ("/plans/team/meters/tokens", json!({}), "plans.team.meters.tokens", "unknown meter"),
        ("/plans/team/meters/words/included", Value::Null, "plans.team.meters.words.included", "is missing"),
        ("/plans/team/meters/words/included", json!("1.5"), "plans.team.meters.words.included", "at most 0"),
        ("/plans/team/meters/cu/included", json!("0.0001"), "plans.team.meters.cu.included", "at most 3"),
        ("/plans/team/meters/words/included", json!(1.5), "plans.team.meters.words.included", "quoted string"),
        ("/plans/team/meters/words/included", json!(1e30), "plans.team.meters.words.included", "quoted string"),
        ("/plans/team/meters/words/included", json!(-1), "plans.team.meters.words.included", "not be negative"),
        ("/plans/team/meters/words/included", json!(true), "plans.team.meters.words.included", "whole number"),
        ("/plans/team/meters/words/included", json!("much"), "plans.team.meters.words.included", "plain decimal"),
        ("/plans/team/meters/words/per", json!("user"), "plans.team.meters.words.per", "`seat`"),
        ("/plans/free/meters/words/per", json!("seat"), "plans.free.meters.words.per", "no `seats`"),
        ("/plans/free/meters/words/on_exhausted", json!("stop"), "plans.free.meters.words.on_exhausted", "`refuse`"),
        ("/plans/free/meters/words/on_exhausted", json!("wallet"), "plans.free.meters.words.overage", "is missing"),
        ("/plans/team/meters/words/on_exhausted", json!("refuse"), "plans.team.meters.words.overage", "not needed"),
        ("/plans/team/meters/words/overage/per", json!(0), "plans.team.meters.words.overage.per", "above zero"),
        ("/plans/team/meters/words/overage/per", Value::Null, "plans.team.meters.words.overage.per", "is missing"),
        ("/plans/team/meters/words/overage/round", json!("down"), "plans.team.meters.words.overage.round", "`up`"),
        (
            "/plans/team/meters/words/overage/price",
            json!("-1 CNY"),
            "plans.team.meters.words.overage.price",
            "negative",
        ),
        (
            "/plans/team/meters/words/overage/price",
            json!("0.0000000001 CNY"),
            "plans.team.meters.words.overage.price",
            "at most 9",
        ),
        ("/plans/team/meters/words/overage/price", json!("1 USD"), "plans.team.meters.words.overage.price", "CNY"),
        ("/plans/team/meters/cu/overage/per", json!(1), "plans.team.meters.cu.overage.per", "beside `tiers`"),
        ("/plans/team/meters/cu/overage/tiers", json!([]), "plans.team.meters.cu.overage.tiers", "at least one"),
        (
            "/plans/team/meters/cu/overage",
            tiers(low(5), low(9)),
            "plans.team.meters.cu.overage.tiers[1].up_to",
            "no up_to",
        ),
        (
            "/plans/team/meters/cu/overage",
            tiers(open.clone(), open.clone()),
            "plans.team.meters.cu.overage.tiers[0].up_to",
            "only the last",
        ),
        (
            "/plans/team/meters/cu/overage/tiers",
            json!([low(5), low(5), open]),
            "plans.team.meters.cu.overage.tiers[1].up_to",
            "larger",
        ),
        (
            "/plans/team/meters/cu/overage/tiers/0/flat",
            json!(1),
            "plans.team.meters.cu.overage.tiers[0].flat",
            "unknown key",
        ),
    ]);
}

#[test]
fn mistakes_in_warnings_and_billing_are_named() {
    assert_single_mistakes(vec![
        ("/warnings/at", json!([80, 0]), "warnings.at[1]", "from 1 to 1000"),
        ("/warnings/at", json!([1001]), "warnings.at[0]", "from 1 to 1000"),
        ("/warnings/at", json!([80, 100, 80]), "warnings.at[2]", "twice"),
        ("/warnings/at", json!((1..=17).collect::<Vec<_>>()), "warnings.at", "more than 16"),
        ("/warnings/at", json!(80), "warnings.at", "must be a list"),
        ("/warnings/when", json!(1), "warnings.when", "unknown key"),
        ("/billing/colour", json!(1), "billing.colour", "unknown key"),
        ("/billing/currency", json!("yuan"), "billing.currency", "currency code"),
        ("/billing/currency", Value::Null, "billing.currency", "is missing"),
        ("/billing/time_zone", json!("Asia/Peking"), "billing.time_zone", "time zone"),
        ("/billing/spend_cap", json!("-1 CNY"), "billing.spend_cap", "negative"),
        ("/billing/spend_cap", json!("100 USD"), "billing.spend_cap", "CNY"),
        ("/billing/default_plan", json!("gold"), "billing.default_plan", "there is no plan"),
        ("/billing/default_plan", json!("team"), "billing.default_plan", "not free"),
        ("/billing/seller", json!({"nmae": "算盘"}), "billing.seller.nmae", "unknown key"),
        ("/billing/seller", json!({"name": "two\nlines"}), "billing.seller.name", "one line"),
        ("/billing/seller", json!({"tax_id": 91}), "billing.seller.tax_id", "one line"),
        ("/billing/seller", json!({"contact": "字".repeat(201)}), "billing.seller.contact", "200"),
    ]);
}

#[test]
fn a_seller_has_what_is_said_of_it() {
    let document = with("/billing/seller", json!({"name": " 算盘科技 ", "address": null}));
    let seller = Catalogue::parse(&document).unwrap().seller;
    assert_eq!(seller, Seller { name: Some("算盘科技".to_owned()), ..Seller::default() });
}

#[test]
fn a_circle_of_fallbacks_is_named_at_each_of_its_plans() {
    let mistakes = Catalogue::parse(&with("/plans/free/fallback", json!("team"))).unwrap_err();
    let paths: Vec<_> = mistakes.iter().map(|mistake| mistake.path.as_str()).collect();
    assert_eq!(paths, ["plans.free.fallback", "plans.team.fallback"]);
}

#[test]
fn every_mistake_is_reported_at_once_and_a_broken_meter_is_blamed_once() {
    let mut document = document();
    document["meters"]["cu"]["scale"] = json!(12);
    document["plans"]["team"]["price"]["month"] = json!(99);
    document["plans"]["team"]["meters"]["words"]["included"] = json!(0.5);
    document["plans"]["free"]["meters"]["words"]["on_exhausted"] = json!("never");
    document["warnings"]["at"] = json!([0, 2000]);
    document["billing"]["time_zone"] = json!("Mars");
    let mistakes = Catalogue::parse(&document).unwrap_err();
    assert_eq!(mistakes.len(), 7, "{mistakes:#?}");
    assert_eq!(Catalogue::parse(&json!({})).unwrap_err().len(), 3);
    assert_eq!(Catalogue::parse(&json!(5)).unwrap_err().len(), 1);
}
