//! Charges of subscriptions beside Stripe's daily bill: nothing differs that agrees, what was missed is collected, and what
//! differs is filed.

use super::cny;
use chrono::NaiveDate;
use domain::accounts::AccountRef;
use domain::billing::Mirror;
use domain::money::Money;
use domain::orders::{
    CheckoutRequest, Difference, DifferenceClass, DifferenceStatus, OrderWish, PayMethod, ProviderNumber,
    RawNotification, Reconciled, SubscriptionProvider, Wanted,
};
use domain::plans::{Interval, PlanCode, PlanWish};
use domain::wallet::Provider;
use fakepay::{FakePay, Kind, Twist, actions, compose};
use harness::databases::Fresh;
use harness::db_test;
use harness::payments::{fake, raw, stripe, today};
use harness::scene::{Customer, Scene, settings};
use uuid::Uuid;

/// A server as it is wired, with the fake as its providers.
struct Shop {
    scene: Scene,
    fake: FakePay,
    day: NaiveDate,
}

impl Shop {
    async fn new(fresh: &Fresh) -> Self {
        let (fake, mut settings) = (fake(), settings(&fresh.url, &[]));
        api::fake_provider::offer(&fake, "http://127.0.0.1:9".to_owned(), &mut settings.payments.online);
        Self { scene: Scene::over(&settings).await, fake, day: today(Kind::Stripe) }
    }

    async fn reconcile(&self) -> Reconciled {
        self.scene.services.orders.reconcile(Provider::Stripe, self.day).await.unwrap()
    }

    /// What is still open of what is filed, by class, the provider's id of the charge, ours and theirs.
    async fn open(&self) -> Vec<(DifferenceClass, String, Option<Money>, Option<Money>)> {
        let filed = self.reconcile().await.differences.into_iter();
        let open = filed.filter(|difference| difference.status == DifferenceStatus::Open);
        open.map(|Difference { class, number, ours, theirs, .. }| (class, number, ours, theirs)).collect()
    }

    fn messages(&self) -> usize {
        actions::messages(&self.fake.shared, Kind::Stripe, None).len()
    }

    /// Hears what was told since there were so many messages, as the route does.
    async fn hear(&self, since: usize) {
        for message in &actions::messages(&self.fake.shared, Kind::Stripe, None)[since..] {
            let event: RawNotification = raw(compose(&self.fake.shared, message, Twist::None).unwrap());
            self.scene.services.recurring.heard(Provider::Stripe, &event).await.unwrap();
            self.scene.services.orders.notified(Provider::Stripe, &event).await.unwrap();
        }
    }

    /// A plan that Stripe charges for; the first charge is paid.
    async fn subscribe(&self, customer: &Customer) -> Mirror {
        let plan = PlanCode::parse("professional").unwrap();
        let (wish, services) = (PlanWish { plan, interval: Some(Interval::Month), seats: None }, &self.scene.services);
        let bought = services.billing.subscribe(&customer.actor, &AccountRef::Default, &wish, None).await.unwrap();
        services.recurring.start(&customer.actor, bought.bill.unwrap().bill.id).await.unwrap();
        let mirror = services.recurring.list(&customer.actor, &AccountRef::Default).await.unwrap().remove(0);
        actions::pay(&self.fake.shared, Kind::Stripe, &mirror.number().to_string()).unwrap();
        mirror
    }

    async fn top_up(&self, customer: &Customer) {
        let wanted = Wanted::TopUp { amount: "10.00".to_owned(), currency: "CNY".to_owned() };
        let wish = OrderWish { wanted, provider: Provider::Stripe, method: PayMethod::Default };
        let (actor, orders) = (&customer.actor, &self.scene.services.orders);
        let once = crate::payments::once(actor);
        let made = orders.order(actor, &AccountRef::Default, &wish, &once).await.unwrap().value;
        actions::pay(&self.fake.shared, Kind::Stripe, &made.payment.number().to_string()).unwrap();
    }

