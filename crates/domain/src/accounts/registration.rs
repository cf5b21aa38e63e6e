//! Registration: a user, the personal account and a session come into being together or not at all.

use super::account::Account;
use super::ports::{Newcomer, RegistrationHook};
use super::set_up;
use crate::actor::Role;
use crate::audit::AuditEvent;
use crate::error::{Error, Result};
use crate::id::{AccountId, UserId};
use crate::identity::{
    DEFAULT_GROUP, Email, Login, Password, PasswordHash, PasswordHasher, Phone, Profile, SecretSource, Token, User,
    UserStatus, Username, open_session,
};
use crate::site_options::LiveOptions;
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
    /// The code of the user who invited.
    pub aff_code: Option<String>,
}

impl Registration {
    /// The name shown: the one given, else the user name, else what nobody can log in with.
    fn shown_name(&self, id: UserId) -> Result<String> {
        match (&self.display_name, &self.username) {
            (Some(name), _) => Profile::read_display_name(name),
            (None, Some(name)) => Ok(name.to_string()),
            (None, None) => Ok(format!("user-{}", &id.as_uuid().simple().to_string()[24..])),
        }
    }

    /// The user wanted; without a hash, one who only comes through another identity provider.
    pub(super) fn into_user(self, hash: Option<PasswordHash>, role: Role, now: DateTime<Utc>) -> Result<User> {
        let id = UserId::new(now);
        Ok(User {
            id,
            personal_account: AccountId::new(now),
            profile: Profile::named(self.shown_name(id)?),
            username: self.username,
            email: self.email,
            phone: self.phone,
            password_hash: hash,
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
    pub options: Arc<LiveOptions>,
    pub hook: Arc<dyn RegistrationHook>,
}

impl RegistrationService {
    /// Makes a customer. A taken name is a conflict that names the field and nothing more.
    pub async fn register(&self, wish: Registration, password: &Password, ip: Option<IpAddr>) -> Result<Registered> {
        self.require_open()?;
        self.create(wish, password, Role::User, ip).await
    }

    /// Makes a root operator; for the command line, whose caller owns the machine.
    pub async fn create_admin(&self, username: Username, password: &Password) -> Result<Registered> {
        let wish = Registration { username: Some(username), ..Registration::default() };
        self.create(wish, password, Role::Root, None).await
    }

    /// Fails while operators let nobody in.
    pub(super) fn require_open(&self) -> Result<()> {
        if self.options.get().registration_open { Ok(()) } else { Err(Error::Forbidden("Registration is closed.")) }
    }

    async fn create(
        &self,
        wish: Registration,
        password: &Password,
        role: Role,
        ip: Option<IpAddr>,
    ) -> Result<Registered> {
        let aff_code = wish.aff_code.clone();
        let user = wish.into_user(None, role, self.clock.now())?;
        let logins = user.logins();
        if logins.is_empty() {
            return Err(Error::invalid("username", "one of username, email and phone is needed"));
        }
        refuse_taken(&*self.store, &logins).await?;
        let user = User { password_hash: Some(self.hasher.hash(password).await?), ..user };
        retrying!(self.store, self.write(user.clone(), aff_code.as_deref(), ip))
    }

    async fn write(&self, user: User, invited_with: Option<&str>, ip: Option<IpAddr>) -> Result<Registered> {
        let work = self.store.begin().await?;
        refuse_taken(&*work, &user.logins()).await?;
        if user.role == Role::Root {
            set_up::close(&*work, user.created_at).await?;
            let event = AuditEvent::by_machine("root.create", user.id, user.created_at);
            work.audit().append(&event).await?;
        }
        let made = self.settle(&*work, (user, invited_with), ip).await?;
        work.commit().await?;
        Ok(made)
    }

    /// Writes a new user, the personal account and a session within the caller's unit of work.
    pub(super) async fn settle(
        &self,
        work: &dyn Repositories,
        (user, invited_with): (User, Option<&str>),
        ip: Option<IpAddr>,
    ) -> Result<Registered> {
        let account = self.settle_user(work, &user, invited_with).await?;
        let opening = (&*self.secrets, self.session_lifetime);
        let (token, session) = open_session(work, opening, &user, ip, user.created_at).await?;
        Ok(Registered { user, account, token, expires_at: session.expires_at })
    }

    /// As `settle`, without a session.
    pub(super) async fn settle_user(
        &self,
        work: &dyn Repositories,
        user: &User,
        invited_with: Option<&str>,
    ) -> Result<Account> {
        let name = user.profile.display_name.clone();
        let account = Account::personal(user.personal_account, user.id, name, user.created_at);
        work.users().insert(user).await?;
        work.accounts().insert(&account).await?;
        let newcomer = Newcomer { user, account: &account, invited_with };
        self.hook.registered(work, newcomer, user.created_at).await?;
        Ok(account)
    }
}

pub(super) async fn refuse_taken(repositories: &dyn Repositories, logins: &[Login]) -> Result<()> {
    for login in logins {
        if repositories.users().find_by_login(login).await?.is_some() {
            return Err(Error::conflict("conflict", format!("The {} is taken.", login.field())));
        }
    }
    Ok(())
}
