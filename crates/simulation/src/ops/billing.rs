//! Plans and bills: customers buy, pay and cancel, operators void and refund, and the loops renew, chase and close.

use super::{Doing, until_answered};
use crate::db::{OUTSIDE, Tables};
use domain::accounts::AccountRef;
use domain::actor::Actor;
use domain::billing::{Bill, BillStatus, CouponWish, Progress, RefundTo, RefundWish};
use domain::change::Change;
use domain::error::Result;
use domain::id::{AccountId, BillId};
use domain::orders::PayMethod;
use domain::plans::{Interval, PlanCode, PlanWish};
use domain::wallet::Provider;
use uuid::Uuid;

/// The bills that fit.
fn bills(tables: &Tables, fits: impl Fn(&Bill) -> bool) -> Vec<Uuid> {
    let bills = tables.bills.values(OUTSIDE).map(|issued| &issued.bill);
    bills.filter(|bill| fits(bill)).map(|bill| bill.id.as_uuid()).collect()
}

impl Doing {
    /// An account with a plan of its own, and who decides about it.
    fn payer(&mut self) -> (Actor, AccountId) {
        let customer = self.customer();
        let user = customer.user;
        let chosen = self.choose_id("payer", |tables| {
            let mine = tables.accounts.values(OUTSIDE).filter(|account| account.owner == user);
            mine.map(|account| account.id.as_uuid()).collect()
        });
        (customer, AccountId::from_uuid(chosen))
    }

    pub(super) async fn cap(&mut self) {
        let (customer, account) = self.payer();
        let cap = self.rng.between(1, 6);
        let cap = if self.rng.one_in(3) { Change::Clear } else { Change::Set(format!("{cap}.00")) };
        let which = AccountRef::Id(account);
        let answer = until_answered!(self.services().accounts.set_spend_cap(&customer, &which, cap.clone()));
        self.count("capped", "not capped", &answer);
        self.tell(&format!("caps {account}"), &answer.map(|account| account.spend_cap));
    }

    pub(super) async fn subscribe(&mut self) {
        let (customer, account) = self.payer();
        let is_team = account != customer.personal_account;
        let plan = if is_team { "team" } else { ["free", "pro", "pro", "max"][self.rng.below(4)] };
        let wish = PlanWish {
            plan: PlanCode::parse(plan).unwrap_or_else(|| unreachable!("a plan of the catalogue")),
            interval: Some(if self.rng.one_in(5) && plan == "pro" { Interval::Year } else { Interval::Month }),
            seats: is_team.then(|| u32::try_from(self.rng.between(2, 5)).unwrap_or(2)),
        };
        let coupon = self
            .choose_id("coupon", |tables| // The newest, so that several want the same.
            tables.coupons.values(OUTSIDE).next_back().map(|coupon| coupon.id.as_uuid()).into_iter().collect());
        let coupon =
            self.world.eyes.lock().tables.coupons.values(OUTSIDE).find(|row| row.id.as_uuid() == coupon).cloned();
        let code = coupon.filter(|_| plan != "free" && !self.rng.one_in(3)).map(|coupon| coupon.code);
        let which = AccountRef::Id(account);
        let answer = until_answered!(self.services().billing.subscribe(&customer, &which, &wish, code.as_deref()));
        self.count("subscribed", "not subscribed", &answer);
        if let Ok(bought) = &answer
            && let Some(issued) = &bought.bill
        {
            self.world.book().bills.insert(issued.bill.id, issued.bill.totals.total);
        }
        let told = answer.map(|bought| bought.bill.map(|issued| issued.bill.id));
        self.tell(&format!("{account} wants {plan}"), &told);
    }

    pub(super) async fn alter(&mut self) {
        let (customer, account) = self.payer();
        let (which, how) = (AccountRef::Id(account), self.rng.below(4));
        let auto_pay = Some(!self.rng.one_in(3));
        let services = self.services();
        let answer = match how {
            0 => until_answered!(services.subscriptions.cancel(&customer, &which)),
            1 => until_answered!(services.subscriptions.resume(&customer, &which)),
            _ => until_answered!(services.subscriptions.prefer(&customer, &which, Change::Keep, auto_pay)),
        };
        self.count("altered", "not altered", &answer);
        self.tell(&format!("alters {account} ({how})"), &answer.map(|view| view.subscription.status));
    }

    pub(super) async fn make_coupon(&mut self) {
        let operator = self.operator();
        let wish = CouponWish {
            code: format!("C{}", self.operation.twin_of),
            percent: Some(u8::try_from(self.rng.between(10, 100)).unwrap_or(10)),
            amount: None,
            max_uses: Some(if self.rng.one_in(4) { 2 } else { 1 }),
            valid_from: None,
            valid_until: None,
            plan: None,
        };
        let answer = until_answered!(self.services().billing.make_coupon(&operator, &wish));
        self.count("coupon", "no coupon", &answer);
        self.tell("makes a coupon", &answer.map(|coupon| coupon.code));
    }

