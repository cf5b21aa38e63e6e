//! API keys: what their owner does with them. Only in a session; a key makes no keys.

use super::access::{AccountRef, hold_to_members, resolve};
use super::account::{Account, AccountKind};
use super::rights::Act;
use crate::actor::{Actor, Role, Scope};
use crate::audit::AuditEvent;
use crate::change::Change;
use crate::error::{Error, Result};
use crate::id::ApiKeyId;
use crate::identity::{ApiKey, KeyAllowance, KeyDraft, KeyStatus, MeterScales, SecretSource, Token, TokenKind};
use crate::page::{Page, PageRequest};
use crate::site_options::LiveOptions;
use crate::store::{Store, UnitOfWork, retrying};
use crate::time::Clock;
use chrono::{DateTime, Utc};
use serde_json::json;
use std::sync::Arc;

/// A key wanted, as its owner says it. Quantities are decimals in the meter's unit.
#[derive(Clone, Debug, Default)]
pub struct KeyWish {
    pub name: String,
    pub account: AccountRef,
    /// `None` is reading and writing usage.
    pub scopes: Option<Vec<String>>,
    pub expires_at: Option<DateTime<Utc>>,
    /// Meter and quantity.
    pub allowance: Option<(String, String)>,
    pub models: Option<Vec<String>>,
    pub allowed_ips: Option<Vec<String>>,
    pub requests_per_minute: Option<u32>,
}

/// What is changed about a key; its account and its secret are not.
#[derive(Clone, Debug, Default)]
pub struct KeyChange {
    pub name: Option<String>,
    pub status: Option<KeyStatus>,
    pub scopes: Option<Vec<String>>,
    pub expires_at: Change<DateTime<Utc>>,
    pub allowance: Change<(String, String)>,
    pub models: Change<Vec<String>>,
    pub allowed_ips: Change<Vec<String>>,
    pub requests_per_minute: Change<u32>,
}

/// A key with its secret, shown once.
#[derive(Clone, Debug)]
pub struct IssuedKey {
    pub key: ApiKey,
    pub token: Token,
}

#[derive(Clone)]
pub struct KeyService {
    pub store: Arc<dyn Store>,
    pub clock: Arc<dyn Clock>,
    pub secrets: Arc<dyn SecretSource>,
    pub meters: Arc<dyn MeterScales>,
    pub options: Arc<LiveOptions>,
}

impl KeyService {
    pub async fn create(&self, actor: &Actor, wish: KeyWish) -> Result<IssuedKey> {
        actor.require_session()?;
        retrying!(self.store, self.write_new(actor, wish.clone()))
    }

    async fn write_new(&self, actor: &Actor, wish: KeyWish) -> Result<IssuedKey> {
        let now = self.clock.now();
        let token = Token::from_random(TokenKind::ApiKey, self.secrets.random()?);
        let work = self.store.begin().await?;
        // The owner's row is locked so that two requests do not both make the last key.
        let owner = work.users().lock(actor.user).await?.ok_or(Error::Unauthenticated)?;
        let account = self.lock_account(&*work, actor, &wish.account).await?;
        let most = self.options.get().api_keys_per_user;
        if work.api_keys().count(owner.id).await? >= most {
            return Err(Error::conflict("conflict", format!("A user may have {most} API keys; delete one first.")));
        }
        let draft = self.read(wish, owner.role, now)?;
        hold_to_members(&*work, &account, owner.id, &draft.scopes).await?;
        let key = ApiKey::new(&owner, account.id, &token, draft, now);
        work.api_keys().insert(&key).await?;
        note(&*work, actor, "api_key.create", &key).await?;
        work.commit().await?;
        Ok(IssuedKey { key, token })
    }

    /// The account of a new key. A team's is locked before the membership is looked at, so that a removal at
    /// the same moment either refuses the key or ends it.
    async fn lock_account(&self, work: &dyn UnitOfWork, actor: &Actor, which: &AccountRef) -> Result<Account> {
        let account = resolve(work, actor, which, Act::CreateKey).await?;
        if account.kind == AccountKind::Personal {
            return Ok(account);
        }
        work.accounts().lock(account.id).await?;
        resolve(work, actor, &AccountRef::Id(account.id), Act::CreateKey).await
    }

    pub async fn list(&self, actor: &Actor, page: PageRequest) -> Result<Page<ApiKey>> {
        actor.require_session()?;
        Ok(self.store.api_keys().list(actor.user, page).await?)
    }

    pub async fn get(&self, actor: &Actor, id: ApiKeyId) -> Result<ApiKey> {
        actor.require_session()?;
        self.store.api_keys().find(actor.user, id).await?.ok_or(Error::NotFound("API key"))
    }

    pub async fn update(&self, actor: &Actor, id: ApiKeyId, change: KeyChange) -> Result<ApiKey> {
        let now = self.clock.now();
        let changed = |key: ApiKey, giver| {
            Ok(ApiKey {
                status: change.status.unwrap_or(key.status),
                draft: self.changed(key.draft, change.clone(), giver, now)?,
                updated_at: now,
                ..key
            })
        };
        self.rewrite(actor, id, "api_key.update", changed).await
    }

