//! Reservations through the services: batches, periods that end in between, grants, keys and dead processes.

use chrono::{DateTime, TimeDelta, Utc};
use domain::id::{AccountId, ReservationId};
use domain::metering::{
    Command, Decided, Done, End, Ending, QuotaView, Rejection, Reservation, ReservationStatus, Reserve, Settlement,
    UsageFilter,
};
use domain::page::PageRequest;
use domain::quantity::Quantity;
use harness::databases::Fresh;
use harness::db_test;
use harness::scene::{Scene, command};

const PAGE: PageRequest = PageRequest { limit: 200, before: None };

fn reserve(account: AccountId, meter: &str, atoms: i64, key: &str) -> Command {
    Command::Reserve(Reserve { wanted: command(account, meter, atoms, key), ttl: TimeDelta::hours(1) })
}

fn end(reservation: &Reservation, how: Ending) -> Command {
    Command::End(End { account: reservation.account, reservation: reservation.id, how, key: None })
}

fn capture(atoms: i64) -> Ending {
    Ending::Capture(Quantity::atoms(atoms))
}

async fn book(scene: &Scene, command: Command) -> Decided {
    scene.services.metering.book(&[command]).await.unwrap().pop().unwrap()
}

async fn settled(scene: &Scene, command: Command) -> Settlement {
    match book(scene, command).await {
        Ok(Done::Settled(settlement)) => *settlement,
        other => unreachable!("{other:?}"),
    }
}

/// A small generator of pseudo-random numbers, so that a failure comes back.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }
}

/// The same commands for one account; those open before are ended by their place.
fn mixed(dice: &mut Dice, account: AccountId, open: &[Reservation]) -> Vec<Command> {
    let mut open = open.iter();
    (0..40)
        .map(|n| {
            let atoms = i64::try_from(dice.roll(200_000)).unwrap() + 1;
            match dice.roll(4) {
                0 => Command::Consume(command(account, "cu", atoms, &format!("c{}", dice.roll(30)))),
                1 => reserve(account, "cu", atoms, &format!("r{n}")),
                2 => open.next().map_or_else(|| reserve(account, "cu", 7, "again"), |held| end(held, capture(atoms))),
                _ => open.next().map_or_else(|| reserve(account, "cu", 7, "again"), |held| end(held, Ending::Release)),
            }
        })
        .collect()
}

/// What must be equal, without ids and times.
fn comparable(view: &QuotaView) -> Vec<(String, i64, i64, i64, i64, Option<i64>)> {
    let row = |quota: &domain::metering::MeterQuota| {
        let atoms = [quota.used, quota.reserved, quota.overage].map(Quantity::as_atoms);
        let left = quota.remaining.map(Quantity::as_atoms);
        (quota.meter.code.to_string(), atoms[0], atoms[1], atoms[2], quota.overage_fee.nanos(), left)
    };
    view.meters.iter().map(row).collect()
}

/// What became of a command, without ids and times.
fn outcome(booked: &Decided) -> String {
    match booked {
        Ok(Done::Used(receipt)) => {
            format!("{:?} {:?} {:?}", receipt.duplicate, receipt.record.drawn, receipt.record.remaining)
        }
        Ok(Done::Settled(settlement)) => {
            let reservation = &settlement.reservation;
            let ended = reservation.ended.as_ref().map(|ended| (ended.status, ended.captured, ended.shortfall));
            let drawn = settlement.usage.as_ref().map(|record| (record.drawn, record.remaining));
            format!("{:?} {:?} {ended:?} {drawn:?}", settlement.duplicate, reservation.parts)
        }
        Err(Rejection::Closed { how, .. }) => format!("{how:?}"),
        Err(rejection) => format!("{rejection:?}"),
    }
}

async fn a_mixed_batch_comes_to_the_same_as_its_commands_one_after_the_other(fresh: &Fresh) {
    let scene = Scene::new(&fresh.url).await;
    for seed in 0..8 {
        let (whole, single) = (scene.customer(Some("professional")).await, scene.customer(Some("professional")).await);
        let mut views = Vec::new();
        for (account, at_once) in [(whole.account, true), (single.account, false)] {
            let mut dice = Dice(seed);
            let mut open = Vec::new();
            for n in 0..12 {
                let atoms = i64::try_from(dice.roll(100_000)).unwrap() + 1;
                open.push(settled(&scene, reserve(account, "cu", atoms, &format!("o{n}"))).await.reservation);
            }
            let commands = mixed(&mut dice, account, &open);
            let mut outcomes = Vec::new();
            if at_once {
                outcomes = scene.services.metering.book(&commands).await.unwrap();
            } else {
                for command in commands {
                    outcomes.push(book(&scene, command).await);
                }
            }
            let said: Vec<String> = outcomes.iter().map(outcome).collect();
            views.push((said, comparable(&scene.services.metering.quota(account).await.unwrap())));
        }
        assert_eq!(views[0], views[1], "seed {seed}");
    }
}

db_test!(mixed_batches, a_mixed_batch_comes_to_the_same_as_its_commands_one_after_the_other);

async fn what_is_reserved_and_ended_in_one_batch_is_written_as_it_ended(fresh: &Fresh) {
    let scene = Scene::new(&fresh.url).await;
    let account = scene.customer(None).await.account;
    let (reserved, others) = (reserve(account, "words", 100, "k"), reserve(account, "words", 101, "k"));
    let booked = scene.services.metering.book(&[reserved.clone(), reserved.clone(), others]).await.unwrap();
    let [Ok(Done::Settled(first)), Ok(Done::Settled(second)), Err(Rejection::KeyReused)] = &booked[..] else {
        unreachable!("{booked:?}")
    };
    assert_eq!((first.duplicate, second.duplicate), (false, true));
    assert_eq!(first.reservation.id, second.reservation.id);
    let ends = [end(&first.reservation, Ending::Release), end(&first.reservation, capture(1))];
    let booked = scene.services.metering.book(&ends).await.unwrap();
    assert!(booked[0].is_ok());
    assert!(matches!(booked[1], Err(Rejection::Closed { how: ReservationStatus::Released, .. })));
    let replayed = settled(&scene, reserved).await;
    assert_eq!((replayed.duplicate, replayed.reservation.status()), (true, ReservationStatus::Released));
    assert_eq!(scene.quota(account, "words").await.reserved, Quantity::ZERO);
}

