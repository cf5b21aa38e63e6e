use super::*;
use crate::actor::{KeyActor, Role};
use crate::change::Change;
use crate::id::{AccountId, ApiKeyId, PlanVersionId};
use crate::identity::samples;
use crate::money::{Currency, Money};
use crate::plans::plan::content_hash;
use crate::plans::{OpenedPeriod, PlanService};
use crate::store::StoreError;
use crate::testing::{FixedClock, MockStore, MockWork};
use chrono::TimeDelta;
use std::sync::Mutex;

/// Counts the periods that it hears of.
#[derive(Default)]
struct Heard(Mutex<usize>);

#[async_trait::async_trait]
impl PeriodHook for Heard {
    async fn opened(
        &self,
        _: &dyn Repositories,
        _: AccountId,
        opened: &[OpenedPeriod],
        _: DateTime<Utc>,
    ) -> Result<()> {
        *self.0.lock().unwrap() += opened.len();
        Ok(())
    }
}

fn catalogue() -> Arc<Catalogue> {
    let document = json!({
        "meters": {"words": {"unit": "word", "scale": 0, "kind": "counter"}},
        "plans": {
            "free": {"price": {"month": "0 CNY"}, "meters": {"words": {"included": 30000, "on_exhausted": "refuse"}}},
            "pro": {"price": {"month": "30 CNY", "year": "300 CNY"}, "meters": {}},
            "team": {"price": {"month": "30 CNY", "per": "seat"}, "seats": {"included": 3, "min": 3, "max": 10}, "meters": {}}
        },
        "billing": {"currency": "CNY", "time_zone": "UTC"}
    });
    Arc::new(Catalogue::parse(&document).unwrap())
}

/// 15 January 2027; the sample's account is that old.
fn start() -> DateTime<Utc> {
    samples::created_at()
}

/// Versions of the catalogue's plans, with ids that tests can compute.
fn version(code: &str) -> Arc<PlanVersion> {
    let plan = catalogue().plans[code].clone();
    let content_hash = content_hash(&plan.canonical_json().unwrap());
    let id = PlanVersionId::from_uuid(uuid::Uuid::from_u128(code.bytes().map(u128::from).sum()));
    Arc::new(PlanVersion { id, plan, number: 1, content_hash, created_at: start() })
}

fn choice(code: &str, interval: Interval) -> Choice {
    let version = version(code);
    Choice { version: version.id, plan: version.plan.code.clone(), interval, seats: version.plan.default_seats() }
}

fn wish(code: &str) -> PlanWish {
    PlanWish { plan: PlanCode::parse(code).unwrap(), interval: None, seats: None }
}

struct Scene {
    actor: Actor,
    account: Account,
}

fn scene() -> Scene {
    let user = samples::user("zhang");
    let account = Account::personal(user.personal_account, user.id, "Zhang".into(), start());
    let actor = Actor { user: user.id, role: Role::User, personal_account: user.personal_account, key: None, ip: None };
    Scene { actor, account }
}

impl Scene {
    fn subscribed(&self, chosen: Choice) -> Subscription {
        Subscription::begin(self.account.id, chosen, chrono_tz::UTC, start())
    }

    /// Reads of the account, the published plans and the subscription, if there is one.
    fn work(&self, subscription: Option<Subscription>) -> MockWork {
        let mut work = MockWork::default();
        let (found, locked) = (self.account.clone(), self.account.clone());
        work.accounts.expect_find().returning(move |_| Ok(Some(found.clone())));
        work.accounts.expect_lock().returning(move |_| Ok(Some(locked.clone())));
        work.subscriptions.expect_find().returning(move |_| Ok(subscription.clone()));
        let all = || ["free", "pro", "team"].map(version);
        work.plans.expect_find_by_content().returning(move |plan, hash| {
            Ok(all().into_iter().find(|version| version.plan.code == *plan && version.content_hash == hash))
        });
        work.plans
            .expect_find_versions()
            .returning(move |ids| Ok(all().into_iter().filter(|version| ids.contains(&version.id)).collect()));
        work
    }

