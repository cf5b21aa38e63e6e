//! Notices as the members of an account read them.

use super::notice::Notice;
use crate::accounts::{AccountRef, Act, resolve};
use crate::actor::{Actor, Scope};
use crate::error::{Error, Result};
use crate::id::NoticeId;
use crate::page::{Page, PageRequest};
use crate::store::{Store, retrying};
use crate::time::Clock;
use std::sync::Arc;

#[derive(Clone)]
pub struct NoticeService {
    pub store: Arc<dyn Store>,
    pub clock: Arc<dyn Clock>,
}

impl NoticeService {
    /// An account's notices, latest first.
    pub async fn list(
        &self,
        actor: &Actor,
        which: &AccountRef,
        unread: bool,
        page: PageRequest,
    ) -> Result<Page<Notice>> {
        actor.require_scope(&Scope::UsageRead)?;
        let account = resolve(&*self.store, actor, which, Act::ReadNotices).await?;
        Ok(self.store.notices().list(account.id, unread, page).await?)
    }

    /// Marks a notice as read for everybody who shares the account; reading it again changes nothing.
    pub async fn read(&self, actor: &Actor, which: &AccountRef, id: NoticeId) -> Result<Notice> {
        actor.require_scope(&Scope::UsageRead)?;
        retrying!(self.store, self.mark(actor, which, id))
    }

    async fn mark(&self, actor: &Actor, which: &AccountRef, id: NoticeId) -> Result<Notice> {
        let now = self.clock.now();
        let work = self.store.begin().await?;
        let account = resolve(&*work, actor, which, Act::ReadNotices).await?;
        work.notices().mark_read(account.id, id, now).await?;
        let notice = work.notices().find(account.id, id).await?.ok_or(Error::NotFound("notice"))?;
        work.commit().await?;
        Ok(notice)
    }

    /// Marks everything as read; how many notices that were.
    pub async fn read_all(&self, actor: &Actor, which: &AccountRef) -> Result<u64> {
        actor.require_scope(&Scope::UsageRead)?;
        retrying!(self.store, self.mark_all(actor, which))
    }

    async fn mark_all(&self, actor: &Actor, which: &AccountRef) -> Result<u64> {
        let now = self.clock.now();
        let work = self.store.begin().await?;
        let account = resolve(&*work, actor, which, Act::ReadNotices).await?;
        let marked = work.notices().mark_all_read(account.id, now).await?;
        work.commit().await?;
        Ok(marked)
    }
}
