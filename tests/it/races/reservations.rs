//! Fifty clients reserve, capture, release and expire on one account at once; every round checks the books.

use super::rounds;
use chrono::TimeDelta;
use domain::id::AccountId;
use domain::metering::{
    Command, Decided, Done, End, Ending, MAX_TTL, Rejection, Reservation, ReservationFilter, ReservationStatus,
    Reserve, UsageFilter,
};
use domain::page::PageRequest;
use domain::quantity::Quantity;
use futures_util::future::join_all;
use harness::databases::Fresh;
use harness::db_test;
use harness::scene::{Scene, command};
use std::sync::Arc;

const CLIENTS: i64 = 50;
const EACH: i64 = 4;
/// Enough for some of the clients only.
const LEFT: i64 = 122;
const INCLUDED: i64 = 30_000;
const PAGE: PageRequest = PageRequest { limit: 200, before: None };

async fn book(scene: &Scene, command: Command) -> Decided {
    scene.services.committer.book(vec![command]).await.unwrap().pop().unwrap()
}

async fn end(scene: &Scene, reservation: &Reservation, how: Ending) -> Decided {
    let (account, id) = (reservation.account, reservation.id);
    book(scene, Command::End(End { account, reservation: id, how, key: None })).await
}

/// One client's life: it reserves, and then somebody else wants to end the reservation in another way as well.
async fn client(scene: &Scene, account: AccountId, client: i64) -> i64 {
    let ttl = if client % 5 == 0 { TimeDelta::seconds(1) } else { TimeDelta::minutes(5) };
    let wanted = command(account, "words", EACH, &format!("c{client}"));
    let reservation = match book(scene, Command::Reserve(Reserve { wanted, ttl })).await {
        Ok(Done::Settled(settlement)) => settlement.reservation,
        Err(Rejection::Refused(_)) => return 0,
        other => unreachable!("{other:?}"),
    };
    let used = Quantity::atoms(EACH - 1 + client % 3);
    let more = command(account, "words", 1, &format!("u{client}"));
    let (first, second, third, _) = tokio::join!(
        end(scene, &reservation, Ending::Capture(used)),
        end(scene, &reservation, Ending::Release),
        end(scene, &reservation, Ending::Capture(Quantity::atoms(EACH))),
        book(scene, Command::Consume(more)),
    );
    let ends = [first, second, third];
    let closed = ends.iter().filter(|end| matches!(end, Err(Rejection::Closed { .. }))).count();
    let done = ends.iter().filter(|end| end.is_ok()).count();
    assert_eq!(done + closed, ends.len(), "{ends:?}");
    assert!(done <= 1, "{ends:?}");
    i64::try_from(done).unwrap()
}

/// Another process than the one that reserved looks for what is due.
async fn sweeper(scene: &Scene) {
    for _ in 0..4 {
        scene.services.expire_due(0).await.unwrap();
        tokio::task::yield_now().await;
    }
}

async fn every_reservation_ends_once(fresh: &Fresh) {
    let scene = Arc::new(Scene::new(&fresh.url).await);
    let other = Arc::new(Scene::new(&fresh.url).await);
    for round in 0..rounds() {
        let account = scene.customer(None).await.account;
        scene.consume_one(command(account, "words", INCLUDED - LEFT, "first")).await.unwrap();
        hold_two(&scene, account).await;
        let racers = (0..CLIENTS).map(|number| {
            let scene = if number % 2 == 0 { scene.clone() } else { other.clone() };
            tokio::spawn(async move { client(&scene, account, number).await })
        });
        let (clients, ()) = tokio::join!(join_all(racers), sweeper(&other));
        let ended: i64 = clients.into_iter().map(Result::unwrap).sum();
        assert!(ended > 0, "round {round}");
        expire_the_short_one(&scene, &other).await;
        books_agree(&scene, account, round).await;
    }
}

/// Two that no client ends: one that stays open, and one whose process dies.
async fn hold_two(scene: &Scene, account: AccountId) {
    for (key, ttl) in [("long", MAX_TTL), ("short", TimeDelta::minutes(10))] {
        let wanted = command(account, "words", 1, key);
        book(scene, Command::Reserve(Reserve { wanted, ttl })).await.unwrap();
    }
}

/// What a dead process left open another one expires.
async fn expire_the_short_one(scene: &Scene, other: &Scene) {
    let later = scene.now().max(other.now()) + TimeDelta::minutes(11);
    for clock in [scene, other] {
        clock.move_clock(later);
    }
    other.services.expire_due(0).await.unwrap();
}

async fn books_agree(scene: &Scene, account: AccountId, round: usize) {
    let filter = ReservationFilter::default();
    let all = scene.services.store.reservations().list(account, &filter, PAGE).await.unwrap().rows;
    let rows = scene.services.metering.list_usage(account, &UsageFilter::default(), PAGE).await.unwrap().rows;
    let quota = scene.quota(account, "words").await;
    let sum = |quantities: &mut dyn Iterator<Item = Quantity>| quantities.map(Quantity::as_atoms).sum::<i64>();

    let open = all.iter().filter(|reservation| reservation.status() == ReservationStatus::Open);
    assert_eq!(
        quota.reserved.as_atoms(),
        sum(&mut open.map(|reservation| reservation.quantity)),
        "round {round}: held"
    );
    assert_eq!(quota.used.as_atoms(), sum(&mut rows.iter().map(|row| row.quantity)), "round {round}: used");
    assert!(quota.used.as_atoms() + quota.reserved.as_atoms() <= INCLUDED, "round {round}: the limit");
    for reservation in all {
        let own: Vec<_> = rows.iter().filter(|row| row.reservation() == Some(reservation.id)).collect();
        let captured = reservation.ended.as_ref().map_or(0, |ended| ended.captured.as_atoms());
        let is_captured = reservation.status() == ReservationStatus::Captured;
        assert_eq!(own.len(), usize::from(is_captured), "round {round}: one use of one capture");
        assert_eq!(captured, sum(&mut own.iter().map(|row| row.quantity)), "round {round}");
        assert!(!reservation.is_due(scene.now()), "round {round}: what is due has expired");
    }
}

db_test!(reservations, every_reservation_ends_once);