    fn renew(&self, subscription: &str) {
        assert!(actions::next_term(&self.fake.shared, subscription, true));
    }

    async fn balance(&self, customer: &Customer) -> Money {
        let wallets = self.scene.services.store.ledger().wallets(&[customer.account]).await.unwrap();
        wallets.first().map_or(cny("0"), |wallet| wallet.balance)
    }

    /// The ids of the charges that the fake has, but for these.
    fn charges_but(&self, known: &[String]) -> Vec<String> {
        let desk = self.fake.shared.desk();
        desk.invoices.keys().filter(|id| !known.contains(id)).cloned().collect()
    }
}

async fn charges_agree_and_those_that_nobody_told_of_are_collected(fresh: &Fresh) {
    let shop = Shop::new(fresh).await;
    let customer = shop.scene.customer(None).await;
    let mirror = shop.subscribe(&customer).await;
    shop.top_up(&customer).await;
    shop.hear(0).await;
    let agreed = shop.reconcile().await;
    assert_eq!((agreed.rows, agreed.settled, agreed.differences.len()), (2, 0, 0), "{agreed:?}");

    let reference = shop.scene.services.store.mirrors().find(mirror.id).await.unwrap().unwrap().reference.unwrap();
    let before = shop.balance(&customer).await;
    shop.renew(&reference);
    let caught = shop.reconcile().await;
    assert_eq!((caught.rows, caught.settled, caught.differences.len()), (3, 1, 0), "{caught:?}");
    let after = before.checked_add(cny("99.00")).unwrap();
    assert_eq!(shop.balance(&customer).await, after);
    // Told of it at last, and asked again: it is the same charge.
    shop.hear(0).await;
    assert_eq!((shop.balance(&customer).await, shop.open().await), (after, Vec::new()));
}
db_test!(agreeing, charges_agree_and_those_that_nobody_told_of_are_collected);

async fn what_differs_both_ways_is_filed_and_resolved_when_it_is_no_more(fresh: &Fresh) {
    let shop = Shop::new(fresh).await;
    let customer = shop.scene.customer(None).await;
    shop.subscribe(&customer).await;
    shop.hear(0).await;
    let ours = shop.charges_but(&[]).remove(0);
    assert_eq!(shop.open().await, Vec::new());

    // Another amount there than here.
    shop.fake.shared.desk().invoices.get_mut(&ours).unwrap().amount += 100;
    let amount = (DifferenceClass::PaymentAmount, ours.clone(), Some(cny("99.00")), Some(cny("100.00")));
    assert_eq!(shop.open().await, [amount]);
    // None there.
    let forgotten = shop.fake.shared.desk().invoices.remove(&ours).unwrap();
    let missing = (DifferenceClass::PaymentMissingThere, ours.clone(), Some(cny("99.00")), None);
    assert_eq!(shop.open().await, [missing]);
    shop.fake.shared.desk().invoices.insert(ours.clone(), fakepay::Invoice { amount: 9900, ..forgotten });
    assert_eq!(shop.open().await, Vec::new());

    // One of a subscription that is not ours is never collected.
    let told = shop.messages();
    let foreign = CheckoutRequest {
        number: ProviderNumber::from_uuid(Uuid::now_v7()),
        description: "another product of the same merchant".to_owned(),
        price: cny("7.00"),
        interval: Interval::Month,
        seats: 1,
        customer: None,
        email: None,
        return_url: "https://other.example".to_owned(),
        before: None,
    };
    stripe(&shop.fake).checkout(&foreign).await.unwrap();
    actions::pay(&shop.fake.shared, Kind::Stripe, &foreign.number.to_string()).unwrap();
    shop.hear(told).await;
    let theirs = shop.charges_but(&[ours]).remove(0);
    let unknown = (DifferenceClass::PaymentMissingHere, theirs, None, Some(cny("7.00")));
    assert_eq!(shop.open().await, [unknown]);
}
db_test!(differing, what_differs_both_ways_is_filed_and_resolved_when_it_is_no_more);