    /// A unit of work that saves a change and tells of it once.
    fn writing(&self, subscription: Option<Subscription>) -> MockWork {
        let mut work = self.work(subscription);
        work.subscriptions.expect_save().times(1).returning(|_| Ok(()));
        work.audit.expect_append().times(1).returning(|_| Ok(()));
        work.outbox.expect_push().times(1).returning(|_| Ok(()));
        work
    }
}

fn service(store: &Arc<MockStore>, now: DateTime<Utc>) -> SubscriptionService {
    SubscriptionService {
        store: store.clone(),
        clock: Arc::new(FixedClock(now)),
        catalogue: catalogue(),
        hook: Arc::new(Heard::default()),
    }
}

fn after_days(days: i64) -> DateTime<Utc> {
    crate::time::day_start(crate::time::local_day(start(), chrono_tz::UTC), chrono_tz::UTC) + TimeDelta::days(days)
}

const MINE: AccountRef = AccountRef::Default;

#[pollster::test]
async fn an_account_that_chose_nothing_is_on_the_default_plan_and_nothing_is_written() {
    let scene = scene();
    let store = Arc::new(MockStore::reading(scene.work(None)));
    let view = service(&store, after_days(100)).view(&scene.actor, &MINE).await.unwrap();
    assert_eq!((view.version.plan.code.as_str(), view.subscription.status), ("free", SubscriptionStatus::Active));
    assert!(view.subscription.period.contains(after_days(100)));
    assert_eq!(store.commits(), 0);
}

#[pollster::test]
async fn the_first_change_begins_the_default_subscription_and_waits_for_the_payment() {
    let scene = scene();
    let mut work = scene.writing(None);
    work.subscriptions.expect_insert().times(1).returning(|_| Ok(()));
    work.subscriptions.expect_put_periods().times(1).returning(|_, _| Ok(()));
    let store = Arc::new(MockStore::default().beginning(work));
    let subscribed = service(&store, start()).subscribe(&scene.actor, &MINE, &wish("pro")).await.unwrap();
    assert!(subscribed.is_pending() && subscribed.quote.due.is_positive());
    assert_eq!(subscribed.subscription.chosen, choice("free", Interval::Month));
    assert_eq!(subscribed.subscription.awaiting_payment, Some(choice("pro", Interval::Month)));
    assert_eq!(store.commits(), 1);
}

#[pollster::test]
async fn a_preview_shows_credit_and_charge_and_writes_nothing() {
    let (lines, due) = previewed(Some("30")).await;
    assert_eq!((lines, due), (vec!["-30.00".to_owned(), "90.00".to_owned()], "60.00".to_owned()));
}

#[pollster::test]
async fn what_nobody_paid_is_no_credit() {
    assert_eq!(previewed(None).await, (vec!["90.00".to_owned()], "90.00".to_owned()));
    assert_eq!(previewed(Some("12")).await.1, "78.00");
}

/// Lines and amount due of changing from `pro` to `team` on the first day, after `paid` was paid for `pro`.
async fn previewed(paid: Option<&str>) -> (Vec<String>, String) {
    let scene = scene();
    let paid = paid.map(|amount| Money::parse(amount, Currency::CNY).unwrap());
    let pro = Subscription { paid, ..scene.subscribed(choice("pro", Interval::Month)) };
    let store = Arc::new(MockStore::reading(scene.work(Some(pro))));
    let quote = service(&store, after_days(0)).preview(&scene.actor, &MINE, &wish("team")).await.unwrap();
    assert_eq!(store.commits(), 0);
    (quote.lines.iter().map(|line| line.amount.to_decimal()).collect(), quote.due.to_decimal())
}

