//! Accounts, users and API keys.

use super::{Repos, page};
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::accounts::{Account, AccountRepository, AccountSearch};
use domain::actor::{Role, Scope};
use domain::id::{AccountId, ApiKeyId, UserId};
use domain::identity::{
    ApiKey, ApiKeyRepository, KeyAllowance, Login, TokenHash, User, UserRepository, UserSearch, UserStatus,
};
use domain::page::{Page, PageRequest};
use domain::store::StoreResult;
use std::collections::BTreeSet;

#[async_trait]
impl AccountRepository for Repos {
    async fn find(&self, id: AccountId) -> StoreResult<Option<Account>> {
        self.call(|tables, cx| Ok(tables.accounts.get(cx.tx, &id).cloned())).await
    }

    async fn lock(&self, id: AccountId) -> StoreResult<Option<Account>> {
        self.call(|tables, cx| Ok(tables.accounts.lock(cx, &id)?.cloned())).await
    }

    async fn lock_many(&self, ids: &[AccountId]) -> StoreResult<Vec<Account>> {
        let ids: BTreeSet<_> = ids.iter().copied().collect();
        self.call(|tables, cx| {
            let locked: Result<Vec<_>, _> = ids.iter().map(|id| Ok(tables.accounts.lock(cx, id)?.cloned())).collect();
            Ok(locked?.into_iter().flatten().collect())
        })
        .await
    }

    async fn find_by_external_id(&self, external_id: &str) -> StoreResult<Option<Account>> {
        self.call(|tables, cx| {
            let mut rows = tables.accounts.values(cx.tx);
            Ok(rows.find(|account| account.external_id.as_deref() == Some(external_id)).cloned())
        })
        .await
    }

    async fn find_many(&self, ids: &[AccountId]) -> StoreResult<Vec<Account>> {
        let ids: BTreeSet<_> = ids.iter().copied().collect();
        self.call(|tables, cx| Ok(ids.iter().filter_map(|id| tables.accounts.get(cx.tx, id).cloned()).collect())).await
    }

    async fn insert(&self, account: &Account) -> StoreResult<()> {
        self.call(|tables, cx| tables.accounts.insert(cx, vec![(account.id, account.clone())])).await
    }

    async fn save(&self, account: &Account) -> StoreResult<()> {
        self.call(|tables, cx| tables.accounts.update(cx, &account.id, |_| Some(account.clone())).map(drop)).await
    }

    async fn list(&self, wanted: PageRequest) -> StoreResult<Page<Account>> {
        self.call(|tables, cx| Ok(page(tables.accounts.values(cx.tx).cloned(), wanted, |row| row.id.as_uuid()))).await
    }

    async fn search(&self, search: &AccountSearch, wanted: PageRequest) -> StoreResult<Page<Account>> {
        let fits = |account: &&Account| match search {
            AccountSearch::Owner(owner) => account.owner == *owner,
            AccountSearch::Id(range) => (range.least..=range.most).contains(&account.id.as_uuid()),
            AccountSearch::Name(_) | AccountSearch::ExternalId(_) => false,
        };
        self.call(|tables, cx| {
            Ok(page(tables.accounts.values(cx.tx).filter(fits).cloned(), wanted, |row| row.id.as_uuid()))
        })
        .await
    }
}

#[async_trait]
impl UserRepository for Repos {
    async fn find(&self, id: UserId) -> StoreResult<Option<User>> {
        self.call(|tables, cx| Ok(tables.users.get(cx.tx, &id).cloned())).await
    }

    async fn lock(&self, id: UserId) -> StoreResult<Option<User>> {
        self.call(|tables, cx| Ok(tables.users.lock(cx, &id)?.cloned())).await
    }

    async fn find_by_login(&self, login: &Login) -> StoreResult<Option<User>> {
        self.call(|tables, cx| Ok(tables.users.values(cx.tx).find(|user| user.logins().contains(login)).cloned())).await
    }

    async fn lock_roots(&self) -> StoreResult<Vec<UserId>> {
        self.call(|tables, cx| {
            let is_root = |user: &&User| user.role == Role::Root && user.status == UserStatus::Active;
            let roots: Vec<_> = tables.users.values(cx.tx).filter(is_root).map(|user| user.id).collect();
            for root in &roots {
                tables.users.lock(cx, root)?;
            }
            Ok(roots)
        })
        .await
    }

    async fn insert(&self, user: &User) -> StoreResult<()> {
        self.call(|tables, cx| tables.users.insert(cx, vec![(user.id, user.clone())])).await
    }

    async fn find_many(&self, ids: &[UserId]) -> StoreResult<Vec<User>> {
        self.call(|tables, cx| Ok(ids.iter().filter_map(|id| tables.users.get(cx.tx, id).cloned()).collect())).await
    }

    async fn save(&self, user: &User) -> StoreResult<()> {
        self.call(|tables, cx| tables.users.update(cx, &user.id, |_| Some(user.clone())).map(drop)).await
    }

    async fn list(&self, wanted: PageRequest) -> StoreResult<Page<User>> {
        self.call(|tables, cx| Ok(page(tables.users.values(cx.tx).cloned(), wanted, |row| row.id.as_uuid()))).await
    }

    async fn search(&self, _search: &UserSearch, wanted: PageRequest) -> StoreResult<Page<User>> {
        UserRepository::list(self, wanted).await
    }
}

