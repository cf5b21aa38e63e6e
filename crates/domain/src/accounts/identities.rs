//! A user's identities at other providers: which there are, and taking one away.

use super::oauth::{OAuthService, note};
use crate::actor::Actor;
use crate::error::{Error, Result};
use crate::id::IdentityId;
use crate::identity::{OAuthIdentity, User};
use crate::store::retrying;

impl OAuthService {
    /// The caller's identities, oldest first; there are at most twenty.
    pub async fn identities(&self, actor: &Actor) -> Result<Vec<OAuthIdentity>> {
        actor.require_session()?;
        Ok(self.registration.store.oauth_identities().list(actor.user).await?)
    }

    /// Takes an identity away, unless it is the last way to log in.
    pub async fn unlink(&self, actor: &Actor, id: IdentityId) -> Result<()> {
        actor.require_session()?;
        retrying!(self.registration.store, self.unlink_once(actor, id))
    }

    async fn unlink_once(&self, actor: &Actor, id: IdentityId) -> Result<()> {
        let now = self.registration.clock.now();
        let work = self.registration.store.begin().await?;
        // The user's row is locked, so that two requests do not take away the last two ways at once.
        let user = work.users().lock(actor.user).await?.ok_or(Error::Unauthenticated)?;
        let (gone, left): (Vec<_>, Vec<_>) =
            work.oauth_identities().list(user.id).await?.into_iter().partition(|identity| identity.id == id);
        let gone = gone.first().ok_or(Error::NotFound("identity"))?;
        if !self.may_still_log_in(&user, &left) {
            return Err(Error::conflict(
                "conflict",
                "This is the last way to log in; choose a password or link another.",
            ));
        }
        work.oauth_identities().delete(user.id, id).await?;
        note(&*work, actor, "identity.unlink", gone, now).await?;
        Ok(work.commit().await?)
    }

    /// By a password, or through a provider that is configured today.
    fn may_still_log_in(&self, user: &User, left: &[OAuthIdentity]) -> bool {
        let by_password = user.password_hash.is_some() && !user.logins().is_empty();
        let configured = self.providers.list();
        by_password || left.iter().any(|identity| configured.iter().any(|one| one.name == identity.provider))
    }
}
