use super::super::endpoint::{NewSecret, SealedSecret};
use super::super::ports::{MockSecretVault, MockTargetCheck};
use super::super::samples;
use super::*;
use crate::accounts::Account;
use crate::actor::{KeyActor, Role, Scope};
use crate::id::{AccountId, ApiKeyId, UserId};
use crate::testing::{FixedClock, MockStore, MockWork};

fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_000_000, 0).unwrap()
}

fn owner_of(account: AccountId) -> Actor {
    Actor { user: UserId::new(now()), role: Role::User, personal_account: account, key: None, ip: None }
}

fn by_key(actor: &Actor, scopes: &[Scope]) -> Actor {
    let key = KeyActor {
        id: ApiKeyId::new(now()),
        account: actor.personal_account,
        scopes: scopes.to_vec(),
        models: None,
        is_limited: false,
    };
    Actor { key: Some(key), ..actor.clone() }
}

fn service(store: &Arc<MockStore>) -> WebhookService {
    let (mut vault, mut targets) = (MockSecretVault::new(), MockTargetCheck::new());
    vault.expect_issue().returning(|_| {
        let (clear, sealed) = (ClearSecret::new("whsec_x".into()), SealedSecret("sealed".into()));
        Ok(NewSecret { clear, sealed })
    });
    targets
        .expect_check()
        .returning(|url| if url.starts_with("https://") { Ok(url.to_owned()) } else { Err("must be https") });
    WebhookService {
        store: store.clone(),
        clock: Arc::new(FixedClock(now())),
        vault: Arc::new(vault),
        targets: Arc::new(targets),
        enabled: true,
    }
}

fn owned(actor: &Actor) -> Account {
    Account::personal(actor.personal_account, actor.user, "z".into(), now())
}

fn wish() -> WebhookWish {
    WebhookWish { url: "https://hooks.example.com/a".to_owned(), ..WebhookWish::default() }
}

/// A unit of work whose account is the actor's, with this endpoint.
fn work_on(actor: &Actor, endpoint: &WebhookEndpoint) -> MockWork {
    let mut work = MockWork::default();
    let (account, locked, endpoint) = (owned(actor), owned(actor), endpoint.clone());
    work.accounts.expect_find().return_once(move |_| Ok(Some(account)));
    work.accounts.expect_lock().return_once(move |_| Ok(Some(locked)));
    work.webhooks.expect_find().returning(move |_| Ok(Some(endpoint.clone())));
    work
}

fn endpoint_of(actor: &Actor) -> WebhookEndpoint {
    WebhookEndpoint { account: actor.personal_account, ..samples::endpoint(now()) }
}

#[pollster::test]
async fn an_endpoint_its_lane_and_its_audit_row_are_one_commit() {
    let actor = owner_of(AccountId::new(now()));
    let (mut reads, mut work) = (MockWork::default(), MockWork::default());
    let (account, locked) = (owned(&actor), owned(&actor));
    reads.accounts.expect_find().return_once(move |_| Ok(Some(account)));
    work.accounts.expect_lock().return_once(move |_| Ok(Some(locked)));
    work.webhooks.expect_count().return_once(|_| Ok(MAX_ENDPOINTS_PER_ACCOUNT - 1));
    work.webhooks.expect_insert().once().withf(|made| made.secret.0 == "sealed").return_once(|_| Ok(()));
    work.lanes.expect_open().once().return_once(|_| Ok(()));
    let audited = |event: &AuditEvent| !event.detail.to_string().contains("whsec");
    work.audit.expect_append().once().withf(audited).return_once(|_| Ok(()));
    let store = Arc::new(MockStore::reading(reads).beginning(work));
    let made = service(&store).create(&actor, wish()).await.unwrap();
    assert_eq!(made.secret.expose(), "whsec_x");
    assert_eq!(store.commits(), 1);
}

#[pollster::test]
async fn one_endpoint_too_many_a_bad_url_and_an_ordinary_key_change_nothing() {
    let actor = owner_of(AccountId::new(now()));
    let (mut reads, mut work) = (MockWork::default(), MockWork::default());
    let (account, locked) = (owned(&actor), owned(&actor));
    reads.accounts.expect_find().return_once(move |_| Ok(Some(account)));
    work.accounts.expect_lock().return_once(move |_| Ok(Some(locked)));
    work.webhooks.expect_count().return_once(|_| Ok(MAX_ENDPOINTS_PER_ACCOUNT));
    let store = Arc::new(MockStore::reading(reads).beginning(work));
    let service = service(&store);
    assert!(matches!(service.create(&actor, wish()).await, Err(Error::Conflict { .. })));
    let plain = WebhookWish { url: "http://example.com".into(), ..wish() };
    assert!(matches!(service.create(&actor, plain).await, Err(Error::Invalid(_))));
    let keyed = by_key(&actor, &[Scope::UsageRead, Scope::UsageWrite]);
    assert!(matches!(service.create(&keyed, wish()).await, Err(Error::Forbidden(_))));
    assert_eq!(store.commits(), 0);
}

