//! One process: every service over the database in memory, wired as the server wires them.

use crate::core::Sim;
use crate::doubles::{Bytes, OpenVault, PlainHasher, Receivers, WholeNumbers};
use crate::provider::SimProvider;
use chrono::TimeDelta;
use domain::accounts::{AccountService, RegistrationService};
use domain::billing::{BillDelivery, BillingHook, BillingService, ChargingService};
use domain::identity::{IdentityService, SecretSource};
use domain::incentives::{
    CheckInService, CheckInTerms, RedemptionService, ReferralService, ReferralTerms, Referrals, Reward, RewardedOn,
};
use domain::metering::{MeteringService, RetentionService};
use domain::money::Money;
use domain::notices::{Courier, FanOut, Locale};
use domain::orders::{
    Delivery, OrderService, PaymentProvider, PaymentProviders, PaymentRules, ProductDelivery, Settlement, ShopService,
    TopUpDelivery,
};
use domain::plans::{Catalogue, PeriodHook, PlanService, SubscribedTeams, SubscriptionService};
use domain::quota::{GaugeCarry, GrantService};
use domain::sealed::ResealService;
use domain::site_options::LiveOptions;
use domain::store::Store;
use domain::teams::TeamService;
use domain::time::Clock;
use domain::wallet::{ApprovalRule, LedgerService};
use std::sync::Arc;
use uuid::Uuid;

/// How long usage rows stay at least.
const KEPT: TimeDelta = TimeDelta::days(35);
/// Nobody is logged out by time alone.
const SESSION_LIFETIME: TimeDelta = TimeDelta::days(3_650);

/// One process.
pub struct Replica {
    pub identity: IdentityService,
    pub registration: RegistrationService,
    pub accounts: AccountService,
    pub metering: MeteringService,
    pub grants: GrantService,
    pub ledger: LedgerService,
    pub plans: PlanService,
    pub subscriptions: SubscriptionService,
    pub billing: Arc<BillingService>,
    pub charging: ChargingService,
    pub orders: OrderService,
    pub shop: ShopService,
    pub teams: TeamService,
    pub redemptions: RedemptionService,
    pub check_ins: CheckInService,
    pub referrals: ReferralService,
    pub fan_out: FanOut,
    pub courier: Courier,
    pub seals: ResealService,
    pub retention: RetentionService,
}

/// What both processes share.
pub struct Shared {
    pub store: Arc<dyn Store>,
    pub sim: Arc<Sim>,
    pub catalogue: Arc<Catalogue>,
    pub provider: Arc<SimProvider>,
    pub receivers: Arc<Receivers>,
    pub secrets: Arc<Bytes>,
}

impl Shared {
    fn money(&self, cents: i64) -> Money {
        Money::from_nanos(cents * 10_000_000, self.catalogue.currency)
    }

    fn store(&self) -> Arc<dyn Store> {
        self.store.clone()
    }

    fn clock(&self) -> Arc<dyn Clock> {
        self.sim.clone()
    }

    fn hook(&self) -> Arc<dyn PeriodHook> {
        let gauges = GaugeCarry { catalogue: self.catalogue.clone() };
        Arc::new(BillingHook { gauges, catalogue: self.catalogue.clone() })
    }

    fn referrals(&self) -> Referrals {
        let terms = ReferralTerms {
            rewarded_on: RewardedOn::FirstPayment,
            inviter: Some(self.money(300)),
            invitee: Some(Reward::Money(self.money(100))),
            least_transfer: self.money(100),
        };
        Referrals { catalogue: self.catalogue.clone(), secrets: self.secrets.clone(), terms }
    }

    fn orders(&self) -> OrderService {
        let bills = BillDelivery { catalogue: self.catalogue.clone(), hook: self.hook() };
        let deliveries: Vec<Arc<dyn Delivery>> =
            vec![Arc::new(ProductDelivery), Arc::new(TopUpDelivery), Arc::new(bills)];
        let provider: Arc<dyn PaymentProvider> = self.provider.clone();
        OrderService {
            store: self.store(),
            clock: self.clock(),
            catalogue: self.catalogue.clone(),
            providers: PaymentProviders::new(vec![provider]),
            settlement: Settlement {
                deliveries: deliveries.into(),
                hooks: vec![Arc::new(self.referrals()) as _].into(),
            },
            rules: Arc::new(PaymentRules {
                top_up: (self.money(100), self.money(500_000)),
                order_life: TimeDelta::minutes(30),
                manual_life: TimeDelta::days(7),
                kept_refused: 64,
                public_url: "https://shop.example/api/v1".to_owned(),
            }),
            collector: None,
        }
    }

