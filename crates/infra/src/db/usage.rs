//! Usage rows in `usage_records`, their keys in `usage_keys`.

use super::bulk::Existing;
use super::columns::{currency, from_json, meter, percents, percents_text, to_json};
use super::counters;
use super::entity::usage_record::{Column, Entity, Model};
use super::entity::{quota_counter, usage_daily, usage_hourly, usage_key};
use super::error::store_error;
use super::pairs;
use super::repos::Repos;
use super::usage_sums;
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::id::{AccountId, ApiKeyId, GrantId, TransferId, UsageId, UserId};
use domain::metering::{
    Booked, Dimensions, MAX_EARLY, MAX_LATE, SavedUsage, SummaryFilter, SummaryRow, UsageFilter, UsageRecord,
    UsageRepository, UsedKey,
};
use domain::money::Money;
use domain::page::{Page, PageRequest};
use domain::quantity::Quantity;
use domain::quota::Drawn;
use domain::store::StoreResult;
use sea_orm::{ColumnTrait, Condition, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use std::collections::HashMap;
use std::sync::Arc;
use uuid::Uuid;

const TABLE: &str = "usage_records";

#[async_trait]
impl<C: ConnectionTrait + Send + Sync> UsageRepository for Repos<C> {
    async fn find_by_keys(&self, keys: &[(AccountId, String)]) -> StoreResult<Vec<UsedKey>> {
        let pairs = keys.iter().map(|(account, key)| (account.as_uuid(), key.clone())).collect();
        let columns = (usage_key::Column::AccountId, usage_key::Column::UsageKey);
        let found = pairs::find::<usage_key::Entity, _>(self, pairs, columns).await?;
        if found.is_empty() {
            return Ok(Vec::new());
        }
        saved_under(self, found).await
    }

    async fn book(&self, booked: &Booked, now: DateTime<Utc>) -> StoreResult<()> {
        let keys: Vec<_> = booked.usage.iter().map(key_row).collect();
        let records = booked.usage.iter().map(|saved| row(&saved.record)).collect::<StoreResult<Vec<_>>>()?;
        let (hourly, daily) = (usage_sums::hourly(&booked.rollup), usage_sums::daily(&booked.rollup));
        let counters = counters::rows(&booked.counters, now);
        // A key that exists must show before anything else was done for nothing.
        self.together()
            .insert::<usage_key::Entity>(&keys, Existing::Fail)
            .insert::<Entity>(&records, Existing::Fail)
            .insert::<usage_hourly::Entity>(&hourly, usage_sums::ADDING)
            .insert::<usage_daily::Entity>(&daily, usage_sums::ADDING)
            .insert::<quota_counter::Entity>(&counters, counters::PUTTING)
            .execute(&self.conn)
            .await
    }

    async fn list(
        &self,
        account: AccountId,
        filter: &UsageFilter,
        page: PageRequest,
    ) -> StoreResult<Page<UsageRecord>> {
        let before = page.before.map(|before| Column::Id.lt(before));
        let meter = filter.meter.as_ref().map(|meter| Column::Meter.eq(meter.as_str()));
        let api_key = filter.api_key.map(|key| Column::ApiKeyId.eq(key.as_uuid()));
        let user = filter.user.map(|user| Column::UserId.eq(user.as_uuid()));
        let from = filter.from.map(|from| Column::OccurredAt.gte(from));
        let to = filter.to.map(|to| Column::OccurredAt.lt(to));
        // Ids follow the time of recording, which is never far from that of the use: the index bounds the scan.
        let first = filter.from.map(|from| Column::Id.gte(first_id_at(from - MAX_EARLY)));
        let last = filter.to.map(|to| Column::Id.lt(first_id_at(to + MAX_LATE)));
        let all = [before, meter, api_key, user, from, to, first, last]
            .into_iter()
            .flatten()
            .fold(Condition::all(), Condition::add);
        let rows = Entity::find()
            .filter(Column::AccountId.eq(account.as_uuid()))
            .filter(all)
            .order_by_desc(Column::Id)
            .limit(u64::from(page.limit) + 1)
            .all(&self.conn)
            .await
            .map_err(store_error)?;
        let records = rows.into_iter().map(record).collect::<StoreResult<Vec<_>>>()?;
        Ok(Page::cut(records, page.limit, |record| record.id.as_uuid()))
    }

    async fn summarise(&self, filter: &SummaryFilter, most: u64) -> StoreResult<Vec<SummaryRow>> {
        usage_sums::summarise(&self.conn, filter, most).await
    }
}

/// The smallest id of that millisecond; times out of an id's range are cut.
pub(super) fn first_id_at(time: DateTime<Utc>) -> Uuid {
    let millis = u64::try_from(time.timestamp_millis()).unwrap_or(0).min((1 << 48) - 1);
    Uuid::from_u128(u128::from(millis) << 80)
}

/// The keys with their rows, as far as those are still kept.
async fn saved_under<C: ConnectionTrait>(repos: &Repos<C>, keys: Vec<usage_key::Model>) -> StoreResult<Vec<UsedKey>> {
    let wanted = keys.iter().map(|key| (key.account_id, key.usage_id)).collect();
    let rows = pairs::find::<Entity, _>(repos, wanted, (Column::AccountId, Column::Id)).await?;
    let records = rows.into_iter().map(|row| Ok((row.id, Arc::new(record(row)?))));
    let records: HashMap<Uuid, Arc<UsageRecord>> = records.collect::<StoreResult<_>>()?;
    let used = keys.into_iter().map(|key| UsedKey {
        account: AccountId::from_uuid(key.account_id),
        key: key.usage_key,
        usage: UsageId::from_uuid(key.usage_id),
        fingerprint: key.fingerprint,
        // A key that was asked for twice is there twice.
        record: records.get(&key.usage_id).cloned(),
    });
    Ok(used.collect())
}

fn key_row(saved: &SavedUsage) -> usage_key::Model {
    usage_key::Model {
        account_id: saved.record.account.as_uuid(),
        usage_key: saved.record.key.clone(),
        usage_id: saved.record.id.as_uuid(),
        fingerprint: saved.fingerprint.clone(),
    }
}

fn row(record: &UsageRecord) -> StoreResult<Model> {
    let labels = record.dimensions.labels();
    let dimensions = (!labels.is_empty()).then(|| to_json(labels, TABLE, "dimensions")).transpose()?;
    let paid: Vec<_> = record.grants.iter().map(|(grant, quantity)| (grant, quantity.as_atoms())).collect();
    let grants = (!paid.is_empty()).then(|| to_json(&paid, TABLE, "grants")).transpose()?;
    let drawn = record.drawn;
    Ok(Model {
        account_id: record.account.as_uuid(),
        id: record.id.as_uuid(),
        usage_key: record.key.clone(),
        meter: record.meter.to_string(),
        quantity: record.quantity.as_atoms(),
        period_start: record.period_start,
        occurred_at: record.occurred_at,
        recorded_at: record.recorded_at,
        adjustment: record.adjustment,
        user_id: record.user.map(UserId::as_uuid),
        api_key_id: record.api_key.map(ApiKeyId::as_uuid),
        model: record.dimensions.model().to_owned(),
        dimensions,
        from_allowance: drawn.allowance.as_atoms(),
        from_grants: drawn.grants.as_atoms(),
        from_overage: drawn.overage.as_atoms(),
        from_wallet: drawn.wallet.as_atoms(),
        grants,
        amount_nanos: record.amount().nanos(),
        currency: drawn.fee.currency().code().to_owned(),
        remaining: record.remaining.map(Quantity::as_atoms),
        warnings: percents_text(&record.warnings),
        transfer_id: record.transfer.map(TransferId::as_uuid),
    })
}

pub(super) fn record(row: Model) -> StoreResult<UsageRecord> {
    let labels = row.dimensions.map(|labels| from_json(&labels, TABLE, "dimensions")).transpose()?.unwrap_or_default();
    let grants: Vec<(GrantId, i64)> =
        row.grants.map(|grants| from_json(&grants, TABLE, "grants")).transpose()?.unwrap_or_default();
    let amount = Money::from_nanos(row.amount_nanos, currency(&row.currency, TABLE)?);
    let nothing = Money::zero(amount.currency());
    let (fee, paid) = if row.from_wallet > 0 { (nothing, amount) } else { (amount, nothing) };
    Ok(UsageRecord {
        id: UsageId::from_uuid(row.id),
        account: AccountId::from_uuid(row.account_id),
        key: row.usage_key,
        meter: meter(&row.meter, TABLE)?,
        quantity: Quantity::atoms(row.quantity),
        period_start: row.period_start,
        occurred_at: row.occurred_at,
        recorded_at: row.recorded_at,
        adjustment: row.adjustment,
        user: row.user_id.map(UserId::from_uuid),
        api_key: row.api_key_id.map(ApiKeyId::from_uuid),
        dimensions: Dimensions::new(labels).map_err(|_| super::columns::corrupt(TABLE, "dimensions"))?,
        drawn: Drawn {
            allowance: Quantity::atoms(row.from_allowance),
            grants: Quantity::atoms(row.from_grants),
            overage: Quantity::atoms(row.from_overage),
            wallet: Quantity::atoms(row.from_wallet),
            fee,
            paid,
        },
        grants: grants.into_iter().map(|(grant, atoms)| (grant, Quantity::atoms(atoms))).collect(),
        transfer: row.transfer_id.map(TransferId::from_uuid),
        remaining: row.remaining.map(Quantity::atoms),
        warnings: percents(&row.warnings, TABLE, "warnings")?,
    })
}
