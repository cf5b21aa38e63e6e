use super::*;
use crate::accounts::Account;
use crate::id::{AccountId, GrantId, PlanVersionId, UserId};
use crate::metering::{Consume, Dimensions, UsageKey};
use crate::money::{Currency, Money};
use crate::plans::{Catalogue, MeterCode, OnExhausted, PlanVersion, SubscriptionStatus, Tariff};
use crate::quota::{Counter, Grant, GrantOrigin};
use crate::time::Period;
use crate::wallet::{Posting, Wallet};
use chrono::TimeDelta;
use proptest::prelude::*;
use serde_json::json;
use std::sync::Arc;

const INCLUDED: i64 = 100;
/// More than any steps cost.
const RICH: i64 = 1_000_000_000_000;

fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_000_000, 0).unwrap()
}

fn q(atoms: i64) -> Quantity {
    Quantity::atoms(atoms)
}

/// A hundred words; `plain` refuses more, `tiered` gets cheaper after 60, `stepped` counts started tens whole, and
/// `prepaid` takes the price of `tiered` from the wallet.
fn catalogue() -> Catalogue {
    let plan = |exhausted: serde_json::Value| {
        let mut words = json!({"included": INCLUDED});
        words.as_object_mut().unwrap().extend(exhausted.as_object().unwrap().clone());
        json!({"price": {"month": "0.00 CNY"}, "meters": {"words": words}})
    };
    let tiered = json!({"tiers": [{"up_to": 60, "per": 1, "price": "0.03 CNY"}, {"per": 3, "price": "0.02 CNY"}]});
    let stepped = json!({"per": 10, "price": "0.07 CNY", "round": "up"});
    let document = json!({
        "meters": {"words": {"unit": "word", "scale": 0, "kind": "counter"}},
        "plans": {
            "plain": plan(json!({"on_exhausted": "refuse"})),
            "tiered": plan(json!({"on_exhausted": "overage", "overage": tiered})),
            "stepped": plan(json!({"on_exhausted": "overage", "overage": stepped})),
            "prepaid": plan(json!({"on_exhausted": "wallet", "overage": tiered})),
        },
        "warnings": {"at": [80, 100]},
        "billing": {"currency": "CNY", "time_zone": "Asia/Shanghai", "default_plan": "plain"}
    });
    Catalogue::parse(&document).unwrap()
}

fn on(catalogue: &Catalogue, plan: &str) -> PlanPeriod {
    let plan = catalogue.plans.values().find(|found| found.code.as_str() == plan).unwrap().clone();
    let version =
        PlanVersion { id: PlanVersionId::new(now()), plan, number: 1, content_hash: String::new(), created_at: now() };
    let period = Period { start: now() - TimeDelta::days(1), end: now() + TimeDelta::days(29) };
    PlanPeriod { period, version: Arc::new(version), seats: 1, closed: false }
}

fn grant(account: AccountId, n: i64, atoms: i64) -> Grant {
    Grant {
        id: GrantId::new(now() + TimeDelta::seconds(n)),
        account,
        meter: MeterCode::parse("words").unwrap(),
        origin: GrantOrigin::Pack,
        reference: n.to_string(),
        priority: 50,
        quantity: q(atoms),
        remaining: q(atoms),
        held: Quantity::ZERO,
        revoked: Quantity::ZERO,
        revoked_at: None,
        models: None,
        expires_at: None,
        created_at: now() + TimeDelta::seconds(n),
    }
}

/// An account's books with what was done in them.
struct Desk {
    catalogue: Catalogue,
    books: AccountBooks,
    keys: KeyAllowances,
    open: Vec<Reservation>,
    records: Vec<UsageRecord>,
    names: u32,
}

