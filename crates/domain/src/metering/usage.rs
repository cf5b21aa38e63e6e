//! Usage rows and the receipts made from them: a duplicate is answered from its row.

use super::command::{Consume, Dimensions, UsageKey};
use super::decide::{Part, Source};
use crate::id::{AccountId, ApiKeyId, GrantId, ReservationId, TransferId, UsageId, UserId};
use crate::money::{Money, MoneyError};
use crate::plans::{MeterCode, Percent};
use crate::quantity::Quantity;
use crate::quota::Drawn;
use chrono::{DateTime, Utc};
use std::sync::Arc;

/// One use as it is stored; the sum of the parts is the quantity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UsageRecord {
    pub id: UsageId,
    pub account: AccountId,
    pub key: String,
    pub meter: MeterCode,
    pub quantity: Quantity,
    /// The period in which it counts.
    pub period_start: DateTime<Utc>,
    pub occurred_at: DateTime<Utc>,
    pub recorded_at: DateTime<Utc>,
    /// It occurred in a period that was closed already.
    pub adjustment: bool,
    pub user: Option<UserId>,
    pub api_key: Option<ApiKeyId>,
    pub dimensions: Dimensions,
    pub drawn: Drawn,
    /// Which grants paid how much.
    pub grants: Vec<(GrantId, Quantity)>,
    /// The transfer of which what the wallet paid is a part; `None` when it paid nothing.
    pub transfer: Option<TransferId>,
    /// What allowance and grants were left afterwards; `None` is unlimited.
    pub remaining: Option<Quantity>,
    /// Thresholds that this use crossed, of the pool or of the member's allocation; each once.
    pub warnings: Vec<Percent>,
}

/// Where and when a use counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Placement {
    pub period_start: DateTime<Utc>,
    pub occurred_at: DateTime<Utc>,
    pub adjustment: bool,
}

impl UsageRecord {
    /// The row of a decided command.
    pub fn of(command: &Consume, placed: Placement, drawn: Drawn, parts: &[Part], now: DateTime<Utc>) -> Self {
        let grants = parts.iter().filter_map(|part| match part.source {
            Source::Grant(grant) => Some((grant, part.quantity)),
            _ => None,
        });
        Self {
            id: UsageId::new(now),
            account: command.account,
            key: command.key.as_str().to_owned(),
            meter: command.meter.clone(),
            quantity: command.quantity,
            period_start: placed.period_start,
            occurred_at: placed.occurred_at,
            recorded_at: now,
            adjustment: placed.adjustment,
            user: command.user,
            api_key: command.api_key,
            dimensions: command.dimensions.clone(),
            drawn,
            grants: grants.collect(),
            transfer: None,
            remaining: None,
            warnings: Vec::new(),
        }
    }

    /// What it costs. A plan takes overage or from the wallet, so that one of the two is nothing.
    pub const fn amount(&self) -> Money {
        if self.drawn.paid.is_zero() { self.drawn.fee } else { self.drawn.paid }
    }

    /// The reservation whose capture this is.
    pub fn reservation(&self) -> Option<ReservationId> {
        UsageKey::reservation(&self.key)
    }

    /// The parts of the quantity, rebuilt from the row in drawing order.
    pub fn parts(&self) -> Vec<Part> {
        if self.quantity.is_negative() {
            return vec![Part { source: Source::Release, quantity: self.quantity, amount: None }];
        }
        let free = |source, quantity| Part { source, quantity, amount: None };
        let priced = |source, quantity, amount| Part { source, quantity, amount: Some(amount) };
        let Drawn { allowance, overage, wallet, fee, paid, .. } = self.drawn;
        let grants = self.grants.iter().map(|(grant, quantity)| free(Source::Grant(*grant), *quantity));
        std::iter::once(free(Source::Allowance, allowance))
            .chain(grants)
            .chain([priced(Source::Overage, overage, fee), priced(Source::Wallet, wallet, paid)])
            .filter(|part| part.quantity.is_positive())
            .collect()
    }
}

/// The answer to a consume.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    pub record: Arc<UsageRecord>,
    /// The key was seen before, and nothing was changed.
    pub duplicate: bool,
}

/// Adds up parts by fund.
pub fn drawn_by(parts: &[Part], nothing: Money) -> Result<Drawn, MoneyError> {
    let mut drawn = Drawn::nothing(nothing.currency());
    for part in parts {
        let fund = match part.source {
            Source::Allowance => &mut drawn.allowance,
            Source::Grant(_) => &mut drawn.grants,
            Source::Overage => &mut drawn.overage,
            Source::Wallet => &mut drawn.wallet,
            Source::Release => continue,
        };
        *fund = fund.checked_add(part.quantity).ok_or(MoneyError::Overflow)?;
        let cost = if part.source == Source::Wallet { &mut drawn.paid } else { &mut drawn.fee };
        if let Some(amount) = part.amount {
            *cost = cost.checked_add(amount)?;
        }
    }
    Ok(drawn)
}
