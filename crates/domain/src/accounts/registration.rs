//! Registration: a user, the personal account and a session come into being together or not at all.

use super::account::Account;
use crate::actor::Role;
use crate::error::{Error, Result};
use crate::id::{AccountId, UserId};
use crate::identity::{
    DEFAULT_GROUP, Email, Login, Password, PasswordHash, PasswordHasher, Phone, Profile, SecretSource, Token, User,
    UserStatus, Username, open_session,
};
use crate::store::{Repositories, Store, retrying};
use crate::time::Clock;
use chrono::{DateTime, TimeDelta, Utc};
use std::net::IpAddr;
use std::sync::Arc;

/// What somebody gives to become a user; at least one of the three names.
#[derive(Clone, Debug, Default)]
pub struct Registration {
    pub username: Option<Username>,
    pub email: Option<Email>,
    pub phone: Option<Phone>,
    pub display_name: Option<String>,
}

impl Registration {
    fn logins(&self) -> Vec<Login> {
        let username = self.username.clone().map(Login::Username);
        let email = self.email.clone().map(Login::Email);
        let phone = self.phone.clone().map(Login::Phone);
        [username, email, phone].into_iter().flatten().collect()
    }

    /// The name shown: the one given, else the user name, else what nobody can log in with.
    fn shown_name(&self, id: UserId) -> Result<String> {
        match (&self.display_name, &self.username) {
            (Some(name), _) => Profile::read_display_name(name),
            (None, Some(name)) => Ok(name.to_string()),
            (None, None) => Ok(format!("user-{}", &id.as_uuid().simple().to_string()[24..])),
        }
    }

    fn into_user(self, hash: PasswordHash, role: Role, now: DateTime<Utc>) -> Result<User> {
        let id = UserId::new(now);
        Ok(User {
            id,
            personal_account: AccountId::new(now),
            profile: Profile::named(self.shown_name(id)?),
            username: self.username,
            email: self.email,
            phone: self.phone,
            password_hash: Some(hash),
            role,
            status: UserStatus::Active,
            group_name: DEFAULT_GROUP.to_owned(),
            external_id: None,
            is_verified: false,
            last_login_at: None,
            created_at: now,
            updated_at: now,
            deleted_at: None,
        })
    }
}

/// A new user, logged in.
#[derive(Clone, Debug)]
pub struct Registered {
    pub user: User,
    pub account: Account,
    /// Shown once.
    pub token: Token,
    pub expires_at: DateTime<Utc>,
}

#[derive(Clone)]
pub struct RegistrationService {
    pub store: Arc<dyn Store>,
    pub clock: Arc<dyn Clock>,
    pub hasher: Arc<dyn PasswordHasher>,
    pub secrets: Arc<dyn SecretSource>,
    pub session_lifetime: TimeDelta,
}

impl RegistrationService {
    /// Makes a customer. A taken name is a conflict that names the field and nothing more.
    pub async fn register(&self, wish: Registration, password: &Password, ip: Option<IpAddr>) -> Result<Registered> {
        self.create(wish, password, Role::User, ip).await
    }

    /// Makes a root operator; for the command line, whose caller owns the machine.
    pub async fn create_admin(&self, username: Username, password: &Password) -> Result<Registered> {
        let wish = Registration { username: Some(username), ..Registration::default() };
        self.create(wish, password, Role::Root, None).await
    }

    async fn create(
        &self,
        wish: Registration,
        password: &Password,
        role: Role,
        ip: Option<IpAddr>,
    ) -> Result<Registered> {
        let logins = wish.logins();
        if logins.is_empty() {
            return Err(Error::invalid("username", "one of username, email and phone is needed"));
        }
        refuse_taken(&*self.store, &logins).await?;
        let hash = self.hasher.hash(password).await?;
        let user = wish.into_user(hash, role, self.clock.now())?;
        retrying!(self.store, self.write(user.clone(), &logins, ip))
    }

    async fn write(&self, user: User, logins: &[Login], ip: Option<IpAddr>) -> Result<Registered> {
        let name = user.profile.display_name.clone();
        let account = Account::personal(user.personal_account, user.id, name, user.created_at);
        let work = self.store.begin().await?;
        refuse_taken(&*work, logins).await?;
        work.users().insert(&user).await?;
        work.accounts().insert(&account).await?;
        let (token, session) =
            open_session(&*work, (&*self.secrets, self.session_lifetime), &user, ip, user.created_at).await?;
        work.commit().await?;
        Ok(Registered { user, account, token, expires_at: session.expires_at })
    }
}

async fn refuse_taken(repositories: &dyn Repositories, logins: &[Login]) -> Result<()> {
    for login in logins {
        if repositories.users().find_by_login(login).await?.is_some() {
            return Err(Error::conflict("conflict", format!("The {} is taken.", login.field())));
        }
    }
    Ok(())
}
