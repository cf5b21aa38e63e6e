//! Fifty clients spend one wallet at once, by use and by reservation; nobody spends what is not there.

use super::rounds;
use crate::flows::wallet::PAID_FROM_THE_WALLET;
use chrono::TimeDelta;
use domain::error::LimitKind;
use domain::id::AccountId;
use domain::metering::{Command, Decided, Done, End, Ending, Rejection, Reserve};
use domain::quantity::Quantity;
use futures_util::future::join_all;
use harness::databases::Fresh;
use harness::db_test;
use harness::scene::{Scene, command};
use std::sync::Arc;

const CLIENTS: i64 = 50;
/// What a word costs, in nanos.
const FEN: i64 = 10_000_000;
/// Enough words for some of the clients only; each takes `EACH`.
const LEFT: i64 = 63;
const EACH: i64 = 4;

async fn the_last_of_a_wallet_is_spent_once(fresh: &Fresh) {
    let one = Arc::new(Scene::with(&fresh.url, &PAID_FROM_THE_WALLET).await);
    let other = Arc::new(Scene::with(&fresh.url, &PAID_FROM_THE_WALLET).await);
    for round in 0..rounds() {
        let account = one.customer(None).await.account;
        one.fund(account, LEFT * FEN).await;
        let racers = (0..CLIENTS).map(|client| {
            let scene = if client % 2 == 0 { one.clone() } else { other.clone() };
            // Two meters of one wallet: four words cost what twenty thousandths of a unit do.
            let (meter, atoms) = if client % 3 == 0 { ("cu", 5 * EACH) } else { ("words", EACH) };
            tokio::spawn(async move { scene.consume_one(command(account, meter, atoms, &format!("c{client}"))).await })
        });
        let outcomes: Vec<_> = join_all(racers).await.into_iter().map(Result::unwrap).collect();
        let accepted = outcomes.iter().filter(|outcome| outcome.is_ok()).count();
        assert_eq!(i64::try_from(accepted).unwrap(), LEFT / EACH, "round {round}");
        for refused in outcomes.iter().filter_map(|outcome| outcome.as_ref().err()) {
            assert!(matches!(refused, Rejection::Refused(refusal) if refusal.limit == LimitKind::Wallet));
        }
        assert_eq!(one.purse(account).await, (LEFT % EACH * FEN, 0), "round {round}");
    }
}

db_test!(last_of_a_wallet, the_last_of_a_wallet_is_spent_once);

async fn book(scene: &Scene, command: Command) -> Decided {
    scene.services.committer.book(vec![command]).await.unwrap().pop().unwrap()
}

/// A client reserves, uses something beside, and ends the reservation in one of three ways, or leaves it to expire.
async fn client(scene: &Scene, account: AccountId, client: i64) {
    let ttl = if client % 4 == 3 { TimeDelta::seconds(1) } else { TimeDelta::minutes(5) };
    let wanted = command(account, "words", EACH, &format!("c{client}"));
    let reservation = match book(scene, Command::Reserve(Reserve { wanted, ttl })).await {
        Ok(Done::Settled(settlement)) => settlement.reservation,
        Err(Rejection::Refused(refusal)) => return assert_eq!(refusal.limit, LimitKind::Wallet),
        other => unreachable!("{other:?}"),
    };
    let end = |how| Command::End(End { account, reservation: reservation.id, how, key: None });
    let beside = Command::Consume(command(account, "cu", 5, &format!("u{client}")));
    let (_, ended, _) = tokio::join!(
        book(scene, beside),
        async {
            match client % 4 {
                0 => book(scene, end(Ending::Capture(Quantity::atoms(EACH - 1)))).await.is_ok(),
                1 => book(scene, end(Ending::Capture(Quantity::atoms(EACH + 1)))).await.is_ok(),
                2 => book(scene, end(Ending::Release)).await.is_ok(),
                _ => true,
            }
        },
        scene.services.expire_due(0),
    );
    assert!(ended, "what was held is never refused");
}

async fn money_is_held_and_let_go(fresh: &Fresh) {
    let one = Arc::new(Scene::with(&fresh.url, &PAID_FROM_THE_WALLET).await);
    let other = Arc::new(Scene::with(&fresh.url, &PAID_FROM_THE_WALLET).await);
    for round in 0..rounds() {
        let account = one.customer(None).await.account;
        one.fund(account, LEFT * FEN).await;
        let racers = (0..CLIENTS).map(|number| {
            let scene = if number % 2 == 0 { one.clone() } else { other.clone() };
            tokio::spawn(async move { client(&scene, account, number).await })
        });
        join_all(racers).await.into_iter().for_each(Result::unwrap);
        let later = one.now().max(other.now()) + TimeDelta::minutes(6);
        one.move_clock(later);
        other.move_clock(later);
        other.services.expire_due(0).await.unwrap();
        let (balance, held) = one.purse(account).await;
        assert_eq!(held, 0, "round {round}: everything ended");
        let (words, cu) = (one.quota(account, "words").await, one.quota(account, "cu").await);
        let paid = words.wallet_paid.nanos() + cu.wallet_paid.nanos();
        assert_eq!(balance + paid, LEFT * FEN, "round {round}: what was paid is gone, and nothing else");
        assert!(balance >= 0, "round {round}");
    }
}

db_test!(money_held, money_is_held_and_let_go);
