//! Teams in the database.

use super::columns::{corrupt, one_of};
use super::entity::team::{ActiveModel, Column, Entity, Model};
use super::error::store_error;
use super::repos::Repos;
use async_trait::async_trait;
use domain::id::{AccountId, TeamId};
use domain::store::StoreResult;
use domain::teams::{JoinPolicy, Team, TeamRepository, TeamStatus};
use sea_orm::{ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, QueryFilter};

const TABLE: &str = "teams";

#[async_trait]
impl<C: ConnectionTrait + Send + Sync> TeamRepository for Repos<C> {
    async fn find(&self, id: TeamId) -> StoreResult<Option<Team>> {
        let query = Entity::find_by_id(id.as_uuid());
        query.one(&self.conn).await.map_err(store_error)?.map(team).transpose()
    }

    async fn find_by_invite_code(&self, code: &str) -> StoreResult<Option<Team>> {
        let query = Entity::find().filter(Column::InviteCode.eq(code));
        query.one(&self.conn).await.map_err(store_error)?.map(team).transpose()
    }

    async fn of_accounts(&self, accounts: &[AccountId]) -> StoreResult<Vec<Team>> {
        if accounts.is_empty() {
            return Ok(Vec::new());
        }
        let ids = accounts.iter().map(|id| id.as_uuid()).collect();
        let query = Entity::find().filter(one_of(self.conn.get_database_backend(), Column::AccountId, ids));
        let rows = query.all(&self.conn).await.map_err(store_error)?;
        rows.into_iter().map(team).collect()
    }

    async fn insert(&self, team: &Team) -> StoreResult<()> {
        let insert = Entity::insert(row(team)).exec_without_returning(&self.conn);
        insert.await.map(drop).map_err(store_error)
    }

    async fn save(&self, team: &Team) -> StoreResult<()> {
        let update = Entity::update_many().set(row(team)).filter(Column::Id.eq(team.id.as_uuid()));
        update.exec(&self.conn).await.map(drop).map_err(store_error)
    }
}

fn row(team: &Team) -> ActiveModel {
    let model = Model {
        id: team.id.as_uuid(),
        account_id: team.account.as_uuid(),
        team_code: team.team_code.clone(),
        invite_code: team.invite_code.clone(),
        join_policy: team.join_policy.as_str().to_owned(),
        status: team.status.as_str().to_owned(),
        created_at: team.created_at,
        updated_at: team.updated_at,
        deleted_at: team.deleted_at,
    };
    model.into_active_model().reset_all()
}

fn team(row: Model) -> StoreResult<Team> {
    Ok(Team {
        id: TeamId::from_uuid(row.id),
        account: AccountId::from_uuid(row.account_id),
        team_code: row.team_code,
        invite_code: row.invite_code,
        join_policy: JoinPolicy::parse(&row.join_policy).ok_or_else(|| corrupt(TABLE, "join_policy"))?,
        status: TeamStatus::parse(&row.status).ok_or_else(|| corrupt(TABLE, "status"))?,
        created_at: row.created_at,
        updated_at: row.updated_at,
        deleted_at: row.deleted_at,
    })
}
