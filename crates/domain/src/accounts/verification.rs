//! Verified identities: claimed once by their owner, opened and taken back by operators, each with a reason that is
//! written down.

use crate::actor::{Actor, Role};
use crate::audit::AuditEvent;
use crate::error::{Error, Result};
use crate::id::UserId;
use crate::identity::{
    IdNumber, IdentityVault, LegalIdentity, MaskedIdentity, RealName, ThrottleKey, User, Verification, record_failure,
    refuse_if_locked,
};
use crate::outbox::Event;
use crate::store::{Repositories, Store, retrying};
use crate::text::visible_line;
use crate::time::{Clock, local_day};
use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use serde_json::json;
use std::sync::Arc;

const MAX_REASON_LENGTH: usize = 255;

#[derive(Clone)]
pub struct VerificationService {
    pub store: Arc<dyn Store>,
    pub clock: Arc<dyn Clock>,
    pub vault: Arc<dyn IdentityVault>,
    /// In which a day of birth is compared with today.
    pub zone: Tz,
    /// Whether anybody may claim an identity; those there are stay readable.
    pub enabled: bool,
}

/// What the owner sees.
#[derive(Clone, Debug)]
pub struct VerificationView {
    pub masked: MaskedIdentity,
    pub verified_at: DateTime<Utc>,
}

impl VerificationService {
    /// The caller's own, masked; `None` before it was claimed.
    pub async fn view(&self, actor: &Actor) -> Result<Option<VerificationView>> {
        actor.require_session()?;
        let found = self.store.verifications().find(actor.user).await?;
        found.as_ref().map(|found| self.masked(found)).transpose()
    }

    fn masked(&self, verification: &Verification) -> Result<VerificationView> {
        Ok(VerificationView { masked: self.vault.open_mask(verification)?, verified_at: verification.verified_at })
    }

    /// Claims an identity: once, and no number twice.
    pub async fn claim(&self, actor: &Actor, real_name: &str, id_number: &str) -> Result<VerificationView> {
        actor.require_session()?;
        if !self.enabled {
            return Err(Error::conflict("verification_closed", "Identities are not verified on this server."));
        }
        let today = local_day(self.clock.now(), self.zone);
        let identity = LegalIdentity {
            real_name: RealName::parse(real_name).map_err(|reason| Error::invalid("real_name", reason))?,
            id_number: IdNumber::parse(id_number, today).map_err(|reason| Error::invalid("id_number", reason))?,
        };
        retrying!(self.store, self.write_claim(actor, &identity))
    }

    async fn write_claim(&self, actor: &Actor, identity: &LegalIdentity) -> Result<VerificationView> {
        let now = self.clock.now();
        let verification = self.vault.seal(actor.user, identity, now)?;
        let work = self.store.begin().await?;
        let throttles = throttles(actor);
        for key in &throttles {
            work.throttles().lock(key).await?;
        }
        refuse_if_locked(&*work, &throttles, now).await?;
        let account = work.accounts().lock(actor.personal_account).await?.ok_or(Error::NotFound("account"))?;
        let user = work.users().lock(actor.user).await?.ok_or(Error::NotFound("user"))?;
        if work.verifications().find(user.id).await?.is_some() {
            return Err(Error::conflict("already_verified", "Your identity is verified; only an operator changes it."));
        }
        if work.verifications().find_by_index(&verification.number_index).await?.is_some() {
            // Counted, so that nobody tries out who is a customer here.
            for key in &throttles {
                record_failure(&*work, key, now).await?;
            }
            work.commit().await?;
            return Err(Error::conflict("id_number_taken", "Somebody else is verified with this number."));
        }
        work.verifications().insert(&verification).await?;
        work.users().save(&User { is_verified: true, updated_at: now, ..user }).await?;
        work.outbox().push(&[Event::new(account.id, "identity.verified", json!({ "user": actor.user }), now)]).await?;
        let event = AuditEvent::by(actor, "verification.claim", actor.user, now).on_account(account.id);
        work.audit().append(&event).await?;
        work.commit().await?;
        Ok(VerificationView { masked: identity.masked(), verified_at: now })
    }

    /// For operators: name and number in clear. The reason is written down before anything is answered.
    pub async fn open(&self, actor: &Actor, user: UserId, reason: &str) -> Result<(LegalIdentity, DateTime<Utc>)> {
        actor.require_admin()?;
        let reason = read_reason(reason)?;
        retrying!(self.store, self.write_open(actor, user, &reason))
    }

    async fn write_open(&self, actor: &Actor, user: UserId, reason: &str) -> Result<(LegalIdentity, DateTime<Utc>)> {
        let work = self.store.begin().await?;
        let user = reachable(&*work, actor, user).await?;
        let found = work.verifications().find(user.id).await?.ok_or(Error::NotFound("verification"))?;
        let identity = self.vault.open(&found)?;
        let event = AuditEvent::by(actor, "verification.read", user.id, self.clock.now());
        let event = event.on_account(user.personal_account).with(json!({ "reason": reason }));
        work.audit().append(&event).await?;
        work.commit().await?;
        Ok((identity, found.verified_at))
    }

    /// For operators: forgets a verification, so that its owner can claim anew.
    pub async fn reset(&self, actor: &Actor, user: UserId, reason: &str) -> Result<()> {
        actor.require_admin()?;
        let reason = read_reason(reason)?;
        retrying!(self.store, self.write_reset(actor, user, &reason))
    }

    async fn write_reset(&self, actor: &Actor, user: UserId, reason: &str) -> Result<()> {
        let now = self.clock.now();
        let work = self.store.begin().await?;
        let found = reachable(&*work, actor, user).await?;
        let account = work.accounts().lock(found.personal_account).await?.ok_or(Error::NotFound("account"))?;
        let user = work.users().lock(found.id).await?.ok_or(Error::NotFound("user"))?;
        if !work.verifications().delete(user.id).await? {
            return Err(Error::NotFound("verification"));
        }
        let id = user.id;
        work.users().save(&User { is_verified: false, updated_at: now, ..user }).await?;
        work.outbox().push(&[Event::new(account.id, "identity.reset", json!({ "user": id }), now)]).await?;
        let event = AuditEvent::by(actor, "verification.reset", id, now).on_account(account.id);
        work.audit().append(&event.with(json!({ "reason": reason }))).await?;
        Ok(work.commit().await?)
    }
}

/// A user on whom the operator may act: operators do not look into their equals.
async fn reachable(work: &dyn Repositories, actor: &Actor, user: UserId) -> Result<User> {
    let user = work.users().find(user).await?.ok_or(Error::NotFound("user"))?;
    if actor.role < Role::Root && user.role >= actor.role {
        return Err(Error::Forbidden("Only a root may do this to an operator."));
    }
    Ok(user)
}

fn read_reason(text: &str) -> Result<String> {
    visible_line(text, MAX_REASON_LENGTH).map_err(|problem| Error::invalid("reason", problem))
}

/// The user first, then the address: also the order in which they are locked.
fn throttles(actor: &Actor) -> Vec<ThrottleKey> {
    let user = ThrottleKey::verifying(actor.user);
    std::iter::once(user).chain(actor.ip.map(ThrottleKey::verifying_from)).collect()
}
