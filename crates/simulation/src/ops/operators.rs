//! What operators do: grants, adjustments, reversals.

use super::{Doing, until_answered};
use crate::db::OUTSIDE;
use domain::error::Error;
use domain::id::{AccountId, AdjustmentId, GrantId, TransferId};
use domain::idempotency::IdempotentRequest;
use domain::quota::GrantWish;
use domain::time::Clock;
use domain::wallet::{AdjustmentWish, Verdict};
use uuid::Uuid;

const NANOS_OF_A_CENT: i64 = 10_000_000;

impl Doing {
    pub(super) async fn give_grant(&mut self) {
        let (operator, account) = (self.operator(), self.customer().personal_account);
        let meter = ["words", "calls"][self.rng.below(2)].to_owned();
        let lives = self.rng.between(1, 60);
        let now = self.world.sim.now();
        let end = self.choose("expiry", || u128::from((now.timestamp() + lives * 86_400).unsigned_abs()));
        let expires_at = chrono::DateTime::from_timestamp(i64::try_from(end).unwrap_or(0), 0);
        let wish = GrantWish {
            meter,
            quantity: self.rng.between(1, 50).to_string(),
            priority: None,
            models: None,
            expires_at: expires_at.filter(|_| !self.rng.one_in(3)),
            reason: None,
        };
        let request = self.request(&operator, "POST /grants");
        let answer = until_answered!(self.services().grants.give(&operator, account, &wish, &request));
        self.count("grant", "grant refused", &answer);
        if let Ok(given) = &answer {
            let mut book = self.world.book();
            book.answered("grant", &request.key, &given.value);
            book.grants.insert(given.value.id, account);
        }
        self.tell("gives a grant", &answer.map(|given| (given.value.id, given.replayed)));
    }

    pub(super) async fn revoke_grant(&mut self) {
        let (operator, dice) = (self.operator(), self.rng.draw());
        let held = self.choose_id("held grant", |tables| {
            let held = tables.grants.values(OUTSIDE).filter(|grant| grant.held.is_positive());
            held.map(|grant| grant.id.as_uuid()).collect()
        });
        let chosen = self.choose("grant", || {
            let all = || pick(dice, self.world.book().grants.keys().map(|id| id.as_uuid()));
            if held.is_nil() || dice.is_multiple_of(2) { all() } else { held.as_u128() }
        });
        let id = GrantId::from_uuid(Uuid::from_u128(chosen));
        let account = self.world.book().grants.get(&id).copied();
        let Some(account) = account else { return };
        let answer = until_answered!(self.services().grants.revoke(&operator, account, id));
        self.count("grant revoked", "grant not revoked", &answer);
        if let Ok(grant) = &answer {
            self.world.book().revoked.insert(grant.id);
        }
        self.tell("revokes", &answer.map(|grant| grant.id));
    }

    pub(super) async fn adjust(&mut self) {
        let (operator, account) = (self.operator(), self.customer().personal_account);
        let cents = self.cents_for(account);
        let sign = if cents < 0 { "-" } else { "" };
        let amount = format!("{sign}{}.{:02}", cents.abs() / 100, cents.abs() % 100);
        let wish = AdjustmentWish { amount, currency: None, reason: "a correction".to_owned() };
        let request = self.request(&operator, "POST /adjustments");
        let answer = until_answered!(self.services().ledger.adjust(&operator, account, &wish, &request));
        self.count("adjustment", "adjustment refused", &answer);
        if answer.is_ok() && self.rng.one_in(4) {
            let other = IdempotentRequest { fingerprint: "another content".to_owned(), ..request.clone() };
            let again = until_answered!(self.services().ledger.adjust(&operator, account, &wish, &other));
            if again.is_ok_and(|again| again.replayed) {
                self.world.book().broken.push(format!("{} answered for another content", other.key));
            }
        }
        if let Ok(made) = &answer {
            let mut book = self.world.book();
            book.answered("adjustment", &request.key, &made.value);
            book.adjustments.insert(made.value.id);
        }
        self.tell(&format!("adjusts {account} by {}", wish.amount), &answer.map(|made| made.value.id));
    }

    /// What comes in or goes out; now and then all there is, held or not.
    fn cents_for(&mut self, account: AccountId) -> i64 {
        let cents = if self.rng.one_in(4) { -self.rng.between(1, 3_000) } else { self.rng.between(1, 6_500) };
        if !self.rng.one_in(6) {
            return cents;
        }
        let whole = self.choose("whole wallet", || {
            let core = self.world.eyes.lock();
            let wallet = core.tables.wallets.values(OUTSIDE).find(|wallet| wallet.account == account);
            wallet.map_or(0, |wallet| (wallet.balance.nanos() / NANOS_OF_A_CENT).unsigned_abs().into())
        });
        i64::try_from(whole).ok().filter(|whole| *whole > 0).map_or(cents, i64::wrapping_neg)
    }

    pub(super) async fn decide_adjustment(&mut self) {
        let (operator, dice) = (self.operator(), self.rng.draw());
        let chosen =
            self.choose("adjustment", || pick(dice, self.world.book().adjustments.iter().map(|id| id.as_uuid())));
        let id = AdjustmentId::from_uuid(Uuid::from_u128(chosen));
        let verdict = if self.rng.one_in(3) { Verdict::Reject } else { Verdict::Approve };
        let request = self.request(&operator, "POST /adjustments/decide");
        let answer = until_answered!(self.services().ledger.decide_adjustment(&operator, id, verdict, &request));
        self.count("decision", "decision refused", &answer);
        if let Ok(made) = &answer {
            self.world.book().answered("decision", &request.key, &made.value);
        }
        self.tell("decides", &answer.map(|made| (made.value.id, made.value.status)));
    }

    pub(super) async fn reverse(&mut self) {
        let (operator, dice) = (self.operator(), self.rng.draw());
        let chosen = self.choose("transfer", || {
            let core = self.world.eyes.lock();
            pick(dice, core.tables.transfers.values(0).map(|transfer| transfer.id.as_uuid()))
        });
        let id = TransferId::from_uuid(Uuid::from_u128(chosen));
        let request = self.request(&operator, "POST /transfers/reverse");
        let answer = until_answered!(self.services().ledger.reverse(&operator, id, "a mistake", &request));
        self.count("reversal", "reversal refused", &answer);
        match &answer {
            Ok(made) => self.world.book().answered("reversal", &request.key, &made.value),
            Err(Error::Store(error)) => self.world.book().broken.push(format!("a reversal: {error:?}")),
            Err(_) => {}
        }
        self.tell("reverses", &answer.map(|made| made.value.id));
    }
}

/// One of the ids; nil when there is none.
fn pick(dice: u64, ids: impl Iterator<Item = Uuid>) -> u128 {
    let ids: Vec<Uuid> = ids.collect();
    let place = usize::try_from(dice % (ids.len().max(1) as u64)).unwrap_or(0);
    ids.get(place).map_or(0, Uuid::as_u128)
}
