//! Referrals: a code for every user, one reward for each who came by it, and transfers to the wallet.

use super::code::AffCode;
use super::referral::{Referral, ReferralReward, ReferralTerms, RewardedOn};
use super::steps::{Credit, credit};
use crate::accounts::{AccountKind, Newcomer, RegistrationHook};
use crate::actor::Actor;
use crate::audit::AuditEvent;
use crate::error::{Error, Result};
use crate::id::{AccountId, TransferId, UserId};
use crate::idempotency::{self, Answered, IdempotentRequest};
use crate::identity::{SecretSource, User};
use crate::money::Money;
use crate::orders::PaidHook;
use crate::outbox::Event;
use crate::plans::Catalogue;
use crate::quota::GrantOrigin;
use crate::store::{Repositories, Store, retrying};
use crate::time::Clock;
use crate::wallet::{LedgerAccount, Transfer, TransferKind, post};
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::sync::Arc;

/// What referrals are worth, and how codes are made; hears of newcomers and of payments.
#[derive(Clone)]
pub struct Referrals {
    pub catalogue: Arc<Catalogue>,
    pub secrets: Arc<dyn SecretSource>,
    pub terms: ReferralTerms,
}

impl Referrals {
    fn new_row(&self, user: UserId, now: DateTime<Utc>) -> Result<Referral> {
        let code = AffCode::from_random(self.secrets.random()?);
        Ok(Referral::new(user, code, self.catalogue.currency, now))
    }

    /// Whoever has this code and may act.
    async fn inviter(&self, work: &dyn Repositories, code: &str) -> Result<UserId> {
        let unknown = || Error::invalid("aff_code", "is not the code of a user");
        let code = AffCode::parse(code).ok_or_else(unknown)?;
        let row = work.referrals().find_by_code(&code).await?.ok_or_else(unknown)?;
        let found = work.users().find(row.user).await?.filter(User::may_act);
        found.map(|inviter| inviter.id).ok_or_else(unknown)
    }

    /// Rewards the coming of an invitee, whose account the caller holds. The inviter's account is locked after it: it is
    /// always the older one, and a cycle with somebody who locks both by id is resolved by trying again.
    async fn reward(
        &self,
        work: &dyn Repositories,
        (newcomer, account): (UserId, AccountId),
        inviter: UserId,
        now: DateTime<Utc>,
    ) -> Result<()> {
        if self.terms.inviter.is_none() && self.terms.invitee.is_none() {
            return Ok(());
        }
        let earned = self.terms.inviter.unwrap_or(Money::zero(self.catalogue.currency));
        let rewarded_on = self.terms.rewarded_on;
        let reward = ReferralReward { invitee: newcomer, inviter, rewarded_on, earned, rewarded_at: now };
        work.referrals().insert_reward(&reward).await?;
        if let Some(given) = &self.terms.invitee {
            let reference = reward.reference();
            credit(work, Credit { account, reward: given, origin: GrantOrigin::Referral, reference }, now).await?;
            let payload = json!({ "as": "invitee", "value": given.told(&self.catalogue) });
            work.outbox().push(&[Event::new(account, "referral.rewarded", payload, now)]).await?;
        }
        if earned.is_positive() {
            self.pay_inviter(work, &reward, now).await?;
        }
        let detail = json!({ "inviter": inviter, "on": rewarded_on.name(), "earned": earned.to_decimal() });
        let event = AuditEvent::by_machine("referral.reward", newcomer, now).on_account(account).with(detail);
        Ok(work.audit().append(&event).await?)
    }

    async fn pay_inviter(&self, work: &dyn Repositories, reward: &ReferralReward, now: DateTime<Utc>) -> Result<()> {
        let Some(inviter) = work.users().find(reward.inviter).await? else { return Ok(()) };
        let Some(account) = work.accounts().lock(inviter.personal_account).await? else { return Ok(()) };
        if !work.referrals().earn(inviter.id, reward.earned).await? {
            tracing::warn!(user = %inviter.id, "a referral was earned in another currency than before and is not kept");
            return Ok(());
        }
        let value = json!({ "amount": reward.earned.to_decimal(), "currency": reward.earned.currency().code() });
        let payload = json!({ "as": "inviter", "value": value });
        Ok(work.outbox().push(&[Event::new(account.id, "referral.rewarded", payload, now)]).await?)
    }
}

#[async_trait]
impl RegistrationHook for Referrals {
    async fn registered(&self, work: &dyn Repositories, newcomer: Newcomer<'_>, now: DateTime<Utc>) -> Result<()> {
        let (user, account) = (newcomer.user.id, newcomer.account.id);
        let inviter = match newcomer.invited_with {
            Some(code) => Some(self.inviter(work, code).await?),
            None => None,
        };
        work.referrals().insert(&Referral { inviter, ..self.new_row(user, now)? }).await?;
        let Some(inviter) = inviter else { return Ok(()) };
        if self.terms.rewarded_on == RewardedOn::Registration {
            self.reward(work, (user, account), inviter, now).await?;
        }
        // After the inviter's account was locked: a transfer locks account and row in that order.
        Ok(work.referrals().count_invited(inviter).await?)
    }
}

