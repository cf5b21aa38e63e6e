//! A plan that Stripe charges for by itself: its events in every order and twice, renewals from what it charged, and the
//! end of it.

use super::cny;
use domain::accounts::AccountRef;
use domain::billing::{BillFilter, BillStatus, IssuedBill, Mirror, MirrorStatus, RecurringService};
use domain::error::Error;
use domain::money::Money;
use domain::orders::RawNotification;
use domain::page::PageRequest;
use domain::plans::{Interval, PlanCode, PlanWish};
use domain::wallet::Provider;
use fakepay::{FakePay, Kind, Twist, actions, compose};
use harness::databases::Fresh;
use harness::db_test;
use harness::payments::{fake, raw, stripe};
use harness::scene::{Customer, Scene};
use std::sync::Arc;

struct Desk {
    scene: Scene,
    fake: FakePay,
    recurring: RecurringService,
}

impl Desk {
    async fn new(url: &str) -> Self {
        let (scene, fake) = (Scene::new(url).await, fake());
        let recurring = RecurringService {
            billing: scene.services.billing.clone(),
            provider: Some(Arc::new(stripe(&fake))),
            return_url: "https://shop.example/back".to_owned(),
        };
        Self { scene, fake, recurring }
    }

    /// An unpaid purchase of the plan.
    async fn buy(&self, customer: &Customer) -> IssuedBill {
        let plan = PlanCode::parse("professional").unwrap();
        let wish = PlanWish { plan, interval: Some(Interval::Month), seats: None };
        let bought = self.scene.services.billing.subscribe(&customer.actor, &AccountRef::Default, &wish, None).await;
        bought.unwrap().bill.unwrap()
    }

    async fn mirror(&self, customer: &Customer) -> Mirror {
        self.recurring.list(&customer.actor, &AccountRef::Default).await.unwrap().remove(0)
    }

    /// What is said while something is done.
    fn told(&self, act: impl FnOnce()) -> Vec<RawNotification> {
        let before = actions::messages(&self.fake.shared, Kind::Stripe, None).len();
        act();
        let after = actions::messages(&self.fake.shared, Kind::Stripe, None);
        after[before..].iter().map(|message| raw(compose(&self.fake.shared, message, Twist::None).unwrap())).collect()
    }

    async fn hear(&self, message: &RawNotification) {
        for _ in 0..2 {
            self.recurring.heard(Provider::Stripe, message).await.unwrap();
        }
    }

    async fn balance(&self, customer: &Customer) -> Money {
        let wallets = self.scene.services.store.ledger().wallets(&[customer.account]).await.unwrap();
        wallets.first().map_or(cny("0"), |wallet| wallet.balance)
    }

    async fn unpaid(&self, customer: &Customer) -> usize {
        let filter = BillFilter { status: Some(BillStatus::Unpaid), ..BillFilter::default() };
        let billing = &self.scene.services.billing;
        let bills = billing.list(&customer.actor, &AccountRef::Default, filter, PageRequest::default()).await.unwrap();
        bills.rows.len()
    }

    async fn plan(&self, customer: &Customer) -> (String, bool) {
        let found = self.scene.services.store.subscriptions().find(customer.account).await.unwrap().unwrap();
        (found.chosen.plan.as_str().to_owned(), found.auto_pay)
    }
}

/// Every order of so many things.
fn orders(count: usize) -> Vec<Vec<usize>> {
    let mut all = vec![Vec::new()];
    for next in 0..count {
        let longer = |order: &Vec<usize>| {
            (0..=order.len()).map(|place| [&order[..place], &[next], &order[place..]].concat()).collect::<Vec<_>>()
        };
        all = all.iter().flat_map(longer).collect();
    }
    all
}

