//! One's own profile and password.

use super::{Authenticated, IdentityService};
use crate::audit::AuditEvent;
use crate::change::Change;
use crate::error::{Error, Result};
use crate::identity::credential::{Password, PasswordHash};
use crate::identity::user::{Profile, User};
use crate::store::retrying;
use serde_json::Value;

/// What a user changes about themselves; a new password needs the old one.
#[derive(Clone, Debug, Default)]
pub struct ProfileChange {
    pub display_name: Option<String>,
    pub avatar_url: Change<String>,
    /// Replaces all settings.
    pub settings: Option<Value>,
    pub password: Option<PasswordChange>,
}

#[derive(Clone, Debug)]
pub struct PasswordChange {
    pub old: Password,
    pub new: Password,
}

impl IdentityService {
    pub async fn me(&self, caller: &Authenticated) -> Result<User> {
        self.store.users().find(caller.actor.user).await?.ok_or(Error::Unauthenticated)
    }

    /// Changes the caller's profile. A new password ends all other sessions.
    pub async fn update_me(&self, caller: &Authenticated, change: ProfileChange) -> Result<User> {
        caller.actor.require_session()?;
        let before = self.me(caller).await?;
        let new_hash = self.checked_new_hash(&before, change.password.as_ref()).await?;
        retrying!(self.store, self.write_me(caller, &before, &change, new_hash.clone()))
    }

    async fn write_me(
        &self,
        caller: &Authenticated,
        before: &User,
        change: &ProfileChange,
        new_hash: Option<PasswordHash>,
    ) -> Result<User> {
        let now = self.clock.now();
        let work = self.store.begin().await?;
        let mut user = work.users().lock(before.id).await?.ok_or(Error::Unauthenticated)?;
        user.profile = changed(user.profile, change.clone())?;
        user.updated_at = now;
        if new_hash.is_some() {
            if user.password_hash != before.password_hash {
                return Err(Error::conflict("conflict", "The password was changed meanwhile."));
            }
            user.password_hash = new_hash;
            work.sessions().end_all(user.id, caller.session).await?;
            work.audit().append(&AuditEvent::by(&caller.actor, "user.change_password", user.id, now)).await?;
        }
        work.users().save(&user).await?;
        work.commit().await?;
        Ok(user)
    }

    async fn checked_new_hash(&self, user: &User, change: Option<&PasswordChange>) -> Result<Option<PasswordHash>> {
        let Some(change) = change else { return Ok(None) };
        let hash = user.password_hash.clone().unwrap_or_else(|| self.hasher.dummy());
        if !self.hasher.verify(&change.old, &hash).await? {
            return Err(Error::invalid("old_password", "is wrong"));
        }
        self.hasher.hash(&change.new).await.map(Some)
    }
}

fn changed(profile: Profile, change: ProfileChange) -> Result<Profile> {
    let display_name = change.display_name.as_deref().map(Profile::read_display_name).transpose()?;
    let settings = change.settings.map(Profile::read_settings).transpose()?;
    let avatar_url = change.avatar_url.try_map(Profile::read_avatar_url)?;
    Ok(Profile {
        display_name: display_name.unwrap_or(profile.display_name),
        avatar_url: avatar_url.apply(profile.avatar_url),
        settings: settings.unwrap_or(profile.settings),
    })
}
