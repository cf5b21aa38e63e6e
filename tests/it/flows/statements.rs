//! The number of statements of one commit does not grow with the batch, whatever the batch does.

use chrono::TimeDelta;
use domain::accounts::Account;
use domain::id::{AccountId, ApiKeyId, GrantId};
use domain::identity::{ApiKey, KeyAllowance, Token, TokenKind, samples};
use domain::metering::{Command, Consume, Done, End, Ending, MeteringService, Reservation, Reserve};
use domain::plans::MeterCode;
use domain::quantity::Quantity;
use domain::quota::{Grant, GrantOrigin};
use domain::store::{Repositories, Store};
use harness::databases::Fresh;
use harness::db_test;
use harness::scene::{Scene, command};
use infra::db::{Database, DatabaseSettings, connect};
use std::sync::Arc;

const BATCH: usize = 500;

/// A service over a connection whose statements are counted.
struct Counted {
    database: Arc<Database>,
    metering: MeteringService,
}

impl Counted {
    async fn new(scene: &Scene, fresh: &Fresh) -> Self {
        let settings = DatabaseSettings { url: fresh.url.clone(), max_connections: 2 };
        let database = Arc::new(connect(&settings).await.unwrap());
        let store: Arc<dyn Store> = database.clone();
        let metering = MeteringService::new(store, scene.services.clock.clone(), scene.services.catalogue.clone());
        Self { database, metering }
    }

    /// What a batch is answered, none of which is a refusal, and how many statements it took.
    async fn book(&self, batch: impl IntoIterator<Item = Command>) -> (Vec<Done>, u64) {
        let before = self.database.statements();
        let done = self.metering.book(&batch.into_iter().collect::<Vec<_>>()).await.unwrap();
        (done.into_iter().map(Result::unwrap).collect(), self.database.statements() - before)
    }

    async fn cost(&self, batch: impl IntoIterator<Item = Command>) -> u64 {
        self.book(batch).await.1
    }
}

fn over_all(accounts: &[AccountId], key: &str) -> Vec<Command> {
    accounts.iter().map(|account| Command::Consume(command(*account, "words", 1, key))).collect()
}

fn on_one(account: AccountId, key: &str) -> Vec<Command> {
    (0..BATCH).map(|n| Command::Consume(command(account, "words", 1, &format!("{key}-{n}")))).collect()
}

/// What one command takes at most, and that more take no more.
fn assert_few(what: &str, fresh: &Fresh, (sqlite, others): (u64, u64), single: u64, many: &[u64]) {
    println!("statements of {what}: one {single}, {BATCH} {many:?}");
    let at_most = if fresh.url.starts_with("sqlite:") { sqlite } else { others };
    assert!(single <= at_most, "{what}: {single}");
    assert!(many.iter().all(|many| *many <= single), "{what}: {single}, {many:?}");
}

async fn a_commit_of_500_events_takes_the_statements_of_one(fresh: &Fresh) {
    let scene = Scene::new(&fresh.url).await;
    let accounts = scene.accounts(BATCH).await;
    let counted = Counted::new(&scene, fresh).await;
    // The first use of an account begins its subscription.
    counted.cost(over_all(&accounts, "first")).await;
    let single = counted.cost(over_all(&accounts[..1], "single")).await;
    let hot = counted.cost(on_one(accounts[0], "hot")).await;
    let spread = counted.cost(over_all(&accounts, "spread")).await;
    assert_few("events", fresh, (7, 3), single, &[hot, spread]);
}

db_test!(statements, a_commit_of_500_events_takes_the_statements_of_one);

/// What the wallet pays costs one statement to read and one to write, on SQLite one for each of its tables, however many
/// events and accounts.
async fn a_commit_that_wallets_pay_takes_as_few(fresh: &Fresh) {
    let scene = Scene::with(&fresh.url, &super::wallet::PAID_FROM_THE_WALLET).await;
    let accounts = scene.accounts(BATCH).await;
    for account in &accounts {
        scene.fund(*account, 1_000_000_000_000).await;
    }
    let counted = Counted::new(&scene, fresh).await;
    counted.cost(over_all(&accounts, "first")).await;
    let single = counted.cost(over_all(&accounts[..1], "single")).await;
    let hot = counted.cost(on_one(accounts[0], "hot")).await;
    let (done, spread) = counted.book(over_all(&accounts, "spread")).await;
    assert!(done.iter().all(|done| matches!(done, Done::Used(receipt) if receipt.record.transfer.is_some())));
    assert_few("wallets", fresh, (11, 5), single, &[hot, spread]);
}

db_test!(wallet_statements, a_commit_that_wallets_pay_takes_as_few);

fn reserve(account: AccountId, key: &str) -> Command {
    Command::Reserve(Reserve { wanted: command(account, "words", 2, key), ttl: TimeDelta::hours(1) })
}