impl Desk {
    fn new(plan: &str, cap: Option<i64>, grants: &[i64]) -> Self {
        let catalogue = catalogue();
        let account = Account::personal(AccountId::new(now()), UserId::new(now()), "zhang".into(), now());
        let plan = on(&catalogue, plan);
        let cap = cap.map(|nanos| Money::from_nanos(nanos, plan.version.plan.currency));
        let mut books = AccountBooks::open(account, SubscriptionStatus::Active, plan, cap);
        for (n, atoms) in grants.iter().enumerate() {
            let grant = grant(books.account.id, i64::try_from(n).unwrap(), *atoms);
            books.add_grant(grant);
        }
        let balance = Money::from_nanos(RICH, Currency::CNY);
        books.add_wallet(Wallet { balance, ..Wallet::empty(books.account.id, Currency::CNY) });
        let keys = KeyAllowances::default();
        Self { catalogue, books, keys, open: Vec::new(), records: Vec::new(), names: 0 }
    }

    /// The desk with so much in the wallet.
    fn having(mut self, nanos: i64) -> Self {
        let balance = Money::from_nanos(nanos, Currency::CNY);
        self.books.add_wallet(Wallet { balance, ..Wallet::empty(self.books.account.id, Currency::CNY) });
        self
    }

    /// The wallet as it would be written.
    fn wallet(&self) -> Wallet {
        let purse = self.books.purse(Currency::CNY);
        let mut posting = Posting::over([purse.opened().clone()]);
        purse.post(&mut posting, now()).unwrap();
        posting.wallet(self.books.account.id, Currency::CNY)
    }

    fn meter(&self) -> Meter {
        self.catalogue.meters.values().next().unwrap().clone()
    }

    fn wanted(&mut self, atoms: i64) -> Consume {
        self.names += 1;
        Consume {
            account: self.books.account.id,
            meter: MeterCode::parse("words").unwrap(),
            quantity: q(atoms),
            key: UsageKey::parse(&self.names.to_string()).unwrap(),
            occurred_at: None,
            dimensions: Dimensions::default(),
            user: None,
            api_key: None,
            key_is_limited: false,
        }
    }

    fn consume(&mut self, atoms: i64) -> Result<UsageRecord, Rejection> {
        let (wanted, meter) = (self.wanted(atoms), self.meter());
        let record = self.books.consume(&mut self.keys, &wanted, &meter, now())?;
        self.records.push(record.clone());
        Ok(record)
    }

    fn reserve(&mut self, atoms: i64) -> Result<Reservation, Rejection> {
        let command = Reserve { wanted: self.wanted(atoms), ttl: TimeDelta::minutes(1) };
        let meter = self.meter();
        let reservation = self.books.reserve(&mut self.keys, &command, &meter, now())?;
        self.open.push(reservation.clone());
        Ok(reservation)
    }

    fn capture(&mut self, place: usize, atoms: i64) -> Captured {
        let (reservation, meter) = (self.open.remove(place), self.meter());
        let captured = self.books.capture(&mut self.keys, (&reservation, q(atoms)), &meter, now()).unwrap();
        self.records.push(captured.record.clone());
        captured
    }

    fn release(&mut self, place: usize) {
        let reservation = self.open.remove(place);
        self.books.release(&mut self.keys, &reservation, now());
    }

    fn counter(&self) -> Counter {
        let plan = &self.books.current;
        let fresh = || {
            let (account, meter) = (self.books.account.id, MeterCode::parse("words").unwrap());
            Counter::opening(account, crate::quota::Subject::Account, meter, plan.period, plan.version.plan.currency)
        };
        self.books.counters.values().next().cloned().unwrap_or_else(fresh)
    }

    fn tariff(&self) -> Option<Tariff> {
        let terms = self.books.current.version.plan.terms(&MeterCode::parse("words").unwrap()).unwrap();
        match &terms.on_exhausted {
            OnExhausted::Overage(tariff) | OnExhausted::Wallet(tariff) => Some(tariff.clone()),
            OnExhausted::Refuse => None,
        }
    }

