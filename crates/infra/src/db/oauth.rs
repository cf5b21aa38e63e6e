//! Identities at other providers, and log-ins under way there.

use super::columns::corrupt;
use super::entity::{oauth_flow, oauth_identity};
use super::error::store_error;
use super::repos::Repos;
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::id::{IdentityId, SessionId, UserId};
use domain::identity::{
    Email, ExchangeChallenge, OAuthFlow, OAuthFlowRepository, OAuthIdentity, OAuthIdentityRepository, ProviderName,
    Purpose, TokenHash,
};
use domain::store::StoreResult;
use sea_orm::{ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder};

const IDENTITIES: &str = "oauth_identities";
const FLOWS: &str = "oauth_flows";

#[async_trait]
impl<C: ConnectionTrait + Send + Sync> OAuthIdentityRepository for Repos<C> {
    async fn insert(&self, identity: &OAuthIdentity) -> StoreResult<()> {
        let insert = oauth_identity::Entity::insert(identity_row(identity)).exec_without_returning(&self.conn);
        insert.await.map(drop).map_err(store_error)
    }

    async fn save(&self, identity: &OAuthIdentity) -> StoreResult<()> {
        let update = oauth_identity::Entity::update_many()
            .set(identity_row(identity))
            .filter(oauth_identity::Column::UserId.eq(identity.user.as_uuid()))
            .filter(oauth_identity::Column::Id.eq(identity.id.as_uuid()));
        update.exec(&self.conn).await.map(drop).map_err(store_error)
    }

    async fn find_by_subject(&self, provider: &ProviderName, subject: &str) -> StoreResult<Option<OAuthIdentity>> {
        let query = oauth_identity::Entity::find()
            .filter(oauth_identity::Column::Provider.eq(provider.as_str()))
            .filter(oauth_identity::Column::Subject.eq(subject));
        query.one(&self.conn).await.map_err(store_error)?.map(identity).transpose()
    }

    async fn find(&self, user: UserId, id: IdentityId) -> StoreResult<Option<OAuthIdentity>> {
        let query = oauth_identity::Entity::find_by_id((user.as_uuid(), id.as_uuid()));
        query.one(&self.conn).await.map_err(store_error)?.map(identity).transpose()
    }

    async fn list(&self, user: UserId) -> StoreResult<Vec<OAuthIdentity>> {
        let query = oauth_identity::Entity::find()
            .filter(oauth_identity::Column::UserId.eq(user.as_uuid()))
            .order_by_asc(oauth_identity::Column::Id);
        query.all(&self.conn).await.map_err(store_error)?.into_iter().map(identity).collect()
    }

    async fn delete(&self, user: UserId, id: IdentityId) -> StoreResult<()> {
        let delete = oauth_identity::Entity::delete_by_id((user.as_uuid(), id.as_uuid())).exec(&self.conn);
        delete.await.map(drop).map_err(store_error)
    }
}

#[async_trait]
impl<C: ConnectionTrait + Send + Sync> OAuthFlowRepository for Repos<C> {
    async fn insert(&self, flow: &OAuthFlow) -> StoreResult<()> {
        let row = flow_row(flow).into_active_model();
        let insert = oauth_flow::Entity::insert(row).exec_without_returning(&self.conn);
        insert.await.map(drop).map_err(store_error)
    }

    async fn find(&self, hash: TokenHash) -> StoreResult<Option<OAuthFlow>> {
        let query = oauth_flow::Entity::find_by_id(hash.to_hex());
        query.one(&self.conn).await.map_err(store_error)?.map(flow).transpose()
    }

    async fn take(&self, hash: TokenHash) -> StoreResult<bool> {
        let delete = oauth_flow::Entity::delete_by_id(hash.to_hex()).exec(&self.conn);
        delete.await.map(|done| done.rows_affected == 1).map_err(store_error)
    }