#[pollster::test]
async fn a_downgrade_is_scheduled_for_the_end_of_the_term() {
    let scene = scene();
    let team = scene.subscribed(choice("team", Interval::Month));
    let store = Arc::new(MockStore::default().beginning(scene.writing(Some(team))));
    let subscribed = service(&store, after_days(3)).subscribe(&scene.actor, &MINE, &wish("free")).await.unwrap();
    assert!(!subscribed.is_pending());
    assert_eq!(subscribed.subscription.chosen, choice("team", Interval::Month));
    assert_eq!(subscribed.subscription.scheduled, Some(choice("free", Interval::Month)));
}

#[pollster::test]
async fn asking_for_the_plan_one_has_takes_waiting_changes_back() {
    let scene = scene();
    let pro = scene.subscribed(choice("pro", Interval::Month));
    let waiting = pro.change_at_term_end(choice("free", Interval::Month), start());
    let store = Arc::new(MockStore::default().beginning(scene.writing(Some(waiting))));
    let subscribed = service(&store, after_days(3)).subscribe(&scene.actor, &MINE, &wish("pro")).await.unwrap();
    assert_eq!((subscribed.quote.kind, subscribed.subscription.scheduled), (ChangeKind::Same, None));
}

#[pollster::test]
async fn nobody_changes_plans_past_an_open_bill_or_on_a_frozen_account() {
    for status in [SubscriptionStatus::PastDue, SubscriptionStatus::Suspended] {
        let scene = scene();
        let unpaid = Subscription { status, ..scene.subscribed(choice("pro", Interval::Month)) };
        let store = Arc::new(MockStore::default().beginning(scene.work(Some(unpaid))));
        let refused = service(&store, start()).subscribe(&scene.actor, &MINE, &wish("free")).await;
        assert!(matches!(refused, Err(Error::Conflict { code: "conflict", .. })));
    }
    let mut scene = scene();
    scene.account.status = AccountStatus::Frozen;
    let store = Arc::new(MockStore::default().beginning(scene.work(None)));
    let refused = service(&store, start()).subscribe(&scene.actor, &MINE, &wish("pro")).await;
    assert!(matches!(refused, Err(Error::Barred(LimitKind::AccountStatus))));
}

#[pollster::test]
async fn what_is_not_on_sale_is_named_by_its_field() {
    let scene = scene();
    let unsold = [
        (wish("gold"), "plan"),
        (PlanWish { interval: Some(Interval::Year), ..wish("team") }, "interval"),
        (PlanWish { seats: Some(2), ..wish("team") }, "seats"),
        (PlanWish { seats: Some(2), ..wish("pro") }, "seats"),
    ];
    for (wish, field) in unsold {
        let store = Arc::new(MockStore::reading(scene.work(None)));
        let refused = service(&store, start()).preview(&scene.actor, &MINE, &wish).await;
        assert!(matches!(&refused, Err(Error::Invalid(errors)) if errors[0].field == field), "{field}: {refused:?}");
    }
}

#[pollster::test]
async fn a_plan_is_cancelled_and_resumed_but_the_default_plan_is_not() {
    let scene = scene();
    let pro = scene.subscribed(choice("pro", Interval::Month));
    let store = Arc::new(MockStore::default().beginning(scene.writing(Some(pro))));
    let cancelled = service(&store, start()).cancel(&scene.actor, &MINE).await.unwrap().subscription;
    assert_eq!(cancelled.status, SubscriptionStatus::Cancelled);

    let store = Arc::new(MockStore::default().beginning(scene.writing(Some(cancelled))));
    let resumed = service(&store, start()).resume(&scene.actor, &MINE).await.unwrap().subscription;
    assert_eq!(resumed.status, SubscriptionStatus::Active);

    let free = scene.subscribed(choice("free", Interval::Month));
    let store = Arc::new(MockStore::default().beginning(scene.work(Some(free.clone()))));
    assert!(matches!(service(&store, start()).cancel(&scene.actor, &MINE).await, Err(Error::Conflict { .. })));
    let store = Arc::new(MockStore::default().beginning(scene.work(Some(free))));
    assert!(matches!(service(&store, start()).resume(&scene.actor, &MINE).await, Err(Error::Conflict { .. })));
}

