//! A tenant with one of everything that a path can name: a team with its people, keys, and objects of its account.

use domain::billing::{Invoice, InvoiceKind, InvoiceStatus, InvoiceTitle, Mirror};
use domain::id::{DifferenceId, IdentityId, InvoiceId, UserId};
use domain::identity::{OAuthIdentity, ProviderName};
use domain::money::{Currency, Money};
use domain::orders::{Difference, DifferenceClass, DifferenceStatus};
use domain::plans::Interval;
use domain::wallet::Provider;
use harness::app::{Answer, Caller, PASSWORD, TestApp, User};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Settings with which every part of the server is there.
pub const SETTINGS: [(&str, &str); 10] = [
    ("SUANPAN__PAYMENTS__MANUAL__ENABLED", "true"),
    ("SUANPAN__INCENTIVES__CHECK_IN__REWARD__METER", "words"),
    ("SUANPAN__INCENTIVES__CHECK_IN__REWARD__QUANTITY", "100"),
    ("SUANPAN__INCENTIVES__REFERRAL__INVITER", "5.00"),
    ("SUANPAN__VERIFICATION__ENABLED", "true"),
    ("SUANPAN__WALLET__ADJUSTMENT_APPROVAL_ABOVE", "1.00 CNY"),
    ("SUANPAN__OAUTH__PROVIDERS__GITHUB__KIND", "github"),
    ("SUANPAN__OAUTH__PROVIDERS__GITHUB__CLIENT_ID", "client"),
    ("SUANPAN__OAUTH__PROVIDERS__GITHUB__CLIENT_SECRET", "secret"),
    ("SUANPAN__INCENTIVES__CHECK_IN__MOST", "500"),
];
/// Of identity cards, with right check digits: of two tenants, and one that nobody has claimed.
pub const CARDS: [&str; 3] = ["11010519491231002X", "440524198001010013", "44052419800101003X"];

/// Ids by the word that samples call them.
pub type Ids = BTreeMap<&'static str, String>;

/// The people of a team and what they made.
pub struct World {
    pub owner: User,
    pub admin: User,
    pub member: User,
    /// By the owner's session, of a key on the team's account.
    pub keys: BTreeMap<&'static str, String>,
    pub ids: Ids,
}

struct Builder<'a> {
    app: &'a TestApp,
    owner: User,
    ids: Ids,
}

impl World {
    pub async fn new(app: &TestApp, card: &str) -> Self {
        let owner = app.user(None).await;
        let mut builder = Builder { app, owner, ids: Ids::new() };
        builder.found().await;
        let (admin, member) = (builder.joined().await, builder.joined().await);
        let (target, pending) = (builder.joined().await, app.user(None).await);
        builder.asks(&pending).await;
        builder.promote(&admin).await;
        app.by(&target.token).put("/me/verification", &claim(card)).await.expect(200);
        builder.ids.insert("{user}", id_of(&target));
        builder.ids.insert("users", id_of(&target));
        builder.ids.insert("pending", id_of(&pending));
        let keys = builder.keys(&member).await;
        builder.notices().await;
        builder.metering().await;
        builder.money().await;
        builder.mirror().await;
        builder.orders().await;
        builder.shop().await;
        builder.identity().await;
        let Builder { owner, ids, .. } = builder;
        Self { owner, admin, member, keys, ids }
    }
}

pub fn id_of(user: &User) -> String {
    user.customer.actor.user.to_string()
}

fn claim(card: &str) -> Value {
    json!({"real_name": "张小三", "id_number": card})
}

