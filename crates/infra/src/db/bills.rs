//! Bills in `billing_records`, with `billing_lines` and `billing_overages`.

use super::bill_rows::{bill, line, line_row, overage, overage_row, record};
use super::bulk::Existing;
use super::columns::{one_of, rows_per_statement};
use super::entity::billing_record::{Column, Entity, Model};
use super::entity::{billing_line, billing_overage};
use super::error::store_error;
use super::repos::Repos;
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::billing::{Bill, BillFilter, BillKind, BillRepository, BillStatus, IssuedBill, Slot};
use domain::id::{AccountId, BillId};
use domain::page::{Page, PageRequest};
use domain::store::StoreResult;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder, QuerySelect,
};
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;

#[async_trait]
impl<C: ConnectionTrait + Send + Sync> BillRepository for Repos<C> {
    async fn insert(&self, bills: &[IssuedBill]) -> StoreResult<()> {
        let records = bills.iter().map(|issued| record(&issued.bill)).collect::<StoreResult<Vec<_>>>()?;
        let lines = bills.iter().flat_map(|issued| issued.lines.iter().map(|line| line_row(issued.bill.id, line)));
        let lines = lines.collect::<StoreResult<Vec<_>>>()?;
        let overages: Vec<_> = bills.iter().flat_map(|issued| issued.overages.iter().map(overage_row)).collect();
        self.together()
            .insert::<Entity>(&records, Existing::Fail)
            .insert::<billing_line::Entity>(&lines, Existing::Fail)
            .insert::<billing_overage::Entity>(&overages, Existing::Fail)
            .execute(&self.conn)
            .await
    }

    async fn save(&self, bills: &[Bill]) -> StoreResult<()> {
        for bill in bills {
            let mut row = record(bill)?.into_active_model();
            for column in [
                Column::Status,
                Column::LiveKey,
                Column::RefundedNanos,
                Column::PaidAt,
                Column::VoidedAt,
                Column::Chased,
                Column::ChaseAt,
                Column::UpdatedAt,
            ] {
                row.reset(column);
            }
            let update = Entity::update_many().set(row).filter(Column::Id.eq(bill.id.as_uuid()));
            update.exec(&self.conn).await.map_err(store_error)?;
        }
        Ok(())
    }

    async fn find(&self, id: BillId) -> StoreResult<Option<IssuedBill>> {
        let found = Entity::find_by_id(id.as_uuid()).one(&self.conn).await.map_err(store_error)?;
        Ok(with_lines(self, found.into_iter().collect()).await?.pop())
    }

    async fn find_live(&self, account: AccountId, kind: BillKind, start: DateTime<Utc>) -> StoreResult<Option<Bill>> {
        let query = Entity::find()
            .filter(Column::AccountId.eq(account.as_uuid()))
            .filter(Column::Kind.eq(kind.name()))
            .filter(Column::PeriodStart.eq(start))
            .filter(Column::Status.ne(BillStatus::Void.name()));
        query.one(&self.conn).await.map_err(store_error)?.map(bill).transpose()
    }

    async fn unpaid(&self, account: AccountId) -> StoreResult<Vec<Bill>> {
        let query = Entity::find()
            .filter(Column::AccountId.eq(account.as_uuid()))
            .filter(Column::Status.eq(BillStatus::Unpaid.name()))
            .filter(Column::Kind.ne(BillKind::Refund.name()))
            .order_by_asc(Column::Id);
        query.all(&self.conn).await.map_err(store_error)?.into_iter().map(bill).collect()
    }

    async fn of_periods(&self, kind: BillKind, slots: &[Slot]) -> StoreResult<Vec<IssuedBill>> {
        let wanted: BTreeSet<Slot> = slots.iter().copied().collect();
        let mut found = Vec::new();
        for chunk in accounts_of(slots).chunks(rows_per_statement(1)) {
            let mine = one_of(self.conn.get_database_backend(), Column::AccountId, chunk.to_vec());
            let first = slots.iter().map(|(_, start)| *start).min().unwrap_or(DateTime::UNIX_EPOCH);
            let query = Entity::find()
                .filter(mine)
                .filter(Column::PeriodStart.gte(first))
                .filter(Column::Kind.eq(kind.name()))
                .order_by_asc(Column::Id);
            found.extend(query.all(&self.conn).await.map_err(store_error)?);
        }
        // Interim bills begin within the period; who asks knows where it ends.
        found.retain(|row| {
            let account = AccountId::from_uuid(row.account_id);
            wanted.range((account, DateTime::<Utc>::MIN_UTC)..=(account, row.period_start)).next_back().is_some()
        });
        with_lines(self, found).await
    }