#[async_trait]
impl ApiKeyRepository for Repos {
    async fn insert(&self, key: &ApiKey) -> StoreResult<()> {
        self.call(|tables, cx| tables.api_keys.insert(cx, vec![(key.id, key.clone())])).await
    }

    async fn find_by_hash(&self, hash: TokenHash) -> StoreResult<Option<ApiKey>> {
        self.call(|tables, cx| Ok(tables.api_keys.values(cx.tx).find(|key| key.token_hash == hash).cloned())).await
    }

    async fn find(&self, owner: UserId, id: ApiKeyId) -> StoreResult<Option<ApiKey>> {
        self.call(|tables, cx| Ok(tables.api_keys.get(cx.tx, &id).filter(|key| is_live(key, owner)).cloned())).await
    }

    async fn lock(&self, owner: UserId, id: ApiKeyId) -> StoreResult<Option<ApiKey>> {
        self.call(|tables, cx| Ok(tables.api_keys.lock(cx, &id)?.filter(|key| is_live(key, owner)).cloned())).await
    }

    async fn lock_allowances(&self, ids: &[ApiKeyId]) -> StoreResult<Vec<(ApiKeyId, KeyAllowance)>> {
        let ids: BTreeSet<_> = ids.iter().copied().collect();
        self.call(|tables, cx| {
            let mut found = Vec::new();
            for id in &ids {
                let limited = tables.api_keys.get(cx.tx, id).is_some_and(|key| key.draft.allowance.is_some());
                let key = if limited { tables.api_keys.lock(cx, id)? } else { None };
                found.extend(key.and_then(|key| Some((*id, key.draft.allowance.clone()?))));
            }
            Ok(found)
        })
        .await
    }

    async fn save(&self, key: &ApiKey) -> StoreResult<()> {
        let after = |before: &ApiKey| Some(ApiKey { last_used_at: before.last_used_at, ..key.clone() });
        self.call(|tables, cx| tables.api_keys.update(cx, &key.id, after).map(drop)).await
    }

    async fn save_allowances(&self, used: &[(ApiKeyId, KeyAllowance)], now: DateTime<Utc>) -> StoreResult<()> {
        for (id, allowance) in used {
            self.call(|tables, cx| {
                tables.api_keys.update(cx, id, |key| {
                    let mut key = key.clone();
                    if let Some(known) = &mut key.draft.allowance {
                        (known.used, known.held) = (allowance.used, allowance.held);
                    }
                    Some(ApiKey { last_used_at: Some(now), ..key })
                })
            })
            .await?;
        }
        Ok(())
    }

    async fn touch(&self, owner: UserId, id: ApiKeyId, now: DateTime<Utc>) -> StoreResult<()> {
        self.call(|tables, cx| {
            let after = |key: &ApiKey| {
                let older = key.user == owner && key.last_used_at.is_none_or(|last| last < now);
                older.then(|| ApiKey { last_used_at: Some(now), ..key.clone() })
            };
            tables.api_keys.update(cx, &id, after).map(drop)
        })
        .await
    }

    async fn list(&self, owner: UserId, wanted: PageRequest) -> StoreResult<Page<ApiKey>> {
        self.call(|tables, cx| {
            let rows = tables.api_keys.values(cx.tx).filter(|key| is_live(key, owner)).cloned();
            Ok(page(rows, wanted, |row| row.id.as_uuid()))
        })
        .await
    }

    async fn count(&self, owner: UserId) -> StoreResult<usize> {
        self.call(|tables, cx| Ok(tables.api_keys.values(cx.tx).filter(|key| is_live(key, owner)).count())).await
    }

    async fn revoke_all(&self, owner: UserId, account: Option<AccountId>, now: DateTime<Utc>) -> StoreResult<u64> {
        self.revoke(now, |key| key.user == owner && account.is_none_or(|account| key.account == account)).await
    }

    async fn revoke_of_account(&self, account: AccountId, now: DateTime<Utc>) -> StoreResult<u64> {
        self.revoke(now, |key| key.account == account).await
    }

    async fn revoke_operating(&self, owner: UserId, now: DateTime<Utc>) -> StoreResult<u64> {
        self.revoke(now, |key| {
            let operating = key.draft.scopes.iter().any(|scope| matches!(scope, Scope::Service | Scope::Admin));
            key.user == owner && operating
        })
        .await
    }
}

impl Repos {
    async fn revoke(&self, now: DateTime<Utc>, fits: impl Fn(&ApiKey) -> bool + Send + Sync) -> StoreResult<u64> {
        self.call(|tables, cx| {
            let open = |key: &&ApiKey| key.revoked_at.is_none() && fits(key);
            let ids: Vec<_> = tables.api_keys.values(cx.tx).filter(open).map(|key| key.id).collect();
            for id in &ids {
                tables.api_keys.lock(cx, id)?;
            }
            for id in &ids {
                let after = |key: &ApiKey| Some(ApiKey { revoked_at: Some(now), updated_at: now, ..key.clone() });
                tables.api_keys.update(cx, id, after)?;
            }
            Ok(ids.len() as u64)
        })
        .await
    }
}

fn is_live(key: &ApiKey, owner: UserId) -> bool {
    key.user == owner && key.revoked_at.is_none()
}
