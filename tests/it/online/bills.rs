//! Bills paid at a provider, through HTTP: by scanning, by a transfer, twice, after the wallet, and given back.

use super::shop::Shop;
use chrono::TimeDelta;
use fakepay::book::RefundStanding;
use fakepay::{Fault, Kind, Misdeed, RefundManner, actions};
use harness::app::{Answer, User};
use harness::databases::Fresh;
use harness::db_test;
use serde_json::{Value, json};
use uuid::Uuid;

const MANUAL: [(&str, &str); 1] = [("SUANPAN__PAYMENTS__MANUAL__ENABLED", "true")];

impl Shop {
    /// An unpaid purchase of the professional plan, for the price of a whole month.
    async fn buy_plan(&self, user: &User) -> String {
        let body = json!({"plan": "professional"});
        let caller = self.app.by(&user.token).header("Idempotency-Key", &Uuid::now_v7().to_string());
        caller.post("/subscription", &body).await.expect(201).text("/bill/id")
    }

    async fn try_charge(&self, user: &User, bill: &str, provider: &str, key: &str) -> Answer {
        let caller = self.app.by(&user.token).header("Idempotency-Key", key);
        caller.post(&format!("/bills/{bill}/payments"), &json!({"provider": provider})).await
    }

    async fn charge(&self, user: &User, bill: &str, provider: &str) -> Answer {
        self.try_charge(user, bill, provider, &format!("{provider} {bill}")).await.expect(201)
    }

    async fn bill(&self, user: &User, bill: &str) -> Answer {
        self.app.by(&user.token).get(&format!("/bills/{bill}")).await.expect(200)
    }

    async fn plan(&self, user: &User) -> String {
        self.app.by(&user.token).get("/subscription").await.expect(200).text("/plan")
    }

    async fn balance(&self, user: &User) -> String {
        let wallet = self.app.by(&user.token).get("/wallet").await.expect(200);
        wallet.body.pointer("/balances/0/balance").and_then(Value::as_str).unwrap_or("0.00").to_owned()
    }

    /// Money that is nobody's gift: an operator's correction.
    async fn fund(&self, user: &User, amount: &str) {
        let path = format!("/admin/accounts/{}/adjustments", user.account());
        let caller = self.app.by(&self.app.operator).header("Idempotency-Key", &format!("fund {}", user.name));
        caller.post(&path, &json!({"amount": amount, "reason": "a test"})).await.expect(201);
    }

    async fn suspended(&self) -> Answer {
        self.app.by(&self.app.operator).get("/admin/suspense").await.expect(200)
    }

    async fn credit(&self, item: &str) {
        let caller = self.app.by(&self.app.operator).header("Idempotency-Key", item);
        let body = json!({"resolution": "credit", "note": "paid twice"});
        caller.post(&format!("/admin/suspense/{item}/resolve"), &body).await.expect(200);
    }

    async fn try_give_back(&self, bill: &str, to: &str, amount: Option<&str>) -> Answer {
        let key = format!("{to} {amount:?} {bill}");
        let body = match amount {
            Some(amount) => json!({"amount": amount, "to": to, "reason": "outage"}),
            None => json!({"to": to, "reason": "outage"}),
        };
        let caller = self.app.by(&self.app.operator).header("Idempotency-Key", &key);
        caller.post(&format!("/admin/bills/{bill}/refund"), &body).await
    }
}

impl Shop {
    /// The only row of an operator's report over this month.
    async fn report(&self, name: &str) -> Answer {
        let report = self.app.by(&self.app.operator).get(&format!("/admin/reports/{name}")).await.expect(200);
        let rows = report.body["data"].as_array().unwrap();
        Answer { body: rows.last().cloned().unwrap_or_default(), ..report }
    }

    async fn outdated_invoices(&self) -> usize {
        let found = self.app.by(&self.app.operator).get("/admin/invoices?outdated=true").await.expect(200);
        found.body["data"].as_array().unwrap().len()
    }
}

fn total(bill: &Answer) -> String {
    bill.text("/total")
}

