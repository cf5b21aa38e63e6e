//! Meters, plans and their versions as the API shows them.

use chrono::{DateTime, Utc};
use domain::id::PlanVersionId;
use domain::money::Currency;
use domain::plans::{
    Allowance, Catalogue, Interval, Meter, MeterCode, MeterTerms, Plan, PlanVersion, Rounding, SeatRule, Tariff, Tier,
};
use serde::Serialize;
use utoipa::ToSchema;

/// Something that is counted.
#[derive(Serialize, ToSchema)]
pub struct MeterView {
    #[schema(example = "words")]
    pub meter: String,
    /// What quantities count in.
    #[schema(example = "word")]
    pub unit: String,
    /// Decimals that a quantity may have.
    pub scale: u8,
    /// `counter` or `gauge`.
    #[schema(example = "counter")]
    pub kind: &'static str,
    pub display: DisplayView,
}

/// How bills show a meter.
#[derive(Serialize, ToSchema)]
pub struct DisplayView {
    #[schema(example = "GB")]
    pub name: String,
    /// The meter's units in one display unit.
    #[schema(example = 1024)]
    pub per: i64,
}

impl From<&Meter> for MeterView {
    fn from(meter: &Meter) -> Self {
        Self {
            meter: meter.code.to_string(),
            unit: meter.unit.clone(),
            scale: meter.scale,
            kind: meter.kind.name(),
            display: DisplayView { name: meter.display.name.clone(), per: meter.display.per },
        }
    }
}

#[derive(Serialize, ToSchema)]
pub struct PlanView {
    #[schema(example = "professional")]
    pub plan: String,
    pub name: String,
    pub prices: PricesView,
    #[schema(value_type = String, example = "CNY")]
    pub currency: Currency,
    /// Whether prices are for one seat.
    pub per_seat: bool,
    /// Null: one seat, always.
    pub seats: Option<SeatsView>,
    pub meters: Vec<TermsView>,
    /// Percents of each limit at which a warning is given.
    #[schema(example = json!([80, 100]))]
    pub warnings: Vec<u16>,
}

/// The price of a term; null where the plan is not sold so.
#[derive(Serialize, ToSchema)]
pub struct PricesView {
    #[schema(example = "99.00")]
    pub month: Option<String>,
    #[schema(example = "999.00")]
    pub year: Option<String>,
}

#[derive(Serialize, ToSchema)]
pub struct SeatsView {
    /// Seats when none are named.
    pub included: u32,
    pub min: u32,
    pub max: u32,
}

impl From<SeatRule> for SeatsView {
    fn from(rule: SeatRule) -> Self {
        Self { included: rule.included, min: rule.min, max: rule.max }
    }
}

/// What a plan says about one meter.
#[derive(Serialize, ToSchema)]
pub struct TermsView {
    #[schema(example = "words")]
    pub meter: String,
    /// Per month, in the meter's unit; null is unlimited.
    #[schema(example = "300000")]
    pub included: Option<String>,
    /// Whether that is for each seat.
    pub per_seat: bool,
    /// `refuse`, `overage` or `wallet`.
    #[schema(example = "overage")]
    pub on_exhausted: &'static str,
    /// What goes beyond costs; null when it is refused.
    pub overage: Option<TariffView>,
}

#[derive(Serialize, ToSchema)]
pub struct TariffView {
    /// `exact`: a started `per` counts in part. `up`: whole.
    #[schema(example = "exact")]
    pub round: &'static str,
    pub tiers: Vec<TierView>,
}

#[derive(Serialize, ToSchema)]
pub struct TierView {
    /// Up to and including; null is without end.
    pub up_to: Option<String>,
    #[schema(example = "1000")]
    pub per: String,
    #[schema(example = "0.50")]
    pub price: String,
}

impl PlanView {
    pub fn new(plan: &Plan, catalogue: &Catalogue) -> Self {
        let price = |interval| plan.prices.get(&interval).map(|price| price.to_decimal());
        Self {
            plan: plan.code.to_string(),
            name: plan.name.clone(),
            prices: PricesView { month: price(Interval::Month), year: price(Interval::Year) },
            currency: plan.currency,
            per_seat: plan.per_seat,
            seats: plan.seats.map(SeatsView::from),
            meters: plan.meters.iter().map(|(code, terms)| TermsView::new(code, terms, catalogue)).collect(),
            warnings: plan.warnings.iter().map(|percent| percent.get()).collect(),
        }
    }
}

impl TermsView {
    fn new(code: &MeterCode, terms: &MeterTerms, catalogue: &Catalogue) -> Self {
        let scale = catalogue.meters.get(code).map_or(0, |meter| meter.scale);
        Self {
            meter: code.to_string(),
            included: match terms.included {
                Allowance::Unlimited => None,
                Allowance::Limited(quantity) => Some(quantity.to_decimal(scale)),
            },
            per_seat: terms.per_seat,
            on_exhausted: terms.on_exhausted.name(),
            overage: terms.on_exhausted.tariff().map(|tariff| TariffView::new(tariff, scale)),
        }
    }
}

impl TariffView {
    fn new(tariff: &Tariff, scale: u8) -> Self {
        let tier = |tier: &Tier| TierView {
            up_to: tier.up_to.map(|up_to| up_to.to_decimal(scale)),
            per: tier.per.to_decimal(scale),
            price: tier.price.to_decimal(),
        };
        let round = match tariff.round() {
            Rounding::Exact => "exact",
            Rounding::Up => "up",
        };
        Self { round, tiers: tariff.tiers().iter().map(tier).collect() }
    }
}

/// A plan as it was, or is, sold.
#[derive(Serialize, ToSchema)]
pub struct PlanVersionView {
    #[schema(value_type = String, example = "plv_0198c0ffee007000800000000000abcd")]
    pub id: PlanVersionId,
    /// Counts the versions of one plan from 1.
    pub version: i32,
    /// Whether new subscriptions get it.
    pub on_sale: bool,
    /// SHA-256 of the content.
    pub content_hash: String,
    #[schema(value_type = String, format = DateTime)]
    pub created_at: DateTime<Utc>,
    #[serde(flatten)]
    pub plan: PlanView,
}

impl PlanVersionView {
    pub fn new(version: &PlanVersion, catalogue: &Catalogue) -> Self {
        Self {
            id: version.id,
            version: version.number,
            on_sale: catalogue.plans.get(&version.plan.code) == Some(&version.plan),
            content_hash: version.content_hash.clone(),
            created_at: version.created_at,
            plan: PlanView::new(&version.plan, catalogue),
        }
    }
}
