//! Reports of use as clients send them: checked against the caller and turned into commands.

use super::command::{Consume, Dimensions, UsageKey};
use super::service::MeteringService;
use crate::accounts::{AccountRef, resolve};
use crate::actor::{Actor, Scope};
use crate::error::{Error, Result};
use crate::id::{AccountId, UserId};
use crate::plans::MeterCode;
use crate::quantity::Quantity;
use crate::time::cut_to_micros;
use chrono::{DateTime, Utc};
use std::collections::BTreeMap;

/// One use as a client reports it.
#[derive(Clone, Debug, Default)]
pub struct UsageReport {
    pub meter: String,
    /// A decimal in the meter's unit.
    pub quantity: String,
    pub key: String,
    pub occurred_at: Option<DateTime<Utc>>,
    pub dimensions: BTreeMap<String, String>,
    pub account: AccountRef,
    /// Who used it; the caller when left out.
    pub user: Option<UserId>,
}

impl MeteringService {
    /// Turns reports into commands, each on its own; the error is the caller's lack of rights, or storage.
    pub async fn prepare(&self, actor: &Actor, reports: &[UsageReport]) -> Result<Vec<Result<Consume>>> {
        actor.require_scope(&Scope::UsageWrite)?;
        let mut known = BTreeMap::new();
        let mut commands = Vec::with_capacity(reports.len());
        for report in reports {
            match self.command(actor, report, &mut known).await {
                Err(error @ Error::Store(_)) => return Err(error),
                command => commands.push(command),
            }
        }
        Ok(commands)
    }

    async fn command(
        &self,
        actor: &Actor,
        report: &UsageReport,
        known: &mut BTreeMap<AccountRef, AccountId>,
    ) -> Result<Consume> {
        let key = UsageKey::parse(&report.key)
            .ok_or_else(|| Error::invalid("key", "must be 1 to 255 characters without control characters"))?;
        let meter = MeterCode::parse(&report.meter).and_then(|code| self.catalogue.meters.get(&code));
        let meter = meter.ok_or_else(|| Error::invalid("meter", "is not a meter of this server"))?;
        let quantity = Quantity::parse(&report.quantity, meter.scale)
            .map_err(|error| Error::invalid("quantity", error.to_string()))?;
        let dimensions = Dimensions::new(report.dimensions.clone())?;
        admit_model(actor, &dimensions)?;
        Ok(Consume {
            account: self.account_of(actor, &report.account, known).await?,
            meter: meter.code.clone(),
            quantity,
            key,
            occurred_at: report.occurred_at.map(cut_to_micros),
            dimensions,
            user: Some(user_of(actor, report.user)?),
            api_key: actor.key.as_ref().map(|key| key.id),
        })
    }

    async fn account_of(
        &self,
        actor: &Actor,
        which: &AccountRef,
        known: &mut BTreeMap<AccountRef, AccountId>,
    ) -> Result<AccountId> {
        if let Some(account) = known.get(which) {
            return Ok(*account);
        }
        let account = own_account(actor, which);
        let account = match account {
            Some(account) => account,
            None => resolve(&*self.store, actor, which).await?.id,
        };
        known.insert(which.clone(), account);
        Ok(account)
    }
}

/// The account a key or session draws from needs no look-up; consuming locks it anyway.
fn own_account(actor: &Actor, which: &AccountRef) -> Option<AccountId> {
    let own = actor.default_account();
    match which {
        AccountRef::Default => Some(own),
        AccountRef::Id(id) if *id == own => Some(own),
        _ => None,
    }
}

fn user_of(actor: &Actor, named: Option<UserId>) -> Result<UserId> {
    match named {
        Some(user) if user != actor.user && !actor.is_service() => {
            Err(Error::Forbidden("Only a service key may report for another user."))
        }
        named => Ok(named.unwrap_or(actor.user)),
    }
}

fn admit_model(actor: &Actor, dimensions: &Dimensions) -> Result<()> {
    let allowed = actor.key.as_ref().and_then(|key| key.models.as_ref());
    match allowed {
        Some(models) if !models.iter().any(|model| model == dimensions.model()) => {
            Err(Error::Forbidden("The API key may not be used for this model; say which in `dimensions.model`."))
        }
        _ => Ok(()),
    }
}
