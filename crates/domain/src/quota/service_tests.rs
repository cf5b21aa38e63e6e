use super::*;
use crate::accounts::Account;
use crate::actor::{KeyActor, Role, Scope};
use crate::id::UserId;
use crate::idempotency::StoredAnswer;
use crate::testing::{FixedClock, MockStore, MockWork};
use serde_json::json;

fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_000_000, 0).unwrap()
}

fn actor(role: Role) -> Actor {
    let personal_account = AccountId::new(now());
    Actor { user: UserId::new(now()), role, personal_account, key: None, ip: None }
}

fn wish(quantity: &str) -> GrantWish {
    GrantWish {
        meter: "words".to_owned(),
        quantity: quantity.to_owned(),
        priority: None,
        models: None,
        expires_at: None,
        reason: None,
    }
}

fn request(actor: &Actor) -> IdempotentRequest {
    let (key, fingerprint) = ("k".to_owned(), "print".to_owned());
    IdempotentRequest { user: actor.user, scope: "POST /grants", key, fingerprint }
}

fn service(store: &Arc<MockStore>) -> GrantService {
    let document = json!({
        "meters": {"words": {"unit": "word", "scale": 1, "kind": "counter"}},
        "plans": {"free": {"price": {"month": "0.00 CNY"}, "meters": {"words": {"included": 1, "on_exhausted": "refuse"}}}},
        "warnings": {"at": []},
        "billing": {"currency": "CNY", "time_zone": "Asia/Shanghai", "default_plan": "free"}
    });
    let catalogue = Arc::new(Catalogue::parse(&document).unwrap());
    GrantService { store: store.clone(), clock: Arc::new(FixedClock(now())), catalogue }
}

#[pollster::test]
async fn a_grant_its_audit_row_and_its_answer_are_one_commit() {
    let (operator, account) = (actor(Role::Admin), AccountId::new(now()));
    let mut work = MockWork::default();
    work.idempotency.expect_find().return_once(|_| Ok(None));
    work.accounts
        .expect_lock()
        .return_once(|id| Ok(Some(Account::personal(id, UserId::new(now()), "z".into(), now()))));
    work.grants.expect_insert().once().withf(|grant| grant.remaining == Quantity::atoms(25)).return_once(|_| Ok(()));
    work.audit.expect_append().once().withf(|event| event.action == "grant.give").return_once(|_| Ok(()));
    work.idempotency.expect_insert().once().return_once(|_, _, _| Ok(()));
    let store = Arc::new(MockStore::default().beginning(work));

    let given = service(&store).give(&operator, account, &wish("2.5"), &request(&operator)).await.unwrap();

    assert!(!given.replayed);
    assert_eq!(store.commits(), 1);
}

#[pollster::test]
async fn the_same_key_answers_the_first_grant_and_other_content_is_an_error() {
    let (operator, account) = (actor(Role::Admin), AccountId::new(now()));
    let first = service(&Arc::new(MockStore::default())).read(account, &wish("1"), now()).unwrap();
    let kept = serde_json::to_string(&first).unwrap();
    let answer = |fingerprint: &str| {
        let mut work = MockWork::default();
        let stored = StoredAnswer { fingerprint: fingerprint.to_owned(), answer: kept.clone() };
        work.idempotency.expect_find().return_once(|_| Ok(Some(stored)));
        work
    };
    let store = Arc::new(MockStore::default().beginning(answer("print")).beginning(answer("other")));
    let service = service(&store);

    let replayed = service.give(&operator, account, &wish("1"), &request(&operator)).await.unwrap();
    assert_eq!(replayed, Answered { value: first, replayed: true });
    let reused = service.give(&operator, account, &wish("2"), &request(&operator)).await;
    assert!(matches!(reused, Err(Error::KeyReused)));
    assert_eq!(store.commits(), 0);
}

#[pollster::test]
async fn a_key_with_the_scope_admin_lists_the_grants_of_any_account_and_a_customer_of_none() {
    let account = AccountId::new(now());
    let mut reads = MockWork::default();
    reads
        .accounts
        .expect_find()
        .returning(move |id| Ok((id == account).then(|| Account::personal(id, UserId::new(now()), "z".into(), now()))));
    reads.grants.expect_list().returning(|_, _| Ok(Page { rows: vec![], next: None }));
    let service = service(&Arc::new(MockStore::reading(reads)));
    let page = PageRequest { limit: 1, before: None };
    let mut operator = actor(Role::Admin);
    let (id, own) = (crate::id::ApiKeyId::new(now()), operator.personal_account);
    operator.key = Some(KeyActor { id, account: own, scopes: vec![Scope::Admin], models: None, is_limited: false });
    assert!(service.list(&operator, account, page).await.is_ok());
    assert!(matches!(service.list(&operator, own, page).await, Err(Error::NotFound("account"))));
    assert!(matches!(service.list(&actor(Role::User), account, page).await, Err(Error::Forbidden(_))));
}

#[pollster::test]
async fn only_operators_give_and_only_sensible_quantities() {
    let (customer, operator, account) = (actor(Role::User), actor(Role::Admin), AccountId::new(now()));
    let store = Arc::new(MockStore::default());
    let refused = service(&store).give(&customer, account, &wish("1"), &request(&customer)).await;
    assert!(matches!(refused, Err(Error::Forbidden(_))));
    for quantity in ["0", "-1", "0.25", "1e3", "99999999999999999999"] {
        let mut work = MockWork::default();
        work.idempotency.expect_find().return_once(|_| Ok(None));
        let store = Arc::new(MockStore::default().beginning(work));
        let invalid = service(&store).give(&operator, account, &wish(quantity), &request(&operator)).await;
        assert!(matches!(invalid, Err(Error::Invalid(_))), "{quantity}");
    }
}