    /// Everything that must be true at every moment.
    fn agrees(&self, cap: Option<i64>) {
        let counter = self.counter();
        let sum = |all: &mut dyn Iterator<Item = Quantity>| all.map(Quantity::as_atoms).sum::<i64>();
        let open = sum(&mut self.open.iter().map(|reservation| reservation.quantity));
        assert_eq!(counter.reserved.as_atoms(), open, "held is the sum of what is open");
        let of_grants = sum(&mut self.open.iter().map(Reservation::of_grants));
        assert_eq!(counter.held_grants.as_atoms(), of_grants);
        let used = sum(&mut self.records.iter().map(|record| record.quantity));
        assert_eq!(counter.used.as_atoms(), used, "used is the sum of the rows");
        let drawn = counter.drawn;
        let beyond = drawn.overage.saturating_add(drawn.wallet);
        let by_fund = drawn.allowance.as_atoms() + drawn.grants.as_atoms() + beyond.as_atoms();
        assert_eq!(by_fund, used, "every use came from a fund");
        assert!(drawn.allowance.as_atoms() <= INCLUDED, "the allowance is never overdrawn");
        for grant in &self.books.grants {
            let holds = self.open.iter().flat_map(Reservation::grants).filter(|(id, _)| *id == grant.id);
            assert_eq!(grant.held.as_atoms(), sum(&mut holds.map(|(_, quantity)| quantity)));
            let paid = self.records.iter().flat_map(|record| &record.grants).filter(|(id, _)| *id == grant.id);
            let paid = sum(&mut paid.map(|(_, quantity)| *quantity));
            let all = paid + grant.remaining.as_atoms() + grant.held.as_atoms() + grant.revoked.as_atoms();
            assert_eq!(all, grant.quantity.as_atoms(), "nothing of a grant is lost or made");
        }
        let fees: i64 = self.records.iter().map(|record| record.amount().nanos()).sum();
        assert_eq!(drawn.cost().unwrap().nanos(), fees);
        if let Some(tariff) = self.tariff() {
            assert_eq!(fees, tariff.fee(beyond).unwrap().nanos(), "prices are cumulative");
            self.wallet_agrees(&counter, &tariff);
        } else {
            let all: i64 = self.books.grants.iter().map(|grant| grant.quantity.as_atoms()).sum();
            assert!(used + open <= INCLUDED + all, "used and held are within the limit");
        }
        assert!(cap.is_none_or(|cap| fees <= cap), "the cap holds");
    }
}

impl Desk {
    /// What was paid is gone; what open reservations can cost at most is held, and nothing else.
    fn wallet_agrees(&self, counter: &Counter, tariff: &Tariff) {
        let (wallet, purse) = (self.wallet(), self.books.purse(Currency::CNY));
        let paid: i64 = self.records.iter().map(|record| record.drawn.paid.nanos()).sum();
        assert_eq!(purse.opened().balance.nanos() - wallet.balance.nanos(), paid);
        assert_eq!(wallet.held, counter.wallet_held);
        assert!(0 <= wallet.held.nanos() && wallet.held.nanos() <= wallet.balance.nanos());
        for record in &self.records {
            assert_eq!(record.transfer.is_some(), record.drawn.paid.is_positive());
            assert_eq!(record.transfer, record.transfer.and(purse.payment()), "one transfer for all");
        }
        if self.books.needs_wallet() {
            let beside = INCLUDED - counter.drawn.allowance.as_atoms();
            let beyond = q((counter.held_beside_grants().as_atoms() - beside).max(0));
            let before = counter.drawn.wallet;
            let most = tariff.step_fee(before, before.saturating_add(beyond)).unwrap();
            assert_eq!(wallet.held, most, "held is what capturing everything would cost");
        } else {
            assert_eq!((paid, wallet.held.nanos()), (0, 0));
        }
    }
}