impl Builder<'_> {
    fn by_owner(&self) -> Caller<'_> {
        self.app.by(&self.owner.token)
    }

    fn by_root(&self) -> Caller<'_> {
        self.app.by(&self.app.operator)
    }

    /// A request that an operator or the owner makes once.
    fn once<'a>(&self, caller: Caller<'a>, key: &str) -> Caller<'a> {
        caller.header("Idempotency-Key", &format!("{key} {}", self.ids["{account}"]))
    }

    fn keep(&mut self, name: &'static str, answer: &Answer, pointer: &str) {
        let id = answer.text(pointer);
        assert!(!id.is_empty(), "{name}: {}", answer.body);
        self.ids.insert(name, id);
    }

    fn account(&self, rest: &str) -> String {
        format!("/admin/accounts/{}{rest}", self.ids["{account}"])
    }

    async fn found(&mut self) {
        let made = self.by_owner().post("/teams", &json!({"name": "Writers"})).await.expect(201);
        self.keep("teams", &made, "/id");
        self.keep("code", &made, "/invite_code");
        for name in ["{account}", "accounts"] {
            self.keep(name, &made, "/account");
        }
        self.by_root().post(&self.account("/subscription"), &json!({"plan": "team", "seats": 10})).await.expect(200);
        let path = format!("/teams/{}/invitations", self.ids["teams"]);
        let invited = self.by_owner().post(&path, &json!({})).await.expect(201);
        self.keep("{invitation}", &invited, "/id");
        self.ids.insert("login", self.owner.name.clone());
    }

    async fn asks(&self, user: &User) {
        let wish = json!({"invite_code": self.ids["code"]});
        self.app.by(&user.token).post("/teams/join", &wish).await.expect(200);
    }

    async fn joined(&self) -> User {
        let user = self.app.user(None).await;
        self.asks(&user).await;
        let path = format!("/teams/{}/members/{}/approve", self.ids["teams"], id_of(&user));
        self.by_owner().send("POST", &path, None).await.expect(200);
        user
    }

    async fn promote(&self, user: &User) {
        let path = format!("/teams/{}/members/{}", self.ids["teams"], id_of(user));
        self.by_owner().patch(&path, &json!({"role": "admin"})).await.expect(200);
    }

    async fn keys(&mut self, member: &User) -> BTreeMap<&'static str, String> {
        let mut keys = BTreeMap::new();
        let both = ["usage:read", "usage:write"];
        for (name, token, scopes) in [
            ("key:read", &self.owner.token, &both[..1]),
            ("key:write", &self.owner.token, &both[1..]),
            ("member's key", &member.token, &both[..]),
            ("owner's key", &self.owner.token, &both[..]),
        ] {
            let wish = json!({"name": name, "account": self.ids["{account}"], "scopes": scopes});
            let made = self.app.by(token).post("/api-keys", &wish).await.expect(201);
            keys.insert(name, made.text("/key"));
        }
        let spare = json!({"name": "spare", "account": self.ids["{account}"]});
        let made = self.by_owner().post("/api-keys", &spare).await.expect(201);
        self.keep("api-keys", &made, "/id");
        keys
    }

    async fn notices(&mut self) {
        let wish = json!({"url": "https://hooks.example.com/here", "account": self.ids["{account}"]});
        let made = self.by_owner().post("/webhook-endpoints", &wish).await.expect(201);
        self.keep("webhook-endpoints", &made, "/id");
        self.app.scene.tell(self.ids["{account}"].parse().unwrap(), 0..2).await;
        while self.app.scene.services.fan_out.round().await.unwrap() > 0 {}
        let notices = self.by_owner().get(&format!("/notices?account={}", self.ids["{account}"])).await.expect(200);
        self.keep("notices", &notices, "/data/0/id");
        let log = format!("/webhook-endpoints/{}/deliveries", self.ids["webhook-endpoints"]);
        let log = self.by_owner().get(&log).await.expect(200);
        self.keep("{delivery}", &log, "/data/0/id");
    }

    async fn metering(&mut self) {
        let account = self.ids["{account}"].clone();
        let words = |key: &str| json!({"meter": "words", "quantity": 1, "key": key, "account": account});
        self.by_owner().post("/usage", &words("used")).await.expect(201);
        let held = self.by_owner().post("/reservations", &words("held")).await.expect(201);
        self.keep("reservations", &held, "/id");
        let grant = json!({"meter": "words", "quantity": 5});
        let given = self.once(self.by_root(), "grant").post(&self.account("/grants"), &grant).await.expect(201);
        self.keep("{grant}", &given, "/id");
    }

    async fn money(&mut self) {
        // Not root, who decides about it.
        let clerk = self.app.user(None).await;
        let path = format!("/admin/users/{}", id_of(&clerk));
        self.by_root().patch(&path, &json!({"role": "admin"})).await.expect(200);
        let by_clerk = self.app.by(&clerk.token);
        let give = |amount: &str| json!({"amount": amount, "reason": "for the outage"});
        let path = self.account("/adjustments");
        let small = self.once(by_clerk.clone(), "small").post(&path, &give("1.00")).await.expect(201);
        self.keep("{transfer}", &small, "/transfer");
        let large = self.once(by_clerk, "large").post(&path, &give("100.00")).await.expect(201);
        self.keep("{adjustment}", &large, "/id");
        let more = json!({"plan": "team", "seats": 20, "account": self.ids["{account}"]});
        self.by_owner().keyed().post("/subscription", &more).await;
        let bills = self.by_owner().get(&format!("/bills?account={}", self.ids["{account}"])).await.expect(200);
        self.keep("bills", &bills, "/data/0/id");
        self.ids.insert("invoices", self.invoice().await);
    }

    /// Of the team's bill, as though it had been paid.
    async fn invoice(&self) -> String {
        let now = self.app.scene.now();
        let invoice = Invoice {
            id: InvoiceId::new(now),
            account: self.ids["{account}"].parse().unwrap(),
            bill: self.ids["bills"].parse().unwrap(),
            status: InvoiceStatus::Requested,
            title: InvoiceTitle::read(InvoiceKind::Ordinary, "王小二", None).unwrap(),
            amount: Money::parse_minor("1.00", Currency::CNY).unwrap(),
            number: None,
            url: None,
            reason: None,
            requested_at: now,
            issued_at: None,
            outdated_at: None,
            updated_at: now,
        };
        let work = self.app.scene.services.store.begin().await.unwrap();
        work.invoices().insert(&invoice).await.unwrap();
        work.commit().await.unwrap();
        invoice.id.to_string()
    }

    /// A subscription at a provider, which this server does not offer.
    async fn mirror(&mut self) {
        let (scene, now) = (&self.app.scene, self.app.scene.now());
        let account = self.ids["{account}"].parse().unwrap();
        let bill = self.ids["bills"].parse().unwrap();
        let price = Money::parse_minor("99.00", Currency::CNY).unwrap();
        let asked = Mirror::new((account, bill, Provider::Stripe), (price, Interval::Month), now);
        let mirror = Mirror { reference: Some(format!("sub_{}", asked.id)), ..asked };
        let work = scene.services.store.begin().await.unwrap();
        work.accounts().lock(account).await.unwrap();
        work.mirrors().insert(&mirror).await.unwrap();
        work.commit().await.unwrap();
        self.ids.insert("provider-subscriptions", mirror.id.to_string());
    }

    async fn order(&self, key: &str) -> Answer {
        let wish = json!({
            "topup": {"amount": "10.00", "currency": "CNY"}, "provider": "manual", "account": self.ids["{account}"],
        });
        self.once(self.by_owner(), key).post("/orders", &wish).await.expect(201)
    }

    async fn confirm(&self, payment: &str, amount: &str) {
        let path = format!("/admin/payments/{payment}/confirm");
        let bank = json!({"transaction": format!("bank {payment}"), "amount": amount, "currency": "CNY"});
        self.by_root().keyed().post(&path, &bank).await.expect(200);
    }

    async fn orders(&mut self) {
        let (paid, short, open) = (self.order("paid").await, self.order("short").await, self.order("open").await);
        self.confirm(&paid.text("/payment/id"), "10.00").await;
        self.confirm(&short.text("/payment/id"), "9.00").await;
        self.keep("orders", &open, "/order/id");
        for name in ["payments", "{payment}"] {
            self.keep(name, &paid, "/payment/id");
        }
        let items = self.by_root().get("/admin/suspense").await.expect(200);
        self.keep("suspense", &items, "/data/0/id");
        self.ids.insert("reconciliation", self.difference().await);
    }

    async fn difference(&self) -> String {
        let now = self.app.scene.now();
        let difference = Difference {
            id: DifferenceId::new(now),
            provider: Provider::Manual,
            day: now.date_naive(),
            class: DifferenceClass::UnknownNumber,
            number: self.ids["payments"].clone(),
            transaction: "bank".to_owned(),
            ours: None,
            theirs: Some(Money::parse_minor("1.00", Currency::CNY).unwrap()),
            status: DifferenceStatus::Open,
            note: None,
            resolved_by: None,
            created_at: now,
            resolved_at: None,
        };
        let work = self.app.scene.services.store.begin().await.unwrap();
        work.reconciliations().insert(&difference).await.unwrap();
        work.commit().await.unwrap();
        difference.id.to_string()
    }

    /// What belongs to the server rather than to a tenant.
    async fn shop(&mut self) {
        let tag = self.ids["{account}"].chars().rev().take(8).collect::<String>();
        let pack = json!({
            "code": format!("pack-{tag}"), "name": "一百字", "meter": "words", "quantity": 100, "price": "9.90",
        });
        let product = self.by_root().post("/admin/products", &pack).await.expect(201);
        self.keep("products", &product, "/id");
        let coupon = json!({"code": format!("C-{}", tag.to_uppercase()), "percent": 20});
        let coupon = self.by_root().post("/admin/coupons", &coupon).await.expect(201);
        self.keep("coupons", &coupon, "/id");
        let batch = json!({"name": "Spring", "count": 1, "value": {"meter": "words", "quantity": 50}});
        let batch = self.once(self.by_root(), "batch").post("/admin/redemption-batches", &batch).await.expect(201);
        self.keep("redemption-batches", &batch, "/id");
        let services = &self.app.scene.services;
        let id = batch.text("/id").parse().unwrap();
        let exported = services.redemptions.export(&self.app.scene.operator(), id).await.unwrap();
        self.ids.insert("redeemable", exported[0].text.expose());
        let path = format!("/admin/redemption-batches/{}/codes", self.ids["redemption-batches"]);
        let codes = self.by_root().get(&path).await.expect(200);
        self.keep("{code}", &codes, "/data/0/id");
        let later = self.app.scene.now() + chrono::TimeDelta::hours(1);
        self.ids.insert("later", later.to_rfc3339());
        self.ids.insert("password", PASSWORD.to_owned());
        self.ids.insert("newcard", CARDS[2].to_owned());
    }

    async fn identity(&mut self) {
        let now = self.app.scene.now();
        let identity = OAuthIdentity {
            id: IdentityId::new(now),
            user: id_of(&self.owner).parse::<UserId>().unwrap(),
            provider: ProviderName::parse("github").unwrap(),
            subject: id_of(&self.owner),
            name: None,
            email: None,
            email_verified: false,
            created_at: now,
            last_login_at: None,
            last_signed_at: None,
        };
        let work = self.app.scene.services.store.begin().await.unwrap();
        work.oauth_identities().insert(&identity).await.unwrap();
        work.commit().await.unwrap();
        self.ids.insert("identities", identity.id.to_string());
    }
}
