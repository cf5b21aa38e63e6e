//! Logging in through another provider, and linking an identity to a user who is logged in.
//!
//! Nobody is ever recognised by an e-mail address: not the address but the provider's own id of the person opens a
//! user (`docs/decisions/0029-oauth-never-links-by-email.md`). The provider is asked between two units of work, never
//! inside of one: the flow is taken and committed first, so that a state works once whatever follows.

use super::registration::{Registration, RegistrationService};
use crate::actor::{Actor, Role};
use crate::audit::AuditEvent;
use crate::error::{Error, Result};
use crate::id::{SessionId, UserId};
use crate::identity::{
    Authenticated, ExchangeChallenge, ExternalIdentity, FlowSecrets, IdentityProviders, LoggedIn, Login,
    MAX_IDENTITIES_PER_USER, OAuthFlow, OAuthIdentity, Proof, ProviderName, Purpose, ThrottleKey, Token, TokenKind,
    User, open_session, record_failure, refuse_if_locked,
};
use crate::store::{Repositories, retrying};
use chrono::{DateTime, Utc};
use serde_json::json;
use std::net::IpAddr;
use std::sync::Arc;

/// What a browser brings back: the two secrets of its flow.
#[derive(Clone, Copy, Debug)]
pub struct Returned<'a> {
    pub state: &'a str,
    pub browser: &'a str,
}

/// A flow just begun.
#[derive(Clone, Debug)]
pub struct Begun {
    /// Where the browser goes.
    pub url: String,
    /// What the browser keeps.
    pub browser: Token,
}

/// How a flow ended.
#[derive(Clone, Debug)]
pub enum Ended {
    LoggedIn(Box<LoggedIn>),
    /// A session waits for this code.
    Code(Token),
    Linked(Box<OAuthIdentity>),
}

#[derive(Clone)]
pub struct OAuthService {
    pub registration: RegistrationService,
    pub providers: Arc<dyn IdentityProviders>,
}

impl OAuthService {
    /// Begins a log-in; with a challenge it will end in a one-time code. Nobody has to be known for this, so each address
    /// may begin only so many that it does not end.
    pub async fn begin_log_in(
        &self,
        provider: &ProviderName,
        challenge: Option<ExchangeChallenge>,
        ip: Option<IpAddr>,
    ) -> Result<Begun> {
        let throttle = ip.map(ThrottleKey::starting_from);
        refuse_if_locked(&*self.registration.store, throttle.as_slice(), self.now()).await?;
        self.begin(provider, Purpose::LogIn { challenge }, throttle.as_ref()).await
    }

    /// Begins to link an identity to the caller.
    pub async fn begin_link(&self, caller: &Authenticated, provider: &ProviderName) -> Result<Begun> {
        caller.actor.require_session()?;
        let session = caller.session.ok_or(Error::Unauthenticated)?;
        self.begin(provider, Purpose::Link { user: caller.actor.user, session }, None).await
    }

    async fn begin(&self, provider: &ProviderName, purpose: Purpose, throttle: Option<&ThrottleKey>) -> Result<Begun> {
        let secrets =
            FlowSecrets { state: self.token(TokenKind::OAuthState)?, browser: self.token(TokenKind::OAuthBrowser)? };
        let url = self.providers.authorization_url(provider, &secrets).await?;
        let flow = OAuthFlow::begun(&secrets, provider.clone(), purpose, self.now());
        retrying!(self.registration.store, self.keep(&flow, throttle))?;
        Ok(Begun { url, browser: secrets.browser })
    }

    async fn keep(&self, flow: &OAuthFlow, throttle: Option<&ThrottleKey>) -> Result<()> {
        let now = self.now();
        let work = self.registration.store.begin().await?;
        if let Some(key) = throttle {
            // Locked and asked again, so that those begun side by side are counted one after the other.
            work.throttles().lock(key).await?;
            refuse_if_locked(&*work, std::slice::from_ref(key), now).await?;
            record_failure(&*work, key, now).await?;
        }
        work.oauth_flows().insert(flow).await?;
        Ok(work.commit().await?)
    }