async fn the_events_of_a_subscription_come_in_every_order(fresh: &Fresh) {
    let desk = Desk::new(&fresh.url).await;
    let mut number = 0;
    let mut seen = Vec::new();
    loop {
        let customer = desk.scene.customer(None).await;
        let bill = desk.buy(&customer).await;
        let page = desk.recurring.start(&customer.actor, bill.bill.id).await.unwrap();
        assert_eq!(desk.recurring.start(&customer.actor, bill.bill.id).await.unwrap(), page);
        let mirror = desk.mirror(&customer).await;
        let events =
            desk.told(|| drop(actions::pay(&desk.fake.shared, Kind::Stripe, &mirror.number().to_string()).unwrap()));
        assert!(events.len() >= 3, "{}", events.len());
        seen = if seen.is_empty() { orders(events.len()) } else { seen };
        for place in &seen[number] {
            desk.hear(&events[*place]).await;
        }
        let after = desk.mirror(&customer).await;
        assert_eq!((after.status, after.price), (MirrorStatus::Active, cny("99.00")));
        assert_eq!(desk.unpaid(&customer).await, 0, "{:?}", seen[number]);
        assert_eq!(desk.plan(&customer).await, ("professional".to_owned(), true));
        let left = cny("99.00").checked_sub(bill.bill.totals.total).unwrap();
        assert_eq!(desk.balance(&customer).await, left, "{:?}", seen[number]);
        number += 1;
        if number == seen.len() {
            break;
        }
    }
    println!("{number} orders of {} events, each twice", seen[0].len());
}
db_test!(events, the_events_of_a_subscription_come_in_every_order);

async fn the_next_term_is_paid_from_what_was_charged_and_the_end_is_kept(fresh: &Fresh) {
    let desk = Desk::new(&fresh.url).await;
    let (customer, stranger) = (desk.scene.customer(None).await, desk.scene.customer(None).await);
    let bill = desk.buy(&customer).await;
    assert!(matches!(desk.recurring.start(&stranger.actor, bill.bill.id).await, Err(Error::NotFound(_))));
    desk.recurring.start(&customer.actor, bill.bill.id).await.unwrap();
    let mirror = desk.mirror(&customer).await;
    let events =
        desk.told(|| drop(actions::pay(&desk.fake.shared, Kind::Stripe, &mirror.number().to_string()).unwrap()));
    for event in &events {
        desk.hear(event).await;
    }
    let again = desk.recurring.start(&customer.actor, bill.bill.id).await;
    assert!(matches!(again, Err(Error::Conflict { code: "not_recurring", .. })), "{again:?}");
    let before = desk.balance(&customer).await;
    let reference = desk.mirror(&customer).await.reference.unwrap();
    let events = desk.told(|| assert!(actions::next_term(&desk.fake.shared, &reference, true)));
    for event in events.iter().rev() {
        desk.hear(event).await;
    }
    let charged = before.checked_add(cny("99.00")).unwrap();
    assert_eq!(desk.balance(&customer).await, charged);
    let failed = desk.told(|| assert!(actions::next_term(&desk.fake.shared, &reference, false)));
    for event in &failed {
        desk.hear(event).await;
    }
    assert_eq!(desk.mirror(&customer).await.status, MirrorStatus::PastDue);
    assert_eq!(desk.balance(&customer).await, charged, "what failed is no money");
    let refused = desk.recurring.cancel(&stranger.actor, mirror.id, false).await;
    assert!(matches!(refused, Err(Error::NotFound(_))));
    assert!(desk.recurring.cancel(&customer.actor, mirror.id, false).await.unwrap().cancel_at_period_end);
    assert!(desk.recurring.portal(&customer.actor, mirror.id).await.unwrap().starts_with(desk.fake.base()));
    // The renewal is paid from the balance when it is due.
    let end = desk.scene.services.store.subscriptions().find(customer.account).await.unwrap().unwrap().term.end;
    desk.scene.move_clock(end - chrono::TimeDelta::days(1));
    desk.scene.services.billing.renew_due(0).await.unwrap();
    assert_eq!(desk.unpaid(&customer).await, 0);
    assert_eq!(desk.balance(&customer).await, before);
    // A provider that does not answer is asked once in a while, not without pause.
    desk.fake.stop().await;
    assert_eq!(desk.recurring.look_again().await.unwrap(), 1);
    assert_eq!(desk.recurring.look_again().await.unwrap(), 0);
}
db_test!(renewal, the_next_term_is_paid_from_what_was_charged_and_the_end_is_kept);
