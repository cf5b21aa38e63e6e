//! Fifty at once for one code, one day and one balance: each is credited exactly as often as it may be.

use super::rounds;
use domain::accounts::{AccountRef, Registration};
use domain::actor::Actor;
use domain::error::Error;
use domain::idempotency::IdempotentRequest;
use domain::identity::{Password, Username};
use domain::incentives::{BatchWish, Redeemed, RewardWish};
use domain::money::{Currency, Money};
use domain::page::PageRequest;
use harness::databases::Fresh;
use harness::db_test;
use harness::scene::{Customer, Scene};
use std::sync::Arc;

const RACERS: usize = 50;
const USES: i64 = 7;
const GIVING: [(&str, &str); 3] = [
    ("SUANPAN__INCENTIVES__CHECK_IN__REWARD__AMOUNT", "0.10"),
    ("SUANPAN__INCENTIVES__REFERRAL__INVITER", "7.50"),
    ("SUANPAN__INCENTIVES__REFERRAL__LEAST_TRANSFER", "1"),
];

async fn all<T: Send + 'static>(racers: Vec<impl Future<Output = T> + Send + 'static>) -> Vec<T> {
    let racers = racers.into_iter().map(tokio::spawn);
    futures_util::future::join_all(racers).await.into_iter().map(|racer| racer.unwrap()).collect()
}

fn once(actor: &Actor, scope: &'static str, key: String) -> IdempotentRequest {
    IdempotentRequest { user: actor.user, scope, fingerprint: key.clone(), key }
}

async fn code(scene: &Scene, round: usize, max_uses: i64) -> String {
    let wish = BatchWish {
        name: "race".to_owned(),
        count: 1,
        reward: RewardWish { amount: Some("1.00".to_owned()), ..RewardWish::default() },
        max_uses,
        is_gift: false,
        valid_from: None,
        valid_until: None,
    };
    let operator = scene.operator();
    let request = once(&operator, "race", round.to_string());
    let batch = scene.services.redemptions.make(&operator, &wish, &request).await.unwrap().value;
    scene.services.redemptions.export(&operator, batch.id).await.unwrap()[0].text.expose()
}

fn redeeming(
    scene: &Arc<Scene>,
    actor: &Actor,
    code: &str,
) -> impl Future<Output = Result<Redeemed, Error>> + Send + use<> {
    let (scene, actor, code) = (scene.clone(), actor.clone(), code.to_owned());
    async move { scene.services.redemptions.redeem(&actor, &AccountRef::Default, &code).await }
}

async fn balance(scene: &Scene, customer: &Customer) -> Money {
    let wallets = scene.services.store.ledger().wallets(&[customer.account]).await.unwrap();
    wallets.first().map_or(Money::zero(Currency::CNY), |wallet| wallet.balance)
}

fn yuan(text: &str) -> Money {
    Money::parse(text, Currency::CNY).unwrap()
}

async fn one_code_is_used_as_often_as_it_may_be(fresh: &Fresh) {
    let scene = Arc::new(Scene::with(&fresh.url, &GIVING).await);
    let mut customers = Vec::new();
    for _ in 0..RACERS {
        customers.push(scene.customer(None).await);
    }
    for round in 0..rounds() {
        let code = code(&scene, round, USES).await;
        let outcomes = all(customers.iter().map(|racer| redeeming(&scene, &racer.actor, &code)).collect()).await;
        assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 7, "round {round}");
        for refused in outcomes.iter().filter_map(|outcome| outcome.as_ref().err()) {
            assert!(matches!(refused, Error::Conflict { code: "code_used_up", .. }), "round {round}: {refused:?}");
        }
    }
    let mut sum = 0;
    for customer in &customers {
        sum += balance(&scene, customer).await.nanos();
    }
    assert_eq!(sum, i64::try_from(rounds()).unwrap() * USES * yuan("1").nanos());
}

db_test!(one_code, one_code_is_used_as_often_as_it_may_be);

async fn one_user_redeems_a_code_once(fresh: &Fresh) {
    let scene = Arc::new(Scene::with(&fresh.url, &GIVING).await);
    let customer = scene.customer(None).await;
    for round in 0..rounds() {
        let code = code(&scene, round, 1000).await;
        let outcomes = all((0..RACERS).map(|_| redeeming(&scene, &customer.actor, &code)).collect()).await;
        let redeemed: Vec<Redeemed> = outcomes.into_iter().map(|outcome| outcome.unwrap()).collect();
        assert_eq!(redeemed.iter().filter(|redeemed| !redeemed.duplicate).count(), 1, "round {round}");
    }
    let page = PageRequest { limit: 200, before: None };
    let history = scene.services.redemptions.history(&customer.actor, page).await.unwrap();
    assert_eq!(history.rows.len(), rounds().min(200));
    assert_eq!(balance(&scene, &customer).await.nanos(), i64::try_from(rounds()).unwrap() * yuan("1").nanos());
}

db_test!(one_user, one_user_redeems_a_code_once);

async fn one_day_is_rewarded_once(fresh: &Fresh) {
    let scene = Arc::new(Scene::with(&fresh.url, &GIVING).await);
    for round in 0..rounds() {
        let customer = scene.customer(None).await;
        let checking_in = |_| {
            let (scene, actor) = (scene.clone(), customer.actor.clone());
            async move { scene.services.check_ins.check_in(&actor).await.unwrap().1 }
        };
        let firsts = all((0..RACERS).map(checking_in).collect()).await;
        assert_eq!(firsts.iter().filter(|first| **first).count(), 1, "round {round}");
        assert_eq!(balance(&scene, &customer).await, yuan("0.10"), "round {round}");
    }
}

db_test!(one_day, one_day_is_rewarded_once);

async fn what_was_earned_is_transferred_once(fresh: &Fresh) {
    let scene = Arc::new(Scene::with(&fresh.url, &GIVING).await);
    for round in 0..rounds() {
        let customer = scene.customer(None).await;
        let code = scene.services.referrals.view(&customer.actor).await.unwrap().code.as_str().to_owned();
        let username = Some(Username::parse(&format!("invited{round}")).unwrap());
        let wish = Registration { username, aff_code: Some(code), ..Registration::default() };
        let password = Password::choose("a password of tests").unwrap();
        scene.services.registration.register(wish, &password, None).await.unwrap();
        let transferring = |racer: usize| {
            let (scene, actor) = (scene.clone(), customer.actor.clone());
            let request = once(&actor, "POST /referral/transfer", racer.to_string());
            async move { scene.services.referrals.transfer(&actor, "1.00", &request).await }
        };
        let outcomes = all((0..RACERS).map(transferring).collect()).await;
        assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 7, "round {round}");
        let row = scene.services.referrals.view(&customer.actor).await.unwrap();
        assert_eq!((row.earned, row.available), (yuan("7.50"), yuan("0.50")), "round {round}");
        assert_eq!(balance(&scene, &customer).await, yuan("7"), "round {round}");
    }
}

db_test!(one_balance, what_was_earned_is_transferred_once);
