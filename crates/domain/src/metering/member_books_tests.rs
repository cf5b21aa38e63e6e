use super::*;
use crate::accounts::{Account, MemberRole};
use crate::id::{AccountId, ApiKeyId, PlanVersionId};
use crate::identity::KeyAllowance;
use crate::metering::{AccountBooks, Dimensions, KeyAllowances, UsageKey};
use crate::plans::{Catalogue, PlanVersion, SubscriptionStatus};
use crate::teams::samples;
use crate::time::Period;
use chrono::TimeDelta;
use proptest::prelude::*;
use serde_json::json;
use std::sync::Arc;

const POOL: i64 = 1_000;

fn now() -> DateTime<Utc> {
    samples::founded_at() + TimeDelta::hours(1)
}

fn catalogue() -> Catalogue {
    let document = json!({
        "meters": {"words": {"unit": "word", "scale": 0, "kind": "counter"},
            "storage": {"unit": "MB", "scale": 0, "kind": "gauge"}},
        "plans": {"free": {"price": {"month": "0.00 CNY"}, "meters": {
            "words": {"included": POOL, "on_exhausted": "refuse"},
            "storage": {"included": POOL, "on_exhausted": "refuse"}}}},
        "warnings": {"at": [80, 100]},
        "billing": {"currency": "CNY", "time_zone": "Asia/Shanghai", "default_plan": "free"}
    });
    Catalogue::parse(&document).unwrap()
}

/// A team's books with members whom nothing limits yet.
struct Table {
    books: AccountBooks,
    catalogue: Catalogue,
    keys: KeyAllowances,
    users: Vec<UserId>,
    sent: usize,
}

fn table(members: usize) -> Table {
    let catalogue = catalogue();
    let plan = catalogue.plans.values().next().unwrap().clone();
    let id = PlanVersionId::new(now());
    let version = PlanVersion { id, plan, number: 1, content_hash: String::new(), created_at: now() };
    let start = samples::founded_at();
    let period = Period { start, end: start + TimeDelta::days(30) };
    let current = PlanPeriod { period, version: Arc::new(version), seats: 1, closed: false };
    let users: Vec<_> =
        (0..members).map(|n| UserId::new(start + TimeDelta::seconds(i64::try_from(n).unwrap()))).collect();
    let account = Account::team(AccountId::new(start), users[0], "team".to_owned(), start);
    let mut team = MemberBooks::open(TeamStatus::Active);
    for user in &users {
        team.add_member(samples::member(account.id, *user, MemberRole::Member));
    }
    let mut books = AccountBooks::open(account, SubscriptionStatus::Active, current, None);
    books.members = Some(team);
    Table { books, catalogue, keys: KeyAllowances::default(), users, sent: 0 }
}

impl Table {
    fn members(&mut self) -> &mut MemberBooks {
        self.books.members.as_mut().unwrap()
    }

    fn allocate(&mut self, member: usize, meter: &str, quantity: Option<i64>) {
        let user = self.users[member];
        let membership = self.members().members.get_mut(&user).unwrap();
        match quantity {
            Some(quantity) => membership.allocations.insert(meter.to_owned(), Quantity::atoms(quantity)),
            None => membership.allocations.remove(meter),
        };
    }

    fn command(&mut self, user: Option<UserId>, meter: &str, quantity: i64) -> Consume {
        self.sent += 1;
        Consume {
            account: self.books.account.id,
            meter: MeterCode::parse(meter).unwrap(),
            quantity: Quantity::atoms(quantity),
            key: UsageKey::parse(&format!("k{}", self.sent)).unwrap(),
            occurred_at: None,
            dimensions: Dimensions::default(),
            user,
            api_key: None,
            key_is_limited: false,
        }
    }

    fn consume(&mut self, command: &Consume) -> Result<UsageRecord, Rejection> {
        let meter = self.catalogue.meters.get(&command.meter).unwrap().clone();
        self.books.consume(&mut self.keys, command, &meter, now())
    }

    fn use_words(&mut self, member: usize, quantity: i64) -> Result<UsageRecord, Rejection> {
        let command = self.command(Some(self.users[member]), "words", quantity);
        self.consume(&command)
    }

    fn store(&mut self, member: usize, quantity: i64) -> Result<UsageRecord, Rejection> {
        let command = self.command(Some(self.users[member]), "storage", quantity);
        self.consume(&command)
    }

    fn used(&self, subject: Subject, meter: &str) -> i64 {
        let same = |counter: &&Counter| counter.subject == subject && counter.meter.as_str() == meter;
        self.books.changed_counters().find(same).map_or(0, |counter| counter.used.as_atoms())
    }

    fn shares(&self, meter: &str) -> Vec<i64> {
        self.users.iter().map(|user| self.used(Subject::Member(*user), meter)).collect()
    }
}

