//! Memberships in `team_members`, and what each member may draw in `team_allocations`.

use super::columns::{corrupt, one_of};
use super::entity::team_allocation::{self as allocation, Column as Cap};
use super::entity::team_member::{ActiveModel, Column, Entity, Model};
use super::error::store_error;
use super::pairs;
use super::repos::Repos;
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::accounts::{MemberRole, MembershipRepository};
use domain::id::{AccountId, InvitationId, UserId};
use domain::page::{Page, PageRequest};
use domain::quantity::Quantity;
use domain::store::StoreResult;
use domain::teams::{MemberRepository, Membership, MembershipStatus};
use sea_orm::sea_query::{Expr, OnConflict};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, PaginatorTrait, QueryFilter,
    QueryOrder, QuerySelect, Select,
};
use std::collections::{BTreeMap, BTreeSet};

const TABLE: &str = "team_members";

#[async_trait]
impl<C: ConnectionTrait + Send + Sync> MembershipRepository for Repos<C> {
    async fn role_on(&self, account: AccountId, user: UserId) -> StoreResult<Option<MemberRole>> {
        let query = Entity::find_by_id((account.as_uuid(), user.as_uuid()));
        let active = query.filter(Column::Status.eq(MembershipStatus::Active.as_str()));
        active.one(&self.conn).await.map_err(store_error)?.map(|row| role(&row)).transpose()
    }
}

#[async_trait]
impl<C: ConnectionTrait + Send + Sync> MemberRepository for Repos<C> {
    async fn find(&self, account: AccountId, user: UserId) -> StoreResult<Option<Membership>> {
        Ok(MemberRepository::find_many(self, &[(account, user)]).await?.pop())
    }

    async fn find_many(&self, pairs: &[(AccountId, UserId)]) -> StoreResult<Vec<Membership>> {
        if pairs.is_empty() {
            return Ok(Vec::new());
        }
        let pairs = pairs.iter().map(|(account, user)| (account.as_uuid(), user.as_uuid())).collect();
        let rows = pairs::find::<Entity, _>(self, pairs, (Column::AccountId, Column::UserId)).await?;
        let members = rows.iter().map(member).collect::<StoreResult<Vec<_>>>()?;
        self.with_allocations(members).await
    }

    async fn list(
        &self,
        account: AccountId,
        status: Option<MembershipStatus>,
        page: PageRequest,
    ) -> StoreResult<Page<Membership>> {
        let mut query = Entity::find().filter(Column::AccountId.eq(account.as_uuid()));
        if let Some(status) = status {
            query = query.filter(Column::Status.eq(status.as_str()));
        }
        let page = self.members(query, page, Column::UserId, |member| member.user.as_uuid()).await?;
        Ok(Page { rows: self.with_allocations(page.rows).await?, next: page.next })
    }

    async fn list_of_user(&self, user: UserId, page: PageRequest) -> StoreResult<Page<Membership>> {
        let here = [MembershipStatus::Pending, MembershipStatus::Active].map(MembershipStatus::as_str);
        let query = Entity::find().filter(Column::UserId.eq(user.as_uuid())).filter(Column::Status.is_in(here));
        self.members(query, page, Column::AccountId, |member| member.account.as_uuid()).await
    }

    async fn count(&self, account: AccountId, status: MembershipStatus) -> StoreResult<u64> {
        let all = Entity::find().filter(Column::AccountId.eq(account.as_uuid()));
        all.filter(Column::Status.eq(status.as_str())).count(&self.conn).await.map_err(store_error)
    }

    async fn count_owned(&self, user: UserId) -> StoreResult<u64> {
        let active = Entity::find()
            .filter(Column::UserId.eq(user.as_uuid()))
            .filter(Column::Status.eq(MembershipStatus::Active.as_str()));
        active.filter(Column::Role.eq(MemberRole::Owner.as_str())).count(&self.conn).await.map_err(store_error)
    }

    async fn end_all(&self, account: AccountId, now: DateTime<Utc>) -> StoreResult<()> {
        let update = Entity::update_many()
            .col_expr(Column::Status, Expr::value(MembershipStatus::Removed.as_str()))
            .col_expr(Column::Role, Expr::value(MemberRole::Member.as_str()))
            .col_expr(Column::RemovedAt, Expr::value(now))
            .col_expr(Column::UpdatedAt, Expr::value(now))
            .filter(Column::AccountId.eq(account.as_uuid()))
            .filter(Column::Status.ne(MembershipStatus::Removed.as_str()));
        update.exec(&self.conn).await.map(drop).map_err(store_error)
    }

    async fn insert(&self, member: &Membership) -> StoreResult<()> {
        let insert = Entity::insert(row(member)).exec_without_returning(&self.conn);
        insert.await.map(drop).map_err(store_error)
    }

