//! The composition root: builds adapters and services from settings.

use crate::committer::{CommitBounds, Committer};
use crate::http::intake::Intake;
use crate::quota_answers::QuotaAnswers;
use crate::services::Services;
use crate::settings::{Profile, Settings};
use crate::wiring_stores::Stores;
use crate::{
    wiring_incentives as incentives, wiring_notices as notices, wiring_payments as payments,
    wiring_receipts as receipts,
};
use anyhow::Context;
use chrono::TimeDelta;
use domain::accounts::{AccountService, KeyService, OAuthService, OperatorService, OptionService, RegistrationService};
use domain::billing::{BillingHook, BillingService, ChargingService};
use domain::identity::{IdentityProviders, IdentityService, MeterScales, PasswordHasher, SecretSource};
use domain::metering::{MeteringService, RetentionService};
use domain::plans::{Catalogue, MeterCode, PeriodHook, PlanService, SubscribedTeams, SubscriptionService};
use domain::quota::{GaugeCarry, GrantService};
use domain::sealed::ResealService;
use domain::site_options::LiveOptions;
use domain::store::Store;
use domain::teams::TeamService;
use domain::time::Clock;
use domain::wallet::LedgerService;
use infra::clock::{SystemClock, TestClock};
use infra::crypto::{Argon2Hasher, Keyring, OsSecrets};
use infra::oauth::Providers;
use secrecy::ExposeSecret;
use std::sync::{Arc, Once};
use std::time::Duration;
use tokio::runtime::Handle;

pub use crate::wiring_stores::database_settings;

/// The name of the option that keeps the test clock's time.
pub const TEST_CLOCK_OPTION: &str = "test_clock";

/// Connects and builds every service. The database is migrated already.
pub async fn wire(settings: &Settings) -> anyhow::Result<Arc<Services>> {
    let stores = Box::pin(Stores::connect(settings)).await?;
    let test_clock = settings.clock.test.then(|| Arc::new(TestClock::default()));
    let clock: Arc<dyn Clock> = match &test_clock {
        Some(clock) => clock.clone(),
        None => Arc::new(SystemClock),
    };
    Ok(Arc::new(build(settings, &stores, clock, test_clock)?))
}

/// As `wire`, at another clock's time: for demo data that began in the past.
pub async fn wire_at(settings: &Settings, clock: Arc<dyn Clock>) -> anyhow::Result<Arc<Services>> {
    Ok(Arc::new(build(settings, &Box::pin(Stores::connect(settings)).await?, clock, None)?))
}

/// The use cases of metering, and the committers, who have them on connections of their own.
fn metering(
    stores: &Stores,
    settings: &Settings,
    clock: &Arc<dyn Clock>,
    (catalogue, hook): (&Arc<Catalogue>, &Arc<dyn PeriodHook>),
) -> (Arc<MeteringService>, Committer) {
    let over = |store: &Arc<dyn Store>| {
        Arc::new(MeteringService::new(store.clone(), clock.clone(), catalogue.clone()).with_hook(hook.clone()))
    };
    let bounds = CommitBounds { queue: settings.limits.commit_queue, batch: settings.limits.commit_batch };
    let committer = Committer::start(&over(&stores.committers), stores.shards, bounds, &Handle::current());
    (over(&stores.general), committer)
}

