//! What the wallet pays for, through the services: several meters, batches, holds of money, late events and debts.

use chrono::TimeDelta;
use domain::error::LimitKind;
use domain::id::AccountId;
use domain::metering::{
    Command, Decided, Done, End, Ending, Rejection, Reservation, ReservationStatus, Reserve, Settlement, UsageFilter,
};
use domain::money::Currency;
use domain::page::PageRequest;
use domain::quantity::Quantity;
use harness::databases::Fresh;
use harness::db_test;
use harness::scene::{Scene, command};

/// The default plans, with words and compute units of `free` paid from the wallet: 0.01 a word and 0.02 a hundredth.
pub const PAID_FROM_THE_WALLET: [(&str, &str); 8] = [
    ("SUANPAN__PLANS__FREE__METERS__WORDS__INCLUDED", "0"),
    ("SUANPAN__PLANS__FREE__METERS__WORDS__ON_EXHAUSTED", "wallet"),
    ("SUANPAN__PLANS__FREE__METERS__WORDS__OVERAGE__PER", "1"),
    ("SUANPAN__PLANS__FREE__METERS__WORDS__OVERAGE__PRICE", "0.01 CNY"),
    ("SUANPAN__PLANS__FREE__METERS__CU__INCLUDED", "0"),
    ("SUANPAN__PLANS__FREE__METERS__CU__ON_EXHAUSTED", "wallet"),
    ("SUANPAN__PLANS__FREE__METERS__CU__OVERAGE__PER", "0.01"),
    ("SUANPAN__PLANS__FREE__METERS__CU__OVERAGE__PRICE", "0.02 CNY"),
];
/// A fen, and what a word costs.
const FEN: i64 = 10_000_000;
const PAGE: PageRequest = PageRequest { limit: 200, before: None };

async fn scene(fresh: &Fresh) -> Scene {
    Scene::with(&fresh.url, &PAID_FROM_THE_WALLET).await
}

async fn funded(scene: &Scene, nanos: i64) -> AccountId {
    let account = scene.customer(None).await.account;
    scene.fund(account, nanos).await;
    account
}

fn reserve(account: AccountId, atoms: i64, key: &str) -> Command {
    Command::Reserve(Reserve { wanted: command(account, "words", atoms, key), ttl: TimeDelta::minutes(5) })
}