db_test!(one_batch, what_is_reserved_and_ended_in_one_batch_is_written_as_it_ended);

/// Closes all periods until then.
async fn close(scene: &Scene, account: AccountId, until: DateTime<Utc>) {
    let work = scene.services.store.begin().await.unwrap();
    work.accounts().lock(account).await.unwrap();
    let mut subscription = work.subscriptions().find(account).await.unwrap().unwrap();
    subscription.closed_until = Some(until);
    work.subscriptions().save(&subscription).await.unwrap();
    work.commit().await.unwrap();
}

async fn a_capture_counts_in_the_period_of_its_reservation_while_that_is_open(fresh: &Fresh) {
    let scene = Scene::new(&fresh.url).await;
    let account = scene.customer(Some("professional")).await.account;
    let ended = scene.services.metering.quota(account).await.unwrap().subscription.period;
    scene.move_clock(ended.end - TimeDelta::minutes(10));
    let held = [
        settled(&scene, reserve(account, "words", 1_000, "open")).await.reservation,
        settled(&scene, reserve(account, "words", 1_000, "closed")).await.reservation,
        settled(&scene, reserve(account, "words", 1_000, "released")).await.reservation,
    ];
    scene.move_clock(ended.end + TimeDelta::minutes(10));

    let own = settled(&scene, end(&held[0], capture(700))).await.usage.unwrap();
    assert_eq!((own.period_start, own.adjustment, own.occurred_at), (ended.start, false, held[0].created_at));
    assert_eq!(scene.quota(account, "words").await.used, Quantity::ZERO, "the new period is untouched");
    close(&scene, account, ended.end).await;
    let later = settled(&scene, end(&held[1], capture(800))).await.usage.unwrap();
    assert_eq!((later.period_start, later.adjustment), (ended.end, true));
    settled(&scene, end(&held[2], Ending::Release)).await;

    let current = scene.quota(account, "words").await;
    assert_eq!((current.used, current.reserved), (Quantity::atoms(800), Quantity::ZERO));
    let old = scene.services.store.counters().load(&[(account, ended.start)]).await.unwrap();
    assert_eq!((old[0].used, old[0].reserved), (Quantity::atoms(700), Quantity::ZERO));
}

db_test!(periods, a_capture_counts_in_the_period_of_its_reservation_while_that_is_open);

async fn what_a_dead_process_held_another_one_expires(fresh: &Fresh) {
    let dead = Scene::new(&fresh.url).await;
    let mut accounts = Vec::new();
    for _ in 0..3 {
        let account = dead.customer(None).await.account;
        settled(&dead, reserve(account, "words", 30_000, "all")).await;
        accounts.push(account);
    }
    drop(dead);
    let alive = Scene::new(&fresh.url).await;
    assert_eq!(alive.services.expire_due(0).await.unwrap(), (0, 0), "nothing is due yet");
    assert!(alive.consume_one(command(accounts[0], "words", 1, "early")).await.is_err());
    alive.move_clock(alive.now() + TimeDelta::hours(2));
    assert_eq!(alive.services.expire_due(0).await.unwrap(), (3, 0));
    assert_eq!(alive.services.expire_due(0).await.unwrap(), (0, 0));
    for account in accounts {
        alive.consume_one(command(account, "words", 30_000, "everything")).await.unwrap();
    }
}

db_test!(dead_process, what_a_dead_process_held_another_one_expires);

async fn an_end_after_the_expiry_expires_it_whether_or_not_the_sweeper_came(fresh: &Fresh) {
    let scene = Scene::new(&fresh.url).await;
    let account = scene.customer(None).await.account;
    let held = settled(&scene, reserve(account, "words", 10, "late")).await.reservation;
    scene.move_clock(held.expires_at);
    for how in [capture(10), Ending::Release] {
        let late = book(&scene, end(&held, how)).await;
        assert!(matches!(late, Err(Rejection::Closed { how: ReservationStatus::Expired, .. })), "{late:?}");
    }
    assert_eq!(scene.quota(account, "words").await.reserved, Quantity::ZERO);
    let rows = scene.services.metering.list_usage(account, &UsageFilter::default(), PAGE).await.unwrap().rows;
    assert!(rows.is_empty());
}

db_test!(late_end, an_end_after_the_expiry_expires_it_whether_or_not_the_sweeper_came);

async fn a_reservation_of_another_account_is_unknown(fresh: &Fresh) {
    let scene = Scene::new(&fresh.url).await;
    let (owner, stranger) = (scene.customer(None).await.account, scene.customer(None).await.account);
    let held = settled(&scene, reserve(owner, "words", 10, "mine")).await.reservation;
    let foreign = Reservation { account: stranger, ..held.clone() };
    let nobodys = Reservation { id: ReservationId::new(scene.now()), ..held.clone() };
    for wrong in [foreign, nobodys] {
        assert_eq!(book(&scene, end(&wrong, Ending::Release)).await, Err(Rejection::UnknownReservation));
    }
    assert_eq!(scene.quota(owner, "words").await.reserved, Quantity::atoms(10));
}

db_test!(strangers, a_reservation_of_another_account_is_unknown);
