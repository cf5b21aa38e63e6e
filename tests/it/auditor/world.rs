//! A small world with something of everything that the auditor looks at.

use super::market::{GIVING, Market};
use chrono::{DateTime, TimeDelta, Utc};
use domain::accounts::{AccountRef, KeyWish};
use domain::id::{AccountId, ApiKeyId, GrantId, UserId};
use domain::metering::{Command, Consume, Done, End, Ending, Reservation, Reserve};
use domain::notices::WebhookWish;
use domain::plans::MeterCode;
use domain::quantity::Quantity;
use domain::quota::{Grant, GrantOrigin};
use domain::teams::JoinPolicy;
use harness::databases::Fresh;
use harness::scene::{Customer, Scene, command};

pub const OPEN: [(&str, &str); 2] =
    [("SUANPAN__WEBHOOKS__PLAIN_HTTP", "true"), ("SUANPAN__WEBHOOKS__ALLOWED_NETWORKS", "127.0.0.1")];

pub struct World {
    /// Two periods, of which the first is closed; overage, grants, a level, a key, a wallet.
    pub pro: Customer,
    /// A reservation that fell short.
    pub free: Customer,
    /// Traded, was given to and was billed.
    pub buyer: Customer,
    /// Usage paid from the wallet, and money held of it.
    pub payer: Customer,
    /// Two periods and no use.
    pub idle: AccountId,
    pub team: AccountId,
    /// Used something and holds something.
    pub worker: UserId,
    /// Has a key on the team's account and used nothing.
    pub guest: UserId,
}

impl World {
    pub async fn build(fresh: &Fresh) -> Self {
        let settings: Vec<_> = OPEN.iter().chain(&GIVING).copied().collect();
        let scene = Scene::with(&fresh.url, &settings).await;
        let market = Market::new(&scene);
        let pro = scene.customer(Some("professional")).await;
        let idle = scene.customer(Some("professional")).await;
        used(&scene, command(pro.account, "words", 1_000, "before")).await;
        used(&scene, command(pro.account, "storage", 50_000, "stored")).await;
        let (buyer, payer) = (scene.customer(None).await, scene.customer(None).await);
        market.trade(&buyer).await;
        market.bill(&buyer).await;
        scene.move_clock(scene.now() + TimeDelta::days(32));
        scene.put_on(&idle, "professional", None).await;
        scene.put_on(&pro, "professional", None).await;
        close_first_period(fresh, pro.account).await;
        market.close().await;
        market.settle(&buyer).await;
        market.adjust(buyer.account).await;
        market.give(&buyer).await;
        market.top_up(&payer, "9.00").await;
        market.spend(&payer).await;
        spend(&scene, &pro).await;
        let free = scene.customer(None).await;
        fall_short(&scene, free.account).await;
        let (team, worker, guest) = gather(&scene).await;
        market.top_up(&pro, "25.00").await;
        market.charge(&scene.customer(None).await).await;
        tell(&scene, &pro).await;
        Self { pro, free, buyer, payer, idle: idle.account, team, worker, guest }
    }
}

async fn used(scene: &Scene, command: Consume) {
    scene.consume_one(command).await.unwrap();
}

async fn reserved(scene: &Scene, wanted: Consume) -> Reservation {
    let reserve = Command::Reserve(Reserve { wanted, ttl: TimeDelta::hours(1) });
    match scene.services.metering.book(&[reserve]).await.unwrap().pop().unwrap() {
        Ok(Done::Settled(settlement)) => settlement.reservation,
        other => unreachable!("{other:?}"),
    }
}

async fn close_first_period(fresh: &Fresh, account: AccountId) {
    use sea_orm::ConnectionTrait;
    let database = sea_orm::Database::connect(&fresh.url).await.unwrap();
    let account = super::seeds::literal(database.get_database_backend(), account.as_uuid());
    let sql = format!(
        "UPDATE quota_periods SET closed_at = period_end WHERE account_id = {account} AND period_start < \
         (SELECT s.period_start FROM user_subscriptions s WHERE s.account_id = {account})"
    );
    assert_eq!(database.execute_unprepared(&sql).await.unwrap().rows_affected(), 1);
}