async fn a_plan_begins_when_its_bill_is_paid_by_scanning(fresh: &Fresh) {
    let shop = Shop::new(None, &fresh.url).await;
    let user = shop.app.user(None).await;
    let bill = shop.buy_plan(&user).await;
    let order = shop.charge(&user, &bill, "wechat").await;
    assert!(order.text("/payment/qr_svg").starts_with("<svg"), "{}", order.body);
    assert_eq!((order.text("/order/purpose"), order.text("/order/bill")), ("bill".to_owned(), bill.clone()));
    let again = shop.charge(&user, &bill, "wechat").await;
    assert_eq!(
        (again.text("/payment/id"), again.header("idempotent-replayed")),
        (order.text("/payment/id"), Some("true"))
    );
    assert_eq!(shop.plan(&user).await, "free", "nothing begins before it is paid");

    shop.pay(Kind::WeChat, &order).await;
    let paid = shop.bill(&user, &bill).await;
    assert_eq!((paid.text("/status"), paid.text("/payments/0/provider")), ("paid".into(), "wechat".into()));
    assert_eq!(paid.text("/payments/0/amount"), total(&paid));
    assert!(!paid.text("/payments/0/transaction").is_empty());
    assert_eq!(shop.plan(&user).await, "professional");
    assert_eq!(shop.shown(&user, &order).await.text("/order/status"), "delivered");
    assert_eq!(shop.balance(&user).await, "0.00");
    for provider in ["wechat", "wallet"] {
        let refused = shop.try_charge(&user, &bill, provider, &format!("once more by {provider}")).await;
        assert_eq!((refused.status, refused.code()), (409, "bill_paid".to_owned()), "{}", refused.body);
    }
    let stranger = shop.app.user(None).await;
    assert_eq!(shop.try_charge(&stranger, &bill, "wechat", "stranger").await.status, 404);
}
db_test!(scanned, a_plan_begins_when_its_bill_is_paid_by_scanning);

async fn a_transfer_that_an_operator_confirms_pays_a_bill(fresh: &Fresh) {
    let shop = Shop::with(None, &fresh.url, &MANUAL).await;
    let user = shop.app.user(None).await;
    let bill = shop.buy_plan(&user).await;
    let order = shop.charge(&user, &bill, "manual").await;
    assert!(order.text("/payment/instructions").contains(&order.text("/payment/amount")), "{}", order.body);
    let path = format!("/admin/payments/{}/confirm", order.text("/payment/id"));
    for _ in 0..2 {
        let caller = shop.app.by(&shop.app.operator).header("Idempotency-Key", "confirmed");
        caller.post(&path, &json!({"transaction": "bank 7"})).await.expect(200);
    }
    let paid = shop.bill(&user, &bill).await;
    assert_eq!((paid.text("/status"), paid.text("/payments/0/provider")), ("paid".into(), "manual".into()));
    assert_eq!(
        (paid.text("/payments/0/transaction"), shop.plan(&user).await),
        ("bank 7".into(), "professional".into())
    );
}
db_test!(transfer, a_transfer_that_an_operator_confirms_pays_a_bill);

async fn what_comes_for_a_bill_that_the_wallet_paid_meanwhile_is_kept_and_credited(fresh: &Fresh) {
    let shop = Shop::new(None, &fresh.url).await;
    let user = shop.app.user(None).await;
    let bill = shop.buy_plan(&user).await;
    let order = shop.charge(&user, &bill, "alipay").await;
    shop.fund(&user, "200.00").await;
    shop.charge(&user, &bill, "wallet").await;
    let left = shop.balance(&user).await;
    let shown = shop.shown(&user, &order).await.text("/order/status");
    assert!(["closing", "closed"].contains(&shown.as_str()), "the order takes no money any more: {shown}");

    shop.pay_nevertheless(Kind::Alipay, &order).await;
    let suspended = shop.suspended().await;
    assert_eq!(suspended.body["data"].as_array().map(Vec::len), Some(1), "{}", suspended.body);
    assert_eq!(suspended.text("/data/0/amount"), order.text("/order/amount"));
    let paid = shop.bill(&user, &bill).await;
    assert_eq!(paid.body["payments"].as_array().map(Vec::len), Some(1), "the bill was paid once");
    assert_eq!((paid.text("/payments/0/provider"), shop.balance(&user).await), ("wallet".into(), left));
    shop.credit(&suspended.text("/data/0/id")).await;
    assert_eq!(shop.balance(&user).await, "200.00", "what was paid twice is the customer's balance");
    assert_eq!(shop.shown(&user, &order).await.text("/order/status"), "closed");
}
db_test!(meanwhile, what_comes_for_a_bill_that_the_wallet_paid_meanwhile_is_kept_and_credited);

async fn a_bill_paid_at_two_providers_is_paid_once(fresh: &Fresh) {
    let shop = Shop::new(None, &fresh.url).await;
    let user = shop.app.user(None).await;
    let bill = shop.buy_plan(&user).await;
    let first = shop.charge(&user, &bill, "wechat").await;
    let second = shop.charge(&user, &bill, "stripe").await;
    assert_eq!(first.text("/order/id"), second.text("/order/id"), "one order for a bill, with an attempt each");
    shop.pay(Kind::WeChat, &first).await;
    shop.pay_nevertheless(Kind::Stripe, &second).await;
    let suspended = shop.suspended().await;
    assert_eq!(
        (suspended.text("/data/0/reason"), suspended.text("/data/0/payment")),
        ("double".into(), second.text("/payment/id"))
    );
    let paid = shop.bill(&user, &bill).await;
    assert_eq!(paid.body["payments"].as_array().map(Vec::len), Some(1));
    assert_eq!(paid.text("/payments/0/provider"), "wechat");
}
db_test!(twice, a_bill_paid_at_two_providers_is_paid_once);