    async fn list(&self, filter: &BillFilter, page: PageRequest) -> StoreResult<Page<Bill>> {
        let conditions = [
            filter.account.map(|account| Column::AccountId.eq(account.as_uuid())),
            filter.kind.map(|kind| Column::Kind.eq(kind.name())),
            filter.status.map(|status| Column::Status.eq(status.name())),
            filter.month.as_ref().map(|month| Column::BillingPeriod.eq(month.as_str())),
            page.before.map(|before| Column::Id.lt(before)),
        ];
        let query = conditions.into_iter().flatten().fold(Entity::find(), QueryFilter::filter);
        let query = query.order_by_desc(Column::Id).limit(u64::from(page.limit) + 1);
        let rows = query.all(&self.conn).await.map_err(store_error)?;
        let bills = rows.into_iter().map(bill).collect::<StoreResult<Vec<_>>>()?;
        Ok(Page::cut(bills, page.limit, |bill| bill.id.as_uuid()))
    }

    async fn to_chase(&self, now: DateTime<Utc>, skip: u64, most: u64) -> StoreResult<Vec<(AccountId, BillId)>> {
        let found: Vec<(Uuid, Uuid)> = Entity::find()
            .select_only()
            .column(Column::AccountId)
            .column(Column::Id)
            .filter(Column::Status.eq(BillStatus::Unpaid.name()))
            .filter(Column::ChaseAt.lte(now))
            .order_by_asc(Column::ChaseAt)
            .order_by_asc(Column::Id)
            .offset(skip)
            .limit(most)
            .into_tuple()
            .all(&self.conn)
            .await
            .map_err(store_error)?;
        Ok(found.into_iter().map(|(account, id)| (AccountId::from_uuid(account), BillId::from_uuid(id))).collect())
    }

    async fn walk(&self, month: Option<String>, after: Option<BillId>, most: u64) -> StoreResult<Vec<BillId>> {
        let mut query = Entity::find().select_only().column(Column::Id).order_by_asc(Column::Id).limit(most);
        if let Some(month) = month {
            query = query.filter(Column::BillingPeriod.eq(month));
        }
        if let Some(after) = after {
            query = query.filter(Column::Id.gt(after.as_uuid()));
        }
        let ids: Vec<Uuid> = query.into_tuple().all(&self.conn).await.map_err(store_error)?;
        Ok(ids.into_iter().map(BillId::from_uuid).collect())
    }
}

/// The accounts of slots, each once.
pub(super) fn accounts_of(slots: &[Slot]) -> Vec<Uuid> {
    let accounts: BTreeSet<Uuid> = slots.iter().map(|(account, _)| account.as_uuid()).collect();
    accounts.into_iter().collect()
}

async fn with_lines<C: ConnectionTrait + Send + Sync>(
    repos: &Repos<C>,
    rows: Vec<Model>,
) -> StoreResult<Vec<IssuedBill>> {
    let ids: Vec<Uuid> = rows.iter().map(|row| row.id).collect();
    let (mut lines, mut overages) = (BTreeMap::<Uuid, Vec<_>>::new(), BTreeMap::<Uuid, Vec<_>>::new());
    let backend = repos.conn.get_database_backend();
    for chunk in ids.chunks(rows_per_statement(1)) {
        let query = billing_line::Entity::find()
            .filter(one_of(backend, billing_line::Column::BillId, chunk.to_vec()))
            .order_by_asc(billing_line::Column::Number);
        for row in query.all(&repos.conn).await.map_err(store_error)? {
            lines.entry(row.bill_id).or_default().push(line(&row)?);
        }
        let query = billing_overage::Entity::find()
            .filter(one_of(backend, billing_overage::Column::BillId, chunk.to_vec()))
            .order_by_asc(billing_overage::Column::Meter);
        for row in query.all(&repos.conn).await.map_err(store_error)? {
            overages.entry(row.bill_id).or_default().push(overage(&row)?);
        }
    }
    rows.into_iter()
        .map(|row| {
            let (lines, overages) = (lines.remove(&row.id), overages.remove(&row.id));
            let bill = bill(row)?;
            Ok(IssuedBill { bill, lines: lines.unwrap_or_default(), overages: overages.unwrap_or_default() })
        })
        .collect()
}
