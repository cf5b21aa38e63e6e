//! Reports of use as clients send them: checked against the caller and turned into commands.

use super::command::{Consume, Dimensions, UsageKey};
use super::service::MeteringService;
use crate::accounts::{AccountRef, Act, resolve};
use crate::actor::{Actor, Scope};
use crate::error::{Error, Result};
use crate::id::{AccountId, ApiKeyId, UserId};
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
    /// Who used it. When left out it is the caller, or nobody in particular where a service reports.
    pub user: Option<UserId>,
}

impl MeteringService {
    /// Turns reports into commands, when none of them names what must be looked up first.
    pub fn prepare_at_once(&self, actor: &Actor, reports: &[UsageReport]) -> Result<Option<Vec<Result<Consume>>>> {
        actor.require_scope(&Scope::UsageWrite)?;
        let known = |report: &UsageReport| {
            let account = own_account(actor, &report.account)?;
            let user = match Consumer::of(actor, report.user) {
                Consumer::Caller => Some(actor.user),
                Consumer::Nobody => None,
                Consumer::Another(_) => return None,
            };
            Some(self.checked(actor, report).map(|checked| checked.into_command(account, user)))
        };
        Ok(reports.iter().map(known).collect())
    }

    /// Turns reports into commands, each on its own; the error is the caller's lack of rights, or storage.
    pub async fn prepare(&self, actor: &Actor, reports: &[UsageReport]) -> Result<Vec<Result<Consume>>> {
        actor.require_scope(&Scope::UsageWrite)?;
        let mut known = Known::default();
        let mut commands = Vec::with_capacity(reports.len());
        for report in reports {
            match self.command(actor, report, &mut known).await {
                Err(error @ Error::Store(_)) => return Err(error),
                command => commands.push(command),
            }
        }
        Ok(commands)
    }

    pub(super) async fn command(&self, actor: &Actor, report: &UsageReport, known: &mut Known) -> Result<Consume> {
        let checked = self.checked(actor, report)?;
        let account = self.account_of(actor, &report.account, known).await?;
        let user = self.user_of(actor, report.user, known).await?;
        Ok(checked.into_command(account, user))
    }

    /// What can be said of a report by itself.
    fn checked(&self, actor: &Actor, report: &UsageReport) -> Result<Checked> {
        let key = UsageKey::parse(&report.key)
            .ok_or_else(|| Error::invalid("key", "must be 1 to 255 characters without control characters"))?;
        let meter = MeterCode::parse(&report.meter).and_then(|code| self.catalogue.meters.get(&code));
        let meter = meter.ok_or_else(|| Error::invalid("meter", "is not a meter of this server"))?;
        let quantity = Quantity::parse(&report.quantity, meter.scale)
            .map_err(|error| Error::invalid("quantity", error.to_string()))?;
        let dimensions = Dimensions::new(report.dimensions.clone())?;
        admit_model(actor, &dimensions)?;
        Ok(Checked {
            meter: meter.code.clone(),
            quantity,
            key,
            occurred_at: report.occurred_at.map(cut_to_micros),
            dimensions,
            api_key: actor.key.as_ref().map(|key| key.id),
            key_is_limited: actor.key.as_ref().is_some_and(|key| key.is_limited),
        })
    }

    /// A look-up is made once for each name in the batch, found or not.
    pub(super) async fn account_of(&self, actor: &Actor, which: &AccountRef, known: &mut Known) -> Result<AccountId> {
        if let Some(account) = own_account(actor, which) {
            return Ok(account);
        }
        if let Some(account) = known.accounts.get(which) {
            return account.ok_or(Error::NotFound("account"));
        }
        let found = match resolve(&*self.store, actor, which, Act::Consume).await {
            Ok(account) => Some(account.id),
            Err(Error::NotFound(_)) => None,
            Err(error) => return Err(error),
        };
        known.accounts.insert(which.clone(), found);
        found.ok_or(Error::NotFound("account"))
    }

    /// The caller, or for a service key any user there is, or nobody.
    async fn user_of(&self, actor: &Actor, named: Option<UserId>, known: &mut Known) -> Result<Option<UserId>> {
        let user = match Consumer::of(actor, named) {
            Consumer::Caller => return Ok(Some(actor.user)),
            Consumer::Nobody => return Ok(None),
            Consumer::Another(user) => user,
        };
        if !actor.is_service() {
            return Err(Error::Forbidden("Only a service key may report for another user."));
        }
        let exists = match known.users.get(&user) {
            Some(exists) => *exists,
            None => self.store.users().find(user).await?.is_some(),
        };
        known.users.insert(user, exists);
        if exists { Ok(Some(user)) } else { Err(Error::invalid("user", "is not a user of this server")) }
    }
}

/// A report without its account and user.
struct Checked {
    meter: MeterCode,
    quantity: Quantity,
    key: UsageKey,
    occurred_at: Option<DateTime<Utc>>,
    dimensions: Dimensions,
    api_key: Option<ApiKeyId>,
    key_is_limited: bool,
}

impl Checked {
    fn into_command(self, account: AccountId, user: Option<UserId>) -> Consume {
        let Self { meter, quantity, key, occurred_at, dimensions, api_key, key_is_limited } = self;
        Consume { account, meter, quantity, key, occurred_at, dimensions, user, api_key, key_is_limited }
    }
}

/// What a batch has looked up so far.
#[derive(Default)]
pub(super) struct Known {
    accounts: BTreeMap<AccountRef, Option<AccountId>>,
    users: BTreeMap<UserId, bool>,
}

/// The account a key or session draws from, and any that a service key names, needs no look-up: consuming locks it.
fn own_account(actor: &Actor, which: &AccountRef) -> Option<AccountId> {
    let own = actor.default_account();
    match which {
        AccountRef::Default => Some(own),
        AccountRef::Id(id) if *id == own || actor.is_service() => Some(*id),
        _ => None,
    }
}

/// Nobody looks up the caller.
/// Who used what is reported.
enum Consumer {
    Caller,
    /// A service does not use what it reports.
    Nobody,
    /// Has to be looked up.
    Another(UserId),
}

impl Consumer {
    fn of(actor: &Actor, named: Option<UserId>) -> Self {
        match named {
            None if actor.is_service() => Self::Nobody,
            Some(user) if user != actor.user => Self::Another(user),
            _ => Self::Caller,
        }
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