async fn while_a_payment_is_unknown_nothing_else_pays_the_bill(fresh: &Fresh) {
    let shop = Shop::new(None, &fresh.url).await;
    let user = shop.app.user(None).await;
    let bill = shop.buy_plan(&user).await;
    shop.fund(&user, "200.00").await;
    shop.fake.shared.add_fault(Fault::once(Kind::Alipay, "alipay.trade.precreate", Misdeed::DropAfter));
    let order = shop.charge(&user, &bill, "alipay").await;
    assert_eq!(order.text("/payment/status"), "unknown");
    for provider in ["wallet", "wechat"] {
        let refused = shop.try_charge(&user, &bill, provider, provider).await;
        assert_eq!((refused.status, refused.code()), (409, "payment_unknown".to_owned()), "{}", refused.body);
    }
    // The customer who waits has the provider asked again.
    shop.app.scene.move_clock(shop.app.scene.now() + TimeDelta::minutes(2));
    let path = format!("/orders/{}?refresh=true", order.text("/order/id"));
    let asked = shop.app.by(&user.token).get(&path).await.expect(200);
    assert_eq!(asked.text("/payments/0/status"), "pending");
    shop.charge(&user, &bill, "wallet").await;
    assert_eq!(shop.bill(&user, &bill).await.text("/status"), "paid");
}
db_test!(unknown, while_a_payment_is_unknown_nothing_else_pays_the_bill);

async fn a_bill_taken_back_takes_no_money(fresh: &Fresh) {
    let shop = Shop::new(None, &fresh.url).await;
    let user = shop.app.user(None).await;
    let bill = shop.buy_plan(&user).await;
    let order = shop.charge(&user, &bill, "wechat").await;
    let another = shop.buy_plan(&user).await;
    assert_eq!(shop.bill(&user, &bill).await.text("/status"), "void", "another was chosen");
    shop.pay_nevertheless(Kind::WeChat, &order).await;
    assert_eq!(shop.suspended().await.text("/data/0/payment"), order.text("/payment/id"));
    assert_eq!(shop.bill(&user, &another).await.text("/status"), "unpaid");
    assert_eq!(shop.plan(&user).await, "free");
}
db_test!(void, a_bill_taken_back_takes_no_money);

async fn what_a_provider_took_for_a_bill_goes_back_there_and_never_more(fresh: &Fresh) {
    let shop = Shop::new(None, &fresh.url).await;
    let user = shop.app.user(None).await;
    let bill = shop.buy_plan(&user).await;
    let order = shop.charge(&user, &bill, "wechat").await;
    shop.pay(Kind::WeChat, &order).await;

    let invoice = json!({"title": "王小二"});
    shop.app.by(&user.token).post(&format!("/bills/{bill}/invoice"), &invoice).await.expect(201);
    let part = shop.try_give_back(&bill, "provider", Some("20.00")).await.expect(201);
    assert_eq!(shop.outdated_invoices().await, 0, "nothing has arrived yet");
    assert_eq!(
        (part.text("/kind"), part.text("/status"), part.text("/refund_of")),
        ("refund".into(), "unpaid".into(), bill.clone())
    );
    assert_eq!(shop.bill(&user, &bill).await.text("/refunded"), "20.00");
    let number = part.text("/id").replace("bil_", "");
    shop.tell(Kind::WeChat, &number, 2).await;
    assert_eq!(shop.bill(&user, &part.text("/id")).await.text("/status"), "paid", "the provider paid it back");
    assert_eq!(shop.outdated_invoices().await, 1);
    let back = shop.report("refunds").await;
    assert_eq!((back.text("/bills"), back.text("/to_providers")), ("20.00".into(), "20.00".into()), "{}", back.body);
    let shown = shop.shown(&user, &order).await;
    assert_eq!(
        (shown.text("/payments/0/refunded"), shown.text("/payments/0/status")),
        ("20.00".into(), "partially_refunded".into())
    );

    let whole = total(&shop.bill(&user, &bill).await);
    let more = shop.try_give_back(&bill, "provider", Some(&whole)).await;
    assert_eq!((more.status, more.code()), (409, "refund_too_large".to_owned()), "{}", more.body);
    shop.try_give_back(&bill, "wallet", Some("10.00")).await.expect(201);
    let rest = shop.try_give_back(&bill, "provider", None).await.expect(201);
    let cents = |text: &str| text.replace('.', "").parse::<i64>().unwrap();
    assert_eq!(cents(&rest.text("/total")), cents(&whole) - 3_000, "the wallet's part does not go back twice");
    for to in ["provider", "wallet", "manual"] {
        let none = shop.try_give_back(&bill, to, Some("0.01")).await;
        assert_eq!((none.status, none.code()), (409, "bill_refunded".to_owned()), "{to}: {}", none.body);
    }
    // Nor by the payment's own door.
    let path = format!("/admin/payments/{}/refunds", order.text("/payment/id"));
    let caller = shop.app.by(&shop.app.operator).header("Idempotency-Key", "other door");
    let refused = caller.post(&path, &json!({"amount": "10.00", "reason": "again"})).await;
    assert_eq!((refused.status, refused.code()), (409, "bill_refunded".to_owned()), "{}", refused.body);
    let by_wallet = shop.buy_plan(&shop.app.user(None).await).await;
    let nothing = shop.try_give_back(&by_wallet, "provider", None).await;
    assert_eq!((nothing.status, nothing.code()), (409, "not_paid_online".to_owned()), "{}", nothing.body);
}
db_test!(given_back, what_a_provider_took_for_a_bill_goes_back_there_and_never_more);

