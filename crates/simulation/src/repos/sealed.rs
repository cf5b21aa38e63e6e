//! Ciphertexts wherever they lie, and usage rows by month, without partitions as on SQLite.

use super::Repos;
use crate::db::{Tables, TxId};
use async_trait::async_trait;
use domain::id::{AccountId, RedemptionCodeId, UsageId, UserId, WebhookEndpointId};
use domain::metering::{Month, UsageMonthRepository};
use domain::sealed::{SealedColumn, SealedRepository, SealedText};
use domain::store::StoreResult;
use uuid::Uuid;

/// What of a column is not under the newest key, in the order of ids.
fn stale(tables: &Tables, tx: TxId, column: SealedColumn, newest: &str) -> Vec<SealedText> {
    let sealed = |row: Uuid, text: &str| SealedText { row, text: text.to_owned() };
    let mut all: Vec<SealedText> = match column {
        SealedColumn::WebhookSecret => {
            tables.webhooks.values(tx).map(|row| sealed(row.id.as_uuid(), &row.secret.0)).collect()
        }
        SealedColumn::WebhookOldSecret => {
            let old = tables.webhooks.values(tx).filter_map(|row| Some((row.id, row.old_secret.as_ref()?)));
            old.map(|(id, old)| sealed(id.as_uuid(), &old.sealed.0)).collect()
        }
        SealedColumn::RedemptionCode => {
            tables.redemption_codes.values(tx).map(|row| sealed(row.id.as_uuid(), &row.sealed.0)).collect()
        }
        SealedColumn::RealName => {
            tables.verifications.values(tx).map(|row| sealed(row.user.as_uuid(), &row.real_name)).collect()
        }
        SealedColumn::IdNumber => {
            tables.verifications.values(tx).map(|row| sealed(row.user.as_uuid(), &row.id_number)).collect()
        }
        SealedColumn::IdentityMask => {
            tables.verifications.values(tx).map(|row| sealed(row.user.as_uuid(), &row.mask)).collect()
        }
    };
    all.retain(|sealed| !sealed.text.starts_with(newest));
    all.sort_by_key(|sealed| sealed.row);
    all
}

#[async_trait]
impl SealedRepository for Repos {
    async fn stale(
        &self,
        column: SealedColumn,
        newest: &str,
        after: Option<Uuid>,
        limit: u32,
    ) -> StoreResult<Vec<SealedText>> {
        self.call(|tables, cx| {
            let mut found = stale(tables, cx.tx, column, newest);
            found.retain(|sealed| after.is_none_or(|after| sealed.row > after));
            found.truncate(limit as usize);
            Ok(found)
        })
        .await
    }

    async fn count_stale(&self, column: SealedColumn, newest: &str) -> StoreResult<u64> {
        self.call(|tables, cx| Ok(stale(tables, cx.tx, column, newest).len() as u64)).await
    }

    async fn replace(&self, column: SealedColumn, old: &SealedText, new: &str) -> StoreResult<bool> {
        /// UPDATE of one text of a row, where it is still the old one.
        macro_rules! replace {
            ($table:ident[$id:expr], |$row:ident| $text:expr) => {
                self.call(|tables, cx| {
                    tables.$table.update(cx, &$id, |before| {
                        let mut after = before.clone();
                        let $row = &mut after;
                        let text: &mut String = $text?;
                        let same = *text == old.text;
                        new.clone_into(text);
                        same.then_some(after)
                    })
                })
                .await
            };
        }
        let (endpoint, user) = (WebhookEndpointId::from_uuid(old.row), UserId::from_uuid(old.row));
        match column {
            SealedColumn::WebhookSecret => replace!(webhooks[endpoint], |row| Some(&mut row.secret.0)),
            SealedColumn::WebhookOldSecret => {
                replace!(webhooks[endpoint], |row| row.old_secret.as_mut().map(|old| &mut old.sealed.0))
            }
            SealedColumn::RedemptionCode => {
                replace!(redemption_codes[RedemptionCodeId::from_uuid(old.row)], |row| Some(&mut row.sealed.0))
            }
            SealedColumn::RealName => replace!(verifications[user], |row| Some(&mut row.real_name)),
            SealedColumn::IdNumber => replace!(verifications[user], |row| Some(&mut row.id_number)),
            SealedColumn::IdentityMask => replace!(verifications[user], |row| Some(&mut row.mask)),
        }
    }
}

/// Whether a usage row was recorded before a month: its id begins with the time.
fn is_before(id: UsageId, month: Month) -> bool {
    let millis = i64::try_from(id.as_uuid().as_u128() >> 80).unwrap_or(i64::MAX);
    millis < month.start().timestamp_millis()
}

#[async_trait]
impl UsageMonthRepository for Repos {
    async fn partitions(&self) -> StoreResult<Option<Vec<Month>>> {
        self.call(|_, _| Ok(None)).await
    }

    async fn oldest_in_catch_all(&self) -> StoreResult<Option<Month>> {
        self.call(|_, _| Ok(None)).await
    }

    async fn create(&self, _: Month) -> StoreResult<()> {
        self.call(|_, _| Ok(())).await
    }

    async fn drop_partition(&self, _: Month) -> StoreResult<()> {
        self.call(|_, _| Ok(())).await
    }

    async fn account_before(&self, month: Month, after: Option<AccountId>) -> StoreResult<Option<AccountId>> {
        self.call(|tables, cx| {
            let old = tables.usage.values(cx.tx).filter(|row| is_before(row.id, month)).map(|row| row.account);
            Ok(old.filter(|account| after.is_none_or(|after| *account > after)).min())
        })
        .await
    }

    async fn delete_before(&self, month: Month, account: AccountId, most: u64) -> StoreResult<u64> {
        self.call(|tables, cx| {
            let old = tables.usage.iter(cx.tx).filter(|(_, row)| row.account == account && is_before(row.id, month));
            let most = usize::try_from(most).unwrap_or(usize::MAX);
            let old: Vec<_> = old.map(|(key, _)| *key).take(most).collect();
            tables.usage.delete(cx, &old)
        })
        .await
    }
}
