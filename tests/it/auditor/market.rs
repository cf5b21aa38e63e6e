//! A customer of the small world who bought, paid, got back, redeemed, checked in, invited and was billed.

use chrono::TimeDelta;
use domain::accounts::{AccountRef, Registration};
use domain::actor::Actor;
use domain::billing::{
    BillFilter, BillStatus, ChargingService, CouponWish, InvoiceEnd, InvoiceKind, InvoiceWish, RecurringService,
    RefundTo, RefundWish as BillRefundWish,
};
use domain::id::{AccountId, BillId, PaymentId};
use domain::idempotency::IdempotentRequest;
use domain::identity::{Password, Username};
use domain::incentives::{BatchWish, RewardWish};
use domain::metering::{Command, Reserve};
use domain::money::{Currency, Money};
use domain::orders::{
    Attempt, OrderService, OrderWish, PayMethod, PaymentProviders, ProductWish, RefundState, RefundWish, Resolution,
    ResolveWish, Wanted,
};
use domain::page::PageRequest;
use domain::plans::{PlanCode, PlanWish};
use domain::wallet::{AdjustmentWish, Provider};
use fakepay::{Kind, Twist, actions, compose};
use harness::payments::{fake, raw, stripe};
use harness::scene::{Customer, Scene, command};
use harness::scripted_provider::ScriptedProvider;
use std::sync::Arc;
use uuid::Uuid;

/// What the scene of a market needs: gifts, and compute units of the default plan paid from the wallet.
pub const GIVING: [(&str, &str); 8] = [
    ("SUANPAN__INCENTIVES__CHECK_IN__REWARD__AMOUNT", "0.10"),
    ("SUANPAN__INCENTIVES__REFERRAL__INVITER", "5.00"),
    ("SUANPAN__INCENTIVES__REFERRAL__LEAST_TRANSFER", "1"),
    ("SUANPAN__VERIFICATION__ENABLED", "true"),
    ("SUANPAN__PLANS__FREE__METERS__CU__INCLUDED", "0"),
    ("SUANPAN__PLANS__FREE__METERS__CU__ON_EXHAUSTED", "wallet"),
    ("SUANPAN__PLANS__FREE__METERS__CU__OVERAGE__PER", "0.01"),
    ("SUANPAN__PLANS__FREE__METERS__CU__OVERAGE__PRICE", "0.02 CNY"),
];

const PAGE: PageRequest = PageRequest { limit: 200, before: None };
const MINE: AccountRef = AccountRef::Default;

pub struct Market<'a> {
    scene: &'a Scene,
    provider: Arc<ScriptedProvider>,
    orders: OrderService,
    operator: Actor,
}

fn once(actor: &Actor) -> IdempotentRequest {
    let key = Uuid::now_v7().to_string();
    IdempotentRequest { user: actor.user, scope: "test", fingerprint: key.clone(), key }
}

fn cny(text: &str) -> Money {
    Money::parse_minor(text, Currency::CNY).unwrap()
}

impl<'a> Market<'a> {
    pub fn new(scene: &'a Scene) -> Self {
        let provider = Arc::new(ScriptedProvider::default());
        let providers = PaymentProviders::new(vec![provider.clone()]);
        let orders = OrderService { providers, ..scene.services.orders.clone() };
        Self { scene, provider, orders, operator: scene.operator() }
    }

    async fn order(&self, who: &Customer, wanted: Wanted) -> Attempt {
        let wish = OrderWish { wanted, provider: Provider::WeChat, method: PayMethod::Default };
        self.orders.order(&who.actor, &MINE, &wish, &once(&who.actor)).await.unwrap().value
    }

    async fn hear(&self, made: &Attempt, transaction: Option<&str>) {
        let mut capture = self.provider.pay(made.payment.number(), self.scene.now());
        capture.transaction = transaction.map_or(capture.transaction, str::to_owned);
        let (message, number) = (Uuid::now_v7().to_string(), made.payment.number());
        let raw = ScriptedProvider::notification(&message, number, &capture, "right");
        assert_eq!(self.orders.notified(Provider::WeChat, &raw).await.unwrap().status, 200);
    }

    pub async fn top_up(&self, who: &Customer, amount: &str) -> Attempt {
        let made = self.unpaid(who, amount).await;
        self.hear(&made, None).await;
        made
    }

    pub async fn unpaid(&self, who: &Customer, amount: &str) -> Attempt {
        self.order(who, Wanted::TopUp { amount: amount.to_owned(), currency: "CNY".to_owned() }).await
    }

    /// Paid after it was closed.
    async fn late(&self, who: &Customer, amount: &str) -> Attempt {
        let made = self.unpaid(who, amount).await;
        self.orders.close(&who.actor, made.order.id).await.unwrap();
        self.hear(&made, None).await;
        made
    }