fn end(reservation: &Reservation, how: Ending) -> Command {
    Command::End(End { account: reservation.account, reservation: reservation.id, how, key: None })
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

fn refused_by_wallet(decided: &Result<impl std::fmt::Debug, Rejection>) -> bool {
    matches!(decided, Err(Rejection::Refused(refusal)) if refusal.limit == LimitKind::Wallet)
}

db_test!(two_meters_share_one_wallet_and_a_batch_is_one_transfer, async |fresh: &Fresh| {
    let scene = scene(fresh).await;
    let account = funded(&scene, 10 * FEN).await;
    let batch = [
        command(account, "words", 4, "a"),
        command(account, "cu", 20, "b"),
        command(account, "words", 3, "c"),
        command(account, "words", 2, "d"),
    ];
    let outcomes = scene.services.metering.consume(&batch).await.unwrap();
    let paid: Vec<_> =
        outcomes.iter().map(|outcome| outcome.as_ref().map(|receipt| receipt.record.amount().nanos())).collect();
    assert_eq!((&paid[0], &paid[1], &paid[3]), (&Ok(4 * FEN), &Ok(4 * FEN), &Ok(2 * FEN)));
    assert!(refused_by_wallet(&outcomes[2]), "three words do not fit, two do");
    assert_eq!(scene.purse(account).await, (0, 0));
    let statement = scene.services.store.ledger().statement(account, Currency::CNY, PAGE).await.unwrap().rows;
    assert_eq!(statement.iter().map(|line| line.entry.amount.nanos()).collect::<Vec<_>>(), [-10 * FEN, 10 * FEN]);
    let rows = scene.services.metering.list_usage(account, &UsageFilter::default(), PAGE).await.unwrap().rows;
    assert!(rows.iter().all(|row| row.transfer == Some(statement[0].transfer.id)) && rows.len() == 3);
    let again = scene.services.metering.consume(&batch[..1]).await.unwrap().pop().unwrap().unwrap();
    assert!(again.duplicate && again.record.transfer == Some(statement[0].transfer.id), "{again:?}");
    assert_eq!(scene.quota(account, "words").await.wallet_paid.nanos(), 6 * FEN);
    assert!(scene.quota(account, "words").await.overage_fee.is_zero(), "nothing is owed");
});

db_test!(a_reservation_holds_money_until_it_ends_in_whatever_way, async |fresh: &Fresh| {
    let scene = scene(fresh).await;
    let account = funded(&scene, 10 * FEN).await;
    let first = settled(&scene, reserve(account, 6, "first")).await.reservation;
    assert_eq!(scene.purse(account).await, (10 * FEN, 6 * FEN));
    assert!(refused_by_wallet(&scene.consume_one(command(account, "words", 5, "five")).await));
    assert!(refused_by_wallet(&scene.consume_one(command(account, "cu", 25, "cu")).await), "nor for another meter");
    let captured = settled(&scene, end(&first, Ending::Capture(Quantity::atoms(2)))).await;
    assert_eq!(captured.usage.unwrap().amount().nanos(), 2 * FEN);
    assert_eq!(scene.purse(account).await, (8 * FEN, 0));
    let second = settled(&scene, reserve(account, 8, "second")).await.reservation;
    settled(&scene, end(&second, Ending::Release)).await;
    assert_eq!(scene.purse(account).await, (8 * FEN, 0));
    let third = settled(&scene, reserve(account, 8, "third")).await.reservation;
    scene.move_clock(scene.now() + TimeDelta::minutes(6));
    scene.services.expire_due(0).await.unwrap();
    let found = scene.services.metering.find_reservation(&scene.operator(), third.id).await.unwrap();
    assert_eq!((found.status(), scene.purse(account).await), (ReservationStatus::Expired, (8 * FEN, 0)));
});

db_test!(what_is_used_beyond_the_hold_and_the_balance_is_a_debt, async |fresh: &Fresh| {
    let scene = scene(fresh).await;
    let account = funded(&scene, 10 * FEN).await;
    let held = settled(&scene, reserve(account, 6, "held")).await.reservation;
    let captured = settled(&scene, end(&held, Ending::Capture(Quantity::atoms(11)))).await;
    assert_eq!(captured.usage.unwrap().amount().nanos(), 6 * FEN);
    assert_eq!(scene.purse(account).await, (4 * FEN, 0));
    let debts = scene.services.metering.list_debts(account, PAGE).await.unwrap().rows;
    assert_eq!(
        debts.iter().map(|debt| (debt.quantity.as_atoms(), debt.refused_by)).collect::<Vec<_>>(),
        [(5, Some(LimitKind::Wallet))]
    );
    let held = settled(&scene, reserve(account, 3, "more")).await.reservation;
    let whole = settled(&scene, end(&held, Ending::Capture(Quantity::atoms(4)))).await;
    assert_eq!((whole.usage.unwrap().amount().nanos(), scene.purse(account).await), (4 * FEN, (0, 0)));
});

db_test!(what_happens_within_one_batch_happens_in_order, async |fresh: &Fresh| {
    let scene = scene(fresh).await;
    let account = funded(&scene, 10 * FEN).await;
    let held = settled(&scene, reserve(account, 6, "held")).await.reservation;
    let batch = [
        Command::Consume(command(account, "words", 5, "too much")),
        end(&held, Ending::Release),
        Command::Consume(command(account, "words", 5, "fits")),
        reserve(account, 5, "rest"),
        Command::Consume(command(account, "words", 1, "nothing left")),
    ];
    let done = scene.services.metering.book(&batch).await.unwrap();
    assert!(refused_by_wallet(&done[0]) && refused_by_wallet(&done[4]), "{done:?}");
    assert!(done[1..4].iter().all(Result::is_ok), "{done:?}");
    assert_eq!(scene.purse(account).await, (5 * FEN, 5 * FEN));
});

db_test!(a_late_event_is_paid_by_its_own_period_from_the_wallet_of_now, async |fresh: &Fresh| {
    let scene = scene(fresh).await;
    let account = funded(&scene, 10 * FEN).await;
    let before = scene.now();
    scene.consume_one(command(account, "words", 1, "then")).await.unwrap();
    let held = settled(
        &scene,
        Command::Reserve(Reserve { wanted: command(account, "words", 2, "held"), ttl: TimeDelta::hours(24) }),
    )
    .await
    .reservation;
    let end_of_period = scene.services.metering.quota(account).await.unwrap().subscription.period.end;
    scene.move_clock(end_of_period - TimeDelta::hours(1));
    scene.services.expire_due(0).await.unwrap();
    let held_late = settled(
        &scene,
        Command::Reserve(Reserve { wanted: command(account, "words", 2, "late"), ttl: TimeDelta::hours(24) }),
    )
    .await
    .reservation;
    scene.move_clock(end_of_period + TimeDelta::hours(1));
    let late = domain::metering::Consume { occurred_at: Some(before), ..command(account, "words", 3, "late use") };
    let receipt = scene.consume_one(late).await.unwrap();
    assert_eq!((receipt.record.amount().nanos(), receipt.record.period_start < end_of_period), (3 * FEN, true));
    assert_eq!(scene.purse(account).await, (6 * FEN, 2 * FEN));
    let captured = settled(&scene, end(&held_late, Ending::Capture(Quantity::atoms(1)))).await;
    assert!(captured.usage.unwrap().period_start < end_of_period);
    assert_eq!(scene.purse(account).await, (5 * FEN, 0));
    assert!(held.quantity.is_positive());
});

db_test!(a_frozen_account_spends_nothing_but_what_it_held, async |fresh: &Fresh| {
    let scene = scene(fresh).await;
    let account = funded(&scene, 10 * FEN).await;
    let held = settled(&scene, reserve(account, 6, "held")).await.reservation;
    let order = domain::accounts::AccountOrder {
        status: Some(domain::accounts::AccountStatus::Frozen),
        ..domain::accounts::AccountOrder::default()
    };
    scene.services.operators.update_account(&scene.operator(), account, order).await.unwrap();
    let refused = scene.consume_one(command(account, "words", 1, "one")).await;
    assert!(matches!(refused, Err(Rejection::Refused(refusal)) if refusal.limit == LimitKind::AccountStatus));
    settled(&scene, end(&held, Ending::Capture(Quantity::atoms(6)))).await;
    assert_eq!(scene.purse(account).await, (4 * FEN, 0));
});

db_test!(the_spend_cap_bounds_what_the_wallet_pays_too, async |fresh: &Fresh| {
    let more: Vec<_> = PAID_FROM_THE_WALLET.into_iter().chain([("SUANPAN__BILLING__SPEND_CAP", "0.07 CNY")]).collect();
    let scene = Scene::with(&fresh.url, &more).await;
    let account = funded(&scene, 100 * FEN).await;
    scene.consume_one(command(account, "cu", 15, "three fen")).await.unwrap();
    let refused = scene.consume_one(command(account, "words", 5, "five")).await;
    let Err(Rejection::Refused(refusal)) = refused else { panic!("{refused:?}") };
    assert_eq!((refusal.limit, refusal.remaining), (LimitKind::SpendCap, Quantity::atoms(4)));
    scene.consume_one(command(account, "words", 4, "four")).await.unwrap();
    assert_eq!(scene.purse(account).await.0, 93 * FEN);
});
