//! A plan that Stripe charges for by itself: its events in every order and twice, renewals from what it charged, and the
//! end of it.

use super::cny;
use super::desk::Desk;
use domain::billing::MirrorStatus;
use domain::error::Error;
use fakepay::actions;
use harness::databases::Fresh;
use harness::db_test;

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
        let events = desk.agree(&mirror);
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
    let events = desk.agree(&mirror);
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