#[pollster::test]
async fn an_operator_puts_an_account_on_a_plan_at_once_and_the_open_period_takes_its_promises() {
    let scene = scene();
    let suspended = Subscription {
        status: SubscriptionStatus::Suspended,
        paid: Money::parse("9", Currency::CNY).ok(),
        ..scene.subscribed(choice("free", Interval::Month))
    };
    let mut work = scene.writing(Some(suspended));
    let team = version("team").id;
    work.subscriptions
        .expect_put_periods()
        .withf(move |_, periods| periods.len() == 1 && periods[0].version == team && periods[0].seats == 5)
        .times(1)
        .returning(|_, _| Ok(()));
    let store = Arc::new(MockStore::default().beginning(work));
    let operator = Actor { role: Role::Admin, ..scene.actor.clone() };
    let order = PlanWish { seats: Some(5), ..wish("team") };
    let view = service(&store, after_days(3)).set(&operator, scene.account.id, &order).await.unwrap();
    assert_eq!((view.subscription.status, view.subscription.chosen.seats), (SubscriptionStatus::Active, 5));
    assert_eq!(view.subscription.paid, None);

    let customer = service(&store, start()).set(&scene.actor, scene.account.id, &order).await;
    assert!(matches!(customer, Err(Error::Forbidden(_))));
}

#[pollster::test]
async fn an_api_key_does_not_change_the_plan() {
    let scene = scene();
    let key = KeyActor {
        id: ApiKeyId::new(start()),
        account: scene.account.id,
        scopes: vec![Scope::UsageWrite],
        models: None,
        is_limited: false,
    };
    let actor = Actor { key: Some(key), ..scene.actor.clone() };
    let store = Arc::new(MockStore::default());
    let service = service(&store, start());
    assert!(matches!(service.subscribe(&actor, &MINE, &wish("pro")).await, Err(Error::Forbidden(_))));
    assert!(matches!(service.cancel(&actor, &MINE).await, Err(Error::Forbidden(_))));
    assert!(matches!(service.view(&actor, &MINE).await, Err(Error::Forbidden(_))));
}

#[pollster::test]
async fn a_stranger_finds_no_account() {
    let scene = scene();
    let stranger = Actor { user: samples::user("li").id, ..scene.actor.clone() };
    let store = Arc::new(MockStore::default().beginning(scene.work(None)));
    let refused = service(&store, start()).subscribe(&stranger, &AccountRef::Id(scene.account.id), &wish("pro")).await;
    assert!(matches!(refused, Err(Error::NotFound("account"))));
}

#[pollster::test]
async fn periods_that_ended_are_rolled_over_before_the_change_and_the_hook_hears_of_each() {
    let scene = scene();
    let pro = scene.subscribed(choice("pro", Interval::Month)).cancel(start()).unwrap();
    let mut work = scene.work(Some(pro));
    work.subscriptions.expect_save().times(2).returning(|_| Ok(()));
    work.subscriptions.expect_put_periods().times(1).returning(|_, _| Ok(()));
    work.audit.expect_append().times(1).returning(|_| Ok(()));
    work.outbox.expect_push().times(1).returning(|_| Ok(()));
    let store = Arc::new(MockStore::default().beginning(work));
    let heard = Arc::new(Heard::default());
    let service = SubscriptionService { hook: heard.clone(), ..service(&store, after_days(100)) };
    let view = service.prefer(&scene.actor, &MINE, Change::Set("gpt-4o".to_owned()), None).await.unwrap();
    assert_eq!(view.subscription.chosen, choice("free", Interval::Month));
    assert_eq!(view.subscription.selected_ai_model.as_deref(), Some("gpt-4o"));
    assert_eq!(*heard.0.lock().unwrap(), 3);
}