/// Key `a` crosses both thresholds and is paid by allowance, grants and overage; key `b` is the only use of its meter.
async fn spend(scene: &Scene, pro: &Customer) {
    give(scene, grant(pro.account, 5_000, "drawn", scene.now())).await;
    used(scene, command(pro.account, "words", 310_000, "a")).await;
    used(scene, command(pro.account, "cu", 3_000, "b")).await;
    used(scene, command(pro.account, "storage", 10_000, "more")).await;
    give(scene, grant(pro.account, 700, "held", scene.now())).await;
    reserved(scene, command(pro.account, "words", 500, "hold")).await;
    let allowance = Some(("words".to_owned(), "10000".to_owned()));
    let key = key_of(scene, pro, KeyWish { allowance, ..KeyWish::default() }).await;
    let limited = Consume { api_key: Some(key), key_is_limited: true, ..command(pro.account, "words", 5, "by key") };
    used(scene, limited).await;
}

async fn key_of(scene: &Scene, who: &Customer, wish: KeyWish) -> ApiKeyId {
    let wish = KeyWish { name: "key".to_owned(), ..wish };
    scene.services.keys.create(&who.actor, wish).await.unwrap().key.id
}

fn grant(account: AccountId, atoms: i64, reference: &str, now: DateTime<Utc>) -> Grant {
    Grant {
        id: GrantId::new(now),
        account,
        meter: MeterCode::parse("words").unwrap(),
        origin: GrantOrigin::Pack,
        reference: reference.to_owned(),
        priority: 50,
        quantity: Quantity::atoms(atoms),
        remaining: Quantity::atoms(atoms),
        held: Quantity::ZERO,
        revoked: Quantity::ZERO,
        revoked_at: None,
        models: None,
        expires_at: None,
        created_at: now,
    }
}

async fn give(scene: &Scene, grant: Grant) {
    let work = scene.services.store.begin().await.unwrap();
    work.accounts().lock(grant.account).await.unwrap();
    work.grants().insert(&grant).await.unwrap();
    work.commit().await.unwrap();
}

/// More is captured than was reserved, and refused.
async fn fall_short(scene: &Scene, account: AccountId) {
    let held = reserved(scene, command(account, "words", 100, "hold")).await;
    used(scene, command(account, "words", 29_900, "rest")).await;
    let how = Ending::Capture(Quantity::atoms(150));
    let end = Command::End(End { account, reservation: held.id, how, key: None });
    scene.services.metering.book(&[end]).await.unwrap().pop().unwrap().unwrap();
}

async fn gather(scene: &Scene) -> (AccountId, UserId, UserId) {
    let people = scene.people(3).await;
    let crew = scene.crew(&people[0], 3, JoinPolicy::Open).await;
    for member in &people[1..] {
        scene.services.teams.join(member, &crew.code).await.unwrap();
    }
    used(scene, crew.command(people[0].user, "words", 70, "owner")).await;
    used(scene, crew.command(people[1].user, "words", 30, "worker")).await;
    let wanted = Consume { user: Some(people[1].user), ..command(crew.account, "words", 20, "hold") };
    reserved(scene, wanted).await;
    let guest = Customer { actor: people[2].clone(), account: crew.account };
    key_of(scene, &guest, KeyWish { account: AccountRef::Id(crew.account), ..KeyWish::default() }).await;
    (crew.account, people[1].user, people[2].user)
}

/// Events that stand in the lane of an endpoint where nobody is.
async fn tell(scene: &Scene, pro: &Customer) {
    let wish = WebhookWish { url: "http://127.0.0.1:9/".to_owned(), ..WebhookWish::default() };
    scene.services.webhooks.create(&pro.actor, wish).await.unwrap();
    scene.tell(pro.account, 0..2).await;
    while scene.services.fan_out.round().await.unwrap() > 0 {}
}