/// What happens next; places and quantities are taken modulo what there is.
#[derive(Clone, Copy, Debug)]
enum Step {
    Consume(i64),
    Reserve(i64),
    /// At most what was held.
    Capture(usize, i64),
    CaptureMore(usize, i64),
    Release(usize),
    Revoke(usize),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        (1_i64..60).prop_map(Step::Consume),
        (1_i64..60).prop_map(Step::Reserve),
        (1_i64..60).prop_map(Step::Reserve),
        (any::<usize>(), any::<i64>()).prop_map(|(place, atoms)| Step::Capture(place, atoms)),
        (any::<usize>(), 1_i64..40).prop_map(|(place, atoms)| Step::CaptureMore(place, atoms)),
        any::<usize>().prop_map(Step::Release),
        any::<usize>().prop_map(Step::Revoke),
    ];
    prop::collection::vec(step, 1..40)
}

fn take(desk: &mut Desk, step: Step) {
    let open = desk.open.len();
    match step {
        Step::Consume(atoms) => drop(desk.consume(atoms)),
        Step::Reserve(atoms) => drop(desk.reserve(atoms)),
        Step::Capture(place, atoms) if open > 0 => {
            let held = desk.open[place % open].quantity.as_atoms();
            let atoms = atoms.rem_euclid(held) + 1;
            let captured = desk.capture(place % open, atoms);
            assert_eq!(
                (captured.record.quantity, captured.shortfall),
                (q(atoms), None),
                "what is held is never refused"
            );
        }
        Step::CaptureMore(place, more) if open > 0 => {
            let held = desk.open[place % open].quantity;
            let captured = desk.capture(place % open, held.as_atoms() + more);
            let missing = captured.shortfall.map_or(Quantity::ZERO, |shortfall| shortfall.quantity);
            assert_eq!(
                captured.record.quantity.as_atoms() + missing.as_atoms(),
                held.as_atoms() + more,
                "nothing is lost"
            );
            assert!(missing.is_zero() || captured.record.quantity == held, "all or nothing beyond what was held");
        }
        Step::Release(place) if open > 0 => desk.release(place % open),
        Step::Revoke(place) if !desk.books.grants.is_empty() => {
            let count = desk.books.grants.len();
            desk.books.grants[place % count].revoke(now());
        }
        Step::Capture(..) | Step::CaptureMore(..) | Step::Release(_) | Step::Revoke(_) => {}
    }
}

fn plan_of(choice: u8) -> &'static str {
    ["plain", "tiered", "stepped", "prepaid"][usize::from(choice % 4)]
}

proptest! {
    #[test]
    fn however_uses_and_holds_interleave_the_books_agree_and_no_limit_is_passed(
        choice in any::<u8>(), cap in prop::option::of(0_i64..3_000_000_000), grants in prop::collection::vec(0_i64..40, 0..3),
        balance in 0_i64..3_000_000_000, steps in steps(),
    ) {
        let mut desk = Desk::new(plan_of(choice), cap, &grants).having(balance);
        for step in steps {
            take(&mut desk, step);
            desk.agrees(cap);
        }
        while !desk.open.is_empty() {
            let held = desk.open[0].quantity;
            desk.capture(0, held.as_atoms());
            desk.agrees(cap);
        }
        let counter = desk.counter();
        prop_assert_eq!((counter.reserved, counter.held_grants), (Quantity::ZERO, Quantity::ZERO));
    }

    /// What is only held never makes anything dearer: each use draws and costs what it would without any holds.
    #[test]
    fn captures_cost_what_consuming_the_same_quantities_in_their_order_costs(choice in 1_u8..4, steps in steps()) {
        let mut desk = Desk::new(plan_of(choice), None, &[]);
        for step in steps {
            take(&mut desk, step);
        }
        let mut plain = Desk::new(plan_of(choice), None, &[]);
        for record in &desk.records {
            let consumed = plain.consume(record.quantity.as_atoms()).unwrap();
            prop_assert_eq!(consumed.drawn, record.drawn);
        }
    }

    #[test]
    fn what_a_refused_reservation_says_remains_can_be_reserved_and_one_more_cannot(
        choice in any::<u8>(), cap in 0_i64..3_000_000_000, grants in prop::collection::vec(0_i64..40, 0..3),
        balance in 0_i64..3_000_000_000, steps in steps(),
    ) {
        let mut desk = Desk::new(plan_of(choice), Some(cap), &grants).having(balance);
        for step in steps {
            take(&mut desk, step);
        }
        let before = desk.books.counters.clone();
        let refused = desk.reserve(1_000_000_000);
        let Err(Rejection::Refused(refusal)) = refused else { return Err(TestCaseError::fail(format!("{refused:?}"))) };
        prop_assert_eq!(&desk.books.counters, &before, "a refusal leaves no trace");
        prop_assert!(desk.reserve(refusal.remaining.as_atoms() + 1).is_err());
        if refusal.remaining.is_positive() {
            prop_assert!(desk.reserve(refusal.remaining.as_atoms()).is_ok());
        }
    }
}

