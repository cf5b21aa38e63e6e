//! An account at which uses and reservations follow each other, and what must be true of its books after each.

use super::*;

pub const INCLUDED: i64 = 100;
/// More than any steps cost.
pub const RICH: i64 = 1_000_000_000_000;

pub fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_000_000, 0).unwrap()
}

pub fn q(atoms: i64) -> Quantity {
    Quantity::atoms(atoms)
}

/// A hundred words; `plain` refuses more, `tiered` gets cheaper after 60, `stepped` counts started tens whole, and
/// `prepaid` takes the price of `tiered` from the wallet.
pub fn catalogue() -> Catalogue {
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

pub fn on(catalogue: &Catalogue, plan: &str) -> PlanPeriod {
    let plan = catalogue.plans.values().find(|found| found.code.as_str() == plan).unwrap().clone();
    let version =
        PlanVersion { id: PlanVersionId::new(now()), plan, number: 1, content_hash: String::new(), created_at: now() };
    let period = Period { start: now() - TimeDelta::days(1), end: now() + TimeDelta::days(29) };
    PlanPeriod { period, version: Arc::new(version), seats: 1, closed: false }
}

pub fn grant(account: AccountId, n: i64, atoms: i64) -> Grant {
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
pub struct Desk {
    pub catalogue: Catalogue,
    pub books: AccountBooks,
    pub keys: KeyAllowances,
    pub open: Vec<Reservation>,
    pub records: Vec<UsageRecord>,
    pub names: u32,
}

impl Desk {
    pub fn new(plan: &str, cap: Option<i64>, grants: &[i64]) -> Self {
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
    pub fn having(mut self, nanos: i64) -> Self {
        let balance = Money::from_nanos(nanos, Currency::CNY);
        self.books.add_wallet(Wallet { balance, ..Wallet::empty(self.books.account.id, Currency::CNY) });
        self
    }

    /// The wallet as it would be written.
    pub fn wallet(&self) -> Wallet {
        let purse = self.books.purse(Currency::CNY);
        let mut posting = Posting::over([purse.opened().clone()]);
        purse.post(&mut posting, now()).unwrap();
        posting.wallet(self.books.account.id, Currency::CNY)
    }

    pub fn meter(&self) -> Meter {
        self.catalogue.meters.values().next().unwrap().clone()
    }

    pub fn wanted(&mut self, atoms: i64) -> Consume {
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

    pub fn consume(&mut self, atoms: i64) -> Result<UsageRecord, Rejection> {
        let (wanted, meter) = (self.wanted(atoms), self.meter());
        let record = self.books.consume(&mut self.keys, &wanted, &meter, now())?;
        self.records.push(record.clone());
        Ok(record)
    }

    pub fn reserve(&mut self, atoms: i64) -> Result<Reservation, Rejection> {
        let command = Reserve { wanted: self.wanted(atoms), ttl: TimeDelta::minutes(1) };
        let meter = self.meter();
        let reservation = self.books.reserve(&mut self.keys, &command, &meter, now())?;
        self.open.push(reservation.clone());
        Ok(reservation)
    }

    pub fn capture(&mut self, place: usize, atoms: i64) -> Captured {
        let (reservation, meter) = (self.open.remove(place), self.meter());
        let captured = self.books.capture(&mut self.keys, (&reservation, q(atoms)), &meter, now()).unwrap();
        self.records.push(captured.record.clone());
        captured
    }

    pub fn release(&mut self, place: usize) {
        let reservation = self.open.remove(place);
        self.books.release(&mut self.keys, &reservation, now());
    }

    pub fn counter(&self) -> Counter {
        let plan = &self.books.current;
        let fresh = || {
            let (account, meter) = (self.books.account.id, MeterCode::parse("words").unwrap());
            Counter::opening(account, crate::quota::Subject::Account, meter, plan.period, plan.version.plan.currency)
        };
        self.books.counters.values().next().map_or_else(fresh, |counter| Counter::clone(counter))
    }

    pub fn tariff(&self) -> Option<Tariff> {
        let terms = self.books.current.version.plan.terms(&MeterCode::parse("words").unwrap()).unwrap();
        match &terms.on_exhausted {
            OnExhausted::Overage(tariff) | OnExhausted::Wallet(tariff) => Some(tariff.clone()),
            OnExhausted::Refuse => None,
        }
    }

    /// Everything that must be true at every moment.
    pub fn agrees(&self, cap: Option<i64>) {
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
    pub fn wallet_agrees(&self, counter: &Counter, tariff: &Tariff) {
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