    /// Ends a flow; `proof` is `None` when the person said no at the provider.
    pub async fn finish(
        &self,
        provider: &ProviderName,
        returned: Returned<'_>,
        proof: Option<&Proof>,
        ip: Option<IpAddr>,
    ) -> Result<Ended> {
        let secrets = read_secrets(returned).ok_or(NOT_BEGUN)?;
        let purpose = retrying!(self.registration.store, self.take(provider, &secrets))?;
        let proof = proof.ok_or(Error::Forbidden("The provider did not say who you are."))?;
        let who = self.providers.identify(provider, proof, &secrets).await?;
        match purpose {
            Purpose::LogIn { challenge } => {
                retrying!(self.registration.store, self.log_in((provider, &who), challenge.as_ref(), ip))
            }
            Purpose::Link { user, session } => {
                retrying!(self.registration.store, self.link((provider, &who), user, session))
            }
            Purpose::Exchange { .. } => Err(NOT_BEGUN),
        }
    }

    /// Takes the flow, so that nobody else can; only the browser that began it may.
    async fn take(&self, provider: &ProviderName, secrets: &FlowSecrets) -> Result<Purpose> {
        let now = self.now();
        let work = self.registration.store.begin().await?;
        let flow = work.oauth_flows().find(secrets.state.hash()).await?;
        let flow = flow.filter(|flow| flow.belongs_to(secrets, provider) && flow.is_open(now)).ok_or(NOT_BEGUN)?;
        if !work.oauth_flows().take(flow.token_hash).await? {
            return Err(NOT_BEGUN);
        }
        work.commit().await?;
        Ok(flow.purpose)
    }

    async fn log_in(
        &self,
        (provider, who): (&ProviderName, &ExternalIdentity),
        challenge: Option<&ExchangeChallenge>,
        ip: Option<IpAddr>,
    ) -> Result<Ended> {
        let now = self.now();
        let work = self.registration.store.begin().await?;
        let user = match work.oauth_identities().find_by_subject(provider, &who.subject).await? {
            Some(identity) => self.admit(&*work, identity, who, now).await?,
            None => self.create(&*work, provider, who, now).await?,
        };
        let ended = if let Some(challenge) = challenge {
            let code = self.token(TokenKind::OAuthCode)?;
            let waiting = OAuthFlow::waiting(&code, provider.clone(), (user.id, challenge.clone()), now);
            work.oauth_flows().insert(&waiting).await?;
            Ended::Code(code)
        } else {
            Ended::LoggedIn(Box::new(self.open(&*work, user, ip, now).await?))
        };
        if let Some(ip) = ip {
            work.throttles().clear(&ThrottleKey::starting_from(ip)).await?;
        }
        work.commit().await?;
        Ok(ended)
    }

    /// The user of an identity that came before.
    async fn admit(
        &self,
        work: &dyn Repositories,
        identity: OAuthIdentity,
        who: &ExternalIdentity,
        now: DateTime<Utc>,
    ) -> Result<User> {
        let user = work.users().lock(identity.user).await?.filter(User::may_act);
        let mut user = user.ok_or(Error::Forbidden("This user may not log in."))?;
        // Again under the lock: it may have been unlinked, or the same proof shown twice at once.
        let identity = work.oauth_identities().find(user.id, identity.id).await?.ok_or(UNLINKED)?;
        let identity = identity.after_log_in(who, now).ok_or(Error::Forbidden("This proof was shown before."))?;
        work.oauth_identities().save(&identity).await?;
        user.last_login_at = Some(now);
        work.users().save(&user).await?;
        Ok(user)
    }

    /// A new user for an identity that nobody knows. Two who come with it at once meet at its unique index.
    async fn create(
        &self,
        work: &dyn Repositories,
        provider: &ProviderName,
        who: &ExternalIdentity,
        now: DateTime<Utc>,
    ) -> Result<User> {
        self.registration.require_open()?;
        let free = match who.verified_email() {
            Some(email) => work.users().find_by_login(&Login::Email(email.clone())).await?.is_none(),
            None => false,
        };
        let email = who.verified_email().filter(|_| free).cloned();
        let wish = Registration { email, display_name: who.name.clone(), ..Registration::default() };
        let user = User { last_login_at: Some(now), ..wish.into_user(None, Role::User, now)? };
        self.registration.settle_user(work, &user, None).await?;
        let identity =
            OAuthIdentity { last_login_at: Some(now), ..OAuthIdentity::new(user.id, provider.clone(), who, now) };
        work.oauth_identities().insert(&identity).await?;
        note(work, &user.as_actor(), "identity.link", &identity, now).await?;
        Ok(user)
    }