    fn identity(&self) -> IdentityService {
        IdentityService {
            store: self.store(),
            clock: self.clock(),
            hasher: Arc::new(PlainHasher(self.sim.clone())),
            secrets: self.secrets.clone(),
            session_lifetime: SESSION_LIFETIME,
        }
    }

    fn registration(&self) -> RegistrationService {
        let IdentityService { store, clock, hasher, secrets, session_lifetime } = self.identity();
        let (options, hook) = (Arc::new(LiveOptions::default()), Arc::new(self.referrals()));
        RegistrationService { store, clock, hasher, secrets, session_lifetime, options, hook }
    }

    /// Another process.
    pub fn replica(&self, holder: u128) -> Replica {
        let (store, clock, catalogue) = (self.store(), self.clock(), self.catalogue.clone());
        let secrets: Arc<dyn SecretSource> = self.secrets.clone();
        let subscriptions = SubscriptionService {
            store: store.clone(),
            clock: clock.clone(),
            catalogue: catalogue.clone(),
            hook: self.hook(),
        };
        let billing = Arc::new(BillingService {
            store: store.clone(),
            clock: clock.clone(),
            catalogue: catalogue.clone(),
            hook: self.hook(),
            subscriptions: subscriptions.clone(),
        });
        let metering = MeteringService::new(store.clone(), clock.clone(), catalogue.clone());
        Replica {
            identity: self.identity(),
            registration: self.registration(),
            accounts: AccountService { store: store.clone(), clock: clock.clone(), currency: catalogue.currency },
            metering: metering.with_hook(self.hook()),
            grants: GrantService { store: store.clone(), clock: clock.clone(), catalogue: catalogue.clone() },
            ledger: LedgerService {
                store: store.clone(),
                clock: clock.clone(),
                currency: catalogue.currency,
                approval: ApprovalRule { above: Some(self.money(5_000)) },
            },
            plans: PlanService { store: store.clone(), clock: clock.clone(), catalogue: catalogue.clone() },
            subscriptions,
            charging: ChargingService { billing: billing.clone(), orders: self.orders() },
            billing,
            orders: self.orders(),
            shop: ShopService { store: store.clone(), clock: clock.clone(), catalogue: catalogue.clone() },
            teams: TeamService {
                store: store.clone(),
                clock: clock.clone(),
                secrets: secrets.clone(),
                meters: Arc::new(WholeNumbers),
                plans: Arc::new(SubscribedTeams { catalogue: catalogue.clone(), hook: self.hook() }),
            },
            redemptions: RedemptionService {
                store: store.clone(),
                clock: clock.clone(),
                catalogue: catalogue.clone(),
                secrets: secrets.clone(),
                vault: Arc::new(OpenVault),
            },
            check_ins: CheckInService {
                store: store.clone(),
                clock: clock.clone(),
                catalogue: catalogue.clone(),
                secrets: secrets.clone(),
                terms: Some(CheckInTerms { least: Reward::Money(self.money(1)), most: Reward::Money(self.money(9)) }),
            },
            referrals: ReferralService { store: store.clone(), clock: clock.clone(), referrals: self.referrals() },
            fan_out: FanOut { store: store.clone(), clock: clock.clone(), mail: true, holder: Uuid::from_u128(holder) },
            seals: ResealService { store: store.clone(), clock: clock.clone(), keys: Arc::new(OpenVault) },
            retention: RetentionService {
                store: store.clone(),
                clock: clock.clone(),
                months_ahead: 1,
                kept: Some(KEPT),
            },
            courier: Courier {
                store,
                clock,
                webhooks: self.receivers.clone(),
                mailer: self.receivers.clone(),
                random: secrets,
                locale: Locale::English,
                zone: catalogue.zone,
            },
        }
    }
}
