//! What the demo has to sell, what its user has to spend, and the calls that a newcomer is shown: by what the product's
//! plans live on.

use super::admin::said;
use super::seed_people::Seeding;
use domain::actor::Actor;
use domain::error::Error;
use domain::idempotency::IdempotentRequest;
use domain::identity::User;
use domain::orders::ProductWish;
use domain::plans::{Allowance, OnExhausted, Plan};
use domain::wallet::AdjustmentWish;
use serde_json::{Value, json};

/// What the pack is called in orders.
const PACK: &str = "demo-pack";
const PACK_UNITS: &str = "100";
const PACK_PRICE: &str = "9.90";
/// Whoever pays call by call begins with so much.
const BALANCE: &str = "10.00";
/// More than the plan of the default configuration includes.
const MORE_THAN_INCLUDED: (&str, &str, u32) = ("professional", "words", 300_500);

impl Seeding {
    /// Makes what is missing; answers what to try.
    pub(super) async fn complete_shop(&self, operator: &Actor, user: &User) -> anyhow::Result<Value> {
        let plan = self.plan_of(user).await?;
        let Some((meter, terms)) = plan.meters.iter().next() else { return Ok(Value::Null) };
        let (professional, words, many) = MORE_THAN_INCLUDED;
        if self.past.catalogue.plans.get(professional).is_some_and(|known| *known == plan) {
            return Ok(json!({"meter": words, "quantity": many}));
        }
        let is_empty = terms.included == Allowance::Limited(domain::quantity::Quantity::ZERO);
        match &terms.on_exhausted {
            OnExhausted::Wallet(_) => self.fill_wallet(operator, user).await?,
            OnExhausted::Refuse if is_empty => {
                self.put_on_sale(operator, meter.as_str()).await?;
                return Ok(json!({"meter": meter.as_str(), "quantity": 1, "product": PACK}));
            }
            OnExhausted::Refuse | OnExhausted::Overage(_) => {}
        }
        Ok(json!({"meter": meter.as_str(), "quantity": 1}))
    }

    async fn plan_of(&self, user: &User) -> anyhow::Result<Plan> {
        let quota = self.today.metering.quota(user.personal_account).await.map_err(said)?;
        let code = quota.subscription.chosen.plan;
        let known = self.past.catalogue.plans.get(code.as_str()).cloned();
        known.ok_or_else(|| anyhow::anyhow!("the plan {} is not on sale", code.as_str()))
    }

    async fn fill_wallet(&self, operator: &Actor, user: &User) -> anyhow::Result<()> {
        let wish = AdjustmentWish { amount: BALANCE.to_owned(), currency: None, reason: "demo".to_owned() };
        let key = "demo-balance".to_owned();
        let once = IdempotentRequest { user: operator.user, scope: "demo", fingerprint: key.clone(), key };
        self.past.ledger.adjust(operator, user.personal_account, &wish, &once).await.map(drop).map_err(said)
    }

    async fn put_on_sale(&self, operator: &Actor, meter: &str) -> anyhow::Result<()> {
        let wish = ProductWish {
            code: PACK.to_owned(),
            name: "Demo pack".to_owned(),
            description: None,
            meter: meter.to_owned(),
            quantity: PACK_UNITS.to_owned(),
            models: None,
            valid_days: None,
            price: PACK_PRICE.to_owned(),
            sort: 0,
            enabled: true,
        };
        match self.past.shop.create(operator, &wish).await {
            // It is there from an earlier start.
            Ok(_) | Err(Error::Conflict { .. }) => Ok(()),
            Err(error) => Err(said(error)),
        }
    }
}

/// Curls to copy.
pub(super) fn calls(base: &str, key: &str, token: &str, shown: &Value) -> String {
    let meter = shown["meter"].as_str().unwrap_or("words");
    let (quantity, product) = (&shown["quantity"], shown["product"].as_str());
    let json = "-H 'Content-Type: application/json'";
    let usage = json!({"meter": meter, "quantity": quantity, "key": "my-first-job"});
    let wanted = match product {
        Some(code) => json!({"product": code, "provider": "wechat"}),
        None => json!({"topup": {"amount": "10.00", "currency": shown["currency"]}, "provider": "wechat"}),
    };
    let use_it = format!("curl -s {base}/api/v1/usage -H 'Authorization: Bearer {key}' {json} -d '{usage}'");
    let look = format!("curl -s {base}/api/v1/quota -H 'Authorization: Bearer {key}'");
    let order = format!(
        "curl -s {base}/api/v1/orders -H 'Authorization: Bearer {token}' -H 'Idempotency-Key: first' {json} -d '{wanted}'"
    );
    let bought = "Buy something; the answer names the page at which to pay:";
    match product {
        Some(_) => format!("{bought}\n\n{order}\n\nThen use it:\n\n{use_it}\n\n{look}\n"),
        None => format!("{}\n\n{use_it}\n\n{look}\n\n{bought}\n\n{order}\n", try_it(quantity)),
    }
}

fn try_it(quantity: &Value) -> &'static str {
    if *quantity == json!(MORE_THAN_INCLUDED.2) {
        "Try it; the first time this crosses both warnings and pays for 500 words beyond the plan:"
    } else {
        "Try it:"
    }
}