fn build(
    settings: &Settings,
    stores: &Stores,
    clock: Arc<dyn Clock>,
    test_clock: Option<Arc<TestClock>>,
) -> anyhow::Result<Services> {
    let store = stores.general.clone();
    let catalogue = Arc::new(settings.catalogue().clone());
    let hasher: Arc<dyn PasswordHasher> = Arc::new(Argon2Hasher::standard()?);
    let secrets: Arc<dyn SecretSource> = Arc::new(OsSecrets);
    let gauges = GaugeCarry { catalogue: catalogue.clone() };
    let hook: Arc<dyn PeriodHook> = Arc::new(BillingHook { gauges, catalogue: catalogue.clone() });
    let (metering, committer) = metering(stores, settings, &clock, (&catalogue, &hook));
    let session_lifetime = TimeDelta::hours(i64::from(settings.sessions.ttl_hours));
    let meters: Arc<dyn MeterScales> = Arc::new(Scales(catalogue.clone()));
    let subscriptions = SubscriptionService {
        store: store.clone(),
        clock: clock.clone(),
        catalogue: catalogue.clone(),
        hook: hook.clone(),
    };
    let identity = IdentityService {
        store: store.clone(),
        clock: clock.clone(),
        hasher: hasher.clone(),
        secrets: secrets.clone(),
        session_lifetime,
    };
    let live: Arc<LiveOptions> = Arc::default();
    let keys = keyring(settings)?;
    let incentives = incentives::build(settings, (&store, &clock), &catalogue, (&secrets, &keys));
    let registration = RegistrationService {
        store: store.clone(),
        clock: clock.clone(),
        hasher: hasher.clone(),
        secrets: secrets.clone(),
        session_lifetime,
        options: live.clone(),
        hook: Arc::new(incentives.referrals.referrals.clone()),
    };
    // The world outside lives in real time, whatever a test clock says.
    let real_time: Arc<dyn Clock> = Arc::new(SystemClock);
    let providers = Providers::new(settings.oauth.provider_settings(), &real_time);
    let providers: Arc<dyn IdentityProviders> = Arc::new(providers.context("cannot speak to identity providers")?);
    let paid = Arc::new(incentives.referrals.referrals.clone());
    let orders = payments::orders(settings, &store, &clock, &catalogue, (paid, &hook))?;
    let billing = Arc::new(BillingService {
        store: store.clone(),
        clock: clock.clone(),
        catalogue: catalogue.clone(),
        hook: hook.clone(),
        subscriptions: subscriptions.clone(),
    });
    let (recurring, orders) = payments::recurring(settings, &billing, orders)?;
    let notices = notices::build(settings, &store, &clock, (&secrets, &keys))?;
    Ok(Services {
        redemptions: incentives.redemptions,
        check_ins: incentives.check_ins,
        referrals: incentives.referrals,
        verifications: incentives::verification(settings, (&store, &clock), &keys)?,
        resealing: ResealService { store: store.clone(), clock: clock.clone(), keys },
        orders: orders.clone(),
        shop: payments::shop(&store, &clock, &catalogue),
        notices: notices.notices,
        webhooks: notices.webhooks,
        dead_letters: notices.dead_letters,
        fan_out: notices.fan_out,
        courier: notices.courier,
        oauth: OAuthService { registration: registration.clone(), providers },
        registration,
        options: OptionService { store: store.clone(), clock: clock.clone(), live: live.clone() },
        accounts: AccountService { store: store.clone(), clock: clock.clone(), currency: catalogue.currency },
        teams: TeamService {
            store: store.clone(),
            clock: clock.clone(),
            secrets: secrets.clone(),
            meters: meters.clone(),
            plans: Arc::new(SubscribedTeams { catalogue: catalogue.clone(), hook: hook.clone() }),
        },
        keys: KeyService { store: store.clone(), clock: clock.clone(), secrets, meters, options: live },
        operators: OperatorService { store: store.clone(), clock: clock.clone() },
        plans: PlanService { store: store.clone(), clock: clock.clone(), catalogue: catalogue.clone() },
        receipts: receipts::build(settings, &billing),
        recurring,
        charging: ChargingService { billing: billing.clone(), orders: orders.clone() },
        billing,
        subscriptions,
        grants: GrantService { store: store.clone(), clock: clock.clone(), catalogue: catalogue.clone() },
        ledger: LedgerService {
            store: store.clone(),
            clock: clock.clone(),
            currency: catalogue.currency,
            approval: settings.wallet.approval(),
        },
        retention: retention(settings, &store, &clock),
        quota_answers: QuotaAnswers::default(),
        committer,
        metering,
        intake: Intake::new(settings.server.body_limit_bytes, Duration::from_secs(settings.server.body_seconds)),
        batch_limit: settings.limits.batch_events,
        runtime: Handle::current(),
        identity,
        store,
        clock,
        test_clock,
        catalogue,
    })
}

/// Whether the missing key was spoken of: seeding wires the services more than once.
static SAID: Once = Once::new();

/// Production that needs a key was refused without one before it came here; what needs none goes without.
fn keyring(settings: &Settings) -> anyhow::Result<Arc<Keyring>> {
    let keys = &settings.security.encryption_keys;
    if !keys.is_empty() {
        let keys = Keyring::parse(keys.iter().map(ExposeSecret::expose_secret));
        return keys.map(Arc::new).map_err(anyhow::Error::msg);
    }
    if settings.profile == Profile::Production {
        return Ok(Arc::new(Keyring::without_keys()));
    }
    SAID.call_once(|| {
        tracing::warn!("security.encryption_keys is empty: secrets are encrypted with a public development key");
    });
    Ok(Arc::new(Keyring::development()))
}

fn retention(settings: &Settings, store: &Arc<dyn Store>, clock: &Arc<dyn Clock>) -> RetentionService {
    let days = settings.retention.usage_days;
    RetentionService {
        store: store.clone(),
        clock: clock.clone(),
        months_ahead: settings.retention.months_ahead,
        kept: (days > 0).then(|| TimeDelta::days(i64::from(days))),
    }
}

/// The decimals of each meter, for API keys' allowances.
struct Scales(Arc<Catalogue>);

impl MeterScales for Scales {
    fn scale(&self, meter: &str) -> Option<u8> {
        let code = MeterCode::parse(meter)?;
        self.0.meters.get(&code).map(|meter| meter.scale)
    }
}
