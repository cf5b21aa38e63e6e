//! The catalogue: every meter and plan on sale, read from the configuration with every mistake named.

mod billing;
mod document;
mod meters;
mod overage;
mod plans;
mod references;

use super::{BillTerms, Meter, MeterCode, Plan, PlanCode, Seller};
use crate::money::{Currency, Money};
use chrono_tz::Tz;
use document::{Mistakes, Node};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt;

/// The plan of accounts that chose none, when `billing.default_plan` is not given.
pub const DEFAULT_PLAN: &str = "free";

/// What is wrong in a document, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// Dotted, with list indices: `plans.team.meters.words.overage.tiers[1].up_to`.
    pub path: String,
    pub reason: String,
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path, self.reason)
    }
}

/// Every meter and plan, and how they are billed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Catalogue {
    pub currency: Currency,
    #[serde(with = "zone_name")]
    pub zone: Tz,
    /// The cap on overage fees of accounts that set none of their own; `None` is no cap.
    pub spend_cap: Option<Money>,
    /// The overage of a running period is billed each time its fee passes another multiple of this; above zero.
    #[serde(default)]
    pub interim_overage: Option<Money>,
    pub default_plan: PlanCode,
    #[serde(default)]
    pub bills: BillTerms,
    #[serde(default)]
    pub seller: Seller,
    pub meters: BTreeMap<MeterCode, Meter>,
    pub plans: BTreeMap<PlanCode, Plan>,
}

impl Catalogue {
    /// Reads `{meters, plans, warnings, billing}`; answers all mistakes at once, in the order of the document.
    pub fn parse(document: &Value) -> Result<Self, Vec<Mistake>> {
        let mut mistakes = Mistakes::default();
        let parsed = Self::read(&Node::root(document), &mut mistakes);
        match parsed {
            Some(catalogue) if mistakes.is_empty() => Ok(catalogue),
            _ => Err(mistakes.into_vec()),
        }
    }

    fn read(root: &Node, mistakes: &mut Mistakes) -> Option<Self> {
        let fields = root.fields(&["meters", "plans", "warnings", "billing"], mistakes)?;
        let billing = billing::read(&fields, mistakes);
        let warnings = billing::read_warnings(&fields, mistakes);
        let meters = meters::read(&fields, mistakes);
        let context = plans::Context { currency: billing.currency, meters: &meters, warnings: &warnings };
        let plans = plans::read(&fields, &context, mistakes);
        references::check(&fields, &plans, &billing, mistakes);
        Some(Self {
            currency: billing.currency?,
            zone: billing.zone?,
            spend_cap: billing.spend_cap,
            interim_overage: billing.interim_overage,
            default_plan: billing.default_plan?,
            bills: billing.bills,
            seller: billing.seller,
            meters: meters.into_iter().map(|(code, meter)| Some((code, meter?))).collect::<Option<_>>()?,
            plans: plans.into_iter().map(|(code, plan)| Some((code, plan?))).collect::<Option<_>>()?,
        })
    }

    /// The plan of accounts that chose none.
    pub fn default_plan(&self) -> Option<&Plan> {
        self.plans.get(&self.default_plan)
    }
}

/// A time zone as its IANA name.
mod zone_name {
    use chrono_tz::Tz;
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands fields over by reference")]
    pub fn serialize<S: Serializer>(zone: &Tz, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(zone.name())
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Tz, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

#[cfg(test)]
#[path = "catalogue_tests.rs"]
mod tests;
