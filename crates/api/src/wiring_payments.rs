//! Builds what orders need: providers, deliveries, rules.

use crate::openapi::BASE;
use crate::settings::Settings;
use anyhow::Context;
use chrono::TimeDelta;
use domain::billing::{BillDelivery, BillingService, RecurringService};
use domain::orders::{
    Delivery, OrderService, PaidHook, PaymentProvider, PaymentProviders, PaymentRules, ProductDelivery, Settlement,
    ShopService, TopUpDelivery,
};
use domain::plans::{Catalogue, PeriodHook};
use domain::store::Store;
use domain::time::Clock;
use infra::manual_payments::ManualPayments;
use std::sync::Arc;

/// `paid` hears that somebody paid.
pub fn orders(
    settings: &Settings,
    store: &Arc<dyn Store>,
    clock: &Arc<dyn Clock>,
    catalogue: &Arc<Catalogue>,
    (paid, periods): (Arc<dyn PaidHook>, &Arc<dyn PeriodHook>),
) -> anyhow::Result<OrderService> {
    let payments = &settings.payments;
    let top_up = payments.top_up.bounds(catalogue.currency).context("payments.top_up holds no amounts")?;
    let rules = PaymentRules {
        top_up,
        order_life: TimeDelta::minutes(i64::from(payments.order_minutes)),
        manual_life: TimeDelta::days(i64::from(payments.manual.days)),
        kept_refused: u64::from(payments.kept_refused_per_hour),
        public_url: format!("{}{BASE}", settings.oauth.public_url.trim_end_matches('/')),
    };
    Ok(OrderService {
        store: store.clone(),
        clock: clock.clone(),
        catalogue: catalogue.clone(),
        providers: PaymentProviders::new(providers(settings, clock)?),
        settlement: Settlement { deliveries: deliveries(catalogue, periods).into(), hooks: vec![paid].into() },
        rules: Arc::new(rules),
        collector: None,
    })
}

pub fn shop(store: &Arc<dyn Store>, clock: &Arc<dyn Clock>, catalogue: &Arc<Catalogue>) -> ShopService {
    ShopService { store: store.clone(), clock: clock.clone(), catalogue: catalogue.clone() }
}

/// Who charges by itself: Stripe, where it is set; and orders whose reconciliation collects what was charged.
pub fn recurring(
    settings: &Settings,
    billing: &Arc<BillingService>,
    orders: OrderService,
) -> anyhow::Result<(Arc<RecurringService>, OrderService)> {
    let provider = settings.payments.online.build_recurring(&settings.oauth.public_url);
    let recurring = Arc::new(RecurringService {
        billing: billing.clone(),
        provider: provider.map_err(anyhow::Error::msg)?,
        return_url: settings.oauth.public_url.clone(),
    });
    let orders = OrderService { collector: Some(recurring.clone()), ..orders };
    Ok((recurring, orders))
}

/// How each purpose is delivered.
fn deliveries(catalogue: &Arc<Catalogue>, hook: &Arc<dyn PeriodHook>) -> Vec<Arc<dyn Delivery>> {
    let bills = BillDelivery { catalogue: catalogue.clone(), hook: hook.clone() };
    vec![Arc::new(ProductDelivery), Arc::new(TopUpDelivery), Arc::new(bills)]
}

/// The providers that the settings offer.
fn providers(settings: &Settings, clock: &Arc<dyn Clock>) -> anyhow::Result<Vec<Arc<dyn PaymentProvider>>> {
    let online = settings.payments.online.build(&settings.oauth.public_url);
    let mut offered = online.map_err(anyhow::Error::msg)?;
    let manual = &settings.payments.manual;
    if manual.enabled {
        offered.push(Arc::new(ManualPayments { instructions: manual.instructions.clone(), clock: clock.clone() }));
    }
    Ok(offered)
}