    pub(super) async fn pay_bill(&mut self) {
        let id = self.choose_id("bill", |tables| bills(tables, |bill| bill.status == BillStatus::Unpaid));
        let Some((bill, owner)) = self.bill_and_owner(id) else { return };
        let outside = self.rng.one_in(4);
        let operator = self.operator();
        let payer = if outside { &operator } else { &owner };
        let request = self.request(payer, "POST /bills/pay");
        let billing = self.services().billing.clone();
        let answer = if outside {
            until_answered!(billing.pay_outside(&operator, bill, Some("a transfer"), &request))
        } else {
            until_answered!(billing.pay_from_wallet(&owner, bill, &request))
        };
        self.count("bill paid", "bill not paid", &answer);
        if let Ok(paid) = &answer {
            let mut book = self.world.book();
            book.answered("bill paid", &request.key, &paid.value);
            book.paid.insert(paid.value.bill, paid.value.id);
        }
        self.tell(&format!("pays {bill}, outside: {outside}"), &answer.map(|paid| paid.value.id));
    }

    pub(super) fn bill_and_owner(&self, id: Uuid) -> Option<(BillId, Actor)> {
        let id = BillId::from_uuid(id);
        let account = self.world.eyes.lock().tables.bills.get(OUTSIDE, &id)?.bill.account;
        Some((id, self.owner_of(account)?))
    }

    pub(super) async fn charge_bill(&mut self) {
        let id = self.choose_id("bill", |tables| bills(tables, |bill| bill.status == BillStatus::Unpaid));
        let Some((bill, owner)) = self.bill_and_owner(id) else { return };
        let request = self.request(&owner, "POST /bills/charge");
        let how = (Provider::WeChat, PayMethod::Default);
        let answer = until_answered!(self.services().charging.charge(&owner, bill, how, &request));
        self.count("bill charged", "bill not charged", &answer);
        if let Ok(made) = &answer {
            self.world.book().answered("charge", &request.key, &(made.value.order.id, made.value.payment.id));
        }
        self.tell(&format!("charges {bill}"), &answer.map(|made| made.value.payment.id));
    }

    pub(super) async fn void_bill(&mut self) {
        let operator = self.operator();
        let id = self.choose_id("bill", |tables| bills(tables, |bill| bill.status == BillStatus::Unpaid));
        let id = BillId::from_uuid(id);
        let answer = until_answered!(self.services().billing.void(&operator, id, "a mistake"));
        self.count("bill void", "bill not void", &answer);
        self.tell(&format!("voids {id}"), &answer.map(|bill| bill.status));
    }

    pub(super) async fn refund_bill(&mut self) {
        let operator = self.operator();
        let id = self.choose_id("bill", |tables| bills(tables, |bill| bill.status == BillStatus::Paid));
        let id = BillId::from_uuid(id);
        let cents = self.rng.between(1, 1_500);
        let amount = (!self.rng.one_in(2)).then(|| format!("{}.{:02}", cents / 100, cents % 100));
        let request = self.request(&operator, "POST /bills/refund");
        let online = self.rng.one_in(2);
        let answer = if online {
            let wish = (amount.as_deref(), "sorry");
            until_answered!(self.services().charging.refund(&operator, id, wish, &request))
        } else {
            let wish = RefundWish { amount, to: RefundTo::Wallet, reason: "sorry".to_owned() };
            until_answered!(self.services().billing.refund(&operator, id, &wish, &request))
        };
        self.count("bill refunded", "bill not refunded", &answer);
        if let Ok(made) = &answer {
            self.world.book().answered("bill refund", &request.key, &made.value.issued.bill.id);
        }
        self.tell(&format!("refunds {id}, online: {online}"), &answer.map(|made| made.value.issued.bill.id));
    }

    /// One chunk of the rounds of billing.
    pub(super) async fn billing_round(&mut self) {
        let billing = self.services().billing.clone();
        let (what, progress): (&str, Result<Progress>) = match self.rng.below(4) {
            0 => ("renews", billing.renew_due(0).await),
            1 => ("bills overage so far", billing.bill_interim_due(0).await),
            2 => ("chases", billing.chase_due(0).await),
            _ => ("closes", billing.close_due(billing.due_periods(), 0).await),
        };
        self.count("round of billing", "failed round of billing", &progress);
        self.tell(what, &progress);
    }
}
