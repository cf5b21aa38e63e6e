//! Subscriptions: checkout, portal, cancellation, and what Stripe says of them.

use super::Stripe;
use super::amounts::{from_stripe, to_stripe};
use super::calls::{Fields, escaped, field, is};
use super::checkout::{MISSING, Session};
use super::refunds::Metadata;
use crate::payments::outside::cut;
use chrono::{DateTime, Utc};
use domain::orders::{
    CHECKED_OUT, CancelWhen, Checkout, CheckoutRequest, ProviderError, ProviderNumber, ProviderResult,
    ProviderSubscription, ProviderSubscriptionStatus as Status,
};
use domain::plans::Interval;
use domain::time::Period;
use serde::Deserialize;

#[derive(Deserialize)]
struct Portal {
    url: String,
}

#[derive(Deserialize)]
struct Items {
    data: Vec<Item>,
}

#[derive(Deserialize)]
struct Item {
    #[serde(default = "one")]
    quantity: u32,
    price: Price,
    current_period_start: i64,
    current_period_end: i64,
}

fn one() -> u32 {
    1
}

#[derive(Deserialize)]
struct Price {
    #[serde(default)]
    unit_amount: Option<i64>,
    currency: String,
}

#[derive(Deserialize)]
pub struct Subscription {
    id: String,
    customer: String,
    status: String,
    #[serde(default)]
    metadata: Metadata,
    items: Items,
    #[serde(default)]
    cancel_at_period_end: bool,
    #[serde(default)]
    ended_at: Option<i64>,
}

pub fn period(start: i64, end: i64) -> Option<Period> {
    let (start, end) = (DateTime::<Utc>::from_timestamp(start, 0)?, DateTime::<Utc>::from_timestamp(end, 0)?);
    (start < end).then_some(Period { start, end })
}

fn status(text: &str) -> Option<Status> {
    Some(match text {
        "incomplete" => Status::Incomplete,
        "incomplete_expired" => Status::IncompleteExpired,
        "trialing" => Status::Trialing,
        "active" => Status::Active,
        "past_due" => Status::PastDue,
        "unpaid" => Status::Unpaid,
        "paused" => Status::Paused,
        "canceled" => Status::Cancelled,
        _ => return None,
    })
}

impl Subscription {
    /// `None` when it is of a kind that we never make, such as one without items.
    pub fn read(&self) -> Option<ProviderSubscription> {
        let item = self.items.data.first()?;
        let ended_at = self.ended_at.map(|at| DateTime::from_timestamp(at, 0));
        Some(ProviderSubscription {
            reference: self.id.clone(),
            customer: self.customer.clone(),
            number: self.metadata.number.as_deref().and_then(ProviderNumber::parse),
            status: status(&self.status)?,
            price: from_stripe(item.price.unit_amount?, &item.price.currency)?,
            seats: item.quantity,
            period: period(item.current_period_start, item.current_period_end)?,
            cancel_at_period_end: self.cancel_at_period_end,
            ended_at: ended_at.flatten(),
        })
    }
}

impl Stripe {
    pub(super) async fn subscription_session(&self, request: &CheckoutRequest) -> ProviderResult<Checkout> {
        // Stripe forgets the key after a day, as long as a session lives: what became of that one says what may follow.
        let key = match &request.before {
            None => format!("subscription-{}", request.number),
            Some(id) => match self.session_before(request, id).await? {
                Some(open) => return Ok(open),
                None => format!("subscription-{}-{id}", request.number),
            },
        };
        let units = to_stripe(request.price).ok_or(ProviderError::Unsupported)?;
        let number = request.number.to_string();
        let interval = match request.interval {
            Interval::Month => "month",
            Interval::Year => "year",
        };
        let mut fields = vec![
            field("mode", "subscription"),
            field("client_reference_id", &number),
            field("metadata[number]", &number),
            field("subscription_data[metadata][number]", &number),
            field("line_items[0][quantity]", request.seats.to_string()),
            field("line_items[0][price_data][currency]", request.price.currency().code().to_ascii_lowercase()),
            field("line_items[0][price_data][unit_amount]", units.to_string()),
            field("line_items[0][price_data][recurring][interval]", interval),
            field("line_items[0][price_data][product_data][name]", cut(&request.description, 120)),
            field("success_url", &request.return_url),
            field("cancel_url", &request.return_url),
        ];
        match (&request.customer, &request.email) {
            (Some(customer), _) => fields.push(field("customer", customer)),
            (None, Some(email)) => fields.push(field("customer_email", email)),
            (None, None) => {}
        }
        let session: Session = self.post("/v1/checkout/sessions", &key, &fields).await?;
        self.page_of(session, request.number)
    }