#[pollster::test]
async fn a_strangers_endpoint_does_not_exist() {
    let (owner, stranger) = (owner_of(AccountId::new(now())), owner_of(AccountId::new(now())));
    let endpoint = endpoint_of(&owner);
    let id = endpoint.id;
    let (mut reads, account) = (work_on(&owner, &endpoint), owned(&owner));
    reads.accounts.expect_find().returning(move |_| Ok(Some(account.clone())));
    let store = Arc::new(MockStore::reading(reads).beginning(work_on(&owner, &endpoint)));
    let service = service(&store);
    assert!(matches!(service.get(&stranger, id).await, Err(Error::NotFound("webhook endpoint"))));
    assert!(matches!(service.rotate(&stranger, id).await, Err(Error::NotFound("webhook endpoint"))));
    assert_eq!(store.commits(), 0);
}

#[pollster::test]
async fn disabling_ends_what_waits_and_enabling_starts_afresh() {
    let actor = owner_of(AccountId::new(now()));
    let enabled = endpoint_of(&actor);
    let mut work = work_on(&actor, &enabled);
    work.webhooks.expect_save().withf(|saved| saved.state == EndpointState::Disabled).return_once(|_| Ok(()));
    work.deliveries.expect_end_waiting().once().return_once(|_, _, _| Ok(2));
    work.audit.expect_append().return_once(|_| Ok(()));
    let failed = WebhookEndpoint { state: EndpointState::Failed, ..enabled.clone() };
    let mut again = work_on(&actor, &failed);
    again.webhooks.expect_save().withf(|saved| saved.state == EndpointState::Enabled).return_once(|_| Ok(()));
    again.lanes.expect_restart().once().return_once(|_, _| Ok(()));
    again.audit.expect_append().return_once(|_| Ok(()));
    let store = Arc::new(MockStore::default().beginning(work).beginning(again));
    let service = service(&store);
    let change = |enabled| WebhookChange { enabled: Some(enabled), ..WebhookChange::default() };
    service.update(&actor, enabled.id, change(false)).await.unwrap();
    service.update(&actor, enabled.id, change(true)).await.unwrap();
    assert_eq!(store.commits(), 2);
}

#[pollster::test]
async fn a_delivery_of_another_endpoint_is_not_replayed() {
    let actor = owner_of(AccountId::new(now()));
    let endpoint = endpoint_of(&actor);
    let mut work = work_on(&actor, &endpoint);
    work.deliveries.expect_find().return_once(|_| Ok(Some(samples::delivery(now()))));
    let store = Arc::new(MockStore::default().beginning(work));
    let replayed = service(&store).replay(&actor, endpoint.id, DeliveryId::new(now())).await;
    assert!(matches!(replayed, Err(Error::NotFound("delivery"))));
    assert_eq!(store.commits(), 0);
}

#[pollster::test]
async fn a_dead_delivery_goes_back_to_its_lane_with_all_attempts() {
    let actor = owner_of(AccountId::new(now()));
    let endpoint = endpoint_of(&actor);
    let lane = Lane::of_endpoint(endpoint.account, endpoint.id).id;
    let dead = Delivery { lane, status: DeliveryStatus::Dead, attempts: 12, ..samples::delivery(now()) };
    let event = samples::event(endpoint.account, 1, now());
    let mut work = work_on(&actor, &endpoint);
    work.deliveries.expect_find().return_once(move |_| Ok(Some(dead)));
    work.outbox.expect_find().return_once(move |_| Ok(vec![event]));
    let waits = |rows: &[Delivery]| (rows[0].status, rows[0].attempts) == (DeliveryStatus::Waiting, 0);
    work.deliveries.expect_save().once().withf(waits).return_once(|_| Ok(()));
    work.lanes.expect_wake().once().return_once(|_, _| Ok(()));
    work.audit.expect_append().once().return_once(|_| Ok(()));
    let store = Arc::new(MockStore::default().beginning(work));
    service(&store).replay(&actor, endpoint.id, DeliveryId::new(now())).await.unwrap();
    assert_eq!(store.commits(), 1);
}