    async fn delete_expired(&self, time: DateTime<Utc>) -> StoreResult<u64> {
        let expired = oauth_flow::Column::ExpiresAt.lt(time);
        let delete = oauth_flow::Entity::delete_many().filter(expired).exec(&self.conn);
        delete.await.map(|done| done.rows_affected).map_err(store_error)
    }
}

fn identity_row(identity: &OAuthIdentity) -> oauth_identity::ActiveModel {
    let model = oauth_identity::Model {
        user_id: identity.user.as_uuid(),
        id: identity.id.as_uuid(),
        provider: identity.provider.as_str().to_owned(),
        subject: identity.subject.clone(),
        name: identity.name.clone(),
        email: identity.email.as_ref().map(ToString::to_string),
        email_verified: identity.email_verified,
        created_at: identity.created_at,
        last_login_at: identity.last_login_at,
        last_signed_at: identity.last_signed_at,
    };
    model.into_active_model().reset_all()
}

fn identity(row: oauth_identity::Model) -> StoreResult<OAuthIdentity> {
    Ok(OAuthIdentity {
        id: IdentityId::from_uuid(row.id),
        user: UserId::from_uuid(row.user_id),
        provider: provider(&row.provider, IDENTITIES)?,
        subject: row.subject,
        name: row.name,
        email: row.email.map(Email::from_stored),
        email_verified: row.email_verified,
        created_at: row.created_at,
        last_login_at: row.last_login_at,
        last_signed_at: row.last_signed_at,
    })
}

fn flow_row(flow: &OAuthFlow) -> oauth_flow::Model {
    let (challenge, user, session) = match &flow.purpose {
        Purpose::LogIn { challenge } => (challenge.as_ref(), None, None),
        Purpose::Link { user, session } => (None, Some(*user), Some(*session)),
        Purpose::Exchange { user, challenge } => (Some(challenge), Some(*user), None),
    };
    oauth_flow::Model {
        token_hash: flow.token_hash.to_hex(),
        provider: flow.provider.as_str().to_owned(),
        purpose: flow.purpose.as_str().to_owned(),
        browser_hash: flow.browser_hash.to_hex(),
        challenge: challenge.map(|challenge| challenge.as_str().to_owned()),
        user_id: user.map(UserId::as_uuid),
        session_id: session.map(SessionId::as_uuid),
        created_at: flow.created_at,
        expires_at: flow.expires_at,
    }
}

fn flow(row: oauth_flow::Model) -> StoreResult<OAuthFlow> {
    let hash = |text: &str, column| TokenHash::from_hex(text).ok_or(corrupt(FLOWS, column));
    Ok(OAuthFlow {
        token_hash: hash(&row.token_hash, "token_hash")?,
        provider: provider(&row.provider, FLOWS)?,
        browser_hash: hash(&row.browser_hash, "browser_hash")?,
        created_at: row.created_at,
        expires_at: row.expires_at,
        purpose: purpose(row)?,
    })
}

fn purpose(row: oauth_flow::Model) -> StoreResult<Purpose> {
    let read = |text: String| ExchangeChallenge::parse(&text).ok_or(corrupt(FLOWS, "challenge"));
    let challenge = row.challenge.map(read).transpose()?;
    let (user, session) = (row.user_id.map(UserId::from_uuid), row.session_id.map(SessionId::from_uuid));
    match (row.purpose.as_str(), user, session, challenge) {
        ("log_in", None, None, challenge) => Ok(Purpose::LogIn { challenge }),
        ("link", Some(user), Some(session), None) => Ok(Purpose::Link { user, session }),
        ("exchange", Some(user), None, Some(challenge)) => Ok(Purpose::Exchange { user, challenge }),
        _ => Err(corrupt(FLOWS, "purpose")),
    }
}

fn provider(text: &str, table: &'static str) -> StoreResult<ProviderName> {
    ProviderName::parse(text).ok_or(corrupt(table, "provider"))
}
