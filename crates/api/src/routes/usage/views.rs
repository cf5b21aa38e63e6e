//! How use looks on the wire.

use domain::metering::{Part, Receipt, Source, UsageRecord};
use domain::plans::{Catalogue, MeterCode};
use serde::Serialize;
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// A recorded use.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "id": "use_0198a6f0c1d27d3e8b3f6a5c4d3e2f10", "meter": "words", "quantity": "1500", "key": "job-42",
    "account": "acc_0198a6f0c1d27d3e8b3f6a5c4d3e2f11", "occurred_at": "2026-11-21T08:00:00Z", "duplicate": false,
    "parts": [{"source": "allowance", "quantity": "1000"}, {"source": "overage", "quantity": "500", "amount": "0.25"}],
    "amount": "0.25", "currency": "CNY", "remaining": "0", "warnings": [100], "adjustment": false
}))]
pub struct UsageView {
    pub id: String,
    pub account: String,
    pub meter: String,
    pub quantity: String,
    pub key: String,
    pub occurred_at: String,
    /// The key was used before; this is the first answer, and nothing changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub duplicate: Option<bool>,
    pub parts: Vec<PartView>,
    pub amount: String,
    pub currency: String,
    /// What allowance and grants were left; null is unlimited.
    pub remaining: Option<String>,
    /// Thresholds, in percent, that this use crossed.
    pub warnings: Vec<u16>,
    /// It occurred in a period that was closed already.
    pub adjustment: bool,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub dimensions: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub api_key: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// The ledger's transfer of which what the wallet paid is a part.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub transfer: Option<String>,
    /// The reservation whose capture this is; the key is then its id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reservation: Option<String>,
}

/// A part of the quantity and the fund that paid for it.
#[derive(Debug, Serialize, ToSchema)]
pub struct PartView {
    /// `allowance`, `grant`, `overage`, `wallet` or `release`.
    pub source: &'static str,
    pub quantity: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub amount: Option<String>,
    /// Which grant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grant: Option<String>,
}

impl UsageView {
    pub fn of_receipt(receipt: &Receipt, catalogue: &Catalogue) -> Self {
        Self { duplicate: Some(receipt.duplicate), ..Self::of_record(&receipt.record, catalogue) }
    }

    pub fn of_record(record: &UsageRecord, catalogue: &Catalogue) -> Self {
        let scale = scale_of(catalogue, &record.meter);
        Self {
            id: record.id.to_string(),
            account: record.account.to_string(),
            meter: record.meter.to_string(),
            quantity: record.quantity.to_decimal(scale),
            key: record.reservation().map_or_else(|| record.key.clone(), |id| id.to_string()),
            occurred_at: crate::http::time::text(record.occurred_at),
            duplicate: None,
            parts: record.parts().iter().map(|part| part_view(part, scale)).collect(),
            amount: record.amount().to_decimal(),
            currency: record.amount().currency().to_string(),
            remaining: record.remaining.map(|remaining| remaining.to_decimal(scale)),
            warnings: record.warnings.iter().map(|percent| percent.get()).collect(),
            adjustment: record.adjustment,
            dimensions: record.dimensions.labels().clone(),
            api_key: record.api_key.map(|key| key.to_string()),
            user: record.user.map(|user| user.to_string()),
            transfer: record.transfer.map(|transfer| transfer.to_string()),
            reservation: record.reservation().map(|id| id.to_string()),
        }
    }
}

pub fn scale_of(catalogue: &Catalogue, meter: &MeterCode) -> u8 {
    catalogue.meters.get(meter).map_or(0, |meter| meter.scale)
}

pub fn part_view(part: &Part, scale: u8) -> PartView {
    let (source, grant) = match part.source {
        Source::Allowance => ("allowance", None),
        Source::Grant(grant) => ("grant", Some(grant.to_string())),
        Source::Overage => ("overage", None),
        Source::Wallet => ("wallet", None),
        Source::Release => ("release", None),
    };
    let amount = part.amount.map(domain::money::Money::to_decimal);
    PartView { source, quantity: part.quantity.to_decimal(scale), amount, grant }
}
