//! The outbox, lanes, deliveries, notices and endpoints on every database.

use chrono::TimeDelta;
use domain::id::{AccountId, LaneId, NoticeId, WebhookEndpointId, uuid_v7};
use domain::notices::{
    Delivery, DeliveryStatus, EndpointState, FailureReason, Lane, Notice, OldSecret, Outcome, SealedSecret, Topics,
    WebhookEndpoint, samples,
};
use domain::outbox::Event;
use domain::page::PageRequest;
use domain::store::{Store, StoreError};
use harness::databases::Fresh;
use harness::db_test;
use harness::scene::Scene;
use serde_json::json;
use std::collections::BTreeSet;
use std::sync::Arc;

async fn events_of_one_instant_keep_their_order(fresh: &Fresh) {
    let scene = Scene::new(&fresh.url).await;
    let account = scene.accounts(1).await[0];
    let now = scene.now();
    let pushed: Vec<Event> = (0..40).map(|n| Event::new(account, "a.b", json!({ "n": n }), now)).collect();
    let work = fresh.begin().await.unwrap();
    work.accounts().lock(account).await.unwrap();
    work.outbox().push(&pushed[..25]).await.unwrap();
    work.outbox().push(&pushed[25..]).await.unwrap();
    work.commit().await.unwrap();
    let store: &dyn Store = &fresh.database;
    let waiting = store.outbox().waiting(100).await.unwrap();
    let order = |events: &[domain::outbox::StoredEvent]| events.iter().map(|event| event.id).collect::<Vec<_>>();
    assert_eq!(order(&waiting), pushed.iter().map(|event| event.id).collect::<Vec<_>>());
    assert!(waiting.windows(2).all(|pair| pair[0].position < pair[1].position));
    let first: Vec<_> = order(&waiting)[..10].to_vec();
    assert_eq!(store.outbox().mark_fanned_out(&first, now).await.unwrap(), 10);
    assert_eq!(store.outbox().mark_fanned_out(&first, now).await.unwrap(), 0);
    assert_eq!(order(&store.outbox().waiting(5).await.unwrap()), order(&waiting)[10..15]);
    assert_eq!(store.outbox().find(&first).await.unwrap().len(), 10);
    assert_eq!(store.outbox().delete_fanned_out(now, 100).await.unwrap(), 0);
    let later = now + TimeDelta::seconds(1);
    assert_eq!(store.outbox().delete_fanned_out(later, 7).await.unwrap(), 7);
    assert_eq!(store.outbox().delete_fanned_out(later, 7).await.unwrap(), 3);
    assert_eq!(store.outbox().waiting(100).await.unwrap().len(), 30);
}

db_test!(outbox_order, events_of_one_instant_keep_their_order);

async fn a_lane_is_leased_once_and_released_by_its_holder_only(fresh: &Fresh) {
    let scene = Scene::new(&fresh.url).await;
    let store: &dyn Store = &fresh.database;
    let (account, now) = (AccountId::new(scene.now()), scene.now());
    let lane = Lane::of_mail(account);
    store.lanes().open(std::slice::from_ref(&lane)).await.unwrap();
    assert!(matches!(store.lanes().open(std::slice::from_ref(&lane)).await, Err(StoreError::Duplicate)));
    assert_eq!(store.lanes().existing(&[lane.id, LaneId::new(now)]).await.unwrap(), [lane.id]);
    assert!(store.lanes().due(now, false, 9).await.unwrap().is_empty(), "it rests");
    store.lanes().wake(&[lane.id], now).await.unwrap();
    store.lanes().wake(&[lane.id], now + TimeDelta::hours(1)).await.unwrap();
    assert_eq!(store.lanes().due_at(lane.id).await.unwrap(), Some(now), "who is awake keeps its time");
    assert_eq!(store.lanes().due(now, false, 9).await.unwrap(), [lane.id]);
    assert!(store.lanes().due(now, true, 9).await.unwrap().is_empty());

    let until = now + TimeDelta::seconds(60);
    let (one, two) = (uuid_v7(now), uuid_v7(now));
    assert_eq!(store.lanes().claim(&[lane.id], one, now, until).await.unwrap(), std::slice::from_ref(&lane));
    assert!(store.lanes().claim(&[lane.id], two, now, until).await.unwrap().is_empty());
    assert!(store.lanes().due(now, false, 9).await.unwrap().is_empty(), "leased");
    // The holder died: its lease runs out, and then it may no longer write.
    assert_eq!(store.lanes().claim(&[lane.id], two, until, until + TimeDelta::seconds(60)).await.unwrap().len(), 1);
    assert!(!store.lanes().release(&lane, one, until).await.unwrap());
    let failed = lane.clone().failed(now);
    assert!(store.lanes().release(&failed, two, until).await.unwrap());
    assert!(!store.lanes().release(&failed, two, until).await.unwrap());
    assert_eq!(store.lanes().due(until, true, 9).await.unwrap(), [lane.id], "failing");
    let three = uuid_v7(now);
    assert_eq!(store.lanes().claim(&[lane.id], three, until, until).await.unwrap(), [failed]);
    store.lanes().restart(lane.id, now).await.unwrap();
    assert_eq!(store.lanes().due(until, false, 9).await.unwrap(), [lane.id]);
    store.lanes().rest(lane.id).await.unwrap();
    assert_eq!(store.lanes().due_at(lane.id).await.unwrap(), None);
    store.lanes().close(lane.id).await.unwrap();
    assert!(store.lanes().existing(&[lane.id]).await.unwrap().is_empty());
}

