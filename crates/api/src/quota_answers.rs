//! Answers of `GET /quota` given a moment ago, so that a page that polls costs no query.
//!
//! What this process changes shows at once: use counts against the account's answers, everything else against all of
//! them. What another replica records shows within [`KEPT`]. Only reading is answered from here, never a decision.

use actix_web::web::Bytes;
use domain::accounts::AccountRef;
use domain::id::AccountId;
use domain::identity::TokenHash;
use quick_cache::sync::Cache;
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

const KEPT: Duration = Duration::from_secs(1);
const MAX_ANSWERS: usize = 10_000;
/// Accounts share counters of changes; a shared one only forgets more than it must.
const COUNTERS: usize = 1_024;

/// Who asked for which account: what may be seen is part of the caller.
type Question = (TokenHash, AccountRef);

struct Answer {
    account: AccountId,
    since: Instant,
    changes: Changes,
    body: Bytes,
}

/// How often an account's quota may have changed so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Changes {
    of_account: u64,
    of_all: u64,
}

pub struct QuotaAnswers {
    answers: Cache<Question, Arc<Answer>>,
    of_accounts: Box<[AtomicU64]>,
    of_all: AtomicU64,
    hasher: RandomState,
}

impl Default for QuotaAnswers {
    fn default() -> Self {
        Self {
            answers: Cache::new(MAX_ANSWERS),
            of_accounts: (0..COUNTERS).map(|_| AtomicU64::new(0)).collect(),
            of_all: AtomicU64::new(0),
            hasher: RandomState::new(),
        }
    }
}

impl QuotaAnswers {
    pub fn get(&self, question: &Question, now: Instant) -> Option<Bytes> {
        let answer = self.answers.get(question)?;
        let holds = now.duration_since(answer.since) < KEPT && answer.changes == self.changes(answer.account);
        holds.then(|| answer.body.clone())
    }

    /// To be asked before the quota is read: what changes meanwhile makes the answer worthless.
    pub fn changes(&self, account: AccountId) -> Changes {
        let of_account = self.counter(account).load(Ordering::SeqCst);
        Changes { of_account, of_all: self.of_all.load(Ordering::SeqCst) }
    }

    pub fn put(&self, question: Question, (account, changes): (AccountId, Changes), since: Instant, body: Bytes) {
        self.answers.insert(question, Arc::new(Answer { account, since, changes, body }));
    }

    /// After a commit of the account's use.
    pub fn forget(&self, account: AccountId) {
        self.counter(account).fetch_add(1, Ordering::SeqCst);
    }

    /// After anything else that may have changed a quota.
    pub fn forget_all(&self) {
        self.of_all.fetch_add(1, Ordering::SeqCst);
    }

    fn counter(&self, account: AccountId) -> &AtomicU64 {
        let index = usize::try_from(self.hasher.hash_one(account) % COUNTERS as u64).unwrap_or_default();
        &self.of_accounts[index]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::identity::{Token, TokenKind};

    fn question() -> Question {
        (Token::from_random(TokenKind::Session, [7; 32]).hash(), AccountRef::Default)
    }

    fn answered(answers: &QuotaAnswers, account: AccountId, now: Instant) {
        answers.put(question(), (account, answers.changes(account)), now, Bytes::from_static(b"{}"));
    }

    #[test]
    fn an_answer_is_given_again_for_less_than_a_second() {
        let (answers, now) = (QuotaAnswers::default(), Instant::now());
        answered(&answers, AccountId::new(chrono::DateTime::UNIX_EPOCH), now);
        assert!(answers.get(&question(), now + Duration::from_millis(999)).is_some());
        assert!(answers.get(&question(), now + KEPT).is_none());
        let other = (question().0, AccountRef::External("x".to_owned()));
        assert!(answers.get(&other, now).is_none());
    }

    #[test]
    fn no_answer_outlives_a_change_and_none_is_kept_that_was_read_before_one() {
        let (answers, now) = (QuotaAnswers::default(), Instant::now());
        let account = AccountId::new(chrono::DateTime::UNIX_EPOCH);
        let forgets: [&dyn Fn(); 2] = [&|| answers.forget(account), &|| answers.forget_all()];
        for forget in forgets {
            answered(&answers, account, now);
            forget();
            assert!(answers.get(&question(), now).is_none());
            let before = answers.changes(account);
            forget();
            answers.put(question(), (account, before), now, Bytes::new());
            assert!(answers.get(&question(), now).is_none());
        }
    }
}
