//! Codes, check-ins and what was earned by referrals.

use super::{Doing, until_answered};
use crate::db::OUTSIDE;
use domain::accounts::AccountRef;
use domain::incentives::{BatchWish, RewardWish};

impl Doing {
    pub(super) async fn make_codes(&mut self) {
        let operator = self.operator();
        let amount = self.rng.one_in(2).then(|| "2.50".to_owned());
        let quota = amount.is_none();
        let reward = RewardWish {
            amount,
            meter: quota.then(|| "words".to_owned()),
            quantity: quota.then(|| "25".to_owned()),
            ..RewardWish::default()
        };
        let wish = BatchWish {
            name: "Codes".to_owned(),
            count: 2,
            reward,
            max_uses: self.rng.between(1, 2),
            is_gift: self.rng.one_in(2),
            valid_from: None,
            valid_until: None,
        };
        let request = self.request(&operator, "POST /redemption-batches");
        let answer = until_answered!(self.services().redemptions.make(&operator, &wish, &request));
        self.count("codes", "no codes", &answer);
        if let Ok(made) = &answer {
            self.world.book().answered("codes", &request.key, &made.value);
        }
        self.tell("makes codes", &answer.map(|made| made.value.id));
    }

    pub(super) async fn redeem(&mut self) {
        let customer = self.customer();
        let id = self.choose_id("code", |tables| {
            tables.redemption_codes.values(OUTSIDE).map(|code| code.id.as_uuid()).collect()
        });
        let text = {
            let core = self.world.eyes.lock();
            let found = core.tables.redemption_codes.values(OUTSIDE).find(|code| code.id.as_uuid() == id);
            found.and_then(|code| Some(code.sealed.0.split_once(':')?.1.to_owned()))
        };
        let Some(code) = text else { return };
        let answer = until_answered!(self.services().redemptions.redeem(&customer, &AccountRef::Default, &code));
        self.count("redeemed", "not redeemed", &answer);
        if let Ok(redeemed) = &answer {
            let mut book = self.world.book();
            book.answered("redemption", &format!("{} {}", customer.user, redeemed.used.code), &redeemed.used);
            book.redeemed.insert(redeemed.used.id);
        }
        self.tell("redeems", &answer.map(|redeemed| (redeemed.used.id, redeemed.duplicate)));
    }

    pub(super) async fn check_in(&mut self) {
        let customer = self.customer();
        let answer = until_answered!(self.services().check_ins.check_in(&customer));
        self.count("check-in", "no check-in", &answer);
        if let Ok((done, _)) = &answer {
            let mut book = self.world.book();
            book.answered("check-in", &format!("{} {}", done.user, done.day), done);
            book.check_ins.insert((done.user, done.day));
        }
        self.tell("checks in", &answer.map(|(done, fresh)| (done.day, fresh)));
    }

    pub(super) async fn transfer_referral(&mut self) {
        let customer = self.customer();
        let amount = format!("{}.00", self.rng.between(1, 4));
        let request = self.request(&customer, "POST /referrals/transfer");
        let answer = until_answered!(self.services().referrals.transfer(&customer, &amount, &request));
        self.count("referral moved", "referral not moved", &answer);
        if let Ok(made) = &answer {
            self.world.book().answered("referral", &request.key, &made.value);
        }
        self.tell(&format!("moves {amount} of referrals"), &answer.map(|made| made.value.id));
    }
}