fn refused(outcome: Result<UsageRecord, Rejection>) -> (LimitKind, i64) {
    match outcome {
        Err(Rejection::Refused(refusal)) => (refusal.limit, refusal.remaining.as_atoms()),
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_pool_is_the_sum_of_its_members_and_each_part_is_counted_with_its_fund() {
    let mut table = table(2);
    table.use_words(0, 300).unwrap();
    table.use_words(1, 200).unwrap();
    assert_eq!((table.shares("words"), table.used(Subject::Account, "words")), (vec![300, 200], 500));
    let drawn: Vec<_> = table.books.changed_counters().map(|counter| counter.drawn.allowance.as_atoms()).collect();
    assert_eq!(drawn, [500, 300, 200]);
}

#[test]
fn a_use_past_the_allocation_is_refused_in_its_name_and_one_up_to_it_is_taken() {
    let mut table = table(2);
    table.allocate(0, "words", Some(100));
    assert_eq!(refused(table.use_words(0, 101)), (LimitKind::MemberAllocation, 100));
    table.use_words(0, 100).unwrap();
    assert_eq!(refused(table.use_words(0, 1)), (LimitKind::MemberAllocation, 0));
    table.use_words(1, 900).unwrap();
    assert_eq!(refused(table.use_words(1, 1)), (LimitKind::PlanAllowance, 0));
}

#[test]
fn an_allocation_of_nothing_refuses_everything_and_lifting_it_gives_the_pool() {
    let mut table = table(1);
    table.allocate(0, "words", Some(0));
    assert_eq!(refused(table.use_words(0, 1)), (LimitKind::MemberAllocation, 0));
    table.allocate(0, "words", None);
    table.use_words(0, POOL).unwrap();
}

#[test]
fn the_tightest_of_key_allocation_and_pool_is_named_and_of_equals_the_nearest_to_the_caller() {
    let key = ApiKeyId::new(now());
    let mut table = table(1);
    let allowance = |left: i64| {
        let quantity = Quantity::atoms(left);
        KeyAllowances::new(vec![(
            key,
            KeyAllowance { meter: "words".to_owned(), quantity, used: Quantity::ZERO, held: Quantity::ZERO },
        )])
    };
    for (of_key, allocated, expected) in [
        (50, 60, LimitKind::ApiKeyAllowance),
        (60, 50, LimitKind::MemberAllocation),
        (50, 50, LimitKind::ApiKeyAllowance),
        (POOL, POOL + 1, LimitKind::ApiKeyAllowance),
        (POOL + 1, POOL, LimitKind::MemberAllocation),
        (POOL + 1, POOL + 1, LimitKind::PlanAllowance),
    ] {
        table.keys = allowance(of_key);
        table.allocate(0, "words", Some(allocated));
        let command = Consume { api_key: Some(key), ..table.command(Some(table.users[0]), "words", POOL + 1) };
        let limit = expected;
        let taken = if of_key.min(allocated) > POOL { POOL } else { of_key.min(allocated) };
        assert_eq!(refused(table.consume(&command)), (limit, taken), "{of_key} {allocated}");
    }
}

#[test]
fn thresholds_of_the_allocation_fire_for_the_member_and_once() {
    let mut table = table(2);
    table.allocate(0, "words", Some(100));
    assert!(table.use_words(0, 79).unwrap().warnings.is_empty());
    assert_eq!(table.use_words(0, 1).unwrap().warnings, [Percent::new(80).unwrap()]);
    assert_eq!(table.use_words(0, 20).unwrap().warnings, [Percent::new(100).unwrap()]);
    let fired: Vec<_> = table.books.fired().iter().map(|w| (w.member(), w.threshold.get(), w.limit)).collect();
    let (member, limit) = (Some(table.users[0]), Quantity::atoms(100));
    assert_eq!(fired, [(member, 80, limit), (member, 100, limit)]);
    table.allocate(0, "words", Some(1_000));
    table.use_words(1, 600).unwrap();
    assert!(table.use_words(0, 99).unwrap().warnings.is_empty(), "199 of 1000, and the pool at 799");
    let both = table.use_words(0, 1).unwrap().warnings;
    assert_eq!(both, [Percent::new(80).unwrap()], "the pool's, while the member is at 200 of 1000");
}

#[test]
fn a_larger_allocation_lets_its_warnings_fire_again() {
    let mut table = table(1);
    table.allocate(0, "words", Some(100));
    table.use_words(0, 100).unwrap();
    table.allocate(0, "words", Some(200));
    table.use_words(0, 60).unwrap();
    let fired: Vec<_> = table.books.fired().iter().map(|w| (w.threshold.get(), w.generation)).collect();
    assert_eq!(fired, [(80, 0), (100, 0), (80, 1)]);
}

#[test]
fn what_was_used_after_the_end_of_a_membership_is_refused_and_before_it_is_counted() {
    let mut table = table(2);
    let (user, end) = (table.users[1], now() - TimeDelta::minutes(10));
    let member = table.members().members.get_mut(&user).unwrap();
    *member = member.ended(end);
    assert!(matches!(table.use_words(1, 1), Err(Rejection::Invalid(field)) if field.field == "user"));
    let occurred_at = Some(end - TimeDelta::seconds(1));
    let before = Consume { occurred_at, ..table.command(Some(user), "words", 5) };
    table.consume(&before).unwrap();
    assert_eq!((table.shares("words"), table.used(Subject::Account, "words")), (vec![0, 5], 5));
}

#[test]
fn a_service_may_report_for_somebody_who_never_was_a_member() {
    let mut table = table(1);
    let command = table.command(Some(UserId::new(now())), "words", 7);
    table.consume(&command).unwrap();
    let sum: i64 = table.books.changed_counters().map(|counter| counter.used.as_atoms()).sum();
    assert_eq!((table.used(Subject::Account, "words"), sum), (7, 14));
}

#[test]
fn a_team_that_is_not_active_uses_nothing_and_may_release() {
    for status in [TeamStatus::Suspended, TeamStatus::Deleted] {
        let mut table = table(1);
        table.store(0, 10).unwrap();
        table.members().status = status;
        assert_eq!(refused(table.use_words(0, 1)), (LimitKind::SubscriptionStatus, 0));
        table.store(0, -10).unwrap();
    }
}

#[test]
fn a_release_is_taken_from_the_member_first_and_then_from_the_oldest() {
    let mut table = table(3);
    for (member, stored) in [(0, 30), (1, 20), (2, 50)] {
        table.store(member, stored).unwrap();
    }
    table.store(2, -60).unwrap();
    assert_eq!((table.shares("storage"), table.used(Subject::Account, "storage")), (vec![20, 20, 0], 40));
    table.store(1, -40).unwrap();
    assert_eq!(table.shares("storage"), [0, 0, 0]);
    assert!(matches!(table.store(0, -1), Err(Rejection::Invalid(_))), "the pool's level is zero");
}

#[test]
fn an_allocation_of_a_gauge_is_a_level() {
    let mut table = table(1);
    table.allocate(0, "storage", Some(100));
    table.store(0, 100).unwrap();
    assert_eq!(refused(table.store(0, 1)), (LimitKind::MemberAllocation, 0));
    table.store(0, -40).unwrap();
    table.store(0, 40).unwrap();
}

#[derive(Clone, Debug)]
enum Step {
    Use(usize, i64),
    Store(usize, i64),
    Allocate(usize, Option<i64>),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        6 => (0..3_usize, 1_i64..400).prop_map(|(member, quantity)| Step::Use(member, quantity)),
        3 => (0..3_usize, -300_i64..300).prop_filter("not zero", |(_, quantity)| *quantity != 0)
            .prop_map(|(member, quantity)| Step::Store(member, quantity)),
        2 => (0..3_usize, prop::option::of(0_i64..600)).prop_map(|(member, cap)| Step::Allocate(member, cap)),
    ];
    prop::collection::vec(step, 1..80)
}

proptest! {
    /// The model keeps plain sums; a use fits when both sums do, and the refusal names the smaller rest.
    #[test]
    fn allocations_decide_as_plain_sums_would(steps in steps()) {
        let mut table = table(3);
        let (mut caps, mut words, mut level) = ([None; 3], [0_i64; 3], 0_i64);
        for step in steps {
            match step {
                Step::Allocate(member, cap) => {
                    caps[member] = cap;
                    table.allocate(member, "words", cap);
                }
                Step::Use(member, quantity) => {
                    let pool = POOL - words.iter().sum::<i64>();
                    let own = caps[member].map(|cap: i64| (cap - words[member]).max(0));
                    let outcome = table.use_words(member, quantity);
                    if quantity <= pool && own.is_none_or(|own| quantity <= own) {
                        prop_assert!(outcome.is_ok());
                        words[member] += quantity;
                    } else {
                        let expected = match own {
                            Some(own) if own <= pool && own < quantity => (LimitKind::MemberAllocation, own),
                            _ => (LimitKind::PlanAllowance, pool),
                        };
                        prop_assert_eq!(refused(outcome), expected);
                    }
                }
                Step::Store(member, quantity) => {
                    let fits = (0..=POOL).contains(&(level + quantity));
                    prop_assert_eq!(table.store(member, quantity).is_ok(), fits);
                    level += if fits { quantity } else { 0 };
                }
            }
            prop_assert_eq!(table.shares("words"), words);
            prop_assert_eq!(table.used(Subject::Account, "words"), words.iter().sum::<i64>());
            prop_assert_eq!(table.shares("storage").iter().sum::<i64>(), level);
            prop_assert!(table.shares("storage").iter().all(|share| *share >= 0));
        }
    }
}