#[pollster::test]
async fn a_contended_change_is_tried_again() {
    let scene = scene();
    let pro = scene.subscribed(choice("pro", Interval::Month));
    let mut contended = scene.work(Some(pro.clone()));
    contended.subscriptions.expect_save().returning(|_| Err(StoreError::Contended));
    let store = Arc::new(MockStore::default().beginning(contended).beginning(scene.writing(Some(pro))));
    assert!(service(&store, start()).cancel(&scene.actor, &MINE).await.is_ok());
    assert_eq!(store.commits(), 1);
}

#[pollster::test]
async fn publishing_stores_what_is_new_and_finds_what_another_replica_stored() {
    let nothing_yet = || {
        let mut work = MockWork::default();
        work.plans
            .expect_find_by_content()
            .returning(|plan, _| Ok((plan.as_str() != "pro").then(|| version(plan.as_str()))));
        work.plans.expect_latest().returning(|_| Ok(Some(version("free"))));
        work
    };
    let mut beaten = nothing_yet();
    beaten.plans.expect_insert().returning(|_| Err(StoreError::Duplicate));
    let mut stored = nothing_yet();
    stored.plans.expect_insert().withf(|version| version.number == 2).times(1).returning(|_| Ok(()));
    let mut reads = nothing_yet();
    reads.options.expect_find().returning(|_| Ok(Some(agreement("CNY", 0))));
    let store = Arc::new(MockStore::reading(reads).beginning(beaten).beginning(stored));
    let service = PlanService { store: store.clone(), clock: Arc::new(FixedClock(start())), catalogue: catalogue() };
    let on_sale = service.publish().await.unwrap();
    assert_eq!(on_sale.iter().map(|version| version.plan.code.as_str()).collect::<Vec<_>>(), ["free", "pro", "team"]);
    assert_eq!(store.commits(), 1);
    assert_eq!(on_sale[1].plan.price(Interval::Year, 1), Money::parse("300", catalogue().currency).ok());
}

fn agreement(currency: &str, scale: u8) -> String {
    json!({"currency": currency, "meters": {"words": {"scale": scale, "kind": "counter"}}}).to_string()
}

#[pollster::test]
async fn a_meter_whose_scale_changed_or_another_currency_stops_the_start() {
    for (stored, refusal) in [(agreement("CNY", 3), "meter_changed"), (agreement("USD", 0), "currency_changed")] {
        let mut reads = MockWork::default();
        reads.options.expect_find().returning(move |_| Ok(Some(stored.clone())));
        let store = Arc::new(MockStore::reading(reads));
        let service = PlanService { store, clock: Arc::new(FixedClock(start())), catalogue: catalogue() };
        assert!(matches!(service.publish().await, Err(Error::Conflict { code, .. }) if code == refusal));
    }
}

#[pollster::test]
async fn what_another_replica_agreed_on_meanwhile_is_neither_lost_nor_overruled() {
    let other = json!({"currency": "CNY", "meters": {"traffic": {"scale": 5, "kind": "counter"}}}).to_string();
    for (locked, commits) in [(other, 1), (agreement("CNY", 3), 0)] {
        let mut reads = MockWork::default();
        reads.options.expect_find().returning(|_| Ok(None));
        reads.plans.expect_find_by_content().returning(|plan, _| Ok(Some(version(plan.as_str()))));
        let mut work = MockWork::default();
        work.options.expect_lock().returning(move |_, _, _| Ok(locked.clone()));
        work.options
            .expect_set()
            .withf(|_, value, _| value.contains("traffic") && value.contains("words"))
            .returning(|_, _, _| Ok(()));
        let store = Arc::new(MockStore::reading(reads).beginning(work));
        let clock = Arc::new(FixedClock(start()));
        let service = PlanService { store: store.clone(), clock, catalogue: catalogue() };
        assert_eq!((service.publish().await.is_ok(), store.commits()), (commits == 1, commits));
    }
}