db_test!(lanes, a_lane_is_leased_once_and_released_by_its_holder_only);

async fn many_who_claim_at_once_share_the_lanes_between_them(fresh: &Fresh) {
    let scene = Scene::new(&fresh.url).await;
    let now = scene.now();
    let lanes: Vec<Lane> = (0..40).map(|_| Lane::of_mail(AccountId::new(now))).collect();
    let ids: Vec<LaneId> = lanes.iter().map(|lane| lane.id).collect();
    let work = fresh.begin().await.unwrap();
    work.lanes().open(&lanes).await.unwrap();
    work.lanes().wake(&ids, now).await.unwrap();
    work.commit().await.unwrap();
    let services = Arc::new(scene.services.clone());
    let claims = (0..6).map(|_| {
        let services = services.clone();
        tokio::spawn(async move {
            let room = domain::notices::Room { healthy: 10, failing: 0 };
            services.courier.claim(room).await.unwrap()
        })
    });
    let claimed: Vec<LaneId> = futures_util::future::join_all(claims)
        .await
        .into_iter()
        .flat_map(|claimed| claimed.unwrap().into_iter().map(|claimed| claimed.lane.id))
        .collect();
    assert!(!claimed.is_empty());
    assert_eq!(claimed.iter().collect::<BTreeSet<_>>().len(), claimed.len(), "none twice");
}

db_test!(claims, many_who_claim_at_once_share_the_lanes_between_them);

async fn deliveries_wait_in_order_and_end_as_they_are_told(fresh: &Fresh) {
    let scene = Scene::new(&fresh.url).await;
    let store: &dyn Store = &fresh.database;
    let now = scene.now();
    let lane = LaneId::new(now);
    let rows: Vec<Delivery> =
        [5, 3, 9, 4].map(|position| Delivery { lane, position, ..samples::delivery(now) }).to_vec();
    store.deliveries().insert(&rows).await.unwrap();
    assert!(
        matches!(store.deliveries().insert(&rows[..1]).await, Err(StoreError::Duplicate)),
        "once per lane and event"
    );
    let positions = |rows: &[Delivery]| rows.iter().map(|row| row.position).collect::<Vec<_>>();
    let waiting = store.deliveries().waiting(lane, 3).await.unwrap();
    assert_eq!(positions(&waiting), [3, 4, 5]);
    let done: Vec<Delivery> = [200, 500, 410]
        .into_iter()
        .zip(waiting)
        .map(|(status, delivery)| delivery.attempted(Outcome::of_status(status), now))
        .collect();
    store.deliveries().save(&done).await.unwrap();
    assert_eq!(positions(&store.deliveries().waiting(lane, 9).await.unwrap()), [4, 5, 9]);
    assert_eq!(store.deliveries().find(done[1].id).await.unwrap().as_ref(), Some(&done[1]));
    let ended = store.deliveries().end_waiting(lane, DeliveryStatus::Dead, FailureReason::EndpointDisabled);
    assert_eq!(ended.await.unwrap(), 3);
    assert!(!store.deliveries().has_waiting(lane).await.unwrap());
    let page = |before| PageRequest { limit: 3, before };
    let first = store.deliveries().list(lane, page(None)).await.unwrap();
    assert_eq!(positions(&first.rows), [9, 5, 4]);
    assert_eq!(positions(&store.deliveries().list(lane, page(first.next)).await.unwrap().rows), [3]);
    assert_eq!(store.deliveries().list_dead(page(None)).await.unwrap().rows.len(), 3);
    assert_eq!(store.deliveries().delete_older(now - TimeDelta::days(1), 9).await.unwrap(), 0);
    let later = now + TimeDelta::seconds(1);
    assert_eq!(store.deliveries().delete_older(later, 3).await.unwrap(), 3);
    assert_eq!(store.deliveries().delete_older(later, 3).await.unwrap(), 1);
}

