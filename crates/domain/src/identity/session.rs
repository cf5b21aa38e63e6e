//! A session: a user logged in, until it is ended or expires.

use super::token::TokenHash;
use crate::id::{SessionId, UserId};
use chrono::{DateTime, TimeDelta, Utc};
use std::net::IpAddr;

/// How long a log-in lasts.
pub const SESSION_LIFETIME: TimeDelta = TimeDelta::days(30);

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    pub id: SessionId,
    pub user: UserId,
    pub token_hash: TokenHash,
    /// Where the log-in came from.
    pub ip: Option<IpAddr>,
    pub created_at: DateTime<Utc>,
    pub expires_at: DateTime<Utc>,
}

impl Session {
    pub fn new(user: UserId, token_hash: TokenHash, ip: Option<IpAddr>, now: DateTime<Utc>) -> Self {
        let expires_at = now + SESSION_LIFETIME;
        Self { id: SessionId::new(now), user, token_hash, ip, created_at: now, expires_at }
    }

    /// Half-open: at `expires_at` it is over.
    pub fn is_open(&self, now: DateTime<Utc>) -> bool {
        now < self.expires_at
    }
}