    async fn save(&self, member: &Membership) -> StoreResult<()> {
        let update = Entity::update_many()
            .set(row(member))
            .filter(Column::AccountId.eq(member.account.as_uuid()))
            .filter(Column::UserId.eq(member.user.as_uuid()));
        update.exec(&self.conn).await.map(drop).map_err(store_error)
    }

    async fn allocate(
        &self,
        account: AccountId,
        user: UserId,
        meter: &str,
        quantity: Option<Quantity>,
    ) -> StoreResult<()> {
        let key = (account.as_uuid(), user.as_uuid(), meter.to_owned());
        let Some(quantity) = quantity else {
            let delete = allocation::Entity::delete_by_id(key).exec(&self.conn);
            return delete.await.map(drop).map_err(store_error);
        };
        let row = allocation::Model { account_id: key.0, user_id: key.1, meter: key.2, quantity: quantity.as_atoms() };
        let existing = OnConflict::columns([Cap::AccountId, Cap::UserId, Cap::Meter]);
        let existing = { existing }.update_column(Cap::Quantity).to_owned();
        let upsert = allocation::Entity::insert(allocation::ActiveModel::from(row)).on_conflict(existing);
        upsert.exec_without_returning(&self.conn).await.map(drop).map_err(store_error)
    }
}

impl<C: ConnectionTrait + Send + Sync> Repos<C> {
    async fn members(
        &self,
        query: Select<Entity>,
        page: PageRequest,
        order: Column,
        id: impl Fn(&Membership) -> uuid::Uuid + Send,
    ) -> StoreResult<Page<Membership>> {
        let mut query = query.order_by_desc(order).limit(u64::from(page.limit) + 1);
        if let Some(before) = page.before {
            query = query.filter(order.lt(before));
        }
        let rows = query.all(&self.conn).await.map_err(store_error)?;
        let members = rows.iter().map(member).collect::<StoreResult<Vec<_>>>()?;
        Ok(Page::cut(members, page.limit, id))
    }

    async fn with_allocations(&self, members: Vec<Membership>) -> StoreResult<Vec<Membership>> {
        if members.is_empty() {
            return Ok(members);
        }
        let backend = self.conn.get_database_backend();
        let accounts: BTreeSet<_> = members.iter().map(|member| member.account.as_uuid()).collect();
        let users: BTreeSet<_> = members.iter().map(|member| member.user.as_uuid()).collect();
        let rows = allocation::Entity::find()
            .filter(one_of(backend, Cap::AccountId, accounts.into_iter().collect()))
            .filter(one_of(backend, Cap::UserId, users.into_iter().collect()))
            .all(&self.conn)
            .await
            .map_err(store_error)?;
        let mut caps: BTreeMap<_, BTreeMap<String, Quantity>> = BTreeMap::new();
        for row in rows {
            let of_member = caps.entry((row.account_id, row.user_id)).or_default();
            of_member.insert(row.meter, Quantity::atoms(row.quantity));
        }
        let filled = members.into_iter().map(|member| {
            let allocations = caps.remove(&(member.account.as_uuid(), member.user.as_uuid())).unwrap_or_default();
            Membership { allocations, ..member }
        });
        Ok(filled.collect())
    }
}

fn row(member: &Membership) -> ActiveModel {
    let model = Model {
        account_id: member.account.as_uuid(),
        user_id: member.user.as_uuid(),
        role: member.role.as_str().to_owned(),
        status: member.status.as_str().to_owned(),
        invited_by: member.invited_by.map(UserId::as_uuid),
        invitation_id: member.invitation.map(InvitationId::as_uuid),
        joined_at: member.joined_at,
        removed_at: member.removed_at,
        created_at: member.created_at,
        updated_at: member.updated_at,
    };
    model.into_active_model().reset_all()
}

fn role(row: &Model) -> StoreResult<MemberRole> {
    MemberRole::parse(&row.role).ok_or_else(|| corrupt(TABLE, "role"))
}

fn member(row: &Model) -> StoreResult<Membership> {
    Ok(Membership {
        account: AccountId::from_uuid(row.account_id),
        user: UserId::from_uuid(row.user_id),
        role: role(row)?,
        status: MembershipStatus::parse(&row.status).ok_or_else(|| corrupt(TABLE, "status"))?,
        invited_by: row.invited_by.map(UserId::from_uuid),
        invitation: row.invitation_id.map(InvitationId::from_uuid),
        allocations: BTreeMap::new(),
        joined_at: row.joined_at,
        removed_at: row.removed_at,
        created_at: row.created_at,
        updated_at: row.updated_at,
    })
}