db_test!(deliveries, deliveries_wait_in_order_and_end_as_they_are_told);

async fn an_endpoint_reads_back_as_it_was_saved(fresh: &Fresh) {
    let scene = Scene::new(&fresh.url).await;
    let store: &dyn Store = &fresh.database;
    let now = scene.now();
    let made = samples::endpoint(now);
    store.webhooks().insert(&made).await.unwrap();
    assert_eq!(store.webhooks().find(made.id).await.unwrap(), Some(made.clone()));
    let saved = WebhookEndpoint {
        url: "https://b.example/".into(),
        description: Some("收件".into()),
        topics: Topics::read(vec!["quota.*".into()]).unwrap(),
        state: EndpointState::Failed,
        secret: SealedSecret("second".into()),
        old_secret: Some(OldSecret { sealed: SealedSecret("first".into()), until: now }),
        ..made.clone()
    };
    store.webhooks().save(&saved).await.unwrap();
    assert_eq!(
        store.webhooks().of_accounts(&[AccountId::new(now), made.account]).await.unwrap(),
        std::slice::from_ref(&saved)
    );
    assert_eq!(store.webhooks().count(made.account).await.unwrap(), 1);
    assert_eq!(store.webhooks().list(made.account, PageRequest::default()).await.unwrap().rows, [saved]);
    store.webhooks().delete(AccountId::new(now), made.id).await.unwrap();
    assert_eq!(store.webhooks().count(made.account).await.unwrap(), 1, "another account deletes nothing");
    store.webhooks().delete(made.account, made.id).await.unwrap();
    assert_eq!(store.webhooks().find(WebhookEndpointId::from_uuid(made.id.as_uuid())).await.unwrap(), None);
}

db_test!(endpoints, an_endpoint_reads_back_as_it_was_saved);

async fn notices_are_listed_by_their_events_order_and_read_once(fresh: &Fresh) {
    let scene = Scene::new(&fresh.url).await;
    let store: &dyn Store = &fresh.database;
    let (account, stranger, now) = (AccountId::new(scene.now()), AccountId::new(scene.now()), scene.now());
    let notice = |account, position| Notice::of(&samples::event(account, position, now)).unwrap();
    let mine: Vec<Notice> = (1..=5).map(|position| notice(account, position)).collect();
    store.notices().insert(&mine).await.unwrap();
    store.notices().insert(&[notice(stranger, 6)]).await.unwrap();
    assert!(matches!(store.notices().insert(&mine[..1]).await, Err(StoreError::Duplicate)), "once per event");
    let page = |before| PageRequest { limit: 3, before };
    let first = store.notices().list(account, false, page(None)).await.unwrap();
    let positions = |rows: &[Notice]| rows.iter().map(|row| row.position).collect::<Vec<_>>();
    assert_eq!(positions(&first.rows), [5, 4, 3]);
    assert_eq!(positions(&store.notices().list(account, false, page(first.next)).await.unwrap().rows), [2, 1]);
    store.notices().mark_read(stranger, mine[0].id, now).await.unwrap();
    store.notices().mark_read(account, mine[1].id, now).await.unwrap();
    store.notices().mark_read(account, mine[1].id, now + TimeDelta::hours(1)).await.unwrap();
    assert_eq!(store.notices().find(account, mine[1].id).await.unwrap().unwrap().read_at, Some(now));
    assert_eq!(positions(&store.notices().list(account, true, page(None)).await.unwrap().rows), [5, 4, 3]);
    assert_eq!(store.notices().mark_all_read(account, now).await.unwrap(), 4);
    assert!(store.notices().list(account, true, page(None)).await.unwrap().rows.is_empty());
    assert_eq!(store.notices().list(stranger, true, page(None)).await.unwrap().rows.len(), 1);
    assert_eq!(store.notices().find(stranger, NoticeId::from_uuid(mine[0].id.as_uuid())).await.unwrap(), None);
    assert_eq!(store.notices().delete_older(now, 9).await.unwrap(), 0);
    assert_eq!(store.notices().delete_older(now + TimeDelta::seconds(1), 4).await.unwrap(), 4);
}

db_test!(notices, notices_are_listed_by_their_events_order_and_read_once);
