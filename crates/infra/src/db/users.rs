//! Users in the database.

use super::columns::{corrupt, from_json, one_of};
use super::entity::user::{ActiveModel, Column, Entity, Model};
use super::error::store_error;
use super::repos::Repos;
use super::search::{Walk, walk};
use async_trait::async_trait;
use domain::actor::Role;
use domain::id::{AccountId, UserId};
use domain::identity::{
    Email, Login, PasswordHash, Phone, Profile, User, UserRepository, UserSearch, UserStatus, Username,
};
use domain::page::{Page, PageRequest};
use domain::store::StoreResult;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, Condition, ConnectionTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder,
    QuerySelect,
};

const TABLE: &str = "users";

#[async_trait]
impl<C: ConnectionTrait + Send + Sync> UserRepository for Repos<C> {
    async fn find(&self, id: UserId) -> StoreResult<Option<User>> {
        let found = Entity::find_by_id(id.as_uuid()).one(&self.conn).await.map_err(store_error)?;
        found.map(user).transpose()
    }

    async fn lock(&self, id: UserId) -> StoreResult<Option<User>> {
        let query = Entity::find_by_id(id.as_uuid()).lock_exclusive();
        query.one(&self.conn).await.map_err(store_error)?.map(user).transpose()
    }

    async fn find_by_login(&self, login: &Login) -> StoreResult<Option<User>> {
        let column = match login {
            Login::Username(_) => Column::Username,
            Login::Email(_) => Column::Email,
            Login::Phone(_) => Column::Phone,
        };
        let query = Entity::find().filter(column.eq(login.as_str()));
        query.one(&self.conn).await.map_err(store_error)?.map(user).transpose()
    }

    async fn lock_roots(&self) -> StoreResult<Vec<UserId>> {
        let query = Entity::find()
            .filter(Column::Role.eq(Role::Root.as_str()))
            .filter(Column::Status.eq(UserStatus::Active.as_str()))
            .filter(Column::DeletedAt.is_null())
            .order_by_asc(Column::Id)
            .lock_exclusive();
        let roots = query.all(&self.conn).await.map_err(store_error)?;
        Ok(roots.into_iter().map(|root| UserId::from_uuid(root.id)).collect())
    }

    async fn insert(&self, user: &User) -> StoreResult<()> {
        let insert = Entity::insert(row(user)).exec_without_returning(&self.conn);
        insert.await.map(drop).map_err(store_error)
    }

    async fn find_many(&self, ids: &[UserId]) -> StoreResult<Vec<User>> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let wanted = ids.iter().map(|id| id.as_uuid()).collect();
        let query = Entity::find().filter(one_of(self.conn.get_database_backend(), Column::Id, wanted));
        query.all(&self.conn).await.map_err(store_error)?.into_iter().map(user).collect()
    }

    async fn save(&self, user: &User) -> StoreResult<()> {
        let update = Entity::update_many().set(row(user)).filter(Column::Id.eq(user.id.as_uuid()));
        update.exec(&self.conn).await.map(drop).map_err(store_error)
    }

    async fn list(&self, page: PageRequest) -> StoreResult<Page<User>> {
        let mut query = Entity::find().order_by_desc(Column::Id).limit(u64::from(page.limit) + 1);
        if let Some(before) = page.before {
            query = query.filter(Column::Id.lt(before));
        }
        let rows = query.all(&self.conn).await.map_err(store_error)?;
        cut(rows, page)
    }

    async fn search(&self, search: &UserSearch, page: PageRequest) -> StoreResult<Page<User>> {
        let (text, prefix) = match search {
            UserSearch::Username(prefix) => (Column::Username, prefix),
            UserSearch::Email(prefix) => (Column::Email, prefix),
            UserSearch::Phone(prefix) => (Column::Phone, prefix),
            UserSearch::ExternalId(prefix) => (Column::ExternalId, prefix),
            UserSearch::Id(range) => {
                let within = Column::Id.between(range.least, range.most);
                let before = page.before.map(|before| Column::Id.lt(before));
                let query = Entity::find().filter(Condition::all().add(within).add_option(before));
                let query = query.order_by_desc(Column::Id).limit(u64::from(page.limit) + 1);
                return cut(query.all(&self.conn).await.map_err(store_error)?, page);
            }
        };
        cut(walk::<Entity, _, _>(&self.conn, Walk { text, id: Column::Id }, prefix, page).await?, page)
    }
}

fn cut(rows: Vec<Model>, page: PageRequest) -> StoreResult<Page<User>> {
    let users = rows.into_iter().map(user).collect::<StoreResult<Vec<_>>>()?;
    Ok(Page::cut(users, page.limit, |user| user.id.as_uuid()))
}

fn row(user: &User) -> ActiveModel {
    let model = Model {
        id: user.id.as_uuid(),
        personal_account_id: user.personal_account.as_uuid(),
        username: user.username.as_ref().map(ToString::to_string),
        email: user.email.as_ref().map(ToString::to_string),
        phone: user.phone.as_ref().map(ToString::to_string),
        display_name: user.profile.display_name.clone(),
        avatar_url: user.profile.avatar_url.clone(),
        settings: user.profile.settings.to_string(),
        password_hash: user.password_hash.as_ref().map(|hash| hash.expose().to_owned()),
        role: user.role.as_str().to_owned(),
        status: user.status.as_str().to_owned(),
        group_name: user.group_name.clone(),
        external_id: user.external_id.clone(),
        is_verified: user.is_verified,
        last_login_at: user.last_login_at,
        created_at: user.created_at,
        updated_at: user.updated_at,
        deleted_at: user.deleted_at,
    };
    model.into_active_model().reset_all()
}

fn user(row: Model) -> StoreResult<User> {
    let settings = from_json(&row.settings, TABLE, "settings")?;
    Ok(User {
        id: UserId::from_uuid(row.id),
        personal_account: AccountId::from_uuid(row.personal_account_id),
        username: row.username.map(Username::from_stored),
        email: row.email.map(Email::from_stored),
        phone: row.phone.map(Phone::from_stored),
        profile: Profile { display_name: row.display_name, avatar_url: row.avatar_url, settings },
        password_hash: row.password_hash.map(PasswordHash::from_phc),
        role: Role::parse(&row.role).ok_or_else(|| corrupt(TABLE, "role"))?,
        status: UserStatus::parse(&row.status).ok_or_else(|| corrupt(TABLE, "status"))?,
        group_name: row.group_name,
        external_id: row.external_id,
        is_verified: row.is_verified,
        last_login_at: row.last_login_at,
        created_at: row.created_at,
        updated_at: row.updated_at,
        deleted_at: row.deleted_at,
    })
}