#[test]
fn nobody_can_draw_what_is_held() {
    let mut desk = Desk::new("plain", None, &[50]);
    desk.reserve(120).unwrap();
    assert!(desk.consume(31).is_err());
    desk.consume(30).unwrap();
    assert!(desk.reserve(1).is_err());
    desk.release(0);
    desk.consume(120).unwrap();
    desk.agrees(None);
}

#[test]
fn a_use_takes_the_held_allowance_in_exchange_rather_than_pay_for_overage() {
    let mut desk = Desk::new("tiered", None, &[]);
    desk.reserve(100).unwrap();
    let used = desk.consume(40).unwrap();
    assert_eq!((used.drawn.allowance, used.drawn.overage), (q(40), Quantity::ZERO));
    let captured = desk.capture(0, 100);
    assert_eq!((captured.record.drawn.allowance, captured.record.drawn.overage), (q(60), q(40)));
}

#[test]
fn the_cap_leaves_room_for_what_is_held() {
    // 20 words of overage fit: 0.60.
    let mut desk = Desk::new("tiered", Some(600_000_000), &[]);
    desk.reserve(115).unwrap();
    assert!(desk.consume(6).is_err(), "it would take the room of the hold");
    desk.consume(5).unwrap();
    assert_eq!(desk.capture(0, 115).shortfall, None);
    assert_eq!(desk.counter().drawn.fee.nanos(), 600_000_000);
}

#[test]
fn more_than_was_held_is_decided_anew_and_a_refusal_is_a_shortfall() {
    let mut desk = Desk::new("plain", None, &[]);
    desk.reserve(60).unwrap();
    let fits = desk.capture(0, 80);
    assert_eq!((fits.record.quantity, fits.shortfall), (q(80), None));
    desk.reserve(15).unwrap();
    let short = desk.capture(0, 25);
    let shortfall = Shortfall { quantity: q(10), refused_by: Some(LimitKind::PlanAllowance) };
    assert_eq!((short.record.quantity, short.shortfall), (q(15), Some(shortfall)));
    desk.agrees(None);
}

#[test]
fn a_reservation_holds_its_price_and_others_spend_the_rest() {
    // Ten words cost 0.30, and 0.50 are there.
    let mut desk = Desk::new("prepaid", None, &[]).having(500_000_000);
    desk.reserve(110).unwrap();
    assert_eq!(desk.wallet().held.nanos(), 300_000_000);
    let refused = desk.consume(7).unwrap_err();
    assert!(
        matches!(&refused, Rejection::Refused(refusal) if refusal.limit == LimitKind::Wallet
        && refusal.remaining == q(6)),
        "{refused:?}"
    );
    let used = desk.consume(6).unwrap();
    assert_eq!((used.drawn.allowance, used.drawn.paid.nanos()), (q(6), 0), "the held allowance in exchange");
    assert_eq!(desk.wallet().held.nanos(), 480_000_000);
    let captured = desk.capture(0, 110);
    assert_eq!((captured.record.amount().nanos(), captured.shortfall), (480_000_000, None));
    assert_eq!((desk.wallet().balance.nanos(), desk.wallet().held.nanos()), (20_000_000, 0));
    desk.agrees(None);
}

