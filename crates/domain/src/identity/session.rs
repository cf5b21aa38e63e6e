//! A session: a user logged in, until it is ended or expires.

use super::token::TokenHash;
use crate::id::{SessionId, UserId};
use chrono::{DateTime, TimeDelta, Utc};
use std::net::IpAddr;

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
    /// A session that begins now and lasts for `lifetime`.
    pub fn new(user: UserId, token_hash: TokenHash, lifetime: TimeDelta, now: DateTime<Utc>) -> Self {
        Self { id: SessionId::new(now), user, token_hash, ip: None, created_at: now, expires_at: now + lifetime }
    }

    /// Half-open: at `expires_at` it is over.
    pub fn is_open(&self, now: DateTime<Utc>) -> bool {
        now < self.expires_at
    }
}