async fn a_refund_that_the_provider_fails_leaves_the_bill_as_it_was(fresh: &Fresh) {
    let shop = Shop::new(None, &fresh.url).await;
    let user = shop.app.user(None).await;
    let bill = shop.buy_plan(&user).await;
    let order = shop.charge(&user, &bill, "wechat").await;
    shop.pay(Kind::WeChat, &order).await;
    let paid = async || {
        let found = shop.app.scene.services.store.subscriptions().find(user.customer.account).await.unwrap().unwrap();
        found.paid.unwrap().to_decimal()
    };
    let before = paid().await;
    shop.fake.shared.manners().refunds = RefundManner::Stuck;
    let refund = shop.try_give_back(&bill, "provider", Some("20.00")).await.expect(201).text("/id");
    assert_ne!(paid().await, before, "what goes back is worth no credit");
    let owed = async || shop.report("receivables").await;
    assert_eq!(owed().await.text("/closing"), "0.00", "a customer does not owe what goes back");
    let number = refund.replace("bil_", "");
    actions::decide_refund(&shop.fake.shared, Kind::WeChat, &number, RefundStanding::Closed).unwrap();
    shop.tell(Kind::WeChat, &number, 2).await;
    assert_eq!(shop.bill(&user, &refund).await.text("/status"), "void");
    let total = total(&shop.bill(&user, &bill).await);
    let after = owed().await;
    let of = ["/issued", "/paid", "/voided", "/closing"].map(|name| after.text(name));
    assert_eq!(of, [total.as_str(), total.as_str(), "0.00", "0.00"], "{}", after.body);
    let after = shop.bill(&user, &bill).await;
    assert_eq!((after.text("/refunded"), after.text("/status"), paid().await), ("0.00".into(), "paid".into(), before));
    assert_eq!(shop.shown(&user, &order).await.text("/payments/0/status"), "paid");
}
db_test!(refund_fails, a_refund_that_the_provider_fails_leaves_the_bill_as_it_was);

async fn a_team_begins_when_its_first_bill_is_paid_at_a_provider(fresh: &Fresh) {
    let shop = Shop::new(None, &fresh.url).await;
    let user = shop.app.user(None).await;
    let by = || shop.app.by(&user.token);
    let team = by().post("/teams", &json!({"name": "Crew"})).await.expect(201);
    let (team, account) = (team.text("/id"), team.text("/account"));
    let wish = json!({"plan": "team", "seats": 3, "account": account});
    let buying = by().header("Idempotency-Key", "a team's plan");
    let bill = buying.post("/subscription", &wish).await.expect(201).text("/bill/id");
    assert_eq!(by().get(&format!("/teams/{team}")).await.text("/status"), "suspended");
    let order = shop.charge(&user, &bill, "stripe").await;
    shop.pay(Kind::Stripe, &order).await;
    assert_eq!(by().get(&format!("/teams/{team}")).await.text("/status"), "active");
    let subscription = by().get(&format!("/subscription?account={account}")).await;
    assert_eq!((subscription.text("/plan"), &subscription.body["seats"]), ("team".into(), &json!(3)));
}
db_test!(team, a_team_begins_when_its_first_bill_is_paid_at_a_provider);