    /// Gives a session for a one-time code to whoever knows the secret of its challenge.
    pub async fn exchange(&self, code: &str, secret: &str, ip: Option<IpAddr>) -> Result<LoggedIn> {
        let code = Token::parse_as(TokenKind::OAuthCode, code).ok_or(NO_CODE)?;
        retrying!(self.registration.store, self.exchange_once(&code, secret, ip))
    }

    async fn exchange_once(&self, code: &Token, secret: &str, ip: Option<IpAddr>) -> Result<LoggedIn> {
        let now = self.now();
        let work = self.registration.store.begin().await?;
        let flow = work.oauth_flows().find(code.hash()).await?.filter(|flow| flow.is_open(now)).ok_or(NO_CODE)?;
        let Purpose::Exchange { user, challenge } = flow.purpose else { return Err(NO_CODE) };
        if !challenge.is_answered_by(secret) || !work.oauth_flows().take(flow.token_hash).await? {
            return Err(NO_CODE);
        }
        let user = work.users().lock(user).await?.filter(User::may_act);
        let user = user.ok_or(Error::Forbidden("This user may not log in."))?;
        let opened = self.open(&*work, user, ip, now).await?;
        work.commit().await?;
        Ok(opened)
    }

    async fn link(
        &self,
        (provider, who): (&ProviderName, &ExternalIdentity),
        user: UserId,
        session: SessionId,
    ) -> Result<Ended> {
        let now = self.now();
        let work = self.registration.store.begin().await?;
        let user = work.users().lock(user).await?.filter(User::may_act).ok_or(LOGGED_OUT)?;
        let session = work.sessions().find(user.id, session).await?;
        session.filter(|session| session.is_open(now)).ok_or(LOGGED_OUT)?;
        let found = work.oauth_identities().find_by_subject(provider, &who.subject).await?;
        let identity = match found {
            Some(identity) if identity.user == user.id => return Ok(Ended::Linked(Box::new(identity))),
            Some(_) => return Err(Error::conflict("conflict", "This identity is linked to another user.")),
            None => OAuthIdentity::new(user.id, provider.clone(), who, now),
        };
        if work.oauth_identities().list(user.id).await?.len() >= MAX_IDENTITIES_PER_USER {
            return Err(Error::conflict("conflict", "There are 20 identities already; remove one first."));
        }
        work.oauth_identities().insert(&identity).await?;
        note(&*work, &user.as_actor(), "identity.link", &identity, now).await?;
        work.commit().await?;
        Ok(Ended::Linked(Box::new(identity)))
    }

    async fn open(
        &self,
        work: &dyn Repositories,
        user: User,
        ip: Option<IpAddr>,
        now: DateTime<Utc>,
    ) -> Result<LoggedIn> {
        let opening = (&*self.registration.secrets, self.registration.session_lifetime);
        let (token, session) = open_session(work, opening, &user, ip, now).await?;
        Ok(LoggedIn { user, token, expires_at: session.expires_at })
    }

    fn token(&self, kind: TokenKind) -> Result<Token> {
        Ok(Token::from_random(kind, self.registration.secrets.random()?))
    }

    fn now(&self) -> DateTime<Utc> {
        self.registration.clock.now()
    }
}

const NOT_BEGUN: Error = Error::Forbidden("This log-in was not begun by this browser, or is over; begin again.");
const NO_CODE: Error = Error::Forbidden("This code is wrong, used or expired.");
const LOGGED_OUT: Error = Error::Forbidden("Log in again before you link an identity.");
const UNLINKED: Error = Error::Forbidden("This identity was unlinked meanwhile.");

fn read_secrets(returned: Returned<'_>) -> Option<FlowSecrets> {
    Some(FlowSecrets {
        state: Token::parse_as(TokenKind::OAuthState, returned.state)?,
        browser: Token::parse_as(TokenKind::OAuthBrowser, returned.browser)?,
    })
}

/// Writes down that an identity opens a user, or no longer does.
pub(super) async fn note(
    work: &dyn Repositories,
    actor: &Actor,
    action: &str,
    identity: &OAuthIdentity,
    now: DateTime<Utc>,
) -> Result<()> {
    let detail = json!({ "provider": identity.provider.as_str(), "subject": identity.subject });
    Ok(work.audit().append(&AuditEvent::by(actor, action, identity.id, now).with(detail)).await?)
}

#[cfg(test)]
#[path = "oauth_tests.rs"]
mod tests;