fn ends(reservations: &[Reservation], how: Ending) -> impl Iterator<Item = Command> {
    let end = move |held: &Reservation| End { account: held.account, reservation: held.id, how, key: None };
    reservations.iter().map(end).map(Command::End)
}

fn held(done: Vec<Done>) -> Vec<Reservation> {
    let held = |done| match done {
        Done::Settled(settlement) => settlement.reservation,
        Done::Used(receipt) => unreachable!("{receipt:?}"),
    };
    done.into_iter().map(held).collect()
}

async fn reserving_and_ending_500_takes_the_statements_of_one(fresh: &Fresh) {
    let scene = Scene::new(&fresh.url).await;
    let accounts = scene.accounts(BATCH).await;
    let counted = Counted::new(&scene, fresh).await;
    counted.cost(over_all(&accounts, "first")).await;
    for (how, what, most) in
        [(Ending::Capture(Quantity::atoms(1)), "captures", (12, 8)), (Ending::Release, "releases", (12, 8))]
    {
        let (one, single) = counted.book([reserve(accounts[0], &format!("one {what}"))]).await;
        let (hot, on_one) = counted.book((0..BATCH).map(|n| reserve(accounts[0], &format!("hot {what} {n}")))).await;
        let (spread, over_all) = counted.book(accounts.iter().map(|account| reserve(*account, what))).await;
        assert_few("reservations", fresh, most, single, &[on_one, over_all]);
        let single = counted.cost(ends(&held(one), how)).await;
        let (hot, spread) = (counted.cost(ends(&held(hot), how)).await, counted.cost(ends(&held(spread), how)).await);
        assert_few(what, fresh, most, single, &[hot, spread]);
    }
}

db_test!(reservation_statements, reserving_and_ending_500_takes_the_statements_of_one);

/// A new account's key with an allowance of its own, and a grant for what goes beyond the plan's allowance.
async fn limited(work: &dyn Repositories, scene: &Scene, number: usize) -> (AccountId, ApiKeyId) {
    let mut secret = [0; 32];
    secret[..8].copy_from_slice(&number.to_be_bytes());
    let owner = samples::user(&format!("owner-{number}"));
    let account = Account::personal(owner.personal_account, owner.id, "owner".to_owned(), scene.now());
    work.users().insert(&owner).await.unwrap();
    work.accounts().insert(&account).await.unwrap();
    let mut key =
        ApiKey { account: account.id, ..samples::api_key(&owner, &Token::from_random(TokenKind::ApiKey, secret)) };
    let (zero, quantity) = (Quantity::ZERO, Quantity::atoms(100));
    let allowance =
        KeyAllowance { meter: "words".to_owned(), quantity: Quantity::atoms(40_000), used: zero, held: zero };
    key.draft.allowance = Some(allowance);
    work.api_keys().insert(&key).await.unwrap();
    let grant = Grant {
        id: GrantId::new(scene.now()),
        account: account.id,
        meter: MeterCode::parse("words").unwrap(),
        origin: GrantOrigin::Pack,
        reference: "pack".to_owned(),
        priority: 50,
        quantity,
        remaining: quantity,
        held: zero,
        revoked: zero,
        revoked_at: None,
        models: None,
        expires_at: None,
        created_at: scene.now(),
    };
    work.grants().insert(&grant).await.unwrap();
    (account.id, key.id)
}

/// Allowances of keys, grants, warnings and the events that tell of them.
async fn what_uses_set_off_takes_as_few(fresh: &Fresh) {
    let scene = Scene::new(&fresh.url).await;
    let work = scene.services.store.begin().await.unwrap();
    let mut limited = Vec::new();
    for number in 0..=BATCH {
        limited.push(self::limited(&*work, &scene, number).await);
    }
    work.commit().await.unwrap();
    let counted = Counted::new(&scene, fresh).await;
    let accounts: Vec<AccountId> = limited.iter().map(|(account, _)| *account).collect();
    counted.cost(over_all(&accounts, "first")).await;
    let mut uses = limited.into_iter().map(|(account, key)| {
        let beyond = command(account, "words", 30_050, "beyond");
        Command::Consume(Consume { api_key: Some(key), key_is_limited: true, ..beyond })
    });
    let (one, single) = counted.book(uses.next()).await;
    let (many, spread) = counted.book(uses).await;
    for done in one.iter().chain(&many) {
        let Done::Used(receipt) = done else { unreachable!("{done:?}") };
        assert!(receipt.record.drawn.grants.is_positive() && !receipt.record.warnings.is_empty());
    }
    assert_eq!(many.len(), BATCH);
    assert_few("what uses set off", fresh, (14, 10), single, &[spread]);
}

db_test!(effect_statements, what_uses_set_off_takes_as_few);