    async fn resolve(&self, made: &Attempt, resolution: Resolution) {
        let items = self.orders.list_suspense(&self.operator, None, PAGE).await.unwrap().rows;
        let item = items.iter().find(|item| item.payment == made.payment.id).unwrap();
        let wish = ResolveWish { resolution, note: "a test".to_owned() };
        self.orders.resolve_suspense(&self.operator, item.id, &wish, &once(&self.operator)).await.unwrap();
    }

    async fn refund(&self, id: PaymentId, amount: &str, state: RefundState) {
        self.provider.answer_refunds(state);
        let wish = RefundWish { amount: Some(amount.to_owned()), reason: "a test".to_owned(), even_if_used: false };
        self.orders.refund(&self.operator, id, &wish, &once(&self.operator)).await.unwrap();
    }

    /// Orders delivered and refunded, suspended money in every state, a second capture under one payment.
    pub async fn trade(&self, who: &Customer) {
        let done = RefundState::Succeeded { refunded_at: self.scene.now() };
        let pack = ProductWish {
            code: "pack".to_owned(),
            name: "A hundred words".to_owned(),
            description: None,
            meter: "words".to_owned(),
            quantity: "100".to_owned(),
            models: None,
            valid_days: Some(30),
            price: "10.00".to_owned(),
            sort: 0,
            enabled: true,
        };
        self.scene.services.shop.create(&self.operator, &pack).await.unwrap();
        let bought = self.order(who, Wanted::Product("pack".to_owned())).await;
        self.hear(&bought, None).await;
        self.refund(bought.payment.id, "4.00", done.clone()).await;
        let topped = self.top_up(who, "500.00").await;
        self.refund(topped.payment.id, "2.00", RefundState::Processing).await;
        self.refund(topped.payment.id, "1.00", RefundState::Failed { reason: "closed".to_owned() }).await;
        self.hear(&topped, Some("another capture")).await;
        self.late(who, "3.00").await;
        let credited = self.late(who, "4.00").await;
        self.resolve(&credited, Resolution::Credit).await;
        let delivered = self.late(who, "5.00").await;
        self.resolve(&delivered, Resolution::Deliver).await;
        let returned = self.late(who, "6.00").await;
        self.provider.answer_refunds(done);
        self.resolve(&returned, Resolution::Refund).await;
    }

    /// An adjustment that stands, and one that was reversed.
    pub async fn adjust(&self, account: AccountId) {
        let ledger = &self.scene.services.ledger;
        let wish =
            |amount: &str| AdjustmentWish { amount: amount.to_owned(), currency: None, reason: "a test".to_owned() };
        ledger.adjust(&self.operator, account, &wish("7.00"), &once(&self.operator)).await.unwrap();
        let wrong = ledger.adjust(&self.operator, account, &wish("8.00"), &once(&self.operator)).await.unwrap().value;
        ledger.reverse(&self.operator, wrong.transfer.unwrap(), "a mistake", &once(&self.operator)).await.unwrap();
    }

    async fn code(&self, reward: RewardWish) -> String {
        let wish = BatchWish {
            name: "batch".to_owned(),
            count: 2,
            reward,
            max_uses: 2,
            is_gift: true,
            valid_from: None,
            valid_until: None,
        };
        let redemptions = &self.scene.services.redemptions;
        let batch = redemptions.make(&self.operator, &wish, &once(&self.operator)).await.unwrap().value;
        redemptions.export(&self.operator, batch.id).await.unwrap()[0].text.expose()
    }

    /// Codes of money and of quota, a check-in, an invited user, and a verified identity.
    pub async fn give(&self, who: &Customer) {
        let services = &self.scene.services;
        let money = self.code(RewardWish { amount: Some("2.00".to_owned()), ..RewardWish::default() }).await;
        let (meter, quantity) = (Some("words".to_owned()), Some("50".to_owned()));
        let quota = self.code(RewardWish { meter, quantity, ..RewardWish::default() }).await;
        for code in [money, quota] {
            services.redemptions.redeem(&who.actor, &MINE, &code).await.unwrap();
        }
        services.check_ins.check_in(&who.actor).await.unwrap();
        let aff_code = Some(services.referrals.view(&who.actor).await.unwrap().code.as_str().to_owned());
        let username = Some(Username::parse("invited").unwrap());
        let wish = Registration { username, aff_code, ..Registration::default() };
        let password = Password::choose("a password of tests").unwrap();
        services.registration.register(wish, &password, None).await.unwrap();
        services.referrals.transfer(&who.actor, "2.00", &once(&who.actor)).await.unwrap();
        services.verifications.claim(&who.actor, "金丝雀", "11010519491231002X").await.unwrap();
    }

    /// Usage paid from the wallet, and money held by a reservation.
    pub async fn spend(&self, who: &Customer) {
        let metering = &self.scene.services.metering;
        self.scene.consume_one(command(who.account, "cu", 2_000, "paid")).await.unwrap();
        let wanted = command(who.account, "cu", 300, "held");
        let held = metering.book(&[Command::Reserve(Reserve { wanted, ttl: TimeDelta::hours(1) })]).await.unwrap();
        assert!(held[0].is_ok());
        assert!(self.scene.purse(who.account).await.1 > 0);
    }