    /// The session of before while it is open; nothing when it expired.
    async fn session_before(&self, request: &CheckoutRequest, id: &str) -> ProviderResult<Option<Checkout>> {
        let session: Session = match self.get(&format!("/v1/checkout/sessions/{}", escaped(id))).await {
            Ok(session) => session,
            Err(error) if is(&error, MISSING) => return Ok(None),
            Err(error) => return Err(error),
        };
        match session.status.as_deref() {
            Some("open") => self.page_of(session, request.number).map(Some),
            Some("expired") => Ok(None),
            _ => Err(self.outside.refused(CHECKED_OUT, "the customer went through the session")),
        }
    }

    fn page_of(&self, session: Session, number: ProviderNumber) -> ProviderResult<Checkout> {
        if session.number() != Some(number) {
            return Err(self.outside.untrusted("the answer is about another subscription"));
        }
        let url =
            session.url.ok_or_else(|| self.outside.refused("session_over", "the session has no page any more"))?;
        Ok(Checkout { reference: session.id, url })
    }

    pub(super) async fn portal_session(&self, customer: &str, return_url: &str) -> ProviderResult<String> {
        let fields = vec![field("customer", customer), field("return_url", return_url)];
        let portal: Portal = self.post("/v1/billing_portal/sessions", &self.fresh_key()?, &fields).await?;
        Ok(portal.url)
    }

    /// For calls that may be repeated without harm.
    fn fresh_key(&self) -> ProviderResult<String> {
        let random = self.surroundings.random.random();
        let random = random.map_err(|_| self.outside.unavailable("there is no randomness"))?;
        Ok(domain::text::hex(&random))
    }

    pub(super) async fn end_subscription(
        &self,
        subscription: &str,
        when: CancelWhen,
    ) -> ProviderResult<ProviderSubscription> {
        let path = format!("/v1/subscriptions/{}", escaped(subscription));
        let at_end = match when {
            CancelWhen::Now => None,
            CancelWhen::AtPeriodEnd => Some(true),
            CancelWhen::Never => Some(false),
        };
        let changed: ProviderResult<Subscription> = match at_end {
            None => self.delete(&path).await,
            Some(at_end) => {
                let fields: Fields = vec![field("cancel_at_period_end", at_end.to_string())];
                // Setting it twice is setting it once; a key of its own, for it may be wished again after its opposite.
                self.post(&path, &self.fresh_key()?, &fields).await
            }
        };
        match changed {
            Ok(changed) => changed.read().ok_or_else(|| self.outside.untrusted("the subscription cannot be read")),
            // Ended before.
            Err(ProviderError::Refused { code, message }) if at_end.is_none() => {
                let found = self.fetch_subscription(subscription).await?;
                found.filter(|found| found.status == Status::Cancelled).ok_or(ProviderError::Refused { code, message })
            }
            Err(error) => Err(error),
        }
    }

    pub(super) async fn fetch_subscription(&self, subscription: &str) -> ProviderResult<Option<ProviderSubscription>> {
        match self.get::<Subscription>(&format!("/v1/subscriptions/{}", escaped(subscription))).await {
            Ok(found) => {
                found.read().map(Some).ok_or_else(|| self.outside.untrusted("the subscription cannot be read"))
            }
            Err(error) if is(&error, MISSING) => Ok(None),
            Err(error) => Err(error),
        }
    }
}
