//! Invitations in `team_invitations`.

use super::columns::corrupt;
use super::entity::team_invitation::{ActiveModel, Column, Entity, Model};
use super::error::store_error;
use super::repos::Repos;
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::accounts::MemberRole;
use domain::id::{AccountId, InvitationId, UserId};
use domain::identity::Email;
use domain::page::{Page, PageRequest};
use domain::store::StoreResult;
use domain::teams::{Invitation, InvitationRepository};
use sea_orm::sea_query::Expr;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, PaginatorTrait, QueryFilter,
    QueryOrder, QuerySelect,
};

const TABLE: &str = "team_invitations";

#[async_trait]
impl<C: ConnectionTrait + Send + Sync> InvitationRepository for Repos<C> {
    async fn find(&self, account: AccountId, id: InvitationId) -> StoreResult<Option<Invitation>> {
        let query = Entity::find_by_id((account.as_uuid(), id.as_uuid()));
        query.one(&self.conn).await.map_err(store_error)?.map(invitation).transpose()
    }

    async fn find_by_code(&self, code: &str) -> StoreResult<Option<Invitation>> {
        let query = Entity::find().filter(Column::Code.eq(code));
        query.one(&self.conn).await.map_err(store_error)?.map(invitation).transpose()
    }

    async fn count_open(&self, account: AccountId, now: DateTime<Utc>) -> StoreResult<u64> {
        let own = Entity::find().filter(Column::AccountId.eq(account.as_uuid())).filter(Column::EndedAt.is_null());
        own.filter(Column::ExpiresAt.gt(now)).count(&self.conn).await.map_err(store_error)
    }

    async fn list(&self, account: AccountId, page: PageRequest) -> StoreResult<Page<Invitation>> {
        let own = Entity::find().filter(Column::AccountId.eq(account.as_uuid()));
        let mut query = own.order_by_desc(Column::Id).limit(u64::from(page.limit) + 1);
        if let Some(before) = page.before {
            query = query.filter(Column::Id.lt(before));
        }
        let rows = query.all(&self.conn).await.map_err(store_error)?;
        let invitations = rows.into_iter().map(invitation).collect::<StoreResult<Vec<_>>>()?;
        Ok(Page::cut(invitations, page.limit, |invitation| invitation.id.as_uuid()))
    }

    async fn end_all(&self, account: AccountId, now: DateTime<Utc>) -> StoreResult<()> {
        let update = Entity::update_many()
            .col_expr(Column::EndedAt, Expr::value(now))
            .col_expr(Column::Email, Expr::value(None::<String>))
            .filter(Column::AccountId.eq(account.as_uuid()))
            .filter(Column::EndedAt.is_null());
        update.exec(&self.conn).await.map(drop).map_err(store_error)
    }

    async fn insert(&self, invitation: &Invitation) -> StoreResult<()> {
        let insert = Entity::insert(row(invitation)).exec_without_returning(&self.conn);
        insert.await.map(drop).map_err(store_error)
    }

    async fn save(&self, invitation: &Invitation) -> StoreResult<()> {
        let update = Entity::update_many()
            .set(row(invitation))
            .filter(Column::AccountId.eq(invitation.account.as_uuid()))
            .filter(Column::Id.eq(invitation.id.as_uuid()));
        update.exec(&self.conn).await.map(drop).map_err(store_error)
    }
}

fn row(invitation: &Invitation) -> ActiveModel {
    let model = Model {
        account_id: invitation.account.as_uuid(),
        id: invitation.id.as_uuid(),
        code: invitation.code.clone(),
        email: invitation.email.as_ref().map(ToString::to_string),
        role: invitation.role.as_str().to_owned(),
        invited_by: invitation.invited_by.as_uuid(),
        created_at: invitation.created_at,
        expires_at: invitation.expires_at,
        accepted_by: invitation.accepted_by.map(UserId::as_uuid),
        ended_at: invitation.ended_at,
    };
    model.into_active_model().reset_all()
}

fn invitation(row: Model) -> StoreResult<Invitation> {
    Ok(Invitation {
        id: InvitationId::from_uuid(row.id),
        account: AccountId::from_uuid(row.account_id),
        code: row.code,
        email: row.email.map(Email::from_stored),
        role: MemberRole::parse(&row.role).ok_or_else(|| corrupt(TABLE, "role"))?,
        invited_by: UserId::from_uuid(row.invited_by),
        created_at: row.created_at,
        expires_at: row.expires_at,
        accepted_by: row.accepted_by.map(UserId::from_uuid),
        ended_at: row.ended_at,
    })
}