    async fn subscribe(&self, who: &Customer, coupon: Option<&str>) -> BillId {
        let wish = PlanWish { plan: PlanCode::parse("professional").unwrap(), interval: None, seats: None };
        let bought = self.scene.services.billing.subscribe(&who.actor, &MINE, &wish, coupon).await.unwrap();
        bought.bill.unwrap().bill.id
    }

    /// A plan bought twice, of which the first bill is void; the second is paid with a coupon, refunded in part, and
    /// once more after it was invoiced. Overage that will be billed.
    pub async fn bill(&self, who: &Customer) {
        let billing = &self.scene.services.billing;
        let coupon = CouponWish {
            code: "TENTH".to_owned(),
            percent: Some(10),
            amount: None,
            max_uses: Some(3),
            valid_from: None,
            valid_until: None,
            plan: None,
        };
        billing.make_coupon(&self.operator, &coupon).await.unwrap();
        self.subscribe(who, Some("TENTH")).await;
        let bill = self.subscribe(who, Some("TENTH")).await;
        billing.pay_from_wallet(&who.actor, bill, &once(&who.actor)).await.unwrap();
        self.give_back(bill, "1.50").await;
        self.invoice(who, bill).await;
        self.give_back(bill, "0.50").await;
        self.scene.consume_one(command(who.account, "words", 305_000, "beyond")).await.unwrap();
    }

    /// A plan that a provider charges for by itself, of which one charge came in.
    pub async fn charge(&self, who: &Customer) {
        let fake = fake();
        let provider = Arc::new(stripe(&fake));
        let billing = self.scene.services.billing.clone();
        let recurring =
            RecurringService { billing, provider: Some(provider), return_url: "https://shop.example/back".to_owned() };
        let bill = self.subscribe(who, None).await;
        recurring.start(&who.actor, bill).await.unwrap();
        let mirror = recurring.list(&who.actor, &MINE).await.unwrap().remove(0);
        actions::pay(&fake.shared, Kind::Stripe, &mirror.number().to_string()).unwrap();
        for message in actions::messages(&fake.shared, Kind::Stripe, None) {
            let event = raw(compose(&fake.shared, &message, Twist::None).unwrap());
            recurring.heard(Provider::Stripe, &event).await.unwrap();
        }
        fake.stop().await;
    }

    async fn give_back(&self, bill: BillId, amount: &str) {
        let amount = Some(cny(amount).to_decimal());
        let wish = BillRefundWish { amount, to: RefundTo::Wallet, reason: "outage".to_owned() };
        self.scene.services.billing.refund(&self.operator, bill, &wish, &once(&self.operator)).await.unwrap();
    }

    /// Three invoices of a bill, one after the other: rejected, reversed and issued.
    async fn invoice(&self, who: &Customer, bill: BillId) {
        let (billing, operator) = (&self.scene.services.billing, &self.operator);
        let wish = InvoiceWish { kind: InvoiceKind::Ordinary, title: "王小二".to_owned(), tax_id: None };
        let asked = async || billing.request_invoice(&who.actor, bill, &wish).await.unwrap().id;
        billing.end_invoice(operator, asked().await, InvoiceEnd::Reject, "a test").await.unwrap();
        let reversed = asked().await;
        billing.issue_invoice(operator, reversed, "25117000000000000001", None).await.unwrap();
        billing.end_invoice(operator, reversed, InvoiceEnd::Reverse, "a test").await.unwrap();
        billing.issue_invoice(operator, asked().await, "25117000000000000002", None).await.unwrap();
    }

    /// What was used beyond is paid at a provider, and given back in part.
    pub async fn settle(&self, who: &Customer) {
        let billing = self.scene.services.billing.clone();
        let filter = BillFilter { status: Some(BillStatus::Unpaid), ..BillFilter::default() };
        let bill = billing.list(&who.actor, &MINE, filter, PAGE).await.unwrap().rows.remove(0).id;
        let charging = ChargingService { billing, orders: self.orders.clone() };
        let how = (Provider::WeChat, PayMethod::Default);
        let made = charging.charge(&who.actor, bill, how, &once(&who.actor)).await.unwrap().value;
        self.hear(&made, None).await;
        self.provider.answer_refunds(RefundState::Succeeded { refunded_at: self.scene.now() });
        charging.refund(&self.operator, bill, (Some("1.00"), "a test"), &once(&self.operator)).await.unwrap();
    }

    /// Closes what ended.
    pub async fn close(&self) {
        let services = &self.scene.services;
        let wish = api::billing_rounds::close_wish(services, None).unwrap();
        api::billing_rounds::close_all(services, wish, |_| {}).await.unwrap();
    }
}