#[test]
fn less_than_was_held_gives_the_rest_of_the_money_back_and_more_is_a_shortfall() {
    let mut desk = Desk::new("prepaid", None, &[]).having(300_000_000);
    desk.reserve(105).unwrap();
    desk.capture(0, 101);
    assert_eq!((desk.wallet().balance.nanos(), desk.wallet().held.nanos()), (270_000_000, 0));
    desk.reserve(5).unwrap();
    let short = desk.capture(0, 10);
    let shortfall = Shortfall { quantity: q(5), refused_by: Some(LimitKind::Wallet) };
    assert_eq!((short.record.amount().nanos(), short.shortfall), (150_000_000, Some(shortfall)));
    desk.agrees(None);
}

#[test]
fn a_promise_that_the_wallet_cannot_pay_since_prices_rose_is_kept_all_the_same() {
    let mut desk = Desk::new("prepaid", None, &[]).having(60_000_000);
    desk.reserve(102).unwrap();
    let mut dearer = (*desk.books.current.version).clone();
    for terms in dearer.plan.meters.values_mut() {
        let tier = crate::plans::Tier { up_to: None, per: q(1), price: Money::from_nanos(50_000_000, Currency::CNY) };
        terms.on_exhausted = OnExhausted::Wallet(Tariff::new(vec![tier], crate::plans::Rounding::Exact).unwrap());
    }
    desk.books.current.version = Arc::new(dearer);
    let captured = desk.capture(0, 102);
    let drawn = captured.record.drawn;
    assert_eq!((drawn.allowance, drawn.wallet, drawn.paid.nanos()), (q(101), q(1), 50_000_000));
    assert_eq!((desk.wallet().balance.nanos(), desk.wallet().held.nanos()), (10_000_000, 0));
}

#[test]
fn what_was_held_is_captured_from_a_frozen_account_and_after_the_plan_shrank() {
    let mut desk = Desk::new("plain", None, &[]);
    desk.reserve(90).unwrap();
    desk.books.account.status = crate::accounts::AccountStatus::Frozen;
    let mut smaller = (*desk.books.current.version).clone();
    smaller.plan.meters.clear();
    desk.books.current.version = Arc::new(smaller);
    let captured = desk.capture(0, 91);
    assert_eq!(captured.record.drawn.allowance, q(90));
    assert_eq!(captured.shortfall, Some(Shortfall { quantity: q(1), refused_by: Some(LimitKind::AccountStatus) }));
}

#[test]
fn a_grant_that_expires_under_a_hold_pays_for_its_capture_and_for_nothing_else() {
    let mut desk = Desk::new("plain", None, &[30]);
    let reservation = desk.reserve(125).unwrap();
    let mut expired = desk.books.grants.pop().unwrap();
    assert_eq!((expired.held, expired.remaining), (q(25), q(5)));
    expired.expires_at = Some(now());
    desk.books.add_held_grant(expired, now());
    assert!(desk.consume(1).is_err());
    let captured = desk.capture(0, 125);
    assert_eq!(captured.record.grants, reservation.grants().collect::<Vec<_>>());
    assert_eq!(desk.books.changed_grants()[0].remaining, q(5));
}

#[test]
fn what_is_let_go_of_a_revoked_grant_is_revoked() {
    let mut desk = Desk::new("plain", None, &[30]);
    desk.reserve(120).unwrap();
    assert_eq!(desk.books.grants[0].revoke(now()), q(10));
    let captured = desk.capture(0, 105);
    assert_eq!(captured.record.drawn.grants, q(5));
    let grant = &desk.books.grants[0];
    assert_eq!((grant.remaining, grant.held, grant.revoked), (Quantity::ZERO, Quantity::ZERO, q(25)));
}

#[test]
fn warnings_fire_on_what_is_used_and_not_on_what_is_held() {
    let mut desk = Desk::new("plain", None, &[]);
    desk.reserve(100).unwrap();
    assert!(desk.books.fired().is_empty());
    desk.capture(0, 80);
    assert_eq!(desk.books.fired().len(), 1);
}
