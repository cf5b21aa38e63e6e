//! What is on sale in the simulated shop: small allowances, so that limits are met often.

use anyhow::anyhow;
use domain::plans::Catalogue;
use serde_json::json;

/// What one of a counter costs beyond the allowances of the plans below, in nanos of CNY.
pub const PRICES: [(&str, i64); 6] = [
    ("words", 80_000_000),
    ("words", 100_000_000),
    ("words", 200_000_000),
    ("calls", 40_000_000),
    ("calls", 50_000_000),
    ("calls", 100_000_000),
];

/// A counter that is refused, owed or prepaid by plan; a gauge; and a counter that the wallet always pays.
pub fn catalogue() -> anyhow::Result<Catalogue> {
    let display = json!({ "name": "x", "per": 1 });
    let refuse = |included: u32| json!({ "included": included, "on_exhausted": "refuse" });
    let priced = |included: u32, how: &str, price: &str| {
        let overage = json!({ "per": 1, "price": price, "round": "exact" });
        json!({ "included": included, "on_exhausted": how, "overage": overage })
    };
    let seated = |included: u32, price: &str| {
        let mut terms = priced(included, "overage", price);
        terms["per"] = json!("seat");
        terms
    };
    let document = json!({
        "meters": {
            "words": { "unit": "word", "scale": 0, "kind": "counter", "display": display },
            "calls": { "unit": "call", "scale": 0, "kind": "counter", "display": display },
            "space": { "unit": "gb", "scale": 0, "kind": "gauge", "display": display },
        },
        "plans": {
            "free": {
                "name": "Free",
                "price": { "month": "0.00 CNY" },
                "meters": {
                    "words": refuse(60),
                    "calls": priced(0, "wallet", "0.05 CNY"),
                    "space": refuse(30),
                },
            },
            "pro": {
                "name": "Pro",
                "price": { "month": "20.00 CNY", "year": "200.00 CNY" },
                "meters": {
                    "words": priced(120, "overage", "0.10 CNY"),
                    "calls": priced(10, "overage", "0.10 CNY"),
                    "space": priced(60, "overage", "0.50 CNY"),
                },
            },
            "max": {
                "name": "Max",
                "price": { "month": "35.00 CNY" },
                "meters": {
                    "words": priced(200, "overage", "0.08 CNY"),
                    "calls": priced(10, "wallet", "0.04 CNY"),
                    "space": priced(80, "overage", "0.50 CNY"),
                },
            },
            "team": {
                "name": "Team",
                "price": { "month": "5.00 CNY", "per": "seat" },
                "seats": { "included": 2, "min": 2, "max": 5 },
                "fallback": "free",
                "meters": {
                    "words": seated(50, "0.20 CNY"),
                    "calls": priced(0, "wallet", "0.05 CNY"),
                    "space": refuse(100),
                },
            },
        },
        "warnings": { "at": [50, 80, 100] },
        "billing": { "currency": "CNY", "time_zone": "Asia/Shanghai", "default_plan": "free", "interim_overage": "2.00 CNY" },
    });
    Catalogue::parse(&document).map_err(|mistakes| {
        let mistakes: Vec<String> = mistakes.iter().map(ToString::to_string).collect();
        anyhow!("the catalogue: {}", mistakes.join("; "))
    })
}