/// The first payment of an invited user's personal account is rewarded where the terms say so.
#[async_trait]
impl PaidHook for Referrals {
    async fn paid(&self, work: &dyn Repositories, account: AccountId, _: Money, now: DateTime<Utc>) -> Result<()> {
        if self.terms.rewarded_on != RewardedOn::FirstPayment {
            return Ok(());
        }
        let payer = work.accounts().find(account).await?.filter(|account| account.kind == AccountKind::Personal);
        let Some(payer) = payer else { return Ok(()) };
        let inviter = work.referrals().find(payer.owner).await?.and_then(|row| row.inviter);
        let Some(inviter) = inviter else { return Ok(()) };
        if work.referrals().find_reward(payer.owner).await?.is_some() {
            return Ok(());
        }
        self.reward(work, (payer.owner, payer.id), inviter, now).await
    }
}

/// Use cases of referrals.
pub struct ReferralService {
    pub store: Arc<dyn Store>,
    pub clock: Arc<dyn Clock>,
    pub referrals: Referrals,
}

/// Money that went from what was earned to the wallet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReferralTransfer {
    pub id: TransferId,
    pub amount: Money,
    /// What is left to transfer.
    pub available: Money,
}

impl ReferralService {
    /// The caller's code and earnings; who registered before there were codes gets one now.
    pub async fn view(&self, actor: &Actor) -> Result<Referral> {
        actor.require_session()?;
        if let Some(row) = self.store.referrals().find(actor.user).await? {
            return Ok(row);
        }
        retrying!(self.store, self.write_row(actor))
    }

    async fn write_row(&self, actor: &Actor) -> Result<Referral> {
        let work = self.store.begin().await?;
        if let Some(row) = work.referrals().find(actor.user).await? {
            return Ok(row);
        }
        let row = self.referrals.new_row(actor.user, self.clock.now())?;
        work.referrals().insert(&row).await?;
        work.commit().await?;
        Ok(row)
    }

    /// Moves earnings to the wallet of the personal account, once per idempotency key.
    pub async fn transfer(
        &self,
        actor: &Actor,
        amount: &str,
        request: &IdempotentRequest,
    ) -> Result<Answered<ReferralTransfer>> {
        actor.require_session()?;
        let invalid = |reason: String| Error::invalid("amount", reason);
        let currency = self.referrals.catalogue.currency;
        let amount = Money::parse_minor(amount, currency).map_err(|error| invalid(error.to_string()))?;
        let least = self.referrals.terms.least_transfer;
        if amount.nanos() < least.nanos() || !amount.is_positive() {
            return Err(invalid(format!("must be at least {} {}", least.to_decimal(), currency.code())));
        }
        retrying!(self.store, self.write_transfer(actor, amount, request))
    }

    async fn write_transfer(
        &self,
        actor: &Actor,
        amount: Money,
        request: &IdempotentRequest,
    ) -> Result<Answered<ReferralTransfer>> {
        let now = self.clock.now();
        let work = self.store.begin().await?;
        if let Some(answered) = idempotency::replay(&*work, request).await? {
            return Ok(answered);
        }
        let account = work.accounts().lock(actor.personal_account).await?.ok_or(Error::NotFound("account"))?;
        account.require_active()?;
        if !work.referrals().spend(actor.user, amount).await? {
            return Err(Error::conflict("referral_balance_too_low", "Less was earned than is to be transferred."));
        }
        let id = TransferId::new(now);
        let kind = (TransferKind::Promotion, format!("referral_transfer:{id}"));
        let sides = (LedgerAccount::Promotion, LedgerAccount::Wallet(account.id));
        post(&*work, &[Transfer { id, ..Transfer::new(kind, sides, amount, now)? }]).await?;
        let row = work.referrals().find(actor.user).await?.ok_or(Error::NotFound("referral"))?;
        let told = json!({ "amount": amount.to_decimal(), "currency": amount.currency().code(), "transfer": id });
        work.outbox().push(&[Event::new(account.id, "referral.transferred", told.clone(), now)]).await?;
        let event = AuditEvent::by(actor, "referral.transfer", id, now).on_account(account.id).with(told);
        work.audit().append(&event).await?;
        let done = ReferralTransfer { id, amount, available: row.available };
        idempotency::keep(&*work, request, &done, now).await?;
        work.commit().await?;
        Ok(Answered::fresh(done))
    }
}
