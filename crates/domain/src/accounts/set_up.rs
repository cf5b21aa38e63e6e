//! First-run set-up: the first root, made by whoever can read what the server printed when it started.
//!
//! Every start without a root prints a token of its own, and the newest few are good on every replica, for a request
//! may reach another one than the operator looked at. The first root ends it for ever.

use super::registration::{Registered, Registration, RegistrationService, refuse_taken};
use crate::actor::Role;
use crate::audit::AuditEvent;
use crate::error::{Error, Result};
use crate::identity::{Password, Token, TokenKind, User, Username};
use crate::store::{Repositories, StoreResult, retrying};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use std::net::IpAddr;

/// The row of `options` that says how far set-up is; its lock lets one set-up at a time.
const ROW: &str = "set_up";
const NOT_BEGUN: &str = "{}";
/// Tokens that are good at the same time: as many replicas may start at once and print one each.
const MAX_TOKENS: usize = 16;

/// How far set-up is.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct SetUp {
    #[serde(default)]
    done: bool,
    /// Hashes of tokens, oldest first.
    #[serde(default)]
    tokens: Vec<String>,
}

impl SetUp {
    /// What cannot be read is taken as done: nobody becomes root by a damaged row.
    fn read(text: &str) -> Self {
        serde_json::from_str(text).unwrap_or(Self { done: true, tokens: Vec::new() })
    }

    fn with_token(mut self, token: &Token) -> Self {
        self.tokens.push(token.hash().to_hex());
        let old = self.tokens.len().saturating_sub(MAX_TOKENS);
        self.tokens.drain(..old);
        self
    }

    /// Fails unless the token opens a set-up that is not done.
    fn admit(&self, token: &Token) -> Result<()> {
        if self.done {
            return Err(Error::NotFound("set-up"));
        }
        if self.tokens.contains(&token.hash().to_hex()) {
            Ok(())
        } else {
            Err(Error::Forbidden("This is not a set-up token that the server printed."))
        }
    }

    fn to_row(&self) -> String {
        serde_json::json!({ "done": self.done, "tokens": self.tokens }).to_string()
    }
}

/// Ends set-up for ever; part of the unit of work that makes a root.
pub(super) async fn close(work: &dyn Repositories, now: DateTime<Utc>) -> StoreResult<()> {
    work.options().lock(ROW, NOT_BEGUN, now).await?;
    work.options().set(ROW, &SetUp { done: true, tokens: Vec::new() }.to_row(), now).await
}

impl RegistrationService {
    /// A new token when there is no root yet, for the server to print as it starts.
    pub async fn offer_set_up(&self) -> Result<Option<Token>> {
        retrying!(self.store, self.offer())
    }

    async fn offer(&self) -> Result<Option<Token>> {
        let now = self.clock.now();
        let work = self.store.begin().await?;
        let set_up = SetUp::read(&work.options().lock(ROW, NOT_BEGUN, now).await?);
        if set_up.done {
            return Ok(None);
        }
        if !work.users().lock_roots().await?.is_empty() {
            close(&*work, now).await?;
            work.commit().await?;
            return Ok(None);
        }
        let token = Token::from_random(TokenKind::SetUp, self.secrets.random()?);
        work.options().set(ROW, &set_up.with_token(&token).to_row(), now).await?;
        work.commit().await?;
        Ok(Some(token))
    }

    /// Makes the first root. Of any number who ask at once, one is answered; afterwards there is no set-up any more.
    pub async fn set_up(
        &self,
        token: &str,
        username: Username,
        password: &Password,
        ip: Option<IpAddr>,
    ) -> Result<Registered> {
        let token = Token::parse_as(TokenKind::SetUp, token);
        // Before the costly hash, so that strangers cannot have passwords hashed.
        let stored = self.store.options().find(ROW).await?;
        let set_up = stored.map_or_else(SetUp::default, |text| SetUp::read(&text));
        let token = match token {
            Some(token) => set_up.admit(&token).map(|()| token)?,
            None if set_up.done => return Err(Error::NotFound("set-up")),
            None => return Err(Error::Forbidden("This is not a set-up token that the server printed.")),
        };
        let wish = Registration { username: Some(username), ..Registration::default() };
        let hash = self.hasher.hash(password).await?;
        let user = wish.into_user(Some(hash), Role::Root, self.clock.now())?;
        retrying!(self.store, self.write_set_up(&token, user.clone(), ip))
    }

    async fn write_set_up(&self, token: &Token, user: User, ip: Option<IpAddr>) -> Result<Registered> {
        let now = self.clock.now();
        let work = self.store.begin().await?;
        SetUp::read(&work.options().lock(ROW, NOT_BEGUN, now).await?).admit(token)?;
        refuse_taken(&*work, &user.logins()).await?;
        close(&*work, now).await?;
        let made = self.settle(&*work, (user, None), ip).await?;
        let event = AuditEvent::by(&made.user.as_actor(), "set_up.finish", made.user.id, now);
        work.audit().append(&event).await?;
        work.commit().await?;
        Ok(made)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(byte: u8) -> Token {
        Token::from_random(TokenKind::SetUp, [byte; 32])
    }

    #[test]
    fn the_newest_sixteen_tokens_are_good_until_set_up_is_done() {
        let offered = (0..17).fold(SetUp::default(), |set_up, byte| set_up.with_token(&token(byte)));
        assert!(matches!(offered.admit(&token(0)), Err(Error::Forbidden(_))));
        assert!((1..17).all(|byte| offered.admit(&token(byte)).is_ok()));
        let read = SetUp::read(&offered.to_row());
        assert_eq!(read, offered);
        let done = SetUp { done: true, ..read };
        assert!(matches!(done.admit(&token(16)), Err(Error::NotFound(_))));
    }

    #[test]
    fn a_damaged_row_admits_nobody() {
        assert!(SetUp::read("{").done);
        assert!(SetUp::read("[]").admit(&token(1)).is_err());
    }
}