    /// Revokes a key for good.
    pub async fn delete(&self, actor: &Actor, id: ApiKeyId) -> Result<()> {
        let now = self.clock.now();
        self.rewrite(actor, id, "api_key.revoke", |key, _| Ok(key.revoked(now))).await.map(drop)
    }

    /// Gives a key a new secret; the old one is dead at once.
    pub async fn rotate(&self, actor: &Actor, id: ApiKeyId) -> Result<IssuedKey> {
        let token = Token::from_random(TokenKind::ApiKey, self.secrets.random()?);
        let now = self.clock.now();
        let key = self.rewrite(actor, id, "api_key.rotate", |key, _| Ok(key.rotated(&token, now))).await?;
        Ok(IssuedKey { key, token })
    }

    async fn rewrite<R>(&self, actor: &Actor, id: ApiKeyId, action: &str, rule: R) -> Result<ApiKey>
    where
        R: Fn(ApiKey, Role) -> Result<ApiKey> + Send + Sync,
    {
        actor.require_session()?;
        retrying!(self.store, self.rewrite_once(actor, id, action, &rule))
    }

    async fn rewrite_once<R>(&self, actor: &Actor, id: ApiKeyId, action: &str, rule: &R) -> Result<ApiKey>
    where
        R: Fn(ApiKey, Role) -> Result<ApiKey> + Send + Sync,
    {
        let work = self.store.begin().await?;
        // The role as it is now: a demotion takes its keys' operating scopes, and none may slip in after it.
        let owner = work.users().lock(actor.user).await?.ok_or(Error::Unauthenticated)?;
        let before = work.api_keys().lock(owner.id, id).await?.ok_or(Error::NotFound("API key"))?;
        let key = rule(before.clone(), owner.role)?;
        if key.draft.scopes != before.draft.scopes {
            let account = work.accounts().find(key.account).await?.ok_or(Error::NotFound("account"))?;
            hold_to_members(&*work, &account, owner.id, &key.draft.scopes).await?;
        }
        work.api_keys().save(&key).await?;
        note(&*work, actor, action, &key).await?;
        work.commit().await?;
        Ok(key)
    }

    fn read(&self, wish: KeyWish, giver: Role, now: DateTime<Utc>) -> Result<KeyDraft> {
        let scopes = wish.scopes.map(|texts| KeyDraft::read_scopes(&texts, giver)).transpose()?;
        Ok(KeyDraft {
            name: KeyDraft::read_name(&wish.name)?,
            scopes: scopes.unwrap_or_else(KeyDraft::default_scopes),
            expires_at: wish.expires_at.map(|time| KeyDraft::read_expiry(time, now)).transpose()?,
            allowance: wish.allowance.map(|allowance| self.read_allowance(allowance)).transpose()?,
            models: wish.models.map(KeyDraft::read_models).transpose()?,
            allowed_ips: wish.allowed_ips.map(|texts| KeyDraft::read_allowed_ips(&texts)).transpose()?,
            requests_per_minute: wish.requests_per_minute.map(KeyDraft::read_requests_per_minute).transpose()?,
        })
    }

    fn changed(&self, draft: KeyDraft, change: KeyChange, giver: Role, now: DateTime<Utc>) -> Result<KeyDraft> {
        let name = change.name.map(|name| KeyDraft::read_name(&name)).transpose()?;
        let scopes = change.scopes.map(|texts| KeyDraft::read_scopes(&texts, giver)).transpose()?;
        let allowance = change.allowance.try_map(|allowance| {
            let next = self.read_allowance(allowance)?;
            Ok::<_, Error>(draft.allowance.clone().map_or_else(|| next.clone(), |old| old.replaced_by(next.clone())))
        })?;
        Ok(KeyDraft {
            name: name.unwrap_or(draft.name),
            scopes: scopes.unwrap_or(draft.scopes),
            expires_at: change.expires_at.try_map(|time| KeyDraft::read_expiry(time, now))?.apply(draft.expires_at),
            allowance: allowance.apply(draft.allowance),
            models: change.models.try_map(KeyDraft::read_models)?.apply(draft.models),
            allowed_ips: change
                .allowed_ips
                .try_map(|texts| KeyDraft::read_allowed_ips(&texts))?
                .apply(draft.allowed_ips),
            requests_per_minute: change
                .requests_per_minute
                .try_map(KeyDraft::read_requests_per_minute)?
                .apply(draft.requests_per_minute),
        })
    }

    fn read_allowance(&self, (meter, quantity): (String, String)) -> Result<KeyAllowance> {
        let scale = self.meters.scale(&meter).ok_or_else(|| Error::invalid("allowance.meter", "is not a meter"))?;
        KeyDraft::read_allowance(meter, &quantity, scale)
    }
}

async fn note(work: &dyn UnitOfWork, actor: &Actor, action: &str, key: &ApiKey) -> Result<()> {
    let scopes: Vec<&str> = key.draft.scopes.iter().map(Scope::as_str).collect();
    let detail = json!({ "name": key.draft.name, "prefix": key.prefix, "scopes": scopes });
    let event = AuditEvent::by(actor, action, key.id, key.updated_at).on_account(key.account).with(detail);
    Ok(work.audit().append(&event).await?)
}
